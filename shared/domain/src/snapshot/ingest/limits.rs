//! Limits on the amount of data.

/// The maximum number of rows of a user list, and of users of a directory: ten times the largest
/// known tenants.
pub const MAX_USERS: u32 = 10_000_000;
/// The maximum number of enrolments; each needs eight bytes of memory.
pub const MAX_ENROLMENTS: u64 = 500_000_000;

/// The data exceeds a limit that no real tenant reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// The platform's user list.
    #[error("the user list has more than {MAX_USERS} rows or two gigabytes of text in one column")]
    Users,
    /// Enrolments.
    #[error("there are more than {MAX_ENROLMENTS} enrolments")]
    Enrolments,
    /// Role assignments.
    #[error("the role assignments have too many distinct names or holders")]
    Roles,
    /// Users of the directory.
    #[error(
        "the directory has more than {MAX_USERS} users or two gigabytes of text in one property"
    )]
    EntraUsers,
}
