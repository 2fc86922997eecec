//! Responses to the browser: a redirect to the console with the result, or a page to start again.

use axum::http::header::{ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use rollcall_domain::connection::{Cause, SignInAttempt, SignInStage};
use rollcall_runtime::ProblemDetails;
use url::Url;

use crate::AppState;

/// Seconds until a retry is useful after a dependency was unavailable.
const RETRY_AFTER: u64 = 5;

/// The outcome of a stage.
#[derive(Debug)]
pub(crate) enum CallbackResult {
    /// Redirect the browser to Microsoft's next page.
    Redirect(String),
    /// The connection works.
    Connected,
    /// Consent was given; Microsoft needs some time until it takes effect.
    Pending,
    /// The account signed in. Contains the name of its draft, which is needed to save it (S1-30).
    SignedIn(String),
    /// The stage failed, with cause and code.
    Refused(Cause, Option<String>),
    /// A dependency is unavailable; the state is consumed.
    Unavailable,
}

/// The reason why a stage ended without an outcome.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Microsoft refused, or its response is invalid. This is recorded for the directory
    /// connection only (S1-30).
    Refused {
        cause: Cause,
        /// The code to show.
        code: Option<String>,
    },
    /// A dependency is unavailable, or operators must fix something: nothing is recorded.
    Unavailable,
}

impl From<Cause> for Refusal {
    fn from(cause: Cause) -> Self {
        Self::Refused { cause, code: None }
    }
}

/// Returns the response for an outcome.
pub(crate) fn render(app: &AppState, attempt: &SignInAttempt, result: &CallbackResult) -> Response {
    if let CallbackResult::Redirect(url) = result {
        return redirect(url);
    }
    match console_url(app, attempt, result) {
        Some(url) => redirect(url.as_str()),
        None => start_again(app, &HeaderMap::new()),
    }
}

/// Returns the URL of the console page with the result, or `None` if the deployment has no console
/// or the page belongs to another origin. The result and the error code are in the query; the name
/// of a draft is in the fragment, which browsers do not send to servers.
fn console_url(app: &AppState, attempt: &SignInAttempt, result: &CallbackResult) -> Option<Url> {
    let origin = app.services.settings.frontend_url.as_deref()?;
    let mut url = Url::parse(&format!("{origin}{}", attempt.return_to.as_str())).ok()?;
    if url.origin().ascii_serialization() != origin {
        return None;
    }
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("connection", attempt.stage.kind().name());
        if let SignInStage::MailSignIn { catalog } = attempt.stage {
            query.append_pair("catalog", &catalog.to_string());
        }
        query.append_pair("result", result.name());
        if let CallbackResult::Refused(_, Some(code)) = result {
            query.append_pair("code", code);
        }
    }
    if let CallbackResult::SignedIn(name) = result {
        url.set_fragment(Some(&format!("signIn={name}")));
    }
    Some(url)
}

impl CallbackResult {
    const fn name(&self) -> &'static str {
        match self {
            Self::Redirect(_) => "onwards",
            Self::Connected => "connected",
            Self::Pending => "pending",
            Self::SignedIn(_) => "signed_in",
            Self::Refused(cause, _) => cause.result(),
            Self::Unavailable => "unavailable",
        }
    }
}

fn redirect(url: &str) -> Response {
    match HeaderValue::from_str(url) {
        Ok(location) => (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response(),
        Err(_) => unavailable(),
    }
}

/// Returns 503: a dependency is unavailable.
pub(crate) fn unavailable() -> Response {
    let detail = "The sign-in cannot be checked now; try again shortly.";
    let mut problem = ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, detail);
    problem.retry_after = Some(RETRY_AFTER);
    problem.into_response()
}

const START_AGAIN: &str =
    "This sign-in has expired or was already used. Go back to Rollcall and start it again.";

/// Returns the same response for every invalid state: browsers get a page with a link to the
/// console, programs a problem.
pub(crate) fn start_again(app: &AppState, headers: &HeaderMap) -> Response {
    let accepts = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    if !accepts.is_some_and(|accepts| accepts.contains("text/html")) {
        return ProblemDetails::new(StatusCode::BAD_REQUEST, START_AGAIN).into_response();
    }
    let link = app.services.settings.frontend_url.as_deref().map(|origin| {
        // An origin contains no characters that are special in HTML.
        format!("<p><a href=\"{origin}/\">Back to Rollcall</a></p>")
    });
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Start again</title><style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem;color-scheme:light dark}}</style></head><body><h1>Please start again</h1><p>{START_AGAIN}</p>{}</body></html>",
        link.unwrap_or_default()
    );
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, policy),
    ];
    (StatusCode::BAD_REQUEST, headers, page).into_response()
}
