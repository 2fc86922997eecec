//! Rules for a single file: its first line, its length, and what it must not contain.

use std::sync::LazyLock;

use regex::Regex;

use crate::{File, SETTINGS, files, none, regex, rust_files};

/// Maximum lines of a file without its tests.
const MAX_LINES: usize = 300;

/// Maximum lines of code in a function's `main.rs`.
const MAX_WIRING: usize = 20;

#[test]
fn every_file_begins_with_a_sentence_about_its_purpose() {
    none(rust_files().filter_map(|file| no_purpose(&file)));
}

fn no_purpose(file: &File) -> Option<String> {
    let first = file.text.lines().next().unwrap_or_default();
    let sentence = first.strip_prefix("//! ").unwrap_or_default().trim();
    let complaint = || file.complaint(0, "the first line must be a `//!` sentence");
    sentence.is_empty().then(complaint)
}

#[test]
fn no_file_is_too_long() {
    none(rust_files().filter_map(|file| too_long(&file)));
}

fn too_long(file: &File) -> Option<String> {
    let (path, lines) = (&file.path, file.before_tests().lines().count());
    (lines > MAX_LINES && !file.is_test())
        .then(|| format!("{path}: {lines} lines without tests, the maximum is {MAX_LINES}"))
}

#[test]
fn main_only_wires() {
    none(rust_files().filter_map(|file| too_much_wiring(&file)));
}

fn too_much_wiring(file: &File) -> Option<String> {
    let path = &file.path;
    let is_main = path.starts_with("functions/") && path.ends_with("/src/main.rs");
    let lines = file.code().lines().count();
    (is_main && lines > MAX_WIRING)
        .then(|| format!("{path}: {lines} lines of code, the maximum is {MAX_WIRING}"))
}

/// Clippy accepts an ignored test that has a reason.
#[test]
fn no_test_is_ignored() {
    none(rust_files().flat_map(|file| found(&file, &IGNORE, "no test may be ignored")));
}

static IGNORE: LazyLock<Regex> = LazyLock::new(|| regex(r"#\[ignore\b"));

fn found(file: &File, pattern: &Regex, what: &str) -> Vec<String> {
    let places = pattern.find_iter(&file.text);
    places
        .map(|place| file.complaint(place.start(), what))
        .collect()
}

#[test]
fn no_file_names_a_folder_of_one_machine() {
    none(files().iter().flat_map(|file| found(file, &PLACE, LOCAL)));
}

const LOCAL: &str = "this folder exists on one machine only";

/// The brackets keep this file from containing the names.
static PLACE: LazyLock<Regex> = LazyLock::new(|| regex(r"/wor[k]/|\.librar[y]"));

#[test]
fn host_names_of_third_parties_are_settings() {
    none(files().iter().flat_map(names_a_host));
}

static HOST: LazyLock<Regex> =
    LazyLock::new(|| regex(r"login\.microsoftonline|graph\.microsoft\.|[a-z-]*365\.systems"));

fn names_a_host(file: &File) -> Vec<String> {
    let path = file.path.as_str();
    let folders = ["README.md", "docs/", "tests/"];
    if path == SETTINGS || file.is_test() || folders.iter().any(|at| path.starts_with(at)) {
        return Vec::new();
    }
    let text = if file.is_rust() {
        file.code()
    } else {
        file.text.clone()
    };
    HOST.find_iter(&text)
        .map(|host| format!("{path}: {} belongs in {SETTINGS}", host.as_str()))
        .collect()
}

#[test]
fn a_file_without_purpose_or_too_long_is_found() {
    assert!(no_purpose(&File::new("a.rs", "use std::fs;")).is_some());
    assert!(no_purpose(&File::new("a.rs", "//! Reads.")).is_none());
    let long = "x\n".repeat(MAX_LINES + 1);
    for (path, text, is_too_long) in [
        ("shared/a/src/b.rs", long.clone(), true),
        ("tests/simulators/src/b.rs", long.clone(), true),
        ("tests/it/tests/b.rs", long.clone(), false),
        ("shared/a/src/b/tests/c.rs", long.clone(), false),
        ("a.rs", format!("x\n#[cfg(test)]\nmod t {{\n{long}"), false),
        ("a.rs", format!("#[cfg(test)]\nmod tests;\n{long}"), true),
    ] {
        assert_eq!(too_long(&File::new(path, text)).is_some(), is_too_long);
    }
    let main = |text: String| too_much_wiring(&File::new("functions/a/src/main.rs", text));
    assert!(main("// why\n\n".repeat(MAX_WIRING + 1)).is_none());
    assert!(main("run();\n".repeat(MAX_WIRING + 1)).is_some());
}

#[test]
fn ignored_tests_places_and_hosts_are_found() {
    let ignored = File::new("a.rs", format!("{}[ignore = \"slow\"]", '#'));
    assert_eq!(found(&ignored, &IGNORE, "").len(), 1);
    let place = File::new("README.md", format!("see /{}/x", "work"));
    assert_eq!(found(&place, &PLACE, "").len(), 1);
    let host = "const A: &str = \"https://eu-api.365.systems\";\n// graph.microsoft.com\n";
    assert_eq!(names_a_host(&File::new("shared/a/src/b.rs", host)).len(), 1);
    assert!(names_a_host(&File::new(SETTINGS, host)).is_empty());
    let tested = format!("#[cfg(test)]\nmod tests {{\n{host}}}\n");
    assert!(names_a_host(&File::new("shared/a/src/b.rs", tested)).is_empty());
}
