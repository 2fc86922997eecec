//! Rules for the crates: the permitted dependencies, and that all share the lints.

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::{File, files, none, read_toml, regex, rust_files};

/// Crates that do I/O or generate random values, which `rollcall-domain` must not use.
const IO: &str =
    "^(aws[-_]|axum|futures|getrandom|hyper|lambda_|oauth2|rand|reqwest|rustls|tempfile|tokio)";

/// The shared crates from the lowest layer to the highest: each can use those before it.
const LAYERS: [&str; 4] = [
    "rollcall-domain",
    "rollcall-clients",
    "rollcall-runtime",
    "rollcall-app",
];

/// The tables of a Cargo.toml that list dependencies.
const KINDS: [&str; 3] = ["dependencies", "build-dependencies", "dev-dependencies"];

/// A crate of the workspace: its folder and its Cargo.toml.
struct Crate {
    folder: String,
    manifest: Table,
}

impl Crate {
    fn name(&self) -> &str {
        let name = self.manifest["package"]["name"].as_str();
        name.expect("the package has no name")
    }

    /// Returns the names of the crates in the tables of this kind, for any target.
    fn dependencies(&self, kind: &str) -> BTreeSet<&str> {
        let targets = self.manifest.get("target").and_then(Value::as_table);
        let tables = targets.into_iter().flat_map(Table::values);
        tables
            .filter_map(|target| target.get(kind))
            .chain(self.manifest.get(kind))
            .filter_map(Value::as_table)
            .flatten()
            .map(|(name, spec)| spec.get("package").and_then(Value::as_str).unwrap_or(name))
            .collect()
    }
}

fn crates() -> Vec<Crate> {
    let folders = folders("members").into_iter();
    let crates = folders.map(|folder| Crate {
        manifest: read_toml(&format!("{folder}/Cargo.toml")),
        folder,
    });
    crates.collect()
}

/// Returns the folders that the root's Cargo.toml lists as members or excludes.
fn folders(list: &str) -> Vec<String> {
    let folders = read_toml("Cargo.toml")["workspace"][list].clone();
    folders.try_into().expect("not a list of folders")
}

#[test]
fn crates_depend_along_the_layers() {
    none(crates().iter().flat_map(wrong_dependencies));
}

fn wrong_dependencies(it: &Crate) -> Vec<String> {
    let name = it.name();
    let is_tool = it.folder.starts_with("tests/") || it.folder.starts_with("infra/");
    let layer = LAYERS.iter().position(|layer| *layer == name);
    let below = match layer {
        Some(layer) => &LAYERS[..layer],
        None if it.folder.starts_with("functions/") => &LAYERS[..],
        None => &[],
    };
    let is_domain = name == LAYERS[0];
    let mut wrong = Vec::new();
    for kind in KINDS {
        for other in it.dependencies(kind) {
            let simulated = kind == "dev-dependencies" && other == "rollcall-simulators";
            let may = is_tool || below.contains(&other) || (simulated && !is_domain);
            let does_io = is_domain && regex(IO).is_match(other);
            if (other.starts_with("rollcall-") && !may) || does_io {
                wrong.push(format!("{name} must not depend on {other} ({kind})"));
            }
        }
    }
    wrong
}

#[test]
fn every_dependency_is_used() {
    let sources: Vec<_> = rust_files().collect();
    none(crates().iter().flat_map(|it| unused(it, &sources)));
}

/// Returns the dependencies whose names occur in no file of the crate.
fn unused(it: &Crate, sources: &[File]) -> Vec<String> {
    let folder = format!("{}/", it.folder);
    let own = sources.iter().filter(|file| file.path.starts_with(&folder));
    let code: String = own.map(|file| file.text.as_str()).collect();
    let named = |name: &str| regex(&format!(r"\b{}\b", name.replace('-', "_"))).is_match(&code);
    let all = KINDS.into_iter().flat_map(|kind| it.dependencies(kind));
    all.filter(|name| !named(name))
        .map(|name| format!("{folder}Cargo.toml: {name} is not used"))
        .collect()
}

#[test]
fn every_crate_uses_the_lints_of_the_workspace() {
    none(crates().iter().filter_map(own_lints));
}

fn own_lints(it: &Crate) -> Option<String> {
    let lints = it.manifest.get("lints");
    let shared = lints.and_then(|lints| lints.get("workspace")?.as_bool());
    (shared != Some(true)).then(|| format!("{}: [lints] must say workspace = true", it.folder))
}

/// Benchmarks and fuzz targets are excluded; any other crate would never be built.
#[test]
fn every_cargo_toml_is_a_member_or_excluded() {
    let listed = [folders("members"), folders("exclude")].concat();
    let listed = listed.iter().map(|folder| format!("{folder}/Cargo.toml"));
    let known: BTreeSet<_> = listed.chain(["Cargo.toml".to_owned()]).collect();
    let paths = files().into_iter().map(|file| file.path);
    let unknown = paths.filter(|path| path.ends_with("Cargo.toml") && !known.contains(path));
    none(unknown.map(|path| format!("{path} is not a member of the workspace")));
}

/// Clippy reads the nearest clippy.toml only, so the domain's repeats the root's.
#[test]
fn domain_repeats_the_lint_settings_of_the_root() {
    let own = read_toml("shared/domain/clippy.toml");
    let root = read_toml("clippy.toml").into_iter();
    let differs = root.filter(|(key, value)| own.get(key) != Some(value));
    none(differs.map(|(key, value)| format!("shared/domain/clippy.toml: {key} must be {value:?}")));
    for bans in ["methods", "types", "macros"] {
        let key = format!("disallowed-{bans}");
        assert!(
            own.contains_key(&key),
            "shared/domain/clippy.toml: no {key}"
        );
    }
}

#[test]
fn dependencies_against_the_layers_are_found() {
    let domain = "[package]\nname = \"rollcall-domain\"\n";
    let clients = "[package]\nname = \"rollcall-clients\"\n";
    let function = "[package]\nname = \"rollcall-a\"\n";
    let on = |name: &str| format!("[dependencies]\n{name} = {{ workspace = true }}\n");
    let simulators = "[dev-dependencies]\nrollcall-simulators = \"1\"\n".to_owned();
    let renamed = "[target.'cfg(unix)'.dependencies]\na = { package = \"tokio\" }\n".to_owned();
    for (folder, package, tables, expected) in [
        ("shared/domain", domain, on("aws-sdk-s3"), 1),
        ("shared/domain", domain, on("serde"), 0),
        ("shared/domain", domain, renamed, 1),
        ("shared/domain", domain, simulators.clone(), 1),
        ("shared/clients", clients, on("rollcall-runtime"), 1),
        ("shared/clients", clients, on("rollcall-simulators"), 1),
        ("shared/clients", clients, simulators, 0),
        ("functions/a", function, on("rollcall-b"), 1),
        ("functions/a", function, on("rollcall-app"), 0),
        ("tests/it", function, on("rollcall-b"), 0),
    ] {
        let manifest = format!("{package}{tables}");
        let it = Crate {
            folder: folder.to_owned(),
            manifest: manifest.parse().expect("invalid manifest"),
        };
        assert!(own_lints(&it).is_some());
        let sources = [File::new(format!("{folder}/a.rs"), "use serde::Serialize;")];
        assert_eq!(unused(&it, &sources).is_empty(), tables == on("serde"));
        assert_eq!(wrong_dependencies(&it).len(), expected, "{manifest}");
    }
}
