//! Tests of admin consent, the permissions it grants, and invitations of guests.

use reqwest::Method;
use rollcall_simulators::{Consent, ConsentChoice, Grant};
use serde_json::json;

use crate::sign_in_site::{APP, BACK, SignInSite, number, text};
use crate::site::TENANT;

/// The form of an app-only token request.
const APP_ONLY: [(&str, &str); 2] = [
    ("grant_type", "client_credentials"),
    ("scope", "https://graph.example/.default"),
];

#[tokio::test]
async fn an_administrator_consents_and_after_a_while_it_counts() {
    let site = SignInSite::new().await;
    site.world(|world| world.behaviour.consent_propagation_ms = 60_000);
    let url = format!(
        "{}/organizations/v2.0/adminconsent?client_id={APP}&redirect_uri={BACK}&state=s\
         &scope=https%3A%2F%2Fgraph.example%2F.default",
        site.simulators.entra_url()
    );
    let refused = site.sign_in(&url, &site.ada_upn, ConsentChoice::Accept);
    let refused = refused.expect("a redirect");
    assert_eq!(
        (refused["error"].as_str(), refused["admin_consent"].as_str()),
        ("access_denied", "True")
    );
    let declined = site.sign_in(&url, &site.boss_upn, ConsentChoice::Decline);
    assert!(declined.expect("a redirect")["error_description"].starts_with("AADSTS65004: "));
    let home = TENANT.to_string();
    assert_eq!(number(&site.token(&home, &APP_ONLY).await.1), 700_016);
    let back = site.sign_in(&url, &site.boss_upn, ConsentChoice::Accept);
    let back = back.expect("a redirect");
    assert_eq!(
        (back["tenant"].as_str(), back["state"].as_str()),
        (home.as_str(), "s")
    );
    assert_eq!(number(&site.token(&home, &APP_ONLY).await.1), 700_016);
    site.wait(60);
    let (status, body) = site.token(&home, &APP_ONLY).await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn the_application_invites_guests_but_is_no_one_itself() {
    let site = SignInSite::new().await;
    let roles = ["User.Read.All", "User.Invite.All"]
        .map(str::to_owned)
        .to_vec();
    let consent = Consent::new(APP, Grant::Application { roles });
    site.simulators
        .edit(TENANT, |state| state.consents.push(consent));
    let (_, body) = site.token(&TENANT.to_string(), &APP_ONLY).await;
    let token = text(&body, "access_token");
    let (status, body) = site.graph(&token, Method::GET, "/me", None).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (400, &json!("BadRequest"))
    );
    let path = "/users?$filter=startswith(displayName,'zz')";
    assert_eq!(
        site.graph(&token, Method::GET, path, None).await.1["value"],
        json!([])
    );
    let invite = |address: &str| json!({"invitedUserEmailAddress": address, "inviteRedirectUrl": "https://x.example/"});
    let guest = invite("gail@partner.example");
    let (status, body) = site
        .graph(&token, Method::POST, "/invitations", Some(&guest))
        .await;
    assert_eq!(
        (status, &body["status"]),
        (201, &json!("PendingAcceptance"))
    );
    let again = site
        .graph(&token, Method::POST, "/invitations", Some(&guest))
        .await;
    assert_eq!(again.1["invitedUser"], body["invitedUser"]);
    let id = text(&body["invitedUser"], "id");
    let (_, user) = site
        .graph(
            &token,
            Method::GET,
            &format!("/users/{id}?$select=userType"),
            None,
        )
        .await;
    assert_eq!(user["userType"], "Guest");
    let member = invite(&site.ada_upn);
    assert_eq!(
        site.graph(&token, Method::POST, "/invitations", Some(&member))
            .await
            .0,
        400
    );
}
