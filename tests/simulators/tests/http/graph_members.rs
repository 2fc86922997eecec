//! Tests of member writes: atomicity, and the error texts that clients distinguish.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::site::{Site, TENANT, error};

async fn patch(site: &Site, group: Uuid, ids: &[Uuid]) -> (u16, String, String) {
    let path = format!("/groups/{group}");
    let (status, body) = site.graph(Method::PATCH, &path, Some(site.bind(ids))).await;
    let (code, message) = error(&body);
    (status, code.to_owned(), message.to_owned())
}

fn members(site: &Site, group: Uuid) -> BTreeSet<Uuid> {
    let groups = site.state().world.groups;
    groups
        .into_iter()
        .find(|it| it.id == group)
        .expect("the group")
        .members
}

#[tokio::test]
async fn twenty_at_once_and_never_a_part_of_them() {
    let site = Site::new().await;
    let group = site.group("rollcall-1").await;
    let people = site.people(45);
    assert_eq!(patch(&site, group, &people[..20]).await.0, 204);
    let twenty: BTreeSet<Uuid> = people[..20].iter().copied().collect();
    assert_eq!(members(&site, group), twenty);

    let (status, code, text) = patch(&site, group, &people[19..30]).await;
    assert_eq!((status, code.as_str()), (400, "Request_BadRequest"));
    assert!(
        text.contains("added object references already exist"),
        "{text}"
    );

    let stranger = Uuid::from_u128(0xdead_0000_0000_4000_8000_0000_0000_0000);
    let (status, code, text) = patch(&site, group, &[people[20], stranger]).await;
    assert_eq!((status, code.as_str()), (404, "Request_ResourceNotFound"));
    assert!(
        text.starts_with(&format!("Resource '{stranger}' does not exist")),
        "{text}"
    );

    let (status, code, text) = patch(&site, group, &people[20..41]).await;
    assert_eq!((status, code.as_str()), (400, "Request_BadRequest"));
    assert!(text.contains("more than 20 link changes"), "{text}");

    assert_eq!(
        members(&site, group),
        twenty,
        "no failed request added a member"
    );
}

#[tokio::test]
async fn properties_and_members_stand_or_fall_together() {
    let site = Site::new().await;
    let group = site.group("rollcall-1").await;
    let person = site.people(1);
    let mut body = site.bind(&person);
    body["displayName"] = json!("x".repeat(257));
    let (status, _) = site
        .graph(Method::PATCH, &format!("/groups/{group}"), Some(body))
        .await;
    assert_eq!(status, 400);
    assert!(members(&site, group).is_empty());
}

#[tokio::test]
async fn one_member_by_ref() {
    let site = Site::new().await;
    let group = site.group("rollcall-1").await;
    let person = site.people(1)[0];
    let path = format!("/groups/{group}/members/$ref");
    let body = json!({"@odata.id": site.member_url(person)});
    assert_eq!(
        site.graph(Method::POST, &path, Some(body.clone())).await.0,
        204
    );
    let (status, again) = site.graph(Method::POST, &path, Some(body)).await;
    assert_eq!(status, 400);
    assert!(error(&again).1.contains("already exist"), "{again}");

    let path = format!("/groups/{group}/members/{person}/$ref");
    assert_eq!(site.graph(Method::DELETE, &path, None).await.0, 204);
    let (status, gone) = site.graph(Method::DELETE, &path, None).await;
    assert_eq!((status, error(&gone).0), (404, "Request_ResourceNotFound"));
    assert!(error(&gone).1.contains(&group.to_string()), "{gone}");
}

#[tokio::test]
async fn without_ref_no_one_is_removed_unless_the_app_may_delete_users() {
    let site = Site::new().await;
    let group = site.group("rollcall-1").await;
    let person = site.people(1)[0];
    assert_eq!(patch(&site, group, &[person]).await.0, 204);
    let path = format!("/groups/{group}/members/{person}");
    let (status, body) = site.graph(Method::DELETE, &path, None).await;
    assert_eq!(
        (status, error(&body).0),
        (403, "Authorization_RequestDenied")
    );
    assert!(members(&site, group).contains(&person));
    assert!(!site.state().user_deleted_by_mistake);

    let site = Site::with(|world| world.apps[0].roles.push("User.ReadWrite.All".into())).await;
    let group = site.group("rollcall-1").await;
    assert_eq!(patch(&site, group, &[person]).await.0, 204);
    let path = format!("/groups/{group}/members/{person}");
    assert_eq!(site.graph(Method::DELETE, &path, None).await.0, 204);
    assert!(site.state().user_deleted_by_mistake);
    assert_eq!(
        site.get(&format!("/users/{person}")).await.0,
        404,
        "the user is deleted"
    );
}

#[tokio::test]
async fn locked_groups_refuse_members() {
    let site = Site::new().await;
    let groups = site.state().world.groups;
    let outsider = |group: usize| {
        let mut people = site.people(100).into_iter();
        people
            .find(|id| !groups[group].members.contains(id))
            .expect("a user outside the group")
    };
    let (status, code, _) = patch(&site, groups[0].id, &[outsider(0)]).await;
    assert_eq!(
        (status, code.as_str()),
        (403, "Authorization_RequestDenied"),
        "dynamic"
    );
    let (status, _, text) = patch(&site, groups[1].id, &[outsider(1)]).await;
    assert_eq!(status, 400, "on premises");
    assert!(
        text.contains("on-premises mastered Directory Sync"),
        "{text}"
    );
    let (status, code, _) = patch(&site, groups[2].id, &[outsider(2)]).await;
    assert_eq!(
        (status, code.as_str()),
        (403, "Authorization_RequestDenied"),
        "role-assignable"
    );
    assert_eq!(
        patch(&site, groups[3].id, &[outsider(3)]).await.0,
        204,
        "an ordinary group"
    );
    let path = format!("/groups/{}", groups[0].id);
    assert_eq!(
        site.get(&path).await.1["groupTypes"],
        json!(["DynamicMembership"])
    );
}

#[tokio::test]
async fn a_new_group_takes_members_only_after_replication() {
    let site = Site::with(|world| world.behaviour.group_replication_ms = 60_000).await;
    let group = site.group("rollcall-1").await;
    let person = site.people(1);
    let (status, _, text) = patch(&site, group, &person).await;
    assert_eq!(status, 400);
    assert!(text.starts_with("The source resource object"), "{text}");
    let earlier = std::time::Duration::from_mins(1);
    site.simulators.edit(TENANT, |state| {
        state
            .group_created_at
            .values_mut()
            .for_each(|at| *at -= earlier);
    });
    assert_eq!(patch(&site, group, &person).await.0, 204);
}

#[tokio::test]
async fn patching_the_members_ref_collection_is_not_supported() {
    let site = Site::new().await;
    let group = site.group("rollcall-1").await;
    let path = format!("/groups/{group}/members/$ref");
    let body = site.bind(&site.people(1));
    let (status, body) = site.graph(Method::PATCH, &path, Some(body)).await;
    assert_eq!((status, error(&body).0), (400, "BadRequest"));
}
