//! The content of a user's access token, and the defects that tests can add to it.

use chrono::Utc;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// `{"typ":"JWT","alg":"none"}` in base64url.
const UNSIGNED_HEADER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0";

/// User, audience and defect of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserTokenSpec {
    /// `tid`.
    pub tenant: Uuid,
    /// `oid`.
    pub object: Uuid,
    /// `preferred_username`.
    pub name: String,
    /// `aud`.
    pub audience: String,
    /// App roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Template ids of directory roles.
    #[serde(default)]
    pub wids: Vec<Uuid>,
    /// `exp`, in seconds from now; negative is in the past.
    #[serde(default = "an_hour")]
    pub expires_in_s: i64,
    /// `nbf`, in seconds from now.
    #[serde(default)]
    pub valid_in_s: i64,
    /// The defect, if any.
    #[serde(default)]
    pub flaw: Option<TokenFlaw>,
}

fn an_hour() -> i64 {
    3_600
}

impl UserTokenSpec {
    /// Returns a valid token for an hour, without roles.
    pub fn new(tenant: Uuid, object: Uuid, audience: impl Into<String>) -> Self {
        Self {
            tenant,
            object,
            name: format!("{object}@people.example"),
            audience: audience.into(),
            roles: Vec::new(),
            wids: Vec::new(),
            expires_in_s: an_hour(),
            valid_in_s: 0,
            flaw: None,
        }
    }

    /// Returns the token with these app roles.
    #[must_use]
    pub fn roles(mut self, roles: &[&str]) -> Self {
        self.roles = roles.iter().map(|role| (*role).to_owned()).collect();
        self
    }

    /// Returns the token with a defect.
    #[must_use]
    pub fn flaw(mut self, flaw: TokenFlaw) -> Self {
        self.flaw = Some(flaw);
        self
    }
}

/// Defects of tokens, caused by attacks or mistakes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenFlaw {
    /// Signed with another key under the id of the published one.
    WrongKey,
    /// Signed with an unpublished key under a different id.
    UnknownKey,
    /// `alg: none` and no signature.
    Unsigned,
    /// HS256 with the public key as the secret.
    HmacWithPublicKey,
    /// RS512 with the published key.
    OtherAlgorithm,
    /// Another `iss`.
    Issuer(String),
    /// A claim with a different value; `null` removes it.
    Claim(String, Value),
}

/// Returns the claims of a version 2.0 token.
pub(crate) fn claims(authority: &str, spec: &UserTokenSpec) -> Value {
    let now = Utc::now().timestamp();
    let valid_from = now + spec.valid_in_s;
    let mut claims = json!({
        "aud": spec.audience,
        "iss": format!("{authority}/{}/v2.0", spec.tenant),
        "iat": valid_from,
        "nbf": valid_from,
        "exp": now + spec.expires_in_s,
        "azp": Uuid::from_u128(0xc11e),
        "name": spec.name,
        "oid": spec.object,
        "preferred_username": spec.name,
        "scp": "access",
        "sub": spec.object.simple().to_string(),
        "tid": spec.tenant,
        "uti": Uuid::new_v4().simple().to_string(),
        "ver": "2.0",
    });
    if !spec.roles.is_empty() {
        claims["roles"] = json!(spec.roles);
    }
    if !spec.wids.is_empty() {
        claims["wids"] = json!(spec.wids);
    }
    claims
}

/// Changes the claims if the defect affects them.
pub(crate) fn spoil(claims: &mut Value, flaw: Option<&TokenFlaw>) {
    match flaw {
        Some(TokenFlaw::Issuer(issuer)) => claims["iss"] = json!(issuer),
        Some(TokenFlaw::Claim(name, Value::Null)) => {
            claims.as_object_mut().map(|all| all.remove(name));
        }
        Some(TokenFlaw::Claim(name, value)) => claims[name] = value.clone(),
        _ => {}
    }
}

/// Returns the token without a signature.
pub(crate) fn unsigned(token: &str) -> String {
    let payload = token.split('.').nth(1).unwrap_or_default();
    format!("{UNSIGNED_HEADER}.{payload}.")
}
