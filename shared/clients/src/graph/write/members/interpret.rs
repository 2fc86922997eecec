//! Interprets the responses to a batch of member changes.

use std::time::Duration;

use super::super::classify::{Classification, MemberOperation, classify};
use super::{Apply, Doubt, PendingChange};
use crate::graph::GraphError;
use crate::graph::batch_part::PartAnswer;
use crate::http::ApiError;
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::base::outcome::Outcome;

/// The number of refusals for throttling after which a change is left to a later run.
const MAX_REFUSALS: u32 = 20;

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
            Err(error) if error.is_throttled() => {
                let wait = error.retry_after();
                let again = batch.into_iter().map(|work| self.throttled(work, wait));
                again.max().unwrap_or_default()
            }
            // The changes may have been made. Repeating them is safe: each of them is then
            // answered as already made.
            Err(error) if error.is_transient() || is_unreadable(&error) => {
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
        match classify(&work.change, &answer) {
            Classification::Done => {
                self.seen = true;
                self.record(&work.change, &Outcome::Done);
            }
            Classification::Already => self.record(&work.change, &Outcome::AlreadySo),
            Classification::NothingToRemove if self.seen => {
                self.record(&work.change, &Outcome::AlreadySo);
            }
            Classification::Failed(reason) => {
                self.record(&work.change, &Outcome::Failed(reason));
            }
            Classification::Split => self.split(work.change),
            Classification::Again(wait) => {
                let reason = format!("Microsoft Graph kept returning status {}", answer.status);
                return self.retry_later(work, wait, &reason);
            }
            Classification::Throttled(wait) => return self.throttled(work, wait),
            Classification::Unauthorised if work.renewed_token => {
                let reason = "Microsoft Graph refused the access token".into();
                self.record(&work.change, &Outcome::Failed(reason));
            }
            Classification::Unauthorised => {
                work.renewed_token = true;
                self.queue.push_back(work);
            }
            Classification::UnknownMember(member) => self.set_aside(work, member),
            Classification::UnknownObject | Classification::NothingToRemove => {
                self.doubts.push(Doubt::Object(work));
            }
        }
        Duration::ZERO
    }

    /// Queues a change again that was refused because there were too many requests. That is no
    /// failure of the change, so it is not counted as an attempt, and a change that is refused
    /// again and again is left to a later run. Returns the required pause.
    fn throttled(&mut self, mut work: PendingChange, wait: Option<Duration>) -> Duration {
        work.refused += 1;
        if work.refused >= MAX_REFUSALS {
            let reason = "Microsoft Graph kept refusing it because of too many requests";
            self.record(&work.change, &Outcome::Deferred(Some(reason.to_owned())));
            return Duration::ZERO;
        }
        let pause = wait.unwrap_or_else(|| self.transport.http.retry().pause(work.refused));
        self.queue.push_back(work);
        pause
    }

    /// Queues a change again unless its attempts are exhausted; returns the required pause.
    pub(super) fn retry_later(
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

    /// Separates a member that Graph does not know from the others of its PATCH, which are sent
    /// again at once.
    fn set_aside(&mut self, mut work: PendingChange, member: ObjectId) {
        let tries = work.tries;
        if let MemberOperation::AddMany(members) = &mut work.change {
            members.retain(|other| *other != member);
            if !members.is_empty() {
                self.queue.push_front(work);
            }
        }
        self.doubts.push(Doubt::Member { member, tries });
    }

    /// Retries the members of a rejected PATCH one by one.
    pub(super) fn split(&mut self, change: MemberOperation) {
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
                let reason =
                    "Microsoft Graph refuses this user although the user and the group exist";
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

fn is_unreadable(error: &GraphError) -> bool {
    matches!(error, GraphError::Api(ApiError::Decode { .. }))
}
