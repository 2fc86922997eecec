//! The members of a group as last known, small enough to be stored with the profile.
//!
//! Format: `RCM1`, then XXH3-64 of all following bytes, the length of the head (u32), the head as
//! JSON, and the rows; numbers are little-endian. The head names the encoding of the rows, of which
//! the smaller one is used: `bits` is the zstd-compressed bitmap with one bit per row, lowest
//! first; `gaps` is one LEB128 number per member, the number of rows between it and the previous
//! member.

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

/// Time for which stored members are used instead of the group. Manual edits in Entra are therefore
/// detected within a day.
pub const TRUSTED_FOR: TimeDelta = TimeDelta::hours(24);
/// A record with more members than this that are not learners, or whose change failed, is not
/// stored: it would grow without bound, and the group is about to change anyway.
pub const MAX_STRANGERS: usize = 1_000;
/// Maximum size of a record in bytes; the state table accepts 400 KB per item.
pub const MAX_BYTES: usize = 320 * 1_024;
/// Maximum number of rows a record may range over, the same as for a snapshot.
const MAX_ROWS: u32 = 1 << 24;
const MAGIC: &[u8; 4] = b"RCM1";
const LEVEL: i32 = 3;

/// The members of one group as last known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedMembers {
    /// The first snapshot of the lineage, which defines the row numbers.
    pub lineage: SnapshotId,
    /// The group.
    pub group: ObjectId,
    /// The stored version of the profile for which the group was managed. Between two different
    /// versions, the group may have been unmanaged.
    pub profile_version: u64,
    /// The members.
    pub members: GroupMembers,
    /// Slot of the run that last read the group completely.
    pub read_at: DateTime<Utc>,
    /// Members whose last change failed and may nevertheless have been applied; `members` assumes
    /// that it was not. This is safe as long as every plan repeats the change.
    pub unconfirmed: BTreeSet<ObjectId>,
}

/// The error for bytes that are not a valid record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored members are damaged: {0}")]
pub struct Damaged(&'static str);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    lineage: SnapshotId,
    group: ObjectId,
    profile_version: u64,
    read_at: DateTime<Utc>,
    /// Number of rows in the range of the set.
    rows: u32,
    form: RowEncoding,
    users: BTreeSet<ObjectId>,
    others: BTreeSet<ObjectId>,
    #[serde(rename = "unsure")]
    unconfirmed: BTreeSet<ObjectId>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RowEncoding {
    Bits,
    Gaps,
}

impl RecordedMembers {
    /// Returns true if a run at this time may use the stored members: same version of the profile
    /// and read recently. A manual run bypasses stored members, except those that an earlier
    /// invocation read for the same slot.
    pub fn is_fresh_for(&self, profile_version: u64, at: DateTime<Utc>, by_hand: bool) -> bool {
        let age = at - self.read_at;
        let recent = age > -TRUSTED_FOR && age < TRUSTED_FOR;
        self.profile_version == profile_version && recent && !(by_hand && age > TimeDelta::zero())
    }

    /// Returns the members by the rows of a snapshot; `None` if row numbers have another meaning
    /// there.
    pub fn rebase_on(&self, snapshot: &Snapshot, accounts: &Accounts) -> Option<GroupMembers> {
        let people = &snapshot.people;
        if self.lineage != people.lineage.first || self.members.rows.universe() > people.rows() {
            return None;
        }
        let mut members = GroupMembers::none(snapshot);
        members.rows.union(&self.members.rows);
        members.others.clone_from(&self.members.others);
        // A user unknown to the LMS may have become a learner since.
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

    /// Encodes the record; `None` if it would be too large to store.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let members = &self.members;
        let strangers = members.users.len() + members.others.len() + self.unconfirmed.len();
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
            unconfirmed: self.unconfirmed.clone(),
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

    /// Decodes a record.
    ///
    /// # Errors
    /// If any byte was changed; the group must then be read instead.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Damaged> {
        let cut = Damaged("the data ends too early");
        let rest = bytes
            .strip_prefix(MAGIC)
            .ok_or(Damaged("the data does not begin with RCM1"))?;
        let (sum, body) = rest.split_first_chunk::<8>().ok_or(cut)?;
        if XxHash3_64::oneshot(body) != u64::from_le_bytes(*sum) {
            return Err(Damaged("the checksum does not match"));
        }
        let (length, rest) = body.split_first_chunk::<4>().ok_or(cut)?;
        let (head, rows) = rest
            .split_at_checked(u32::from_le_bytes(*length) as usize)
            .ok_or(cut)?;
        let head: Head =
            serde_json::from_slice(head).map_err(|_| Damaged("the head is invalid"))?;
        let rows = (head.rows <= MAX_ROWS)
            .then(|| match head.form {
                RowEncoding::Bits => from_bits(rows, head.rows),
                RowEncoding::Gaps => from_gaps(rows, head.rows),
            })
            .flatten()
            .ok_or(Damaged("the rows are invalid"))?;
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
            unconfirmed: head.unconfirmed,
        })
    }
}

/// Returns the rows in the smaller of the two encodings.
fn smaller(rows: &RowSet) -> Option<(RowEncoding, Vec<u8>)> {
    let plain: Vec<u8> = rows
        .words()
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    let bits = zstd::bulk::compress(&plain, LEVEL).ok()?;
    // A gap takes at least one byte.
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
        // Five groups of seven bits can hold every row; longer numbers are invalid.
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
