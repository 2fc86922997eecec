//! Stored course sessions, with an index of those that wait for a room or for missing steps.

use rollcall_domain::base::audit::AuditEvent;
use rollcall_domain::base::ids::{CatalogId, SessionId, TenantId};
use rollcall_domain::course_session::{CourseSession, RoomAnswer, SessionStatus, plan};

use super::connections::{Versioned, readable, versioned};
use super::items::{document, string, tenant};
use super::page::{List, Page};
use super::{Condition, Store, StoreError};

const PREFIX: &str = "session#";
/// The key in the sparse index of sessions that must be checked again.
const OPEN: &str = "open-sessions";

fn prefix(catalog: CatalogId) -> String {
    format!("{PREFIX}{catalog}#")
}

fn key(catalog: CatalogId, id: SessionId) -> String {
    format!("{}{id}", prefix(catalog))
}

/// Returns whether a session waits for a room's answer or has unfinished steps.
fn is_open(session: &CourseSession) -> bool {
    let waits =
        session.room_answer == RoomAnswer::Waiting && session.status == SessionStatus::Scheduled;
    waits || !plan(Some(session), session).is_empty()
}

impl Store {
    /// Returns one session.
    pub async fn session(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        id: SessionId,
    ) -> Result<Option<Versioned<CourseSession>>, StoreError> {
        let Some(item) = self.get(tenant, &key(catalog, id)).await? else {
            return Ok(None);
        };
        versioned(&item).map(Some)
    }

    /// Returns one page of a catalog's sessions.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] if `after` is not a key of this list.
    pub async fn session_page(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Versioned<CourseSession>>, StoreError> {
        let prefix = prefix(catalog);
        let list = List {
            prefix: &prefix,
            backwards: false,
        };
        let page = self.page(tenant, list, after, limit).await?;
        Ok(Page {
            items: page.items.iter().map(versioned).collect::<Result<_, _>>()?,
            next: page.next,
        })
    }

    /// Stores a session with its audit events; returns the new version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the stored version is not `expected`.
    pub async fn put_session(
        &self,
        tenant: TenantId,
        session: &CourseSession,
        expected: Option<u64>,
        events: &[AuditEvent],
    ) -> Result<u64, StoreError> {
        let next = expected.map_or(1, |version| version + 1);
        let entity = key(session.catalog, session.id);
        let mut item = document(tenant, &entity, session, next)?;
        if is_open(session) {
            item.insert("fanout".to_owned(), string(OPEN));
        }
        let mut items = vec![self.put(item, Some(Condition::version(expected)))?];
        for event in events {
            items.push(self.event(tenant, event)?);
        }
        self.write(None, items).await.map(|()| next)
    }

    /// Returns every session of every tenant that must be checked again.
    pub async fn open_sessions(
        &self,
    ) -> Result<Vec<(TenantId, Versioned<CourseSession>)>, StoreError> {
        let items = self.fanned(OPEN).await?;
        let all = items
            .iter()
            .map(|item| Ok((tenant(item)?, versioned(item)?)));
        Ok(readable(all))
    }
}
