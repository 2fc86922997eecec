//! Rules of this repository that no compiler, linter or cargo-deny checks.
//!
//! Each rule is a function from a file to complaints, a test that applies it to the repository, and
//! a test which shows that the rule finds violations. `cargo test -p rollcall-it --test tidy --
//! --nocapture numbers` prints the measured numbers.

mod crates;
mod files;
mod flow;
mod numbers;
mod requirements;
mod template;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;
use toml::Table;

/// Generated folders.
const GENERATED: [&str; 5] = [".aws-sam", ".git", ".rollcall", "node_modules", "target"];

/// The only file that contains the host names of Microsoft's and the vendor's clouds.
const SETTINGS: &str = "shared/runtime/src/settings/mod.rs";

/// A text file with its path from the root of the repository.
struct File {
    path: String,
    text: String,
}

impl File {
    fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        Self { path, text }
    }

    fn is_rust(&self) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|extension| extension == "rs")
    }

    /// Returns true if only tests use this file, according to its name or a folder `tests` of its
    /// crate.
    fn is_test(&self) -> bool {
        let in_crate = self.path.strip_prefix("tests/").unwrap_or(&self.path);
        let mut parts = in_crate.rsplit('/');
        let name = parts.next().unwrap_or_default();
        matches!(name, "tests.rs" | "testing.rs") || parts.any(|folder| folder == "tests")
    }

    /// Returns the text before the inline test module.
    fn before_tests(&self) -> &str {
        TEST_MODULE
            .find(&self.text)
            .map_or(&self.text, |found| &self.text[..found.start()])
    }

    /// Returns the lines before the tests that are neither blank nor comments.
    fn code(&self) -> String {
        self.before_tests()
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Returns a complaint about a position in the text.
    fn complaint(&self, at: usize, what: &str) -> String {
        let line = self.text[..at].lines().count().max(1);
        format!("{}:{line}: {what}", self.path)
    }
}

static TEST_MODULE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?m)^#\[cfg\(test\)\]\n(#.*\n)*mod [a-z_]+ \{"));

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn read_toml(path: &str) -> Table {
    read(path)
        .parse()
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns all text files of the repository that are not generated.
fn files() -> Vec<File> {
    let mut found = Vec::new();
    walk(&root(), "", &mut found);
    assert!(found.len() > 100, "only {} files were found", found.len());
    found
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<File>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{prefix}: {error}"));
    for entry in entries {
        let entry = entry.expect("folder entry not read");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if GENERATED.contains(&name.as_str()) {
            continue;
        }
        if entry.path().is_dir() {
            walk(&entry.path(), &format!("{path}/"), found);
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            found.push(File { path, text });
        }
    }
}

fn rust_files() -> impl Iterator<Item = File> {
    files().into_iter().filter(File::is_rust)
}

/// Returns the Rust files in these folders that are not tests.
fn source_files(folders: &[&str]) -> Vec<File> {
    let inside = |path: &str| folders.iter().any(|folder| path.starts_with(folder));
    rust_files()
        .filter(|file| inside(&file.path) && !file.is_test())
        .collect()
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("invalid pattern")
}

/// Fails with all complaints, one per line.
fn none(complaints: impl IntoIterator<Item = String>) {
    let all: Vec<_> = complaints.into_iter().collect();
    assert!(all.is_empty(), "\n{}\n", all.join("\n"));
}
