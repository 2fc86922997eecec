//! How much data is accepted.

/// Rows of a user list, and users of a directory, that are taken: ten times the
/// largest tenants known.
pub const MAX_USERS: u32 = 10_000_000;
/// Enrolments that are taken; they need eight bytes of memory each.
pub const MAX_ENROLMENTS: u64 = 500_000_000;

/// More data than any real tenant has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// The platform's user list.
    #[error("the user list has more than {MAX_USERS} rows or two gigabytes of text in one column")]
    Users,
    /// Enrolments.
    #[error("there are more than {MAX_ENROLMENTS} enrolments")]
    Enrolments,
    /// Role assignments.
    #[error("the role assignments hold more different names or holders than can be")]
    Roles,
    /// Users of the directory.
    #[error(
        "the directory has more than {MAX_USERS} users or two gigabytes of text in one property"
    )]
    EntraUsers,
}
