//! What notices are about, and how urgent that is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::channel::Urgency;
use crate::base::ids::{CatalogId, ProfileId};
use crate::membership::plan::PlanHash;

/// What it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "kind"
)]
pub enum NoticeKind {
    /// The first refresh succeeded (S4-104).
    Ready {
        /// Learners read.
        people: u64,
        /// Courses read.
        courses: u64,
    },
    /// A refresh or maintenance run failed (S4-012).
    Failure {
        /// `refresh`, `maintenance` or `membership`.
        job: String,
        /// The slot, as text.
        slot: String,
        /// What went wrong, one sentence each.
        errors: Vec<String>,
        /// What stays as it is because of that.
        consequence: String,
    },
    /// A change is held (S4-061).
    Held {
        /// The profile.
        profile: ProfileId,
        /// Its title.
        title: String,
        /// The limit, in words.
        exceeded: String,
        /// How many would join.
        adds: usize,
        /// How many would leave.
        removes: usize,
        /// Which change.
        hash: PlanHash,
        /// Since when this very change is held: one that was settled and comes
        /// back is told again.
        since: DateTime<Utc>,
    },
    /// A field or course that rules use is gone (S4-120, C-17).
    NeedsReview {
        /// The profile.
        profile: ProfileId,
        /// Its title.
        title: String,
        /// What is wrong, one sentence each.
        problems: Vec<String>,
        /// When the profile was last edited: mended and broken again is told again.
        edited: DateTime<Utc>,
    },
    /// A connection stopped working and a person must connect again (S1-33).
    ConnectionLost {
        /// `Microsoft Entra ID`, or the catalog's title.
        connection: String,
        /// Whose account was lost, if it was a catalog's.
        catalog: Option<CatalogId>,
        /// The lost account's address.
        account: Option<String>,
        /// Why, one sentence for people.
        reason: String,
        /// The provider's code, such as `AADSTS50173`.
        code: Option<String>,
        /// When it was first seen to be lost: one mail per loss (S1-34).
        since: DateTime<Utc>,
        /// Where to connect again.
        link: String,
        /// How many mails wait for the connection.
        held: u64,
    },
    /// An account was connected to a catalog; told to that account (S1-31).
    AccountConnected {
        /// The catalog.
        catalog: CatalogId,
        /// Its title.
        catalog_title: String,
        /// The account's address.
        account: String,
        /// What works, in words.
        able: Vec<String>,
        /// What does not, each with its reason.
        unable: Vec<String>,
        /// When.
        at: DateTime<Utc>,
        /// Who connected it, and can be asked.
        by: String,
    },
    /// A client secret expires, or has.
    SecretExpiring {
        /// Whose secret, such as `Microsoft Entra ID`.
        connection: String,
        /// When it is no longer accepted.
        on: DateTime<Utc>,
        /// Days until then; part of what makes two reminders different, so pass
        /// the mark that was reached (30, 14, 7 …) to remind only at the marks.
        days: i64,
        /// Where to save a new one.
        link: String,
    },
    /// A synchronisation of users failed; told to all owners (S2-48).
    SyncFailed {
        /// `schedule`, `manual`, or other words.
        trigger: String,
        /// When it began.
        started: DateTime<Utc>,
        /// What went wrong, one sentence each.
        errors: Vec<String>,
        /// Whether the schedule is paused because of it.
        paused: bool,
        /// Where to look.
        link: String,
    },
    /// A synchronisation of users ended well; told in the product to the chosen
    /// Super admin (S3-24).
    SyncComplete {
        /// When it began.
        started: DateTime<Utc>,
        /// Users created.
        created: u64,
        /// Users updated.
        updated: u64,
        /// Users deactivated.
        deactivated: u64,
        /// Teams it made or changed.
        teams: u64,
        /// Changes that wait for a person's decision.
        waiting: u64,
        /// Where to look.
        link: String,
    },
    /// A learner takes part in a session (S1-15).
    SessionScheduled {
        /// The session.
        session: Uuid,
        /// Which version of it.
        version: u64,
        /// Its title.
        title: String,
        /// The title of its catalog.
        catalog_title: String,
        /// When it begins.
        start: DateTime<Utc>,
        /// When it ends.
        end: DateTime<Utc>,
        /// The IANA zone its times are shown in.
        time_zone: String,
        /// The room.
        room: Option<String>,
        /// Where to join online.
        join_url: Option<String>,
    },
    /// Time or place of a session changed (S1-15).
    SessionChanged {
        /// The session.
        session: Uuid,
        /// Which version of it.
        version: u64,
        /// Its title.
        title: String,
        /// The title of its catalog.
        catalog_title: String,
        /// When it begins now.
        start: DateTime<Utc>,
        /// When it ends now.
        end: DateTime<Utc>,
        /// The IANA zone its times are shown in.
        time_zone: String,
        /// The room.
        room: Option<String>,
        /// Where to join online.
        join_url: Option<String>,
    },
    /// A session will not take place (S1-15).
    SessionCancelled {
        /// The session.
        session: Uuid,
        /// Which version of it.
        version: u64,
        /// Its title.
        title: String,
        /// The title of its catalog.
        catalog_title: String,
        /// When it would have begun.
        start: DateTime<Utc>,
        /// The IANA zone its times are shown in.
        time_zone: String,
    },
    /// A room declined a session; told to the catalog's admins.
    RoomDeclined {
        /// The session.
        session: Uuid,
        /// Which version of it.
        version: u64,
        /// Its title.
        title: String,
        /// The room.
        room: String,
        /// When the session begins.
        start: DateTime<Utc>,
        /// The IANA zone its times are shown in.
        time_zone: String,
    },
}

impl NoticeKind {
    /// How urgent it is unless somebody says otherwise: what stands still until
    /// a person acts, or takes place otherwise than people expect, goes first.
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
