//! Memory of the refresh of a large tenant, measured in a separate process.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rollcall_app::Services;
use rollcall_domain::base::run::{RunRequest, RunStatus};
use rollcall_domain::base::schedule::Job;
use rollcall_local::stack::REGION;
use rollcall_runtime::Deadline;
use rollcall_simulators::generate::{self, WorldSpec};

use super::stored;
use crate::harness::{TestApp, TestTenant};

/// Default number of users in the refreshed tenant.
const PEOPLE: usize = 2_000;
/// The variable that sets another number.
const PEOPLE_WANTED: &str = "ROLLCALL_IT_PEOPLE";
const ENROLMENTS_EACH: f32 = 20.0;
/// Maximum memory for a tenant of 200,000.
const LIMIT_MIB: u64 = 512;
/// The variable that contains the child's run request.
const REQUEST: &str = "ROLLCALL_IT_REQUEST";

/// A refresh of 200,000 users with twenty enrolments each stays below 512 MB, both the first one
/// and one that compares with the previous snapshot. The default is a small tenant. The large one
/// takes about ten minutes and four gigabytes for its simulation, and prints the figures:
///
/// ```text
/// ROLLCALL_IT_PEOPLE=200000 cargo test -p rollcall-it --test it -- --nocapture below_512_mb
/// ```
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_of_a_large_tenant_stays_below_512_mb() {
    let people = std::env::var(PEOPLE_WANTED).ok();
    let people = people.and_then(|people| people.parse().ok());
    let people = people.unwrap_or(PEOPLE);
    let mut app = TestApp::of(TestTenant::small()).await;
    settle(&app, people);
    for name in ["first", "second"] {
        let begun = Instant::now();
        let request = app.request(Job::Refresh);
        let peak = apart(&app, &request).await;
        let run = app.run(&request).await;
        assert_eq!(run.status, RunStatus::Succeeded, "{run:?}");
        let (_, snapshot) = stored(&app).await;
        let seconds = begun.elapsed().as_secs();
        println!(
            "{name} refresh: {} users, {} enrolments, {seconds} s, peak {peak} MiB, {:?}",
            snapshot.people.count(),
            snapshot.enrolments.len(),
            run.steps,
        );
        assert!(peak < LIMIT_MIB, "{peak} MiB");
        app.edit(|outside| outside.world.people.truncate(people - people / 100));
    }
}

/// Replaces the tenant by a generated world.
fn settle(app: &TestApp, people: usize) {
    let spec = WorldSpec {
        tenant: app.id.uuid(),
        users: people,
        courses: 200,
        enrolments_per_user: ENROLMENTS_EACH,
        ..WorldSpec::default()
    };
    let society = generate::world(&spec);
    app.edit(|outside| {
        let world = &mut outside.world;
        (world.people, world.fields) = (society.people, society.fields);
        (world.catalogs, world.courses) = (society.catalogs, society.courses);
        world.enrolments = society.enrolments;
    });
}

/// Executes the job in a separate process; returns its peak memory in MiB.
pub(crate) async fn apart(app: &TestApp, request: &RunRequest) -> u64 {
    let settings = &app.services.settings;
    // The queue URL begins with the emulator's address.
    let emulator: Vec<&str> = settings.refresh_queue_url.split('/').take(3).collect();
    let output = tokio::process::Command::new(std::env::current_exe().expect("program not found"))
        .args(["--nocapture", "--exact"])
        .arg("refresh::memory::the_process_of_the_refresh")
        .env(
            REQUEST,
            serde_json::to_string(request).expect("not serialized"),
        )
        .env("AWS_ENDPOINT_URL", emulator.join("/"))
        .env("AWS_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("ROLLCALL_TABLE", &settings.table)
        .env("ROLLCALL_BUCKET", &settings.bucket)
        .env("ROLLCALL_SECRET_PREFIX", &settings.secret_prefix)
        .env("ROLLCALL_REFRESH_QUEUE_URL", &settings.refresh_queue_url)
        .env(
            "ROLLCALL_MAINTENANCE_QUEUE_URL",
            &settings.maintenance_queue_url,
        )
        .env("ROLLCALL_NOTICE_QUEUE_URL", &settings.notice_queue_url)
        .env("ROLLCALL_ENTRA_AUTHORITY_URL", &settings.entra_url)
        .env("ROLLCALL_GRAPH_URL", &settings.graph_url)
        .env("ROLLCALL_LEARN365_URL", &settings.learn365_url)
        .env("ROLLCALL_SYSTEM_SENDER", &settings.system_sender)
        .env("ROLLCALL_SCIM_HOSTS", settings.scim_hosts.join(","))
        .stderr(Stdio::inherit())
        .output()
        .await
        .expect("process not started");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    peak.expect("no peak memory").div_ceil(1_024)
}

/// The child process of the test above: executes the parent's request as the deployed function
/// does, and prints its peak memory. Does nothing if it is run directly.
#[tokio::test]
async fn the_process_of_the_refresh() {
    let Ok(request) = std::env::var(REQUEST) else {
        return;
    };
    let request: RunRequest = serde_json::from_str(&request).expect("invalid request");
    let services = Services::from_environment()
        .await
        .expect("clients not created");
    let deadline = Deadline::after(Duration::from_mins(14));
    Box::pin(rollcall_refresh_job::execute_run(
        &services, request, deadline,
    ))
    .await
    .expect("not handled");
    let status = std::fs::read_to_string("/proc/self/status").expect("no /proc/self/status");
    let peak = status.lines().find(|line| line.starts_with("VmHWM:"));
    println!("\n{}", peak.expect("no peak memory"));
}
