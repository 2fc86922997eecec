//! The health route reports the table's state; unknown paths and methods return problems.

use axum::body::Body;
use axum::http::Request;

use super::site::{Site, call};

#[tokio::test]
async fn health_needs_the_table_and_nothing_else() {
    let site = Site::start().await;
    let answer = site.get_as_nobody("/v1/health").await;
    assert_eq!(
        (answer.status, answer.body.to_string().as_str()),
        (200, r#"{"status":"ok"}"#)
    );
    assert_eq!(site.simulators.key_fetches(), 0);

    site.delete_table().await;
    let answer = site.get_as_nobody("/v1/health").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "5"));
    assert!(!answer.detail().contains(&site.services.settings.table));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let site = Site::start().await;
    for path in ["/", "/v1", "/v1/tenant/", "/v1/nothing", "/V1/health"] {
        let answer = site.get_as_nobody(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.detail().contains("path does not exist"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(
            answer
                .header("content-security-policy")
                .starts_with("default-src 'none'")
        );
        assert!(
            answer
                .header("strict-transport-security")
                .starts_with("max-age=")
        );
        assert!(!answer.header("x-request-id").is_empty());
    }
    let request = Request::delete("/v1/tenant").body(Body::empty());
    let answer = call(&site.api, request.expect("invalid request")).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET,HEAD"));
    assert!(answer.detail().contains("header Allow"));
}
