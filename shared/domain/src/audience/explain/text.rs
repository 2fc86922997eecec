//! Formats an explanation as a short text for administrators.

use std::collections::BTreeSet;
use std::fmt;

use chrono::SecondsFormat;

use super::counterfactuals::{Way, WhatIfChange, WhatIfStep};
use super::tree::{SeenGroup, SeenPart, SeenRule};
use super::{Explanation, MembershipCause, Named};
use crate::rules::parse::Combinator;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_deref().unwrap_or("The learner");
        let verb = if self.member { "is" } else { "is not" };
        write!(
            f,
            "{name} {verb} in the audience of {}: ",
            self.profile_title
        )?;
        match (&self.because, &self.rules) {
            (MembershipCause::Rules, _) => f.write_str("the rules match")?,
            (MembershipCause::Included(named), _) => write!(f, "included {}", Origin(named))?,
            (MembershipCause::Excluded(named), _) => write!(f, "excluded {}", Origin(named))?,
            (MembershipCause::NotMatched, Some(_)) => f.write_str("the rules do not match")?,
            (MembershipCause::NotMatched, None) => {
                f.write_str("there are no rules, and no override includes them")?;
            }
        }
        writeln!(f, ".")?;
        if !self.reachable {
            writeln!(f, "Without an Entra account they cannot be in the group.")?;
        }
        if let Some(rules) = &self.rules {
            let at = self.at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            writeln!(f, "\nRules at {at} (* decided):")?;
            group(f, rules, 0)?;
        }
        if !self.ways.is_empty() {
            writeln!(f)?;
        }
        for (index, way) in self.ways.iter().enumerate() {
            let lead = if index == 0 { "To change this" } else { "Or" };
            writeln!(f, "{lead}: {way}.")?;
        }
        Ok(())
    }
}

/// Formats an override: by name, or by profile with its title.
struct Origin<'a>(&'a Named);

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.title {
            Some(title) => write!(f, "by the profile {title}"),
            None => f.write_str("by name"),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut explained = BTreeSet::new();
        for step in &self.steps {
            // The same step may occur several times; it is written once.
            if explained.insert(&step.words) {
                let lead = if explained.len() == 1 { "" } else { "; and " };
                write!(f, "{lead}{step}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for WhatIfStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)?;
        match &self.change {
            WhatIfChange::Rule { also, .. } if also.len() == 1 => {
                f.write_str(" (another rule reads the same field)")
            }
            WhatIfChange::Rule { also, .. } if also.len() > 1 => {
                write!(f, " ({} other rules read the same field)", also.len())
            }
            _ => Ok(()),
        }
    }
}

fn group(f: &mut fmt::Formatter<'_>, seen: &SeenGroup, depth: usize) -> fmt::Result {
    let section = match seen.pointer.as_str() {
        "/filter/properties" => "user properties: ",
        "/filter/dates" => "user dates: ",
        "/filter/activities" => "user activities: ",
        _ => "",
    };
    let how = match (seen.combinator, seen.not) {
        (Combinator::And, false) => "all of",
        (Combinator::Or, false) => "any of",
        (Combinator::And, true) => "not all of",
        (Combinator::Or, true) => "none of",
    };
    writeln!(
        f,
        "{:1$}{mark} {section}{how}",
        "",
        depth * 2,
        mark = mark(seen.holds, false)
    )?;
    for part in &seen.rules {
        match part {
            SeenPart::Group(inner) => group(f, inner, depth + 1)?,
            SeenPart::Rule(inner) => rule(f, inner, depth + 1)?,
        }
    }
    Ok(())
}

fn rule(f: &mut fmt::Formatter<'_>, rule: &SeenRule, depth: usize) -> fmt::Result {
    let mark = mark(rule.holds, rule.decisive);
    write!(
        f,
        "{:1$}{mark} {2} {3}",
        "",
        depth * 2,
        rule.label,
        rule.operator
    )?;
    if let Some(operand) = &rule.operand {
        write!(f, " {operand}")?;
    }
    writeln!(f, " ({})", rule.seen.as_deref().unwrap_or("no value"))
}

const fn mark(holds: bool, decisive: bool) -> &'static str {
    match (holds, decisive) {
        (true, false) => "yes  ",
        (true, true) => "yes *",
        (false, false) => "no   ",
        (false, true) => "no  *",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{OtherProfile, explain};
    use crate::audience::profile::Target;
    use crate::base::ids::ProfileId;
    use crate::testing::{World, profile, profile_id, slot};

    fn explained(include: &[Target], exclude: &[Target], rule_value: Option<&str>) -> String {
        let mut world = World::new();
        world.person("Ada").with("city", "Denver");
        let mut profile = profile("Field staff");
        profile.filter.properties = rule_value.map(|city| {
            let rule = serde_json::json!({"field": "city", "operator": "=", "value": city});
            serde_json::json!({"combinator": "or", "not": true, "rules": [rule, rule]})
        });
        profile.overrides.include = include.iter().copied().collect::<BTreeSet<_>>();
        profile.overrides.exclude = exclude.iter().copied().collect();
        let other = |_: ProfileId| {
            Some(OtherProfile {
                title: "Remote".to_owned(),
                member: true,
            })
        };
        explain(
            &profile,
            &world.snapshot(),
            slot(),
            World::user("Ada"),
            &other,
        )
        .expect("no audience")
        .expect("learner not found")
        .to_string()
    }

    #[test]
    fn overrides_are_reported_by_name_or_by_profile() {
        let (ada, remote) = (
            Target::User(World::user("Ada")),
            Target::Profile(profile_id("Remote")),
        );
        let unknown = Target::User(World::user("Nobody"));
        let texts = [
            explained(&[remote], &[], None),
            explained(&[ada, remote], &[], Some("Denver")),
            explained(&[ada], &[remote], None),
            explained(&[], &[ada, remote], Some("Denver")),
            explained(&[unknown], &[], None),
        ];
        insta::assert_snapshot!(texts.join("\n---\n"));
    }
}
