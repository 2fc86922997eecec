//! Determines for every rule and group whether it is never true, always true or without effect.

use std::collections::BTreeMap;

use super::bounds::Literal;
use super::solver::Solver;
use super::tree::{Branch, Node, Test, Tree};
use super::warning::{Warning, WarningKind};
use crate::rules::Leaf;
use crate::snapshot::Snapshot;

/// Up to this many rules of one group about the same field are compared with each other. More rules
/// are a list of values, where hints about single rules do not help.
const MAX_COMPARED: usize = 50;

/// The result of a rule or group for all learners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RuleOutcome {
    Never,
    Always,
    /// True for some learners and false for others, as far as is known.
    Open,
}

/// Checks a tree of rules and collects warnings.
pub(super) struct Judge<'t> {
    tree: &'t Tree,
    snapshot: &'t Snapshot,
    solver: Solver<'t>,
    warnings: Vec<Warning>,
}

impl<'t> Judge<'t> {
    pub(super) fn new(tree: &'t Tree, snapshot: &'t Snapshot, now: i64) -> Self {
        Self {
            tree,
            snapshot,
            solver: Solver::new(tree.subjects, now),
            warnings: Vec::new(),
        }
    }

    /// Returns all warnings, each for the smallest part that causes it.
    pub(super) fn warnings(mut self) -> Vec<Warning> {
        if let Some(root) = &self.tree.root {
            self.node(root);
        }
        self.warnings
    }

    fn node(&mut self, node: &'t Node) -> RuleOutcome {
        match node {
            Node::Unknown => RuleOutcome::Open,
            Node::Rule(test) => self.own(node, test.pointer()),
            Node::Group(group) => {
                let parts: Vec<RuleOutcome> =
                    group.parts.iter().map(|part| self.node(part)).collect();
                let mut verdict = from_parts(group, &parts);
                if verdict == RuleOutcome::Open && parts.len() > 1 {
                    verdict = self.own(node, &group.pointer);
                    if verdict == RuleOutcome::Open {
                        self.effects(group, &parts);
                    }
                }
                verdict
            }
        }
    }

    /// Determines the result of a rule or group from its own conditions and adds a warning.
    fn own(&mut self, node: &'t Node, pointer: &str) -> RuleOutcome {
        let (kind, verdict) = if self.solver.excludes(node, true) {
            (WarningKind::NeverTrue, RuleOutcome::Never)
        } else if self.solver.excludes(node, false) {
            (WarningKind::AlwaysTrue, RuleOutcome::Always)
        } else {
            return RuleOutcome::Open;
        };
        let label = self.label(self.solver.culprit);
        let detail = if verdict == RuleOutcome::Never {
            format!(
                "this can never be true: nothing can meet these conditions on {label} at the same time; to allow each of them, combine them with \"or\""
            )
        } else {
            format!(
                "this is always true: whatever {label} is, one of these conditions is met; to require all of them, combine them with \"and\""
            )
        };
        self.warnings.push(Warning::at(kind, pointer, detail));
        verdict
    }

    /// Warns about rules that follow from others of their group (if all must hold), or from which
    /// others follow (if one is enough).
    fn effects(&mut self, group: &'t Branch, verdicts: &[RuleOutcome]) {
        let mut subjects: BTreeMap<usize, Vec<&'t Test>> = BTreeMap::new();
        for (part, verdict) in group.parts.iter().zip(verdicts) {
            if let (Node::Rule(test), RuleOutcome::Open) = (part, verdict) {
                subjects.entry(test.subject).or_default().push(test);
            }
        }
        for mut tests in subjects.into_values() {
            if (2..=MAX_COMPARED).contains(&tests.len()) {
                // Of equivalent rules, the first is not reported.
                for index in (0..tests.len()).rev() {
                    if tests.len() > 1 && self.follows(group, &tests, index) {
                        let test = tests.remove(index);
                        self.without_effect(test);
                    }
                }
            }
        }
    }

    fn follows(&mut self, group: &Branch, tests: &[&'t Test], index: usize) -> bool {
        let literals = tests.iter().enumerate().map(|(place, test)| Literal {
            leaf: &test.leaf,
            passes: (group.all != (place == index)) != test.negated,
        });
        let literals: Vec<Literal<'t>> = literals.collect();
        self.solver.contradict(&literals)
    }

    fn without_effect(&mut self, test: &Test) {
        let label = self.label(test.subject);
        self.warnings.push(Warning::at(
            WarningKind::RuleWithoutEffect,
            test.pointer(),
            format!(
                "this rule has no effect: the other conditions of the group on {label} already cover it; remove it"
            ),
        ));
    }

    /// Returns the display name of the field or course with this number.
    fn label(&self, subject: usize) -> String {
        let mut rules = self.tree.rules().into_iter();
        let Some(test) = rules.find(|test| test.subject == subject) else {
            return String::new();
        };
        label(&test.leaf, self.snapshot)
    }
}

/// Returns the display name of the field or course that a predicate reads.
pub(super) fn label(leaf: &Leaf, snapshot: &Snapshot) -> String {
    match leaf {
        Leaf::Missing(source)
        | Leaf::Text(source, _)
        | Leaf::Number(source, _)
        | Leaf::Boolean(source, _)
        | Leaf::Date(source, _) => snapshot.label(source),
        Leaf::Activity(id, _) => {
            let course = snapshot.course(*id);
            course.map_or_else(|| id.to_string(), |course| format!("{:?}", course.title))
        }
    }
}

/// Returns the result of a group from the results of its parts.
fn from_parts(group: &Branch, parts: &[RuleOutcome]) -> RuleOutcome {
    // A part with the result `one` decides; otherwise all parts must have the result `every`.
    let (one, every) = if group.all {
        (RuleOutcome::Never, RuleOutcome::Always)
    } else {
        (RuleOutcome::Always, RuleOutcome::Never)
    };
    let inner = if parts.contains(&one) {
        one
    } else if parts.iter().all(|part| *part == every) {
        every
    } else {
        RuleOutcome::Open
    };
    match (inner, group.not) {
        (RuleOutcome::Never, true) => RuleOutcome::Always,
        (RuleOutcome::Always, true) => RuleOutcome::Never,
        (verdict, _) => verdict,
    }
}
