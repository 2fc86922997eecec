//! What a run did, what it did not, and why: honest counts for people and machines.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::enrolment::EnrolmentStep;
use super::plan::PlanHash;
use crate::audience::discrepancies::Discrepancies;
use crate::base::ids::{ObjectId, ProfileId};
use crate::base::outcome::{ChangeTally, Outcome};
use crate::base::throttle::Exceeded;

/// How a profile stands after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProfileStatus {
    /// Group and audience are equal.
    Synchronised,
    /// The change is too large and waits for a person.
    Held,
    /// A field or course its rules use is gone.
    NeedsReview,
    /// Something went wrong; the reason says what.
    Failed,
    /// Its membership is not managed: auto-populate is off.
    Unmanaged,
    /// Partly done; the next invocation goes on.
    Unfinished,
    /// Deleted and handled.
    Deleted,
}

/// A held change, in the report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldChange {
    /// Which change.
    pub hash: PlanHash,
    /// The limit.
    pub exceeded: Exceeded,
    /// How many would join.
    pub adds: usize,
    /// How many would leave.
    pub removes: usize,
}

/// What happened to one profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileReport {
    /// The profile.
    pub profile: ProfileId,
    /// Its title.
    pub title: String,
    /// How it stands now.
    pub status: ProfileStatus,
    /// Why, when it is not simply synchronised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its Entra group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<ObjectId>,
    /// Members after the run, as far as known.
    pub members: usize,
    /// Joined.
    pub added: ChangeTally,
    /// Left.
    pub removed: ChangeTally,
    /// People who match but have no Entra account.
    pub unreachable: usize,
    /// Courses the group is enrolled in by this service.
    pub courses: usize,
    /// Steps on the learning platform.
    pub enrolments: ChangeTally,
    /// A change that waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldChange>,
    /// What was taken out of it.
    #[serde(default, skip_serializing_if = "Discrepancies::is_empty")]
    pub discrepancies: Discrepancies,
    /// Remarks that need no action.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl ProfileReport {
    /// A report about a profile nothing has happened to yet.
    pub fn new(profile: ProfileId, title: &str) -> Self {
        Self {
            profile,
            title: title.to_owned(),
            status: ProfileStatus::Synchronised,
            reason: None,
            group: None,
            members: 0,
            added: ChangeTally::default(),
            removed: ChangeTally::default(),
            unreachable: 0,
            courses: 0,
            enrolments: ChangeTally::default(),
            held: None,
            discrepancies: Discrepancies::default(),
            notes: Vec::new(),
        }
    }

    /// Marks it failed, keeping the first reason.
    pub fn fail(&mut self, reason: impl Into<String>) {
        self.status = ProfileStatus::Failed;
        self.reason.get_or_insert_with(|| reason.into());
    }

    /// Counts a step on the learning platform.
    pub fn step(&mut self, step: &EnrolmentStep, outcome: &Outcome) {
        self.enrolments.count(describe(step), outcome);
        if let EnrolmentStep::LeaveCatalog { unmanaged, catalog } = step
            && !unmanaged.is_empty()
        {
            self.notes.push(format!(
                "leaving the catalog {catalog} also ended {} enrolments made elsewhere: {}",
                unmanaged.len(),
                unmanaged
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", ")
            ));
        }
    }
}

fn describe(step: &EnrolmentStep) -> String {
    match step {
        EnrolmentStep::JoinCatalog { catalog } => {
            format!("adding the group to the catalog {catalog}")
        }
        EnrolmentStep::Enrol { course } => format!("enrolling the group in the course {course}"),
        EnrolmentStep::Unenrol { course } => {
            format!("unenrolling the group from the course {course}")
        }
        EnrolmentStep::LeaveCatalog { catalog, .. } => {
            format!("deleting the group from the catalog {catalog}")
        }
    }
}

/// What a maintenance or membership run did.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[must_use = "an unread report explains nothing"]
pub struct MaintenanceReport {
    /// Every profile, in the order of the run.
    pub profiles: Vec<ProfileReport>,
    /// Profiles that are in the store but cannot be read, with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unreadable: BTreeMap<String, String>,
    /// Remarks about the run as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Requests made to Microsoft Graph.
    pub graph: GraphUse,
    /// Whether work is left for a continuation.
    pub unfinished: bool,
}

/// Requests to Microsoft Graph, against the fewest the changes allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphUse {
    /// HTTP requests sent.
    pub http: u64,
    /// Requests inside batches and outside: what quotas count.
    pub requests: u64,
    /// Those that write.
    pub writes: u64,
    /// ceil(adds / 20) + removes per group: no fewer writes can do it.
    pub floor: u64,
}

impl GraphUse {
    /// Adds another count to this one.
    pub fn add(&mut self, other: Self) {
        let Self {
            http,
            requests,
            writes,
            floor,
        } = other;
        self.http += http;
        self.requests += requests;
        self.writes += writes;
        self.floor += floor;
    }
}

/// Counts for the run record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Profiles by status name.
    pub profiles: BTreeMap<String, usize>,
    /// Members added.
    pub added: usize,
    /// Members removed.
    pub removed: usize,
    /// Steps done on the learning platform.
    pub enrolments: usize,
    /// Changes that failed.
    pub failed: usize,
    /// Changes left for the next invocation.
    pub deferred: usize,
}

impl MaintenanceReport {
    /// The counts.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for profile in &self.profiles {
            *totals
                .profiles
                .entry(status_name(profile.status).to_owned())
                .or_default() += 1;
            totals.added += profile.added.done;
            totals.removed += profile.removed.done;
            totals.enrolments += profile.enrolments.done;
            for tally in [&profile.added, &profile.removed, &profile.enrolments] {
                totals.failed += tally.failed;
                totals.deferred += tally.deferred;
            }
        }
        totals
    }

    /// Failures of single profiles in words, for the mail to the contact.
    pub fn failures(&self) -> BTreeSet<String> {
        let failed = self
            .profiles
            .iter()
            .filter(|profile| profile.status == ProfileStatus::Failed);
        let reasons = failed.map(|profile| {
            format!(
                "{}: {}",
                profile.title,
                profile.reason.as_deref().unwrap_or("failed")
            )
        });
        let unreadable = self
            .unreadable
            .iter()
            .map(|(id, reason)| format!("profile {id}: {reason}"));
        reasons.chain(unreadable).collect()
    }
}

/// The name of a status in data.
pub const fn status_name(status: ProfileStatus) -> &'static str {
    match status {
        ProfileStatus::Synchronised => "synchronised",
        ProfileStatus::Held => "held",
        ProfileStatus::NeedsReview => "needs_review",
        ProfileStatus::Failed => "failed",
        ProfileStatus::Unmanaged => "unmanaged",
        ProfileStatus::Unfinished => "unfinished",
        ProfileStatus::Deleted => "deleted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::profile_id;

    #[test]
    fn totals_and_failures_name_the_profiles() {
        let mut report = MaintenanceReport::default();
        let mut failed = ProfileReport::new(profile_id("A"), "A");
        failed.fail("the group is managed on premises");
        failed.fail("a later reason");
        report.profiles = vec![failed, ProfileReport::new(profile_id("B"), "B")];
        report
            .unreadable
            .insert("x".to_owned(), "no JSON".to_owned());
        assert_eq!(
            report.totals().profiles,
            BTreeMap::from([("failed".to_owned(), 1), ("synchronised".to_owned(), 1)])
        );
        assert_eq!(
            report.failures(),
            [
                "A: the group is managed on premises".to_owned(),
                "profile x: no JSON".to_owned()
            ]
            .into()
        );
    }
}
