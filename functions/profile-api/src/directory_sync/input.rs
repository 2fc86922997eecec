//! The configuration as people send it: every field read, every problem noted.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_clients::http::Secret;
use rollcall_domain::base::ids::{ObjectId, TenantId};
use rollcall_domain::base::throttle::Throttle;
use rollcall_domain::connection::{CLIENT_ID, CLIENT_SECRET, credentials};
use rollcall_domain::directory_sync::config::{EmailFilter, SyncFilters, default_guard, group_ids};
use rollcall_domain::directory_sync::{ApplyMode, Strategy, SyncConfig, TeamSwitches};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::body::JsonBody;

/// A configuration to save. What is left out has its default; credentials that are
/// left out stay as they are, and none is ever given out again (S2-11).
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SyncInput)]
#[expect(
    dead_code,
    reason = "its fields are read one by one, to tell every problem; this documents them"
)]
pub(crate) struct Documented {
    /// The learning platform's SCIM 2.0 service, such as `https://lms.example/scim/v2`.
    target: String,
    /// The language of mails to created users; `en` without.
    default_language: Option<String>,
    /// Whether guests are synced; they are without.
    guests: Option<bool>,
    /// Whether job titles are synced; they are without.
    job_title: Option<bool>,
    /// For what teams are kept; for nothing without.
    teams: Option<TeamSwitches>,
    /// When it runs by itself; every day at 04:00 UTC without.
    strategy: Option<Strategy>,
    /// What happens with what a comparison finds; it is applied without.
    apply: Option<ApplyMode>,
    /// The Super admin who is told in the product when a run is complete.
    notify: Option<ObjectId>,
    /// Who belongs; everybody without.
    filters: Option<FiltersInput>,
    /// Whether existing accounts are linked by their addresses.
    link_existing: Option<bool>,
    /// How many may be deactivated without somebody looking at it; 10 % without.
    guard: Option<Throttle>,
    /// The app registration in Entra ID, to connect with one.
    entra_app: Option<AppInput>,
    /// The token of the SCIM service.
    #[schema(write_only)]
    scim_token: Option<String>,
}

/// Who belongs. A filter that is there is on.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SyncFiltersInput)]
#[expect(
    dead_code,
    reason = "its fields are read one by one; this documents them"
)]
pub(crate) struct FiltersInput {
    /// An `OData` filter on users, as Microsoft Graph takes it.
    graph: Option<String>,
    /// Texts within addresses.
    email: Option<EmailFilter>,
    /// Object ids of groups: a list, or one text with commas between them.
    #[schema(value_type = Option<Vec<ObjectId>>)]
    groups: Option<Value>,
}

/// The app registration in Entra ID (S2-08).
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SyncAppInput)]
#[expect(
    dead_code,
    reason = "its fields are read one by one; this documents them"
)]
pub(crate) struct AppInput {
    /// The directory (tenant) id: yours.
    tenant_id: Option<String>,
    /// The application (client) id.
    client_id: Option<String>,
    /// The value of the client secret, not its id.
    #[schema(write_only)]
    client_secret: Option<String>,
    /// When the secret expires, as Entra shows it: a day, or a moment.
    #[schema(example = "2027-06-01")]
    secret_expires: Option<String>,
}

/// What was read.
pub(super) struct SyncInput {
    pub(super) config: SyncConfig,
    pub(super) app: Option<App>,
    pub(super) token: Option<Secret>,
}

/// What was entered of the app registration.
#[derive(Default)]
pub(super) struct App {
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<Secret>,
    pub(super) secret_expires: Option<DateTime<Utc>>,
}

impl SyncInput {
    /// Reads all fields and checks them, without asking anybody.
    pub(super) fn read(body: &mut JsonBody, tenant: TenantId) -> Option<Self> {
        let target: Option<String> = body.required("target");
        let base = SyncConfig::new(
            target
                .clone()
                .unwrap_or_default()
                .trim()
                .trim_end_matches('/'),
        );
        let config = SyncConfig {
            default_language: body
                .optional("defaultLanguage")
                .unwrap_or(base.default_language),
            guests: body.optional("guests").unwrap_or(base.guests),
            job_title: body.optional("jobTitle").unwrap_or(base.job_title),
            teams: body.optional("teams").unwrap_or(base.teams),
            strategy: body.optional("strategy").unwrap_or(base.strategy),
            apply: body.optional("apply").unwrap_or(base.apply),
            notify: body.optional("notify"),
            filters: read_filters(body),
            link_existing: body.optional("linkExisting").unwrap_or(base.link_existing),
            guard: body.optional("guard").unwrap_or_else(default_guard),
            target: base.target,
        };
        for problem in config.problems() {
            if !body.is_wrong(&problem.pointer) {
                body.problem(problem.pointer, problem.detail);
            }
        }
        let app = body.nested("entraApp", |inner| Some(app(inner, tenant)));
        let token = body.secret("scimToken");
        if let Some(token) = &token
            && let Err(problem) = credentials::scim_token(token, "/scimToken")
        {
            body.problem(problem.pointer, problem.detail);
        }
        let token = token.map(|token| Secret::new(token.trim()));
        target.map(|_| Self { config, app, token })
    }
}

/// The filters as far as they can be read: what is wrong with one hides nothing
/// that is wrong with another.
fn read_filters(body: &mut JsonBody) -> SyncFilters {
    let mut found = SyncFilters::default();
    body.nested("filters", |inner| {
        found = filters(inner);
        Some(())
    });
    found
}

fn filters(body: &mut JsonBody) -> SyncFilters {
    let graph: Option<String> = body.optional("graph");
    let email = body.optional("email");
    let groups = body
        .optional::<Value>("groups")
        .map(|value| groups(body, value));
    SyncFilters {
        graph,
        email,
        groups,
    }
}

/// A list of ids, or one text as people paste it (S3-34).
fn groups(body: &mut JsonBody, value: Value) -> BTreeSet<ObjectId> {
    let text = match &value {
        Value::String(text) => text.clone(),
        Value::Array(ids) => {
            let ids: Vec<&str> = ids.iter().map(|id| id.as_str().unwrap_or("?")).collect();
            ids.join(",")
        }
        _ => {
            body.problem(
                "/filters/groups",
                "must be a list of object ids, or a text with commas between them",
            );
            return BTreeSet::new();
        }
    };
    group_ids(&text).unwrap_or_else(|wrong| {
        for detail in wrong {
            body.problem("/filters/groups", detail);
        }
        BTreeSet::new()
    })
}

/// A moment, or a day as Entra shows it: the secret is good until it begins.
fn expiry(body: &mut JsonBody) -> Option<DateTime<Utc>> {
    let text: String = body.optional("secretExpires")?;
    let text = text.trim();
    let day = text.parse::<NaiveDate>().ok();
    let begins = day.and_then(|day| day.and_hms_opt(0, 0, 0));
    let moment = begins
        .map(|moment| moment.and_utc())
        .or_else(|| text.parse().ok());
    if moment.is_none() {
        body.problem(
            "/entraApp/secretExpires",
            "must be a day such as 2027-06-01, or a moment such as 2027-06-01T12:00:00Z",
        );
    }
    moment
}

fn app(body: &mut JsonBody, tenant: TenantId) -> App {
    let id: Option<String> = body.optional("tenantId");
    let is_own = |id: &String| Uuid::try_parse(id.trim()) == Ok(tenant.uuid());
    if id.as_ref().is_some_and(|id| !is_own(id)) {
        // Whose directory is read is decided by who signs in, and by nothing else.
        body.problem(
            "/entraApp/tenantId",
            format!("must be the directory (tenant) id of your own organisation: {tenant}"),
        );
    }
    let client_id: Option<String> = body.optional("clientId");
    if let Some(id) = &client_id
        && let Err(problem) = credentials::client_id(id, CLIENT_ID)
    {
        body.problem(problem.pointer, problem.detail);
    }
    let secret = body.secret("clientSecret");
    if let Some(secret) = &secret
        && let Err(problem) = credentials::client_secret(secret, CLIENT_SECRET)
    {
        body.problem(problem.pointer, problem.detail);
    }
    App {
        client_id: client_id.map(|id| id.trim().to_lowercase()),
        client_secret: secret.map(|secret| Secret::new(secret.trim())),
        secret_expires: expiry(body),
    }
}
