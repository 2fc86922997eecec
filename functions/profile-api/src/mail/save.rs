//! `PUT /v1/catalogs/{id}/mail-connection`: makes what was chosen, and who signed in, count (S1-30).

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Utc};
use rollcall_clients::store::connections::Versioned;
use rollcall_clients::vault::Draft;
use rollcall_domain::audit::{Action, AuditEvent};
use rollcall_domain::connection::{Effect, MailConnection, MailOptions};
use rollcall_domain::ids::CatalogId;
use rollcall_domain::settings::is_mail_address;
use rollcall_runtime::ProblemDetails;
use rollcall_runtime::auth::Caller;
use serde::Deserialize;
use utoipa::ToSchema;

use super::show::{ACS_CONTACT, MailConnectionView};
use crate::failure::{Refused, stale, stored};
use crate::form::Form;
use crate::request::{InPath, required_version};
use crate::settings::show::vault;
use crate::{Api, now};

/// What to save.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "its fields are read one by one, to tell every problem; this documents them"
)]
pub(crate) struct MailConnectionInput {
    /// Whether the catalog sends mail, books rooms and makes meetings.
    enabled: bool,
    /// Whether notifications go out through Azure Communication Services, from
    /// its fixed address; only where that is activated for the organisation.
    use_azure_communication_services: Option<bool>,
    /// Address of the organisation's shared calendar that scheduled sessions are
    /// shared with.
    organization_calendar: Option<String>,
    /// The name that a sign-in brought back, to make its account the catalog's.
    #[schema(write_only)]
    sign_in: Option<String>,
}

/// What was read.
struct Input {
    options: MailOptions,
    sign_in: Option<String>,
}

/// Saves the catalog's options and, with `signIn`, the account that signed in.
/// That account then gets a mail, which proves that sending works.
#[utoipa::path(put, path = "/v1/catalogs/{id}/mail-connection", tag = "Mail connection",
    params(("id" = CatalogId, Path, description = "The catalog"),
        ("If-Match" = String, Header, description = "The ETag that was read")),
    request_body = MailConnectionInput,
    responses((status = 200, description = "Saved", body = MailConnectionView, headers(("ETag" = String, description = "Its new version")))))]
pub(crate) async fn save(
    State(api): State<Api>,
    caller: Caller,
    InPath(catalog): InPath<CatalogId>,
    headers: HeaderMap,
    mut form: Form,
) -> Result<Response, Refused> {
    let expected = required_version(&headers)?;
    api.must_administer(&caller, catalog).await?;
    let input = read(&mut form);
    form.finish().map_err(ProblemDetails::invalid)?;
    let tenant = caller.tenant;
    if input.options.use_azure_communication_services && !api.may_use_acs(tenant).await? {
        return Err(not_activated());
    }
    let lease = api.alone(tenant, catalog).await?;
    let saved = api.keep_mail(&caller, catalog, expected, input).await;
    if let Err(error) = lease.release().await {
        tracing::warn!(%error, "the lease of a grant was not given back; it expires");
    }
    let (after, effects) = saved?;
    api.follow(&caller, catalog, &after.value, effects).await?;
    api.mail_view(tenant, catalog, after).await
}

fn read(form: &mut Form) -> Input {
    form.ignore(&[
        "catalog",
        "title",
        "version",
        "method",
        "status",
        "since",
        "account",
        "capabilities",
        "unavailable",
        "fault",
        "connectedBy",
        "connectedAt",
        "waiting",
    ]);
    for name in ["sender", "from"] {
        if form.secret(name).is_some() {
            let detail = "mail comes from the connected account or from the fixed address of Azure Communication Services; a sender cannot be chosen";
            form.problem(format!("/{name}"), detail);
        }
    }
    let calendar: Option<String> = form.optional("organizationCalendar");
    let calendar = calendar.filter(|address| !address.is_empty());
    if calendar
        .as_deref()
        .is_some_and(|address| !is_mail_address(address))
    {
        form.problem(
            "/organizationCalendar",
            "must be a mail address, such as calendar@contoso.com",
        );
    }
    let enabled: bool = form.required("enabled").unwrap_or_default();
    let sign_in = form.secret("signIn");
    if sign_in.is_some() && !enabled {
        form.problem("/enabled", "must be true to connect an account");
    }
    Input {
        options: MailOptions {
            enabled,
            use_azure_communication_services: form
                .optional::<bool>("useAzureCommunicationServices")
                .unwrap_or_default(),
            organization_calendar: calendar,
        },
        sign_in,
    }
}

fn not_activated() -> ProblemDetails {
    let detail = format!(
        "Azure Communication Services are not activated for your organisation. Ask {ACS_CONTACT}."
    );
    ProblemDetails::new(StatusCode::FORBIDDEN, detail).of_kind("not-activated")
}

fn sign_in_over() -> ProblemDetails {
    let detail = "This sign-in was not yours, was saved already, or is more than an hour old. Connect the account again.";
    ProblemDetails::new(StatusCode::CONFLICT, detail).of_kind("sign-in-expired")
}

impl Api {
    /// Stores everything, under the lease of the catalog's grant.
    async fn keep_mail(
        &self,
        caller: &Caller,
        catalog: CatalogId,
        expected: u64,
        input: Input,
    ) -> Result<(Versioned<MailConnection>, &'static [Effect]), Refused> {
        let (tenant, at) = (caller.tenant, now());
        let before = self.mail_of(tenant, catalog).await?;
        if before.version != expected {
            return Err(stale());
        }
        let draft = match &input.sign_in {
            Some(name) => Some(self.promote(caller, catalog, name, at).await?),
            None => None,
        };
        let mut after = before.value.clone();
        after.options = input.options;
        let mut events = vec![event(caller, at, Action::ConnectionSaved, catalog, &after)];
        let mut effects: &[Effect] = &[];
        if let Some(draft) = draft {
            self.services.forget_tokens(tenant, catalog);
            effects = after.connect(draft.account, draft.can, caller.actor(), at);
            events.push(event(caller, at, Action::ConnectionMade, catalog, &after));
        } else if after.options.enabled && !before.value.options.enabled {
            effects = &[Effect::Release];
        }
        let expected = (before.version > 0).then_some(before.version);
        let store = &self.services.store;
        let put = store.put_mail_connection(tenant, catalog, &after, expected, &events);
        let version = put.await.map_err(stored)?;
        let value = after;
        Ok((Versioned { value, version }, effects))
    }

    /// Makes the account that waits the catalog's.
    async fn promote(
        &self,
        caller: &Caller,
        catalog: CatalogId,
        name: &str,
        at: DateTime<Utc>,
    ) -> Result<Draft, Refused> {
        let (tenant, services) = (caller.tenant, &self.services);
        let mut grant = services
            .vault
            .grant(tenant, catalog)
            .await
            .map_err(|error| vault(&error))?;
        let waits = grant.draft.as_ref();
        if !waits.is_some_and(|draft| draft.is(name, &caller.actor(), at)) {
            return Err(sign_in_over());
        }
        let draft = grant.promote().ok_or_else(sign_in_over)?;
        let put = services.vault.put_grant(tenant, catalog, &grant).await;
        put.map_err(|error| vault(&error))?;
        Ok(draft)
    }
}

fn event(
    caller: &Caller,
    at: DateTime<Utc>,
    action: Action,
    catalog: CatalogId,
    after: &MailConnection,
) -> AuditEvent {
    let account = after.account.as_ref().map(|it| it.address.as_str());
    AuditEvent::new(at, caller.actor(), action)
        .on(catalog, &after.title)
        .with("enabled", after.options.enabled)
        .with("account", account.unwrap_or_default())
}
