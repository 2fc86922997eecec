//! The stored data of both sides, for the next run to compare with.

use serde::{Deserialize, Serialize};

use super::source::SourceDirectory;
use super::target::Platform;

/// Compression level of zstd: fast, and a tenth of the size of the JSON.
const LEVEL: i32 = 3;
/// Maximum size of a decompressed file in bytes; larger files are rejected.
const MAX_BYTES: usize = 1 << 30;

/// The data of both sides at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The directory as read.
    pub directory: SourceDirectory,
    /// The platform as read and written.
    pub platform: Platform,
}

impl Checkpoint {
    /// Serializes the checkpoint as compressed JSON.
    ///
    /// # Errors
    /// Returns the text of a serialization or compression error.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let json = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        zstd::bulk::compress(&json, LEVEL).map_err(|error| error.to_string())
    }

    /// Reads a checkpoint from compressed JSON.
    ///
    /// # Errors
    /// Returns an error text if the file is not a valid checkpoint.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let capacity = zstd::bulk::Decompressor::upper_bound(bytes).unwrap_or(MAX_BYTES);
        let json = zstd::bulk::decompress(bytes, capacity.min(MAX_BYTES));
        let json = json.map_err(|error| error.to_string())?;
        serde_json::from_slice(&json).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory_sync::testing::{person, person_id};

    #[test]
    fn it_is_read_as_it_was_written() {
        let mut stored = Checkpoint::default();
        for number in 0..500 {
            stored.directory.put(person_id(number), person(number));
        }
        stored.directory.delete(person_id(7));
        let bytes = stored.to_bytes().expect("checkpoint not serialized");
        assert!(bytes.len() < 20_000, "{}", bytes.len());
        assert_eq!(Checkpoint::from_bytes(&bytes), Ok(stored));
        assert!(Checkpoint::from_bytes(&bytes[..40]).is_err());
        assert!(Checkpoint::from_bytes(b"{}").is_err());
    }
}
