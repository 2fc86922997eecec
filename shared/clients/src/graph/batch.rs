//! `$batch`: up to twenty requests in one HTTP request, each with its own response.
//!
//! Parts are identified by id, because the responses arrive in any order. A successful outer
//! status does not imply that the parts succeeded, and the response of a part may be missing.

use std::time::Duration;

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::GraphError;
use super::batch_part::{Part, PartAnswer, WireAnswers};
use super::stats::BatchSize;
use super::transport::{Call, Transport};
use crate::http::ApiError;

/// The maximum number of parts in one `$batch` (Microsoft's limit).
pub(super) const MAX_PARTS: usize = 20;

/// The number of concurrent `$batch` requests for one tenant. Microsoft's own sync tool uses
/// ten; four already exceed the write quota.
pub(super) const CONCURRENT: usize = 4;

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
        let writes = parts.iter().filter(|part| part.is_write()).count();
        let call = Call {
            method: Method::POST,
            tail: "/v1.0/$batch",
            body: Some(&body),
            prefer: None,
            eventual: false,
            batch: Some(BatchSize {
                parts: parts.len(),
                writes: u32::try_from(writes).unwrap_or(u32::MAX),
            }),
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
        for part in answers.iter().flatten().filter(|it| it.status == 429) {
            self.note_throttling(part.retry_after, part.scope);
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
            let ask = || async {
                self.wait_for_reads().await?;
                self.batch_once(&asked).await
            };
            let answers = match policy.run(self.deadline, ask).await {
                // An unreadable response is like no response: it is repeated, and in the end it
                // is the error of each part rather than of the whole reading.
                Err(GraphError::Api(ApiError::Decode { .. })) => {
                    open.iter().map(|_| None).collect()
                }
                other => other?,
            };
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
        let mut results = Vec::with_capacity(parts.len());
        for result in done.into_iter().flatten() {
            match result {
                // Throttling concerns all requests to the tenant: it is no error of one part.
                Err(error) if error.status() == Some(429) => return Err(error.into()),
                other => results.push(other),
            }
        }
        Ok(results)
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
