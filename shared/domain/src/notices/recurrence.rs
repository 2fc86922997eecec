//! Formats dates and times in a language and a time zone.

use chrono::{DateTime, Datelike, Utc};
use chrono_tz::Tz;

use super::language::Language;

/// Formats a time: day, time and zone name.
pub(super) fn moment(language: Language, at: DateTime<Utc>, zone: &str) -> String {
    let local = at.with_timezone(&named(zone));
    let time = format!("{}{}", clock(language, &local), oclock(language));
    format!(
        "{} ({})",
        dated(language, &local, &time),
        local.timezone().name()
    )
}

/// Formats a period; the day appears once if start and end are on the same day.
pub(super) fn span(
    language: Language,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    zone: &str,
) -> String {
    let zone = named(zone);
    let (start, end) = (start.with_timezone(&zone), end.with_timezone(&zone));
    let until = format!("{}{}", clock(language, &end), oclock(language));
    let from = clock(language, &start);
    if start.date_naive() == end.date_naive() {
        let times = format!("{from}–{until}");
        return format!("{} ({})", dated(language, &start, &times), zone.name());
    }
    let from = format!("{from}{}", oclock(language));
    format!(
        "{} – {} ({})",
        dated(language, &start, &from),
        dated(language, &end, &until),
        zone.name()
    )
}

/// Parses a zone name; an unknown zone is replaced with UTC, which the text then shows.
fn named(zone: &str) -> Tz {
    zone.parse().unwrap_or(Tz::UTC)
}

fn clock(language: Language, at: &DateTime<Tz>) -> String {
    let format = match language {
        Language::Danish => "%H.%M",
        _ => "%H:%M",
    };
    at.format(format).to_string()
}

const fn oclock(language: Language) -> &'static str {
    match language {
        Language::German => " Uhr",
        Language::Dutch => " uur",
        _ => "",
    }
}

fn dated(language: Language, at: &DateTime<Tz>, time: &str) -> String {
    let (weekdays, months) = names(language);
    let weekday = weekdays[at.weekday().num_days_from_monday() as usize];
    let month = months[at.month0() as usize];
    let (day, year) = (at.day(), at.year());
    match language {
        Language::German => format!("{weekday}, {day}. {month} {year}, {time}"),
        Language::French if day == 1 => format!("{weekday} 1er {month} {year}, {time}"),
        Language::English | Language::Dutch | Language::French => {
            format!("{weekday} {day} {month} {year}, {time}")
        }
        Language::Spanish => format!("{weekday}, {day} de {month} de {year}, {time}"),
        Language::Danish => format!("{weekday} den {day}. {month} {year} kl. {time}"),
    }
}

type Names = ([&'static str; 7], [&'static str; 12]);

#[rustfmt::skip]
const fn names(language: Language) -> Names {
    match language {
        Language::English => (
            ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
            ["January", "February", "March", "April", "May", "June", "July", "August",
             "September", "October", "November", "December"],
        ),
        Language::German => (
            ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"],
            ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August",
             "September", "Oktober", "November", "Dezember"],
        ),
        Language::French => (
            ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
            ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août",
             "septembre", "octobre", "novembre", "décembre"],
        ),
        Language::Spanish => (
            ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"],
            ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto",
             "septiembre", "octubre", "noviembre", "diciembre"],
        ),
        Language::Dutch => (
            ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"],
            ["januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus",
             "september", "oktober", "november", "december"],
        ),
        Language::Danish => (
            ["mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag"],
            ["januar", "februar", "marts", "april", "maj", "juni", "juli", "august",
             "september", "oktober", "november", "december"],
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    /// Proves S1-15: times are written as usual in the language and zone.
    #[test]
    fn times_are_reported_in_the_named_zone_and_language() {
        let start = Utc.with_ymd_and_hms(2026, 11, 1, 8, 0, 0).unwrap();
        let end = Utc.with_ymd_and_hms(2026, 11, 1, 9, 30, 0).unwrap();
        let all = Language::ALL.map(|language| span(language, start, end, "Europe/Berlin"));
        assert_eq!(
            all,
            [
                "Sunday 1 November 2026, 09:00–10:30 (Europe/Berlin)",
                "Sonntag, 1. November 2026, 09:00–10:30 Uhr (Europe/Berlin)",
                "dimanche 1er novembre 2026, 09:00–10:30 (Europe/Berlin)",
                "domingo, 1 de noviembre de 2026, 09:00–10:30 (Europe/Berlin)",
                "zondag 1 november 2026, 09:00–10:30 uur (Europe/Berlin)",
                "søndag den 1. november 2026 kl. 09.00–10.30 (Europe/Berlin)",
            ]
        );
        assert_eq!(
            moment(Language::English, start, "Mars/Olympus"),
            "Sunday 1 November 2026, 08:00 (UTC)"
        );
        // Eight hours behind: another day, and a period over midnight has two days.
        assert_eq!(
            span(Language::German, start, end, "America/Los_Angeles"),
            "Sonntag, 1. November 2026, 01:00–01:30 Uhr (America/Los_Angeles)"
        );
        assert_eq!(
            span(Language::English, start, end, "Pacific/Marquesas"),
            "Saturday 31 October 2026, 22:30 – Sunday 1 November 2026, 00:00 (Pacific/Marquesas)"
        );
    }
}
