//! Notifications to administrators in the product, with a read state for each of them.

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

/// The query of the notifications.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct NotificationQuery {
    /// Only notifications that the caller has not read.
    #[serde(default)]
    unread: bool,
    /// The maximum number of notifications, 1 to 200. Default: 50.
    limit: Option<u32>,
    /// Only notifications before this time, for older pages.
    before: Option<DateTime<Utc>>,
}

/// A notification.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Notification {
    id: Uuid,
    /// The kind of event, such as `ready` or `connectionLost`.
    kind: String,
    at: DateTime<Utc>,
    /// The subject in one line.
    subject: String,
    /// The complete text, as plain text.
    text: String,
    /// True if the caller has read it.
    read: bool,
}

/// A list of notifications, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct NotificationList {
    items: Vec<Notification>,
    /// The number of notifications that the caller has not read.
    unread: usize,
}

/// Lists notifications, newest first.
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
        let rendered = render(&it.notice).ok();
        Notification {
            id: it.notice.id,
            kind: kind(&it.notice.about),
            at: it.at,
            subject: rendered
                .as_ref()
                .map(|rendered| rendered.subject.clone())
                .unwrap_or_default(),
            text: rendered.map(|rendered| rendered.text).unwrap_or_default(),
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

/// Marks a notification as read by the caller.
///
/// It remains unread for other administrators.
#[utoipa::path(post, path = "/v1/notifications/{id}/read", tag = "Notifications",
    params(("id" = Uuid, Path, description = "The notification")),
    responses((status = 204, description = "Marked as read")))]
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
