//! Tests of reading the capabilities of a service.

use super::*;

#[tokio::test]
async fn a_service_that_can_everything_is_described() {
    let site = Site::start().await;
    let expected = ServiceCapabilities {
        features: Features::ALL,
        patch: true,
        filter: true,
        page: 200,
        bulk: Some((100, 512 * 1024)),
    };
    assert_eq!(site.service, expected);
}

#[tokio::test]
async fn a_service_that_can_nothing_is_described() {
    let site = Site::with(|can| {
        can.patch = false;
        can.bulk = false;
        can.filter = false;
        can.enterprise = false;
        can.teams = false;
        can.max_results = 10_000;
    })
    .await;
    let expected = ServiceCapabilities {
        features: Features {
            job_title: true,
            department: false,
            manager: false,
            supervisors: false,
        },
        patch: false,
        filter: false,
        page: 500,
        bulk: None,
    };
    assert_eq!(site.service, expected);
}

#[tokio::test]
async fn a_service_takes_as_much_as_it_says() {
    let site = Site::with(|can| {
        can.max_operations = 7;
        can.max_payload = 9_000;
        can.max_results = 50;
    })
    .await;
    assert_eq!(site.service.bulk, Some((7, 9_000)));
    assert_eq!(site.service.page, 50);
}

#[tokio::test]
async fn names_of_schemas_and_attributes_have_any_capitals() {
    let (_stub, scim) = stub(|line, _| {
        if line.ends_with("/ServiceProviderConfig") {
            return (200, json!({}));
        }
        let schema = |id: &str, name: &str| json!({"id": id, "attributes": [{"name": name}]});
        let schemas = [
            schema("URN:ietf:params:scim:schemas:core:2.0:USER", "TITLE"),
            schema(
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
                "Manager",
            ),
        ];
        (200, json!({"totalResults": 2, "Resources": schemas}))
    })
    .await;
    let found = scim.describe().await.expect("not described");
    assert_eq!(
        found.features,
        Features {
            job_title: true,
            department: false,
            manager: true,
            supervisors: false,
        }
    );
    assert_eq!(
        (found.patch, found.filter, found.bulk),
        (false, false, None)
    );
}

#[tokio::test]
async fn a_service_without_schemas_keeps_what_the_core_has() {
    let site = Site::start().await;
    site.fault(Fault::once("/Schemas", down(404)));
    let found = site.scim.describe().await.expect("not described");
    assert!(found.features.job_title && !found.features.manager);
    assert!(found.patch);
}

#[tokio::test]
async fn a_refused_token_and_a_page_of_something_else_are_errors() {
    let site = Site::start().await;
    let url = site.tenant.simulators.scim_url(site.tenant.uuid());
    let stranger = Scim::new(quick(), &url, Secret::new("a-guess")).expect("invalid URL");
    let error = stranger.describe().await.expect_err("not refused");
    assert!(error.is_auth(), "{error}");
    let shown = format!("{stranger:?} {error} {error:?}");
    assert!(!shown.contains("a-guess"), "{shown}");

    let (_stub, scim) = stub(|_, _| (200, json!("<html>a sign-in page</html>"))).await;
    let error = scim
        .describe()
        .await
        .expect_err("an invalid description was accepted");
    assert!(matches!(error, ApiError::Decode { .. }), "{error:?}");
    assert!(!format!("{error:?}").contains("html"), "{error:?}");
}

#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    let refused = Scim::new(quick(), "lms.example", Secret::new("the-token"));
    assert!(matches!(refused, Err(ApiError::Setup(_))), "{refused:?}");
}
