//! The kinds of notices and their default urgency.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::channel::Urgency;
use crate::base::ids::{CatalogId, ProfileId};
use crate::membership::plan::PlanHash;

/// The kind of a notice, with its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "kind"
)]
pub enum NoticeKind {
    /// The first refresh succeeded (S4-104).
    Ready {
        /// Number of learners read.
        people: u64,
        /// Number of courses read.
        courses: u64,
    },
    /// A refresh or maintenance run failed (S4-012).
    Failure {
        /// `refresh`, `maintenance` or `membership`.
        job: String,
        /// The slot, as text.
        slot: String,
        /// Errors, one sentence each.
        errors: Vec<String>,
        /// Text about what remains unchanged because of the failure.
        consequence: String,
    },
    /// A change is held (S4-061).
    Held {
        /// The profile.
        profile: ProfileId,
        /// Title of the profile.
        title: String,
        /// Text about the exceeded limit.
        exceeded: String,
        /// Number of members to add.
        adds: usize,
        /// Number of members to remove.
        removes: usize,
        /// Hash of the plan.
        hash: PlanHash,
        /// Start of this hold. A plan that is held again after it was settled is a new notice.
        since: DateTime<Utc>,
    },
    /// A field or course that rules use no longer exists (S4-120, C-17).
    NeedsReview {
        /// The profile.
        profile: ProfileId,
        /// Title of the profile.
        title: String,
        /// Problems, one sentence each.
        problems: Vec<String>,
        /// Time of the last edit; if a fixed profile breaks again, that is a new notice.
        edited: DateTime<Utc>,
    },
    /// A connection stopped working and has to be connected again (S1-33).
    ConnectionLost {
        /// `Microsoft Entra ID`, or the catalog's title.
        connection: String,
        /// The catalog whose account was lost, if any.
        catalog: Option<CatalogId>,
        /// Address of the lost account.
        account: Option<String>,
        /// The reason, one sentence for users.
        reason: String,
        /// The provider's code, for example `AADSTS50173`.
        code: Option<String>,
        /// Time at which the loss was detected: one message per loss (S1-34).
        since: DateTime<Utc>,
        /// Link for connecting again.
        link: String,
        /// Number of messages that wait for the connection.
        held: u64,
    },
    /// An account was connected to a catalog; sent to that account (S1-31).
    AccountConnected {
        /// The catalog.
        catalog: CatalogId,
        /// Title of the catalog.
        catalog_title: String,
        /// Address of the account.
        account: String,
        /// Texts of available capabilities.
        able: Vec<String>,
        /// Texts of missing capabilities, each with its reason.
        unable: Vec<String>,
        /// Time of the connection.
        at: DateTime<Utc>,
        /// The user who connected it, for questions.
        by: String,
    },
    /// A client secret expires soon, or has expired.
    SecretExpiring {
        /// The connection of the secret, for example `Microsoft Entra ID`.
        connection: String,
        /// Expiry of the secret.
        on: DateTime<Utc>,
        /// Days until the expiry. It is part of the identity, so pass the reached threshold (30,
        /// 14, 7 …) to remind once per threshold.
        days: i64,
        /// Link for saving a new secret.
        link: String,
    },
    /// A directory sync failed; sent to all owners and contacts (S2-48).
    SyncFailed {
        /// `schedule`, `manual`, or another text.
        trigger: String,
        /// Start of the run.
        started: DateTime<Utc>,
        /// Errors, one sentence each.
        errors: Vec<String>,
        /// True if the schedule was paused because of the failure.
        paused: bool,
        /// Link to the run.
        link: String,
    },
    /// A directory sync succeeded; shown in the product to the chosen Super admin (S3-24).
    SyncComplete {
        /// Start of the run.
        started: DateTime<Utc>,
        /// Number of users created.
        created: u64,
        /// Number of users updated.
        updated: u64,
        /// Number of users deactivated.
        deactivated: u64,
        /// Number of teams created or changed.
        teams: u64,
        /// Number of changes that wait for an approval.
        waiting: u64,
        /// Link to the run.
        link: String,
    },
    /// A learner takes part in a session (S1-15).
    SessionScheduled {
        /// The session.
        session: Uuid,
        /// Version of the session.
        version: u64,
        /// Title of the session.
        title: String,
        /// Title of the catalog.
        catalog_title: String,
        /// Start of the session.
        start: DateTime<Utc>,
        /// End of the session.
        end: DateTime<Utc>,
        /// IANA time zone for displayed times.
        time_zone: String,
        /// The room.
        room: Option<String>,
        /// Link to the online meeting.
        join_url: Option<String>,
    },
    /// Time or place of a session changed (S1-15).
    SessionChanged {
        /// The session.
        session: Uuid,
        /// Version of the session.
        version: u64,
        /// Title of the session.
        title: String,
        /// Title of the catalog.
        catalog_title: String,
        /// New start of the session.
        start: DateTime<Utc>,
        /// New end of the session.
        end: DateTime<Utc>,
        /// IANA time zone for displayed times.
        time_zone: String,
        /// The room.
        room: Option<String>,
        /// Link to the online meeting.
        join_url: Option<String>,
    },
    /// A session will not take place (S1-15).
    SessionCancelled {
        /// The session.
        session: Uuid,
        /// Version of the session.
        version: u64,
        /// Title of the session.
        title: String,
        /// Title of the catalog.
        catalog_title: String,
        /// Planned start of the session.
        start: DateTime<Utc>,
        /// IANA time zone for displayed times.
        time_zone: String,
    },
    /// A room declined a session; sent to the catalog's administrators, the contacts and the user who
    /// connected the account.
    RoomDeclined {
        /// The session.
        session: Uuid,
        /// Version of the session.
        version: u64,
        /// Title of the session.
        title: String,
        /// The room.
        room: String,
        /// Start of the session.
        start: DateTime<Utc>,
        /// IANA time zone for displayed times.
        time_zone: String,
    },
}

impl NoticeKind {
    /// Returns the default urgency: notices about something that is blocked until a user acts, or
    /// that takes place differently than expected, are sent first.
    pub const fn default_urgency(&self) -> Urgency {
        match self {
            Self::Failure { .. }
            | Self::Held { .. }
            | Self::ConnectionLost { .. }
            | Self::AccountConnected { .. }
            | Self::SyncFailed { .. }
            | Self::SessionChanged { .. }
            | Self::SessionCancelled { .. } => Urgency::Urgent,
            Self::Ready { .. }
            | Self::NeedsReview { .. }
            | Self::SecretExpiring { .. }
            | Self::SyncComplete { .. }
            | Self::SessionScheduled { .. }
            | Self::RoomDeclined { .. } => Urgency::Normal,
        }
    }
}
