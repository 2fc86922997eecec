//! Assigning and unassigning courses.

use rollcall_domain::base::run::RunStatus;
use rollcall_domain::membership::report::ProfileStatus;
use rollcall_simulators::{Fault, FaultKind};

use crate::harness::{TestApp, TestTenant, line};

/// Proves S4-132 and C-38: the group is enrolled in each selected course once, its catalog first.
#[tokio::test]
async fn the_group_is_enrolled_in_each_selected_course_once() {
    let tenant = TestTenant::small().course_of("Compliance", "Privacy");
    let mut app = TestApp::ready(tenant).await;
    app.put_city("Denver", "Denver", &["Security 101", "Privacy"])
        .await;
    let (run, _) = app.maintain().await;
    assert_eq!(app.enrolled("Denver"), ["Privacy", "Security 101"]);
    assert_eq!(
        run.counts["enrolments"], 4,
        "not two catalogs and two courses"
    );
    let writes = app.writes();
    let place = |what: &str| {
        writes
            .iter()
            .position(|write| write.contains(what))
            .expect("no such write")
    };
    assert!(place("CourseCatalogs") < place("/Enroll"), "{writes:?}");
    app.forget_requests();
    let (run, report) = app.maintain().await;
    assert!(app.writes().is_empty());
    assert_eq!(
        (run.counts["enrolments"], line(&report, "Denver").courses),
        (0, 2)
    );
}

/// Proves S4-133 and C-07: a group is unenrolled from a course that is no longer selected; courses
/// that were never selected here are not changed.
#[tokio::test]
async fn an_unselected_course_is_unenrolled_and_others_are_left_alone() {
    let mut app = TestApp::ready(TestTenant::small().course("Made elsewhere")).await;
    app.put_city("Denver", "Denver", &["Security 101", "Fire Safety"])
        .await;
    app.maintained().await;
    let elsewhere = app.course("Made elsewhere").uuid();
    app.edit(|outside| {
        let mut more = outside.group_enrolments[0].clone();
        more.course_id = elsewhere;
        outside.group_enrolments.push(more);
    });
    app.put_city("Denver", "Denver", &["Security 101"]).await;
    let (_, report) = app.maintain().await;
    assert_eq!(app.enrolled("Denver"), ["Made elsewhere", "Security 101"]);
    assert_eq!(line(&report, "Denver").courses, 1);
    app.forget_requests();
    app.maintained().await;
    assert!(
        app.writes().is_empty(),
        "a second run wrote again: {:?}",
        app.writes()
    );
}

fn close(app: &TestApp, course: &str) {
    let path = format!("Courses({})/Enroll", app.course(course));
    let body = serde_json::json!({"error": {"code": "Closed", "message": "The course is closed."}});
    let kind = FaultKind::Status {
        code: 400,
        retry_after: None,
        body: Some(body),
    };
    app.simulators
        .add_fault(app.id.uuid(), Fault::once(&path, kind).at(1, 50));
}

/// Proves S4-134: an error in one course stops neither the others nor other profiles, and is
/// contained in the log and in the mail.
#[tokio::test]
async fn one_course_in_trouble_does_not_stop_the_others() {
    let mut app = TestApp::ready(TestTenant::small().course("Ergonomics")).await;
    app.put_city("Denver", "Denver", &["Ergonomics"]).await;
    app.maintained().await;
    app.put_city(
        "Denver",
        "Denver",
        &["Ergonomics", "Security 101", "Fire Safety"],
    )
    .await;
    app.put_city("Oslo", "Oslo", &["Fire Safety"]).await;
    close(&app, "Security 101");
    let (run, report) = app.maintain().await;
    assert_eq!(run.status, RunStatus::SucceededWithFailures);
    assert_eq!(app.enrolled("Denver"), ["Ergonomics", "Fire Safety"]);
    assert_eq!(app.enrolled("Oslo"), ["Fire Safety"]);
    let denver = line(&report, "Denver");
    assert_eq!(denver.status, ProfileStatus::Failed);
    assert!(
        denver
            .reason
            .as_deref()
            .is_some_and(|reason| reason.contains("The course is closed.")),
        "{denver:?}"
    );
    let told = format!("{:?}", app.told().await);
    assert!(told.contains("The course is closed."), "{told}");
    app.simulators.clear_faults(app.id.uuid());
    app.maintained().await;
    assert_eq!(
        app.enrolled("Denver"),
        ["Ergonomics", "Fire Safety", "Security 101"]
    );
}

/// Proves S4-134 for a catalog that the group has just joined: the error may be caused by the
/// platform's delay, so it counts only if the continuation gets it again.
#[tokio::test]
async fn a_course_refused_right_after_joining_is_reported_by_the_continuation() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    app.put_city("Denver", "Denver", &["Security 101", "Fire Safety"])
        .await;
    close(&app, "Security 101");
    let (run, _) = app.maintain().await;
    assert_eq!(run.status, RunStatus::Continuing);
    assert!(app.told().await.is_empty());
    assert_eq!(app.enrolled("Denver"), ["Fire Safety"]);
    let mut rest = run.request.clone();
    rest.continuation = 1;
    app.work(&rest).await.expect("not handled");
    assert_eq!(
        app.run(&rest).await.status,
        RunStatus::SucceededWithFailures
    );
    let told = format!("{:?}", app.told().await);
    assert!(told.contains("The course is closed."), "{told}");
}

/// Learn365 accepts a group before listing it: the next run enrols it.
#[tokio::test]
async fn a_group_the_platform_does_not_show_yet_is_enrolled_by_the_next_run() {
    let mut app = TestApp::ready(
        TestTenant::small().behaving(|behaviour| behaviour.lms_accept_delay_ms = 4_000),
    )
    .await;
    app.put_city("Denver", "Denver", &["Security 101"]).await;
    let (run, report) = app.maintain().await;
    assert_eq!(run.status, RunStatus::Continuing);
    assert_eq!(line(&report, "Denver").status, ProfileStatus::Unfinished);
    assert_eq!(
        app.requested(rollcall_domain::base::schedule::Job::Maintenance)
            .await,
        1,
        "no continuation was queued"
    );
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let mut rest = run.request.clone();
    rest.continuation = 1;
    app.work(&rest).await.expect("not handled");
    assert_eq!(app.run(&rest).await.status, RunStatus::Succeeded);
    assert_eq!(app.enrolled("Denver"), ["Security 101"]);
}

/// C-38: a known group joins a second catalog, which lists it later: the enrolment there is
/// deferred, and no failure is reported.
#[tokio::test]
async fn a_known_group_that_joins_another_catalog_is_enrolled_there() {
    let mut app = TestApp::ready(TestTenant::small().course_of("Compliance", "Privacy")).await;
    app.put_city("Denver", "Denver", &["Security 101"]).await;
    app.maintained().await;
    app.edit(|outside| outside.world.behaviour.lms_accept_delay_ms = 900);
    app.put_city("Denver", "Denver", &["Security 101", "Privacy"])
        .await;
    let (run, report) = app.maintain().await;
    assert_eq!(run.status, RunStatus::Succeeded, "{report:#?}");
    assert_eq!(app.enrolled("Denver"), ["Privacy", "Security 101"]);
    assert!(app.told().await.is_empty());
}
