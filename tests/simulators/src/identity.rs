//! Entra as the identity provider: signing keys, metadata, and signed tokens.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::call::{Call, Reply};
use crate::hub::{Gate, Hub, gate, lock, settle};
use crate::user_token::{TokenFlaw, UserTokenSpec, claims, spoil, unsigned};

/// Length of the PKCS #8 header before the PKCS #1 key, for RSA keys of 2,048 bits: two lengths,
/// version, algorithm.
const PKCS8_PREFIX: usize = 26;

/// The keys of one process, and how often they were fetched.
#[derive(Default)]
pub(crate) struct Identity {
    keys: Mutex<Option<Keys>>,
    fetched: AtomicU64,
}

#[derive(Clone)]
struct Keys {
    published: Pair,
    hidden: Pair,
}

#[derive(Clone)]
struct Pair {
    id: String,
    private: EncodingKey,
    public_der: Vec<u8>,
}

/// The error of a token that could not be created.
#[derive(Debug)]
pub struct TokenError(String);

impl std::fmt::Display for TokenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the token cannot be made: {}", self.0)
    }
}

impl std::error::Error for TokenError {}

fn failed(error: impl std::fmt::Display) -> TokenError {
    TokenError(error.to_string())
}

impl Pair {
    fn generate() -> Result<Self, TokenError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
        let private = pair.as_der().map_err(failed)?;
        let public = pair.public_key().as_der().map_err(failed)?;
        Ok(Self {
            id: Uuid::new_v4().simple().to_string(),
            private: EncodingKey::from_rsa_der(&private.as_ref()[PKCS8_PREFIX..]),
            public_der: public.as_ref().to_vec(),
        })
    }

    /// Returns the key in the form published by Entra.
    fn published(&self, issuer: &str) -> Result<Value, TokenError> {
        let key = Jwk::from_encoding_key(&self.private, Algorithm::RS256).map_err(failed)?;
        let mut key = serde_json::to_value(key).map_err(failed)?;
        key["use"] = json!("sig");
        key["kid"] = json!(self.id);
        key["issuer"] = json!(issuer);
        Ok(key)
    }

    fn header(&self, algorithm: Algorithm) -> Header {
        let mut header = Header::new(algorithm);
        header.kid = Some(self.id.clone());
        header
    }
}

impl Identity {
    /// Returns the keys, which are generated on first use.
    fn keys(&self) -> Result<Keys, TokenError> {
        let mut keys = lock(&self.keys);
        if let Some(keys) = &*keys {
            return Ok(keys.clone());
        }
        let made = Keys {
            published: Pair::generate()?,
            hidden: Pair::generate()?,
        };
        *keys = Some(made.clone());
        Ok(made)
    }

    /// Returns how often the keys were fetched.
    pub(crate) fn fetched(&self) -> u64 {
        self.fetched.load(Ordering::SeqCst)
    }

    /// Signs the claims, or applies the defect.
    pub(crate) fn sign(
        &self,
        mut claims: Value,
        flaw: Option<&TokenFlaw>,
    ) -> Result<String, TokenError> {
        let Keys { published, hidden } = self.keys()?;
        spoil(&mut claims, flaw);
        let good = published.header(Algorithm::RS256);
        let token = match flaw {
            Some(TokenFlaw::WrongKey) => encode(&good, &claims, &hidden.private),
            Some(TokenFlaw::UnknownKey) => {
                encode(&hidden.header(Algorithm::RS256), &claims, &hidden.private)
            }
            Some(TokenFlaw::OtherAlgorithm) => encode(
                &published.header(Algorithm::RS512),
                &claims,
                &published.private,
            ),
            Some(TokenFlaw::HmacWithPublicKey) => {
                let secret = EncodingKey::from_secret(&published.public_der);
                encode(&published.header(Algorithm::HS256), &claims, &secret)
            }
            _ => encode(&good, &claims, &published.private),
        };
        let token = token.map_err(failed)?;
        Ok(match flaw {
            Some(TokenFlaw::Unsigned) => unsigned(&token),
            _ => token,
        })
    }
}

/// Handles the two public documents; returns `None` for any other request. `common` and
/// `organizations` are valid for every tenant, other tenants must be loaded.
pub(crate) async fn handle(hub: &Hub, call: &Call) -> Option<Reply> {
    let path = call.path();
    let (tenant, keys) = match (call.method.as_str(), path.as_slice()) {
        ("GET", [tenant, "discovery", "v2.0", "keys"]) => (*tenant, true),
        ("GET", [tenant, "v2.0", ".well-known", "openid-configuration"]) => (*tenant, false),
        _ => return None,
    };
    let any = matches!(tenant, "common" | "organizations");
    let issuer_tenant = if any { "{tenantid}" } else { tenant };
    let authority = format!("{}/entra", hub.origin);
    let issuer = format!("{authority}/{issuer_tenant}/v2.0");
    if any {
        return Some(document(hub, keys, tenant, &issuer));
    }
    let shared = hub.tenant(tenant.parse().ok()?)?;
    Some(match gate(&shared, call).await {
        Gate::Shut(reply) => settle(&shared, call, reply, None, false),
        Gate::Open(fault) => {
            let reply = document(hub, keys, tenant, &issuer);
            settle(&shared, call, reply, fault, false)
        }
    })
}

fn document(hub: &Hub, keys: bool, tenant: &str, issuer: &str) -> Reply {
    if !keys {
        return Reply::json(
            200,
            metadata(&format!("{}/entra", hub.origin), tenant, issuer),
        );
    }
    hub.identity.fetched.fetch_add(1, Ordering::SeqCst);
    let published = hub
        .identity
        .keys()
        .and_then(|keys| keys.published.published(issuer));
    match published {
        Ok(key) => Reply::json(200, json!({"keys": [key]})),
        Err(error) => Reply::json(
            500,
            json!({"error": "server_error", "error_description": error.to_string()}),
        ),
    }
}

fn metadata(authority: &str, tenant: &str, issuer: &str) -> Value {
    let at = |path: &str| format!("{authority}/{tenant}/{path}");
    json!({
        "issuer": issuer,
        "authorization_endpoint": at("oauth2/v2.0/authorize"),
        "token_endpoint": at("oauth2/v2.0/token"),
        "jwks_uri": at("discovery/v2.0/keys"),
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
    })
}

/// Issues a token for the control API.
pub(crate) fn issue(hub: &Hub, spec: &UserTokenSpec) -> Result<String, TokenError> {
    let claims = claims(&format!("{}/entra", hub.origin), spec);
    hub.identity.sign(claims, spec.flaw.as_ref())
}
