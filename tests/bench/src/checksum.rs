//! Compares sets of members by their number and a hash of their ids.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The checksum of the members of one profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// The number of members.
    pub members: u64,
    /// The first 16 hex digits of SHA-256 over the ids (16 bytes each) in ascending order.
    pub sha256: String,
}

impl Checksum {
    /// Returns the checksum of ids in ascending order.
    pub fn of(ids: impl Iterator<Item = [u8; 16]>) -> Self {
        let (mut hasher, mut members) = (Sha256::new(), 0);
        for id in ids {
            hasher.update(id);
            members += 1;
        }
        Self {
            members,
            sha256: hex::encode(&hasher.finalize()[..8]),
        }
    }
}

/// Returns the profiles (counted from 1) whose members differ, as sentences.
pub fn differences(expected: &[Checksum], found: &[Checksum]) -> Vec<String> {
    if expected.len() != found.len() {
        return vec![format!(
            "{} profiles were expected, {} found",
            expected.len(),
            found.len()
        )];
    }
    let pairs = expected.iter().zip(found).enumerate();
    pairs
        .filter(|(_, (expected, found))| expected != found)
        .map(|(place, (expected, found))| {
            format!(
                "profile {}: {} members ({}), ours has {} ({})",
                place + 1,
                found.members,
                found.sha256,
                expected.members,
                expected.sha256
            )
        })
        .collect()
}
