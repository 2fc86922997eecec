//! Reads whole sets page by page and compares the rows with the platform's own count.

mod collectors;
mod users;

use std::time::Duration;

use rollcall_domain::snapshot::ingest::{EnrolmentSet, RoleSet, Sets};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::Learn365;
use super::convert::{Catalogs, Courses, Enrolments, Fields, Roles, Set, Users};
use super::dedup::IdDedup;
use super::wire::{Outline, Rows};
use crate::blocking::run_blocking;
use crate::http::{Answer, ApiError, Links, position};
use collectors::RowCollector;

/// Sets read concurrently. The platform publishes no limits, so the load is held at the level of
/// manual exports.
const SETS_AT_ONCE: usize = 3;

/// Selects the rows of a set.
#[derive(Default)]
pub(super) struct Query {
    filter: Option<String>,
}

impl Query {
    /// Selects the rows that match an OData filter.
    pub(super) fn filtered(filter: String) -> Self {
        Self {
            filter: Some(filter),
        }
    }

    fn first_page<S: Set>(&self) -> String {
        format!(
            "/odata/v2/{}?$count=true{}{}",
            S::NAME,
            S::OPTIONS,
            self.filter_option()
        )
    }

    /// The count alone; a page of one row, because `$top=0` is unusual.
    fn count<S: Set>(&self) -> String {
        let filter = self.filter_option();
        format!(
            "/odata/v2/{}?$count=true&$top=1&$select=Id{filter}",
            S::NAME
        )
    }

    fn filter_option(&self) -> String {
        self.filter
            .as_ref()
            .map(|f| format!("&$filter={}", f.replace(' ', "%20")))
            .unwrap_or_default()
    }
}

/// Returns the six sets, or the first error.
pub(super) async fn read_all_sets(client: &Learn365) -> Result<Sets, ApiError> {
    let gate = &Semaphore::new(SETS_AT_ONCE);
    let (users, enrolments, roles, courses, catalogs, fields) = tokio::try_join!(
        with_permit(gate, users::read(client)),
        with_permit(gate, whole::<Enrolments, EnrolmentSet>(client)),
        with_permit(gate, whole::<Roles, RoleSet>(client)),
        with_permit(gate, whole::<Courses, Vec<_>>(client)),
        with_permit(gate, whole::<Catalogs, Vec<_>>(client)),
        with_permit(gate, whole::<Fields, Vec<_>>(client)),
    )?;
    if users.is_empty() {
        return Err(ApiError::Incomplete {
            set: Users::NAME,
            expected: 1,
            found: 0,
        });
    }
    Ok(Sets {
        users,
        fields,
        courses,
        catalogs,
        enrolments,
        roles,
    })
}

async fn with_permit<T>(
    gate: &Semaphore,
    read: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, ApiError> {
    // The semaphore is never closed; without a permit, reading would still be correct.
    let _permit = gate.acquire().await.ok();
    read.await
}

async fn whole<S: Set, G: RowCollector<S>>(client: &Learn365) -> Result<G, ApiError> {
    set::<S, G>(client, &Query::default()).await
}

/// Number of times that a set is read until it is complete.
const ATTEMPTS: u32 = 3;
/// Rows by which a set may grow or shrink while it is read: one hundredth of it if that is more, and
/// at most a quarter of a small one.
const DRIFT_ROWS: u64 = 100;

/// Reads one whole set. If the number of rows does not match the platform's counts before and after
/// (a page was truncated, or much changed during paging), it is read again from the start.
pub(super) async fn set<S: Set, G: RowCollector<S>>(
    client: &Learn365,
    query: &Query,
) -> Result<G, ApiError> {
    let collected = collect::<S, G>(client, query).await?;
    Ok(collected.rows)
}

async fn collect<S: Set, G: RowCollector<S>>(
    client: &Learn365,
    query: &Query,
) -> Result<Collected<G>, ApiError> {
    let mut attempt = 1;
    loop {
        match pages::<S, G>(client, query).await {
            Err(error @ ApiError::Incomplete { .. }) if attempt < ATTEMPTS => {
                tracing::info!(%error, "row count mismatch, reading the set again");
                attempt += 1;
            }
            other => return other,
        }
    }
}

/// Reads all pages. While the rows of one page are processed the next one is fetched, so at most
/// two pages of a set are in memory.
async fn pages<S: Set, G: RowCollector<S>>(
    client: &Learn365,
    query: &Query,
) -> Result<Collected<G>, ApiError> {
    // Only pages of whole sets are large.
    let timeout = match query.filter {
        Some(_) => client.http.request_timeout(),
        None => client.http.long_read_timeout(),
    };
    let mut links = Links::new(S::NAME);
    let first = client.base.join(&query.first_page::<S>());
    let mut page = fetch(client, first, timeout).await?;
    let before = page.outline.announced::<S>()?;
    let (mut gathered, mut is_first) = (Collected::<G>::default(), true);
    loop {
        let Page { answer, outline } = page;
        let taken = run_blocking(move || gathered.take::<S>(&answer));
        let Some(link) = outline.next_link else {
            let gathered = taken.await?;
            // One page is one state of the set. The count of a later page is not used, because that
            // page may be the one that is wrong.
            let after = if is_first {
                before
            } else {
                count::<S>(client, query).await?
            };
            return gathered.complete::<S>(before, after);
        };
        links.admit(&client.base, &link)?;
        is_first = false;
        (gathered, page) = tokio::try_join!(taken, fetch(client, link, timeout))?;
    }
}

/// Returns the number of rows now.
async fn count<S: Set>(client: &Learn365, query: &Query) -> Result<u64, ApiError> {
    let url = client.base.join(&query.count::<S>());
    let page = fetch(client, url, client.http.long_read_timeout()).await?;
    page.outline.announced::<S>()
}

impl Outline {
    fn announced<S: Set>(&self) -> Result<u64, ApiError> {
        self.count.ok_or_else(|| ApiError::Decode {
            method: "GET",
            path: format!("/odata/v2/{}", S::NAME),
            expected: "a page with @odata.count",
            detail: "the count is missing, so the completeness of the set is unknown".into(),
        })
    }
}

/// A page whose rows are not parsed yet.
struct Page {
    answer: Answer,
    outline: Outline,
}

async fn fetch(client: &Learn365, url: String, timeout: Duration) -> Result<Page, ApiError> {
    let answer = client.get(&url, timeout).await?;
    run_blocking(move || {
        let outline = parse(&answer)?;
        Ok(Page { answer, outline })
    })
    .await
}

/// Parses the body, borrowing from it.
fn parse<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Result<T, ApiError> {
    serde_json::from_slice(&answer.body)
        .map_err(|error| answer.not("a page of an OData set", position(&error)))
}

/// The rows of a set so far. Paging over changing data can return a row twice and skip another one,
/// which only the count reveals.
#[derive(Default)]
struct Collected<G> {
    rows: G,
    seen: IdDedup,
    position: u64,
    found: u64,
}

impl<G> Collected<G> {
    fn take<S: Set>(mut self, page: &Answer) -> Result<Self, ApiError>
    where
        G: RowCollector<S>,
    {
        let page: Rows<S::Wire<'_>> = parse(page)?;
        for wire in page.value {
            self.position += 1;
            if S::own_id(&wire).is_some_and(|id| !self.seen.insert(id)) {
                continue;
            }
            self.found += 1;
            S::row(wire)
                .and_then(|row| self.rows.take(row))
                .map_err(|problem| ApiError::BadRow {
                    set: S::NAME,
                    row: self.position,
                    problem,
                })?;
        }
        Ok(self)
    }

    /// Returns the rows if they can be complete, given the platform's counts before and after the
    /// reading. Rows may be added and deleted meanwhile; the rows of a page that is missing or
    /// truncated are more than that.
    fn complete<S: Set>(self, before: u64, after: u64) -> Result<Self, ApiError> {
        let (fewest, most) = (before.min(after), before.max(after));
        let drift = DRIFT_ROWS.min(before / 4).max(before / 100);
        if self.found >= fewest && self.found <= most + drift && most - fewest <= drift {
            return Ok(self);
        }
        Err(ApiError::Incomplete {
            set: S::NAME,
            expected: before,
            found: self.found,
        })
    }
}
