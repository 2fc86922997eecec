//! What an event should be, and how Graph is told so.

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use uuid::Uuid;

/// An event as it should be: <https://learn.microsoft.com/graph/api/resources/event>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventDraft {
    /// The subject line.
    pub subject: String,
    /// The text: a piece of HTML without `<html>` and `<body>` around it.
    pub html: String,
    /// Its first moment.
    pub start: DateTime<Utc>,
    /// Its end.
    pub end: DateTime<Utc>,
    /// The IANA zone in which invitations show its time, such as `Europe/Berlin`.
    pub time_zone: String,
    /// Name and address of the room to book.
    pub room: Option<(String, String)>,
    /// Names and addresses of everyone else who is invited; with the room at most 500.
    pub attendees: Vec<(String, String)>,
    /// Whether it gets a Teams meeting. Once it has one, Graph does not take it away again.
    pub online: bool,
    /// The same for every try to create the same event, never used for another.
    pub transaction_id: Uuid,
}

impl EventDraft {
    /// The zone to write times in: the draft's own, unless it is unknown or a
    /// moment is one that its clocks show twice; then UTC.
    pub(super) fn zone(&self) -> Tz {
        let clear = |zone: &Tz, at: DateTime<Utc>| {
            let local = at.with_timezone(zone).naive_local();
            zone.from_local_datetime(&local).single().is_some()
        };
        let zone = self.time_zone.parse().ok();
        zone.filter(|zone| clear(zone, self.start) && clear(zone, self.end))
            .unwrap_or(Tz::UTC)
    }

    /// The body of the request that creates it.
    pub(super) fn to_create(&self, zone: Tz) -> Value {
        let mut event = self.to_update(zone, Some(&self.html));
        event["transactionId"] = self.transaction_id.to_string().into();
        event
    }

    /// The body of the request that changes it; a text that is `None` stays.
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
            // Learners are not to learn one another's addresses.
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

    /// Without a room the location is empty, which also clears an earlier one.
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

/// A time as Graph writes it beside the name of its zone.
pub(super) fn wire_time(local: NaiveDateTime) -> String {
    local.format("%Y-%m-%dT%H:%M:%S").to_string()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An event with everything.
    pub(in super::super) fn draft() -> EventDraft {
        EventDraft {
            subject: "First aid".into(),
            html: "<p>Bring a pen.</p>".into(),
            start: "2026-07-01T08:00:00Z".parse().expect("a moment"),
            end: "2026-07-01T10:00:00Z".parse().expect("a moment"),
            time_zone: "Europe/Berlin".into(),
            room: Some(("Attic".into(), "attic@contoso.com".into())),
            attendees: vec![("Kay".into(), "kay@contoso.com".into())],
            online: true,
            transaction_id: Uuid::from_u128(5),
        }
    }

    /// Proves S1-15, S1-16 and S1-17: room and learners are invited, with a Teams meeting.
    #[test]
    fn everything_is_told() {
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

    /// Proves S1-11: without Teams there is an event all the same, and none of a meeting in it.
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
            start: "2026-10-25T01:30:00Z".parse().expect("a moment"),
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
