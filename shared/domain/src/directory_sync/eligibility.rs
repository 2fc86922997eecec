//! Who of the directory belongs on the platform, and why somebody does not.

use std::collections::BTreeSet;

use super::config::SyncConfig;
use super::filters::{Addresses, Fit};
use super::keys::Field;
use super::skip_reason::DepartureReason;
use super::source::{DirectoryPerson, SourceDirectory};
use crate::base::ids::ObjectId;

/// How somebody of the directory stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Eligibility {
    /// Belongs.
    Wanted,
    /// Would belong, but required fields are empty: left as they are (S2-23).
    Lacking(Vec<Field>),
    /// Does not belong.
    Out(DepartureReason),
}

/// The rules of one run.
#[derive(Debug)]
pub struct Scope<'a> {
    config: &'a SyncConfig,
    /// Who fits the Graph filter; asked of Graph itself.
    fitting: Option<&'a BTreeSet<ObjectId>>,
    addresses: Option<Addresses>,
    in_groups: Option<BTreeSet<ObjectId>>,
}

impl<'a> Scope<'a> {
    /// The rules of a configuration over a directory. `fitting` is who fits the
    /// Graph filter; without it nobody is left out by it.
    pub fn new(
        config: &'a SyncConfig,
        directory: &SourceDirectory,
        fitting: Option<&'a BTreeSet<ObjectId>>,
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
            fitting,
            addresses: config.filters.email.as_ref().map(Addresses::of),
            in_groups,
        }
    }

    /// How somebody stands. What leaves somebody out is asked first: nobody needs
    /// an address who does not belong.
    pub fn eligibility(&self, id: ObjectId, person: &DirectoryPerson) -> Eligibility {
        if !person.enabled {
            return Eligibility::Out(DepartureReason::Disabled);
        }
        if person.guest && !self.config.guests {
            return Eligibility::Out(DepartureReason::Guest);
        }
        if self.fitting.is_some_and(|fitting| !fitting.contains(&id)) {
            return Eligibility::Out(DepartureReason::GraphFilter);
        }
        if self
            .in_groups
            .as_ref()
            .is_some_and(|chosen| !chosen.contains(&id))
        {
            return Eligibility::Out(DepartureReason::NotInGroups);
        }
        let lacking = lacking(person);
        // Nobody is let in or out by an address that is not there.
        if !lacking.contains(&Field::Email)
            && let (Some(addresses), Some(email)) = (&self.addresses, &person.email)
        {
            match addresses.fit(email) {
                Fit::Fits => {}
                Fit::NotIncluded => return Eligibility::Out(DepartureReason::EmailNotIncluded),
                Fit::Excluded => return Eligibility::Out(DepartureReason::EmailExcluded),
            }
        }
        if lacking.is_empty() {
            Eligibility::Wanted
        } else {
            Eligibility::Lacking(lacking)
        }
    }
}

/// Required fields that are empty (S2-23).
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

    fn standing(config: &SyncConfig, person: &DirectoryPerson) -> Eligibility {
        Scope::new(config, &SourceDirectory::default(), None).eligibility(id(1), person)
    }

    /// Proves S3-10 and S2-22 (C-32): by default everybody belongs; only the guest
    /// switch and the filters leave somebody out.
    #[test]
    fn members_always_belong() {
        let mut config = SyncConfig::new("x");
        assert_eq!(standing(&config, &person(1)), Eligibility::Wanted);
        config.guests = false;
        assert_eq!(standing(&config, &person(1)), Eligibility::Wanted);
    }

    /// Proves S2-20 and S2-21: guests by their user type.
    #[test]
    fn guests_belong_unless_switched_off() {
        let guest = DirectoryPerson {
            guest: true,
            ..person(1)
        };
        let mut config = SyncConfig::new("x");
        assert_eq!(standing(&config, &guest), Eligibility::Wanted);
        config.guests = false;
        assert_eq!(
            standing(&config, &guest),
            Eligibility::Out(DepartureReason::Guest)
        );
    }

    /// Proves S2-23: who lacks a required field is told apart from who leaves.
    #[test]
    fn required_fields_are_looked_for() {
        let config = SyncConfig::new("x");
        let nameless = DirectoryPerson {
            first_name: Some(" ".to_owned()),
            email: None,
            ..person(1)
        };
        let lacking = Eligibility::Lacking(vec![Field::FirstName, Field::Email]);
        assert_eq!(standing(&config, &nameless), lacking);
        let untitled = DirectoryPerson {
            job_title: None,
            department: None,
            ..person(1)
        };
        assert_eq!(standing(&config, &untitled), Eligibility::Wanted);
    }

    /// Proves S3-33, S3-35, C-30 and C-35: all filters must fit, and each says why not.
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
        let fitting = BTreeSet::from([id(1), id(3)]);
        let stands = |number: u32, person: DirectoryPerson| {
            Scope::new(&config, &directory, Some(&fitting)).eligibility(id(number), &person)
        };
        assert_eq!(stands(1, person(1)), Eligibility::Wanted);
        assert_eq!(
            stands(2, person(2)),
            Eligibility::Out(DepartureReason::GraphFilter)
        );
        assert_eq!(
            stands(3, person(3)),
            Eligibility::Out(DepartureReason::NotInGroups)
        );
        let address = |email: &str| DirectoryPerson {
            email: Some(email.to_owned()),
            ..person(1)
        };
        assert_eq!(
            stands(1, address("a@fabrikam.example")),
            Eligibility::Out(DepartureReason::EmailNotIncluded)
        );
        assert_eq!(
            stands(1, address("person-3@contoso.example")),
            Eligibility::Out(DepartureReason::EmailExcluded)
        );
        let disabled = DirectoryPerson {
            enabled: false,
            ..person(1)
        };
        assert_eq!(
            stands(1, disabled),
            Eligibility::Out(DepartureReason::Disabled)
        );
    }
}
