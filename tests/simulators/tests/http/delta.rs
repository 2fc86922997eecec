//! Tests of delta queries: a full round, then only changes, including configurable flaws.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use reqwest::header::LOCATION;
use rollcall_simulators::TenantState;
use rollcall_simulators::generate::{self, WorldSpec};
use rollcall_simulators::world::Person;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::site::{Site, TENANT, error, read};

/// Returns all pages starting at a URL, and the delta link at their end.
async fn round(site: &Site, url: &str, size: usize) -> (Vec<Vec<Value>>, String) {
    let (mut pages, mut url) = (Vec::new(), url.to_owned());
    loop {
        let request = site.client.get(&url).bearer_auth(&site.token);
        let request = request.header("Prefer", format!("odata.maxpagesize={size}"));
        let (status, body) = read(request.send().await.expect("a response")).await;
        assert_eq!(status, 200, "{body}");
        pages.push(body["value"].as_array().expect("rows").clone());
        if let Some(link) = body["@odata.deltaLink"].as_str() {
            return (pages, link.to_owned());
        }
        let next = body["@odata.nextLink"].as_str().expect("a link");
        next.clone_into(&mut url);
    }
}

async fn first(site: &Site, path: &str, size: usize) -> (Vec<Vec<Value>>, String) {
    let url = format!("{}/v1.0{path}", site.simulators.graph_url());
    round(site, &url, size).await
}

async fn changes(site: &Site, link: &str) -> (Vec<Value>, String) {
    let (pages, link) = round(site, link, 999).await;
    (pages.concat(), link)
}

fn edit(site: &Site, change: impl FnOnce(&mut TenantState)) {
    site.simulators.edit(TENANT, change).expect("loaded");
}

fn person(state: &mut TenantState, id: Uuid) -> &mut Person {
    let mut people = state.world.people.iter_mut();
    people
        .find(|it| it.object_id == Some(id))
        .expect("the user")
}

fn row(rows: &[Value], id: Uuid) -> &Value {
    let mut rows = rows.iter();
    rows.find(|it| it["id"] == json!(id)).expect("a row")
}

#[tokio::test]
async fn users_come_once_then_only_with_followed_changes() {
    let site = Site::new().await;
    let [ada, bob, cyd, dan, eve] = site.people(5).try_into().expect("five");
    edit(&site, |state| {
        for person in &mut state.world.people {
            person.manager = None;
        }
        person(state, ada).department = Some("Sales".into());
        person(state, ada).manager = Some(bob);
        person(state, bob).department = None;
    });
    let path = "/users/delta?$select=department,displayName,manager";
    let (pages, link) = first(&site, path, 50).await;
    assert!(pages[..pages.len() - 1].iter().all(|page| page.len() == 50));
    let rows = pages.concat();
    let ids: BTreeSet<&str> = rows.iter().filter_map(|it| it["id"].as_str()).collect();
    let state = site.state();
    let people = state.world.people.iter();
    let expected = people.filter(|it| it.object_id.is_some()).count();
    assert_eq!((rows.len(), ids.len()), (expected, expected));
    assert_eq!(
        row(&rows, ada)["manager@delta"],
        json!([{"@odata.type": "#microsoft.graph.user", "id": bob}])
    );
    let keys: Vec<&String> = row(&rows, bob).as_object().expect("a row").keys().collect();
    assert_eq!(
        keys,
        ["displayName", "id"],
        "a property that was never set is missing"
    );

    let (rows, link) = changes(&site, &link).await;
    assert_eq!(rows, [] as [Value; 0]);
    edit(&site, |state| {
        person(state, ada).department = None;
        person(state, ada).manager = Some(cyd);
        person(state, bob).city = Some("Not followed".into());
        person(state, cyd).display_name = "Renamed".into();
        person(state, dan).object_id = None;
    });
    assert!(site.simulators.delete_user(TENANT, eve));
    let (rows, next) = changes(&site, &link).await;
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert_eq!(row(&rows, ada)["department"], Value::Null);
    assert!(row(&rows, ada).get("department").is_some(), "cleared");
    assert_eq!(
        row(&rows, ada)["manager@delta"],
        json!([
            {"@odata.type": "#microsoft.graph.user", "id": cyd},
            {"id": bob, "@removed": {"reason": "deleted"}},
        ])
    );
    assert_eq!(row(&rows, cyd)["displayName"], "Renamed");
    assert!(row(&rows, cyd).get("manager@delta").is_none());
    assert_eq!(row(&rows, dan)["@removed"]["reason"], "deleted");
    assert_eq!(row(&rows, eve)["@removed"]["reason"], "changed");
    let again = changes(&site, &link).await.0;
    assert_eq!(again.len(), 4, "an old link still works");

    assert!(site.simulators.restore_user(TENANT, eve));
    let (rows, _) = changes(&site, &next).await;
    assert_eq!(rows.len(), 1);
    assert!(rows[0]["displayName"].is_string());
}

#[tokio::test]
async fn changes_can_be_followed_from_now_on() {
    let site = Site::new().await;
    let (pages, link) = first(&site, "/users/delta?$deltaToken=latest&$select=city", 10).await;
    assert_eq!(pages, [[] as [Value; 0]]);
    let ada = site.people(1)[0];
    edit(&site, |state| {
        person(state, ada).city = Some("Elsewhere".into());
    });
    let rows = changes(&site, &link).await.0;
    assert_eq!(rows, [json!({"id": ada, "city": "Elsewhere"})]);
}

#[tokio::test]
async fn the_flaws_of_a_directory_can_be_switched_on() {
    let site = Site::new().await;
    let (_, link) = first(&site, "/users/delta?$select=city", 999).await;
    let [ada, bob] = site.people(2).try_into().expect("two");
    edit(&site, |state| {
        state.world.behaviour.delta_replays = true;
        state.world.behaviour.delta_hides_deletions = true;
        person(state, ada).city = Some("Elsewhere".into());
    });
    assert!(site.simulators.delete_user(TENANT, bob));
    let (rows, link) = changes(&site, &link).await;
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(rows[0], rows[1]);

    edit(&site, |state| {
        state.world.behaviour.delta_tokens_expired = true;
    });
    let request = site.client.get(&link).bearer_auth(&site.token);
    let answer = request.send().await.expect("a response");
    let location = answer.headers()[LOCATION]
        .to_str()
        .expect("text")
        .to_owned();
    let (status, body) = read(answer).await;
    assert_eq!((status, error(&body).0), (410, "syncStateNotFound"));
    assert!(
        location.ends_with("users/delta?$select=city&$deltatoken="),
        "{location}"
    );
    let (pages, _) = round(&site, &location, 999).await;
    assert!(pages.concat().len() > 50);
}

#[tokio::test]
async fn options_that_deltas_do_not_have_are_refused() {
    let site = Site::new().await;
    let many = vec![format!("id eq '{}'", Uuid::nil()); 51].join(" or ");
    for (path, says) in [
        ("users/delta?$top=5".to_owned(), "$top"),
        ("users/delta?$filter=id eq 'x'".to_owned(), "$filter"),
        ("users/delta?$select=shoeSize".to_owned(), "shoeSize"),
        ("users/delta?$deltatoken=x".to_owned(), "Badly formed"),
        ("groups/delta?$expand=members".to_owned(), "$expand"),
        (
            "groups/delta?$filter=displayName eq 'x'".to_owned(),
            "ids only",
        ),
        (format!("groups/delta?$filter={many}"), "at most 50"),
    ] {
        let (status, body) = site.get(&format!("/{path}")).await;
        assert_eq!(status, 400, "{path}");
        assert!(error(&body).1.contains(says), "{body}");
    }
}

#[tokio::test]
async fn groups_bring_their_members_in_slices() {
    let site = Site::with(|world| world.behaviour.delta_members_per_slice = 20).await;
    let state = site.state();
    let group = state.world.groups[3].clone();
    let nested = state.world.groups[4].id;
    let filter = format!("id eq '{}' or id eq '{nested}'", group.id);
    let path = format!("/groups/delta?$select=displayName,members&$filter={filter}");
    let (pages, link) = first(&site, &path, 100).await;
    let mut members: BTreeMap<String, BTreeSet<Uuid>> = BTreeMap::new();
    for page in &pages {
        let ids: BTreeSet<String> = page.iter().map(|it| it["id"].to_string()).collect();
        assert_eq!(ids.len(), page.len(), "one slice of a group to a page");
    }
    for row in pages.concat() {
        let slice = row["members@delta"].as_array().expect("members").iter();
        let ids: Vec<Uuid> = slice
            .map(|it| it["id"].as_str().expect("an id").parse().expect("an id"))
            .collect();
        assert!(ids.len() <= 20);
        let id = row["id"].as_str().expect("an id").to_owned();
        members.entry(id).or_default().extend(ids);
    }
    assert_eq!(members.len(), 2);
    assert_eq!(members[&group.id.to_string()], group.members);

    let mut leaving = group.members.iter().copied();
    let (left, deleted) = (leaving.next().expect("one"), leaving.next().expect("two"));
    edit(&site, |state| {
        state.world.groups[3].members.remove(&left);
        state.world.groups[3].members.insert(nested);
        state.world.groups.remove(4);
        state.delete_user(deleted);
        state.world.behaviour.delta_hides_deletions = true;
    });
    let rows = changes(&site, &link).await.0;
    let gone = json!({"id": nested, "@removed": {"reason": "deleted"}});
    assert_eq!(row(&rows, nested), &gone);
    let removed = json!({
        "@odata.type": "#microsoft.graph.user", "id": left, "@removed": {"reason": "deleted"},
    });
    assert_eq!(row(&rows, group.id)["members@delta"], json!([removed]));
}

#[tokio::test]
async fn members_need_more_than_the_directory() {
    let site = Site::with(|world| world.apps[0].roles = vec!["Directory.Read.All".into()]).await;
    assert_eq!(site.get("/groups/delta?$select=displayName").await.0, 200);
    assert_eq!(site.get("/groups/delta?$select=members").await.0, 403);
}

#[tokio::test]
async fn fifty_thousand_people_are_followed_quickly() {
    let spec = WorldSpec {
        tenant: TENANT,
        users: 50_000,
        courses: 10,
        enrolments_per_user: 0.0,
        ..WorldSpec::default()
    };
    let site = Site::of(generate::world(&spec)).await;
    let started = Instant::now();
    let path = "/users/delta?$select=displayName,department,city,mail,manager";
    let (_, link) = first(&site, path, 999).await;
    let ids = site.people(50);
    edit(&site, |state| {
        for id in &ids {
            person(state, *id).city = Some("Elsewhere".into());
        }
    });
    assert_eq!(changes(&site, &link).await.0.len(), 50);
    // Generous, for a debug build on a loaded machine.
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "{:?}",
        started.elapsed()
    );
}
