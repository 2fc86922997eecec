//! Roles of callers: Entra app roles, and the directory's own administrator role.

use std::collections::BTreeSet;

use uuid::{Uuid, uuid};

/// The template id of Entra's built-in Global Administrator, the same in every
/// tenant; it arrives in the claim `wids`
/// (<https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference>).
const GLOBAL_ADMINISTRATOR: Uuid = uuid!("62e90394-69f5-4237-9190-012177145e10");

/// A role of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Owner of the tenant's subscription.
    Owner,
    /// Administrator of everything.
    SuperAdmin,
    /// Administrator of the connection to Entra.
    ItAdmin,
    /// Administrator of the LMS.
    LmsAdmin,
    /// Administrator of single catalogs.
    CatalogAdmin,
    /// Global Administrator of the Entra tenant.
    GlobalAdmin,
    /// Operator of the service: entitlements and schedules.
    Operator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] = [
        Self::Owner,
        Self::SuperAdmin,
        Self::ItAdmin,
        Self::LmsAdmin,
        Self::CatalogAdmin,
        Self::GlobalAdmin,
        Self::Operator,
    ];

    /// Returns the role's value in the claim `roles`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::SuperAdmin => "SuperAdmin",
            Self::ItAdmin => "ItAdmin",
            Self::LmsAdmin => "LmsAdmin",
            Self::CatalogAdmin => "CatalogAdmin",
            Self::GlobalAdmin => "GlobalAdmin",
            Self::Operator => "Operator",
        }
    }

    /// Returns the roles that two claims of a token grant; unknown values (those of another
    /// application or an older version) grant nothing.
    pub(super) fn of_claims(roles: &[String], wids: &[String]) -> BTreeSet<Self> {
        let named = |role: &Self| roles.iter().any(|name| name == role.name());
        let mut found: BTreeSet<Self> = Self::ALL.into_iter().filter(named).collect();
        let is_global = |id: &String| Uuid::try_parse(id) == Ok(GLOBAL_ADMINISTRATOR);
        if wids.iter().any(is_global) {
            found.insert(Self::GlobalAdmin);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(roles: &[&str], wids: &[&str]) -> Vec<Role> {
        let own = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        Role::of_claims(&own(roles), &own(wids))
            .into_iter()
            .collect()
    }

    #[test]
    fn only_exact_names_grant_a_role() {
        assert_eq!(
            roles(&["LmsAdmin", "Owner"], &[]),
            [Role::Owner, Role::LmsAdmin]
        );
        assert!(roles(&["owner", "Owner ", "Reader", ""], &[]).is_empty());
    }

    #[test]
    fn the_directorys_global_administrator_is_one_here() {
        let global = "62E90394-69F5-4237-9190-012177145E10";
        assert_eq!(roles(&[], &[global]), [Role::GlobalAdmin]);
        // Every member has this one: it is the default user role.
        assert!(roles(&[], &["b79fbf4d-3ef9-4689-8143-76b194e85509", "x"]).is_empty());
    }
}
