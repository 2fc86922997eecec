//! The rules of a filter as written, with the value that each read for one learner.

use serde::{Deserialize, Serialize};

use crate::rules::parse::Combinator;

/// A group of rules with its result for the learner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SeenGroup {
    /// JSON pointer of the group in the profile; `/filter` for the whole filter.
    pub pointer: String,
    /// The combination of its parts.
    #[serde(with = "CombinatorName")]
    #[cfg_attr(feature = "openapi", schema(value_type = CombinatorName))]
    pub combinator: Combinator,
    /// True if the group is negated.
    pub not: bool,
    /// True if it holds, including the negation.
    pub holds: bool,
    /// Its rules and groups in the order written; at least one.
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub rules: Vec<SeenPart>,
}

/// A rule or a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum SeenPart {
    /// A group.
    Group(SeenGroup),
    /// A rule.
    Rule(SeenRule),
}

/// One rule with its value and result for the learner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SeenRule {
    /// JSON pointer of the rule in the profile.
    pub pointer: String,
    /// The field as written.
    pub field: String,
    /// The field's display name: `City`, or the title of a custom field or course.
    pub label: String,
    /// The operator as written.
    pub operator: String,
    /// The operand as text; long lists are truncated. `None` if the operator takes no operand.
    pub operand: Option<String>,
    /// The value it read: a text as stored in the LMS, a time in RFC 3339, or the learner's
    /// activity in the course. `None` if there is no value.
    pub seen: Option<String>,
    /// True if it holds for the learner.
    pub holds: bool,
    /// True if it is one of the fewest rules that determine the result.
    pub decisive: bool,
    /// The change that would reverse the rule, as text.
    pub otherwise: String,
}

/// The combinator names of react-querybuilder.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Combinator", rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
enum CombinatorName {
    And,
    Or,
}

impl SeenGroup {
    /// Creates a group; its result follows from its parts.
    pub(super) fn of(
        pointer: String,
        combinator: Combinator,
        not: bool,
        rules: Vec<SeenPart>,
    ) -> Self {
        let inner = match combinator {
            Combinator::And => rules.iter().all(SeenPart::holds),
            Combinator::Or => rules.iter().any(SeenPart::holds),
        };
        Self {
            pointer,
            combinator,
            not,
            holds: inner != not,
            rules,
        }
    }

    /// Returns all rules in the order written.
    pub fn leaves(&self) -> Vec<&SeenRule> {
        let parts = self.rules.iter();
        parts
            .flat_map(|part| match part {
                SeenPart::Group(group) => group.leaves(),
                SeenPart::Rule(rule) => vec![rule],
            })
            .collect()
    }
}

impl SeenPart {
    /// Returns true if it holds for the learner.
    pub fn holds(&self) -> bool {
        match self {
            Self::Group(group) => group.holds,
            Self::Rule(rule) => rule.holds,
        }
    }
}
