//! Which module may name which (the map in the crate docs), and other rules that the compiler does
//! not check.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test panics"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module with the modules of this crate that it names. Arrows point down, to a later row.
const ARROWS: [(&str, &[&str]); 21] = [
    (
        "internals",
        &["broker", "commands", "entra", "exit", "interop", "output", "settings", "sys", "vault"],
    ),
    ("lib", &["accounts", "cli", "commands", "exit", "output", "settings", "sys"]),
    (
        "commands",
        &[
            "accounts", "arm", "broker", "cli", "entra", "exit", "hosts", "interop", "output",
            "settings", "sys", "vault",
        ],
    ),
    ("cli", &["output", "sys"]),
    ("accounts", &["arm", "broker", "entra", "interop", "settings", "sys", "vault"]),
    ("hosts", &["settings", "sys"]),
    ("interop", &["settings", "sys", "vault"]),
    ("broker", &["entra", "settings", "sys", "vault"]),
    ("arm", &["sys"]),
    ("entra", &["sys"]),
    ("vault", &["sys"]),
    ("settings", &["sys"]),
    ("output", &[]),
    ("sys", &[]),
    ("exit", &[]),
    ("error", &[]),
    ("secret", &[]),
    ("program", &[]),
    ("shell", &[]),
    ("foreign", &[]),
    ("near", &[]),
];

/// Modules that every module may name.
const COMMON: [&str; 6] = ["error", "foreign", "near", "program", "secret", "shell"];

/// Limit on the lines of a file in src.
const MAX_LINES: usize = 450;

struct Source {
    /// Its path below `src`.
    name: String,
    /// Its path in the crate, as `["sys", "folder"]`; empty for `lib.rs`.
    path: Vec<String>,
    /// The whole file.
    text: String,
    /// The text without tests and comment lines.
    code: String,
}

impl Source {
    fn read(root: &Path, file: &Path) -> Self {
        let name = file.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        let path = name.trim_end_matches(".rs").split('/');
        let path = path.filter(|part| !["mod", "lib"].contains(part)).map(str::to_owned).collect();
        let text = fs::read_to_string(file).unwrap();
        let is_test_file = name.ends_with("tests.rs");
        let code = if is_test_file { String::new() } else { without_tests(&text) };
        let code =
            code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>();
        let code = code.join("\n").replace("pub(crate) ", "pub ");
        Self { name, path, text, code }
    }

    fn module(&self) -> &str {
        self.path.first().map_or("lib", String::as_str)
    }
}

/// Removes test modules, which may name more: a line (`mod tests;`) or a block.
fn without_tests(text: &str) -> String {
    let mut parts = text.split("#[cfg(test)]\nmod ");
    let mut code = parts.next().unwrap().to_owned();
    for part in parts {
        let end = if part.lines().next().unwrap().ends_with(';') { ";\n" } else { "\n}\n" };
        code.push_str(part.split_once(end).map_or("", |(_, rest)| rest));
    }
    code
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files_below(&root, &mut found);
    found.iter().map(|file| Source::read(&root, file)).collect()
}

fn is_identifier(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Identifiers, `::` and single characters; white space is dropped.
fn tokens(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if is_identifier(first) => rest.find(|c| !is_identifier(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        found.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    found
}

/// The top modules that `code` at `path` in the crate names: `crate::x`, `crate::{x, y::Z}`, and
/// `super::x` where that leaves the module. Also returns names that are no module (`crate::*`), so
/// that no arrow allows them.
fn named(path: &[String], code: &str) -> BTreeSet<String> {
    let tokens = tokens(code);
    let mut found = BTreeSet::new();
    for (at, token) in tokens.iter().enumerate() {
        let is_start = (at == 0 || tokens[at - 1] != "::") && tokens.get(at + 1) == Some(&"::");
        let is_rooted = ["crate", "super", "self"].contains(token);
        // In lib.rs the modules are in scope without a prefix.
        let is_child = path.is_empty() && ARROWS.iter().any(|(module, _)| module == token);
        if *token == "crate" && tokens.get(at + 1) == Some(&"as") {
            found.insert("crate as".to_owned());
        }
        if is_start && (is_rooted || is_child) {
            follow(&tokens[at..], path.len(), &mut found);
        }
    }
    if let Some(module) = path.first() {
        found.remove(module);
    }
    found
}

/// Follows one path or group from a module `depth` levels below the root, and returns the number of
/// tokens read.
fn follow(tokens: &[&str], depth: usize, found: &mut BTreeSet<String>) -> usize {
    let below = match tokens.first() {
        Some(&"crate") => 0,
        Some(&"super") => depth.saturating_sub(1),
        Some(&"self") if depth > 0 => depth,
        Some(&"{") => {
            let mut at = 1;
            while at < tokens.len() && tokens[at] != "}" {
                at += follow(&tokens[at..], depth, found);
                let end = tokens[at..].iter().position(|token| [",", "}"].contains(token));
                at += end.unwrap_or(tokens.len() - at);
                at += usize::from(tokens.get(at) == Some(&","));
            }
            return at + 1;
        }
        Some(name) if depth == 0 => {
            found.insert((*name).to_owned());
            usize::MAX
        }
        _ => usize::MAX,
    };
    match tokens.get(1) {
        Some(&"::") => 2 + follow(&tokens[2..], below, found),
        _ => 1,
    }
}

#[test]
fn every_form_of_an_import_is_found() {
    let cases: [(&[&str], &str, &[&str]); 15] = [
        (&["vault"], "use crate::entra::Scope;", &["entra"]),
        (&["vault"], "use crate::{error::Error, entra::Scope};", &["entra", "error"]),
        (
            &["vault"],
            "use crate::{\n    sys::{Env, file::{self, Access}},\n    broker,\n};",
            &["broker", "sys"],
        ),
        (&["vault"], "pub use crate::{broker as b, vault::Record};", &["broker"]),
        (&["vault"], "pub(crate) use crate::entra;", &["entra"]),
        (&["vault"], "use {crate::arm, std::fs};", &["arm"]),
        (&["vault"], "fn f() -> crate::error::Result<crate::secret::Secret>", &["error", "secret"]),
        (&["vault"], "use super::broker::Broker;", &["broker"]),
        (&["vault", "key"], "use super::record; use super::super::broker::Broker;", &["broker"]),
        (&["vault", "key"], "use super::{seal, super::{cli, sys::Env}};", &["cli", "sys"]),
        (&["vault", "key"], "use super::super::{self, arm};", &["arm", "self"]),
        (&["vault", "key", "env"], "use super::super::manifest; pub(in crate::vault) fn f();", &[]),
        (&["vault"], "use crate::*; use crate as azt;", &["*", "crate as"]),
        (&["vault"], "pub(crate) fn f(&self) { self.seal(std::fs::read) }", &[]),
        (
            &[],
            "use cli::{Command, Parsed}; fn f() { std::fs::read(exit::code()) }",
            &["cli", "exit"],
        ),
    ];
    for (path, code, expected) in cases {
        let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        assert_eq!(Vec::from_iter(named(&path, code)), expected, "{code}");
    }
    let text =
        "use a;\n#[cfg(test)]\nmod tests;\nuse b;\n#[cfg(test)]\nmod tests {\n    use c;\n}\n";
    assert_eq!(without_tests(text), "use a;\nuse b;\n");
}

#[test]
fn modules_name_only_what_their_arrows_allow() {
    let mut used = BTreeSet::new();
    let sources = sources();
    assert!(sources.len() > 60, "the test finds the sources");
    for source in sources.iter().filter(|source| source.name != "main.rs") {
        let (module, name) = (source.module(), &source.name);
        let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == module) else {
            panic!("{name}: {module} is not in the table of arrows; add it");
        };
        for to in named(&source.path, &source.code) {
            let is_allowed = allowed.contains(&to.as_str()) || COMMON.contains(&to.as_str());
            assert!(is_allowed, "{name} names crate::{to}");
            used.insert((module, to));
        }
    }
    for (from, allowed) in ARROWS {
        for to in allowed {
            assert!(used.contains(&(from, (*to).to_owned())), "no module uses {from} -> {to}");
        }
    }
}

#[test]
fn arrows_point_down() {
    for (at, (from, allowed)) in ARROWS.iter().enumerate() {
        for to in *allowed {
            let is_below = ARROWS[at + 1..].iter().any(|(module, _)| module == to);
            assert!(is_below, "{from} -> {to} points up");
        }
    }
}

/// A line of the map is `module -> module, module`, two or more spaces, and a description.
#[test]
fn the_map_in_the_crate_docs_has_these_modules_and_arrows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let text = fs::read_to_string(root).unwrap();
    let map = text.split_once("```text\n").unwrap().1.split_once("```").unwrap().0;
    let mut lines = BTreeSet::new();
    let map = map.lines().map(|line| line.trim_start_matches("//!").trim());
    for line in map.filter(|line| !line.is_empty()) {
        let arrows = line.split("  ").next().unwrap();
        let (from, to) = arrows.split_once(" -> ").unwrap_or((arrows, ""));
        let to: Vec<&str> = to.split(", ").filter(|to| !to.is_empty()).collect();
        assert!(lines.insert((from, to)), "{from} is on two lines");
    }
    let mut expected: BTreeSet<(&str, Vec<&str>)> = ARROWS
        .iter()
        .filter(|(module, _)| !COMMON.contains(module))
        .map(|(from, to)| (*from, to.to_vec()))
        .collect();
    expected.insert(("main", vec!["lib", "internals"]));
    expected.insert(("everything", COMMON.to_vec()));
    assert_eq!(lines, expected);
}

/// The texts of `code` in double quotes that consist of these characters.
fn quoted(code: &str, is_part: impl Fn(char) -> bool) -> BTreeSet<&str> {
    let texts = code.split('"').skip(1).step_by(2);
    texts.filter(|text| !text.is_empty() && text.chars().all(&is_part)).collect()
}

/// The tables of `docs/settings.md` are made from `settings/known.rs` and `settings/variables.rs`.
/// The compiler makes sure that every setting that is read is in the table; this does for variables.
#[test]
fn docs_list_every_variable() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/settings.md")).unwrap();
    for source in sources() {
        // The names of values in the help of commands and in the snippets of `ci` look the same.
        if source.module() == "cli" || source.name == "commands/ci/mod.rs" {
            continue;
        }
        for variable in quoted(&source.code, |c| c.is_ascii_uppercase() || c == '_') {
            let is_name = variable.contains('_') && !variable.ends_with('_');
            let is_exempt = variable.starts_with("AZURE_CORE_") || variable == "CARGO_PKG_VERSION";
            let is_listed = page.contains(&format!("`{variable}`"));
            assert!(!is_name || is_exempt || is_listed, "{variable}: {}", source.name);
        }
    }
}

/// The names that another crate can reach: `run` and what `internals` exports. Private modules hold
/// everything else.
#[test]
fn few_items_are_public() {
    let sources = sources();
    let text = |name: &str| &sources.iter().find(|source| source.name == name).unwrap().code;
    let modules = text("lib.rs").lines().filter(|line| line.starts_with("pub mod "));
    assert_eq!(modules.collect::<Vec<_>>(), ["pub mod internals;"]);
    // What only the fuzz targets reach is in no other build.
    let always = text("internals.rs").split("#[cfg(fuzzing)]").next().unwrap();
    let exports = always.split("pub use ").skip(1).map(|export| {
        let names = export.split(';').next().unwrap();
        names.split('{').next_back().unwrap().split(',').filter(|it| it.trim().len() > 1).count()
    });
    let count = exports.sum::<usize>() + 1;
    assert!((30..60).contains(&count), "{count} public items");
}

#[test]
fn no_source_file_is_too_long() {
    for Source { name, text, .. } in sources() {
        let lines = text.lines().count();
        assert!(lines <= MAX_LINES, "{name} has {lines} lines; split it");
    }
}

#[test]
fn only_sys_uses_the_operating_system() {
    let forbidden = [
        "std::env",
        "SystemTime",
        "Instant::now",
        "process::Command",
        "TcpStream",
        "TcpListener",
        "Client::builder",
        "println!",
        "eprintln!",
    ];
    for source in sources() {
        let (module, name, code) = (source.module(), &source.name, &source.code);
        if module == "sys" || module == "main" {
            continue;
        }
        for word in forbidden {
            assert!(!code.contains(word), "{name} names {word}");
        }
    }
}

/// Members of a response that have no `foreign` type, and why.
const BARE_TEXTS: [(&str, &str); 8] = [
    ("entra/error_response.rs claims", "passed on unchanged, as base64 or escaped JSON"),
    ("entra/token_response.rs scope", "a list of words, stored and never shown"),
    (
        "entra/token_response.rs client_info",
        "base64, decoded into names, and passed to az unchanged",
    ),
    ("entra/device_code.rs verification_uri", ADDRESS),
    ("entra/device_code.rs verification_url", ADDRESS),
    ("entra/device_code.rs verification_uri_complete", ADDRESS),
    ("entra/device_code.rs verification_url_complete", ADDRESS),
    ("arm.rs next_link", "parsed as a URL before the request"),
];

const ADDRESS: &str = "parsed as a URL before it is shown; a misleading one is refused";

/// Files that read JSON directly, and why azt shows none of it.
const BARE_JSON: [(&str, &str); 2] = [
    ("entra/claims.rs", "challenges, which are passed on"),
    ("arm/challenge.rs", "only checks that it is JSON"),
];

/// Text from a server or a token is parsed into a `foreign` type.
#[test]
fn responses_are_parsed_into_foreign_types() {
    let (mut structs, mut exceptions) = (0, Vec::new());
    for source in sources() {
        let (module, name, code) = (source.module(), &source.name, &source.code);
        if module != "entra" && module != "arm" {
            continue;
        }
        let lines: Vec<&str> = code.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            if !(line.contains("#[derive(") && line.contains("Deserialize")) {
                continue;
            }
            structs += 1;
            let indent = line.len() - line.trim_start().len();
            let is_end = |line: &&&str| line.trim_end() == format!("{}}}", " ".repeat(indent));
            let end = at + lines[at..].iter().position(|line| is_end(&line)).unwrap();
            for field in lines[at..end].iter().map(|line| line.trim()) {
                if let Some((member, _)) = field.split_once(": ").filter(|_| !field.contains('(')) {
                    let place = format!("{name} {}", member.trim_start_matches("pub "));
                    assert!(
                        is_loose(&lines[..=at + position(&lines[at + 1..], field)]),
                        "{place}: a server may omit it or send another type; read it by `foreign::lenient` or `or_default`"
                    );
                }
                let is_bare = field
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .any(|word| ["String", "Value", "Map", "Cow", "str", "Box"].contains(&word));
                if is_bare && !field.starts_with("#[") {
                    let member = field.trim_start_matches("pub ").split(':').next().unwrap();
                    let place = format!("{name} {member}");
                    assert!(
                        BARE_TEXTS.iter().any(|(exception, _)| *exception == place),
                        "{name}: `{field}` is a server's text; give it a type of `foreign`"
                    );
                    exceptions.push(place);
                }
            }
        }
        let is_json = ["serde_json::from_s", "serde_json::from_r", "json::<Value>"];
        if is_json.iter().any(|word| code.contains(word)) {
            let is_exception = BARE_JSON.iter().any(|(exception, _)| *exception == name);
            assert!(is_exception, "{name} must read JSON with `Response::json`");
        }
    }
    assert!(structs >= 12, "the test finds the structs: {structs}");
    for (place, _) in BARE_TEXTS {
        assert!(exceptions.iter().any(|it| it == place), "{place} is no exception any more");
    }
}

fn position(lines: &[&str], field: &str) -> usize {
    lines.iter().position(|line| line.trim() == field).unwrap()
}

/// True if the last line of `before` is an attribute that accepts a missing or different member.
fn is_loose(before: &[&str]) -> bool {
    let last = before.iter().rev().find(|line| !line.trim().is_empty()).unwrap();
    ["lenient", "or_default", "moment", "words", "last_segment", "rows"]
        .iter()
        .any(|reader| last.contains(&format!("deserialize_with = \"{reader}\"")))
}

#[test]
fn vault_uses_no_network_and_entra_no_disk() {
    for source in sources() {
        let (module, name, code) = (source.module(), &source.name, &source.code);
        if module == "vault" {
            assert!(!code.contains("reqwest") && !code.contains("http"), "{name}");
        }
        if module == "entra" {
            assert!(!code.contains("std::fs") && !code.contains("sys::file"), "{name}");
        }
    }
}

/// docs/dependencies.md has a table of linked crates, and lists those for tests outside tables.
#[test]
fn docs_list_every_dependency() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let document = fs::read_to_string(root.join("docs/dependencies.md")).unwrap();
    let (table, prose): (Vec<&str>, Vec<&str>) =
        document.lines().partition(|line| line.starts_with("| "));
    let first_column = table.iter().filter_map(|row| row.split('|').nth(1));
    let linked: BTreeSet<&str> = first_column
        .flat_map(|cell| cell.split(','))
        .filter_map(|name| name.split('(').next().map(str::trim))
        .filter(|name| !["crate", "---"].contains(name))
        .collect();
    let is_name = |c: char| c.is_alphanumeric() || "_-".contains(c);
    let for_tests: BTreeSet<&str> =
        prose.iter().flat_map(|line| line.split(|c| !is_name(c))).collect();
    let (mut section, mut found) = ("", BTreeSet::new());
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if let Some((name, _)) = line.split_once(" = ")
            && section.ends_with("dependencies]")
        {
            let is_for_tests = section == "[dev-dependencies]";
            let reasons = if is_for_tests { &for_tests } else { &linked };
            assert!(reasons.contains(name), "docs/dependencies.md does not list {name}");
            if !is_for_tests {
                found.insert(name);
            }
        }
    }
    assert!(found.len() > 25, "the test finds the manifest");
    assert_eq!(linked, found, "docs/dependencies.md lists a crate that is not linked");
}
