//! A tenant's installation, and the features that need a connected directory (S0).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{ConnectionStatus, EntraConnection, Origin};
use crate::base::problem::Problem;

/// First version whose tenants connect their directory manually (C-01).
const BY_HAND_FROM: (u32, u32) = (3, 74);
/// Maximum number of environments of a tenant.
pub const MAX_ENVIRONMENTS: usize = 100;

/// A feature that requires a connected directory (S0-08…S0-13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Read profiles and groups of users (S0-08).
    DirectoryData,
    /// Add groups of the directory and manage their learning (S0-09).
    Groups,
    /// Follow changes of users and groups automatically (S0-10).
    AutomaticUpdates,
    /// Synchronise departments and managers (S0-11).
    Hierarchy,
    /// Invite guests (S0-12).
    Guests,
    /// Manage API keys of the learning platform (S0-13).
    ApiKeys,
}

impl Feature {
    /// All features.
    pub const ALL: [Self; 6] = [
        Self::DirectoryData,
        Self::Groups,
        Self::AutomaticUpdates,
        Self::Hierarchy,
        Self::Guests,
        Self::ApiKeys,
    ];

    /// Returns the name of the feature in texts.
    pub const fn title(self) -> &'static str {
        match self {
            Self::DirectoryData => "reading profiles and groups of the directory",
            Self::Groups => "adding groups of the directory",
            Self::AutomaticUpdates => "following changes in the directory",
            Self::Hierarchy => "departments and managers of the directory",
            Self::Guests => "inviting guests",
            Self::ApiKeys => "managing API keys",
        }
    }
}

/// A tenant's installation, as entered by an operator.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Installation {
    /// Version of the learning platform when it was installed, for example `3.74`. An unknown
    /// version counts as new.
    #[serde(default)]
    pub version: Option<String>,
    /// Names of the tenant's environments, which share its connection (S0-23, S0-24).
    #[serde(default)]
    pub environments: BTreeSet<String>,
}

impl Installation {
    /// Returns all validation problems.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.version.is_some() && self.parsed().is_none() {
            problems.push(Problem::at(
                "/version",
                "must be a version such as 3.74 or 3.74.1",
            ));
        }
        let sound = |name: &String| {
            (1..=120).contains(&name.trim().chars().count()) && !name.chars().any(char::is_control)
        };
        if self.environments.len() > MAX_ENVIRONMENTS || !self.environments.iter().all(sound) {
            problems.push(Problem::at(
                "/environments",
                format!("may hold {MAX_ENVIRONMENTS} names of 1 to 120 characters"),
            ));
        }
        problems
    }

    fn parsed(&self) -> Option<(u32, u32)> {
        let mut parts = self.version.as_deref()?.trim().split('.');
        let mut number = || parts.next()?.parse().ok();
        Some((number()?, number()?))
    }

    /// Returns true if the directory counts as connected without an action (S0-02): the version
    /// decides, not the date (C-01).
    pub fn is_connected_by_default(&self) -> bool {
        self.parsed().is_some_and(|version| version < BY_HAND_FROM)
    }

    /// Returns how the directory was connected, if it is.
    pub fn origin(&self, connection: Option<&EntraConnection>) -> Option<Origin> {
        if self.is_connected_by_default() {
            return Some(Origin::Default);
        }
        let works = connection.is_some_and(|it| it.status == ConnectionStatus::Connected);
        works.then_some(Origin::Consented)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(version: &str) -> Installation {
        Installation {
            version: (!version.is_empty()).then(|| version.to_owned()),
            ..Installation::default()
        }
    }

    /// Proves S0-01, S0-02 and S0-04 (C-01): 3.74 and later connect manually, on any date.
    #[test]
    fn the_version_decides() {
        for old in ["3.73", "3.73.9", "3.9", "2.100", " 3.0 "] {
            assert_eq!(installed(old).origin(None), Some(Origin::Default), "{old}");
        }
        for new in ["3.74", "3.74.0", "3.100", "4.0", ""] {
            assert_eq!(installed(new).origin(None), None, "{new}");
        }
    }

    #[test]
    fn what_is_no_version_is_refused() {
        assert!(installed("3.74").problems().is_empty());
        for wrong in ["3", "three.four", "-1.2"] {
            assert_eq!(
                installed(wrong).problems()[0].pointer,
                "/version",
                "{wrong}"
            );
        }
        let mut many = installed("");
        many.environments = [String::new()].into();
        assert_eq!(many.problems()[0].pointer, "/environments");
    }
}
