//! Assigns a row to each learner: the one of the previous snapshot, or a new number.

use crate::base::ids::{ObjectId, SnapshotId, UserId};
use crate::base::rowset::RowSet;
use crate::snapshot::Lineage;
use crate::snapshot::format::Identity;

/// Rows are renumbered only if more rows than this are empty
const MANY_EMPTY: usize = 1_000;
/// and if they are more than one in this number of rows.
const SHARE_EMPTY: usize = 4;

/// One learner of the new user list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Learner {
    pub(super) id: UserId,
    pub(super) object: Option<ObjectId>,
    /// The index in the user list.
    pub(super) place: u32,
}

/// The rows of a snapshot under construction.
pub(super) struct Rows {
    pub(super) identity: Identity,
    /// Rows in ascending order of their user ids.
    pub(super) by_id: Vec<u32>,
    /// The number of rows taken over from the previous snapshot.
    pub(super) carried: u32,
    /// The row of each entry of the user list; groups have none.
    of_place: Vec<Option<u32>>,
}

impl Rows {
    /// Assigns a row to every learner; `learners` are ascending and distinct by id. `places` is the
    /// length of the user list, including groups.
    pub(super) fn assign(
        learners: &[Learner],
        places: usize,
        first: &SnapshotId,
        before: Option<Identity>,
    ) -> Self {
        before
            .and_then(|before| Self::carry_over(learners, places, before))
            .unwrap_or_else(|| Self::first_of_lineage(learners, places, first))
    }

    fn first_of_lineage(learners: &[Learner], places: usize, first: &SnapshotId) -> Self {
        let no_user = Identity {
            lineage: Lineage::begin(first.clone()),
            ids: Vec::new(),
            object_ids: Vec::new(),
            living: RowSet::new(0),
            changed_in: Vec::new(),
        };
        Self::of(no_user, &vec![None; learners.len()], learners, places)
    }

    /// Returns `None` if too many rows would be empty.
    fn carry_over(learners: &[Learner], places: usize, mut before: Identity) -> Option<Self> {
        before.lineage.step = before.lineage.step.checked_add(1)?;
        let kept = keep(learners, &before);
        let staying = kept.iter().flatten().count();
        let empty = before.ids.len() - staying;
        let rows = empty + learners.len();
        if empty > MANY_EMPTY && empty > rows / SHARE_EMPTY {
            return None;
        }
        u32::try_from(rows).ok()?;
        Some(Self::of(before, &kept, learners, places))
    }

    /// Appends rows for learners without a previous row and empties the rows that are no longer
    /// used.
    fn of(mut before: Identity, kept: &[Option<u32>], learners: &[Learner], places: usize) -> Self {
        let step = before.lineage.step;
        let carried = before.ids.len();
        let mut of_place = vec![None; places];
        let mut staying = Vec::with_capacity(kept.len());
        for (learner, kept) in learners.iter().zip(kept) {
            let row = kept.unwrap_or_else(|| {
                before.ids.push(learner.id);
                before.object_ids.push(learner.object);
                number(before.ids.len() - 1)
            });
            staying.push(row);
            of_place[learner.place as usize] = Some(row);
        }
        let mut living = RowSet::new(number(before.ids.len()));
        living.extend(staying);
        for gone in before.living.difference(&living) {
            before.changed_in[gone as usize] = step;
        }
        before.changed_in.resize(before.ids.len(), step);
        before.living = living;
        let mut by_id: Vec<u32> = (0..number(before.ids.len())).collect();
        by_id.sort_by_key(|row| before.ids[*row as usize]);
        Self {
            identity: before,
            by_id,
            carried: number(carried),
            of_place,
        }
    }

    /// Returns the number of rows, including empty ones.
    pub(super) fn len(&self) -> u32 {
        number(self.identity.ids.len())
    }

    /// Returns the row of an entry of the user list.
    pub(super) fn of_place(&self, place: u32) -> Option<u32> {
        self.of_place.get(place as usize).copied().flatten()
    }
}

/// Returns the previous row of each learner: the non-empty row with the same user id and Entra
/// object. Iterates both sides in the order of user ids.
fn keep(learners: &[Learner], before: &Identity) -> Vec<Option<u32>> {
    let mut rows: Vec<u32> = before
        .living
        .iter()
        .filter(|row| (*row as usize) < before.ids.len())
        .collect();
    rows.sort_by_key(|row| before.ids[*row as usize]);
    let mut rows = rows.into_iter().peekable();
    let row_of = |learner: &Learner| {
        while rows
            .next_if(|row| before.ids[*row as usize] < learner.id)
            .is_some()
        {}
        rows.next_if(|row| {
            let row = *row as usize;
            before.ids[row] == learner.id && before.object_ids[row] == learner.object
        })
    };
    learners.iter().map(row_of).collect()
}

/// Converts a row number. It always fits: there are at most [`super::MAX_USERS`] learners, and
/// empty rows are at most a third as many or a thousand.
fn number(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(u32::MAX)
}
