//! Tests of reading members.

use std::sync::OnceLock;

use rollcall_simulators::{Fault, FaultKind};

use super::*;

#[tokio::test]
async fn people_are_reported_from_everything_else() {
    let (tenant, people) = tenant_with(5, |world| {
        world.groups.push(group(object(0x6001), &[]));
    })
    .await;
    tenant.simulators.edit(tenant.uuid(), |state| {
        let group = state
            .world
            .groups
            .iter_mut()
            .find(|g| g.id == target().uuid());
        let group = group.expect("no such group");
        group.members = people.iter().map(|id| id.uuid()).collect();
        group.members.insert(object(0x6001).uuid());
    });
    let members = graph_of(&tenant)
        .member_ids(target())
        .await
        .expect("members");
    assert_eq!(members.users, people.iter().copied().collect());
    assert_eq!(members.others.len(), 1);
    assert_eq!(members.others[&object(0x6001)], "#microsoft.graph.group");
}

/// Adds all users to the target group, and one user to each of twenty-four more groups.
async fn crowd(people: usize) -> (Tenant, Vec<ObjectId>) {
    let (tenant, ids) = tenant_with(people, |_| {}).await;
    tenant.simulators.edit(tenant.uuid(), |state| {
        let last = state.world.groups.last_mut().expect("no target group");
        last.members = ids.iter().map(|id| id.uuid()).collect();
        let small = (1..=24).map(|n| group(object(n), &ids[..1]));
        state.world.groups.extend(small);
    });
    (tenant, ids)
}

#[tokio::test]
async fn many_groups_are_read_to_the_end_in_few_requests() {
    let (tenant, ids) = crowd(2_500).await;
    let graph = graph_of(&tenant);
    let groups: Vec<ObjectId> = (1..=24).map(object).chain([target()]).collect();
    let members = graph.members_of(&groups).await.expect("no response");
    assert_eq!(members.len(), 25);
    let large = members[&target()].as_ref().expect("large group not read");
    assert_eq!(large.users, ids.iter().copied().collect());
    assert!((1..=24).all(|n| {
        members[&object(n)]
            .as_ref()
            .is_ok_and(|m| m.users.len() == 1)
    }));
    // Two batches of first pages, then pages two and three of the large group.
    assert_eq!(
        (graph.stats().http_requests, graph.stats().sub_requests),
        (4, 27)
    );
}

#[tokio::test]
async fn a_group_that_is_gone_or_loses_a_page_is_an_error_of_its_own() {
    let (tenant, _) = crowd(1_500).await;
    let down = FaultKind::Status {
        code: 503,
        retry_after: None,
        body: None,
    };
    let second_page = Fault::once("$skiptoken", down).at(1, u32::MAX);
    tenant.simulators.add_fault(tenant.uuid(), second_page);
    let graph = graph_of(&tenant);
    let members = graph
        .members_of(&[object(1), object(99), target()])
        .await
        .expect("no response");
    assert!(members[&object(1)].is_ok());
    assert_eq!(
        members[&object(99)]
            .as_ref()
            .expect_err("a missing resource was found")
            .status(),
        Some(404)
    );
    assert_eq!(
        members[&target()]
            .as_ref()
            .expect_err("an incomplete list was accepted")
            .status(),
        Some(503)
    );
    assert_eq!(
        graph
            .member_ids(object(99))
            .await
            .expect_err("a missing resource was found")
            .status(),
        Some(404)
    );
}

#[tokio::test]
async fn a_throttled_page_is_asked_for_again_alone() {
    let (tenant, _) = crowd(10).await;
    let throttled = FaultKind::Status {
        code: 429,
        retry_after: Some(0.02),
        body: None,
    };
    let fault = Fault::once(format!("/groups/{}/members", object(2)), throttled);
    tenant.simulators.add_fault(tenant.uuid(), fault);
    let graph = graph_of(&tenant);
    let members = graph
        .members_of(&[object(1), object(2)])
        .await
        .expect("no response");
    assert!(members.values().all(Result::is_ok));
    assert_eq!(graph.stats().sub_requests, 3);
}

#[tokio::test]
async fn a_link_to_another_host_is_not_followed() {
    let (stub, graph) = stub_graph(|_, _| {
        let link = "https://evil.example/v1.0/groups/x/members?$skiptoken=1";
        (200, json!({ "value": [], "@odata.nextLink": link }))
    })
    .await;
    let error = graph
        .member_ids(target())
        .await
        .expect_err("a foreign link was followed");
    assert!(
        matches!(error, GraphError::Api(ApiError::ForeignLink { .. })),
        "{error:?}"
    );
    assert_eq!(
        stub.requests().len(),
        2,
        "a page after the first one was requested"
    );
}

#[tokio::test]
async fn pages_that_lead_back_are_not_read_for_ever() {
    let (stub_url, graph) = {
        let own = Arc::new(OnceLock::<String>::new());
        let link = Arc::clone(&own);
        let (stub, graph) = stub_graph(move |_, _| {
            let base = link.get().cloned().unwrap_or_default();
            (200, json!({ "value": [], "@odata.nextLink": format!("{base}/v1.0/groups/x/members?p=2") }))
        })
        .await;
        own.set(stub.url.clone()).expect("already set");
        (stub, graph)
    };
    let error = graph
        .member_ids(target())
        .await
        .expect_err("a loop was accepted");
    assert!(
        matches!(error, GraphError::Api(ApiError::EndlessPages { .. })),
        "{error:?}"
    );
    assert!(stub_url.requests().len() < 6);
}

#[tokio::test]
async fn a_member_without_a_type_is_not_guessed() {
    let (_stub, graph) =
        stub_graph(|_, _| (200, json!({ "value": [{ "id": Uuid::nil() }] }))).await;
    let error = graph
        .member_ids(target())
        .await
        .expect_err("a member without a type was accepted");
    assert!(
        matches!(error, GraphError::Api(ApiError::Decode { .. })),
        "{error:?}"
    );
}

/// Proves H-5: a page of members that is cut or empty is noticed and read again; a second cut page
/// is an error of that group.
#[tokio::test]
async fn a_cut_or_empty_page_of_members_is_noticed() {
    for (kind, times, is_read) in [
        (FaultKind::TruncatedPage, 1, true),
        (FaultKind::TruncatedPage, 2, false),
        (FaultKind::EmptyPage, 1, true),
    ] {
        let (tenant, people) = tenant_with(30, |_| {}).await;
        let filled = writer_of(&tenant)
            .apply_members(target(), &people, &[], &mut AlwaysGo)
            .await;
        assert!(is_complete(&filled));
        let fault = Fault::once("/members?", kind).at(1, times);
        tenant.simulators.add_fault(tenant.uuid(), fault);
        let found = graph_of(&tenant).members_of(&[target()]).await;
        let members = found.expect("not read").remove(&target());
        let members = members.expect("no such group");
        if is_read {
            assert_eq!(members.expect("not read again").users.len(), 30);
        } else {
            let error = members.expect_err("a cut page was believed");
            assert!(matches!(error, ApiError::Incomplete { .. }), "{error}");
        }
    }
}
