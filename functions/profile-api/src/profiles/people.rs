//! Pages of the learners of an evaluation.

use rollcall_domain::membership::preview::{Entry, List, PreviewResult};
use serde::Serialize;
use utoipa::ToSchema;

use crate::cache::snapshots::CachedSnapshot;
use crate::error::ApiError;
use crate::extract::{from_cursor, page_size, part, to_cursor};

/// A page of learners.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PeoplePage {
    /// The number of entries on all pages.
    pub(crate) total: usize,
    /// The entries, by name.
    pub(crate) items: Vec<Entry>,
    /// The cursor of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}

/// The search and the page of a list.
pub(crate) struct PeopleQuery<'q> {
    /// Only learners with these words in the name or e-mail address.
    pub(crate) search: Option<&'q str>,
    /// The maximum page size.
    pub(crate) limit: Option<u32>,
    /// The cursor from the previous page.
    pub(crate) cursor: Option<&'q str>,
}

/// Returns a page of a list, by name.
pub(crate) fn page(
    data: &CachedSnapshot,
    result: &PreviewResult,
    list: List,
    query: &PeopleQuery<'_>,
) -> Result<PeoplePage, ApiError> {
    let offset = query.cursor.map_or(Ok(0), offset)?;
    let limit = page_size(query.limit);
    let search = query.search.filter(|text| !text.trim().is_empty());
    let page = result.people(&data.snapshot, data.order(), list, search, (offset, limit));
    let end = offset + page.entries.len();
    let more = end < page.total && !page.entries.is_empty();
    Ok(PeoplePage {
        total: page.total,
        items: page.entries,
        next_cursor: more.then(|| to_cursor(&format!("people {} {end}", data.pointer.id))),
    })
}

/// Returns the offset of a cursor. Cursors of older snapshots are valid, because a refresh
/// must not interrupt scrolling.
fn offset(cursor: &str) -> Result<usize, ApiError> {
    let key = from_cursor(cursor)?;
    let mut parts = key.split(' ');
    if parts.next() != Some("people") {
        return Err(ApiError::Cursor);
    }
    part(parts.nth(1))
}
