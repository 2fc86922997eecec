//! Parses react-querybuilder JSON into groups and rules and reports all problems at once.

use serde_json::{Map, Value};

use super::limits::{MAX_DEPTH, MAX_NODES};
use crate::base::problem::Problem;

/// The combination of the rules of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combinator {
    /// All must hold.
    And,
    /// One is enough.
    Or,
}

/// A group as written.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The combination of its parts.
    pub combinator: Combinator,
    /// True if the whole group is negated.
    pub not: bool,
    /// Its rules and groups, at least one.
    pub parts: Vec<FilterPart>,
}

/// A rule or a group.
#[derive(Debug, Clone, PartialEq)]
pub enum FilterPart {
    /// A group.
    Group(Group),
    /// A rule.
    Rule(Rule),
}

/// A rule as written.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// JSON pointer of the rule in the document.
    pub pointer: String,
    /// The name of the field.
    pub field: String,
    /// The name of the operator.
    pub operator: String,
    /// The value; `null` if the operator takes none.
    pub value: Value,
}

/// Keys that the editor adds for its own use; they are ignored.
const EDITOR_KEYS: [&str; 3] = ["id", "path", "inputType"];

/// Parses a tree. `pointer` is the position of the tree in the whole document.
///
/// # Errors
/// All problems with the structure.
pub fn parse(value: &Value, pointer: &str) -> Result<Group, Vec<Problem>> {
    let mut reader = FilterReader {
        problems: Vec::new(),
        nodes: 0,
    };
    let group = reader.group(value, pointer, 1);
    match group {
        Some(group) if reader.problems.is_empty() => Ok(group),
        _ => Err(reader.problems),
    }
}

struct FilterReader {
    problems: Vec<Problem>,
    nodes: usize,
}

impl FilterReader {
    fn problem<T>(&mut self, pointer: &str, detail: impl Into<String>) -> Option<T> {
        self.problems.push(Problem::at(pointer, detail));
        None
    }

    fn group(&mut self, value: &Value, pointer: &str, depth: usize) -> Option<Group> {
        let Value::Object(object) = value else {
            return self.problem(
                pointer,
                "must be a group: an object with combinator and rules",
            );
        };
        if depth > MAX_DEPTH {
            return self.problem(
                pointer,
                format!("groups may nest {MAX_DEPTH} deep at most; flatten this one"),
            );
        }
        self.unknown_keys(object, pointer, &["combinator", "not", "rules"]);
        let combinator = self.combinator(object, pointer);
        let not = match object.get("not") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(not)) => *not,
            Some(_) => return self.problem(&format!("{pointer}/not"), "must be true or false"),
        };
        let Some(Value::Array(rules)) = object.get("rules") else {
            return self.problem(
                &format!("{pointer}/rules"),
                "must be a list of rules and groups",
            );
        };
        if rules.is_empty() {
            return self.problem(
                &format!("{pointer}/rules"),
                "an empty group has no effect; add a rule or remove the group",
            );
        }
        let mut parts = Vec::with_capacity(rules.len());
        for (index, part) in rules.iter().enumerate() {
            self.nodes += 1;
            if self.nodes > MAX_NODES {
                if self.nodes == MAX_NODES + 1 {
                    return self.problem(
                        pointer,
                        format!("a section may hold {MAX_NODES} rules and groups at most"),
                    );
                }
                return None;
            }
            parts.extend(self.part(part, &format!("{pointer}/rules/{index}"), depth));
        }
        Some(Group {
            combinator: combinator?,
            not,
            parts,
        })
    }

    fn combinator(&mut self, object: &Map<String, Value>, pointer: &str) -> Option<Combinator> {
        match object.get("combinator").and_then(Value::as_str) {
            Some("and") => Some(Combinator::And),
            Some("or") => Some(Combinator::Or),
            _ => self.problem(
                &format!("{pointer}/combinator"),
                "must be \"and\" or \"or\"",
            ),
        }
    }

    fn part(&mut self, value: &Value, pointer: &str, depth: usize) -> Option<FilterPart> {
        match value {
            Value::Object(object) if object.contains_key("rules") => {
                self.group(value, pointer, depth + 1).map(FilterPart::Group)
            }
            Value::Object(object) => self.rule(object, pointer).map(FilterPart::Rule),
            _ => self.problem(
                pointer,
                "must be a rule (field, operator, value) or a group (combinator, rules)",
            ),
        }
    }

    fn rule(&mut self, object: &Map<String, Value>, pointer: &str) -> Option<Rule> {
        self.unknown_keys(
            object,
            pointer,
            &["field", "operator", "value", "valueSource"],
        );
        if !matches!(
            object.get("valueSource").map(Value::as_str),
            None | Some(Some("value"))
        ) {
            self.problem::<()>(
                &format!("{pointer}/valueSource"),
                "only \"value\" is supported: compare a field with a value",
            );
        }
        let field = self.text(object, "field", pointer);
        let operator = self.text(object, "operator", pointer);
        Some(Rule {
            pointer: pointer.to_owned(),
            field: field?,
            operator: operator?,
            value: object.get("value").cloned().unwrap_or(Value::Null),
        })
    }

    fn text(&mut self, object: &Map<String, Value>, key: &str, pointer: &str) -> Option<String> {
        match object.get(key) {
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            _ => self.problem(
                &format!("{pointer}/{key}"),
                format!("{key} is required and must be a text"),
            ),
        }
    }

    fn unknown_keys(&mut self, object: &Map<String, Value>, pointer: &str, known: &[&str]) {
        for key in object.keys() {
            if !known.contains(&key.as_str()) && !EDITOR_KEYS.contains(&key.as_str()) {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                self.problem::<()>(
                    &format!("{pointer}/{escaped}"),
                    "is not a key of a rule or group; remove it",
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(value: &Value) -> Vec<String> {
        parse(value, "/properties")
            .expect_err("invalid tree accepted")
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// Proves S4-064, S4-065 and S4-066: rules and nested groups with Not, And and Or.
    #[test]
    fn a_nested_tree_is_read() {
        let tree = json!({"combinator": "and", "not": true, "id": "editor", "rules": [
            {"field": "city", "operator": "=", "value": "Denver", "valueSource": "value"},
            {"combinator": "or", "rules": [{"field": "email", "operator": "null"}]},
        ]});
        let group = parse(&tree, "").expect("well-formed tree rejected");
        assert!(group.not && group.combinator == Combinator::And);
        assert!(
            matches!(&group.parts[1], FilterPart::Group(inner) if inner.combinator == Combinator::Or)
        );
    }

    #[test]
    fn every_problem_is_reported_at_once_with_its_place() {
        let tree = json!({"combinator": "xor", "rules": [
            {"field": "", "operator": "="},
            7,
            {"combinator": "or", "rules": []},
            {"field": "city", "operator": "=", "value": "x", "a/b": 1},
        ]});
        insta::assert_snapshot!(problems(&tree).join("\n"), @r#"
        /properties/combinator: must be "and" or "or"
        /properties/rules/0/field: field is required and must be a text
        /properties/rules/1: must be a rule (field, operator, value) or a group (combinator, rules)
        /properties/rules/2/rules: an empty group has no effect; add a rule or remove the group
        /properties/rules/3/a~1b: is not a key of a rule or group; remove it
        "#);
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let mut deep =
            json!({"combinator": "and", "rules": [{"field": "city", "operator": "null"}]});
        for _ in 0..MAX_DEPTH {
            deep = json!({"combinator": "and", "rules": [deep]});
        }
        assert_eq!(problems(&deep).len(), 1);
        let rule = json!({"field": "city", "operator": "null"});
        let wide = json!({"combinator": "and", "rules": vec![rule; MAX_NODES + 5]});
        assert_eq!(
            problems(&wide),
            ["/properties: a section may hold 2000 rules and groups at most"]
        );
    }
}
