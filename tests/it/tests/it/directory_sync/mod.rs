//! The directory sync from the API to the SCIM platform: a tenant with its platform, and test
//! helpers.

mod cut_off;
mod failures;
mod permissions;
mod reading;
mod review;
mod runs;
mod scale;
mod schedules;
mod setup;

use std::collections::{BTreeMap, BTreeSet};

use rollcall_domain::base::run::{Run, RunRequest};
use rollcall_domain::base::schedule::Job;
use rollcall_domain::directory_sync::{SyncPhase, SyncState};
use rollcall_simulators::world::{EntraGroup, Person};
use rollcall_simulators::{Consent, Grant, TenantState};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Admin, Answer, CLIENT_ID, TestApp, TestTenant};

/// The SCIM extension of teams.
const TEAM: &str = "urn:rollcall:scim:schemas:extension:2.0:Team";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A tenant whose users have first and last names.
pub(crate) struct SyncFixture {
    pub(crate) app: TestApp,
    pub(crate) owner: Admin,
}

impl SyncFixture {
    /// Peter manages Ada and Alan, Grace manages no user; the group Sales has Ada and Grace.
    pub(crate) async fn small() -> Self {
        let fixture = Self::of(&["Peter", "Ada", "Alan", "Grace"]).await;
        fixture.manager("Ada", Some("Peter"));
        fixture.manager("Alan", Some("Peter"));
        fixture.group("Sales", &["Ada", "Grace"]);
        fixture
    }

    /// Starts a tenant with users of these names.
    pub(crate) async fn of(names: &[&str]) -> Self {
        let tenant = names.iter().fold(TestTenant::new(), |tenant, name| {
            tenant.person(name, "Denver")
        });
        let app = Box::pin(TestApp::of(tenant)).await;
        app.edit(|outside| {
            for person in &mut outside.world.people {
                person.surname = Some("Wright".to_owned());
                person.display_name =
                    format!("{} Wright", person.given_name.clone().unwrap_or_default());
            }
        });
        let owner = app.admin("Owner");
        Self { app, owner }
    }

    pub(crate) fn id_of(&self, name: &str) -> Uuid {
        self.app.object(name)
    }

    /// Changes a user of the directory.
    pub(crate) fn person<R>(&self, name: &str, change: impl FnOnce(&mut Person) -> R) -> R {
        let id = self.id_of(name);
        self.app.edit(|outside| {
            let mut people = outside.world.people.iter_mut();
            change(
                people
                    .find(|person| person.object_id == Some(id))
                    .expect("no such user"),
            )
        })
    }

    pub(crate) fn manager(&self, name: &str, manager: Option<&str>) {
        let manager = manager.map(|name| self.id_of(name));
        self.person(name, |person| person.manager = manager);
    }

    /// Creates or replaces a group of the directory with these members.
    pub(crate) fn group(&self, name: &str, members: &[&str]) -> Uuid {
        let members: BTreeSet<Uuid> = members.iter().map(|name| self.id_of(name)).collect();
        let tenant = self.app.id.uuid();
        let id = Uuid::new_v5(&tenant, name.as_bytes());
        self.app.edit(|outside| {
            let groups = &mut outside.world.groups;
            groups.retain(|group| group.id != id);
            groups.push(EntraGroup {
                id,
                display_name: name.to_owned(),
                unique_name: None,
                description: None,
                mail_nickname: name.to_lowercase(),
                dynamic: false,
                on_premises_synced: false,
                role_assignable: false,
                members,
            });
        });
        id
    }

    /// Consents to this service's own app in the directory.
    pub(crate) fn consent(&self, roles: &[&str]) {
        let roles = roles.iter().map(|&role| role.to_owned()).collect();
        let grant = Grant::Application { roles };
        self.app
            .edit(|outside| outside.consents.push(Consent::new(CLIENT_ID, grant)));
    }

    /// Replaces the services by ones without cached tokens.
    pub(crate) async fn forget_tokens(&mut self) {
        let settings = self.app.services.settings.clone();
        self.app.services = self.app.with_settings(settings).await;
    }

    /// Returns the body that configures everything, including teams of both kinds.
    pub(crate) fn body(&self) -> Value {
        let world = self.app.outside().world;
        let secret = world.apps[0].client_secret.clone();
        json!({
            "target": self.app.simulators.scim_url(self.app.id.uuid()),
            "teams": {"groups": true, "managers": true},
            "guard": {},
            "entraApp": {
                "tenantId": self.app.id.to_string(),
                "clientId": world.apps[0].client_id,
                "clientSecret": secret,
            },
            "scimToken": self.app.simulators.scim_token(self.app.id.uuid()),
        })
    }

    /// Saves a configuration; `change` edits the body first.
    pub(crate) async fn save(&self, change: impl FnOnce(&mut Value)) -> Answer {
        let mut body = self.body();
        change(&mut body);
        let before = self.owner.get("/v1/sync").await;
        self.owner
            .put("/v1/sync", before.header("etag"), body)
            .await
    }

    /// Configures, tests and activates the sync without a run.
    pub(crate) async fn ready(&self) {
        self.save(|_| ()).await.expect(200);
        self.owner
            .post("/v1/sync/test", json!({}))
            .await
            .expect(200);
        self.set(|state| state.phase = SyncPhase::Active).await;
    }

    /// Configures, tests and activates the sync, and executes its first run.
    pub(crate) async fn active(&self, change: impl FnOnce(&mut Value)) -> Run {
        self.save(change).await.expect(200);
        let test = self
            .owner
            .post("/v1/sync/test", json!({}))
            .await
            .expect(200);
        assert_eq!(test.body["test"]["ok"], true, "{:#}", test.body["test"]);
        self.owner
            .post("/v1/sync/activate", json!({"confirm": true}))
            .await
            .expect(202);
        self.work().await.expect("no run recorded")
    }

    /// Executes all requested runs including continuations; returns the last run.
    pub(crate) async fn work(&self) -> Option<Run> {
        let mut last = None;
        loop {
            let requests = self.app.requests(Job::DirectorySync).await;
            if requests.is_empty() {
                return last;
            }
            for request in requests {
                self.app.work(&request).await.expect("not handled");
                last = Some(self.app.run(&request).await);
            }
        }
    }

    /// Executes a scheduled run now.
    pub(crate) async fn run(&mut self) -> Run {
        let request = self.request();
        self.run_of(&request).await
    }

    pub(crate) fn request(&mut self) -> RunRequest {
        self.app.request(Job::DirectorySync)
    }

    pub(crate) async fn run_of(&self, request: &RunRequest) -> Run {
        self.app.work(request).await.expect("not handled");
        self.work().await;
        self.app.run(request).await
    }

    pub(crate) async fn state(&self) -> SyncState {
        let found = self
            .app
            .services
            .store
            .sync(self.app.id)
            .await
            .expect("sync not read");
        found.expect("not configured").value
    }

    /// Changes the state of the sync, to simulate time or an operator.
    pub(crate) async fn set(&self, change: impl Fn(&mut SyncState)) {
        let set = self
            .app
            .services
            .store
            .change_sync(self.app.id, &[], |state| {
                change(state);
                true
            });
        set.await.expect("not changed");
    }

    /// Returns the attributes of the platform's users by first name.
    pub(crate) fn users(&self) -> BTreeMap<String, Value> {
        let outside = self.app.outside();
        let users = outside.scim.users.values();
        users
            .map(|user| {
                let all = Value::Object(user.attributes.clone());
                let name = all["name"]["givenName"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                (name, all)
            })
            .collect()
    }

    /// Returns the first names of active users.
    pub(crate) fn active_users(&self) -> Vec<String> {
        let users = self.users().into_iter();
        let active = users.filter(|(_, user)| user["active"] == json!(true));
        active.map(|(name, _)| name).collect()
    }

    /// Returns teams by name: members by first name, `*` for supervisors, `archived` if so.
    pub(crate) fn teams(&self) -> BTreeMap<String, String> {
        let outside = self.app.outside();
        let name_of = |key: &str| {
            let user = &outside.scim.users[key];
            user.attributes["name"]["givenName"]
                .as_str()
                .unwrap_or("?")
                .to_owned()
        };
        let groups = outside.scim.groups.values();
        groups
            .map(|group| {
                let extension = group.attributes.get(TEAM).cloned().unwrap_or_default();
                let supervisors: Vec<String> = extension["supervisors"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|it| name_of(it["value"].as_str().expect("not a string")))
                    .collect();
                let mut members: Vec<String> = group
                    .members
                    .iter()
                    .map(|key| name_of(key))
                    .map(|name| {
                        if supervisors.contains(&name) {
                            format!("{name}*")
                        } else {
                            name
                        }
                    })
                    .collect();
                members.sort();
                let archived = if extension["archived"] == json!(true) {
                    " archived"
                } else {
                    ""
                };
                (
                    group.text("displayName").unwrap_or_default().to_owned(),
                    format!("{}{archived}", members.join(" ")),
                )
            })
            .collect()
    }

    /// Changes a user manually on the platform.
    pub(crate) fn by_hand(
        &self,
        name: &str,
        change: impl FnOnce(&mut serde_json::Map<String, Value>),
    ) {
        self.on_platform(|outside| {
            let mut users = outside.scim.users.values_mut();
            let user = users.find(|user| user.attributes["name"]["givenName"] == json!(name));
            let user = user.expect("no such user");
            change(&mut user.attributes);
            user.last_modified = chrono::Utc::now();
        });
    }

    /// Returns the platform's id of a user.
    pub(crate) fn key_of(&self, name: &str) -> String {
        let outside = self.app.outside();
        let mut users = outside.scim.users.iter();
        let found = users.find(|(_, user)| user.attributes["name"]["givenName"] == json!(name));
        found.expect("no such user").0.clone()
    }

    fn on_platform(&self, change: impl FnOnce(&mut TenantState)) {
        self.app.edit(change);
    }

    /// Returns the number of requests of a method with this part in their path since the last
    /// reset.
    pub(crate) fn asked(&self, method: &str, part: &str) -> usize {
        let requests = self.app.simulators.requests(self.app.id.uuid());
        let wanted = requests
            .iter()
            .filter(|it| it.method == method && it.path.contains(part));
        wanted.count()
    }

    /// Returns the number of write requests to the platform.
    pub(crate) fn written(&self) -> usize {
        let requests = self.app.simulators.requests(self.app.id.uuid());
        let written = requests
            .iter()
            .filter(|it| it.method != "GET" && it.path.contains("/scim/"));
        written.count()
    }

    /// Returns a page of a run's changes as lines, `state text`.
    pub(crate) async fn changes(&self, run: &Run, query: &str) -> Vec<String> {
        let id = run.request.slot.at().format("%Y-%m-%dT%H:%M:%SZ");
        let page = self
            .owner
            .get(&format!("/v1/sync/runs/{id}/changes?limit=200{query}"))
            .await;
        let page = page.expect(200);
        let items = page.body["items"].as_array().expect("not a list");
        let line = |item: &Value| {
            format!(
                "{} {}",
                item["state"].as_str().unwrap_or("?"),
                item["text"].as_str().unwrap_or("?")
            )
        };
        items.iter().map(line).collect()
    }
}

/// Returns a run's id in the format of the API.
pub(crate) fn run_id(run: &Run) -> String {
    run.request
        .slot
        .at()
        .format("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

/// Returns a count of a run, 0 if it is missing.
pub(crate) fn count(run: &Run, name: &str) -> u64 {
    run.counts.get(name).copied().unwrap_or(0)
}
