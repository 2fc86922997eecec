//! Validates and applies event properties sent by clients: times, attendees, online meetings.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::GraphError;
use super::zones::Moment;
use crate::outlook::{Answer, Attendee, CalendarEvent};

/// Maximum attendees of one event.
const MAX_ATTENDEES: usize = 500;
/// Properties that are stored unchanged.
const KEPT: &[&str] = &[
    "allowNewTimeProposals",
    "body",
    "categories",
    "hideAttendees",
    "importance",
    "isAllDay",
    "isReminderOn",
    "location",
    "locations",
    "reminderMinutesBeforeStart",
    "responseRequested",
    "sensitivity",
    "showAs",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Invited {
    #[serde(rename = "type")]
    kind: Option<String>,
    email_address: Address,
    #[serde(default, rename = "status")]
    _status: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Address {
    address: String,
    name: Option<String>,
}

/// Applies the properties of the body to the event. `teams` is whether the mailbox supports online
/// meetings; `link` is the URL of a new meeting.
pub(super) fn apply(
    event: &mut CalendarEvent,
    body: Map<String, Value>,
    now: DateTime<Utc>,
    teams: bool,
    link: &str,
) -> Result<(), GraphError> {
    let times = (event.start, event.end);
    let mut online = None;
    let mut invited = None;
    for (name, value) in body {
        match name.as_str() {
            "subject" => event.subject = read(&name, value)?,
            "start" => (event.start, event.start_zone) = moment(&name, value)?,
            "end" => (event.end, event.end_zone) = moment(&name, value)?,
            "attendees" => invited = Some(read::<Vec<Invited>>(&name, value)?),
            "isOnlineMeeting" => online = Some(read::<bool>(&name, value)?),
            "onlineMeetingProvider" => check_provider(&read::<String>(&name, value)?)?,
            "transactionId" => set_transaction(event, read(&name, value)?)?,
            name if KEPT.contains(&name) => {
                event.other.insert(name.to_owned(), value);
            }
            name if name.starts_with("@odata.") => {}
            other => {
                let text = format!("The property '{other}' does not exist on an event.");
                return Err(GraphError::new(400, "RequestBodyRead", text));
            }
        }
    }
    if event.end < event.start {
        let text = "The event ends before it starts.";
        let code = "ErrorCalendarEndDateIsEarlierThanStartDate";
        return Err(GraphError::new(400, code, text));
    }
    let moved = times != (event.start, event.end);
    match invited {
        Some(invited) => event.attendees = attendees(&event.attendees, invited, moved, now)?,
        None if moved => event.attendees.iter_mut().for_each(|it| ask_again(it, now)),
        None => {}
    }
    if online == Some(true) && event.join_url.is_none() {
        if !teams {
            let text = "The mailbox has no provider of online meetings.";
            return Err(GraphError::new(400, "ErrorOnlineMeetingNotAllowed", text));
        }
        event.join_url = Some(link.to_owned());
    }
    Ok(())
}

fn read<T: DeserializeOwned>(name: &str, value: Value) -> Result<T, GraphError> {
    serde_json::from_value(value).map_err(|error| {
        let text = format!("The property '{name}' cannot be read: {error}.");
        GraphError::new(400, "RequestBodyRead", text)
    })
}

fn moment(name: &str, value: Value) -> Result<(DateTime<Utc>, String), GraphError> {
    let moment: Moment = read(name, value)?;
    Ok((moment.instant()?, moment.time_zone))
}

fn check_provider(name: &str) -> Result<(), GraphError> {
    if matches!(name, "teamsForBusiness" | "unknown") {
        return Ok(());
    }
    let text = format!("The calendar does not allow the meeting provider '{name}'.");
    Err(GraphError::new(400, "ErrorOnlineMeetingNotAllowed", text))
}

/// Sets the client's own id, which cannot be changed later.
fn set_transaction(event: &mut CalendarEvent, id: Option<String>) -> Result<(), GraphError> {
    let made = !event.id.is_empty();
    if made && event.transaction_id != id {
        let text = "The property 'transactionId' cannot be changed.";
        return Err(GraphError::new(400, "ErrorInvalidPropertySet", text));
    }
    event.transaction_id = id;
    Ok(())
}

/// Returns the new list; existing attendees retain their response unless the event moved.
fn attendees(
    before: &[Attendee],
    invited: Vec<Invited>,
    moved: bool,
    now: DateTime<Utc>,
) -> Result<Vec<Attendee>, GraphError> {
    if invited.len() > MAX_ATTENDEES {
        let text = format!("An event takes at most {MAX_ATTENDEES} attendees.");
        return Err(GraphError::new(400, "ErrorTooManyAttendees", text));
    }
    let one = |it: Invited| {
        let kind = it.kind.unwrap_or_else(|| "required".to_owned());
        let address = it.email_address.address;
        if !matches!(kind.as_str(), "required" | "optional" | "resource") {
            let text = format!("'{kind}' is not a type of attendee.");
            return Err(GraphError::new(400, "RequestBodyRead", text));
        }
        if !address.contains('@') {
            let text = format!("The attendee '{address}' is not valid.");
            return Err(GraphError::new(400, "ErrorInvalidRecipients", text));
        }
        let known = before
            .iter()
            .find(|old| old.kind == kind && old.address.eq_ignore_ascii_case(&address));
        let mut attendee = known.cloned().unwrap_or_else(|| Attendee {
            kind,
            name: it.email_address.name.unwrap_or_else(|| address.clone()),
            address,
            asked_at: now,
            answer: Answer::None,
            answered_at: None,
        });
        if moved {
            ask_again(&mut attendee, now);
        }
        Ok(attendee)
    };
    invited.into_iter().map(one).collect()
}

fn ask_again(attendee: &mut Attendee, now: DateTime<Utc>) {
    attendee.asked_at = now;
    attendee.answer = Answer::None;
    attendee.answered_at = None;
}

#[cfg(test)]
mod tests {
    use chrono::Duration;
    use serde_json::json;

    use super::*;

    fn event() -> CalendarEvent {
        let now = DateTime::default();
        CalendarEvent {
            id: "e".to_owned(),
            owner: uuid::Uuid::nil(),
            created_at: now,
            changed_at: now,
            transaction_id: Some("t".to_owned()),
            subject: String::new(),
            start: now,
            end: now + Duration::hours(1),
            start_zone: "UTC".to_owned(),
            end_zone: "UTC".to_owned(),
            attendees: vec![Attendee {
                kind: "resource".to_owned(),
                name: "Oak".to_owned(),
                address: "oak@x.example".to_owned(),
                asked_at: now,
                answer: Answer::Accepted,
                answered_at: Some(now),
            }],
            join_url: None,
            other: Map::new(),
        }
    }

    fn patched(body: Value) -> Result<CalendarEvent, GraphError> {
        let mut event = event();
        let Value::Object(body) = body else {
            panic!("not an object");
        };
        let now = DateTime::default() + Duration::hours(5);
        apply(&mut event, body, now, false, "https://meet.example/1")?;
        Ok(event)
    }

    #[test]
    fn a_move_asks_everyone_again_and_other_changes_ask_only_new_ones() {
        let same = patched(json!({"subject": "New", "hideAttendees": true})).expect("allowed");
        assert_eq!(same.attendees[0].answer, Answer::Accepted);
        assert_eq!(same.other["hideAttendees"], true);
        let end = json!({"dateTime": "1970-01-01T03:00:00", "timeZone": "UTC"});
        let moved = patched(json!({"end": end})).expect("allowed");
        assert_eq!(moved.attendees[0].answer, Answer::None);
        let more = patched(json!({"attendees": [
            {"type": "resource", "emailAddress": {"address": "OAK@x.example"}},
            {"emailAddress": {"address": "ada@x.example", "name": "Ada"}},
        ]}))
        .expect("allowed");
        let answers: Vec<Answer> = more.attendees.iter().map(|it| it.answer).collect();
        assert_eq!(answers, [Answer::Accepted, Answer::None]);
    }

    #[test]
    fn what_outlook_refuses_is_refused() {
        for body in [
            json!({"transactionId": "other"}),
            json!({"isOnlineMeeting": true}),
            json!({"onlineMeetingProvider": "skypeForBusiness"}),
            json!({"titel": "x"}),
            json!({"attendees": vec![json!({"emailAddress": {"address": "a@x.example"}}); 501]}),
            json!({"attendees": [{"type": "room", "emailAddress": {"address": "a@x.example"}}]}),
            json!({"end": {"dateTime": "1969-01-01T00:00:00", "timeZone": "UTC"}}),
        ] {
            assert!(patched(body.clone()).is_err(), "{body}");
        }
        assert!(patched(json!({"transactionId": "t"})).is_ok());
    }
}
