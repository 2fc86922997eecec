//! Reads whole sets page by page and compares the rows with the platform's own count.

use std::time::Duration;

use rollcall_domain::snapshot::ingest::{EnrolmentSet, RoleSet, Sets, UserSet};
use rollcall_domain::snapshot::lms::{
    CatalogRow, CourseRow, EnrolmentRow, FieldRow, Role, RoleRow, User,
};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::convert::{Catalogs, Courses, Enrolments, Fields, Roles, Set, Users};
use super::dedup::IdDedup;
use super::wire::{Outline, Rows};
use super::{Learn365, LmsGroup};
use crate::blocking::run_blocking;
use crate::http::{Answer, ApiError, Links, position};

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
        let filter = self
            .filter
            .as_ref()
            .map(|f| format!("&$filter={}", f.replace(' ', "%20")));
        format!(
            "/odata/v2/{}?$count=true{}{}",
            S::NAME,
            S::OPTIONS,
            filter.unwrap_or_default()
        )
    }
}

/// A collection that receives the rows of a set one by one while pages arrive.
pub(super) trait RowCollector<S: Set>: Default + Send + 'static {
    /// Adds a row, or returns why it is invalid.
    fn take(&mut self, row: S::Row<'_>) -> Result<(), String>;
}

impl RowCollector<Users> for UserSet {
    fn take(&mut self, row: User<'_>) -> Result<(), String> {
        Self::push(self, &row).map_err(|error| error.to_string())
    }
}

impl RowCollector<Enrolments> for EnrolmentSet {
    fn take(&mut self, row: EnrolmentRow) -> Result<(), String> {
        Self::push(self, &row).map_err(|error| error.to_string())
    }
}

impl RowCollector<Roles> for RoleSet {
    fn take(&mut self, row: Role<'_>) -> Result<(), String> {
        Self::push(self, &row).map_err(|error| error.to_string())
    }
}

impl RowCollector<Courses> for Vec<CourseRow> {
    fn take(&mut self, row: CourseRow) -> Result<(), String> {
        self.push(row);
        Ok(())
    }
}

impl RowCollector<Catalogs> for Vec<CatalogRow> {
    fn take(&mut self, row: CatalogRow) -> Result<(), String> {
        self.push(row);
        Ok(())
    }
}

impl RowCollector<Fields> for Vec<FieldRow> {
    fn take(&mut self, row: FieldRow) -> Result<(), String> {
        self.push(row);
        Ok(())
    }
}

impl RowCollector<Roles> for Vec<RoleRow> {
    fn take(&mut self, row: Role<'_>) -> Result<(), String> {
        self.push(row.into_row());
        Ok(())
    }
}

/// Rows of the user list for one Entra object, each with whether it is a group.
impl RowCollector<Users> for Vec<(bool, LmsGroup)> {
    fn take(&mut self, row: User<'_>) -> Result<(), String> {
        let group = LmsGroup {
            id: row.id,
            login_name: row.login_name.into_owned(),
        };
        self.push((row.is_group, group));
        Ok(())
    }
}

/// Returns the six sets, or the first error.
pub(super) async fn read_all_sets(client: &Learn365) -> Result<Sets, ApiError> {
    let gate = &Semaphore::new(SETS_AT_ONCE);
    let (users, enrolments, roles, courses, catalogs, fields) = tokio::try_join!(
        read_with_permit::<Users, UserSet>(client, gate),
        read_with_permit::<Enrolments, EnrolmentSet>(client, gate),
        read_with_permit::<Roles, RoleSet>(client, gate),
        read_with_permit::<Courses, Vec<_>>(client, gate),
        read_with_permit::<Catalogs, Vec<_>>(client, gate),
        read_with_permit::<Fields, Vec<_>>(client, gate),
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

async fn read_with_permit<S: Set, G: RowCollector<S>>(
    client: &Learn365,
    gate: &Semaphore,
) -> Result<G, ApiError> {
    // The semaphore is never closed; without a permit, reading would still be correct.
    let _permit = gate.acquire().await.ok();
    set::<S, G>(client, &Query::default()).await
}

/// Reads one whole set. If the number of rows does not match the count (the data changed during
/// paging, or a page was truncated), it is read once more from the start.
pub(super) async fn set<S: Set, G: RowCollector<S>>(
    client: &Learn365,
    query: &Query,
) -> Result<G, ApiError> {
    match pages::<S, G>(client, query).await {
        Err(error @ ApiError::Incomplete { .. }) => {
            tracing::info!(%error, "row count mismatch, reading the set again");
            pages::<S, G>(client, query).await
        }
        other => other,
    }
}

/// Reads all pages. While the rows of one page are processed the next one is fetched, so at most
/// two pages of a set are in memory.
async fn pages<S: Set, G: RowCollector<S>>(
    client: &Learn365,
    query: &Query,
) -> Result<G, ApiError> {
    // Only pages of whole sets are large.
    let timeout = match query.filter {
        Some(_) => client.http.request_timeout(),
        None => client.http.long_read_timeout(),
    };
    let mut links = Links::new(S::NAME);
    let mut page = fetch(client, client.base.join(&query.first_page::<S>()), timeout).await?;
    let expected = page.outline.count.ok_or_else(|| ApiError::Decode {
        method: "GET",
        path: format!("/odata/v2/{}", S::NAME),
        expected: "a first page with @odata.count",
        detail: "the count is missing, so the completeness of the set is unknown".into(),
    })?;
    let mut gathered = Collected::<G>::default();
    loop {
        let Page { answer, outline } = page;
        let taken = run_blocking(move || gathered.take::<S>(&answer));
        let Some(link) = outline.next_link else {
            return taken.await?.complete::<S>(expected);
        };
        links.admit(&client.base, &link)?;
        (gathered, page) = tokio::try_join!(taken, fetch(client, link, timeout))?;
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

    fn complete<S: Set>(self, expected: u64) -> Result<G, ApiError> {
        if self.found == expected {
            return Ok(self.rows);
        }
        Err(ApiError::Incomplete {
            set: S::NAME,
            expected,
            found: self.found,
        })
    }
}
