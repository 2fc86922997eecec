//! Tests of the client against the simulated service, and against services that misbehave.

mod bulk;
mod people;
mod pressure;
mod reading;
mod service_provider_config;
mod teams;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::directory_sync::{
    ChangeSubject, Facts, Field, Operation, Platform, PlatformUser, TargetReplica, TeamKey, Write,
};
use rollcall_simulators::{Fault, FaultKind, ScimBehaviour, ScimResource, ScimState};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::http::testing::{Stub, Tenant, quick, reply};

const LANGUAGE: &str = "en-GB";
const USERS: &str = "/v2/Users";
const GROUPS: &str = "/v2/Groups";
const BULK: &str = "/v2/Bulk";

/// A simulated service without resources, and a client with its capabilities.
struct Site {
    tenant: Tenant,
    scim: Scim,
    service: ServiceCapabilities,
    mirror: TargetReplica,
}

impl Site {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(arrange: impl FnOnce(&mut ScimBehaviour)) -> Self {
        let tenant = Tenant::start(|_| {}).await;
        let edited = tenant
            .simulators
            .edit(tenant.uuid(), |it| arrange(&mut it.scim.behaviour));
        edited.expect("unknown tenant");
        let scim = scim_of(&tenant);
        let service = scim.describe().await.expect("not described");
        tenant.simulators.clear_requests(tenant.uuid());
        let mirror = TargetReplica::new(Platform::default());
        Self {
            tenant,
            scim,
            service,
            mirror,
        }
    }

    fn state(&self) -> ScimState {
        let state = self.tenant.simulators.dump(self.tenant.uuid());
        state.expect("unknown tenant").scim
    }

    /// Returns a user as stored by the service, as JSON.
    fn user(&self, person: u128) -> Value {
        let users = self.state().users;
        shown(users.values(), &object(person).to_string())
    }

    /// Returns a team as stored by the service, with its members.
    fn team(&self, team: TeamKey) -> (Value, BTreeSet<String>) {
        let groups = self.state().groups;
        let id = team.to_string();
        let found = groups
            .values()
            .find(|it| it.text("externalId") == Some(&id));
        let members = found.expect("no such team").members.clone();
        (shown(groups.values(), &id), members)
    }

    fn fault(&self, fault: Fault) {
        self.tenant.simulators.add_fault(self.tenant.uuid(), fault);
    }

    /// Returns the requests whose path contains `part`, as method and path.
    fn asked(&self, part: &str) -> Vec<String> {
        let log = self.tenant.simulators.requests(self.tenant.uuid());
        let asked = log.iter().filter(|it| it.path.contains(part));
        asked
            .map(|it| {
                let path = it.path.split("/v2").nth(1).unwrap_or_default();
                format!("{} {} {path}", it.status, it.method)
            })
            .collect()
    }

    /// Returns the number of requests with this method.
    fn count(&self, method: &str, part: &str) -> usize {
        let method = format!(" {method} ");
        let asked = self.asked(part);
        asked.iter().filter(|it| it.contains(&method)).count()
    }

    async fn write(&mut self, write: &Write) -> Result<Written, ApiError> {
        let written = self
            .scim
            .write(write, &self.mirror, &self.service, LANGUAGE)
            .await;
        if let Ok(Written::Done(created)) = &written {
            self.mirror.record_write(write, created.as_deref());
        }
        written
    }

    async fn write_all(&mut self, writes: &[Write]) -> Vec<Result<Written, ApiError>> {
        let all = self
            .scim
            .write_all(writes, &self.mirror, &self.service, LANGUAGE)
            .await;
        for (write, written) in writes.iter().zip(&all) {
            if let Ok(Written::Done(created)) = written {
                self.mirror.record_write(write, created.as_deref());
            }
        }
        all
    }

    /// Creates users with consecutive numbers; returns the service's ids.
    async fn people(&mut self, numbers: std::ops::Range<u128>) -> Vec<String> {
        let writes: Vec<Write> = numbers.clone().map(new_user).collect();
        for written in self.write_all(&writes).await {
            written.expect("not created");
        }
        numbers.map(|number| self.key(number)).collect()
    }

    fn key(&self, person: u128) -> String {
        self.mirror.key(object(person)).expect("known").to_owned()
    }
}

fn scim_of(tenant: &Tenant) -> Scim {
    let token = tenant.simulators.scim_token(tenant.uuid());
    let token = Secret::new(token.expect("unknown tenant"));
    Scim::new(quick(), &tenant.simulators.scim_url(tenant.uuid()), token).expect("invalid URL")
}

fn shown<'r>(all: impl Iterator<Item = &'r ScimResource>, external: &str) -> Value {
    let mut found = all.filter(|it| it.text("externalId") == Some(external));
    let one = found.next().expect("no resource with this external id");
    assert!(found.next().is_none(), "{external} exists twice");
    Value::Object(one.attributes.clone())
}

/// Starts a custom service; `answer` receives method, path with query, and body.
async fn stub(
    answer: impl Fn(&str, &Value) -> (u16, Value) + Send + Sync + 'static,
) -> (Stub, Scim) {
    let stub = Stub::start(move |request| {
        let (head, body) = request.split_once("\r\n\r\n").unwrap_or((request, ""));
        let line = head.split(" HTTP/").next().unwrap_or_default();
        let line = percent_encoding::percent_decode_str(line).decode_utf8_lossy();
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let (status, body) = answer(&line, &body);
        reply(status, "", &body.to_string())
    })
    .await;
    let scim = Scim::new(quick(), &stub.url, Secret::new("the-token")).expect("invalid URL");
    (stub, scim)
}

/// Returns a service that supports everything except bulk requests.
fn all_but_bulk() -> ServiceCapabilities {
    ServiceCapabilities {
        features: Features::ALL,
        patch: true,
        filter: true,
        page: 2,
        bulk: None,
    }
}

fn refusal(status: u16, text: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": status.to_string(),
        "detail": text,
    })
}

fn object(number: u128) -> ObjectId {
    ObjectId::new(Uuid::from_u128(number))
}

fn subject(person: u128) -> ChangeSubject {
    ChangeSubject::User(object(person))
}

fn write(subject: ChangeSubject, operation: Operation) -> Write {
    Write {
        subject,
        operation,
        changes: vec![0],
    }
}

fn facts(number: u128) -> Facts {
    Facts::from([
        (Field::Email, format!("p{number}@contoso.example")),
        (Field::FirstName, format!("First{number}")),
        (Field::LastName, format!("Last{number}")),
        (Field::DisplayName, format!("First{number} Last{number}")),
        (Field::JobTitle, "Consultant".to_owned()),
        (Field::Department, "Sales".to_owned()),
    ])
}

fn new_user(number: u128) -> Write {
    let facts = facts(number);
    write(subject(number), Operation::CreateUser { facts })
}

/// Returns a change of fields: a value, or `None` to clear the field.
fn set_user<const N: usize>(site: &Site, number: u128, set: [(Field, Option<&str>); N]) -> Write {
    let facts = set.map(|(field, value)| (field, value.map(str::to_owned)));
    let operation = Operation::SetUser {
        user: site.key(number),
        facts: BTreeMap::from(facts),
        active: None,
        link: false,
    };
    write(subject(number), operation)
}

fn new_team(team: TeamKey, members: impl IntoIterator<Item = u128>) -> Write {
    let operation = Operation::CreateTeam {
        name: "Sales".to_owned(),
        members: members.into_iter().map(object).collect(),
        supervisors: BTreeSet::new(),
    };
    write(ChangeSubject::Team(team), operation)
}

fn down(code: u16) -> FaultKind {
    FaultKind::Status {
        code,
        retry_after: None,
        body: None,
    }
}

fn asks_to_wait(seconds: f64) -> FaultKind {
    FaultKind::Status {
        code: 429,
        retry_after: Some(seconds),
        body: None,
    }
}

/// The futures are `Send`, so they can be spawned.
#[tokio::test]
async fn the_calls_are_send() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let site = Site::start().await;
    let (scim, service) = (&site.scim, &site.service);
    is_send(scim.users(service, None))
        .await
        .expect("users not read");
    is_send(scim.groups(service, None))
        .await
        .expect("groups not read");
    is_send(scim.reports_changes(0)).await.expect("no result");
    let writes = [new_user(1)];
    let all = is_send(scim.write_all(&writes, &site.mirror, service, LANGUAGE)).await;
    assert!(all[0].is_ok());
}
