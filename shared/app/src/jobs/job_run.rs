//! The interface between a job and the lifecycle of its runs.

use std::time::Duration;

use rollcall_domain::base::run::{Run, RunRequest};
use rollcall_runtime::Failure;

use super::budget::RunBudget;

/// A run that still needs continuations after this many is considered stuck and fails.
pub const MAX_CONTINUATIONS: u32 = 1_000;

/// After this many consecutive invocations without progress, a run that waits for a third party
/// fails.
pub const MAX_STALLED: u32 = 10;

/// The parts of a run's lifecycle that differ between jobs.
pub trait JobRun {
    /// The lease a run holds while it works.
    const LEASE: &'static str;
    /// The time after the deadline at which the work is dropped; `None` for a job that checks its
    /// budget itself and stops cleanly.
    const DROPPED_AFTER: Option<Duration>;
    /// The error text of a run whose work was dropped for lack of time.
    const TIMED_OUT: &'static str;
    /// True if a run whose slot is too old, or older than that of a newer run, is refused: the
    /// newer run does the same from newer data. False for a job that decides itself which slots are
    /// due.
    const REFUSES_OLD_SLOTS: bool;
    /// The data that admission read and the work needs.
    type Inputs;
    /// The result of the work.
    type Output;
    /// The error of the work.
    type Error: std::error::Error;

    /// Returns true if the work did not begin because of a temporary error: the message is delivered
    /// again, and the run is neither recorded as failed nor reported.
    fn is_retried(_error: &Self::Error) -> bool {
        false
    }

    /// Checks the preconditions. Nothing is locked or changed here.
    fn admit(
        &self,
        request: &RunRequest,
    ) -> impl Future<Output = Result<Admission<Self::Inputs>, Failure>>;

    /// Does the work. Writes of the state carry the fence of `budget`; a write without a fence
    /// requires [`RunBudget::confirm_lease`] just before it.
    fn execute(
        &self,
        inputs: Self::Inputs,
        run: &mut Run,
        budget: &RunBudget,
    ) -> impl Future<Output = Result<Self::Output, Self::Error>>;

    /// Sets the run's status and queues the notices of finished work. The lease was confirmed
    /// just before. After an error the message is delivered again and the run is repeated, so
    /// that no notice is lost.
    fn complete(
        &self,
        run: &mut Run,
        output: Self::Output,
    ) -> impl Future<Output = Result<Completion<Self::Error>, Failure>>;

    /// Queues the notice that a run was skipped although administrators rely on it.
    fn notify_skipped(&self, run: &Run, reason: &str) -> impl Future<Output = Result<(), Failure>>;

    /// Queues the notice that an earlier run crashed. Its text is
    /// [`CRASHED`](rollcall_domain::base::run::CRASHED).
    fn notify_crashed(&self, crashed: &Run) -> impl Future<Output = Result<(), Failure>>;

    /// Queues the notice that this run failed, and records what follows from it.
    fn notify_failed(
        &self,
        run: &Run,
        error: &RunError<Self::Error>,
    ) -> impl Future<Output = Result<(), Failure>>;
}

/// The result of checking the preconditions.
#[derive(Debug)]
pub enum Admission<T> {
    /// The run may begin.
    Start(T),
    /// Not yet: the request is requeued and checked again later.
    Requeue,
    /// The run is skipped and the reason recorded; with `alert`, administrators are notified.
    Skip {
        /// The reason.
        reason: String,
        /// True if administrators are notified.
        alert: bool,
    },
}

/// The way in which the work of an invocation ended.
#[derive(Debug)]
pub enum Completion<E> {
    /// The run is over; its status is set.
    Ended,
    /// Another invocation does the remaining work.
    Continue {
        /// The delay before the next invocation.
        after: Duration,
        /// What this invocation has achieved.
        progress: Progress,
    },
    /// Part of the work was done before it failed.
    Failed(E),
}

/// What an invocation achieved whose run needs another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Something was done or tried that no earlier invocation of the run did or tried.
    Made,
    /// Nothing new, because a third party asked for a pause or does not respond. The run fails
    /// after [`MAX_STALLED`] such invocations in a row. Contains the reason as a clause.
    Waiting(&'static str),
    /// Nothing new. The run fails, because the next invocation would achieve nothing either.
    None,
}

/// The reason why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError<E: std::error::Error> {
    /// The job's own reason.
    #[error(transparent)]
    Job(E),
    /// The work was dropped for lack of time.
    #[error("{0}")]
    TimedOut(&'static str),
    /// The run was cut off by an invocation that achieved nothing.
    #[error(
        "The run was cut off before everything was done, and its last invocation made no progress. The next run starts again from the current state."
    )]
    NoProgress,
    /// A third party let no invocation make progress for too long.
    #[error(
        "The run ended before everything was done: {0} in {MAX_STALLED} invocations in a row. The next run starts again from the current state."
    )]
    Stalled(&'static str),
    /// The run needs more invocations than [`MAX_CONTINUATIONS`].
    #[error(
        "The run has not finished after {MAX_CONTINUATIONS} invocations. The next run starts again from the current state."
    )]
    TooManyContinuations,
}
