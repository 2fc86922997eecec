//! How long each step of a run took, and how far the run is while it works.

use std::collections::BTreeMap;
use std::time::Instant;

use rollcall_domain::base::run::{Run, RunRequest, StepRecord};

use crate::context::{RunContext, words};

/// Notes how long each step took.
pub(crate) struct Clock<'a> {
    run: &'a mut Run,
    /// The counts of the invocations before this one.
    before: BTreeMap<String, u64>,
    begun: Instant,
}

impl<'a> Clock<'a> {
    /// Begins to measure.
    pub(crate) fn start(run: &'a mut Run) -> Self {
        Self {
            before: run.counts.clone(),
            run,
            begun: Instant::now(),
        }
    }

    /// What was asked.
    pub(crate) fn request(&self) -> &RunRequest {
        &self.run.request
    }

    /// Ends a step, and shows in the run's record that it has ended.
    pub(crate) async fn record_step(
        &mut self,
        name: &str,
        work: &RunContext<'_>,
    ) -> Result<(), String> {
        let ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.run.steps.push(StepRecord {
            name: name.to_owned(),
            ms,
            counts: BTreeMap::new(),
        });
        let mut shown = self.run.clone();
        // Counts join the record in the end: an invocation that dies now is counted by
        // the one that does its work again.
        shown.counts.clone_from(&self.before);
        let fence = work.pace.lease().fence();
        let store = &work.services.store;
        store.put_run(fence, &shown).await.map_err(words)?;
        self.begun = Instant::now();
        Ok(())
    }

    /// Notes what the step that just ended counted; the run's counts are those of
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
