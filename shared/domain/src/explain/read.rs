//! Reads a profile's rules and looks at one person through each of them.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use super::operand::operand;
use super::tree::{SeenGroup, SeenPart, SeenRule};
use super::words::Words;
use crate::desired::AudienceError;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::rules::check::check;
use crate::rules::evaluate::Facts;
use crate::rules::parse::{Combinator, Group, Part, Rule, parse};
use crate::rules::{Fields, Filter, FilterDocument, MatchMode, Section};
use crate::snapshot::Snapshot;

/// One person, and what is needed to look at them.
pub(super) struct Reader<'a> {
    document: &'a FilterDocument,
    zone: Tz,
    fields: &'a Fields,
    facts: Facts<'a>,
    words: Words<'a>,
    row: u32,
}

impl<'a> Reader<'a> {
    /// Prepares; `filter` is the profile's, checked.
    pub(super) fn new(
        profile: &'a Profile,
        snapshot: &'a Snapshot,
        fields: &'a Fields,
        filter: &Filter,
        at: DateTime<Utc>,
        row: u32,
    ) -> Self {
        Self {
            document: &profile.filter,
            zone: profile.time_zone,
            fields,
            facts: Facts::new(snapshot, at, [&filter.0]),
            words: Words::new(snapshot, at, profile.time_zone, row),
            row,
        }
    }

    /// The whole filter: its sections as the parts of one group.
    pub(super) fn filter(&self) -> Result<SeenGroup, AudienceError> {
        let mut parts = Vec::new();
        for (section, pointer, tree) in sections(self.document) {
            let group =
                parse(tree, pointer).map_err(|problems| AudienceError::Invalid { problems })?;
            parts.push(SeenPart::Group(self.group(
                &group,
                section,
                pointer.to_owned(),
            )?));
        }
        let combinator = match self.document.mode {
            MatchMode::All => Combinator::And,
            MatchMode::Any => Combinator::Or,
        };
        Ok(SeenGroup::of(
            "/filter".to_owned(),
            combinator,
            false,
            parts,
        ))
    }

    fn group(
        &self,
        group: &Group,
        section: Section,
        pointer: String,
    ) -> Result<SeenGroup, AudienceError> {
        let parts = group.parts.iter().enumerate();
        let parts = parts.map(|(index, part)| match part {
            Part::Group(inner) => {
                let pointer = format!("{pointer}/rules/{index}");
                self.group(inner, section, pointer).map(SeenPart::Group)
            }
            Part::Rule(rule) => self.rule(rule, section).map(SeenPart::Rule),
        });
        let parts = parts.collect::<Result<_, _>>()?;
        Ok(SeenGroup::of(pointer, group.combinator, group.not, parts))
    }

    /// A rule is checked as a group of its own, so that its outcome comes from
    /// the same code as that of the whole.
    fn rule(&self, rule: &Rule, section: Section) -> Result<SeenRule, AudienceError> {
        let alone = Group {
            combinator: Combinator::And,
            not: false,
            parts: vec![Part::Rule(rule.clone())],
        };
        let invalid = |problems| AudienceError::Invalid { problems };
        let expr = check(&alone, section, self.fields, self.zone)
            .map_err(|found| invalid(found.into_iter().map(|found| found.problem).collect()))?;
        let leaves = expr.leaves();
        let leaf = leaves
            .first()
            .ok_or_else(|| invalid(vec![Problem::at(&rule.pointer, "the rule tests nothing")]))?;
        Ok(SeenRule {
            pointer: rule.pointer.clone(),
            field: rule.field.clone(),
            label: self.words.label(leaf),
            operator: rule.operator.clone(),
            operand: operand(rule, leaf),
            seen: self.words.seen(leaf),
            holds: self.facts.holds(&expr, self.row),
            decisive: false,
            otherwise: self
                .words
                .otherwise(rule, leaf, self.facts.leaf(leaf, self.row)),
        })
    }
}

/// The sections that say something, with their places.
fn sections(document: &FilterDocument) -> impl Iterator<Item = (Section, &'static str, &Value)> {
    let sections = [
        (
            Section::Properties,
            "/filter/properties",
            &document.properties,
        ),
        (Section::Dates, "/filter/dates", &document.dates),
        (
            Section::Activities,
            "/filter/activities",
            &document.activities,
        ),
    ];
    sections.into_iter().filter_map(|(section, pointer, tree)| {
        // The filter itself knows which trees say nothing.
        let alone = FilterDocument {
            properties: tree.clone(),
            ..FilterDocument::default()
        };
        tree.as_ref()
            .filter(|_| !alone.is_empty())
            .map(|tree| (section, pointer, tree))
    })
}
