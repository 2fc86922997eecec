//! Tests of creating, looking up and restoring groups.

use chrono::Utc;
use rollcall_simulators::{DeletedGroup as SimulatedDeletion, Fault, FaultKind};

use super::*;

fn spec() -> GroupSpec {
    GroupSpec {
        unique_name: "rollcall-o'brien".into(),
        display_name: "Sales".into(),
        description: "Everybody in sales".into(),
        mail_nickname: "rollcall-1".into(),
    }
}

#[tokio::test]
async fn a_group_is_made_once_and_found_the_second_time() {
    let tenant = Tenant::start(|_| {}).await;
    let graph = writer_of(&tenant);
    let first = graph.ensure_group(&spec()).await.expect("not created");
    let second = graph.ensure_group(&spec()).await.expect("not found");
    assert!(first.created && !second.created);
    assert_eq!(first.id, second.id);
    let asked = tenant.asked("uniqueName");
    assert_eq!(
        asked[0],
        "PATCH /graph/v1.0/groups(uniqueName='rollcall-o%27%27brien')"
    );
    let log = tenant.simulators.requests(tenant.uuid());
    let patch = log
        .iter()
        .find(|r| r.method == "PATCH")
        .expect("no PATCH request");
    assert_eq!(patch.headers["prefer"], "create-if-missing");
    assert_eq!(
        patch.body.as_ref().expect("no body")["securityEnabled"],
        true
    );
}

#[tokio::test]
async fn a_group_whose_making_got_no_answer_is_not_made_twice() {
    let tenant = Tenant::start(|_| {}).await;
    tenant.simulators.add_fault(
        tenant.uuid(),
        Fault::once("uniqueName", FaultKind::LoseAnswer),
    );
    let group = writer_of(&tenant)
        .ensure_group(&spec())
        .await
        .expect("the second attempt failed");
    let state = tenant
        .simulators
        .dump(tenant.uuid())
        .expect("unknown tenant");
    let made = state
        .world
        .groups
        .iter()
        .filter(|g| g.display_name == "Sales")
        .count();
    assert_eq!(made, 1);
    let found = state
        .group_by_unique_name(&spec().unique_name)
        .expect("no such group");
    assert_eq!(found.id, group.id.uuid());
}

#[tokio::test]
async fn a_group_without_description_is_made_without_one() {
    let tenant = Tenant::start(|_| {}).await;
    let graph = writer_of(&tenant);
    let blank = GroupSpec {
        description: " ".into(),
        ..spec()
    };
    let made = graph.ensure_group(&blank).await.expect("not created");
    let found = graph
        .reader()
        .get_groups(&[made.id])
        .await
        .expect("no response");
    let GroupLookup::Found(facts) = &found[&made.id] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (facts.description.as_deref(), facts.unsupported()),
        (None, None)
    );
    assert_eq!(facts.unique_name.as_deref(), Some("rollcall-o'brien"));
}

#[tokio::test]
async fn groups_are_looked_up_twenty_to_a_request_and_missing_ones_are_said() {
    let tenant = Tenant::start(|world| {
        world.groups = (1..=30).map(|n| group(object(n), &[])).collect();
        world.groups[0].dynamic = true;
        world.groups[1].on_premises_synced = true;
        world.groups[2].role_assignable = true;
    })
    .await;
    let graph = writer_of(&tenant);
    let ids: Vec<ObjectId> = (1..=45).chain(1..=3).map(object).collect();
    let found = graph.reader().get_groups(&ids).await.expect("no response");
    assert_eq!(found.len(), 45);
    assert!((31..=45).all(|n| found[&object(n)] == GroupLookup::Missing));
    let supported = |n| match &found[&object(n)] {
        GroupLookup::Found(facts) => facts.unsupported().is_none(),
        GroupLookup::Unreadable(_) | GroupLookup::Missing => panic!("group {n} is missing"),
    };
    assert_eq!(
        [1, 2, 3, 4, 30].map(supported),
        [false, false, false, true, true]
    );
    assert_eq!(
        (
            graph.reader().stats().http_requests,
            graph.reader().stats().sub_requests
        ),
        (3, 45)
    );
}

#[tokio::test]
async fn a_lookup_that_fails_is_not_a_missing_group() {
    let tenant = Tenant::start(|_| {}).await;
    let refusal = FaultKind::Status {
        code: 403,
        retry_after: None,
        body: None,
    };
    let part = format!("/groups/{}", object(5));
    tenant
        .simulators
        .add_fault(tenant.uuid(), Fault::once(part, refusal));
    let found = writer_of(&tenant)
        .reader()
        .get_groups(&[object(5), object(6)])
        .await
        .expect("no response");
    let GroupLookup::Unreadable(reason) = &found[&object(5)] else {
        panic!("no error: {found:?}");
    };
    assert!(reason.contains("403"), "{reason}");
    assert_eq!(
        found[&object(6)],
        GroupLookup::Missing,
        "the other group has no result"
    );
}

#[tokio::test]
async fn a_group_gets_new_names_and_loses_its_description() {
    let (tenant, _) = tenant_with(1, |_| {}).await;
    let graph = writer_of(&tenant);
    graph
        .update_group(target(), "New name", "Why")
        .await
        .expect("not renamed");
    graph
        .update_group(target(), "Newer name", "")
        .await
        .expect("not renamed");
    let found = graph
        .reader()
        .get_groups(&[target()])
        .await
        .expect("no response");
    let GroupLookup::Found(facts) = &found[&target()] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (facts.display_name.as_str(), &facts.description),
        ("Newer name", &None)
    );
    assert_eq!(graph.reader().stats().writes, 2);
}

/// C-50: a deleted group is restored with its id instead of being created again.
#[tokio::test]
async fn a_deleted_group_is_found_and_restored_with_its_members() {
    let (tenant, people) = tenant_with(3, |_| {}).await;
    let graph = writer_of(&tenant);
    assert_eq!(
        graph
            .reader()
            .find_deleted_group(object(0x77))
            .await
            .expect("no response"),
        None
    );
    let mut deleted = group(object(0x77), &people);
    deleted.display_name = "Was here".into();
    tenant.simulators.edit(tenant.uuid(), |state| {
        state.deleted_groups.push(SimulatedDeletion {
            group: deleted,
            deleted_at: Utc::now(),
        });
    });
    let found = graph
        .reader()
        .find_deleted_group(object(0x77))
        .await
        .expect("no response")
        .expect("it");
    assert_eq!(
        (found.id, found.display_name.as_str()),
        (object(0x77), "Was here")
    );
    assert!(found.deleted_at.is_some());
    graph.restore_group(found.id).await.expect("not restored");
    assert_eq!(members_in(&tenant, found.id).len(), 3);
}
