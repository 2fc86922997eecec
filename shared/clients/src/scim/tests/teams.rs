//! Tests of single changes of teams.

use rollcall_domain::directory_sync::{Member, TeamChanges};

use super::*;

fn team() -> TeamKey {
    TeamKey::Group(object(0x600))
}

async fn with_team(arrange: impl FnOnce(&mut ScimBehaviour), members: [u128; 2]) -> Site {
    let mut site = Site::with(arrange).await;
    site.people(0..6).await;
    site.write(&new_team(team(), members))
        .await
        .expect("not created");
    site.tenant.simulators.clear_requests(site.tenant.uuid());
    site
}

async fn both() -> [Site; 2] {
    [
        with_team(|_| {}, [0, 1]).await,
        with_team(|can| can.patch = false, [0, 1]).await,
    ]
}

fn set_team(site: &Site, change: impl FnOnce(&mut TeamChanges)) -> Write {
    let mut set = TeamChanges::default();
    change(&mut set);
    let teams = &site.mirror.platform().teams;
    let found = teams.iter().find(|(_, it)| it.team == Some(team()));
    let (id, _) = found.expect("no such team");
    write(
        ChangeSubject::Team(team()),
        Operation::SetTeam {
            team: id.clone(),
            set,
        },
    )
}

fn person(number: u128) -> Member {
    Member::Person(object(number))
}

fn keys<const N: usize>(site: &Site, people: [u128; N]) -> BTreeSet<String> {
    people.map(|number| site.key(number)).into()
}

fn supervisors(team: &Value) -> BTreeSet<String> {
    let all = team[TEAM]["supervisors"].as_array();
    let all = all.into_iter().flatten();
    all.filter_map(|it| it["value"].as_str().map(str::to_owned))
        .collect()
}

#[tokio::test]
async fn a_team_is_created_with_members_and_supervisors() {
    let mut site = Site::start().await;
    site.people(0..3).await;
    let operation = Operation::CreateTeam {
        name: "Sales".to_owned(),
        // The ninth user could not be created; the next run adds them.
        members: [0, 1, 9].map(object).into(),
        supervisors: [2].map(object).into(),
    };
    let written = site
        .write(&write(ChangeSubject::Team(team()), operation))
        .await;
    assert!(matches!(written, Ok(Written::Done(Some(_)))), "{written:?}");
    let (shown, members) = site.team(team());
    assert_eq!(members, keys(&site, [0, 1]));
    assert_eq!(
        shown,
        json!({
            "externalId": team().to_string(),
            "displayName": "Sales",
            TEAM: {"supervisors": [{"value": site.key(2)}]},
        })
    );
}

#[tokio::test]
async fn a_service_that_knows_no_supervisors_is_reported_of_none() {
    let mut site = Site::with(|can| can.teams = false).await;
    site.people(0..2).await;
    let operation = Operation::CreateTeam {
        name: "Sales".to_owned(),
        members: [0].map(object).into(),
        supervisors: [1].map(object).into(),
    };
    site.write(&write(ChangeSubject::Team(team()), operation))
        .await
        .expect("not created");
    site.tenant.simulators.clear_requests(site.tenant.uuid());
    let change = set_team(&site, |set| {
        set.archived = Some(true);
        set.add_supervisors = [person(1)].into();
    });
    let written = site.write(&change).await.expect("failed");
    assert_eq!(written, Written::Done(None));
    let all = [change.clone(), change];
    assert!(site.write_all(&all).await.iter().all(Result::is_ok));
    assert!(site.asked("/v2").is_empty(), "{:?}", site.asked("/v2"));
}

#[tokio::test]
async fn a_large_team_is_created_and_filled_in_steps() {
    let mut site = Site::start().await;
    site.people(0..2_500).await;
    site.tenant.simulators.clear_requests(site.tenant.uuid());
    site.write(&new_team(team(), 0..2_500))
        .await
        .expect("not created");
    let (_, members) = site.team(team());
    assert_eq!(members.len(), 2_500);
    assert_eq!(site.count("POST", GROUPS), 1);
    assert_eq!(
        site.count("PATCH", GROUPS),
        1,
        "the changes were not sent in one patch"
    );

    // The response is lost: the team is found by filter, and its members are added.
    site.fault(Fault::once(GROUPS, FaultKind::LoseAnswer).method("POST"));
    let other = TeamKey::Manager(object(0x700));
    site.write(&new_team(other, 0..1_200))
        .await
        .expect("not created");
    assert_eq!(site.team(other).1.len(), 1_200);
    assert_eq!(site.state().groups.len(), 2);
}

#[tokio::test]
async fn people_join_and_leave() {
    for mut site in both().await {
        let change = set_team(&site, |set| {
            set.name = Some("Sales & \"Law\"".to_owned());
            set.add = [person(2), person(3), person(9)].into();
            set.remove = [person(0), Member::Local(site.key(5))].into();
            set.add_supervisors = [person(4), person(5)].into();
        });
        // Applied twice, because the first response may have been lost.
        for _ in 0..2 {
            site.write(&change).await.expect("not changed");
            let (shown, members) = site.team(team());
            assert_eq!(members, keys(&site, [1, 2, 3]));
            assert_eq!(shown["displayName"], "Sales & \"Law\"");
            assert_eq!(supervisors(&shown), keys(&site, [4, 5]));
        }
        let change = set_team(&site, |set| {
            set.remove = [person(1), person(2)].into();
            set.remove_supervisors = [person(4)].into();
        });
        site.write(&change).await.expect("not changed");
        let (shown, members) = site.team(team());
        assert_eq!(members, keys(&site, [3]));
        assert_eq!(supervisors(&shown), keys(&site, [5]));
    }
}

/// Proves S2-29 in part: an archived team is retained without members.
#[tokio::test]
async fn a_team_is_archived_and_brought_back() {
    for mut site in both().await {
        let change = set_team(&site, |set| {
            set.archived = Some(true);
            set.remove = [0, 1].map(|number| Member::Local(site.key(number))).into();
        });
        site.write(&change).await.expect("not archived");
        let (shown, members) = site.team(team());
        assert_eq!(shown[TEAM]["archived"], true);
        assert!(members.is_empty());
        let listed = site.scim.groups(&site.service, None).await;
        let listed = listed.expect("groups not read").all;
        assert!(
            listed
                .values()
                .all(|it| it.archived && it.members.is_empty())
        );

        let change = set_team(&site, |set| {
            set.archived = Some(false);
            set.add = [person(1)].into();
        });
        site.write(&change).await.expect("not restored");
        let (shown, members) = site.team(team());
        assert_eq!(shown[TEAM]["archived"], false);
        assert_eq!(members, keys(&site, [1]));
        assert_eq!(site.count("DELETE", "/v2"), 0);
    }
}

#[tokio::test]
async fn many_who_leave_are_taken_out_in_several_patches() {
    let mut site = Site::start().await;
    site.people(0..250).await;
    site.write(&new_team(team(), 0..250))
        .await
        .expect("not created");
    let change = set_team(&site, |set| set.remove = (0..249).map(person).collect());
    site.tenant.simulators.clear_requests(site.tenant.uuid());
    // It takes several requests, so it is not part of a bulk request.
    let rename = set_team(&site, |set| set.name = Some("Left".to_owned()));
    let all = [rename, change];
    assert!(site.write_all(&all).await.iter().all(Result::is_ok));
    assert_eq!(site.team(team()).1, keys(&site, [249]));
    assert_eq!(site.count("PATCH", GROUPS), 4);
    assert_eq!(
        site.count("POST", BULK),
        0,
        "a bulk request was sent for a single change"
    );
}

#[tokio::test]
async fn a_lost_answer_creates_no_team_twice() {
    for kind in [FaultKind::LoseAnswer, FaultKind::Drop, down(502)] {
        let mut site = Site::start().await;
        site.fault(Fault::once(GROUPS, kind.clone()).method("POST"));
        site.write(&new_team(team(), []))
            .await
            .expect("not created");
        assert_eq!(site.state().groups.len(), 1, "{kind:?}");
    }
}

#[tokio::test]
async fn a_team_that_is_there_several_times_is_not_made_once_more() {
    let (stub, scim) = stub(|line, _| {
        if line.starts_with("POST") {
            return (503, refusal(503, "Busy."));
        }
        let rows = ["1", "2"].map(|id| json!({"id": id, "externalId": team().to_string()}));
        (200, json!({"totalResults": 2, "Resources": rows}))
    })
    .await;
    let mirror = TargetReplica::new(Platform::default());
    let write = new_team(team(), []);
    let written = scim.write(&write, &mirror, &all_but_bulk(), LANGUAGE).await;
    assert_eq!(
        written.expect("not found"),
        Written::Done(Some("1".to_owned()))
    );
    assert_eq!(stub.requests().len(), 2);
}
