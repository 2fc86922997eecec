//! Validates pasted credentials and compares the permissions of the app registration.
//!
//! Error texts never contain the secret.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::base::problem::Problem;

/// Maximum length of a client secret in characters; Entra creates 40.
pub const MAX_SECRET: usize = 512;
/// Maximum length of an API key in characters.
pub const MAX_API_KEY: usize = 1_024;

/// Maximum length of a SCIM token in characters; some are JWTs.
pub const MAX_TOKEN: usize = 4_096;

/// Hint for a secret id that was copied instead of the secret's value (S4-030).
pub const SECRET_ID_HINT: &str = "this is the Secret ID; do not copy the Secret ID but the Value, which will contain letters, numbers and characters";

/// Application permissions of Microsoft Graph that the Assigner needs, by their real names (S4-027,
/// C-12): to read users, and to read and write groups and their members (S4-018).
pub const REQUIRED: [&str; 3] = [
    "User.Read.All",
    "Group.ReadWrite.All",
    "GroupMember.ReadWrite.All",
];

/// Larger permissions that include a required one. Sources: Microsoft's table of permissions per
/// call (devx-content, permissions.json of 2026-08-07) and the pages of the calls
/// (group-post-members, group-update, user-list). None includes `Group.ReadWrite.All`: restoring a
/// deleted group requires exactly that one (directory-deleteditems-restore).
const COVERED_BY: [(&str, &[&str]); 2] = [
    (
        "User.Read.All",
        &[
            "User.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
    ),
    (
        "GroupMember.ReadWrite.All",
        &["Group.ReadWrite.All", "Directory.ReadWrite.All"],
    ),
];

/// Missing and excess permissions of an app registration (C-33), by their real names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Permissions {
    /// Required permissions that are neither granted nor included in a larger one: calls will fail.
    pub missing: BTreeSet<String>,
    /// Granted permissions that are not required, including larger ones that include a required
    /// one: everything works, but a stolen secret could do more than necessary.
    pub excess: BTreeSet<String>,
}

/// Compares the granted application permissions with the required ones.
pub fn compare(granted: &BTreeSet<String>) -> Permissions {
    let covered = |required: &str| {
        let larger = COVERED_BY.iter().filter(|(name, _)| *name == required);
        let mut larger = larger.flat_map(|(_, larger)| larger.iter());
        granted.contains(required) || larger.any(|name| granted.contains(*name))
    };
    let missing = REQUIRED.into_iter().filter(|name| !covered(name));
    let excess = granted
        .iter()
        .filter(|name| !REQUIRED.contains(&name.as_str()));
    Permissions {
        missing: missing.map(str::to_owned).collect(),
        excess: excess.cloned().collect(),
    }
}

/// Larger permissions that include a permission for reading.
const READING_COVERED_BY: [(&str, &[&str]); 3] = [
    (
        "User.Read.All",
        &[
            "User.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
    ),
    (
        "Group.Read.All",
        &[
            "Group.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
    ),
    (
        "GroupMember.Read.All",
        &[
            "GroupMember.ReadWrite.All",
            "Group.Read.All",
            "Group.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
    ),
];

/// Returns true if a permission for reading is granted, directly or by a larger one.
pub fn covered_for_reading(name: &str, granted: &BTreeSet<String>) -> bool {
    let larger = READING_COVERED_BY
        .iter()
        .filter(|(known, _)| *known == name);
    let mut larger = larger.flat_map(|(_, larger)| larger.iter());
    granted.contains(name) || larger.any(|larger| granted.contains(*larger))
}

/// Parses an application (client) id.
///
/// # Errors
/// Returns a problem at `pointer` if the text is not a GUID.
pub fn client_id(text: &str, pointer: &str) -> Result<Uuid, Problem> {
    Uuid::try_parse(text.trim()).map_err(|_| {
        Problem::at(
            pointer,
            "the application (client) id is required and must be a GUID such as 11111111-2222-3333-4444-555555555555",
        )
    })
}

/// Validates a client secret. Returns it without surrounding blanks.
///
/// # Errors
/// Returns a problem at `pointer` if the text is invalid or is the secret's id (S4-030).
pub fn client_secret<'t>(text: &'t str, pointer: &str) -> Result<&'t str, Problem> {
    let secret = pasted(text, "client secret", MAX_SECRET, pointer)?;
    if Uuid::try_parse(secret).is_ok() {
        return Err(Problem::at(pointer, SECRET_ID_HINT));
    }
    Ok(secret)
}

/// Validates a Learn365 API key. Returns it without surrounding blanks.
///
/// # Errors
/// Returns a problem at `pointer` if the text is invalid.
pub fn api_key<'t>(text: &'t str, pointer: &str) -> Result<&'t str, Problem> {
    pasted(text, "Learn365 API key", MAX_API_KEY, pointer)
}

/// Validates a SCIM token. Returns it without surrounding blanks.
///
/// # Errors
/// Returns a problem at `pointer` if the text is invalid.
pub fn scim_token<'t>(text: &'t str, pointer: &str) -> Result<&'t str, Problem> {
    pasted(text, "SCIM token", MAX_TOKEN, pointer)
}

/// Checks a pasted credential: printable ASCII without blanks, because the value is sent in an HTTP
/// header.
fn pasted<'t>(text: &'t str, name: &str, most: usize, pointer: &str) -> Result<&'t str, Problem> {
    let text = text.trim();
    let wrong = if text.is_empty() {
        format!("the {name} is required")
    } else if text.len() > most {
        format!("the {name} may be at most {most} characters long; copy only the {name}")
    } else if !text.chars().all(|char| char.is_ascii_graphic()) {
        format!("the {name} contains blanks, line breaks or invalid characters; copy it again")
    } else {
        return Ok(text);
    };
    Err(Problem::at(pointer, wrong))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compared(granted: &[&str]) -> (Vec<String>, Vec<String>) {
        let granted = granted.iter().map(|name| (*name).to_owned()).collect();
        let Permissions { missing, excess } = compare(&granted);
        (missing.into_iter().collect(), excess.into_iter().collect())
    }

    fn no_names() -> Vec<String> {
        Vec::new()
    }

    /// Proves S4-018 and S4-027: the three permissions are checked by their real names (C-12).
    #[test]
    fn missing_permissions_are_named() {
        assert_eq!(compared(&REQUIRED), (no_names(), no_names()));
        let (missing, _) = compared(&[]);
        assert_eq!(
            missing,
            [
                "Group.ReadWrite.All",
                "GroupMember.ReadWrite.All",
                "User.Read.All"
            ]
        );
        let (missing, excess) = compared(&["Group.ReadWriteAll", "User.ReadBasic.All"]);
        assert_eq!((missing.len(), excess.len()), (3, 2));
    }

    #[test]
    fn larger_permissions_cover_and_are_reported_as_excess() {
        assert_eq!(
            compared(&["Directory.ReadWrite.All", "Group.ReadWrite.All"]),
            (no_names(), vec!["Directory.ReadWrite.All".to_owned()])
        );
        assert_eq!(
            compared(&["Directory.ReadWrite.All"]).0,
            ["Group.ReadWrite.All"],
            "Directory.ReadWrite.All replaced Group.ReadWrite.All"
        );
        assert_eq!(
            compared(&["User.ReadWrite.All", "Group.ReadWrite.All", "Mail.Send"]),
            (
                no_names(),
                vec!["Mail.Send".to_owned(), "User.ReadWrite.All".to_owned()]
            )
        );
    }

    /// Proves S4-030: the Secret ID is rejected with the hint of the guide.
    #[test]
    fn the_id_of_a_secret_is_no_secret() {
        for id in [
            " 0a0b0c0d-1111-2222-3333-444455556666 ",
            "0A0B0C0D-1111-2222-3333-444455556666",
            "{0a0b0c0d-1111-2222-3333-444455556666}",
        ] {
            let problem = client_secret(id, "/clientSecret").expect_err("a secret id was accepted");
            assert_eq!(problem, Problem::at("/clientSecret", SECRET_ID_HINT));
        }
        for phrase in [
            "do not copy the Secret ID",
            "will contain letters, numbers and characters",
        ] {
            assert!(SECRET_ID_HINT.contains(phrase));
        }
        let made = "Xy~8Q~abcDEF.ghi_JKL-mno123PQRstu456vwx";
        assert_eq!(client_secret(&format!("{made}\n"), ""), Ok(made));
    }

    /// Proves S4-026: the client id is a GUID.
    #[test]
    fn the_client_id_must_be_a_guid() {
        assert!(client_id(" 0a0b0c0d-1111-2222-3333-444455556666", "/clientId").is_ok());
        for wrong in ["", "Learn365 Assigner", "0a0b0c0d-1111-2222-3333"] {
            let problem = client_id(wrong, "/clientId").expect_err("an invalid id was accepted");
            assert_eq!(problem.pointer, "/clientId");
        }
    }

    #[test]
    fn what_is_pasted_wrongly_is_reported_in_words() {
        let details = [
            "",
            "  ",
            "abc def",
            "abc\ndef",
            "abc\u{7}",
            "schlüssel",
            "abc\u{200b}",
        ]
        .map(|key| {
            api_key(key, "/apiKey")
                .expect_err("an invalid key was accepted")
                .detail
        });
        assert_eq!(details[0], details[1]);
        assert!(details[0].ends_with("is required"));
        assert!(
            details[2..].iter().all(|detail| *detail == details[2]),
            "{details:?}"
        );
        assert!(api_key(&"k".repeat(MAX_API_KEY), "").is_ok());
        assert!(api_key(&"k".repeat(MAX_API_KEY + 1), "").is_err());
    }

    proptest! {
        /// No error text contains the input.
        #[test]
        fn a_secret_is_never_repeated(text in "[A-Z0-9]{12,40}[ \n\u{7}ü][A-Z0-9]{12}") {
            let problem = client_secret(&text, "/clientSecret").expect_err("an invalid secret was accepted");
            prop_assert!(!problem.to_string().contains(&text[..12]));
        }
    }
}
