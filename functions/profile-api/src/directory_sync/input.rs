//! Reads the configuration from a body and records all its problems.

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

/// A configuration to save. Omitted fields get their defaults; omitted credentials remain
/// unchanged. Credentials are never returned (S2-11).
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SyncInput)]
#[expect(
    dead_code,
    reason = "its fields are read one by one, to report all problems; this documents them"
)]
pub(crate) struct Documented {
    /// The address of the learning platform's SCIM 2.0 service, such as
    /// `https://lms.example/scim/v2`.
    target: String,
    /// The language of e-mail to created users. Default: `en`.
    default_language: Option<String>,
    /// True if guests are synced. Default: `true`.
    guests: Option<bool>,
    /// True if job titles are synced. Default: `true`.
    job_title: Option<bool>,
    /// The sources of teams. Default: no teams.
    teams: Option<TeamSwitches>,
    /// When it runs automatically. Default: daily at 04:00 UTC.
    strategy: Option<Strategy>,
    /// How changes are applied. Default: automatically.
    apply: Option<ApplyMode>,
    /// The Super admin who is notified in the product when a run is complete.
    notify: Option<ObjectId>,
    /// The users to sync. Default: all users.
    filters: Option<FiltersInput>,
    /// True if existing accounts with a user's address are proposed for linking. Default:
    /// `false`.
    link_existing: Option<bool>,
    /// The largest change that is made without review. Default: 10 %.
    guard: Option<Throttle>,
    /// The app registration in Entra ID, if the sync is connected with one.
    entra_app: Option<AppInput>,
    /// The token of the SCIM service.
    #[schema(write_only)]
    scim_token: Option<String>,
}

/// The users to sync. All given filters must match.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SyncFiltersInput)]
#[expect(
    dead_code,
    reason = "its fields are read one by one; this documents them"
)]
pub(crate) struct FiltersInput {
    /// An `OData` filter on users in the syntax of Microsoft Graph.
    graph: Option<String>,
    /// Texts that addresses must or must not contain.
    email: Option<EmailFilter>,
    /// The object ids of groups: a list, or a text with commas between them.
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
    /// The directory (tenant) id of your organisation.
    tenant_id: Option<String>,
    /// The application (client) id.
    client_id: Option<String>,
    /// The value of the client secret, not its id.
    #[schema(write_only)]
    client_secret: Option<String>,
    /// When the secret expires, as Entra shows it: a date, or a date and time.
    #[schema(example = "2027-06-01")]
    secret_expires: Option<String>,
}

/// The input as read.
pub(super) struct SyncInput {
    pub(super) config: SyncConfig,
    pub(super) app: Option<App>,
    pub(super) token: Option<Secret>,
}

/// The entered parts of the app registration.
#[derive(Default)]
pub(super) struct App {
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<Secret>,
    pub(super) secret_expires: Option<DateTime<Utc>>,
}

impl SyncInput {
    /// Reads and checks all fields, without requests to other services.
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

/// Reads the filters; an invalid one does not hide the problems of others.
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

/// Reads a list of ids, or a text of ids with commas between them (S3-34).
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

/// Reads a time, or a day as Entra shows it: the secret is valid until that day begins.
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
            "must be a date such as 2027-06-01, or a time such as 2027-06-01T12:00:00Z",
        );
    }
    moment
}

fn app(body: &mut JsonBody, tenant: TenantId) -> App {
    let id: Option<String> = body.optional("tenantId");
    let is_own = |id: &String| Uuid::try_parse(id.trim()) == Ok(tenant.uuid());
    if id.as_ref().is_some_and(|id| !is_own(id)) {
        // The directory to read is that of the caller's tenant and cannot be chosen.
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
