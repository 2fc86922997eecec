//! Rules for `template.yaml`: it agrees with the code on the table, schedules and settings.

use std::collections::BTreeSet;

use rollcall_clients::store::{DUE_INDEX, FANOUT_INDEX, PARTITION_KEY, SORT_KEY, TTL_ATTRIBUTE};
use rollcall_domain::base::schedule::Job;

use crate::{File, SETTINGS, none, read, regex};

#[test]
fn the_template_creates_the_table_of_the_store() {
    none(wrong_table(&read("template.yaml")));
}

fn wrong_table(template: &str) -> Vec<String> {
    let key = |name: &str, kind: &str| {
        format!(r"-\s*\{{\s*AttributeName:\s*{name},\s*KeyType:\s*{kind}\s*\}}")
    };
    let index = |name: &str| {
        let hash = key(name, "HASH");
        format!(r"\s-\s*IndexName:\s*{name}\s+KeySchema:\s+{hash}")
    };
    let (hash, range) = (key(PARTITION_KEY, "HASH"), key(SORT_KEY, "RANGE"));
    let expected = [
        format!(r"\n      KeySchema:\s+{hash}\s+{range}\s"),
        index(FANOUT_INDEX),
        format!(r"{}\s+{}", index(DUE_INDEX), key("due_at", "RANGE")),
        format!(r"\sTimeToLiveSpecification:\s+AttributeName:\s*{TTL_ATTRIBUTE}\s+Enabled:\s*true"),
    ];
    let missing = expected
        .into_iter()
        .filter(|it| !regex(it).is_match(template));
    let unknown = regex(r"/index/(\S+)")
        .captures_iter(template)
        .map(|found| found[1].to_owned())
        .filter(|name| ![FANOUT_INDEX, DUE_INDEX].contains(&name.as_str()))
        .collect::<Vec<_>>();
    missing
        .map(|pattern| format!("template.yaml: the table of the store needs {pattern}"))
        .chain(
            unknown
                .iter()
                .map(|name| format!("template.yaml: there is no index {name}")),
        )
        .collect()
}

#[test]
fn the_template_schedules_the_hours_of_the_jobs() {
    let template = read("template.yaml");
    let expected = [
        ("RefreshSchedule", Job::Refresh),
        ("MaintenanceSchedule", Job::Maintenance),
        ("MembershipSchedule", Job::Membership),
    ];
    none(expected.into_iter().filter_map(|(parameter, job)| {
        let hours: Vec<_> = job.hours().iter().map(ToString::to_string).collect();
        let cron = format!("cron(0 {} * * ? *)", hours.join(","));
        let found = default_of(&template, parameter);
        (found.as_deref() != Some(&cron))
            .then(|| format!("template.yaml: {parameter} is {found:?}, {job} needs {cron}"))
    }));
}

/// Returns the default of a parameter.
fn default_of(template: &str, parameter: &str) -> Option<String> {
    let pattern = format!(r"\n  {parameter}:\n(?:    .*\n)*?    Default: (.*)\n");
    let found = regex(&pattern).captures(template)?;
    Some(found[1].trim().to_owned())
}

#[test]
fn the_template_sets_what_the_settings_read() {
    let (template, settings) = (read("template.yaml"), File::new(SETTINGS, read(SETTINGS)));
    let names: BTreeSet<_> = regex(r#""(ROLLCALL_[A-Z0-9_]+)""#)
        .captures_iter(settings.before_tests())
        .map(|found| found[1].to_owned())
        .collect();
    assert!(names.contains("ROLLCALL_TABLE"), "{names:?}");
    let is_set = |name: &String| template.contains(&format!("\n        {name}: "));
    let unset = names.into_iter().filter(|name| !is_set(name));
    none(unset.map(|name| format!("template.yaml does not set {name}")));
}

#[test]
fn another_table_is_found() {
    let template = read("template.yaml");
    for (ours, other) in [
        (
            "AttributeName: tenant, KeyType: HASH",
            "AttributeName: id, KeyType: HASH",
        ),
        ("IndexName: fanout", "IndexName: active"),
        ("AttributeName: expires_at", "AttributeName: ttl"),
        ("/index/fanout", "/index/*"),
    ] {
        let changed = template.replace(ours, other);
        assert!(!wrong_table(&changed).is_empty(), "{other} was not found");
    }
}
