//! The OAuth callback: states are single use, and all invalid states get the same response.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::request::Builder;
use rollcall_clients::store::StoreError;
use rollcall_clients::store::oauth_states::OAUTH_STATE_LIFETIME;
use serde_json::{Value, json};

use super::site::{Answer, Site, call};

async fn send(router: &Router, request: Builder, body: &str) -> Answer {
    let request = request.body(Body::from(body.to_owned()));
    call(router, request.expect("invalid request")).await
}

async fn post(router: &Router, form: &str) -> Answer {
    let kind = "application/x-www-form-urlencoded";
    let request = Request::post("/oauth/callback").header("content-type", kind);
    send(router, request, form).await
}

async fn get(router: &Router, query: &str) -> Answer {
    send(router, Request::get(format!("/oauth/callback{query}")), "").await
}

async fn begin(site: &Site, state: &str, lifetime: Duration) {
    let begun = site
        .store()
        .begin_oauth_state(state, &json!(1), lifetime)
        .await;
    begun.expect("not begun");
}

async fn take(site: &Site, state: &str) -> Option<Value> {
    site.store()
        .take_oauth_state(state)
        .await
        .expect("state not read")
}

#[tokio::test]
async fn a_state_is_good_once() {
    let site = Site::start().await;
    let purpose = json!({"connect": "mailbox"});
    let begin = |lifetime| site.store().begin_oauth_state("one", &purpose, lifetime);
    begin(OAUTH_STATE_LIFETIME).await.expect("not begun");
    assert!(matches!(
        begin(OAUTH_STATE_LIFETIME).await,
        Err(StoreError::Conflict)
    ));
    assert_eq!(take(&site, "two").await, None);
    assert_eq!(take(&site, "one").await, Some(purpose.clone()));
    assert_eq!(take(&site, "one").await, None);
}

#[tokio::test]
async fn of_many_at_once_one_gets_the_state() {
    let site = Site::start().await;
    begin(&site, "one", OAUTH_STATE_LIFETIME).await;
    let taken = futures::future::join_all((0..16).map(|_| take(&site, "one"))).await;
    assert_eq!(taken.into_iter().flatten().count(), 1);
}

#[tokio::test]
async fn an_expired_state_is_none_before_the_table_deletes_it() {
    let site = Site::start().await;
    begin(&site, "late", Duration::ZERO).await;
    assert_eq!(take(&site, "late").await, None);
}

#[tokio::test]
async fn every_browser_is_asked_to_start_again() {
    let site = Site::start().await;
    let router =
        rollcall_oauth_callback::router(site.services.clone()).expect("router not created");
    begin(&site, "by-query", OAUTH_STATE_LIFETIME).await;
    begin(&site, "by-form", OAUTH_STATE_LIFETIME).await;
    let answers = [
        get(&router, "?code=c&state=unknown").await,
        get(&router, "?error=access_denied&state=unknown").await,
        get(&router, "").await,
        get(&router, "?state=a&state=b").await,
        get(&router, "?code=c&state=by-query").await,
        post(&router, "code=c&state=by-form").await,
        post(&router, "code=c&state=by-form").await,
        post(&router, "").await,
        post(&router, &"x".repeat(100_000)).await,
    ];
    for answer in &answers {
        assert_eq!(answer.status, 400);
        assert!(answer.detail().contains("expired or was already used"));
        assert_eq!(answer.body, answers[0].body);
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert_eq!(
        take(&site, "by-query").await,
        None,
        "the state was not consumed"
    );
}

#[tokio::test]
async fn other_paths_other_methods_and_a_silent_table_are_problems() {
    let site = Site::start().await;
    let router =
        rollcall_oauth_callback::router(site.services.clone()).expect("router not created");
    let answer = send(&router, Request::get("/oauth/other"), "").await;
    assert_eq!(answer.status, 404);
    let answer = send(&router, Request::put("/oauth/callback"), "").await;
    assert_eq!(answer.status, 405);
    site.delete_table().await;
    let answer = get(&router, "?state=any").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "5"));
    assert!(answer.detail().contains("try again"));
}
