//! What every HTTP answer has in common: a request id, security headers, and problems for unknown paths.

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

/// The header a request's id is answered in; people quote it, logs carry it.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers are data for one caller: never cached, never framed, never sniffed.
/// They may name a sign-in, so browsers do not pass the address on either.
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

/// Puts a router behind all of it. Routes that are added afterwards are not.
pub fn guard<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn(accompany))
}

async fn unknown_path() -> ProblemDetails {
    ProblemDetails::new(StatusCode::NOT_FOUND, "There is nothing at this path.")
}

async fn wrong_method() -> ProblemDetails {
    ProblemDetails::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "This path does not take this method; the header Allow lists those it takes.",
    )
}

/// Only the path is logged: a query may hold an authorisation code.
async fn accompany(request: Request, next: Next) -> Response {
    let id = request_id(request.extensions());
    let span = tracing::info_span!("request", request_id = %id, method = %request.method(), path = request.uri().path());
    let begun = Instant::now();
    async {
        let mut response = next.run(request).await;
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(status = response.status().as_u16(), ms, "answered");
        dress(&mut response, &id);
        response
    }
    .instrument(span)
    .await
}

fn dress(response: &mut Response, id: &str) {
    let headers = response.headers_mut();
    for (name, value) in SECURITY_HEADERS {
        // A page of our own says what it needs; everything else gets the strictest.
        if name != CONTENT_SECURITY_POLICY || !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// API Gateway's id, under which its access log has the request too; a new one
/// elsewhere. What a caller sends as an id is not trusted into our logs.
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
        let router: Router = guard(Router::new().route("/here", get(async || "here")));
        router.oneshot(request).await.expect("infallible")
    }

    fn to(method: &str, path: &str) -> axum::http::Request<Body> {
        let builder = axum::http::Request::builder().method(method).uri(path);
        builder.body(Body::empty()).expect("a request")
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
        let context = serde_json::from_value(context).expect("a context");
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
