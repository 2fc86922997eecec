//! A tenant's settings: recipients, group names and the LMS address.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::ids::{CatalogId, ObjectId};
use crate::base::problem::Problem;
use crate::base::throttle::DefaultLimit;
use crate::rules::field::is_property_name;

/// Maximum length of a group prefix in characters; with the longest title it fits a group name.
pub const MAX_PREFIX: usize = 64;
/// Maximum length of the tenant's name in characters.
pub const MAX_NAME: usize = 120;
/// Maximum number of recipients, including the contact.
pub const MAX_RECIPIENTS: usize = 20;
/// Maximum number of catalog admins in the settings.
pub const MAX_CATALOG_ADMINS: usize = 200;
/// Maximum number of catalogs of all catalog admins together. The settings are one item of the
/// state table and must be well below 350 KB.
pub const MAX_ADMIN_CATALOGS: usize = 4_000;
/// Largest percentage of the default limit.
pub const MAX_DEFAULT_PERCENT: u32 = 1_000;
/// Maximum number of Entra properties read in addition to the LMS data.
pub const MAX_ENTRA_PROPERTIES: usize = 20;

/// The settings that an administrator saves (S4-012…019). Keys and secrets are not part of them;
/// they are stored only in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Mail address that is notified of failures, holds and reviews (S4-012, C-39).
    pub contact: String,
    /// Further mail addresses that receive the same e-mails.
    #[serde(default)]
    pub also_notify: BTreeSet<String>,
    /// Prefix of every group's name (S4-013).
    #[serde(default)]
    pub group_prefix: String,
    /// The tenant's name, used in e-mails.
    #[serde(default)]
    pub display_name: String,
    /// The LMS address of the region; empty for the default.
    #[serde(default)]
    pub lms_url: String,
    /// Entra user properties that rules may use as `entra:<property>` (S4-055, C-16).
    #[serde(default)]
    pub entra_properties: BTreeSet<String>,
    /// The catalogs whose courses a catalog admin may select for profiles, by Entra object id. The
    /// role alone gives access to no catalog.
    #[serde(default)]
    pub catalog_admins: BTreeMap<ObjectId, BTreeSet<CatalogId>>,
    /// The limit for changes of profiles that have none of their own; `None` if it is switched off.
    #[serde(default = "default_limit")]
    pub default_limit: Option<DefaultLimit>,
}

/// Settings that do not mention the default limit have one.
#[expect(
    clippy::unnecessary_wraps,
    reason = "serde needs the type of the field"
)]
fn default_limit() -> Option<DefaultLimit> {
    Some(DefaultLimit::default())
}

impl Settings {
    /// Returns all recipients of the tenant's e-mails without duplicates, the contact first.
    pub fn recipients(&self) -> Vec<String> {
        let mut all = vec![self.contact.clone()];
        for more in &self.also_notify {
            if !all.iter().any(|known| known.eq_ignore_ascii_case(more)) {
                all.push(more.clone());
            }
        }
        all
    }

    /// Returns all problems with the settings.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.wrong_addresses();
        for (pointer, text, most) in [
            ("/groupPrefix", &self.group_prefix, MAX_PREFIX),
            ("/displayName", &self.display_name, MAX_NAME),
        ] {
            if text.chars().count() > most || text.chars().any(char::is_control) {
                let detail =
                    format!("may be {most} characters long at most, without control characters");
                problems.push(Problem::at(pointer, detail));
            }
        }
        let catalogs = self.catalog_admins.values().map(BTreeSet::len);
        if self.catalog_admins.len() > MAX_CATALOG_ADMINS
            || catalogs.sum::<usize>() > MAX_ADMIN_CATALOGS
        {
            problems.push(Problem::at(
                "/catalogAdmins",
                format!(
                    "must not list more than {MAX_CATALOG_ADMINS} administrators or more than {MAX_ADMIN_CATALOGS} catalogs in total"
                ),
            ));
        }
        let mut properties = self.entra_properties.iter();
        if self.entra_properties.len() > MAX_ENTRA_PROPERTIES
            || !properties.all(|name| is_property_name(name))
        {
            problems.push(Problem::at(
                "/entraProperties",
                format!("must be at most {MAX_ENTRA_PROPERTIES} names that consist of letters and digits, such as employeeType"),
            ));
        }
        let limit = self.default_limit.unwrap_or_default();
        if !(1..=MAX_DEFAULT_PERCENT).contains(&limit.max_percent) {
            problems.push(Problem::at(
                "/defaultLimit/maxPercent",
                format!("must be between 1 and {MAX_DEFAULT_PERCENT}"),
            ));
        }
        problems
    }

    fn wrong_addresses(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !is_mail_address(&self.contact) {
            problems.push(Problem::at(
                "/contact",
                "a mail address is required, such as lms-team@contoso.com",
            ));
        }
        let others = self.also_notify.iter();
        for address in others.filter(|address| !is_mail_address(address)) {
            problems.push(Problem::at(
                "/alsoNotify",
                format!("{address:?} is not a mail address"),
            ));
        }
        if self.also_notify.len() >= MAX_RECIPIENTS {
            problems.push(Problem::at(
                "/alsoNotify",
                format!("may hold {} addresses at most", MAX_RECIPIENTS - 1),
            ));
        }
        problems
    }
}

/// Returns true if a text can be a mail address: one @ between two valid parts, in ASCII as Amazon
/// SES requires (other domains in Punycode). Does not check whether the address exists.
pub fn is_mail_address(text: &str) -> bool {
    let sound = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_graphic() && !"<>(),;:\\\"[]@".contains(c))
    };
    text.len() <= 254
        && text.rsplit_once('@').is_some_and(|(local, domain)| {
            sound(local)
                && local.len() <= 64
                && sound(domain)
                && domain.contains('.')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
        })
}

/// The onboarding state of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Onboarding {
    /// Settings were saved; the first refresh is due within five minutes (S4-103).
    AwaitingFirstRefresh,
    /// A refresh succeeded; the service is ready for use.
    Ready,
}

/// Minutes after the first save within which the first refresh must happen (S4-103).
pub const FIRST_REFRESH_MINUTES: i64 = 5;

/// Returns the time by which a tenant that saved its settings at `saved_at` must be refreshed.
pub fn first_refresh_due(saved_at: DateTime<Utc>) -> DateTime<Utc> {
    saved_at + chrono::TimeDelta::minutes(FIRST_REFRESH_MINUTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            contact: "lms@contoso.example".to_owned(),
            also_notify: BTreeSet::new(),
            group_prefix: "LMS - ".to_owned(),
            display_name: "Contoso".to_owned(),
            lms_url: String::new(),
            entra_properties: BTreeSet::new(),
            catalog_admins: BTreeMap::new(),
            default_limit: None,
        }
    }

    /// Proves S4-012: a contact address is required and checked.
    #[test]
    fn the_contact_must_be_a_mail_address() {
        assert!(settings().problems().is_empty());
        for wrong in [
            "",
            "lms",
            "lms@contoso",
            "a b@contoso.com",
            "@contoso.com",
            "x@y@contoso.com",
            "a\r\nBcc: b@c.de",
        ] {
            let wrong = Settings {
                contact: wrong.to_owned(),
                ..settings()
            };
            assert_eq!(wrong.problems()[0].pointer, "/contact");
        }
        assert!(is_mail_address("o'brien+lms@sub.contoso.com"));
        assert!(
            !is_mail_address("jörg@müller.example"),
            "an address that is not ASCII was accepted"
        );
    }

    #[test]
    fn no_one_is_reported_twice() {
        let both = Settings {
            also_notify: [
                "LMS@contoso.example".to_owned(),
                "it@contoso.example".to_owned(),
            ]
            .into(),
            ..settings()
        };
        assert_eq!(
            both.recipients(),
            ["lms@contoso.example", "it@contoso.example"]
        );
    }
}
