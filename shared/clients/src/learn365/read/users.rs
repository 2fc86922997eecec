//! Reads the user list and proves that nobody is missing from it.
//!
//! Pages are positions in a list that changes: if one user is deleted while the list is read, all
//! later ones move up, and one is on no page. If another user is added meanwhile, not even the count
//! shows it. That user would be removed from all groups until the next refresh. So the ids are read a
//! second time, which is cheap, and whoever is only among them is read alone.

use rollcall_domain::base::ids::UserId;
use rollcall_domain::snapshot::ingest::UserSet;

use super::super::convert::{Set, UserIds, Users};
use super::{ATTEMPTS, Collected, Query, collect, fetch, set};
use crate::blocking::run_blocking;
use crate::http::ApiError;
use crate::learn365::Learn365;

/// Users that are read alone; if more are missing, the list is read again.
const MAX_ALONE: usize = 50;

/// Returns all users.
pub(super) async fn read(client: &Learn365) -> Result<UserSet, ApiError> {
    let mut attempt = 1;
    loop {
        let users: Collected<UserSet> = collect::<Users, _>(client, &Query::default()).await?;
        let ids: Vec<UserId> = set::<UserIds, _>(client, &Query::default()).await?;
        let missing: Vec<UserId> = ids
            .into_iter()
            .filter(|id| !users.seen.contains(id.uuid()))
            .collect();
        if missing.len() <= MAX_ALONE {
            return add(client, users, missing).await;
        }
        tracing::info!(
            missing = missing.len(),
            "users are missing, reading the list again"
        );
        if attempt == ATTEMPTS {
            return Err(ApiError::Incomplete {
                set: Users::NAME,
                expected: users.found + missing.len() as u64,
                found: users.found,
            });
        }
        attempt += 1;
    }
}

/// Adds users that the list lacked. Whoever does not exist any more has been deleted since.
async fn add(
    client: &Learn365,
    mut users: Collected<UserSet>,
    missing: Vec<UserId>,
) -> Result<UserSet, ApiError> {
    for id in missing {
        let query = Query::filtered(format!("Id eq {id}"));
        let url = client.base.join(&query.first_page::<Users>());
        let page = fetch(client, url, client.http.request_timeout()).await?;
        users = run_blocking(move || users.take::<Users>(&page.answer)).await?;
    }
    Ok(users.rows)
}
