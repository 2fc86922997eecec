//! Where the browser goes afterwards: back to the console with the result, or a page that says to start again.

use axum::http::header::{ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use rollcall_domain::connection::{Cause, SignInAttempt, SignInStage};
use rollcall_runtime::ProblemDetails;
use url::Url;

use crate::AppState;

/// Seconds after which trying again makes sense when something does not answer.
const RETRY_AFTER: u64 = 5;

/// How a stage ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The browser is sent to Microsoft's next page.
    Redirect(String),
    /// It is connected.
    Connected,
    /// Consent was given; Microsoft needs a while to carry it out.
    Pending,
    /// The account signed in; this name saves it (S1-30).
    SignedIn(String),
    /// It did not work, for this reason.
    Refused(Cause, Option<String>),
    /// Something of ours does not answer; the state is used up.
    Unavailable,
}

/// Why a stage ended without an outcome.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Microsoft, or what it sent, says no; this is recorded.
    Refused {
        /// Why.
        cause: Cause,
        /// The code to show.
        code: Option<String>,
    },
    /// Something does not answer, or is ours to repair: nothing is recorded.
    Unavailable,
}

impl From<Cause> for Refusal {
    fn from(cause: Cause) -> Self {
        Self::Refused { cause, code: None }
    }
}

/// Sends the browser on.
pub(crate) fn render(app: &AppState, attempt: &SignInAttempt, outcome: &Outcome) -> Response {
    if let Outcome::Redirect(url) = outcome {
        return redirect(url);
    }
    match place(app, attempt, outcome) {
        Some(url) => redirect(url.as_str()),
        None => start_again(app, &HeaderMap::new()),
    }
}

/// The console's page with the result. Names and codes travel in the query; what
/// lets somebody save the account travels behind `#`, which no server sees.
fn place(app: &AppState, attempt: &SignInAttempt, outcome: &Outcome) -> Option<Url> {
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
        query.append_pair("result", outcome.name());
        if let Outcome::Refused(_, Some(code)) = outcome {
            query.append_pair("code", code);
        }
    }
    if let Outcome::SignedIn(name) = outcome {
        url.set_fragment(Some(&format!("signIn={name}")));
    }
    Some(url)
}

impl Outcome {
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

/// Something of ours does not answer.
pub(crate) fn unavailable() -> Response {
    let detail = "The sign-in cannot be checked now; try again shortly.";
    let mut problem = ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, detail);
    problem.retry_after = Some(RETRY_AFTER);
    problem.into_response()
}

const START_AGAIN: &str =
    "This sign-in has expired or was already used. Go back to Rollcall and start it again.";

/// The same for everybody whose state is not good. People get a page with the
/// way back, programs a problem.
pub(crate) fn start_again(app: &AppState, headers: &HeaderMap) -> Response {
    let accepts = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    if !accepts.is_some_and(|accepts| accepts.contains("text/html")) {
        return ProblemDetails::new(StatusCode::BAD_REQUEST, START_AGAIN).into_response();
    }
    let link = app.services.settings.frontend_url.as_deref().map(|origin| {
        // An origin has no characters that mean something in HTML.
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
