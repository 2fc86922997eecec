//! Users whose account was deleted in Entra while the learning platform still lists it.

use rollcall_domain::base::run::Trigger;
use rollcall_domain::base::schedule::Job;
use rollcall_simulators::UnknownMember;

use super::*;

/// A tenant whose platform keeps the accounts of deleted users, and whose Graph answers with this
/// text.
async fn with_a_leaver(text: UnknownMember) -> TestApp {
    let tenant = TestTenant::small().behaving(|behaviour| {
        behaviour.lms_keeps_deleted_accounts = true;
        behaviour.unknown_member = text;
    });
    let app = TestApp::ready(tenant).await;
    let leaver = app.object("Ada");
    assert!(app.edit(|outside| outside.delete_user(leaver)));
    app
}

/// Proves H-1 and H-2 for both texts: an account that does not exist is no failure of any group; it
/// is tried for one group only, counts as a user without an account, and is reported once.
#[tokio::test]
async fn an_account_that_is_gone_fails_no_group_and_is_tried_once() {
    for text in [UnknownMember::NotFound, UnknownMember::BadReference] {
        let mut app = with_a_leaver(text).await;
        app.refresh().await;
        for title in ["Denver", "Denver too", "Denver again"] {
            app.put_city(title, "Denver", &[]).await;
        }
        app.notices().await;
        app.forget_requests();
        let (run, report) = app.maintain().await;
        assert_eq!(run.status, RunStatus::Succeeded, "{text:?}: {report:#?}");
        for title in ["Denver", "Denver too", "Denver again"] {
            assert_eq!(app.members(title).expect("no such group"), ["Alan"]);
            assert_eq!(line(&report, title).unreachable, 1, "{text:?}: {title}");
        }
        assert_eq!(report.notes.len(), 1);
        assert!(report.notes[0].contains("Ada"), "{:?}", report.notes);
        assert!(app.told().await.is_empty(), "a failure was announced");
        let leaver = app.object("Ada").to_string();
        let tried = app.writes();
        let tried = tried.iter().filter(|write| write.contains(&leaver));
        assert!(tried.count() <= 1, "{text:?}: {:?}", app.writes());
    }
}

/// Proves F-6: a leaver's membership ends with the account, and Graph's 404 then names the group.
/// Removing it again is no failure.
#[tokio::test]
async fn removing_someone_who_left_is_no_failure() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    app.put_city("Denver", "Denver", &[]).await;
    app.maintained().await;
    let leaver = app.object("Ada");
    app.edit(|outside| {
        assert!(outside.delete_user(leaver));
        outside
            .world
            .people
            .retain(|person| person.display_name != "Ada");
    });
    app.refresh().await;
    let (run, report) = app.maintain().await;
    assert_eq!(run.status, RunStatus::Succeeded, "{report:#?}");
    assert_eq!(app.members("Denver").expect("no such group"), ["Alan"]);
}

/// Proves F-7 and H-3: a pause that Graph asks for, at whatever request, ends the invocation without
/// a failure, and the continuation begins after it.
#[tokio::test]
async fn a_long_pause_delays_the_continuation() {
    for path in ["/members", "/groups/", "/groups(", "/$batch"] {
        let mut app = TestApp::ready(TestTenant::small()).await;
        app.put_city("Denver", "Denver", &[]).await;
        app.maintained().await;
        app.put_city("Oslo", "Oslo", &[]).await;
        app.notices().await;
        let pause = FaultKind::Status {
            code: 429,
            retry_after: Some(400.0),
            body: None,
        };
        app.fault(path, pause, 1, 50);
        let mut request = app.request(Job::Maintenance);
        request.trigger = Trigger::by_hand("it@contoso.example");
        app.work(&request).await.expect("not handled");
        let run = app.run(&request).await;
        assert_eq!(run.status, RunStatus::Continuing, "{path}: {run:?}");
        assert!(
            app.told().await.is_empty(),
            "{path}: a failure was announced"
        );
        assert_eq!(app.requested(Job::Maintenance).await, 1, "{path}");
        let at_once = app.requests(Job::Maintenance).await;
        assert!(
            at_once.is_empty(),
            "{path}: the continuation is not delayed"
        );
    }
}
