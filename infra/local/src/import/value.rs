//! Parsing of single values; every error contains the expected format and the value.

use rollcall_simulators::world::{CourseType, FieldKind, Progress, UserType};
use uuid::Uuid;

use super::dates;
use super::quoted::quoted;

/// Returns the value without outer spaces, which affect no rule, only the vendor's lookups.
#[expect(
    clippy::unnecessary_wraps,
    reason = "has the shape of the other parsers"
)]
pub(super) fn trimmed(text: &str) -> Result<String, String> {
    Ok(text.trim().to_owned())
}

/// Returns the value unchanged, because rules must handle spaces and unusual spellings.
#[expect(
    clippy::unnecessary_wraps,
    reason = "has the shape of the other parsers"
)]
pub(super) fn text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

pub(super) fn guid(text: &str) -> Result<Uuid, String> {
    match Uuid::try_parse(text.trim()) {
        Ok(id) if !id.is_nil() => Ok(id),
        _ => Err(format!(
            "must be a GUID such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301, not {}",
            quoted(text)
        )),
    }
}

/// Parses a boolean; Entra writes `True` and `False`, spreadsheets `TRUE` and `FALSE`.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match fold(text).as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("must be true or false, not {}", quoted(text))),
    }
}

/// Checks that a value is `name@domain` with both parts and without spaces.
pub(super) fn principal_name(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.rsplit_once('@') {
        Some((name, domain))
            if !name.is_empty() && !domain.is_empty() && !text.contains(char::is_whitespace) =>
        {
            Ok(text.to_owned())
        }
        _ => Err(format!("must be a name@domain, not {}", quoted(text))),
    }
}

pub(super) fn user_type(text: &str) -> Result<UserType, String> {
    match fold(text).as_str() {
        "member" => Ok(UserType::Member),
        "guest" => Ok(UserType::Guest),
        _ => Err(format!("must be Member or Guest, not {}", quoted(text))),
    }
}

/// Parses a course type; spaces and hyphens are ignored, as in `Training plan` and `e-Learning`.
pub(super) fn course_type(text: &str) -> Result<CourseType, String> {
    match fold(text).replace('-', "").as_str() {
        "elearning" => Ok(CourseType::ELearning),
        "classroom" => Ok(CourseType::ClassRoom),
        "webinar" => Ok(CourseType::Webinar),
        "trainingplan" => Ok(CourseType::TrainingPlan),
        _ => Err(format!(
            "must be ELearning, ClassRoom, Webinar or TrainingPlan, not {}",
            quoted(text)
        )),
    }
}

/// Parses a progress; spaces are ignored, as in `InProgress` and `In progress`.
pub(super) fn progress(text: &str) -> Result<Progress, String> {
    match fold(text).as_str() {
        "completed" => Ok(Progress::Completed),
        "inprogress" => Ok(Progress::InProgress),
        "notstarted" => Ok(Progress::NotStarted),
        _ => Err(format!(
            "must be Completed, In progress or Not started, not {}",
            quoted(text)
        )),
    }
}

pub(super) fn field_kind(text: &str) -> Result<FieldKind, String> {
    match fold(text).as_str() {
        "string" => Ok(FieldKind::String),
        "number" => Ok(FieldKind::Number),
        "boolean" => Ok(FieldKind::Boolean),
        "datetime" => Ok(FieldKind::DateTime),
        _ => Err(format!(
            "has no type {}; write String, Number, Boolean or DateTime after the last colon",
            quoted(text)
        )),
    }
}

/// Returns a custom field's value in the format of Learn365: `true`, `1.5`, `2023-01-02T00:00:00Z`.
pub(super) fn custom(kind: FieldKind, value: &str) -> Result<String, String> {
    match kind {
        FieldKind::String => text(value),
        FieldKind::Number => number(value),
        FieldKind::Boolean => boolean(value).map(|it| it.to_string()),
        FieldKind::DateTime => dates::moment(value).map(dates::written),
    }
}

fn number(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(text.to_owned()),
        _ => Err(format!(
            "must be a number such as 1200.5 (a decimal point, no other separators), not {}",
            quoted(text)
        )),
    }
}

/// Returns the text in lower case without spaces.
fn fold(text: &str) -> String {
    let letters = text.chars().filter(|letter| !letter.is_whitespace());
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_vendors_spellings() {
        let id = Uuid::from_u128(0x3f25_04e0_4f89_41d3_9a0c_0305_e82c_3301);
        assert_eq!(guid(" 3F2504E0-4F89-41D3-9A0C-0305E82C3301 "), Ok(id));
        assert_eq!(boolean("True"), Ok(true));
        assert_eq!(boolean(" FALSE"), Ok(false));
        assert_eq!(user_type("guest"), Ok(UserType::Guest));
        for spelling in ["Training plan", "TrainingPlan", "training-plan"] {
            assert_eq!(course_type(spelling), Ok(CourseType::TrainingPlan));
        }
        assert_eq!(course_type("e-Learning"), Ok(CourseType::ELearning));
        for spelling in ["In progress", "InProgress", "in\u{a0}progress"] {
            assert_eq!(progress(spelling), Ok(Progress::InProgress));
        }
        assert_eq!(progress("NotStarted"), Ok(Progress::NotStarted));
        let guest = "a_b.example#EXT#@contoso.example";
        assert_eq!(principal_name(guest), Ok(guest.to_owned()));
    }

    #[test]
    fn custom_values_are_kept_in_one_spelling() {
        let table = [
            (FieldKind::String, " CC-1 ", " CC-1 "),
            (FieldKind::Number, " -1200.50 ", "-1200.50"),
            (FieldKind::Boolean, "TRUE", "true"),
            (FieldKind::DateTime, "2023-01-02", "2023-01-02T00:00:00Z"),
            (
                FieldKind::DateTime,
                "2023-01-02T03:00:00+02:00",
                "2023-01-02T01:00:00Z",
            ),
        ];
        for (kind, text, kept) in table {
            assert_eq!(custom(kind, text).as_deref(), Ok(kept));
        }
    }

    #[test]
    fn refusals_say_what_was_expected() {
        let table = [
            (
                guid("x").err(),
                "must be a GUID such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301, not \"x\"",
            ),
            (boolean("ja").err(), "must be true or false, not \"ja\""),
            (
                principal_name("a b@c").err(),
                "must be a name@domain, not \"a b@c\"",
            ),
            (
                principal_name("@c").err(),
                "must be a name@domain, not \"@c\"",
            ),
            (user_type("x").err(), "must be Member or Guest, not \"x\""),
            (
                course_type("x").err(),
                "must be ELearning, ClassRoom, Webinar or TrainingPlan, not \"x\"",
            ),
            (
                progress("x").err(),
                "must be Completed, In progress or Not started, not \"x\"",
            ),
            (
                custom(FieldKind::Number, "1,5").err(),
                "must be a number such as 1200.5 (a decimal point, no other separators), not \"1,5\"",
            ),
            (
                custom(FieldKind::Boolean, &"é".repeat(41)).err(),
                "must be true or false, not \"éééééééééééééééééééééééééééééééééééééééé…\"",
            ),
        ];
        for (problem, sentence) in table {
            assert_eq!(problem.as_deref(), Some(sentence));
        }
        assert!(guid("00000000-0000-0000-0000-000000000000").is_err());
        assert!(custom(FieldKind::Number, "NaN").is_err());
        assert!(custom(FieldKind::DateTime, "01/02/2023").is_err());
    }
}
