//! Tests of rate limits, transient failures, deadlines, and the content of errors.

use super::*;
use crate::http::{HttpSettings, RetryPolicy};

#[tokio::test]
async fn everyone_waits_when_one_is_asked_to() {
    let mut site = Site::with(|can| can.bulk = false).await;
    site.fault(Fault::once(USERS, asks_to_wait(0.6)).method("POST"));
    let began = Instant::now();
    let writes: Vec<Write> = (0..24).map(new_user).collect();
    let all = site.write_all(&writes).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert!(began.elapsed() >= Duration::from_millis(600));
    // At most eight requests were already in flight.
    let log = site.tenant.simulators.requests(site.tenant.uuid());
    let posts: Vec<_> = log.iter().filter(|it| it.method == "POST").collect();
    assert_eq!(posts.len(), 25);
    let refused = posts.iter().filter(|it| it.status == 429).count();
    assert_eq!(refused, 1);
}

#[tokio::test]
async fn no_one_sends_while_the_service_asks_to_wait() {
    let site = Site::start().await;
    site.fault(Fault::once(USERS, asks_to_wait(0.5)));
    let (first, second) = (site.scim.clone(), site.scim.clone());
    let service = site.service;
    let began = Instant::now();
    let first = tokio::spawn(async move { first.users(&service, None).await.map(drop) });
    tokio::time::sleep(Duration::from_millis(150)).await;
    second
        .groups(&service, None)
        .await
        .expect("groups not read");
    assert!(began.elapsed() >= Duration::from_millis(500));
    first.await.expect("a panic").expect("users not read");
    assert_eq!(site.asked("/v2").len(), 3, "{:?}", site.asked("/v2"));
}

#[tokio::test]
async fn a_rate_limit_costs_no_try() {
    let mut site = Site::start().await;
    // More rate limits than attempts, followed by a failure that uses all attempts.
    site.fault(Fault::once(USERS, asks_to_wait(0.01)).at(1, 12));
    site.fault(Fault::once(USERS, down(503)).at(13, 4));
    let users = site.scim.users(&site.service, None).await;
    assert!(users.expect("failed after the rate limit").all.is_empty());
    assert_eq!(site.asked(USERS).len(), 17);

    site.tenant.simulators.clear_faults(site.tenant.uuid());
    let limit = Fault::once(USERS, asks_to_wait(0.01)).method("POST");
    site.fault(limit.at(1, 12));
    site.write(&new_user(1))
        .await
        .expect("failed after the rate limit");
    assert_eq!(site.state().users.len(), 1);
}

#[tokio::test]
async fn a_service_that_takes_few_requests_gets_few() {
    let mut site = Site::with(|can| {
        can.bulk = false;
        can.requests_per_second = Some(10);
    })
    .await;
    let writes: Vec<Write> = (0..16).map(new_user).collect();
    let all = site.write_all(&writes).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(site.state().users.len(), 16);
    // With eight concurrent requests, no more than eight can be rejected in a second.
    let asked = site.asked(USERS);
    let refused = asked.iter().filter(|it| it.starts_with("429")).count();
    assert!((1..=16).contains(&refused), "{asked:?}");
}

#[tokio::test]
async fn a_pause_of_nothing_is_no_reason_to_ask_without_end() {
    let site = Site::start().await;
    site.fault(Fault::once(USERS, asks_to_wait(0.0)).at(1, u32::MAX));
    let retry = RetryPolicy {
        first_pause: Duration::from_millis(60),
        ..RetryPolicy::default()
    };
    let settings = HttpSettings {
        retry,
        ..HttpSettings::default()
    };
    let scim = Scim {
        http: Http::new(settings).expect("no client"),
        ..site.scim.clone()
    };
    let scim = scim.with_deadline(Instant::now() + Duration::from_millis(200));
    let error = scim.users(&site.service, None).await;
    assert_eq!(error.expect_err("no rate limit").status(), Some(429));
    let asked = site.asked(USERS).len();
    assert!((2..=4).contains(&asked), "{asked}");
}

#[tokio::test]
async fn no_one_waits_past_the_deadline() {
    for kind in [asks_to_wait(2.0), down(503)] {
        let mut site = Site::start().await;
        site.fault(Fault::once("/v2/", kind).at(1, u32::MAX));
        let deadline = Instant::now() + Duration::from_millis(100);
        site.scim = site.scim.clone().with_deadline(deadline);
        // The longest pause between attempts in tests.
        let began = Instant::now();
        site.scim
            .users(&site.service, None)
            .await
            .expect_err("no error of a busy service");
        site.write(&new_user(1))
            .await
            .expect_err("no error of a busy service");
        let all = site.write_all(&[new_user(2), new_user(3)]).await;
        assert!(all.iter().all(Result::is_err));
        assert!(
            began.elapsed() < Duration::from_millis(900),
            "{:?}",
            began.elapsed()
        );
    }
}

#[tokio::test]
async fn a_wish_to_wait_too_long_is_reported_to_all() {
    let site = Site::start().await;
    site.fault(Fault::once(USERS, asks_to_wait(3_600.0)));
    let began = Instant::now();
    let error = site.scim.users(&site.service, None).await;
    assert_eq!(error.expect_err("no error").status(), Some(429));
    let error = site.scim.groups(&site.service, None).await;
    let error = error.expect_err("waited for the rate limit");
    assert!(matches!(error, ApiError::Timeout { .. }), "{error:?}");
    assert!(site.asked(GROUPS).is_empty());
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn failures_that_pass_are_waited_out() {
    for kind in [
        down(500),
        down(503),
        down(408),
        FaultKind::Drop,
        FaultKind::LoseAnswer,
    ] {
        let mut site = Site::start().await;
        site.people(1..2).await;
        site.fault(Fault::once(USERS, kind.clone()).at(1, 4));
        let change = set_user(&site, 1, [(Field::JobTitle, Some("Lead"))]);
        site.write(&change).await.expect("the fifth attempt failed");
        assert_eq!(site.user(1)["title"], "Lead", "{kind:?}");
    }
}

#[tokio::test]
async fn what_is_not_implemented_is_asked_once() {
    let site = Site::with(|can| can.patch = false).await;
    let change = json!({"schemas": [], "Operations": []});
    let error = site
        .scim
        .change(reqwest::Method::PATCH, "/Users/1", &change);
    assert_eq!(error.await.err().and_then(|it| it.status()), Some(501));
    assert_eq!(site.asked("/v2").len(), 1);
}

#[tokio::test]
async fn no_error_shows_a_secret() {
    let (_stub, scim) = stub(|_, _| (403, refusal(403, "No."))).await;
    let mirror = TargetReplica::new(Platform::default());
    let service = all_but_bulk();
    let read = scim.users(&service, None).await.expect_err("not refused");
    let written = scim.write(&new_user(1), &mirror, &service, LANGUAGE).await;
    let written = written.expect_err("not refused");
    let nowhere = Scim::new(quick(), "http://127.0.0.1:1", Secret::new("the-token"));
    let nowhere = nowhere.expect("invalid URL");
    let deadline = Instant::now() + Duration::from_millis(50);
    let nobody = nowhere.with_deadline(deadline).counts().await;
    let nobody = nobody.expect_err("no server must respond");
    for error in [read, written, nobody] {
        let shown = format!("{scim:?} {error} {error:?}");
        assert!(!shown.contains("the-token"), "{shown}");
        assert!(!shown.contains("contoso"), "{shown}");
    }
}

#[tokio::test]
async fn requests_are_counted() {
    let mut site = Site::start().await;
    let before = site.scim.requests();
    site.fault(Fault::once(USERS, down(503)).method("GET"));
    site.people(0..5).await;
    let clone = site.scim.clone();
    clone
        .users(&site.service, None)
        .await
        .expect("users not read");
    assert_eq!(site.scim.requests() - before, 3);
}
