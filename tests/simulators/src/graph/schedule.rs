//! `POST /me/calendar/getSchedule`: free/busy times of rooms and users.

use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::GraphError;
use super::zones::Moment;
use super::{Answer, RequestContext, me, query, zones};
use crate::call::Reply;
use crate::outlook::CalendarEvent;

/// Maximum mailboxes in one request.
const MAX_SCHEDULES: usize = 100;
/// Maximum number of days in one request.
const MAX_DAYS: i64 = 62;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Question {
    schedules: Vec<String>,
    start_time: Moment,
    end_time: Moment,
    availability_view_interval: Option<i64>,
}

/// Returns the schedule of every requested mailbox.
pub(super) fn get(context: &mut RequestContext<'_>, me: Uuid) -> Answer {
    let scopes = [
        "Calendars.ReadWrite",
        "Calendars.Read",
        "Calendars.ReadBasic",
    ];
    context.need_in_mailbox(&scopes)?;
    me::mailbox(context, me)?;
    let question: Question = serde_json::from_str(&context.call.body)
        .map_err(|error| GraphError::new(400, "RequestBodyRead", error.to_string()))?;
    if question.schedules.len() > MAX_SCHEDULES {
        let text = format!("At most {MAX_SCHEDULES} mailboxes can be asked about at once.");
        return Err(GraphError::new(400, "ErrorMailboxDataArrayTooBig", text));
    }
    let window = Window::of(&question)?;
    let now = context.now;
    context.tenant.state.settle_rooms(now);
    let zone = zones::preferred(context)?;
    let rows = question.schedules.iter();
    let rows: Vec<Value> = rows.map(|it| row(context, it, &window, &zone)).collect();
    Ok(Reply::json(
        200,
        json!({
            "@odata.context": query::context_url(context, "Collection(scheduleInformation)"),
            "value": rows,
        }),
    ))
}

struct Window {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    interval: Duration,
}

impl Window {
    fn of(question: &Question) -> Result<Self, GraphError> {
        let (start, end) = (question.start_time.instant()?, question.end_time.instant()?);
        if end <= start {
            let text = "The time asked about ends before it starts.";
            return Err(GraphError::new(400, "ErrorInvalidTimeInterval", text));
        }
        if end - start > Duration::days(MAX_DAYS) {
            let text = format!("At most {MAX_DAYS} days can be asked about.");
            return Err(GraphError::new(400, "ErrorTimeIntervalTooBig", text));
        }
        let minutes = question.availability_view_interval.unwrap_or(30);
        if !(5..=1_440).contains(&minutes) {
            let text = "The interval must be 5 to 1440 minutes.";
            let code = "ErrorInvalidMergedFreeBusyInterval";
            return Err(GraphError::new(400, code, text));
        }
        Ok(Self {
            start,
            end,
            interval: Duration::minutes(minutes),
        })
    }

    /// Returns one digit per interval: 0 is free, 2 is busy.
    fn view(&self, busy: &[&CalendarEvent]) -> String {
        let mut view = String::new();
        let mut from = self.start;
        while from < self.end {
            let to = from + self.interval;
            let taken = busy.iter().any(|it| it.start < to && from < it.end);
            view.push(if taken { '2' } else { '0' });
            from = to;
        }
        view
    }
}

fn row(context: &RequestContext<'_>, address: &str, window: &Window, zone: &str) -> Value {
    let state = &context.tenant.state;
    let mut rooms = state.world.rooms.iter();
    let is_room = rooms.any(|it| it.email.eq_ignore_ascii_case(address));
    let owner = context.tenant.account(address).and_then(|it| it.object_id);
    let owner = owner.filter(|id| {
        let mailbox = state.world.mailboxes.get(id);
        mailbox.is_some_and(crate::world::Mailbox::is_reachable)
    });
    if !is_room && owner.is_none() {
        return json!({
            "scheduleId": address,
            "availabilityView": "",
            "scheduleItems": [],
            "error": {
                "message": "The mailbox was not found.",
                "responseCode": "ErrorMailRecipientNotFound",
            },
        });
    }
    let busy: Vec<&CalendarEvent> = state
        .events
        .iter()
        .filter(|it| it.start < window.end && window.start < it.end)
        .filter(|it| it.has_booked(address) || owner == Some(it.owner))
        .collect();
    let item = |event: &&CalendarEvent| {
        json!({
            "status": "busy",
            "isPrivate": false,
            "isMeeting": true,
            "subject": event.subject,
            "start": zones::shown(event.start, zone),
            "end": zones::shown(event.end, zone),
        })
    };
    json!({
        "scheduleId": address,
        "availabilityView": window.view(&busy),
        "scheduleItems": busy.iter().map(item).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start: &str, end: &str, interval: Option<i64>) -> Result<Window, GraphError> {
        let moment = |at: &str| json!({"dateTime": at, "timeZone": "UTC"});
        let question = json!({
            "schedules": [],
            "startTime": moment(start),
            "endTime": moment(end),
            "availabilityViewInterval": interval,
        });
        Window::of(&serde_json::from_value(question).expect("a question"))
    }

    #[test]
    fn windows_have_limits_and_views_have_a_digit_per_interval() {
        let (day, next) = ("2026-07-01T00:00:00", "2026-07-02T00:00:00");
        let view = |interval| {
            window(day, next, interval)
                .map(|it| it.view(&[]).len())
                .ok()
        };
        assert_eq!(view(None), Some(48));
        assert_eq!(view(Some(1_440)), Some(1));
        assert_eq!(view(Some(7)), Some(206), "the last interval may be shorter");
        assert_eq!(view(Some(4)), None);
        assert!(window(next, day, None).is_err());
        assert!(window(day, "2026-09-01T00:00:00", None).is_ok());
        assert!(window(day, "2026-09-01T00:00:01", None).is_err());
    }
}
