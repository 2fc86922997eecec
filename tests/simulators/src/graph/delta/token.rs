//! Delta and skip tokens: a round, a place in it, and what it follows; opaque to clients.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::error::GraphError;
use super::options::Options;

/// What a token carries.
#[derive(Serialize, Deserialize)]
pub(super) struct Token {
    #[serde(rename = "r")]
    pub(super) round: Uuid,
    /// First entry of the page a skip token leads to.
    #[serde(rename = "p")]
    pub(super) at: usize,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(super) select: Option<String>,
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub(super) filter: Option<String>,
}

impl Token {
    /// The token that leads to a place in a round.
    pub(super) fn of(round: Uuid, at: usize, options: &Options) -> Self {
        Self {
            round,
            at,
            select: options.select.clone(),
            filter: options.filter.clone(),
        }
    }

    /// Reads a token of ours.
    pub(super) fn parse(text: &str) -> Result<Self, GraphError> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
        let token = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        token.ok_or_else(badly_formed)
    }

    /// The wire form.
    pub(super) fn text(&self) -> String {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// The refusal of a token that is none of ours.
pub(super) fn badly_formed() -> GraphError {
    GraphError::bad("Badly formed token.")
}
