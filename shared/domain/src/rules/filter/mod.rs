//! A profile's filter: three optional sections and their combination.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check::{Fields, Section, check};
use super::expr::Expr;
use super::parse::parse;
use super::problem::{RuleProblem, RuleProblemKind};

/// The combination of non-empty sections (S4-067, C-41).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum MatchMode {
    /// Every section must hold.
    #[default]
    All,
    /// One section is enough.
    Any,
}

/// A filter as written and stored.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FilterDocument {
    /// The combination of the sections.
    #[serde(default, rename = "match")]
    pub mode: MatchMode,
    /// User properties: a react-querybuilder tree, absent if not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<Value>,
    /// User dates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates: Option<Value>,
    /// User activities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activities: Option<Value>,
}

/// A checked filter: the audience before overrides.
#[derive(Debug, Clone)]
pub struct Filter(pub Expr);

impl FilterDocument {
    /// Returns true if all sections are empty.
    pub fn is_empty(&self) -> bool {
        self.sections().next().is_none()
    }

    /// Returns the sections that are not empty, with their JSON pointers in a profile.
    pub fn sections(&self) -> impl Iterator<Item = (Section, &'static str, &Value)> {
        let Self {
            mode: _,
            properties,
            dates,
            activities,
        } = self;
        let sections = [
            (Section::Properties, "/filter/properties", properties),
            (Section::Dates, "/filter/dates", dates),
            (Section::Activities, "/filter/activities", activities),
        ];
        sections.into_iter().filter_map(|(section, pointer, tree)| {
            let tree = tree.as_ref().filter(|tree| !says_nothing(tree))?;
            Some((section, pointer, tree))
        })
    }

    /// Checks every section against the existing fields and courses.
    ///
    /// Returns `None` for a filter without sections. Such a profile matches no user by rule, rather
    /// than every user (S4-118).
    ///
    /// # Errors
    /// All problems of all sections.
    pub fn check(&self, fields: &Fields, zone: Tz) -> Result<Option<Filter>, Vec<RuleProblem>> {
        let (mut parts, mut problems) = (Vec::new(), Vec::new());
        for (section, pointer, tree) in self.sections() {
            let checked = parse(tree, pointer)
                .map_err(|found| found.into_iter().map(malformed).collect())
                .and_then(|group| check(&group, section, fields, zone));
            match checked {
                Ok(expr) => parts.push(expr),
                Err(found) => problems.extend(found),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok((!parts.is_empty()).then(|| {
            Filter(match self.mode {
                MatchMode::All => Expr::All(parts),
                MatchMode::Any => Expr::Any(parts),
            })
        }))
    }
}

/// Returns true for an absent section and for the editor's empty root group.
fn says_nothing(tree: &Value) -> bool {
    let empty = matches!(tree.get("rules"), Some(Value::Array(rules)) if rules.is_empty());
    let negated = tree.get("not").and_then(Value::as_bool).unwrap_or(false);
    tree.is_null() || (empty && !negated)
}

fn malformed(problem: crate::base::problem::Problem) -> RuleProblem {
    RuleProblem {
        kind: RuleProblemKind::Invalid,
        problem,
        subject: String::new(),
    }
}

#[cfg(test)]
mod tests;
