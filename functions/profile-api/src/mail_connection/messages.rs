//! `GET /v1/catalogs/{id}/messages`: waiting and undelivered messages (S1-38).

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use rollcall_clients::store::outbox::{OutboxMail, Waiting};
use rollcall_domain::base::ids::CatalogId;
use rollcall_domain::notices::delivery::MessageStatus;
use rollcall_domain::notices::render;
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::catalogs;
use crate::error::ApiError;
use crate::extract::{InPath, InQuery, from_cursor, page_size, to_cursor};
use crate::state::{ApiState, now};

/// The query of the list of messages.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessageQuery {
    /// `true` for messages that failed or may not have arrived, newest first. Default: the
    /// waiting messages, in the order of sending.
    #[serde(default)]
    undelivered: bool,
    /// The maximum number of messages on a page, 1 to 200. Default: 50.
    limit: Option<u32>,
    /// The `nextCursor` of the previous page.
    cursor: Option<String>,
}

/// A message of a catalog.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageView {
    id: Uuid,
    status: MessageStatus,
    subject: String,
    recipients: Vec<String>,
    queued_at: DateTime<Utc>,
    /// The number of failed attempts.
    failed: u32,
    /// The earliest time of the next attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<DateTime<Utc>>,
    /// The last error.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// A page of messages.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessagePage {
    items: Vec<MessageView>,
    /// The number of all waiting messages.
    waiting: u64,
    /// The cursor of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Lists the messages of a catalog that wait, or those that could not be delivered.
///
/// Messages wait for the rate limit of the mailbox or for a working connection.
#[utoipa::path(get, path = "/v1/catalogs/{id}/messages", tag = "Mail connection",
    params(("id" = CatalogId, Path, description = "The catalog"), MessageQuery),
    responses((status = 200, description = "A page of messages", body = MessagePage)))]
pub(crate) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(catalog): InPath<CatalogId>,
    InQuery(query): InQuery<MessageQuery>,
) -> Result<Json<MessagePage>, ApiError> {
    let connection = catalogs::must_work_on(&api, &caller, catalog).await?;
    let works = connection.options.enabled && connection.status.is_usable();
    let store = &api.services.store;
    let after = query.cursor.as_deref().map(from_cursor).transpose()?;
    let (tenant, limit) = (caller.tenant, page_size(query.limit));
    let page = if query.undelivered {
        store
            .undelivered_page(tenant, catalog, after.as_deref(), limit)
            .await
    } else {
        store
            .mail_page(tenant, catalog, after.as_deref(), limit)
            .await
    };
    let page = page?;
    let waiting = store.waiting(tenant, catalog).await?;
    let at = now();
    Ok(Json(MessagePage {
        items: page
            .items
            .into_iter()
            .map(|it| view(it, works, at))
            .collect(),
        waiting,
        next_cursor: page.next.as_deref().map(to_cursor),
    }))
}

fn view(Waiting { mail, .. }: Waiting, works: bool, at: DateTime<Utc>) -> MessageView {
    let status = status(&mail, works, at);
    MessageView {
        id: mail.notice.id,
        status,
        subject: render(&mail.notice)
            .map(|words| words.subject)
            .unwrap_or_default(),
        recipients: mail.notice.recipients,
        queued_at: mail.queued_at,
        failed: mail.failed,
        not_before: mail.not_before,
        problem: mail.problem,
    }
}

fn status(mail: &OutboxMail, works: bool, at: DateTime<Utc>) -> MessageStatus {
    if let Some(ended) = mail.ended {
        return ended;
    }
    if !works {
        return MessageStatus::Held;
    }
    if mail.not_before.is_some_and(|then| then > at) {
        return MessageStatus::Retrying;
    }
    MessageStatus::Queued
}
