//! Tests of refresh tokens over HTTP: rotation and revocation.

use rollcall_simulators::OauthRefusal;
use serde_json::json;

use crate::sign_in_site::{SignInSite, number, text};
use crate::site::TENANT;

#[tokio::test]
async fn a_refresh_gives_a_new_token_and_the_old_one_stays_unless_rotation_is_strict() {
    let site = SignInSite::new().await;
    let first = text(&site.tokens().await, "refresh_token");
    let (status, body) = site.refresh(&first).await;
    assert_eq!(status, 200, "{body}");
    let second = text(&body, "refresh_token");
    assert_ne!(first, second);
    assert_eq!(
        site.refresh(&first).await.0,
        200,
        "the old token remains valid"
    );
    assert_eq!(site.state().refreshes, 2);
    assert!(
        site.state()
            .refresh_tokens
            .values()
            .any(|it| it.generation == 2)
    );

    site.world(|world| world.behaviour.strict_rotation = true);
    assert_eq!(number(&site.refresh(&first).await.1), 70000);
    assert_eq!(site.state().refresh_reuses, 1);
    site.world(|world| world.behaviour.strict_rotation = false);
}

#[tokio::test]
async fn a_refusal_can_be_ordered() {
    let site = SignInSite::new().await;
    let token = text(&site.tokens().await, "refresh_token");
    let forced = OauthRefusal {
        status: 400,
        error: "interaction_required".to_owned(),
        suberror: Some("basic_action".to_owned()),
        number: 50076,
    };
    site.world(|world| world.behaviour.refresh_refusal = Some(forced));
    let (_, body) = site.refresh(&token).await;
    assert_eq!(
        (&body["error"], &body["suberror"]),
        (&json!("interaction_required"), &json!("basic_action"))
    );
    site.world(|world| world.behaviour.refresh_refusal = None);
    assert_eq!(site.refresh(&token).await.0, 200);
}

#[tokio::test]
async fn refresh_tokens_live_until_a_user_objects() {
    let site = SignInSite::new().await;
    let second = text(&site.tokens().await, "refresh_token");
    let disabled = site
        .state()
        .world
        .people
        .iter()
        .position(|it| it.object_id == Some(site.ada));
    let at = disabled.expect("is in the world");
    site.world(|world| world.people[at].account_enabled = false);
    assert_eq!(number(&site.refresh(&second).await.1), 50057);
    site.world(|world| world.people[at].account_enabled = true);

    site.wait(91 * 86_400);
    let (_, body) = site.refresh(&second).await;
    assert_eq!(
        (number(&body), &body["suberror"]),
        (700_082, &json!("bad_token"))
    );
    site.wait(-91 * 86_400);
    let taken = site
        .simulators
        .edit(TENANT, |state| std::mem::take(&mut state.consents));
    let (_, body) = site.refresh(&second).await;
    assert_eq!(
        (number(&body), &body["error"]),
        (65001, &json!("invalid_grant"))
    );
    site.simulators
        .edit(TENANT, |state| state.consents = taken.expect("loaded"));
    let later = chrono::Utc::now() + chrono::Duration::seconds(1);
    site.simulators
        .edit(TENANT, |state| state.revoked_before.insert(site.ada, later));
    assert_eq!(number(&site.refresh(&second).await.1), 50173);
    site.world(|world| world.people[at].object_id = None);
    assert_eq!(number(&site.refresh(&second).await.1), 50034);
}
