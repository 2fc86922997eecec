//! A group's members as last known, small enough to keep beside the profile.
//!
//! Bytes: `RCM1`, then XXH3-64 of all that follows, the length of the head
//! (u32), the head as JSON, the rows; numbers are little-endian. The head says
//! which form of the rows was the smaller one: `bits` is zstd of the bitmap, a
//! bit a row, lowest first; `gaps` is one LEB128 number for each member, how
//! many rows lie between it and the member before it.

mod edits;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::diff::{Accounts, GroupMembers};
use crate::base::ids::{ObjectId, SnapshotId};
use crate::base::rowset::RowSet;
use crate::snapshot::Snapshot;

pub use edits::ManualEdits;

/// So long kept members stand for the group itself: what people edit in Entra by
/// hand is found within a day.
pub const TRUSTED_FOR: TimeDelta = TimeDelta::hours(24);
/// More members than this who are no learners, or whose change failed, are not
/// kept: the record would grow without bound, and such a group is about to change
/// anyway.
pub const MAX_STRANGERS: usize = 1_000;
/// The largest record, in bytes; the state table takes 400 KB in an item.
pub const MAX_BYTES: usize = 320 * 1_024;
/// Rows a record may range over: as many as a snapshot may have.
const MAX_ROWS: u32 = 1 << 24;
const MAGIC: &[u8; 4] = b"RCM1";
const LEVEL: i32 = 3;

/// The members of one group as they were known to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptMembers {
    /// What its row numbers mean: the first snapshot of the lineage.
    pub lineage: SnapshotId,
    /// The group.
    pub group: ObjectId,
    /// The stored version of the profile it was managed under. Between another
    /// version and this one nobody may have managed it.
    pub profile_version: u64,
    /// Who is in it.
    pub members: GroupMembers,
    /// The slot of the run that last read the group in full.
    pub read_at: DateTime<Utc>,
    /// Whose last change failed, and so may have been made all the same: `members`
    /// says that it was not. That holds no longer than every plan tries it again.
    pub unsure: BTreeSet<ObjectId>,
}

/// Bytes that are no record, or not the one that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the kept members are damaged: {0}")]
pub struct Damaged(&'static str);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Head {
    lineage: SnapshotId,
    group: ObjectId,
    profile_version: u64,
    read_at: DateTime<Utc>,
    /// The rows the set ranges over.
    rows: u32,
    form: RowEncoding,
    users: BTreeSet<ObjectId>,
    others: BTreeSet<ObjectId>,
    unsure: BTreeSet<ObjectId>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RowEncoding {
    Bits,
    Gaps,
}

impl KeptMembers {
    /// Whether a run at this moment may take them for the group's: managed under
    /// the same version of the profile, read recently enough. A run `by_hand`
    /// wants the truth and takes only what was read for its own slot, by an
    /// earlier invocation.
    pub fn is_fresh_for(&self, profile_version: u64, at: DateTime<Utc>, by_hand: bool) -> bool {
        let age = at - self.read_at;
        let recent = age > -TRUSTED_FOR && age < TRUSTED_FOR;
        self.profile_version == profile_version && recent && !(by_hand && age > TimeDelta::zero())
    }

    /// The members by the rows of a snapshot; `None` when rows mean other people there.
    pub fn rebase_on(&self, snapshot: &Snapshot, accounts: &Accounts) -> Option<GroupMembers> {
        let people = &snapshot.people;
        if self.lineage != people.lineage.first || self.members.rows.universe() > people.rows() {
            return None;
        }
        let mut members = GroupMembers::none(snapshot);
        members.rows.union(&self.members.rows);
        members.others.clone_from(&self.members.others);
        // Who was a stranger may have become a learner since.
        for user in &self.members.users {
            match accounts.row(*user) {
                Some(row) => members.rows.insert(row),
                None => {
                    members.users.insert(*user);
                }
            }
        }
        accounts.canonicalize(&mut members.rows);
        Some(members)
    }

    /// The record; `None` when it would be too large to keep.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let members = &self.members;
        let strangers = members.users.len() + members.others.len() + self.unsure.len();
        if strangers > MAX_STRANGERS || members.rows.universe() > MAX_ROWS {
            return None;
        }
        let (form, rows) = smaller(&members.rows)?;
        let head = serde_json::to_vec(&Head {
            lineage: self.lineage.clone(),
            group: self.group,
            profile_version: self.profile_version,
            read_at: self.read_at,
            rows: members.rows.universe(),
            form,
            users: members.users.clone(),
            others: members.others.clone(),
            unsure: self.unsure.clone(),
        })
        .ok()?;
        let mut body = u32::try_from(head.len()).ok()?.to_le_bytes().to_vec();
        body.extend_from_slice(&head);
        body.extend_from_slice(&rows);
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&XxHash3_64::oneshot(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        (bytes.len() <= MAX_BYTES).then_some(bytes)
    }

    /// Reads a record.
    ///
    /// # Errors
    /// When a byte is not as it was written; the group must be read instead.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Damaged> {
        let cut = Damaged("they end too early");
        let rest = bytes
            .strip_prefix(MAGIC)
            .ok_or(Damaged("they do not begin with RCM1"))?;
        let (sum, body) = rest.split_first_chunk::<8>().ok_or(cut)?;
        if XxHash3_64::oneshot(body) != u64::from_le_bytes(*sum) {
            return Err(Damaged("their checksum does not match"));
        }
        let (length, rest) = body.split_first_chunk::<4>().ok_or(cut)?;
        let (head, rows) = rest
            .split_at_checked(u32::from_le_bytes(*length) as usize)
            .ok_or(cut)?;
        let head: Head =
            serde_json::from_slice(head).map_err(|_| Damaged("their head is unreadable"))?;
        let rows = (head.rows <= MAX_ROWS)
            .then(|| match head.form {
                RowEncoding::Bits => from_bits(rows, head.rows),
                RowEncoding::Gaps => from_gaps(rows, head.rows),
            })
            .flatten()
            .ok_or(Damaged("their rows do not fit"))?;
        Ok(Self {
            lineage: head.lineage,
            group: head.group,
            members: GroupMembers {
                rows,
                users: head.users,
                others: head.others,
            },
            profile_version: head.profile_version,
            read_at: head.read_at,
            unsure: head.unsure,
        })
    }
}

/// The smaller of the two forms.
fn smaller(rows: &RowSet) -> Option<(RowEncoding, Vec<u8>)> {
    let plain: Vec<u8> = rows
        .words()
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    let bits = zstd::bulk::compress(&plain, LEVEL).ok()?;
    // A gap takes a byte at least.
    if rows.len() < bits.len() {
        let gaps = gaps(rows);
        if gaps.len() < bits.len() {
            return Some((RowEncoding::Gaps, gaps));
        }
    }
    Some((RowEncoding::Bits, bits))
}

fn gaps(rows: &RowSet) -> Vec<u8> {
    let (mut bytes, mut next) = (Vec::new(), 0);
    for row in rows.iter() {
        let mut gap = row - next;
        next = row + 1;
        loop {
            let low = u8::try_from(gap & 0x7f).unwrap_or_default();
            gap >>= 7;
            if gap == 0 {
                bytes.push(low);
                break;
            }
            bytes.push(low | 0x80);
        }
    }
    bytes
}

fn from_gaps(bytes: &[u8], rows: u32) -> Option<RowSet> {
    let mut set = RowSet::new(rows);
    let (mut next, mut gap, mut shift) = (0u32, 0u32, 0);
    for byte in bytes {
        // Five groups of seven bits hold every row; more are not ours.
        gap |= u32::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            let row = next.checked_add(gap).filter(|row| *row < rows)?;
            set.insert(row);
            (next, gap, shift) = (row + 1, 0, 0);
        }
    }
    (shift == 0).then_some(set)
}

fn from_bits(bytes: &[u8], rows: u32) -> Option<RowSet> {
    let size = (rows as usize).div_ceil(64) * 8;
    let plain = zstd::bulk::decompress(bytes, size).ok()?;
    let (words, rest) = plain.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
    RowSet::from_words(words, rows).filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests;
