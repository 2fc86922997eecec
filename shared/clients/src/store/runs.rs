//! Run records: one per tenant, job and slot, so that a slot runs once.

use rollcall_domain::base::ids::TenantId;
use rollcall_domain::base::run::{CRASHED, Run, RunRequest, RunStatus};
use rollcall_domain::base::schedule::{Job, Slot};

use super::items::{document, number, read, version};
use super::page::{List, Page};
use super::{Condition, Fence, Item, Store, StoreError, TTL_ATTRIBUTE, now};

const PREFIX: &str = "run#";
/// Records expire after this many days.
const KEPT_DAYS: i64 = 90;

fn key(request: &RunRequest) -> String {
    format!("{PREFIX}{}", Run::key(request))
}

fn item(run: &Run, version: u64) -> Result<Item, StoreError> {
    let mut item = document(run.request.tenant, &key(&run.request), run, version)?;
    let expires = run.started_at + chrono::TimeDelta::days(KEPT_DAYS);
    item.insert(TTL_ATTRIBUTE.to_owned(), number(expires.timestamp()));
    Ok(item)
}

/// Returns the version of a record that is written now. Writers under the lease replace the record
/// whatever its version; one without the lease must notice each of their writes.
fn write_id() -> u64 {
    now().timestamp_micros().unsigned_abs()
}

impl Store {
    /// Returns the record of a run, if it was begun.
    pub async fn run(&self, request: &RunRequest) -> Result<Option<Run>, StoreError> {
        self.get(request.tenant, &key(request))
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    /// Returns the records of one job, oldest first.
    pub async fn runs(&self, tenant: TenantId, job: Job) -> Result<Vec<Run>, StoreError> {
        let items = self.list(tenant, &format!("{PREFIX}{job}#")).await?;
        items.iter().map(read).collect()
    }

    /// Returns one page of a job's records, newest first, after the key `after`.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] if `after` is not a key of this job's records.
    pub async fn run_page(
        &self,
        tenant: TenantId,
        job: Job,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Run>, StoreError> {
        let prefix = format!("{PREFIX}{job}#");
        let list = List {
            prefix: &prefix,
            backwards: true,
        };
        let page = self.page(tenant, list, after, limit).await?;
        Ok(Page {
            items: page.items.iter().map(read).collect::<Result<_, _>>()?,
            next: page.next,
        })
    }

    /// Returns the record of a job's run at a slot.
    pub async fn run_at(
        &self,
        tenant: TenantId,
        job: Job,
        slot: Slot,
    ) -> Result<Option<Run>, StoreError> {
        let key = format!("{PREFIX}{}", Run::name(job, slot));
        self.get(tenant, &key).await?.as_ref().map(read).transpose()
    }

    /// Returns the newest record of a job before `slot`, to detect missed slots and crashed
    /// runs.
    pub async fn last_run(
        &self,
        tenant: TenantId,
        job: Job,
        slot: Slot,
    ) -> Result<Option<Run>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#tenant = :tenant AND #entity BETWEEN :first AND :last")
            .expression_attribute_names("#tenant", super::PARTITION_KEY)
            .expression_attribute_names("#entity", super::SORT_KEY)
            .expression_attribute_values(":tenant", super::items::string(tenant))
            .expression_attribute_values(":first", super::items::string(format!("{PREFIX}{job}#")))
            .expression_attribute_values(
                ":last",
                super::items::string(format!(
                    "{PREFIX}{job}#{}",
                    slot.at().format("%Y-%m-%dT%H:%M")
                )),
            )
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(1)
            .send()
            .await?;
        let newest = answer.items.unwrap_or_default().into_iter().next();
        newest.as_ref().map(read).transpose()
    }

    /// Claims a manual start of a job. Returns the remaining time if another manual start
    /// happened within `pause`, otherwise `None`.
    pub async fn claim_start(
        &self,
        tenant: TenantId,
        job: Job,
        pause: std::time::Duration,
    ) -> Result<Option<chrono::TimeDelta>, StoreError> {
        let at = now();
        let free = at + chrono::TimeDelta::from_std(pause).unwrap_or_default();
        let mut item = super::items::item(tenant, format!("started#{job}"));
        item.insert("free_at".to_owned(), super::items::moment(free));
        item.insert(TTL_ATTRIBUTE.to_owned(), number(free.timestamp()));
        let condition = Condition {
            expression: "attribute_not_exists(#free) OR #free <= :now".to_owned(),
            names: Some([("#free".to_owned(), "free_at".to_owned())].into()),
            values: Some([(":now".to_owned(), super::items::moment(at))].into()),
        };
        match self
            .write(None, vec![self.put(item, Some(condition))?])
            .await
        {
            Ok(()) => Ok(None),
            Err(StoreError::Conflict) => {
                let known = self.get(tenant, &format!("started#{job}")).await?;
                let free = known.and_then(|item| super::items::integer(&item, "free_at"));
                let free = free.and_then(chrono::DateTime::from_timestamp_millis);
                Ok(Some(
                    free.map_or(chrono::TimeDelta::zero(), |free| free - at),
                ))
            }
            Err(error) => Err(error),
        }
    }

    /// Creates the record of a run; returns `false` if it exists already.
    pub async fn begin_run(&self, run: &Run) -> Result<bool, StoreError> {
        let put = self.put(item(run, write_id())?, Some(Condition::absent()))?;
        match self.write(None, vec![put]).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Replaces the record under the run's lease.
    pub async fn put_run(&self, fence: &Fence, run: &Run) -> Result<(), StoreError> {
        let put = self.put(item(run, write_id())?, None)?;
        self.write(Some(fence), vec![put]).await
    }

    /// Ends the record of a crashed run, which has the status of a working one although the
    /// caller holds the lease under which it worked.
    pub async fn mark_run_crashed(&self, fence: &Fence, crashed: &Run) -> Result<(), StoreError> {
        let mut crashed = crashed.clone();
        crashed.status = RunStatus::Failed;
        crashed.error = Some(CRASHED.to_owned());
        crashed.finished_at = Some(now());
        self.put_run(fence, &crashed).await
    }

    /// Ends a run that never had a lease (skipped, or rejected before it began), unless its
    /// record is already over.
    pub async fn end_run_without_lease(&self, run: &Run) -> Result<(), StoreError> {
        let before = self.get(run.request.tenant, &key(&run.request)).await?;
        let condition = Condition::version(before.as_ref().map(version));
        if before
            .as_ref()
            .map(read::<Run>)
            .transpose()?
            .is_some_and(|run| run.is_over())
        {
            return Ok(());
        }
        let mut run = run.clone();
        run.finished_at.get_or_insert_with(now);
        self.write(
            None,
            vec![self.put(item(&run, write_id())?, Some(condition))?],
        )
        .await
    }
}
