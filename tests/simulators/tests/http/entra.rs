//! Tests of tokens: AADSTS errors, and Graph's errors for invalid tokens and missing permissions.

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::site::{Site, TENANT, error, new_group, read, token};

#[tokio::test]
async fn token_errors_carry_their_numbers() {
    let site = Site::new().await;
    let app = site.state().world.apps[0].clone();
    let (simulators, client) = (&site.simulators, &site.client);
    let asked = token(simulators, client, TENANT, app.client_id, "wrong").await;
    assert_eq!(
        (asked.0, &asked.1["error"]),
        (401, &json!("invalid_client"))
    );
    assert_eq!(asked.1["error_codes"], json!([7_000_215]));
    let text = asked.1["error_description"]
        .as_str()
        .expect("a description");
    assert!(text.starts_with("AADSTS7000215: "), "{text}");
    assert!(asked.1["trace_id"].is_string() && asked.1["correlation_id"].is_string());

    let asked = token(simulators, client, TENANT, Uuid::nil(), "x").await;
    assert_eq!(
        (asked.0, &asked.1["error"]),
        (400, &json!("unauthorized_client"))
    );
    assert_eq!(asked.1["error_codes"], json!([700_016]));

    let asked = token(
        simulators,
        client,
        Uuid::nil(),
        app.client_id,
        &app.client_secret,
    )
    .await;
    assert_eq!(
        (asked.0, &asked.1["error"]),
        (400, &json!("invalid_request"))
    );
    assert_eq!(asked.1["error_codes"], json!([90002]));

    simulators.edit(TENANT, |state| state.world.apps[0].secret_expired = true);
    let asked = token(
        simulators,
        client,
        TENANT,
        app.client_id,
        &app.client_secret,
    )
    .await;
    assert_eq!(
        (asked.0, &asked.1["error_codes"]),
        (401, &json!([7_000_222]))
    );
}

#[tokio::test]
async fn a_disabled_app_gets_no_token_even_with_the_right_secret() {
    let site = Site::new().await;
    let app = site.state().world.apps[0].clone();
    let (simulators, client) = (&site.simulators, &site.client);
    simulators.edit(TENANT, |state| state.world.apps[0].disabled = true);
    let asked = token(
        simulators,
        client,
        TENANT,
        app.client_id,
        &app.client_secret,
    )
    .await;
    assert_eq!(
        (asked.0, &asked.1["error"], &asked.1["error_codes"]),
        (400, &json!("unauthorized_client"), &json!([7_000_112]))
    );
}

#[tokio::test]
async fn readable_tokens_work_like_opaque_ones() {
    let site = Site::with(|world| world.behaviour.readable_tokens = true).await;
    assert_eq!(site.token.split('.').count(), 3);
    assert_eq!(site.get("/users?$top=5").await.0, 200);
}

#[tokio::test]
async fn scopes_without_default_are_refused() {
    let site = Site::new().await;
    let url = format!("{}/{TENANT}/oauth2/v2.0/token", site.simulators.entra_url());
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "x"),
        ("scope", "https://graph.microsoft.com/User.Read"),
    ];
    let answer = site
        .client
        .post(url)
        .form(&form)
        .send()
        .await
        .expect("a response");
    let (status, body) = read(answer).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_scope")));
}

#[tokio::test]
async fn graph_refuses_missing_and_foreign_tokens() {
    let mut site = Site::new().await;
    let url = format!("{}/v1.0/organization", site.simulators.graph_url());
    let (status, body) = read(site.client.get(url).send().await.expect("a response")).await;
    assert_eq!(
        (status, error(&body).0),
        (401, "InvalidAuthenticationToken")
    );

    let (status, body) = site.get("/organization").await;
    assert_eq!((status, &body["value"][0]["id"]), (200, &json!(TENANT)));

    site.token = "eyJ0eXAiOiJKV1Qi.fake.fake".to_owned();
    let (status, body) = site.get("/organization").await;
    assert_eq!(
        (status, error(&body).0),
        (401, "InvalidAuthenticationToken")
    );
}

#[tokio::test]
async fn permissions_are_those_of_the_token() {
    let site = Site::with(|world| {
        world.apps[0].roles = vec!["User.Read.All".into(), "Group.ReadBasic.All".into()];
    })
    .await;
    let group = site.state().world.groups[4].clone();
    assert_eq!(site.get("/users?$top=5").await.0, 200);
    assert_eq!(site.get(&format!("/groups/{}", group.id)).await.0, 200);
    let (status, body) = site.get(&format!("/groups/{}/members", group.id)).await;
    assert_eq!(
        (status, error(&body).0),
        (403, "Authorization_RequestDenied")
    );
    let (status, body) = site.get("/users/delta?$deltaToken=latest").await;
    assert_eq!((status, &body["value"]), (200, &json!([])));
    let create = site
        .graph(Method::POST, "/groups", Some(new_group("x")))
        .await;
    assert_eq!(create.0, 403);
    let member = *group.members.first().expect("a member");
    let path = format!("/groups/{}/members/{member}/$ref", group.id);
    assert_eq!(site.graph(Method::DELETE, &path, None).await.0, 403);
    assert_eq!(
        site.state().world.groups[4],
        group,
        "the group is unchanged"
    );
}

#[tokio::test]
async fn changes_of_people_need_more_than_their_names() {
    let site = Site::with(|world| {
        world.apps[0].roles = vec!["User.ReadBasic.All".into()];
    })
    .await;
    assert_eq!(site.get("/users?$top=5").await.0, 200);
    let (status, body) = site.get("/users/delta?$deltaToken=latest").await;
    assert_eq!(
        (status, error(&body).0),
        (403, "Authorization_RequestDenied")
    );
}

#[tokio::test]
async fn a_token_without_roles_says_so() {
    let site = Site::with(|world| world.apps[0].roles.clear()).await;
    let (status, body) = site.get("/users").await;
    assert_eq!(status, 403);
    assert!(error(&body).1.contains("Required roles claim"), "{body}");
}
