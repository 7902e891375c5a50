//! What Entra demands, code by code and flow by flow (`tests/cases/demands.json`): exit code, remedy
//! and command. The table itself is `src/broker/demands.rs`.
//!
//! `AZT_RECORD_DEMANDS=1 cargo test --test it demands` records the current outcomes in that file;
//! read the difference before you commit it.

use std::collections::BTreeSet;
use std::sync::Mutex;

use azt::internals::broker::demanded_codes;
use entra_emulator::Fault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::browser::login_with_browser;
use crate::support::*;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/demands.json");

/// Most runs wait for the device code's interval.
const MACHINES: usize = 8;

const TOKEN: [&str; 4] = ["account", "get-access-token", "--resource", "https://vault.azure.net"];

/// Codes that have the same outcomes.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Case {
    codes: Vec<u32>,
    /// The OAuth error code with which Entra sends them.
    error: String,
    outcomes: Vec<Outcome>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Outcome {
    flows: Vec<Flow>,
    #[serde(default)]
    exit: i32,
    /// The lines after Entra's own text.
    #[serde(default)]
    remedy: Vec<String>,
    #[serde(default)]
    command: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Flow {
    /// A token of Alice's, with her refresh token.
    Refresh,
    /// Alice signs in.
    Code,
    Browser,
    Password,
    /// A token of the application's (client credentials).
    Application,
}

/// The text of the answer, without the code.
fn description(code: u32) -> String {
    format!("The reason of {code}.")
}

fn order(sandbox: &Sandbox, error: &str, code: u32) {
    sandbox.emulator.faults().clear();
    let action = refusal(error, code, &description(code));
    sandbox.emulator.faults().push(Fault::on("/token", action));
}

fn run(sandbox: &mut Sandbox, flow: Flow) -> Run {
    let format = ["--error-format", "json"];
    let login = [&["login", "--tenant", CONTOSO][..], &format].concat();
    match flow {
        Flow::Refresh => sandbox.azt([&TOKEN[..], &["--account", ALICE], &format].concat()),
        Flow::Application => sandbox.azt([&TOKEN[..], &["--account", APP], &format].concat()),
        Flow::Code => sandbox.azt([&login[..], &["--use-device-code"]].concat()),
        Flow::Password => {
            sandbox.azt([&login[..], &["-u", ALICE, "-p", "Alice-password-1"]].concat())
        }
        Flow::Browser => {
            let run = login_with_browser(sandbox, &login[1..]);
            sandbox.unset("BROWSER");
            run
        }
    }
}

/// What a program reads, of the flow `flow`.
fn outcome(sandbox: &mut Sandbox, flow: Flow, error: &str, code: u32) -> Outcome {
    order(sandbox, error, code);
    let run = run(sandbox, flow);
    let line = run.stderr.lines().find(|line| line.starts_with(r#"{"error""#));
    let told: Value = serde_json::from_str(line.unwrap_or_else(|| panic!("{run:?}"))).unwrap();
    let told = &told["error"];
    let message = told["message"].as_str().unwrap();
    assert!(message.starts_with(&format!("AADSTS{code}: {}", description(code))), "{told}");
    assert_eq!((told["exitCode"].as_i64(), run.stdout.as_str()), (run.code.map(i64::from), ""));
    Outcome {
        flows: vec![flow],
        exit: run.code.unwrap(),
        remedy: serde_json::from_value(told["remedy"].clone()).unwrap_or_default(),
        command: told["command"].as_str().map(str::to_owned),
    }
}

/// One outcome for all flows that end alike.
fn together(all: Vec<Outcome>) -> Vec<Outcome> {
    let mut joined: Vec<Outcome> = Vec::new();
    for outcome in all {
        let alike = joined.iter_mut().find(|it| {
            (it.exit, &it.remedy, &it.command) == (outcome.exit, &outcome.remedy, &outcome.command)
        });
        match alike {
            Some(it) => it.flows.extend(outcome.flows),
            None => joined.push(outcome),
        }
    }
    joined
}

fn cases() -> Vec<Case> {
    serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap()
}

#[test]
fn every_demand_is_told_in_every_flow() {
    let mut cases = cases();
    let records = std::env::var_os("AZT_RECORD_DEMANDS").is_some();
    let wrong = Mutex::new(Vec::new());
    let queue = Mutex::new(cases.iter_mut());
    std::thread::scope(|scope| {
        for _ in 0..MACHINES {
            scope.spawn(|| {
                let mut sandbox = Sandbox::signed_in_as_alice();
                sandbox.login_app().success();
                let next = || queue.lock().unwrap().next();
                while let Some(case) = next() {
                    let flows: Vec<Flow> =
                        case.outcomes.iter().flat_map(|it| it.flows.clone()).collect();
                    for code in case.codes.clone() {
                        let all = flows
                            .iter()
                            .map(|flow| outcome(&mut sandbox, *flow, &case.error, code));
                        let found = together(all.collect());
                        if records {
                            case.outcomes = found;
                        } else if found != case.outcomes {
                            wrong.lock().unwrap().push(format!("{code}: {found:#?}"));
                        }
                    }
                }
            });
        }
    });
    if records {
        std::fs::write(FILE, serde_json::to_string_pretty(&cases).unwrap() + "\n").unwrap();
    }
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn under_the_name_az_the_table_changes_nothing() {
    let login = format!("--tenant \"{CONTOSO}\" --scope \"https://vault.azure.net/.default\"");
    let (alice, app) = (Sandbox::signed_in_as_alice(), Sandbox::signed_in_as_app());
    for case in cases() {
        for (sandbox, flow, login) in [
            (&alice, Flow::Refresh, format!("az login {login}")),
            (&app, Flow::Application, "az login".to_owned()),
        ] {
            let code = case.codes[0];
            if !case.outcomes.iter().any(|it| it.flows.contains(&flow)) {
                continue;
            }
            order(sandbox, &case.error, code);
            let run = sandbox.az(TOKEN).exits(1);
            let (first, rest) = run.stderr.split_once('\n').unwrap();
            let told = format!("ERROR: AADSTS{code}: {}", description(code));
            assert!(first.starts_with(&told), "{run:?}");
            let heading = "Run the command below to authenticate interactively; additional arguments may be added as needed:";
            let is_secret = matches!(code, 70_002 | 7_000_215);
            assert!(is_secret || rest == format!("{heading}\naz logout\n{login}\n"), "{run:?}");
        }
    }
}

#[test]
fn each_row_of_the_table_has_a_case() {
    let tried: BTreeSet<u32> = cases().into_iter().flat_map(|case| case.codes).collect();
    let missing: Vec<u32> = demanded_codes().filter(|code| !tried.contains(code)).collect();
    assert!(missing.is_empty(), "no case in tests/cases/demands.json: {missing:?}");
}
