//! Schedules of syncs: the index of due syncs, each slot once, one run for missed slots, daylight
//! saving time.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::base::run::RunStatus;
use rollcall_domain::base::schedule::{Job, Slot};
use rollcall_runtime::Deadline;
use rollcall_runtime::events::Tick;
use serde_json::json;

use super::{SyncFixture, count};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("invalid time")
}

/// Ticks process every tenant of the table. Therefore only one of these tests runs at a time, and
/// none leaves a sync that is due.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Runs the sync's tick at a time. The times are in the past, when no other test's sync is due,
/// because a tick processes every tenant of the table.
async fn tick(fixture: &SyncFixture, time: DateTime<Utc>) {
    let tick = Tick {
        tick: "sync".to_owned(),
        time,
    };
    let deadline = Deadline::after(std::time::Duration::from_mins(1));
    let done = Box::pin(rollcall_refresh_job::tick(
        &fixture.app.services,
        &tick,
        deadline,
    ));
    done.await.expect("not handled");
}

/// Returns the slots requested between two times by a tick every ten minutes, each delivered twice.
async fn slots(fixture: &SyncFixture, from: &str, to: &str) -> Vec<String> {
    let (mut now, end) = (at(from), at(to));
    fixture.set(|state| state.due = state.next_due(now)).await;
    let mut found = Vec::new();
    while now < end {
        tick(fixture, now).await;
        tick(fixture, now).await;
        now += TimeDelta::minutes(10);
        let requests = fixture.app.requests(Job::DirectorySync).await;
        found.extend(
            requests
                .iter()
                .map(|request| request.slot.at().format("%m-%dT%H:%MZ").to_string()),
        );
    }
    rest(fixture).await;
    found
}

/// Clears the due time, so that the sync is not due any more.
async fn rest(fixture: &SyncFixture) {
    fixture.set(|state| state.due = None).await;
}

async fn daily(time: &str, zone: &str) -> SyncFixture {
    let fixture = SyncFixture::small().await;
    fixture
        .active(|body| body["strategy"] = json!({"kind": "daily", "time": time, "zone": zone}))
        .await;
    fixture
}

/// Proves S3-18, C-29 and X-04: in the nights of clock changes in London and New York there is
/// exactly one run.
#[tokio::test]
async fn nights_on_which_clocks_change_have_one_run() {
    let _alone = ALONE.lock().await;
    let london = daily("01:30", "Europe/London").await;
    let spring = slots(&london, "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z").await;
    assert_eq!(spring, ["03-29T01:00Z", "03-30T00:30Z"]);
    let autumn = slots(&london, "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z").await;
    assert_eq!(autumn, ["10-25T00:30Z", "10-26T01:30Z"]);
    let york = daily("02:30", "America/New_York").await;
    let spring = slots(&york, "2026-03-07T12:00:00Z", "2026-03-09T12:00:00Z").await;
    assert_eq!(spring, ["03-08T07:00Z", "03-09T06:30Z"]);
    york.set(|state| {
        let strategy = json!({"kind": "daily", "time": "01:30", "zone": "America/New_York"});
        state.config.strategy = serde_json::from_value(strategy).expect("invalid strategy");
    })
    .await;
    let autumn = slots(&york, "2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z").await;
    assert_eq!(autumn, ["11-01T05:30Z", "11-02T06:30Z"]);
}

/// Proves S2-34 and S3-16: the default is 04:00 UTC, and a slot that is requested twice runs once.
#[tokio::test]
async fn a_slot_runs_once() {
    let _alone = ALONE.lock().await;
    let fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    assert_eq!(
        slots(&fixture, "2026-05-01T03:00:00Z", "2026-05-01T04:00:00Z").await,
        [""; 0]
    );
    fixture
        .set(|state| state.due = Some(at("2026-05-01T04:00:00Z")))
        .await;
    tick(&fixture, at("2026-05-01T04:00:00Z")).await;
    let request = fixture.app.requests(Job::DirectorySync).await.remove(0);
    fixture.person("Ada", |ada| ada.job_title = Some("Lead".to_owned()));
    let first = fixture.run_of(&request).await;
    assert_eq!(count(&first, "usersUpdated"), 1);
    fixture.person("Ada", |ada| ada.job_title = Some("Director".to_owned()));
    let again = fixture.run_of(&request).await;
    assert_eq!(again, first, "the second delivery ran again");
    rest(&fixture).await;
}

/// Any number of missed slots results in one run; the next one is on time.
#[tokio::test]
async fn missed_slots_are_one_run() {
    let _alone = ALONE.lock().await;
    let fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    fixture
        .set(|state| state.due = Some(at("2026-05-01T04:00:00Z")))
        .await;
    tick(&fixture, at("2026-05-04T09:17:00Z")).await;
    let requests = fixture.app.requests(Job::DirectorySync).await;
    let slots: Vec<Slot> = requests.iter().map(|request| request.slot).collect();
    assert_eq!(slots, [Slot::of_tick(at("2026-05-01T04:00:00Z"))]);
    assert_eq!(fixture.state().await.due, Some(at("2026-05-05T04:00:00Z")));
    rest(&fixture).await;
}

/// Proves S3-15 and S3-19: a sync that is manual again is never due.
#[tokio::test]
async fn a_manual_sync_is_never_due() {
    let fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    assert!(fixture.state().await.due.is_some());
    fixture
        .save(|body| body["strategy"] = json!({"kind": "manual"}))
        .await
        .expect(200);
    assert_eq!(fixture.state().await.due, None);
    fixture
        .owner
        .post("/v1/sync/runs", json!({}))
        .await
        .expect(202);
    assert_eq!(
        fixture.work().await.expect("no run recorded").status,
        RunStatus::Succeeded
    );
}

/// Of two concurrent runs one works, and the other waits for it.
#[tokio::test]
async fn two_runs_do_not_work_at_once() {
    use rollcall_clients::store::{Lease, SYNC_LEASE};
    let mut fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    let held = Lease::acquire(
        &fixture.app.services.store,
        fixture.app.id,
        SYNC_LEASE,
        std::time::Duration::from_secs(20),
    );
    let held = held
        .await
        .expect("lease request failed")
        .expect("lease taken");
    let request = fixture.request();
    fixture.app.work(&request).await.expect("not handled");
    assert_eq!(fixture.app.requested(Job::DirectorySync).await, 1);
    held.release().await.expect("not released");
}
