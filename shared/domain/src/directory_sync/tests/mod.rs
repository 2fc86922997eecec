//! The comparison as a whole: examples, and properties over random directories.

mod approval;
mod manual_changes;
mod people;
mod properties;
mod teams;

use std::collections::{BTreeMap, BTreeSet};

use super::testing::{person, person_id as id};
use super::*;
use crate::base::audit::Actor;
use crate::base::ids::ObjectId;
use crate::base::text::fold;
use proptest::prelude::*;

fn config() -> SyncConfig {
    let mut config = SyncConfig::new("https://lms.example/scim");
    config.teams = TeamSwitches {
        groups: true,
        managers: true,
    };
    config
}

/// A comparison of a configuration and a directory, with defaults for everything else.
struct Side<'a> {
    config: &'a SyncConfig,
    directory: &'a SourceDirectory,
    pins: Pins,
    before: Option<&'a Platform>,
}

impl<'a> Side<'a> {
    fn new(config: &'a SyncConfig, directory: &'a SourceDirectory) -> Self {
        Self {
            config,
            directory,
            pins: Pins::default(),
            before: None,
        }
    }

    fn plan(&self, platform: &Platform) -> SyncPlan {
        plan(PlanInput {
            config: self.config,
            directory: self.directory,
            matches_graph_filter: None,
            platform,
            features: Features::ALL,
            pins: &self.pins,
            before: self.before,
        })
    }
}

/// Applies every change like a platform that rejects duplicate addresses.
fn carry_out(platform: &Platform, changes: &[PlannedChange]) -> Platform {
    let mut mirror = TargetReplica::new(platform.clone());
    let mut made = 0;
    for phase in phases(changes, platform) {
        for write in &phase.writes {
            made += 1;
            let key = format!("new-{}-{made}", platform.users.len() + platform.teams.len());
            mirror.record_write(write, Some(&key));
            let names: Vec<_> = mirror
                .platform()
                .users
                .values()
                .map(|user| fold(&user.user_name))
                .collect();
            let distinct: BTreeSet<_> = names.iter().collect();
            assert_eq!(
                distinct.len(),
                names.len(),
                "two users with the same name after {write:?}"
            );
        }
    }
    mirror.into_platform()
}

fn lines(plan: &SyncPlan) -> Vec<String> {
    plan.changes.iter().map(ToString::to_string).collect()
}

fn directory(people: impl IntoIterator<Item = (u32, DirectoryPerson)>) -> SourceDirectory {
    let mut directory = SourceDirectory::default();
    for (number, person) in people {
        directory.put(id(number), person);
    }
    directory
}

/// Returns a directory of three users and the platform after its first sync.
fn settled(config: &SyncConfig) -> (SourceDirectory, Platform) {
    let report = |number| DirectoryPerson {
        manager: Some(id(1)),
        ..person(number)
    };
    let mut directory = directory([(1, person(1)), (2, report(2)), (3, report(3))]);
    let group = directory.groups.entry(id(90)).or_default();
    group.name = "Sales".to_owned();
    group.members = BTreeSet::from([id(2), id(3)]);
    let plan = Side::new(config, &directory).plan(&Platform::default());
    let platform = carry_out(&Platform::default(), &plan.changes);
    (directory, platform)
}

// ---- Properties --------------------------------------------------------------
