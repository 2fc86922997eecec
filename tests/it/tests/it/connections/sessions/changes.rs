//! Changing and cancelling a session, also by two administrators concurrently.

use serde_json::{Value, json};

use super::{
    at, draft, events, invited, patch, place, room, rooms_of, schedule, start, tenant, with,
};

/// Proves S1-16 and S1-17: title, time and room of a session can be changed with the version that
/// was read.
#[tokio::test]
async fn a_session_is_changed() {
    let (app, cara) = start(tenant().room("Elm")).await;
    let made = schedule(
        &app,
        &cara,
        with(draft(2), &json!({"room": room("Oak"), "online": true})),
    )
    .await;
    let one = place(&app, &made.body);
    let title = json!({"title": "Second aid"});
    let blind = cara.send("PATCH", &one, Some(title.clone()), &[]).await;
    blind.expect(428);
    let renamed = patch(&app, &cara, &made, title.clone()).await.expect(200);
    let stale = patch(&app, &cara, &made, title).await.expect(412);
    assert_eq!(stale.body["type"], "urn:rollcall:stale");
    assert_eq!(renamed.body["joinUrl"], made.body["joinUrl"]);
    let event = &events(&app)[0];
    assert_eq!(
        (event.subject.as_str(), invited(event).len()),
        ("Second aid", 2)
    );
    assert_eq!(event.other["hideAttendees"], true);

    let moved = json!({"room": room("Elm"), "end": "2071-05-06T11:00:00Z", "description": "New"});
    let moved = patch(&app, &cara, &renamed, moved).await.expect(200);
    assert_eq!(moved.body["roomAnswer"], "accepted");
    let event = &events(&app)[0];
    assert_eq!(rooms_of(event), ["elm@contoso.example"]);
    assert_eq!(event.other["location"]["displayName"], "Elm");
    assert_eq!(event.end, at("2071-05-06T11:00:00Z"));
    assert_eq!(event.join_url.as_deref(), moved.body["joinUrl"].as_str());

    // A response is a valid request body.
    let mut whole = moved.body.clone();
    whole["room"] = Value::Null;
    let without = patch(&app, &cara, &moved, whole).await.expect(200);
    assert_eq!(
        (&without.body["roomAnswer"], &without.body["room"]),
        (&json!("noRoom"), &Value::Null)
    );
    let event = &events(&app)[0];
    assert!(rooms_of(event).is_empty());
    assert_eq!(event.other["location"]["displayName"], "");
    let audit = app
        .admin("LmsAdmin")
        .get("/v1/audit?limit=1")
        .await
        .expect(200);
    assert_eq!(audit.body["items"][0]["action"], "session_changed");
}

/// Proves S1-17: a cancelled session is removed from the calendar, its guests are notified, and
/// it remains cancelled.
#[tokio::test]
async fn a_session_is_cancelled() {
    let (app, cara) = start(tenant()).await;
    let made = schedule(&app, &cara, with(draft(600), &json!({"room": room("Oak")}))).await;
    let one = place(&app, &made.body);
    let gone = cara.delete(&one).await.expect(200);
    assert_eq!(
        (
            &gone.body["status"],
            &gone.body["settled"],
            &gone.body["roomAnswer"]
        ),
        (&json!("cancelled"), &json!(true), &json!("noRoom"))
    );
    assert!(events(&app).is_empty());
    let cancelled = app.outside().cancelled_events;
    assert_eq!(cancelled.len(), 2);
    assert!(cancelled.iter().all(|it| it.comment.is_some()));
    let again = cara.delete(&one).await.expect(200);
    assert_eq!(again.body, gone.body);
    assert_eq!(app.outside().cancelled_events.len(), 2);
    let late = patch(&app, &cara, &gone, json!({"title": "Late"})).await;
    assert_eq!(late.expect(409).body["type"], "urn:rollcall:cancelled");
    assert_eq!(cara.get(&one).await.expect(200).body, gone.body);
}

/// Of two concurrent changes of one session, one gets 412.
#[tokio::test]
async fn of_two_changes_at_once_one_counts() {
    let (app, cara) = start(tenant()).await;
    let made = schedule(&app, &cara, draft(1)).await;
    let (one, two) = tokio::join!(
        patch(&app, &cara, &made, json!({"title": "One"})),
        patch(&app, &cara, &made, json!({"title": "Two"})),
    );
    let mut both = [one.status, two.status];
    both.sort_unstable();
    assert_eq!(both, [200, 412]);
    let kept = if one.status == 200 { one } else { two };
    assert_eq!(events(&app)[0].subject, kept.body["title"]);
    let read = cara.get(&place(&app, &made.body)).await.expect(200);
    assert_eq!(read.body, kept.body);
}
