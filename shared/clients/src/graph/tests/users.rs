//! Tests of reading the properties of all users: every page, by object id.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use rollcall_domain::snapshot::lms::FieldKind;
use rollcall_simulators::{Fault, FaultKind};

use super::*;

fn wanted() -> BTreeMap<String, FieldKind> {
    let kinds = ["accountEnabled", "employeeId"];
    kinds.map(|name| (name.to_owned(), FieldKind::Text)).into()
}

/// Returns a simulated directory with 1,200 users, of which some pages are truncated.
async fn with_cut_pages(from: u32, times: u32) -> (Tenant, GraphReader) {
    let (tenant, _) = tenant_with(1_200, |_| {}).await;
    let cut = Fault::once("/users", FaultKind::TruncatedPage).at(from, times);
    tenant.simulators.add_fault(tenant.uuid(), cut);
    let graph = graph_of(&tenant);
    (tenant, graph)
}

#[tokio::test]
async fn every_page_of_users_is_taken_in() {
    let (tenant, ids) = tenant_with(1_200, |_| {}).await;
    let users = graph_of(&tenant).user_properties(wanted()).await;
    assert_eq!(users.expect("pages not read").len(), ids.len());
    let asked = tenant.asked("/v1.0/users");
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(
        asked[0],
        "GET /graph/v1.0/users?$count=true&$select=id,accountEnabled,employeeId&$top=999"
    );
    let log = tenant.simulators.requests(tenant.uuid());
    let pages = log.iter().filter(|it| it.path.contains("/v1.0/users"));
    for page in pages {
        assert_eq!(page.headers["consistencylevel"], "eventual");
        assert_eq!(page.headers["x-ms-throttle-priority"], "Low");
    }
}

#[tokio::test]
async fn a_cut_page_of_users_is_noticed_and_all_are_read_once_more() {
    // The first page loses rows and its link; the second attempt is complete.
    let (tenant, graph) = with_cut_pages(1, 1).await;
    let users = graph.user_properties(wanted()).await;
    assert_eq!(users.expect("the second attempt failed").len(), 1_200);
    assert_eq!(tenant.asked("/v1.0/users").len(), 3);
}

#[tokio::test]
async fn users_that_never_add_up_are_an_error() {
    let (tenant, graph) = with_cut_pages(1, u32::MAX).await;
    let error = graph.user_properties(wanted()).await;
    let error = error
        .expect_err("an incomplete list was accepted")
        .to_string();
    assert!(error.contains("users is incomplete: 1200 rows"), "{error}");
    assert_eq!(tenant.asked("/v1.0/users").len(), 2);
}

#[tokio::test]
async fn a_user_shown_twice_hides_another_one() {
    let (_stub, graph) = stub_graph(|_, _| {
        let user = json!({ "id": Uuid::from_u128(7) });
        (200, json!({ "@odata.count": 2, "value": [user, user] }))
    })
    .await;
    let error = graph.user_properties(wanted()).await;
    let error = error
        .expect_err("an incomplete list was accepted")
        .to_string();
    assert!(error.contains("2 rows were announced and 1"), "{error}");
}

#[tokio::test]
async fn users_without_a_count_are_an_error() {
    let (_stub, graph) = stub_graph(|_, _| (200, json!({ "value": [] }))).await;
    let error = graph.user_properties(wanted()).await;
    let error = error.expect_err("a missing count was accepted").to_string();
    assert!(error.contains("@odata.count"), "{error}");
}

#[tokio::test]
async fn a_token_refused_for_a_page_of_users_is_renewed_once() {
    let refusals = AtomicU32::new(1);
    let (_stub, graph) = stub_graph(move |_, _| {
        let left = |count: u32| count.checked_sub(1);
        let order = Ordering::SeqCst;
        if refusals.fetch_update(order, order, left).is_ok() {
            return (401, refused("expired"));
        }
        (200, json!({ "@odata.count": 0, "value": [] }))
    })
    .await;
    let users = graph.user_properties(wanted()).await;
    assert!(users.expect("the new token was rejected").is_empty());
}

#[tokio::test]
async fn a_second_page_that_fails_or_leads_elsewhere_fails_the_whole() {
    let (tenant, _) = tenant_with(1_200, |_| {}).await;
    let gone = FaultKind::Status {
        code: 404,
        retry_after: None,
        body: None,
    };
    let fault = Fault::once("/users", gone).at(2, u32::MAX);
    tenant.simulators.add_fault(tenant.uuid(), fault);
    let error = graph_of(&tenant).user_properties(wanted()).await;
    assert_eq!(
        error.expect_err("an incomplete list was accepted").status(),
        Some(404)
    );

    let (_stub, graph) = stub_graph(|_, _| {
        let link = "https://evil.example/v1.0/users";
        let page = json!({ "@odata.count": 1, "value": [], "@odata.nextLink": link });
        (200, page)
    })
    .await;
    let error = graph.user_properties(wanted()).await;
    assert!(
        error
            .expect_err("a foreign link was followed")
            .to_string()
            .contains("evil")
    );
}

#[tokio::test]
async fn a_user_without_an_id_is_an_error_that_shows_no_data() {
    let (_stub, graph) = stub_graph(|_, _| {
        let user = json!({ "id": "7", "employeeId": "E-77" });
        (200, json!({ "@odata.count": 1, "value": [user] }))
    })
    .await;
    let error = graph
        .user_properties(wanted())
        .await
        .expect_err("a user without an id was accepted");
    assert!(error.to_string().contains("GUID"), "{error}");
    assert!(!format!("{error:?}").contains("E-77"), "{error:?}");
}
