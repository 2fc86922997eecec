//! Tests of following users and groups by delta queries, and of the sync's other queries.

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
async fn everybody_is_told_the_first_time() {
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
async fn afterwards_only_what_changed_is_told() {
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
async fn what_is_told_twice_makes_no_difference() {
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

/// An invalid link is distinguished from a failure.
#[tokio::test]
async fn a_link_that_expired_is_no_error() {
    let (tenant, _) = tenant_with(20, |_| {}).await;
    let graph = graph_of(&tenant);
    let (_, people_link) = people(&graph, None).await;
    let (_, groups_link) = groups(&graph, None, &[]).await;
    edit(&tenant, |it| it.world.behaviour.delta_tokens_expired = true);
    let followed = graph.follow_people(Some(&people_link), |_, _| {}).await;
    assert_eq!(followed.expect("an error was returned"), Followed::Expired);
    let followed = graph
        .follow_groups(Some(&groups_link), &[], |_, _| {})
        .await;
    assert_eq!(followed.expect("an error was returned"), Followed::Expired);
}

#[tokio::test]
async fn a_refused_link_is_expired_unless_the_credential_is_refused() {
    for (status, code, is_expired) in [
        (410, "anything", true),
        (400, "resyncRequired", true),
        (404, "SyncStateNotFound", true),
        (400, "Directory_SyncStateInvalid", true),
        (400, "Request_BadRequest", true),
        (404, "Request_ResourceNotFound", true),
        (403, "Authorization_RequestDenied", false),
    ] {
        let (stub, graph) = stub_graph(move |_, _| {
            let body = json!({ "error": { "code": code, "message": "No." } });
            (status, body)
        })
        .await;
        let link = DeltaLink(format!("{}/v1.0/users/delta?$deltatoken=a", stub.url));
        let followed = graph.follow_people(Some(&link), |_, _| {}).await;
        match followed {
            Ok(followed) => assert!(is_expired && followed == Followed::Expired, "{code}"),
            Err(error) => assert!(!is_expired && error.status() == Some(status), "{code}"),
        }
        // Without a link, none can have expired.
        let error = graph.follow_people(None, |_, _| {}).await;
        assert_eq!(error.expect_err(code).status(), Some(status));
    }
}

#[tokio::test]
async fn a_kept_link_to_another_host_is_worth_nothing_and_is_not_asked() {
    let (stub, graph) = stub_graph(|_, _| (200, json!({}))).await;
    for link in [
        "https://evil.example/v1.0/users/delta?$deltatoken=a".to_owned(),
        format!("{}@evil.example/v1.0/users/delta", stub.url),
        format!("{}/beta/users/delta?$deltatoken=a", stub.url),
        "no address".to_owned(),
    ] {
        let link = DeltaLink(link);
        let followed = graph.follow_people(Some(&link), |_, _| {}).await;
        assert_eq!(followed.expect("an error was returned"), Followed::Expired);
    }
    assert!(stub.requests().is_empty());
}

#[tokio::test]
async fn a_new_link_to_another_host_is_an_error() {
    for name in ["@odata.nextLink", "@odata.deltaLink"] {
        let (stub, graph) = stub_graph(move |_, _| {
            let link = "https://evil.example/v1.0/users/delta?$deltatoken=a";
            (200, json!({ "value": [], name: link }))
        })
        .await;
        let error = graph.follow_people(None, |_, _| {}).await;
        let error = error.expect_err("a foreign link was followed").to_string();
        assert!(error.contains("evil.example"), "{error}");
        assert_eq!(stub.requests().len(), 2, "a second page was requested");
    }
    let (tenant, _) = tenant_with(300, |world| {
        world.behaviour.nextlink_host = Some("evil.example".to_owned());
    })
    .await;
    let error = graph_of(&tenant).follow_people(None, |_, _| {}).await;
    let error = error.expect_err("a foreign link was followed").to_string();
    assert!(error.contains("evil.example"), "{error}");
}

#[tokio::test]
async fn a_page_that_leads_nowhere_is_an_error() {
    let (_stub, graph) = stub_graph(|_, _| (200, json!({ "value": [] }))).await;
    let error = graph.follow_people(None, |_, _| {}).await;
    let error = error
        .expect_err("a page without a link was accepted")
        .to_string();
    assert!(
        error.contains("neither a next link nor a delta link"),
        "{error}"
    );
    let (tenant, _) = tenant_with(1_200, |_| {}).await;
    let cut = Fault::once("/users/delta", FaultKind::TruncatedPage);
    tenant.simulators.add_fault(tenant.uuid(), cut);
    let error = graph_of(&tenant).follow_people(None, |_, _| {}).await;
    error.expect_err("an incomplete list was accepted");
}

#[tokio::test]
async fn pages_that_fail_for_a_moment_are_asked_again() {
    let (tenant, ids) = tenant_with(1_200, |_| {}).await;
    let busy = FaultKind::Status {
        code: 429,
        retry_after: Some(0.01),
        body: None,
    };
    for (at, kind) in [(1, busy), (3, FaultKind::Drop)] {
        let fault = Fault::once("/users/delta", kind).at(at, 1);
        tenant.simulators.add_fault(tenant.uuid(), fault);
    }
    let (all, _) = people(&graph_of(&tenant), None).await;
    assert_eq!(all.len(), ids.len());
}

#[tokio::test]
async fn people_are_counted() {
    let (tenant, ids) = tenant_with(321, |_| {}).await;
    let counted = graph_of(&tenant).count_people().await;
    assert_eq!(counted.expect("a number"), ids.len() as u64);
    let log = tenant.simulators.requests(tenant.uuid());
    let request = log.iter().find(|it| it.path.contains("$count"));
    assert_eq!(
        request.expect("asked").headers["consistencylevel"],
        "eventual"
    );

    for (body, expected) in [("\u{feff}42", Some(42)), ("many", None)] {
        let stub = Stub::start(move |request| {
            if request.contains("/oauth2/") {
                let token = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"tok"}"#;
                return reply(200, "", token);
            }
            reply(200, "Content-Type: text/plain\r\n", body)
        })
        .await;
        let entra = Entra::new(quick(), &stub.url).expect("invalid URL");
        let tenant = TenantId::new(Uuid::from_u128(1));
        let tokens = TokenSource::new(entra, tenant, "app", Secret::new("app-secret"));
        let graph = GraphReader::new(quick(), &stub.url, tokens).expect("invalid URL");
        assert_eq!(graph.count_people().await.ok(), expected);
    }
}

#[tokio::test]
async fn the_deleted_are_told_until_they_are_back() {
    let (tenant, ids) = tenant_with(1_100, |_| {}).await;
    let graph = graph_of(&tenant);
    assert!(
        graph
            .deleted_people()
            .await
            .expect("users not read")
            .is_empty()
    );
    let gone = &ids[..1_050];
    edit(&tenant, |state| {
        assert!(gone.iter().all(|id| state.delete_user(id.uuid())));
    });
    let deleted = graph.deleted_people().await.expect("not read");
    assert_eq!(deleted, gone.iter().copied().collect());
    assert_eq!(
        tenant.asked("/deletedItems/").len(),
        3,
        "not all pages were read"
    );
    assert!(tenant.simulators.restore_user(tenant.uuid(), ids[0].uuid()));
    let deleted = graph.deleted_people().await.expect("not read");
    assert!(!deleted.contains(&ids[0]) && deleted.len() == 1_049);
}

/// Returns a directory in which all users but the first have this department.
async fn with_department() -> (Tenant, Vec<ObjectId>) {
    tenant_with(1_201, |world| {
        for person in &mut world.people {
            person.department = Some("R&D+ 'Süd'".to_owned());
        }
        world.people[0].department = None;
    })
    .await
}

const FILTER: &str = " department eq 'R&D+ ''Süd''' ";

#[tokio::test]
async fn who_fits_a_filter_is_told_whole() {
    let (tenant, ids) = with_department().await;
    let graph = graph_of(&tenant);
    let fitting = graph.fitting_people(FILTER).await.expect("users not read");
    assert_eq!(fitting, ids[1..].iter().copied().collect());
    assert_eq!(graph.try_filter(FILTER).await.expect("not counted"), 1_200);
    let nobody = graph.fitting_people("department eq 'None'").await;
    assert!(nobody.expect("users not read").is_empty());
}

#[tokio::test]
async fn a_cut_page_of_who_fits_is_noticed() {
    for (times, is_whole) in [(1, true), (u32::MAX, false)] {
        let (tenant, _) = with_department().await;
        let cut = Fault::once("/v1.0/users?", FaultKind::TruncatedPage).at(1, times);
        tenant.simulators.add_fault(tenant.uuid(), cut);
        match graph_of(&tenant).fitting_people(FILTER).await {
            Ok(fitting) => assert!(is_whole && fitting.len() == 1_200),
            Err(GraphError::Api(ApiError::Incomplete {
                expected, found, ..
            })) => assert!(!is_whole && (expected, found) == (1_200, 499)),
            Err(error) => panic!("{error}"),
        }
    }
    let (_stub, graph) = stub_graph(|_, _| (200, json!({ "value": [] }))).await;
    let error = graph
        .fitting_people(FILTER)
        .await
        .expect_err("a missing count was accepted");
    assert!(error.to_string().contains("@odata.count"), "{error}");
    let error = graph
        .try_filter(FILTER)
        .await
        .expect_err("a missing count was accepted");
    assert!(
        error.to_string().contains("the count is missing"),
        "{error}"
    );
}

/// An administrator can read Graph's message about an invalid filter.
#[tokio::test]
async fn a_wrong_filter_is_refused_in_the_words_of_graph() {
    let (tenant, _) = tenant_with(20, |_| {}).await;
    let graph = graph_of(&tenant);
    for (filter, says) in [
        ("department eq", "Syntax error at position 13"),
        ("shoeSize eq '9'", "'shoeSize' of resource 'User'"),
    ] {
        let tried = graph.try_filter(filter).await.expect_err(filter);
        let GraphError::Api(error) = &tried else {
            panic!("{tried}");
        };
        assert_eq!(error.status(), Some(400));
        assert!(error.message().contains(says), "{}", error.message());
        let read = graph.fitting_people(filter).await.expect_err(filter);
        assert_eq!(read.status(), Some(400));
    }
}

#[tokio::test]
async fn groups_that_exist_have_names() {
    let (tenant, _) = tenant_with(20, |world| {
        let numbers = 0x700..0x700 + 45;
        world
            .groups
            .extend(numbers.map(|it| group(object(it), &[])));
    })
    .await;
    let graph = graph_of(&tenant);
    let asked = (0x700..0x700 + 45).chain([0xdead]).map(object);
    let names = graph.group_names(asked).await.expect("names not read");
    assert_eq!(names.len(), 45);
    assert!(names.values().all(|name| name == "Test"));
    assert!(!names.contains_key(&object(0xdead)));
    assert_eq!(tenant.asked("$batch").len(), 3);
    assert!(graph.group_names([]).await.expect("not read").is_empty());

    let down = FaultKind::Status {
        code: 403,
        retry_after: None,
        body: None,
    };
    let fault = Fault::once("/groups/", down).at(2, 1);
    tenant.simulators.add_fault(tenant.uuid(), fault);
    let error = graph.group_names([object(0x700), object(0x701)]).await;
    assert_eq!(
        error.expect_err("an incomplete list was accepted").status(),
        Some(403)
    );
}

#[tokio::test]
async fn a_picture_is_there_or_not() {
    let (tenant, ids) = tenant_with(20, |_| {}).await;
    let graph = graph_of(&tenant);
    edit(&tenant, |state| {
        state
            .photos
            .insert(ids[0].uuid(), b"\xff\xd8\xff a picture".to_vec());
        state.photos.insert(ids[1].uuid(), vec![0; 5 * 1024 * 1024]);
    });
    let picture = graph.picture(ids[0]).await.expect("no response");
    let expected = Picture {
        media_type: "image/jpeg".to_owned(),
        bytes: b"\xff\xd8\xff a picture".to_vec(),
    };
    assert_eq!(picture, Some(expected));
    let too_large = graph.picture(ids[1]).await.expect("no response");
    assert_eq!(too_large, None);
    assert_eq!(graph.picture(ids[2]).await.expect("no response"), None);
    assert_eq!(graph.picture(object(9)).await.expect("no response"), None);
    let (_stub, graph) = stub_graph(|_, _| (200, json!("<svg onload=alert(1)>"))).await;
    assert_eq!(graph.picture(ids[0]).await.expect("no picture"), None);
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
