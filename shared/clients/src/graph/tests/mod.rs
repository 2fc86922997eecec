//! Tests of the client against the simulated directory, and against one that misbehaves.

mod apply;
mod check;
mod delta;
mod groups;
mod members;
mod throttling;
mod users;

use std::collections::BTreeSet;
use std::sync::Arc;

use rollcall_domain::base::ids::{ObjectId, TenantId};
use rollcall_domain::base::outcome::Outcome;
use rollcall_simulators::World;
use rollcall_simulators::world::EntraGroup;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::*;
use crate::entra::Entra;
use crate::http::testing::{Act, Stub, Tenant, quick, reply};
use crate::http::{ApiError, Secret};

fn object(n: u128) -> ObjectId {
    ObjectId::new(Uuid::from_u128(n))
}

/// Returns the group that tests write to.
fn target() -> ObjectId {
    object(0x6000)
}

/// Returns true if every change was made or was not necessary.
fn is_complete(outcomes: &MemberOutcomes) -> bool {
    let mut ends = outcomes.adds.values().chain(outcomes.removes.values());
    ends.all(|end| matches!(end, Outcome::Done | Outcome::AlreadySo))
}

fn group(id: ObjectId, members: &[ObjectId]) -> EntraGroup {
    EntraGroup {
        id: id.uuid(),
        display_name: "Test".into(),
        unique_name: None,
        description: None,
        mail_nickname: "test".into(),
        dynamic: false,
        on_premises_synced: false,
        role_assignable: false,
        members: members.iter().map(|id| id.uuid()).collect(),
    }
}

fn graph_of(tenant: &Tenant) -> GraphReader {
    writer_of(tenant).reader().clone()
}

fn writer_of(tenant: &Tenant) -> GraphWriter {
    let entra = Entra::new(quick(), &tenant.simulators.entra_url()).expect("invalid URL");
    let tokens = TokenSource::new(entra, tenant.id(), &tenant.client_id(), tenant.secret());
    GraphWriter::new(quick(), &tenant.simulators.graph_url(), tokens).expect("invalid URL")
}

/// Returns a tenant with an empty target group and this many users with object ids.
async fn tenant_with(people: usize, arrange: impl FnOnce(&mut World)) -> (Tenant, Vec<ObjectId>) {
    let tenant = Tenant::start(|world| {
        let model = world.people[0].clone();
        while world.people.len() < people {
            let mut person = model.clone();
            let n = world.people.len() as u128;
            person.object_id = Some(Uuid::from_u128(0x9000_0000 + n));
            person.lms_id = None;
            person.upn = format!("person{n}@contoso.example");
            world.people.push(person);
        }
        for person in &mut world.people {
            person.object_id.get_or_insert_with(Uuid::new_v4);
        }
        world.people.truncate(people);
        world.groups.push(group(target(), &[]));
        arrange(world);
    })
    .await;
    let ids = tenant
        .world
        .people
        .iter()
        .filter_map(|p| p.object_id)
        .map(ObjectId::new);
    let ids = ids.collect();
    (tenant, ids)
}

/// Returns the members of a group in the simulated directory.
fn members_in(tenant: &Tenant, group: ObjectId) -> BTreeSet<ObjectId> {
    let state = tenant
        .simulators
        .dump(tenant.uuid())
        .expect("unknown tenant");
    let found = state
        .world
        .groups
        .iter()
        .find(|g| g.id == group.uuid())
        .expect("no such group");
    found.members.iter().copied().map(ObjectId::new).collect()
}

/// Returns a stub of both Entra and Graph; `answer` receives method and path of a Graph request
/// or batch part and its body, and returns status and body.
async fn stub_graph(
    answer: impl Fn(&str, &Value) -> (u16, Value) + Send + Sync + 'static,
) -> (Stub, GraphReader) {
    let (stub, graph) = stub_writer(answer).await;
    (stub, graph.reader().clone())
}

async fn stub_writer(
    answer: impl Fn(&str, &Value) -> (u16, Value) + Send + Sync + 'static,
) -> (Stub, GraphWriter) {
    let stub = Stub::start(move |request| {
        let (head, body) = request.split_once("\r\n\r\n").unwrap_or((request, ""));
        if head.contains("/oauth2/") {
            let token = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"tok"}"#;
            return reply(200, "Content-Type: application/json\r\n", token);
        }
        let line = head.split(" HTTP/").next().unwrap_or_default();
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        if !line.ends_with("/$batch") {
            let (status, body) = answer(line, &body);
            return reply(status, "", &body.to_string());
        }
        batch_reply(&body, &answer)
    })
    .await;
    let entra = Entra::new(quick(), &stub.url).expect("invalid URL");
    let tenant = TenantId::new(Uuid::from_u128(1));
    let tokens = TokenSource::new(entra, tenant, "app", Secret::new("app-secret"));
    let graph = GraphWriter::new(quick(), &stub.url, tokens).expect("invalid URL");
    (stub, graph)
}

/// Returns the response to a batch. Status 0 omits a part.
fn batch_reply(batch: &Value, answer: &impl Fn(&str, &Value) -> (u16, Value)) -> Act {
    let parts = batch["requests"].as_array().cloned().unwrap_or_default();
    let mut answers: Vec<Value> = Vec::new();
    for part in parts.iter().rev() {
        let text = |name: &str| part[name].as_str().unwrap_or_default().to_owned();
        let (status, body) = answer(
            &format!("{} {}", text("method"), text("url")),
            &part["body"],
        );
        if status != 0 {
            answers.push(json!({ "id": part["id"], "status": status, "body": body }));
        }
    }
    reply(200, "", &json!({ "responses": answers }).to_string())
}

fn refused(message: &str) -> Value {
    json!({ "error": { "code": "Request_BadRequest", "message": message } })
}

#[tokio::test]
async fn the_organisation_is_read_with_a_bearer_token_at_low_priority() {
    let tenant = Tenant::start(|_| {}).await;
    let found = graph_of(&tenant)
        .organization()
        .await
        .expect("no organisation");
    assert_eq!(
        (found.id, found.display_name),
        (tenant.id(), "Contoso Learning".into())
    );
    let log = tenant.simulators.requests(tenant.uuid());
    let request = log
        .iter()
        .find(|r| r.path.contains("organization"))
        .expect("no request");
    assert_eq!(request.headers["x-ms-throttle-priority"], "Low");
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let tenant = Tenant::start(|_| {}).await;
    let refusal = rollcall_simulators::FaultKind::Status {
        code: 401,
        retry_after: None,
        body: None,
    };
    let fault =
        |times| rollcall_simulators::Fault::once("/organization", refusal.clone()).at(1, times);
    let graph = graph_of(&tenant);
    tenant.simulators.add_fault(tenant.uuid(), fault(1));
    graph
        .organization()
        .await
        .expect("the second token was rejected");
    assert_eq!(tenant.asked("/token").len(), 2);

    tenant.simulators.clear_faults(tenant.uuid());
    tenant.simulators.add_fault(tenant.uuid(), fault(u32::MAX));
    let error = graph.organization().await.expect_err("not refused");
    assert!(error.is_auth() && error.status() == Some(401));
    assert_eq!(tenant.asked("/token").len(), 3);
}

#[tokio::test]
async fn without_a_token_there_is_no_request() {
    let tenant = Tenant::start(|world| world.apps[0].secret_expired = true).await;
    let error = graph_of(&tenant)
        .organization()
        .await
        .expect_err("no error");
    assert!(
        matches!(&error, GraphError::Token(_)) && error.is_auth(),
        "{error:?}"
    );
    assert!(tenant.asked("/graph/").is_empty());
}

#[tokio::test]
async fn nothing_that_is_shown_holds_a_secret() {
    let (_stub, graph) = stub_graph(|_, _| (403, refused("no"))).await;
    let error = graph.organization().await.expect_err("not refused");
    let shown = format!("{graph:?} {error} {error:?}");
    assert!(
        !shown.contains("app-secret") && !shown.contains("tok\""),
        "{shown}"
    );
}

/// The futures are `Send`, so they can be spawned.
#[tokio::test]
async fn the_calls_are_send() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let tenant = Tenant::start(|_| {}).await;
    let writer = writer_of(&tenant);
    let graph = writer.reader();
    let ids = [target()];
    is_send(graph.members_of(&ids)).await.expect("no response");
    is_send(graph.get_groups(&ids)).await.expect("no response");
    let mut gate = AlwaysGo;
    let outcomes = is_send(writer.apply_members(target(), &[], &[], &mut gate)).await;
    assert!(is_complete(&outcomes));
}
