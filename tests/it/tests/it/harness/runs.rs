//! Requesting runs, executing them, and reading what they recorded.

use std::time::Duration;

use rollcall_domain::base::run::{Run, RunRequest, RunStatus, Trigger};
use rollcall_domain::base::schedule::{Job, Slot};
use rollcall_domain::membership::report::MaintenanceReport;
use rollcall_runtime::{Deadline, Failure};
use serde_json::Value;

use super::{CONTACT, TestApp, platform};

impl TestApp {
    /// Returns a request for the next slot, one minute after the previous one.
    pub(crate) fn request(&mut self, job: Job) -> RunRequest {
        self.slot += chrono::TimeDelta::minutes(1);
        RunRequest {
            job,
            tenant: self.id,
            slot: Slot::of_tick(self.slot),
            trigger: Trigger::Schedule,
            continuation: 0,
            waits: 0,
        }
    }

    /// Executes the refresh of the next slot.
    pub(crate) async fn refresh(&mut self) -> Run {
        let request = self.request(Job::Refresh);
        self.work(&request).await.expect("not handled");
        self.run(&request).await
    }

    /// Executes the maintenance of the next slot including continuations.
    pub(crate) async fn maintain(&mut self) -> (Run, MaintenanceReport) {
        let request = self.request(Job::Maintenance);
        self.work(&request).await.expect("not handled");
        let run = self.run(&request).await;
        let report = self.report(&run).await;
        (run, report)
    }

    /// The same for a manual start, in which every group is read in full.
    pub(crate) async fn maintain_by_hand(&mut self) -> (Run, MaintenanceReport) {
        let mut request = self.request(Job::Maintenance);
        request.trigger = Trigger::by_hand(CONTACT);
        self.work(&request).await.expect("not handled");
        let run = self.run(&request).await;
        let report = self.report(&run).await;
        (run, report)
    }

    /// Executes the next invocation of a run that continues.
    pub(crate) async fn continue_run(&self, run: &Run) -> (Run, MaintenanceReport) {
        let mut request = run.request.clone();
        request.continuation += 1;
        self.work(&request).await.expect("not handled");
        let run = self.run(&request).await;
        let report = self.report(&run).await;
        (run, report)
    }

    /// Moves the next slot to more than 24 hours after the last.
    pub(crate) fn a_day_passes(&mut self) {
        self.slot += chrono::TimeDelta::days(1);
    }

    /// Executes the maintenance of the next slot, for tests that check only its effects.
    pub(crate) async fn maintained(&mut self) {
        let (run, _) = self.maintain().await;
        assert!(run.is_over() && run.status != RunStatus::Failed, "{run:?}");
    }

    /// Processes one message as the deployed function does.
    pub(crate) async fn work(&self, request: &RunRequest) -> Result<(), Failure> {
        self.work_within(request, Duration::from_mins(2)).await
    }

    /// The same with this time limit.
    pub(crate) async fn work_within(
        &self,
        request: &RunRequest,
        left: Duration,
    ) -> Result<(), Failure> {
        let deadline = Deadline::after(left);
        match request.job {
            Job::Refresh | Job::DirectorySync => {
                Box::pin(rollcall_refresh_job::execute_run(
                    &self.services,
                    request.clone(),
                    deadline,
                ))
                .await
            }
            Job::Maintenance | Job::Membership => {
                Box::pin(rollcall_maintenance_job::execute_run(
                    &self.services,
                    request.clone(),
                    deadline,
                ))
                .await
            }
        }
    }

    /// Returns the record of a run.
    pub(crate) async fn run(&self, request: &RunRequest) -> Run {
        let run = self
            .services
            .store
            .run(request)
            .await
            .expect("store failed");
        run.unwrap_or_else(|| {
            panic!(
                "there is no record of the {} run of {}",
                request.job, request.slot
            )
        })
    }

    /// Returns the full report of a run; an empty one if it stored none.
    pub(crate) async fn report(&self, run: &Run) -> MaintenanceReport {
        let Some(key) = &run.report else {
            return MaintenanceReport::default();
        };
        let bytes = self
            .services
            .objects
            .get(key)
            .await
            .expect("report not read");
        serde_json::from_slice(&bytes).expect("invalid report")
    }

    /// Returns how many requests for this job are in the queue, including delayed ones.
    pub(crate) async fn requested(&self, job: Job) -> usize {
        let url = match job {
            Job::Refresh | Job::DirectorySync => &self.services.settings.refresh_queue_url,
            Job::Maintenance | Job::Membership => &self.services.settings.maintenance_queue_url,
        };
        platform::queued(&self.sqs, url).await
    }

    /// Removes the visible requests for runs of a job from its queue and returns them.
    pub(crate) async fn requests(&self, job: Job) -> Vec<RunRequest> {
        let url = self.services.queue(job).url().to_owned();
        let bodies = self.messages(&url).await;
        let requests = bodies.into_iter().map(serde_json::from_value);
        requests
            .map(|request| request.expect("invalid request"))
            .collect()
    }

    pub(super) async fn messages(&self, url: &str) -> Vec<Value> {
        platform::drain(&self.sqs, url).await
    }
}
