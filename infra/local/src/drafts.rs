//! Profile drafts as users write them, with titles in place of the ids of courses and fields.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rollcall_domain::audience::profile::{Lifecycle, Overrides, Profile, Retraction, Target};
use rollcall_domain::base::ids::{CourseId, ProfileId, UserId};
use rollcall_domain::base::throttle::Throttle;
use rollcall_domain::rules::FilterDocument;
use rollcall_simulators::world::World;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// A profile without an id.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Draft {
    /// Title.
    pub title: String,
    /// Description; by default the title.
    #[serde(default)]
    pub description: Option<String>,
    /// True if the group is enrolled.
    #[serde(default = "yes")]
    pub enroll: bool,
    /// True if the members are determined by the rules.
    #[serde(default = "yes")]
    pub auto_populate: bool,
    /// Limits.
    #[serde(default)]
    pub throttle: Throttle,
    /// Rules; fields can be `custom:<title>` and `course:<title>`.
    #[serde(default)]
    pub filter: Value,
    /// Mail addresses or user principal names of users to include.
    #[serde(default)]
    pub include: Vec<String>,
    /// The same for users to exclude; `profile:<title>` refers to a profile.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Titles or ids of courses.
    #[serde(default)]
    pub courses: Vec<String>,
}

const fn yes() -> bool {
    true
}

const NAMESPACE: Uuid = Uuid::from_u128(0x2f0c_52f7_9d1b_4c4c_8f5e_6a6f_1a2b_3c4d);

/// Returns the id of a draft, derived from tenant and title.
pub fn profile_id(tenant: Uuid, title: &str) -> ProfileId {
    ProfileId::new(Uuid::new_v5(
        &NAMESPACE,
        format!("{tenant} {title}").as_bytes(),
    ))
}

/// Converts drafts into profiles, replacing titles of courses and fields by ids.
///
/// # Errors
/// All unknown titles in one message.
pub fn profiles(
    drafts: Vec<Draft>,
    world: &World,
    at: DateTime<Utc>,
) -> Result<Vec<Profile>, String> {
    let names = Names::of(world);
    let mut problems = Vec::new();
    let profiles = drafts
        .into_iter()
        .map(|draft| names.profile(draft, at, &mut problems))
        .collect();
    if problems.is_empty() {
        Ok(profiles)
    } else {
        Err(problems.join("\n"))
    }
}

/// Reads drafts from the content of a file.
///
/// # Errors
/// If the content is not a list of drafts.
pub fn read(list: Value) -> Result<Vec<Draft>, String> {
    serde_json::from_value(list).map_err(|error| format!("profiles.json: {error}"))
}

struct Names {
    tenant: Uuid,
    courses: BTreeMap<String, Uuid>,
    fields: BTreeMap<String, Uuid>,
    people: BTreeMap<String, Uuid>,
}

impl Names {
    fn of(world: &World) -> Self {
        let people = world
            .people
            .iter()
            .filter_map(|person| Some((person, person.lms_id?)));
        Self {
            tenant: world.tenant.id,
            courses: world
                .courses
                .iter()
                .map(|course| (course.title.clone(), course.id))
                .collect(),
            fields: world
                .fields
                .iter()
                .map(|field| (field.title.clone(), field.id))
                .collect(),
            people: people
                .flat_map(|(person, id)| {
                    person
                        .mail
                        .iter()
                        .chain([&person.upn])
                        .map(move |name| (name.to_lowercase(), id))
                })
                .collect(),
        }
    }

    fn profile(&self, draft: Draft, at: DateTime<Utc>, problems: &mut Vec<String>) -> Profile {
        let mut problem =
            |what: String| problems.push(format!("the profile {:?}: {what}", draft.title));
        let mut filter = draft.filter;
        self.resolve(&mut filter, &mut problem);
        let filter =
            serde_json::from_value::<Option<FilterDocument>>(filter).unwrap_or_else(|error| {
                problem(format!("its filter: {error}"));
                None
            });
        let mut targets = |names: &[String]| -> BTreeSet<Target> {
            names
                .iter()
                .filter_map(|name| self.target(name, &mut problem))
                .collect()
        };
        let overrides = Overrides {
            include: targets(&draft.include),
            exclude: targets(&draft.exclude),
        };
        let courses = draft.courses.iter().filter_map(|course| {
            let id = course
                .parse()
                .ok()
                .or_else(|| self.courses.get(course).copied());
            if id.is_none() {
                problem(format!("there is no course {course:?}"));
            }
            id.map(CourseId::new)
        });
        Profile {
            courses: courses.collect(),
            id: profile_id(self.tenant, &draft.title),
            description: draft.description.unwrap_or_else(|| draft.title.clone()),
            title: draft.title,
            enroll: draft.enroll,
            auto_populate: draft.auto_populate,
            throttle: draft.throttle,
            filter: filter.unwrap_or_default(),
            overrides,
            time_zone: chrono_tz_utc(),
            retraction: Retraction::default(),
            retraction_handled: false,
            lifecycle: Lifecycle::Active,
            modified_at: at,
            modified_by: "admin@rollcall.example".to_owned(),
        }
    }

    fn target(&self, name: &str, problem: &mut impl FnMut(String)) -> Option<Target> {
        if let Some(title) = name.strip_prefix("profile:") {
            return Some(Target::Profile(profile_id(self.tenant, title)));
        }
        let found = self.people.get(&name.to_lowercase());
        if found.is_none() {
            problem(format!("there is no learner {name:?}"));
        }
        found.map(|id| Target::User(UserId::new(*id)))
    }

    /// Replaces titles of fields and courses in rules by ids. An id is left unchanged even if it
    /// does not exist, because the object may have been deleted.
    fn resolve(&self, value: &mut Value, problem: &mut impl FnMut(String)) {
        match value {
            Value::Array(items) => items
                .iter_mut()
                .for_each(|item| self.resolve(item, problem)),
            Value::Object(object) => {
                if let Some(Value::String(field)) = object.get_mut("field") {
                    self.resolve_name(field, problem);
                }
                object
                    .values_mut()
                    .for_each(|inner| self.resolve(inner, problem));
            }
            _ => {}
        }
    }

    fn resolve_name(&self, field: &mut String, problem: &mut impl FnMut(String)) {
        let (kind, title) = match field.split_once(':') {
            Some((kind @ ("custom" | "course"), title)) if Uuid::try_parse(title).is_err() => {
                (kind, title)
            }
            _ => return,
        };
        let known = if kind == "custom" {
            &self.fields
        } else {
            &self.courses
        };
        match known.get(title) {
            Some(id) => *field = format!("{kind}:{id}"),
            None => problem(format!("there is no {kind} {title:?}")),
        }
    }
}

fn chrono_tz_utc() -> chrono_tz::Tz {
    chrono_tz::Tz::UTC
}
