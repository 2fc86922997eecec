//! Compiles expressions into a pool of distinct predicates and a postfix program for each profile.

use super::predicate_index::PredicateIndex;
use super::predicate_pool::PredicatePool;
use crate::base::ids::UserId;
use crate::rules::{Expr, Leaf};

/// A step of a program on a stack of bitmaps. Operands are predicate numbers; the flag is true if
/// the predicate is negated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    /// Pushes the bitmap of a predicate.
    Load(u32, bool),
    /// Intersects the top with a predicate.
    And(u32, bool),
    /// Adds the users that pass a predicate to the top.
    Or(u32, bool),
    /// Pushes all users (`true`) or none (`false`).
    Constant(bool),
    /// Replaces the two topmost bitmaps by their intersection.
    Both,
    /// Replaces the two topmost bitmaps by their union.
    Either,
}

/// The input of the engine for one audience: a checked expression and overrides. The profiles it
/// names come before it.
#[derive(Debug, Clone, Default)]
pub struct AudienceInput<'a> {
    /// The rules; if `None`, only overrides make members.
    pub rules: Option<&'a Expr>,
    /// Users who are members regardless of the rules.
    pub include: Vec<UserId>,
    /// Users who are never members.
    pub exclude: Vec<UserId>,
    /// Positions of profiles whose members are included.
    pub include_profiles: Vec<usize>,
    /// Positions of profiles whose members are excluded.
    pub exclude_profiles: Vec<usize>,
}

impl AudienceInput<'_> {
    pub(super) fn has_overrides(&self) -> bool {
        let users = !self.include.is_empty() || !self.exclude.is_empty();
        users || !self.include_profiles.is_empty() || !self.exclude_profiles.is_empty()
    }
}

/// All audiences of a tenant, compiled for evaluation on any snapshot.
#[derive(Debug, Default)]
pub struct Program<'a> {
    /// Distinct predicates in the order in which they were found.
    pub(super) leaves: Vec<&'a Leaf>,
    /// The same predicates by the column or course they read.
    pub(super) asked: PredicateIndex<'a>,
    /// The steps of all profiles, one after the other.
    pub(super) ops: Vec<Op>,
    pub(super) members: Vec<Compiled<'a>>,
}

/// The part of the program that belongs to one profile.
#[derive(Debug)]
pub(super) struct Compiled<'a> {
    /// End of its steps; they begin at the end of the previous profile's steps.
    pub(super) end: usize,
    pub(super) audience: AudienceInput<'a>,
    /// True if a later profile names it.
    pub(super) is_named: bool,
}

impl<'a> Program<'a> {
    /// Compiles audiences. A profile that an audience names must come before it; positions that are
    /// not before its own are ignored.
    pub fn compile(audiences: impl IntoIterator<Item = AudienceInput<'a>>) -> Self {
        let mut compiler = Compiler::default();
        let mut members: Vec<Compiled<'a>> = Vec::new();
        for mut audience in audiences {
            let here = members.len();
            for names in [
                &mut audience.include_profiles,
                &mut audience.exclude_profiles,
            ] {
                names.retain(|place| *place < here);
                for place in names {
                    members[*place].is_named = true;
                }
            }
            if let Some(rules) = audience.rules {
                compiler.emit(rules, false);
            }
            members.push(Compiled {
                end: compiler.ops.len(),
                audience,
                is_named: false,
            });
        }
        Self {
            asked: PredicateIndex::of(&compiler.pool.leaves),
            leaves: compiler.pool.leaves,
            ops: compiler.ops,
            members,
        }
    }

    /// Returns the number of profiles.
    pub fn profiles(&self) -> usize {
        self.members.len()
    }

    /// Returns the number of distinct predicates of all profiles.
    pub fn distinct_tests(&self) -> usize {
        self.leaves.len()
    }
}

#[derive(Default)]
struct Compiler<'a> {
    pool: PredicatePool<'a>,
    ops: Vec<Op>,
}

impl<'a> Compiler<'a> {
    /// Appends steps that push the bitmap of the expression. Negations are moved down to the
    /// predicates.
    fn emit(&mut self, expr: &'a Expr, negated: bool) {
        let (expr, flipped) = strip(expr);
        let negated = negated ^ flipped;
        let Some(all) = kind(expr, negated) else {
            if let Expr::Leaf(leaf) = expr {
                let test = self.pool.place(leaf);
                self.ops.push(Op::Load(test, negated));
            }
            return;
        };
        let (mut groups, mut tests) = (Vec::new(), Vec::new());
        gather(expr, negated, all, &mut groups, &mut tests);
        self.emit_parts(&groups, &tests, all);
    }

    /// Emits groups first: the predicates after them are operands and need no stack entry.
    fn emit_parts(&mut self, groups: &[(&'a Expr, bool)], tests: &[(&'a Leaf, bool)], all: bool) {
        let mut first = true;
        for (group, negated) in groups {
            self.emit(group, *negated);
            if !first {
                self.ops.push(if all { Op::Both } else { Op::Either });
            }
            first = false;
        }
        for (leaf, negated) in tests {
            let test = self.pool.place(leaf);
            self.ops.push(match (first, all) {
                (true, _) => Op::Load(test, *negated),
                (false, true) => Op::And(test, *negated),
                (false, false) => Op::Or(test, *negated),
            });
            first = false;
        }
        if first {
            self.ops.push(Op::Constant(all));
        }
    }
}

/// Returns true if a group requires all of its parts, false if it requires any, after its negation
/// is moved down; `None` for a predicate.
fn kind(expr: &Expr, negated: bool) -> Option<bool> {
    match expr {
        Expr::All(_) => Some(!negated),
        Expr::Any(_) => Some(negated),
        Expr::Not(_) | Expr::Leaf(_) => None,
    }
}

/// Collects the parts of a group and of the groups in it that combine in the same way: "a and (b
/// and c)" has three parts.
fn gather<'a>(
    group: &'a Expr,
    negated: bool,
    all: bool,
    groups: &mut Vec<(&'a Expr, bool)>,
    tests: &mut Vec<(&'a Leaf, bool)>,
) {
    let (Expr::All(parts) | Expr::Any(parts)) = group else {
        return;
    };
    for part in parts {
        let (inner, flipped) = strip(part);
        let negated = negated ^ flipped;
        match inner {
            Expr::Leaf(leaf) => tests.push((leaf, negated)),
            _ if kind(inner, negated) == Some(all) => gather(inner, negated, all, groups, tests),
            _ => groups.push((inner, negated)),
        }
    }
}

/// Removes negations; the flag is true if their number was odd.
fn strip(mut expr: &Expr) -> (&Expr, bool) {
    let mut flipped = false;
    while let Expr::Not(part) = expr {
        expr = part;
        flipped = !flipped;
    }
    (expr, flipped)
}
