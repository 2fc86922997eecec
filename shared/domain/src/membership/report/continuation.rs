//! Combines the report of an invocation with that of the earlier invocations of the same run.

use std::collections::{BTreeMap, BTreeSet};

use super::{MaintenanceReport, ProfileReport};
use crate::base::ids::ProfileId;
use crate::base::outcome::ChangeTally;

impl MaintenanceReport {
    /// Adds what earlier invocations of the run did, so that the report covers the whole run.
    /// `updated` are the profiles whose membership this invocation has updated (or tried to);
    /// for all others the earlier result remains.
    pub fn continue_from(&mut self, earlier: Self, updated: &BTreeSet<ProfileId>) {
        let Self {
            profiles,
            unreadable: _,
            notes,
            graph,
            unfinished: _,
        } = earlier;
        let mut before: BTreeMap<ProfileId, ProfileReport> = profiles
            .into_iter()
            .map(|profile| (profile.profile, profile))
            .collect();
        for profile in &mut self.profiles {
            if let Some(before) = before.remove(&profile.profile) {
                profile.continue_from(before, updated.contains(&profile.profile));
            }
        }
        prepend(&mut self.notes, notes);
        self.graph.add(graph);
    }
}

impl ProfileReport {
    fn continue_from(&mut self, earlier: Self, updated: bool) {
        let now = std::mem::replace(self, earlier);
        self.enrolments.continue_with(now.enrolments);
        self.courses = now.courses;
        self.group = now.group.or(self.group);
        let mut notes = now.notes;
        prepend(&mut notes, std::mem::take(&mut self.notes));
        self.notes = notes;
        self.discrepancies.extend(now.discrepancies);
        if updated {
            self.title = now.title;
            self.status = now.status;
            self.reason = now.reason;
            self.members = now.members;
            self.unreachable = now.unreachable;
            self.held = now.held;
            self.added.continue_with(now.added);
            self.removed.continue_with(now.removed);
        }
    }
}

impl ChangeTally {
    /// Continues the tally of an earlier invocation: what was done is summed, and what was not done
    /// is what the later invocation left.
    fn continue_with(&mut self, later: Self) {
        *self = Self {
            done: self.done + later.done,
            already: later.already,
            ..later
        };
    }
}

/// Puts the remarks of earlier invocations before those of this one, each once.
fn prepend(notes: &mut Vec<String>, mut earlier: Vec<String>) {
    earlier.append(notes);
    let mut seen = BTreeSet::new();
    earlier.retain(|note| seen.insert(note.clone()));
    *notes = earlier;
}

#[cfg(test)]
mod tests {
    use super::super::ProfileStatus;
    use super::*;
    use crate::base::outcome::Outcome;
    use crate::testing::profile_id;

    fn tally(outcomes: &[Outcome]) -> ChangeTally {
        outcomes.iter().map(|outcome| ("Ada", outcome)).collect()
    }

    fn report(profiles: Vec<ProfileReport>) -> MaintenanceReport {
        MaintenanceReport {
            profiles,
            notes: vec!["a remark".to_owned()],
            ..MaintenanceReport::default()
        }
    }

    #[test]
    fn the_report_of_a_continued_run_covers_all_its_invocations() {
        let (a, b) = (profile_id("A"), profile_id("B"));
        let mut first = [ProfileReport::new(a, "A"), ProfileReport::new(b, "B")];
        first[0].added = tally(&[Outcome::Done, Outcome::Deferred(None)]);
        first[0].status = ProfileStatus::Unfinished;
        first[1].fail("the group is managed on premises");
        first[1].notes.push("renamed".to_owned());
        let mut second = [ProfileReport::new(a, "A"), ProfileReport::new(b, "B")];
        second[0].added = tally(&[Outcome::Done]);
        second[1].enrolments = tally(&[Outcome::Done]);
        second[1].notes.push("renamed".to_owned());
        let mut whole = report(second.to_vec());
        whole.continue_from(report(first.to_vec()), &[a].into());
        let [done, failed] = &whole.profiles[..] else {
            panic!("{:?}", whole.profiles)
        };
        assert_eq!((done.added.done, done.added.deferred), (2, 0));
        assert_eq!(done.status, ProfileStatus::Synchronised);
        assert_eq!(
            failed.status,
            ProfileStatus::Failed,
            "an untried failure is lost"
        );
        assert_eq!(
            failed.reason.as_deref(),
            Some("the group is managed on premises")
        );
        assert_eq!((failed.enrolments.done, failed.notes.len()), (1, 1));
        assert_eq!(whole.notes, ["a remark"]);
    }
}
