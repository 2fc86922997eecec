//! Tests of several changes in one request.

use super::*;

fn is_done(all: &[Result<Written, ApiError>]) -> bool {
    all.iter().all(|it| matches!(it, Ok(Written::Done(_))))
}

#[tokio::test]
async fn many_changes_are_one_request() {
    let mut site = Site::start().await;
    let writes: Vec<Write> = (0..40).map(new_user).collect();
    let all = site.write_all(&writes).await;
    assert!(is_done(&all), "{all:?}");
    assert_eq!(site.asked("/v2"), ["200 POST /Bulk"]);
    assert_eq!(site.state().users.len(), 40);
    for number in 0..40 {
        let users = site.state().users;
        let user = &users[&site.key(number)];
        assert_eq!(user.text("externalId"), Some(&*object(number).to_string()));
    }
    let changes: Vec<Write> = (0..40)
        .map(|number| set_user(&site, number, [(Field::JobTitle, Some("Lead"))]))
        .collect();
    let all = site.write_all(&changes).await;
    assert!(is_done(&all), "{all:?}");
    assert_eq!(site.asked("/v2").len(), 2, "{:?}", site.asked("/v2"));
    assert!((0..40).all(|number| site.user(number)["title"] == "Lead"));
}

#[tokio::test]
async fn no_request_holds_more_than_the_service_takes() {
    let mut site = Site::with(|can| can.max_operations = 7).await;
    let writes: Vec<Write> = (0..22).map(new_user).collect();
    assert!(is_done(&site.write_all(&writes).await));
    let asked = site.asked("/v2");
    assert_eq!(site.count("POST", BULK), 3, "{asked:?}");
    assert_eq!(
        site.count("POST", USERS),
        1,
        "not one single request, {asked:?}"
    );

    let mut site = Site::with(|can| can.max_payload = 2_000).await;
    let writes: Vec<Write> = (0..9).map(new_user).collect();
    assert!(is_done(&site.write_all(&writes).await));
    let asked = site.asked("/v2");
    assert!(asked.iter().all(|it| it.starts_with("20")), "{asked:?}");
    assert!((2..9).contains(&asked.len()), "{asked:?}");
    assert_eq!(site.state().users.len(), 9);
}

#[tokio::test]
async fn a_part_that_is_refused_is_reported_by_itself() {
    let mut site = Site::start().await;
    site.people(1..3).await;
    site.tenant.simulators.clear_requests(site.tenant.uuid());
    let taken = facts(1);
    let writes = [
        new_user(5),
        write(subject(6), Operation::CreateUser { facts: taken }),
        set_user(&site, 1, [(Field::JobTitle, Some("Lead"))]),
        set_user(&site, 2, [(Field::Email, Some("p1@contoso.example"))]),
        write(subject(5), Operation::SetManager { manager: object(9) }),
    ];
    let all = site.write_all(&writes).await;
    assert!(is_done(&all[..1]) && is_done(&all[2..3]), "{all:?}");
    for at in [1, 3] {
        let error = all[at].as_ref().expect_err("a duplicate was accepted");
        assert_eq!(
            error.message(),
            "The userName 'p1@contoso.example' is in use."
        );
    }
    assert!(matches!(all[4], Ok(Written::Waits)));
    assert_eq!(site.state().users.len(), 3);
    assert_eq!(site.count("POST", BULK), 1);
}

#[tokio::test]
async fn a_bulk_request_that_is_too_large_after_all_is_sent_one_by_one() {
    let mut site = Site::start().await;
    // The service's limit has decreased since it was read.
    let uuid = site.tenant.uuid();
    site.tenant
        .simulators
        .edit(uuid, |it| it.scim.behaviour.max_operations = 3);
    let writes: Vec<Write> = (0..12).map(new_user).collect();
    assert!(is_done(&site.write_all(&writes).await));
    assert_eq!(site.asked(BULK), ["413 POST /Bulk"]);
    assert_eq!(site.count("POST", USERS), 12);
    assert_eq!(
        site.count("GET", USERS),
        0,
        "created resources were searched"
    );
}

#[tokio::test]
async fn a_lost_bulk_answer_creates_nothing_twice() {
    let kinds = [
        (FaultKind::LoseAnswer, true),
        (FaultKind::BrokenJson, true),
        (FaultKind::Drop, false),
        (down(500), false),
        (down(504), false),
        // If the client times out and disconnects, this service does nothing.
        (FaultKind::Delay { ms: 1_500 }, false),
    ];
    for (kind, was_made) in kinds {
        let mut site = Site::start().await;
        site.people(20..21).await;
        site.tenant.simulators.clear_requests(site.tenant.uuid());
        site.fault(Fault::once(BULK, kind.clone()));
        let teams = [1, 2].map(|number| TeamKey::Group(object(0x600 + number)));
        let writes = [
            new_user(1),
            new_user(2),
            new_team(teams[0], []),
            new_team(teams[1], [20]),
            set_user(&site, 20, [(Field::JobTitle, None)]),
        ];
        let all = site.write_all(&writes).await;
        assert!(is_done(&all), "{kind:?}: {all:?}");
        let state = site.state();
        assert_eq!((state.users.len(), state.groups.len()), (3, 2), "{kind:?}");
        for team in teams {
            site.team(team);
        }
        let made = usize::from(!was_made) * 2;
        assert_eq!(site.count("POST", USERS), made, "{kind:?}");
        assert_eq!(site.count("POST", GROUPS), made, "{kind:?}");
    }
}

#[tokio::test]
async fn without_filters_nothing_is_created_in_bulk() {
    let mut site = Site::with(|can| can.filter = false).await;
    let writes: Vec<Write> = (0..5).map(new_user).collect();
    assert!(is_done(&site.write_all(&writes).await));
    assert_eq!(site.count("POST", BULK), 0);
    let changes: Vec<Write> = (0..5)
        .map(|number| set_user(&site, number, [(Field::JobTitle, None)]))
        .collect();
    assert!(is_done(&site.write_all(&changes).await));
    assert_eq!(site.count("POST", BULK), 1);
}

#[tokio::test]
async fn a_service_without_bulk_gets_single_requests() {
    let mut site = Site::with(|can| can.bulk = false).await;
    let writes: Vec<Write> = (0..20).map(new_user).collect();
    let all = site.write_all(&writes).await;
    assert!(is_done(&all), "{all:?}");
    assert_eq!(site.count("POST", BULK), 0);
    // The results are in the order of the writes, whichever finished first.
    for (number, written) in (0..).zip(&all) {
        let expected = Written::Done(Some(site.key(number)));
        assert_eq!(written.as_ref().expect("not created"), &expected);
        assert_eq!(
            site.user(number)["userName"],
            format!("p{number}@contoso.example")
        );
    }
}

/// Returns a service with these parts in its bulk responses, and numbered single responses.
async fn with_answers(parts: Value) -> (Stub, Vec<Result<Written, ApiError>>) {
    let (stub, scim) = stub(move |line, _| {
        if line.ends_with("/Bulk") {
            return (200, json!({"Operations": parts}));
        }
        if line.starts_with("GET") {
            return (200, json!({"totalResults": 0}));
        }
        (201, json!({"id": "alone"}))
    })
    .await;
    let service = ServiceCapabilities {
        bulk: Some((10, 10_000)),
        ..all_but_bulk()
    };
    let mirror = TargetReplica::new(Platform::default());
    let writes = [new_user(1), new_user(2)];
    let all = scim.write_all(&writes, &mirror, &service, LANGUAGE).await;
    (stub, all)
}

fn id_of(written: &Result<Written, ApiError>) -> &str {
    match written {
        Ok(Written::Done(Some(id))) => id,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn answers_are_read_however_they_are_written() {
    let other_order = json!([
        {"bulkId": "w1", "status": 201, "location": "https://lms.example/v2/Users/b%20c/"},
        {"bulkId": "w0", "status": {"code": "201"}, "response": {"id": "a"}},
    ]);
    let without_ids = json!([
        {"status": "201", "location": "/Users/a"},
        {"status": "201", "response": {"id": "b c"}},
    ]);
    for parts in [other_order, without_ids] {
        let (stub, all) = with_answers(parts).await;
        assert_eq!((id_of(&all[0]), id_of(&all[1])), ("a", "b c"));
        assert_eq!(stub.requests().len(), 1);
    }
}

#[tokio::test]
async fn answers_that_are_missing_or_say_no_id_are_looked_for() {
    let missing = json!([{"bulkId": "w0", "status": "201", "location": "/Users/a"}]);
    let no_id = json!([
        {"bulkId": "w0", "status": "201", "location": "/Users/a"},
        {"bulkId": "w1", "status": "201"},
    ]);
    for parts in [missing, no_id] {
        let (stub, all) = with_answers(parts).await;
        assert_eq!((id_of(&all[0]), id_of(&all[1])), ("a", "alone"));
        let asked: Vec<String> = stub
            .requests()
            .iter()
            .map(|it| it.split('?').next().unwrap_or_default()[..9].to_owned())
            .collect();
        assert_eq!(asked, ["POST /Bul", "GET /User", "POST /Use"]);
    }
}
