//! How much memory the refresh of a large tenant takes, in a process of its own.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rollcall_app::Services;
use rollcall_domain::base::run::{RunRequest, RunStatus};
use rollcall_domain::base::schedule::Job;
use rollcall_local::stack::REGION;
use rollcall_runtime::Deadline;
use rollcall_simulators::generate::{self, WorldSpec};

use super::stored;
use crate::harness::{App, Town};

/// People of the tenant that is refreshed where nothing else is asked for.
const PEOPLE: usize = 2_000;
/// Asks for more of them.
const PEOPLE_WANTED: &str = "ROLLCALL_IT_PEOPLE";
const ENROLMENTS_EACH: f32 = 20.0;
/// A tenant of 200,000 must fit into so much memory.
const LIMIT_MIB: u64 = 512;
/// What the child is asked to do.
const REQUEST: &str = "ROLLCALL_IT_REQUEST";

/// A refresh of 200,000 people with twenty enrolments each stays below 512 MB,
/// the first as well as one that compares with the snapshot before. A small
/// tenant goes through it by default; the large one takes about ten minutes and
/// four gigabytes for its simulation, and tells the figures:
///
/// ```text
/// ROLLCALL_IT_PEOPLE=200000 cargo test -p rollcall-it --test it -- --nocapture below_512_mb
/// ```
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_of_a_large_tenant_stays_below_512_mb() {
    let people = std::env::var(PEOPLE_WANTED).ok();
    let people = people.and_then(|people| people.parse().ok());
    let people = people.unwrap_or(PEOPLE);
    let mut app = App::of(Town::small()).await;
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
            "{name} refresh: {} people, {} enrolments, {seconds} s, peak {peak} MiB, {:?}",
            snapshot.people.count(),
            snapshot.enrolments.len(),
            run.steps,
        );
        assert!(peak < LIMIT_MIB, "{peak} MiB");
        app.edit(|outside| outside.world.people.truncate(people - people / 100));
    }
}

/// Puts a generated society in the place of the town's.
fn settle(app: &App, people: usize) {
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

/// Runs the job in a process of its own; answers its peak memory in MiB.
pub(crate) async fn apart(app: &App, request: &RunRequest) -> u64 {
    let settings = &app.services.settings;
    // Queues live at the emulator, whose address this is.
    let emulator: Vec<&str> = settings.refresh_queue_url.split('/').take(3).collect();
    let output = tokio::process::Command::new(std::env::current_exe().expect("this program"))
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
        .expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    peak.expect("a figure").div_ceil(1_024)
}

/// The other half of the test above, and nothing when run by itself: does what
/// the parent asks, as the deployed function would, and tells the most memory
/// it ever held.
#[tokio::test]
async fn the_process_of_the_refresh() {
    let Ok(request) = std::env::var(REQUEST) else {
        return;
    };
    let request: RunRequest = serde_json::from_str(&request).expect("invalid request");
    let services = Services::from_environment().await.expect("clients");
    let deadline = Deadline::after(Duration::from_mins(14));
    Box::pin(rollcall_refresh_job::work(&services, request, deadline))
        .await
        .expect("the message is handled");
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find(|line| line.starts_with("VmHWM:"));
    println!("\n{}", peak.expect("a figure"));
}
