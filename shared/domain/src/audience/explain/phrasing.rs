//! Phrases for a rule: its field, its operand, the value it read, and the change that would be
//! needed.

use chrono::{DateTime, NaiveTime, SecondsFormat, Utc};
use chrono_tz::Tz;

use super::operand::{count, number_phrase, operand, text_phrase};
use crate::base::ids::CourseId;
use crate::rules::evaluate::DAY_MS;
use crate::rules::parse::Rule;
use crate::rules::{ActivityPredicate, DatePredicate, Leaf, parse_boolean, parse_number};
use crate::snapshot::{Activity, Snapshot, Source};

/// Formats what rules read for one learner.
pub(super) struct Phrasing<'a> {
    snapshot: &'a Snapshot,
    now: i64,
    zone: Tz,
    row: u32,
}

impl<'a> Phrasing<'a> {
    /// Creates the phrasing for the learner in a row; days are in `zone`.
    pub(super) fn new(snapshot: &'a Snapshot, at: DateTime<Utc>, zone: Tz, row: u32) -> Self {
        Self {
            snapshot,
            now: at.timestamp_millis(),
            zone,
            row,
        }
    }

    /// Returns the display name of the field that a predicate reads.
    pub(super) fn label(&self, leaf: &Leaf) -> String {
        match leaf {
            Leaf::Missing(source)
            | Leaf::Text(source, _)
            | Leaf::Number(source, _)
            | Leaf::Boolean(source, _)
            | Leaf::Date(source, _) => self.snapshot.label(source),
            Leaf::Activity(course, _) => self.course(*course),
        }
    }

    fn course(&self, id: CourseId) -> String {
        let course = self.snapshot.course(id);
        course.map_or_else(|| id.to_string(), |course| course.title.clone())
    }

    /// Returns the value that a predicate read, with a note if it has the wrong type.
    pub(super) fn actual_value(&self, leaf: &Leaf) -> Option<String> {
        let text = |source: &Source| self.snapshot.people.text(source, self.row);
        match leaf {
            Leaf::Text(source, _) => text(source).map(str::to_owned),
            Leaf::Number(source, _) => {
                let text = text(source)?;
                Some(checked(text, parse_number(text).is_some(), "not a number"))
            }
            Leaf::Boolean(source, _) => {
                let text = text(source)?;
                Some(checked(
                    text,
                    parse_boolean(text).is_some(),
                    "neither true nor false",
                ))
            }
            Leaf::Missing(source) => self
                .date(source)
                .or_else(|| text(source).map(str::to_owned)),
            Leaf::Date(source, _) => {
                (self.date(source)).or_else(|| Some(checked(text(source)?, false, "not a date")))
            }
            Leaf::Activity(course, _) => {
                let activity = self.snapshot.enrolments.activity(*course, self.row);
                Some(activity.map_or_else(|| "not enrolled".to_owned(), |done| self.activity(done)))
            }
        }
    }

    fn date(&self, source: &Source) -> Option<String> {
        let column = self.snapshot.people.dates.get(source)?;
        column.get(self.row).map(|moment| self.rfc3339(moment))
    }

    fn activity(&self, activity: Activity) -> String {
        let mut words = vec![match (activity.completed, activity.last_completed) {
            (true, Some(done)) => format!("completed on {}", self.day(done)),
            (true, None) => "completed, date unknown".to_owned(),
            (false, _) => "enrolled, not completed".to_owned(),
        }];
        let open = activity.in_progress || activity.open_due.is_some();
        words.extend(
            activity
                .late
                .then(|| "at least once after the due date".to_owned()),
        );
        words.extend((activity.completed && open).then(|| "enrolled again".to_owned()));
        words.extend(activity.in_progress.then(|| "in progress".to_owned()));
        words.extend(activity.open_due.map(|due| {
            let lead = if due < self.now {
                "overdue since"
            } else {
                "due"
            };
            format!("{lead} {}", self.day(due))
        }));
        words.join(", ")
    }

    /// Returns the change that would reverse a predicate whose current result is `holds`.
    pub(super) fn required_change(&self, rule: &Rule, leaf: &Leaf, holds: bool) -> String {
        let label = self.label(leaf);
        let operand = operand(rule, leaf).unwrap_or_default();
        let phrase = match leaf {
            Leaf::Missing(_) => {
                let amount = if holds { "a" } else { "no" };
                return format!("{label} would have to have {amount} value");
            }
            Leaf::Activity(_, test) => return self.other_activity(*test, &label, holds),
            Leaf::Text(_, test) => text_phrase(test, &operand),
            Leaf::Number(_, test) => number_phrase(test, &operand),
            Leaf::Boolean(_, truth) => format!("be {truth}"),
            Leaf::Date(_, test) => self.date_phrase(test, rule, &operand),
        };
        format!("{label} {} {phrase}", modal(holds))
    }

    fn other_activity(&self, test: ActivityPredicate, course: &str, holds: bool) -> String {
        let modal = modal(holds);
        match test {
            ActivityPredicate::Completed => format!("{course} {modal} count as completed"),
            ActivityPredicate::CompletedInLast(days) => {
                let bound = self.moment(self.now - i64::from(days) * DAY_MS);
                let side = if holds { "before" } else { "not before" };
                format!(
                    "the completion of {course} {modal} be within the last {}: {side} {bound}",
                    count(days)
                )
            }
            ActivityPredicate::Overdue => format!("{course} {modal} be overdue"),
            ActivityPredicate::InProgress => format!("{course} {modal} be in progress"),
            ActivityPredicate::Enrolled => format!("the learner {modal} be enrolled in {course}"),
        }
    }

    fn date_phrase(&self, test: &DatePredicate, rule: &Rule, operand: &str) -> String {
        let away = |days: i64| self.moment(self.now + days * DAY_MS);
        let now = || self.moment(self.now);
        match test {
            DatePredicate::Before(_) => format!("be before {operand}"),
            DatePredicate::After(_) => format!("be after {operand}"),
            DatePredicate::Within(..) if rule.operator == "on" => format!("be on {operand}"),
            DatePredicate::Within(..) => format!("be between {operand}"),
            DatePredicate::InLast(days) => format!(
                "be within the last {operand}: from {} to {}",
                away(-i64::from(*days)),
                now()
            ),
            DatePredicate::InNext(days) => format!(
                "be within the next {operand}: from {} to {}",
                now(),
                away(i64::from(*days))
            ),
            DatePredicate::MoreThanAgo(days) => format!(
                "be more than {operand} ago: before {}",
                away(-i64::from(*days))
            ),
        }
    }

    fn local(&self, millis: i64) -> Option<DateTime<Tz>> {
        Some(DateTime::from_timestamp_millis(millis)?.with_timezone(&self.zone))
    }

    fn rfc3339(&self, millis: i64) -> String {
        self.local(millis).map_or_else(out_of_range, |moment| {
            moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)
        })
    }

    fn day(&self, millis: i64) -> String {
        self.local(millis)
            .map_or_else(out_of_range, |moment| moment.format("%Y-%m-%d").to_string())
    }

    /// Formats a time as in a rule: as a day if it is midnight, else in RFC 3339.
    fn moment(&self, millis: i64) -> String {
        match self.local(millis) {
            Some(moment) if moment.time() == NaiveTime::MIN => self.day(millis),
            _ => self.rfc3339(millis),
        }
    }
}

fn checked(text: &str, fits: bool, otherwise: &str) -> String {
    if fits {
        text.to_owned()
    } else {
        format!("{text}, which is {otherwise}")
    }
}

fn out_of_range() -> String {
    "a date out of range".to_owned()
}

const fn modal(holds: bool) -> &'static str {
    if holds {
        "must no longer"
    } else {
        "would have to"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::audience::explain::{OtherProfile, SeenGroup, SeenRule, explain};
    use crate::base::ids::ProfileId;
    use crate::snapshot::lms::{FieldKind, Progress};
    use crate::testing::{World, profile, slot};

    const COURSES: [&str; 6] = ["Done", "Late", "Again", "Undated", "Begun", "Ahead"];

    fn world() -> World {
        let mut world = World::new();
        let kinds = [FieldKind::Number, FieldKind::Boolean, FieldKind::Date];
        for (title, kind) in ["Number", "Certified", "Hired"].into_iter().zip(kinds) {
            world.field(title, kind);
        }
        for title in COURSES {
            world.course(title);
        }
        let ada = world
            .person("Ada")
            .with("city", "Denver")
            .with("office", "HQ");
        ada.custom("Number", "10,5")
            .custom("Certified", "1")
            .custom("Hired", "2026-11-20T09:30:00Z");
        let alan = world
            .person("Alan")
            .custom("Number", "ten")
            .custom("Certified", "maybe");
        alan.custom("Hired", "soon");
        let (done, begun, new) = (
            Progress::Completed,
            Progress::InProgress,
            Progress::NotStarted,
        );
        world.completed("Ada", "Done", "2026-01-01");
        world.enrol("Ada", "Late", done, Some("2026-02-02"), Some("2026-02-01"));
        world.completed("Ada", "Again", "2020-01-01");
        world.enrol("Ada", "Again", begun, None, Some("2027-01-01"));
        world.enrol("Ada", "Undated", done, None, None);
        world.enrol("Ada", "Begun", begun, None, Some("2026-03-01"));
        world.enrol("Ada", "Ahead", new, None, None);
        world
    }

    /// Formats every rule of a profile as one line: the value it read and what would reverse it.
    fn phrased(name: &str, zone: Tz, section: &str, rules: &[Value]) -> String {
        let tree = Some(json!({"combinator": "or", "rules": rules}));
        let mut profile = profile("P");
        profile.time_zone = zone;
        match section {
            "properties" => profile.filter.properties = tree,
            "dates" => profile.filter.dates = tree,
            _ => profile.filter.activities = tree,
        }
        let no_profile = |_: ProfileId| None::<OtherProfile>;
        let (snapshot, user) = (world().snapshot(), World::user(name));
        let explanation = explain(&profile, &snapshot, slot(), user, &no_profile)
            .expect("no audience")
            .expect("learner not found");
        let line = |rule: &SeenRule| {
            let seen = rule.seen.as_deref().unwrap_or("no value");
            let operand = rule.operand.as_deref().unwrap_or("-");
            format!("{} {operand} | {seen} | {}", rule.operator, rule.otherwise)
        };
        let rules = explanation.rules.iter().flat_map(SeenGroup::leaves);
        rules.map(line).collect::<Vec<_>>().join("\n")
    }

    fn rule(field: &str, operator: &str, value: Value) -> Value {
        json!({"field": field, "operator": operator, "value": value})
    }

    fn custom(title: &str, operator: &str, value: Value) -> Value {
        rule(
            &format!("custom:{}", World::field_id(title)),
            operator,
            value,
        )
    }

    #[test]
    fn texts_are_reported_as_written_and_long_lists_cut_short() {
        let many: Vec<String> = (0..25).map(|number| format!("City {number}")).collect();
        let rules = [
            rule("city", "=", json!(" DENVER ")),
            rule("city", "!=", json!("Denver")),
            rule("city", "contains", json!("x")),
            rule("city", "doesNotContain", json!("x")),
            rule("city", "beginsWith", json!("Den")),
            rule("city", "endsWith", json!("ver")),
            rule("city", "in", json!(many)),
            rule("city", "notIn", json!("Oslo, Denver")),
            rule("city", "matches", json!("^D")),
            rule("city", "null", Value::Null),
            rule("email", "null", Value::Null),
            rule("email", "=", json!("ada@contoso.example")),
        ];
        insta::assert_snapshot!(phrased("Ada", Tz::UTC, "properties", &rules));
    }

    #[test]
    fn numbers_and_truths_are_reported_and_so_is_what_is_neither() {
        let rules = [
            custom("Number", "=", json!(9)),
            custom("Number", "<", json!("10,5")),
            custom("Number", "<=", json!(10.5)),
            custom("Number", ">", json!(9)),
            custom("Number", ">=", json!(11)),
            custom("Number", "between", json!([9, 11])),
            custom("Number", "notIn", json!([9, 10.5])),
            custom("Certified", "=", json!(true)),
            custom("Certified", "!=", json!("yes")),
        ];
        let phrased = ["Ada", "Alan"].map(|name| phrased(name, Tz::UTC, "properties", &rules));
        insta::assert_snapshot!(phrased.join("\n\n"));
    }

    #[test]
    fn dates_are_reported_in_the_zone_of_the_profile() {
        let rules = [
            custom("Hired", "before", json!("2026-11-20")),
            custom("Hired", "after", json!("2026-11-20")),
            custom("Hired", "on", json!("2026-11-20")),
            custom("Hired", "notBetween", json!(["2026-01-01", "2026-01-31"])),
            custom("Hired", "inLast", json!(30)),
            custom("Hired", "inNext", json!("7")),
            custom("Hired", "moreThanAgo", json!(1)),
            custom("Hired", "notNull", Value::Null),
        ];
        let phrased = [
            phrased("Ada", chrono_tz::America::Denver, "dates", &rules),
            phrased("Ada", Tz::UTC, "dates", &rules[4..7]),
            phrased("Alan", Tz::UTC, "dates", &rules[..1]),
            phrased("Alan", Tz::UTC, "dates", &rules[7..]),
        ];
        insta::assert_snapshot!(phrased.join("\n\n"));
    }

    #[test]
    fn activities_are_reported_as_what_the_person_did() {
        let operators = [
            "completed",
            "notCompleted",
            "completedInLast",
            "overdue",
            "inProgress",
            "enrolled",
        ];
        let field = |title: &str| format!("course:{}", World::course_id(title));
        let each = COURSES.map(|title| rule(&field(title), "notEnrolled", Value::Null));
        let all = operators.map(|operator| rule(&field("Done"), operator, Value::Null));
        let phrased = [
            phrased("Ada", Tz::UTC, "activities", &each),
            phrased("Ada", Tz::UTC, "activities", &all),
            phrased("Alan", Tz::UTC, "activities", &all),
        ];
        insta::assert_snapshot!(phrased.join("\n\n"));
    }
}
