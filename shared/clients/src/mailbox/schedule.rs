//! Reads the free/busy times of rooms and users.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Mailbox;
use super::draft::wire_time;
use crate::http::{Answer, ApiError};

/// Maximum addresses per request; beyond that Graph returns `ErrorMailboxDataArrayTooBig`:
/// <https://github.com/microsoftgraph/microsoft-graph-docs/issues/7047>.
const MOST_ADDRESSES: usize = 100;
/// Maximum days per request; beyond that Graph returns `ErrorTimeIntervalTooBig`:
/// <https://learn.microsoft.com/graph/api/calendar-getschedule>.
const MOST_DAYS: i64 = 62;
const A_SCHEDULE: &str = "a list of schedules";

/// The busy times of one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// The address as requested.
    pub address: String,
    /// The busy, tentative and away times: sorted, not overlapping.
    pub busy: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// The reason why (a part of) its calendar could not be read; `busy` is then incomplete.
    pub problem: Option<String>,
}

#[derive(Deserialize)]
struct Schedules {
    value: Vec<Schedule>,
}

#[derive(Deserialize)]
struct Schedule {
    #[serde(rename = "scheduleId")]
    address: String,
    #[serde(rename = "scheduleItems", default)]
    items: Vec<Item>,
    error: Option<ScheduleError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScheduleError {
    message: Option<String>,
    response_code: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    status: Option<String>,
    start: Moment,
    end: Moment,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Moment {
    date_time: NaiveDateTime,
    time_zone: Option<String>,
}

impl Moment {
    /// Returns the time if it is in UTC, as requested.
    fn utc(&self) -> Option<DateTime<Utc>> {
        let zone = self.time_zone.as_deref().unwrap_or("UTC");
        zone.eq_ignore_ascii_case("UTC")
            .then(|| self.date_time.and_utc())
    }
}

impl Mailbox {
    /// Returns the busy times of the given addresses in `window`: one entry for each distinct
    /// address, in their order. Needs `Calendars.ReadBasic`, which `Calendars.ReadWrite` includes.
    ///
    /// An address that cannot be read does not fail the whole request but has a
    /// [`problem`](Availability::problem). An empty window sends no request.
    pub async fn free_busy(
        &self,
        addresses: &[String],
        window: (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<Availability>, ApiError> {
        let mut found = Availabilities::of(addresses);
        let asked: Vec<_> = found
            .all
            .iter()
            .map(|known| known.address.clone())
            .collect();
        for chunk in asked.chunks(MOST_ADDRESSES) {
            for part in windows(window) {
                let answer = self.schedules(chunk, part).await?;
                found.take(chunk, &answer)?;
            }
        }
        Ok(found.done())
    }

    async fn schedules(
        &self,
        addresses: &[String],
        (start, end): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Answer, ApiError> {
        let at = |moment| json!({ "dateTime": wire_time(moment), "timeZone": "UTC" });
        let body: Value = json!({
            "schedules": addresses,
            "startTime": at(start.naive_utc()),
            "endTime": at(end.naive_utc()),
            // Only the items are used, so the slots of the merged view are as long as possible.
            "availabilityViewInterval": (end - start).num_minutes().clamp(5, 1_440),
        });
        let url = self.base.join("/v1.0/me/calendar/getSchedule");
        self.call(Method::POST, &url, Some(&body)).await
    }
}

/// Splits a window into parts accepted by Graph.
fn windows(
    (start, end): (DateTime<Utc>, DateTime<Utc>),
) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
    let step = TimeDelta::days(MOST_DAYS);
    std::iter::successors(Some(start), move |from| Some(*from + step))
        .take_while(move |from| *from < end)
        .map(move |from| (from, end.min(from + step)))
}

/// The results so far, in the order of the addresses.
struct Availabilities {
    all: Vec<Availability>,
    places: HashMap<String, usize>,
}

impl Availabilities {
    fn of(addresses: &[String]) -> Self {
        let (mut all, mut places) = (Vec::new(), HashMap::new());
        for address in addresses {
            places.entry(address.to_lowercase()).or_insert_with(|| {
                all.push(Availability {
                    address: address.clone(),
                    busy: Vec::new(),
                    problem: None,
                });
                all.len() - 1
            });
        }
        Self { all, places }
    }

    /// Adds the response for some of the addresses.
    fn take(&mut self, asked: &[String], answer: &Answer) -> Result<(), ApiError> {
        let Schedules { value } = answer.json(A_SCHEDULE)?;
        let mut missing: HashSet<_> = asked.iter().map(|it| it.to_lowercase()).collect();
        for schedule in value {
            let key = schedule.address.to_lowercase();
            missing.remove(&key);
            if let Some(place) = self.places.get(&key) {
                add(&mut self.all[*place], schedule, answer)?;
            }
        }
        for key in &missing {
            let problem = &mut self.all[self.places[key]].problem;
            problem.get_or_insert_with(|| "Graph returned no result for it".to_owned());
        }
        Ok(())
    }

    /// Returns all results; overlapping times of adjacent parts are merged.
    fn done(mut self) -> Vec<Availability> {
        for one in &mut self.all {
            one.busy.sort_unstable();
            one.busy.dedup_by(|next, kept| {
                let joined = next.0 <= kept.1;
                if joined {
                    kept.1 = kept.1.max(next.1);
                }
                joined
            });
        }
        self.all
    }
}

fn add(one: &mut Availability, schedule: Schedule, answer: &Answer) -> Result<(), ApiError> {
    if let Some(ScheduleError {
        message,
        response_code,
    }) = schedule.error
    {
        let words = message.or(response_code).unwrap_or_default();
        one.problem = Some(crate::http::cut(&words));
    }
    let free = |item: &Item| matches!(item.status.as_deref(), Some("free" | "workingElsewhere"));
    for item in schedule.items.iter().filter(|item| !free(item)) {
        let (Some(start), Some(end)) = (item.start.utc(), item.end.utc()) else {
            return Err(answer.not(A_SCHEDULE, "a time is not in UTC".to_owned()));
        };
        one.busy.push((start, end));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{connected, parts};
    use super::*;
    use crate::http::testing::reply;

    fn day(text: &str) -> DateTime<Utc> {
        format!("{text}T00:00:00Z").parse().expect("invalid day")
    }

    #[tokio::test]
    async fn many_addresses_and_a_long_time_are_asked_in_parts() {
        let (stub, mailbox) = connected(|request| {
            let (_, body) = parts(request);
            let rows = body["schedules"].as_array().expect("addresses").iter();
            let rows: Vec<_> = rows
                .map(|id| json!({ "scheduleId": id, "scheduleItems": [] }))
                .collect();
            reply(200, "", &json!({ "value": rows }).to_string())
        })
        .await;
        let addresses: Vec<_> = (0..150).map(|n| format!("room{n}@contoso.com")).collect();
        let window = (day("2026-01-01"), day("2026-03-10"));
        let answers = mailbox
            .free_busy(&addresses, window)
            .await
            .expect("no results");
        assert_eq!(answers.len(), 150);
        assert!(answers.iter().all(|one| one.problem.is_none()));
        let asked: Vec<_> = stub.requests().iter().map(|text| parts(text)).collect();
        let sizes = asked.iter().map(|(line, body)| {
            assert_eq!(line, "POST /v1.0/me/calendar/getSchedule");
            let count = body["schedules"].as_array().map_or(0, Vec::len);
            let moment = |name: &str| {
                body[name]["dateTime"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            (count, moment("startTime"), moment("endTime"))
        });
        let (first, middle, last) = (
            "2026-01-01T00:00:00".to_owned(),
            "2026-03-04T00:00:00".to_owned(),
            "2026-03-10T00:00:00".to_owned(),
        );
        assert_eq!(
            sizes.collect::<Vec<_>>(),
            [
                (100, first.clone(), middle.clone()),
                (100, middle.clone(), last.clone()),
                (50, first, middle.clone()),
                (50, middle, last),
            ]
        );
    }

    #[tokio::test]
    async fn each_address_has_one_answer_even_if_graph_has_none() {
        let body = r#"{"value":[
            {"scheduleId":"ROOM@contoso.com","scheduleItems":[
                {"status":"busy","start":{"dateTime":"2026-01-02T10:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-01-02T11:00:00.0000000","timeZone":"UTC"}},
                {"status":"free","start":{"dateTime":"2026-01-02T08:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-01-02T09:00:00.0000000","timeZone":"UTC"}},
                {"status":"tentative","start":{"dateTime":"2026-01-02T10:30:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-01-02T12:00:00.0000000","timeZone":"UTC"}}]},
            {"scheduleId":"gone@contoso.com","error":{"message":"Unable to resolve.","responseCode":"ErrorMailRecipientNotFound"}}]}"#;
        let (stub, mailbox) = connected(move |_| reply(200, "", body)).await;
        let addresses = [
            "room@contoso.com",
            "gone@contoso.com",
            "Room@contoso.com",
            "mute@contoso.com",
        ];
        let addresses = addresses.map(str::to_owned);
        let window = (day("2026-01-02"), day("2026-01-03"));
        let answers = mailbox
            .free_busy(&addresses, window)
            .await
            .expect("no results");
        let at = |hour: &str| {
            format!("2026-01-02T{hour}:00:00Z")
                .parse()
                .expect("invalid time")
        };
        let answer = |address: &str, busy, problem: Option<&str>| Availability {
            address: address.into(),
            busy,
            problem: problem.map(str::to_owned),
        };
        assert_eq!(
            answers,
            [
                answer("room@contoso.com", vec![(at("10"), at("12"))], None),
                answer("gone@contoso.com", vec![], Some("Unable to resolve.")),
                answer(
                    "mute@contoso.com",
                    vec![],
                    Some("Graph returned no result for it")
                ),
            ]
        );
        let request = &stub.requests()[0];
        assert!(request.contains("prefer: outlook.timezone=\"UTC\""));
        assert_eq!(parts(request).1["availabilityViewInterval"], 1_440);
    }

    #[tokio::test]
    async fn an_empty_window_is_not_asked_for() {
        let (stub, mailbox) = connected(|_| reply(500, "", "")).await;
        let window = (day("2026-01-02"), day("2026-01-02"));
        let answers = mailbox
            .free_busy(&["a@contoso.com".to_owned()], window)
            .await;
        assert!(answers.expect("no result")[0].busy.is_empty());
        assert!(stub.requests().is_empty());
    }
}
