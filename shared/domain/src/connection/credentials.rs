//! Credentials as people paste them, and the permissions the app registration should have.
//!
//! Nothing here repeats a secret: what is wrong is said without the value.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::base::problem::Problem;

/// A client secret may be this many characters long; Entra makes 40.
pub const MAX_SECRET: usize = 512;
/// An API key may be this many characters long.
pub const MAX_API_KEY: usize = 1_024;

/// A token of a SCIM service may be this many characters long; some are JWTs.
pub const MAX_TOKEN: usize = 4_096;

/// What somebody sees who copied the wrong column of the portal (S4-030).
pub const SECRET_ID_HINT: &str = "this is the Secret ID; do not copy the Secret ID but the Value, which will contain letters, numbers and characters";

/// The application permissions of Microsoft Graph that the Assigner needs, by
/// their real names (S4-027, C-12): read users' details, read and write groups,
/// read and write their members (S4-018).
pub const REQUIRED: [&str; 3] = [
    "User.Read.All",
    "Group.ReadWrite.All",
    "GroupMember.ReadWrite.All",
];

/// Permissions that allow everything a required one does here, and more. From
/// Microsoft's table of permissions per call (devx-content, permissions.json of
/// 2026-08-07) and the pages of the calls (group-post-members, group-update,
/// user-list). None replaces `Group.ReadWrite.All`: restoring a deleted group
/// takes exactly that one (directory-deleteditems-restore).
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

/// What an app registration lacks and has too much (C-33), by real names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Permissions {
    /// Required, and neither granted nor covered by a larger one: something will fail.
    pub missing: BTreeSet<String>,
    /// Granted and not required, larger ones that cover a required one included:
    /// everything works, but a stolen secret could do more than it must.
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

/// Permissions that allow everything one for reading does, and more.
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

/// Whether a permission for reading is granted, by itself or by a larger one.
pub fn covered_for_reading(name: &str, granted: &BTreeSet<String>) -> bool {
    let larger = READING_COVERED_BY
        .iter()
        .filter(|(known, _)| *known == name);
    let mut larger = larger.flat_map(|(_, larger)| larger.iter());
    granted.contains(name) || larger.any(|larger| granted.contains(*larger))
}

/// Reads an application (client) id.
///
/// # Errors
/// What is wrong, at `pointer`.
pub fn client_id(text: &str, pointer: &str) -> Result<Uuid, Problem> {
    Uuid::try_parse(text.trim()).map_err(|_| {
        Problem::at(
            pointer,
            "the application (client) id is required and must be a GUID such as 11111111-2222-3333-4444-555555555555",
        )
    })
}

/// Reads a client secret: the value without the blanks around it.
///
/// # Errors
/// What is wrong, at `pointer`: also that it is the secret's id (S4-030).
pub fn client_secret<'t>(text: &'t str, pointer: &str) -> Result<&'t str, Problem> {
    let secret = pasted(text, "client secret", MAX_SECRET, pointer)?;
    if Uuid::try_parse(secret).is_ok() {
        return Err(Problem::at(pointer, SECRET_ID_HINT));
    }
    Ok(secret)
}

/// Reads an API key of the learning platform: the key without the blanks around it.
///
/// # Errors
/// What is wrong, at `pointer`.
pub fn api_key<'t>(text: &'t str, pointer: &str) -> Result<&'t str, Problem> {
    pasted(text, "Learn365 API key", MAX_API_KEY, pointer)
}

/// Reads a token of the learning platform's SCIM service.
///
/// # Errors
/// What is wrong, at `pointer`.
pub fn scim_token<'t>(text: &'t str, pointer: &str) -> Result<&'t str, Problem> {
    pasted(text, "SCIM token", MAX_TOKEN, pointer)
}

/// Something that a machine made and a person pasted: printable ASCII in one
/// piece. It ends up in an HTTP header, where nothing else is safe.
fn pasted<'t>(text: &'t str, name: &str, most: usize, pointer: &str) -> Result<&'t str, Problem> {
    let text = text.trim();
    let wrong = if text.is_empty() {
        format!("the {name} is required")
    } else if text.len() > most {
        format!("the {name} may be {most} characters long at most; copy it alone")
    } else if !text.chars().all(|char| char.is_ascii_graphic()) {
        format!(
            "the {name} holds blanks, line breaks or characters that no {name} has; copy it again"
        )
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

    /// Proves S4-018 and S4-027: the three permissions, by names that exist (C-12).
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
    fn larger_permissions_cover_and_are_told_as_excess() {
        assert_eq!(
            compared(&["Directory.ReadWrite.All", "Group.ReadWrite.All"]),
            (no_names(), vec!["Directory.ReadWrite.All".to_owned()])
        );
        assert_eq!(
            compared(&["Directory.ReadWrite.All"]).0,
            ["Group.ReadWrite.All"],
            "it does not restore deleted groups"
        );
        assert_eq!(
            compared(&["User.ReadWrite.All", "Group.ReadWrite.All", "Mail.Send"]),
            (
                no_names(),
                vec!["Mail.Send".to_owned(), "User.ReadWrite.All".to_owned()]
            )
        );
    }

    /// Proves S4-030: the Secret ID is refused with the hint of the guide.
    #[test]
    fn the_id_of_a_secret_is_no_secret() {
        for id in [
            " 0a0b0c0d-1111-2222-3333-444455556666 ",
            "0A0B0C0D-1111-2222-3333-444455556666",
            "{0a0b0c0d-1111-2222-3333-444455556666}",
        ] {
            let problem = client_secret(id, "/clientSecret").expect_err("no secret");
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
            let problem = client_id(wrong, "/clientId").expect_err("no GUID");
            assert_eq!(problem.pointer, "/clientId");
        }
    }

    #[test]
    fn what_is_pasted_wrongly_is_told_in_words() {
        let said = [
            "",
            "  ",
            "abc def",
            "abc\ndef",
            "abc\u{7}",
            "schlüssel",
            "abc\u{200b}",
        ]
        .map(|key| api_key(key, "/apiKey").expect_err("no key").detail);
        assert_eq!(said[0], said[1]);
        assert!(said[0].ends_with("is required"));
        assert!(
            said[2..].iter().all(|detail| *detail == said[2]),
            "{said:?}"
        );
        assert!(api_key(&"k".repeat(MAX_API_KEY), "").is_ok());
        assert!(api_key(&"k".repeat(MAX_API_KEY + 1), "").is_err());
    }

    proptest! {
        /// No message holds what was typed.
        #[test]
        fn a_secret_is_never_repeated(text in "[A-Z0-9]{12,40}[ \n\u{7}ü][A-Z0-9]{12}") {
            let problem = client_secret(&text, "/clientSecret").expect_err("not in one piece");
            prop_assert!(!problem.to_string().contains(&text[..12]));
        }
    }
}
