//! A large tenant: requests, seconds and memory of a first sync and of one after a hundredth of the
//! users changed.

use std::collections::BTreeSet;
use std::time::Instant;

use rollcall_domain::base::run::{Run, RunStatus};
use rollcall_simulators::world::{EntraGroup, Person, UserType};
use uuid::Uuid;

use super::{SyncFixture, count};
use crate::refresh::memory::apart;

/// Default number of users in the tenant.
const PEOPLE: usize = 1_000;
const PEOPLE_WANTED: &str = "ROLLCALL_IT_PEOPLE";
/// Number of users per manager.
const REPORTS: usize = 25;
/// Number of users per group.
const PER_GROUP: usize = 100;
/// A tenant of 50,000 must fit into the memory of refresh-job (`template.yaml`).
const LIMIT_MIB: u64 = 1_024;

fn person(tenant: Uuid, number: usize) -> Person {
    let id = |number: usize| Uuid::new_v5(&tenant, format!("crowd {number}").as_bytes());
    let mail = format!("person{number:06}@contoso.example");
    let manager = number / REPORTS * REPORTS;
    Person {
        object_id: Some(id(number)),
        lms_id: None,
        upn: mail.clone(),
        display_name: format!("Given{number} Family{number}"),
        given_name: Some(format!("Given{number}")),
        surname: Some(format!("Family{number}")),
        mail: Some(mail),
        city: None,
        company: None,
        department: Some(format!("Department {}", number % 40)),
        country: None,
        office: None,
        job_title: Some(format!("Title {}", number % 90)),
        user_type: UserType::Member,
        account_enabled: true,
        employee_id: None,
        hire_date: None,
        manager: (manager != number).then(|| id(manager)),
        custom: std::collections::BTreeMap::default(),
    }
}

fn settle(fixture: &SyncFixture, people: usize) {
    let tenant = fixture.app.id.uuid();
    let crowd: Vec<Person> = (0..people).map(|number| person(tenant, number)).collect();
    let ids: Vec<Uuid> = crowd.iter().filter_map(|person| person.object_id).collect();
    let groups = (0..people / PER_GROUP).map(|number| EntraGroup {
        id: Uuid::new_v5(&tenant, format!("group {number}").as_bytes()),
        display_name: format!("Group {number}"),
        unique_name: None,
        description: None,
        mail_nickname: format!("group{number}"),
        dynamic: false,
        on_premises_synced: false,
        role_assignable: false,
        // Each user is in two groups on average.
        members: ids
            .iter()
            .copied()
            .skip(number * 37 % 500)
            .step_by(people / (2 * PER_GROUP))
            .collect::<BTreeSet<_>>(),
    });
    let groups: Vec<EntraGroup> = groups.collect();
    fixture.app.edit(|outside| {
        outside.world.people = crowd;
        outside.world.groups = groups;
    });
}

async fn whole(fixture: &mut SyncFixture) -> (Run, u64) {
    let mut request = fixture.request();
    let mut peak = 0;
    loop {
        peak = peak.max(apart(&fixture.app, &request).await);
        let run = fixture.app.run(&request).await;
        if run.status != RunStatus::Continuing {
            return (run, peak);
        }
        request.continuation += 1;
    }
}

fn told(name: &str, run: &Run, begun: Instant, peak: u64) -> String {
    format!(
        "{name}: {} requests to the directory, {} to the platform, {:.1} s, peak {peak} MiB, {:?}",
        count(run, "directoryRequests"),
        count(run, "platformRequests"),
        begun.elapsed().as_secs_f64(),
        run.counts,
    )
}

/// Runs a first sync, and one after a hundredth of the users changed, whose requests depend on the
/// number of changes and not on the size of the tenant. For a large tenant, and to see the figures,
/// run
///
/// ```text
/// ROLLCALL_IT_PEOPLE=50000 cargo test -p rollcall-it --test it -- --nocapture asks_for_what_changed
/// ```
#[tokio::test(flavor = "multi_thread")]
async fn a_sync_of_a_large_tenant_asks_for_what_changed() {
    let people = std::env::var(PEOPLE_WANTED).ok();
    let people = people
        .and_then(|people| people.parse().ok())
        .unwrap_or(PEOPLE);
    let mut fixture = SyncFixture::small().await;
    settle(&fixture, people);
    fixture.ready().await;
    let begun = Instant::now();
    let (run, peak) = whole(&mut fixture).await;
    println!("{}", told("first", &run, begun, peak));
    assert_eq!(run.status, RunStatus::Succeeded, "{run:?}");
    assert_eq!(count(&run, "usersCreated"), people as u64);
    assert!(peak < LIMIT_MIB, "{peak} MiB");
    let changed = people / 100;
    fixture.app.edit(|outside| {
        for person in outside.world.people.iter_mut().skip(1).step_by(100) {
            person.job_title = Some("Somebody else".to_owned());
        }
    });
    let begun = Instant::now();
    let (run, peak) = whole(&mut fixture).await;
    println!("{}", told("a hundredth", &run, begun, peak));
    assert_eq!(
        (run.status, count(&run, "usersUpdated")),
        (RunStatus::Succeeded, changed as u64),
        "{run:?}"
    );
    // A constant number for every tenant, and some for each hundred changes.
    let asked = count(&run, "directoryRequests") + count(&run, "platformRequests");
    assert!(
        asked <= 20 + changed as u64 / 10,
        "{asked} requests for {changed} changes"
    );
    assert!(peak < LIMIT_MIB, "{peak} MiB");
    let begun = Instant::now();
    let (run, peak) = whole(&mut fixture).await;
    println!("{}", told("nothing", &run, begun, peak));
    assert_eq!(
        (run.status, fixture.asked("PATCH", "/scim/")),
        (RunStatus::Succeeded, 0),
        "{run:?}"
    );
}
