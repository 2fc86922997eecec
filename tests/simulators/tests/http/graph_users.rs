//! Tests of user filters, counts, photos, languages and deleted users.

use std::collections::BTreeSet;

use rollcall_simulators::world::Person;
use serde_json::{Value, json};

use crate::site::{Site, TENANT, error, read};

/// Returns the object ids of the users that match.
fn fitting(site: &Site, fits: impl Fn(&Person) -> bool) -> BTreeSet<String> {
    let state = site.state();
    let people = state.world.people.iter().filter(|it| fits(it));
    people
        .filter_map(|it| Some(it.object_id?.to_string()))
        .collect()
}

/// Returns the ids on all pages of a filter, and the count of the first page.
async fn found(site: &Site, filter: &str) -> (BTreeSet<String>, Value) {
    let mut ids = BTreeSet::new();
    let graph = site.simulators.graph_url();
    let mut url = format!("{graph}/v1.0/users?$filter={filter}&$select=id&$top=7&$count=true");
    let mut count = Value::Null;
    loop {
        let request = site.client.get(&url).bearer_auth(&site.token);
        let request = request.header("ConsistencyLevel", "eventual").send().await;
        let (status, body) = read(request.expect("a response")).await;
        assert_eq!(status, 200, "{filter}: {body}");
        if count.is_null() {
            count = body["@odata.count"].clone();
        }
        for row in body["value"].as_array().expect("rows") {
            assert_eq!(row.as_object().map(serde_json::Map::len), Some(1));
            assert!(ids.insert(row["id"].as_str().expect("an id").to_owned()));
        }
        match body["@odata.nextLink"].as_str() {
            Some(next) => next.clone_into(&mut url),
            None => return (ids, count),
        }
    }
}

#[tokio::test]
async fn filters_find_whom_they_describe() {
    let site = Site::new().await;
    let everyone = site.state().world.people;
    let someone = everyone
        .iter()
        .find(|it| it.department.is_some() && it.city.is_some());
    let someone = someone.expect("a user");
    let (department, city) = (someone.department.clone(), someone.city.clone());
    let quoted = |text: &Option<String>| {
        text.as_deref()
            .expect("a text")
            .replace('\'', "''")
            .replace('&', "%26")
    };
    let (a, b) = (quoted(&department).to_uppercase(), quoted(&city));
    let cases = [
        (
            format!("department eq '{a}' and accountEnabled eq true"),
            fitting(&site, |it| {
                it.department == department && it.account_enabled
            }),
        ),
        (
            format!("not (department in ('{a}','x') or city eq null)"),
            fitting(&site, |it| it.department != department && it.city.is_some()),
        ),
        (
            format!("city ne '{b}' and endsWith(userPrincipalName,'.EXAMPLE')"),
            fitting(&site, |it| it.city != city && it.upn.ends_with(".example")),
        ),
        (
            "startswith(displayName,'A')".to_owned(),
            fitting(&site, |it| it.display_name.to_lowercase().starts_with('a')),
        ),
    ];
    for (filter, expected) in cases {
        assert!(!expected.is_empty(), "{filter}");
        let (ids, count) = found(&site, &filter).await;
        assert_eq!(ids, expected, "{filter}");
        assert_eq!(count, json!(expected.len()), "{filter}");
        let path = format!("/users/$count?$filter={filter}");
        assert_eq!(site.get(&path).await.1, json!(expected.len()), "{filter}");
    }
}

#[tokio::test]
async fn filters_that_cannot_be_answered_say_why() {
    let site = Site::new().await;
    for (query, code, says) in [
        (
            "$filter=city eq",
            "Request_BadRequest",
            "Syntax error at position 7",
        ),
        (
            "$filter=not (city eq 'x')",
            "Request_UnsupportedQuery",
            "Operator 'not'",
        ),
        (
            "$filter=city ne 'x'",
            "Request_UnsupportedQuery",
            "Operator 'ne'",
        ),
        (
            "$filter=shoeSize eq '9'",
            "Request_UnsupportedQuery",
            "'shoeSize' of resource 'User'",
        ),
    ] {
        let (status, body) = site.get(&format!("/users?{query}")).await;
        assert_eq!((status, error(&body).0), (400, code), "{query}");
        assert!(error(&body).1.contains(says), "{body}");
    }
    let url = format!("{}/v1.0/users/$count", site.simulators.graph_url());
    let plain = site.client.get(url).bearer_auth(&site.token).send().await;
    assert_eq!(plain.expect("a response").status(), 400);
    let groups = site.state().world.groups.len();
    assert_eq!(site.get("/groups/$count").await, (200, json!(groups)));
}

#[tokio::test]
async fn deleted_people_lie_in_the_bin_and_come_back_as_they_were() {
    let site = Site::new().await;
    let before = site.state();
    let [ada, bob] = site.people(2).try_into().expect("two");
    assert!(site.simulators.delete_user(TENANT, ada));
    assert!(site.simulators.delete_user(TENANT, bob));
    assert!(!site.simulators.delete_user(TENANT, bob), "already deleted");
    assert_eq!(site.get(&format!("/users/{ada}")).await.0, 404);
    assert!(
        site.state()
            .world
            .groups
            .iter()
            .all(|it| !it.members.contains(&ada))
    );
    let path = "/directory/deletedItems/microsoft.graph.user?$select=id,deletedDateTime&$top=1";
    let (_, page) = site.get(path).await;
    assert_eq!(page["value"][0]["id"], json!(ada));
    assert!(page["value"][0]["deletedDateTime"].is_string());
    let next = page["@odata.nextLink"].as_str().expect("a second page");
    let request = site.client.get(next).bearer_auth(&site.token).send();
    let (_, page) = read(request.await.expect("a response")).await;
    assert_eq!(
        (&page["value"][0]["id"], page.get("@odata.nextLink")),
        (&json!(bob), None)
    );
    assert!(site.simulators.restore_user(TENANT, ada));
    assert!(site.simulators.restore_user(TENANT, bob));
    let after = site.state();
    assert_eq!(after.world.groups, before.world.groups);
    assert_eq!(after.world.people.len(), before.world.people.len());
}

#[tokio::test]
async fn photos_and_languages_are_where_they_were_put() {
    let site = Site::new().await;
    let [ada, bob] = site.people(2).try_into().expect("two");
    site.simulators.edit(TENANT, |state| {
        state.photos.insert(ada, Vec::new());
        state.languages.insert(ada, "de-DE".into());
    });
    let answer = site
        .send(
            reqwest::Method::GET,
            &format!("/users/{ada}/photo/$value"),
            None,
        )
        .await;
    assert_eq!(answer.headers()["content-type"], "image/jpeg");
    let bytes = answer.bytes().await.expect("a body");
    assert!(bytes.starts_with(b"\xff\xd8\xff") && bytes.ends_with(b"\xff\xd9"));
    let (status, body) = site.get(&format!("/users/{bob}/photo/$value")).await;
    assert_eq!((status, error(&body).0), (404, "ImageNotFound"));
    let path = format!("/users/{ada}?$select=preferredLanguage");
    assert_eq!(
        site.get(&path).await.1,
        json!({"preferredLanguage": "de-DE"})
    );
}
