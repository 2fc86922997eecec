//! What saving a profile would do, and who is in its audience, on the data in use.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use rollcall_clients::store::{LeaseStamp, MAINTENANCE_LEASE};
use rollcall_domain::desired::{Audience, AudienceError, Change, Ready};
use rollcall_domain::ids::{CourseId, ObjectId, ProfileId, SnapshotId, TenantId};
use rollcall_domain::lint::Warning;
use rollcall_domain::plan::diff::GroupMembers;
use rollcall_domain::preview::{Current, Entry, List, Outlook, Preview, Question};
use rollcall_domain::profile::Profile;
use rollcall_domain::rowset::RowSet;
use rollcall_runtime::ProblemDetails;
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Read;
use super::check::Known;
use super::input::Documented;
use crate::Api;
use crate::failure::{Refused, locked, stored};
use crate::form::Form;
use crate::request::{InPath, InQuery, from_cursor, page_size, part, to_cursor};
use crate::warm::Data;

/// Reading a group from Microsoft Graph may take so long; API Gateway waits 30 s.
const PATIENCE: Duration = Duration::from_secs(15);

/// A draft to look ahead with.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "its fields are read one by one, to tell every problem; this documents them"
)]
struct DraftInput {
    /// The profile as it would be saved.
    profile: Documented,
    /// The saved profile it would replace; a new one without.
    id: Option<ProfileId>,
    /// Whom to list; those who would join without.
    list: Option<List>,
    /// Only people with these words in name or mail address.
    search: Option<String>,
    /// Most people on a page: 1 to 200, 50 without.
    limit: Option<u32>,
    /// Where the page before ended.
    cursor: Option<String>,
}

/// Whom a preview lists.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PreviewQuery {
    /// Whom to list; those who would join without.
    pub(crate) list: Option<List>,
    /// Only people with these words in name or mail address.
    pub(crate) search: Option<String>,
    /// Most people on a page: 1 to 200, 50 without.
    pub(crate) limit: Option<u32>,
    /// Where the page before ended.
    pub(crate) cursor: Option<String>,
}

/// What would happen.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PreviewView {
    /// The data it was computed from.
    snapshot: SnapshotId,
    /// When that was read.
    taken_at: DateTime<Utc>,
    /// The numbers.
    preview: Preview,
    /// Whether the next run would hold the change for a person, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_because: Option<String>,
    /// Why the group's members are not known, when they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    members_unknown_because: Option<String>,
    /// What the author should know.
    warnings: Vec<Warning>,
    /// The people asked for, by name.
    people: PeoplePage,
}

/// A page of people.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PeoplePage {
    /// How many there are on all pages.
    pub(crate) total: usize,
    /// By name.
    pub(crate) items: Vec<Entry>,
    /// Where the next page begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}

/// Looks ahead with a draft that is not saved.
#[utoipa::path(post, path = "/v1/profiles/preview", tag = "Profiles", request_body = DraftInput,
    responses((status = 200, description = "What saving it would do", body = PreviewView)))]
pub(crate) async fn draft(
    State(api): State<Api>,
    caller: Caller,
    mut form: Form,
) -> Result<Json<PreviewView>, Refused> {
    let wanted = PreviewQuery {
        list: form.optional("list"),
        search: form.optional("search"),
        limit: form.optional("limit"),
        cursor: form.optional("cursor"),
    };
    let id = form.optional::<ProfileId>("id");
    let profile = form.part("profile");
    form.finish().map_err(ProblemDetails::invalid)?;
    let stamp = api.unlocked(caller.tenant).await?;
    let before = match id {
        Some(id) => Some(api.profile(caller.tenant, id).await?),
        None => None,
    };
    let data = api.data(caller.tenant).await?;
    let at = Utc::now();
    let id = id.unwrap_or(ProfileId::new(Uuid::new_v4()));
    let make = |input: super::input::Input| {
        input.into_profile(
            id,
            before.as_ref().map(|read| &read.profile),
            at,
            &caller.name,
        )
    };
    let (profile, _) = api.checked(caller.tenant, &data, profile, make).await?;
    let ahead = Ahead {
        api: &api,
        tenant: caller.tenant,
        data,
        at,
    };
    let view = ahead.look(&profile, before.as_ref(), &wanted).await?;
    api.still_unlocked(caller.tenant, stamp).await?;
    Ok(Json(view))
}

/// Looks ahead with a profile as it is saved.
#[utoipa::path(get, path = "/v1/profiles/{id}/preview", tag = "Profiles",
    params(("id" = ProfileId, Path, description = "The profile"), PreviewQuery),
    responses((status = 200, description = "What the next run would do", body = PreviewView)))]
pub(crate) async fn saved(
    State(api): State<Api>,
    caller: Caller,
    InPath(id): InPath<ProfileId>,
    InQuery(wanted): InQuery<PreviewQuery>,
) -> Result<Json<PreviewView>, Refused> {
    let stamp = api.unlocked(caller.tenant).await?;
    let read = api.profile(caller.tenant, id).await?;
    let data = api.data(caller.tenant).await?;
    let ahead = Ahead {
        api: &api,
        tenant: caller.tenant,
        data,
        at: Utc::now(),
    };
    let view = ahead.look(&read.profile, Some(&read), &wanted).await?;
    api.still_unlocked(caller.tenant, stamp).await?;
    Ok(Json(view))
}

impl Api {
    /// Lists of members are not given out while maintenance works (S4-113): says
    /// so now, and gives what [`Api::still_unlocked`] compares with in the end.
    pub(crate) async fn unlocked(&self, tenant: TenantId) -> Result<LeaseStamp, Refused> {
        let store = &self.services.store;
        let stamp = store.lease_stamp(tenant, MAINTENANCE_LEASE).await;
        let stamp = stamp.map_err(stored)?;
        if stamp.held { Err(locked()) } else { Ok(stamp) }
    }

    /// Whether maintenance neither works now nor has begun since: what was read
    /// in between was not half changed.
    pub(crate) async fn still_unlocked(
        &self,
        tenant: TenantId,
        since: LeaseStamp,
    ) -> Result<(), Refused> {
        if self.unlocked(tenant).await? == since {
            Ok(())
        } else {
            Err(locked())
        }
    }
}

/// One look ahead.
pub(crate) struct Ahead<'a> {
    pub(crate) api: &'a Api,
    pub(crate) tenant: TenantId,
    pub(crate) data: Arc<Data>,
    pub(crate) at: DateTime<Utc>,
}

/// A group's members, or why they are not known.
type Now = Result<GroupMembers, String>;

impl Ahead<'_> {
    async fn look(
        &self,
        profile: &Profile,
        before: Option<&Read>,
        wanted: &PreviewQuery,
    ) -> Result<PreviewView, Refused> {
        let known = self.api.needed(self.tenant, profile).await?;
        let (now, taken) = self.now(before).await?;
        let outlook = self.outlook(profile, &known, now.as_ref().ok(), &taken)?;
        let mut preview = outlook.preview().clone();
        let held_because = preview.hold.as_ref().map(ToString::to_string);
        // Without auto-populate a run leaves the members alone (S4-051, S4-053).
        if !profile.auto_populate {
            preview.joins = preview.joins.map(|_| 0);
            preview.leaves = preview.leaves.map(|_| 0);
            preview.hold = None;
        }
        Ok(PreviewView {
            snapshot: self.data.pointer.id.clone(),
            taken_at: self.data.pointer.taken_at,
            held_because: held_because.filter(|_| profile.auto_populate),
            members_unknown_because: now.err(),
            warnings: self
                .api
                .warnings(self.tenant, &self.data, profile, self.at)
                .await?,
            people: self.people(&outlook, wanted.list.unwrap_or(List::Joins), wanted)?,
            preview,
        })
    }

    /// The audience against the members.
    pub(crate) fn outlook(
        &self,
        profile: &Profile,
        known: &Known,
        now: Option<&GroupMembers>,
        taken: &BTreeSet<CourseId>,
    ) -> Result<Outlook, Refused> {
        let data = &self.data;
        let change = self.change(profile, known, now.map(|now| &now.rows))?;
        let none = BTreeSet::new();
        Ok(Outlook::of(&Question {
            snapshot: &data.snapshot,
            accounts: data.accounts(),
            change: &change,
            current: now.map(|now| Current {
                rows: &now.rows,
                others: now.users.len() + now.others.len(),
            }),
            throttle: &profile.throttle,
            courses_before: taken,
            courses_after: if profile.enroll {
                &profile.courses
            } else {
                &none
            },
        }))
    }

    /// Evaluates a profile together with those it needs.
    fn change(
        &self,
        profile: &Profile,
        known: &Known,
        now: Option<&RowSet>,
    ) -> Result<Change, Refused> {
        let fields = &self.data.fields;
        let audience = |one: &Profile| Audience::of(one, fields).map_err(|error| (one.id, error));
        // A profile without rules and without managed members is nobody's audience.
        if !profile.auto_populate && matches!(audience(profile), Err((_, AudienceError::Empty))) {
            return Ok(Change::default());
        }
        let others = known.values().filter(|one| !one.is_deleted());
        let audiences: Vec<_> = others.chain([profile]).map(audience).collect();
        let Ready {
            mut places,
            program,
        } = Ready::of(&audiences);
        let place = match places.remove(&profile.id) {
            Some(Ok(place)) => place,
            Some(Err(error)) => return Err(no_audience(error)),
            None => return Ok(Change::default()),
        };
        let mut current = vec![None; program.profiles()];
        current[place] = now;
        let mut changes = program.evaluate(&self.data.snapshot, self.at, &current);
        Ok(changes.swap_remove(place))
    }

    /// Which of these profiles' audiences hold a person; one whose audience cannot
    /// be determined is left out.
    pub(crate) fn audiences_of(&self, known: &Known, row: u32) -> BTreeMap<ProfileId, bool> {
        let fields = &self.data.fields;
        let living = known.values().filter(|one| !one.is_deleted());
        let audiences: Vec<_> = living
            .map(|one| Audience::of(one, fields).map_err(|error| (one.id, error)))
            .collect();
        let Ready { places, program } = Ready::of(&audiences);
        // Against nobody everyone in an audience joins.
        let changes = program.evaluate(&self.data.snapshot, self.at, &[]);
        let places = places.into_iter();
        places
            .filter_map(|(id, place)| {
                let joins = &changes.get(place.ok()?)?.joins;
                Some((id, joins.binary_search(&row).is_ok()))
            })
            .collect()
    }

    /// Who is in the group now, and in which courses it is: as the last run left
    /// it when that is recent, else as Microsoft Graph says. `Ok` with nobody for
    /// a group that does not exist yet.
    pub(crate) async fn now(
        &self,
        read: Option<&Read>,
    ) -> Result<(Now, BTreeSet<CourseId>), Refused> {
        let nobody = || Ok(GroupMembers::none(&self.data.snapshot));
        let Some(read) = read else {
            return Ok((nobody(), BTreeSet::new()));
        };
        let id = read.profile.id;
        let store = &self.api.services.store;
        let states = store.profile_states_of(self.tenant, [id]).await;
        let state = states.map_err(stored)?.remove(&id).unwrap_or_default();
        let Some(group) = state.group else {
            return Ok((nobody(), state.managed));
        };
        let kept = store
            .kept_members_of(self.tenant, id)
            .await
            .map_err(stored)?;
        let kept =
            kept.filter(|kept| kept.group == group && kept.stand_for(read.version, self.at, false));
        let kept = kept.and_then(|kept| kept.under(&self.data.snapshot, self.data.accounts()));
        let now = match kept {
            Some(kept) => Ok(kept),
            None => self.read(group).await?,
        };
        Ok((now, state.managed))
    }

    /// Reads the group from Graph.
    async fn read(&self, group: ObjectId) -> Result<Now, Refused> {
        let tenant = crate::runs::tenant(self.api, self.tenant).await?;
        let graph = match self.api.services.graph(&tenant).await {
            Ok(graph) => graph.with_deadline(tokio::time::Instant::now() + PATIENCE),
            Err(error) => return Ok(Err(error.to_string())),
        };
        let found = match graph.members_of(&[group]).await {
            Ok(mut found) => found.remove(&group),
            Err(error) => return Ok(Err(format!("Microsoft Graph: {error}"))),
        };
        Ok(match found {
            Some(Ok(members)) => {
                let others = members.others.into_keys().collect();
                let data = &self.data;
                Ok(GroupMembers::of(
                    &data.snapshot,
                    data.accounts(),
                    members.users,
                    others,
                ))
            }
            Some(Err(error)) => Err(format!("Microsoft Graph: {error}")),
            None => Err("Microsoft Graph does not list the group's members".to_owned()),
        })
    }

    /// A page of a list, by name.
    pub(crate) fn people(
        &self,
        outlook: &Outlook,
        list: List,
        wanted: &PreviewQuery,
    ) -> Result<PeoplePage, Refused> {
        let data = &self.data;
        let offset = match &wanted.cursor {
            None => 0,
            Some(cursor) => Self::offset(cursor)?,
        };
        let limit = page_size(wanted.limit);
        let search = wanted
            .search
            .as_deref()
            .filter(|text| !text.trim().is_empty());
        let page = outlook.people(&data.snapshot, data.order(), list, search, (offset, limit));
        let end = offset + page.entries.len();
        let more = end < page.total && !page.entries.is_empty();
        Ok(PeoplePage {
            total: page.total,
            items: page.entries,
            next_cursor: more.then(|| to_cursor(&format!("people {} {end}", data.pointer.id))),
        })
    }

    /// Where a cursor stands; one of other data counts all the same, since a
    /// refresh in between must not end somebody's scrolling.
    fn offset(cursor: &str) -> Result<usize, Refused> {
        let key = from_cursor(cursor)?;
        let mut parts = key.split(' ');
        if parts.next() != Some("people") {
            return Err(crate::failure::cursor());
        }
        part(parts.nth(1))
    }
}

/// Why there is no audience, as an answer.
pub(crate) fn no_audience(error: AudienceError) -> ProblemDetails {
    use rollcall_domain::problem::Problem;
    match error {
        AudienceError::NeedsReview { problems, .. } | AudienceError::Invalid { problems } => {
            ProblemDetails::invalid(problems)
        }
        AudienceError::Empty => {
            ProblemDetails::invalid(vec![Problem::at("/filter", error.to_string())])
        }
        AudienceError::Cycle | AudienceError::Dependency { .. } => {
            ProblemDetails::invalid(vec![Problem::at("/overrides", error.to_string())])
        }
    }
}
