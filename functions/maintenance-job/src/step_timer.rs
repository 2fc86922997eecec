//! Measures the steps of a run and shows its progress in the record.

use std::collections::BTreeMap;
use std::time::Instant;

use rollcall_domain::base::run::{Run, RunRequest, StepRecord};

use rollcall_clients::store::StoreError;

use crate::context::RunContext;

/// The timer of a run's steps.
pub(crate) struct StepTimer<'a> {
    run: &'a mut Run,
    /// The counts of earlier invocations.
    before: BTreeMap<String, u64>,
    begun: Instant,
}

impl<'a> StepTimer<'a> {
    /// Starts the measurement of the first step.
    pub(crate) fn start(run: &'a mut Run) -> Self {
        Self {
            before: run.counts.clone(),
            run,
            begun: Instant::now(),
        }
    }

    /// Returns the request of the run.
    pub(crate) fn request(&self) -> &RunRequest {
        &self.run.request
    }

    /// Ends a step and stores the record, so that readers see the progress.
    pub(crate) async fn record_step(
        &mut self,
        name: &str,
        context: &RunContext<'_>,
    ) -> Result<(), StoreError> {
        let ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.run.steps.push(StepRecord {
            name: name.to_owned(),
            ms,
            counts: BTreeMap::new(),
        });
        let mut shown = self.run.clone();
        // The counts of this invocation are stored only at its end: if it crashes, the next one
        // repeats its work and counts it.
        shown.counts.clone_from(&self.before);
        let fence = context.budget.fence();
        let store = &context.services.store;
        store.put_run(fence, &shown).await?;
        self.begun = Instant::now();
        Ok(())
    }

    /// Adds the counts of the step that just ended to the run, whose counts are totals over
    /// all its invocations.
    pub(crate) fn count(&mut self, counts: BTreeMap<String, u64>) {
        for (name, count) in &counts {
            *self.run.counts.entry(name.clone()).or_default() += count;
        }
        if let Some(step) = self.run.steps.last_mut() {
            step.counts = counts;
        }
    }
}
