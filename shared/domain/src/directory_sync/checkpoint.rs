//! What was read of both sides, as the next run finds it.

use serde::{Deserialize, Serialize};

use super::source::SourceDirectory;
use super::target::Platform;

/// Quick, and a tenth of the JSON it is made of.
const LEVEL: i32 = 3;
/// Longer files are none of ours, in bytes.
const MAX_BYTES: usize = 1 << 30;

/// Both sides as a run left them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The directory.
    pub directory: SourceDirectory,
    /// The platform.
    pub platform: Platform,
}

impl Checkpoint {
    /// As a file.
    ///
    /// # Errors
    /// When it cannot be written, in words.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let json = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        zstd::bulk::compress(&json, LEVEL).map_err(|error| error.to_string())
    }

    /// From a file.
    ///
    /// # Errors
    /// When it is none of ours, in words.
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
        let bytes = stored.to_bytes().expect("written");
        assert!(bytes.len() < 20_000, "{}", bytes.len());
        assert_eq!(Checkpoint::from_bytes(&bytes), Ok(stored));
        assert!(Checkpoint::from_bytes(&bytes[..40]).is_err());
        assert!(Checkpoint::from_bytes(b"{}").is_err());
    }
}
