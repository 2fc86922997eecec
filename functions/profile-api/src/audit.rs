//! `GET /v1/audit`: who changed what, newest first.

use axum::Json;
use axum::extract::State;
use rollcall_domain::base::audit::AuditEvent;
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::ApiError;
use crate::extract::{InQuery, from_cursor, page_size, to_cursor};
use crate::state::ApiState;

/// Which events.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Only events on this: a profile's id or a run's. A page may then be short,
    /// or empty, although more follows.
    subject: Option<String>,
    /// Most events on a page: 1 to 200, 50 without.
    limit: Option<u32>,
    /// Where the page before ended.
    cursor: Option<String>,
}

/// A page of events.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditPage {
    /// Newest first.
    items: Vec<AuditEvent>,
    /// Where the next page begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Who changed what. Events are kept two years.
#[utoipa::path(get, path = "/v1/audit", tag = "Audit", params(AuditQuery),
    responses((status = 200, description = "A page of events, newest first", body = AuditPage)))]
pub(crate) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    InQuery(query): InQuery<AuditQuery>,
) -> Result<Json<AuditPage>, ApiError> {
    let after = query.cursor.as_deref().map(from_cursor).transpose()?;
    // A filter looks at a few pages' worth, then hands back where it stands.
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
