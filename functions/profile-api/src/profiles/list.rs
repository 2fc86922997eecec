//! `GET /v1/profiles`: the filtered, sorted and paged list with its columns (S4-033…040).

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use rollcall_clients::store::profile_list::{ProfileIndex, ProfileLine};
use rollcall_domain::audience::profile::group_name;
use rollcall_domain::base::ids::{ProfileId, TenantId};
use rollcall_domain::base::text::fold;
use rollcall_domain::membership::report::ProfileStatus;
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::ProfileStatusView;
use crate::error::ApiError;
use crate::extract::{InQuery, from_cursor, page_size, to_cursor};
use crate::state::ApiState;

/// The maximum number of profiles that a filtered list examines for one page, so that the
/// work of a request does not depend on the size of the tenant.
const MAX_LOOKED_AT: usize = 2_000;
/// The number of profiles read at a time while filtering.
const CHUNK: usize = 500;

/// The order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Sort {
    /// By title, regardless of case.
    #[default]
    Title,
    /// By title, descending.
    TitleDescending,
    /// By the last change, newest first.
    ModifiedDescending,
    /// By the last change, oldest first.
    Modified,
}

/// The query of the list of profiles.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProfileQuery {
    /// Only profiles with this text in the title, the description or the name of the last
    /// editor, regardless of case.
    search: Option<String>,
    /// Only profiles with this value of `enroll`.
    enroll: Option<bool>,
    /// Only profiles with this value of `autoPopulate`.
    auto_populate: Option<bool>,
    /// Only profiles with this status after the last run.
    status: Option<ProfileStatus>,
    /// `true` for deleted profiles instead of active ones, sorted by the time of deletion,
    /// newest first.
    #[serde(default)]
    deleted: bool,
    /// The order of active profiles.
    #[serde(default)]
    sort: Sort,
    /// The maximum number of profiles on a page, 1 to 200. Default: 50.
    limit: Option<u32>,
    /// The `nextCursor` of the previous page.
    cursor: Option<String>,
}

/// A profile in the list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProfileListItem {
    /// The id.
    id: ProfileId,
    /// The version.
    version: u64,
    /// The title (S4-035).
    title: String,
    /// The purpose (S4-034).
    description: String,
    /// True if the group is enrolled in the courses (S4-036).
    enroll: bool,
    /// True if the group's members follow the rules (S4-037).
    auto_populate: bool,
    /// The time of the last change (S4-038).
    modified_at: DateTime<Utc>,
    /// The name of the last editor (S4-039).
    modified_by: String,
    /// The number of courses (S4-040).
    courses: usize,
    /// The time of deletion, of a deleted profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<DateTime<Utc>>,
    /// The group and the status after the last run (S4-034).
    standing: ProfileStatusView,
}

/// A page of profiles.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProfilePage {
    /// The profiles, in the requested order.
    items: Vec<ProfileListItem>,
    /// The cursor of the next page; absent on the last page. A filtered page may contain
    /// fewer profiles, or none, although more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Lists the tenant's profiles.
#[utoipa::path(get, path = "/v1/profiles", tag = "Profiles", params(ProfileQuery),
    responses((status = 200, description = "A page of profiles", body = ProfilePage)))]
pub(crate) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    InQuery(query): InQuery<ProfileQuery>,
) -> Result<Json<ProfilePage>, ApiError> {
    let after = query.cursor.as_deref().map(from_cursor).transpose()?;
    let tenant = api.services.store.tenant(caller.tenant).await;
    let prefix = tenant?
        .map(|tenant| tenant.settings.group_prefix)
        .unwrap_or_default();
    let search = Search {
        api: &api,
        tenant: caller.tenant,
        text: query.search.as_deref().and_then(fold),
        prefix,
        query: &query,
    };
    search.page(after).await.map(Json)
}

/// The search of one request.
struct Search<'a> {
    api: &'a ApiState,
    tenant: TenantId,
    text: Option<String>,
    prefix: String,
    query: &'a ProfileQuery,
}

impl Search<'_> {
    async fn page(&self, mut after: Option<String>) -> Result<ProfilePage, ApiError> {
        let (index, backwards) = self.index();
        let limit = page_size(self.query.limit);
        let chunk = if self.filters() { CHUNK } else { limit };
        let (mut items, mut looked_at) = (Vec::new(), 0);
        loop {
            let store = &self.api.services.store;
            let page = store.profile_page(self.tenant, index, backwards, after.as_deref(), chunk);
            let page = page.await?;
            looked_at += page.items.len();
            let found = self.found(page.items).await?;
            let room = limit - items.len();
            if found.len() > room {
                // The page is full before the end of the chunk: continue after its last line.
                after = found.get(room - 1).map(|(key, _)| key.clone());
                items.extend(found.into_iter().take(room).map(|(_, item)| item));
                break;
            }
            items.extend(found.into_iter().map(|(_, item)| item));
            after = page.next;
            if after.is_none() || items.len() == limit || looked_at >= MAX_LOOKED_AT {
                break;
            }
        }
        Ok(ProfilePage {
            items,
            next_cursor: after.as_deref().map(to_cursor),
        })
    }

    fn index(&self) -> (ProfileIndex, bool) {
        match (self.query.deleted, self.query.sort) {
            (true, _) => (ProfileIndex::Deleted, true),
            (false, Sort::Title) => (ProfileIndex::ByTitle, false),
            (false, Sort::TitleDescending) => (ProfileIndex::ByTitle, true),
            (false, Sort::Modified) => (ProfileIndex::ByChange, false),
            (false, Sort::ModifiedDescending) => (ProfileIndex::ByChange, true),
        }
    }

    fn filters(&self) -> bool {
        let query = self.query;
        self.text.is_some()
            || query.enroll.is_some()
            || query.auto_populate.is_some()
            || query.status.is_some()
    }

    /// Returns the matching profiles with their status.
    async fn found(
        &self,
        lines: Vec<(String, ProfileLine)>,
    ) -> Result<Vec<(String, ProfileListItem)>, ApiError> {
        let lines: Vec<_> = lines
            .into_iter()
            .filter(|(_, line)| self.fits(line))
            .collect();
        let ids: Vec<ProfileId> = lines.iter().map(|(_, line)| line.id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let store = &self.api.services.store;
        let (mut states, holds) = futures::try_join!(
            store.profile_states_of(self.tenant, ids.iter().copied()),
            store.holds_of(self.tenant, ids.iter().copied())
        )?;
        let items = lines.into_iter().map(|(key, line)| {
            let name = group_name(&self.prefix, &line.title);
            let status = ProfileStatusView::of(states.remove(&line.id), holds.get(&line.id), name);
            (key, item(line, status))
        });
        let wanted = self.query.status;
        Ok(items
            .filter(|(_, item)| wanted.is_none() || item.standing.status() == wanted)
            .collect())
    }

    fn fits(&self, line: &ProfileLine) -> bool {
        let query = self.query;
        let holds = |text: &str| fold(text).is_some_and(|folded| self.within(&folded));
        query.enroll.is_none_or(|enroll| line.enroll == enroll)
            && query
                .auto_populate
                .is_none_or(|auto| line.auto_populate == auto)
            && (self.text.is_none()
                || [&line.title, &line.description, &line.modified_by]
                    .into_iter()
                    .any(|text| holds(text)))
    }

    fn within(&self, folded: &str) -> bool {
        self.text
            .as_deref()
            .is_none_or(|text| folded.contains(text))
    }
}

fn item(line: ProfileLine, standing: ProfileStatusView) -> ProfileListItem {
    ProfileListItem {
        id: line.id,
        version: line.version,
        title: line.title,
        description: line.description,
        enroll: line.enroll,
        auto_populate: line.auto_populate,
        modified_at: line.modified_at,
        modified_by: line.modified_by,
        courses: line.courses,
        deleted_at: line.deleted_at,
        standing,
    }
}
