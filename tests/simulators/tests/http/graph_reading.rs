//! Tests of paging, selecting and counting in Graph.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::site::{Site, error, read};

/// Follows nextLinks and returns the rows of every page.
async fn pages(site: &Site, path: &str) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut next = Some(format!("{}/v1.0{path}", site.simulators.graph_url()));
    while let Some(url) = next {
        let request = site.client.get(url).bearer_auth(&site.token);
        let answer = request.header("ConsistencyLevel", "eventual").send().await;
        let (status, body) = read(answer.expect("a response")).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(
            body.get("@odata.count").is_some(),
            pages.is_empty(),
            "count on page 1 only"
        );
        pages.push(body["value"].as_array().expect("rows").clone());
        next = body["@odata.nextLink"].as_str().map(str::to_owned);
    }
    pages
}

#[tokio::test]
async fn users_page_without_gaps_or_repeats() {
    let site = Site::new().await;
    let pages = pages(&site, "/users?$select=id,department&$top=25&$count=true").await;
    let expected = site
        .state()
        .world
        .people
        .iter()
        .filter(|it| it.object_id.is_some())
        .count();
    assert!(pages[..pages.len() - 1].iter().all(|page| page.len() == 25));
    let rows: Vec<&Value> = pages.iter().flatten().collect();
    let ids: HashSet<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
    assert_eq!((rows.len(), ids.len()), (expected, expected));
    let names: Vec<&String> = rows[0].as_object().expect("a user").keys().collect();
    assert_eq!(names, ["department", "id"], "only what was selected");
}

#[tokio::test]
async fn page_sizes_are_limited() {
    let site = Site::new().await;
    for top in ["0", "1000", "x"] {
        let (status, body) = site.get(&format!("/users?$top={top}")).await;
        assert_eq!(status, 400);
        assert!(error(&body).1.contains("between 1 and 999"), "{body}");
    }
    assert_eq!(site.get("/users?$top=999").await.0, 200);
}

#[tokio::test]
async fn members_page_and_count() {
    let site = Site::new().await;
    let group = site.state().world.groups[3].clone();
    let total = group.members.len();
    assert!(total > 6, "{total} members");
    for path in ["members", "members/microsoft.graph.user"] {
        let path = format!("/groups/{}/{path}?$select=id&$top=6&$count=true", group.id);
        let pages = pages(&site, &path).await;
        let rows: Vec<&Value> = pages.iter().flatten().collect();
        assert_eq!(rows.len(), total);
        let ids: HashSet<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
        assert_eq!(ids.len(), total);
    }
    let count = format!("/groups/{}/members/$count", group.id);
    assert_eq!(site.get(&count).await, (200, json!(total)));
    let url = format!("{}/v1.0{count}", site.simulators.graph_url());
    let plain = site
        .client
        .get(url)
        .bearer_auth(&site.token)
        .send()
        .await
        .expect("a response");
    let (status, body) = read(plain).await;
    assert_eq!(
        (status, error(&body).1),
        (400, "$count is not currently supported.")
    );
}

#[tokio::test]
async fn members_may_be_groups_and_vanish_with_their_users() {
    let site = Site::with(|world| {
        let nested = world.groups[4].id;
        world.groups[3].members.insert(nested);
    })
    .await;
    let group = site.state().world.groups[3].clone();
    let (_, body) = site
        .get(&format!("/groups/{}/members?$top=999", group.id))
        .await;
    let kinds: HashSet<&str> = body["value"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["@odata.type"].as_str())
        .collect();
    assert_eq!(
        kinds,
        HashSet::from(["#microsoft.graph.user", "#microsoft.graph.group"])
    );
    let users = format!("/groups/{}/members/microsoft.graph.user/$count", group.id);
    assert_eq!(site.get(&users).await.1, json!(group.members.len() - 1));
    site.simulators
        .edit(crate::site::TENANT, |state| state.world.people.clear());
    assert_eq!(site.get(&users).await.1, json!(0));
}

#[tokio::test]
async fn managers_are_expanded_and_cap_the_page() {
    let site = Site::new().await;
    let (_, body) = site
        .get("/users?$top=999&$expand=manager($select=id)")
        .await;
    let rows = body["value"].as_array().expect("rows");
    assert_eq!(rows.len(), 100);
    let managed = rows
        .iter()
        .find(|row| row["manager"]["id"].is_string())
        .expect("a user with a manager");
    let path = format!("/users/{}/manager", managed["id"].as_str().expect("an id"));
    assert_eq!(site.get(&path).await.1["id"], managed["manager"]["id"]);
}

#[tokio::test]
async fn next_links_can_point_to_a_hostile_host() {
    let site =
        Site::with(|world| world.behaviour.nextlink_host = Some("evil.example".into())).await;
    let (_, body) = site.get("/users?$top=5").await;
    let link = body["@odata.nextLink"].as_str().expect("a link");
    assert!(
        link.starts_with("http://evil.example/graph/v1.0/users?"),
        "{link}"
    );
    let (_, body) = site.lms(reqwest::Method::GET, "Users?$top=5", None).await;
    let link = body["@odata.nextLink"].as_str().expect("a link");
    assert!(
        link.starts_with("http://evil.example/learn365/odata/v2/Users?"),
        "{link}"
    );
}
