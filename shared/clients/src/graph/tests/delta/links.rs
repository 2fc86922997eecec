//! Tests of delta links that expire, are rejected or lead elsewhere.

use super::*;

/// An invalid link is distinguished from a failure.
#[tokio::test]
async fn a_link_that_expired_is_no_error() {
    let (tenant, _) = tenant_with(20, |_| {}).await;
    let graph = graph_of(&tenant);
    let (_, people_link) = people(&graph, None).await;
    let (_, groups_link) = groups(&graph, None, &[]).await;
    edit(&tenant, |it| it.world.behaviour.delta_tokens_expired = true);
    let followed = graph.follow_people(Some(&people_link), |_, _| {}).await;
    assert_eq!(followed.expect("an error was returned"), Followed::Expired);
    let followed = graph
        .follow_groups(Some(&groups_link), &[], |_, _| {})
        .await;
    assert_eq!(followed.expect("an error was returned"), Followed::Expired);
}

#[tokio::test]
async fn a_refused_link_is_expired_unless_the_credential_is_refused() {
    for (status, code, is_expired) in [
        (410, "anything", true),
        (400, "resyncRequired", true),
        (404, "SyncStateNotFound", true),
        (400, "Directory_SyncStateInvalid", true),
        (400, "Request_BadRequest", true),
        (404, "Request_ResourceNotFound", true),
        (403, "Authorization_RequestDenied", false),
    ] {
        let (stub, graph) = stub_graph(move |_, _| {
            let body = json!({ "error": { "code": code, "message": "No." } });
            (status, body)
        })
        .await;
        let link = DeltaLink(format!("{}/v1.0/users/delta?$deltatoken=a", stub.url));
        let followed = graph.follow_people(Some(&link), |_, _| {}).await;
        match followed {
            Ok(followed) => assert!(is_expired && followed == Followed::Expired, "{code}"),
            Err(error) => assert!(!is_expired && error.status() == Some(status), "{code}"),
        }
        // Without a link, none can have expired.
        let error = graph.follow_people(None, |_, _| {}).await;
        assert_eq!(error.expect_err(code).status(), Some(status));
    }
}

#[tokio::test]
async fn a_kept_link_to_another_host_is_worth_nothing_and_is_not_asked() {
    let (stub, graph) = stub_graph(|_, _| (200, json!({}))).await;
    for link in [
        "https://evil.example/v1.0/users/delta?$deltatoken=a".to_owned(),
        format!("{}@evil.example/v1.0/users/delta", stub.url),
        format!("{}/beta/users/delta?$deltatoken=a", stub.url),
        "no address".to_owned(),
    ] {
        let link = DeltaLink(link);
        let followed = graph.follow_people(Some(&link), |_, _| {}).await;
        assert_eq!(followed.expect("an error was returned"), Followed::Expired);
    }
    assert!(stub.requests().is_empty());
}

#[tokio::test]
async fn a_new_link_to_another_host_is_an_error() {
    for name in ["@odata.nextLink", "@odata.deltaLink"] {
        let (stub, graph) = stub_graph(move |_, _| {
            let link = "https://evil.example/v1.0/users/delta?$deltatoken=a";
            (200, json!({ "value": [], name: link }))
        })
        .await;
        let error = graph.follow_people(None, |_, _| {}).await;
        let error = error.expect_err("a foreign link was followed").to_string();
        assert!(error.contains("evil.example"), "{error}");
        assert_eq!(stub.requests().len(), 2, "a second page was requested");
    }
    let (tenant, _) = tenant_with(300, |world| {
        world.behaviour.nextlink_host = Some("evil.example".to_owned());
    })
    .await;
    let error = graph_of(&tenant).follow_people(None, |_, _| {}).await;
    let error = error.expect_err("a foreign link was followed").to_string();
    assert!(error.contains("evil.example"), "{error}");
}

#[tokio::test]
async fn a_page_that_leads_nowhere_is_an_error() {
    let (_stub, graph) = stub_graph(|_, _| (200, json!({ "value": [] }))).await;
    let error = graph.follow_people(None, |_, _| {}).await;
    let error = error
        .expect_err("a page without a link was accepted")
        .to_string();
    assert!(
        error.contains("neither a next link nor a delta link"),
        "{error}"
    );
    let (tenant, _) = tenant_with(1_200, |_| {}).await;
    let cut = Fault::once("/users/delta", FaultKind::TruncatedPage);
    tenant.simulators.add_fault(tenant.uuid(), cut);
    let error = graph_of(&tenant).follow_people(None, |_, _| {}).await;
    error.expect_err("an incomplete list was accepted");
}

#[tokio::test]
async fn pages_that_fail_for_a_moment_are_asked_again() {
    let (tenant, ids) = tenant_with(1_200, |_| {}).await;
    let busy = FaultKind::Status {
        code: 429,
        retry_after: Some(0.01),
        body: None,
    };
    for (at, kind) in [(1, busy), (3, FaultKind::Drop)] {
        let fault = Fault::once("/users/delta", kind).at(at, 1);
        tenant.simulators.add_fault(tenant.uuid(), fault);
    }
    let (all, _) = people(&graph_of(&tenant), None).await;
    assert_eq!(all.len(), ids.len());
}
