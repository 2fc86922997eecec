//! The desired state of an event and its Graph representation.

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use uuid::Uuid;

/// The desired state of an event: <https://learn.microsoft.com/graph/api/resources/event>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventDraft {
    /// The subject line.
    pub subject: String,
    /// The text: an HTML fragment without `<html>` and `<body>`.
    pub html: String,
    /// Its start.
    pub start: DateTime<Utc>,
    /// Its end.
    pub end: DateTime<Utc>,
    /// The IANA zone in which invitations show its time, such as `Europe/Berlin`.
    pub time_zone: String,
    /// Name and address of the room to book.
    pub room: Option<(String, String)>,
    /// Names and addresses of all other attendees; at most 500 including the room.
    pub attendees: Vec<(String, String)>,
    /// True if it has a Teams meeting. Graph does not remove an existing meeting.
    pub online: bool,
    /// The same for every attempt to create the same event, and never reused for another one.
    pub transaction_id: Uuid,
}

impl EventDraft {
    /// Returns the zone in which times are written: the draft's own, or UTC if that is unknown or a
    /// time is ambiguous in it.
    pub(super) fn zone(&self) -> Tz {
        let clear = |zone: &Tz, at: DateTime<Utc>| {
            let local = at.with_timezone(zone).naive_local();
            zone.from_local_datetime(&local).single().is_some()
        };
        let zone = self.time_zone.parse().ok();
        zone.filter(|zone| clear(zone, self.start) && clear(zone, self.end))
            .unwrap_or(Tz::UTC)
    }

    /// Returns the request body that creates the event.
    pub(super) fn to_create(&self, zone: Tz) -> Value {
        let mut event = self.to_update(zone, Some(&self.html));
        event["transactionId"] = self.transaction_id.to_string().into();
        event
    }

    /// Returns the request body that updates the event; a `None` text is not changed.
    pub(super) fn to_update(&self, zone: Tz, text: Option<&str>) -> Value {
        let at = |moment: DateTime<Utc>| {
            let local = moment.with_timezone(&zone).naive_local();
            json!({ "dateTime": wire_time(local), "timeZone": zone.name() })
        };
        let mut event = json!({
            "subject": self.subject,
            "start": at(self.start),
            "end": at(self.end),
            "location": self.location(),
            "attendees": self.invited(),
            // Learners must not see one another's addresses.
            "hideAttendees": true,
            "allowNewTimeProposals": false,
        });
        if let Some(text) = text {
            event["body"] = json!({ "contentType": "HTML", "content": text });
        }
        if self.online {
            event["isOnlineMeeting"] = true.into();
            event["onlineMeetingProvider"] = "teamsForBusiness".into();
        }
        event
    }

    /// Without a room the location is empty, which also clears a previous one.
    fn location(&self) -> Value {
        match &self.room {
            Some((name, address)) => json!({
                "displayName": name,
                "locationEmailAddress": address,
                "locationType": "conferenceRoom",
            }),
            None => json!({ "displayName": "" }),
        }
    }

    fn invited(&self) -> Vec<Value> {
        let attendee = |kind: &str, (name, address): &(String, String)| json!({ "type": kind, "emailAddress": { "name": name, "address": address } });
        let room = self.room.iter().map(|room| attendee("resource", room));
        let people = self.attendees.iter();
        room.chain(people.map(|person| attendee("required", person)))
            .collect()
    }
}

/// Formats a local time as used by Graph together with a zone name.
pub(super) fn wire_time(local: NaiveDateTime) -> String {
    local.format("%Y-%m-%dT%H:%M:%S").to_string()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Returns a draft with all properties set.
    pub(in super::super) fn draft() -> EventDraft {
        EventDraft {
            subject: "First aid".into(),
            html: "<p>Bring a pen.</p>".into(),
            start: "2026-07-01T08:00:00Z".parse().expect("invalid time"),
            end: "2026-07-01T10:00:00Z".parse().expect("invalid time"),
            time_zone: "Europe/Berlin".into(),
            room: Some(("Attic".into(), "attic@contoso.com".into())),
            attendees: vec![("Kay".into(), "kay@contoso.com".into())],
            online: true,
            transaction_id: Uuid::from_u128(5),
        }
    }

    /// Proves S1-15, S1-16 and S1-17: room and learners are invited, with a Teams meeting.
    #[test]
    fn everything_is_reported() {
        let draft = draft();
        let expected = json!({
            "subject": "First aid",
            "body": { "contentType": "HTML", "content": "<p>Bring a pen.</p>" },
            "start": { "dateTime": "2026-07-01T10:00:00", "timeZone": "Europe/Berlin" },
            "end": { "dateTime": "2026-07-01T12:00:00", "timeZone": "Europe/Berlin" },
            "location": {
                "displayName": "Attic",
                "locationEmailAddress": "attic@contoso.com",
                "locationType": "conferenceRoom",
            },
            "attendees": [
                { "type": "resource", "emailAddress": { "name": "Attic", "address": "attic@contoso.com" } },
                { "type": "required", "emailAddress": { "name": "Kay", "address": "kay@contoso.com" } },
            ],
            "hideAttendees": true,
            "allowNewTimeProposals": false,
            "isOnlineMeeting": true,
            "onlineMeetingProvider": "teamsForBusiness",
            "transactionId": "00000000-0000-0000-0000-000000000005",
        });
        assert_eq!(draft.to_create(draft.zone()), expected);
    }

    /// Proves S1-11: without Teams the event is still created, without a meeting.
    #[test]
    fn without_room_and_meeting_neither_is_named() {
        let plain = EventDraft {
            room: None,
            online: false,
            ..draft()
        };
        let event = plain.to_update(Tz::UTC, None);
        assert_eq!(event["location"], json!({ "displayName": "" }));
        assert_eq!(event["start"]["dateTime"], "2026-07-01T08:00:00");
        for absent in ["isOnlineMeeting", "transactionId", "body"] {
            assert!(event.get(absent).is_none(), "{absent}");
        }
    }

    #[test]
    fn a_time_that_clocks_show_twice_is_written_in_utc() {
        let twice = EventDraft {
            start: "2026-10-25T01:30:00Z".parse().expect("invalid time"),
            ..draft()
        };
        assert_eq!(twice.zone(), Tz::UTC);
        let nowhere = EventDraft {
            time_zone: "Mars/Base".into(),
            ..draft()
        };
        assert_eq!(nowhere.zone(), Tz::UTC);
        assert_eq!(draft().zone(), Tz::Europe__Berlin);
    }
}
