//! `GET /v1/audit`: the audit log, newest first.

use axum::Json;
use axum::extract::State;
use rollcall_domain::base::audit::AuditEvent;
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::ApiError;
use crate::extract::{InQuery, from_cursor, page_size, to_cursor};
use crate::state::ApiState;

/// The query of the audit log.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Only events about this subject: the id of a profile or run. A page may then contain
    /// fewer events, or none, although more follow.
    subject: Option<String>,
    /// The maximum number of events on a page, 1 to 200. Default: 50.
    limit: Option<u32>,
    /// The `nextCursor` of the previous page.
    cursor: Option<String>,
}

/// A page of the audit log.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditPage {
    /// The events, newest first.
    items: Vec<AuditEvent>,
    /// The cursor of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Lists audit events, newest first.
///
/// Events are stored for two years.
#[utoipa::path(get, path = "/v1/audit", tag = "Audit", params(AuditQuery),
    responses((status = 200, description = "A page of events, newest first", body = AuditPage)))]
pub(crate) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    InQuery(query): InQuery<AuditQuery>,
) -> Result<Json<AuditPage>, ApiError> {
    let after = query.cursor.as_deref().map(from_cursor).transpose()?;
    // A filtered request reads a bounded number of events and returns the cursor it reached.
    let looked_at = match query.subject {
        Some(_) => 1_000,
        None => page_size(query.limit),
    };
    let store = &api.services.store;
    let page = store.audit_page(caller.tenant, after.as_deref(), looked_at);
    let page = page.await?;
    let wanted = |(_, event): &(String, AuditEvent)| {
        let subject = query.subject.as_ref();
        subject.is_none_or(|subject| event.subject == *subject)
    };
    let limit = page_size(query.limit);
    let mut found: Vec<_> = page.items.into_iter().filter(wanted).collect();
    let mut next = page.next;
    if found.len() > limit {
        found.truncate(limit);
        next = found.last().map(|(key, _)| key.clone());
    }
    Ok(Json(AuditPage {
        items: found.into_iter().map(|(_, event)| event).collect(),
        next_cursor: next.as_deref().map(to_cursor),
    }))
}
