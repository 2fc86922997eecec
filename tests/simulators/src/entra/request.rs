//! Parses and validates the query of a link to the pages, before a user signs in.

use super::flow::{Back, Flow, SignInLink, Step};
use super::refusal::describe;
use super::scopes;
use crate::service_app::ServiceApp;

/// A validated request of either flow.
pub(super) struct Request {
    /// The requesting application.
    pub(super) app: ServiceApp,
    /// The URL to which the browser is redirected in the end.
    pub(super) redirect_uri: String,
    /// A value returned to the application unchanged.
    pub(super) state: Option<String>,
    /// Requested scopes, without the resource's URL.
    pub(super) scopes: Vec<String>,
    /// The scope parameter as sent.
    pub(super) scope: String,
    /// The `nonce` of the `id_token`.
    pub(super) nonce: Option<String>,
    /// The PKCE challenge, if any; the code can only be redeemed with its verifier.
    pub(super) challenge: Option<Challenge>,
    /// `login`, `consent`, `select_account` or `none`.
    pub(super) prompt: Option<String>,
    /// The suggested login.
    pub(super) login_hint: Option<String>,
    form_post: bool,
    flow: Flow,
}

/// A PKCE challenge.
#[derive(Clone)]
pub(super) struct Challenge {
    /// The challenge as sent.
    pub(super) value: String,
    /// Whether it is the verifier's SHA-256, not the verifier itself.
    pub(super) hashed: bool,
}

impl Request {
    /// Parses the query of a link. Errors are displayed on a page until the redirect URI is
    /// validated; afterwards they are returned to the application.
    pub(super) fn read(link: &SignInLink<'_>) -> Result<Self, Step> {
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(link.raw.as_bytes())
            .into_owned()
            .collect();
        let get = |name: &str| {
            let found = fields.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone())
        };
        let broken = |number, text: String| Step::Broken(describe(number, &text));
        if !link.is_open() && !link.is_loaded() {
            let text = format!("Tenant '{}' not found.", link.segment);
            return Err(broken(90002, text));
        }
        let Some(client_id) = get("client_id") else {
            let text = "The request must contain the parameter 'client_id'.";
            return Err(broken(900_144, text.to_owned()));
        };
        let app = client_id.parse().ok().and_then(|id| link.hub.app(id));
        let Some(app) = app else {
            let text = format!(
                "Application with identifier '{client_id}' was not found in the directory."
            );
            return Err(broken(700_016, text));
        };
        let redirect_uri = get("redirect_uri").unwrap_or_default();
        if !app.redirect_uris.contains(&redirect_uri) {
            let text = format!(
                "The redirect URI '{redirect_uri}' does not match those of application '{client_id}'."
            );
            return Err(broken(50011, text));
        }
        let scope = get("scope").unwrap_or_default();
        let mut request = Self {
            app,
            redirect_uri,
            state: get("state"),
            scopes: scopes::parse(&scope),
            scope,
            nonce: get("nonce"),
            challenge: None,
            prompt: get("prompt"),
            login_hint: get("login_hint"),
            form_post: get("response_mode").as_deref() == Some("form_post"),
            flow: link.flow,
        };
        request.check(&get)?;
        Ok(request)
    }

    fn check(&mut self, get: &dyn Fn(&str) -> Option<String>) -> Result<(), Step> {
        if self.scopes.is_empty() {
            let text = "The request must contain the parameter 'scope'.";
            return Err(self.refused("invalid_request", 900_144, text));
        }
        if self.flow == Flow::AdminConsent {
            return Ok(());
        }
        match get("response_type").as_deref() {
            Some("code") => {}
            None => {
                let text = "The request must contain the parameter 'response_type'.";
                return Err(self.refused("invalid_request", 900_144, text));
            }
            Some(_) => {
                let text = "The response type is not enabled for the application.";
                return Err(self.refused("unsupported_response_type", 700_051, text));
            }
        }
        if !matches!(
            get("response_mode").as_deref(),
            None | Some("query" | "form_post")
        ) {
            let text = "The response mode is not supported.";
            return Err(self.refused("invalid_request", 90013, text));
        }
        if !matches!(
            self.prompt.as_deref(),
            None | Some("login" | "consent" | "select_account" | "none")
        ) {
            let text = "The value of 'prompt' is not supported.";
            return Err(self.refused("invalid_request", 90023, text));
        }
        self.challenge = self.read_challenge(get)?;
        Ok(())
    }

    fn read_challenge(
        &self,
        get: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Challenge>, Step> {
        let Some(value) = get("code_challenge") else {
            return Ok(None);
        };
        let hashed = match get("code_challenge_method").as_deref() {
            Some("S256") => true,
            None | Some("plain") => false,
            Some(_) => {
                let text = "The code challenge method is not supported.";
                return Err(self.refused("invalid_request", 501_491, text));
            }
        };
        if !(43..=128).contains(&value.len()) {
            let text = "The size of the code challenge is not valid.";
            return Err(self.refused("invalid_request", 501_491, text));
        }
        Ok(Some(Challenge { value, hashed }))
    }

    /// Returns to the application with these fields and the state.
    pub(super) fn back(&self, mut fields: Vec<(&'static str, String)>) -> Back {
        if let Some(state) = &self.state {
            fields.push(("state", state.clone()));
        }
        Back {
            uri: self.redirect_uri.clone(),
            fields,
            form_post: self.form_post,
        }
    }

    /// Returns to the application with an error.
    pub(super) fn error(&self, error: &str, number: u32, text: &str) -> Back {
        let mut fields = vec![
            ("error", error.to_owned()),
            ("error_description", describe(number, text)),
        ];
        // The real service also adds this to errors, which misleads clients that only check this
        // field.
        if self.flow == Flow::AdminConsent {
            fields.push(("admin_consent", "True".to_owned()));
        }
        self.back(fields)
    }

    fn refused(&self, error: &str, number: u32, text: &str) -> Step {
        Step::Back(self.error(error, number, text))
    }
}
