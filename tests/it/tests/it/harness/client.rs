//! An administrator with a real token, and the API's responses.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use lambda_runtime::tower::ServiceExt;
use rollcall_simulators::UserTokenSpec;
use serde_json::Value;
use uuid::Uuid;

use super::TestApp;

/// The audience of the API in all tests.
pub(crate) const AUDIENCE: &str = "api://rollcall.example";

/// The origin of the console in all tests.
pub(crate) const FRONTEND: &str = "https://console.rollcall.example";

/// The origin of the API for browsers in all tests.
pub(crate) const PUBLIC: &str = "https://api.rollcall.example";

/// The service's own app in Entra.
pub(crate) const CLIENT_ID: Uuid = Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_c11d);

/// The response to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The JSON body; `null` if there is none.
    pub(crate) body: Value,
}

impl Answer {
    /// Returns a header as text; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str());
        value.transpose().expect("not UTF-8").unwrap_or_default()
    }

    /// Returns the `detail` of a problem, which every problem has.
    pub(crate) fn detail(&self) -> &str {
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["status"], self.status);
        self.body["detail"].as_str().expect("no detail")
    }

    /// Returns the pointers of a problem's fields.
    pub(crate) fn pointers(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array();
        let errors = errors.map(Vec::as_slice).unwrap_or_default();
        let places = errors.iter().map(|error| error["pointer"].as_str());
        places.map(|place| place.expect("no pointer")).collect()
    }

    /// Sorts a problem's fields by pointer.
    pub(crate) fn sort_errors(&mut self) {
        if let Some(errors) = self.body["errors"].as_array_mut() {
            errors.sort_by_key(|error| error["pointer"].to_string());
        }
    }

    /// Asserts the status and returns the response.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:#}", self.body);
        self
    }
}

/// Sends a request through a router.
pub(crate) async fn call(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.expect("infallible");
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 8 << 20).await.expect("body not read");
    let body = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&bytes).expect("invalid JSON")
    };
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
    }
}

/// A user of the API.
#[derive(Clone)]
pub(crate) struct Admin {
    router: Router,
    token: Option<String>,
    pub(crate) object: Uuid,
    pub(crate) name: String,
}

impl TestApp {
    /// Returns the deployed API's router, in this process.
    pub(crate) fn router(&self) -> Router {
        rollcall_profile_api::router(self.services.clone()).expect("API not created")
    }

    /// Returns a user of this tenant with this app role.
    pub(crate) fn admin(&self, role: &str) -> Admin {
        self.admin_of(self.id.uuid(), &[role])
    }

    /// Returns a user of any tenant with these app roles.
    pub(crate) fn admin_of(&self, tenant: Uuid, roles: &[&str]) -> Admin {
        let object = Uuid::new_v4();
        let mut spec = UserTokenSpec::new(tenant, object, AUDIENCE).roles(roles);
        spec.name = format!("{}@contoso.example", roles.join("-").to_lowercase());
        self.admin_with(&spec)
    }

    /// Returns a user with this token.
    pub(crate) fn admin_with(&self, spec: &UserTokenSpec) -> Admin {
        Admin {
            router: self.router(),
            token: Some(
                self.simulators
                    .user_token(spec)
                    .expect("no token was issued"),
            ),
            object: spec.object,
            name: spec.name.clone(),
        }
    }
}

impl Admin {
    /// Returns a caller without a token.
    pub(crate) fn without_token(app: &TestApp) -> Self {
        Self {
            router: app.router(),
            token: None,
            object: Uuid::nil(),
            name: String::new(),
        }
    }

    /// Returns the token, for third-party tools.
    pub(crate) fn bearer(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// Sends `GET`.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, &[]).await
    }

    /// Sends `POST`.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body), &[]).await
    }

    /// Sends `POST` with the version as precondition.
    pub(crate) async fn post_if(&self, path: &str, tag: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body), &[("if-match", tag)])
            .await
    }

    /// Sends `PUT` with the version as precondition; without one if the tag is empty.
    pub(crate) async fn put(&self, path: &str, tag: &str, body: Value) -> Answer {
        let headers = [("if-match", tag)];
        let headers = if tag.is_empty() { &[][..] } else { &headers };
        self.send("PUT", path, Some(body), headers).await
    }

    /// Sends `DELETE`.
    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None, &[]).await
    }

    /// Sends a request whose response is not JSON; returns status, media type and bytes.
    pub(crate) async fn raw(&self, method: &str, path: &str) -> (u16, String, Vec<u8>) {
        let token = self.token.as_deref().unwrap_or_default();
        let request = Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::empty()).expect("invalid request");
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("infallible");
        let (parts, body) = response.into_parts();
        let media_type = parts
            .headers
            .get("content-type")
            .map(|it| it.to_str().expect("not UTF-8"));
        let media_type = media_type.unwrap_or_default().to_owned();
        let bytes = to_bytes(body, 8 << 20).await.expect("body not read");
        (parts.status.as_u16(), media_type, bytes.to_vec())
    }

    /// Sends any request.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        call(&self.router, request.body(body).expect("invalid request")).await
    }
}
