//! Tests of adding and removing members: batching, splitting, classifying, stopping.

use std::sync::atomic::{AtomicU32, Ordering};

use rollcall_domain::base::outcome::ChangeTally;
use rollcall_simulators::{Fault, FaultKind, RequestRecord, UnknownMember};

use super::*;

/// Returns the number of outcomes that are done, already so, failed and deferred.
fn numbers(tally: &ChangeTally) -> [usize; 4] {
    [tally.done, tally.already, tally.failed, tally.deferred]
}

fn log(tenant: &Tenant) -> Vec<RequestRecord> {
    let log = tenant.simulators.requests(tenant.uuid());
    log.into_iter()
        .filter(|r| r.path.contains("/graph/") || r.in_batch)
        .collect()
}

#[tokio::test]
async fn a_thousand_adds_are_fifty_patches_in_ten_batches() {
    let (tenant, people) = tenant_with(1_000, |_| {}).await;
    let graph = writer_of(&tenant);
    let outcomes = graph
        .apply_members(target(), &people, &[], &mut AlwaysGo)
        .await;
    assert_eq!(numbers(&outcomes.add_counts()), [1_000, 0, 0, 0]);
    assert!(is_complete(&outcomes));
    assert_eq!(members_in(&tenant, target()).len(), 1_000);
    let stats = graph.reader().stats();
    assert_eq!(
        (stats.http_requests, stats.sub_requests, stats.writes),
        (10, 50, 50)
    );
    assert!(
        log(&tenant)
            .iter()
            .filter(|r| r.in_batch)
            .all(|r| r.method == "PATCH")
    );
}

#[tokio::test]
async fn removes_follow_adds_twenty_to_a_batch_and_never_delete_a_person() {
    let (tenant, people) = tenant_with(60, |_| {}).await;
    let graph = writer_of(&tenant);
    let (old, new) = people.split_at(45);
    let filled = graph.apply_members(target(), old, &[], &mut AlwaysGo).await;
    assert!(is_complete(&filled));
    tenant.simulators.clear_requests(tenant.uuid());
    let outcomes = graph.apply_members(target(), new, old, &mut AlwaysGo).await;
    assert_eq!(
        (
            numbers(&outcomes.add_counts()),
            numbers(&outcomes.remove_counts())
        ),
        ([15, 0, 0, 0], [45, 0, 0, 0])
    );
    assert_eq!(members_in(&tenant, target()), new.iter().copied().collect());

    let parts: Vec<_> = log(&tenant).into_iter().filter(|r| r.in_batch).collect();
    let first_delete = parts
        .iter()
        .position(|r| r.method == "DELETE")
        .expect("removes");
    assert!(parts[..first_delete].iter().all(|r| r.method == "PATCH"));
    assert!(
        parts[first_delete..]
            .iter()
            .all(|r| r.path.ends_with("/$ref"))
    );
    assert_eq!(log(&tenant).iter().filter(|r| !r.in_batch).count(), 1 + 3);
    let state = tenant
        .simulators
        .dump(tenant.uuid())
        .expect("unknown tenant");
    assert!(!state.user_deleted_by_mistake);
}

#[tokio::test]
async fn someone_already_there_or_unknown_costs_only_their_own_twenty() {
    let (tenant, people) = tenant_with(60, |_| {}).await;
    let graph = writer_of(&tenant);
    let before = graph
        .apply_members(target(), &people[3..4], &[], &mut AlwaysGo)
        .await;
    assert!(is_complete(&before));
    let unknown = object(0xdead);
    let adds: Vec<ObjectId> = people.iter().copied().chain([unknown]).collect();
    let outcomes = graph
        .apply_members(target(), &adds, &[], &mut AlwaysGo)
        .await;
    assert_eq!(numbers(&outcomes.add_counts()), [59, 1, 0, 0]);
    assert_eq!(outcomes.adds[&people[3]], Outcome::AlreadySo);
    assert_eq!(outcomes.missing, [unknown].into());
    assert_eq!(members_in(&tenant, target()).len(), 60);
}

#[tokio::test]
async fn removing_someone_who_is_not_there_is_already_so() {
    let (tenant, people) = tenant_with(3, |_| {}).await;
    let graph = writer_of(&tenant);
    let filled = graph
        .apply_members(target(), &people[..1], &[], &mut AlwaysGo)
        .await;
    assert!(is_complete(&filled));
    let gone = object(0xdead);
    let removes = [people[0], people[1], gone];
    let outcomes = graph
        .apply_members(target(), &[], &removes, &mut AlwaysGo)
        .await;
    assert_eq!(outcomes.removes[&people[0]], Outcome::Done);
    assert_eq!(outcomes.removes[&people[1]], Outcome::AlreadySo);
    assert_eq!(outcomes.removes[&gone], Outcome::AlreadySo);
}

#[tokio::test]
async fn a_new_group_that_is_not_everywhere_yet_is_waited_for_with_one_request() {
    let (tenant, people) =
        tenant_with(200, |world| world.behaviour.group_replication_ms = 250).await;
    let graph = writer_of(&tenant);
    let spec = GroupSpec {
        unique_name: "new".into(),
        display_name: "New".into(),
        description: String::new(),
        mail_nickname: "new".into(),
    };
    let group = graph.ensure_group(&spec).await.expect("not created").id;
    let outcomes = graph
        .apply_members(group, &people, &[], &mut AlwaysGo)
        .await;
    assert_eq!(numbers(&outcomes.add_counts()), [200, 0, 0, 0]);
    assert_eq!(members_in(&tenant, group).len(), 200);
    let refused = log(&tenant)
        .iter()
        .filter(|r| r.in_batch && r.status == 400)
        .count();
    assert!(
        (10..=18).contains(&refused),
        "ten in the first round, then one at a time: {refused}"
    );
}

#[tokio::test]
async fn a_group_that_never_appears_is_a_failure_of_every_member() {
    let (tenant, people) = tenant_with(30, |_| {}).await;
    let graph = writer_of(&tenant);
    let outcomes = graph
        .apply_members(object(0x404), &people, &people[..2], &mut AlwaysGo)
        .await;
    assert_eq!(
        (
            outcomes.add_counts().failed,
            outcomes.remove_counts().failed
        ),
        (30, 2)
    );
    let gone = "the group does not exist in Microsoft Entra (any more)";
    assert_eq!(outcomes.adds[&people[0]], Outcome::Failed(gone.into()));
}

#[tokio::test]
async fn a_group_that_cannot_be_managed_is_not_tried_member_by_member() {
    let (tenant, people) = tenant_with(40, |world| {
        let target = world.groups.last_mut().expect("no target group");
        target.on_premises_synced = true;
    })
    .await;
    let graph = writer_of(&tenant);
    let outcomes = graph
        .apply_members(target(), &people, &[], &mut AlwaysGo)
        .await;
    assert_eq!(outcomes.add_counts().failed, 40);
    assert_eq!(graph.reader().stats().sub_requests, 2);
}

/// A gate that closes after some batches.
struct Closing {
    left: u32,
    asked: Vec<u32>,
}

impl WriteGate for Closing {
    async fn go(&mut self, requests: u32) -> bool {
        self.asked.push(requests);
        let go = self.left > 0;
        self.left = self.left.saturating_sub(1);
        go
    }
}

#[tokio::test]
async fn a_gate_that_closes_leaves_the_rest_for_another_time() {
    let (tenant, people) = tenant_with(1_000, |_| {}).await;
    let graph = writer_of(&tenant);
    let mut gate = Closing {
        left: 3,
        asked: Vec::new(),
    };
    let absent = [object(1), object(2)];
    let outcomes = graph
        .apply_members(target(), &people, &absent, &mut gate)
        .await;
    assert_eq!(numbers(&outcomes.add_counts()), [300, 0, 0, 700]);
    assert_eq!(outcomes.remove_counts().deferred, 2);
    assert_eq!(gate.asked, [5, 5, 5, 5]);
    assert_eq!(members_in(&tenant, target()).len(), 300);
}

#[tokio::test]
async fn past_the_deadline_nothing_is_sent() {
    let (tenant, people) = tenant_with(20, |_| {}).await;
    let graph = writer_of(&tenant).with_deadline(Instant::now());
    let outcomes = graph
        .apply_members(target(), &people, &[], &mut AlwaysGo)
        .await;
    assert_eq!(outcomes.add_counts().deferred, 20);
    assert_eq!(graph.reader().stats().http_requests, 0);
}

#[tokio::test]
async fn an_unknown_refusal_fails_with_its_text_and_only_for_whom_it_concerns() {
    let bad = object(2);
    let (_stub, graph) = stub_writer(move |_, body| {
        if body.to_string().contains(&bad.to_string()) {
            return (400, refused("A novelty."));
        }
        (204, Value::Null)
    })
    .await;
    let adds = [object(1), bad, object(3)];
    let outcomes = graph
        .apply_members(target(), &adds, &[], &mut AlwaysGo)
        .await;
    assert_eq!(numbers(&outcomes.add_counts()), [2, 0, 1, 0]);
    let text = "Microsoft Graph refused with status 400 (Request_BadRequest): A novelty.";
    assert_eq!(outcomes.adds[&bad], Outcome::Failed(text.into()));
}

#[tokio::test]
async fn a_guest_who_may_not_join_fails_alone() {
    let guest = object(2);
    let (_stub, graph) = stub_writer(move |_, body| {
        if body.to_string().contains(&guest.to_string()) {
            return (
                403,
                refused("Guests users are not allowed to join this Unified Group."),
            );
        }
        (204, Value::Null)
    })
    .await;
    let adds = [object(1), guest, object(3)];
    let outcomes = graph
        .apply_members(target(), &adds, &[], &mut AlwaysGo)
        .await;
    let reason = "guests are not allowed to join this group";
    assert_eq!(outcomes.adds[&guest], Outcome::Failed(reason.into()));
    assert_eq!(outcomes.add_counts().done, 2);
}

#[tokio::test]
async fn a_part_without_an_answer_is_repeated_and_then_a_failure() {
    let tries = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&tries);
    let silent = object(1);
    let (_stub, graph) = stub_writer(move |line, _| {
        if !line.contains(&silent.to_string()) {
            return (204, Value::Null);
        }
        counter.fetch_add(1, Ordering::Relaxed);
        (0, Value::Null)
    })
    .await;
    let removes = [silent, object(2)];
    let outcomes = graph
        .apply_members(target(), &[], &removes, &mut AlwaysGo)
        .await;
    assert_eq!(outcomes.removes[&object(2)], Outcome::Done);
    assert!(matches!(&outcomes.removes[&silent], Outcome::Failed(_)));
    assert_eq!(tries.load(Ordering::Relaxed), 5);
}

/// Returns a directory with an old group that refuses one member with the ambiguous text; reading
/// this member returns `status`.
async fn refusing_one(unknown: ObjectId, status: u16) -> (Stub, GraphWriter) {
    stub_writer(move |line, body| {
        if line.starts_with("GET") {
            let found =
                json!({"id": target().to_string(), "createdDateTime": "2020-01-01T00:00:00Z"});
            let is_unknown = line.contains(&unknown.to_string());
            return (if is_unknown { status } else { 200 }, found);
        }
        if body.to_string().contains(&unknown.to_string()) {
            let text =
                "The source resource object or one of the objects being referenced don't exist.";
            return (400, refused(text));
        }
        (204, Value::Null)
    })
    .await
}

#[tokio::test]
async fn a_person_whom_one_directory_server_does_not_know_fails_alone_and_soon() {
    let unknown = object(2);
    let (stub, graph) = refusing_one(unknown, 200).await;
    let adds: Vec<ObjectId> = (1..=40).map(object).collect();
    let outcomes = graph
        .apply_members(target(), &adds, &[], &mut AlwaysGo)
        .await;
    assert_eq!(numbers(&outcomes.add_counts()), [39, 0, 1, 0]);
    assert!(outcomes.missing.is_empty());
    assert!(stub.requests().len() <= 12, "{}", stub.requests().len());
}

/// Proves H-2: the text that Graph also uses for a group that is not replicated yet. The group is
/// read once instead of being waited for, and the account is no failure.
#[tokio::test]
async fn an_account_that_is_gone_is_found_out_by_reading_it() {
    let unknown = object(2);
    let (stub, graph) = refusing_one(unknown, 404).await;
    let adds: Vec<ObjectId> = (1..=40).map(object).collect();
    let outcomes = graph
        .apply_members(target(), &adds, &[], &mut AlwaysGo)
        .await;
    assert_eq!(numbers(&outcomes.add_counts()), [39, 0, 0, 0]);
    assert_eq!(outcomes.missing, [unknown].into());
    // Token, two PATCHes, one read of twenty accounts, one PATCH of nineteen.
    assert!(stub.requests().len() <= 5, "{}", stub.requests().len());
}

/// Proves H-1 and H-2 for both texts: one account in twenty is gone, in a group that nobody else
/// joins too, and costs a few requests instead of a minute or twenty single requests.
#[tokio::test]
async fn accounts_that_are_gone_cost_few_requests_whatever_the_text() {
    for text in [UnknownMember::NotFound, UnknownMember::BadReference] {
        let (tenant, people) = tenant_with(95, |world| {
            world.behaviour.unknown_member = text;
        })
        .await;
        let graph = writer_of(&tenant);
        let gone: Vec<ObjectId> = (0..5).map(|n| object(0xdead_0000 + n)).collect();
        let adds: Vec<ObjectId> = people.iter().chain(&gone).copied().collect();
        let outcomes = graph
            .apply_members(target(), &adds, &[], &mut AlwaysGo)
            .await;
        assert_eq!(numbers(&outcomes.add_counts()), [95, 0, 0, 0], "{text:?}");
        assert_eq!(outcomes.missing, gone.iter().copied().collect());
        let stats = graph.reader().stats();
        assert!(stats.writes <= 5 + 5 + 1, "{text:?}: {stats:?}");

        let alone = graph
            .apply_members(target(), &gone[..1], &[], &mut AlwaysGo)
            .await;
        assert_eq!(alone.missing.len(), 1, "{text:?}");
        assert_eq!(numbers(&alone.add_counts()), [0; 4]);
    }
}

/// Proves H-9: a `$batch` response that cannot be read is repeated; each change is then answered as
/// already made.
#[tokio::test]
async fn an_unreadable_batch_is_repeated() {
    let (tenant, people) = tenant_with(40, |_| {}).await;
    for (adds, removes) in [(&people[..], &[][..]), (&[][..], &people[..])] {
        tenant
            .simulators
            .add_fault(tenant.uuid(), Fault::once("$batch", FaultKind::BrokenJson));
        let outcomes = writer_of(&tenant)
            .apply_members(target(), adds, removes, &mut AlwaysGo)
            .await;
        assert!(is_complete(&outcomes), "{outcomes:?}");
    }
}

/// Proves H-4: a token that cannot be obtained is an error of every change, and the counters do
/// not underflow.
#[tokio::test]
async fn without_a_token_nothing_is_counted() {
    let (tenant, people) = tenant_with(3, |world| world.apps[0].secret_expired = true).await;
    let graph = writer_of(&tenant);
    let outcomes = graph
        .apply_members(target(), &people, &[], &mut AlwaysGo)
        .await;
    assert_eq!(outcomes.add_counts().failed, 3);
    assert!(graph.reader().members_of(&[target()]).await.is_err());
    assert_eq!(graph.reader().stats(), GraphStats::default());
    assert_eq!(graph.reader().stats().requests(), 0);
}

/// Proves H-10: concurrent requests of a client that has no token yet cause one token request.
#[tokio::test]
async fn one_token_is_requested_for_many_requests_at_once() {
    let (tenant, people) = tenant_with(1_000, |_| {}).await;
    let outcomes = writer_of(&tenant)
        .apply_members(target(), &people, &[], &mut AlwaysGo)
        .await;
    assert!(is_complete(&outcomes));
    assert_eq!(tenant.asked("/token").len(), 1);
}

#[tokio::test]
async fn an_expired_secret_fails_everything_with_one_token_request() {
    let (tenant, people) = tenant_with(600, |world| world.apps[0].secret_expired = true).await;
    let graph = writer_of(&tenant);
    let outcomes = graph
        .apply_members(target(), &people, &people[..1], &mut AlwaysGo)
        .await;
    assert_eq!(
        (
            outcomes.add_counts().failed,
            outcomes.remove_counts().failed
        ),
        (600, 1)
    );
    let Outcome::Failed(reason) = &outcomes.adds[&people[0]] else {
        panic!("not failed")
    };
    assert!(reason.contains("has expired"), "{reason}");
    assert!(
        tenant.asked("/token").len() <= 4,
        "too many tokens were requested"
    );
}
