//! Identifiers, parsed once at the edge so that later code need not check them again.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The error for a text that is not a GUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} must be a GUID such as 11111111-2222-3333-4444-555555555555, not {found:?}")]
pub struct IdError {
    kind: &'static str,
    found: String,
}

macro_rules! guid_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = Uuid))]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a GUID that is known to be an id of this kind.
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// Returns the GUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text.trim())
                    .map(Self)
                    .map_err(|_| IdError { kind: $kind, found: text.chars().take(64).collect() })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

guid_id!(
    /// A Microsoft Entra tenant (directory). Data of different tenants is never mixed.
    TenantId,
    "a tenant id"
);
guid_id!(
    /// A profile: one audience, one Entra group and the courses in which it is enrolled.
    ProfileId,
    "a profile id"
);
guid_id!(
    /// A user of the LMS (Learn365 `Users.Id`).
    UserId,
    "a user id"
);
guid_id!(
    /// A course or training plan of the LMS.
    CourseId,
    "a course id"
);
guid_id!(
    /// A course catalog of the LMS.
    CatalogId,
    "a catalog id"
);
guid_id!(
    /// A session of a course, scheduled in one catalog.
    SessionId,
    "a session id"
);
guid_id!(
    /// A user field (column) of the LMS.
    FieldId,
    "a user field id"
);
guid_id!(
    /// An Entra directory object: user, group or device. Immutable, unlike UPN and mail address.
    ObjectId,
    "an Entra object id"
);

/// The name of a stored snapshot: its time and a unique suffix. Names sort by time, and two
/// refreshes in the same second have different names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct SnapshotId(String);

impl SnapshotId {
    /// Creates the name from the time of the refresh and a unique id that the caller generates.
    pub fn new(taken_at: chrono::DateTime<chrono::Utc>, unique: Uuid) -> Self {
        let tail = &unique.simple().to_string()[..12];
        Self(format!("{}-{tail}", taken_at.format("%Y%m%dT%H%M%SZ")))
    }

    /// Returns the name as text, which is safe in an object key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_read_in_any_case_and_printed_in_one() {
        let id: UserId = " 0A0B0C0D-1111-2222-3333-444455556666 "
            .parse()
            .expect("valid GUID rejected");
        assert_eq!(id.to_string(), "0a0b0c0d-1111-2222-3333-444455556666");
    }

    #[test]
    fn what_is_no_guid_is_named_in_the_error() {
        let error = "kay@contoso.com"
            .parse::<ObjectId>()
            .expect_err("invalid GUID accepted");
        assert_eq!(
            error.to_string(),
            "an Entra object id must be a GUID such as 11111111-2222-3333-4444-555555555555, not \"kay@contoso.com\""
        );
    }
}
