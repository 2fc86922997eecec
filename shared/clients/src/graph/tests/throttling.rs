//! Tests of throttling, errors and timeouts: nothing is lost, and only failed parts are retried.

use std::time::Duration;

use rollcall_simulators::{Fault, FaultKind, Throttle};
use tokio::time::Instant;

use super::*;

fn down(code: u16, retry_after: Option<f64>) -> FaultKind {
    FaultKind::Status {
        code,
        retry_after,
        body: None,
    }
}

#[tokio::test]
async fn throttled_parts_alone_are_repeated_after_the_longest_wait() {
    let (tenant, people) = tenant_with(100, |_| {}).await;
    let fault = |wait, at| {
        Fault::once("/groups/", down(429, Some(wait)))
            .method("PATCH")
            .at(at, 1)
    };
    tenant.simulators.add_fault(tenant.uuid(), fault(0.05, 2));
    tenant.simulators.add_fault(tenant.uuid(), fault(0.4, 4));
    let (graph, started) = (writer_of(&tenant), Instant::now());
    let outcomes = graph
        .apply_members(target(), &people, &[], &mut AlwaysGo)
        .await;
    assert_eq!(outcomes.add_counts().done, 100);
    assert_eq!(
        (
            graph.reader().stats().http_requests,
            graph.reader().stats().sub_requests
        ),
        (2, 7)
    );
    assert!(started.elapsed() >= Duration::from_millis(400));
}

#[tokio::test]
async fn a_quota_that_is_used_up_delays_but_loses_nothing() {
    let throttle = Throttle {
        writes_per_window: 4,
        window_ms: 300,
        ..Throttle::default()
    };
    let (tenant, people) =
        tenant_with(200, |world| world.behaviour.throttle = Some(throttle)).await;
    let outcomes = writer_of(&tenant)
        .apply_members(target(), &people, &[], &mut AlwaysGo)
        .await;
    assert_eq!(outcomes.add_counts().done, 200);
    assert_eq!(members_in(&tenant, target()).len(), 200);
}

#[tokio::test]
async fn our_own_quota_waits_instead_of_being_throttled() {
    let throttle = Throttle {
        writes_per_window: 10,
        window_ms: 400,
        ..Throttle::default()
    };
    let (tenant, people) =
        tenant_with(400, |world| world.behaviour.throttle = Some(throttle)).await;
    // Five writes at once and five more within the window: never more than ten in any window.
    let graph = writer_of(&tenant).with_quota(Quota::new(5, Duration::from_millis(450)));
    let outcomes = graph
        .apply_members(target(), &people, &[], &mut AlwaysGo)
        .await;
    assert_eq!(outcomes.add_counts().done, 400);
    let log = tenant.simulators.requests(tenant.uuid());
    assert!(log.iter().all(|request| request.status != 429));
}

/// Proves H-3: throttling is no failure, however often it is repeated.
#[tokio::test]
async fn what_stays_throttled_is_left_for_another_time() {
    let (tenant, people) = tenant_with(40, |_| {}).await;
    let fault = Fault::once("/groups/", down(429, Some(0.001)))
        .method("PATCH")
        .at(1, u32::MAX);
    tenant.simulators.add_fault(tenant.uuid(), fault);
    let graph = writer_of(&tenant).with_quota(Quota::new(100_000, Duration::from_secs(1)));
    let outcomes = graph
        .apply_members(target(), &people, &[], &mut AlwaysGo)
        .await;
    let counts = outcomes.add_counts();
    assert_eq!((counts.failed, counts.deferred), (0, 40));
}

/// Proves H-3: the pace follows Graph's responses. A PATCH costs seven and refused requests
/// prolong the window; everything is added, and refusals are a small part of all requests.
#[tokio::test]
async fn the_pace_follows_a_quota_that_is_smaller_than_ours() {
    let throttle = Throttle {
        writes_per_window: 140,
        window_ms: 500,
        member_patch_cost: 7,
        penalty_ms: 20,
    };
    let (tenant, people) =
        tenant_with(3_000, |world| world.behaviour.throttle = Some(throttle)).await;
    let graph = writer_of(&tenant).with_quota(Quota::new(140, Duration::from_millis(500)));
    let outcomes = graph
        .apply_members(target(), &people, &[], &mut AlwaysGo)
        .await;
    assert_eq!(outcomes.add_counts().done, 3_000);
    let log = tenant.simulators.requests(tenant.uuid());
    let parts = log.iter().filter(|request| request.in_batch);
    let (refused, all) = parts.fold((0, 0), |(refused, all), it| {
        (refused + u32::from(it.status == 429), all + 1)
    });
    assert!(
        refused * 3 <= all,
        "{refused} of {all} requests were refused"
    );
}

/// Proves F-7: a pause that Graph asks for concerns all requests of the app to the tenant: other
/// groups are not tried meanwhile, and reads only wait if they are meant.
#[tokio::test]
async fn a_long_pause_concerns_every_group_of_the_tenant() {
    let (tenant, people) = tenant_with(40, |_| {}).await;
    let fault = Fault::once("/groups/", down(429, Some(900.0)))
        .method("PATCH")
        .at(1, 1);
    tenant.simulators.add_fault(tenant.uuid(), fault);
    let graph = writer_of(&tenant);
    let first = graph
        .apply_members(target(), &people[..20], &[], &mut AlwaysGo)
        .await;
    assert_eq!(first.add_counts().deferred, 20);
    let sent = graph.reader().stats().requests();
    let other = graph
        .apply_members(object(7), &people[20..], &[], &mut AlwaysGo)
        .await;
    assert_eq!(other.add_counts().deferred, 20);
    assert_eq!(graph.reader().stats().requests(), sent);
    let pause = graph.throttled_for().expect("no pause");
    assert!(pause > Duration::from_secs(890), "{pause:?}");
    let read = graph.reader().members_of(&[target()]).await;
    assert!(read.is_err_and(|error| error.is_throttled()));
}

#[tokio::test]
async fn a_wish_to_wait_too_long_leaves_the_rest_for_another_time() {
    let (tenant, people) = tenant_with(40, |_| {}).await;
    let fault = Fault::once("/groups/", down(429, Some(900.0)))
        .method("PATCH")
        .at(2, u32::MAX);
    tenant.simulators.add_fault(tenant.uuid(), fault);
    let outcomes = writer_of(&tenant)
        .apply_members(target(), &people, &[], &mut AlwaysGo)
        .await;
    let counts = outcomes.add_counts();
    assert_eq!((counts.done, counts.deferred), (20, 20));
}

#[tokio::test]
async fn a_batch_that_fails_as_a_whole_is_repeated() {
    for kind in [down(503, None), down(429, Some(0.01)), FaultKind::Drop] {
        let (tenant, people) = tenant_with(60, |_| {}).await;
        tenant
            .simulators
            .add_fault(tenant.uuid(), Fault::once("$batch", kind.clone()));
        let outcomes = writer_of(&tenant)
            .apply_members(target(), &people, &[], &mut AlwaysGo)
            .await;
        assert_eq!(outcomes.add_counts().done, 60, "{kind:?}");
    }
}

#[tokio::test]
async fn a_batch_whose_answer_was_lost_ends_as_already_done() {
    let (tenant, people) = tenant_with(60, |_| {}).await;
    let (graph, removes) = (writer_of(&tenant), &people[..5]);
    tenant
        .simulators
        .add_fault(tenant.uuid(), Fault::once("$batch", FaultKind::LoseAnswer));
    let outcomes = graph
        .apply_members(target(), &people, &[], &mut AlwaysGo)
        .await;
    assert_eq!(outcomes.add_counts().already, 60);
    assert_eq!(members_in(&tenant, target()).len(), 60);
    tenant
        .simulators
        .add_fault(tenant.uuid(), Fault::once("$batch", FaultKind::LoseAnswer));
    let outcomes = graph
        .apply_members(target(), &[], removes, &mut AlwaysGo)
        .await;
    assert_eq!(outcomes.remove_counts().already, 5);
    assert!(is_complete(&outcomes));
}

#[tokio::test]
async fn a_part_that_refuses_the_token_is_sent_once_more_with_a_new_one() {
    let (tenant, people) = tenant_with(60, |_| {}).await;
    let fault = |times| {
        Fault::once("/groups/", down(401, None))
            .method("PATCH")
            .at(1, times)
    };
    tenant.simulators.add_fault(tenant.uuid(), fault(1));
    let graph = writer_of(&tenant);
    let outcomes = graph
        .apply_members(target(), &people[..20], &[], &mut AlwaysGo)
        .await;
    assert_eq!(outcomes.add_counts().done, 20);
    assert_eq!(tenant.asked("/token").len(), 2);
    tenant.simulators.add_fault(tenant.uuid(), fault(u32::MAX));
    let outcomes = graph
        .apply_members(target(), &people[20..40], &[], &mut AlwaysGo)
        .await;
    assert_eq!(outcomes.add_counts().failed, 20);
}

#[tokio::test]
async fn a_slow_or_nonsensical_batch_is_repeated() {
    let (tenant, people) = tenant_with(20, |_| {}).await;
    tenant.simulators.add_fault(
        tenant.uuid(),
        Fault::once("$batch", FaultKind::Delay { ms: 1_200 }),
    );
    let outcomes = writer_of(&tenant)
        .apply_members(target(), &people, &[], &mut AlwaysGo)
        .await;
    assert!(
        is_complete(&outcomes),
        "not retried after the timeout: {outcomes:?}"
    );

    tenant
        .simulators
        .add_fault(tenant.uuid(), Fault::once("$batch", FaultKind::BrokenJson));
    let outcomes = writer_of(&tenant)
        .apply_members(target(), &[], &people, &mut AlwaysGo)
        .await;
    assert_eq!(outcomes.remove_counts().already, 20);
}
