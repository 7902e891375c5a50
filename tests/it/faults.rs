//! What goes wrong, case by case (`tests/cases/faults.json`): what is said, how it ends, and that
//! nothing is lost by it.
//!
//! `AZT_RECORD_FAULTS=1 cargo test --test it faults` writes what is said now into the file, to be
//! read before it is believed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use entra_emulator::{Action, Fault};
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::support::*;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/faults.json");

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// `warm`: a token that is at hand; `renew`: one that is not; `app`: the application's;
    /// `refresh`: `account list --refresh`.
    run: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    faults: Vec<Fault>,
    /// In az's folder; null removes a file or folder.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    files: BTreeMap<String, Option<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dirs: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    modes: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    env: BTreeMap<String, String>,
    /// How many seconds the clock is ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    later: Option<i64>,
    #[serde(default)]
    exit: i32,
    #[serde(default)]
    stderr: Vec<String>,
}

/// Alice and the application on one machine; each case works on a copy of its folder.
struct Machine {
    sandbox: Sandbox,
    original: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let sandbox = Sandbox::signed_in_as_alice();
        sandbox.login_app().success();
        drop(sandbox.azt(["account", "get-access-token", "--account", ALICE]).quiet());
        let original = sandbox.root().join("original");
        copy(&sandbox.config_dir(), &original);
        Self { sandbox, original }
    }

    /// The folder as it was, then as the case has it.
    fn set_up(&mut self, case: &Case) {
        std::fs::remove_dir_all(self.sandbox.config_dir()).unwrap();
        copy(&self.original, &self.sandbox.config_dir());
        for (name, text) in &case.files {
            let path = self.sandbox.file(name);
            match text {
                Some(text) => std::fs::write(path, text).unwrap(),
                None if path.is_dir() => std::fs::remove_dir_all(path).unwrap(),
                None => std::fs::remove_file(path).unwrap(),
            }
        }
        for name in &case.dirs {
            std::fs::create_dir(self.sandbox.file(name)).unwrap();
        }
        #[cfg(unix)]
        for (name, mode) in &case.modes {
            use std::os::unix::fs::PermissionsExt;
            let mode = u32::from_str_radix(mode, 8).unwrap();
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(self.sandbox.file(name), mode).unwrap();
        }
        let faults = self.sandbox.emulator.faults();
        faults.clear();
        for fault in &case.faults {
            let mut fault = fault.clone();
            if let Action::Answer { body, .. } = &mut fault.action
                && body == "@17MB@"
            {
                *body = "x".repeat(17 * 1024 * 1024);
            }
            faults.push(fault);
        }
    }

    fn run(&self, case: &Case) -> Run {
        let alice = ["account", "get-access-token", "--account", ALICE];
        let other = ["--resource", "https://vault.azure.net"];
        let args = match case.run.as_str() {
            "warm" => alice.to_vec(),
            "renew" => [&alice[..], &other].concat(),
            "app" => [&["account", "get-access-token", "--account", APP][..], &other].concat(),
            "refresh" => vec!["account", "list", "--refresh", "-o", "none"],
            other => panic!("{other}"),
        };
        if let Some(seconds) = case.later {
            return self.sandbox.azt_later(seconds, args);
        }
        let mut command = self.sandbox.command(args);
        let home = self.sandbox.root().join("home");
        for (name, value) in &case.env {
            command.env(name, value.replace("@HOME@", home.to_str().unwrap()));
        }
        Run::of(&mut command)
    }

    /// Standard error without what differs from run to run.
    fn normal(&self, run: &Run) -> Vec<String> {
        let mut text = run.stderr.replace(self.sandbox.root().to_str().unwrap(), "@");
        for (pattern, name) in [
            (r"localhost:\d+", "localhost"),
            (r"Trace ID: \S+", "Trace ID: …"),
            (r"Correlation ID: \S+", "Correlation ID: …"),
            (r"Timestamp: \S+ \S+", "Timestamp: …"),
            (r"[0-9a-f]{16}\b", "<key id>"),
            (r"-[0-9a-f]{32}", "-<name>"),
        ] {
            text = Regex::new(pattern).unwrap().replace_all(&text, name).into_owned();
        }
        text.lines().map(str::to_owned).collect()
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn each_fault_has_its_sentence_its_exit_code_and_its_end() {
    let mut cases: Vec<Case> =
        serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    assert!(cases.len() >= 60);
    let records = std::env::var_os("AZT_RECORD_FAULTS").is_some();
    let mut machine = Machine::new();
    let mut wrong = Vec::new();
    for case in &mut cases {
        machine.set_up(case);
        let before = machine.sandbox.all_files();
        let run = machine.run(case);
        let said = machine.normal(&run);
        assert!(!run.stderr.contains('\u{1b}'), "{}: {run:?}", case.name);
        assert!(
            run.stderr.lines().all(|line| !line.contains("panicked")),
            "{}: {run:?}",
            case.name
        );
        if records {
            (case.exit, case.stderr) = (run.code.unwrap(), said);
        } else if (run.code, &said) != (Some(case.exit), &case.stderr) {
            wrong.push(format!("{}: {:?} {said:#?}", case.name, run.code));
            continue;
        }
        // What the case broke stays as it is, and nothing else is lost: with it mended, both are
        // signed in.
        for name in case.files.iter().filter_map(|(name, text)| text.as_ref().map(|_| name)) {
            let path = machine.sandbox.file(name);
            let kept = before.iter().find(|(it, _)| *it == path).map(|(_, content)| content);
            let is_ours = name == "azt/found.json";
            assert!(is_ours || kept == std::fs::read(&path).ok().as_ref(), "{}: {name}", case.name);
        }
        machine.sandbox.emulator.faults().clear();
        for name in case.files.keys().chain(&case.dirs).chain(case.modes.keys()) {
            let (kept, path) = (machine.original.join(name), machine.sandbox.file(name));
            if kept.is_dir() {
                let _ = std::fs::remove_dir_all(&path);
                copy(&kept, &path);
            } else if kept.exists() {
                std::fs::copy(kept, path).unwrap();
            }
        }
        for account in [ALICE, APP] {
            let token = ["account", "get-access-token", "--account", account];
            let after = machine
                .sandbox
                .azt([&token[..], &["--resource", "https://graph.microsoft.com"]].concat());
            assert_eq!(after.code, Some(0), "after {}: {after:?}", case.name);
        }
    }
    if records {
        std::fs::write(FILE, serde_json::to_string_pretty(&cases).unwrap() + "\n").unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
