//! Interprets the responses to a batch of member changes.

use std::time::Duration;

use super::super::classify::{Classification, MemberOperation, classify};
use super::{Apply, PendingChange};
use crate::graph::GraphError;
use crate::graph::batch::PartAnswer;
use rollcall_domain::base::outcome::Outcome;

/// The number of attempts for a group that is not visible: with pauses of 0.5, 1, 2, 4, 8, 16
/// and 30 s about a minute, several times the usual delay.
const SIGHTINGS: u32 = 8;

/// The number of attempts after a change of the group succeeded: the missing object must be a
/// user, and the second attempt only covers a directory server that lags.
const SIGHTINGS_WHEN_SEEN: u32 = 2;

impl Apply<'_> {
    /// Records final outcomes and queues the other changes again; returns the required pause.
    pub(super) fn interpret_batch(
        &mut self,
        batch: Vec<PendingChange>,
        answers: Result<Vec<Option<PartAnswer>>, GraphError>,
    ) -> Duration {
        match answers {
            Ok(answers) => {
                let settled = batch.into_iter().zip(answers);
                settled
                    .map(|(work, answer)| self.interpret_answer(work, answer))
                    .max()
                    .unwrap_or_default()
            }
            Err(error) if error.is_transient() => {
                let wait = error.retry_after();
                let again = batch
                    .into_iter()
                    .map(|work| self.retry_later(work, wait, &error.to_string()));
                again.max().unwrap_or_default()
            }
            Err(error) => {
                let failed = Outcome::Failed(error.to_string());
                for work in &batch {
                    self.record(&work.change, &failed);
                }
                if error.is_auth() {
                    // Every further batch would be rejected in the same way.
                    self.stopped = Some(failed);
                }
                Duration::ZERO
            }
        }
    }

    fn interpret_answer(
        &mut self,
        mut work: PendingChange,
        answer: Option<PartAnswer>,
    ) -> Duration {
        let Some(answer) = answer else {
            return self.retry_later(
                work,
                None,
                "Microsoft Graph returned no response to this change",
            );
        };
        match classify(&work.change, &answer, self.group) {
            Classification::Done => {
                self.seen = true;
                self.record(&work.change, &Outcome::Done);
            }
            Classification::Already => self.record(&work.change, &Outcome::AlreadySo),
            Classification::Failed(reason) => {
                self.record(&work.change, &Outcome::Failed(reason));
            }
            Classification::Split => self.split(work.change),
            Classification::Again(wait) => {
                let reason = format!("Microsoft Graph kept returning status {}", answer.status);
                return self.retry_later(work, wait, &reason);
            }
            Classification::Unauthorised if work.renewed_token => {
                let reason = "Microsoft Graph refused the access token".into();
                self.record(&work.change, &Outcome::Failed(reason));
            }
            Classification::Unauthorised => {
                work.renewed_token = true;
                self.queue.push_back(work);
            }
            Classification::NotVisible(the_group) => return self.not_visible(work, the_group),
        }
        Duration::ZERO
    }

    /// Queues a change again unless its attempts are exhausted; returns the required pause.
    fn retry_later(
        &mut self,
        mut work: PendingChange,
        wait: Option<Duration>,
        reason: &str,
    ) -> Duration {
        let policy = self.transport.http.retry();
        work.tries += 1;
        if work.tries >= policy.tries {
            self.record(&work.change, &Outcome::Failed(reason.to_owned()));
            return Duration::ZERO;
        }
        let pause = wait.unwrap_or_else(|| policy.pause(work.tries));
        self.queue.push_back(work);
        pause
    }

    /// Waits for a group that is not visible. If attempts are exhausted, the group is deleted
    /// (`the_group`) or one of the members is unknown.
    fn not_visible(&mut self, mut work: PendingChange, the_group: bool) -> Duration {
        work.tries += 1;
        let (tried, limit) = if self.seen {
            (work.tries, SIGHTINGS_WHEN_SEEN)
        } else {
            self.not_visible_tries += u32::from(!self.probing);
            (self.not_visible_tries, SIGHTINGS)
        };
        if tried < limit {
            self.probing = !self.seen;
            self.queue.push_back(work);
            return self.transport.http.retry().pause(tried);
        }
        if the_group {
            let reason = "the group does not exist in Microsoft Entra (any more)".into();
            self.record(&work.change, &Outcome::Failed(reason));
        } else {
            self.split(work.change);
        }
        Duration::ZERO
    }

    /// Retries the members of a rejected PATCH one by one.
    fn split(&mut self, change: MemberOperation) {
        match change {
            MemberOperation::AddMany(members) => {
                self.queue.extend(
                    members
                        .into_iter()
                        .map(MemberOperation::AddOne)
                        .map(PendingChange::new),
                );
            }
            alone => {
                let reason = "the user or the group does not exist in Microsoft Entra (any more)";
                self.record(&alone, &Outcome::Failed(reason.into()));
            }
        }
    }

    pub(super) fn record(&mut self, change: &MemberOperation, outcome: &Outcome) {
        let adds = &mut self.outcomes.adds;
        match change {
            MemberOperation::AddMany(members) => {
                adds.extend(members.iter().map(|id| (*id, outcome.clone())));
            }
            MemberOperation::AddOne(member) => {
                adds.insert(*member, outcome.clone());
            }
            MemberOperation::Remove(member) => {
                self.outcomes.removes.insert(*member, outcome.clone());
            }
        }
    }
}
