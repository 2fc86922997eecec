//! `/me/events`: create, read, change, delete and cancel events of the user's own calendar.

use chrono::DateTime;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::GraphError;
use super::query::{self, Page};
use super::{Answer, RequestContext, event_body, me, zones};
use crate::call::Reply;
use crate::outlook::{Attendee, CalendarEvent, CancelledEvent};

/// Default page size.
const DEFAULT_PAGE: usize = 10;

/// Handles `/me/events/…`; first lets rooms respond whose delay has passed.
pub(super) fn route(context: &mut RequestContext<'_>, me: Uuid, path: &[&str]) -> Answer {
    let method = context.call.method.as_str();
    if method == "GET" {
        context.need_in_mailbox(&["Calendars.ReadWrite", "Calendars.Read"])?;
    } else {
        context.need_in_mailbox(&["Calendars.ReadWrite"])?;
    }
    me::mailbox(context, me)?;
    // Validated before anything is written: a rejected request must not have side effects.
    zones::preferred(context)?;
    let now = context.now;
    context.tenant.state.settle_rooms(now);
    match (method, path) {
        ("GET", []) => list(context, me),
        ("POST", []) => create(context, me),
        ("GET", [id]) => {
            let at = find(context, me, id)?;
            shape(context, at).map(|row| Reply::json(200, query::select(context, row, &[])))
        }
        ("PATCH", [id]) => patch(context, me, id),
        ("DELETE", [id]) => {
            remove(context, me, id, None)?;
            Ok(Reply::empty(204))
        }
        ("POST", [id, "cancel"]) => cancel(context, me, id),
        _ => Err(GraphError::no_route(path)),
    }
}

fn find(context: &RequestContext<'_>, me: Uuid, id: &str) -> Result<usize, GraphError> {
    let mut events = context.tenant.state.events.iter();
    let at = events.position(|it| it.owner == me && it.id == id);
    at.ok_or_else(|| {
        let text = "The specified object was not found in the store.";
        GraphError::new(404, "ErrorItemNotFound", text)
    })
}

fn list(context: &RequestContext<'_>, me: Uuid) -> Answer {
    let top = query::top_or(context, DEFAULT_PAGE)?;
    let from = query::position(context)?;
    let start = usize::try_from(from.unwrap_or(0)).unwrap_or(usize::MAX);
    let events = context.tenant.state.events.iter().enumerate();
    let mine: Vec<usize> = events
        .filter(|(_, it)| it.owner == me)
        .map(|(at, _)| at)
        .collect();
    let mut rows = Vec::new();
    for at in mine.iter().skip(start).take(top) {
        rows.push(query::select(context, shape(context, *at)?, &[]));
    }
    let end = start.saturating_add(top);
    Ok(query::page(
        context,
        Page {
            set: "users('me')/events".to_owned(),
            rows,
            next: (end < mine.len()).then_some(end as u128),
            count: None,
        },
    ))
}

fn create(context: &mut RequestContext<'_>, me: Uuid) -> Answer {
    let body = object(context)?;
    for name in ["start", "end"] {
        if !body.contains_key(name) {
            let text = format!("An event needs the property '{name}'.");
            return Err(GraphError::new(400, "ErrorPropertyValidationFailure", text));
        }
    }
    let transaction = body.get("transactionId").and_then(Value::as_str);
    let known = transaction.and_then(|id| {
        let mut events = context.tenant.state.events.iter();
        events.position(|it| it.owner == me && it.transaction_id.as_deref() == Some(id))
    });
    if let Some(at) = known {
        return Ok(Reply::json(201, shape(context, at)?));
    }
    let id = format!("AAMkAGI{}", Uuid::new_v4().simple());
    let mut event = CalendarEvent {
        id: String::new(),
        owner: me,
        created_at: context.now,
        changed_at: context.now,
        transaction_id: None,
        subject: String::new(),
        start: DateTime::default(),
        end: DateTime::default(),
        start_zone: String::new(),
        end_zone: String::new(),
        attendees: Vec::new(),
        join_url: None,
        other: Map::new(),
    };
    write(context, me, &mut event, body, &id)?;
    event.id = id;
    let state = &mut context.tenant.state;
    let at = state.events.len();
    state.events.push(event);
    // A room without a delay has responded before the client sees the event.
    state.settle_rooms(context.now);
    Ok(Reply::json(201, shape(context, at)?))
}

fn patch(context: &mut RequestContext<'_>, me: Uuid, id: &str) -> Answer {
    let at = find(context, me, id)?;
    let body = object(context)?;
    // Changes a copy, so that a rejected change has no side effects.
    let mut event = context.tenant.state.events[at].clone();
    write(context, me, &mut event, body, id)?;
    event.changed_at = context.now;
    let state = &mut context.tenant.state;
    state.events[at] = event;
    state.settle_rooms(context.now);
    Ok(Reply::json(200, shape(context, at)?))
}

fn write(
    context: &RequestContext<'_>,
    me: Uuid,
    event: &mut CalendarEvent,
    body: Map<String, Value>,
    id: &str,
) -> Result<(), GraphError> {
    let teams = me::mailbox(context, me)?.teams;
    let link = format!("https://teams.example/l/meetup-join/{id}");
    event_body::apply(event, body, context.now, teams, &link)
}

fn cancel(context: &mut RequestContext<'_>, me: Uuid, id: &str) -> Answer {
    let body: Value = context.call.json().unwrap_or_default();
    let comment = ["comment", "Comment"]
        .iter()
        .find_map(|name| body.get(name).and_then(Value::as_str));
    remove(
        context,
        me,
        id,
        Some(comment.unwrap_or_default().to_owned()),
    )?;
    Ok(Reply::empty(202))
}

fn remove(
    context: &mut RequestContext<'_>,
    me: Uuid,
    id: &str,
    comment: Option<String>,
) -> Result<(), GraphError> {
    let at = find(context, me, id)?;
    let state = &mut context.tenant.state;
    let event = state.events.remove(at);
    state.cancelled_events.push(CancelledEvent {
        event,
        at: context.now,
        comment,
    });
    Ok(())
}

fn object(context: &RequestContext<'_>) -> Result<Map<String, Value>, GraphError> {
    let Some(Value::Object(body)) = context.call.json() else {
        let text = "The body is not a JSON object.";
        return Err(GraphError::new(400, "RequestBodyRead", text));
    };
    Ok(body)
}

fn shape(context: &RequestContext<'_>, at: usize) -> Result<Value, GraphError> {
    let event = &context.tenant.state.events[at];
    let zone = zones::preferred(context)?;
    let organizer = me::person(context, event.owner)?;
    let mut row = json!({
        "@odata.etag": format!("W/\"{:x}\"", event.changed_at.timestamp_micros()),
        "id": event.id,
        "createdDateTime": event.created_at,
        "lastModifiedDateTime": event.changed_at,
        "iCalUId": format!("ical-{}", event.id),
        "subject": event.subject,
        "start": zones::shown(event.start, &zone),
        "end": zones::shown(event.end, &zone),
        "originalStartTimeZone": event.start_zone,
        "originalEndTimeZone": event.end_zone,
        "attendees": event.attendees.iter().map(attendee).collect::<Vec<_>>(),
        "organizer": {"emailAddress": {
            "name": organizer.display_name,
            "address": me::address(organizer),
        }},
        "isOrganizer": true,
        "isCancelled": false,
        "transactionId": event.transaction_id,
        "isOnlineMeeting": event.join_url.is_some(),
        "onlineMeetingProvider": "unknown",
        "onlineMeeting": null,
        "allowNewTimeProposals": true,
        "hideAttendees": false,
    });
    if let Some(url) = &event.join_url {
        row["onlineMeetingProvider"] = json!("teamsForBusiness");
        row["onlineMeeting"] = json!({"joinUrl": url});
    }
    for (name, value) in &event.other {
        row[name] = value.clone();
    }
    Ok(row)
}

fn attendee(attendee: &Attendee) -> Value {
    // Outlook returns the first day of its calendar if the attendee has not responded.
    let time = attendee
        .answered_at
        .map_or_else(|| json!("0001-01-01T00:00:00Z"), |at| json!(at));
    json!({
        "type": attendee.kind,
        "status": {"response": attendee.answer, "time": time},
        "emailAddress": {"name": attendee.name, "address": attendee.address},
    })
}
