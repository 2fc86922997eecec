//! Decides which directory users are eligible for the platform, and why others are not.

use std::collections::BTreeSet;

use super::config::SyncConfig;
use super::filters::{Addresses, Fit};
use super::keys::Field;
use super::skip_reason::DepartureReason;
use super::source::{DirectoryPerson, SourceDirectory};
use crate::base::ids::ObjectId;

/// The result of the check of one directory user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Eligibility {
    /// The user belongs on the platform.
    Eligible,
    /// The user would be eligible, but required fields are empty; the account is not changed
    /// (S2-23).
    Lacking(Vec<Field>),
    /// The user does not belong on the platform.
    Ineligible(DepartureReason),
}

/// The eligibility rules of one run.
#[derive(Debug)]
pub struct Scope<'a> {
    config: &'a SyncConfig,
    /// Users who match the Graph filter, as returned by Graph.
    matches_graph_filter: Option<&'a BTreeSet<ObjectId>>,
    addresses: Option<Addresses>,
    in_groups: Option<BTreeSet<ObjectId>>,
}

impl<'a> Scope<'a> {
    /// Creates the rules from a configuration and a directory. `fitting` contains the users who
    /// match the Graph filter; with `None` that filter is not applied.
    pub fn new(
        config: &'a SyncConfig,
        directory: &SourceDirectory,
        matches_graph_filter: Option<&'a BTreeSet<ObjectId>>,
    ) -> Self {
        let chosen = config.filters.groups.as_ref();
        let in_groups = chosen.map(|chosen| {
            let groups = chosen.iter().filter_map(|id| directory.groups.get(id));
            groups
                .flat_map(|group| group.members.iter().copied())
                .collect()
        });
        Self {
            config,
            matches_graph_filter,
            addresses: config.filters.email.as_ref().map(Addresses::of),
            in_groups,
        }
    }

    /// Checks one directory user. Exclusions are checked before required fields, because a user who
    /// is excluded does not need an address.
    pub fn eligibility(&self, id: ObjectId, person: &DirectoryPerson) -> Eligibility {
        if !person.enabled {
            return Eligibility::Ineligible(DepartureReason::Disabled);
        }
        if person.guest && !self.config.guests {
            return Eligibility::Ineligible(DepartureReason::Guest);
        }
        if self
            .matches_graph_filter
            .is_some_and(|matches_graph_filter| !matches_graph_filter.contains(&id))
        {
            return Eligibility::Ineligible(DepartureReason::GraphFilter);
        }
        if self
            .in_groups
            .as_ref()
            .is_some_and(|chosen| !chosen.contains(&id))
        {
            return Eligibility::Ineligible(DepartureReason::NotInGroups);
        }
        let lacking = lacking(person);
        // The address filter is skipped if there is no address.
        if !lacking.contains(&Field::Email)
            && let (Some(addresses), Some(email)) = (&self.addresses, &person.email)
        {
            match addresses.fit(email) {
                Fit::Fits => {}
                Fit::NotIncluded => {
                    return Eligibility::Ineligible(DepartureReason::EmailNotIncluded);
                }
                Fit::Excluded => return Eligibility::Ineligible(DepartureReason::EmailExcluded),
            }
        }
        if lacking.is_empty() {
            Eligibility::Eligible
        } else {
            Eligibility::Lacking(lacking)
        }
    }
}

/// Returns the required fields that are empty (S2-23).
fn lacking(person: &DirectoryPerson) -> Vec<Field> {
    let required = [
        (Field::FirstName, &person.first_name),
        (Field::LastName, &person.last_name),
        (Field::Email, &person.email),
    ];
    let empty = |value: &Option<String>| value.as_ref().is_none_or(|text| text.trim().is_empty());
    let lacking = required.into_iter().filter(|(_, value)| empty(value));
    lacking.map(|(field, _)| field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory_sync::config::EmailFilter;
    use crate::directory_sync::testing::{person, person_id as id};

    fn eligibility_of(config: &SyncConfig, person: &DirectoryPerson) -> Eligibility {
        Scope::new(config, &SourceDirectory::default(), None).eligibility(id(1), person)
    }

    /// Proves S3-10 and S2-22 (C-32): by default all users are eligible; only the guest switch and
    /// the filters exclude users.
    #[test]
    fn members_always_belong() {
        let mut config = SyncConfig::new("x");
        assert_eq!(eligibility_of(&config, &person(1)), Eligibility::Eligible);
        config.guests = false;
        assert_eq!(eligibility_of(&config, &person(1)), Eligibility::Eligible);
    }

    /// Proves S2-20 and S2-21: guests are detected by their user type.
    #[test]
    fn guests_belong_unless_switched_off() {
        let guest = DirectoryPerson {
            guest: true,
            ..person(1)
        };
        let mut config = SyncConfig::new("x");
        assert_eq!(eligibility_of(&config, &guest), Eligibility::Eligible);
        config.guests = false;
        assert_eq!(
            eligibility_of(&config, &guest),
            Eligibility::Ineligible(DepartureReason::Guest)
        );
    }

    /// Proves S2-23: a missing required field does not count as a departure.
    #[test]
    fn required_fields_are_looked_for() {
        let config = SyncConfig::new("x");
        let nameless = DirectoryPerson {
            first_name: Some(" ".to_owned()),
            email: None,
            ..person(1)
        };
        let lacking = Eligibility::Lacking(vec![Field::FirstName, Field::Email]);
        assert_eq!(eligibility_of(&config, &nameless), lacking);
        let untitled = DirectoryPerson {
            job_title: None,
            department: None,
            ..person(1)
        };
        assert_eq!(eligibility_of(&config, &untitled), Eligibility::Eligible);
    }

    /// Proves S3-33, S3-35, C-30 and C-35: all filters must match, and each has its own reason.
    #[test]
    fn every_filter_gives_its_reason() {
        let mut directory = SourceDirectory::default();
        let group = id(100);
        directory
            .groups
            .entry(group)
            .or_default()
            .members
            .insert(id(1));
        let mut config = SyncConfig::new("x");
        config.filters.groups = Some(BTreeSet::from([group]));
        config.filters.email = Some(EmailFilter {
            include: BTreeSet::from(["@contoso".to_owned()]),
            exclude: BTreeSet::from(["person-3".to_owned()]),
        });
        let matches_graph_filter = BTreeSet::from([id(1), id(3)]);
        let eligibility = |number: u32, person: DirectoryPerson| {
            Scope::new(&config, &directory, Some(&matches_graph_filter))
                .eligibility(id(number), &person)
        };
        assert_eq!(eligibility(1, person(1)), Eligibility::Eligible);
        assert_eq!(
            eligibility(2, person(2)),
            Eligibility::Ineligible(DepartureReason::GraphFilter)
        );
        assert_eq!(
            eligibility(3, person(3)),
            Eligibility::Ineligible(DepartureReason::NotInGroups)
        );
        let address = |email: &str| DirectoryPerson {
            email: Some(email.to_owned()),
            ..person(1)
        };
        assert_eq!(
            eligibility(1, address("a@fabrikam.example")),
            Eligibility::Ineligible(DepartureReason::EmailNotIncluded)
        );
        assert_eq!(
            eligibility(1, address("person-3@contoso.example")),
            Eligibility::Ineligible(DepartureReason::EmailExcluded)
        );
        let disabled = DirectoryPerson {
            enabled: false,
            ..person(1)
        };
        assert_eq!(
            eligibility(1, disabled),
            Eligibility::Ineligible(DepartureReason::Disabled)
        );
    }
}
