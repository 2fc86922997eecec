//! Changes a group's members: adds before removes, in batches, with an outcome for every object.
//!
//! The numbers are those of Microsoft's own group-sync tool: twenty members per PATCH, five
//! `PATCHes` per batch (with more, Graph returns 503), twenty DELETEs per batch, five attempts.

mod doubt;
mod interpret;

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use futures::future::join_all;
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::base::outcome::Outcome;
use tokio::time::{Instant, sleep};

use super::GraphWriter;
use super::classify::MemberOperation;
use super::outcome::{MemberOutcomes, WriteGate};
use crate::graph::batch::{CONCURRENT, MAX_PARTS};
use crate::graph::batch_part::Part;
use crate::graph::transport::Transport;
use doubt::Doubt;

/// The maximum number of members in one PATCH (Graph's limit for `members@odata.bind`).
const MEMBERS_PER_PATCH: usize = 20;

/// The places of a batch's twenty that a PATCH uses: five `PATCHes` fill a batch.
const PATCH_PLACES: usize = 4;

/// The longest wait without calling the gate, so that a lease can be renewed.
const GATE_EVERY: Duration = Duration::from_secs(5);

/// A change and the number of its attempts.
struct PendingChange {
    change: MemberOperation,
    tries: u32,
    /// The number of times it was refused because of throttling.
    refused: u32,
    renewed_token: bool,
}

impl PendingChange {
    fn new(change: MemberOperation) -> Self {
        Self {
            change,
            tries: 0,
            refused: 0,
            renewed_token: false,
        }
    }

    fn places(&self) -> usize {
        if matches!(self.change, MemberOperation::AddMany(_)) {
            PATCH_PLACES
        } else {
            1
        }
    }
}

impl GraphWriter {
    /// Adds and removes members of a group, which must be supported and managed by this
    /// service.
    ///
    /// Never fails as a whole: each requested object ends as done, already so, without an account,
    /// failed with a reason, or deferred. Only failed parts are retried, after the longest wait
    /// that any of them requests. Throttling defers changes and never fails them. `gate` is called
    /// before each batch, and nothing is sent after the client's deadline.
    pub async fn apply_members(
        &self,
        group: ObjectId,
        adds: &[ObjectId],
        removes: &[ObjectId],
        gate: &mut impl WriteGate,
    ) -> MemberOutcomes {
        let mut apply = Apply::new(self.transport(), group);
        let adds: Vec<ObjectId> = adds
            .iter()
            .copied()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let chunks = adds
            .chunks(MEMBERS_PER_PATCH)
            .map(|chunk| MemberOperation::AddMany(chunk.to_vec()));
        apply.queue.extend(chunks.map(PendingChange::new));
        apply.drain(gate).await;
        let removes: BTreeSet<ObjectId> = removes.iter().copied().collect();
        apply.queue.extend(
            removes
                .into_iter()
                .map(MemberOperation::Remove)
                .map(PendingChange::new),
        );
        apply.drain(gate).await;
        apply.outcomes
    }
}

/// The changes of one group.
struct Apply<'a> {
    transport: &'a Transport,
    group: ObjectId,
    queue: VecDeque<PendingChange>,
    outcomes: MemberOutcomes,
    /// True if a change succeeded, so that the group exists.
    seen: bool,
    /// True if a read showed that the group exists and is not new.
    established: bool,
    /// The number of attempts for which the group was new or not visible.
    group_tries: u32,
    /// The changes whose refusal has to be explained by reading.
    doubts: Vec<Doubt>,
    /// True if the next attempt sends one request instead of all.
    probing: bool,
    /// The outcome of all remaining changes, once nothing more is sent.
    stopped: Option<Outcome>,
}

impl<'a> Apply<'a> {
    fn new(transport: &'a Transport, group: ObjectId) -> Self {
        Self {
            transport,
            group,
            queue: VecDeque::new(),
            outcomes: MemberOutcomes::default(),
            seen: false,
            established: false,
            group_tries: 0,
            doubts: Vec::new(),
            probing: false,
            stopped: None,
        }
    }

    /// Processes the queue in rounds of a few concurrent batches.
    async fn drain(&mut self, gate: &mut impl WriteGate) {
        while self.stopped.is_none() && !self.queue.is_empty() {
            let round = self.admit_round(gate).await;
            let parts: Vec<Vec<Part>> = round
                .iter()
                .map(|batch| batch.iter().map(|work| self.part(&work.change)).collect())
                .collect();
            let sent = parts.iter().map(|batch| self.transport.batch_once(batch));
            let answers = join_all(sent).await;
            let mut pause = Duration::ZERO;
            self.probing = false;
            for (batch, answers) in round.into_iter().zip(answers) {
                pause = pause.max(self.interpret_batch(batch, answers));
            }
            pause = pause.max(self.settle_doubts().await);
            if !self.queue.is_empty() {
                self.wait(pause, gate).await;
            }
        }
        let rest = self.stopped.clone().unwrap_or(Outcome::Deferred(None));
        for work in std::mem::take(&mut self.queue) {
            self.record(&work.change, &rest);
        }
    }

    fn part(&self, change: &MemberOperation) -> Part {
        let base = &self.transport.base;
        match change {
            MemberOperation::AddMany(members) => Part::add_members(base, self.group, members),
            MemberOperation::AddOne(member) => Part::add_member(base, self.group, *member),
            MemberOperation::Remove(member) => Part::remove_member(self.group, *member),
        }
    }

    /// Returns the next batches that the quota and the gate allow. Only the first waits for
    /// the quota: writes taken from it must be sent now, not in a burst later.
    async fn admit_round(&mut self, gate: &mut impl WriteGate) -> Vec<Vec<PendingChange>> {
        let mut round = Vec::new();
        let (batches, places) = match (self.probing, self.transport.quota.is_slowed()) {
            (true, _) => (1, 1),
            // After a refusal one batch at a time, so that the next refusal concerns few changes.
            (false, true) => (1, MAX_PARTS),
            (false, false) => (CONCURRENT, MAX_PARTS),
        };
        while round.len() < batches {
            let batch = self.next_batch(places);
            let requests = u32::try_from(batch.len()).unwrap_or(u32::MAX);
            if requests == 0 {
                break;
            }
            let at_once = round.is_empty() || self.transport.quota.has(requests);
            if !at_once || !self.may_send(requests, gate).await {
                self.stopped = at_once.then_some(Outcome::Deferred(None));
                batch
                    .into_iter()
                    .rev()
                    .for_each(|work| self.queue.push_front(work));
                break;
            }
            round.push(batch);
        }
        round
    }

    async fn may_send(&self, requests: u32, gate: &mut impl WriteGate) -> bool {
        let in_time = |end| Instant::now() < end;
        if !self.transport.deadline.is_none_or(in_time) {
            return false;
        }
        let pause = self.transport.quota.writes_pause().unwrap_or_default();
        if pause > self.transport.http.retry().longest_wait {
            return false;
        }
        if !self
            .transport
            .quota
            .take(requests, self.transport.deadline)
            .await
        {
            return false;
        }
        let go = gate.go(requests).await;
        if !go {
            self.transport.quota.give_back(requests);
        }
        go
    }

    /// Takes changes from the queue until the places are filled, at least one.
    fn next_batch(&mut self, places: usize) -> Vec<PendingChange> {
        let (mut batch, mut taken) = (Vec::new(), 0);
        while let Some(work) = self.queue.front() {
            taken += work.places();
            if taken > places && !batch.is_empty() {
                break;
            }
            batch.extend(self.queue.pop_front());
        }
        batch
    }

    /// Sleeps and calls the gate at intervals; stops everything if the pause is too long or
    /// the gate returns false.
    async fn wait(&mut self, pause: Duration, gate: &mut impl WriteGate) {
        let allowed = self
            .transport
            .http
            .retry()
            .may_wait(pause, self.transport.deadline);
        if !pause.is_zero() && !allowed {
            self.stopped = Some(Outcome::Deferred(None));
            return;
        }
        let mut left = pause;
        while !left.is_zero() {
            let nap = left.min(GATE_EVERY);
            sleep(nap).await;
            left -= nap;
            if !left.is_zero() && !gate.go(0).await {
                self.stopped = Some(Outcome::Deferred(None));
                return;
            }
        }
    }
}
