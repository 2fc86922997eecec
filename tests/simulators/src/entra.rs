//! The Entra token endpoint for the client credentials grant.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::call::{Call, Reply};
use crate::hub::{Gate, Hub, gate, lock, settle};
use crate::identity;
use crate::tenant::Tenant;

/// Lifetime the real service reports for application tokens.
const EXPIRES_IN: i64 = 3599;

/// What a token stands for. Tokens carry their claims, so they survive a restart of the process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) tenant: Uuid,
    pub(crate) client_id: Uuid,
    /// Application permissions at the time of issue.
    pub(crate) roles: Vec<String>,
    pub(crate) expires_at: DateTime<Utc>,
    nonce: Uuid,
}

impl Claims {
    /// Reads a token back; `None` if it is not one of ours.
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

    fn encode(&self) -> Option<String> {
        use std::fmt::Write as _;
        let text = serde_json::to_string(self).ok()?;
        let mut token = "sim-".to_owned();
        for byte in text.bytes() {
            write!(token, "{byte:02x}").ok()?;
        }
        Some(token)
    }

    /// The same in the shape of a JWT whose payload names the roles.
    fn encode_readable(&self) -> Option<String> {
        let payload = Payload {
            tid: self.tenant,
            appid: self.client_id,
            roles: self.roles.clone(),
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

/// What a readable token says in its middle part.
#[derive(Serialize, Deserialize)]
struct Payload {
    tid: Uuid,
    appid: Uuid,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    roles: Vec<String>,
    /// The opaque token, which is what counts here.
    sim: String,
}

/// An OAuth error with its AADSTS number.
struct Refusal {
    status: u16,
    error: &'static str,
    number: u32,
    text: String,
}

/// Answers `/entra/{tenant}/oauth2/v2.0/token` and the public documents of [`identity`].
pub(crate) async fn handle(hub: &Hub, call: &Call) -> Reply {
    if let Some(reply) = identity::handle(hub, call).await {
        return reply;
    }
    let path = call.path();
    let ("POST", [tenant, "oauth2", "v2.0", "token"]) = (call.method.as_str(), path.as_slice())
    else {
        return Reply::json(404, json!({"error": "not_found"}));
    };
    let shared = tenant.parse().ok().and_then(|id| hub.tenant(id));
    let Some(shared) = shared else {
        return refuse(&Refusal {
            status: 400,
            error: "invalid_request",
            number: 90002,
            text: format!(
                "Tenant '{tenant}' not found. Check the tenant identifier and the cloud."
            ),
        });
    };
    match gate(&shared, call).await {
        Gate::Shut(reply) => settle(&shared, call, reply, None, false),
        Gate::Open(fault) => {
            let reply = issue(&lock(&shared), call).unwrap_or_else(|refusal| refuse(&refusal));
            settle(&shared, call, reply, fault, false)
        }
    }
}

fn issue(tenant: &Tenant, call: &Call) -> Result<Reply, Refusal> {
    let form: Vec<(String, String)> = url::form_urlencoded::parse(call.body.as_bytes())
        .into_owned()
        .collect();
    let field = |name: &str| {
        form.iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    };
    if field("grant_type") != "client_credentials" {
        return Err(bad(
            "unsupported_grant_type",
            70003,
            "The grant type is not supported.",
        ));
    }
    if !field("scope").ends_with("/.default") {
        let text = "Client credential flows must have a scope value with /.default suffixed.";
        return Err(bad("invalid_scope", 1_002_012, text));
    }
    let client_id = field("client_id");
    let app = tenant.state.world.apps.iter();
    let Some(app) = app
        .clone()
        .find(|app| app.client_id.to_string() == client_id.to_lowercase())
    else {
        let text =
            format!("Application with identifier '{client_id}' was not found in the directory.");
        return Err(bad("unauthorized_client", 700_016, &text));
    };
    if app.disabled {
        let text = format!("Application '{client_id}' is disabled.");
        return Err(bad("unauthorized_client", 7_000_112, &text));
    }
    check_secret(
        field("client_secret"),
        &app.client_secret,
        app.secret_expired,
    )?;
    let claims = Claims {
        tenant: tenant.state.world.tenant.id,
        client_id: app.client_id,
        roles: app.roles.clone(),
        expires_at: Utc::now() + Duration::seconds(EXPIRES_IN),
        nonce: Uuid::new_v4(),
    };
    let readable = tenant.state.world.behaviour.readable_tokens;
    let token = if readable {
        claims.encode_readable()
    } else {
        claims.encode()
    };
    Ok(granted(token.as_deref()))
}

fn granted(token: Option<&str>) -> Reply {
    Reply::json(
        200,
        json!({
            "token_type": "Bearer",
            "expires_in": EXPIRES_IN,
            "ext_expires_in": EXPIRES_IN,
            "access_token": token,
        }),
    )
}

fn check_secret(sent: &str, secret: &str, expired: bool) -> Result<(), Refusal> {
    let refusal = |number, text: &str| Refusal {
        status: 401,
        error: "invalid_client",
        number,
        text: text.to_owned(),
    };
    if sent.is_empty() {
        return Err(refusal(
            7_000_218,
            "The request body must contain a client secret or assertion.",
        ));
    }
    if sent != secret {
        return Err(refusal(7_000_215, "Invalid client secret provided."));
    }
    if expired {
        return Err(refusal(
            7_000_222,
            "The provided client secret keys are expired.",
        ));
    }
    Ok(())
}

fn bad(error: &'static str, number: u32, text: &str) -> Refusal {
    Refusal {
        status: 400,
        error,
        number,
        text: text.to_owned(),
    }
}

fn refuse(refusal: &Refusal) -> Reply {
    let (trace, correlation, at) = (Uuid::new_v4(), Uuid::new_v4(), Utc::now());
    let stamp = at.format("%Y-%m-%d %H:%M:%SZ");
    let text = format!(
        "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}",
        refusal.number, refusal.text
    );
    Reply::json(
        refusal.status,
        json!({
            "error": refusal.error,
            "error_description": text,
            "error_codes": [refusal.number],
            "timestamp": stamp.to_string(),
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", refusal.number),
        }),
    )
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
            expires_at: Utc::now(),
            nonce: Uuid::from_u128(3),
        };
        let token = claims.encode().expect("claims are plain data");
        assert!(
            !token.contains("User.Read"),
            "clients must not be able to read it"
        );
        let readable = claims.encode_readable().expect("claims are plain data");
        assert_eq!(readable.split('.').count(), 3);
        assert_eq!(Claims::decode(&readable).as_ref(), Some(&claims));
        assert_eq!(Claims::decode(&token), Some(claims));
        assert_eq!(Claims::decode("sim-zz"), None);
        assert_eq!(Claims::decode("eyJhbGciOi"), None);
    }
}
