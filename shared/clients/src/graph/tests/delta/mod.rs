//! Tests of following users and groups by delta queries, and of the sync's other queries.

mod links;
mod selections;

use std::collections::BTreeMap;

use rollcall_domain::directory_sync::{
    DirectoryPerson, GroupChange, PersonChange, Reported, SourceDirectory,
};
use rollcall_simulators::world::{Person, UserType};
use rollcall_simulators::{Fault, FaultKind, TenantState};

use super::*;
use crate::http::testing::reply;

type People = Vec<(ObjectId, Option<PersonChange>)>;
type Groups = Vec<(ObjectId, Option<GroupChange>)>;

fn to(followed: Followed) -> DeltaLink {
    match followed {
        Followed::To(link) => link,
        Followed::Expired => panic!("the link has expired"),
    }
}

async fn people(graph: &GraphReader, link: Option<&DeltaLink>) -> (People, DeltaLink) {
    let mut all = Vec::new();
    let followed = graph
        .follow_people(link, |id, change| all.push((id, change)))
        .await;
    (all, to(followed.expect("no response")))
}

async fn groups(
    graph: &GraphReader,
    link: Option<&DeltaLink>,
    only: &[ObjectId],
) -> (Groups, DeltaLink) {
    let mut all = Vec::new();
    let followed = graph
        .follow_groups(link, only, |id, change| all.push((id, change)))
        .await;
    (all, to(followed.expect("no response")))
}

fn take_in(directory: &mut SourceDirectory, changes: People) {
    for (id, change) in changes {
        match change {
            Some(change) => directory.change_person(id, change),
            None => directory.delete(id),
        }
    }
}

/// Returns the current users of the simulated directory.
fn as_it_is(tenant: &Tenant) -> BTreeMap<ObjectId, DirectoryPerson> {
    let state = tenant
        .simulators
        .dump(tenant.uuid())
        .expect("unknown tenant");
    let people = state.world.people.iter();
    let ids: BTreeSet<Uuid> = people.clone().filter_map(|it| it.object_id).collect();
    people
        .filter_map(|it| Some((ObjectId::new(it.object_id?), shown(it, &ids))))
        .collect()
}

fn shown(person: &Person, ids: &BTreeSet<Uuid>) -> DirectoryPerson {
    let manager = person.manager.filter(|id| ids.contains(id));
    DirectoryPerson {
        first_name: person.given_name.clone(),
        last_name: person.surname.clone(),
        display_name: Some(person.display_name.clone()),
        email: person.mail.clone(),
        sign_in_name: Some(person.upn.clone()),
        job_title: person.job_title.clone(),
        department: person.department.clone(),
        guest: person.user_type == UserType::Guest,
        enabled: person.account_enabled,
        manager: manager.map(ObjectId::new),
    }
}

fn edit(tenant: &Tenant, change: impl FnOnce(&mut TenantState)) {
    let edited = tenant.simulators.edit(tenant.uuid(), change);
    edited.expect("unknown tenant");
}

fn person(state: &mut TenantState, id: ObjectId) -> &mut Person {
    let mut people = state.world.people.iter_mut();
    let found = people.find(|it| it.object_id == Some(id.uuid()));
    found.expect("no such user")
}

/// Returns a directory of 1,200 users with managers, guests and disabled users.
async fn large() -> (Tenant, Vec<ObjectId>) {
    tenant_with(1_200, |world| {
        let first = world.people[0].object_id;
        for (at, person) in world.people.iter_mut().enumerate() {
            person.manager = first.filter(|_| at > 0 && at % 3 == 0);
            person.account_enabled = at % 5 != 0;
            person.user_type = match at % 7 {
                0 => UserType::Guest,
                _ => UserType::Member,
            };
        }
    })
    .await
}

#[tokio::test]
async fn everyone_is_reported_the_first_time() {
    let (tenant, ids) = large().await;
    let (all, _) = people(&graph_of(&tenant), None).await;
    assert_eq!(all.len(), ids.len());
    let mut directory = SourceDirectory::default();
    take_in(&mut directory, all);
    assert_eq!(directory.people, as_it_is(&tenant));
    let with =
        |is: fn(&DirectoryPerson) -> bool| directory.people.values().filter(move |it| is(it));
    assert!(with(|it| it.manager.is_some()).count() > 300);
    assert!(with(|it| it.guest).count() > 100);
    assert!(with(|it| !it.enabled).count() > 200);
    let asked = tenant.asked("/v1.0/users/delta");
    assert_eq!(asked.len(), 2, "{asked:?}");
    let log = tenant.simulators.requests(tenant.uuid());
    let pages = log.iter().filter(|it| it.path.contains("/delta"));
    for page in pages {
        assert_eq!(page.headers["prefer"], "odata.maxpagesize=999");
    }
}

#[tokio::test]
async fn afterwards_only_what_changed_is_reported() {
    let (tenant, ids) = large().await;
    let graph = graph_of(&tenant);
    let (all, link) = people(&graph, None).await;
    let mut directory = SourceDirectory::default();
    take_in(&mut directory, all);
    let (none, link) = people(&graph, Some(&link)).await;
    assert_eq!(none, []);

    edit(&tenant, |state| {
        person(state, ids[1]).department = None;
        person(state, ids[2]).display_name = "Renamed".to_owned();
        person(state, ids[3]).manager = Some(ids[4].uuid());
        person(state, ids[6]).manager = None;
        person(state, ids[8]).account_enabled = !person(state, ids[8]).account_enabled;
        person(state, ids[9]).city = Some("Not followed".to_owned());
        assert!(state.delete_user(ids[11].uuid()));
    });
    let (changed, next) = people(&graph, Some(&link)).await;
    let told: BTreeMap<ObjectId, Option<PersonChange>> = changed.iter().cloned().collect();
    let expected = [1, 2, 3, 6, 8, 11].map(|at| ids[at]);
    assert_eq!(
        told.keys().copied().collect::<BTreeSet<_>>(),
        expected.into()
    );
    let change = |at: usize| told[&ids[at]].as_ref().expect("deleted");
    assert_eq!(
        change(1).department,
        Reported::Is(None),
        "the department was not cleared"
    );
    assert_eq!(change(3).manager, Some(ids[4]));
    assert_eq!(change(3).not_managers, [ids[0]]);
    assert_eq!(
        (change(6).manager, &change(6).not_managers[..]),
        (None, &ids[..1])
    );
    assert!(told[&ids[11]].is_none(), "deleted");
    take_in(&mut directory, changed.clone());
    assert_eq!(directory.people, as_it_is(&tenant));

    // An old link returns the same changes again, and applying them twice has no effect.
    let (again, _) = people(&graph, Some(&link)).await;
    take_in(&mut directory, again);
    assert_eq!(directory.people, as_it_is(&tenant));

    edit(&tenant, |state| assert!(state.restore_user(ids[11].uuid())));
    let (back, _) = people(&graph, Some(&next)).await;
    assert_eq!(back.len(), 1, "{back:?}");
    take_in(&mut directory, back);
    assert_eq!(directory.people, as_it_is(&tenant));
}

#[tokio::test]
async fn what_is_reported_twice_makes_no_difference() {
    let (tenant, ids) = tenant_with(20, |world| world.behaviour.delta_replays = true).await;
    let graph = graph_of(&tenant);
    let (all, link) = people(&graph, None).await;
    let mut directory = SourceDirectory::default();
    take_in(&mut directory, all);
    edit(&tenant, |state| {
        person(state, ids[1]).job_title = Some("Lead".to_owned());
        person(state, ids[2]).manager = Some(ids[3].uuid());
    });
    let (changed, _) = people(&graph, Some(&link)).await;
    assert_eq!(changed.len(), 3, "the last change was not repeated");
    take_in(&mut directory, changed);
    assert_eq!(directory.people, as_it_is(&tenant));
}

async fn with_groups() -> (Tenant, Vec<ObjectId>) {
    tenant_with(1_250, |world| {
        let ids = world.people.iter().filter_map(|it| it.object_id);
        let ids: Vec<ObjectId> = ids.map(ObjectId::new).collect();
        world.groups = vec![
            group(object(0x600), &ids),
            group(object(0x601), &[ids[0], object(0x600)]),
            group(object(0x602), &[]),
        ];
    })
    .await
}

fn taken_in(changes: Groups) -> SourceDirectory {
    let mut directory = SourceDirectory::default();
    for (id, change) in changes {
        match change {
            Some(change) => directory.change_group(id, change),
            None => _ = directory.groups.remove(&id),
        }
    }
    directory
}

#[tokio::test]
async fn large_groups_come_in_slices_and_groups_are_no_members() {
    let (tenant, ids) = with_groups().await;
    let (all, _) = groups(&graph_of(&tenant), None, &[]).await;
    let slices = all.iter().filter(|(id, _)| *id == object(0x600));
    assert_eq!(slices.count(), 3);
    let directory = taken_in(all);
    let members = |number| directory.groups[&object(number)].members.clone();
    assert_eq!(members(0x600), ids.iter().copied().collect());
    assert_eq!(members(0x601), BTreeSet::from([ids[0]]));
    assert_eq!(members(0x602), BTreeSet::new());
    assert_eq!(directory.groups[&object(0x602)].name, "Test");
}

#[tokio::test]
async fn groups_are_followed_too() {
    let (tenant, ids) = with_groups().await;
    let graph = graph_of(&tenant);
    let (all, link) = groups(&graph, None, &[]).await;
    let mut directory = taken_in(all);
    edit(&tenant, |state| {
        let groups = &mut state.world.groups;
        groups[0].display_name = "Everybody".to_owned();
        groups[1].members = [ids[1].uuid()].into();
        groups.remove(2);
        assert!(state.delete_user(ids[5].uuid()));
    });
    let (changed, _) = groups(&graph, Some(&link), &[]).await;
    let told: BTreeMap<ObjectId, Option<GroupChange>> = changed.into_iter().collect();
    assert_eq!(
        told[&object(0x602)],
        None,
        "the group was not reported as deleted"
    );
    let change = told[&object(0x600)].as_ref().expect("no change");
    assert_eq!(change.name.as_deref(), Some("Everybody"));
    assert_eq!(
        (&change.joined[..], &change.left[..]),
        (&[][..], &ids[5..6])
    );
    let change = told[&object(0x601)].as_ref().expect("no change");
    assert_eq!(change.joined, [ids[1]]);
    assert!(change.left.contains(&ids[0]), "{change:?}");
    for (id, change) in told {
        if let Some(change) = change {
            directory.change_group(id, change);
        }
    }
    assert_eq!(directory.groups[&object(0x601)].members, [ids[1]].into());
    assert_eq!(directory.groups[&object(0x600)].members.len(), 1_249);
}

#[tokio::test]
async fn only_some_groups_can_be_followed() {
    let (tenant, ids) = with_groups().await;
    let graph = graph_of(&tenant);
    let only: Vec<ObjectId> = (0x601..0x601 + MAX_DELTA_GROUPS as u128)
        .map(object)
        .collect();
    let (all, link) = groups(&graph, None, &only).await;
    let found: BTreeSet<ObjectId> = all.iter().map(|(id, _)| *id).collect();
    assert_eq!(found, [object(0x601), object(0x602)].into());
    edit(&tenant, |state| {
        for group in &mut state.world.groups {
            group.members.insert(ids[7].uuid());
            group.display_name = "New".to_owned();
        }
    });
    let (changed, _) = groups(&graph, Some(&link), &[]).await;
    let found: BTreeSet<ObjectId> = changed.iter().map(|(id, _)| *id).collect();
    assert_eq!(found, [object(0x601), object(0x602)].into());
    let too_many: Vec<ObjectId> = (0..=MAX_DELTA_GROUPS as u128).map(object).collect();
    let error = graph.follow_groups(None, &too_many, |_, _| {}).await;
    assert_eq!(
        error.expect_err("too many groups were accepted").status(),
        Some(400)
    );
}

/// The futures are `Send`, so they can be spawned.
#[tokio::test]
async fn the_calls_of_the_sync_are_send() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let (tenant, ids) = tenant_with(20, |_| {}).await;
    let graph = graph_of(&tenant);
    let link = DeltaLink(String::new());
    let followed = is_send(graph.follow_people(Some(&link), |_, _| {})).await;
    assert_eq!(followed.expect("an error was returned"), Followed::Expired);
    let followed = is_send(graph.follow_groups(Some(&link), &ids, |_, _| {})).await;
    assert_eq!(followed.expect("an error was returned"), Followed::Expired);
    is_send(graph.fitting_people("accountEnabled eq true"))
        .await
        .expect("users not read");
    is_send(graph.group_names([target()]))
        .await
        .expect("names not read");
}
