//! Delta and skip tokens: round, position and scope; opaque to clients.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::error::GraphError;
use super::options::Options;

/// The content of a token.
#[derive(Serialize, Deserialize)]
pub(super) struct Token {
    #[serde(rename = "r")]
    pub(super) round: Uuid,
    /// Index of the first entry of the skip token's page.
    #[serde(rename = "p")]
    pub(super) at: usize,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(super) select: Option<String>,
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub(super) filter: Option<String>,
}

impl Token {
    /// Creates a token for a position in a round.
    pub(super) fn of(round: Uuid, at: usize, options: &Options) -> Self {
        Self {
            round,
            at,
            select: options.select.clone(),
            filter: options.filter.clone(),
        }
    }

    /// Parses one of our tokens.
    pub(super) fn parse(text: &str) -> Result<Self, GraphError> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
        let token = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        token.ok_or_else(badly_formed)
    }

    /// Returns the encoded token.
    pub(super) fn text(&self) -> String {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// Returns the error for an invalid token.
pub(super) fn badly_formed() -> GraphError {
    GraphError::bad("Badly formed token.")
}
