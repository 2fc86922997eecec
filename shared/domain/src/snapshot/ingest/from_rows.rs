//! Builds snapshots from complete data sets in memory, for tests and benchmarks.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;

use super::entra::EntraSet;
use super::limits::TooLarge;
use super::previous::Previous;
use super::sets::Sets;
use crate::base::ids::ObjectId;
use crate::snapshot::format::Identity;
use crate::snapshot::lms::{FieldKind, LmsData, Role, UserRow};
use crate::snapshot::{Enrolments, Header, Snapshot, Source, TextColumn};

/// Properties of Entra users that rules use, by object id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntraProperties {
    /// The properties that were read and the kinds of their values.
    pub kinds: BTreeMap<String, FieldKind>,
    /// The values, as Graph writes them.
    pub values: HashMap<ObjectId, BTreeMap<String, String>>,
}

impl EntraProperties {
    /// Returns the properties as a set.
    ///
    /// # Errors
    /// Returns an error if there are too many users.
    pub fn gather(&self) -> Result<EntraSet, TooLarge> {
        let mut set = EntraSet::new(self.kinds.clone());
        for (user, values) in &self.values {
            let values = values
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()));
            set.push(*user, values)?;
        }
        Ok(set)
    }
}

impl Sets {
    /// Returns the data as sets, added row by row.
    ///
    /// # Errors
    /// Returns an error if there are too many rows.
    pub fn of(data: LmsData) -> Result<Self, TooLarge> {
        let mut sets = Self {
            fields: data.fields,
            courses: data.courses,
            catalogs: data.catalogs,
            ..Self::default()
        };
        for user in data.users.iter().filter_map(UserRow::borrowed) {
            sets.users.push(&user)?;
        }
        for enrolment in &data.enrolments {
            sets.enrolments.push(enrolment)?;
        }
        for role in data.roles {
            sets.roles.push(&Role {
                user: role.user,
                is_group: role.is_group,
                role: role.role.into(),
                scope: role.scope,
            })?;
        }
        Ok(sets)
    }
}

/// Builds the first snapshot of a lineage from the data.
///
/// # Panics
/// Panics with more rows than [`super::MAX_USERS`] or [`super::MAX_ENROLMENTS`].
pub fn build(header: Header, data: LmsData, entra: &EntraProperties) -> Snapshot {
    let gathered = Sets::of(data).and_then(|sets| Ok((sets, entra.gather()?)));
    let (sets, entra) = gathered.unwrap_or_else(|error| panic!("{error}"));
    sets.into_snapshot(header, entra, None::<&Snapshot>)
        .snapshot
}

/// A snapshot in memory can be used as the previous one, too.
impl Previous for Snapshot {
    type Error = Infallible;

    fn identity(&self) -> Result<Identity, Infallible> {
        let people = &self.people;
        Ok(Identity {
            lineage: people.lineage.clone(),
            ids: people.ids.clone(),
            object_ids: people.object_ids.clone(),
            living: people.living.clone(),
            changed_in: people.changed_in.clone(),
        })
    }

    fn sources(&self) -> Vec<Source> {
        self.people.texts.keys().cloned().collect()
    }

    fn text(&self, source: &Source) -> Result<Option<TextColumn>, Infallible> {
        Ok(self.people.texts.get(source).cloned())
    }

    fn enrolments(&self) -> Result<Enrolments, Infallible> {
        Ok(self.enrolments.clone())
    }
}
