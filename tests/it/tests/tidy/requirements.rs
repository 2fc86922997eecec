//! Rule that every requirement has a test that proves it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::{none, read, regex, rust_files};

/// The requirements that need a proof, by series with first and last number. A suffix, as in
/// S4-088a, counts with its number.
const REQUIREMENTS: [(&str, u32, u32); 14] = [
    ("S0", 1, 24),
    ("S1", 1, 40),
    ("S2", 1, 50),
    ("S3", 1, 42),
    ("S4", 1, 141),
    ("X", 1, 2),
    ("X", 4, 11),
    ("X", 14, 14),
    ("C", 1, 2),
    ("C", 25, 30),
    ("C", 32, 32),
    ("C", 34, 35),
    ("C", 46, 47),
    ("C", 49, 49),
];

fn requirements() -> BTreeSet<String> {
    let all = REQUIREMENTS.into_iter().flat_map(|(series, first, last)| {
        (first..=last).map(move |number| requirement(series, number))
    });
    all.collect()
}

/// The fourth series has more than 99 numbers.
fn requirement(series: &str, number: u32) -> String {
    let width = if series == "S4" { 3 } else { 2 };
    format!("{series}-{number:0width$}")
}

#[test]
fn every_requirement_has_a_test_that_names_it() {
    let proven: BTreeSet<_> = rust_files().flat_map(|file| proven(&file.text)).collect();
    let (excused, mut wrong) = excused(&read("docs/not-testable.md"));
    let both = excused.intersection(&proven);
    wrong.extend(both.map(|id| format!("{id} has a test: remove it from docs/not-testable.md")));
    let missing = &(&requirements() - &proven) - &excused;
    let no_test = |id| format!("{id} has no test whose comment contains `Proves {id}`");
    wrong.extend(missing.iter().map(no_test));
    none(wrong);
}

/// Returns the requirements that the tests of a file prove according to the comment before the test
/// or its name.
fn proven(text: &str) -> BTreeSet<String> {
    let (mut comment, mut is_test, mut found) = (String::new(), false, BTreeSet::new());
    for line in text.lines().map(str::trim) {
        if let Some(words) = line.strip_prefix("///") {
            comment.push_str(words);
        } else if line.starts_with("#[") {
            let marks = ["#[test]", "::test]", "::test("];
            is_test |= marks.iter().any(|mark| line.contains(mark));
        } else {
            if is_test {
                let claim = comment.split_once("Proves ").map_or("", |(_, claim)| claim);
                found.extend(identifiers(claim));
                found.extend(identifiers(&line.replace("s4_", "S4-")));
            }
            (comment, is_test) = (String::new(), false);
        }
    }
    found
}

/// An identifier, or a range such as `S4-110…114` or `S4-110 to S4-114`.
static IDENTIFIERS: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"\b(S[0-4]|X|C)-([0-9]{2,3})(?:\s*(?:…|–|\.\.\.?|to )\s*(?:[SXC][0-4]?-)?([0-9]{2,3}))?")
});

fn identifiers(text: &str) -> Vec<String> {
    let number = |text: &str| -> u32 { text.parse().expect("the pattern matched no number") };
    let found = IDENTIFIERS.captures_iter(text).flat_map(|found| {
        let (series, first) = (found[1].to_owned(), number(&found[2]));
        let last = found.get(3).map_or(first, |last| number(last.as_str()));
        (first..=last).map(move |number| requirement(&series, number))
    });
    found.collect()
}

/// Returns the requirements in the table of those that no test can show, and complaints about rows
/// without an id or a reason.
fn excused(table: &str) -> (BTreeSet<String>, Vec<String>) {
    let (mut ids, mut wrong) = (BTreeSet::new(), Vec::new());
    let rows = table.lines().filter(|line| line.starts_with('|')).skip(2);
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        match cells[..] {
            [id, reason, ..] if requirements().contains(id) && !reason.is_empty() => {
                ids.insert(id.to_owned());
            }
            _ => wrong.push(format!("docs/not-testable.md: no id and reason in {row}")),
        }
    }
    (ids, wrong)
}

#[test]
fn only_tests_prove() {
    for (text, expected) in [
        (
            "/// Proves S4-098: six,\n/// S4-110…112.\n#[tokio::test]\nasync fn all() {",
            "S4-098 S4-110 S4-111 S4-112",
        ),
        (
            "/// Proves S4-106 and C-03, S0-01…S0-02, S4-107 to S4-108.\n#[test]\nfn all() {",
            "C-03 S0-01 S0-02 S4-106 S4-107 S4-108",
        ),
        ("#[test]\nfn s4_099_builds_the_schema() {", "S4-099"),
        ("/// Proves S4-098.\nfn helper() {", ""),
        ("/// See S4-098.\n#[test]\nfn it_works() {", ""),
    ] {
        let found: Vec<_> = proven(text).into_iter().collect();
        assert_eq!(found.join(" "), expected, "{text}");
    }
    assert_eq!(requirements().len(), 24 + 40 + 50 + 42 + 141 + 25);
    let table = "| Id | Reason |\n|---|---|\n| S4-091 | seen by nobody |\n| S4-092 | |\n";
    let (excuses, wrong) = excused(table);
    assert_eq!((excuses.len(), wrong.len()), (1, 1));
}
