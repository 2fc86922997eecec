//! The refresh token grant: returns a new pair of tokens unless the token was revoked.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::form::Form;
use super::refusal::Refusal;
use super::scopes;
use super::token::Ticket;
use crate::call::Reply;
use crate::hub::{Hub, Shared, lock};
use crate::service_app::RefreshToken;
use crate::state::TenantState;
use crate::tenant::Tenant;

/// Days after which an unused refresh token expires.
const INACTIVITY_DAYS: i64 = 90;
const PREFIX: &str = "sim-refresh-";

/// Returns the encoded refresh token, which contains its tenant and id.
pub(super) fn text(tenant: Uuid, id: Uuid) -> String {
    format!("{PREFIX}{}-{}", tenant.simple(), id.simple())
}

/// Returns the tenant that issued a refresh token.
pub(super) fn tenant(text: &str) -> Option<Uuid> {
    parse(text).map(|(tenant, _)| tenant)
}

fn parse(text: &str) -> Option<(Uuid, Uuid)> {
    let (tenant, id) = text.strip_prefix(PREFIX)?.split_once('-')?;
    Some((tenant.parse().ok()?, id.parse().ok()?))
}

/// Exchanges a refresh token.
pub(super) fn issue(hub: &Hub, shared: &Shared, form: &Form) -> Result<Reply, Refusal> {
    let app = form.client(hub)?;
    let mut tenant = lock(shared);
    if let Some(forced) = &tenant.state.world.behaviour.refresh_refusal {
        return Err(forced.into());
    }
    let (issued_at, id) = parse(form.get("refresh_token")).ok_or_else(invalid)?;
    if issued_at != tenant.state.world.tenant.id {
        let text = "The account does not exist in this tenant.";
        return Err(Refusal::grant(50020, text));
    }
    let token = tenant.state.refresh_tokens.get(&id);
    let token = token
        .filter(|it| it.client_id == app.client_id)
        .cloned()
        .ok_or_else(invalid)?;
    let now = tenant.now();
    check_reuse(&mut tenant, &token)?;
    check_person(&tenant, &token, now)?;
    let asked = asked(&tenant.state, form.get("scope"), &token)?;
    if let Some(known) = tenant.state.refresh_tokens.get_mut(&id) {
        known.used_at = Some(now);
    }
    tenant.state.refreshes += 1;
    let ticket = Ticket {
        client_id: app.client_id,
        person: token.person,
        scopes: asked,
        consented: token.scopes,
        nonce: None,
        generation: token.generation + 1,
    };
    ticket.tokens(hub, &mut tenant)
}

fn invalid() -> Refusal {
    Refusal::grant(70000, "The refresh token is not valid.")
}

/// Under strict rotation, a used token is an error and is counted.
fn check_reuse(tenant: &mut Tenant, token: &RefreshToken) -> Result<(), Refusal> {
    if tenant.state.world.behaviour.strict_rotation && token.used_at.is_some() {
        tenant.state.refresh_reuses += 1;
        return Err(invalid());
    }
    Ok(())
}

/// Validates the user, the revocation time and the token's age.
fn check_person(tenant: &Tenant, token: &RefreshToken, now: DateTime<Utc>) -> Result<(), Refusal> {
    let Some(person) = tenant.person(token.person) else {
        return Err(Refusal::grant(50034, "The account does not exist."));
    };
    if !person.account_enabled {
        return Err(Refusal::grant(50057, "The account is disabled."));
    }
    let revoked = tenant.state.revoked_before.get(&token.person);
    if revoked.is_some_and(|since| token.issued_at < *since) {
        let text = "The grant was revoked; a new sign-in is needed.";
        return Err(Refusal::grant(50173, text));
    }
    let last = token.used_at.unwrap_or(token.issued_at);
    if now - last > Duration::days(INACTIVITY_DAYS) {
        let text = "The refresh token has expired due to inactivity.";
        return Err(Refusal::grant(700_082, text).suberror("bad_token"));
    }
    Ok(())
}

/// Returns the scopes of the new access token: the requested ones, or the token's own by default;
/// all must still be consented to.
fn asked(state: &TenantState, scope: &str, token: &RefreshToken) -> Result<Vec<String>, Refusal> {
    let consented = state.consented_scopes(token.client_id, token.person);
    let mut asked = scopes::parse(scope);
    if asked.is_empty() {
        asked.clone_from(&token.scopes);
    }
    let asked = scopes::expand(&asked, &consented);
    let missing = scopes::missing(state, token.client_id, token.person, &asked);
    if missing.is_empty() {
        return Ok(asked);
    }
    let text = "Nobody has consented to the application with these scopes.";
    Err(Refusal::grant(65001, text).suberror("consent_required"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_on_the_wire_names_its_tenant_and_id() {
        let (home, id) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let text = text(home, id);
        assert_eq!(parse(&text), Some((home, id)));
        assert_eq!(tenant(&text), Some(home));
        assert_eq!(tenant("sim-refresh-x-y"), None);
        assert_eq!(tenant(""), None);
    }
}
