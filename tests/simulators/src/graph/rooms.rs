//! `GET /places/microsoft.graph.room`: the rooms that can be booked.

use serde_json::{Value, json};
use uuid::Uuid;

use super::query::{self, Page};
use super::{Answer, RequestContext};
use crate::world::Room;

/// Permissions that may read places.
const READ: &[&str] = &["Place.Read.All", "Place.ReadWrite.All"];

/// Returns one page of rooms.
pub(super) fn list(context: &RequestContext<'_>) -> Answer {
    context.need(READ)?;
    let top = query::top(context)?;
    let from = query::position(context)?;
    let start = usize::try_from(from.unwrap_or(0)).unwrap_or(usize::MAX);
    let rooms = &context.tenant.state.world.rooms;
    let rows = rooms.iter().skip(start).take(top);
    let rows = rows.map(|room| query::select(context, shape(room), &[]));
    let end = start.saturating_add(top);
    Ok(query::page(
        context,
        Page {
            set: "places/microsoft.graph.room".to_owned(),
            rows: rows.collect(),
            next: (end < rooms.len()).then_some(end as u128),
            count: None,
        },
    ))
}

fn shape(room: &Room) -> Value {
    // The same room has the same id in every response.
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, room.email.to_lowercase().as_bytes());
    json!({
        "id": id,
        "displayName": room.name,
        "emailAddress": room.email,
        "capacity": room.capacity,
        "building": room.building,
        "bookingType": "standard",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_keeps_its_id() {
        let room = |email: &str| Room {
            name: "Oak".to_owned(),
            email: email.to_owned(),
            capacity: 8,
            building: Some("A".to_owned()),
            accepts: true,
            answer_after_ms: 0,
        };
        let row = shape(&room("oak@x.example"));
        assert_eq!(row["id"], shape(&room("OAK@x.example"))["id"]);
        assert_ne!(row["id"], shape(&room("elm@x.example"))["id"]);
        assert_eq!(row["capacity"], 8);
    }
}
