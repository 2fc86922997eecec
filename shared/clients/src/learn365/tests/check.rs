//! Tests of checking an API key: address, validity and level, without writing anything.

use rollcall_domain::connection::{Check, CheckId, CheckStatus, LMS_KEY, LMS_URL};
use rollcall_simulators::world::{KeyLevel, LmsKey};

use super::*;
use CheckStatus::{Failed, NotChecked, Passed};

const READER: &str = "simulated-reader-key";
const REVOKED: &str = "simulated-revoked-key";

/// Starts a tenant with an additional read-only key and a revoked one.
async fn with_keys() -> Tenant {
    Tenant::start(|world| {
        for (key, level) in [(READER, KeyLevel::ReadOnly), (REVOKED, KeyLevel::Revoked)] {
            let key = key.to_owned();
            world.lms_keys.push(LmsKey { key, level });
        }
    })
    .await
}

fn with_key(tenant: &Tenant, key: &str) -> Learn365 {
    let url = tenant.simulators.learn365_url();
    Learn365::new(quick(), &url, Secret::new(key)).expect("invalid URL")
}

fn statuses(test: &KeyTest) -> Vec<CheckStatus> {
    let ids: Vec<CheckId> = test.checks.iter().map(|check| check.id).collect();
    let all = [
        CheckId::Learn365Address,
        CheckId::Learn365Key,
        CheckId::Learn365KeyLevel,
    ];
    assert_eq!(ids, all, "a check is missing or occurs twice");
    test.checks.iter().map(|check| check.status).collect()
}

fn failed(test: &KeyTest) -> &Check {
    let mut failed = test.checks.iter().filter(|check| check.status == Failed);
    let check = failed.next().expect("no failed check");
    assert!(failed.next().is_none(), "{test:?}");
    check
}

/// Proves S4-016: Full Control is detected by a write that must fail validation.
/// Proves X-10: that write changes nothing.
#[tokio::test]
async fn a_full_control_key_passes_and_nothing_changes() {
    let tenant = with_keys().await;
    let before = tenant.simulators.dump(tenant.uuid());
    let test = client(&tenant).verify_key(None).await;
    assert_eq!(statuses(&test), [Passed; 3], "{test:?}");
    assert_eq!(tenant.simulators.dump(tenant.uuid()), before);
    let writes = tenant.asked("/Enroll");
    let nowhere = Uuid::nil();
    assert_eq!(
        writes,
        [format!("POST /learn365/odata/v2/Courses({nowhere})/Enroll")]
    );
}

/// Proves S4-002 and C-15: a Read Only key fails, with the correct reason.
#[tokio::test]
async fn a_read_only_key_fails_for_what_it_is_needed_for() {
    let tenant = with_keys().await;
    let test = with_key(&tenant, READER).verify_key(None).await;
    assert_eq!(statuses(&test), [Passed, Passed, Failed]);
    let check = failed(&test);
    assert_eq!(check.pointer.as_deref(), Some(LMS_KEY));
    assert!(check.detail.contains("enrolled in courses"), "{check:?}");
    assert!(!check.detail.contains("custom column"), "{check:?}");
}

/// Proves S4-002: revoked and unknown keys are rejected, and never displayed.
#[tokio::test]
async fn a_revoked_or_unknown_key_fails() {
    let tenant = with_keys().await;
    for key in [REVOKED, "an-unknown-key"] {
        let client = with_key(&tenant, key);
        for test in [
            client.verify_key(None).await,
            client.verify_key(Some(&client)).await,
        ] {
            assert_eq!(statuses(&test), [NotChecked, Failed, NotChecked]);
            assert_eq!(failed(&test).pointer.as_deref(), Some(LMS_KEY));
            assert!(test.people.is_empty());
            assert!(!format!("{client:?} {test:?}").contains(key));
        }
    }
}

/// A key accepted at the address for all regions is only in the wrong region.
#[tokio::test]
async fn a_wrong_region_is_distinguished_from_a_wrong_key() {
    let tenant = with_keys().await;
    let region = Stub::start(|_| reply(401, "", "")).await;
    let test = stubbed(&region).verify_key(Some(&client(&tenant))).await;
    assert_eq!(statuses(&test), [Failed, NotChecked, NotChecked]);
    let check = failed(&test);
    assert_eq!(check.pointer.as_deref(), Some(LMS_URL));
    assert!(check.detail.contains("another region"), "{check:?}");
}

#[tokio::test]
async fn what_is_not_the_platform_is_reported_by_its_address() {
    for (status, body) in [
        (404, "not found"),
        (302, ""),
        (200, "<html>Welcome</html>"),
        (200, "{}"),
    ] {
        let stub = Stub::start(move |_| reply(status, "", body)).await;
        let test = stubbed(&stub).verify_key(None).await;
        assert_eq!(
            statuses(&test),
            [Failed, NotChecked, NotChecked],
            "{status}"
        );
        assert_eq!(failed(&test).pointer.as_deref(), Some(LMS_URL));
        assert_eq!(
            stub.requests().len(),
            1,
            "a write was sent to another service"
        );
    }
}

#[tokio::test]
async fn a_key_that_may_not_even_read_fails() {
    let stub = Stub::start(|_| reply(403, "", "")).await;
    let test = stubbed(&stub).verify_key(None).await;
    assert_eq!(statuses(&test), [Passed, Failed, NotChecked]);
}

#[tokio::test]
async fn a_platform_that_is_down_or_silent_is_not_a_wrong_key() {
    for (path, kind) in [
        ("/Users", status(503)),
        ("/Users", FaultKind::Drop),
        ("/Users", FaultKind::Delay { ms: 5_000 }),
        ("/Enroll", status(500)),
        ("/Enroll", FaultKind::Delay { ms: 5_000 }),
    ] {
        let tenant = Tenant::start(|_| {}).await;
        let fault = Fault::once(path, kind.clone()).at(1, u32::MAX);
        tenant.simulators.add_fault(tenant.uuid(), fault);
        let started = Instant::now();
        let deadline = started + Duration::from_millis(600);
        let test = client(&tenant)
            .with_deadline(deadline)
            .verify_key(None)
            .await;
        assert!(started.elapsed() < Duration::from_secs(2));
        let expected = if path == "/Users" {
            [NotChecked; 3]
        } else {
            [Passed, Passed, NotChecked]
        };
        assert_eq!(statuses(&test), expected, "{path} {kind:?}");
    }
}

/// The sample of users covers the whole list, without groups.
#[tokio::test]
async fn people_come_from_all_over_the_list() {
    let tenant = Tenant::start(|world| {
        let model = world.people[0].clone();
        world.people = (1..=500_u128)
            .map(|n| {
                let mut person = model.clone();
                person.object_id = (n % 2 == 0).then(|| Uuid::from_u128(n));
                person.lms_id = Some(Uuid::from_u128(0x1_0000 + n));
                person.upn = format!("person{n}@contoso.example");
                person
            })
            .collect();
        world.enrolments.clear();
    })
    .await;
    tenant.simulators.edit(tenant.uuid(), |state| {
        state.lms_groups.push(rollcall_simulators::LmsGroup {
            id: Uuid::from_u128(0x2_0000),
            object_id: Uuid::from_u128(0x3_0000),
            login_name: "c:0t.c|tenant|00000000-0000-0000-0000-000000030000".to_owned(),
            title: "A group".to_owned(),
            visible_at: chrono::DateTime::UNIX_EPOCH,
        });
    });
    let test = client(&tenant).verify_key(None).await;
    let people: Vec<u128> = test.people.iter().map(|id| id.uuid().as_u128()).collect();
    let expected: Vec<u128> = [2..=20_u128, 251..=270, 482..=500]
        .into_iter()
        .flatten()
        .filter(|n| n % 2 == 0)
        .collect();
    assert_eq!(people, expected);
}
