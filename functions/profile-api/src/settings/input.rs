//! Settings as people send them: every field read, every problem noted.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_app::connection_test::EnteredCredentials;
use rollcall_clients::http::Secret;
use rollcall_clients::vault::StoredCredentials;
use rollcall_domain::audience::settings::Settings;
use rollcall_domain::base::ids::{CatalogId, ObjectId};
use rollcall_domain::base::problem::Problem;
use rollcall_domain::connection::credentials;
use rollcall_domain::connection::{CLIENT_ID, CLIENT_SECRET, LMS_KEY, LMS_URL};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::body::JsonBody;

/// Settings to save. Credentials that are left out stay as they are; none is
/// ever given out again.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SettingsInput {
    /// Whom to tell about failures, holds and reviews.
    contact: String,
    /// Others who get the same mails; at most 19.
    #[schema(value_type = Option<BTreeSet<String>>)]
    also_notify: BTreeSet<String>,
    /// Put before the title of a profile to name its Entra group; at most 64 characters.
    #[schema(value_type = Option<String>)]
    group_prefix: String,
    /// The tenant's name, for mails.
    #[schema(value_type = Option<String>)]
    display_name: String,
    /// The address of the Learn365 region; empty for the deployment's.
    lms_url: Option<String>,
    /// Entra user properties that rules may use; at most 20.
    #[schema(value_type = Option<BTreeSet<String>>)]
    entra_properties: BTreeSet<String>,
    /// Which catalogs each catalog admin, by Entra object id, may choose courses of.
    #[schema(value_type = Option<BTreeMap<String, BTreeSet<CatalogId>>>)]
    catalog_admins: BTreeMap<ObjectId, BTreeSet<CatalogId>>,
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

    /// The client id and the client secret, if they were entered.
    pub(super) fn parts(this: Option<Self>) -> (Option<String>, Option<String>) {
        this.map_or((None, None), |app| (app.client_id, app.client_secret))
    }
}

/// Settings and credentials as they were entered and found valid.
#[derive(Debug)]
pub(crate) struct SettingsEdit {
    pub(crate) settings: Settings,
    pub(crate) entered: EnteredCredentials,
}

impl SettingsEdit {
    /// Reads all fields and checks them, without asking anybody. `stored` says
    /// which credentials need not be entered.
    pub(crate) fn read(
        body: &mut JsonBody,
        stored: &StoredCredentials,
        is_lms_address: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let input = SettingsInput::read(body);
        let lms_key = input.learn365_api_key;
        let (client_id, client_secret) = EntraAppInput::parts(input.entra_app);
        // A form that shows the client id sends it back; that replaces nothing.
        let client_id = client_id.filter(|id| stored.client_id.as_ref() != Some(id));
        let entered = [&lms_key, &client_id, &client_secret].map(|text| text.as_deref());
        check_credentials(body, stored, entered);
        // A problem with the contact was noted; what follows from it is no help.
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
        };
        for problem in settings.problems() {
            body.problem(problem.pointer, problem.detail);
        }
        if !settings.lms_url.is_empty() && !is_lms_address(&settings.lms_url) {
            body.problem(LMS_URL, "this is the address of none of Learn365's regions");
        }
        let entered = EnteredCredentials {
            lms_url: settings.lms_url.clone(),
            client_id,
            client_secret: client_secret.map(Secret::new),
            lms_key: lms_key.map(Secret::new),
        };
        Some(Self { settings, entered })
    }

    /// Which credentials were entered, by the names of their fields.
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

/// A text without blanks around it; an empty one is as good as none. What a
/// field holds is never repeated in a problem: it may be a secret.
fn text(body: &mut JsonBody, name: &str) -> Option<String> {
    let value = body.secret(name)?.trim().to_owned();
    (!value.is_empty()).then_some(value)
}

/// Notes credentials that are malformed, or missing although none are stored.
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
