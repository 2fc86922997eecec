//! The rules of a filter as written, with what each of them saw in one person.

use serde::{Deserialize, Serialize};

use crate::rules::parse::Combinator;

/// A group of rules, and whether it holds for the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SeenGroup {
    /// Where it stands in the profile: a JSON pointer, `/filter` for the whole.
    pub pointer: String,
    /// How its parts combine.
    #[serde(with = "CombinatorName")]
    #[cfg_attr(feature = "openapi", schema(value_type = CombinatorName))]
    pub combinator: Combinator,
    /// Whether the whole group is negated.
    pub not: bool,
    /// Whether it holds, the negation included.
    pub holds: bool,
    /// Its rules and groups in the order written, at least one.
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

/// One rule, what it saw in the person, and whether it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SeenRule {
    /// Where it stands in the profile: a JSON pointer.
    pub pointer: String,
    /// The field's name as written.
    pub field: String,
    /// What people call the field: `City`, a custom field's or a course's title.
    pub label: String,
    /// The operator's name as written.
    pub operator: String,
    /// The operand as written, in words; long lists are cut short. `None` when
    /// the operator takes none.
    pub operand: Option<String>,
    /// The value it saw: a text as the platform wrote it, a moment in RFC 3339,
    /// or what the person did in the course. `None` when there is no value.
    pub seen: Option<String>,
    /// Whether it holds for the person.
    pub holds: bool,
    /// Whether it is one of the fewest rules that already settle the verdict.
    pub decisive: bool,
    /// What would have to be different for the rule to turn, in words.
    pub otherwise: String,
}

/// The names react-querybuilder gives the combinators.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Combinator", rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
enum CombinatorName {
    And,
    Or,
}

impl SeenGroup {
    /// Puts a group together; whether it holds follows from its parts.
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

    /// Every rule, in the order written.
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
    /// Whether it holds for the person.
    pub fn holds(&self) -> bool {
        match self {
            Self::Group(group) => group.holds,
            Self::Rule(rule) => rule.holds,
        }
    }
}
