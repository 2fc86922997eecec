//! The client credentials grant: app-only tokens.

use serde_json::json;

use super::claims::Claims;
use super::form::{Form, check_secret};
use super::refusal::Refusal;
use crate::call::Reply;
use crate::hub::Hub;
use crate::tenant::{Tenant, millis};

/// Issues a token to an application of the tenant, or to a service provider's with consent.
pub(super) fn issue(hub: &Hub, tenant: &Tenant, form: &Form) -> Result<Reply, Refusal> {
    if !form.get("scope").ends_with("/.default") {
        let text = "Client credential flows must have a scope value with /.default suffixed.";
        return Err(Refusal::bad("invalid_scope", 1_002_012, text));
    }
    let client_id = form.client_id();
    let apps = &tenant.state.world.apps;
    let own = apps
        .iter()
        .find(|app| app.client_id.to_string() == client_id.to_lowercase());
    let Some(app) = own else {
        return issue_to_service(hub, tenant, form);
    };
    if app.disabled {
        let text = format!("Application '{client_id}' is disabled.");
        return Err(Refusal::bad("unauthorized_client", 7_000_112, text));
    }
    check_secret(form.client_secret(), &app.client_secret, app.secret_expired)?;
    let claims = Claims::app_only(tenant, app.client_id, app.roles.clone());
    Ok(granted(tenant, &claims))
}

fn issue_to_service(hub: &Hub, tenant: &Tenant, form: &Form) -> Result<Reply, Refusal> {
    let sent = form.client_id();
    let unknown = || Refusal::unknown_app(sent);
    let app = sent.parse().ok().and_then(|id| hub.app(id));
    let app = app.ok_or_else(unknown)?;
    let Some((roles, since)) = tenant.state.consented_roles(app.client_id) else {
        if tenant.state.knows_app(app.client_id) {
            let text = format!("The client application '{sent}' is missing in the tenant.");
            return Err(Refusal::client(7_000_229, text));
        }
        return Err(unknown());
    };
    let behaviour = &tenant.state.world.behaviour;
    if tenant.now() < since + millis(behaviour.consent_propagation_ms) {
        return Err(unknown());
    }
    check_secret(form.client_secret(), &app.client_secret, app.secret_expired)?;
    let claims = Claims::app_only(tenant, app.client_id, roles.to_vec());
    Ok(granted(tenant, &claims))
}

fn granted(tenant: &Tenant, claims: &Claims) -> Reply {
    let behaviour = &tenant.state.world.behaviour;
    Reply::json(
        200,
        json!({
            "token_type": "Bearer",
            "expires_in": behaviour.token_lifetime_s,
            "ext_expires_in": behaviour.token_lifetime_s,
            "access_token": claims.token(behaviour.readable_tokens),
        }),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use uuid::Uuid;

    use super::*;
    use crate::call::Call;
    use crate::service_app::{Consent, Grant, ServiceApp};
    use crate::state::TenantState;
    use crate::world::World;

    const APP: Uuid = Uuid::from_u128(0xa);

    fn asked(hub: &Hub, tenant: &Tenant) -> Option<u32> {
        let body =
            format!("client_id={APP}&client_secret=s&scope=https%3A%2F%2Fgraph.example%2F.default");
        let form = Form::read(&Call::new("POST", "/entra/x", BTreeMap::new(), body));
        issue(hub, tenant, &form).err().map(|it| it.number())
    }

    #[test]
    fn a_service_needs_registration_and_consent_that_has_spread() {
        let hub = Hub::new(String::new());
        let mut tenant = Tenant::new(TenantState::from(World::default()));
        assert_eq!(asked(&hub, &tenant), Some(700_016));
        hub.register(ServiceApp {
            client_id: APP,
            client_secret: "s".to_owned(),
            secret_expired: false,
            name: "Service".to_owned(),
            redirect_uris: Vec::new(),
            app_roles: Vec::new(),
        });
        assert_eq!(asked(&hub, &tenant), Some(700_016));
        let delegated = Grant::Delegated {
            object: None,
            scopes: Vec::new(),
        };
        tenant.state.consents = vec![Consent::new(APP, delegated)];
        assert_eq!(asked(&hub, &tenant), Some(7_000_229));
        let now = tenant.now();
        let roles = vec!["User.Read.All".to_owned()];
        tenant.state.consent(APP, Grant::Application { roles }, now);
        assert_eq!(asked(&hub, &tenant), None);
        tenant.state.world.behaviour.consent_propagation_ms = 60_000;
        assert_eq!(asked(&hub, &tenant), Some(700_016));
        tenant.state.world.behaviour.clock_ahead_ms = 60_000;
        assert_eq!(asked(&hub, &tenant), None);
    }
}
