//! Stores the refresh tokens of connected accounts: one for each catalog, plus an unsaved draft.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::error::DisplayErrorContext;
use aws_sdk_secretsmanager::operation::delete_secret::DeleteSecretError;
use chrono::{DateTime, Utc};
use rollcall_domain::base::audit::Actor;
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::{Account, AccountCapabilities};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Vault, VaultError};
use crate::http::Secret;

const TITLE: &str = "grant of the connected account";

/// The stored grants of a catalog's account. Read and written only under the lease of the catalog's
/// grant and never from a cache, because a cached refresh token may already be replaced.
///
/// Grants have names, and the table contains the name of the active one. A new grant is stored
/// beside the old one, then the table is updated, then the old grant is deleted: a crash in between
/// leaves an account and a grant that belong together.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredGrant {
    #[serde(default)]
    tokens: BTreeMap<String, String>,
    /// A sign-in that is not saved yet.
    #[serde(default)]
    pub draft: Option<Draft>,
}

/// A sign-in that its administrator has not saved yet (S1-30).
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Draft {
    /// Hash of the name, which only the browser has.
    name: String,
    refresh_token: String,
    /// The account that signed in.
    pub account: Account,
    /// The capabilities of that account.
    pub can: AccountCapabilities,
    /// The administrator who started the sign-in; only they may save it.
    pub by: Actor,
    /// The time at which it expires.
    pub until: DateTime<Utc>,
}

impl Draft {
    /// Creates a draft under a random name that only the browser receives.
    pub fn new(
        name: &str,
        refresh_token: &Secret,
        account: Account,
        can: AccountCapabilities,
        by: Actor,
        until: DateTime<Utc>,
    ) -> Self {
        Self {
            name: hashed(name),
            refresh_token: refresh_token.expose().to_owned(),
            account,
            can,
            by,
            until,
        }
    }

    /// Returns whether the draft has this name, was started by this administrator, and is not
    /// expired.
    pub fn is(&self, name: &str, by: &Actor, now: DateTime<Utc>) -> bool {
        self.name == hashed(name) && self.by.object == by.object && now < self.until
    }
}

fn hashed(name: &str) -> String {
    hex::encode(Sha256::digest(name))
}

impl StoredGrant {
    /// Returns the newest refresh token of this grant.
    pub fn refresh_token(&self, grant: &str) -> Option<Secret> {
        self.tokens.get(grant).cloned().map(Secret::new)
    }

    /// Replaces the refresh token; grants with other names are removed.
    pub fn renew(&mut self, grant: &str, refresh_token: &Secret) {
        self.tokens.clear();
        let token = refresh_token.expose().to_owned();
        self.tokens.insert(grant.to_owned(), token);
    }

    /// Turns the draft into a grant beside the existing one; returns its name.
    pub fn promote(&mut self) -> Option<String> {
        let draft = self.draft.as_ref()?;
        let (name, token) = (draft.name.clone(), draft.refresh_token.clone());
        self.tokens.insert(name.clone(), token);
        Some(name)
    }

    /// Removes all grants but this one, and the draft.
    pub fn retain_grant(&mut self, grant: &str) {
        self.tokens.retain(|name, _| name == grant);
        self.draft = None;
    }

    /// Returns whether nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.draft.is_none()
    }
}

impl std::fmt::Debug for StoredGrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredGrant")
            .field("grants", &self.tokens.len())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

fn kind(catalog: CatalogId) -> String {
    format!("mail/{catalog}")
}

impl Vault {
    /// Returns the stored grants of a catalog; empty if no account was ever connected.
    pub async fn grant(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
    ) -> Result<StoredGrant, VaultError> {
        let name = self.name(tenant, &kind(catalog));
        match self.fetch(&name, TITLE).await {
            Ok(text) => {
                serde_json::from_str(text.expose()).map_err(|_| VaultError::Unreadable(TITLE))
            }
            Err(VaultError::Missing(_)) => Ok(StoredGrant::default()),
            Err(error) => Err(error),
        }
    }

    /// Stores the grants; if empty, the secret is deleted immediately and permanently (S1-39).
    pub async fn put_grant(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        grant: &StoredGrant,
    ) -> Result<(), VaultError> {
        let name = self.name(tenant, &kind(catalog));
        if grant.is_empty() {
            return self.delete(&name).await;
        }
        let text = serde_json::to_string(grant).map_err(|_| VaultError::Unreadable(TITLE))?;
        self.store(&name, &text).await
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), VaultError> {
        let deleted = self
            .client
            .delete_secret()
            .secret_id(name)
            // A revoked grant must not remain recoverable for another month.
            .force_delete_without_recovery(true)
            .send()
            .await;
        match deleted {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DeleteSecretError::is_resource_not_found_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(VaultError::Service(DisplayErrorContext(&error).to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn draft(name: &str) -> Draft {
        let account = Account {
            object: rollcall_domain::base::ids::ObjectId::new(Uuid::from_u128(3)),
            address: "events@contoso.example".to_owned(),
            name: "Events".to_owned(),
        };
        let until = DateTime::from_timestamp(1_000, 0).expect("invalid time");
        Draft::new(
            name,
            &Secret::new("r-draft"),
            account,
            AccountCapabilities::new(true, true),
            Actor::named("cat"),
            until,
        )
    }

    /// Proves S1-30: only the administrator who started it can save it, by name and before expiry.
    #[test]
    fn a_draft_is_its_administrators_for_a_while() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).expect("invalid time");
        let (draft, by) = (draft("abc"), Actor::named("cat"));
        assert!(draft.is("abc", &by, at(999)));
        assert!(!draft.is("abd", &by, at(999)) && !draft.is("abc", &by, at(1_000)));
        let other = Actor {
            object: Some(rollcall_domain::base::ids::ObjectId::new(Uuid::from_u128(
                4,
            ))),
            name: "cat".to_owned(),
        };
        assert!(!draft.is("abc", &other, at(999)));
    }

    #[test]
    fn tokens_show_nowhere_but_in_the_vault() {
        let mut grant = StoredGrant {
            draft: Some(draft("abc")),
            ..StoredGrant::default()
        };
        grant.renew("old", &Secret::new("r-1"));
        let shown = format!("{grant:?} {:?}", grant.draft);
        assert!(
            !shown.contains("r-1") && !shown.contains("r-draft"),
            "{shown}"
        );
    }

    /// Account and grant belong together even if a save is interrupted.
    #[test]
    fn a_new_grant_is_stored_beside_the_old_one_until_it_is_named() {
        let mut grant = StoredGrant {
            draft: Some(draft("abc")),
            ..StoredGrant::default()
        };
        grant.renew("old", &Secret::new("r-1"));
        let token = |grant: &StoredGrant, name: &str| {
            let token = grant.refresh_token(name);
            token.map(|token| token.expose().to_owned())
        };
        let name = grant.promote().expect("no draft");
        assert_eq!(
            grant.promote(),
            Some(name.clone()),
            "promoting twice returned another name"
        );
        assert_eq!(token(&grant, "old").as_deref(), Some("r-1"));
        assert_eq!(token(&grant, &name).as_deref(), Some("r-draft"));
        grant.retain_grant(&name);
        assert_eq!((token(&grant, "old"), grant.draft.is_none()), (None, true));
    }
}
