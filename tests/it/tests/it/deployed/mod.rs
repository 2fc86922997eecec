//! The deployed service: real `sam deploy`, each function in its own process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rollcall_domain::base::ids::TenantId;
use rollcall_domain::base::run::RunStatus;
use rollcall_domain::base::schedule::Job;
use rollcall_local::demo::demo;
use rollcall_local::demo_options::DemoOptions;
use rollcall_local::playground::set_up_playground;
use rollcall_local::stack::{Stack, StackOptions, root};
use rollcall_local::summary::{ProfileLine, Summary};
use rollcall_local::{drafts, mails, processes, tenant};
use rollcall_simulators::generate::{WorldSpec, world};
use rollcall_simulators::world::{FieldKind, Person, Progress, World};
use rollcall_simulators::{Fault, FaultKind, UserTokenSpec};
use serde_json::json;
use tokio::sync::OnceCell;
use uuid::Uuid;

mod demo;
mod sync;

const PATIENCE: Duration = Duration::from_mins(3);

pub(crate) fn quiet(_: &str) {}

/// Builds the functions once, as the local command does.
async fn binaries() -> PathBuf {
    static BUILT: OnceCell<PathBuf> = OnceCell::const_new();
    BUILT
        .get_or_init(|| async {
            let root = root().expect("the repository was not found");
            let mut cargo = tokio::process::Command::new(env!("CARGO"));
            // `infra/local/test` sets it for the tests; cargo would rebuild everything.
            cargo
                .env_remove("RUSTC_BOOTSTRAP")
                .current_dir(&root)
                .args(["build", "--profile", "local", "--locked", "--quiet"]);
            for name in rollcall_local::deploy::FUNCTIONS {
                cargo.arg("--package").arg(format!("rollcall-{name}"));
            }
            let status = cargo.status().await.expect("cargo could not be started");
            assert!(status.success(), "the functions could not be built");
            let target = std::env::var_os("CARGO_TARGET_DIR")
                .map_or_else(|| root.join("target"), |folder| root.join(folder));
            target.join("local")
        })
        .await
        .clone()
}

pub(crate) async fn options(folder: &tempfile::TempDir, schedules: bool) -> StackOptions {
    StackOptions {
        root: root().expect("the repository was not found"),
        binaries: binaries().await,
        state: None,
        logs: folder.path().join("logs"),
        schedules,
        parameters: BTreeMap::from([("LeaseSeconds".to_owned(), "3".to_owned())]),
    }
}

fn small_world(users: usize) -> World {
    let tenant = Uuid::new_v4();
    world(&WorldSpec {
        seed: 7,
        tenant,
        users,
        courses: 6,
        as_of: chrono::Utc::now(),
        ..WorldSpec::default()
    })
}

/// Counts the learners with an Entra account that match.
fn count(world: &World, matches: impl Fn(&Person) -> bool) -> usize {
    world
        .people
        .iter()
        .filter(|person| person.lms_id.is_some() && person.object_id.is_some() && matches(person))
        .count()
}

/// The maintenance process is killed while it applies changes: the lock expires, and the next run
/// produces exactly the desired members (S4-116).
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story from start to end")]
async fn a_killed_function_is_made_good_by_the_next_run() {
    let folder = tempfile::tempdir().expect("no folder created");
    let stack = Stack::up(&options(&folder, false).await, &quiet)
        .await
        .expect("the stack did not start");
    let world = small_world(1_500);
    let id = TenantId::new(world.tenant.id);
    stack.simulators.load(world.clone());
    let services = &stack.services;
    let who = tenant::set_up(services, &world)
        .await
        .expect("tenant not set up");
    let draft = json!([{"title": "Everyone", "filter": {"properties": {"combinator": "and", "rules": [{"field": "title", "operator": "notNull"}]}}, "courses": ["Security 101"]}]);
    let profiles = drafts::profiles(
        drafts::read(draft).expect("invalid drafts"),
        &world,
        tenant::now(),
    )
    .expect("invalid profiles");
    tenant::put_profiles(services, id, &profiles)
        .await
        .expect("not stored");
    let refresh = tenant::run(services, &who, Job::Refresh, PATIENCE, &quiet)
        .await
        .expect("not refreshed");
    assert_eq!(refresh.status, RunStatus::Succeeded, "{refresh:?}");
    stack.simulators.add_fault(
        world.tenant.id,
        Fault::once("/$batch", FaultKind::Delay { ms: 700 }).at(1, 1_000),
    );
    let trigger = rollcall_domain::base::run::Trigger::by_hand("ada@contoso.example");
    services
        .enqueue_run(&who, Job::Maintenance, trigger)
        .await
        .expect("not requested");
    let unique_name = profiles[0].unique_name();
    let members = || {
        let outside = stack
            .simulators
            .dump(world.tenant.id)
            .expect("tenant not loaded");
        outside
            .group_by_unique_name(&unique_name)
            .map_or(0, |group| group.members.len())
    };
    let begun = Instant::now();
    while members() == 0 {
        assert!(begun.elapsed() < PATIENCE, "no member was added");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let endpoint = stack.emulator.endpoint().to_owned();
    let killed: Vec<_> = processes::lambdas(&endpoint)
        .into_iter()
        .filter(|process| process.function.contains("maintenance"))
        .collect();
    assert!(!killed.is_empty(), "the function is not running");
    for process in &killed {
        let kill = tokio::process::Command::new("kill")
            .args(["-9", &process.pid.to_string()])
            .status()
            .await;
        assert!(kill.expect("kill could not be started").success());
    }
    let partly = members();
    stack.simulators.clear_faults(world.tenant.id);
    let wanted = count(&world, |_| true);
    assert!(
        partly < wanted,
        "the function was not killed halfway: {partly} of {wanted}"
    );
    tokio::time::sleep(Duration::from_secs(4)).await;
    let run = tenant::run(services, &who, Job::Maintenance, PATIENCE, &quiet)
        .await
        .expect("the next run did not end");
    assert_eq!(run.status, RunStatus::Succeeded, "{run:?}");
    assert_eq!(members(), wanted);
    let outside = stack
        .simulators
        .dump(world.tenant.id)
        .expect("tenant not loaded");
    assert_eq!(
        outside
            .world
            .groups
            .iter()
            .filter(|group| group.display_name.ends_with("Everyone"))
            .count(),
        1
    );
    stack.down().await.expect("stack did not stop");
}

/// Proves S4-103 and S4-104 on the deployed schedules: after settings were saved and without any
/// message, the rule of the sweep makes the tenant ready and sends its mail; the API then reports
/// it to a caller with a real token.
#[tokio::test(flavor = "multi_thread")]
async fn the_schedule_alone_makes_a_new_tenant_ready() {
    let folder = tempfile::tempdir().expect("no folder created");
    let stack = Stack::up(&options(&folder, true).await, &quiet)
        .await
        .expect("the stack did not start");
    let world = small_world(60);
    stack.simulators.load(world.clone());
    let who = tenant::set_up(&stack.services, &world)
        .await
        .expect("tenant not set up");
    let contact = format!("lms-admins@{}", world.tenant.domain);
    let begun = Instant::now();
    loop {
        let sent = mails::sent(stack.emulator.endpoint())
            .await
            .expect("mails not read");
        if sent
            .iter()
            .any(|mail| mail.to.contains(&contact) && mail.subject == "Rollcall is ready for use")
        {
            break;
        }
        assert!(
            begun.elapsed() < Duration::from_mins(5),
            "not ready within five minutes"
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let health = reqwest::get(format!("{}/v1/health", stack.deployment.api_url))
        .await
        .expect("API request failed");
    assert_eq!(health.status(), 200);
    let status = tenant_status(&stack, &world).await;
    assert_eq!(status["onboarding"], "ready", "{status}");
    assert_eq!(status["tenant"], who.id.to_string());
    stack.down().await.expect("stack did not stop");
}

/// A new administrator's work over the deployed HTTP API, with the token and the settings that
/// `rollcall up` prints: save, wait, preview, create a profile, run, download.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story from start to end")]
async fn an_administrator_does_everything_over_the_deployed_api() {
    let folder = tempfile::tempdir().expect("no folder created");
    let stack = Stack::up(&options(&folder, false).await, &quiet)
        .await
        .expect("the stack did not start");
    let playground = set_up_playground(&stack, folder.path(), 300, false)
        .await
        .expect("files not written");
    let environment = std::fs::read_to_string(&playground.environment).expect("file not read");
    let value = |name: &str| {
        let line = environment.lines().find_map(|line| line.strip_prefix(name));
        line.expect(name).trim_matches('\'').to_owned()
    };
    let (api, token) = (value("API="), value("TOKEN="));
    let client = reqwest::Client::new();
    let send = |method: &str, path: &str, body: Option<serde_json::Value>| {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("invalid method");
        let request = client
            .request(method, format!("{api}{path}"))
            .bearer_auth(&token);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        async move {
            let answer = request.send().await.expect("API request failed");
            let status = answer.status().as_u16();
            let body = answer.json::<serde_json::Value>().await;
            (status, body.unwrap_or_default())
        }
    };
    let settings = std::fs::read(&playground.settings).expect("file not read");
    let settings: serde_json::Value = serde_json::from_slice(&settings).expect("invalid JSON");
    let (status, saved) = send("PUT", "/v1/settings", Some(settings)).await;
    assert_eq!(status, 201, "{saved:#}");
    assert_eq!(saved["connection"]["ok"], true, "{saved:#}");
    let begun = Instant::now();
    while send("GET", "/v1/tenant", None).await.1["onboarding"] != "ready" {
        assert!(begun.elapsed() < PATIENCE, "the first refresh did not end");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let (_, schema) = send("GET", "/v1/schema", None).await;
    let city = schema["properties"][0]["values"][0]["name"].clone();
    let rule = json!({"field": "city", "operator": "=", "value": city});
    let draft = json!({
        "title": "The largest city", "description": "By hand", "enroll": true, "autoPopulate": true,
        "filter": {"properties": {"combinator": "and", "rules": [rule]}},
        "courses": [schema["courses"][0]["id"]],
    });
    let ask = json!({"profile": draft});
    let (status, ahead) = send("POST", "/v1/profiles/preview", Some(ask)).await;
    assert_eq!(status, 200, "{ahead:#}");
    let joins = ahead["preview"]["joins"].as_u64().expect("not a number");
    assert!(joins > 3, "{ahead:#}");
    let (status, made) = send("POST", "/v1/profiles", Some(draft)).await;
    assert_eq!(status, 201, "{made:#}");
    let path = format!(
        "/v1/profiles/{}",
        made["id"].as_str().expect("not a string")
    );
    let (status, asked) = send("POST", "/v1/runs", Some(json!({"job": "maintenance"}))).await;
    assert_eq!(status, 202, "{asked:#}");
    let run = format!("/v1/runs/{}", asked["id"].as_str().expect("not a string"));
    let ended = loop {
        let (status, run) = send("GET", &run, None).await;
        if status == 200 && run["finishedAt"].is_string() {
            break run;
        }
        assert!(begun.elapsed() < PATIENCE, "the run did not end: {run:#}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(ended["status"], "succeeded", "{ended:#}");
    let (_, now) = send("GET", &path, None).await;
    assert_eq!(now["standing"]["members"], joins);
    let (status, download) = send("GET", &format!("{path}/members.xlsx"), None).await;
    assert_eq!(status, 200, "{download:#}");
    let file = client
        .get(download["url"].as_str().expect("not a string"))
        .send()
        .await;
    let bytes = file
        .expect("request failed")
        .bytes()
        .await
        .expect("body not read");
    assert!(bytes.starts_with(b"PK"));
    let stranger = client
        .get(format!("{api}/v1/profiles"))
        .send()
        .await
        .expect("request failed");
    assert_eq!(stranger.status(), 401);
    stack.down().await.expect("stack did not stop");
}

async fn tenant_status(stack: &Stack, world: &World) -> serde_json::Value {
    let spec = UserTokenSpec {
        roles: vec!["LmsAdmin".to_owned()],
        ..UserTokenSpec::new(world.tenant.id, Uuid::new_v4(), "api://rollcall")
    };
    let token = stack.simulators.user_token(&spec);
    let request = reqwest::Client::new()
        .get(format!("{}/v1/tenant", stack.deployment.api_url))
        .bearer_auth(token.expect("no token"));
    let answer = request.send().await.expect("API request failed");
    assert_eq!(answer.status(), 200);
    answer.json().await.expect("invalid JSON")
}

/// An invalid message ends in the dead-letter queue; other messages of the queue are processed.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_no_request_ends_in_the_dead_letter_queue() {
    let folder = tempfile::tempdir().expect("no folder created");
    let stack = Stack::up(&options(&folder, false).await, &quiet)
        .await
        .expect("the stack did not start");
    let config =
        rollcall_clients::aws::emulator(stack.emulator.endpoint(), rollcall_local::stack::REGION)
            .await;
    let sqs = aws_sdk_sqs::Client::new(&config);
    let queue = &stack.deployment.maintenance_queue_url;
    // Sixteen minutes in the template; here retries follow immediately.
    let impatient = aws_sdk_sqs::types::QueueAttributeName::VisibilityTimeout;
    sqs.set_queue_attributes()
        .queue_url(queue)
        .attributes(impatient, "1")
        .send()
        .await
        .expect("queue not changed");
    sqs.send_message()
        .queue_url(queue)
        .message_body("{\"job\": \"maintenance\"")
        .send()
        .await
        .expect("not sent");
    let dead = &stack.deployment.outputs["MaintenanceDeadLetterUrl"];
    let begun = Instant::now();
    loop {
        let found = sqs
            .receive_message()
            .queue_url(dead)
            .send()
            .await
            .expect("request failed")
            .messages
            .unwrap_or_default();
        if let Some(message) = found.first() {
            assert_eq!(message.body(), Some("{\"job\": \"maintenance\""));
            break;
        }
        assert!(
            begun.elapsed() < Duration::from_mins(2),
            "the message is not in the dead-letter queue"
        );
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    stack.down().await.expect("stack did not stop");
}
