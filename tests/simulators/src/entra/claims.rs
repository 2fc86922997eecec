//! The claims of an access token, and its two encodings.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::tenant::Tenant;

/// The claims of a token. Tokens contain their claims, so they survive a restart of the process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) tenant: Uuid,
    pub(crate) client_id: Uuid,
    /// Application permissions at the time of issue.
    pub(crate) roles: Vec<String>,
    /// The user it was issued for; `None` for an app-only token.
    #[serde(default)]
    pub(crate) person: Option<Uuid>,
    /// Delegated permissions.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    pub(crate) expires_at: DateTime<Utc>,
    nonce: Uuid,
}

/// The payload of a readable token.
#[derive(Serialize, Deserialize)]
struct Payload {
    tid: Uuid,
    appid: Uuid,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    oid: Option<Uuid>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    scp: String,
    /// The opaque token, which is the only part evaluated here.
    sim: String,
}

impl Claims {
    /// Returns the claims of an app-only token with the tenant's token lifetime. They expire by our
    /// clock, not the tenant's, because clients cache tokens by theirs.
    pub(super) fn app_only(tenant: &Tenant, client_id: Uuid, roles: Vec<String>) -> Self {
        let world = &tenant.state.world;
        Self {
            tenant: world.tenant.id,
            client_id,
            roles,
            person: None,
            scopes: Vec::new(),
            expires_at: Utc::now() + Duration::seconds(world.behaviour.token_lifetime_s),
            nonce: Uuid::new_v4(),
        }
    }

    /// Returns the claims of an application acting for a user.
    pub(super) fn delegated(
        tenant: &Tenant,
        client_id: Uuid,
        person: Uuid,
        scopes: Vec<String>,
    ) -> Self {
        Self {
            person: Some(person),
            scopes,
            ..Self::app_only(tenant, client_id, Vec::new())
        }
    }

    /// Returns the permissions, application or delegated.
    pub(crate) fn permissions(&self) -> &[String] {
        if self.person.is_some() {
            &self.scopes
        } else {
            &self.roles
        }
    }

    /// Decodes a token; returns `None` if it is not one of ours.
    pub(crate) fn decode(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(opaque), None, None) => Self::decode_opaque(opaque),
            (Some(_), Some(payload), Some(_)) => {
                let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
                let payload: Payload = serde_json::from_slice(&payload).ok()?;
                Self::decode_opaque(&payload.sim)
            }
            _ => None,
        }
    }

    fn decode_opaque(token: &str) -> Option<Self> {
        let escaped: String = token.strip_prefix("sim-")?.as_bytes().chunks(2).fold(
            String::new(),
            |mut text, pair| {
                text.push('%');
                text.push_str(&String::from_utf8_lossy(pair));
                text
            },
        );
        let text = percent_decode_str(&escaped).decode_utf8().ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Returns the token in the encoding configured for the tenant.
    pub(super) fn token(&self, readable: bool) -> Option<String> {
        if readable {
            self.encode_readable()
        } else {
            self.encode()
        }
    }

    fn encode(&self) -> Option<String> {
        use std::fmt::Write as _;
        let text = serde_json::to_string(self).ok()?;
        let mut token = "sim-".to_owned();
        for byte in text.bytes() {
            write!(token, "{byte:02x}").ok()?;
        }
        Some(token)
    }

    /// Returns the token as a JWT whose payload contains the permissions.
    fn encode_readable(&self) -> Option<String> {
        let payload = Payload {
            tid: self.tenant,
            appid: self.client_id,
            roles: self.roles.clone(),
            oid: self.person,
            scp: self.scopes.join(" "),
            sim: self.encode()?,
        };
        let payload = serde_json::to_vec(&payload).ok()?;
        let parts = [
            br#"{"typ":"JWT","alg":"RS256"}"#.as_slice(),
            &payload,
            b"no signature",
        ];
        Some(parts.map(|it| BASE64_URL_SAFE_NO_PAD.encode(it)).join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_survive_the_round_trip_and_nonsense_is_refused() {
        let claims = Claims {
            tenant: Uuid::from_u128(1),
            client_id: Uuid::from_u128(2),
            roles: vec!["User.Read.All".to_owned()],
            person: None,
            scopes: Vec::new(),
            expires_at: Utc::now(),
            nonce: Uuid::from_u128(3),
        };
        let token = claims.encode().expect("claims are serialisable");
        assert!(
            !token.contains("User.Read"),
            "clients must not be able to read the token"
        );
        let readable = claims.encode_readable().expect("claims are serialisable");
        assert_eq!(readable.split('.').count(), 3);
        assert_eq!(Claims::decode(&readable).as_ref(), Some(&claims));
        assert_eq!(Claims::decode(&token), Some(claims));
        assert_eq!(Claims::decode("sim-zz"), None);
        assert_eq!(Claims::decode("eyJhbGciOi"), None);
    }
}
