//! Reads and writes events in the connected account's calendar, with rooms and Teams meetings.

use chrono_tz::Tz;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use rollcall_domain::course_session::RoomAnswer;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::with_meeting;
use super::draft::EventDraft;
use super::{Mailbox, is_gone};
use crate::http::{Answer, ApiError};

const EVENTS: &str = "/v1.0/me/events";
const AN_EVENT: &str = "an event";

/// The state of an event in the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFacts {
    /// Its id in this mailbox.
    pub id: String,
    /// The join URL of its Teams meeting, once there is one.
    pub join_url: Option<String>,
    /// The response of its room; rooms respond some time after the invitation.
    pub room: RoomAnswer,
    /// The number of attendees without the room.
    pub attendees: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: String,
    online_meeting: Option<Meeting>,
    #[serde(default)]
    attendees: Vec<Attendee>,
    is_cancelled: Option<bool>,
    body: Option<Body>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meeting {
    join_url: Option<String>,
}

#[derive(Deserialize)]
struct Attendee {
    #[serde(rename = "type")]
    kind: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize)]
struct Status {
    response: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    content: Option<String>,
}

impl Attendee {
    fn is_room(&self) -> bool {
        self.kind.as_deref() == Some("resource")
    }

    /// A room with manual approval first responds with `tentativelyAccepted`.
    fn answer(&self) -> RoomAnswer {
        let response = self.status.as_ref().and_then(|it| it.response.as_deref());
        match response {
            Some("accepted") => RoomAnswer::Accepted,
            Some("declined") => RoomAnswer::Declined,
            _ => RoomAnswer::Waiting,
        }
    }
}

impl Wire {
    fn join_url(&self) -> Option<String> {
        let meeting = self.online_meeting.as_ref()?;
        meeting.join_url.clone().filter(|url| !url.is_empty())
    }
}

impl From<Wire> for EventFacts {
    fn from(event: Wire) -> Self {
        let join_url = event.join_url();
        let room = event.attendees.iter().find(|it| it.is_room());
        Self {
            join_url,
            room: room.map_or(RoomAnswer::NoRoom, Attendee::answer),
            attendees: event.attendees.iter().filter(|it| !it.is_room()).count(),
            id: event.id,
        }
    }
}

impl Mailbox {
    /// Creates an event and invites everyone in it. Needs `Calendars.ReadWrite`:
    /// <https://learn.microsoft.com/graph/api/user-post-events>.
    ///
    /// Graph does not create a second event with the same `transactionId`, so transient failures
    /// are retried here, and a caller can retry after an error. A retry does not change an event
    /// that already exists.
    pub async fn create_event(&self, draft: &EventDraft) -> Result<EventFacts, ApiError> {
        let body = |zone| draft.to_create(zone);
        let url = self.base.join(EVENTS);
        let answer = self.write(Method::POST, &url, draft.zone(), body).await?;
        Ok(answer.json::<Wire>(AN_EVENT)?.into())
    }

    /// Updates an event to match the draft; Exchange notifies the attendees. The draft's
    /// `transaction_id` is not used, and an existing Teams meeting remains: the text is inserted
    /// above the meeting's own part; if that part cannot be determined, the text is not changed.
    /// See <https://learn.microsoft.com/graph/api/event-update>.
    ///
    /// Returns an error with status 404 if the event does not exist.
    pub async fn update_event(&self, id: &str, draft: &EventDraft) -> Result<EventFacts, ApiError> {
        let tail = format!("{}?$select=id,body,onlineMeeting", path(id));
        let now: Wire = self.get(&tail).await?.json(AN_EVENT)?;
        let text = match now.join_url() {
            Some(join_url) => {
                let current = now.body.and_then(|body| body.content);
                with_meeting(&current.unwrap_or_default(), &draft.html, &join_url)
            }
            None => Some(draft.html.clone()),
        };
        if text.is_none() {
            tracing::warn!("the text of an online meeting was not updated");
        }
        let body = |zone| draft.to_update(zone, text.as_deref());
        let url = self.base.join(&path(id));
        let answer = self.write(Method::PATCH, &url, draft.zone(), body).await?;
        Ok(answer.json::<Wire>(AN_EVENT)?.into())
    }

    /// Cancels an event: attendees are notified with `comment` and the event is removed from the
    /// calendars. A missing event counts as cancelled. See
    /// <https://learn.microsoft.com/graph/api/event-cancel>.
    ///
    /// An event without attendees cannot be cancelled (400); it is deleted instead, which also
    /// notifies attendees added in between: <https://learn.microsoft.com/graph/api/event-delete>.
    pub async fn cancel_event(&self, id: &str, comment: &str) -> Result<(), ApiError> {
        let body = json!({ "comment": comment });
        let url = self.base.join(&format!("{}/cancel", path(id)));
        let mut done = self.call(Method::POST, &url, Some(&body)).await;
        if matches!(&done, Err(error) if error.status() == Some(400)) {
            let url = self.base.join(&path(id));
            done = self.call(Method::DELETE, &url, None).await;
        }
        match done {
            Err(error) if !is_gone(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Returns an event; `None` if it is missing or cancelled.
    /// See <https://learn.microsoft.com/graph/api/event-get>.
    pub async fn event(&self, id: &str) -> Result<Option<EventFacts>, ApiError> {
        let tail = format!(
            "{}?$select=id,onlineMeeting,attendees,isCancelled",
            path(id)
        );
        let answer = match self.get(&tail).await {
            Err(error) if is_gone(&error) => return Ok(None),
            other => other?,
        };
        let event: Wire = answer.json(AN_EVENT)?;
        let exists = event.is_cancelled != Some(true);
        Ok(exists.then(|| event.into()))
    }

    /// Writes times in `zone`, or in UTC if Exchange does not support the zone:
    /// <https://learn.microsoft.com/graph/api/resources/datetimetimezone>.
    async fn write(
        &self,
        method: Method,
        url: &str,
        zone: Tz,
        body: impl Fn(Tz) -> Value,
    ) -> Result<Answer, ApiError> {
        let first = self.call(method.clone(), url, Some(&body(zone))).await;
        match first {
            Err(error) if zone != Tz::UTC && is_about_the_zone(&error) => {
                self.call(method, url, Some(&body(Tz::UTC))).await
            }
            other => other,
        }
    }
}

fn is_about_the_zone(error: &ApiError) -> bool {
    error.status() == Some(400) && error.code().is_some_and(|code| code.contains("TimeZone"))
}

/// Returns the path of an event. Exchange ids are Base64 and may contain `/` and `+`.
fn path(id: &str) -> String {
    format!("{EVENTS}/{}", utf8_percent_encode(id, NON_ALPHANUMERIC))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::super::draft::tests::draft;
    use super::super::testing::{connected, error, parts};
    use super::*;
    use crate::http::testing::{Act, reply};

    const EVENT: &str = r#"{"id":"A/b+=","onlineMeeting":{"joinUrl":"https://teams.example/j"},"attendees":[
        {"type":"required","status":{"response":"none"}},
        {"type":"resource","status":{"response":"accepted"}}]}"#;

    fn facts() -> EventFacts {
        EventFacts {
            id: "A/b+=".into(),
            join_url: Some("https://teams.example/j".into()),
            room: RoomAnswer::Accepted,
            attendees: 1,
        }
    }

    /// Proves S1-17: if the response is lost, a retry does not create a second event.
    #[tokio::test]
    async fn a_lost_answer_is_repeated_under_the_same_transaction() {
        let count = AtomicU32::new(0);
        let (stub, mailbox) = connected(move |_| match count.fetch_add(1, Ordering::Relaxed) {
            0 => Act::Answer(String::new()),
            _ => reply(201, "", EVENT),
        })
        .await;
        let created = mailbox.create_event(&draft()).await.expect("no event");
        assert_eq!(created, facts());
        let asked: Vec<_> = stub.requests().iter().map(|text| parts(text)).collect();
        assert_eq!(asked.len(), 2);
        assert_eq!(asked[0], asked[1]);
        assert_eq!(asked[0].0, "POST /v1.0/me/events");
        assert_eq!(asked[0].1, draft().to_create(Tz::Europe__Berlin));
    }

    #[tokio::test]
    async fn a_zone_that_exchange_does_not_know_becomes_utc() {
        let (stub, mailbox) = connected(|request| {
            if request.contains("Europe/Berlin") {
                return reply(400, "", &error("TimeZoneNotSupportedException"));
            }
            reply(201, "", EVENT)
        })
        .await;
        mailbox.create_event(&draft()).await.expect("no event");
        let (_, second) = parts(&stub.requests()[1]);
        assert_eq!(second, draft().to_create(Tz::UTC));
    }

    /// Proves S1-17: an update retains the join information of the meeting.
    #[tokio::test]
    async fn an_update_reads_the_text_and_keeps_the_meeting() {
        let (stub, mailbox) = connected(|request| {
            if request.starts_with("PATCH") {
                return reply(200, "", EVENT);
            }
            let body = format!("<p>Old</p><div>{}</div><a href=\\\"https://teams.example/j\\\">", "_".repeat(80));
            reply(200, "", &format!(r#"{{"id":"A/b+=","onlineMeeting":{{"joinUrl":"https://teams.example/j"}},"body":{{"content":"{body}"}}}}"#))
        })
        .await;
        let updated = mailbox
            .update_event("A/b+=", &draft())
            .await
            .expect("no event");
        assert_eq!(updated, facts());
        let asked: Vec<_> = stub.requests().iter().map(|text| parts(text)).collect();
        assert_eq!(
            asked[0].0,
            "GET /v1.0/me/events/A%2Fb%2B%3D?$select=id,body,onlineMeeting"
        );
        let (line, body) = &asked[1];
        assert_eq!(line, "PATCH /v1.0/me/events/A%2Fb%2B%3D");
        let text = body["body"]["content"].as_str().expect("a text");
        assert!(text.starts_with("<p>Bring a pen.</p><div>____"), "{text}");
        assert!(text.contains("https://teams.example/j"), "{text}");
        assert_eq!(*body, draft().to_update(Tz::Europe__Berlin, Some(text)));
    }

    async fn cancelled(answers: &'static [(u16, &str)]) -> (Vec<String>, Result<(), ApiError>) {
        let count = AtomicU32::new(0);
        let (stub, mailbox) = connected(move |_| {
            let place = count.fetch_add(1, Ordering::Relaxed) as usize;
            let (status, code) = answers[place.min(answers.len() - 1)];
            reply(status, "", &error(code))
        })
        .await;
        let done = mailbox.cancel_event("A", "No teacher.").await;
        let asked: Vec<_> = stub.requests().iter().map(|text| parts(text)).collect();
        assert_eq!(asked[0].1, json!({ "comment": "No teacher." }));
        (asked.into_iter().map(|(line, _)| line).collect(), done)
    }

    /// Proves S1-17: a missing event counts as cancelled, but a missing mailbox is an error.
    #[tokio::test]
    async fn an_event_is_cancelled_or_gone() {
        let post = "POST /v1.0/me/events/A/cancel";
        for answers in [&[(202, "")], &[(404, "ErrorItemNotFound")]] {
            let (asked, done) = cancelled(answers).await;
            assert_eq!(asked, [post]);
            done.expect("not cancelled");
        }
        let (_, lost) = cancelled(&[(404, "MailboxNotEnabledForRESTAPI")]).await;
        assert!(lost.is_err());
        let (asked, done) = cancelled(&[(400, "ErrorInvalidRequest"), (204, "")]).await;
        assert_eq!(asked, [post, "DELETE /v1.0/me/events/A"]);
        done.expect("not deleted");
    }

    #[tokio::test]
    async fn an_event_is_read_or_gone() {
        let read = async |status: u16, body: String| {
            let (stub, mailbox) = connected(move |_| reply(status, "", &body)).await;
            let event = mailbox.event("A/b+=").await;
            assert_eq!(
                parts(&stub.requests()[0]).0,
                "GET /v1.0/me/events/A%2Fb%2B%3D?$select=id,onlineMeeting,attendees,isCancelled"
            );
            event
        };
        assert_eq!(
            read(200, EVENT.into()).await.expect("not read"),
            Some(facts())
        );
        let answered = |word: &str| EVENT.replace("accepted", word);
        for (word, room) in [
            ("declined", RoomAnswer::Declined),
            ("tentativelyAccepted", RoomAnswer::Waiting),
            ("none", RoomAnswer::Waiting),
        ] {
            let event = read(200, answered(word)).await.expect("not read");
            assert_eq!(event.expect("no event").room, room);
        }
        let gone = read(404, error("ErrorItemNotFound")).await;
        assert_eq!(gone.expect("no result"), None);
        let cancelled = r#"{"id":"A","isCancelled":true}"#.to_owned();
        assert_eq!(read(200, cancelled).await.expect("no result"), None);
        assert!(
            read(404, error("MailboxNotEnabledForRESTAPI"))
                .await
                .is_err()
        );
    }
}
