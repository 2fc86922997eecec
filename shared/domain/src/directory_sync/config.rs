//! The configuration of the directory sync; optional values have the defaults of the guides.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::schedule::Strategy;
use crate::base::ids::ObjectId;
use crate::base::problem::Problem;
use crate::base::throttle::Throttle;

/// Maximum length of a Graph filter, in characters; it fits into a Graph URL.
pub const MAX_FILTER: usize = 2_000;
/// Maximum number of texts to include, and of texts to exclude.
pub const MAX_TEXTS: usize = 100;
/// Maximum length of a text, in characters.
pub const MAX_TEXT: usize = 254;
/// Maximum number of groups in the group filter.
pub const MAX_GROUPS: usize = 200;
/// Default limit: a run that would deactivate more than this percentage of the active users is
/// held.
const DEFAULT_PERCENT: f64 = 10.0;

/// The kinds of teams that are synced (S2-25).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TeamSwitches {
    /// Sync one team for each group of the directory.
    #[serde(default)]
    pub groups: bool,
    /// Sync one team for each manager who has reports (S2-26).
    #[serde(default)]
    pub managers: bool,
}

/// The way in which changes are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SyncApplyMode))]
#[serde(rename_all = "snake_case")]
pub enum ApplyMode {
    /// Changes are applied at once (S3-23); a plan that exceeds a limit is held.
    #[default]
    Automatic,
    /// Changes wait until an administrator has reviewed them (S3-20).
    Review,
}

/// A filter by texts in e-mail addresses (S3-31, S3-32).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EmailFilter {
    /// Only addresses that contain one of these texts match; all match if the list is empty.
    #[serde(default)]
    pub include: BTreeSet<String>,
    /// Addresses that contain one of these texts never match; exclusion wins (C-30).
    #[serde(default)]
    pub exclude: BTreeSet<String>,
}

/// The filters that decide which users are eligible (S3-29…S3-35); all must match (C-30).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SyncFilters))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SyncFilters {
    /// An `OData` filter on users in the syntax of Microsoft Graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graph: Option<String>,
    /// A filter by texts in e-mail addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailFilter>,
    /// Object ids of groups; only their direct members are eligible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<BTreeSet<ObjectId>>,
}

const fn yes() -> bool {
    true
}

fn default_language() -> String {
    "en".to_owned()
}

/// Returns the default limits.
pub fn default_guard() -> Throttle {
    Throttle {
        max_changes: None,
        max_percent: Some(DEFAULT_PERCENT),
    }
}

/// The configuration of a tenant's directory sync, without credentials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SyncConfig {
    /// Base URL of the platform's SCIM 2.0 service, for example `https://lms.example/scim/v2`.
    pub target: String,
    /// Language of e-mails to created users until they choose another one (S2-19).
    #[serde(default = "default_language")]
    pub default_language: String,
    /// True if guests are synced (S2-21). Members of the organisation always are (S2-22).
    #[serde(default = "yes")]
    pub guests: bool,
    /// True if job titles are synced (S2-24).
    #[serde(default = "yes")]
    pub job_title: bool,
    /// The kinds of teams that are synced.
    #[serde(default)]
    pub teams: TeamSwitches,
    /// The strategy for starting runs.
    #[serde(default)]
    pub strategy: Strategy,
    /// The way in which changes are applied.
    #[serde(default)]
    pub apply: ApplyMode,
    /// The Super admin who is notified in the product when a run is complete (S3-24…S3-28).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<ObjectId>,
    /// The filters; by default all users are eligible (S3-10).
    #[serde(default)]
    pub filters: SyncFilters,
    /// True if an account that has a user's address and no link to the directory is linked to that
    /// user. Otherwise the user is only listed: an address does not prove an identity.
    #[serde(default)]
    pub link_existing: bool,
    /// Limits of users to deactivate and of members to remove from teams; a plan that exceeds one
    /// is held for review (S3-36).
    #[serde(default = "default_guard")]
    pub guard: Throttle,
}

impl SyncConfig {
    /// Creates a configuration with all defaults.
    pub fn new(target: impl Into<String>) -> Self {
        Self {
            target: target.into(),
            default_language: default_language(),
            guests: true,
            job_title: true,
            teams: TeamSwitches::default(),
            strategy: Strategy::default(),
            apply: ApplyMode::default(),
            notify: None,
            filters: SyncFilters::default(),
            link_existing: false,
            guard: default_guard(),
        }
    }

    /// Returns true if groups have to be read; their permissions are needed only then (S2-13,
    /// S2-14).
    pub fn needs_groups(&self) -> bool {
        self.teams.groups || self.filters.groups.is_some()
    }

    /// Returns all validation problems that can be found without asking the directory or the
    /// platform.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !is_language(&self.default_language) {
            problems.push(Problem::at(
                "/defaultLanguage",
                "must be a language such as en, de or fr-CA",
            ));
        }
        problems.extend(self.filters.problems());
        let percent = self.guard.max_percent;
        if percent.is_some_and(|percent| !percent.is_finite() || !(0.0..=100.0).contains(&percent))
        {
            problems.push(Problem::at("/guard/maxPercent", "must be from 0 to 100"));
        }
        problems
    }
}

/// Checks the form of a BCP 47 tag; the platform may not support every valid tag.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or_default();
    let alphabetic = first.chars().all(|c| c.is_ascii_alphabetic());
    (2..=3).contains(&first.len())
        && alphabetic
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric())
        })
}

impl SyncFilters {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(filter) = &self.graph {
            let length = filter.trim().chars().count();
            if length == 0 {
                problems.push(Problem::at(
                    "/filters/graph",
                    "the Graph filter is on and has no definition; enter one such as department eq 'Sales', or switch it off",
                ));
            } else if length > MAX_FILTER || filter.chars().any(char::is_control) {
                problems.push(Problem::at(
                    "/filters/graph",
                    format!("may be {MAX_FILTER} characters long at most, in one line"),
                ));
            }
        }
        if let Some(email) = &self.email {
            problems.extend(email.problems());
        }
        if let Some(groups) = &self.groups {
            if groups.is_empty() {
                problems.push(Problem::at(
                    "/filters/groups",
                    "the group filter is on and names no group; enter object ids, or switch it off",
                ));
            } else if groups.len() > MAX_GROUPS {
                problems.push(Problem::at(
                    "/filters/groups",
                    format!("may name {MAX_GROUPS} groups at most"),
                ));
            }
        }
        problems
    }
}

impl EmailFilter {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.include.is_empty() && self.exclude.is_empty() {
            problems.push(Problem::at(
                "/filters/email",
                "the address filter is on and has no text; enter one to include or to exclude, or switch it off",
            ));
        }
        for (name, texts) in [("include", &self.include), ("exclude", &self.exclude)] {
            let pointer = format!("/filters/email/{name}");
            let sound = |text: &String| {
                (1..=MAX_TEXT).contains(&text.trim().chars().count())
                    && !text.chars().any(char::is_control)
            };
            if texts.len() > MAX_TEXTS || !texts.iter().all(sound) {
                let detail = format!(
                    "may hold {MAX_TEXTS} texts of 1 to {MAX_TEXT} characters; a blank one would match every address"
                );
                problems.push(Problem::at(pointer, detail));
            }
        }
        problems
    }
}

/// Parses object ids of groups separated by commas, semicolons or line breaks. Blanks around them
/// are ignored and duplicates removed (S3-34).
///
/// # Errors
/// Returns an error text for each part that is not an object id.
pub fn group_ids(text: &str) -> Result<BTreeSet<ObjectId>, Vec<String>> {
    let parts = text.split([',', '\n', ';']).map(str::trim);
    let mut wrong = Vec::new();
    let mut found = BTreeSet::new();
    for part in parts.filter(|part| !part.is_empty()) {
        match part.parse::<ObjectId>() {
            Ok(id) => {
                found.insert(id);
            }
            Err(error) => wrong.push(error.to_string()),
        }
    }
    if wrong.is_empty() {
        Ok(found)
    } else {
        Err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn places(config: &SyncConfig) -> Vec<String> {
        config
            .problems()
            .into_iter()
            .map(|problem| problem.pointer)
            .collect()
    }

    /// Proves S3-10, S2-18, S2-21, S2-24, S2-25, S2-34 and S3-23: the defaults. Only the address of
    /// the platform is required.
    #[test]
    fn everything_optional_has_a_default() {
        let config: SyncConfig =
            serde_json::from_value(json!({"target": "https://lms.example/scim"}))
                .expect("configuration not deserialized");
        assert_eq!(config, SyncConfig::new("https://lms.example/scim"));
        assert!(config.problems().is_empty() && !config.needs_groups());
        assert!(config.guests && config.job_title && !config.link_existing);
        assert_eq!(
            config.teams,
            TeamSwitches {
                groups: false,
                managers: false
            }
        );
        assert_eq!(config.apply, ApplyMode::Automatic);
        assert_eq!(config.filters, SyncFilters::default());
        let strict = serde_json::from_value::<SyncConfig>(json!({"target": "x", "targets": 1}));
        assert!(strict.is_err(), "unknown field was accepted");
    }

    /// Proves S2-13 and S2-14: groups are read only if something needs them.
    #[test]
    fn groups_are_needed_for_teams_and_for_the_group_filter() {
        let mut config = SyncConfig::new("x");
        config.teams.managers = true;
        assert!(!config.needs_groups());
        config.teams.groups = true;
        assert!(config.needs_groups());
        config.teams.groups = false;
        config.filters.groups = Some(BTreeSet::new());
        assert!(config.needs_groups());
    }

    /// Proves S3-35: a filter that is switched on needs a value.
    #[test]
    fn an_empty_filter_is_a_problem() {
        let mut config = SyncConfig::new("x");
        config.filters = SyncFilters {
            graph: Some("  ".to_owned()),
            email: Some(EmailFilter::default()),
            groups: Some(BTreeSet::new()),
        };
        assert_eq!(
            places(&config),
            ["/filters/graph", "/filters/email", "/filters/groups"]
        );
        config.filters = SyncFilters::default();
        config.filters.email = Some(EmailFilter {
            include: BTreeSet::from([" ".to_owned()]),
            exclude: BTreeSet::new(),
        });
        assert_eq!(places(&config), ["/filters/email/include"]);
    }

    /// Proves S3-34: ids are separated by commas, trimmed and deduplicated; invalid ones are named.
    #[test]
    fn group_ids_come_as_people_paste_them() {
        let one = "11111111-2222-3333-4444-555555555555";
        let two = "AAAAAAAA-2222-3333-4444-555555555555";
        let found = group_ids(&format!(" {one} ,{two}, {one},")).expect("group ids not parsed");
        assert_eq!(found.len(), 2);
        let wrong = group_ids(&format!("{one}, Sales, 7")).expect_err("invalid ids were accepted");
        assert_eq!(wrong.len(), 2);
        assert!(wrong[0].contains("\"Sales\""), "{wrong:?}");
    }

    /// Proves S2-19: the language of e-mails to created users.
    #[test]
    fn a_language_has_the_shape_of_a_tag() {
        for (tag, fine) in [
            ("en", true),
            ("fr-CA", true),
            ("zh-Hant-TW", true),
            ("", false),
            ("english", false),
            ("e n", false),
            ("de_AT", false),
        ] {
            assert_eq!(is_language(tag), fine, "{tag}");
        }
    }
}
