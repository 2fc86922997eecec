//! Sign-in, refresh and the app's own token against a certified third-party `OpenID` provider.
//!
//! Differences from Entra: it has no `AADSTS` numbers, so only the OAuth error shows a cause; its
//! identity tokens contain `nbf` only because it is configured to add it; its redirects contain its
//! name (`iss`, RFC 9207); it returns `offline_access` only if the request asks for consent
//! (`OpenID` Connect Core, section 11); and it revokes all tokens of a sign-in if a code or a
//! refresh token is used twice, where Entra accepts the previous one for a while.

use std::collections::BTreeMap;

use rollcall_clients::entra::{Entra, EntraErrorKind, Grant, ServiceApp, SignIn};
use rollcall_clients::http::{Http, HttpSettings, Secret};
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::connection::Cause;
use rollcall_local::stack::root;
use rollcall_local::tools;
use rollcall_runtime::Settings;
use rollcall_runtime::auth::{AuthError, Identities};
use serde_json::json;
use url::Url;
use uuid::Uuid;

use crate::deployed::quiet;
use crate::node::Node;

const GRAPH: &str = "https://graph.example";
const CALLBACK: &str = "http://127.0.0.1:9/oauth/callback";
const PERSON: &str = "ada@contoso.example";

/// The provider and its clients, the same as in the functions.
struct Site {
    tenant: TenantId,
    person: Uuid,
    app: ServiceApp,
    entra: Entra,
    identities: Identities,
    browser: reqwest::Client,
    _provider: Node,
}

impl Site {
    async fn start() -> Self {
        let (tenant, person) = (Uuid::new_v4(), Uuid::new_v4());
        let app = ServiceApp {
            client_id: Uuid::new_v4().to_string(),
            secret: Secret::new("a-secret-of-the-test"),
            redirect_uri: CALLBACK.to_owned(),
        };
        let root = root().expect("the repository was not found");
        let program = tools::ensure_oidc(&root, &quiet).await;
        let mut provider = Node::start(&program.expect("not installed"));
        let serve = json!({
            "tenant": tenant,
            "client": app.client_id,
            "secret": app.secret.expose(),
            "redirect": app.redirect_uri,
            "person": {"oid": person, "name": PERSON},
            "scopes": [format!("{GRAPH}/Mail.Send"), format!("{GRAPH}/.default")],
        });
        let started = provider.ask(&serve).await;
        let authority = started["authority"].as_str().expect("not a string");
        let http = Http::new(HttpSettings::default()).expect("client not created");
        let browser = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build();
        Self {
            tenant: TenantId::new(tenant),
            person,
            app,
            entra: Entra::new(http, authority).expect("client not created"),
            identities: Identities::new(&settings(authority)).expect("verifier not created"),
            browser: browser.expect("client not created"),
            _provider: provider,
        }
    }

    fn scopes() -> Vec<String> {
        vec![format!("{GRAPH}/Mail.Send")]
    }

    fn link(&self, state: &str, ask_consent: bool) -> String {
        let how = SignIn {
            ask_consent,
            ..SignIn::default()
        };
        let link = self
            .entra
            .authorize_url(self.tenant, &self.app, state, &Self::scopes(), how);
        link.expect("no link")
    }

    /// Follows redirects as a browser does, up to our callback.
    async fn follow(&self, link: &str) -> BTreeMap<String, String> {
        let mut cookies: BTreeMap<String, String> = BTreeMap::new();
        let mut at = Url::parse(link).expect("invalid address");
        for _ in 0..10 {
            if at.as_str().starts_with(CALLBACK) {
                return at.query_pairs().into_owned().collect();
            }
            let pairs = cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"));
            let pairs: Vec<_> = pairs.collect();
            let request = self.browser.get(at.clone());
            let request = request.header("cookie", pairs.join("; "));
            let answer = request.send().await.expect("provider request failed");
            for cookie in answer.headers().get_all("set-cookie") {
                let text = cookie.to_str().expect("invalid cookie");
                let pair = text.split(';').next().unwrap_or_default();
                let (name, value) = pair.split_once('=').expect("no pair");
                if value.is_empty() {
                    cookies.remove(name);
                } else {
                    cookies.insert(name.to_owned(), value.to_owned());
                }
            }
            let onwards = answer.headers().get("location").map(|it| it.to_str());
            let Some(Ok(onwards)) = onwards else {
                panic!("no redirect at {at}: {:?}", answer.text().await);
            };
            at = at.join(onwards).expect("invalid address");
        }
        panic!("too many redirects of {link}");
    }

    /// Signs the user in; returns the code.
    async fn code(&self, state: &str) -> Secret {
        let mut back = self.follow(&self.link(state, true)).await;
        assert_eq!(back["state"], state);
        Secret::new(back.remove("code").expect("no code"))
    }

    async fn sign_in(&self, state: &str) -> Grant {
        let code = self.code(state).await;
        let grant = self
            .entra
            .redeem(self.tenant, &self.app, state, &code)
            .await;
        grant.expect("no tokens were issued")
    }

    /// Uses a refresh token; returns the next one, or the cause of the failure.
    async fn refresh(&self, token: &Secret) -> Result<Secret, Cause> {
        let scopes = Self::scopes();
        let refreshed = self.entra.refresh(self.tenant, &self.app, token, &scopes);
        match refreshed.await {
            Ok(grant) => Ok(grant.refresh.expect("no refresh token")),
            Err(error) => {
                assert_eq!(error.code(), "invalid_grant", "{error}");
                Err(error.cause())
            }
        }
    }
}

/// Returns settings in which only the authority is relevant.
fn settings(authority: &str) -> Settings {
    let nothing = [
        "ROLLCALL_TABLE",
        "ROLLCALL_BUCKET",
        "ROLLCALL_REFRESH_QUEUE_URL",
        "ROLLCALL_MAINTENANCE_QUEUE_URL",
        "ROLLCALL_NOTICE_QUEUE_URL",
        "ROLLCALL_SECRET_PREFIX",
        "ROLLCALL_SYSTEM_SENDER",
    ];
    let mut variables: BTreeMap<_, _> = nothing
        .map(|name| (name.to_owned(), "none".to_owned()))
        .into();
    variables.insert(
        "ROLLCALL_ENTRA_AUTHORITY_URL".to_owned(),
        authority.to_owned(),
    );
    Settings::read(&variables).expect("incomplete settings")
}

/// Proves S1-08 and S1-19: code and PKCE, a verified identity, and each refresh token used once.
#[tokio::test]
async fn a_sign_in_gives_an_identity_and_rotating_tokens() {
    let site = Site::start().await;
    let grant = site.sign_in("first").await;
    let token = grant.id_token.expect("no identity token");
    let nonce = site.app.proofs("first").nonce;
    let verify = async |client_id: &str, nonce: &str| {
        let token = token.expose();
        site.identities.verify(token, client_id, nonce).await
    };
    let client_id = &site.app.client_id;
    let identity = verify(client_id, nonce.expose())
        .await
        .expect("identity not verified");
    assert_eq!(identity.tenant, site.tenant);
    assert_eq!(identity.object.uuid(), site.person);
    assert_eq!(identity.name, PERSON);
    let other = site.app.proofs("second").nonce;
    assert_eq!(
        verify(client_id, other.expose()).await,
        Err(AuthError::Replayed)
    );
    let stranger = Uuid::new_v4().to_string();
    assert_eq!(
        verify(&stranger, nonce.expose()).await,
        Err(AuthError::Audience)
    );

    let first = grant.refresh.expect("no refresh token");
    let second = site.refresh(&first).await.expect("not renewed");
    let third = site.refresh(&second).await.expect("not renewed");
    assert_ne!(first.expose(), second.expose());
    assert_ne!(second.expose(), third.expose());
    assert_eq!(
        site.refresh(&second).await.map(drop),
        Err(Cause::GrantRevoked)
    );
    assert_eq!(
        site.refresh(&third).await.map(drop),
        Err(Cause::GrantRevoked),
        "the sign-in of a reused token was not revoked"
    );
}

/// Proves S1-08: a leaked code is useless.
#[tokio::test]
async fn a_code_is_good_once_and_for_its_own_sign_in() {
    let site = Site::start().await;
    let redeem = async |app: &ServiceApp, state: &str, code: &Secret| {
        site.entra.redeem(site.tenant, app, state, code).await
    };
    let code = site.code("mine").await;
    let stolen = redeem(&site.app, "another", &code).await;
    let stolen = stolen.expect_err("a foreign verifier was accepted");
    assert_eq!(stolen.code(), "invalid_grant");
    assert_eq!(stolen.kind(), EntraErrorKind::Other);

    let mut stranger = site.app.clone();
    stranger.secret = Secret::new("a guess");
    let code = site.code("mine").await;
    let refused = redeem(&stranger, "mine", &code).await;
    let refused = refused.expect_err("a wrong verifier and secret were accepted");
    assert_eq!(
        (refused.code(), refused.cause()),
        ("invalid_client".to_owned(), Cause::OurCredential)
    );

    let code = site.code("mine").await;
    let grant = redeem(&site.app, "mine", &code)
        .await
        .expect("no tokens were issued");
    let again = redeem(&site.app, "mine", &code).await;
    assert_eq!(
        again.expect_err("the code was accepted twice").cause(),
        Cause::GrantRevoked
    );
    let refresh = grant.refresh.expect("no refresh token");
    assert_eq!(
        site.refresh(&refresh).await.map(drop),
        Err(Cause::GrantRevoked),
        "the tokens of a reused code were not revoked"
    );
}

/// The provider requires PKCE, which our links contain. Without a request for consent it returns no
/// refresh token, which the caller detects.
#[tokio::test]
async fn links_are_what_the_provider_asks_for() {
    let site = Site::start().await;
    let mut bare = Url::parse(&site.link("bare", true)).expect("invalid URL");
    let kept: Vec<_> = bare
        .query_pairs()
        .into_owned()
        .filter(|(name, _)| !name.starts_with("code_challenge"))
        .collect();
    bare.query_pairs_mut().clear().extend_pairs(kept);
    let refused = site.follow(bare.as_str()).await;
    assert_eq!(refused["error"], "invalid_request");
    assert!(refused["error_description"].contains("PKCE"), "{refused:?}");
    assert_eq!(refused["state"], "bare");

    let back = site.follow(&site.link("plain", false)).await;
    let code = Secret::new(back["code"].as_str());
    let grant = site.entra.redeem(site.tenant, &site.app, "plain", &code);
    let grant = grant.await.expect("no tokens were issued");
    assert!(grant.access.is_fresh() && grant.id_token.is_some());
    assert!(grant.refresh.is_none());
}

/// Proves S0-19 in part: the app's own token, first from the provider and then from the cache.
#[tokio::test]
async fn the_app_gets_a_token_of_its_own() {
    let site = Site::start().await;
    let scope = format!("{GRAPH}/.default");
    let (tenant, id) = (site.tenant, &site.app.client_id);
    let token =
        async |secret: &Secret, scope: &str| site.entra.app_token(tenant, id, secret, scope).await;
    let first = token(&site.app.secret, &scope)
        .await
        .expect("no token was issued");
    let second = token(&site.app.secret, &scope)
        .await
        .expect("no token was issued");
    assert_eq!(first.secret().expose(), second.secret().expose());
    let wrong = token(&Secret::new("a guess"), &scope).await;
    let wrong = wrong.expect_err("was accepted");
    assert_eq!(wrong.kind(), EntraErrorKind::SecretWrong);
    assert_eq!(wrong.cause(), Cause::OurCredential);
}
