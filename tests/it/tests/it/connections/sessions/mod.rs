//! Course sessions of a catalog: rooms, events, Teams meetings and mail.

mod broken;
mod changes;
mod limits;
mod rooms;

use std::collections::BTreeSet;
use std::ops::Range;

use rollcall_domain::notices::{Channel, NoticeKind};
use rollcall_simulators::world::{Mailbox, Room};
use rollcall_simulators::{CalendarEvent, SentMail};
use serde_json::{Value, json};

use crate::harness::{Admin, Answer, TestApp, TestTenant};

/// The time of every session, far in the future so that tests do not expire.
const START: &str = "2071-05-06T08:00:00Z";
const END: &str = "2071-05-06T10:00:00Z";

/// Cara administers the Academy, whose account is Events; the room Oak accepts immediately.
fn tenant() -> TestTenant {
    TestTenant::small()
        .person("Cara", "Denver")
        .person("Events", "Denver")
        .person("Other", "Denver")
        .course_of("Campus", "Welding")
        .mailbox("Events", Mailbox::default())
        .mailbox("Other", Mailbox::default())
        .room("Oak")
}

/// Starts the tenant with its account connected and welcomed.
async fn start(tenant: TestTenant) -> (TestApp, Admin) {
    start_as(tenant, "Events").await
}

async fn start_as(tenant: TestTenant, login: &str) -> (TestApp, Admin) {
    let app = TestApp::ready(tenant).await;
    let cara = app.catalog_admin("Cara", &["Academy"]).await;
    app.connect_account(&cara, "Academy", login).await;
    app.notify().await;
    app.forget_requests();
    (app, cara)
}

fn slow(room: &mut Room) {
    room.answer_after_ms = 60_000;
}

fn path(app: &TestApp) -> String {
    format!("/v1/catalogs/{}/sessions", app.catalog("Academy"))
}

fn place(app: &TestApp, session: &Value) -> String {
    format!(
        "{}/{}",
        path(app),
        session["id"].as_str().expect("not a string")
    )
}

fn room(name: &str) -> Value {
    json!({"name": name, "address": format!("{}@contoso.example", name.to_lowercase())})
}

fn learners(numbers: Range<usize>) -> Value {
    let one = |number| json!({"name": format!("L{number:04}"), "address": format!("l{number:04}@learners.example")});
    numbers.map(one).collect()
}

/// Returns a session with this number of learners.
fn draft(count: usize) -> Value {
    json!({
        "title": "First aid", "description": "Bring <shoes>", "start": START, "end": END,
        "timeZone": "Europe/Berlin", "learners": learners(0..count),
    })
}

/// Returns the body with other fields.
fn with(mut body: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().expect("not an object") {
        body[name] = value.clone();
    }
    body
}

async fn schedule(app: &TestApp, admin: &Admin, body: Value) -> Answer {
    admin.post(&path(app), body).await.expect(201)
}

async fn patch(app: &TestApp, admin: &Admin, of: &Answer, body: Value) -> Answer {
    let tag = [("if-match", of.header("etag"))];
    let place = place(app, &of.body);
    admin.send("PATCH", &place, Some(body), &tag).await
}

/// Returns all events, the first part of a session first.
fn events(app: &TestApp) -> Vec<CalendarEvent> {
    app.outside().events
}

/// Returns the learners who are invited to an event.
fn invited(event: &CalendarEvent) -> BTreeSet<String> {
    let all = event.attendees.iter();
    let learners = all.filter(|it| it.address.ends_with("@learners.example"));
    learners.map(|it| it.address.clone()).collect()
}

fn rooms_of(event: &CalendarEvent) -> Vec<&str> {
    let all = event.attendees.iter();
    let rooms = all.filter(|it| it.kind == "resource");
    rooms.map(|it| it.address.as_str()).collect()
}

/// Returns the text of an event with decoded slashes.
fn text(event: &CalendarEvent) -> String {
    let html = event.other["body"]["content"]
        .as_str()
        .expect("not a string");
    html.replace("&#x2f;", "/")
}

/// Returns the mail messages to learners that the account sent.
fn mails(app: &TestApp) -> Vec<SentMail> {
    let mut all = app.outside().mails;
    all.retain(|mail| mail.to.iter().any(|to| to.ends_with("@learners.example")));
    all
}

/// Proves S1-01, S1-15, S1-16 and S1-17: one event of the connected account, with room, Teams
/// meeting and learners, who cannot see one another.
#[tokio::test]
async fn a_session_is_scheduled() {
    let (app, cara) = start(tenant()).await;
    let course = app.course("Security 101");
    let body = with(
        draft(3),
        &json!({"room": room("Oak"), "online": true, "course": course}),
    );
    let made = schedule(&app, &cara, body).await;
    let place = place(&app, &made.body);
    assert_eq!(
        (made.header("location"), made.header("etag")),
        (place.as_str(), "\"1\"")
    );
    let all = events(&app);
    assert_eq!(all.len(), 1);
    let event = &all[0];
    assert_eq!(event.owner, app.object("Events"));
    assert_eq!(event.subject, "First aid");
    assert!(text(event).contains("Bring &lt;shoes&gt;"));
    assert_eq!((event.start, event.end), (at(START), at(END)));
    assert_eq!(event.start_zone, "Europe/Berlin");
    assert!(event.transaction_id.is_some());
    assert_eq!(rooms_of(event), ["oak@contoso.example"]);
    assert_eq!(event.other["location"]["displayName"], "Oak");
    assert_eq!(
        event.other["location"]["locationEmailAddress"],
        "oak@contoso.example"
    );
    assert_eq!(invited(event).len(), 3);
    assert_eq!(event.other["hideAttendees"], true);
    let expected = [
        ("status", json!("scheduled")),
        ("settled", json!(true)),
        ("joinUrl", json!(event.join_url)),
        ("roomAnswer", json!("accepted")),
        ("course", json!(course)),
        ("learners", learners(0..3)),
        ("leftOut", Value::Null),
    ];
    for (name, value) in expected {
        assert_eq!(made.body[name], value, "{name}");
    }
    assert!(event.join_url.is_some());
    let read = cara.get(&place).await.expect(200);
    assert_eq!(read.body, made.body);
    let subject = made.body["id"].as_str().expect("not a string");
    let audit = app.admin("LmsAdmin");
    let audit = audit.get(&format!("/v1/audit?subject={subject}")).await;
    let line = &audit.expect(200).body["items"][0];
    assert_eq!(line["action"], "session_scheduled");
    assert_eq!(
        (&line["by"]["name"], &line["details"]["learners"]),
        (&json!(TestApp::address("Cara")), &json!("3"))
    );
}

fn at(moment: &str) -> chrono::DateTime<chrono::Utc> {
    moment.parse().expect("invalid time")
}

/// Sessions are listed in pages, separately for each catalog.
#[tokio::test]
async fn sessions_are_listed_in_pages() {
    let (app, cara) = start(tenant()).await;
    let mut made = BTreeSet::new();
    for _ in 0..3 {
        let one = schedule(&app, &cara, draft(1)).await;
        made.insert(one.body["id"].to_string());
    }
    let base = path(&app);
    let first = cara.get(&format!("{base}?limit=2")).await.expect(200).body;
    assert_eq!(first["items"].as_array().map(Vec::len), Some(2));
    let cursor = first["nextCursor"].as_str().expect("no further page");
    let second = cara.get(&format!("{base}?limit=2&cursor={cursor}")).await;
    let second = second.expect(200).body;
    assert!(second["nextCursor"].is_null());
    let items = [&first, &second].map(|page| page["items"].as_array().expect("not a list").clone());
    let found = items
        .concat()
        .iter()
        .map(|it| it["id"].to_string())
        .collect();
    assert_eq!(made, found);
    let wrong = cara.get(&format!("{base}?cursor=ff")).await.expect(400);
    assert_eq!(wrong.body["type"], "urn:rollcall:cursor");
    let other = format!("/v1/catalogs/{}/sessions", app.catalog("Campus"));
    let other = app.admin("LmsAdmin").get(&other).await.expect(200);
    assert_eq!(other.body["items"], json!([]));
}

/// Proves S1-15 and S1-17: a large session is several events of at most 500 attendees, with each
/// learner in one of them; a change of the list moves no learner and changes only the events
/// concerned.
#[tokio::test]
async fn twelve_hundred_learners_are_three_events() {
    let (app, cara) = start(tenant()).await;
    let body = with(draft(1_200), &json!({"room": room("Oak"), "online": true}));
    let made = schedule(&app, &cara, body).await;
    assert_eq!(made.body["settled"], true);
    let before = events(&app);
    let sizes: Vec<usize> = before.iter().map(|it| it.attendees.len()).collect();
    assert_eq!(sizes, [500, 500, 201]);
    let everyone: BTreeSet<String> = before.iter().flat_map(invited).collect();
    assert_eq!(
        everyone.len(),
        1_200,
        "a learner is missing or invited twice"
    );
    let link = made.body["joinUrl"].as_str().expect("no link");
    for (part, event) in before.iter().enumerate() {
        assert_eq!(event.join_url.is_some(), part == 0);
        assert_eq!(text(event).contains(link), part > 0);
        assert_eq!(rooms_of(event).len(), usize::from(part == 0));
    }

    // One learner leaves the second event, and a new one takes the free place.
    let leaver = invited(&before[1]).pop_first().expect("no such user");
    let mut list = learners(0..1_201);
    let all = list.as_array_mut().expect("not a list");
    all.retain(|it| it["address"] != json!(leaver));
    app.forget_requests();
    let changed = patch(&app, &cara, &made, json!({"learners": list})).await;
    let changed = changed.expect(200);
    assert_eq!(changed.header("etag"), "\"2\"");
    assert_eq!(app.writes().len(), 1, "{:?}", app.writes());
    let after = events(&app);
    assert_eq!((&after[0], &after[2]), (&before[0], &before[2]));
    let mut expected = invited(&before[1]);
    expected.remove(&leaver);
    expected.insert("l1200@learners.example".to_owned());
    assert_eq!(invited(&after[1]), expected);

    // No learner of the third event is left: it is cancelled, and the others are unchanged.
    let gone = invited(&after[2]);
    let all = list.as_array_mut().expect("not a list");
    all.retain(|it| !gone.contains(it["address"].as_str().expect("not a string")));
    let fewer = patch(&app, &cara, &changed, json!({"learners": list})).await;
    fewer.expect(200);
    assert_eq!(events(&app), after[..2]);
    let cancelled = app.outside().cancelled_events;
    assert_eq!(cancelled.len(), 1);
    assert!(
        cancelled[0].comment.is_some(),
        "the cancellation has no comment"
    );
}

/// Proves S1-29: a session is shared with the calendar that the catalog names, once.
#[tokio::test]
async fn a_session_is_shared_with_the_organisations_calendar() {
    let (app, cara) = start(tenant()).await;
    let body = with(draft(600), &json!({"share": true}));
    let refused = cara.post(&path(&app), body.clone()).await.expect(422);
    assert_eq!(refused.pointers(), ["/share"]);
    let connection = app.mail_path("Academy");
    let tag = cara.get(&connection).await.expect(200);
    let named = json!({"enabled": true, "organizationCalendar": "calendar@contoso.example"});
    cara.put(&connection, tag.header("etag"), named)
        .await
        .expect(200);
    let made = schedule(&app, &cara, body).await;
    let shared = |event: &CalendarEvent| {
        let mut all = event.attendees.iter();
        all.any(|it| it.address == "calendar@contoso.example")
    };
    let all = events(&app);
    assert_eq!(all.iter().map(shared).collect::<Vec<_>>(), [true, false]);
    assert_eq!((all[0].attendees.len(), all[1].attendees.len()), (500, 101));
    let alone = patch(&app, &cara, &made, json!({"share": false})).await;
    assert_eq!(alone.expect(200).body["share"], false);
    let all = events(&app);
    assert!(!all.iter().any(shared));
    assert_eq!(all.iter().map(|it| invited(it).len()).sum::<usize>(), 600);
}

/// Proves S1-15: on request each learner gets a separate mail from the connected account.
#[tokio::test]
async fn learners_are_mailed_one_by_one() {
    let (app, cara) = start(tenant()).await;
    let body = with(
        draft(3),
        &json!({"notify": true, "room": room("Oak"), "online": true}),
    );
    let made = schedule(&app, &cara, body).await;
    let told = app.notify().await;
    assert_eq!(told.len(), 3);
    let catalog = app.catalog("Academy");
    assert!(
        told.iter()
            .all(|it| it.channel == Channel::Catalog { catalog }
                && matches!(it.about, NoticeKind::SessionScheduled { .. }))
    );
    let sent = mails(&app);
    assert_eq!(sent.len(), 3);
    for (number, mail) in sent.iter().enumerate() {
        assert_eq!(mail.from, app.object("Events"));
        assert_eq!(mail.recipients(), 1);
        let others = (0..3).filter(|other| mail.to[0] != format!("l{other:04}@learners.example"));
        for other in others {
            assert!(!mail.html.contains(&format!("l{other:04}")), "{number}");
        }
        assert!(mail.subject.contains("First aid") && mail.html.contains("Oak"));
    }
    let quiet = patch(&app, &cara, &made, json!({"title": "Second aid"})).await;
    assert!(
        app.notify().await.is_empty(),
        "a mail was sent without a request"
    );
    let moved = json!({"end": "2071-05-06T11:00:00Z", "notify": true});
    patch(&app, &cara, &quiet, moved).await.expect(200);
    let told = app.notify().await;
    assert!(
        told.len() == 3
            && told
                .iter()
                .all(|it| matches!(it.about, NoticeKind::SessionChanged { .. }))
    );
    let one = place(&app, &made.body);
    cara.delete(&format!("{one}?notify=true")).await.expect(200);
    let told = app.notify().await;
    assert!(
        told.len() == 3
            && told
                .iter()
                .all(|it| matches!(it.about, NoticeKind::SessionCancelled { .. }))
    );
    assert_eq!(mails(&app).len(), 9);
    cara.delete(&format!("{one}?notify=true")).await.expect(200);
    assert!(
        app.notify().await.is_empty(),
        "a second cancellation was sent"
    );
}
