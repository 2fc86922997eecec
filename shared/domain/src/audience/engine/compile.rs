//! From expressions to one pool of distinct tests and a postfix program for each profile.

use super::predicate_index::PredicateIndex;
use super::predicate_pool::PredicatePool;
use crate::base::ids::UserId;
use crate::rules::{Expr, Leaf};

/// A step of a program. Programs keep bitmaps on a stack; operands are numbers
/// of tests, complemented when the flag says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    /// Puts a test on the stack.
    Load(u32, bool),
    /// Keeps, of the top, who passes a test.
    And(u32, bool),
    /// Adds to the top who passes a test.
    Or(u32, bool),
    /// Puts everybody or nobody on the stack.
    Constant(bool),
    /// Merges the two topmost: who is in both.
    Both,
    /// Merges the two topmost: who is in either.
    Either,
}

/// One audience as the engine takes it: a checked expression and overrides
/// whose profiles stand before it.
#[derive(Debug, Clone, Default)]
pub struct AudienceInput<'a> {
    /// The rules; without any, only overrides make members.
    pub rules: Option<&'a Expr>,
    /// People who are members whatever the rules say.
    pub include: Vec<UserId>,
    /// People who are not members whatever else says so.
    pub exclude: Vec<UserId>,
    /// Places of profiles whose members are included.
    pub include_profiles: Vec<usize>,
    /// Places of profiles whose members are excluded.
    pub exclude_profiles: Vec<usize>,
}

impl AudienceInput<'_> {
    pub(super) fn has_overrides(&self) -> bool {
        let users = !self.include.is_empty() || !self.exclude.is_empty();
        users || !self.include_profiles.is_empty() || !self.exclude_profiles.is_empty()
    }
}

/// All audiences of a tenant, ready for any snapshot.
#[derive(Debug, Default)]
pub struct Program<'a> {
    /// Distinct tests in the order they were met.
    pub(super) leaves: Vec<&'a Leaf>,
    /// The same by what they ask for.
    pub(super) asked: PredicateIndex<'a>,
    /// The programs of all profiles behind each other.
    pub(super) ops: Vec<Op>,
    pub(super) members: Vec<Compiled<'a>>,
}

/// One profile's part of the program.
#[derive(Debug)]
pub(super) struct Compiled<'a> {
    /// Where its steps end; they begin where those of the profile before end.
    pub(super) end: usize,
    pub(super) audience: AudienceInput<'a>,
    /// Whether a later profile names it.
    pub(super) is_named: bool,
}

impl<'a> Program<'a> {
    /// Compiles audiences. A profile that an audience names must stand before
    /// it; names of places at or behind its own are ignored.
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

    /// How many profiles it evaluates.
    pub fn profiles(&self) -> usize {
        self.members.len()
    }

    /// How many distinct tests all profiles together make.
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
    /// Appends steps that leave the expression's people on the stack. A
    /// negation is carried down to the tests.
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

    /// Groups first, tests after: then the tests are operands and need no place
    /// on the stack.
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

/// Whether a group asks for all of its parts or for any, once its negation is
/// carried down; `None` for a test.
fn kind(expr: &Expr, negated: bool) -> Option<bool> {
    match expr {
        Expr::All(_) => Some(!negated),
        Expr::Any(_) => Some(negated),
        Expr::Not(_) | Expr::Leaf(_) => None,
    }
}

/// The parts of a group, with those of the groups in it that ask for the same:
/// "a and (b and c)" has three parts.
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

/// Takes negations off; says whether an odd number was there.
fn strip(mut expr: &Expr) -> (&Expr, bool) {
    let mut flipped = false;
    while let Expr::Not(part) = expr {
        expr = part;
        flipped = !flipped;
    }
    (expr, flipped)
}
