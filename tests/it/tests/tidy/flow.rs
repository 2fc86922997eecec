//! Rules for dependencies between files: the order of the contexts of `rollcall-domain`, and import
//! cycles.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::{File, none, regex, rust_files, source_files};

/// The contexts of `rollcall-domain` from upstream to downstream: each can use those before it.
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

#[test]
fn domain_imports_upstream_only() {
    none(rust_files().flat_map(|file| downstream_imports(&file)));
}

fn downstream_imports(file: &File) -> Vec<String> {
    let Some(inside) = file.path.strip_prefix("shared/domain/src/") else {
        return Vec::new();
    };
    let module = module(inside);
    let context = module.first().map_or("lib", String::as_str);
    // Tests may use everything.
    if matches!(context, "lib" | "testing") || (module.len() > 1 && file.is_test()) {
        return Vec::new();
    }
    let place = |name: &str| FLOW.iter().position(|known| *known == name);
    let Some(here) = place(context) else {
        return vec![format!("{}: add {context} to FLOW", file.path)];
    };
    let used: BTreeSet<_> = paths(&module, &file.code())
        .into_iter()
        .filter_map(|path| path.into_iter().next())
        .filter(|other| place(other).is_some_and(|there| there > here))
        .collect();
    let complaint = |other| format!("{}: {context} must not use {other}", file.path);
    used.into_iter().map(complaint).collect()
}

/// Returns the module path of a file, by its path from `src/`.
fn module(inside: &str) -> Vec<String> {
    let mut parts: Vec<_> = inside.trim_end_matches(".rs").split('/').collect();
    if matches!(parts.last(), Some(&("mod" | "lib" | "main"))) {
        parts.pop();
    }
    parts.into_iter().map(str::to_owned).collect()
}

static PATH: LazyLock<Regex> = LazyLock::new(|| regex(r"\b[a-z_][a-z0-9_]*::"));

/// Returns the paths in the code of a module, from the root of its crate. Paths into other crates
/// appear as if they were submodules.
fn paths(module: &[String], code: &str) -> BTreeSet<Vec<String>> {
    let mut found = Vec::new();
    for start in PATH.find_iter(code).map(|path| path.start()) {
        if !code[..start].ends_with([':', '$']) {
            expand(&code[start..], &[], &mut found);
        }
    }
    found.iter().map(|path| absolute(module, path)).collect()
}

/// Adds every path of a use tree; returns the text after the tree.
fn expand<'a>(text: &'a str, prefix: &[&'a str], found: &mut Vec<Vec<&'a str>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = expand(rest, prefix, found);
            let Some(end) = rest.find([',', '}']) else {
                return "";
            };
            let is_last = rest[end..].starts_with('}');
            rest = &rest[end + 1..];
            if is_last {
                return rest;
            }
        }
    }
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    let end = text.find(|char| !is_part(char)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let path = [prefix, &[name]].concat();
    match rest.strip_prefix("::") {
        Some(rest) => return expand(rest, &path, found),
        None if !name.is_empty() => found.push(path),
        None => {}
    }
    rest
}

fn absolute(module: &[String], path: &[&str]) -> Vec<String> {
    let mut whole = module.to_vec();
    for name in path {
        match *name {
            "crate" => whole.clear(),
            "super" => drop(whole.pop()),
            "self" => {}
            name => whole.push(name.to_owned()),
        }
    }
    whole
}

/// Returns the import cycles between files of a crate, as lines of paths.
pub(crate) fn import_circles() -> Vec<String> {
    let mut crates: BTreeMap<String, Vec<File>> = BTreeMap::new();
    for file in source_files(&["functions/", "infra/", "shared/"]) {
        let src = file.path.split_once("/src/");
        if let Some((folder, inside)) = src.filter(|(_, inside)| *inside != "main.rs") {
            let inside = File::new(inside, &*file.text);
            crates.entry(folder.to_owned()).or_default().push(inside);
        }
    }
    let lines = crates.iter().flat_map(|(folder, files)| {
        let circles = circles(&arrows(files)).into_iter();
        circles.map(move |circle| format!("{folder}: {}", circle.join(" <-> ")))
    });
    lines.collect()
}

type Module = Vec<String>;

static USE: LazyLock<Regex> = LazyLock::new(|| regex(r"(?m)^(pub(\([a-z]+\))? )?use [^;]*;"));

/// Returns the modules that each module uses. A re-export is not a use; it is followed to the
/// module that it re-exports. Using a parent module is not a use either, because `mod.rs` and its
/// children are one unit.
fn arrows(files: &[File]) -> BTreeMap<Module, BTreeSet<Module>> {
    let (mut exports, mut used) = (BTreeMap::new(), BTreeMap::new());
    for file in files {
        let (module, code) = (module(&file.path), file.code());
        for statement in USE.find_iter(&code) {
            for path in paths(&module, statement.as_str()) {
                let name = path.last().cloned().into_iter();
                let own = module.iter().cloned().chain(name).collect::<Module>();
                exports.insert(own, path);
            }
        }
        let is_export = |found: &regex::Captures<'_>| found.get(1).is_some();
        let code = USE.replace_all(&code, |found: &regex::Captures<'_>| {
            let kept = if is_export(found) { "" } else { &found[0] };
            kept.to_owned()
        });
        used.insert(module.clone(), paths(&module, &code));
    }
    let arrows = used.iter().map(|(module, paths)| {
        let targets = paths.iter().map(|path| target(path, &used, &exports, 8));
        let others = targets.filter(|target| !module.starts_with(target));
        (module.clone(), others.collect())
    });
    arrows.collect()
}

/// Returns the module that defines the item of a path.
fn target<T>(
    path: &[String],
    modules: &BTreeMap<Module, T>,
    exports: &BTreeMap<Module, Module>,
    depth: usize,
) -> Module {
    let mut at = 0;
    while at < path.len() && modules.contains_key(&path[..=at]) {
        at += 1;
    }
    let export = path.get(..=at).and_then(|name| exports.get(name));
    match export {
        Some(export) if depth > 0 && *export != path[..=at] => {
            target(export, modules, exports, depth - 1)
        }
        _ => path[..at].to_vec(),
    }
}

/// Returns the groups of modules that use one another, directly or indirectly.
fn circles(arrows: &BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<Vec<String>> {
    let mut reached = BTreeMap::new();
    for from in arrows.keys() {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(module) = next.pop() {
            let new = arrows.get(module).into_iter().flatten();
            next.extend(new.filter(|other| seen.insert(*other)));
        }
        reached.insert(from, seen);
    }
    let in_circle = reached.iter().filter(|(from, to)| to.contains(*from));
    let circles = in_circle.map(|(from, to)| {
        let back = to.iter().filter(|other| reached[**other].contains(*from));
        back.map(|module| module.join("/")).collect()
    });
    circles.collect()
}

#[test]
fn imports_against_the_flow_are_found() {
    for (path, text, expected) in [
        ("rules/parse.rs", "use crate::membership::plan::Plan;", 1),
        ("rules/parse.rs", "use super::super::membership::Plan;", 1),
        ("rules.rs", "use super::membership::plan::Plan;", 1),
        (
            "rules/mod.rs",
            "use crate::{\n  base::{ids, plan},\n  notices,\n};",
            1,
        ),
        ("rules/mod.rs", "fn a() { crate::notices::send() }", 1),
        (
            "rules/parse.rs",
            "use super::expr;\nuse crate::snapshot::Row;\n// crate::notices",
            0,
        ),
        (
            "base/ids.rs",
            "#[cfg(test)]\nmod tests {\nuse crate::notices::A;\n}\n",
            0,
        ),
        ("novel.rs", "", 1),
    ] {
        let file = File::new(format!("shared/domain/src/{path}"), text);
        assert_eq!(downstream_imports(&file).len(), expected, "{path}: {text}");
    }
}

#[test]
fn a_circle_is_found_also_through_a_re_export() {
    let found = |a: &str, b: &str, root: &str| {
        let files = [("a.rs", a), ("b.rs", b), ("mod.rs", root)];
        let files = files.map(|(path, text)| File::new(format!("x/{path}"), text));
        circles(&arrows(&files)).into_iter().collect::<Vec<_>>()
    };
    let circle = [["x/a".to_owned(), "x/b".to_owned()]];
    assert_eq!(found("use super::b::B;", "use crate::x::a::A;", ""), circle);
    assert_eq!(
        found("use super::B;", "x(super::a::A)", "pub use b::B;"),
        circle
    );
    assert!(
        found(
            "use super::B;",
            "use super::Root;",
            "pub use b::B;\nuse a::A;"
        )
        .is_empty()
    );
}
