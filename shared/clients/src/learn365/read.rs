//! Reads whole sets: every page, in order, counted against the platform's own count.

use std::collections::HashSet;

use rollcall_domain::ids::UserId;
use rollcall_domain::lms::{LmsData, RoleRow, UserRow};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::Learn365;
use super::convert::WireRow;
use super::wire::{Page, WireCatalog, WireCourse, WireEnrollment, WireField, WireRole, WireUser};
use crate::http::{ApiError, Links};

/// Sets read at once. The platform publishes no limits; this keeps a tenant's
/// load at what a person clicking through exports would cause.
const SETS_AT_ONCE: usize = 3;

/// Which rows of a set are wanted.
#[derive(Default)]
pub(super) struct Query {
    filter: Option<String>,
}

impl Query {
    /// Rows for which an OData filter holds.
    pub(super) fn filtered(filter: String) -> Self {
        Self {
            filter: Some(filter),
        }
    }

    fn first_page<W: WireRow>(&self) -> String {
        let filter = self
            .filter
            .as_ref()
            .map(|f| format!("&$filter={}", f.replace(' ', "%20")));
        format!(
            "/odata/v2/{}?$count=true{}{}",
            W::SET,
            W::OPTIONS,
            filter.unwrap_or_default()
        )
    }
}

/// The six sets, or the first error.
pub(super) async fn all(client: &Learn365) -> Result<LmsData, ApiError> {
    let gate = &Semaphore::new(SETS_AT_ONCE);
    let (users, enrolments, roles, courses, catalogs, fields) = tokio::try_join!(
        gated::<WireUser>(client, gate),
        gated::<WireEnrollment>(client, gate),
        gated::<WireRole>(client, gate),
        gated::<WireCourse>(client, gate),
        gated::<WireCatalog>(client, gate),
        gated::<WireField>(client, gate),
    )?;
    if users.is_empty() {
        return Err(ApiError::Incomplete {
            set: WireUser::SET,
            expected: 1,
            found: 0,
        });
    }
    let mut data = LmsData {
        courses,
        catalogs,
        users,
        fields,
        enrolments,
        roles,
    };
    agree_on_groups(&mut data.users, &mut data.roles);
    Ok(data)
}

async fn gated<W: WireRow>(client: &Learn365, gate: &Semaphore) -> Result<Vec<W::Row>, ApiError> {
    // The semaphore is never closed; were it, reading without it would still be right.
    let _permit = gate.acquire().await.ok();
    set::<W>(client, &Query::default()).await
}

/// One whole set. When the rows do not add up (the data changed while it was
/// paged through, or a page was cut) it is read once more from the start.
pub(super) async fn set<W: WireRow>(
    client: &Learn365,
    query: &Query,
) -> Result<Vec<W::Row>, ApiError> {
    match pages::<W>(client, query).await {
        Err(error @ ApiError::Incomplete { .. }) => {
            tracing::info!(%error, "reading the set once more");
            pages::<W>(client, query).await
        }
        other => other,
    }
}

async fn pages<W: WireRow>(client: &Learn365, query: &Query) -> Result<Vec<W::Row>, ApiError> {
    let mut links = Links::new(W::SET);
    let mut gathered = Gathered::<W>::default();
    let mut page = fetch::<W>(client, &client.base.join(&query.first_page::<W>())).await?;
    let expected = page.count.ok_or_else(|| ApiError::Decode {
        method: "GET",
        path: format!("/odata/v2/{}", W::SET),
        expected: "a first page with @odata.count",
        detail: "the count is missing, so nothing can tell whether the set is complete".into(),
    })?;
    loop {
        gathered.take(page.value)?;
        let Some(link) = page.next_link else { break };
        links.admit(&client.base, &link)?;
        page = fetch::<W>(client, &link).await?;
    }
    gathered.complete(expected)
}

async fn fetch<W: WireRow>(client: &Learn365, url: &str) -> Result<Page<W>, ApiError> {
    client.get(url).await?.json("a page of an OData set")
}

/// Rows of a set so far. Paging over changing data can show a row twice, and
/// then it hides another one, which only the count tells.
struct Gathered<W: WireRow> {
    rows: Vec<W::Row>,
    seen: HashSet<Uuid>,
    position: u64,
}

impl<W: WireRow> Default for Gathered<W> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            seen: HashSet::new(),
            position: 0,
        }
    }
}

impl<W: WireRow> Gathered<W> {
    fn take(&mut self, page: Vec<W>) -> Result<(), ApiError> {
        self.rows.reserve(page.len());
        for row in page {
            self.position += 1;
            if row.own_id().is_some_and(|id| !self.seen.insert(id)) {
                continue;
            }
            let at = self.position;
            let bad = |problem| ApiError::BadRow {
                set: W::SET,
                row: at,
                problem,
            };
            self.rows.push(row.into_row().map_err(bad)?);
        }
        Ok(())
    }

    fn complete(self, expected: u64) -> Result<Vec<W::Row>, ApiError> {
        let found = self.rows.len() as u64;
        if found == expected {
            return Ok(self.rows);
        }
        Err(ApiError::Incomplete {
            set: W::SET,
            expected,
            found,
        })
    }
}

/// A holder is a group if its login name says so or one of its roles does.
fn agree_on_groups(users: &mut [UserRow], roles: &mut [RoleRow]) {
    let by_login = users
        .iter()
        .filter(|user| user.is_group)
        .filter_map(|user| user.id);
    let by_role = roles
        .iter()
        .filter(|role| role.is_group)
        .map(|role| role.user);
    let groups: HashSet<UserId> = by_login.chain(by_role).collect();
    for user in users {
        user.is_group = user.id.is_some_and(|id| groups.contains(&id));
    }
    for role in roles {
        role.is_group = groups.contains(&role.user);
    }
}
