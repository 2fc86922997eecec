//! Rules of this repository that a machine can check: layers, sizes, words, names, proofs.
//!
//! Each rule is a function from a file to complaints and a test that runs it
//! over the tree; the tests at the bottom show that each rule really bites.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;
use rollcall_clients::store::{DUE_INDEX, FANOUT_INDEX, PARTITION_KEY, SORT_KEY, TTL_ATTRIBUTE};
use rollcall_domain::base::schedule::Job;
use toml::{Table, Value};

/// Folders that tools make; everything else is ours.
const GENERATED: [&str; 5] = [".aws-sam", ".git", ".rollcall", "node_modules", "target"];

/// Longest file without its tests.
const MAX_LINES: usize = 300;

/// Most lines of code in a function's `main.rs`, which only wires.
const MAX_WIRING: usize = 20;

/// The only file that knows the addresses of Microsoft's and the vendor's clouds.
const HOSTS_BELONG_IN: &str = "shared/runtime/src/settings/mod.rs";

/// The modules of `rollcall-domain` from upstream to downstream: each may use
/// those before it. A new module takes the place its data flow gives it.
const FLOW: [&str; 9] = [
    "base",
    "snapshot",
    "rules",
    "audience",
    "membership",
    "connection",
    "directory_sync",
    "course_session",
    "notices",
];

/// What a crate that does no I/O has no use for.
const IO_CRATES: [&str; 13] = [
    "aws-",
    "aws_",
    "axum",
    "futures",
    "getrandom",
    "hyper",
    "lambda_",
    "oauth2",
    "rand",
    "reqwest",
    "rustls",
    "tempfile",
    "tokio",
];

/// Crates of which a second version is a second HTTP or TLS stack.
const ONE_VERSION: [&str; 6] = [
    "aws-smithy-runtime",
    "h2",
    "http",
    "hyper",
    "reqwest",
    "rustls",
];

/// The requirements that need a proof: whole series by their first and last
/// number, and single ones of those that no issue has asked for whole yet. A
/// suffix, as in S4-088a, counts with its number.
const SERIES: [(&str, u32, u32); 5] = [
    ("S0", 1, 24),
    ("S1", 1, 40),
    ("S2", 1, 50),
    ("S3", 1, 42),
    ("S4", 1, 141),
];
const SINGLE: [(&str, u32); 25] = [
    ("X", 1),
    ("X", 2),
    ("X", 4),
    ("X", 5),
    ("X", 6),
    ("X", 7),
    ("X", 8),
    ("X", 9),
    ("X", 10),
    ("X", 11),
    ("X", 14),
    ("C", 1),
    ("C", 2),
    ("C", 25),
    ("C", 26),
    ("C", 27),
    ("C", 28),
    ("C", 29),
    ("C", 30),
    ("C", 32),
    ("C", 34),
    ("C", 35),
    ("C", 46),
    ("C", 47),
    ("C", 49),
];

fn requirements() -> BTreeSet<String> {
    let series = SERIES.into_iter().flat_map(|(series, first, last)| {
        (first..=last).map(move |number| requirement(series, number))
    });
    let single = SINGLE.map(|(series, number)| requirement(series, number));
    series.chain(single).collect()
}

/// The fourth series has more than 99 numbers.
fn requirement(series: &str, number: u32) -> String {
    if series == "S4" {
        format!("{series}-{number:03}")
    } else {
        format!("{series}-{number:02}")
    }
}

// ---- The tree ----------------------------------------------------------------

/// A text file, by its path from the root of the repository.
struct File {
    path: String,
    text: String,
}

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

/// Every text file that is ours.
fn files() -> Vec<File> {
    let mut found = Vec::new();
    walk(&root(), "", &mut found);
    assert!(found.len() > 100, "only {} files were found", found.len());
    found
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<File>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{prefix}: {error}"));
    for entry in entries {
        let entry = entry.expect("an entry of the folder");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if entry.path().is_dir() {
            if !GENERATED.contains(&name.as_str()) {
                walk(&entry.path(), &format!("{path}/"), found);
            }
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            found.push(File { path, text });
        }
    }
}

fn rust_files() -> impl Iterator<Item = File> {
    files().into_iter().filter(is_rust)
}

fn is_rust(file: &File) -> bool {
    Path::new(&file.path)
        .extension()
        .is_some_and(|extension| extension == "rs")
}

/// Whether only tests see this file: it lies in a folder `tests` of its crate,
/// or is called so.
fn is_test(path: &str) -> bool {
    let in_crate = path.strip_prefix("tests/").unwrap_or(path);
    let mut parts = in_crate.rsplit('/');
    let name = parts.next().unwrap_or_default();
    matches!(name, "tests.rs" | "testing.rs") || parts.any(|folder| folder == "tests")
}

static TEST_MODULE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?m)^#\[cfg\(test\)\]\n(#.*\n)*mod [a-z_]+ \{"));

/// The file up to its inline test module.
fn before_tests(text: &str) -> &str {
    TEST_MODULE
        .find(text)
        .map_or(text, |found| &text[..found.start()])
}

/// The lines that are neither blank nor comments, tests left out.
fn code(text: &str) -> String {
    before_tests(text)
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern")
}

/// Fails with everything that is wrong, one line each.
fn none(complaints: impl IntoIterator<Item = String>) {
    let all: Vec<_> = complaints.into_iter().collect();
    assert!(all.is_empty(), "\n{}\n", all.join("\n"));
}

// ---- Files -------------------------------------------------------------------

#[test]
fn every_file_says_what_it_is_for() {
    none(rust_files().filter_map(|file| says_nothing(&file)));
}

fn says_nothing(file: &File) -> Option<String> {
    let first = file.text.lines().next().unwrap_or_default();
    let says = first
        .strip_prefix("//! ")
        .is_some_and(|sentence| !sentence.trim().is_empty());
    (!says).then(|| format!("{}: the first line must be a `//!` sentence", file.path))
}

#[test]
fn no_file_is_too_long_to_read() {
    none(rust_files().filter_map(|file| too_long(&file)));
}

fn too_long(file: &File) -> Option<String> {
    let lines = before_tests(&file.text).lines().count();
    (lines > MAX_LINES && !is_test(&file.path)).then(|| {
        format!(
            "{}: {lines} lines without tests, {MAX_LINES} are allowed",
            file.path
        )
    })
}

#[test]
fn main_only_wires() {
    let found = rust_files().filter_map(|file| too_much_wiring(&file));
    none(found);
}

fn too_much_wiring(file: &File) -> Option<String> {
    let is_main = file.path.starts_with("functions/") && file.path.ends_with("/src/main.rs");
    let lines = code(&file.text).lines().count();
    (is_main && lines > MAX_WIRING).then(|| {
        format!(
            "{}: {lines} lines of code, {MAX_WIRING} are allowed; move them to lib.rs",
            file.path
        )
    })
}

#[test]
fn nothing_is_unfinished_or_silenced() {
    none(rust_files().flat_map(|file| unfinished(&file)));
}

static UNFINISHED: LazyLock<Regex> =
    LazyLock::new(|| regex(r"#!?\[allow\(|\b(todo|unimplemented)!\s*[(\[{]|#\[ignore"));
static EXPECTATION: LazyLock<Regex> = LazyLock::new(|| regex(r"#!?\[expect\("));

fn unfinished(file: &File) -> Vec<String> {
    let mut found: Vec<_> = UNFINISHED
        .find_iter(&file.text)
        .map(|word| {
            complaint(
                file,
                word.start(),
                &format!("{} is not used", word.as_str()),
            )
        })
        .collect();
    found.extend(
        EXPECTATION
            .find_iter(&file.text)
            .filter(|start| !attribute(&file.text[start.start()..]).contains("reason = "))
            .map(|start| complaint(file, start.start(), "an expectation needs its reason")),
    );
    found
}

/// The attribute a text begins with.
fn attribute(text: &str) -> &str {
    let mut depth = 0_i32;
    for (at, char) in text.char_indices() {
        depth += i32::from(char == '[') - i32::from(char == ']');
        if char == ']' && depth == 0 {
            return &text[..at];
        }
    }
    text
}

fn complaint(file: &File, at: usize, what: &str) -> String {
    let line = file.text[..at].lines().count().max(1);
    format!("{}:{line}: {what}", file.path)
}

#[test]
fn nothing_names_the_place_where_it_was_written() {
    none(files().iter().flat_map(names_a_place));
}

fn names_a_place(file: &File) -> Vec<String> {
    // Put together here, so that this file does not name them either.
    let places = [concat!("/wo", "rk/"), concat!(".lib", "rary")];
    let found = places
        .into_iter()
        .filter_map(|place| Some((place, file.text.find(place)?)));
    found
        .map(|(place, at)| complaint(file, at, &format!("{place} exists on one machine only")))
        .collect()
}

#[test]
fn hosts_of_third_parties_are_settings() {
    none(files().iter().flat_map(names_a_host));
}

static HOST: LazyLock<Regex> =
    LazyLock::new(|| regex(r"login\.microsoftonline|graph\.microsoft\.|[a-z-]*365\.systems"));

fn names_a_host(file: &File) -> Vec<String> {
    let path = file.path.as_str();
    let may = path == HOSTS_BELONG_IN
        || is_test(path)
        || path == "README.md"
        || ["docs/", "tests/"].iter().any(|at| path.starts_with(at));
    if may {
        return Vec::new();
    }
    let text = if is_rust(file) {
        code(&file.text)
    } else {
        file.text.clone()
    };
    HOST.find_iter(&text)
        .map(|host| format!("{path}: {} belongs in {HOSTS_BELONG_IN}", host.as_str()))
        .collect()
}

// ---- Crates ------------------------------------------------------------------

/// A crate of the workspace: its folder and its Cargo.toml.
struct Crate {
    folder: String,
    manifest: Table,
}

fn crates() -> Vec<Crate> {
    let members = read_toml("Cargo.toml")["workspace"]["members"].clone();
    let members: Vec<String> = members.try_into().expect("a list of folders");
    let found = members.into_iter().map(|folder| Crate {
        manifest: read_toml(&format!("{folder}/Cargo.toml")),
        folder,
    });
    found.collect()
}

impl Crate {
    fn name(&self) -> &str {
        self.manifest["package"]["name"].as_str().expect("a name")
    }

    /// The crates it depends on by tables of this kind, for any target.
    fn dependencies(&self, kind: &str) -> BTreeSet<String> {
        let targets = self.manifest.get("target").and_then(Value::as_table);
        let tables = targets.into_iter().flat_map(Table::values);
        tables
            .filter_map(|target| target.get(kind))
            .chain(self.manifest.get(kind))
            .filter_map(Value::as_table)
            .flatten()
            .map(|(name, spec)| spec.get("package").and_then(Value::as_str).unwrap_or(name))
            .map(str::to_owned)
            .collect()
    }
}

#[test]
fn crates_depend_along_the_layers() {
    let functions = functions(&crates());
    none(
        crates()
            .iter()
            .flat_map(|it| wrong_dependencies(it, &functions)),
    );
}

fn functions(crates: &[Crate]) -> BTreeSet<String> {
    let found = crates
        .iter()
        .filter(|it| it.folder.starts_with("functions/"));
    found.map(|it| it.name().to_owned()).collect()
}

fn wrong_dependencies(it: &Crate, functions: &BTreeSet<String>) -> Vec<String> {
    let simulators = ["rollcall-simulators".to_owned()];
    let Some(allowed) = layers_below(it, functions) else {
        return Vec::new();
    };
    let is_domain = it.name() == "rollcall-domain";
    let mut wrong = Vec::new();
    for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
        for dependency in it.dependencies(kind) {
            let in_tests = kind == "dev-dependencies" && !is_domain;
            let ours = dependency.starts_with("rollcall-");
            let fine = allowed.contains(&dependency.as_str())
                || (in_tests && simulators.contains(&dependency));
            let does_io = is_domain && IO_CRATES.iter().any(|name| dependency.starts_with(name));
            if (ours && !fine) || does_io {
                wrong.push(format!(
                    "{} must not depend on {dependency} ({kind})",
                    it.name()
                ));
            }
        }
    }
    wrong
}

/// The crates of this workspace a crate may use; none means all.
fn layers_below(it: &Crate, functions: &BTreeSet<String>) -> Option<&'static [&'static str]> {
    match it.name() {
        "rollcall-domain" => Some(&[]),
        "rollcall-clients" => Some(&["rollcall-domain"]),
        "rollcall-runtime" => Some(&["rollcall-clients", "rollcall-domain"]),
        "rollcall-app" => Some(&["rollcall-runtime", "rollcall-clients", "rollcall-domain"]),
        name if functions.contains(name) => Some(&[
            "rollcall-app",
            "rollcall-runtime",
            "rollcall-clients",
            "rollcall-domain",
        ]),
        _ if it.folder.starts_with("tests/") || it.folder.starts_with("infra/") => None,
        _ => Some(&[]),
    }
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    none(crates().iter().filter_map(own_lints));
}

fn own_lints(it: &Crate) -> Option<String> {
    let lints = it.manifest.get("lints");
    let shared = lints.and_then(|lints| lints.get("workspace")?.as_bool());
    (shared != Some(true)).then(|| format!("{}: [lints] must say workspace = true", it.folder))
}

#[test]
fn every_cargo_toml_is_a_member() {
    let mut known: BTreeSet<String> = crates()
        .iter()
        .map(|it| format!("{}/Cargo.toml", it.folder))
        .collect();
    known.insert("Cargo.toml".to_owned());
    known.extend(excluded().map(|folder| format!("{folder}/Cargo.toml")));
    let manifests = files()
        .into_iter()
        .filter(|file| file.path.ends_with("Cargo.toml"));
    none(
        manifests
            .filter(|file| !known.contains(&file.path))
            .map(|file| format!("{} is not a member of the workspace", file.path)),
    );
}

/// What the root's Cargo.toml leaves out on purpose: benchmarks and fuzzing.
fn excluded() -> impl Iterator<Item = String> {
    let root = read_toml("Cargo.toml");
    let folders = root["workspace"].get("exclude").and_then(Value::as_array);
    let folders: Vec<String> = folders
        .into_iter()
        .flatten()
        .filter_map(|folder| Some(folder.as_str()?.to_owned()))
        .collect();
    folders.into_iter()
}

#[test]
fn one_version_of_the_http_and_tls_stack() {
    let lock = read_toml("Cargo.lock");
    none(wrong_versions(&lock));
}

fn wrong_versions(lock: &Table) -> Vec<String> {
    let packages = lock.get("package").and_then(Value::as_array);
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages.into_iter().flatten() {
        let (name, version) = (package["name"].as_str(), package["version"].as_str());
        let (name, version) = name.zip(version).expect("a name and a version");
        versions.entry(name).or_default().push(version);
    }
    let found = ONE_VERSION.into_iter().filter_map(|name| {
        let found = versions.get(name).map(Vec::as_slice).unwrap_or_default();
        (found.len() != 1).then(|| format!("{name}: one version is wanted, found {found:?}"))
    });
    found.collect()
}

#[test]
fn domain_keeps_the_lint_settings_of_the_root() {
    let own = read_toml("shared/domain/clippy.toml");
    none(
        read_toml("clippy.toml")
            .into_iter()
            .filter(|(key, value)| own.get(key) != Some(value))
            .map(|(key, value)| format!("shared/domain/clippy.toml: {key} must be {value:?}")),
    );
    for bans in [
        "disallowed-methods",
        "disallowed-types",
        "disallowed-macros",
    ] {
        assert!(own.contains_key(bans), "{bans} are gone");
    }
}

// ---- The flow inside domain --------------------------------------------------

#[test]
fn domain_imports_upstream_only() {
    none(rust_files().flat_map(|file| downstream_imports(&file)));
}

fn downstream_imports(file: &File) -> Vec<String> {
    let path = &file.path;
    let Some(inside) = path.strip_prefix("shared/domain/src/") else {
        return Vec::new();
    };
    let module = inside.split(['/', '.']).next().unwrap_or_default();
    // Tests in a file of their own may use everything, as those in the module do.
    if matches!(module, "lib" | "testing") || (inside.contains('/') && is_test(path)) {
        return Vec::new();
    }
    let place = |name: &str| FLOW.iter().position(|known| *known == name);
    let Some(here) = place(module) else {
        return vec![format!("{path}: give {module} its place in FLOW")];
    };
    imports(inside, &code(&file.text))
        .into_iter()
        .filter(|import| import != module)
        .filter(|import| place(import).is_none_or(|there| there > here))
        .map(|import| format!("{path}: {module} must not use {import}, which is downstream"))
        .collect()
}

/// The modules of its crate that a file names.
fn imports(path: &str, code: &str) -> BTreeSet<String> {
    let depth = match path.split('/').collect::<Vec<_>>()[..] {
        [_] | [_, "mod.rs"] => 1,
        ref parts if parts.ends_with(&["mod.rs"]) => parts.len() - 1,
        ref parts => parts.len(),
    };
    let code = code.replace(&"super::".repeat(depth), "crate::");
    let mut found = BTreeSet::new();
    for (at, lead) in code.match_indices("crate::") {
        let is_path = !code[..at].ends_with(['$', ':']);
        if is_path {
            found.extend(first_names(&code[at + lead.len()..]));
        }
    }
    found.retain(|name| name.starts_with(char::is_lowercase));
    found
}

/// The first name of a path, or of each path in braces.
fn first_names(text: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        let is_part = |char: &char| char.is_alphanumeric() || *char == '_';
        text.trim_start().chars().take_while(is_part).collect()
    };
    let Some(group) = text.strip_prefix('{') else {
        return vec![name(text)];
    };
    let (mut depth, mut names) = (1, vec![name(group)]);
    for (at, char) in group.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(name(&group[at + 1..])),
            _ => {}
        }
    }
    names
}

// ---- Names that two files must agree on --------------------------------------

#[test]
fn the_template_makes_the_table_the_store_uses() {
    none(wrong_table(&read("template.yaml")));
}

fn wrong_table(template: &str) -> Vec<String> {
    let key = |name: &str, kind: &str| {
        format!(r"-\s*\{{\s*AttributeName:\s*{name},\s*KeyType:\s*{kind}\s*\}}")
    };
    let wanted = [
        format!(
            r"\n      KeySchema:\s+{}\s+{}\s",
            key(PARTITION_KEY, "HASH"),
            key(SORT_KEY, "RANGE")
        ),
        format!(
            r"\s-\s*IndexName:\s*{FANOUT_INDEX}\s+KeySchema:\s+{}",
            key(FANOUT_INDEX, "HASH")
        ),
        format!(
            r"\s-\s*IndexName:\s*{DUE_INDEX}\s+KeySchema:\s+{}\s+{}",
            key(DUE_INDEX, "HASH"),
            key("due_at", "RANGE")
        ),
        format!(r"\sTimeToLiveSpecification:\s+AttributeName:\s*{TTL_ATTRIBUTE}\s+Enabled:\s*true"),
    ];
    let mut wrong: Vec<_> = wanted
        .into_iter()
        .filter(|pattern| !regex(pattern).is_match(template))
        .map(|pattern| format!("template.yaml: the table of the store needs {pattern}"))
        .collect();
    let indexes = regex(r"/index/(\S+)");
    let strange = indexes
        .captures_iter(template)
        .filter(|found| ![FANOUT_INDEX, DUE_INDEX].contains(&&found[1]));
    wrong.extend(strange.map(|found| format!("template.yaml: there is no index {}", &found[1])));
    wrong
}

#[test]
fn the_template_schedules_the_hours_of_the_guide() {
    let template = read("template.yaml");
    let wanted = [
        ("RefreshSchedule", Job::Refresh),
        ("MaintenanceSchedule", Job::Maintenance),
        ("MembershipSchedule", Job::Membership),
    ];
    none(wanted.into_iter().filter_map(|(parameter, job)| {
        let hours: Vec<_> = job.hours().iter().map(ToString::to_string).collect();
        let cron = format!("cron(0 {} * * ? *)", hours.join(","));
        let found = default_of(&template, parameter);
        (found.as_deref() != Some(&cron))
            .then(|| format!("template.yaml: {parameter} is {found:?}, {job} needs {cron}"))
    }));
}

/// The default of a template's parameter.
fn default_of(template: &str, parameter: &str) -> Option<String> {
    let pattern = format!(r"\n  {parameter}:\n(?:    .*\n)*?    Default: (.*)\n");
    let found = regex(&pattern).captures(template)?;
    Some(found[1].trim().to_owned())
}

#[test]
fn the_template_sets_what_the_settings_read() {
    let (template, settings) = (read("template.yaml"), read(HOSTS_BELONG_IN));
    let names: BTreeSet<_> = regex(r#""(ROLLCALL_[A-Z0-9_]+)""#)
        .captures_iter(before_tests(&settings))
        .map(|found| found[1].to_owned())
        .collect();
    assert!(names.contains("ROLLCALL_TABLE"), "{names:?}");
    none(
        names
            .into_iter()
            .filter(|name| !template.contains(&format!("\n        {name}: ")))
            .map(|name| format!("template.yaml does not set {name}")),
    );
}

// ---- Proofs ------------------------------------------------------------------

#[test]
fn every_requirement_has_a_test_that_names_it() {
    let proven: BTreeSet<_> = rust_files().flat_map(|file| proven(&file.text)).collect();
    let (excused, mut wrong) = excused(&read("docs/not-testable.md"));
    let both = excused.intersection(&proven);
    wrong.extend(both.map(|id| format!("{id} has a test: take it out of docs/not-testable.md")));
    let missing = requirements()
        .into_iter()
        .filter(|id| !proven.contains(id) && !excused.contains(id));
    wrong.extend(missing.map(|id| format!("{id} has no test whose comment says `Proves {id}`")));
    none(wrong);
}

/// The requirements that the tests of a file say they prove, in the comment
/// before the test or in its name.
fn proven(text: &str) -> BTreeSet<String> {
    let (mut comment, mut is_test, mut found) = (String::new(), false, BTreeSet::new());
    for line in text.lines().map(str::trim) {
        if let Some(words) = line.strip_prefix("///") {
            comment.push_str(words);
        } else if line.starts_with("#[") {
            is_test |= ["#[test]", "::test]", "::test("]
                .iter()
                .any(|mark| line.contains(mark));
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

/// The requirements named in a text.
fn identifiers(text: &str) -> Vec<String> {
    let number = |text: &str| -> u32 { text.parse().expect("digits") };
    let found = IDENTIFIERS.captures_iter(text).flat_map(|found| {
        let series = found[1].to_owned();
        let first = number(&found[2]);
        let last = found.get(3).map_or(first, |last| number(last.as_str()));
        (first..=last).map(move |number| requirement(&series, number))
    });
    found.collect()
}

/// The requirements no test can show, and rows that lack an id or a reason.
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

// ---- The rules bite ----------------------------------------------------------

fn file(path: &str, text: &str) -> File {
    File {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

#[test]
fn a_file_without_purpose_or_end_is_found() {
    assert!(says_nothing(&file("a.rs", "use std::fs;")).is_some());
    assert!(says_nothing(&file("a.rs", "//! Reads.")).is_none());
    let long = "x\n".repeat(MAX_LINES + 1);
    assert!(too_long(&file("shared/a/src/b.rs", &long)).is_some());
    assert!(too_long(&file("tests/simulators/src/b.rs", &long)).is_some());
    assert!(too_long(&file("tests/it/tests/b.rs", &long)).is_none());
    assert!(too_long(&file("shared/a/src/b/tests/c.rs", &long)).is_none());
    let tested = format!("x\n#[cfg(test)]\nmod tests {{\n{long}");
    assert!(too_long(&file("shared/a/src/b.rs", &tested)).is_none());
    let declared = format!("#[cfg(test)]\nmod tests;\n{long}");
    assert!(too_long(&file("shared/a/src/b.rs", &declared)).is_some());
}

#[test]
fn code_in_main_is_found() {
    let (main, comments) = ("functions/a/src/main.rs", "// why\n\n".repeat(40));
    assert!(too_much_wiring(&file(main, &comments)).is_none());
    assert!(too_much_wiring(&file(main, &"run();\n".repeat(MAX_WIRING + 1))).is_some());
}

#[test]
fn unfinished_and_silenced_code_is_found() {
    let hash = "#";
    for bad in [
        format!("{hash}[allow(dead_code)]"),
        format!("{hash}![allow(dead_code)]"),
        format!("{hash}[ignore]"),
        format!("{hash}[expect(dead_code)]\nconst REASON: &str = \"reason = \";"),
        format!("{}!()", "todo"),
        format!("{}!(\"later\")", "unimplemented"),
    ] {
        assert_eq!(unfinished(&file("a.rs", &bad)).len(), 1, "{bad}");
    }
    let good = format!("{hash}[expect(\n    dead_code,\n    reason = \"[used] elsewhere\"\n)]");
    assert!(unfinished(&file("a.rs", &good)).is_empty());
}

#[test]
fn places_and_hosts_are_found() {
    let place = format!("see {}x", concat!("/wo", "rk/"));
    assert_eq!(names_a_place(&file("README.md", &place)).len(), 1);
    let host = "const A: &str = \"https://eu-api.365.systems\";\n// graph.microsoft.com\n";
    assert_eq!(names_a_host(&file("shared/a/src/b.rs", host)).len(), 1);
    assert!(names_a_host(&file(HOSTS_BELONG_IN, host)).is_empty());
    let tested = format!("#[cfg(test)]\nmod tests {{\n{host}}}\n");
    assert!(names_a_host(&file("shared/a/src/b.rs", &tested)).is_empty());
}

#[test]
fn dependencies_against_the_layers_are_found() {
    let functions = BTreeSet::from(["rollcall-a".to_owned(), "rollcall-b".to_owned()]);
    let wrong = |folder: &str, name: &str, tables: &str| {
        let manifest = format!("[package]\nname = \"{name}\"\n{tables}");
        let manifest = manifest.parse().expect("a manifest");
        let it = Crate {
            folder: folder.to_owned(),
            manifest,
        };
        assert!(own_lints(&it).is_some());
        wrong_dependencies(&it, &functions).len()
    };
    let on = |name: &str| format!("[dependencies]\n{name} = {{ workspace = true }}\n");
    let domain = ("shared/domain", "rollcall-domain");
    assert_eq!(wrong(domain.0, domain.1, &on("aws-sdk-s3")), 1);
    assert_eq!(wrong(domain.0, domain.1, &on("serde")), 0);
    assert_eq!(
        wrong(
            domain.0,
            domain.1,
            "[target.'cfg(unix)'.dependencies]\na = { package = \"tokio\" }\n"
        ),
        1
    );
    assert_eq!(
        wrong(
            "shared/clients",
            "rollcall-clients",
            &on("rollcall-runtime")
        ),
        1
    );
    assert_eq!(
        wrong(
            "shared/clients",
            "rollcall-clients",
            &on("rollcall-simulators")
        ),
        1
    );
    assert_eq!(
        wrong(
            "shared/clients",
            "rollcall-clients",
            "[dev-dependencies]\nrollcall-simulators = \"1\"\n"
        ),
        0
    );
    assert_eq!(wrong("functions/a", "rollcall-a", &on("rollcall-b")), 1);
    assert_eq!(
        wrong("functions/a", "rollcall-a", &on("rollcall-runtime")),
        0
    );
    assert_eq!(wrong("tests/it", "rollcall-it", &on("rollcall-a")), 0);
}

#[test]
fn a_second_stack_is_found() {
    let lock =
        ONE_VERSION.map(|name| format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n"));
    let parse = |text: &str| text.parse::<Table>().expect("a lock file");
    assert!(wrong_versions(&parse(&lock.concat())).is_empty());
    let second = format!(
        "{}[[package]]\nname = \"hyper\"\nversion = \"0.14.0\"\n",
        lock.concat()
    );
    assert_eq!(wrong_versions(&parse(&second)).len(), 1);
}

#[test]
fn imports_against_the_flow_are_found() {
    let wrong = |path: &str, text: &str| {
        downstream_imports(&file(&format!("shared/domain/src/{path}"), text)).len()
    };
    assert_eq!(
        wrong("rules/parse.rs", "use crate::membership::plan::Plan;\n"),
        1
    );
    assert_eq!(
        wrong(
            "rules/parse.rs",
            "use super::super::membership::plan::Plan;\n"
        ),
        1
    );
    assert_eq!(wrong("rules.rs", "use super::membership::plan::Plan;\n"), 1);
    assert_eq!(
        wrong(
            "rules/mod.rs",
            "use crate::{\n    base::{ids::ProfileId, plan},\n    notices,\n};\n"
        ),
        1
    );
    assert_eq!(
        wrong(
            "rules/parse.rs",
            "use super::expr;\nuse crate::snapshot::lms::Row;\n// crate::membership\n"
        ),
        0
    );
    assert_eq!(
        wrong(
            "base/ids.rs",
            "#[cfg(test)]\nmod tests {\n    use crate::membership::plan::Plan;\n}\n"
        ),
        0
    );
    assert_eq!(wrong("novel.rs", ""), 1);
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
        assert!(
            !wrong_table(&template.replace(ours, other)).is_empty(),
            "{other}"
        );
    }
}

#[test]
fn only_tests_prove() {
    let ids = |text: &str| proven(text).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(
        ids("/// Proves S4-098: six sets,\n/// and S4-110…112.\n#[tokio::test]\nasync fn all() {"),
        "S4-098 S4-110 S4-111 S4-112"
    );
    assert_eq!(
        ids("/// Proves S4-106 and C-03, S4-107 to S4-108.\n#[test]\nfn all() {"),
        "C-03 S4-106 S4-107 S4-108"
    );
    assert_eq!(ids("#[test]\nfn s4_099_builds_the_schema() {"), "S4-099");
    assert_eq!(ids("/// Proves S4-098.\nfn helper() {"), "");
    assert_eq!(ids("/// See S4-098.\n#[test]\nfn it_works() {"), "");
    assert_eq!(
        ids("/// Proves S0-01…S0-03 and X-01.\n#[test]\nfn all() {"),
        "S0-01 S0-02 S0-03 X-01"
    );
    assert_eq!(requirements().len(), 24 + 40 + 50 + 42 + 141 + 25);
    let (excuses, wrong) =
        excused("| Id | Reason |\n|---|---|\n| S4-091 | nobody can see it |\n| S4-092 | |\n");
    assert_eq!((excuses.len(), wrong.len()), (1, 1));
}
