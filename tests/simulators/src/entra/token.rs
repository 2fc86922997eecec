//! The token endpoint: selects the grant, redeems codes, and issues users' tokens.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::claims::Claims;
use super::codes::Redeemer;
use super::form::Form;
use super::refusal::Refusal;
use super::{app_only, refresh, scopes};
use crate::call::{Call, Reply};
use crate::hub::{Gate, Hub, Shared, gate, lock, settle};
use crate::service_app::RefreshToken;
use crate::tenant::Tenant;

/// Template id of the Global Administrator role.
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

/// Handles `/entra/{tenant}/oauth2/v2.0/token`.
pub(super) async fn answer(hub: &Hub, call: &Call, segment: &str) -> Reply {
    let form = Form::read(call);
    let shared = match tenant_of(hub, segment, &form) {
        Ok(shared) => shared,
        Err(refusal) => return refusal.into_reply(),
    };
    match gate(&shared, call).await {
        Gate::Shut(reply) => settle(&shared, call, reply, None, false),
        Gate::Open(fault) => {
            let granted = match form.get("grant_type") {
                "client_credentials" => app_only::issue(hub, &lock(&shared), &form),
                "authorization_code" => redeem(hub, &shared, &form),
                "refresh_token" => refresh::issue(hub, &shared, &form),
                _ => {
                    let text = "The grant type is not supported.";
                    Err(Refusal::bad("unsupported_grant_type", 70003, text))
                }
            };
            let reply = granted.unwrap_or_else(Refusal::into_reply);
            settle(&shared, call, reply, fault, false)
        }
    }
}

/// Returns the tenant in the path, or that of the grant if the path specifies none.
fn tenant_of(hub: &Hub, segment: &str, form: &Form) -> Result<Shared, Refusal> {
    let unknown = || Refusal::unknown_tenant(segment);
    if !matches!(segment, "organizations" | "common") {
        let found = segment.parse().ok().and_then(|id| hub.tenant(id));
        return found.ok_or_else(unknown);
    }
    let id = match form.get("grant_type") {
        "authorization_code" => hub.codes.tenant(form.get("code")),
        "refresh_token" => refresh::tenant(form.get("refresh_token")),
        _ => return Err(unknown()),
    };
    id.and_then(|id| hub.tenant(id))
        .ok_or_else(|| Refusal::grant(70000, "The grant is not valid."))
}

fn redeem(hub: &Hub, shared: &Shared, form: &Form) -> Result<Reply, Refusal> {
    let app = form.client(hub)?;
    let mut tenant = lock(shared);
    let text = form.get("code");
    if text.is_empty() {
        let text = "The request body must contain the parameter 'code'.";
        return Err(Refusal::bad("invalid_request", 900_144, text));
    }
    let here = tenant.state.world.tenant.id;
    if hub.codes.tenant(text).is_some_and(|issued| issued != here) {
        let text = "The authorization code is for use with another tenant.";
        return Err(Refusal::grant(700_005, text));
    }
    let redeemer = Redeemer {
        client_id: app.client_id,
        redirect_uri: form.get("redirect_uri"),
        verifier: form.get("code_verifier"),
        now: tenant.now(),
    };
    let code = hub.codes.redeem(text, &redeemer)?;
    let ticket = Ticket {
        client_id: app.client_id,
        person: code.person,
        scopes: code.scopes.clone(),
        consented: code.scopes,
        nonce: code.nonce,
        generation: 1,
    };
    ticket.tokens(hub, &mut tenant)
}

/// A validated user grant, from which tokens are issued.
pub(super) struct Ticket {
    pub(super) client_id: Uuid,
    pub(super) person: Uuid,
    /// Scopes of the access token.
    pub(super) scopes: Vec<String>,
    /// Scopes of the refresh token.
    pub(super) consented: Vec<String>,
    pub(super) nonce: Option<String>,
    /// Generation of the refresh token.
    pub(super) generation: u32,
}

impl Ticket {
    /// Returns the response with all requested tokens.
    pub(super) fn tokens(self, hub: &Hub, tenant: &mut Tenant) -> Result<Reply, Refusal> {
        let behaviour = &tenant.state.world.behaviour;
        let lifetime = behaviour.token_lifetime_s;
        let mut resource = self.scopes.clone();
        resource.retain(|scope| !scopes::is_openid(scope));
        let claims = Claims::delegated(tenant, self.client_id, self.person, resource);
        let mut shown = self.scopes.clone();
        shown.retain(|scope| !scope.eq_ignore_ascii_case("offline_access"));
        let mut body = json!({
            "token_type": "Bearer",
            "scope": shown.join(" "),
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": claims.token(behaviour.readable_tokens),
        });
        if scopes::contains(&self.scopes, "openid") {
            let claims = self.id_claims(hub, tenant);
            let flaw = behaviour.id_token_flaw.as_ref();
            let token = hub.identity.sign(claims, flaw);
            let token = token
                .map_err(|error| Refusal::bad("server_error", 90033, format!("The {error}.")))?;
            body["id_token"] = json!(token);
        }
        if scopes::contains(&self.consented, "offline_access") {
            let now = tenant.now();
            body["refresh_token"] = json!(self.remember(tenant, now));
        }
        Ok(Reply::json(200, body))
    }

    fn remember(self, tenant: &mut Tenant, now: DateTime<Utc>) -> String {
        let id = Uuid::new_v4();
        let state = &mut tenant.state;
        state.refresh_tokens.insert(
            id,
            RefreshToken {
                client_id: self.client_id,
                person: self.person,
                scopes: self.consented,
                issued_at: now,
                used_at: None,
                generation: self.generation,
            },
        );
        refresh::text(state.world.tenant.id, id)
    }

    /// Returns the claims of the `id_token`, with times by our clock, because clients validate by
    /// theirs.
    fn id_claims(&self, hub: &Hub, tenant: &Tenant) -> Value {
        let world = &tenant.state.world;
        let now = Utc::now().timestamp();
        let sub = Uuid::new_v5(&self.client_id, self.person.as_bytes());
        let mut claims = json!({
            "aud": self.client_id,
            "iss": format!("{}/entra/{}/v2.0", hub.origin, world.tenant.id),
            "iat": now,
            "nbf": now,
            "exp": now + 3_600,
            "tid": world.tenant.id,
            "oid": self.person,
            "sub": sub.simple().to_string(),
            "uti": Uuid::new_v4().simple().to_string(),
            "ver": "2.0",
        });
        if let Some(nonce) = &self.nonce {
            claims["nonce"] = json!(nonce);
        }
        if let Some(person) = tenant.person(self.person) {
            claims["name"] = json!(person.display_name);
            claims["preferred_username"] = json!(person.upn);
            if let Some(mail) = &person.mail
                && scopes::contains(&self.scopes, "email")
            {
                claims["email"] = json!(mail);
            }
        }
        if world.admins.contains(&self.person) {
            claims["wids"] = json!([GLOBAL_ADMINISTRATOR]);
        }
        claims
    }
}
