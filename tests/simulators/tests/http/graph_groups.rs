//! Tests of groups: upsert by unique name, validation, soft delete and restore.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Site, error, new_group, read};

#[tokio::test]
async fn upsert_creates_once_and_updates_afterwards() {
    let site = Site::new().await;
    let group = site.group("rollcall-1").await;
    let path = "/groups(uniqueName='rollcall-1')";
    let (status, body) = site
        .graph(Method::PATCH, path, Some(json!({"displayName": "New"})))
        .await;
    assert_eq!((status, body), (204, Value::Null));
    let (status, body) = site.get(path).await;
    assert_eq!((status, &body["id"]), (200, &json!(group)));
    assert_eq!(body["displayName"], "New");
    let filtered = site.get("/groups?$filter=uniqueName eq 'rollcall-1'").await;
    assert_eq!(filtered.0, 400, "{}", filtered.1);

    let url = format!(
        "{}/v1.0/groups(uniqueName='other')",
        site.simulators.graph_url()
    );
    let request = site
        .client
        .patch(url)
        .bearer_auth(&site.token)
        .json(&new_group("other"));
    let (status, body) = read(request.send().await.expect("a response")).await;
    assert_eq!(
        (status, error(&body).0),
        (404, "Request_ResourceNotFound"),
        "no Prefer header"
    );
}

#[tokio::test]
async fn posts_are_validated_and_not_idempotent() {
    let site = Site::new().await;
    let post = |body: Value| site.graph(Method::POST, "/groups", Some(body));
    assert_eq!(post(new_group("twice")).await.0, 201);
    assert_eq!(
        post(new_group("twice")).await.0,
        201,
        "a repeated POST creates a duplicate"
    );
    let with = |name: &str, value: Value| {
        let mut body = new_group("x");
        body[name] = value;
        body
    };
    let refused = [
        with("displayName", json!("x".repeat(257))),
        with("displayName", Value::Null),
        with("mailNickname", json!("x".repeat(65))),
        with("mailNickname", json!("with space")),
        with("mailNickname", json!("größe")),
        with("mailNickname", json!("a@b")),
        with("mailEnabled", json!(true)),
        with("colour", json!("red")),
        with(
            "members@odata.bind",
            site.bind(&site.people(21))["members@odata.bind"].clone(),
        ),
    ];
    for body in refused {
        let (status, answer) = post(body.clone()).await;
        assert_eq!(
            (status, error(&answer).0),
            (400, "Request_BadRequest"),
            "{body}"
        );
    }
    let people = site.people(20);
    let members = site.bind(&people)["members@odata.bind"].clone();
    let (status, body) = post(with("members@odata.bind", members)).await;
    assert_eq!(status, 201);
    let path = format!(
        "/groups/{}/members/$count",
        body["id"].as_str().expect("an id")
    );
    assert_eq!(site.get(&path).await, (200, json!(20)));
}

#[tokio::test]
async fn unique_names_are_unique_and_immutable() {
    let site = Site::new().await;
    let group = site.group("rollcall-1").await;
    let mut body = new_group("x");
    body["uniqueName"] = json!("rollcall-1");
    assert_eq!(site.graph(Method::POST, "/groups", Some(body)).await.0, 400);
    let path = format!("/groups/{group}");
    let (status, _) = site
        .graph(Method::PATCH, &path, Some(json!({"uniqueName": "y"})))
        .await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn deleted_groups_come_back_with_id_and_members() {
    let site = Site::new().await;
    let group = site.group("rollcall-1").await;
    let path = format!("/groups/{group}");
    let people = site.people(3);
    assert_eq!(
        site.graph(Method::PATCH, &path, Some(site.bind(&people)))
            .await
            .0,
        204
    );
    assert_eq!(site.graph(Method::DELETE, &path, None).await.0, 204);
    assert_eq!(site.get(&path).await.0, 404);

    let (status, body) = site
        .get("/directory/deletedItems/microsoft.graph.group")
        .await;
    assert_eq!((status, &body["value"][0]["id"]), (200, &json!(group)));
    assert!(body["value"][0]["deletedDateTime"].is_string());

    let restore = format!("/directory/deletedItems/{group}/restore");
    assert_eq!(site.graph(Method::POST, &restore, None).await.0, 200);
    assert_eq!(
        site.get(&format!("{path}/members/$count")).await,
        (200, json!(3))
    );
    assert_eq!(
        site.graph(Method::POST, &restore, None).await.0,
        404,
        "only once"
    );
}

#[tokio::test]
async fn after_thirty_days_deleted_groups_are_gone() {
    let site = Site::new().await;
    let group = site.group("rollcall-1").await;
    assert_eq!(
        site.graph(Method::DELETE, &format!("/groups/{group}"), None)
            .await
            .0,
        204
    );
    site.simulators.edit(crate::site::TENANT, |state| {
        for item in &mut state.deleted_groups {
            item.deleted_at -= std::time::Duration::from_hours(31 * 24);
        }
    });
    let (status, _) = site.get(&format!("/directory/deletedItems/{group}")).await;
    assert_eq!(status, 404);
}
