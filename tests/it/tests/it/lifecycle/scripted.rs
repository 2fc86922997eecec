//! Runs of jobs whose work ends as a test wants it.

use std::sync::Mutex;

use rollcall_app::jobs::job_run::Progress;

use super::*;

/// The error of [`Scripted`].
#[derive(Debug, thiserror::Error)]
enum ScriptedError {
    #[error("the platform received no response")]
    Platform(#[source] std::io::Error),
    #[error("the table does not respond")]
    NotBegun,
}

/// A job whose work ends as given.
struct Scripted {
    executed: fn() -> Result<(), ScriptedError>,
    progress: Progress,
    failures: Mutex<Vec<String>>,
}

impl Scripted {
    fn new(executed: fn() -> Result<(), ScriptedError>, progress: Progress) -> Self {
        Self {
            executed,
            progress,
            failures: Mutex::default(),
        }
    }

    /// Executes a run of the refresh for a tenant, as the given continuation.
    async fn run(&self, app: &mut TestApp, continuation: u32) -> (Result<(), Failure>, Run) {
        let mut request = app.request(Job::Refresh);
        request.continuation = continuation;
        self.continue_run(app, request).await
    }

    /// Executes this invocation of a run.
    async fn continue_run(&self, app: &TestApp, request: RunRequest) -> (Result<(), Failure>, Run) {
        let deadline = Deadline::after(Duration::from_mins(1));
        let ended = lifecycle::run(&app.services, self, request.clone(), deadline).await;
        assert!(!is_locked(app, Job::Refresh).await, "the lease is held");
        (ended, app.run(&request).await)
    }

    fn failures(&self) -> Vec<String> {
        self.failures.lock().expect("poisoned").clone()
    }
}

impl JobRun for Scripted {
    const LEASE: &'static str = REFRESH_LEASE;
    const DROPPED_AFTER: Option<Duration> = None;
    const TIMED_OUT: &'static str = "";
    const REFUSES_OLD_SLOTS: bool = true;
    type Inputs = ();
    type Output = ();
    type Error = ScriptedError;

    fn is_retried(error: &ScriptedError) -> bool {
        matches!(error, ScriptedError::NotBegun)
    }

    async fn admit(&self, _request: &RunRequest) -> Result<Admission<()>, Failure> {
        Ok(Admission::Start(()))
    }

    async fn execute(&self, (): (), _: &mut Run, _: &RunBudget) -> Result<(), ScriptedError> {
        (self.executed)()
    }

    async fn complete(&self, _: &mut Run, (): ()) -> Result<Completion<ScriptedError>, Failure> {
        Ok(Completion::Continue {
            after: Duration::from_mins(10),
            progress: self.progress,
        })
    }

    async fn notify_skipped(&self, _: &Run, _: &str) -> Result<(), Failure> {
        panic!("the run was skipped")
    }

    async fn notify_crashed(&self, _: &Run) -> Result<(), Failure> {
        Ok(())
    }

    async fn notify_failed(&self, run: &Run, _: &RunError<ScriptedError>) -> Result<(), Failure> {
        let error = run.error.clone().expect("a failure without a reason");
        self.failures.lock().expect("poisoned").push(error);
        Ok(())
    }
}

/// Difference 5: each of the two reasons for which a run that never ends fails, and the last
/// continuation that is still allowed.
#[tokio::test]
async fn a_run_continues_only_with_progress_and_up_to_the_limit() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let stuck = Scripted::new(|| Ok(()), Progress::None);
    let (ended, run) = stuck.run(&mut app, 0).await;
    ended.expect("the message was not deleted");
    let error = "The run was cut off before everything was done, and its last invocation made no progress. The next run starts again from the current state.";
    assert_eq!(
        (run.status, run.error.as_deref()),
        (RunStatus::Failed, Some(error))
    );
    assert_eq!(stuck.failures(), [error]);
    let endless = Scripted::new(|| Ok(()), Progress::Made);
    let (ended, run) = endless.run(&mut app, MAX_CONTINUATIONS).await;
    ended.expect("the message was not deleted");
    let error = "The run has not finished after 1000 invocations. The next run starts again from the current state.";
    assert_eq!(
        (run.status, run.error.as_deref()),
        (RunStatus::Failed, Some(error))
    );
    assert_eq!(endless.failures(), [error]);
    let last = Scripted::new(|| Ok(()), Progress::Made);
    let (ended, run) = last.run(&mut app, MAX_CONTINUATIONS - 1).await;
    ended.expect("the message was not deleted");
    assert_eq!((run.status, run.error), (RunStatus::Continuing, None));
    assert!(last.failures().is_empty(), "{:?}", last.failures());
}

/// The stored text of a failed run contains the error, but not its technical causes, which are in
/// the log.
#[tokio::test]
async fn causes_of_a_failure_are_not_stored() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let broken = Scripted::new(
        || {
            let cause = std::io::Error::other("error sending request: dns error");
            Err(ScriptedError::Platform(cause))
        },
        Progress::Made,
    );
    let (ended, run) = broken.run(&mut app, 0).await;
    ended.expect("the message was not deleted");
    assert_eq!(run.status, RunStatus::Failed);
    assert_eq!(
        run.error.as_deref(),
        Some("the platform received no response")
    );
    assert_eq!(broken.failures(), ["the platform received no response"]);
}

/// If the work did not begin because of a temporary error, the message is delivered again, and the
/// run is neither ended nor reported.
#[tokio::test]
async fn a_temporary_error_before_the_work_returns_the_message() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let early = Scripted::new(|| Err(ScriptedError::NotBegun), Progress::Made);
    let (ended, run) = early.run(&mut app, 0).await;
    ended.expect_err("the message was deleted");
    assert_eq!((run.status, run.error), (RunStatus::Running, None));
    assert!(early.failures().is_empty(), "{:?}", early.failures());
}

/// F-1: a run may wait for a third party, but not for ever; every invocation that achieves something
/// begins the count anew.
#[tokio::test]
async fn a_run_waits_for_a_third_party_a_limited_number_of_times() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let waiting = Scripted::new(|| Ok(()), Progress::Waiting("Learn365 did not respond"));
    let working = Scripted::new(|| Ok(()), Progress::Made);
    let mut request = app.request(Job::Refresh);
    for scripted in [&waiting, &working]
        .into_iter()
        .chain([&waiting; MAX_STALLED as usize - 1])
    {
        let (ended, run) = scripted.continue_run(&app, request.clone()).await;
        ended.expect("the message was not deleted");
        assert_eq!(run.status, RunStatus::Continuing, "{run:?}");
        request.continuation += 1;
    }
    let (_, run) = waiting.continue_run(&app, request).await;
    assert_eq!(run.status, RunStatus::Failed);
    let error = run.error.expect("no reason");
    assert!(
        error.contains("Learn365 did not respond in 10 invocations"),
        "{error}"
    );
    assert_eq!(waiting.failures(), [error]);
}
