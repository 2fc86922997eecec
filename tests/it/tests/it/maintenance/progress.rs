//! F-1: every invocation of a run achieves something new, or the run ends. What fails or does not
//! respond must not keep the rest from being done.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use rollcall_domain::base::run::{RunStatus, Trigger};
use rollcall_domain::base::schedule::{Job, Slot};
use rollcall_domain::membership::report::ProfileStatus;
use rollcall_simulators::FaultKind;
use serde_json::json;

use crate::harness::{TestApp, TestTenant, line};

const CITIES: [&str; 3] = ["Bergen", "Denver", "Oslo"];

/// A tenant with a profile for each of three cities, each with one course.
async fn three_cities() -> TestApp {
    let tenant = TestTenant::small().person("Kari", "Bergen");
    let app = TestApp::ready(tenant).await;
    for city in CITIES {
        app.put_city(city, city, &["Security 101"]).await;
    }
    app
}

fn unavailable() -> FaultKind {
    FaultKind::Status {
        code: 503,
        retry_after: None,
        body: None,
    }
}

/// Returns the number of requests that the learning platform received.
fn lms_requests(app: &TestApp) -> usize {
    let requests = app.simulators.requests(app.id.uuid());
    let lms = requests
        .iter()
        .filter(|request| request.path.contains("/odata/v2"));
    lms.count()
}

/// A learning platform that does not respond costs two requests and not two for each profile;
/// memberships are not affected, and a delayed continuation enrols the groups.
#[tokio::test]
async fn a_platform_that_does_not_respond_stops_no_membership() {
    let mut app = three_cities().await;
    app.notices().await;
    app.forget_requests();
    app.fault("/odata/v2", FaultKind::Drop, 1, 1_000);
    let (run, report) = app.maintain().await;
    assert_eq!(run.status, RunStatus::Continuing, "{report:#?}");
    for city in CITIES {
        assert_eq!(
            app.members(city).expect("no such group").len(),
            people_in(city)
        );
        assert_eq!(
            line(&report, city).status,
            ProfileStatus::Unfinished,
            "{city}"
        );
        let reason = line(&report, city).reason.clone().unwrap_or_default();
        assert!(reason.contains("Learn365 does not respond"), "{reason}");
    }
    assert_eq!(lms_requests(&app), 2, "it was asked again and again");
    assert_eq!(app.requested(Job::Maintenance).await, 1);
    assert!(
        app.requests(Job::Maintenance).await.is_empty(),
        "not delayed"
    );
    assert!(app.told().await.is_empty(), "a failure was announced");
    app.clear_faults();
    let (run, report) = app.continue_run(&run).await;
    assert_eq!(run.status, RunStatus::Succeeded, "{report:#?}");
    for city in CITIES {
        assert_eq!(app.enrolled(city), ["Security 101"], "{city}");
        assert_eq!(
            line(&report, city).added.done,
            people_in(city),
            "the report lacks what the first invocation did"
        );
    }
}

fn people_in(city: &str) -> usize {
    if city == "Denver" { 2 } else { 1 }
}

/// If it does not respond for long, the run ends, and administrators are notified.
#[tokio::test]
async fn a_platform_that_never_responds_ends_the_run_with_its_reason() {
    let mut app = three_cities().await;
    app.notices().await;
    app.fault("/odata/v2", FaultKind::Drop, 1, 1_000);
    let (mut run, _) = app.maintain().await;
    run.request.continuation = 9;
    let (run, report) = app.continue_run(&run).await;
    assert_eq!(run.status, RunStatus::SucceededWithFailures, "{report:#?}");
    let told = format!("{:?}", app.told().await);
    assert!(told.contains("Learn365 does not respond"), "{told}");
}

/// Learn365 answering each request with a server error stops the requests after three profiles.
#[tokio::test]
async fn server_errors_of_the_platform_stop_the_requests_too() {
    let mut app = three_cities().await;
    for city in ["A", "B", "C"] {
        app.put_city(city, "Denver", &["Security 101"]).await;
    }
    app.forget_requests();
    app.fault("/odata/v2", unavailable(), 1, 1_000);
    let (_, report) = app.maintain().await;
    let failed = |title: &&str| line(&report, title).status == ProfileStatus::Failed;
    let titles = ["A", "B", "Bergen", "C", "Denver", "Oslo"];
    assert_eq!(
        titles.iter().filter(|title| failed(title)).count(),
        3,
        "{report:#?}"
    );
    assert_eq!(
        lms_requests(&app),
        15,
        "three profiles with five attempts each"
    );
}

/// A pause that Learn365 asks for is a delay and no failure.
#[tokio::test]
async fn a_long_pause_of_the_platform_is_no_failure() {
    let mut app = three_cities().await;
    app.notices().await;
    app.forget_requests();
    let pause = FaultKind::Status {
        code: 429,
        retry_after: Some(400.0),
        body: None,
    };
    app.fault("/odata/v2", pause, 1, 1_000);
    let (run, report) = app.maintain().await;
    assert_eq!(run.status, RunStatus::Continuing, "{report:#?}");
    assert_eq!(lms_requests(&app), 1);
    assert!(
        app.requests(Job::Maintenance).await.is_empty(),
        "not delayed"
    );
    assert!(app.told().await.is_empty(), "a failure was announced");
}

/// A continuation first updates the profiles that were not tried, and those that failed last, after
/// the enrolments.
#[tokio::test]
async fn a_profile_that_failed_is_tried_last() {
    let mut app = three_cities().await;
    app.maintained().await;
    for city in CITIES {
        app.edit_members(city, &["Ada", "Grace"], &[]);
    }
    app.put_city("Oslo", "Oslo", &["Security 101", "Fire Safety"])
        .await;
    let mut request = app.request(Job::Maintenance);
    request.trigger = Trigger::by_hand("it@contoso.example");
    // The first invocation ended after Bergen had failed.
    let slot = request.slot.at();
    app.change_state("Bergen", |state| {
        state.status = Some(ProfileStatus::Failed);
        state.reason = Some("refused".to_owned());
        state.evaluated_at = Some(slot);
    })
    .await;
    for city in CITIES {
        app.forget_kept(app.profile(city).await.id).await;
    }
    request.continuation = 1;
    app.forget_requests();
    app.work(&request).await.expect("not handled");
    let run = app.run(&request).await;
    let report = app.report(&run).await;
    assert_eq!(run.status, RunStatus::Succeeded, "{report:#?}");
    let writes = app.writes();
    let group = app
        .state("Bergen")
        .await
        .group
        .expect("no group")
        .to_string();
    let place = |part: &str| {
        let found = writes.iter().position(|write| write.contains(part));
        found.unwrap_or_else(|| panic!("no {part} in {writes:?}"))
    };
    assert!(place("/Enroll") < place(&group), "{writes:?}");
    for city in CITIES {
        let members = app.members(city).expect("no such group");
        assert_eq!(members.len(), people_in(city), "{city}: {members:?}");
    }
}

/// An invocation that does nothing new ends the run with the reason, long before the limit of
/// continuations.
#[tokio::test]
async fn an_invocation_without_progress_ends_the_run() {
    let mut app = three_cities().await;
    app.fault("/$batch", FaultKind::Delay { ms: 600 }, 1, 1_000);
    let request = app.request(Job::Maintenance);
    let ended = app.work_within(&request, Duration::from_millis(300)).await;
    ended.expect("not handled");
    let run = app.run(&request).await;
    assert_eq!(run.status, RunStatus::Failed, "{run:?}");
    assert!(
        run.error
            .is_some_and(|error| error.contains("made no progress"))
    );
    assert_eq!(app.requested(Job::Maintenance).await, 0);
}

/// F-12: a late run evaluates relative dates as of the data it uses, and not as of its slot.
#[tokio::test]
async fn a_late_run_evaluates_relative_dates_as_of_its_data() {
    let completed = Utc::now() - TimeDelta::hours(30);
    let tenant = TestTenant::small().completed("Ada", "Security 101", completed);
    let mut app = TestApp::ready(tenant).await;
    let course = format!("course:{}", app.course("Security 101"));
    app.put("Recent", |profile| {
        profile.filter.activities = Some(json!({"combinator": "and", "rules": [
            {"field": course, "operator": "completedInLast", "value": 1}]}));
    })
    .await;
    let mut late = app.request(Job::Maintenance);
    // At this time the completion was ten hours ago.
    late.slot = Slot::of_tick(Utc::now() - TimeDelta::hours(20));
    app.work(&late).await.expect("not handled");
    assert_eq!(app.run(&late).await.status, RunStatus::Succeeded);
    assert_eq!(
        app.members("Recent").expect("no such group"),
        Vec::<String>::new()
    );
}
