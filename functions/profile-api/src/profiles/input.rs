//! Reads a profile from a body and records all its problems.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rollcall_domain::audience::profile::{Lifecycle, Overrides, Profile, Retraction, Target};
use rollcall_domain::base::ids::{CourseId, ProfileId};
use rollcall_domain::base::throttle::Throttle;
use rollcall_domain::rules::FilterDocument;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::body::JsonBody;

/// A profile to save. Omitted fields get their defaults.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProfileInput {
    /// The title, unique in the tenant regardless of case, at most 120 characters. With the
    /// prefix from the settings it is the name of the Entra group.
    pub(crate) title: String,
    /// The purpose of the profile, at most 1,024 characters.
    pub(crate) description: String,
    /// True if the group is enrolled in the courses.
    pub(crate) enroll: bool,
    /// True if the group's members follow the rules.
    pub(crate) auto_populate: bool,
    /// The limits above which a change is held. Default: no limits.
    #[schema(value_type = Option<Throttle>)]
    pub(crate) throttle: Throttle,
    /// The rules. If members follow the rules, rules or overrides are required.
    #[schema(value_type = Option<FilterDocument>)]
    pub(crate) filter: FilterDocument,
    /// The overrides; at most 5,000 of each kind.
    #[schema(value_type = Option<Overrides>)]
    pub(crate) overrides: OverridesInput,
    /// The courses to enrol in; at most 500.
    #[schema(value_type = Option<BTreeSet<CourseId>>)]
    pub(crate) courses: Vec<CourseId>,
    /// The IANA time zone in which the days of date rules are interpreted. Default: UTC.
    #[schema(value_type = Option<String>)]
    pub(crate) time_zone: Tz,
    /// How the group leaves the learning platform. Default: `leave_catalogs`.
    #[schema(value_type = Option<Retraction>)]
    pub(crate) retraction: Retraction,
}

/// The fields that responses add. They may be sent back and are ignored.
const READ_ONLY: [&str; 7] = [
    "id",
    "version",
    "modifiedAt",
    "modifiedBy",
    "deletedAt",
    "standing",
    "warnings",
];

/// The overrides in the order of the request, so that pointers to them are correct.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub(crate) struct OverridesInput {
    pub(crate) include: Vec<Target>,
    pub(crate) exclude: Vec<Target>,
}

impl ProfileInput {
    /// Reads all fields. Returns `None` if a required one is missing or invalid; the body
    /// then contains all problems.
    pub(crate) fn read(body: &mut JsonBody) -> Option<Self> {
        body.ignore(&READ_ONLY);
        // All fields are read before returning, so that all problems are reported.
        let title = body.required("title");
        let description = body.required("description");
        let enroll = body.required("enroll");
        let auto_populate = body.required("autoPopulate");
        let throttle = body.optional("throttle").unwrap_or_default();
        let filter = body.optional("filter").unwrap_or_default();
        let overrides = body.nested("overrides", |inner| {
            Some(OverridesInput {
                include: inner.or_default("include"),
                exclude: inner.or_default("exclude"),
            })
        });
        let courses = body.optional("courses").unwrap_or_default();
        let time_zone = body.optional("timeZone").unwrap_or(Tz::UTC);
        let retraction = body.optional("retraction").unwrap_or_default();
        Some(Self {
            title: title?,
            description: description?,
            enroll: enroll?,
            auto_populate: auto_populate?,
            throttle,
            filter,
            overrides: overrides.unwrap_or_default(),
            courses,
            time_zone,
            retraction,
        })
    }

    /// Returns the new profile, or the next version of `before`. State that is not part of
    /// the input is preserved.
    pub(crate) fn into_profile(
        self,
        id: ProfileId,
        before: Option<&Profile>,
        at: DateTime<Utc>,
        by: &str,
    ) -> Profile {
        let handled = before.is_some_and(|before| before.retraction_handled);
        Profile {
            id,
            title: self.title.trim().to_owned(),
            description: self.description.trim().to_owned(),
            enroll: self.enroll,
            auto_populate: self.auto_populate,
            throttle: self.throttle,
            filter: self.filter,
            overrides: Overrides {
                include: self.overrides.include.into_iter().collect(),
                exclude: self.overrides.exclude.into_iter().collect(),
            },
            courses: self.courses.into_iter().collect(),
            time_zone: self.time_zone,
            retraction: self.retraction,
            // Enabling enrolment resets the retraction (S4-140).
            retraction_handled: handled && !self.enroll,
            lifecycle: before.map_or(Lifecycle::Active, |before| before.lifecycle.clone()),
            modified_at: at,
            modified_by: by.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: serde_json::Value) -> Result<ProfileInput, Vec<String>> {
        let mut body = JsonBody::over(value, "").expect("not an object");
        let input = ProfileInput::read(&mut body);
        match body.finish() {
            Ok(()) => Ok(input.expect("input incomplete")),
            Err(problems) => Err(problems.into_iter().map(|p| p.pointer).collect()),
        }
    }

    /// Proves S4-047, S4-048, S4-049 and S4-050: missing fields are reported at once.
    #[test]
    fn four_fields_are_required() {
        let places = read(json!({})).expect_err("missing fields were accepted");
        assert_eq!(
            places,
            ["/title", "/description", "/enroll", "/autoPopulate"]
        );
    }

    /// Proves S4-056, S4-057, S4-058 and S4-059: none, either or both limits.
    #[test]
    fn limits_are_optional_and_may_both_be_given() {
        let base = json!({"title": "a", "description": "b", "enroll": true, "autoPopulate": true});
        let with = |throttle: serde_json::Value| {
            let mut body = base.clone();
            body["throttle"] = throttle;
            read(body).map(|input| input.throttle)
        };
        assert_eq!(
            read(base.clone()).expect("profile rejected").throttle,
            Throttle::default()
        );
        let both = with(json!({"maxChanges": 5, "maxPercent": 2.5})).expect("limits rejected");
        assert_eq!((both.max_changes, both.max_percent), (Some(5), Some(2.5)));
        assert_eq!(
            with(json!({"maxChanges": -1})),
            Err(vec!["/throttle/maxChanges".to_owned()])
        );
        assert_eq!(
            with(json!({"most": 1})),
            Err(vec!["/throttle/most".to_owned()])
        );
    }

    #[test]
    fn wrong_entries_of_lists_are_pointed_at() {
        let places = read(json!({
            "title": "a", "description": "b", "enroll": true, "autoPopulate": true,
            "overrides": {"include": [{"user": "x"}]}, "courses": ["y"], "timeZone": "Mars"
        }));
        let places = places.expect_err("invalid entries were accepted");
        assert_eq!(places, ["/overrides/include/0", "/courses/0", "/timeZone"]);
    }
}
