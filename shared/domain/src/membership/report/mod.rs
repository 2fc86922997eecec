//! The report of a run: what it did, what it did not do, and why.

mod continuation;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::enrolment::EnrolmentStep;
use super::plan::PlanHash;
use crate::audience::discrepancies::Discrepancies;
use crate::base::ids::{ObjectId, ProfileId};
use crate::base::outcome::{ChangeTally, Outcome};
use crate::base::throttle::Exceeded;

/// The status of a profile after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProfileStatus {
    /// The group equals the audience.
    Synchronised,
    /// The change exceeds a limit and waits for an administrator.
    Held,
    /// A field or course that its rules use no longer exists.
    NeedsReview,
    /// An error occurred; `reason` describes it.
    Failed,
    /// Its membership is not managed: auto-populate is off.
    Unmanaged,
    /// Partly done; the next invocation continues.
    Unfinished,
    /// Deleted and handled by the job.
    Deleted,
}

/// A held change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldChange {
    /// The hash of the plan.
    pub hash: PlanHash,
    /// The limits that the plan exceeds.
    pub exceeded: Exceeded,
    /// Number of members that would join.
    pub adds: usize,
    /// Number of members that would leave.
    pub removes: usize,
}

/// The result of a run for one profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileReport {
    /// The profile.
    pub profile: ProfileId,
    /// Its title.
    pub title: String,
    /// The status after the run.
    pub status: ProfileStatus,
    /// The reason, if the profile is not simply synchronised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its Entra group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<ObjectId>,
    /// Number of members after the run, as far as known.
    pub members: usize,
    /// Outcomes of the members to add.
    pub added: ChangeTally,
    /// Outcomes of the members to remove.
    pub removed: ChangeTally,
    /// Number of users who match but have no Entra account.
    pub unreachable: usize,
    /// Number of courses in which this service enrolled the group.
    pub courses: usize,
    /// Outcomes of the steps on the LMS.
    pub enrolments: ChangeTally,
    /// The held change, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldChange>,
    /// Overrides and courses removed from the profile.
    #[serde(default, skip_serializing_if = "Discrepancies::is_empty")]
    pub discrepancies: Discrepancies,
    /// Remarks that require no action.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl ProfileReport {
    /// Creates the report of a profile without changes.
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

    /// Sets the status to failed; the first reason is retained.
    pub fn fail(&mut self, reason: impl Into<String>) {
        self.status = ProfileStatus::Failed;
        self.reason.get_or_insert_with(|| reason.into());
    }

    /// Counts the outcome of a step on the LMS.
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

/// The report of a maintenance or membership run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[must_use = "an unread report explains nothing"]
pub struct MaintenanceReport {
    /// The profiles in the order of the run.
    pub profiles: Vec<ProfileReport>,
    /// Stored profiles that cannot be read, with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unreadable: BTreeMap<String, String>,
    /// Remarks about the run as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Requests made to Microsoft Graph.
    pub graph: GraphUse,
    /// True if a continuation has to do the rest.
    pub unfinished: bool,
}

/// Number of requests to Microsoft Graph, with the minimum that the changes require.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphUse {
    /// HTTP requests sent.
    pub http: u64,
    /// Requests inside and outside of batches, as counted by quotas.
    pub requests: u64,
    /// Requests that write.
    pub writes: u64,
    /// Minimum number of writes: ceil(adds / 20) + removes per group.
    #[serde(rename = "floor")]
    pub min_writes: u64,
}

impl GraphUse {
    /// Adds another count to this one.
    pub fn add(&mut self, other: Self) {
        let Self {
            http,
            requests,
            writes,
            min_writes,
        } = other;
        self.http += http;
        self.requests += requests;
        self.writes += writes;
        self.min_writes += min_writes;
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
    /// Steps done on the LMS.
    pub enrolments: usize,
    /// Changes that failed.
    pub failed: usize,
    /// Changes left for the next invocation.
    pub deferred: usize,
}

impl MaintenanceReport {
    /// Returns the totals of all profiles.
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

    /// Returns the failures of individual profiles as text, for the e-mail to the contact.
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

/// Returns the name of a status in data.
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
