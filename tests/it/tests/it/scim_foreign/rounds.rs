//! Tests of two syncs against SCIM servers of other projects.

use super::*;

/// Proves S2-04, S2-05, S2-06 and S2-26 with one of the third-party servers.
#[tokio::test]
async fn scim2_server_is_kept_equal_to_the_directory() {
    Box::pin(two_rounds(Foreign::Scim2, |_| {})).await;
}

/// Proves S2-04, S2-05, S2-06 and S2-26 with one of the third-party servers.
#[tokio::test]
async fn scimmy_is_kept_equal_to_the_directory() {
    Box::pin(two_rounds(Foreign::Scimmy, |_| {})).await;
}

/// Proves S2-04, S2-05, S2-06 and S2-26 with both servers and one request per change.
#[tokio::test]
async fn foreign_servers_are_kept_equal_without_bulk_requests() {
    for server in [Foreign::Scim2, Foreign::Scimmy] {
        Box::pin(two_rounds(server, |it| it.bulk = None)).await;
    }
}

/// Proves S2-04, S2-05, S2-06 and S2-26 with both servers and replaced resources instead of
/// patches.
#[tokio::test]
async fn foreign_servers_are_kept_equal_without_patches() {
    for server in [Foreign::Scim2, Foreign::Scimmy] {
        Box::pin(two_rounds(server, |it| it.patch = false)).await;
    }
}

/// Results of the checker that are not errors: the check, and the beginning of its reason.
///
/// - For supervisors it adds the whole extension with one user, then with another, and
///   expects only the second; but adding to a multi-valued attribute retains the existing
///   values (RFC 7644, section 3.5.2.1).
/// - For members it expects what it sent, but the service also returns their `display`,
///   which its schema declares read-only (RFC 7643, section 2.4).
const NO_ERRORS: [(&str, &str); 3] = [
    (
        "check_add_attribute",
        "PATCH modify() returned unexpected value for \
         'urn:rollcall:scim:schemas:extension:2.0:Team:supervisors'",
    ),
    (
        "check_add_attribute",
        "PATCH modify() returned unexpected value for 'members'",
    ),
    (
        "check_replace_attribute",
        "PATCH modify() returned unexpected value for 'members'",
    ),
];

/// The simulated service passes a third-party checker; otherwise our own tests would prove little.
#[tokio::test]
async fn the_simulated_service_passes_a_foreign_checker() {
    let simulators = Simulators::start(0).await.expect("simulators not started");
    let tenant = Uuid::new_v4();
    let mut world = World::default();
    world.tenant.id = tenant;
    simulators.load(world);
    let token = simulators.scim_token(tenant).expect("no such tenant");
    let results = checked(&simulators.scim_url(tenant), &token).await;
    let of = |status: &'static str| results.iter().filter(move |it| it["status"] == status);
    let is_one = |it: &&Value| {
        let says = |name: &str| it[name].as_str().unwrap_or_default().to_owned();
        let (title, reason) = (says("title"), says("reason"));
        let mut no_errors = NO_ERRORS.iter();
        !no_errors.any(|(check, said)| title == *check && reason.starts_with(said))
    };
    let wrong: Vec<&Value> = of("ERROR").chain(of("CRITICAL")).filter(is_one).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(of("SUCCESS").count() > 50, "{results:#?}");
}
