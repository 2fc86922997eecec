//! A test tenant with mailboxes and rooms, and an application that signs users in.

use std::collections::BTreeMap;

use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use rollcall_simulators::generate::{self, WorldSpec};
use rollcall_simulators::world::{Mailbox, Room};
use rollcall_simulators::{ConsentChoice, ServiceApp, Simulators, TenantState, World};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::site::{Answered, TENANT, read};

pub(crate) const APP: Uuid = Uuid::from_u128(0xa99);
pub(crate) const BACK: &str = "https://rollcall.example/oauth/callback";
pub(crate) const SCOPES: &str = "openid profile email offline_access User.Read Mail.Send \
                                 MailboxSettings.Read Calendars.ReadWrite Place.Read.All";
/// The example of RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) struct SignInSite {
    pub(crate) simulators: Simulators,
    pub(crate) client: Client,
    /// An ordinary user with a mailbox.
    pub(crate) ada: Uuid,
    pub(crate) ada_upn: String,
    /// A global administrator.
    pub(crate) boss_upn: String,
}

impl SignInSite {
    pub(crate) async fn new() -> Self {
        let mut world = generate::world(&WorldSpec {
            tenant: TENANT,
            users: 60,
            nasty_percent: 0,
            missing_percent: 0,
            guests_percent: 0,
            disabled_percent: 0,
            ..WorldSpec::default()
        });
        let mut people = world.people.iter().filter(|it| it.object_id.is_some());
        let ada = people.next().expect("a user").clone();
        let boss = people.next().expect("a second user").clone();
        let id = ada.object_id.expect("is in Entra");
        world.mailboxes.insert(id, Mailbox::default());
        world.admins.extend(boss.object_id);
        world.rooms = ["Oak", "Elm"].map(room).to_vec();
        let simulators = Simulators::start(0).await.expect("a free port");
        simulators.load(world);
        simulators.register_app(ServiceApp {
            client_id: APP,
            client_secret: "service-secret".to_owned(),
            secret_expired: false,
            name: "Rollcall <Mail>".to_owned(),
            redirect_uris: vec![BACK.to_owned()],
            app_roles: vec!["User.Read.All".to_owned(), "User.Invite.All".to_owned()],
        });
        let client = Client::builder().no_proxy().redirect(Policy::none());
        Self {
            simulators,
            client: client.build().expect("a client"),
            ada: id,
            ada_upn: ada.upn,
            boss_upn: boss.upn,
        }
    }

    pub(crate) fn state(&self) -> TenantState {
        self.simulators.dump(TENANT).expect("the tenant is loaded")
    }

    pub(crate) fn world(&self, change: impl FnOnce(&mut World)) {
        let edited = self
            .simulators
            .edit(TENANT, |state| change(&mut state.world));
        assert!(edited.is_some());
    }

    /// Advances the tenant's clock by this number of seconds.
    pub(crate) fn wait(&self, seconds: i64) {
        self.world(|world| world.behaviour.clock_ahead_ms += seconds * 1_000);
    }

    /// Returns an authorize URL with these fields added or changed.
    pub(crate) fn authorize(&self, segment: &str, changes: &[(&str, &str)]) -> String {
        let app = APP.to_string();
        let mut fields = BTreeMap::from([
            ("client_id", app.as_str()),
            ("response_type", "code"),
            ("redirect_uri", BACK),
            ("scope", SCOPES),
            ("state", "a&b"),
            ("nonce", "n-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        fields.extend(changes.iter().copied());
        let path = format!(
            "{}/{segment}/oauth2/v2.0/authorize",
            self.simulators.entra_url()
        );
        Url::parse_with_params(&path, fields).expect("a URL").into()
    }

    /// Signs in without a browser and returns the fields of the redirect.
    pub(crate) fn sign_in(
        &self,
        url: &str,
        login: &str,
        choice: ConsentChoice,
    ) -> Result<BTreeMap<String, String>, String> {
        let location = self.simulators.sign_in(url, login, choice)?;
        assert!(location.starts_with(BACK), "{location}");
        Ok(fields(&location))
    }

    pub(crate) fn code(&self) -> String {
        let url = self.authorize("organizations", &[]);
        let back = self.sign_in(&url, &self.ada_upn, ConsentChoice::Accept);
        back.expect("signed in")["code"].clone()
    }

    pub(crate) async fn token(&self, segment: &str, fields: &[(&str, &str)]) -> Answered {
        let url = format!(
            "{}/{segment}/oauth2/v2.0/token",
            self.simulators.entra_url()
        );
        let app = APP.to_string();
        let mut form = BTreeMap::from([
            ("client_id", app.as_str()),
            ("client_secret", "service-secret"),
        ]);
        form.extend(fields.iter().copied());
        let answer = self.client.post(url).form(&form).send().await;
        read(answer.expect("a response")).await
    }

    pub(crate) async fn redeem(&self, segment: &str, code: &str) -> Answered {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
        ];
        self.token(segment, &fields).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answered {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.token(&TENANT.to_string(), &fields).await
    }

    /// Returns the tokens of a complete sign-in.
    pub(crate) async fn tokens(&self) -> Value {
        let (status, body) = self.redeem(&TENANT.to_string(), &self.code()).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    pub(crate) async fn access_token(&self) -> String {
        text(&self.tokens().await, "access_token")
    }

    pub(crate) async fn send(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Response {
        let url = format!("{}/v1.0{path}", self.simulators.graph_url());
        let mut request = self.client.request(method, url).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.expect("a response")
    }

    pub(crate) async fn graph(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Answered {
        read(self.send(token, method, path, body).await).await
    }
}

fn room(name: &str) -> Room {
    Room {
        name: name.to_owned(),
        email: format!("{}@contoso.example", name.to_lowercase()),
        capacity: 8,
        building: Some("North".to_owned()),
        accepts: true,
        answer_after_ms: 30_000,
    }
}

/// Returns the query of a URL.
pub(crate) fn fields(location: &str) -> BTreeMap<String, String> {
    let url = Url::parse(location).expect("a URL");
    url.query_pairs().into_owned().collect()
}

pub(crate) fn text(body: &Value, name: &str) -> String {
    let text = body[name].as_str();
    text.unwrap_or_else(|| panic!("no {name} in {body}"))
        .to_owned()
}

pub(crate) fn number(body: &Value) -> u64 {
    body["error_codes"][0].as_u64().unwrap_or_default()
}
