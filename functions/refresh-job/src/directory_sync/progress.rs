//! The outcomes of changes while they are written, and the reason for stopping early.

use rollcall_clients::http::ApiError;
use rollcall_clients::scim::Written;
use rollcall_domain::base::outcome::Outcome;
use rollcall_domain::directory_sync::{
    ChangeKind, ChangeOutcome, Field, Member, Operation, PlannedChange, TargetReplica, Write,
};

use super::failure::SyncFailure;

/// A domain that no account can have: marks a temporary address between two renamings.
const BETWEEN: &str = "@renaming.invalid";

/// The outcomes so far.
pub(super) struct Progress<'c> {
    changes: &'c [PlannedChange],
    ended: Vec<Option<Outcome>>,
    /// The first refusal of the credential: every further write would fail.
    pub(super) refused: Option<SyncFailure>,
    pub(super) cut: bool,
    /// Whether writes were in flight when time ran out; they may have been applied.
    pub(super) in_the_air: bool,
    /// Whether a write was refused that will be refused again.
    pub(super) lasting: bool,
    /// Whether an administrator has switched the sync off.
    pub(super) unwanted: bool,
}

impl<'c> Progress<'c> {
    pub(super) fn new(changes: &'c [PlannedChange]) -> Self {
        Self {
            changes,
            ended: vec![None; changes.len()],
            refused: None,
            cut: false,
            in_the_air: false,
            lasting: false,
            unwanted: false,
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

    pub(super) fn take(
        &mut self,
        write: &Write,
        answer: Result<Written, ApiError>,
        mirror: &mut TargetReplica,
    ) {
        match answer {
            Ok(Written::Done(created)) => {
                mirror.record_write(write, created.as_deref());
                self.note(write, &Outcome::Done);
            }
            Ok(Written::Waits) => {
                let why = "somebody it names is not on the learning platform yet";
                self.note(write, &Outcome::Deferred(Some(why.to_owned())));
            }
            Err(error) => {
                self.note(write, &Outcome::Failed(error.to_string()));
                // A 403 may concern a single account; a 401 concerns the credential.
                self.lasting |= !error.is_transient();
                if error.status() == Some(401) {
                    self.refused = Some(SyncFailure::target(error));
                }
            }
        }
    }

    pub(super) fn outcomes(self, mirror: &TargetReplica) -> Vec<ChangeOutcome> {
        let why = if self.cut {
            "time ran out; the next invocation goes on"
        } else {
            "it was not reached"
        };
        let ended: Vec<_> = self
            .changes
            .iter()
            .zip(&self.ended)
            .map(|(change, ended)| match ended {
                Some(Outcome::Done) if left_out(change, mirror) => Outcome::Deferred(Some(
                    "the person is not on the learning platform yet".to_owned(),
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

/// Lists members that were left out of the write of their team because they do not exist on
/// the target.
fn left_out(change: &PlannedChange, mirror: &TargetReplica) -> bool {
    let person = match &change.what {
        ChangeKind::AddMember {
            member: Member::Person(person),
        }
        | ChangeKind::AddSupervisor {
            member: Member::Person(person),
        } => *person,
        _ => return false,
    };
    mirror.key(person).is_none()
}

/// Prepares the way back for accounts with a temporary address, in case the renaming circle
/// cannot be closed: `back` is the write that restores the old address.
pub(super) fn note_between(writes: &[Write], mirror: &TargetReplica, back: &mut Vec<Write>) {
    for write in writes {
        let Operation::SetUser { user, facts, .. } = &write.deed else {
            continue;
        };
        let Some(Some(to)) = facts.get(&Field::Email) else {
            continue;
        };
        back.retain(
            |known| !matches!(&known.deed, Operation::SetUser { user: known, .. } if known == user),
        );
        let Some(now) = mirror
            .platform()
            .users
            .get(user)
            .filter(|_| to.ends_with(BETWEEN))
        else {
            continue;
        };
        let mut write = write.clone();
        write.changes.clear();
        if let Operation::SetUser { facts, .. } = &mut write.deed {
            facts.insert(Field::Email, Some(now.user_name.clone()));
        }
        back.push(write);
    }
}
