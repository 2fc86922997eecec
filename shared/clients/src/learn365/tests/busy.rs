//! F-4: sets that are read while the platform is in use.

use std::collections::BTreeSet;

use rollcall_simulators::LmsChange;

use super::*;

/// Reads a tenant with small pages whose data changes after every page.
async fn read_while(changes: &[LmsChange], page_size: usize) -> (Tenant, Result<Sets, ApiError>) {
    let tenant = Tenant::start(|world| {
        world.behaviour.page_size = page_size;
        world.behaviour.lms_changes_while_read = changes.to_vec();
    })
    .await;
    let sets = client(&tenant).read_all().await;
    (tenant, sets)
}

/// Returns how often the first page of a set was read.
fn attempts(tenant: &Tenant, set: &str) -> usize {
    let first = |call: &&String| !call.contains("$skip") && !call.contains("$top=1&");
    let first_pages = tenant.asked(&format!("/{set}?"));
    first_pages.iter().filter(first).count()
}

/// Enrolments that are added and deleted during the reading are no reason to fail or to read again.
#[tokio::test]
async fn enrolments_of_a_busy_day_are_read_at_once() {
    for changes in [
        &[LmsChange::EnrolmentAdded][..],
        &[LmsChange::EnrolmentDeleted],
        &[LmsChange::EnrolmentAdded, LmsChange::EnrolmentDeleted],
    ] {
        let (tenant, sets) = read_while(changes, 7).await;
        let sets = sets.unwrap_or_else(|error| panic!("{changes:?}: {error}"));
        assert!(!snapshot(sets).enrolments.is_empty());
        assert_eq!(attempts(&tenant, "Enrollments"), 1, "{changes:?}");
    }
}

/// A set that changes more than a busy day explains is read again, and is not believed if that goes
/// on.
#[tokio::test]
async fn a_set_that_changes_much_is_not_believed() {
    let (tenant, sets) = read_while(&[LmsChange::EnrolmentsImported], 160).await;
    let Err(error) = sets else {
        panic!("a set that grew by hundreds was accepted");
    };
    assert!(
        matches!(
            error,
            ApiError::Incomplete {
                set: "Enrollments",
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(attempts(&tenant, "Enrollments"), 3);
}

/// Everybody who is on the platform before and after the reading is read, even if one user is
/// deleted and another added between two pages, so that all counts are the same.
#[tokio::test]
async fn nobody_is_missing_if_users_come_and_go() {
    for page_size in [3, 7, 11] {
        let (tenant, sets) = read_while(&[LmsChange::UserReplaced], page_size).await;
        let sets = sets.unwrap_or_else(|error| panic!("{page_size}: {error}"));
        let snapshot = snapshot(sets);
        let after = tenant.simulators.dump(tenant.uuid()).expect("not loaded");
        let first_names = tenant
            .world
            .people
            .iter()
            .filter_map(|person| person.lms_id);
        let before: BTreeSet<_> = first_names.collect();
        let still_here = after.world.people.iter().filter_map(|person| person.lms_id);
        let mut checked = 0;
        for id in still_here.filter(|id| before.contains(id)) {
            let row = snapshot.people.row(UserId::new(id));
            assert!(row.is_some(), "{page_size}: {id} is missing");
            checked += 1;
        }
        assert!(checked > 0, "nobody stayed");
    }
}

/// A page in the middle that is empty (with a count of zero) or truncated is noticed in every set,
/// and read again.
#[tokio::test]
async fn a_page_in_the_middle_that_is_wrong_is_noticed() {
    for set in ["Users", "Enrollments", "RoleAssignments"] {
        for kind in [FaultKind::EmptyPage, FaultKind::TruncatedPage] {
            let tenant = Tenant::start(|world| world.behaviour.page_size = 7).await;
            let expected = client(&tenant).read_all().await.map(snapshot);
            let expected = expected.expect("sets not read");
            let before = attempts(&tenant, set);
            let fault = Fault::once(format!("/{set}?"), kind.clone()).at(2, 1);
            tenant.simulators.add_fault(tenant.uuid(), fault);
            let found = client(&tenant).read_all().await.map(snapshot);
            let found = found.unwrap_or_else(|error| panic!("{set} {kind:?}: {error}"));
            assert_eq!(found.people.ids, expected.people.ids, "{set} {kind:?}");
            assert_eq!(
                found.enrolments.len(),
                expected.enrolments.len(),
                "{set} {kind:?}"
            );
            assert_eq!(found.roles, expected.roles, "{set} {kind:?}");
            assert!(
                attempts(&tenant, set) > 2 * before,
                "{set} {kind:?}: not read again"
            );
        }
    }
}
