//! Checks a parsed tree against the existing fields and courses and converts it to an expression.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;

use super::expr::{Expr, Leaf};
use super::field::FieldRef;
use super::operators::{activity, boolean, date, number, text};
use super::parse::{Combinator, FilterPart, Group, Rule};
use super::problem::{Mistake, RuleProblem, RuleProblemKind, invalid};
use crate::base::ids::CourseId;
use crate::base::problem::Problem;
use crate::snapshot::lms::FieldKind;
use crate::snapshot::{Snapshot, Source};

/// The three sections of a filter; each accepts its own kind of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// User properties.
    Properties,
    /// User dates.
    Dates,
    /// User activities.
    Activities,
}

/// The fields and courses that rules may use: custom fields, Entra properties and courses.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    sources: BTreeMap<Source, FieldKind>,
    courses: BTreeSet<CourseId>,
}

impl Fields {
    /// Returns the fields and courses of a snapshot.
    pub fn of(snapshot: &Snapshot) -> Self {
        let custom = snapshot
            .fields
            .iter()
            .filter(|field| !field.predefined)
            .map(|field| (Source::Custom(field.id), field.kind));
        let entra = snapshot
            .entra_properties
            .iter()
            .map(|(name, kind)| (Source::Entra(name.clone()), *kind));
        Self {
            sources: custom.chain(entra).collect(),
            courses: snapshot.courses.iter().map(|course| course.id).collect(),
        }
    }

    fn kind(&self, source: &Source) -> Option<FieldKind> {
        match source {
            Source::Property(_) => Some(FieldKind::Text),
            other => self.sources.get(other).copied(),
        }
    }
}

/// Checks the tree of a section. `zone` is the profile's time zone for days.
///
/// # Errors
/// All problems of all rules.
pub fn check(
    group: &Group,
    section: Section,
    fields: &Fields,
    zone: Tz,
) -> Result<Expr, Vec<RuleProblem>> {
    let checker = Checker {
        section,
        fields,
        zone,
    };
    let mut problems = Vec::new();
    let expr = checker.group(group, &mut problems);
    if problems.is_empty() {
        Ok(expr)
    } else {
        Err(problems)
    }
}

/// Checks one rule of a section. Returns its positive predicate and whether the operator negates
/// it.
///
/// # Errors
/// The first problem of the rule.
pub fn check_rule(
    rule: &Rule,
    section: Section,
    fields: &Fields,
    zone: Tz,
) -> Result<(Leaf, bool), RuleProblem> {
    let checker = Checker {
        section,
        fields,
        zone,
    };
    checker.test(rule).map_err(|mistake| problem(rule, mistake))
}

struct Checker<'a> {
    section: Section,
    fields: &'a Fields,
    zone: Tz,
}

impl Checker<'_> {
    fn group(&self, group: &Group, problems: &mut Vec<RuleProblem>) -> Expr {
        let mut parts = Vec::with_capacity(group.parts.len());
        for part in &group.parts {
            match part {
                FilterPart::Group(inner) => parts.push(self.group(inner, problems)),
                FilterPart::Rule(rule) => match self.test(rule) {
                    Ok((leaf, not)) => parts.push(Expr::Leaf(leaf).negated(not)),
                    Err(mistake) => problems.push(problem(rule, mistake)),
                },
            }
        }
        match group.combinator {
            Combinator::And => Expr::All(parts),
            Combinator::Or => Expr::Any(parts),
        }
        .negated(group.not)
    }

    fn test(&self, rule: &Rule) -> Result<(Leaf, bool), Mistake> {
        let field = FieldRef::parse(&rule.field).map_err(|detail| invalid("field", detail))?;
        match (self.section, field) {
            (Section::Activities, FieldRef::Course(course)) => {
                if !self.fields.courses.contains(&course) {
                    return Err((
                        RuleProblemKind::CourseMissing,
                        "field",
                        format!(
                            "the course {course} no longer exists; choose another or remove the rule"
                        ),
                    ));
                }
                let (test, not) = activity(rule)?;
                Ok((Leaf::Activity(course, test), not))
            }
            (Section::Properties | Section::Dates, FieldRef::Value(source)) => {
                self.value_rule(rule, source)
            }
            (section, _) => Err(invalid("field", wrong_section(section, &rule.field))),
        }
    }

    fn value_rule(&self, rule: &Rule, source: Source) -> Result<(Leaf, bool), Mistake> {
        let Some(kind) = self.fields.kind(&source) else {
            return Err((
                RuleProblemKind::FieldMissing,
                "field",
                format!(
                    "the field {} no longer exists; choose another or remove the rule",
                    rule.field
                ),
            ));
        };
        if (kind == FieldKind::Date) != (self.section == Section::Dates) {
            return Err(invalid("field", wrong_section(self.section, &rule.field)));
        }
        match rule.operator.as_str() {
            "null" => return Ok((Leaf::Missing(source), false)),
            "notNull" => return Ok((Leaf::Missing(source), true)),
            _ => {}
        }
        match kind {
            FieldKind::Text => text(rule).map(|(test, not)| (Leaf::Text(source, test), not)),
            FieldKind::Number => number(rule).map(|(test, not)| (Leaf::Number(source, test), not)),
            FieldKind::Boolean => {
                boolean(rule).map(|(truth, not)| (Leaf::Boolean(source, truth), not))
            }
            FieldKind::Date => {
                date(rule, self.zone).map(|(test, not)| (Leaf::Date(source, test), not))
            }
        }
    }
}

fn problem(rule: &Rule, (kind, place, detail): Mistake) -> RuleProblem {
    RuleProblem {
        kind,
        problem: Problem::at(format!("{}/{place}", rule.pointer), detail),
        subject: rule.field.clone(),
    }
}

fn wrong_section(section: Section, field: &str) -> String {
    match section {
        Section::Properties => format!(
            "{field} does not belong under user properties, which accept texts, numbers and booleans"
        ),
        Section::Dates => {
            format!("{field} is not a date field; user dates accept custom fields of kind date")
        }
        Section::Activities => {
            format!("{field} is not a course; user activities accept course:<course id>")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::parse::parse;
    use crate::testing::World;
    use serde_json::{Value, json};

    fn world() -> World {
        let mut world = World::new();
        world.field("Hire Date", FieldKind::Date);
        world.field("Employee Number", FieldKind::Number);
        world.field("Certified", FieldKind::Boolean);
        world.course("Security 101");
        world
    }

    fn verdict(section: Section, rule: Value) -> Result<Expr, Vec<RuleProblem>> {
        let tree = json!({"combinator": "and", "rules": [rule]});
        let group = parse(&tree, "").expect("well-formed tree rejected");
        check(
            &group,
            section,
            &Fields::of(&world().snapshot()),
            chrono_tz::UTC,
        )
    }

    fn problem(section: Section, rule: Value) -> String {
        let problems = verdict(section, rule).expect_err("invalid rule accepted");
        problems[0].problem.to_string()
    }

    /// Proves S4-072, S4-079 and S4-084: field, operator and value are required, and an activity
    /// takes no value. Each problem has its own text.
    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of mistakes")]
    fn each_mistake_is_reported_in_words() {
        let world = world();
        let (hired, number, certified) = (
            world.field_name("Hire Date"),
            world.field_name("Employee Number"),
            world.field_name("Certified"),
        );
        let course = world.course_name("Security 101");
        let messages = [
            problem(
                Section::Properties,
                json!({"field": "city", "operator": "=", "value": "  "}),
            ),
            problem(
                Section::Properties,
                json!({"field": "city", "operator": "<", "value": "x"}),
            ),
            problem(
                Section::Properties,
                json!({"field": "salary", "operator": "=", "value": "x"}),
            ),
            problem(
                Section::Properties,
                json!({"field": "city", "operator": "matches", "value": "(a{1000}){1000}"}),
            ),
            problem(
                Section::Properties,
                json!({"field": "city", "operator": "matches", "value": "(open"}),
            ),
            problem(
                Section::Properties,
                json!({"field": hired, "operator": "=", "value": "x"}),
            ),
            problem(
                Section::Dates,
                json!({"field": "city", "operator": "before", "value": "2023-01-01"}),
            ),
            problem(
                Section::Dates,
                json!({"field": hired, "operator": "before", "value": "01/02/2023"}),
            ),
            problem(
                Section::Dates,
                json!({"field": hired, "operator": "inLast", "value": 0}),
            ),
            problem(
                Section::Properties,
                json!({"field": number, "operator": "between", "value": [9, 1]}),
            ),
            problem(
                Section::Properties,
                json!({"field": certified, "operator": "=", "value": "maybe"}),
            ),
            problem(
                Section::Activities,
                json!({"field": course, "operator": "completed", "value": "x"}),
            ),
            problem(
                Section::Activities,
                json!({"field": "city", "operator": "completed"}),
            ),
        ];
        insta::assert_snapshot!(
            messages
                .join("\n")
                .replace(&hired, "custom:HIRED")
                .replace(&number, "custom:NUMBER")
        );
    }

    /// Proves S4-080 and S4-081: before and after exist; S4-085: completed exists.
    #[test]
    fn the_default_conditions_exist() {
        let world = world();
        let hired = world.field_name("Hire Date");
        assert!(
            verdict(
                Section::Properties,
                json!({"field": "city", "operator": "=", "value": "Denver"})
            )
            .is_ok()
        );
        assert!(
            verdict(
                Section::Dates,
                json!({"field": hired, "operator": "before", "value": "2023-01-01"})
            )
            .is_ok()
        );
        assert!(
            verdict(
                Section::Dates,
                json!({"field": hired, "operator": "after", "value": "2023-01-01"})
            )
            .is_ok()
        );
        let course = world.course_name("Security 101");
        assert!(
            verdict(
                Section::Activities,
                json!({"field": course, "operator": "completed"})
            )
            .is_ok()
        );
    }

    /// Proves S4-119 and S4-124: deleted fields are distinguished from fields that never existed.
    #[test]
    fn deleted_fields_and_courses_are_their_own_kind_of_problem() {
        let gone = "00000000-0000-0000-0000-00000000dead";
        let field = verdict(
            Section::Properties,
            json!({"field": format!("custom:{gone}"), "operator": "=", "value": "x"}),
        );
        assert_eq!(
            field.expect_err("deleted field accepted")[0].kind,
            RuleProblemKind::FieldMissing
        );
        let course = verdict(
            Section::Activities,
            json!({"field": format!("course:{gone}"), "operator": "completed"}),
        );
        assert_eq!(
            course.expect_err("deleted course accepted")[0].kind,
            RuleProblemKind::CourseMissing
        );
    }
}
