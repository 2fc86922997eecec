//! Tests of the SCIM service provider: resources, lists, discovery, and disabled features.

use std::time::{Duration, Instant};

use reqwest::Method;
use rollcall_simulators::{Fault, FaultKind, ScimBehaviour, TenantState};
use serde_json::{Value, json};

use crate::site::{Answered, Site, TENANT, read};

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub(crate) const TEAM: &str = "urn:rollcall:scim:schemas:extension:2.0:Team";

fn token(site: &Site) -> String {
    site.simulators.scim_token(TENANT).expect("loaded")
}

/// Sends a SCIM request; `path` starts with `/`.
pub(crate) async fn scim(site: &Site, method: Method, path: &str, body: Option<Value>) -> Answered {
    let url = format!("{}{path}", site.simulators.scim_url(TENANT));
    let request = site.client.request(method, url);
    let request = request.bearer_auth(token(site));
    let request = match body {
        Some(body) => request.body(body.to_string()),
        None => request,
    };
    read(request.send().await.expect("a response")).await
}

pub(crate) async fn get(site: &Site, path: &str) -> Value {
    let (status, body) = scim(site, Method::GET, path, None).await;
    assert_eq!(status, 200, "{path}: {body}");
    body
}

/// Creates a resource and returns it.
pub(crate) async fn post(site: &Site, path: &str, body: Value) -> Value {
    let (status, body) = scim(site, Method::POST, path, Some(body)).await;
    assert_eq!(status, 201, "{body}");
    body
}

pub(crate) fn user(name: &str) -> Value {
    json!({"schemas": [USER], "userName": name, "externalId": format!("x-{name}"), "active": true})
}

pub(crate) fn group(name: &str, members: &[&Value]) -> Value {
    let members: Vec<Value> = members
        .iter()
        .map(|it| json!({"value": it["id"]}))
        .collect();
    json!({"schemas": [GROUP], "displayName": name, "members": members})
}

pub(crate) fn behave(site: &Site, change: impl FnOnce(&mut ScimBehaviour)) {
    let edit = |state: &mut TenantState| change(&mut state.scim.behaviour);
    site.simulators.edit(TENANT, edit).expect("loaded");
}

pub(crate) fn kind(body: &Value) -> (&str, &str) {
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    (text("status"), text("scimType"))
}

fn names(list: &Value) -> Vec<&str> {
    let rows = list["Resources"].as_array().into_iter().flatten();
    rows.filter_map(|it| it["userName"].as_str()).collect()
}

#[tokio::test]
async fn resources_live_and_die_by_the_rules() {
    let site = Site::new().await;
    let mut body = user("Ada");
    body[ENTERPRISE] = json!({"DEPARTMENT": "R&D", "manager": {"value": "9"}});
    body["emails"] = json!([{"value": "ada@x.example", "type": "work", "primary": true}]);
    let ada = post(&site, "/Users", body.clone()).await;
    let path = format!("/Users/{}", ada["id"].as_str().expect("an id"));
    assert_eq!(ada[ENTERPRISE]["department"], "R&D");
    assert_eq!(ada["schemas"], json!([USER, ENTERPRISE]));
    let location = format!("{}{path}", site.simulators.scim_url(TENANT));
    assert_eq!(ada["meta"]["location"], location);
    assert_eq!(ada["meta"]["created"], ada["meta"]["lastModified"]);
    assert_eq!(ada["meta"]["version"], "W/\"1\"");
    assert_eq!(get(&site, &path).await, ada);

    let (status, error) = scim(&site, Method::POST, "/Users", Some(user("ADA"))).await;
    assert_eq!((status, kind(&error)), (409, ("409", "uniqueness")));
    let nameless = json!({"schemas": [USER], "displayName": "Nobody"});
    let (status, error) = scim(&site, Method::POST, "/Users", Some(nameless)).await;
    assert_eq!((status, kind(&error)), (400, ("400", "invalidValue")));

    let (_, same) = scim(&site, Method::PUT, &path, Some(body)).await;
    assert_eq!(same, ada, "nothing changed");
    let bob = post(&site, "/Users", user("bob")).await;
    let (_, put) = scim(&site, Method::PUT, &path, Some(user("ada"))).await;
    assert!(put.get("emails").is_none() && put.get(ENTERPRISE).is_none());
    let modified = |it: &Value| it["meta"]["lastModified"].as_str().map(str::to_owned);
    assert!(
        modified(&put) > modified(&bob),
        "every change has a later time"
    );

    let team = post(&site, "/Groups", group("Team", &[&ada, &bob])).await;
    assert_eq!(team["members"].as_array().map(Vec::len), Some(2));
    assert_eq!(team["members"][0]["type"], "User");
    let stranger = json!({"id": "nobody"});
    let bad = group("Bad", &[&stranger]);
    let (status, error) = scim(&site, Method::POST, "/Groups", Some(bad)).await;
    assert_eq!((status, kind(&error)), (400, ("400", "invalidValue")));
    assert_eq!(scim(&site, Method::DELETE, &path, None).await.0, 204);
    assert_eq!(scim(&site, Method::DELETE, &path, None).await.0, 404);
    let team = get(
        &site,
        &format!("/Groups/{}", team["id"].as_str().expect("an id")),
    )
    .await;
    assert_eq!(team["members"][0]["value"], bob["id"]);
    assert_eq!(team["members"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn lists_are_filtered() {
    let site = Site::new().await;
    let mut made = Vec::new();
    for name in ["ada", "Bob", "cyd", "dan"] {
        made.push(post(&site, "/Users", user(name)).await);
    }
    let since = made[1]["meta"]["lastModified"].as_str().expect("a time");
    let id = made[3]["id"].as_str().expect("an id");
    for (filter, expected) in [
        ("userName eq \"BOB\"".to_owned(), vec!["Bob"]),
        ("externalId eq \"x-cyd\"".to_owned(), vec!["cyd"]),
        ("externalId eq \"X-cyd\"".to_owned(), vec![]),
        (
            format!("meta.lastModified gt \"{since}\""),
            vec!["cyd", "dan"],
        ),
        (
            format!("id eq \"{id}\" or {USER}:userName sw \"A\""),
            vec!["ada", "dan"],
        ),
        (
            format!("userName eq \"ada\" and not (meta.lastModified gt \"{since}\")"),
            vec!["ada"],
        ),
        (
            "displayName pr or emails[type eq \"work\"]".to_owned(),
            vec![],
        ),
    ] {
        let list = get(&site, &format!("/Users?filter={filter}")).await;
        assert_eq!(names(&list), expected, "{filter}");
        assert_eq!(list["totalResults"], expected.len());
    }
    behave(&site, |it| it.last_modified_filter = false);
    for filter in [
        "meta.lastModified gt \"2026-01-01T00:00:00Z\"",
        "shoeSize eq \"9\"",
        "id eq",
    ] {
        let path = format!("/Users?filter={filter}");
        let (status, error) = scim(&site, Method::GET, &path, None).await;
        assert_eq!((status, kind(&error).1), (400, "invalidFilter"), "{filter}");
    }
}

#[tokio::test]
async fn lists_are_cut_and_paged() {
    let site = Site::new().await;
    for name in ["ada", "Bob", "cyd", "dan"] {
        post(&site, "/Users", user(name)).await;
    }
    let list = get(&site, "/Users?startIndex=2&count=2&attributes=userName").await;
    assert_eq!(names(&list), ["Bob", "cyd"]);
    assert_eq!(list["totalResults"], 4);
    let keys: Vec<&String> = list["Resources"][0]
        .as_object()
        .expect("one")
        .keys()
        .collect();
    assert_eq!(keys, ["id", "schemas", "userName"]);
    let list = get(&site, "/Users?count=0").await;
    assert_eq!(
        (&list["totalResults"], list.get("Resources")),
        (&json!(4), None)
    );
    let list = get(&site, "/Users?excludedAttributes=meta.created,active").await;
    let first = &list["Resources"][0];
    assert!(first.get("active").is_none() && first["meta"].get("created").is_none());
    assert!(first["meta"]["lastModified"].is_string());

    behave(&site, |it| it.max_results = 3);
    let list = get(&site, "/Users?count=100").await;
    assert_eq!(list["itemsPerPage"], 3);
}

#[tokio::test]
async fn abilities_can_be_taken_away() {
    let site = Site::new().await;
    let urns = |list: &Value| -> Vec<String> {
        let rows = list["Resources"].as_array().expect("rows").iter();
        rows.map(|it| it["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    assert_eq!(
        urns(&get(&site, "/Schemas").await),
        [USER, GROUP, ENTERPRISE, TEAM]
    );
    let one = get(&site, &format!("/Schemas/{USER}")).await;
    let attributes = one["attributes"].as_array().expect("attributes");
    let name = attributes.iter().find(|it| it["name"] == "userName");
    assert_eq!(name.map(|it| &it["uniqueness"]), Some(&json!("server")));
    behave(&site, |it| {
        (it.enterprise, it.teams, it.patch, it.bulk) = (false, false, false, false);
        it.drops = vec!["nickName".into(), "name.givenName".into()];
        it.etag = false;
    });
    assert_eq!(urns(&get(&site, "/Schemas").await), [USER, GROUP]);
    let types = get(&site, "/ResourceTypes").await;
    assert_eq!(types["Resources"][0]["schemaExtensions"], json!([]));
    let config = get(&site, "/ServiceProviderConfig").await;
    assert_eq!(config["patch"]["supported"], false);
    let mut body = user("ada");
    body[ENTERPRISE] = json!({"department": "R&D"});
    body["nickName"] = json!("A");
    body["name"] = json!({"givenName": "Ada", "familyName": "L"});
    let ada = post(&site, "/Users", body).await;
    assert_eq!(ada["name"], json!({"familyName": "L"}));
    assert!(ada.get("nickName").is_none() && ada.get(ENTERPRISE).is_none());
    assert!(ada["meta"].get("version").is_none());
    let path = format!("/Users/{}", ada["id"].as_str().expect("an id"));
    for (method, path) in [(Method::PATCH, path.as_str()), (Method::POST, "/Bulk")] {
        let (status, error) = scim(&site, method, path, Some(json!({}))).await;
        assert_eq!((status, kind(&error).0), (501, "501"));
    }
}

#[tokio::test]
async fn only_the_token_opens_and_not_too_often() {
    let site = Site::new().await;
    let url = format!("{}/Users", site.simulators.scim_url(TENANT));
    let answer = site.client.get(&url).bearer_auth("wrong").send().await;
    let answer = answer.expect("a response");
    assert_eq!(answer.headers()["content-type"], "application/scim+json");
    let (status, error) = read(answer).await;
    assert_eq!((status, kind(&error).0), (401, "401"));
    site.simulators
        .edit(TENANT, |state| state.scim.token = Some("own".into()));
    assert_eq!(get(&site, "/Users").await["totalResults"], 0);

    let fault = Fault::once(
        "/scim/",
        FaultKind::Status {
            code: 503,
            retry_after: None,
            body: None,
        },
    );
    site.simulators.add_fault(TENANT, fault);
    assert_eq!(scim(&site, Method::GET, "/Users", None).await.0, 503);
    let statuses: Vec<u16> = site
        .simulators
        .requests(TENANT)
        .iter()
        .map(|it| it.status)
        .collect();
    assert_eq!(statuses, [401, 200, 503]);

    behave(&site, |it| it.requests_per_second = Some(2));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let answer = site
            .client
            .get(&url)
            .bearer_auth("own")
            .send()
            .await
            .expect("a response");
        if answer.status() == 429 {
            assert_eq!(answer.headers()["retry-after"], "1");
        }
        statuses.push(answer.status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 429]);
}

#[tokio::test]
async fn versions_guard_changes() {
    let site = Site::new().await;
    let ada = post(&site, "/Users", user("ada")).await;
    let url = ada["meta"]["location"].as_str().expect("a URL");
    let token = token(&site);
    let read = site
        .client
        .get(url)
        .bearer_auth(&token)
        .header("If-None-Match", "W/\"1\"");
    assert_eq!(read.send().await.expect("a response").status(), 304);
    let delete = |tag: &str| {
        let request = site.client.delete(url).bearer_auth(&token);
        request.header("If-Match", tag.to_owned()).send()
    };
    assert_eq!(delete("W/\"2\"").await.expect("a response").status(), 412);
    assert_eq!(delete("W/\"1\"").await.expect("a response").status(), 204);
}

#[tokio::test]
async fn many_users_and_members_are_no_trouble() {
    let site = Site::new().await;
    let first = post(&site, "/Users", user("seed")).await;
    let id = first["id"].as_str().expect("an id");
    site.simulators.edit(TENANT, |state| {
        let seed = state.scim.users[id].clone();
        for n in 0..50_000 {
            let mut one = seed.clone();
            one.attributes
                .insert("userName".into(), json!(format!("user{n}")));
            one.attributes
                .insert("externalId".into(), json!(n.to_string()));
            state.scim.users.insert(format!("u{n:05}"), one);
        }
    });
    let started = Instant::now();
    for n in (0..50_000).step_by(500) {
        let list = get(&site, &format!("/Users?filter=userName eq \"USER{n}\"")).await;
        assert_eq!(list["Resources"][0]["id"], format!("u{n:05}"));
    }
    let team = post(&site, "/Groups", group("Everybody", &[])).await;
    let path = format!(
        "/Groups/{}?excludedAttributes=members",
        team["id"].as_str().expect("id")
    );
    for part in 0..20 {
        let ids = (part * 500)..(part * 500 + 500);
        let members: Vec<Value> = ids.map(|n| json!({"value": format!("u{n:05}")})).collect();
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "Add", "path": "members", "value": members}],
        });
        let (status, body) = scim(&site, Method::PATCH, &path, Some(body)).await;
        assert_eq!((status, body.get("members")), (200, None));
    }
    assert_eq!(
        site.state()
            .scim
            .groups
            .values()
            .next()
            .map(|it| it.members.len()),
        Some(10_000)
    );
    assert!(
        started.elapsed() < Duration::from_mins(1),
        "{:?}",
        started.elapsed()
    );
}
