//! Tests of checking an app: sign-in and each permission, without writing anything.

use rollcall_domain::connection::{
    CLIENT_ID, CLIENT_SECRET, Check, CheckId, CheckStatus, ENTRA_APP,
};
use rollcall_simulators::{Fault, FaultKind, World};
use tokio::time::{Duration, Instant};
use uuid::Uuid;

use super::*;
use CheckStatus::{Failed, NotChecked, Passed, Warning};

/// Returns the check with this id, which must occur only once.
fn one(checks: &[Check], id: CheckId) -> &Check {
    let mut found = checks.iter().filter(|check| check.id == id);
    let check = found.next().expect("no such check");
    assert!(found.next().is_none(), "{id:?} twice");
    check
}

fn statuses(checks: &[Check]) -> Vec<CheckStatus> {
    checks.iter().map(|check| check.status).collect()
}

/// Returns the checks of the app in a tenant modified by `arrange`.
async fn tested(arrange: impl FnOnce(&mut World)) -> (Tenant, Vec<Check>) {
    let tenant = Tenant::start(arrange).await;
    let checks = graph_of(&tenant).check().await;
    assert_eq!(checks.len(), 5, "{checks:?}");
    (tenant, checks)
}

async fn with_roles(roles: &[&str]) -> Vec<Check> {
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    tested(|world| world.apps[0].roles = roles).await.1
}

/// Returns a Graph client with another client id or secret than the tenant's app.
fn with_credential(tenant: &Tenant, client_id: &str, secret: &str) -> GraphReader {
    let entra = Entra::new(quick(), &tenant.simulators.entra_url()).expect("invalid URL");
    let tokens = TokenSource::new(entra, tenant.id(), client_id, Secret::new(secret));
    GraphReader::new(quick(), &tenant.simulators.graph_url(), tokens).expect("invalid URL")
}

/// Returns the failed sign-in, after which nothing else was checked.
fn refused_sign_in(checks: &[Check]) -> (&str, Option<&str>) {
    let sign_in = one(checks, CheckId::EntraSignIn);
    assert_eq!(sign_in.status, Failed, "{sign_in:?}");
    assert!(
        checks[1..].iter().all(|check| check.status == NotChecked),
        "{checks:?}"
    );
    (&sign_in.detail, sign_in.pointer.as_deref())
}

/// Proves S4-018 and S4-027: each of the three application permissions is checked.
/// Proves X-10: none of the requests changes anything.
#[tokio::test]
async fn a_complete_app_passes_and_nothing_changes() {
    let tenant = Tenant::start(|_| {}).await;
    let before = tenant.simulators.dump(tenant.uuid());
    let checks = graph_of(&tenant).check().await;
    assert_eq!(
        statuses(&checks),
        [Passed, Passed, Passed, Passed, NotChecked],
        "{checks:?}"
    );
    assert!(
        one(&checks, CheckId::EntraExcessPermissions)
            .detail
            .contains("no other")
    );
    assert_eq!(tenant.simulators.dump(tenant.uuid()), before);
    let read = tenant.asked("/graph/v1.0/users");
    assert_eq!(
        read,
        ["GET /graph/v1.0/users/delta?$deltaToken=latest&$select=id"],
        "the data of users was read"
    );
}

/// Proves C-12: each missing permission is reported separately by its real name.
#[tokio::test]
async fn each_missing_permission_is_named() {
    let (users, groups, members) = (
        "User.Read.All",
        "Group.ReadWrite.All",
        "GroupMember.ReadWrite.All",
    );
    for (granted, id, name) in [
        (vec![groups, members], CheckId::EntraUserReadAll, users),
        (
            vec![users, members],
            CheckId::EntraGroupReadWriteAll,
            groups,
        ),
    ] {
        let checks = with_roles(&granted).await;
        let check = one(&checks, id);
        assert_eq!(check.status, Failed, "{check:?}");
        assert!(check.detail.starts_with(&format!("{name} is missing")));
        assert_eq!(check.pointer.as_deref(), Some(ENTRA_APP));
        let passed = statuses(&checks).iter().filter(|it| **it == Passed).count();
        assert_eq!(passed, 3, "{checks:?}");
    }
    let checks = with_roles(&[users, "Group.Read.All"]).await;
    let members = one(&checks, CheckId::EntraGroupMemberReadWriteAll);
    assert_eq!(members.status, Failed, "{members:?}");
}

/// A permission that reads only basic properties is not sufficient: `User.ReadBasic.All`.
#[tokio::test]
async fn a_smaller_permission_does_not_pass_for_the_needed_one() {
    let roles = [
        "User.ReadBasic.All",
        "Group.Create",
        "GroupMember.ReadWrite.All",
    ];
    let checks = with_roles(&roles).await;
    assert_eq!(
        statuses(&checks),
        [Passed, Failed, Failed, Passed, NotChecked],
        "{checks:?}"
    );
}

#[tokio::test]
async fn an_app_without_any_permission_lacks_all_three() {
    let checks = with_roles(&[]).await;
    assert_eq!(
        statuses(&checks),
        [Passed, Failed, Failed, Failed, NotChecked],
        "{checks:?}"
    );
}

/// A permission covered by `Group.ReadWrite.All` is not reported as granted itself.
#[tokio::test]
async fn a_covered_permission_is_reported_as_covered() {
    let roles = ["User.Read.All", "Group.ReadWrite.All"];
    let checks = with_roles(&roles).await;
    let members = one(&checks, CheckId::EntraGroupMemberReadWriteAll);
    assert_eq!(members.status, Passed);
    assert!(
        members.detail.contains("cannot be determined"),
        "{members:?}"
    );

    let (_tenant, checks) = tested(|world| {
        world.behaviour.readable_tokens = true;
        world.apps[0].roles = roles.map(str::to_owned).into();
    })
    .await;
    let members = one(&checks, CheckId::EntraGroupMemberReadWriteAll);
    assert_eq!(members.status, Passed);
    assert!(
        members.detail.contains("seems not to be granted"),
        "{members:?}"
    );
}

/// Proves C-33: permissions that are not needed are listed as a warning.
#[tokio::test]
async fn permissions_beyond_the_needed_ones_are_listed_where_they_can_be_seen() {
    let (_tenant, checks) = tested(|world| {
        world.behaviour.readable_tokens = true;
        let more = ["Mail.Send", "Directory.ReadWrite.All"].map(str::to_owned);
        world.apps[0].roles.extend(more);
    })
    .await;
    let excess = one(&checks, CheckId::EntraExcessPermissions);
    assert_eq!(excess.status, Warning);
    assert!(
        excess.detail.contains("Directory.ReadWrite.All, Mail.Send"),
        "{excess:?}"
    );
    let (_tenant, checks) = tested(|world| world.behaviour.readable_tokens = true).await;
    let excess = one(&checks, CheckId::EntraExcessPermissions);
    assert_eq!(excess.status, Passed, "{excess:?}");
}

/// Graph's refusal takes precedence over the names in the token.
#[tokio::test]
async fn a_named_permission_that_graph_refuses_is_missing() {
    let tenant = Tenant::start(|world| world.behaviour.readable_tokens = true).await;
    let denied = json!({ "error": { "code": "Authorization_RequestDenied", "message": "No." } });
    let refusal = FaultKind::Status {
        code: 403,
        retry_after: None,
        body: Some(denied),
    };
    tenant
        .simulators
        .add_fault(tenant.uuid(), Fault::once("/users/delta", refusal));
    let checks = graph_of(&tenant).check().await;
    let users = one(&checks, CheckId::EntraUserReadAll);
    assert_eq!(users.status, Failed, "{users:?}");
}

/// Proves S4-017: a wrong client id, another directory's app and a disabled app are distinguished.
#[tokio::test]
async fn a_wrong_client_id_is_distinguished_from_a_disabled_app() {
    let tenant = Tenant::start(|_| {}).await;
    let stranger = Uuid::from_u128(1).to_string();
    let checks = with_credential(&tenant, &stranger, "a-secret")
        .check()
        .await;
    let (detail, pointer) = refused_sign_in(&checks);
    assert!(detail.contains("no app with this client id"), "{detail}");
    assert!(detail.contains("AADSTS700016"), "{detail}");
    assert_eq!(pointer, Some(CLIENT_ID));

    let (_tenant, checks) = tested(|world| world.apps[0].disabled = true).await;
    let (detail, pointer) = refused_sign_in(&checks);
    assert!(detail.contains("disabled") && detail.contains("AADSTS7000112"));
    assert_eq!(pointer, Some(CLIENT_ID));
}

/// Proves S4-028: an expired secret is distinguished from a wrong one, and the text recommends a
/// new one with a long expiry.
#[tokio::test]
async fn a_wrong_secret_is_distinguished_from_an_expired_one() {
    let tenant = Tenant::start(|_| {}).await;
    let graph = with_credential(&tenant, &tenant.client_id(), "not-the-secret");
    let checks = graph.check().await;
    let (detail, pointer) = refused_sign_in(&checks);
    assert!(detail.contains("does not accept") && detail.contains("AADSTS7000215"));
    assert_eq!(pointer, Some(CLIENT_SECRET));
    assert!(!format!("{checks:?}").contains("not-the-secret"));

    let (_tenant, checks) = tested(|world| world.apps[0].secret_expired = true).await;
    let (detail, pointer) = refused_sign_in(&checks);
    assert!(detail.contains("has expired") && detail.contains("AADSTS7000222"));
    assert_eq!(pointer, Some(CLIENT_SECRET));
}

#[tokio::test]
async fn an_unknown_directory_points_to_the_cloud_and_to_no_field() {
    let mut tenant = Tenant::start(|_| {}).await;
    tenant.world.tenant.id = Uuid::from_u128(2);
    let checks = graph_of(&tenant).check().await;
    let (detail, pointer) = refused_sign_in(&checks);
    assert!(
        detail.contains("GCC High") && detail.contains("AADSTS90002"),
        "{detail}"
    );
    assert_eq!(pointer, None);
}

/// Proves S4-030: the Secret ID is recognised by its format and not sent.
#[tokio::test]
async fn what_cannot_be_right_is_not_sent() {
    let tenant = Tenant::start(|_| {}).await;
    let id = tenant.client_id();
    let secret_id = "8d3b7a52-6a2c-4f0e-9a55-0c8f7e1b2d3c";
    for (client_id, secret, words, field) in [
        (id.as_str(), secret_id, "the Secret ID", CLIENT_SECRET),
        (id.as_str(), "", "is empty", CLIENT_SECRET),
        ("Learn365 Assigner", "a-secret", "is not a GUID", CLIENT_ID),
    ] {
        let checks = with_credential(&tenant, client_id, secret).check().await;
        let (detail, pointer) = refused_sign_in(&checks);
        assert!(detail.contains(words), "{detail}");
        assert_eq!(pointer, Some(field));
    }
    assert!(tenant.asked("").is_empty(), "a request was sent");
}

/// A cached token would not show a permission that an administrator has just granted.
#[tokio::test]
async fn what_was_granted_since_the_last_test_shows() {
    let tenant = Tenant::start(|world| world.apps[0].roles.clear()).await;
    let graph = graph_of(&tenant);
    graph.check().await;
    tenant.simulators.edit(tenant.uuid(), |state| {
        state.world.apps[0].roles = ["User.Read.All", "Group.ReadWrite.All"]
            .map(str::to_owned)
            .into();
    });
    let checks = graph.check().await;
    let users = one(&checks, CheckId::EntraUserReadAll);
    assert_eq!(users.status, Passed, "{users:?}");
    assert_eq!(tenant.asked("/token").len(), 2);
}

#[tokio::test]
async fn a_service_that_is_down_or_silent_is_not_a_wrong_credential() {
    let down = FaultKind::Status {
        code: 503,
        retry_after: None,
        body: None,
    };
    let silent = FaultKind::Delay { ms: 5_000 };
    for (path, kind) in [
        ("/token", down.clone()),
        ("/token", silent.clone()),
        ("/users/delta", down),
        ("/users/delta", silent),
    ] {
        let tenant = Tenant::start(|_| {}).await;
        let fault = Fault::once(path, kind).at(1, u32::MAX);
        tenant.simulators.add_fault(tenant.uuid(), fault);
        let started = Instant::now();
        let deadline = started + Duration::from_millis(600);
        let checks = graph_of(&tenant).with_deadline(deadline).check().await;
        assert!(started.elapsed() < Duration::from_secs(2));
        assert_eq!(checks.len(), 5);
        assert!(
            checks.iter().all(|check| check.status != Failed),
            "{checks:?}"
        );
        let users = one(&checks, CheckId::EntraUserReadAll);
        assert_eq!(users.status, NotChecked, "{users:?}");
    }
}

/// Refusals with 403 that do not concern permissions, and inconclusive responses, are reported
/// with their own text.
#[tokio::test]
async fn an_answer_that_proves_nothing_is_reported_as_such() {
    for (status, code) in [
        (403, "AccessBlockedByPolicy"),
        (400, "Request_BadRequest"),
        (404, "UnknownError"),
    ] {
        let (_stub, graph) = stub_graph(move |_, _| {
            (
                status,
                json!({ "error": { "code": code, "message": "So it is." } }),
            )
        })
        .await;
        let graph = with_guid(graph);
        let checks = graph.check().await;
        for check in &checks[1..4] {
            assert_eq!(check.status, NotChecked, "{check:?}");
            assert!(check.detail.contains("So it is."), "{check:?}");
        }
    }
}

/// Returns the client with a client id in the format of a GUID.
fn with_guid(mut graph: GraphReader) -> GraphReader {
    graph.transport.tokens.client_id = Uuid::from_u128(7).to_string();
    graph
}

#[tokio::test]
async fn known_people_are_those_the_directory_has() {
    let tenant = Tenant::start(|_| {}).await;
    let ids = tenant.world.people.iter().filter_map(|it| it.object_id);
    let mut people: Vec<ObjectId> = ids.take(30).map(ObjectId::new).collect();
    people.extend([1, 2, 3].map(|n| ObjectId::new(Uuid::from_u128(n))));
    let found = graph_of(&tenant).known_people(&people).await;
    let expected = KnownPeople {
        asked: 33,
        known: 30,
    };
    assert_eq!(found.expect("no response"), expected);
    let denied = Tenant::start(|world| world.apps[0].roles = vec!["Group.Read.All".into()]).await;
    let error = graph_of(&denied).known_people(&people).await;
    assert_eq!(error.expect_err("no error").status(), Some(403));
}
