//! The section table, called directory in the format: it is at the end of a file and contains the
//! identity of the snapshot and the position of each column.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::error::DecodeError;
use super::limits::{MAX_DECODED, MAX_DIRECTORY, MAX_ROWS, VERSION};
use super::names;
use crate::snapshot::{Header, Lineage};

/// The first and last bytes of a file.
const MAGIC: &[u8; 6] = b"RCSNAP";
/// The length of magic and version in bytes.
const PREFIX: usize = MAGIC.len() + 2;
/// The highest compression ratio of zstd (a block of 128 KiB takes at least four bytes).
const MAX_RATIO: u64 = 32 * 1024;

/// The directory of a file. Unknown fields are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SectionTable {
    /// Identity and time of the snapshot.
    pub(super) header: Header,
    /// The lineage that defines the row numbers.
    pub(super) lineage: Lineage,
    /// The number of rows of learners, including empty ones.
    pub(super) rows: u32,
    /// The number of learner enrolments that the platform listed.
    pub(super) enrolments: u64,
    /// The columns in file order.
    pub(super) columns: Vec<Column>,
}

/// Position and encoding of one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::snapshot) struct Column {
    /// The name of the column.
    pub(in crate::snapshot) name: String,
    /// The layout of its decompressed content.
    pub(in crate::snapshot) encoding: String,
    /// The number of entries.
    pub(in crate::snapshot) entries: u64,
    /// The offset in the file in bytes.
    pub(super) offset: u64,
    /// The size in the file in bytes: one zstd frame.
    pub(in crate::snapshot) stored: u64,
    /// The decompressed size in bytes.
    pub(in crate::snapshot) raw: u64,
    /// XXH3-64 of the stored bytes, 16 hexadecimal digits.
    pub(super) xxh3: String,
    /// True if a reader that does not know the column must reject the file.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub(super) required: bool,
}

impl Column {
    /// Returns true if this program knows the column.
    pub(in crate::snapshot) fn is_known(&self) -> bool {
        names::kind(&self.name).is_some()
    }
}

fn yes() -> bool {
    true
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_true(value: &bool) -> bool {
    *value
}

/// Returns the checksum of bytes in the form of the directory.
pub(super) fn checksum(bytes: &[u8]) -> String {
    format!("{:016x}", XxHash3_64::oneshot(bytes))
}

/// Returns the first bytes of a file.
pub(super) fn prefix() -> [u8; PREFIX] {
    let mut bytes = [0; PREFIX];
    bytes[..MAGIC.len()].copy_from_slice(MAGIC);
    bytes[MAGIC.len()..].copy_from_slice(&VERSION.to_le_bytes());
    bytes
}

impl SectionTable {
    /// Returns the directory and the trailer that follows it.
    pub(super) fn to_bytes(&self) -> std::io::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self)?;
        let length = u32::try_from(bytes.len())
            .ok()
            .filter(|length| *length <= MAX_DIRECTORY)
            .ok_or_else(|| std::io::Error::other("the snapshot has too many columns"))?;
        let sum = XxHash3_64::oneshot(&bytes);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes.extend_from_slice(MAGIC);
        Ok(bytes)
    }

    /// Reads and checks the directory of a file.
    pub(super) fn read(file: &[u8]) -> Result<Self, DecodeError> {
        let rest = file.strip_prefix(MAGIC).ok_or(DecodeError::NotASnapshot)?;
        let (version, rest) = rest.split_first_chunk().ok_or(DecodeError::Cut)?;
        let found = u16::from_le_bytes(*version);
        if found != VERSION {
            return Err(DecodeError::Version { found });
        }
        let (rest, magic) = rest.split_last_chunk().ok_or(DecodeError::Cut)?;
        if magic != MAGIC {
            return Err(DecodeError::Cut);
        }
        let (rest, sum) = rest.split_last_chunk().ok_or(DecodeError::Cut)?;
        let (rest, length) = rest.split_last_chunk().ok_or(DecodeError::Cut)?;
        let length = u32::from_le_bytes(*length);
        if length > MAX_DIRECTORY {
            let what = format!("the directory has {length} bytes");
            return Err(DecodeError::TooLarge { what });
        }
        let at = rest.len().checked_sub(length as usize);
        let (blocks, json) = rest.split_at(at.ok_or(DecodeError::DirectoryChecksum)?);
        if XxHash3_64::oneshot(json) != u64::from_le_bytes(*sum) {
            return Err(DecodeError::DirectoryChecksum);
        }
        let directory: Self = serde_json::from_slice(json)
            .map_err(|error| DecodeError::Directory(error.to_string()))?;
        directory.check(blocks.len() as u64)?;
        Ok(directory)
    }

    /// Checks that columns are contiguous, names are distinct and no size exceeds its limit.
    fn check(&self, blocks: u64) -> Result<(), DecodeError> {
        if self.rows > MAX_ROWS {
            let what = format!("it has {} rows", self.rows);
            return Err(DecodeError::TooLarge { what });
        }
        let mut names = HashSet::new();
        let (mut at, mut decoded) = (PREFIX as u64, 0u64);
        for column in &self.columns {
            if !names.insert(&column.name) {
                return Err(wrong(&column.name, "is listed twice"));
            }
            if column.offset != at {
                return Err(wrong(
                    &column.name,
                    "does not begin where the previous one ends",
                ));
            }
            at = at.saturating_add(column.stored);
            if column.raw > column.stored.saturating_mul(MAX_RATIO) {
                return Err(wrong(
                    &column.name,
                    "declares more bytes than its data can contain",
                ));
            }
            decoded = decoded.saturating_add(column.raw);
            if decoded > MAX_DECODED {
                let what = format!("column {} ends at {decoded} bytes decoded", column.name);
                return Err(DecodeError::TooLarge { what });
            }
        }
        if at != PREFIX as u64 + blocks {
            let what = "the columns do not fill the file up to the directory";
            return Err(DecodeError::Directory(what.to_owned()));
        }
        Ok(())
    }
}

fn wrong(column: &str, what: &str) -> DecodeError {
    DecodeError::Directory(format!("column {column} {what}"))
}
