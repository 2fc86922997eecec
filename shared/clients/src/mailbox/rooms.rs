//! Reads the rooms of the tenant, for the location of a session.

use reqwest::Method;
use serde::Deserialize;

use super::Mailbox;
use crate::http::{ApiError, Links};

/// Rooms per page: Graph's default, stated explicitly.
const PAGE: u32 = 100;

/// A room that can be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Its display name.
    pub name: String,
    /// The address of its mailbox, used to invite it.
    pub address: String,
    /// Number of seats, if known.
    pub capacity: Option<u32>,
    /// Its building, if known.
    pub building: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    value: Vec<Wire>,
    #[serde(rename = "@odata.nextLink")]
    next_link: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    display_name: Option<String>,
    email_address: Option<String>,
    capacity: Option<i64>,
    building: Option<String>,
}

impl Wire {
    /// Returns the room; `None` without an address, because it cannot be invited.
    fn room(self) -> Option<Room> {
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let address = filled(self.email_address)?;
        let capacity = self.capacity.and_then(|seats| u32::try_from(seats).ok());
        Some(Room {
            name: filled(self.display_name).unwrap_or_else(|| address.clone()),
            address,
            capacity: capacity.filter(|seats| *seats > 0),
            building: filled(self.building),
        })
    }
}

impl Mailbox {
    /// Returns all rooms sorted by name without duplicates. Needs `Place.Read.All`:
    /// <https://learn.microsoft.com/graph/api/place-list>.
    pub async fn rooms(&self) -> Result<Vec<Room>, ApiError> {
        let tail = format!("/v1.0/places/microsoft.graph.room?$top={PAGE}");
        let (mut url, mut links) = (self.base.join(&tail), Links::new("rooms"));
        let mut rooms = Vec::new();
        loop {
            let answer = self.call(Method::GET, &url, None).await?;
            let page: Page = answer.json("a page of rooms")?;
            rooms.extend(page.value.into_iter().filter_map(Wire::room));
            let Some(link) = page.next_link else { break };
            links.admit(&self.base, &link)?;
            url = link;
        }
        let key = |room: &Room| (room.name.to_lowercase(), room.address.to_lowercase());
        rooms.sort_by_cached_key(key);
        rooms.dedup_by(|a, b| a.address.eq_ignore_ascii_case(&b.address));
        Ok(rooms)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, OnceLock};

    use super::super::testing::{connected, parts};
    use super::*;
    use crate::http::testing::{Stub, reply};

    /// Returns two pages; the first one links to `host` or back to the server itself.
    async fn two_pages(host: Option<&'static str>) -> (Stub, Mailbox) {
        let own: Arc<OnceLock<String>> = Arc::default();
        let known = Arc::clone(&own);
        let (stub, mailbox) = connected(move |request| {
            if request.contains("skip=2") {
                let rest = r#"{"value":[{"displayName":"Attic","emailAddress":"attic@contoso.com","capacity":-1,"building":" "},
                    {"displayName":"Zoo","emailAddress":"ZOO@contoso.com","capacity":8,"building":"B1"}]}"#;
                return reply(200, "", rest);
            }
            let host = host.or(known.get().map(String::as_str)).unwrap_or_default();
            let body = format!(
                r#"{{"value":[{{"displayName":"Zoo","emailAddress":"zoo@contoso.com","capacity":8,"building":"B1"}},
                    {{"displayName":"Nowhere","emailAddress":null}}],
                    "@odata.nextLink":"{host}/v1.0/places/microsoft.graph.room?$skip=2"}}"#
            );
            reply(200, "", &body)
        })
        .await;
        own.set(stub.url.clone()).expect("already set");
        (stub, mailbox)
    }

    /// Proves S1-16: the rooms of all pages are returned.
    #[tokio::test]
    async fn every_page_is_read_and_the_rooms_are_sorted() {
        let (stub, mailbox) = two_pages(None).await;
        let rooms = mailbox.rooms().await.expect("rooms not read");
        let attic = Room {
            name: "Attic".into(),
            address: "attic@contoso.com".into(),
            capacity: None,
            building: None,
        };
        let zoo = Room {
            name: "Zoo".into(),
            address: "zoo@contoso.com".into(),
            capacity: Some(8),
            building: Some("B1".into()),
        };
        assert_eq!(rooms, [attic, zoo]);
        let asked: Vec<_> = stub.requests().iter().map(|text| parts(text).0).collect();
        assert_eq!(
            asked,
            [
                "GET /v1.0/places/microsoft.graph.room?$top=100",
                "GET /v1.0/places/microsoft.graph.room?$skip=2",
            ]
        );
    }

    #[tokio::test]
    async fn a_link_to_another_host_is_not_followed() {
        let (stub, mailbox) = two_pages(Some("http://evil.example")).await;
        let error = mailbox
            .rooms()
            .await
            .expect_err("a foreign link was followed");
        assert!(matches!(error, ApiError::ForeignLink { .. }), "{error:?}");
        assert_eq!(stub.requests().len(), 1);
    }
}
