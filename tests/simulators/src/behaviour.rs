//! Behaviour of a tenant's services: delays, page size, wire format variants and write quota.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use crate::user_token::TokenFlaw;

/// The vendor's maximum Learn365 page size, and the default.
pub const LMS_PAGE_LIMIT: usize = 10_000;

/// Settings of one tenant; the default has no delays, no quota and full pages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// Member writes to a group younger than this (milliseconds) fail as "source resource object".
    pub group_replication_ms: u64,
    /// Milliseconds after a 202 from Learn365 until the group becomes visible.
    pub lms_accept_delay_ms: u64,
    /// Rows per Learn365 page, 1 to [`LMS_PAGE_LIMIT`].
    pub page_size: usize,
    /// Learn365 returns enumerations as numbers instead of names.
    pub enums_as_numbers: bool,
    /// Host (or whole origin, if it contains `://`) used in every nextLink and deltaLink instead of
    /// the simulator's own.
    pub nextlink_host: Option<String>,
    /// Graph write quota; `None` means unlimited.
    pub throttle: Option<Throttle>,
    /// Graph's answer when a member is added whose account does not exist.
    pub unknown_member: UnknownMember,
    /// The object named by Graph's 404 when somebody who is not a member is removed.
    pub removed_non_member: RemovedNonMember,
    /// Learn365 still lists the object ids of accounts that were deleted in Entra.
    pub lms_keeps_deleted_accounts: bool,
    /// Learn365 lists deleted courses with `IsDeleted: true` instead of hiding them.
    pub list_deleted_courses: bool,
    /// The platform's data changes while it is read: this happens after every page of a set that is
    /// not the last one.
    pub lms_changes_while_read: Vec<LmsChange>,
    /// Application tokens are JWTs with their roles, like Microsoft's current tokens, instead of
    /// opaque, as they may become according to Microsoft.
    pub readable_tokens: bool,
    /// Lifetime of access tokens in seconds.
    pub token_lifetime_s: i64,
    /// The defect of every `id_token`.
    pub id_token_flaw: Option<TokenFlaw>,
    /// Milliseconds until an administrator's consent takes effect.
    pub consent_propagation_ms: u64,
    /// A used refresh token becomes invalid.
    pub strict_rotation: bool,
    /// Every use of a refresh token returns this error.
    pub refresh_refusal: Option<OauthRefusal>,
    /// Milliseconds needed to send a message.
    pub mail_delay_ms: u64,
    /// Milliseconds by which the tenant's clock is ahead.
    pub clock_ahead_ms: i64,
    /// If set, Graph returns 410 for every delta token; the pages of a round are still returned.
    pub delta_tokens_expired: bool,
    /// Graph returns the last entity of every incremental delta response twice.
    pub delta_replays: bool,
    /// Graph's delta responses omit deleted users and their memberships.
    pub delta_hides_deletions: bool,
    /// Maximum members of one group on one page of a delta response.
    pub delta_members_per_slice: usize,
}

/// An error response of a token endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OauthRefusal {
    /// HTTP status.
    pub status: u16,
    /// OAuth error, e.g. `invalid_grant`.
    pub error: String,
    /// Microsoft's `suberror`, e.g. `bad_token`.
    #[serde(default)]
    pub suberror: Option<String>,
    /// AADSTS number.
    pub number: u32,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            group_replication_ms: 0,
            lms_accept_delay_ms: 0,
            page_size: LMS_PAGE_LIMIT,
            enums_as_numbers: false,
            nextlink_host: None,
            throttle: None,
            unknown_member: UnknownMember::NotFound,
            removed_non_member: RemovedNonMember::NamesGroup,
            lms_keeps_deleted_accounts: false,
            list_deleted_courses: false,
            lms_changes_while_read: Vec::new(),
            readable_tokens: false,
            token_lifetime_s: 3_599,
            id_token_flaw: None,
            consent_propagation_ms: 0,
            strict_rotation: false,
            refresh_refusal: None,
            mail_delay_ms: 0,
            clock_ahead_ms: 0,
            delta_tokens_expired: false,
            delta_replays: false,
            delta_hides_deletions: false,
            delta_members_per_slice: 500,
        }
    }
}

impl Behaviour {
    /// Returns the rows per Learn365 page, clamped to the vendor's range.
    pub(crate) fn lms_page(&self) -> usize {
        self.page_size.clamp(1, LMS_PAGE_LIMIT)
    }

    /// Returns the time by the tenant's clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        Utc::now() + Duration::milliseconds(self.clock_ahead_ms)
    }

    /// Returns the origin of nextLinks: `own`, unless another host is configured.
    pub(crate) fn link_origin(&self, own: &str) -> String {
        match &self.nextlink_host {
            None => own.to_owned(),
            Some(host) if host.contains("://") => host.clone(),
            Some(host) => format!("http://{host}"),
        }
    }
}

/// A change of the platform's data while it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LmsChange {
    /// An enrolment is added at the end of `Enrollments`.
    EnrolmentAdded,
    /// The first enrolment is deleted, so that all later ones move to another position.
    EnrolmentDeleted,
    /// Many enrolments are added at the end of `Enrollments`.
    EnrolmentsImported,
    /// After the first page of `Users`, the first user leaves the platform and another one is added
    /// at the end: their number remains the same.
    UserReplaced,
}

/// Graph's answers when a member is added whose account does not exist; both are documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownMember {
    /// 404 with the id of the account.
    NotFound,
    /// 400 with the text that Graph also uses for a group that is not replicated yet.
    BadReference,
}

/// The id in Graph's 404 when somebody who is not a member is removed. Public reports show the
/// group's id ("one of its queried reference-property objects are not present"); the
/// documentation does not say which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemovedNonMember {
    /// The id of the group, although the group exists.
    NamesGroup,
    /// The id of the account.
    NamesMember,
}

/// A Graph write quota per application and tenant (3,000 per 150 s in the real service).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Throttle {
    /// Writes allowed in one window; every non-GET request costs one.
    pub writes_per_window: u32,
    /// Length of the window in milliseconds.
    pub window_ms: u64,
    /// The cost of a PATCH that adds members; 0 means one. Microsoft's documentation says one, its
    /// support says seven for twenty members.
    pub member_patch_cost: u32,
    /// Milliseconds by which every refused request prolongs the window: requests count while the
    /// app is throttled.
    pub penalty_ms: u64,
}
