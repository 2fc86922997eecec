//! A snapshot as bytes: magic, version, checksum, then zstd over postcard.
//!
//! A reader refuses what it does not know, and a damaged file is an error,
//! never a smaller tenant.

use std::io::Read;

use sha2::{Digest, Sha256};

use super::Snapshot;

const MAGIC: &[u8; 6] = b"RCSNAP";
/// The version this code writes and the only one it reads.
pub const VERSION: u16 = 1;
const CHECKSUM: usize = 32;
const PREFIX: usize = MAGIC.len() + 2 + CHECKSUM;
const LEVEL: i32 = 3;
/// A decoded snapshot may not be larger than this (a million users with twenty
/// enrolments each need about 900 MB in this form): a forged file cannot fill the memory.
const MAX_DECODED: u64 = 2 << 30;

/// Why bytes are no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not one of our files.
    #[error("this is not a snapshot: it does not begin with RCSNAP")]
    NotASnapshot,
    /// Written by another version.
    #[error("the snapshot has format version {found}, this program reads version {VERSION}")]
    Version {
        /// The version found.
        found: u16,
    },
    /// Bytes changed since they were written.
    #[error("the snapshot is damaged: its checksum does not match")]
    Checksum,
    /// Compression is broken.
    #[error("the snapshot cannot be decompressed")]
    Compression(#[source] std::io::Error),
    /// Larger than any real one.
    #[error("the snapshot is larger than {MAX_DECODED} bytes when decoded")]
    TooLarge,
    /// The content does not parse.
    #[error("the snapshot cannot be decoded")]
    Content(#[source] postcard::Error),
    /// Columns contradict each other.
    #[error("the snapshot is inconsistent: column {0} does not fit the people it describes")]
    Inconsistent(String),
}

/// Encodes the snapshot.
///
/// # Errors
/// Only if serialisation or compression runs out of memory.
pub fn encode(snapshot: &Snapshot) -> std::io::Result<Vec<u8>> {
    let plain = postcard::to_stdvec(snapshot).map_err(std::io::Error::other)?;
    let body = zstd::bulk::compress(&plain, LEVEL)?;
    let mut bytes = Vec::with_capacity(PREFIX + body.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&Sha256::digest(&body));
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

/// Decodes a snapshot and checks that its parts fit together.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(bytes: &[u8]) -> Result<Snapshot, DecodeError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(DecodeError::NotASnapshot)?;
    let (version, rest) = rest
        .split_first_chunk::<2>()
        .ok_or(DecodeError::NotASnapshot)?;
    let found = u16::from_le_bytes(*version);
    if found != VERSION {
        return Err(DecodeError::Version { found });
    }
    let (checksum, body) = rest
        .split_first_chunk::<CHECKSUM>()
        .ok_or(DecodeError::Checksum)?;
    if Sha256::digest(body).as_slice() != checksum {
        return Err(DecodeError::Checksum);
    }
    let mut plain = Vec::new();
    zstd::stream::Decoder::new(body)
        .map_err(DecodeError::Compression)?
        .take(MAX_DECODED + 1)
        .read_to_end(&mut plain)
        .map_err(DecodeError::Compression)?;
    if plain.len() as u64 > MAX_DECODED {
        return Err(DecodeError::TooLarge);
    }
    let snapshot: Snapshot = postcard::from_bytes(&plain).map_err(DecodeError::Content)?;
    consistent(&snapshot)?;
    Ok(snapshot)
}

fn consistent(snapshot: &Snapshot) -> Result<(), DecodeError> {
    let people = &snapshot.people;
    let rows = people.ids.len();
    let wrong = |name: &str| Err(DecodeError::Inconsistent(name.to_owned()));
    if !people.ids.is_sorted() {
        return wrong("ids");
    }
    if people.object_ids.len() != rows {
        return wrong("object ids");
    }
    for (source, column) in &people.texts {
        if !column.is_sound(rows) {
            return wrong(&format!("{source:?}"));
        }
    }
    for (source, column) in &people.dates {
        if column.len() != rows {
            return wrong(&format!("{source:?} (dates)"));
        }
    }
    if !snapshot.enrolments.is_sound(people.count()) {
        return wrong("enrolments");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    fn sample() -> Snapshot {
        let mut world = World::new();
        world.person("Ada").with("city", "Denver");
        world.person("Grace").with("city", "Oslo");
        world.course("Security 101");
        world.completed("Ada", "Security 101", "2026-01-01");
        world.snapshot()
    }

    #[test]
    fn what_is_written_is_read() {
        let snapshot = sample();
        let bytes = encode(&snapshot).expect("encodes");
        assert_eq!(decode(&bytes).expect("decodes"), snapshot);
    }

    #[test]
    fn every_damaged_byte_is_noticed() {
        let bytes = encode(&sample()).expect("encodes");
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x55;
            assert!(decode(&damaged).is_err(), "byte {at}");
        }
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "cut to {length}");
        }
    }

    #[test]
    fn a_newer_version_is_refused_by_name() {
        let mut bytes = encode(&sample()).expect("encodes");
        bytes[6] = 9;
        let error = decode(&bytes).expect_err("unknown version").to_string();
        assert_eq!(
            error,
            "the snapshot has format version 9, this program reads version 1"
        );
    }
}
