//! What a profile must be before it is saved, told all at once, and what its
//! author should know although it is saved.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rollcall_clients::store::StoreError;
use rollcall_domain::closure;
use rollcall_domain::desired::{Audience, AudienceError};
use rollcall_domain::ids::{ProfileId, TenantId};
use rollcall_domain::lint::{Warning, lint};
use rollcall_domain::problem::Problem;
use rollcall_domain::profile::{Profile, Target};
use rollcall_runtime::ProblemDetails;

use super::input::Input;
use crate::Api;
use crate::failure::{Refused, stored, title_taken};
use crate::form::Form;
use crate::warm::Data;

/// Problems of one answer; what is wrong a thousand times need not be told so often.
const MAX_TOLD: usize = 200;

/// Profiles by id.
pub(crate) type Known = BTreeMap<ProfileId, Profile>;

impl Api {
    /// Everything the overrides of a profile lead to, directly or not.
    pub(crate) async fn needed(
        &self,
        tenant: TenantId,
        profile: &Profile,
    ) -> Result<Known, StoreError> {
        let mut known = Known::new();
        loop {
            let wanted = closure::closure(profile, |id| known.get(&id)).unknown;
            if wanted.is_empty() {
                return Ok(known);
            }
            let before = known.len();
            let found = self.services.store.profiles_of(tenant, wanted).await?;
            known.extend(
                found
                    .into_iter()
                    .filter_map(|stored| stored.profile.ok())
                    .map(|profile| (profile.id, profile)),
            );
            if known.len() == before {
                // What is left does not exist (any more).
                return Ok(known);
            }
        }
    }

    /// Checks what was read from a form and makes a profile of it.
    ///
    /// # Errors
    /// 422 with every problem of the form, the rules, the overrides, the courses
    /// and the title.
    pub(crate) async fn checked(
        &self,
        tenant: TenantId,
        data: &Data,
        mut form: Form,
        make: impl FnOnce(Input) -> Profile,
    ) -> Result<Profile, Refused> {
        let input = Input::read(&mut form);
        let mut problems = form.finish().err().unwrap_or_default();
        let Some(input) = input else {
            return Err(ProblemDetails::invalid(problems));
        };
        let (courses, include, exclude) = (
            input.courses.clone(),
            input.include.clone(),
            input.exclude.clone(),
        );
        let profile = make(input);
        problems.extend(profile.problems());
        problems.extend(rules(&profile, data));
        problems.extend(courses.iter().enumerate().filter_map(|(index, course)| {
            let known = data.snapshot.course(*course).is_some();
            (!known).then(|| unknown_course(index))
        }));
        problems.extend(people(data, "include", &include));
        problems.extend(people(data, "exclude", &exclude));
        let known = self.needed(tenant, &profile).await.map_err(stored)?;
        let lookup = |id| known.get(&id);
        problems.extend(closure::problems(profile.id, &include, &exclude, lookup));
        if self.is_title_taken(tenant, &profile).await? {
            problems.push(title_taken());
        }
        problems.truncate(MAX_TOLD);
        if problems.is_empty() {
            Ok(profile)
        } else {
            Err(ProblemDetails::invalid(problems))
        }
    }

    /// What the author should know of a profile that is fine to save.
    pub(crate) async fn warnings(
        &self,
        tenant: TenantId,
        data: &Data,
        profile: &Profile,
        at: DateTime<Utc>,
    ) -> Result<Vec<Warning>, Refused> {
        let twins = self.services.store.twins(tenant, profile).await;
        let twins = twins.map_err(stored)?.into_iter().map(|twin| twin.title);
        let titles: Vec<String> = twins.collect();
        let mut warnings = lint(profile, &data.snapshot, &data.fields, at);
        warnings.extend(Warning::twins(&titles));
        Ok(warnings)
    }

    async fn is_title_taken(&self, tenant: TenantId, profile: &Profile) -> Result<bool, Refused> {
        // A title that is none cannot be looked up, and is a problem already.
        if profile.title.is_empty() || profile.title.chars().count() > 200 {
            return Ok(false);
        }
        let owner = self.services.store.title_owner(tenant, &profile.title);
        let owner = owner.await.map_err(stored)?;
        Ok(owner.is_some_and(|owner| owner.id != profile.id))
    }
}

pub(crate) fn unknown_course(index: usize) -> Problem {
    Problem::at(
        format!("/courses/{index}"),
        "there is no such course; choose another or take it out",
    )
}

/// Problems of the rules. A profile whose membership is not managed may be without.
fn rules(profile: &Profile, data: &Data) -> Vec<Problem> {
    match Audience::of(profile, &data.fields) {
        Err(AudienceError::Empty) if profile.auto_populate => vec![Problem::at(
            "/filter",
            "auto-populate needs a rule or an included user; a profile without either matches nobody, never everybody",
        )],
        Err(AudienceError::NeedsReview { problems, .. } | AudienceError::Invalid { problems }) => {
            problems
        }
        _ => Vec::new(),
    }
}

/// Users that overrides name and the platform does not know (S4-088e).
fn people(data: &Data, list: &str, targets: &[Target]) -> Vec<Problem> {
    let people = &data.snapshot.people;
    let unknown = targets.iter().enumerate().filter_map(|(index, target)| {
        let Target::User(user) = target else {
            return None;
        };
        people.row(*user).is_none().then(|| {
            Problem::at(
                format!("/overrides/{list}/{index}"),
                "there is no such learner in Learn365; choose another or take this entry out",
            )
        })
    });
    unknown.collect()
}
