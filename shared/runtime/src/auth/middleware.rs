//! Common parts of every HTTP response: a request id, security headers, and problem details for
//! unknown paths.

use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{Extensions, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use tracing::Instrument;
use uuid::Uuid;

use crate::problem::ProblemDetails;

/// The header with the request's id, for users to quote and for finding it in the logs.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Responses contain data for one caller: they must not be cached, framed or sniffed. Their address
/// may identify a sign-in, so browsers must not send it as a referrer.
const SECURITY_HEADERS: [(HeaderName, &str); 5] = [
    (CACHE_CONTROL, "no-store"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (REFERRER_POLICY, "no-referrer"),
    (
        STRICT_TRANSPORT_SECURITY,
        "max-age=31536000; includeSubDomains",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// Wraps a router in this middleware. Routes that are added afterwards are not covered.
pub fn with_common_responses<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn(log_request))
}

async fn unknown_path() -> ProblemDetails {
    ProblemDetails::new(StatusCode::NOT_FOUND, "This path does not exist.")
}

async fn wrong_method() -> ProblemDetails {
    ProblemDetails::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "This path does not take this method; the header Allow lists those it takes.",
    )
}

/// Logs the path only, because a query may contain an authorisation code.
async fn log_request(request: Request, next: Next) -> Response {
    let id = request_id(request.extensions());
    let span = tracing::info_span!("request", request_id = %id, method = %request.method(), path = request.uri().path());
    let begun = Instant::now();
    async {
        let mut response = next.run(request).await;
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(status = response.status().as_u16(), ms, "answered");
        add_headers(&mut response, &id);
        response
    }
    .instrument(span)
    .await
}

fn add_headers(response: &mut Response, id: &str) {
    let headers = response.headers_mut();
    for (name, value) in SECURITY_HEADERS {
        // HTML pages set their own policy; all other responses get the strictest.
        if name != CONTENT_SECURITY_POLICY || !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// Returns API Gateway's id, which its access log contains, too; without a gateway a new one. An id
/// sent by the caller is not trusted, so it never reaches the logs.
fn request_id(extensions: &Extensions) -> String {
    let from_gateway = match extensions.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    from_gateway.unwrap_or_else(|| Uuid::new_v4().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::get;
    use lambda_http::tower::ServiceExt;
    use serde_json::json;

    async fn answer(request: axum::http::Request<Body>) -> Response {
        let router: Router =
            with_common_responses(Router::new().route("/here", get(async || "here")));
        router.oneshot(request).await.expect("infallible")
    }

    fn to(method: &str, path: &str) -> axum::http::Request<Body> {
        let builder = axum::http::Request::builder().method(method).uri(path);
        builder.body(Body::empty()).expect("request not built")
    }

    #[tokio::test]
    async fn every_answer_carries_the_headers_and_an_id_of_its_own() {
        let mut ids = std::collections::BTreeSet::new();
        for (method, path, status) in [
            ("GET", "/here", 200),
            ("GET", "/there", 404),
            ("PUT", "/here", 405),
        ] {
            let response = answer(to(method, path)).await;
            assert_eq!(response.status().as_u16(), status, "{method} {path}");
            let headers = response.headers();
            for (name, value) in SECURITY_HEADERS {
                assert_eq!(headers[&name], value, "{method} {path}");
            }
            assert!(ids.insert(headers[REQUEST_ID].clone()));
            if status != 200 {
                assert_eq!(headers["content-type"], "application/problem+json");
            }
        }
    }

    #[tokio::test]
    async fn a_wrong_method_learns_the_right_ones() {
        let response = answer(to("DELETE", "/here")).await;
        assert_eq!(response.headers()["allow"], "GET,HEAD");
    }

    #[tokio::test]
    async fn the_gateways_id_is_used_and_the_callers_is_not() {
        let context = json!({"requestId": "JKJaXmPLvHcESHA=", "accountId": "1", "http": {"method": "GET"}, "timeEpoch": 0});
        let context = serde_json::from_value(context).expect("context not parsed");
        let mut request = to("GET", "/here");
        request
            .headers_mut()
            .insert(REQUEST_ID, HeaderValue::from_static("forged"));
        let request = request.with_request_context(RequestContext::ApiGatewayV2(context));
        let response = answer(request).await;
        assert_eq!(response.headers()[REQUEST_ID], "JKJaXmPLvHcESHA=");
        let mut request = to("GET", "/here");
        request
            .headers_mut()
            .insert(REQUEST_ID, HeaderValue::from_static("forged"));
        assert_ne!(answer(request).await.headers()[REQUEST_ID], "forged");
    }
}
