//! `GET /v1/catalogs/{id}/rooms`: rooms, and when they are free (S1-16).

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_app::mail_account::ConnectedAccount;
use rollcall_clients::mailbox::{Availability, Room};
use rollcall_domain::base::ids::CatalogId;
use rollcall_domain::base::problem::Problem;
use rollcall_domain::connection::Capability;
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::no_licence;
use super::save::usable;
use crate::catalogs;
use crate::error::ApiError;
use crate::extract::{InPath, InQuery};
use crate::state::ApiState;

/// Longest time that rooms are looked up for, in days.
const MAX_DAYS: i64 = 62;

/// For when.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RoomQuery {
    /// Tells for each room whether it is free from here on; needs `to`.
    from: Option<DateTime<Utc>>,
    /// Until when; at most 62 days later.
    to: Option<DateTime<Utc>>,
}

/// A room.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Room)]
pub(crate) struct RoomView {
    name: String,
    /// The address that books it.
    address: String,
    capacity: Option<u32>,
    building: Option<String>,
    /// Whether it is free all the time asked for; absent when no time was asked
    /// for, or its calendar cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<bool>,
    /// When it is taken in that time.
    busy: Vec<Busy>,
}

/// A time in which a room is taken.
#[derive(Serialize, ToSchema)]
struct Busy {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

/// Rooms of the organisation.
#[derive(Serialize, ToSchema)]
pub(crate) struct Rooms {
    /// By name.
    items: Vec<RoomView>,
}

/// Rooms that can be booked for sessions, with the times in which they are taken.
#[utoipa::path(get, path = "/v1/catalogs/{id}/rooms", tag = "Sessions",
    params(("id" = CatalogId, Path, description = "The catalog"), RoomQuery),
    responses((status = 200, description = "All rooms", body = Rooms)))]
pub(crate) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(catalog): InPath<CatalogId>,
    InQuery(query): InQuery<RoomQuery>,
) -> Result<Json<Rooms>, ApiError> {
    let connection = catalogs::must_work_on(&api, &caller, catalog).await?;
    let window = window(&query)?;
    let connection = usable(connection)?;
    let mut unable = connection.can.unable.iter();
    if let Some(lack) = unable.find(|it| it.capability == Capability::Rooms) {
        return Err(no_licence(lack.reason.clone()));
    }
    let look = |account: ConnectedAccount| async move {
        let rooms = account.mailbox.rooms().await?;
        let addresses: Vec<String> = rooms.iter().map(|room| room.address.clone()).collect();
        let found = match window {
            Some(window) => account.mailbox.free_busy(&addresses, window).await?,
            None => Vec::new(),
        };
        Ok((rooms, found))
    };
    let looked = api.services.in_calendar(caller.tenant, catalog, look);
    let (rooms, found) = looked.await?;
    let items = rooms.into_iter().map(|room| {
        let known = found
            .iter()
            .find(|it| it.address.eq_ignore_ascii_case(&room.address));
        view(room, known)
    });
    Ok(Json(Rooms {
        items: items.collect(),
    }))
}

type Window = (DateTime<Utc>, DateTime<Utc>);

fn window(query: &RoomQuery) -> Result<Option<Window>, Problem> {
    match (query.from, query.to) {
        (None, None) => Ok(None),
        (Some(from), Some(to)) if from < to && to - from <= TimeDelta::days(MAX_DAYS) => {
            Ok(Some((from, to)))
        }
        _ => Err(Problem::at(
            "/to",
            format!("from and to belong together; to must be later, by {MAX_DAYS} days at most"),
        )),
    }
}

fn view(room: Room, known: Option<&Availability>) -> RoomView {
    let readable = known.filter(|it| it.problem.is_none());
    let busy = known.into_iter().flat_map(|it| &it.busy);
    RoomView {
        name: room.name,
        address: room.address,
        capacity: room.capacity,
        building: room.building,
        free: readable.map(|it| it.busy.is_empty()),
        busy: busy
            .map(|(start, end)| Busy {
                start: *start,
                end: *end,
            })
            .collect(),
    }
}
