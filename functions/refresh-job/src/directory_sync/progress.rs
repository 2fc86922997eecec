//! How far changes are while they are made: what ended how, and why nothing else is tried.

use rollcall_clients::http::ApiError;
use rollcall_clients::scim::Written;
use rollcall_domain::base::outcome::Outcome;
use rollcall_domain::directory_sync::{
    ChangeKind, ChangeOutcome, Field, Member, Operation, PlannedChange, TargetReplica, Write,
};

use super::failure::SyncFailure;

/// What no account can be called by: a step between two addresses.
const BETWEEN: &str = "@renaming.invalid";

/// How far the changes are.
pub(super) struct Progress<'c> {
    changes: &'c [PlannedChange],
    ended: Vec<Option<Outcome>>,
    /// The first refusal of the credential: nothing else would pass.
    pub(super) refused: Option<SyncFailure>,
    pub(super) cut: bool,
    /// Whether something was under way when time ran out: perhaps it was made.
    pub(super) in_the_air: bool,
    /// Whether something was refused that will be refused again.
    pub(super) lasting: bool,
    /// Whether somebody has switched the sync off meanwhile.
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

    /// Notes how a write ended for its changes; of several the worst counts.
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
                // A 403 may be about this one account; a 401 is about all of them.
                self.lasting |= !error.is_transient();
                if error.status() == Some(401) {
                    self.refused = Some(SyncFailure::of_platform(error));
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

/// Members who are not there were left out of their team's write.
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

/// Whoever takes an address in between gets the old one back should the circle not
/// close: `back` is how. Who has the wanted address by then has no need of it.
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
