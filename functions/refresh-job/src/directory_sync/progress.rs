//! The outcomes of changes while they are written, and the reason for stopping early.

use rollcall_clients::http::ApiError;
use rollcall_clients::scim::Written;
use rollcall_domain::base::outcome::Outcome;
use rollcall_domain::directory_sync::{
    ChangeKind, ChangeOutcome, Field, Member, Operation, PlannedChange, TEMPORARY_DOMAIN,
    TargetReplica, Write,
};

use super::failure::SyncFailure;

/// The outcomes so far.
pub(super) struct Progress<'c> {
    changes: &'c [PlannedChange],
    ended: Vec<Option<Outcome>>,
    /// The error with which the target rejected the credential: every further write would fail.
    pub(super) refused: Option<SyncFailure>,
    /// True if time ran out before every change was tried.
    pub(super) cut: bool,
    /// True if writes were in flight when time ran out; they may have been applied.
    pub(super) in_flight: bool,
    /// True if a write was rejected and a retry would be rejected again.
    pub(super) permanent: bool,
    /// True if an administrator has switched the sync off.
    pub(super) switched_off: bool,
}

impl<'c> Progress<'c> {
    pub(super) fn new(changes: &'c [PlannedChange]) -> Self {
        Self {
            changes,
            ended: vec![None; changes.len()],
            refused: None,
            cut: false,
            in_flight: false,
            permanent: false,
            switched_off: false,
        }
    }

    /// Records the outcome of a write for its changes; of several outcomes the worst counts.
    pub(super) fn note(&mut self, write: &Write, outcome: &Outcome) {
        let rank = |outcome: &Outcome| match outcome {
            Outcome::Done | Outcome::AlreadySo => 0,
            Outcome::Deferred(_) => 1,
            Outcome::Failed(_) => 2,
        };
        for at in &write.changes {
            let Some(ended) = self.ended.get_mut(*at) else {
                continue;
            };
            let worse = ended
                .as_ref()
                .is_none_or(|known| rank(outcome) > rank(known));
            if worse {
                *ended = Some(outcome.clone());
            }
        }
    }

    pub(super) fn record(
        &mut self,
        write: &Write,
        answer: Result<Written, ApiError>,
        replica: &mut TargetReplica,
    ) {
        match answer {
            Ok(Written::Done(created)) => {
                replica.record_write(write, created.as_deref());
                self.note(write, &Outcome::Done);
            }
            Ok(Written::Waits) => {
                let why = "a user it refers to is not on the learning platform yet";
                self.note(write, &Outcome::Deferred(Some(why.to_owned())));
            }
            Err(error) => {
                self.note(write, &Outcome::Failed(error.to_string()));
                // A 403 may concern a single account; a 401 concerns the credential.
                self.permanent |= !error.is_transient();
                if error.status() == Some(401) {
                    self.refused = Some(SyncFailure::target(error));
                }
            }
        }
    }

    pub(super) fn outcomes(self, replica: &TargetReplica) -> Vec<ChangeOutcome> {
        let why = if self.cut {
            "time ran out; the next invocation continues"
        } else {
            "the run stopped before this change"
        };
        let ended: Vec<_> = self
            .changes
            .iter()
            .zip(&self.ended)
            .map(|(change, ended)| match ended {
                Some(Outcome::Done) if is_left_out(change, replica) => Outcome::Deferred(Some(
                    "the user is not on the learning platform yet".to_owned(),
                )),
                Some(outcome) => outcome.clone(),
                None => Outcome::Deferred(Some(why.to_owned())),
            })
            .collect();
        let all = self.changes.iter().cloned().zip(ended);
        all.map(|(change, outcome)| ChangeOutcome { change, outcome })
            .collect()
    }
}

/// Returns true if the change adds a member that was left out of the write of its team, because
/// it does not exist on the target.
fn is_left_out(change: &PlannedChange, replica: &TargetReplica) -> bool {
    let person = match &change.what {
        ChangeKind::AddMember {
            member: Member::Person(person),
        }
        | ChangeKind::AddSupervisor {
            member: Member::Person(person),
        } => *person,
        _ => return false,
    };
    replica.key(person).is_none()
}

/// Adds to `back` the writes that restore the old address of accounts with a temporary one, in
/// case the cycle of renamings cannot be completed.
pub(super) fn note_undo_writes(writes: &[Write], replica: &TargetReplica, back: &mut Vec<Write>) {
    for write in writes {
        let Operation::SetUser { user, facts, .. } = &write.operation else {
            continue;
        };
        let Some(Some(to)) = facts.get(&Field::Email) else {
            continue;
        };
        back.retain(
            |known| !matches!(&known.operation, Operation::SetUser { user: known, .. } if known == user),
        );
        let Some(now) = replica
            .platform()
            .users
            .get(user)
            .filter(|_| to.ends_with(TEMPORARY_DOMAIN))
        else {
            continue;
        };
        let mut write = write.clone();
        write.changes.clear();
        if let Operation::SetUser { facts, .. } = &mut write.operation {
            facts.insert(Field::Email, Some(now.user_name.clone()));
        }
        back.push(write);
    }
}
