//! Tests of single user changes, with patches and with whole resources.

use super::*;

/// Returns a service that supports patches and one that does not.
async fn both() -> [Site; 2] {
    [
        Site::start().await,
        Site::with(|can| can.patch = false).await,
    ]
}

fn operation(
    site: &Site,
    number: u128,
    change: impl FnOnce(&mut Option<bool>, &mut bool),
) -> Write {
    let (mut active, mut link) = (None, false);
    change(&mut active, &mut link);
    let operation = Operation::SetUser {
        user: site.key(number),
        facts: BTreeMap::new(),
        active,
        link,
    };
    write(subject(number), operation)
}

/// Proves S2-23: the external id is Entra's object id.
#[tokio::test]
async fn a_user_is_created_with_everything_that_is_known() {
    let mut site = Site::start().await;
    let written = site.write(&new_user(7)).await.expect("not created");
    assert_eq!(written, Written::Done(Some(site.key(7))));
    assert_eq!(
        site.user(7),
        json!({
            "externalId": object(7),
            "userName": "p7@contoso.example",
            "name": {"givenName": "First7", "familyName": "Last7"},
            "displayName": "First7 Last7",
            "title": "Consultant",
            "active": true,
            "preferredLanguage": "en-GB",
            "emails": [{"value": "p7@contoso.example", "type": "work", "primary": true}],
            ENTERPRISE: {"department": "Sales"},
        })
    );
    assert_eq!(site.asked("/v2"), ["201 POST /Users"]);
    let log = site.tenant.simulators.requests(site.tenant.uuid());
    assert_eq!(log[0].headers["content-type"], "application/scim+json");
}

#[tokio::test]
async fn fields_are_changed_and_emptied() {
    for mut site in both().await {
        site.people(1..2).await;
        let change = set_user(
            &site,
            1,
            [
                (Field::FirstName, Some("Kay")),
                (Field::JobTitle, None),
                (Field::Department, None),
                (Field::DisplayName, Some("Kay \"K\" O'Neill, Ä")),
            ],
        );
        let written = site.write(&change).await.expect("not changed");
        assert_eq!(written, Written::Done(None));
        let user = site.user(1);
        assert_eq!(
            user["name"],
            json!({"givenName": "Kay", "familyName": "Last1"})
        );
        assert_eq!(user["displayName"], "Kay \"K\" O'Neill, Ä");
        assert!(user.get("title").is_none(), "{user}");
        assert!(user.get(ENTERPRISE).is_none(), "{user}");
        assert_eq!(
            user["preferredLanguage"], "en-GB",
            "another attribute was changed"
        );
        // Repeating the change makes no difference.
        let set = set_user(&site, 1, [(Field::Department, Some("Law"))]);
        for _ in 0..2 {
            site.write(&set).await.expect("not changed");
        }
        assert_eq!(site.user(1)[ENTERPRISE]["department"], "Law");
    }
}

/// Proves S2-06: a user who leaves is deactivated, and can be reactivated.
#[tokio::test]
async fn a_user_is_deactivated_and_brought_back() {
    for mut site in both().await {
        site.people(1..2).await;
        for is_active in [false, true] {
            let change = operation(&site, 1, |active, _| *active = Some(is_active));
            site.write(&change).await.expect("not changed");
            assert_eq!(site.user(1)["active"], is_active);
        }
        assert_eq!(site.state().users.len(), 1);
        assert_eq!(site.count("DELETE", "/v2"), 0);
    }
}

#[tokio::test]
async fn a_user_who_was_there_before_is_linked() {
    for mut site in both().await {
        site.people(1..2).await;
        let uuid = site.tenant.uuid();
        let unlinked = site.tenant.simulators.edit(uuid, |state| {
            for user in state.scim.users.values_mut() {
                user.attributes.remove("externalId");
            }
        });
        unlinked.expect("unknown tenant");
        let link = operation(&site, 1, |_, link| *link = true);
        site.write(&link).await.expect("not linked");
        assert_eq!(site.user(1)["externalId"], json!(object(1)));
    }
}

#[tokio::test]
async fn managers_are_set_changed_and_taken_away() {
    for mut site in both().await {
        site.people(1..4).await;
        let manager = |operation| write(subject(1), operation);
        let first = Operation::SetManager { manager: object(2) };
        site.write(&manager(first)).await.expect("set");
        let shown = |site: &Site| site.user(1)[ENTERPRISE]["manager"]["value"].clone();
        assert_eq!(shown(&site), json!(site.key(2)));
        let third = object(3).to_string();
        let change = set_user(&site, 1, [(Field::Manager, Some(third.as_str()))]);
        site.write(&change).await.expect("not changed");
        assert_eq!(shown(&site), json!(site.key(3)));
        let clear = set_user(&site, 1, [(Field::Manager, None)]);
        site.write(&clear).await.expect("not cleared");
        assert_eq!(shown(&site), Value::Null);
        assert_eq!(site.user(1)[ENTERPRISE]["department"], "Sales");
    }
}

#[tokio::test]
async fn a_change_that_names_a_user_who_is_not_there_waits() {
    let mut site = Site::start().await;
    site.people(1..2).await;
    site.tenant.simulators.clear_requests(site.tenant.uuid());
    let stranger = Operation::SetManager { manager: object(9) };
    let written = site.write(&write(subject(1), stranger)).await;
    assert_eq!(written.expect("an error was returned"), Written::Waits);
    let of_stranger = Operation::SetManager { manager: object(1) };
    let written = site.write(&write(subject(9), of_stranger)).await;
    assert_eq!(written.expect("an error was returned"), Written::Waits);
    assert!(site.asked("/v2").is_empty());
}

#[tokio::test]
async fn a_new_address_changes_the_name_and_the_work_address_only() {
    for mut site in both().await {
        site.people(1..2).await;
        let uuid = site.tenant.uuid();
        let home = json!({"value": "kay@home.example", "type": "home"});
        let added = site.tenant.simulators.edit(uuid, |state| {
            for user in state.scim.users.values_mut() {
                let emails = user.attributes["emails"].as_array_mut();
                emails.expect("a list").insert(0, home.clone());
            }
        });
        added.expect("unknown tenant");
        let change = set_user(&site, 1, [(Field::Email, Some("kay@contoso.example"))]);
        site.write(&change).await.expect("not changed");
        let user = site.user(1);
        assert_eq!(user["userName"], "kay@contoso.example");
        assert_eq!(
            user["emails"],
            json!([
                home,
                {"value": "kay@contoso.example", "type": "work", "primary": true},
            ])
        );
    }
}

#[tokio::test]
async fn a_user_without_a_work_address_gets_one() {
    for mut site in both().await {
        site.people(1..2).await;
        let uuid = site.tenant.uuid();
        let gone = site.tenant.simulators.edit(uuid, |state| {
            for user in state.scim.users.values_mut() {
                user.attributes.remove("emails");
            }
        });
        gone.expect("unknown tenant");
        let change = set_user(
            &site,
            1,
            [
                (Field::Email, Some("kay@contoso.example")),
                (Field::JobTitle, Some("Lead")),
            ],
        );
        site.write(&change).await.expect("not changed");
        let user = site.user(1);
        assert_eq!(
            (&user["userName"], &user["title"]),
            (&json!("kay@contoso.example"), &json!("Lead"))
        );
        assert_eq!(
            user["emails"],
            json!([{"value": "kay@contoso.example", "type": "work", "primary": true}])
        );
    }
}

#[tokio::test]
async fn a_refused_change_contains_the_message_of_the_service() {
    for mut site in both().await {
        site.people(1..3).await;
        let change = set_user(&site, 1, [(Field::Email, Some("p2@contoso.example"))]);
        let error = site
            .write(&change)
            .await
            .expect_err("a duplicate was accepted");
        assert_eq!(
            (error.status(), error.code()),
            (Some(409), Some("uniqueness"))
        );
        let text = "The userName 'p2@contoso.example' is in use.";
        assert_eq!(error.message(), text);
        assert!(!format!("{error:?} {:?}", site.scim).contains("simulated-scim"));
    }
}

#[tokio::test]
async fn a_user_who_is_gone_from_the_service_is_an_error() {
    for mut site in both().await {
        site.people(1..2).await;
        let uuid = site.tenant.uuid();
        site.tenant
            .simulators
            .edit(uuid, |it| it.scim.users.clear());
        let change = set_user(&site, 1, [(Field::JobTitle, Some("Lead"))]);
        let error = site
            .write(&change)
            .await
            .expect_err("a missing resource was found");
        assert_eq!(error.status(), Some(404));
    }
}

/// An id may contain any characters and must not change the path.
#[tokio::test]
async fn an_id_is_one_part_of_a_path() {
    let (stub, scim) = stub(|_, _| (200, json!({}))).await;
    let operation = Operation::SetUser {
        user: "../Groups/1?x=#ü-._~".to_owned(),
        facts: BTreeMap::new(),
        active: Some(false),
        link: false,
    };
    let mirror = TargetReplica::new(Platform::default());
    let write = write(subject(1), operation);
    let service = all_but_bulk();
    let written = scim.write(&write, &mirror, &service, LANGUAGE).await;
    written.expect("not changed");
    let request = stub.requests().concat();
    let line = "PATCH /Users/..%2FGroups%2F1%3Fx%3D%23%C3%BC-._~ HTTP/1.1";
    assert!(request.starts_with(line), "{request}");
}

#[tokio::test]
async fn a_conflict_with_what_is_ours_is_no_conflict() {
    let mut site = Site::start().await;
    let id = site.people(1..2).await.remove(0);
    let mut again = Site {
        mirror: TargetReplica::new(Platform::default()),
        ..site
    };
    let written = again.write(&new_user(1)).await.expect("not found");
    assert_eq!(written, Written::Done(Some(id)));
    assert_eq!(again.state().users.len(), 1);
}

#[tokio::test]
async fn a_conflict_with_another_user_contains_the_message_of_the_service() {
    let mut site = Site::start().await;
    site.people(1..2).await;
    let facts = facts(1);
    let error = site
        .write(&write(subject(2), Operation::CreateUser { facts }))
        .await;
    let error = error.expect_err("a duplicate was accepted");
    assert_eq!(error.status(), Some(409));
    assert_eq!(
        error.message(),
        "The userName 'p1@contoso.example' is in use."
    );
    assert_eq!(site.count("POST", USERS), 2, "the request was retried");
}

#[tokio::test]
async fn a_service_that_takes_no_notice_of_filters_links_no_one_by_mistake() {
    let (_stub, scim) = stub(|line, _| {
        if line.starts_with("POST") {
            return (409, refusal(409, "The name is taken."));
        }
        let other = json!({"id": "1", "externalId": object(5)});
        (200, json!({"totalResults": 1, "Resources": [other]}))
    })
    .await;
    let mirror = TargetReplica::new(Platform::default());
    let error = scim
        .write(&new_user(1), &mirror, &all_but_bulk(), LANGUAGE)
        .await;
    assert_eq!(
        error.expect_err("a duplicate was accepted").message(),
        "The name is taken."
    );
}

#[tokio::test]
async fn a_lost_answer_creates_no_one_twice() {
    let kinds = [FaultKind::LoseAnswer, FaultKind::Drop, down(500), down(503)];
    for kind in kinds {
        let mut site = Site::start().await;
        site.fault(Fault::once(USERS, kind.clone()).method("POST"));
        site.write(&new_user(1)).await.expect("not created");
        assert_eq!(site.state().users.len(), 1, "{kind:?}");
        let posts = if kind == FaultKind::LoseAnswer { 1 } else { 2 };
        assert_eq!(site.count("POST", USERS), posts, "{kind:?}");
    }
}

#[tokio::test]
async fn without_filters_a_lost_answer_is_an_error_and_nothing_is_sent_again() {
    let mut site = Site::with(|can| can.filter = false).await;
    site.fault(Fault::once(USERS, FaultKind::LoseAnswer).method("POST"));
    let error = site
        .write(&new_user(1))
        .await
        .expect_err("the outcome must be unknown");
    assert!(matches!(error, ApiError::Transport { .. }), "{error:?}");
    assert_eq!(site.count("POST", USERS), 1);
}
