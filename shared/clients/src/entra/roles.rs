//! Reads the permission names in an app-only token, as a hint for administrators only.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::AccessToken;

/// A list with more names than this is not a list of permissions.
const MOST_NAMES: usize = 100;
/// Maximum length of a permission name.
const LONGEST_NAME: usize = 100;

/// Returns the names in the token, sorted; `None` if it cannot be read.
///
/// Microsoft documents access tokens for Graph as opaque and not to be parsed. There is no other
/// way for an app to learn its permissions without a further permission, so the names are read on a
/// best-effort basis, and their absence is not an error (decision 0011).
pub(crate) fn roles_named_in(token: &AccessToken) -> Option<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Payload {
        /// Microsoft omits it if no permission was granted.
        #[serde(default)]
        roles: Vec<String>,
    }
    let payload = token.secret().expose().split('.').nth(1)?;
    let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
    let Payload { roles } = serde_json::from_slice(&payload).ok()?;
    let all_names = roles.len() <= MOST_NAMES && roles.iter().all(|name| is_name(name));
    all_names.then(|| roles.into_iter().collect())
}

/// Returns whether a text looks like a permission name, such as `User.Read.All`; no other content
/// of a token is ever displayed.
fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (1..=LONGEST_NAME).contains(&text.len()) && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::http::Secret;

    fn named(payload: &str) -> Option<Vec<String>> {
        let payload = BASE64_URL_SAFE_NO_PAD.encode(payload);
        read(&format!("head.{payload}.signature"))
    }

    fn read(token: &str) -> Option<Vec<String>> {
        let token = AccessToken::new(Secret::new(token), Duration::ZERO);
        roles_named_in(&token).map(|roles| roles.into_iter().collect())
    }

    #[test]
    fn names_are_read_where_there_are_names() {
        let token = r#"{"tid":"x","roles":["User.Read.All","Group.ReadWrite.All"]}"#;
        let names = ["Group.ReadWrite.All", "User.Read.All"].map(str::to_owned);
        assert_eq!(named(token), Some(names.into()));
        assert_eq!(named("{}"), Some(Vec::new()), "permissions were invented");
    }

    #[test]
    fn anything_else_is_no_hint() {
        for token in ["opaque", "a.b.c", "", "..", "a.e30"] {
            let found = read(token);
            assert!(found.is_none_or(|names| names.is_empty()), "{token}");
        }
        assert_eq!(named(r#"{"roles":["<script>"]}"#), None);
        assert_eq!(named(r#"{"roles":"User.Read.All"}"#), None);
        assert_eq!(
            named(&format!(r#"{{"roles":["{}"]}}"#, "x".repeat(101))),
            None
        );
    }
}
