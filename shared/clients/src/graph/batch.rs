//! `$batch`: up to twenty requests in one HTTP request, each with its own response.
//!
//! Parts are identified by id, because the responses arrive in any order. A successful outer
//! status does not imply that the parts succeeded, and the response of a part may be missing.

use std::time::{Duration, SystemTime};

use futures::future::join_all;
use reqwest::Method;
use rollcall_domain::base::ids::ObjectId;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::GraphError;
use super::transport::Call;
use super::transport::Transport;
use crate::http::{ApiError, Base, is_transient_status, parse_retry_after, vendor_error};

/// The maximum number of parts in one `$batch` (Microsoft's limit).
pub(super) const MAX_PARTS: usize = 20;

/// The number of concurrent `$batch` requests for one tenant. Microsoft's own sync tool uses
/// ten; four already exceed the write quota.
pub(super) const CONCURRENT: usize = 4;

/// One request inside a batch.
#[derive(Debug, Clone)]
pub(super) struct Part {
    method: &'static str,
    url: String,
    body: Option<Value>,
}

impl Part {
    /// Returns a read of `url`, which starts after `/v1.0`.
    pub(super) fn get(url: String) -> Self {
        Self {
            method: "GET",
            url,
            body: None,
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
        }
    }

    /// Returns a request that adds one member.
    pub(super) fn add_member(base: &Base, group: ObjectId, member: ObjectId) -> Self {
        let body = json!({ "@odata.id": member_link(base, member) });
        Self {
            method: "POST",
            url: format!("/groups/{group}/members/$ref"),
            body: Some(body),
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
        }
    }

    fn is_write(&self) -> bool {
        self.method != "GET"
    }

    fn wire(&self, id: usize) -> Value {
        let mut part = json!({ "id": id.to_string(), "method": self.method, "url": self.url });
        if let Some(body) = &self.body {
            part["headers"] = json!({ "Content-Type": "application/json" });
            part["body"] = body.clone();
        }
        part
    }

    fn path(&self) -> String {
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

    fn into_result(self, part: &Part) -> Result<Value, ApiError> {
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
struct WireAnswers {
    responses: Vec<WireAnswer>,
}

#[derive(Deserialize)]
struct WireAnswer {
    id: String,
    status: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: Value,
}

impl From<WireAnswer> for PartAnswer {
    fn from(wire: WireAnswer) -> Self {
        let retry_after = wire.headers.iter().find_map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            let wanted = name.eq_ignore_ascii_case("retry-after");
            wanted
                .then(|| parse_retry_after(&text, SystemTime::now()))
                .flatten()
        });
        Self {
            status: wire.status,
            retry_after,
            body: wire.body,
        }
    }
}

impl Transport {
    /// Sends one batch once. Returns the responses in the order of the parts, with `None`
    /// where Graph omitted one. The caller must take the writes from the quota.
    pub(super) async fn batch_once(
        &self,
        parts: &[Part],
    ) -> Result<Vec<Option<PartAnswer>>, GraphError> {
        let requests: Vec<_> = parts
            .iter()
            .enumerate()
            .map(|(id, part)| part.wire(id))
            .collect();
        let body = json!({ "requests": requests });
        self.meter.batch_of(parts.len());
        let writes = parts.iter().filter(|part| part.is_write()).count();
        self.meter.writes(u32::try_from(writes).unwrap_or(u32::MAX));
        let call = Call {
            method: Method::POST,
            tail: "/v1.0/$batch",
            body: Some(&body),
            prefer: None,
            eventual: false,
        };
        let (answer, token) = self.authorised(&call).await?;
        // Microsoft's documentation disagrees on the outer status of a throttled batch: 200
        // or 424.
        let answer = if answer.status == 424 {
            answer
        } else {
            answer.success()?
        };
        let wire: WireAnswers = answer.json("the answers of a batch")?;
        let mut answers: Vec<Option<PartAnswer>> = parts.iter().map(|_| None).collect();
        for part in wire.responses {
            let slot = part
                .id
                .parse()
                .ok()
                .and_then(|id: usize| answers.get_mut(id));
            if let Some(slot) = slot {
                *slot = Some(part.into());
            }
        }
        if answers.iter().flatten().any(|part| part.status == 401) {
            self.forget(&token);
        }
        Ok(answers)
    }

    /// Reads any number of parts, twenty per batch; transient errors and missing responses
    /// are retried. Returns the responses in the order of the parts.
    pub(super) async fn read_parts(
        &self,
        parts: &[Part],
    ) -> Result<Vec<Result<Value, ApiError>>, GraphError> {
        let mut answers = Vec::with_capacity(parts.len());
        for group in parts.chunks(MAX_PARTS * CONCURRENT) {
            let batches = group.chunks(MAX_PARTS).map(|batch| self.read_batch(batch));
            for batch in join_all(batches).await {
                answers.extend(batch?);
            }
        }
        Ok(answers)
    }

    async fn read_batch(&self, parts: &[Part]) -> Result<Vec<Result<Value, ApiError>>, GraphError> {
        let policy = self.http.retry();
        let mut done: Vec<Option<Result<Value, ApiError>>> = parts.iter().map(|_| None).collect();
        for tried in 1.. {
            let open: Vec<usize> = (0..parts.len()).filter(|i| done[*i].is_none()).collect();
            let asked: Vec<Part> = open.iter().map(|i| parts[*i].clone()).collect();
            let ask = || self.batch_once(&asked);
            let answers = policy.run(self.deadline, ask).await?;
            let pause = longest_wait(&answers).unwrap_or_else(|| policy.pause(tried));
            let last = tried >= policy.tries || !policy.may_wait(pause, self.deadline);
            for (i, answer) in open.into_iter().zip(answers) {
                done[i] = part_result(&parts[i], answer, last);
            }
            if done.iter().all(Option::is_some) {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        Ok(done.into_iter().flatten().collect())
    }
}

/// Returns the longest `Retry-After` of the parts.
pub(super) fn longest_wait(answers: &[Option<PartAnswer>]) -> Option<Duration> {
    answers
        .iter()
        .flatten()
        .filter_map(|answer| answer.retry_after)
        .max()
}

/// Returns the final result of a part; `None` if it must be retried.
fn part_result(
    part: &Part,
    answer: Option<PartAnswer>,
    last: bool,
) -> Option<Result<Value, ApiError>> {
    match answer {
        Some(answer) if !last && (answer.is_transient() || answer.status == 401) => None,
        Some(answer) => Some(answer.into_result(part)),
        None if !last => None,
        None => Some(Err(ApiError::Decode {
            method: part.method,
            path: part.path(),
            expected: "an answer to every part of a batch",
            detail: "the answer is missing".into(),
        })),
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
