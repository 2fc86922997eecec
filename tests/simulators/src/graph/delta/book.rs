//! What delta tokens stand for: rounds of pages, and the directory as each round left it.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use uuid::Uuid;

use super::options::Which;

/// Rounds a tenant remembers; tokens of older ones are answered as expired.
const KEPT: usize = 100;

/// The rounds of one tenant.
#[derive(Default)]
pub(crate) struct DeltaBook {
    rounds: HashMap<Uuid, Round>,
    order: VecDeque<Uuid>,
}

/// One delta answer with all its pages.
pub(super) struct Round {
    pub(super) which: Which,
    pub(super) entries: Vec<Entry>,
    /// What the client knows after the last page.
    pub(super) snapshot: Arc<Snapshot>,
}

/// The followed part of the directory at one moment.
#[derive(Default)]
pub(super) struct Snapshot {
    pub(super) live: HashMap<Uuid, Known>,
    /// Objects that can still be restored.
    pub(super) soft: BTreeSet<Uuid>,
}

/// What is remembered of one object.
#[derive(Clone)]
pub(super) struct Known {
    /// Of the values of the selected properties.
    pub(super) hash: u64,
    /// Which of the selected properties had a value since the first round, by place.
    pub(super) ever: u32,
    /// Manager or members, in order; empty unless selected.
    pub(super) links: Arc<[Uuid]>,
}

/// An object in a delta answer.
pub(super) enum Entry {
    Live(Live),
    /// Gone, with Graph's reason.
    Removed(Uuid, &'static str),
}

/// An object that is there.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) id: Uuid,
    /// Which of its properties are `null` rather than absent when they have no value.
    pub(super) ever: u32,
    /// It is new, or one of its properties changed.
    pub(super) changed: bool,
    pub(super) links: Vec<Link>,
    /// The entry before has the first part of its links.
    pub(super) continues: bool,
}

/// A link that was added or removed.
#[derive(Clone, Copy)]
pub(super) struct Link {
    pub(super) id: Uuid,
    pub(super) removed: bool,
}

impl DeltaBook {
    /// Keeps a round under a new id.
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

    /// The round of this id, if it is remembered.
    pub(super) fn get(&self, id: Uuid) -> Option<&Round> {
        self.rounds.get(&id)
    }
}

impl Entry {
    /// The same once more.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Live(live) => Self::Live(live.clone()),
            Self::Removed(id, reason) => Self::Removed(*id, reason),
        }
    }
}
