//! The directory at the end of a file: what the snapshot is and where each column stands.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::error::DecodeError;
use super::limits::{MAX_DECODED, MAX_DIRECTORY, MAX_ROWS, VERSION};
use super::names;
use crate::snapshot::{Header, Lineage};

/// What a file begins and ends with.
const MAGIC: &[u8; 6] = b"RCSNAP";
/// Magic and version.
const PREFIX: usize = MAGIC.len() + 2;
/// zstd cannot make more bytes out of one (a block of 128 KiB takes four at least).
const MAX_RATIO: u64 = 32 * 1024;

/// What the directory says. Fields a reader does not know are skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SectionTable {
    /// What the snapshot is.
    pub(super) header: Header,
    /// What its row numbers mean.
    pub(super) lineage: Lineage,
    /// Rows of people, empty ones included.
    pub(super) rows: u32,
    /// Enrolments of people the platform listed.
    pub(super) enrolments: u64,
    /// The columns in the order they stand in the file.
    pub(super) columns: Vec<Column>,
}

/// Where one column stands and how it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::snapshot) struct Column {
    /// Which one it is.
    pub(in crate::snapshot) name: String,
    /// How its content is laid out once decompressed.
    pub(in crate::snapshot) encoding: String,
    /// How many entries it has.
    pub(in crate::snapshot) entries: u64,
    /// Where it begins in the file.
    pub(super) offset: u64,
    /// Bytes in the file: one zstd frame.
    pub(in crate::snapshot) stored: u64,
    /// Bytes once decompressed.
    pub(in crate::snapshot) raw: u64,
    /// XXH3-64 of the stored bytes, 16 hexadecimal digits.
    pub(super) xxh3: String,
    /// Whether a reader that does not know the column must give up.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub(super) required: bool,
}

impl Column {
    /// Whether this program knows what it is.
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

/// The checksum of bytes, as the directory writes it.
pub(super) fn checksum(bytes: &[u8]) -> String {
    format!("{:016x}", XxHash3_64::oneshot(bytes))
}

/// What a file begins with.
pub(super) fn prefix() -> [u8; PREFIX] {
    let mut bytes = [0; PREFIX];
    bytes[..MAGIC.len()].copy_from_slice(MAGIC);
    bytes[MAGIC.len()..].copy_from_slice(&VERSION.to_le_bytes());
    bytes
}

impl SectionTable {
    /// The directory and the trailer behind it.
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

    /// Columns stand one behind the other without a gap, names are distinct,
    /// and nothing is larger than it can be.
    fn check(&self, blocks: u64) -> Result<(), DecodeError> {
        if self.rows > MAX_ROWS {
            let what = format!("it has {} rows", self.rows);
            return Err(DecodeError::TooLarge { what });
        }
        let mut names = HashSet::new();
        let (mut at, mut decoded) = (PREFIX as u64, 0u64);
        for column in &self.columns {
            if !names.insert(&column.name) {
                return Err(wrong(&column.name, "is there twice"));
            }
            if column.offset != at {
                return Err(wrong(
                    &column.name,
                    "does not begin where the one before ends",
                ));
            }
            at = at.saturating_add(column.stored);
            if column.raw > column.stored.saturating_mul(MAX_RATIO) {
                return Err(wrong(&column.name, "declares more than its bytes can hold"));
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
