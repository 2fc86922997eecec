//! The page flow: sign in, consent, and return to the application.

use uuid::Uuid;

use super::codes::Code;
use super::people::{Lookup, SignedInUser, find};
use super::refusal::describe;
use super::request::Request;
use super::scopes;
use crate::hub::{Hub, lock};
use crate::service_app::Grant;
use crate::world::UserConsent;

/// Error text if only an administrator can consent.
const NEEDS_ADMIN: &str = "An administrator must consent for this organization.";

/// The kind of link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// A user signs in.
    Authorize,
    /// An administrator consents for the whole organisation.
    AdminConsent,
}

impl Flow {
    /// Returns the path of its pages after the tenant.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Authorize => "oauth2/v2.0/authorize",
            Self::AdminConsent => "v2.0/adminconsent",
        }
    }
}

/// A link that was opened.
pub(super) struct SignInLink<'a> {
    pub(super) hub: &'a Hub,
    /// The tenant in the path: an id, `organizations` or `common`.
    pub(super) segment: &'a str,
    pub(super) flow: Flow,
    /// The link's query, undecoded.
    pub(super) raw: &'a str,
}

impl SignInLink<'_> {
    /// Returns whether users of all tenants may sign in.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.segment, "organizations" | "common")
    }

    /// Returns whether the tenant in the path exists.
    pub(super) fn is_loaded(&self) -> bool {
        let id: Option<Uuid> = self.segment.parse().ok();
        id.is_some_and(|id| self.hub.tenant(id).is_some())
    }
}

/// The next response to the browser.
pub(super) enum Step {
    /// The sign-in page.
    SignIn(SignInPage),
    /// The consent page.
    Consent(ConsentPage),
    /// An error page with a link back.
    Refused(String, Back),
    /// An error page without a link.
    Broken(String),
    /// A redirect to the application.
    Back(Back),
}

/// The sign-in page.
pub(super) struct SignInPage {
    /// Name of the application.
    pub(super) app: String,
    /// Initial value of the login field.
    pub(super) login: String,
    /// Error message if it is displayed again.
    pub(super) notice: Option<String>,
}

/// The consent page.
pub(super) struct ConsentPage {
    /// Name of the application.
    pub(super) app: String,
    /// Name of the organisation.
    pub(super) organisation: String,
    /// Login of the user on the page.
    pub(super) login: String,
    /// Names of the permissions.
    pub(super) permissions: Vec<String>,
    /// Whether consent for the organisation is offered.
    pub(super) offers_organisation: bool,
}

/// A return to the application.
pub(super) struct Back {
    pub(super) uri: String,
    pub(super) fields: Vec<(&'static str, String)>,
    /// Whether the fields are posted by a page instead of sent in the URL.
    pub(super) form_post: bool,
}

impl Back {
    /// Returns the URL with the fields as its query.
    pub(super) fn location(&self) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.fields)
            .finish();
        let joint = if self.uri.contains('?') { '&' } else { '?' };
        format!("{}{joint}{query}", self.uri)
    }
}

/// The choice on the consent page.
#[derive(Clone, Copy)]
pub(super) struct Decision {
    /// Accept or cancel.
    pub(super) accept: bool,
    /// Whether for the whole organisation.
    pub(super) organisation: bool,
}

/// Handles the opening of the link.
pub(super) fn start(link: &SignInLink<'_>) -> Step {
    let request = match Request::read(link) {
        Ok(request) => request,
        Err(step) => return step,
    };
    if request.prompt.as_deref() == Some("none") {
        let text = "Nobody is signed in, and the request forbids to ask.";
        return Step::Back(request.error("login_required", 50058, text));
    }
    Step::SignIn(SignInPage {
        app: request.app.name,
        login: request.login_hint.unwrap_or_default(),
        notice: None,
    })
}

/// Handles the sign-in page.
pub(super) fn sign_in(link: &SignInLink<'_>, login: &str) -> Step {
    match admitted(link, login) {
        Ok((request, user)) => asked(link, &request, &user, login),
        Err(step) => step,
    }
}

/// Handles the consent page.
pub(super) fn decide(link: &SignInLink<'_>, login: &str, decision: Decision) -> Step {
    let (request, user) = match admitted(link, login) {
        Ok(admitted) => admitted,
        Err(step) => return step,
    };
    if !decision.accept {
        let text = "The person declined to consent to the application.";
        return Step::Back(request.error("access_denied", 65004, text));
    }
    if decision.organisation && !user.admin {
        return Step::Back(request.error("access_denied", 90094, NEEDS_ADMIN));
    }
    match asked(link, &request, &user, login) {
        Step::Consent(_) => {}
        // There is nothing left to ask, or this user may not consent.
        other if !decision.organisation => return other,
        _ => {}
    }
    let everybody = decision.organisation || link.flow == Flow::AdminConsent;
    accepted(link, &request, &user, everybody)
}

/// Returns the request and the user, if both are valid.
fn admitted(link: &SignInLink<'_>, login: &str) -> Result<(Request, SignedInUser), Step> {
    let request = Request::read(link)?;
    let again = |number, text: String| {
        Step::SignIn(SignInPage {
            app: request.app.name.clone(),
            login: login.to_owned(),
            notice: Some(describe(number, &text)),
        })
    };
    match find(link, login) {
        Lookup::Here(user) if user.enabled => Ok((request, user)),
        Lookup::Here(_) => Err(again(50057, format!("The account '{login}' is disabled."))),
        Lookup::Elsewhere => {
            let text = format!("The account '{login}' does not exist in this organization.");
            Err(Step::Broken(describe(50020, &text)))
        }
        Lookup::Nobody => Err(again(
            50034,
            format!("The account '{login}' does not exist."),
        )),
    }
}

/// Returns the consent page if it is required, otherwise continues.
fn asked(link: &SignInLink<'_>, request: &Request, user: &SignedInUser, login: &str) -> Step {
    let tenant = lock(&user.tenant);
    let permissions = match link.flow {
        Flow::AdminConsent => {
            if !user.admin {
                let back = request.error("access_denied", 90094, NEEDS_ADMIN);
                return Step::Refused(describe(90094, NEEDS_ADMIN), back);
            }
            request.app.app_roles.clone()
        }
        Flow::Authorize => {
            let client_id = request.app.client_id;
            let missing = scopes::missing(&tenant.state, client_id, user.object, &request.scopes);
            let forced = request.prompt.as_deref() == Some("consent");
            if missing.is_empty() && !forced {
                drop(tenant);
                return signed_in(link, request, user);
            }
            if tenant.state.world.user_consent == UserConsent::AdminOnly && !user.admin {
                return Step::Back(request.error("access_denied", 90094, NEEDS_ADMIN));
            }
            let consented = tenant.state.consented_scopes(client_id, user.object);
            scopes::expand(&request.scopes, &consented)
        }
    };
    Step::Consent(ConsentPage {
        app: request.app.name.clone(),
        organisation: user.organisation.clone(),
        login: login.to_owned(),
        permissions,
        offers_organisation: user.admin && link.flow == Flow::Authorize,
    })
}

/// Stores the consent and continues.
fn accepted(
    link: &SignInLink<'_>,
    request: &Request,
    user: &SignedInUser,
    everybody: bool,
) -> Step {
    let mut tenant = lock(&user.tenant);
    let now = tenant.now();
    let (state, client_id) = (&mut tenant.state, request.app.client_id);
    if link.flow == Flow::AdminConsent {
        let roles = request.app.app_roles.clone();
        state.consent(client_id, Grant::Application { roles }, now);
        return Step::Back(request.back(vec![
            ("admin_consent", "True".to_owned()),
            ("tenant", user.tenant_id.to_string()),
            ("scope", request.scope.clone()),
        ]));
    }
    let consented = state.consented_scopes(client_id, user.object);
    let grant = Grant::Delegated {
        object: (!everybody).then_some(user.object),
        scopes: scopes::expand(&request.scopes, &consented),
    };
    state.consent(client_id, grant, now);
    drop(tenant);
    signed_in(link, request, user)
}

/// Returns to the application with a code.
fn signed_in(link: &SignInLink<'_>, request: &Request, user: &SignedInUser) -> Step {
    let tenant = lock(&user.tenant);
    let client_id = request.app.client_id;
    let consented = tenant.state.consented_scopes(client_id, user.object);
    let code = link.hub.codes.issue(Code {
        client_id,
        redirect_uri: request.redirect_uri.clone(),
        challenge: request.challenge.clone(),
        scopes: scopes::expand(&request.scopes, &consented),
        nonce: request.nonce.clone(),
        tenant: user.tenant_id,
        person: user.object,
        issued_at: tenant.now(),
        used: false,
    });
    Step::Back(request.back(vec![
        ("code", code),
        ("session_state", Uuid::new_v4().to_string()),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_added_to_the_address_and_escaped() {
        let location = |uri: &str| {
            let back = Back {
                uri: uri.to_owned(),
                fields: vec![("code", "c".to_owned()), ("state", "a&b=ü".to_owned())],
                form_post: false,
            };
            back.location()
        };
        let query = "code=c&state=a%26b%3D%C3%BC";
        assert_eq!(
            location("https://a.example/b"),
            format!("https://a.example/b?{query}")
        );
        assert_eq!(
            location("https://a.example/?x=1"),
            format!("https://a.example/?x=1&{query}")
        );
    }
}
