//! The API of one test: its own table in the shared emulator, its own Entra and its own tenants.

use std::collections::BTreeMap;
use std::path::Path;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use rollcall_app::Services;
use rollcall_clients::aws;
use rollcall_clients::store::{PARTITION_KEY, SORT_KEY, Store};
use rollcall_domain::audience::settings::Settings as TenantSettings;
use rollcall_domain::base::ids::TenantId;
use rollcall_local::emulator::{Emulator, EmulatorOptions};
use rollcall_local::tools;
use rollcall_runtime::Settings;
use rollcall_simulators::{Simulators, UserTokenSpec};
use serde_json::json;
use tokio::sync::OnceCell;
use uuid::Uuid;

pub(crate) use crate::harness::{AUDIENCE, Answer, call};

const REGION: &str = "eu-west-1";

/// The supervisor ends it with this process.
static EMULATOR: OnceCell<Emulator> = OnceCell::const_new();

async fn emulator() -> &'static Emulator {
    EMULATOR
        .get_or_init(|| async {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
            let tools = tools::ensure(&root, &|_| ())
                .await
                .expect("tools not installed");
            let folder = tempfile::tempdir().expect("no folder created").keep();
            let options = EmulatorOptions {
                state: None,
                region: REGION.to_owned(),
                log: folder.join("emulator.log"),
                port: None,
            };
            Emulator::start(&tools, options)
                .await
                .expect("emulator not started")
        })
        .await
}

/// The services of one test.
pub(crate) struct Site {
    pub(crate) simulators: Simulators,
    pub(crate) services: Services,
    pub(crate) api: Router,
    dynamo: Client,
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::with(|_| ()).await
    }

    /// Starts a site whose environment was changed by `arrange`.
    pub(crate) async fn with(arrange: impl FnOnce(&mut BTreeMap<String, String>)) -> Self {
        let simulators = Simulators::start(0).await.expect("simulators not started");
        let table = format!("rollcall-api-{}", Uuid::new_v4());
        let mut variables = environment(&table, &simulators);
        arrange(&mut variables);
        let settings = Settings::read(&variables).expect("incomplete settings");
        let config = aws::emulator(emulator().await.endpoint(), REGION).await;
        let dynamo = Client::new(&config);
        create_table(&dynamo, &table).await;
        let services = Services::new(settings, &config).expect("services not created");
        let api = rollcall_profile_api::router(services.clone()).expect("API not created");
        Self {
            simulators,
            services,
            api,
            dynamo,
        }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.services.store
    }

    /// Saves minimal settings for a new tenant.
    pub(crate) async fn tenant(&self) -> TenantId {
        let id = TenantId::new(Uuid::new_v4());
        let settings: TenantSettings =
            serde_json::from_value(json!({"contact": "lms@contoso.example"}))
                .expect("invalid settings");
        let saved = self.store().save_settings(id, &settings, None).await;
        saved.expect("settings rejected");
        id
    }

    /// Returns the specification of a valid token of an owner.
    pub(crate) fn owner(tenant: TenantId) -> UserTokenSpec {
        UserTokenSpec::new(tenant.uuid(), Uuid::new_v4(), AUDIENCE).roles(&["Owner"])
    }

    pub(crate) fn token(&self, spec: &UserTokenSpec) -> String {
        self.simulators
            .user_token(spec)
            .expect("no token was issued")
    }

    /// Sends `GET` with a token.
    pub(crate) async fn get(&self, path: &str, spec: &UserTokenSpec) -> Answer {
        let request =
            Request::get(path).header("authorization", format!("Bearer {}", self.token(spec)));
        call(
            &self.api,
            request.body(Body::empty()).expect("invalid request"),
        )
        .await
    }

    /// Sends `GET` without a token.
    pub(crate) async fn get_as_nobody(&self, path: &str) -> Answer {
        let request = Request::get(path).body(Body::empty());
        call(&self.api, request.expect("invalid request")).await
    }

    /// Deletes the table.
    pub(crate) async fn delete_table(&self) {
        let table = &self.services.settings.table;
        let deleted = self.dynamo.delete_table().table_name(table).send().await;
        deleted.expect("not deleted");
    }
}

fn environment(table: &str, simulators: &Simulators) -> BTreeMap<String, String> {
    [
        ("TABLE", table),
        ("BUCKET", "unused"),
        ("REFRESH_QUEUE_URL", "http://127.0.0.1/unused"),
        ("MAINTENANCE_QUEUE_URL", "http://127.0.0.1/unused"),
        ("NOTICE_QUEUE_URL", "http://127.0.0.1/unused"),
        ("SECRET_PREFIX", "unused"),
        ("SYSTEM_SENDER", "rollcall@example.com"),
        ("API_AUDIENCE", AUDIENCE),
        ("ENTRA_AUTHORITY_URL", &simulators.entra_url()),
    ]
    .into_iter()
    .map(|(name, value)| (format!("ROLLCALL_{name}"), value.to_owned()))
    .collect()
}

async fn create_table(dynamo: &Client, name: &str) {
    let mut create = dynamo
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest);
    for (key, kind) in [(PARTITION_KEY, KeyType::Hash), (SORT_KEY, KeyType::Range)] {
        let attribute = AttributeDefinition::builder()
            .attribute_name(key)
            .attribute_type(ScalarAttributeType::S);
        let element = KeySchemaElement::builder()
            .attribute_name(key)
            .key_type(kind);
        create = create
            .attribute_definitions(attribute.build().expect("incomplete"))
            .key_schema(element.build().expect("incomplete"));
    }
    create.send().await.expect("table not created");
}
