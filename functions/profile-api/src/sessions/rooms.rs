//! `GET /v1/catalogs/{id}/rooms`: rooms and their availability (S1-16).

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

/// The longest period for which availability is returned, in days.
const MAX_DAYS: i64 = 62;

/// The period for which availability is requested.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RoomQuery {
    /// The beginning of the period for which to return availability; requires `to`.
    from: Option<DateTime<Utc>>,
    /// The end of the period, at most 62 days after `from`.
    to: Option<DateTime<Utc>>,
}

/// A room.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Room)]
pub(crate) struct RoomView {
    name: String,
    /// The e-mail address used to book it.
    address: String,
    capacity: Option<u32>,
    building: Option<String>,
    /// True if it is free for the whole period; absent without a period or if its calendar
    /// cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<bool>,
    /// The times within the period at which it is booked.
    busy: Vec<Busy>,
}

/// A time at which a room is booked.
#[derive(Serialize, ToSchema)]
struct Busy {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

/// Rooms of the organisation.
#[derive(Serialize, ToSchema)]
pub(crate) struct Rooms {
    /// The rooms, by name.
    items: Vec<RoomView>,
}

/// Lists the rooms that can be booked for sessions, with their availability.
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
    let find_rooms = |account: ConnectedAccount| async move {
        let rooms = account.mailbox.rooms().await?;
        let addresses: Vec<String> = rooms.iter().map(|room| room.address.clone()).collect();
        let found = match window {
            Some(window) => account.mailbox.free_busy(&addresses, window).await?,
            None => Vec::new(),
        };
        Ok((rooms, found))
    };
    let found = api.services.in_calendar(caller.tenant, catalog, find_rooms);
    let (rooms, found) = found.await?;
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
            format!(
                "from and to are required together; to must be later, by at most {MAX_DAYS} days"
            ),
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
