//! Tests of PATCH and bulk requests to the SCIM service provider.

use reqwest::Method;
use serde_json::{Value, json};

use crate::scim::{ENTERPRISE, GROUP, TEAM, USER, behave, get, group, kind, post, scim, user};
use crate::site::{Answered, Site};

fn path(resource: &Value) -> String {
    let kind = resource["meta"]["resourceType"].as_str().expect("a type");
    format!("/{kind}s/{}", resource["id"].as_str().expect("an id"))
}

async fn patch(site: &Site, resource: &Value, operations: Value) -> Answered {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations,
    });
    scim(site, Method::PATCH, &path(resource), Some(body)).await
}

#[tokio::test]
async fn operations_reach_every_kind_of_attribute() {
    let site = Site::new().await;
    let ada = post(&site, "/Users", user("ada")).await;
    let department = format!("{ENTERPRISE}:department");
    let (status, body) = patch(
        &site,
        &ada,
        json!([
            {"op": "Add", "path": "displayName", "value": "Ada"},
            {"op": "replace", "path": "name.givenName", "value": "Ada"},
            {"op": "add", "path": "name", "value": {"familyName": "Lovelace"}},
            {"op": "add", "path": department, "value": "R&D"},
            {"op": "add", "path": "emails[type eq \"work\"].value", "value": "ada@x.example"},
            {"op": "add", "path": "emails", "value": [{"value": "a@home.example", "type": "home"}]},
            {"op": "REPLACE", "value": {"active": false, "Title": "Countess",
                ENTERPRISE: {"costCenter": "7"}}},
        ]),
    )
    .await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        body["name"],
        json!({"givenName": "Ada", "familyName": "Lovelace"})
    );
    assert_eq!(
        body[ENTERPRISE],
        json!({"department": "R&D", "costCenter": "7"})
    );
    assert_eq!(
        (&body["active"], &body["title"]),
        (&json!(false), &json!("Countess"))
    );
    assert_eq!(
        body["emails"][0],
        json!({"value": "ada@x.example", "type": "work"})
    );

    let (status, body) = patch(
        &site,
        &ada,
        json!([
            {"op": "replace", "path": "emails[type eq \"home\"]",
                "value": {"value": "b@home.example", "primary": true}},
            {"op": "remove", "path": "emails[type eq \"work\"]"},
            {"op": "remove", "path": "name.familyName"},
            {"op": "remove", "path": ENTERPRISE},
        ]),
    )
    .await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        body["emails"],
        json!([{"value": "b@home.example", "primary": true}])
    );
    assert_eq!(
        (&body["name"], &body["schemas"]),
        (&json!({"givenName": "Ada"}), &json!([USER]))
    );
    let same = json!([{"op": "replace", "path": "displayName", "value": "Ada"},
        {"op": "remove", "path": "nickName"}]);
    assert_eq!(patch(&site, &ada, same).await.1, body, "nothing changed");
}

#[tokio::test]
async fn refused_operations_leave_everything_as_it_was() {
    let site = Site::new().await;
    let ada = post(&site, "/Users", user("ada")).await;
    post(&site, "/Users", user("bob")).await;
    let urn = "urn:ietf:params:scim:schemas:core:2.0:User:shoeSize";
    for (operation, expected) in [
        (
            json!({"op": "replace", "path": "shoeSize", "value": 9}),
            "invalidPath",
        ),
        (
            json!({"op": "replace", "path": urn, "value": 9}),
            "invalidPath",
        ),
        (
            json!({"op": "replace", "path": "emails[type eq", "value": "x"}),
            "invalidPath",
        ),
        (
            json!({"op": "replace", "path": "emails[type eq \"x\"].value", "value": "x"}),
            "noTarget",
        ),
        (json!({"op": "remove"}), "noTarget"),
        (
            json!({"op": "replace", "path": "active", "value": "False"}),
            "invalidValue",
        ),
        (json!({"op": "replace", "path": "title"}), "invalidValue"),
        (
            json!({"op": "replace", "path": "userName", "value": "BOB"}),
            "uniqueness",
        ),
        (
            json!({"op": "replace", "path": "userName", "value": ""}),
            "invalidValue",
        ),
        (
            json!({"op": "replace", "path": "id", "value": "1"}),
            "mutability",
        ),
        (json!({"op": "remove", "path": "userName"}), "mutability"),
        (json!({"op": "move", "path": "title"}), "invalidSyntax"),
    ] {
        let first = json!({"op": "add", "path": "title", "value": "Countess"});
        let (status, body) = patch(&site, &ada, json!([first, operation])).await;
        let wanted = if expected == "uniqueness" { 409 } else { 400 };
        assert_eq!((status, kind(&body).1), (wanted, expected), "{operation}");
    }
    assert_eq!(get(&site, &path(&ada)).await, ada);
}

#[tokio::test]
async fn members_and_supervisors_come_and_go() {
    let site = Site::new().await;
    let ada = post(&site, "/Users", user("ada")).await;
    let bob = post(&site, "/Users", user("bob")).await;
    let team = post(&site, "/Groups", group("Team", &[])).await;
    let id = ada["id"].as_str().expect("an id");
    let members = |body: &Value| -> Vec<Value> {
        let members = body["members"].as_array().into_iter().flatten();
        members.map(|it| it["value"].clone()).collect()
    };
    let both = json!([{"value": id}, {"value": bob["id"]}, {"value": id}]);
    let supervisors = format!("{TEAM}:supervisors");
    let (_, body) = patch(
        &site,
        &team,
        json!([
            {"op": "add", "path": "members", "value": both},
            {"op": "add", "path": supervisors, "value": [{"value": id, "display": "Ada"}]},
            {"op": "add", "path": format!("{TEAM}:archived"), "value": true},
        ]),
    )
    .await;
    assert_eq!(members(&body), [ada["id"].clone(), bob["id"].clone()]);
    let supervised = json!({"archived": true, "supervisors": [{"value": id, "display": "Ada"}]});
    assert_eq!(body[TEAM], supervised);
    let list = get(&site, &format!("/Groups?filter=members[value eq \"{id}\"]")).await;
    assert_eq!(list["totalResults"], 1);

    let gone = json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")},
        {"op": "remove", "path": supervisors, "value": [{"value": id}]}]);
    let (_, body) = patch(&site, &team, gone.clone()).await;
    assert_eq!(
        (members(&body), &body[TEAM]),
        (vec![bob["id"].clone()], &json!({"archived": true}))
    );
    assert_eq!(patch(&site, &team, gone).await.1, body, "already removed");
    let stranger = json!([{"op": "add", "path": "members", "value": [{"value": "nobody"}]}]);
    assert_eq!(patch(&site, &team, stranger).await.0, 400);
    let all = json!([{"op": "remove", "path": "members"}]);
    assert!(members(&patch(&site, &team, all).await.1).is_empty());
    behave(&site, |it| it.teams = false);
    let dropped = json!([{"op": "add", "path": format!("{TEAM}:archived"), "value": true}]);
    let (status, body) = patch(&site, &team, dropped).await;
    assert_eq!((status, body.get(TEAM)), (200, None));
}

fn bulk(operations: &[Value], fail_on_errors: Option<usize>) -> Value {
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations,
    });
    if let Some(errors) = fail_on_errors {
        body["failOnErrors"] = json!(errors);
    }
    body
}

fn statuses(body: &Value) -> Vec<&str> {
    let all = body["Operations"].as_array().expect("operations").iter();
    all.map(|it| it["status"].as_str().expect("a status"))
        .collect()
}

#[tokio::test]
async fn bulk_operations_refer_to_each_other() {
    let site = Site::new().await;
    let members = json!([{"value": "bulkId:u1"}]);
    let operations = [
        json!({"method": "POST", "path": "/Groups", "bulkId": "g1",
            "data": {"schemas": [GROUP], "displayName": "Team", "members": members}}),
        json!({"method": "POST", "path": "/Users", "bulkId": "u1", "data": user("ada")}),
        json!({"method": "POST", "path": "/Users", "bulkId": "u2", "data": user("ADA")}),
        json!({"method": "PATCH", "path": "/Users/bulkId:u1", "data": {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "active", "value": false}]}}),
        json!({"method": "DELETE", "path": "/Groups/nobody"}),
    ];
    let (status, body) = scim(&site, Method::POST, "/Bulk", Some(bulk(&operations, None))).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(statuses(&body), ["201", "201", "409", "200", "404"]);
    assert_eq!(kind(&body["Operations"][2]["response"]).1, "uniqueness");
    assert!(body["Operations"][1]["location"].is_string());
    let state = site.state().scim;
    let (id, ada) = state.users.iter().next().expect("a user");
    assert_eq!(ada.active(), Some(false));
    let team = state.groups.values().next().expect("a group");
    assert!(team.members.contains(id));

    let again = [operations[2].clone(), operations[4].clone()];
    let (_, body) = scim(&site, Method::POST, "/Bulk", Some(bulk(&again, Some(1)))).await;
    assert_eq!(statuses(&body), ["409"], "stopped at the first error");
    behave(&site, |it| it.max_operations = 1);
    let (status, body) = scim(&site, Method::POST, "/Bulk", Some(bulk(&again, None))).await;
    assert_eq!((status, kind(&body).0), (413, "413"));
}

#[tokio::test]
async fn circles_of_references_are_refused() {
    let site = Site::new().await;
    let circle = |own: &str, other: &str| {
        json!({"method": "POST", "path": "/Groups", "bulkId": own, "data": {
            "schemas": [GROUP], "displayName": own,
            "members": [{"value": format!("bulkId:{other}")}]}})
    };
    let body = bulk(&[circle("a", "b"), circle("b", "a")], None);
    let (_, body) = scim(&site, Method::POST, "/Bulk", Some(body)).await;
    assert_eq!(statuses(&body), ["409", "409"]);
    assert!(site.state().scim.groups.is_empty());
}
