//! Short hashes of longer values.

use sha2::{Digest, Sha256};

/// Returns the first eight bytes of the SHA-256 as hexadecimal: unique among thousands of values.
pub(super) fn short_hash(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes)[..8])
}
