//! The emulated AWS services that all tests share.

use std::path::Path;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use rollcall_app::Services;
use rollcall_clients::aws;
use rollcall_clients::http::Secret;
use rollcall_clients::store::{DUE_INDEX, FANOUT_INDEX, PARTITION_KEY, SORT_KEY};
use rollcall_clients::vault::Vault;
use rollcall_domain::base::ids::TenantId;
use rollcall_local::emulator::{Emulator, EmulatorOptions};
use rollcall_local::stack::{REGION, SENDER};
use rollcall_local::tools;
use rollcall_runtime::Settings;
use rollcall_simulators::{AcsResource, ServiceApp, Simulators};
use serde_json::Value;
use tokio::sync::OnceCell;

const TABLE: &str = "rollcall";
const BUCKET: &str = "rollcall-data";
/// The secret of the service's own app at the simulated Entra.
pub(crate) const SERVICE_SECRET: &str = "simulated-service-secret";
/// A key of the simulated Communication Services, in base64.
pub(crate) const ACS_KEY: &str = "c2ltdWxhdGVkLWFjcy1rZXk=";
/// The fixed sender address of Communication Services.
pub(crate) const ACS_SENDER: &str = "donotreply@mail.rollcall.example";

/// The emulator and the simulators, which end with the process.
pub(crate) struct Platform {
    pub(crate) endpoint: String,
    pub(crate) simulators: Simulators,
    _emulator: Emulator,
}

/// Returns the platform, starting it on the first call.
pub(crate) async fn shared() -> &'static Platform {
    static PLATFORM: OnceCell<Platform> = OnceCell::const_new();
    PLATFORM.get_or_init(start).await
}

async fn start() -> Platform {
    super::logs::watch();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the repository was not found");
    let tools = tools::ensure(&root, &|text| eprintln!("{text}"))
        .await
        .expect("tools not installed");
    let logs = root.join(".rollcall/logs");
    std::fs::create_dir_all(&logs).expect("no folder for logs");
    let log = logs.join(format!("it-{}.log", std::process::id()));
    let options = EmulatorOptions {
        state: None,
        region: REGION.to_owned(),
        log,
        port: None,
    };
    let emulator = Emulator::start(&tools, options)
        .await
        .expect("emulator not started");
    let endpoint = emulator.endpoint().to_owned();
    let config = aws::emulator(&endpoint, REGION).await;
    create_table(&config, TABLE).await;
    let s3 = aws_sdk_s3::config::Builder::from(&config)
        .force_path_style(true)
        .build();
    aws_sdk_s3::Client::from_conf(s3)
        .create_bucket()
        .bucket(BUCKET)
        .create_bucket_configuration(
            aws_sdk_s3::types::CreateBucketConfiguration::builder()
                .location_constraint(REGION.into())
                .build(),
        )
        .send()
        .await
        .expect("bucket not created");
    verify_sender(&endpoint).await;
    let simulators = Simulators::start(0).await.expect("simulators not started");
    register(&simulators, &config).await;
    Platform {
        endpoint,
        simulators,
        _emulator: emulator,
    }
}

/// Returns the service's own app.
fn service_app() -> ServiceApp {
    ServiceApp {
        client_id: super::CLIENT_ID,
        client_secret: SERVICE_SECRET.to_owned(),
        secret_expired: false,
        name: "Rollcall".to_owned(),
        redirect_uris: vec![format!("{}/oauth/callback", super::PUBLIC)],
        app_roles: [
            "User.Read.All",
            "Group.Read.All",
            "Organization.Read.All",
            "User.Invite.All",
        ]
        .map(str::to_owned)
        .into(),
    }
}

/// Returns the simulators of another Microsoft cloud, in which the same app is registered
/// separately.
pub(crate) async fn another_cloud() -> &'static Simulators {
    let simulators = Simulators::start(0).await.expect("simulators not started");
    let simulators = Box::leak(Box::new(simulators));
    simulators.register_app(service_app());
    simulators
}

/// Registers the service's own app with the simulated Entra and Communication Services, and stores
/// their secrets.
async fn register(simulators: &Simulators, config: &aws_config::SdkConfig) {
    simulators.register_app(service_app());
    let mut resource = AcsResource::new(ACS_KEY, ACS_SENDER);
    resource.per_minute = 100_000;
    simulators.register_acs(resource);
    let vault = Vault::new(config, "rollcall");
    let secret = Secret::new(SERVICE_SECRET);
    vault.put_client_secret(&secret).await.expect("not stored");
    vault
        .put_acs_key(&Secret::new(ACS_KEY))
        .await
        .expect("not stored");
}

/// Creates a table with the structure of the stack's table.
pub(crate) async fn create_table(config: &aws_config::SdkConfig, name: &str) {
    let attribute = |name: &str, kind: ScalarAttributeType| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(kind)
            .build()
            .expect("incomplete")
    };
    let key = |name: &str, kind: KeyType| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
            .expect("incomplete")
    };
    let index = |name: &str, hash: &str, range: &str, projected: ProjectionType| {
        GlobalSecondaryIndex::builder()
            .index_name(name)
            .key_schema(key(hash, KeyType::Hash))
            .key_schema(key(range, KeyType::Range))
            .projection(Projection::builder().projection_type(projected).build())
            .build()
            .expect("incomplete")
    };
    let text = ScalarAttributeType::S;
    aws_sdk_dynamodb::Client::new(config)
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(PARTITION_KEY, text.clone()))
        .attribute_definitions(attribute(SORT_KEY, text.clone()))
        .attribute_definitions(attribute("fanout", text.clone()))
        .attribute_definitions(attribute("due", text))
        .attribute_definitions(attribute("due_at", ScalarAttributeType::N))
        .key_schema(key(PARTITION_KEY, KeyType::Hash))
        .key_schema(key(SORT_KEY, KeyType::Range))
        .global_secondary_indexes(index(
            FANOUT_INDEX,
            "fanout",
            PARTITION_KEY,
            ProjectionType::All,
        ))
        .global_secondary_indexes(index(DUE_INDEX, "due", "due_at", ProjectionType::KeysOnly))
        .send()
        .await
        .expect("table not created");
}

/// Verifies the sender address, without which SES does not send.
async fn verify_sender(endpoint: &str) {
    let form = [
        ("Action", "VerifyEmailIdentity"),
        ("EmailAddress", SENDER),
        ("Version", "2010-12-01"),
    ];
    let credential = format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/ses/aws4_request, SignedHeaders=host, Signature=none"
    );
    let sent = reqwest::Client::new()
        .post(endpoint)
        .header("authorization", credential)
        .form(&form)
        .send()
        .await;
    assert!(sent.expect("emulator request failed").status().is_success());
}

/// Returns the SDK configuration of the emulator.
pub(crate) async fn config() -> aws_config::SdkConfig {
    aws::emulator(&shared().await.endpoint, REGION).await
}

/// Returns the services of one tenant: shared table and bucket, separate queues.
pub(crate) async fn services(
    platform: &Platform,
    tenant: TenantId,
) -> (Services, aws_sdk_sqs::Client) {
    let config = aws::emulator(&platform.endpoint, REGION).await;
    let sqs = aws_sdk_sqs::Client::new(&config);
    let mut variables = vec![
        ("ROLLCALL_TABLE", TABLE.to_owned()),
        ("ROLLCALL_BUCKET", BUCKET.to_owned()),
        ("ROLLCALL_SECRET_PREFIX", "rollcall".to_owned()),
        (
            "ROLLCALL_ENTRA_AUTHORITY_URL",
            platform.simulators.entra_url(),
        ),
        ("ROLLCALL_GRAPH_URL", platform.simulators.graph_url()),
        ("ROLLCALL_LEARN365_URL", platform.simulators.learn365_url()),
        ("ROLLCALL_SYSTEM_SENDER", SENDER.to_owned()),
        ("ROLLCALL_API_AUDIENCE", super::AUDIENCE.to_owned()),
        ("ROLLCALL_FRONTEND_URL", super::FRONTEND.to_owned()),
        ("ROLLCALL_PUBLIC_URL", super::PUBLIC.to_owned()),
        ("ROLLCALL_CLIENT_ID", super::CLIENT_ID.to_string()),
        ("ROLLCALL_ACS_URL", platform.simulators.acs_url()),
        ("ROLLCALL_ACS_SENDER", ACS_SENDER.to_owned()),
        ("ROLLCALL_SCIM_HOSTS", "127.0.0.1".to_owned()),
        ("ROLLCALL_LEASE_SECONDS", "3".to_owned()),
    ];
    for (variable, name) in [
        ("ROLLCALL_REFRESH_QUEUE_URL", "refresh"),
        ("ROLLCALL_MAINTENANCE_QUEUE_URL", "maintenance"),
        ("ROLLCALL_NOTICE_QUEUE_URL", "notices"),
    ] {
        let queue = sqs
            .create_queue()
            .queue_name(format!("{name}-{tenant}"))
            .send()
            .await
            .expect("queue not created");
        variables.push((variable, queue.queue_url.expect("no queue URL")));
    }
    let settings = Settings::read(
        &variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
    .expect("incomplete settings");
    (
        Services::new(settings, &config).expect("clients not created"),
        sqs,
    )
}

/// Removes all visible messages from a queue and returns them.
pub(crate) async fn drain(sqs: &aws_sdk_sqs::Client, url: &str) -> Vec<Value> {
    let mut bodies = Vec::new();
    loop {
        let answer = sqs
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(10)
            .send()
            .await
            .expect("queue request failed");
        let messages = answer.messages.unwrap_or_default();
        if messages.is_empty() {
            return bodies;
        }
        for message in messages {
            bodies.push(
                serde_json::from_str(message.body().unwrap_or_default()).expect("invalid JSON"),
            );
            sqs.delete_message()
                .queue_url(url)
                .receipt_handle(message.receipt_handle.unwrap_or_default())
                .send()
                .await
                .expect("not deleted");
        }
    }
}

/// Returns the number of messages in a queue, including delayed ones.
pub(crate) async fn queued(sqs: &aws_sdk_sqs::Client, url: &str) -> usize {
    use aws_sdk_sqs::types::QueueAttributeName as Name;
    let names = [
        Name::ApproximateNumberOfMessages,
        Name::ApproximateNumberOfMessagesDelayed,
    ];
    let answer = sqs
        .get_queue_attributes()
        .queue_url(url)
        .set_attribute_names(Some(names.to_vec()))
        .send()
        .await
        .expect("queue request failed");
    let counts = answer.attributes.unwrap_or_default();
    names
        .iter()
        .filter_map(|name| counts.get(name)?.parse::<usize>().ok())
        .sum()
}
