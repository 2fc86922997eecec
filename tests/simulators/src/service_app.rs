//! Applications of a service provider, the consents of tenants, and their refresh tokens.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::state::TenantState;

/// A multi-tenant application registration, known to every tenant of the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceApp {
    /// Application (client) id.
    pub client_id: Uuid,
    /// Client secret, compared exactly.
    pub client_secret: String,
    /// The secret is correct but expired: token requests return AADSTS7000222.
    #[serde(default)]
    pub secret_expired: bool,
    /// The name displayed on consent pages.
    pub name: String,
    /// Permitted redirect URIs, compared exactly.
    pub redirect_uris: Vec<String>,
    /// Application permissions requested by `/.default`.
    #[serde(default)]
    pub app_roles: Vec<String>,
}

/// The consent of a tenant, or of one of its users, to an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The application.
    pub client_id: Uuid,
    /// The granted permissions.
    pub grant: Grant,
    /// When consent was granted; by default long ago.
    #[serde(default)]
    pub consented_at: DateTime<Utc>,
}

impl Consent {
    /// Returns a consent granted long ago.
    pub fn new(client_id: Uuid, grant: Grant) -> Self {
        Self {
            client_id,
            grant,
            consented_at: DateTime::default(),
        }
    }
}

/// The two kinds of consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Grant {
    /// The application may act on its own.
    Application {
        /// Application permissions.
        roles: Vec<String>,
    },
    /// The application may act for signed-in users.
    Delegated {
        /// The user; `None` for all users in the organisation.
        object: Option<Uuid>,
        /// Delegated permissions, without the resource's URL.
        scopes: Vec<String>,
    },
}

/// The stored state of a refresh token, by the id in the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshToken {
    /// Application it was issued to.
    pub client_id: Uuid,
    /// The user it was issued for.
    pub person: Uuid,
    /// Scopes it can be used for.
    pub scopes: Vec<String>,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// When it was last used.
    #[serde(default)]
    pub used_at: Option<DateTime<Utc>>,
    /// 1 for the first token after a sign-in, incremented with each replacement.
    pub generation: u32,
}

impl TenantState {
    /// Returns the delegated permissions for the user, including the organisation's.
    pub fn consented_scopes(&self, client_id: Uuid, person: Uuid) -> Vec<String> {
        let mut all = Vec::new();
        for consent in &self.consents {
            if let Grant::Delegated { object, scopes } = &consent.grant
                && consent.client_id == client_id
                && object.is_none_or(|it| it == person)
            {
                all.extend(scopes.iter().cloned());
            }
        }
        all
    }

    /// Returns the application permissions consented to, and when; `None` without such a consent.
    pub(crate) fn consented_roles(&self, client_id: Uuid) -> Option<(&[String], DateTime<Utc>)> {
        let mut found = self.consents.iter().filter(|it| it.client_id == client_id);
        found.find_map(|consent| match &consent.grant {
            Grant::Application { roles } => Some((roles.as_slice(), consent.consented_at)),
            Grant::Delegated { .. } => None,
        })
    }

    /// Returns whether the organisation or a user has consented to the application.
    pub(crate) fn knows_app(&self, client_id: Uuid) -> bool {
        self.consents.iter().any(|it| it.client_id == client_id)
    }

    /// Stores a consent: scopes are added, roles are replaced; an unchanged one retains its time.
    pub(crate) fn consent(&mut self, client_id: Uuid, grant: Grant, now: DateTime<Utc>) {
        let mut known = self
            .consents
            .iter_mut()
            .filter(|it| it.client_id == client_id);
        let known = known.find(|it| match (&it.grant, &grant) {
            (Grant::Application { .. }, Grant::Application { .. }) => true,
            (Grant::Delegated { object: a, .. }, Grant::Delegated { object: b, .. }) => a == b,
            _ => false,
        });
        let Some(known) = known else {
            self.consents.push(Consent {
                client_id,
                grant,
                consented_at: now,
            });
            return;
        };
        let before = known.grant.clone();
        match (&mut known.grant, grant) {
            (Grant::Delegated { scopes, .. }, Grant::Delegated { scopes: more, .. }) => {
                for scope in more {
                    if !scopes.iter().any(|it| it.eq_ignore_ascii_case(&scope)) {
                        scopes.push(scope);
                    }
                }
            }
            (known, grant) => *known = grant,
        }
        if known.grant != before {
            known.consented_at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    const APP: Uuid = Uuid::from_u128(7);

    fn delegated(object: Option<u128>, scopes: &[&str]) -> Grant {
        Grant::Delegated {
            object: object.map(Uuid::from_u128),
            scopes: scopes.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    #[test]
    fn scopes_add_up_per_person_and_for_all() {
        let mut state = TenantState::from(World::default());
        let now = Utc::now();
        state.consent(APP, delegated(Some(1), &["User.Read"]), now);
        state.consent(APP, delegated(Some(1), &["user.read", "Mail.Send"]), now);
        state.consent(APP, delegated(None, &["Place.Read.All"]), now);
        assert_eq!(state.consents.len(), 2);
        let scopes = state.consented_scopes(APP, Uuid::from_u128(1));
        assert_eq!(scopes, ["User.Read", "Mail.Send", "Place.Read.All"]);
        let others = state.consented_scopes(APP, Uuid::from_u128(2));
        assert_eq!(others, ["Place.Read.All"]);
        assert!(state.consented_roles(APP).is_none());
    }

    #[test]
    fn roles_are_replaced_and_an_unchanged_consent_keeps_its_age() {
        let mut state = TenantState::from(World::default());
        let roles = |name: &str| Grant::Application {
            roles: vec![name.to_owned()],
        };
        let first = Utc::now();
        let later = first + chrono::Duration::hours(1);
        state.consent(APP, roles("User.Read.All"), first);
        state.consent(APP, roles("User.Read.All"), later);
        assert_eq!(state.consents[0].consented_at, first);
        state.consent(APP, roles("Group.Create"), later);
        assert_eq!(
            state.consented_roles(APP),
            Some((["Group.Create".to_owned()].as_slice(), later))
        );
    }
}
