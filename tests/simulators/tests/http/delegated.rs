//! Tests of interactive sign-in: pages, consent, codes and the content of tokens.

use rollcall_simulators::world::UserConsent;
use rollcall_simulators::{ConsentChoice, Grant, TokenFlaw};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::sign_in_site::{APP, SignInSite, fields, number, text};
use crate::site::{TENANT, read};

/// Returns the payload of a JWT.
fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).expect("a payload");
    let bytes = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(payload);
    serde_json::from_slice(&bytes.expect("base64url")).expect("JSON")
}

/// Returns a hidden field of a page, as a browser would post it.
fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&start).expect("the field");
    let (value, _) = rest.split_once('"').expect("its end");
    value.replace("&amp;", "&")
}

#[tokio::test]
async fn a_browser_goes_through_the_pages() {
    let site = SignInSite::new().await;
    let url = site.authorize("organizations", &[("login_hint", &site.ada_upn)]);
    let first = site.client.get(&url).send().await.expect("a page");
    assert_eq!(first.status(), 200);
    let kind = first.headers()["content-type"].to_str().expect("text");
    assert!(kind.starts_with("text/html"), "{kind}");
    let page = first.text().await.expect("a page");
    assert!(page.contains("Rollcall &lt;Mail&gt;") && page.contains("<label for=\"login\">"));
    assert!(page.contains(&site.ada_upn) && !page.contains("<script"));

    let base = format!(
        "{}/organizations/oauth2/v2.0/authorize",
        site.simulators.entra_url()
    );
    let request = hidden(&page, "request");
    let form = [("request", request.as_str()), ("login", &site.ada_upn)];
    let send = site.client.post(format!("{base}/signin")).form(&form);
    let page = send.send().await.expect("a page").text().await;
    let page = page.expect("a page");
    assert!(page.contains("(Mail.Send)"), "{page}");
    assert!(!page.contains("name=\"organisation\""));

    let form = [form[0], form[1], ("decision", "accept")];
    let send = site.client.post(format!("{base}/consent")).form(&form);
    let last = send.send().await.expect("a response");
    assert_eq!(last.status(), 302);
    let location = last.headers()["location"].to_str().expect("a URL");
    let back = fields(location);
    assert_eq!(back["state"], "a&b");
    assert!(back.contains_key("session_state"));
    assert_eq!(site.redeem("organizations", &back["code"]).await.0, 200);
    let consents = site.state().consents;
    assert!(
        matches!(&consents[0].grant, Grant::Delegated { object: Some(id), .. } if *id == site.ada)
    );
}

#[tokio::test]
async fn mistakes_in_the_link_end_on_pages_or_go_back() {
    let site = SignInSite::new().await;
    let stuck = |segment: &str, change: (&str, &str), login: &str| {
        let url = site.authorize(segment, &[change]);
        let stuck = site.sign_in(&url, login, ConsentChoice::Accept);
        stuck.expect_err("a page")
    };
    let (ada, home) = (site.ada_upn.as_str(), TENANT.to_string());
    let nobody = ("client_id", "0");
    assert!(stuck(&home, nobody, ada).starts_with("AADSTS700016: "));
    let elsewhere = ("redirect_uri", "https://evil.example/");
    assert!(stuck(&home, elsewhere, ada).starts_with("AADSTS50011: "));
    let hint = ("login_hint", "");
    assert!(stuck(&Uuid::nil().to_string(), hint, ada).starts_with("AADSTS90002: "));
    assert!(stuck(&home, hint, "nobody@x.example").starts_with("AADSTS50034: "));
    let url = site.authorize(&home, &[elsewhere]);
    let page = site.client.get(url).send().await.expect("a page");
    assert_eq!(page.status(), 400);

    let back = |change: (&str, &str)| {
        let url = site.authorize(&home, &[change]);
        let back = site.sign_in(&url, ada, ConsentChoice::Decline);
        let back = back.expect("a redirect");
        assert_eq!(back["state"], "a&b");
        let (number, _) = back["error_description"].split_once(':').expect("a number");
        (back["error"].clone(), number.to_owned())
    };
    for (change, error, number) in [
        (hint, "access_denied", "AADSTS65004"),
        (("prompt", "none"), "login_required", "AADSTS50058"),
        (
            ("response_type", "token"),
            "unsupported_response_type",
            "AADSTS700051",
        ),
        (("scope", ""), "invalid_request", "AADSTS900144"),
        (
            ("code_challenge", "short"),
            "invalid_request",
            "AADSTS501491",
        ),
    ] {
        assert_eq!(back(change), (error.to_owned(), number.to_owned()));
    }
    site.world(|world| world.user_consent = UserConsent::AdminOnly);
    let url = site.authorize(&home, &[]);
    let refused = site.sign_in(&url, ada, ConsentChoice::Accept);
    let refused = refused.expect("a redirect");
    assert!(refused["error_description"].starts_with("AADSTS90094: "));
    let everybody = ConsentChoice::AcceptForOrganisation;
    let allowed = site.sign_in(&url, &site.boss_upn, everybody);
    assert!(allowed.expect("a redirect").contains_key("code"));
    let now = site.sign_in(&url, ada, ConsentChoice::Decline);
    assert!(now.expect("no consent page").contains_key("code"));
}

#[tokio::test]
async fn people_of_other_tenants_and_disabled_ones_stay_outside() {
    let site = SignInSite::new().await;
    let mut other = site.state().world;
    other.tenant.id = Uuid::from_u128(5);
    other.people.truncate(40);
    for person in &mut other.people {
        person.upn = person.upn.replace("contoso", "fabrikam");
        person.mail = None;
    }
    let stranger = other.people.iter().find(|it| it.object_id.is_some());
    let stranger = stranger.expect("a user").upn.clone();
    site.simulators.load(other);
    let url = site.authorize(&TENANT.to_string(), &[]);
    let stuck = site.sign_in(&url, &stranger, ConsentChoice::Accept);
    assert!(stuck.expect_err("a page").starts_with("AADSTS50020: "));

    let url = site.authorize("common", &[("response_mode", "form_post")]);
    let back = site.sign_in(&url, &stranger, ConsentChoice::Accept);
    let code = back.expect("a code")["code"].clone();
    let (status, body) = site.redeem(&TENANT.to_string(), &code).await;
    assert_eq!((status, number(&body)), (400, 700_005));
    assert_eq!(site.redeem("organizations", &code).await.0, 200);
    let (_, body) = site.redeem("organizations", &code).await;
    assert_eq!(
        (&body["error"], number(&body)),
        (&json!("invalid_grant"), 54005)
    );

    site.world(|world| {
        world
            .people
            .iter_mut()
            .for_each(|it| it.account_enabled = false);
    });
    let url = site.authorize(&TENANT.to_string(), &[]);
    let stuck = site.sign_in(&url, &site.ada_upn, ConsentChoice::Accept);
    assert!(stuck.expect_err("a page").starts_with("AADSTS50057: "));
}

#[tokio::test]
async fn the_tokens_say_who_it_is() {
    let site = SignInSite::new().await;
    let tokens = site.tokens().await;
    assert_eq!(tokens["expires_in"], 3_599);
    assert!(text(&tokens, "scope").contains("Mail.Send"));
    assert!(!text(&tokens, "scope").contains("offline_access"));
    let claims_of_ada = claims(&text(&tokens, "id_token"));
    let issuer = format!("{}/{TENANT}/v2.0", site.simulators.entra_url());
    for (name, value) in [
        ("aud", json!(APP)),
        ("iss", json!(issuer)),
        ("tid", json!(TENANT)),
        ("oid", json!(site.ada)),
        ("nonce", json!("n-1")),
        ("preferred_username", json!(site.ada_upn)),
        ("ver", json!("2.0")),
    ] {
        assert_eq!(claims_of_ada[name], value, "{name}");
    }
    assert!(claims_of_ada.get("wids").is_none() && claims_of_ada["email"].is_string());

    let flaw = TokenFlaw::Claim("aud".to_owned(), json!("other"));
    site.world(|world| world.behaviour.id_token_flaw = Some(flaw));
    let url = site.authorize("organizations", &[("code_challenge", "")]);
    let refused = site.sign_in(&url, &site.boss_upn, ConsentChoice::Accept);
    assert_eq!(refused.expect("a redirect")["error"], "invalid_request");
    let url = site.authorize("organizations", &[]);
    let back = site.sign_in(&url, &site.boss_upn, ConsentChoice::Accept);
    let code = back.expect("a code")["code"].clone();
    let (_, body) = site.redeem("organizations", &code).await;
    let boss = claims(&text(&body, "id_token"));
    assert_eq!(boss["aud"], "other");
    assert_eq!(boss["wids"][0], "62e90394-69f5-4237-9190-012177145e10");

    let document = format!(
        "{}/organizations/v2.0/.well-known/openid-configuration",
        site.simulators.entra_url()
    );
    let answer = site.client.get(document).send().await.expect("a response");
    let (_, body) = read(answer).await;
    assert!(text(&body, "issuer").ends_with("/{tenantid}/v2.0"));
}
