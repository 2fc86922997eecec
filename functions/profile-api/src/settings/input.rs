//! Reads the settings from a body and records all their problems.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_app::connection_test::EnteredCredentials;
use rollcall_clients::http::Secret;
use rollcall_clients::vault::StoredCredentials;
use rollcall_domain::audience::settings::Settings;
use rollcall_domain::base::ids::{CatalogId, ObjectId};
use rollcall_domain::base::problem::Problem;
use rollcall_domain::base::throttle::DefaultLimit;
use rollcall_domain::connection::credentials;
use rollcall_domain::connection::{CLIENT_ID, CLIENT_SECRET, LMS_KEY, LMS_URL};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::body::JsonBody;

/// Settings to save. Omitted credentials remain unchanged. Credentials are never returned.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SettingsInput {
    /// The e-mail address for notifications about failures, holds and reviews.
    contact: String,
    /// Further addresses for the same notifications; at most 19.
    #[schema(value_type = Option<BTreeSet<String>>)]
    also_notify: BTreeSet<String>,
    /// The prefix of the names of Entra groups, before the profile's title; at most 64
    /// characters.
    #[schema(value_type = Option<String>)]
    group_prefix: String,
    /// The tenant's name in e-mail.
    #[schema(value_type = Option<String>)]
    display_name: String,
    /// The address of the Learn365 region. Default: that of the deployment.
    lms_url: Option<String>,
    /// The Entra user properties that rules may use; at most 20.
    #[schema(value_type = Option<BTreeSet<String>>)]
    entra_properties: BTreeSet<String>,
    /// The catalogs of each catalog admin, by the admin's Entra object id.
    #[schema(value_type = Option<BTreeMap<String, BTreeSet<CatalogId>>>)]
    catalog_admins: BTreeMap<ObjectId, BTreeSet<CatalogId>>,
    /// The limit for changes of profiles that have none of their own: a change is held if it
    /// exceeds both numbers. `null` switches it off; if omitted, it is 50 % and 20 changes.
    default_limit: Option<DefaultLimit>,
    /// The Learn365 API key, with Full control permissions.
    #[schema(write_only)]
    learn365_api_key: Option<String>,
    /// The app registration in Entra ID.
    entra_app: Option<EntraAppInput>,
}

impl SettingsInput {
    fn read(body: &mut JsonBody) -> Self {
        Self {
            contact: body.required("contact").unwrap_or_default(),
            also_notify: body.optional("alsoNotify").unwrap_or_default(),
            group_prefix: body.optional("groupPrefix").unwrap_or_default(),
            display_name: body.optional("displayName").unwrap_or_default(),
            lms_url: text(body, "lmsUrl"),
            entra_properties: body.optional("entraProperties").unwrap_or_default(),
            catalog_admins: body.optional("catalogAdmins").unwrap_or_default(),
            default_limit: default_limit(body),
            learn365_api_key: text(body, "learn365ApiKey"),
            entra_app: EntraAppInput::read(body, text),
        }
    }
}

/// The app registration in Entra ID.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EntraAppInput {
    /// The application (client) id.
    client_id: Option<String>,
    /// The value of the client secret, not its id.
    #[schema(write_only)]
    client_secret: Option<String>,
}

impl EntraAppInput {
    /// Reads the object in which a body names the app registration; `text` reads a field.
    pub(super) fn read(
        body: &mut JsonBody,
        text: impl Fn(&mut JsonBody, &str) -> Option<String>,
    ) -> Option<Self> {
        body.nested("entraApp", |inner| {
            Some(Self {
                client_id: text(inner, "clientId"),
                client_secret: text(inner, "clientSecret"),
            })
        })
    }

    /// Returns the client id and the client secret, if they were entered.
    pub(super) fn parts(this: Option<Self>) -> (Option<String>, Option<String>) {
        this.map_or((None, None), |app| (app.client_id, app.client_secret))
    }
}

/// The valid settings and credentials of a request.
#[derive(Debug)]
pub(crate) struct SettingsEdit {
    pub(crate) settings: Settings,
    pub(crate) entered: EnteredCredentials,
}

impl SettingsEdit {
    /// Reads and checks all fields, without requests to other services. Credentials that are
    /// already in `stored` are not required.
    pub(crate) fn read(
        body: &mut JsonBody,
        stored: &StoredCredentials,
        is_lms_address: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let input = SettingsInput::read(body);
        let lms_key = input.learn365_api_key;
        let (client_id, client_secret) = EntraAppInput::parts(input.entra_app);
        // A form may send the stored client id back; that is no change.
        let client_id = client_id.filter(|id| stored.client_id.as_ref() != Some(id));
        let entered = [&lms_key, &client_id, &client_secret].map(|text| text.as_deref());
        check_credentials(body, stored, entered);
        // Problems that follow from an unreadable contact are not reported.
        if body.is_wrong("/contact") {
            return None;
        }
        let settings = Settings {
            contact: input.contact.trim().to_owned(),
            also_notify: input.also_notify,
            group_prefix: input.group_prefix,
            display_name: input.display_name,
            lms_url: input
                .lms_url
                .unwrap_or_default()
                .trim_end_matches('/')
                .to_owned(),
            entra_properties: input.entra_properties,
            catalog_admins: input.catalog_admins,
            default_limit: input.default_limit,
        };
        for problem in settings.problems() {
            body.problem(problem.pointer, problem.detail);
        }
        if !settings.lms_url.is_empty() && !is_lms_address(&settings.lms_url) {
            body.problem(LMS_URL, "this is not the address of a Learn365 region");
        }
        let entered = EnteredCredentials {
            lms_url: settings.lms_url.clone(),
            client_id,
            client_secret: client_secret.map(Secret::new),
            lms_key: lms_key.map(Secret::new),
        };
        Some(Self { settings, entered })
    }

    /// Returns the field names of the entered credentials.
    pub(crate) fn credentials(&self) -> Vec<&'static str> {
        let EnteredCredentials {
            client_id,
            client_secret,
            lms_key,
            ..
        } = &self.entered;
        let entered = [
            (lms_key.is_some(), "learn365ApiKey"),
            (client_id.is_some(), "clientId"),
            (client_secret.is_some(), "clientSecret"),
        ];
        let entered = entered.into_iter().filter(|(is_entered, _)| *is_entered);
        entered.map(|(_, name)| name).collect()
    }
}

/// Reads the default limit; omitted, it is on.
fn default_limit(body: &mut JsonBody) -> Option<DefaultLimit> {
    if !body.has("defaultLimit") {
        return Some(DefaultLimit::default());
    }
    body.nested("defaultLimit", |limit| {
        let (max_percent, min_changes) =
            (limit.required("maxPercent"), limit.required("minChanges"));
        Some(DefaultLimit {
            max_percent: max_percent?,
            min_changes: min_changes?,
        })
    })
}

/// Reads a trimmed text; an empty one is `None`. Problems never repeat its value, which
/// may be a secret.
fn text(body: &mut JsonBody, name: &str) -> Option<String> {
    let value = body.secret(name)?.trim().to_owned();
    (!value.is_empty()).then_some(value)
}

/// Records malformed credentials, and missing ones that are not stored yet.
fn check_credentials(
    body: &mut JsonBody,
    stored: &StoredCredentials,
    [lms_key, client_id, client_secret]: [Option<&str>; 3],
) {
    let missing = |is_set: bool, entered: Option<&str>| !is_set && entered.is_none();
    let needed = [
        (
            missing(stored.lms_key.is_set, lms_key),
            LMS_KEY,
            "a Learn365 API key is required",
        ),
        (
            missing(stored.client_id.is_some(), client_id),
            CLIENT_ID,
            "the client id of the app registration is required",
        ),
        (
            missing(stored.client_secret.is_set, client_secret),
            CLIENT_SECRET,
            "the client secret of the app registration is required",
        ),
    ];
    for (_, pointer, detail) in needed.into_iter().filter(|(missing, ..)| *missing) {
        body.problem(pointer, detail);
    }
    let shapes: [Option<Problem>; 3] = [
        lms_key.and_then(|key| credentials::api_key(key, LMS_KEY).err()),
        client_id.and_then(|id| credentials::client_id(id, CLIENT_ID).err()),
        client_secret.and_then(|secret| credentials::client_secret(secret, CLIENT_SECRET).err()),
    ];
    for problem in shapes.into_iter().flatten() {
        body.problem(problem.pointer, problem.detail);
    }
}
