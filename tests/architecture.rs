//! The arrows of the house (see the crate docs) point down only.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test panics")]

use std::fs;
use std::path::{Path, PathBuf};

/// A module, and the modules of this crate that it may name.
const ARROWS: [(&str, &[&str]); 18] = [
    ("cli", &["output", "sys"]),
    ("commands", &["accounts", "arm", "broker", "cli", "interop", "output", "settings", "sys"]),
    ("accounts", &["arm", "broker", "interop", "settings", "sys"]),
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
    ("foreign", &[]),
    ("secret", &[]),
    ("program", &[]),
    ("shell", &[]),
    ("lib", &["accounts", "arm", "broker", "cli", "commands", "exit", "output", "settings", "sys"]),
];

/// What everything may name.
const COMMON: [&str; 5] = ["error", "foreign", "program", "secret", "shell"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<(String, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        let module = name.split(['/', '.']).next().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        // Tests may reach further; they stand at the end of a file.
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap().to_owned();
        let code =
            code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>();
        (module, name, code.join("\n"))
    };
    found.into_iter().map(read).collect()
}

#[test]
fn arrows_point_down() {
    let sources = all_sources();
    assert!(sources.len() > 60, "the test sees the sources");
    for (module, name, code) in &sources {
        if module == "main" {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| from == module) else {
            panic!("{name}: {module} has no place in the house; give it one here");
        };
        for named in code.split("crate::").skip(1) {
            let to: String =
                named.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if to.is_empty() || to == *module {
                continue;
            }
            assert!(
                allowed.contains(&to.as_str()) || COMMON.contains(&to.as_str()),
                "{name} names crate::{to}"
            );
        }
    }
}

#[test]
fn only_sys_names_the_outside() {
    let outside = [
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
    for (module, name, code) in all_sources() {
        if module == "sys" || module == "main" {
            continue;
        }
        for word in outside {
            assert!(!code.contains(word), "{name} names {word}");
        }
    }
}

/// Texts of an answer that are no `foreign` type, and why not.
const BARE_TEXTS: [(&str, &str); 8] = [
    ("entra/error_response.rs claims", "goes on to the byte, as base64 or escaped JSON"),
    ("entra/token_response.rs scope", "a list of words, stored and never shown"),
    (
        "entra/token_response.rs client_info",
        "base64, decoded into names, and handed on to az as it came",
    ),
    ("entra/device_code.rs verification_uri", ADDRESS),
    ("entra/device_code.rs verification_url", ADDRESS),
    ("entra/device_code.rs verification_uri_complete", ADDRESS),
    ("entra/device_code.rs verification_url_complete", ADDRESS),
    ("arm.rs next_link", "parsed as a URL before it is asked"),
];

const ADDRESS: &str = "parsed as a URL before it is shown; one that hides something is refused";

/// Where JSON is looked at as it came, and why that is not shown.
const BARE_JSON: [(&str, &str); 2] = [
    ("entra/claims.rs", "challenges, which are sent on"),
    ("arm/challenge.rs", "whether it is JSON at all"),
];

/// What a server or a token says is a `foreign` type from where it is parsed.
#[test]
fn no_answer_has_bare_text() {
    let (mut structs, mut excused) = (0, Vec::new());
    for (module, name, code) in all_sources() {
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
                        "{place}: others leave it out, or write it otherwise; read it by `foreign::if_it_is_one` or `or_default`"
                    );
                }
                let is_bare = field
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .any(|word| ["String", "Value", "Map", "Cow", "str", "Box"].contains(&word));
                if is_bare && !field.starts_with("#[") {
                    let member = field.trim_start_matches("pub ").split(':').next().unwrap();
                    let place = format!("{name} {member}");
                    assert!(
                        BARE_TEXTS.iter().any(|(excused, _)| *excused == place),
                        "{name}: `{field}` comes from others; make it a type of `foreign`"
                    );
                    excused.push(place);
                }
            }
        }
        let is_json = ["serde_json::from_s", "serde_json::from_r", "json::<Value>"];
        if is_json.iter().any(|word| code.contains(word)) {
            let is_excused = BARE_JSON.iter().any(|(excused, _)| *excused == name);
            assert!(is_excused, "{name} reads JSON past `Response::json`, in one dialect alone");
        }
    }
    assert!(structs >= 12, "the test sees the structs: {structs}");
    for (place, _) in BARE_TEXTS {
        assert!(excused.iter().any(|it| it == place), "{place} needs no excuse any more");
    }
}

fn position(lines: &[&str], field: &str) -> usize {
    lines.iter().position(|line| line.trim() == field).unwrap()
}

/// Whether the member that stands behind `before` is read loosely: an attribute of it says so.
fn is_loose(before: &[&str]) -> bool {
    let last = before.iter().rev().find(|line| !line.trim().is_empty()).unwrap();
    ["if_it_is_one", "or_default", "moment", "words", "last_segment", "rows"]
        .iter()
        .any(|reader| last.contains(&format!("deserialize_with = \"{reader}\"")))
}

#[test]
fn the_vault_knows_no_network_and_the_protocol_no_disk() {
    for (module, name, code) in all_sources() {
        if module == "vault" {
            assert!(!code.contains("reqwest") && !code.contains("http"), "{name}");
        }
        if module == "entra" {
            assert!(!code.contains("std::fs") && !code.contains("sys::file"), "{name}");
        }
    }
}

#[test]
fn every_dependency_has_its_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let reasons = fs::read_to_string(root.join("docs/dependencies.md")).unwrap();
    let mut count = 0;
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        } else if let Some((name, _)) = line.split_once(" = ").filter(|_| inside) {
            count += 1;
            assert!(reasons.contains(name), "docs/dependencies.md does not say what {name} is for");
        }
    }
    assert!(count > 25, "the test sees the manifest");
}
