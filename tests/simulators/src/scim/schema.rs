//! The schemas of users, groups and their extensions.

use super::attribute::{Attr, COMPLEX, FLAG, REFERENCE, TEXT, TIME};

/// A schema with its attributes.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) urn: &'static str,
    pub(super) name: &'static str,
    pub(super) attributes: &'static [Attr],
}

/// The type of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Group,
}

impl Kind {
    /// Returns the kind with this endpoint.
    pub(super) fn of_endpoint(name: &str) -> Option<Self> {
        match name {
            "Users" => Some(Self::User),
            "Groups" => Some(Self::Group),
            _ => None,
        }
    }

    /// Returns the name of the resource type.
    pub(super) fn name(self) -> &'static str {
        self.core().name
    }

    /// Returns its endpoint, without a slash.
    pub(super) fn endpoint(self) -> &'static str {
        match self {
            Self::User => "Users",
            Self::Group => "Groups",
        }
    }

    /// Returns its core schema.
    pub(super) fn core(self) -> &'static Schema {
        match self {
            Self::User => &USER,
            Self::Group => &GROUP,
        }
    }

    /// Returns the schema that extends it.
    pub(super) fn extension(self) -> &'static Schema {
        match self {
            Self::User => &ENTERPRISE,
            Self::Group => &TEAM,
        }
    }
}

/// Attributes of every resource.
pub(super) static COMMON: [Attr; 4] = [
    TEXT.named("id").exact().read_only(),
    TEXT.named("externalId").exact(),
    REFERENCE.named("schemas").many().read_only(),
    COMPLEX.named("meta").read_only().with(&[
        TEXT.named("resourceType").exact().read_only(),
        TIME.named("created").read_only(),
        TIME.named("lastModified").read_only(),
        REFERENCE.named("location").exact().read_only(),
        TEXT.named("version").exact().read_only(),
    ]),
];

/// The schema of users.
pub(super) static USER: Schema = Schema {
    urn: "urn:ietf:params:scim:schemas:core:2.0:User",
    name: "User",
    attributes: &[
        TEXT.named("userName").required().unique(),
        COMPLEX.named("name").with(&[
            TEXT.named("formatted"),
            TEXT.named("familyName"),
            TEXT.named("givenName"),
            TEXT.named("middleName"),
            TEXT.named("honorificPrefix"),
            TEXT.named("honorificSuffix"),
        ]),
        TEXT.named("displayName"),
        TEXT.named("nickName"),
        REFERENCE.named("profileUrl"),
        TEXT.named("title"),
        TEXT.named("userType"),
        TEXT.named("preferredLanguage"),
        TEXT.named("locale"),
        TEXT.named("timezone"),
        FLAG.named("active"),
        TEXT.named("password").secret(),
        COMPLEX.named("emails").many().with(VALUES),
        COMPLEX.named("phoneNumbers").many().with(VALUES),
        COMPLEX.named("photos").many().with(VALUES),
        COMPLEX.named("addresses").many().with(&[
            TEXT.named("formatted"),
            TEXT.named("streetAddress"),
            TEXT.named("locality"),
            TEXT.named("region"),
            TEXT.named("postalCode"),
            TEXT.named("country"),
            TEXT.named("type"),
            FLAG.named("primary"),
        ]),
        COMPLEX.named("roles").many().with(VALUES),
        COMPLEX.named("entitlements").many().with(VALUES),
    ],
};

/// Sub-attributes of most lists.
const VALUES: &[Attr] = &[
    TEXT.named("value"),
    TEXT.named("display"),
    TEXT.named("type"),
    FLAG.named("primary"),
];

/// The schema of groups.
pub(super) static GROUP: Schema = Schema {
    urn: "urn:ietf:params:scim:schemas:core:2.0:Group",
    name: "Group",
    attributes: &[
        TEXT.named("displayName").required(),
        COMPLEX.named("members").many().with(&[
            TEXT.named("value").exact().immutable(),
            // Accepted, but generated from the value.
            REFERENCE
                .named("$ref")
                .exact()
                .immutable()
                .to(&["User", "Group"]),
            TEXT.named("type").immutable().to(&["User", "Group"]),
            TEXT.named("display").read_only(),
        ]),
    ],
};

/// The enterprise extension of users.
static ENTERPRISE: Schema = Schema {
    urn: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    name: "EnterpriseUser",
    attributes: &[
        TEXT.named("employeeNumber"),
        TEXT.named("costCenter"),
        TEXT.named("organization"),
        TEXT.named("division"),
        TEXT.named("department"),
        COMPLEX.named("manager").with(&[
            TEXT.named("value").exact(),
            REFERENCE.named("$ref").exact().to(&["User"]),
            TEXT.named("displayName").read_only(),
        ]),
    ],
};

/// Rollcall's extension of groups.
static TEAM: Schema = Schema {
    urn: "urn:rollcall:scim:schemas:extension:2.0:Team",
    name: "Team",
    attributes: &[
        COMPLEX
            .named("supervisors")
            .many()
            .with(&[TEXT.named("value").exact(), TEXT.named("display")]),
        FLAG.named("archived"),
    ],
};
