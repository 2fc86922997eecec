//! Test support: a running simulator with one small tenant.

use reqwest::{Client, Method, Response};
use rollcall_simulators::generate::{self, WorldSpec};
use rollcall_simulators::{Simulators, TenantState, World};
use serde_json::{Value, json};
use uuid::Uuid;

/// Tenant of every test; each test has a separate server.
pub(crate) const TENANT: Uuid = Uuid::from_u128(0xacce_0000_0000_4000_8000_0000_0000_0001);

pub(crate) struct Site {
    pub(crate) simulators: Simulators,
    pub(crate) client: Client,
    pub(crate) token: String,
    pub(crate) key: String,
}

/// A status with its JSON body (null if there is none).
pub(crate) type Answered = (u16, Value);

impl Site {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// Starts a site whose world is changed before loading.
    pub(crate) async fn with(change: impl FnOnce(&mut World)) -> Self {
        let spec = WorldSpec {
            tenant: TENANT,
            users: 120,
            ..WorldSpec::default()
        };
        let mut world = generate::world(&spec);
        change(&mut world);
        Self::of(world).await
    }

    pub(crate) async fn of(world: World) -> Self {
        let simulators = Simulators::start(0).await.expect("a free port");
        let app = world.apps[0].clone();
        simulators.load(world);
        let client = Client::builder().no_proxy().build().expect("a client");
        let (status, body) = token(
            &simulators,
            &client,
            TENANT,
            app.client_id,
            &app.client_secret,
        )
        .await;
        assert_eq!(status, 200, "{body}");
        let token = body["access_token"].as_str().expect("a token").to_owned();
        simulators.clear_requests(TENANT);
        Self {
            simulators,
            client,
            token,
            key: generate::lms_key(TENANT),
        }
    }

    pub(crate) fn state(&self) -> TenantState {
        self.simulators.dump(TENANT).expect("the tenant is loaded")
    }

    /// Returns the object ids of the first `count` Entra users that are in no group.
    pub(crate) fn people(&self, count: usize) -> Vec<Uuid> {
        let people = self.state().world.people;
        let ids: Vec<Uuid> = people
            .iter()
            .filter_map(|it| it.object_id)
            .take(count)
            .collect();
        assert_eq!(ids.len(), count);
        ids
    }

    pub(crate) fn member_url(&self, id: Uuid) -> String {
        format!("{}/v1.0/directoryObjects/{id}", self.simulators.graph_url())
    }

    pub(crate) fn bind(&self, ids: &[Uuid]) -> Value {
        let urls: Vec<String> = ids.iter().map(|id| self.member_url(*id)).collect();
        json!({"members@odata.bind": urls})
    }

    /// Sends a Graph request; `path` starts with `/`.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let url = format!("{}/v1.0{path}", self.simulators.graph_url());
        let mut request = self.client.request(method, url).bearer_auth(&self.token);
        request = request
            .header("ConsistencyLevel", "eventual")
            .header("Prefer", "create-if-missing");
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.expect("a response")
    }

    pub(crate) async fn graph(&self, method: Method, path: &str, body: Option<Value>) -> Answered {
        read(self.send(method, path, body).await).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.graph(Method::GET, path, None).await
    }

    /// Creates a group by its unique name and returns its id.
    pub(crate) async fn group(&self, unique_name: &str) -> Uuid {
        let path = format!("/groups(uniqueName='{unique_name}')");
        let (status, body) = self
            .graph(Method::PATCH, &path, Some(new_group(unique_name)))
            .await;
        assert_eq!(status, 201, "{body}");
        body["id"]
            .as_str()
            .and_then(|id| id.parse().ok())
            .expect("an id")
    }

    /// Sends a Learn365 request; `path` follows `/odata/v2/`.
    pub(crate) async fn lms(&self, method: Method, path: &str, body: Option<Value>) -> Answered {
        let url = format!("{}/odata/v2/{path}", self.simulators.learn365_url());
        let mut request = self
            .client
            .request(method, url)
            .basic_auth("api", Some(&self.key));
        if let Some(body) = body {
            request = request.json(&body);
        }
        read(request.send().await.expect("a response")).await
    }
}

pub(crate) fn new_group(name: &str) -> Value {
    json!({
        "displayName": format!("Rollcall {name}"),
        "mailEnabled": false,
        "mailNickname": name,
        "securityEnabled": true,
    })
}

pub(crate) async fn read(response: Response) -> Answered {
    let status = response.status().as_u16();
    let text = response.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// Sends a client credentials request.
pub(crate) async fn token(
    simulators: &Simulators,
    client: &Client,
    tenant: Uuid,
    client_id: Uuid,
    secret: &str,
) -> Answered {
    let url = format!("{}/{tenant}/oauth2/v2.0/token", simulators.entra_url());
    let client_id = client_id.to_string();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id.as_str()),
        ("client_secret", secret),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    read(
        client
            .post(url)
            .form(&form)
            .send()
            .await
            .expect("a response"),
    )
    .await
}

/// Returns `error.code` and `error.message` of a response.
pub(crate) fn error(body: &Value) -> (&str, &str) {
    let field = |name: &str| body["error"][name].as_str().unwrap_or_default();
    (field("code"), field("message"))
}
