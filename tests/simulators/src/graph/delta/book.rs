//! State behind delta tokens: rounds of pages, and the directory at the end of each round.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use uuid::Uuid;

use super::options::Which;

/// Rounds stored per tenant; tokens of older ones are expired.
const KEPT: usize = 100;

/// The rounds of one tenant.
#[derive(Default)]
pub(crate) struct DeltaBook {
    rounds: HashMap<Uuid, Round>,
    order: VecDeque<Uuid>,
}

/// One delta response with all its pages.
pub(super) struct Round {
    pub(super) which: Which,
    pub(super) entries: Vec<Entry>,
    /// The client's state after the last page.
    pub(super) snapshot: Arc<Snapshot>,
}

/// The tracked part of the directory at one time.
#[derive(Default)]
pub(super) struct Snapshot {
    pub(super) live: HashMap<Uuid, Known>,
    /// Objects that can still be restored.
    pub(super) soft: BTreeSet<Uuid>,
}

/// The stored state of one object.
#[derive(Clone)]
pub(super) struct Known {
    /// Hash of the values of the selected properties.
    pub(super) hash: u64,
    /// Bit set of the selected properties that had a value since the first round.
    pub(super) ever: u32,
    /// Manager or members, sorted; empty unless selected.
    pub(super) links: Arc<[Uuid]>,
}

/// An object in a delta response.
pub(super) enum Entry {
    Live(Live),
    /// Removed, with Graph's reason.
    Removed(Uuid, &'static str),
}

/// An existing object.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) id: Uuid,
    /// Bit set of its properties that are `null` rather than missing if they have no value.
    pub(super) ever: u32,
    /// Whether it is new or one of its properties changed.
    pub(super) changed: bool,
    pub(super) links: Vec<Link>,
    /// Whether the previous entry has the first part of its links.
    pub(super) continues: bool,
}

/// A link that was added or removed.
#[derive(Clone, Copy)]
pub(super) struct Link {
    pub(super) id: Uuid,
    pub(super) removed: bool,
}

impl DeltaBook {
    /// Stores a round under a new id.
    pub(super) fn add(&mut self, round: Round) -> Uuid {
        let id = Uuid::new_v4();
        self.rounds.insert(id, round);
        self.order.push_back(id);
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.rounds.remove(&oldest);
        }
        id
    }

    /// Returns the round with this id, if it is still stored.
    pub(super) fn get(&self, id: Uuid) -> Option<&Round> {
        self.rounds.get(&id)
    }
}

impl Entry {
    /// Returns a copy of the entry.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Live(live) => Self::Live(live.clone()),
            Self::Removed(id, reason) => Self::Removed(*id, reason),
        }
    }
}
