//! Mail of catalogs: within the rate limit, by urgency, and each sent once in spite of failures.

mod errors;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt as _;
use rollcall_domain::notices::delivery::{MailboxWakeup, MessageStatus};
use rollcall_domain::notices::{Notice, Urgency};
use rollcall_notifier::DeliveryResult;
use rollcall_runtime::Deadline;
use rollcall_simulators::world::Mailbox;
use rollcall_simulators::{FaultKind, SentMail};
use serde_json::json;

use crate::harness::{Admin, TestApp, TestTenant, logs};

async fn start() -> (TestApp, Admin) {
    let tenant = TestTenant::small()
        .person("Cara", "Denver")
        .person("Events", "Denver")
        .course_of("Campus", "Welding")
        .mailbox("Events", Mailbox::default());
    let app = TestApp::ready(tenant).await;
    let cara = app.catalog_admin("Cara", &["Academy", "Campus"]).await;
    app.connect_account(&cara, "Academy", "Events").await;
    app.notify().await;
    app.edit(|outside| outside.mails.clear());
    (app, cara)
}

/// A clock that tests advance; the simulated Microsoft uses the same time.
struct Clock<'a> {
    app: &'a TestApp,
    ahead: AtomicI64,
}

impl<'a> Clock<'a> {
    fn new(app: &'a TestApp) -> Self {
        // Past the minute in which the welcome was sent.
        let clock = Self {
            app,
            ahead: AtomicI64::new(0),
        };
        clock.turn(TimeDelta::minutes(2));
        clock
    }

    fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::milliseconds(self.ahead.load(Ordering::SeqCst))
    }

    fn turn(&self, by: TimeDelta) {
        let ahead = self
            .ahead
            .fetch_add(by.num_milliseconds(), Ordering::SeqCst);
        let ahead = ahead + by.num_milliseconds();
        self.app
            .edit(|outside| outside.world.behaviour.clock_ahead_ms = ahead);
    }

    /// Processes the Academy's mailbox once.
    async fn process_mailbox(&self) -> DeliveryResult {
        let due = MailboxWakeup {
            tenant: self.app.id,
            catalog: self.app.catalog("Academy"),
        };
        let deadline = Deadline::after(Duration::from_mins(2));
        let done =
            rollcall_notifier::process_mailbox(&self.app.services, due, || self.now(), deadline);
        Box::pin(done).await.expect("mailbox not processed")
    }

    /// Processes the mailbox until nothing is left, advancing the clock to each wakeup.
    async fn process_until_empty(&self) -> u32 {
        let mut looks = 0;
        loop {
            looks += 1;
            match self.process_mailbox().await.again {
                Some(then) => self.turn((then - self.now()).max(TimeDelta::zero())),
                None => return looks,
            }
        }
    }
}

fn mails(app: &TestApp) -> Vec<SentMail> {
    app.outside().mails
}

async fn queue(app: &TestApp, catalog: &str, notices: &[Notice]) {
    let catalog = app.catalog(catalog);
    let store = &app.services.store;
    let begun = Utc::now();
    let puts = futures::stream::iter(notices.iter().enumerate()).map(|(at, notice)| async move {
        let at = begun + TimeDelta::milliseconds(i64::try_from(at).expect("too many"));
        store
            .enqueue_mail(catalog, notice, at)
            .await
            .expect("not queued")
    });
    let done: Vec<bool> = puts.buffer_unordered(16).collect().await;
    assert_eq!(done.len(), notices.len());
}

/// Sends 1,000 notices through a mailbox that accepts 30 a minute, with a simulated clock: all
/// are delivered once, urgent ones first, without reaching Microsoft's limit. The notifier is
/// killed twice in between; the mail in progress is then delivered or marked as doubtful, never
/// sent twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_notices_go_out_once_in_order_of_urgency() {
    let (app, _) = start().await;
    let academy = app.catalog("Academy");
    let all = a_thousand(&app);
    queue(&app, "Academy", &all).await;
    queue_again(&app, &all[..50]).await;
    let clock = Clock::new(&app);
    for kill_after in [120, 260] {
        clock.process_mailbox().await;
        clock.turn(TimeDelta::minutes(1));
        let killed =
            tokio::time::timeout(Duration::from_millis(kill_after), clock.process_mailbox()).await;
        assert!(
            killed.is_err(),
            "the notifier ended before it could be killed"
        );
        // The lease of the killed pass must expire.
        tokio::time::sleep(Duration::from_millis(3_200)).await;
        clock.turn(TimeDelta::minutes(1));
    }
    let looks = clock.process_until_empty().await;
    let sent = mails(&app);
    let ids: Vec<String> = sent
        .iter()
        .map(|mail| mail.headers["x-rollcall-notice"].clone())
        .collect();
    let different: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(different.len(), ids.len(), "a mail was sent twice");
    let store = &app.services.store;
    let doubtful = store
        .undelivered_page(app.id, academy, None, 100)
        .await
        .expect("mails not read")
        .items;
    assert!(
        doubtful
            .iter()
            .all(|it| it.mail.ended == Some(MessageStatus::Doubtful))
    );
    assert!(doubtful.len() <= 2, "{} are doubtful", doubtful.len());
    let known: BTreeSet<String> = ids
        .iter()
        .cloned()
        .chain(doubtful.iter().map(|it| it.mail.notice.id.to_string()))
        .collect();
    assert_eq!(known.len(), 1_000, "a notice was lost");
    assert_eq!(
        store
            .waiting(app.id, academy)
            .await
            .expect("mails not read"),
        0
    );
    assert!(sorted_by_urgency(&ids, &all), "not sent by urgency");
    assert!(refusals(&app) == 0, "Microsoft's limit was reached");
    println!(
        "1,000 notices: {looks} passes after the kills, {} doubtful",
        doubtful.len()
    );
}

fn sorted_by_urgency(ids: &[String], notices: &[Notice]) -> bool {
    let urgency: BTreeMap<String, Urgency> = notices
        .iter()
        .map(|it| (it.id.to_string(), it.urgency))
        .collect();
    ids.iter().map(|id| urgency[id]).is_sorted()
}

/// Returns notices of which a tenth is urgent and most are bulk.
fn a_thousand(app: &TestApp) -> Vec<Notice> {
    let academy = app.catalog("Academy");
    (0..1_000)
        .map(|n| {
            let urgency = match n % 10 {
                0 => Urgency::Urgent,
                1..=3 => Urgency::Normal,
                _ => Urgency::Bulk,
            };
            let to = format!("learner{n:04}@learners.example");
            app.mail_for(academy, "Welding for all", &to)
                .urgency(urgency)
        })
        .collect()
}

/// Asserts that messages delivered twice by the queue change nothing.
async fn queue_again(app: &TestApp, notices: &[Notice]) {
    for notice in notices {
        let again = app
            .services
            .store
            .enqueue_mail(app.catalog("Academy"), notice, Utc::now())
            .await;
        assert!(!again.expect("mail not queued"), "queued twice");
    }
}

/// Returns how many mail messages Microsoft refused.
fn refusals(app: &TestApp) -> usize {
    let requests = app.simulators.requests(app.id.uuid());
    requests
        .iter()
        .filter(|it| it.path.contains("sendMail") && it.status >= 400)
        .count()
}

/// Of several functions that process one mailbox concurrently, one sends and the others stop.
#[tokio::test(flavor = "multi_thread")]
async fn one_function_sends_from_a_mailbox() {
    let (app, _) = start().await;
    for n in 0..12 {
        app.put_mail("Academy", &format!("mail {n}")).await;
    }
    let clock = Clock::new(&app);
    let looks = futures::future::join_all((0..4).map(|_| clock.process_mailbox())).await;
    let sent: u32 = looks.iter().map(|look| look.sent).sum();
    assert_eq!((sent, mails(&app).len()), (12, 12));
    assert_eq!(refusals(&app), 0);
}

/// Two catalogs of one account share its rate limit, and a disabled catalog waits.
#[tokio::test]
async fn catalogs_of_one_account_share_its_pace() {
    let (app, cara) = start().await;
    app.connect_account(&cara, "Campus", "Events").await;
    app.notify().await;
    app.edit(|outside| outside.mails.clear());
    let academy: Vec<Notice> = (0..20)
        .map(|n| {
            app.mail_for(
                app.catalog("Academy"),
                "A",
                &format!("a{n}@learners.example"),
            )
        })
        .collect();
    let campus: Vec<Notice> = (0..20)
        .map(|n| {
            app.mail_for(
                app.catalog("Campus"),
                "C",
                &format!("c{n}@learners.example"),
            )
        })
        .collect();
    queue(&app, "Academy", &academy).await;
    queue(&app, "Campus", &campus).await;
    let clock = Clock::new(&app);
    assert_eq!(
        clock.process_mailbox().await.sent,
        30,
        "the mailboxes do not share the rate limit"
    );
    let path = app.mail_path("Campus");
    let tag = cara.get(&path).await.expect(200).header("etag").to_owned();
    cara.put(&path, &tag, json!({"enabled": false}))
        .await
        .expect(200);
    clock.turn(TimeDelta::minutes(1));
    clock.process_until_empty().await;
    let waits = app
        .services
        .store
        .waiting(app.id, app.catalog("Campus"))
        .await
        .expect("store failed");
    assert_eq!(mails(&app).len() as u64 + waits, 40);
    assert_eq!(
        app.services
            .store
            .waiting(app.id, app.catalog("Academy"))
            .await
            .expect("store failed"),
        0
    );
}

/// A mailbox at its rate limit schedules one wakeup message, regardless of how many functions
/// process it.
#[tokio::test]
async fn one_message_wakes_the_notifier() {
    let (app, _) = start().await;
    let many: Vec<Notice> = (0..40)
        .map(|n| {
            app.mail_for(
                app.catalog("Academy"),
                "A",
                &format!("a{n}@learners.example"),
            )
        })
        .collect();
    queue(&app, "Academy", &many).await;
    let clock = Clock::new(&app);
    for _ in 0..4 {
        assert!(clock.process_mailbox().await.again.is_some());
    }
    assert_eq!(app.queued_errands().await, 1);
}

/// Proves X-09: the check of all log lines finds each kind of secret, and a whole flow from
/// sign-in to mail logs none.
#[tokio::test]
async fn logs_hold_no_secret() {
    let before = logs::lines();
    let (app, _) = start().await;
    app.put_mail("Academy", "one").await;
    app.notify().await;
    let catalog = app.catalog("Academy");
    let stored = app.services.store.mail_connection(app.id, catalog).await;
    let connection = stored
        .expect("connection not read")
        .expect("not connected")
        .value;
    let lost = app.services.account_failed(
        app.id,
        catalog,
        connection.connected_at,
        rollcall_domain::connection::Cause::GrantRevoked,
        None,
    );
    lost.await.expect("loss not recorded");
    assert!(logs::lines() > before, "no line was checked");
    let grant = app.services.vault.grant(app.id, catalog).await;
    let name = connection.grant.expect("no name");
    let token = grant.expect("grant not read").refresh_token(&name);
    let token = token.expect("no token");
    for line in [
        token.expose(),
        "sim-code-0123456789abcdef0123456789abcdef",
        "Authorization: Bearer abc",
        "simulated-service-secret",
        "{\"body\":\"<!doctype html>\"}",
        "https://api.example/oauth/callback?code=0123456789abcdef0123",
    ] {
        assert!(logs::catches(line));
    }
    assert!(!logs::catches("a catalog's account was lost (AADSTS50173)"));
}
