//! Signing people in: pages, consent, codes, tokens, refresh, and mail in their names.

use reqwest::Method;
use rollcall_simulators::world::UserConsent;
use rollcall_simulators::{ConsentChoice, Fault, FaultKind, Grant, OauthRefusal, TokenFlaw};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::office::{APP, BACK, Office, SCOPES, fields, number, text};
use crate::site::{TENANT, read};

/// The middle part of a JWT.
fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).expect("a payload");
    let bytes = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(payload);
    serde_json::from_slice(&bytes.expect("base64url")).expect("JSON")
}

fn mail(to: &str) -> Value {
    json!({"message": {
        "subject": "Hello",
        "body": {"contentType": "HTML", "content": "<p>Hi</p>"},
        "toRecipients": [{"emailAddress": {"address": to}}],
        "internetMessageHeaders": [{"name": "x-rollcall-id", "value": "1"}],
    }})
}

/// The hidden field `request` of a page, as a browser would post it.
fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&start).expect("the field");
    let (value, _) = rest.split_once('"').expect("its end");
    value.replace("&amp;", "&")
}

#[tokio::test]
async fn a_browser_goes_through_the_pages() {
    let office = Office::new().await;
    let url = office.authorize("organizations", &[("login_hint", &office.ada_upn)]);
    let first = office.client.get(&url).send().await.expect("a page");
    assert_eq!(first.status(), 200);
    let kind = first.headers()["content-type"].to_str().expect("text");
    assert!(kind.starts_with("text/html"), "{kind}");
    let page = first.text().await.expect("a page");
    assert!(page.contains("Rollcall &lt;Mail&gt;") && page.contains("<label for=\"login\">"));
    assert!(page.contains(&office.ada_upn) && !page.contains("<script"));

    let base = format!(
        "{}/organizations/oauth2/v2.0/authorize",
        office.simulators.entra_url()
    );
    let request = hidden(&page, "request");
    let form = [("request", request.as_str()), ("login", &office.ada_upn)];
    let send = office.client.post(format!("{base}/signin")).form(&form);
    let page = send.send().await.expect("a page").text().await;
    let page = page.expect("a page");
    assert!(page.contains("(Mail.Send)"), "{page}");
    assert!(!page.contains("name=\"organisation\""));

    let form = [form[0], form[1], ("decision", "accept")];
    let send = office.client.post(format!("{base}/consent")).form(&form);
    let last = send.send().await.expect("an answer");
    assert_eq!(last.status(), 302);
    let location = last.headers()["location"].to_str().expect("an address");
    let back = fields(location);
    assert_eq!(back["state"], "a&b");
    assert!(back.contains_key("session_state"));
    assert_eq!(office.redeem("organizations", &back["code"]).await.0, 200);
    let consents = office.state().consents;
    assert!(
        matches!(&consents[0].grant, Grant::Delegated { object: Some(id), .. } if *id == office.ada)
    );
}

#[tokio::test]
async fn mistakes_in_the_link_end_on_pages_or_go_back() {
    let office = Office::new().await;
    let stuck = |segment: &str, change: (&str, &str), login: &str| {
        let url = office.authorize(segment, &[change]);
        let stuck = office.sign_in(&url, login, ConsentChoice::Accept);
        stuck.expect_err("a page")
    };
    let (ada, home) = (office.ada_upn.as_str(), TENANT.to_string());
    let nobody = ("client_id", "0");
    assert!(stuck(&home, nobody, ada).starts_with("AADSTS700016: "));
    let elsewhere = ("redirect_uri", "https://evil.example/");
    assert!(stuck(&home, elsewhere, ada).starts_with("AADSTS50011: "));
    let hint = ("login_hint", "");
    assert!(stuck(&Uuid::nil().to_string(), hint, ada).starts_with("AADSTS90002: "));
    assert!(stuck(&home, hint, "nobody@x.example").starts_with("AADSTS50034: "));
    let url = office.authorize(&home, &[elsewhere]);
    let page = office.client.get(url).send().await.expect("a page");
    assert_eq!(page.status(), 400);

    let back = |change: (&str, &str)| {
        let url = office.authorize(&home, &[change]);
        let back = office.sign_in(&url, ada, ConsentChoice::Decline);
        let back = back.expect("a way back");
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
    office.world(|world| world.user_consent = UserConsent::AdminOnly);
    let url = office.authorize(&home, &[]);
    let refused = office.sign_in(&url, ada, ConsentChoice::Accept);
    let refused = refused.expect("a way back");
    assert!(refused["error_description"].starts_with("AADSTS90094: "));
    let everybody = ConsentChoice::AcceptForOrganisation;
    let allowed = office.sign_in(&url, &office.boss_upn, everybody);
    assert!(allowed.expect("a way back").contains_key("code"));
    let now = office.sign_in(&url, ada, ConsentChoice::Decline);
    assert!(now.expect("nothing is asked").contains_key("code"));
}

#[tokio::test]
async fn people_of_other_tenants_and_disabled_ones_stay_outside() {
    let office = Office::new().await;
    let mut other = office.state().world;
    other.tenant.id = Uuid::from_u128(5);
    other.people.truncate(40);
    for person in &mut other.people {
        person.upn = person.upn.replace("contoso", "fabrikam");
        person.mail = None;
    }
    let stranger = other.people.iter().find(|it| it.object_id.is_some());
    let stranger = stranger.expect("a person").upn.clone();
    office.simulators.load(other);
    let url = office.authorize(&TENANT.to_string(), &[]);
    let stuck = office.sign_in(&url, &stranger, ConsentChoice::Accept);
    assert!(stuck.expect_err("a page").starts_with("AADSTS50020: "));

    let url = office.authorize("common", &[("response_mode", "form_post")]);
    let back = office.sign_in(&url, &stranger, ConsentChoice::Accept);
    let code = back.expect("a code")["code"].clone();
    let (status, body) = office.redeem(&TENANT.to_string(), &code).await;
    assert_eq!((status, number(&body)), (400, 700_005));
    assert_eq!(office.redeem("organizations", &code).await.0, 200);
    let (_, body) = office.redeem("organizations", &code).await;
    assert_eq!(
        (&body["error"], number(&body)),
        (&json!("invalid_grant"), 54005)
    );

    office.world(|world| {
        world
            .people
            .iter_mut()
            .for_each(|it| it.account_enabled = false)
    });
    let url = office.authorize(&TENANT.to_string(), &[]);
    let stuck = office.sign_in(&url, &office.ada_upn, ConsentChoice::Accept);
    assert!(stuck.expect_err("a page").starts_with("AADSTS50057: "));
}

#[tokio::test]
async fn the_tokens_say_who_it_is() {
    let office = Office::new().await;
    let tokens = office.tokens().await;
    assert_eq!(tokens["expires_in"], 3_599);
    assert!(text(&tokens, "scope").contains("Mail.Send"));
    assert!(!text(&tokens, "scope").contains("offline_access"));
    let claims_of_ada = claims(&text(&tokens, "id_token"));
    let issuer = format!("{}/{TENANT}/v2.0", office.simulators.entra_url());
    for (name, value) in [
        ("aud", json!(APP)),
        ("iss", json!(issuer)),
        ("tid", json!(TENANT)),
        ("oid", json!(office.ada)),
        ("nonce", json!("n-1")),
        ("preferred_username", json!(office.ada_upn)),
        ("ver", json!("2.0")),
    ] {
        assert_eq!(claims_of_ada[name], value, "{name}");
    }
    assert!(claims_of_ada.get("wids").is_none() && claims_of_ada["email"].is_string());

    let flaw = TokenFlaw::Claim("aud".to_owned(), json!("other"));
    office.world(|world| world.behaviour.id_token_flaw = Some(flaw));
    let url = office.authorize("organizations", &[("code_challenge", "")]);
    let refused = office.sign_in(&url, &office.boss_upn, ConsentChoice::Accept);
    assert_eq!(refused.expect("a way back")["error"], "invalid_request");
    let url = office.authorize("organizations", &[]);
    let back = office.sign_in(&url, &office.boss_upn, ConsentChoice::Accept);
    let code = back.expect("a code")["code"].clone();
    let (_, body) = office.redeem("organizations", &code).await;
    let boss = claims(&text(&body, "id_token"));
    assert_eq!(boss["aud"], "other");
    assert_eq!(boss["wids"][0], "62e90394-69f5-4237-9190-012177145e10");

    let document = format!(
        "{}/organizations/v2.0/.well-known/openid-configuration",
        office.simulators.entra_url()
    );
    let answer = office.client.get(document).send().await.expect("an answer");
    let (_, body) = read(answer).await;
    assert!(text(&body, "issuer").ends_with("/{tenantid}/v2.0"));
}

#[tokio::test]
async fn refresh_tokens_live_until_somebody_objects() {
    let office = Office::new().await;
    let first = text(&office.tokens().await, "refresh_token");
    let (status, body) = office.refresh(&first).await;
    assert_eq!(status, 200, "{body}");
    let second = text(&body, "refresh_token");
    assert_ne!(first, second);
    assert_eq!(
        office.refresh(&first).await.0,
        200,
        "the old one stays valid"
    );
    assert_eq!(office.state().refreshes, 2);
    assert!(
        office
            .state()
            .refresh_tokens
            .values()
            .any(|it| it.generation == 2)
    );

    office.world(|world| world.behaviour.strict_rotation = true);
    assert_eq!(number(&office.refresh(&first).await.1), 70000);
    assert_eq!(office.state().refresh_reuses, 1);
    office.world(|world| world.behaviour.strict_rotation = false);

    office.world(|world| world.people[0].account_enabled = false);
    let disabled = office
        .state()
        .world
        .people
        .iter()
        .position(|it| it.object_id == Some(office.ada));
    let at = disabled.expect("is in the world");
    office.world(|world| world.people[at].account_enabled = false);
    assert_eq!(number(&office.refresh(&second).await.1), 50057);
    office.world(|world| world.people[at].account_enabled = true);

    let forced = OauthRefusal {
        status: 400,
        error: "interaction_required".to_owned(),
        suberror: Some("basic_action".to_owned()),
        number: 50076,
    };
    office.world(|world| world.behaviour.refresh_refusal = Some(forced));
    let (_, body) = office.refresh(&second).await;
    assert_eq!(
        (&body["error"], &body["suberror"]),
        (&json!("interaction_required"), &json!("basic_action"))
    );
    office.world(|world| world.behaviour.refresh_refusal = None);

    office.wait(91 * 86_400);
    let (_, body) = office.refresh(&second).await;
    assert_eq!(
        (number(&body), &body["suberror"]),
        (700_082, &json!("bad_token"))
    );
    office.wait(-91 * 86_400);
    let taken = office
        .simulators
        .edit(TENANT, |state| std::mem::take(&mut state.consents));
    let (_, body) = office.refresh(&second).await;
    assert_eq!(
        (number(&body), &body["error"]),
        (65001, &json!("invalid_grant"))
    );
    office
        .simulators
        .edit(TENANT, |state| state.consents = taken.expect("loaded"));
    let later = chrono::Utc::now() + chrono::Duration::seconds(1);
    office.simulators.edit(TENANT, |state| {
        state.revoked_before.insert(office.ada, later)
    });
    assert_eq!(number(&office.refresh(&second).await.1), 50173);
    office.world(|world| world.people[at].object_id = None);
    assert_eq!(number(&office.refresh(&second).await.1), 50034);
}

#[tokio::test]
async fn an_administrator_consents_and_a_guest_is_invited() {
    let office = Office::new().await;
    office.world(|world| world.behaviour.consent_propagation_ms = 60_000);
    let url = format!(
        "{}/organizations/v2.0/adminconsent?client_id={APP}&redirect_uri={BACK}&state=s\
         &scope=https%3A%2F%2Fgraph.example%2F.default",
        office.simulators.entra_url()
    );
    let refused = office.sign_in(&url, &office.ada_upn, ConsentChoice::Accept);
    let refused = refused.expect("a way back");
    assert_eq!(
        (refused["error"].as_str(), refused["admin_consent"].as_str()),
        ("access_denied", "True")
    );
    let declined = office.sign_in(&url, &office.boss_upn, ConsentChoice::Decline);
    assert!(declined.expect("a way back")["error_description"].starts_with("AADSTS65004: "));
    let app_only = [
        ("grant_type", "client_credentials"),
        ("scope", "https://graph.example/.default"),
    ];
    let home = TENANT.to_string();
    assert_eq!(number(&office.token(&home, &app_only).await.1), 700_016);
    let back = office.sign_in(&url, &office.boss_upn, ConsentChoice::Accept);
    let back = back.expect("a way back");
    assert_eq!(
        (back["tenant"].as_str(), back["state"].as_str()),
        (home.as_str(), "s")
    );
    assert_eq!(number(&office.token(&home, &app_only).await.1), 700_016);
    office.wait(60);
    let (status, body) = office.token(&home, &app_only).await;
    assert_eq!(status, 200, "{body}");

    let token = text(&body, "access_token");
    let (status, body) = office.graph(&token, Method::GET, "/me", None).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (400, &json!("BadRequest"))
    );
    let path = "/users?$filter=startswith(displayName,'zz')";
    assert_eq!(
        office.graph(&token, Method::GET, path, None).await.1["value"],
        json!([])
    );
    let invite = |address: &str| json!({"invitedUserEmailAddress": address, "inviteRedirectUrl": "https://x.example/"});
    let guest = invite("gail@partner.example");
    let (status, body) = office
        .graph(&token, Method::POST, "/invitations", Some(&guest))
        .await;
    assert_eq!(
        (status, &body["status"]),
        (201, &json!("PendingAcceptance"))
    );
    let again = office
        .graph(&token, Method::POST, "/invitations", Some(&guest))
        .await;
    assert_eq!(again.1["invitedUser"], body["invitedUser"]);
    let id = text(&body["invitedUser"], "id");
    let (_, user) = office
        .graph(
            &token,
            Method::GET,
            &format!("/users/{id}?$select=userType"),
            None,
        )
        .await;
    assert_eq!(user["userType"], "Guest");
    let member = invite(&office.ada_upn);
    assert_eq!(
        office
            .graph(&token, Method::POST, "/invitations", Some(&member))
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn mail_has_its_limits_and_the_clock_frees_them() {
    let office = Office::new().await;
    let token = office.access_token().await;
    let (_, me) = office
        .graph(&token, Method::GET, "/me?$select=id,assignedPlans", None)
        .await;
    assert_eq!(me["id"], json!(office.ada));
    assert_eq!(me["assignedPlans"][0]["service"], "exchange");
    let (_, settings) = office
        .graph(&token, Method::GET, "/me/mailboxSettings", None)
        .await;
    assert_eq!(settings["userPurpose"], "user");

    let post = |body: Value| {
        let (office, token) = (&office, &token);
        async move {
            office
                .send(token, Method::POST, "/me/sendMail", Some(&body))
                .await
        }
    };
    for at in 0..30 {
        assert_eq!(post(mail(&format!("p{at}@x.example"))).await.status(), 202);
    }
    let refused = post(mail("late@x.example")).await;
    assert_eq!(refused.status(), 429);
    let wait = refused.headers()["retry-after"].to_str().expect("text");
    let wait: i64 = wait.parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(
        read(refused).await.1["error"]["code"],
        "ApplicationThrottled"
    );
    office.wait(wait);
    let lost = Fault::once("/me/sendMail", FaultKind::LoseAnswer);
    office.simulators.add_fault(TENANT, lost);
    let url = format!("{}/v1.0/me/sendMail", office.simulators.graph_url());
    let request = office.client.post(url).bearer_auth(&token);
    assert!(request.json(&mail("lost@x.example")).send().await.is_err());
    let mails = office.state().mails;
    assert_eq!(mails.len(), 31);
    assert_eq!(mails[30].to, ["lost@x.example"]);
    assert_eq!(mails[0].headers["x-rollcall-id"], "1");
    assert_eq!(
        (mails[0].html.as_str(), mails[0].from),
        ("<p>Hi</p>", office.ada)
    );

    let mut wrong = mail("a@x.example");
    wrong["message"]["internetMessageHeaders"][0]["name"] = json!("Subject");
    assert_eq!(post(wrong).await.status(), 400);
    office.world(|world| {
        world
            .mailboxes
            .get_mut(&office.ada)
            .expect("hers")
            .on_premises = true
    });
    let (status, body) = read(post(mail("a@x.example")).await).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (404, &json!("MailboxNotEnabledForRESTAPI"))
    );
}

#[tokio::test]
async fn a_mailbox_works_on_four_requests_at_once() {
    let office = Office::new().await;
    let token = office.access_token().await;
    office.world(|world| world.behaviour.mail_delay_ms = 1_500);
    let body = mail("a@x.example");
    let post = || office.send(&token, Method::POST, "/me/sendMail", Some(&body));
    let (a, b, c, d, e) = tokio::join!(post(), post(), post(), post(), post());
    let mut statuses = [a, b, c, d, e].map(|it| it.status().as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 202, 202, 202, 429]);
    assert_eq!(post().await.status(), 202);
}

#[tokio::test]
async fn a_token_opens_what_its_scopes_say() {
    let office = Office::new().await;
    let url = office.authorize("organizations", &[("scope", "openid User.Read")]);
    let back = office.sign_in(&url, &office.ada_upn, ConsentChoice::Accept);
    let code = back.expect("a code")["code"].clone();
    let (_, body) = office.redeem("organizations", &code).await;
    assert!(body.get("refresh_token").is_none());
    let token = text(&body, "access_token");
    let status = |method, path, body| {
        let (office, token) = (&office, &token);
        async move { office.graph(token, method, path, body).await }
    };
    assert_eq!(status(Method::GET, "/me", None).await.0, 200);
    assert_eq!(status(Method::GET, "/organization", None).await.0, 200);
    assert_eq!(status(Method::GET, "/users", None).await.0, 403);
    assert_eq!(status(Method::GET, "/groups", None).await.0, 403);
    let (code, body) = status(Method::POST, "/me/sendMail", Some(&mail("a@x.example"))).await;
    assert_eq!(
        (code, &body["error"]["code"]),
        (403, &json!("ErrorAccessDenied"))
    );
    let wanted = SCOPES.split(' ').count();
    let url = office.authorize("organizations", &[]);
    office
        .sign_in(&url, &office.ada_upn, ConsentChoice::Accept)
        .expect("more consent");
    assert_eq!(
        office.state().consented_scopes(APP, office.ada).len(),
        wanted
    );
}
