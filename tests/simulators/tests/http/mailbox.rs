//! Tests of mail sent for a user: limits, lost responses, and scopes.

use reqwest::Method;
use rollcall_simulators::{ConsentChoice, Fault, FaultKind};
use serde_json::{Value, json};

use crate::office::{APP, Office, SCOPES, text};
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
    let office = Office::new().await;
    let token = office.access_token().await;
    office.world(|world| world.behaviour.mail_delay_ms = 1_500);
    let body = mail("a@x.example");
    let post = || office.send(&token, Method::POST, "/me/sendMail", Some(&body));
    let answers = tokio::join!(post(), post(), post(), post(), post());
    let answers: [_; 5] = answers.into();
    let mut statuses = answers.map(|it| it.status().as_u16());
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
