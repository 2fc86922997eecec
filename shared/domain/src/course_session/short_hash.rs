//! Short names derived from longer ones.

use sha2::{Digest, Sha256};

/// The first eight bytes of a SHA-256 as hexadecimal: enough to tell thousands apart.
pub(super) fn short_hash(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes)[..8])
}
