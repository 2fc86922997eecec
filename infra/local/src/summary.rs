//! The summary of a run, as text and as one JSON object.

use std::collections::BTreeMap;
use std::fmt;

use rollcall_domain::membership::report::{
    GraphUse, MaintenanceReport, ProfileReport, status_name,
};
use serde::Serialize;

/// The summary of one profile.
#[derive(Debug, Clone, Serialize)]
pub struct ProfileLine {
    /// The profile's title.
    pub title: String,
    /// The profile's status.
    pub status: &'static str,
    /// Number of members after the run.
    pub members: usize,
    /// Number of members added in this run.
    pub added: usize,
    /// Number of members removed in this run.
    pub removed: usize,
    /// Number of matching users without an Entra account, who cannot be members.
    pub unreachable: usize,
    /// Number of courses in which the group is enrolled.
    pub courses: usize,
    /// The reason for any status other than synchronised.
    pub reason: Option<String>,
    /// Remarks, for example about manual edits of the group.
    pub notes: Vec<String>,
    /// The local file with the member list.
    pub file: Option<String>,
}

/// Numbers of enrolment steps on the learning platform.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct EnrolmentLine {
    /// Made by this run.
    pub done: usize,
    /// Already in effect.
    pub already: usize,
    /// Rejected.
    pub failed: usize,
    /// Left to the next run.
    pub deferred: usize,
}

/// A mail message that was sent.
#[derive(Debug, Clone, Serialize)]
pub struct MailLine {
    /// The recipients.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
}

/// The result of a demo run.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// The tenant's name.
    pub tenant: String,
    /// Profiles, in the order in which they were processed.
    pub profiles: Vec<ProfileLine>,
    /// Enrolments.
    pub enrolments: EnrolmentLine,
    /// Messages sent since the demo began.
    pub mails: Vec<MailLine>,
    /// Requests to Microsoft Graph, and the minimum number of writes for the changes.
    pub graph: GraphUse,
    /// True if this run changed anything.
    pub changed: bool,
    /// Seconds by stage.
    pub seconds: BTreeMap<String, f64>,
    /// Peak memory of each Lambda process in MiB.
    pub memory_mib: BTreeMap<String, u64>,
    /// Numbers of records that were read.
    pub data: BTreeMap<String, u64>,
    /// Problems of skipped rows in imported files.
    pub problems: Vec<String>,
}

impl Summary {
    /// Returns a summary with the data of the report; the rest is empty.
    pub fn of(tenant: &str, report: &MaintenanceReport) -> Self {
        let mut enrolments = EnrolmentLine::default();
        for profile in &report.profiles {
            enrolments.done += profile.enrolments.done;
            enrolments.already += profile.enrolments.already;
            enrolments.failed += profile.enrolments.failed;
            enrolments.deferred += profile.enrolments.deferred;
        }
        let profiles: Vec<_> = report.profiles.iter().map(line).collect();
        Self {
            tenant: tenant.to_owned(),
            changed: enrolments.done > 0
                || profiles
                    .iter()
                    .any(|profile| profile.added + profile.removed > 0),
            profiles,
            enrolments,
            mails: Vec::new(),
            graph: report.graph,
            seconds: BTreeMap::new(),
            memory_mib: BTreeMap::new(),
            data: BTreeMap::new(),
            problems: Vec::new(),
        }
    }
}

fn line(report: &ProfileReport) -> ProfileLine {
    ProfileLine {
        title: report.title.clone(),
        status: status_name(report.status),
        members: report.members,
        added: report.added.done,
        removed: report.removed.done,
        unreachable: report.unreachable,
        courses: report.courses,
        reason: report.reason.clone(),
        notes: report.notes.clone(),
        file: None,
    }
}

/// Maximum number of entries of a list that are shown.
const SHOWN: usize = 25;

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{}\n{}",
            self.tenant,
            "═".repeat(self.tenant.chars().count())
        )?;
        let data: Vec<_> = ["people", "courses", "enrolments"]
            .iter()
            .filter_map(|name| Some(format!("{} {name}", self.data.get(*name)?)))
            .collect();
        writeln!(f, "Learn365 data: {}\n", data.join(", "))?;
        self.table(f)?;
        self.reasons(f)?;
        self.notes(f)?;
        self.unreachable(f)?;
        let EnrolmentLine {
            done,
            already,
            failed,
            deferred,
        } = self.enrolments;
        writeln!(
            f,
            "\nLearn365: {done} steps done, {already} already in effect, {failed} failed, {deferred} left for the next run"
        )?;
        let GraphUse {
            http,
            requests,
            writes,
            min_writes,
        } = self.graph;
        writeln!(
            f,
            "Microsoft Graph: {requests} requests in {http} HTTP calls; {writes} of them are writes (including new groups), the member changes require at least {min_writes}"
        )?;
        self.mail(f)?;
        self.left_out(f)?;
        if !self.changed {
            writeln!(
                f,
                "\nNothing changed: groups and enrolments were already correct."
            )?;
        }
        Ok(())
    }
}

impl Summary {
    fn notes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.profiles.iter().flat_map(|profile| {
            let notes = profile.notes.iter();
            notes.map(move |note| (&profile.title, note))
        });
        for (title, note) in lines.take(SHOWN) {
            writeln!(f, "\n{title}: {note}")?;
        }
        Ok(())
    }

    fn unreachable(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for profile in self
            .profiles
            .iter()
            .filter(|profile| profile.unreachable > 0)
            .take(SHOWN)
        {
            writeln!(
                f,
                "\n{}: {} more match but have no Entra account, so they cannot be in the group",
                profile.title, profile.unreachable
            )?;
        }
        Ok(())
    }

    fn left_out(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.problems.is_empty() {
            writeln!(
                f,
                "Skipped rows of the imported files: {}",
                self.problems.len()
            )?;
        }
        for problem in self.problems.iter().take(SHOWN) {
            writeln!(f, "  {problem}")?;
        }
        if self.problems.len() > SHOWN {
            writeln!(
                f,
                "  … and {} more (--json lists them all)",
                self.problems.len() - SHOWN
            )?;
        }
        Ok(())
    }

    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .profiles
            .iter()
            .take(SHOWN)
            .map(|profile| profile.title.chars().count())
            .max()
            .unwrap_or(0)
            .clamp(7, 48);
        writeln!(
            f,
            "{:width$}  {:13} {:>8} {:>7} {:>8} {:>8}",
            "Profile", "Status", "Members", "Joined", "Left", "Courses"
        )?;
        for profile in self.profiles.iter().take(SHOWN) {
            let title: String = profile.title.chars().take(width).collect();
            writeln!(
                f,
                "{title:width$}  {:13} {:>8} {:>7} {:>8} {:>8}",
                profile.status.replace('_', " "),
                profile.members,
                profile.added,
                profile.removed,
                profile.courses
            )?;
        }
        if self.profiles.len() > SHOWN {
            writeln!(f, "… and {} more", self.profiles.len() - SHOWN)?;
        }
        Ok(())
    }

    fn reasons(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for profile in &self.profiles {
            if let Some(reason) = &profile.reason {
                writeln!(
                    f,
                    "\n{} ({}):\n  {reason}",
                    profile.title,
                    profile.status.replace('_', " ")
                )?;
            }
        }
        Ok(())
    }

    fn mail(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "E-mails sent: {}", self.mails.len())?;
        for mail in &self.mails {
            writeln!(f, "  to {}: {}", mail.to.join(", "), mail.subject)?;
        }
        Ok(())
    }
}
