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
#[schema(as = SettingsInput)]
#[expect(
    dead_code,
    reason = "its fields are read one by one, to tell every problem; this documents them"
)]
pub(crate) struct Documented {
    /// Whom to tell about failures, holds and reviews.
    contact: String,
    /// Others who get the same mails; at most 19.
    also_notify: Option<BTreeSet<String>>,
    /// Put before the title of a profile to name its Entra group; at most 64 characters.
    group_prefix: Option<String>,
    /// The tenant's name, for mails.
    display_name: Option<String>,
    /// The address of the Learn365 region; empty for the deployment's.
    lms_url: Option<String>,
    /// Entra user properties that rules may use; at most 20.
    entra_properties: Option<BTreeSet<String>>,
    /// Which catalogs each catalog admin, by Entra object id, may choose courses of.
    #[schema(value_type = Option<BTreeMap<String, BTreeSet<CatalogId>>>)]
    catalog_admins: Option<BTreeMap<ObjectId, BTreeSet<CatalogId>>>,
    /// The Learn365 API key, with Full control permissions.
    #[schema(write_only)]
    learn365_api_key: Option<String>,
    /// The app registration in Entra ID.
    entra_app: Option<EntraAppInput>,
}

/// The app registration in Entra ID.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "its fields are read one by one, to tell every problem; this documents them"
)]
pub(crate) struct EntraAppInput {
    /// The application (client) id.
    client_id: Option<String>,
    /// The value of the client secret, not its id.
    #[schema(write_only)]
    client_secret: Option<String>,
}

/// What was read.
#[derive(Debug)]
pub(crate) struct SettingsInput {
    pub(crate) settings: Settings,
    pub(crate) entered: EnteredCredentials,
}

impl SettingsInput {
    /// Reads all fields and checks them, without asking anybody. `stored` says
    /// which credentials need not be entered.
    pub(crate) fn read(
        body: &mut JsonBody,
        stored: &StoredCredentials,
        is_lms_address: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let settings = settings(body);
        let lms_key = text(body, "learn365ApiKey");
        let app = body.nested("entraApp", |inner| {
            Some((text(inner, "clientId"), text(inner, "clientSecret")))
        });
        let (client_id, client_secret) = app.unwrap_or_default();
        // A form that shows the client id sends it back; that replaces nothing.
        let client_id = client_id.filter(|id| stored.client_id.as_ref() != Some(id));
        let missing = |is_set: bool, entered: &Option<String>| !is_set && entered.is_none();
        let needed = [
            (
                missing(stored.lms_key.is_set, &lms_key),
                LMS_KEY,
                "a Learn365 API key is required",
            ),
            (
                missing(stored.client_id.is_some(), &client_id),
                CLIENT_ID,
                "the client id of the app registration is required",
            ),
            (
                missing(stored.client_secret.is_set, &client_secret),
                CLIENT_SECRET,
                "the client secret of the app registration is required",
            ),
        ];
        for (_, pointer, detail) in needed.into_iter().filter(|(missing, ..)| *missing) {
            body.problem(pointer, detail);
        }
        let shapes: [Option<Problem>; 3] = [
            lms_key
                .as_deref()
                .and_then(|key| credentials::api_key(key, LMS_KEY).err()),
            client_id
                .as_deref()
                .and_then(|id| credentials::client_id(id, CLIENT_ID).err()),
            client_secret
                .as_deref()
                .and_then(|secret| credentials::client_secret(secret, CLIENT_SECRET).err()),
        ];
        for problem in shapes.into_iter().flatten() {
            body.problem(problem.pointer, problem.detail);
        }
        let settings = settings?;
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

fn settings(body: &mut JsonBody) -> Option<Settings> {
    let contact: Option<String> = body.required("contact");
    let settings = Settings {
        contact: contact.as_deref().unwrap_or_default().trim().to_owned(),
        also_notify: body.optional("alsoNotify").unwrap_or_default(),
        group_prefix: body.optional("groupPrefix").unwrap_or_default(),
        display_name: body.optional("displayName").unwrap_or_default(),
        lms_url: text(body, "lmsUrl")
            .unwrap_or_default()
            .trim_end_matches('/')
            .to_owned(),
        entra_properties: body.optional("entraProperties").unwrap_or_default(),
        catalog_admins: body.optional("catalogAdmins").unwrap_or_default(),
    };
    contact.map(|_| settings)
}

/// A text without blanks around it; an empty one is as good as none. What a
/// field holds is never repeated in a problem: it may be a secret.
fn text(body: &mut JsonBody, name: &str) -> Option<String> {
    let value = body.secret(name)?.trim().to_owned();
    (!value.is_empty()).then_some(value)
}
