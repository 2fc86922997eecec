//! Evaluates a profile's rules one by one for a learner.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::operand::operand;
use super::phrasing::Phrasing;
use super::tree::{SeenGroup, SeenPart, SeenRule};
use crate::audience::desired_members::AudienceError;
use crate::audience::profile::Profile;
use crate::rules::check::check_rule;
use crate::rules::evaluate::PersonValues;
use crate::rules::parse::{Combinator, FilterPart, Group, Rule, parse};
use crate::rules::{Fields, Filter, FilterDocument, MatchMode, Section};
use crate::snapshot::Snapshot;

/// A learner and the data needed to evaluate rules.
pub(super) struct UserTrace<'a> {
    document: &'a FilterDocument,
    zone: Tz,
    fields: &'a Fields,
    facts: PersonValues<'a>,
    words: Phrasing<'a>,
    row: u32,
}

impl<'a> UserTrace<'a> {
    /// Prepares the evaluation; `filter` is the checked filter of the profile.
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
            facts: PersonValues::new(snapshot, at, [&filter.0]),
            words: Phrasing::new(snapshot, at, profile.time_zone, row),
            row,
        }
    }

    /// Evaluates the filter: its sections are the parts of one group.
    pub(super) fn filter(&self) -> Result<SeenGroup, AudienceError> {
        let mut parts = Vec::new();
        for (section, pointer, tree) in self.document.sections() {
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
            FilterPart::Group(inner) => {
                let pointer = format!("{pointer}/rules/{index}");
                self.group(inner, section, pointer).map(SeenPart::Group)
            }
            FilterPart::Rule(rule) => self.rule(rule, section).map(SeenPart::Rule),
        });
        let parts = parts.collect::<Result<_, _>>()?;
        Ok(SeenGroup::of(pointer, group.combinator, group.not, parts))
    }

    fn rule(&self, rule: &Rule, section: Section) -> Result<SeenRule, AudienceError> {
        let (leaf, not) = check_rule(rule, section, self.fields, self.zone).map_err(|found| {
            AudienceError::Invalid {
                problems: vec![found.problem],
            }
        })?;
        let passes = self.facts.leaf(&leaf, self.row);
        Ok(SeenRule {
            pointer: rule.pointer.clone(),
            field: rule.field.clone(),
            label: self.words.label(&leaf),
            operator: rule.operator.clone(),
            operand: operand(rule, &leaf),
            seen: self.words.actual_value(&leaf),
            holds: passes != not,
            decisive: false,
            otherwise: self.words.required_change(rule, &leaf, passes),
        })
    }
}
