//! The resources of a service provider with their indexes and validation.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use chrono::{DateTime, Duration, SubsecRound as _, Utc};
use uuid::Uuid;

use super::RequestContext;
use super::error::ScimError;
use super::normal::Draft;
use super::schema::Kind;
use super::state::{ScimResource, ScimState};

/// The part of a service provider that is not in its serialisable state.
#[derive(Default)]
pub(crate) struct ScimTransient {
    pub(super) index: Index,
    /// Start of the current second, and the number of requests in it.
    pub(super) second: Option<(Instant, u32)>,
}

impl ScimTransient {
    /// Rebuilds the indexes from the state.
    pub(crate) fn reindex(&mut self, state: &ScimState) {
        self.index = Index::default();
        for kind in [Kind::User, Kind::Group] {
            for (id, resource) in state.all(kind) {
                self.index.learn(kind, id, resource);
            }
        }
    }
}

/// Lookup tables, so that no request scans 50,000 users.
#[derive(Default)]
pub(super) struct Index {
    /// User by lower-case `userName`.
    names: HashMap<String, String>,
    /// Users by `externalId`.
    users: HashMap<String, BTreeSet<String>>,
    /// Groups by `externalId`.
    groups: HashMap<String, BTreeSet<String>>,
}

impl Index {
    /// Returns the user with this name.
    pub(super) fn named(&self, name: &str) -> Option<&String> {
        self.names.get(&name.to_lowercase())
    }

    /// Returns the resources with this `externalId`.
    pub(super) fn external(&self, kind: Kind, id: &str) -> Option<&BTreeSet<String>> {
        match kind {
            Kind::User => self.users.get(id),
            Kind::Group => self.groups.get(id),
        }
    }

    fn externals(&mut self, kind: Kind) -> &mut HashMap<String, BTreeSet<String>> {
        match kind {
            Kind::User => &mut self.users,
            Kind::Group => &mut self.groups,
        }
    }

    fn learn(&mut self, kind: Kind, id: &str, resource: &ScimResource) {
        if let (Kind::User, Some(name)) = (kind, resource.text("userName")) {
            self.names.insert(name.to_lowercase(), id.to_owned());
        }
        if let Some(external) = resource.text("externalId") {
            let ids = self.externals(kind).entry(external.to_owned());
            ids.or_default().insert(id.to_owned());
        }
    }

    fn forget(&mut self, kind: Kind, id: &str, resource: &ScimResource) {
        if let (Kind::User, Some(name)) = (kind, resource.text("userName")) {
            self.names.remove(&name.to_lowercase());
        }
        if let Some(external) = resource.text("externalId")
            && let Some(ids) = self.externals(kind).get_mut(external)
        {
            ids.remove(id);
        }
    }
}

impl ScimState {
    /// Returns the resources of a kind by id.
    pub(super) fn all(&self, kind: Kind) -> &BTreeMap<String, ScimResource> {
        match kind {
            Kind::User => &self.users,
            Kind::Group => &self.groups,
        }
    }

    fn all_mut(&mut self, kind: Kind) -> &mut BTreeMap<String, ScimResource> {
        match kind {
            Kind::User => &mut self.users,
            Kind::Group => &mut self.groups,
        }
    }

    /// Returns the next `lastModified`: now, but later than all previous ones.
    fn stamp(&mut self, now: DateTime<Utc>) -> DateTime<Utc> {
        let earliest = self.last_modified.map(|it| it + Duration::milliseconds(1));
        let now = now.trunc_subsecs(3);
        let stamp = earliest.map_or(now, |earliest| now.max(earliest));
        self.last_modified = Some(stamp);
        stamp
    }

    /// Returns the next id; ids sort in the order of their creation.
    fn next_id(&mut self) -> String {
        self.issued += 1;
        let mut bytes = Uuid::new_v4().into_bytes();
        bytes[..6].copy_from_slice(&self.issued.to_be_bytes()[2..]);
        Uuid::from_bytes(bytes).to_string()
    }
}

impl RequestContext<'_> {
    /// Returns a resource by id.
    pub(super) fn find(&self, kind: Kind, id: &str) -> Result<&ScimResource, ScimError> {
        let all = self.state.all(kind);
        all.get(id).ok_or_else(|| ScimError::missing(id))
    }

    /// Creates a resource and returns its id.
    pub(super) fn create(&mut self, kind: Kind, mut draft: Draft) -> Result<String, ScimError> {
        draft.settle(kind, &self.state.behaviour);
        if let Some(name) = draft.lacks(kind) {
            return Err(ScimError::value(format!("'{name}' is required.")));
        }
        self.check(kind, None, &draft)?;
        let stamp = self.state.stamp(self.now);
        let id = self.state.next_id();
        let resource = ScimResource {
            attributes: draft.attributes,
            members: draft.members,
            created: stamp,
            last_modified: stamp,
            version: 1,
        };
        self.scim.index.learn(kind, &id, &resource);
        self.state.all_mut(kind).insert(id.clone(), resource);
        Ok(id)
    }

    /// Replaces a resource by the draft; an identical draft has no effect.
    pub(super) fn change(
        &mut self,
        kind: Kind,
        id: &str,
        mut draft: Draft,
    ) -> Result<(), ScimError> {
        draft.settle(kind, &self.state.behaviour);
        let before = self.find(kind, id)?;
        if before.attributes == draft.attributes && before.members == draft.members {
            return Ok(());
        }
        if let Some(name) = draft.lacks(kind) {
            return Err(ScimError::value(format!("'{name}' is required.")));
        }
        self.check(kind, Some(id), &draft)?;
        let stamp = self.state.stamp(self.now);
        let index = &mut self.scim.index;
        let all = self.state.all_mut(kind);
        if let Some(resource) = all.get_mut(id) {
            index.forget(kind, id, resource);
            resource.attributes = draft.attributes;
            resource.members = draft.members;
            resource.last_modified = stamp;
            resource.version += 1;
            index.learn(kind, id, resource);
        }
        Ok(())
    }

    pub(super) fn delete(&mut self, kind: Kind, id: &str) -> Result<(), ScimError> {
        let gone = self.state.all_mut(kind).remove(id);
        let gone = gone.ok_or_else(|| ScimError::missing(id))?;
        self.scim.index.forget(kind, id, &gone);
        let stamp = self.state.stamp(self.now);
        for group in self.state.groups.values_mut() {
            if group.members.remove(id) {
                group.last_modified = stamp;
                group.version += 1;
            }
        }
        Ok(())
    }

    /// Returns an error for a name that is in use, and for new members that do not exist.
    fn check(&self, kind: Kind, own: Option<&str>, draft: &Draft) -> Result<(), ScimError> {
        let name = draft.attributes.get("userName").and_then(|it| it.as_str());
        if let (Kind::User, Some(name)) = (kind, name) {
            let holder = self.scim.index.named(name).map(String::as_str);
            if holder.is_some() && holder != own {
                return Err(ScimError::taken(name));
            }
        }
        let before = own.and_then(|id| self.state.all(kind).get(id));
        let is_old = |id: &str| before.is_some_and(|it| it.members.contains(id));
        let exists =
            |id: &str| self.state.users.contains_key(id) || self.state.groups.contains_key(id);
        let mut members = draft.members.iter();
        match members.find(|id| !is_old(id) && (!exists(id) || own == Some(id))) {
            Some(unknown) => Err(ScimError::value(format!(
                "The member '{unknown}' does not exist."
            ))),
            None => Ok(()),
        }
    }
}
