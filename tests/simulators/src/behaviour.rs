//! How a tenant's services behave: delays, page size, wire quirks and write quota.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use crate::user_token::TokenFlaw;

/// Largest Learn365 page the vendor serves, and the default.
pub const LMS_PAGE_LIMIT: usize = 10_000;

/// Knobs of one tenant; the default has no delays, no quota and full pages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// Member writes on a group younger than this (milliseconds) fail as "source resource object".
    pub group_replication_ms: u64,
    /// After a 202 from Learn365 the group becomes visible after this many milliseconds.
    pub lms_accept_delay_ms: u64,
    /// Rows per Learn365 page, 1 to [`LMS_PAGE_LIMIT`].
    pub page_size: usize,
    /// Learn365 writes enumerations as numbers instead of names.
    pub enums_as_numbers: bool,
    /// Host (or whole origin, if it contains `://`) put into every nextLink and deltaLink instead of
    /// our own.
    pub nextlink_host: Option<String>,
    /// Graph write quota; `None` means unlimited.
    pub throttle: Option<Throttle>,
    /// Learn365 lists deleted courses with `IsDeleted: true` instead of hiding them.
    pub list_deleted_courses: bool,
    /// Application tokens are JWTs that name their roles, as Microsoft's are today, instead of
    /// opaque, as Microsoft says they may become.
    pub readable_tokens: bool,
    /// Lifetime of access tokens in seconds.
    pub token_lifetime_s: i64,
    /// What is wrong with every `id_token`.
    pub id_token_flaw: Option<TokenFlaw>,
    /// An administrator's consent counts after this many milliseconds.
    pub consent_propagation_ms: u64,
    /// A refresh token that was used is refused from then on.
    pub strict_rotation: bool,
    /// Every use of a refresh token is refused like this.
    pub refresh_refusal: Option<OauthRefusal>,
    /// Sending a message takes this many milliseconds.
    pub mail_delay_ms: u64,
    /// How far the tenant's clock is ahead of ours, in milliseconds.
    pub clock_ahead_ms: i64,
    /// While set, Graph answers every delta token with 410; the pages of a round still come.
    pub delta_tokens_expired: bool,
    /// Graph shows the last entity of every incremental delta answer twice.
    pub delta_replays: bool,
    /// Graph's delta answers say nothing of deleted people, nor of the memberships they had.
    pub delta_hides_deletions: bool,
    /// Members of one group on one page of a delta answer.
    pub delta_members_per_slice: usize,
}

/// How a token endpoint refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OauthRefusal {
    /// HTTP status.
    pub status: u16,
    /// OAuth error, e.g. `invalid_grant`.
    pub error: String,
    /// Microsoft's finer word, e.g. `bad_token`.
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
            list_deleted_courses: false,
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
    /// Rows per Learn365 page, forced into the vendor's range.
    pub(crate) fn lms_page(&self) -> usize {
        self.page_size.clamp(1, LMS_PAGE_LIMIT)
    }

    /// The time by the tenant's clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        Utc::now() + Duration::milliseconds(self.clock_ahead_ms)
    }

    /// The origin nextLinks point to: `own`, unless a hostile host is configured.
    pub(crate) fn link_origin(&self, own: &str) -> String {
        match &self.nextlink_host {
            None => own.to_owned(),
            Some(host) if host.contains("://") => host.clone(),
            Some(host) => format!("http://{host}"),
        }
    }
}

/// A Graph write quota per application and tenant (3,000 per 150 s in the real service).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    /// Writes allowed in one window; every non-GET request costs one.
    pub writes_per_window: u32,
    /// Length of the window in milliseconds.
    pub window_ms: u64,
}
