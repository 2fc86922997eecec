//! A sign-in attempt: tenant, actor, stage, and where the browser returns to.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::kind::ConnectionKind;
use crate::base::audit::Actor;
use crate::base::ids::{CatalogId, TenantId};

/// Maximum length of a return path in bytes.
pub const MAX_RETURN_PATH: usize = 512;

/// The stage of a sign-in from which the browser returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "stage")]
pub enum SignInStage {
    /// The administrator signs in, to prove who consents (S0-19).
    EntraSignIn,
    /// The administrator consents for the directory.
    EntraConsent,
    /// The account that will send mail signs in.
    MailSignIn {
        /// The catalog to connect.
        catalog: CatalogId,
    },
}

impl SignInStage {
    /// Returns the kind of connection that the stage creates.
    pub const fn kind(self) -> ConnectionKind {
        match self {
            Self::EntraSignIn | Self::EntraConsent => ConnectionKind::Entra,
            Self::MailSignIn { .. } => ConnectionKind::Mail,
        }
    }
}

/// The data stored under an OAuth state, for one use. It contains no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignInAttempt {
    /// The only tenant that the attempt may connect.
    pub tenant: TenantId,
    /// The user who started the attempt.
    pub by: Actor,
    /// The stage from which the browser returns.
    pub stage: SignInStage,
    /// The path of the console to return to.
    pub return_to: ReturnPath,
    /// Start of the attempt.
    pub began: DateTime<Utc>,
}

/// A path of the console, optionally with a query; never a URL of another site, however a browser
/// parses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReturnPath(String);

/// Error for a text that is not a path of the console.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a path of the console that begins with one slash, such as /settings/connections, of printable ASCII without backslashes"
)]
pub struct NoReturnPath;

impl Default for ReturnPath {
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl TryFrom<String> for ReturnPath {
    type Error = NoReturnPath;

    fn try_from(text: String) -> Result<Self, NoReturnPath> {
        let one_slash = text.starts_with('/') && !text[1..].starts_with('/');
        // Browsers drop tabs and line breaks, and treat a backslash as a slash.
        let plain = text.bytes().all(|c| c.is_ascii_graphic() && c != b'\\');
        if one_slash && plain && text.len() <= MAX_RETURN_PATH && !text.contains('#') {
            Ok(Self(text))
        } else {
            Err(NoReturnPath)
        }
    }
}

impl From<ReturnPath> for String {
    fn from(path: ReturnPath) -> Self {
        path.0
    }
}

impl ReturnPath {
    /// Returns the path with its query.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Attack: an open redirect through the return path.
    #[test]
    fn the_way_back_leads_nowhere_else() {
        for fine in ["/", "/settings", "/a/b?c=d&e=%2F%2Fx", "/@x", "/a//b"] {
            assert!(ReturnPath::try_from(fine.to_owned()).is_ok(), "{fine}");
        }
        for wrong in [
            "",
            "settings",
            "//evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/a\nb",
            "/a b",
            "/ü",
            "/a#b",
            &format!("/{}", "a".repeat(MAX_RETURN_PATH)),
        ] {
            assert!(ReturnPath::try_from(wrong.to_owned()).is_err(), "{wrong:?}");
            assert!(serde_json::from_value::<ReturnPath>(wrong.into()).is_err());
        }
    }
}
