//! Tests of reading: complete pages or an error, changes, and whether changes can be read.

use chrono::{DateTime, TimeZone as _, Utc};

use super::*;

async fn with_people(count: u128, page: usize) -> Site {
    let mut site = Site::with(|can| can.max_results = page).await;
    site.people(0..count).await;
    site.tenant.simulators.clear_requests(site.tenant.uuid());
    site
}

fn incomplete(error: &ApiError) -> (u64, u64) {
    match error {
        ApiError::Incomplete {
            expected, found, ..
        } => (*expected, *found),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_page_of_users_is_taken_in() {
    let site = with_people(23, 10).await;
    let listed = site
        .scim
        .users(&site.service, None)
        .await
        .expect("users not read");
    assert_eq!(listed.all.len(), 23);
    assert_eq!(
        site.asked(USERS),
        [1, 11, 21].map(|start| format!("200 GET /Users?startIndex={start}&count=10"))
    );
    assert_eq!(listed.newest, site.state().last_modified);
    let known = &listed.all[&site.key(3)];
    assert_eq!(known.person, Some(object(3)));
    assert_eq!(known.user_name, "p3@contoso.example");
    assert_eq!(known.facts, facts(3));
    assert!(known.active);
    assert_eq!(site.scim.counts().await.expect("not counted"), (23, 0));
}

#[tokio::test]
async fn no_one_at_all_is_an_answer() {
    let site = Site::start().await;
    let users = site
        .scim
        .users(&site.service, None)
        .await
        .expect("not read");
    let teams = site
        .scim
        .groups(&site.service, None)
        .await
        .expect("not read");
    assert!(users.all.is_empty() && teams.all.is_empty());
    assert_eq!((users.newest, teams.newest), (None, None));
}

#[tokio::test]
async fn every_page_of_groups_is_taken_in_with_its_members() {
    let mut site = with_people(5, 2).await;
    let teams = [1, 2, 3].map(|number| TeamKey::Group(object(0x600 + number)));
    for team in teams {
        site.write(&new_team(team, [0, 4]))
            .await
            .expect("not created");
    }
    let listed = site.scim.groups(&site.service, None).await;
    let listed = listed.expect("groups not read");
    assert_eq!(listed.all.len(), 3);
    let both = BTreeSet::from([site.key(0), site.key(4)]);
    for (known, team) in listed.all.values().zip(teams) {
        assert_eq!((known.team, &known.members), (Some(team), &both));
        assert_eq!((known.name.as_str(), known.archived), ("Sales", false));
    }
    assert_eq!(listed.newest, site.state().last_modified);
}

#[tokio::test]
async fn a_cut_page_is_noticed_and_all_are_read_once_more() {
    let site = with_people(8, 4).await;
    // The remaining rows are requested as after a short page, and then the total does not match.
    site.fault(Fault::once(USERS, FaultKind::EmptyPage).at(2, 1));
    let listed = site.scim.users(&site.service, None).await;
    assert_eq!(listed.expect("the second attempt failed").all.len(), 8);
    assert_eq!(site.count("GET", USERS), 4);
}

#[tokio::test]
async fn a_short_page_costs_another_request_and_no_one() {
    let site = with_people(8, 4).await;
    site.fault(Fault::once(USERS, FaultKind::TruncatedPage));
    let listed = site.scim.users(&site.service, None).await;
    assert_eq!(listed.expect("all").all.len(), 8);
    assert_eq!(site.count("GET", USERS), 3);
}

#[tokio::test]
async fn a_second_page_that_fails_fails_the_whole() {
    let site = with_people(8, 4).await;
    site.fault(Fault::once("startIndex=5", down(503)).at(1, u32::MAX));
    let error = site.scim.users(&site.service, None).await;
    assert_eq!(
        error.expect_err("an incomplete list was accepted").status(),
        Some(503)
    );
    assert_eq!(site.count("GET", "startIndex=5"), 5);
}

#[tokio::test]
async fn a_total_that_does_not_fit_is_an_error() {
    for total in [3, 1] {
        let (stub, scim) = stub(move |line, _| {
            let all = [json!({"id": "1"}), json!({"id": "2"})];
            let rows = if line.contains("startIndex=1&") {
                all.to_vec()
            } else {
                Vec::new()
            };
            (200, json!({"totalResults": total, "Resources": rows}))
        })
        .await;
        let error = scim.users(&all_but_bulk(), None).await;
        let error = error.expect_err("a wrong total was accepted");
        assert_eq!(incomplete(&error), (total, 2));
        assert!(stub.requests().len() >= 2, "it is read again");
    }
}

#[tokio::test]
async fn a_service_that_begins_again_behind_the_end_does_not_continue_for_ever() {
    let (stub, scim) = stub(|_, _| {
        let rows = [json!({"id": "1"}), json!({"id": "2"})];
        (200, json!({"totalResults": 5, "Resources": rows}))
    })
    .await;
    let error = scim.users(&all_but_bulk(), None).await;
    assert_eq!(
        incomplete(&error.expect_err("an incomplete list was accepted")),
        (5, 2)
    );
    assert_eq!(stub.requests().len(), 4);
}

#[tokio::test]
async fn a_user_shown_twice_hides_another_one() {
    let (_stub, scim) = stub(|line, _| {
        let ids = if line.contains("startIndex=1&") {
            ["1", "2"]
        } else {
            ["2", "3"]
        };
        let rows = ids.map(|id| json!({"id": id}));
        (200, json!({"totalResults": 4, "Resources": rows}))
    })
    .await;
    let error = scim.users(&all_but_bulk(), None).await;
    assert_eq!(
        incomplete(&error.expect_err("an incomplete list was accepted")),
        (4, 3)
    );
}

#[tokio::test]
async fn what_services_leave_out_or_write_as_null_is_empty() {
    let (_stub, scim) = stub(|line, _| {
        let rows = if line.contains("/Users") {
            vec![
                json!({
                    "id": "1", "userName": null, "name": null, "title": "", "emails": null,
                    "externalId": "an id of another directory",
                    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": null,
                    "meta": {"lastModified": "yesterday"},
                }),
                json!({
                    "id": "2",
                    "emails": [
                        {"value": "first@contoso.example"},
                        {"value": "home@contoso.example", "type": "home", "primary": true},
                        {"value": "work@contoso.example", "type": "Work"},
                    ],
                    "meta": {"lastModified": "2026-11-26T11:00:00.25+01:00"},
                }),
            ]
        } else {
            vec![json!({"id": "1", "members": null}), json!({"id": "2"})]
        };
        (200, json!({"totalResults": 2, "Resources": rows}))
    })
    .await;
    let listed = scim
        .users(&all_but_bulk(), None)
        .await
        .expect("users not read");
    let blank = PlatformUser {
        active: true,
        // The external id is set, but does not belong to this directory.
        foreign: true,
        ..PlatformUser::default()
    };
    assert_eq!(listed.all["1"], blank);
    assert_eq!(listed.all["2"].facts[&Field::Email], "work@contoso.example");
    let newest = Utc.timestamp_millis_opt(1_795_687_200_250).single();
    assert_eq!(listed.newest, newest);
    let listed = scim
        .groups(&all_but_bulk(), None)
        .await
        .expect("groups not read");
    assert!(listed.all.values().all(|team| team.members.is_empty()));
    assert_eq!(listed.newest, None);
}

#[tokio::test]
async fn only_what_changed_since_is_read() {
    let mut site = with_people(6, 2).await;
    let before = site.state().last_modified.expect("invalid time");
    let change = set_user(&site, 4, [(Field::JobTitle, Some("Lead"))]);
    site.write(&change).await.expect("not changed");
    site.tenant.simulators.clear_requests(site.tenant.uuid());
    let listed = site.scim.users(&site.service, Some(before)).await;
    let listed = listed.expect("users not read");
    // The last user created has exactly this modification time, so it is read again.
    let ids: BTreeSet<&String> = listed.all.keys().collect();
    assert_eq!(ids, BTreeSet::from([&site.key(4), &site.key(5)]));
    assert!(listed.newest > Some(before));

    let since: DateTime<Utc> = "2026-11-26T10:00:00.1239Z".parse().expect("invalid time");
    site.tenant.simulators.clear_requests(site.tenant.uuid());
    let groups = site.scim.groups(&site.service, Some(since)).await;
    assert!(groups.expect("not read").all.is_empty());
    let asked = percent_encoding::percent_decode_str(&site.asked(GROUPS)[0])
        .decode_utf8_lossy()
        .into_owned();
    assert!(
        asked.ends_with(r#"filter=meta.lastModified gt "2026-11-26T10:00:00.122Z""#),
        "{asked}"
    );
}

#[tokio::test]
async fn a_service_that_filters_by_moments_reports_changes() {
    let site = with_people(3, 10).await;
    assert!(site.scim.reports_changes(3).await.expect("no result"));
    assert_eq!(site.count("GET", USERS), 2);
    assert!(
        !site.scim.reports_changes(0).await.expect("no result"),
        "support was claimed without any users"
    );
    assert!(
        !site.scim.reports_changes(4).await.expect("no result"),
        "support was claimed although a user is missing"
    );
}

#[tokio::test]
async fn a_service_that_refuses_the_filter_reports_no_changes() {
    let site = Site::with(|can| can.last_modified_filter = false).await;
    assert!(!site.scim.reports_changes(3).await.expect("no result"));
    site.fault(Fault::once(USERS, down(501)).at(1, u32::MAX));
    let told = site.scim.reports_changes(3).await;
    assert!(!told.expect("501 was returned as an error"));
}

#[tokio::test]
async fn who_answers_any_filter_with_no_one_or_everyone_reports_no_changes() {
    for total in [0, 3] {
        let (_stub, scim) = stub(move |_, _| (200, json!({"totalResults": total}))).await;
        assert!(
            !scim.reports_changes(3).await.expect("no result"),
            "{total}"
        );
    }
}

#[tokio::test]
async fn a_service_that_is_down_says_nothing_about_filters() {
    let site = Site::start().await;
    site.fault(Fault::once(USERS, down(503)).at(1, u32::MAX));
    let error = site.scim.reports_changes(3).await.expect_err("no error");
    assert_eq!(error.status(), Some(503));
}
