//! Properties of all users: every page, by object id.

use rollcall_domain::lms::FieldKind;
use rollcall_domain::snapshot::build::EntraSet;

use super::*;

fn wanted() -> EntraSet {
    let kinds = ["accountEnabled", "employeeId"];
    EntraSet::new(kinds.map(|name| (name.to_owned(), FieldKind::Text)).into())
}

#[tokio::test]
async fn every_page_of_users_is_taken_in() {
    let (tenant, ids) = tenant_with(1_200, |_| {}).await;
    let users = graph_of(&tenant).user_properties(wanted()).await;
    assert_eq!(users.expect("all pages").len(), ids.len());
    let asked = tenant.asked("/v1.0/users");
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(
        asked[0],
        "GET /graph/v1.0/users?$select=id,accountEnabled,employeeId&$top=999"
    );
}

#[tokio::test]
async fn a_second_page_that_fails_or_leads_elsewhere_fails_the_whole() {
    let (tenant, _) = tenant_with(1_200, |_| {}).await;
    let gone = rollcall_simulators::FaultKind::Status {
        code: 404,
        retry_after: None,
        body: None,
    };
    let fault = rollcall_simulators::Fault::once("/users", gone).at(2, u32::MAX);
    tenant.simulators.add_fault(tenant.uuid(), fault);
    let error = graph_of(&tenant).user_properties(wanted()).await;
    assert_eq!(error.expect_err("half the users").status(), Some(404));

    let (_stub, graph) = stub_graph(|_, _| {
        let link = "https://evil.example/v1.0/users";
        (200, json!({ "value": [], "@odata.nextLink": link }))
    })
    .await;
    let error = graph.user_properties(wanted()).await;
    assert!(
        error
            .expect_err("a foreign link")
            .to_string()
            .contains("evil")
    );
}

#[tokio::test]
async fn a_user_without_an_id_is_an_error_that_shows_no_data() {
    let (_stub, graph) = stub_graph(|_, _| {
        let user = json!({ "id": "7", "employeeId": "E-77" });
        (200, json!({ "value": [user] }))
    })
    .await;
    let error = graph.user_properties(wanted()).await.expect_err("no id");
    assert!(error.to_string().contains("GUID"), "{error}");
    assert!(!format!("{error:?}").contains("E-77"), "{error:?}");
}
