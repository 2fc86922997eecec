//! The parts of a `$batch`: the requests that this service sends, and their responses.

use std::time::{Duration, SystemTime};

use rollcall_domain::base::ids::ObjectId;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::quota::ThrottleScope;
use crate::http::{ApiError, Base, is_transient_status, parse_retry_after, vendor_error};

/// One request inside a batch.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) method: &'static str,
    url: String,
    body: Option<Value>,
    /// True if Graph may respond from its index, which counts require.
    eventual: bool,
}

impl Part {
    /// Returns a read of `url`, which starts after `/v1.0`.
    pub(super) fn get(url: String) -> Self {
        Self {
            method: "GET",
            url,
            body: None,
            eventual: false,
        }
    }

    /// Returns a read with `$count=true`, or of a page that follows one.
    pub(super) fn get_counted(url: String) -> Self {
        Self {
            eventual: true,
            ..Self::get(url)
        }
    }

    /// Returns a request that adds up to twenty members; Graph adds all or none of them.
    pub(super) fn add_members(base: &Base, group: ObjectId, members: &[ObjectId]) -> Self {
        let links: Vec<_> = members.iter().map(|id| member_link(base, *id)).collect();
        let body = json!({ "members@odata.bind": links });
        Self {
            method: "PATCH",
            url: format!("/groups/{group}"),
            body: Some(body),
            eventual: false,
        }
    }

    /// Returns a request that adds one member.
    pub(super) fn add_member(base: &Base, group: ObjectId, member: ObjectId) -> Self {
        let body = json!({ "@odata.id": member_link(base, member) });
        Self {
            method: "POST",
            url: format!("/groups/{group}/members/$ref"),
            body: Some(body),
            eventual: false,
        }
    }

    /// Returns a request that removes one member from a group.
    ///
    /// The URL always ends in `/$ref`. Without it the request would delete the user from the
    /// directory, so this is the only function that builds it.
    pub(super) fn remove_member(group: ObjectId, member: ObjectId) -> Self {
        let url = format!("/groups/{group}/members/{member}/$ref");
        Self {
            method: "DELETE",
            url,
            body: None,
            eventual: false,
        }
    }

    pub(super) fn is_write(&self) -> bool {
        self.method != "GET"
    }

    pub(super) fn wire(&self, id: usize) -> Value {
        let mut part = json!({ "id": id.to_string(), "method": self.method, "url": self.url });
        if let Some(body) = &self.body {
            part["headers"] = json!({ "Content-Type": "application/json" });
            part["body"] = body.clone();
        }
        if self.eventual {
            part["headers"] = json!({ "ConsistencyLevel": "eventual" });
        }
        part
    }

    pub(super) fn path(&self) -> String {
        format!("/v1.0{}", self.url.split('?').next().unwrap_or_default())
    }
}

/// Returns the URL of a directory object in this cloud.
fn member_link(base: &Base, member: ObjectId) -> String {
    base.join(&format!("/v1.0/directoryObjects/{member}"))
}

/// The response to one part.
#[derive(Debug)]
pub(super) struct PartAnswer {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// The requests that a throttled response concerns.
    pub(super) scope: ThrottleScope,
    pub(super) body: Value,
}

impl PartAnswer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(super) fn is_transient(&self) -> bool {
        is_transient_status(self.status)
    }

    /// Returns Graph's error code and message.
    pub(super) fn error(&self) -> (Option<String>, String) {
        vendor_error(self.body.to_string().as_bytes())
    }

    pub(super) fn into_result(self, part: &Part) -> Result<Value, ApiError> {
        if self.is_success() {
            return Ok(self.body);
        }
        let (status, wait) = (self.status, self.retry_after);
        let body = self.body.to_string();
        Err(ApiError::from_body(
            part.method,
            part.path(),
            status,
            wait,
            body.as_bytes(),
        ))
    }
}

#[derive(Deserialize)]
pub(super) struct WireAnswers {
    pub(super) responses: Vec<WireAnswer>,
}

#[derive(Deserialize)]
pub(super) struct WireAnswer {
    pub(super) id: String,
    status: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: Value,
}

impl From<WireAnswer> for PartAnswer {
    fn from(wire: WireAnswer) -> Self {
        let header = |wanted: &str| {
            let mut headers = wire.headers.iter();
            let (_, value) = headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
            let text = value.as_str().map(str::to_owned);
            Some(text.unwrap_or_else(|| value.to_string()))
        };
        let retry_after =
            header("retry-after").and_then(|text| parse_retry_after(&text, SystemTime::now()));
        let scope = ThrottleScope::of(header(ThrottleScope::HEADER).as_deref());
        Self {
            status: wire.status,
            retry_after,
            scope,
            body: wire.body,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> ObjectId {
        ObjectId::new(Uuid::from_u128(n))
    }

    #[test]
    fn a_removal_always_ends_in_ref() {
        let part = Part::remove_member(id(1), id(2));
        assert_eq!(part.method, "DELETE");
        assert_eq!(
            part.url,
            format!("/groups/{}/members/{}/$ref", id(1), id(2))
        );
    }

    #[test]
    fn links_to_members_are_on_the_clouds_own_host() {
        let base = Base::parse("https://graph.microsoft.us").expect("invalid URL");
        let part = Part::add_members(&base, id(1), &[id(2)]).wire(0);
        let link = format!("https://graph.microsoft.us/v1.0/directoryObjects/{}", id(2));
        assert_eq!(part["body"]["members@odata.bind"][0], link);
        assert_eq!(part["headers"]["Content-Type"], "application/json");
    }

    #[test]
    fn retry_after_of_a_part_is_found_in_any_case_and_as_a_number() {
        let part = |headers: Value| {
            let wire = json!({ "id": "0", "status": 429, "headers": headers });
            PartAnswer::from(serde_json::from_value::<WireAnswer>(wire).expect("no part"))
        };
        let wait = Some(Duration::from_millis(2_128));
        assert_eq!(part(json!({ "Retry-After": "2.128" })).retry_after, wait);
        assert_eq!(part(json!({ "retry-after": 2.128 })).retry_after, wait);
        assert_eq!(part(json!({})).retry_after, None);
    }
}
