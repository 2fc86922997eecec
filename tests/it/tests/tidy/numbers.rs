//! Measured rules: numbers that must not exceed their limits.

use std::collections::BTreeMap;

use crate::flow::import_circles;
use crate::{File, none, regex, source_files};

/// A measured number, and what was counted if a list is useful.
type Measured = (usize, Vec<String>);

const TELL: &str = r"(?i)\b(told|tells?)\b";
const PEOPLE: &str = r"(?i)\b(people|somebody|nobody|everybody)\b";
const STRING_ERROR: &str = r"Result<[^;{]*?, String>";
const MAP_ERR: &str = r"map_err\(([a-z_]+::)*(stored|failure|words)\)";
const STATE: &str = r"(?m)^impl ApiState\b";

/// Returns each measure with its limit.
fn measures() -> Vec<(&'static str, usize, Measured)> {
    let functions = source_files(&["functions/"]);
    let service = source_files(&["functions/", "shared/"]);
    let comments = |words| (per_thousand_comments(&service, words), Vec::new());
    let counted = |pattern| (occurrences(&functions, pattern), Vec::new());
    let listed = |found: Vec<String>| (found.len(), found);
    let (states, names) = (containing(&functions, STATE), shared_names(&service));
    vec![
        ("told, tell(s) per 1,000 comments", 2, comments(TELL)),
        ("people, *body per 1,000 comments", 14, comments(PEOPLE)),
        ("Result<_, String>, functions", 0, counted(STRING_ERROR)),
        ("map_err(stored|failure|words)", 0, counted(MAP_ERR)),
        ("files with impl ApiState", 3, listed(states)),
        ("public names twice in a crate", 0, listed(names)),
        ("circles of imports", 4, listed(import_circles())),
    ]
}

/// Prints the numbers, and what was counted if a list is useful.
#[test]
fn numbers_stay_within_their_limits() {
    let measures = measures();
    println!("\n{:>5} {:>6}", "now", "limit");
    for (what, limit, (now, _)) in &measures {
        println!("{now:>5} {limit:>6}  {what}");
    }
    for (what, _, (_, found)) in measures.iter().filter(|it| !it.2.1.is_empty()) {
        println!("\n{what}:\n  {}", found.join("\n  "));
    }
    let exceeded = measures.iter().filter(|(_, limit, (now, _))| now > limit);
    none(exceeded.map(|(what, limit, (now, _))| format!("{what}: {now}, not {limit} or less")));
}

/// Returns how many of 1,000 comment lines contain one of the words, rounded up.
fn per_thousand_comments(files: &[File], words: &str) -> usize {
    let (words, mut lines, mut found) = (regex(words), 0, 0);
    for line in files.iter().flat_map(|file| file.before_tests().lines()) {
        if line.trim_start().starts_with("//") {
            lines += 1;
            found += usize::from(words.is_match(line));
        }
    }
    (1000 * found).div_ceil(lines.max(1))
}

fn occurrences(files: &[File], pattern: &str) -> usize {
    let pattern = regex(pattern);
    let counts = files
        .iter()
        .map(|file| pattern.find_iter(&file.code()).count());
    counts.sum()
}

fn containing(files: &[File], pattern: &str) -> Vec<String> {
    let pattern = regex(pattern);
    let found = files.iter().filter(|file| pattern.is_match(&file.code()));
    found.map(|file| file.path.clone()).collect()
}

fn shared_names(files: &[File]) -> Vec<String> {
    let definition = regex(r"(?m)^pub (?:struct|enum|trait|type|union) (\w+)");
    let mut homes: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for file in files {
        let (folder, inside) = file.path.split_once("/src/").unwrap_or(("", &file.path));
        for found in definition.captures_iter(&file.code()) {
            let key = (folder, found[1].to_owned());
            homes.entry(key).or_default().push(inside);
        }
    }
    let shared = homes.iter().filter(|(_, homes)| homes.len() > 1);
    shared
        .map(|((folder, name), homes)| format!("{folder}: {name} in {}", homes.join(", ")))
        .collect()
}

#[test]
fn what_is_measured_is_counted() {
    let files = [
        File::new(
            "a/src/b.rs",
            "// We tell.\n/// Says.\npub struct A;\nimpl ApiState {\n",
        ),
        File::new(
            "a/src/c.rs",
            "pub enum A {}\nfn f() -> Result<(), String> { retell() }\n",
        ),
        File::new(
            "d/src/c.rs",
            "pub enum A {}\n#[cfg(test)]\nmod tests {\n// Told.\n",
        ),
    ];
    assert_eq!(per_thousand_comments(&files, TELL), 500);
    assert_eq!(occurrences(&files, STRING_ERROR), 1);
    assert_eq!(containing(&files, STATE), ["a/src/b.rs"]);
    assert_eq!(shared_names(&files), ["a: A in b.rs, c.rs"]);
}
