//! The people of an evaluation, page by page.

use rollcall_domain::membership::preview::{Entry, List, PreviewResult};
use serde::Serialize;
use utoipa::ToSchema;

use crate::cache::snapshots::Data;
use crate::error::ApiError;
use crate::extract::{from_cursor, page_size, part, to_cursor};

/// A page of people.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PeoplePage {
    /// How many there are on all pages.
    pub(crate) total: usize,
    /// By name.
    pub(crate) items: Vec<Entry>,
    /// Where the next page begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}

/// Which people of a list.
pub(crate) struct PeopleQuery<'q> {
    /// Only people with these words in name or mail address.
    pub(crate) search: Option<&'q str>,
    /// The maximum page size.
    pub(crate) limit: Option<u32>,
    /// Where the page before ended.
    pub(crate) cursor: Option<&'q str>,
}

/// A page of a list, by name.
pub(crate) fn page(
    data: &Data,
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

/// The offset of a cursor. One of an older snapshot is valid as well, since a
/// refresh in between must not interrupt scrolling.
fn offset(cursor: &str) -> Result<usize, ApiError> {
    let key = from_cursor(cursor)?;
    let mut parts = key.split(' ');
    if parts.next() != Some("people") {
        return Err(ApiError::Cursor);
    }
    part(parts.nth(1))
}
