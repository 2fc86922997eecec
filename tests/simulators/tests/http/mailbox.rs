//! Tests of mail sent for a user: limits, lost responses, and scopes.

use reqwest::Method;
use rollcall_simulators::{ConsentChoice, Fault, FaultKind};
use serde_json::{Value, json};

use crate::sign_in_site::{APP, SCOPES, SignInSite, text};
use crate::site::{TENANT, read};

fn mail(to: &str) -> Value {
    json!({"message": {
        "subject": "Hello",
        "body": {"contentType": "HTML", "content": "<p>Hi</p>"},
        "toRecipients": [{"emailAddress": {"address": to}}],
        "internetMessageHeaders": [{"name": "x-rollcall-id", "value": "1"}],
    }})
}

#[tokio::test]
async fn mail_has_its_limits_and_the_clock_frees_them() {
    let site = SignInSite::new().await;
    let token = site.access_token().await;
    let (_, me) = site
        .graph(&token, Method::GET, "/me?$select=id,assignedPlans", None)
        .await;
    assert_eq!(me["id"], json!(site.ada));
    assert_eq!(me["assignedPlans"][0]["service"], "exchange");
    let (_, settings) = site
        .graph(&token, Method::GET, "/me/mailboxSettings", None)
        .await;
    assert_eq!(settings["userPurpose"], "user");

    let post = |body: Value| {
        let (site, token) = (&site, &token);
        async move {
            site.send(token, Method::POST, "/me/sendMail", Some(&body))
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
    site.wait(wait);
    let lost = Fault::once("/me/sendMail", FaultKind::LoseAnswer);
    site.simulators.add_fault(TENANT, lost);
    let url = format!("{}/v1.0/me/sendMail", site.simulators.graph_url());
    let request = site.client.post(url).bearer_auth(&token);
    assert!(request.json(&mail("lost@x.example")).send().await.is_err());
    let mails = site.state().mails;
    assert_eq!(mails.len(), 31);
    assert_eq!(mails[30].to, ["lost@x.example"]);
    assert_eq!(mails[0].headers["x-rollcall-id"], "1");
    assert_eq!(
        (mails[0].html.as_str(), mails[0].from),
        ("<p>Hi</p>", site.ada)
    );

    let mut wrong = mail("a@x.example");
    wrong["message"]["internetMessageHeaders"][0]["name"] = json!("Subject");
    assert_eq!(post(wrong).await.status(), 400);
    site.world(|world| {
        world
            .mailboxes
            .get_mut(&site.ada)
            .expect("her mailbox")
            .on_premises = true;
    });
    let (status, body) = read(post(mail("a@x.example")).await).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (404, &json!("MailboxNotEnabledForRESTAPI"))
    );
}

#[tokio::test]
async fn a_mailbox_works_on_four_requests_at_once() {
    let site = SignInSite::new().await;
    let token = site.access_token().await;
    site.world(|world| world.behaviour.mail_delay_ms = 1_500);
    let body = mail("a@x.example");
    let post = || site.send(&token, Method::POST, "/me/sendMail", Some(&body));
    let answers = tokio::join!(post(), post(), post(), post(), post());
    let answers: [_; 5] = answers.into();
    let mut statuses = answers.map(|it| it.status().as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 202, 202, 202, 429]);
    assert_eq!(post().await.status(), 202);
}

#[tokio::test]
async fn a_token_opens_what_its_scopes_say() {
    let site = SignInSite::new().await;
    let url = site.authorize("organizations", &[("scope", "openid User.Read")]);
    let back = site.sign_in(&url, &site.ada_upn, ConsentChoice::Accept);
    let code = back.expect("a code")["code"].clone();
    let (_, body) = site.redeem("organizations", &code).await;
    assert!(body.get("refresh_token").is_none());
    let token = text(&body, "access_token");
    let status = |method, path, body| {
        let (site, token) = (&site, &token);
        async move { site.graph(token, method, path, body).await }
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
    let url = site.authorize("organizations", &[]);
    site.sign_in(&url, &site.ada_upn, ConsentChoice::Accept)
        .expect("more consent");
    assert_eq!(site.state().consented_scopes(APP, site.ada).len(), wanted);
}
