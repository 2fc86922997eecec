//! The directory sync against third-party SCIM servers, and a third-party checker against ours.
//!
//! The servers are scim2-server (Python) and SCIMMY (JavaScript, whose store is the script in this
//! folder). Neither has an extension for supervisors and archiving, so a team that is no longer
//! needed is emptied there. Differences: SCIMMY stores a member twice that is added twice, finds
//! `userName` only in its exact case, and returns the first page for positions behind the last one;
//! scim2-server rejects attributes that are not in a schema, sorts users by random ids, and does
//! not remove deleted users from their groups.

mod rounds;
mod servers;

use std::collections::{BTreeMap, BTreeSet};

use rollcall_clients::http::{Http, HttpSettings, Secret};
use rollcall_clients::scim::{Scim, ServiceCapabilities, Written};
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::directory_sync::testing::{person, person_id as id};
use rollcall_domain::directory_sync::{
    ChangeSubject, DirectoryPerson, Facts, Field, Operation, Pins, PlanInput, Platform,
    SourceDirectory, SyncConfig, SyncPlan, TargetReplica, TeamKey, TeamSwitches, Write, phases,
    plan,
};
use rollcall_simulators::{Simulators, World};
use serde_json::{Value, json};
use servers::{Foreign, Program, TOKEN, checked};
use uuid::Uuid;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A third-party server, and the job's client and configuration.
struct Site {
    scim: Scim,
    service: ServiceCapabilities,
    config: SyncConfig,
    directory: SourceDirectory,
    address: String,
    _server: Program,
}

impl Site {
    async fn start(server: Foreign) -> Self {
        let (address, server) = server.start().await;
        let http = Http::new(HttpSettings::default()).expect("client not created");
        let scim = Scim::new(http, &address, Secret::new(TOKEN)).expect("invalid address");
        let service = scim.describe().await.expect("no description");
        let mut config = SyncConfig::new(&address);
        config.teams = TeamSwitches {
            groups: true,
            managers: true,
        };
        Self {
            scim,
            service,
            config,
            directory: small_directory(),
            address,
            _server: server,
        }
    }

    async fn read(&self) -> Platform {
        let users = self.scim.users(&self.service, None).await;
        let teams = self.scim.groups(&self.service, None).await;
        Platform {
            users: users.expect("users not read").all,
            teams: teams.expect("groups not read").all,
        }
    }

    fn plan(&self, platform: &Platform) -> SyncPlan {
        plan(PlanInput {
            config: &self.config,
            directory: &self.directory,
            matches_graph_filter: None,
            platform,
            features: self.service.features,
            pins: &Pins::default(),
            before: None,
        })
    }

    /// Applies a plan, as the job does.
    async fn carry_out(&self, platform: Platform, plan: &SyncPlan) -> Platform {
        let phases = phases(&plan.changes, &platform);
        let mut mirror = TargetReplica::new(platform);
        for phase in phases {
            let portion = if phase.in_order { 1 } else { 100 };
            for writes in phase.writes.chunks(portion) {
                let all = self.scim.write_all(writes, &mirror, &self.service, "en-GB");
                for (write, written) in writes.iter().zip(all.await) {
                    match written {
                        Ok(Written::Done(created)) => {
                            mirror.record_write(write, created.as_deref());
                        }
                        other => panic!("{write:?}: {other:?}"),
                    }
                }
            }
        }
        mirror.into_platform()
    }

    /// Executes one run: reads, plans, applies and reads again; asserts that no change remains.
    async fn round(&self) -> Platform {
        let before = self.read().await;
        let plan = self.plan(&before);
        assert!(!plan.is_empty() && plan.skipped.is_empty(), "{plan:?}");
        let mut expected = self.carry_out(before, &plan).await;
        // These servers do not store the attribute.
        for team in expected.teams.values_mut() {
            team.archived = false;
        }
        let after = self.read().await;
        assert_eq!(
            after, expected,
            "the server's state differs from the written one"
        );
        let left = self.plan(&after);
        let left: Vec<String> = left.changes.iter().map(ToString::to_string).collect();
        assert!(left.is_empty(), "{left:#?}");
        after
    }

    /// Returns the server's resources by external id, read without our client.
    async fn raw(&self, kind: &str) -> BTreeMap<String, Value> {
        let client = reqwest::Client::builder().no_proxy().build();
        let request = client
            .expect("client not created")
            .get(format!("{}/{kind}?startIndex=1&count=100", self.address))
            .bearer_auth(TOKEN);
        let answer = request.send().await.expect("request failed").text().await;
        let answer: Value = serde_json::from_str(&answer.expect("a text")).expect("invalid JSON");
        let rows = answer["Resources"]
            .as_array()
            .expect("no resources")
            .clone();
        assert_eq!(answer["totalResults"], json!(rows.len()));
        let by_external: BTreeMap<String, Value> = rows
            .iter()
            .map(|row| {
                let external = row["externalId"].as_str().expect("no external id");
                (external.to_owned(), row.clone())
            })
            .collect();
        assert_eq!(by_external.len(), rows.len(), "a resource exists twice");
        by_external
    }

    /// Compares the resources of the server with the directory.
    async fn compare(&self) {
        let users = self.raw("Users").await;
        let key = |person: ObjectId| users[&person.to_string()]["id"].clone();
        for (person, user) in &users {
            let person: ObjectId = person.parse().expect("invalid object id");
            let wanted = self.directory.people.get(&person);
            let Some(wanted) = wanted.filter(|it| it.enabled) else {
                assert_eq!(user["active"], false, "{user}");
                continue;
            };
            let email = json!(wanted.email);
            let expected = json!({
                "active": true,
                "userName": email,
                "emails": [email],
                "name": [wanted.first_name, wanted.last_name],
                "displayName": wanted.display_name,
                "title": wanted.job_title,
                "department": wanted.department,
                "manager": wanted.manager.map(key),
                "language": "en-GB",
            });
            let emails = user["emails"].as_array().into_iter().flatten();
            let emails: Vec<&Value> = emails.map(|it| &it["value"]).collect();
            let found = json!({
                "active": user["active"],
                "userName": user["userName"],
                "emails": emails,
                "name": [user["name"]["givenName"], user["name"]["familyName"]],
                "displayName": user["displayName"],
                "title": user["title"],
                "department": user[ENTERPRISE]["department"],
                "manager": user[ENTERPRISE]["manager"]["value"],
                "language": user["preferredLanguage"],
            });
            assert_eq!(found, expected);
        }
        for person in self.directory.people.keys() {
            assert!(
                users.contains_key(&person.to_string()),
                "{person} is missing"
            );
        }
    }

    /// Returns name and members of a team on the server.
    async fn team(&self, team: TeamKey) -> (String, BTreeSet<ObjectId>) {
        let users = self.raw("Users").await;
        let people: BTreeMap<&str, ObjectId> = users
            .iter()
            .filter_map(|(person, user)| Some((user["id"].as_str()?, person.parse().ok()?)))
            .collect();
        let teams = self.raw("Groups").await;
        let found = &teams[&team.to_string()];
        let members = found["members"].as_array().into_iter().flatten();
        let members: Vec<ObjectId> = members
            .map(|it| people[it["value"].as_str().expect("not a string")])
            .collect();
        let distinct: BTreeSet<ObjectId> = members.iter().copied().collect();
        assert_eq!(distinct.len(), members.len(), "{found}");
        let name = found["displayName"].as_str().expect("no name");
        (name.to_owned(), distinct)
    }
}

/// Returns a directory with twelve users, of whom 1, 2 and 3 are a chain of managers, and two
/// groups.
fn small_directory() -> SourceDirectory {
    let mut directory = SourceDirectory::default();
    for number in 1..=12 {
        let manager = match number {
            1 => None,
            2 => Some(id(1)),
            3 => Some(id(2)),
            _ => Some(id(3)),
        };
        let somebody = DirectoryPerson {
            manager,
            ..person(number)
        };
        directory.put(id(number), somebody);
    }
    for (number, name, members) in [(90, "Sales", 2..=5), (91, "Law & Order", 6..=12)] {
        let group = directory.groups.entry(id(number)).or_default();
        name.clone_into(&mut group.name);
        group.members = members.map(id).collect();
    }
    directory
}

/// Makes all kinds of changes to a directory at once.
fn much_happens(directory: &mut SourceDirectory) {
    let mut change = |number, change: &dyn Fn(&mut DirectoryPerson)| {
        change(directory.people.get_mut(&id(number)).expect("no such user"));
    };
    let address = |number: u32| Some(format!("person-{number}@contoso.example"));
    // A chain of addresses, and two users who swap theirs.
    for (number, email) in [
        (4, address(5)),
        (5, address(6)),
        (6, Some("Kay.O'Neill+new@contoso.example".to_owned())),
        (7, address(8)),
        (8, address(7)),
    ] {
        change(number, &|it| it.email.clone_from(&email));
    }
    change(9, &|it| {
        it.job_title = Some("Head of \"Law\" & Ordnung, Zürich".to_owned());
        it.department = None;
    });
    change(10, &|it| {
        it.job_title = None;
        it.department = Some("Law".to_owned());
    });
    // User 2 loses its only report, and user 9 its manager.
    change(3, &|it| it.manager = Some(id(1)));
    change(9, &|it| it.manager = None);
    change(6, &|it| it.display_name = Some("Kay O'Neill".to_owned()));
    change(11, &|it| it.enabled = false);
    directory.delete(id(12));
    let new = DirectoryPerson {
        manager: Some(id(3)),
        ..person(13)
    };
    directory.put(id(13), new);
    let sales = directory.groups.get_mut(&id(90)).expect("no such group");
    "Sales & Law".clone_into(&mut sales.name);
    sales.members = [3, 4, 5, 9, 13].map(id).into();
    let law = directory.groups.get_mut(&id(91)).expect("no such group");
    law.members.remove(&id(12));
}

/// Executes two runs and asserts the server's state after each.
async fn two_rounds(server: Foreign, limit: impl FnOnce(&mut ServiceCapabilities)) {
    let mut site = Site::start(server).await;
    let service = site.service;
    assert!(service.patch && service.filter && service.bulk.is_some());
    assert!(service.features.manager && !service.features.supervisors);
    limit(&mut site.service);

    let first = site.round().await;
    assert_eq!((first.users.len(), first.teams.len()), (12, 5));
    site.compare().await;
    let group = TeamKey::Group;
    let law = site.team(group(id(91))).await;
    assert_eq!(law, ("Law & Order".to_owned(), (6..=12).map(id).collect()));

    much_happens(&mut site.directory);
    let second = site.round().await;
    assert_eq!((second.users.len(), second.teams.len()), (13, 5));
    let active = second.users.values().filter(|it| it.active);
    assert_eq!(active.count(), 11, "a user who left was not deactivated");
    site.compare().await;
    let members = |numbers: &[u32]| numbers.iter().copied().map(id).collect::<BTreeSet<_>>();
    let sales = site.team(group(id(90))).await;
    assert_eq!(
        sales,
        ("Sales & Law".to_owned(), members(&[3, 4, 5, 9, 13]))
    );
    let law = site.team(group(id(91))).await;
    assert_eq!(
        law.1,
        members(&[6, 7, 8, 9, 10]),
        "not the remaining members"
    );
    let of_second = site.team(TeamKey::Manager(id(2))).await;
    assert_eq!(
        of_second.1,
        members(&[]),
        "a member remains without a manager"
    );
    let of_first = site.team(TeamKey::Manager(id(1))).await;
    assert!(of_first.1.is_superset(&members(&[2, 3])), "{of_first:?}");
    knows_what_it_has(&site).await;
}

/// A user that already exists is found by its external id, and changed users can be read
/// separately from a server that reports changes correctly.
async fn knows_what_it_has(site: &Site) {
    let nothing = TargetReplica::new(Platform::default());
    let email = "person-1@contoso.example".to_owned();
    let again = Write {
        subject: ChangeSubject::User(id(1)),
        operation: Operation::CreateUser {
            facts: Facts::from([(Field::Email, email)]),
        },
        changes: vec![0],
    };
    let written = site.scim.write(&again, &nothing, &site.service, "en-GB");
    let users = site.raw("Users").await;
    let known = users[&id(1).to_string()]["id"].as_str().map(str::to_owned);
    assert_eq!(written.await.expect("not found"), Written::Done(known));

    let all = site
        .scim
        .users(&site.service, None)
        .await
        .expect("users not read");
    let tells = site.scim.reports_changes(all.all.len() as u64).await;
    if tells.expect("SCIM request failed") {
        let newest = all.newest.expect("no time");
        let changed = site.scim.users(&site.service, Some(newest)).await;
        let changed = changed.expect("changes not read").all;
        assert!((1..13).contains(&changed.len()), "{}", changed.len());
    }
}
