//! What the product tells its administrators: the newest first, each read by each of them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use rollcall_domain::notices::{NoticeKind, render};
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::error::ApiError;
use crate::extract::{InPath, InQuery, page_size};
use crate::state::ApiState;

/// Which notifications.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct NotificationQuery {
    /// Only those the caller has not read.
    #[serde(default)]
    unread: bool,
    /// Most notifications: 1 to 200, 50 without.
    limit: Option<u32>,
    /// Only those that came before this moment, for older pages.
    before: Option<DateTime<Utc>>,
}

/// A notification.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Notification {
    id: Uuid,
    /// What it is about, such as `ready` or `connectionLost`.
    kind: String,
    at: DateTime<Utc>,
    /// One line.
    subject: String,
    /// All of it, as plain text.
    text: String,
    /// Whether the caller has read it.
    read: bool,
}

/// Notifications, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct NotificationList {
    items: Vec<Notification>,
    /// How many the caller has not read.
    unread: usize,
}

/// What the product tells: newest first.
#[utoipa::path(get, path = "/v1/notifications", tag = "Notifications", params(NotificationQuery),
    responses((status = 200, description = "The newest notifications", body = NotificationList)))]
pub(crate) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    InQuery(query): InQuery<NotificationQuery>,
) -> Result<Json<NotificationList>, ApiError> {
    let all = api.services.store.notifications(caller.tenant).await;
    let mut all = all?;
    all.reverse();
    let unread = all
        .iter()
        .filter(|it| !it.read_by.contains(&caller.object))
        .count();
    let wanted = all
        .into_iter()
        .filter(|it| query.before.is_none_or(|before| it.at < before))
        .filter(|it| !query.unread || !it.read_by.contains(&caller.object))
        .take(page_size(query.limit));
    let items = wanted.map(|it| {
        let told = render(&it.notice).ok();
        Notification {
            id: it.notice.id,
            kind: kind(&it.notice.about),
            at: it.at,
            subject: told
                .as_ref()
                .map(|told| told.subject.clone())
                .unwrap_or_default(),
            text: told.map(|told| told.text).unwrap_or_default(),
            read: it.read_by.contains(&caller.object),
        }
    });
    Ok(Json(NotificationList {
        items: items.collect(),
        unread,
    }))
}

fn kind(about: &NoticeKind) -> String {
    let value = serde_json::to_value(about).unwrap_or_default();
    value["kind"].as_str().unwrap_or_default().to_owned()
}

/// Notes that the caller has read a notification; others still see it as new.
#[utoipa::path(post, path = "/v1/notifications/{id}/read", tag = "Notifications",
    params(("id" = Uuid, Path, description = "The notification")),
    responses((status = 204, description = "Noted")))]
pub(crate) async fn read(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<StatusCode, ApiError> {
    let store = &api.services.store;
    store
        .read_notification(caller.tenant, id, caller.object)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
