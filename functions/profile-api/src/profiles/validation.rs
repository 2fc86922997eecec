//! Validates profiles before they are saved: problems, which prevent saving and are all
//! reported at once, and warnings.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rollcall_domain::audience::desired_members::{Audience, AudienceError};
use rollcall_domain::audience::lint::{Warning, lint};
use rollcall_domain::audience::override_closure;
use rollcall_domain::audience::profile::{Profile, Target};
use rollcall_domain::base::ids::{CourseId, ProfileId, TenantId};
use rollcall_domain::base::problem::Problem;

use super::input::ProfileInput;
use crate::body::JsonBody;
use crate::cache::snapshots::CachedSnapshot;
use crate::error::{ApiError, title_taken};
use crate::state::ApiState;

/// The maximum number of other profiles needed to evaluate one; all of them are in memory
/// together.
const MAX_NEEDED: usize = 500;

/// The profiles that were read, by id.
pub(crate) type KnownProfiles = BTreeMap<ProfileId, Profile>;

/// The lists of a profile in the order of the request, so that pointers to them are correct.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestedLists {
    pub(crate) courses: Vec<CourseId>,
    pub(crate) include: Vec<Target>,
    pub(crate) exclude: Vec<Target>,
}

impl RequestedLists {
    /// Returns the lists of a stored profile, in the order of storage.
    pub(crate) fn of(profile: &Profile) -> Self {
        Self {
            courses: profile.courses.iter().copied().collect(),
            include: profile.overrides.include.iter().copied().collect(),
            exclude: profile.overrides.exclude.iter().copied().collect(),
        }
    }
}

/// Returns the profiles that the overrides of a profile refer to, directly or indirectly.
pub(crate) async fn needed_profiles(
    api: &ApiState,
    tenant: TenantId,
    profile: &Profile,
) -> Result<KnownProfiles, ApiError> {
    let mut known = KnownProfiles::new();
    loop {
        let wanted = override_closure::closure(profile, |id| known.get(&id)).unknown;
        if wanted.is_empty() {
            return Ok(known);
        }
        let before = known.len();
        if before + wanted.len() > MAX_NEEDED {
            return Err(too_many_needed());
        }
        let found = api.services.store.profiles_of(tenant, wanted).await;
        let found = found?;
        known.extend(
            found
                .into_iter()
                .filter_map(|stored| stored.profile.ok())
                .map(|profile| (profile.id, profile)),
        );
        if known.len() == before {
            // The remaining profiles do not exist.
            return Ok(known);
        }
    }
}

/// Reads and checks a profile; `before` is the stored version that it replaces. Returns it with the result of [`links_version`] before the
/// check.
///
/// # Errors
/// 422 with all problems of the body, the rules, the overrides, the courses and the title.
pub(crate) async fn validated(
    api: &ApiState,
    tenant: TenantId,
    data: &CachedSnapshot,
    mut body: JsonBody,
    before: Option<&Profile>,
    make: impl FnOnce(ProfileInput) -> Profile,
) -> Result<(Profile, Option<u64>), ApiError> {
    let input = ProfileInput::read(&mut body);
    let mut problems = body.finish().err().unwrap_or_default();
    let Some(input) = input else {
        return Err(problems.into());
    };
    let written = RequestedLists {
        courses: input.courses.clone(),
        include: input.overrides.include.clone(),
        exclude: input.overrides.exclude.clone(),
    };
    let profile = make(input);
    let links = links_version(api, tenant, &profile).await?;
    problems.extend(problems_of(api, tenant, data, &profile, &written, before).await?);
    if problems.is_empty() {
        Ok((profile, links))
    } else {
        Err(problems.into())
    }
}

/// Returns the version of all references between profiles, if this profile refers to
/// others. A save fails if it has changed since the references were checked.
pub(crate) async fn links_version(
    api: &ApiState,
    tenant: TenantId,
    profile: &Profile,
) -> Result<Option<u64>, ApiError> {
    if profile.overrides.profiles().next().is_none() {
        return Ok(None);
    }
    let links = api.services.store.links(tenant).await;
    Ok(Some(links?))
}

/// Returns all problems of a profile. A course or user that the data lacks is no problem if the
/// stored version `before` contains it, too: an administrator must be able to change the rest of a
/// profile while something is missing (F-2).
pub(crate) async fn problems_of(
    api: &ApiState,
    tenant: TenantId,
    data: &CachedSnapshot,
    profile: &Profile,
    written: &RequestedLists,
    before: Option<&Profile>,
) -> Result<Vec<Problem>, ApiError> {
    let mut problems = profile.problems();
    problems.extend(rules(profile, data));
    problems.extend(unknown_courses(data, &written.courses, before));
    problems.extend(unknown_learners(data, "include", &written.include, before));
    problems.extend(unknown_learners(data, "exclude", &written.exclude, before));
    let known = needed_profiles(api, tenant, profile).await?;
    let lookup = |id| known.get(&id);
    let RequestedLists {
        include, exclude, ..
    } = written;
    problems.extend(override_closure::problems(
        profile.id, include, exclude, lookup,
    ));
    if is_title_taken(api, tenant, profile).await? {
        problems.push(title_taken());
    }
    Ok(problems)
}

/// Returns the warnings about a valid profile.
pub(crate) async fn warnings_of(
    api: &ApiState,
    tenant: TenantId,
    data: &CachedSnapshot,
    profile: &Profile,
    at: DateTime<Utc>,
) -> Result<Vec<Warning>, ApiError> {
    let twins = api.services.store.duplicate_titles(tenant, profile).await;
    let twins = twins?.into_iter().map(|twin| twin.title);
    let titles: Vec<String> = twins.collect();
    let mut warnings = lint(profile, &data.snapshot, &data.fields, at);
    warnings.extend(Warning::twins(&titles));
    Ok(warnings)
}

async fn is_title_taken(
    api: &ApiState,
    tenant: TenantId,
    profile: &Profile,
) -> Result<bool, ApiError> {
    // An invalid title cannot be looked up, and is already reported as a problem.
    if profile.title.is_empty() || profile.title.chars().count() > 200 {
        return Ok(false);
    }
    let owner = api.services.store.title_owner(tenant, &profile.title);
    let owner = owner.await?;
    Ok(owner.is_some_and(|owner| owner.id != profile.id))
}

fn too_many_needed() -> ApiError {
    Problem::at(
        "/overrides",
        format!(
            "the overrides refer to more than {MAX_NEEDED} other profiles, directly or indirectly; name fewer profiles, or users instead"
        ),
    ).into()
}

/// Returns a problem for each selected course that does not exist.
pub(crate) fn unknown_courses(
    data: &CachedSnapshot,
    courses: &[CourseId],
    before: Option<&Profile>,
) -> impl Iterator<Item = Problem> {
    let courses = courses.iter().enumerate();
    let unknown = courses.filter(move |(_, course)| {
        data.snapshot.course(**course).is_none()
            && !before.is_some_and(|before| before.courses.contains(course))
    });
    unknown.map(|(index, _)| {
        Problem::at(
            format!("/courses/{index}"),
            "this course does not exist; choose another or remove it",
        )
    })
}

/// Returns the problems of the rules. Without auto-populate a profile may have none.
fn rules(profile: &Profile, data: &CachedSnapshot) -> Vec<Problem> {
    match Audience::of(profile, &data.fields) {
        Err(AudienceError::Empty) if profile.auto_populate => vec![Problem::at(
            "/filter",
            "auto-populate requires a rule or an included user; a profile without either has no members",
        )],
        Err(AudienceError::NeedsReview { problems, .. } | AudienceError::Invalid { problems }) => {
            problems
        }
        _ => Vec::new(),
    }
}

/// Returns a problem for each override of a learner who does not exist (S4-088e).
fn unknown_learners(
    data: &CachedSnapshot,
    list: &str,
    targets: &[Target],
    before: Option<&Profile>,
) -> Vec<Problem> {
    let is_kept = |target: &Target| {
        before.is_some_and(|before| {
            let overrides = &before.overrides;
            overrides.include.contains(target) || overrides.exclude.contains(target)
        })
    };
    let learners = &data.snapshot.people;
    let unknown = targets.iter().enumerate().filter_map(|(index, target)| {
        let Target::User(user) = target else {
            return None;
        };
        (learners.row(*user).is_none() && !is_kept(target)).then(|| {
            Problem::at(
                format!("/overrides/{list}/{index}"),
                "this learner does not exist in Learn365; choose another or remove this entry",
            )
        })
    });
    unknown.collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn too_many_profiles_are_reported_in_words() {
        let problem = super::too_many_needed().into_problem();
        let problem = serde_json::to_string_pretty(&problem).expect("problem not serialized");
        insta::assert_snapshot!(problem);
    }
}
