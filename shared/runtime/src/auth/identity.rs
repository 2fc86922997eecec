//! Identifies the user who signed in on Microsoft's page: verifies the identity token of a sign-in
//! (`OpenID` Connect Core, section 3.1.3.7).

use rollcall_clients::entra::{SigningKey, SigningKeys};
use rollcall_clients::http::{ApiError, Http, HttpSettings};
use rollcall_domain::base::ids::{ObjectId, TenantId};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::AuthError;
use super::claims::issued;
use super::signature::verified;
use crate::settings::Settings;

/// A signed-in user. Tenant and object are the identity; names are for display only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The directory of the account.
    pub tenant: TenantId,
    /// The account in it.
    pub object: ObjectId,
    /// The account's name for display.
    pub name: String,
}

/// Verifies identity tokens of one cloud for one app. Clones share the keys.
#[derive(Debug, Clone)]
pub struct Identities {
    authority: String,
    keys: SigningKeys,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    tid: String,
    oid: String,
    ver: String,
    nonce: String,
    #[serde(default)]
    preferred_username: Option<String>,
}

impl Identities {
    /// Returns the verifier for the cloud in the settings.
    ///
    /// # Errors
    /// Returns an error if the authority is not a valid address.
    pub fn new(settings: &Settings) -> Result<Self, ApiError> {
        let http = Http::new(HttpSettings::default())?;
        Ok(Self {
            authority: settings.entra_url.clone(),
            keys: SigningKeys::new(http, &settings.entra_url)?,
        })
    }

    /// Returns the user who signed in, if the token was issued for this app and this sign-in.
    ///
    /// # Errors
    /// Returns the reason why the token is invalid; [`AuthError::Replayed`] if it belongs to
    /// another sign-in.
    pub async fn verify(
        &self,
        token: &str,
        client_id: &str,
        nonce: &str,
    ) -> Result<Identity, AuthError> {
        let (claims, key) = verified::<Claims>(&self.keys, token, client_id).await?;
        claims.identity(&self.authority, &key, nonce)
    }
}

impl Claims {
    fn identity(
        self,
        authority: &str,
        key: &SigningKey,
        nonce: &str,
    ) -> Result<Identity, AuthError> {
        let (tenant, object) = issued(&self.ver, &self.tid, &self.iss, &self.oid, authority, key)?;
        // Compared as hashes, so that the time taken reveals nothing about the nonce.
        if Sha256::digest(&self.nonce) != Sha256::digest(nonce) {
            return Err(AuthError::Replayed);
        }
        Ok(Identity {
            tenant,
            object,
            name: self
                .preferred_username
                .unwrap_or_else(|| object.to_string()),
        })
    }
}
