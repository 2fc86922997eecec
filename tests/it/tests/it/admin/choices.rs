//! The lists that the editor offers: fields, values, users, courses, catalogs.

use rollcall_simulators::world::FieldKind;

use serde_json::json;

use super::{column, draft, with};
use crate::harness::{TestApp, TestTenant};

/// Proves S4-069, S4-070, S4-071, S4-073, S4-077, S4-080, S4-089d and S4-099 over HTTP: the
/// schema of the last refresh, in the editor's format, with an `ETag`.
#[tokio::test]
async fn the_schema_is_sent_once() {
    let tenant = TestTenant::small()
        .field("Cost centre", FieldKind::String)
        .field("Hire date", FieldKind::DateTime);
    let mut app = TestApp::ready(tenant).await;
    let admin = app.admin("LmsAdmin");
    app.forget_requests();
    let schema = admin.get("/v1/schema").await.expect(200);
    let labels = column(&schema.body["properties"], "label");
    assert_eq!(labels[..3], ["City", "Company", "Department"]);
    assert!(labels.contains(&"Cost centre".to_owned()));
    assert_eq!(column(&schema.body["dates"], "label"), ["Hire date"]);
    assert_eq!(schema.body["dates"][0]["defaultOperator"], "before");
    assert_eq!(
        schema.body["properties"][0]["values"][0]["label"],
        "Denver (2)"
    );
    assert_eq!(schema.body["courses"].as_array().map(Vec::len), Some(2));
    let tag = schema.header("etag").to_owned();
    let known = [("if-none-match", tag.as_str())];
    let again = admin.send("GET", "/v1/schema", None, &known).await;
    assert_eq!(again.status, 304);
    assert!(
        app.simulators.requests(app.id.uuid()).is_empty(),
        "Learn365 got no request"
    );
    app.refresh().await;
    admin
        .send("GET", "/v1/schema", None, &known)
        .await
        .expect(200);
}

/// Proves S4-078: without a date column there is no field for a date rule.
#[tokio::test]
async fn without_a_date_column_there_is_no_date_field() {
    let app = TestApp::ready(TestTenant::small()).await;
    let schema = app
        .admin("LmsAdmin")
        .get("/v1/schema")
        .await
        .expect(200)
        .body;
    assert_eq!(schema["dates"].as_array().map(Vec::len), Some(0));
}

/// Proves S4-011 and S4-088c: users are found by parts of name or address, courses by title.
#[tokio::test]
async fn people_and_courses_are_found() {
    let tenant = TestTenant::small().course_of("Sales", "Selling for experts");
    let app = TestApp::ready(tenant).await;
    let admin = app.admin("CatalogAdmin");
    let found = admin.get("/v1/users?search=ad").await.expect(200).body;
    assert_eq!(column(&found["items"], "name"), ["Ada"]);
    let ada = app.user("Ada");
    let exact = admin
        .get(&format!("/v1/users?search={ada}"))
        .await
        .expect(200)
        .body;
    assert_eq!(column(&exact["items"], "id"), [ada.to_string()]);
    let all = admin.get("/v1/users?limit=2").await.expect(200).body;
    assert_eq!(
        (&all["total"], all["items"].as_array().map(Vec::len)),
        (&3.into(), Some(2))
    );
    let found = admin
        .get("/v1/courses?search=exp%20SELL")
        .await
        .expect(200)
        .body;
    assert_eq!(column(&found["items"], "title"), ["Selling for experts"]);
    let catalogs = admin.get("/v1/catalogs").await.expect(200).body;
    assert_eq!(column(&catalogs["items"], "title"), ["Academy", "Sales"]);
    assert_eq!(catalogs["items"][1]["courses"], 1);
    assert_eq!(catalogs["items"][1]["mine"], false);
}

/// Proves S4-055 and C-16: a property of Entra users that the settings name is offered after the
/// next refresh, and rules can use it.
#[tokio::test]
async fn entra_properties_named_in_the_settings_become_fields() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("Owner");
    app.edit(|outside| outside.world.people[0].employee_id = Some("E-77".to_owned()));
    let tag = admin.get("/v1/settings").await.expect(200);
    let body = json!({"contact": "lms@contoso.example", "groupPrefix": "LMS - ", "entraProperties": ["employeeId"]});
    admin
        .put("/v1/settings", tag.header("etag"), body)
        .await
        .expect(200);
    app.refresh().await;
    let schema = admin.get("/v1/schema").await.expect(200).body;
    let fields = schema["properties"].as_array().expect("no fields");
    let field = fields
        .iter()
        .find(|field| field["name"] == "entra:employeeId");
    assert_eq!(field.expect("not offered")["label"], "Entra ID: employeeId");
    let rule = json!({"field": "entra:employeeId", "operator": "=", "value": "e-77"});
    let filter = json!({"filter": {"properties": {"combinator": "and", "rules": [rule]}}});
    let body = json!({"profile": with(draft("By id", "x"), filter), "list": "members"});
    let ahead = admin
        .post("/v1/profiles/preview", body)
        .await
        .expect(200)
        .body;
    assert_eq!(column(&ahead["people"]["items"], "name"), ["Ada"]);
}
