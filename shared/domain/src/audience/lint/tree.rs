//! A profile's rules with their JSON pointers, each checked individually.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use crate::audience::profile::Profile;
use crate::base::ids::CourseId;
use crate::rules::check::check_rule;
use crate::rules::parse::{Combinator, FilterPart, Group, Rule, parse};
use crate::rules::{FieldRef, Fields, Leaf, MatchMode, Section};

/// All rules of a profile.
pub(super) struct Tree {
    /// The sections as the parts of one group; `None` if there are no rules.
    pub(super) root: Option<Node>,
    /// Number of distinct fields and courses that the rules are about.
    pub(super) subjects: usize,
}

/// A group, a rule, or a part that cannot be checked.
pub(super) enum Node {
    Group(Branch),
    Rule(Test),
    /// Its result is unknown.
    Unknown,
}

/// A group with its JSON pointer.
pub(super) struct Branch {
    pub(super) pointer: String,
    /// True if all parts must hold, false if any is enough.
    pub(super) all: bool,
    pub(super) not: bool,
    pub(super) parts: Vec<Node>,
}

/// A checked rule.
pub(super) struct Test {
    pub(super) rule: Rule,
    /// The positive predicate.
    pub(super) leaf: Leaf,
    /// True if the operator negates the predicate.
    pub(super) negated: bool,
    /// The number of the field or course it is about.
    pub(super) subject: usize,
}

impl Test {
    pub(super) fn pointer(&self) -> &str {
        &self.rule.pointer
    }

    /// Returns the course it is about.
    pub(super) fn course(&self) -> Option<CourseId> {
        match self.leaf {
            Leaf::Activity(course, _) => Some(course),
            _ => None,
        }
    }
}

impl Tree {
    /// Parses and checks a profile's rules.
    pub(super) fn of(profile: &Profile, fields: &Fields) -> Self {
        let mut reader = Reader {
            fields,
            zone: profile.time_zone,
            subjects: BTreeMap::new(),
        };
        let sections = profile.filter.sections();
        let parts: Vec<Node> = sections
            .map(|(section, pointer, tree)| match parse(tree, pointer) {
                Ok(group) => reader.group(group, section, pointer.to_owned()),
                Err(_) => Node::Unknown,
            })
            .collect();
        let root = Branch {
            pointer: "/filter".to_owned(),
            all: profile.filter.mode == MatchMode::All,
            not: false,
            parts,
        };
        Self {
            root: (!root.parts.is_empty()).then_some(Node::Group(root)),
            subjects: reader.subjects.len(),
        }
    }

    /// Returns all rules that could be checked, in the order written.
    pub(super) fn rules(&self) -> Vec<&Test> {
        let mut rules = Vec::new();
        if let Some(root) = &self.root {
            root.gather(&mut rules);
        }
        rules
    }
}

impl Node {
    fn gather<'t>(&'t self, rules: &mut Vec<&'t Test>) {
        match self {
            Self::Group(group) => group.parts.iter().for_each(|part| part.gather(rules)),
            Self::Rule(test) => rules.push(test),
            Self::Unknown => {}
        }
    }
}

struct Reader<'a> {
    fields: &'a Fields,
    zone: Tz,
    subjects: BTreeMap<FieldRef, usize>,
}

impl Reader<'_> {
    fn group(&mut self, group: Group, section: Section, pointer: String) -> Node {
        let parts = group.parts.into_iter().enumerate();
        let parts = parts
            .map(|(index, part)| match part {
                FilterPart::Group(inner) => {
                    self.group(inner, section, format!("{pointer}/rules/{index}"))
                }
                FilterPart::Rule(rule) => self.rule(rule, section),
            })
            .collect();
        Node::Group(Branch {
            pointer,
            all: group.combinator == Combinator::And,
            not: group.not,
            parts,
        })
    }

    fn rule(&mut self, rule: Rule, section: Section) -> Node {
        let Ok((leaf, negated)) = check_rule(&rule, section, self.fields, self.zone) else {
            return Node::Unknown;
        };
        let Ok(field) = FieldRef::parse(&rule.field) else {
            return Node::Unknown;
        };
        let next = self.subjects.len();
        Node::Rule(Test {
            subject: *self.subjects.entry(field).or_insert(next),
            rule,
            leaf,
            negated,
        })
    }
}
