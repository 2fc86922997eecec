//! The list of profiles: columns, filters, order, pages and cost.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rollcall_domain::base::ids::ProfileId;
use rollcall_domain::testing;
use serde_json::{Value, json};
use tracing::span::{Attributes, Id};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use uuid::Uuid;

use super::{column, create, draft, path, with};
use crate::harness::{Admin, TestApp, TestTenant};

async fn titles(admin: &Admin, query: &str) -> Vec<String> {
    let body = admin
        .get(&format!("/v1/profiles{query}"))
        .await
        .expect(200)
        .body;
    column(&body["items"], "title")
}

/// Proves S4-033, S4-034, S4-035, S4-036, S4-037, S4-038, S4-039, S4-040 and C-37: all columns,
/// for the caller's tenant.
#[tokio::test]
async fn the_list_has_every_column() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("LmsAdmin");
    let courses = json!({"courses": [app.course("Security 101"), app.course("Fire Safety")]});
    let (id, _) = create(&admin, with(draft("Denver", "Denver"), courses)).await;
    app.maintained().await;
    let body = admin.get("/v1/profiles").await.expect(200).body;
    let line = &body["items"][0];
    assert_eq!(line["id"], json!(id));
    assert_eq!(line["title"], "Denver");
    assert_eq!(line["description"], "Everybody in Denver");
    assert_eq!(
        (&line["enroll"], &line["autoPopulate"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(line["modifiedBy"], admin.name);
    assert!(line["modifiedAt"].is_string());
    assert_eq!(line["courses"], 2);
    assert_eq!(line["standing"]["status"], "synchronised");
    assert_eq!(line["standing"]["groupName"], "LMS - Denver");
    assert!(line["standing"]["groupId"].is_string());
}

/// The list has four sort orders, a filter for every column and pages of any size.
#[tokio::test]
async fn the_list_is_sorted_filtered_and_paged() {
    let app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("LmsAdmin");
    for (title, enroll) in [
        ("beta", true),
        ("Alpha", false),
        ("gamma", true),
        ("Épsilon", true),
    ] {
        create(
            &admin,
            with(draft(title, "Denver"), json!({"enroll": enroll})),
        )
        .await;
    }
    let by_title = ["Alpha", "beta", "gamma", "Épsilon"];
    assert_eq!(titles(&admin, "").await, by_title);
    let mut backwards = by_title;
    backwards.reverse();
    assert_eq!(titles(&admin, "?sort=titleDescending").await, backwards);
    let newest = ["Épsilon", "gamma", "Alpha", "beta"];
    assert_eq!(titles(&admin, "?sort=modifiedDescending").await, newest);
    let mut oldest = newest;
    oldest.reverse();
    assert_eq!(titles(&admin, "?sort=modified").await, oldest);
    assert_eq!(titles(&admin, "?enroll=false").await, ["Alpha"]);
    assert_eq!(titles(&admin, "?search=%C3%A9PSI").await, ["Épsilon"]);
    assert_eq!(
        titles(&admin, "?search=nothing").await,
        Vec::<String>::new()
    );
    assert_eq!(
        titles(&admin, "?autoPopulate=false").await,
        Vec::<String>::new()
    );
    assert_eq!(titles(&admin, "?status=held").await, Vec::<String>::new());
    for sort in ["title", "titleDescending", "modified", "modifiedDescending"] {
        for filter in ["", "&enroll=true", "&search=a"] {
            let whole = titles(&admin, &format!("?sort={sort}{filter}")).await;
            let (mut paged, mut cursor) = (Vec::new(), String::new());
            loop {
                let query = format!("/v1/profiles?limit=1&sort={sort}{filter}{cursor}");
                let page: Value = admin.get(&query).await.expect(200).body;
                paged.extend(column(&page["items"], "title"));
                match page["nextCursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(paged, whole, "{sort}{filter}");
        }
    }
    // A cursor is only valid for its sort order.
    let page = admin.get("/v1/profiles?limit=1").await.expect(200).body;
    let cursor = page["nextCursor"].as_str().expect("no cursor");
    admin
        .get(&format!("/v1/profiles?sort=modified&cursor={cursor}"))
        .await
        .expect(400);
}

/// A profile whose title or modification time changes moves in both orders and leaves no stale
/// row.
#[tokio::test]
async fn a_changed_profile_moves_in_the_list() {
    let app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("LmsAdmin");
    let (id, tag) = create(&admin, draft("Zulu", "Denver")).await;
    create(&admin, draft("Mike", "Denver")).await;
    admin
        .put(&path(id), &tag, draft("Alpha", "Denver"))
        .await
        .expect(200);
    assert_eq!(titles(&admin, "").await, ["Alpha", "Mike"]);
    assert_eq!(
        titles(&admin, "?sort=modifiedDescending").await,
        ["Alpha", "Mike"]
    );
    admin.delete(&path(id)).await.expect(204);
    assert_eq!(titles(&admin, "").await, ["Mike"]);
    assert_eq!(titles(&admin, "?sort=modified").await, ["Mike"]);
    assert_eq!(titles(&admin, "?deleted=true").await, ["Alpha"]);
}

/// With 10,000 profiles a page costs one query for its rows and two reads by key, no scan and
/// nothing that grows with the tenant. The time is printed, not asserted, because the emulated
/// table has a different performance.
#[tokio::test]
async fn a_page_of_ten_thousand_profiles_costs_what_a_page_costs() {
    let app = TestApp::ready(TestTenant::small()).await;
    put_many(&app, 10_000).await;
    let admin = app.admin("LmsAdmin");
    let operations = Operations::default();
    let _counting = tracing_subscriber::registry()
        .with(operations.clone())
        .set_default();
    // Spans that were first met without a subscriber must be registered again.
    tracing::callsite::rebuild_interest_cache();
    admin.get("/v1/profiles?limit=1").await.expect(200);
    tracing::callsite::rebuild_interest_cache();
    for query in ["?limit=50", "?limit=50&sort=modifiedDescending"] {
        operations.forget();
        let begun = Instant::now();
        let body = admin
            .get(&format!("/v1/profiles{query}"))
            .await
            .expect(200)
            .body;
        let took = begun.elapsed();
        assert_eq!(body["items"].as_array().map(Vec::len), Some(50));
        let seen = operations.seen();
        let own = took.saturating_sub(operations.waited());
        println!("{query}: {took:?}, {own:?} of it not waiting for the table; {seen:?}");
        assert_eq!(seen.get("Scan"), None, "{seen:?}");
        assert_eq!(seen.get("Query"), Some(&1), "{seen:?}");
        assert_eq!(seen.values().sum::<usize>(), 4, "{seen:?}");
    }
    // A search reads 2,000 rows for one page and returns a cursor.
    operations.forget();
    let body = admin
        .get("/v1/profiles?search=nothing")
        .await
        .expect(200)
        .body;
    assert!(body["nextCursor"].is_string());
    let seen = operations.seen();
    assert_eq!(
        (seen.get("Query"), seen.get("Scan")),
        (Some(&4), None),
        "{seen:?}"
    );
}

/// Stores list rows of `count` profiles.
async fn put_many(app: &TestApp, count: usize) {
    let profiles: Vec<_> = (0..count)
        .map(|n| {
            let mut profile = testing::profile(&format!("Profile {n:05}"));
            profile.id = ProfileId::new(Uuid::new_v4());
            profile
        })
        .collect();
    let store = &app.services.store;
    let writes = profiles
        .chunks(1_000)
        .map(|chunk| store.put_lines(app.id, chunk));
    for written in futures::future::join_all(writes).await {
        written.expect("not stored");
    }
}

/// Records DynamoDB operations by the spans in which the SDK sends them.
#[derive(Debug, Clone, Default)]
struct Operations(Arc<Mutex<Vec<Operation>>>);

#[derive(Debug)]
struct Operation {
    span: Id,
    name: String,
    begun: Instant,
    ended: Instant,
}

impl Operations {
    /// Returns the number of operations by name.
    fn seen(&self) -> BTreeMap<String, usize> {
        let all = self.0.lock().expect("no panic");
        let mut seen = BTreeMap::new();
        for operation in all.iter() {
            *seen.entry(operation.name.clone()).or_default() += 1;
        }
        seen
    }

    /// Returns how long at least one operation was in progress.
    fn waited(&self) -> Duration {
        let all = self.0.lock().expect("no panic");
        let mut spans: Vec<_> = all.iter().map(|one| (one.begun, one.ended)).collect();
        spans.sort();
        let (mut waited, mut until) = (Duration::ZERO, None);
        for (begun, ended) in spans {
            let from = until.map_or(begun, |until| begun.max(until));
            waited += ended.saturating_duration_since(from);
            until = Some(until.map_or(ended, |until| ended.max(until)));
        }
        waited
    }

    fn forget(&self) {
        self.0.lock().expect("no panic").clear();
    }
}

impl<S: tracing::Subscriber> Layer<S> for Operations {
    fn on_new_span(&self, span: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        if let Some(name) = span.metadata().name().strip_prefix("DynamoDB.") {
            let now = Instant::now();
            self.0.lock().expect("no panic").push(Operation {
                span: id.clone(),
                name: name.to_owned(),
                begun: now,
                ended: now,
            });
        }
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        let mut all = self.0.lock().expect("no panic");
        if let Some(operation) = all.iter_mut().rev().find(|one| one.span == id) {
            operation.ended = Instant::now();
        }
    }
}
