//! A sign-in that was begun: whose, for what, and where the browser goes afterwards.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::kind::ConnectionKind;
use crate::base::audit::Actor;
use crate::base::ids::{CatalogId, TenantId};

/// Longest place of the console a browser may be sent back to, in bytes.
pub const MAX_RETURN_PATH: usize = 512;

/// What the browser comes back from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "stage")]
pub enum SignInStage {
    /// The administrator signs in, to show who consents (S0-19).
    EntraSignIn,
    /// The administrator consents for the directory.
    EntraConsent,
    /// The account that is to send mail signs in.
    MailSignIn {
        /// For which catalog.
        catalog: CatalogId,
    },
}

impl SignInStage {
    /// Which kind of connection it makes.
    pub const fn kind(self) -> ConnectionKind {
        match self {
            Self::EntraSignIn | Self::EntraConsent => ConnectionKind::Entra,
            Self::MailSignIn { .. } => ConnectionKind::Mail,
        }
    }
}

/// What is stored under a state, for one use. There is nothing secret in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignInAttempt {
    /// The tenant it is for, and the only one it may connect.
    pub tenant: TenantId,
    /// Who began it.
    pub by: Actor,
    /// What the browser comes back from.
    pub stage: SignInStage,
    /// Where the console wants the browser back.
    pub return_to: ReturnPath,
    /// When it began.
    pub began: DateTime<Utc>,
}

/// A place within the console: a path, with query if need be, and never another
/// site, whatever a browser makes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReturnPath(String);

/// A text that is no place within the console.
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
        // Browsers drop tabs and line breaks, and read a backslash as a slash.
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
    /// The path, with its query.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Attack: an open redirect by the return page.
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
