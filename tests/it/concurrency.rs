//! Many processes at once.

use std::process::{Command, Stdio};

use crate::support::*;

/// A resource that accepts any permission name.
const AKS: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";

fn all(commands: impl Iterator<Item = Command>) -> Vec<Run> {
    let children: Vec<_> = commands
        .map(|mut command| {
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    children.into_iter().map(|child| Run::from(child.wait_with_output().unwrap())).collect()
}

fn tokens(runs: Vec<Run>) -> Vec<String> {
    let mut tokens: Vec<String> =
        runs.into_iter().map(|run| run.quiet().text("accessToken")).collect();
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

#[test]
fn two_hundred_callers_of_an_expired_token_make_one_request() {
    let sandbox = Sandbox::signed_in_as_alice();
    let arguments = ["account", "get-access-token", "--resource", "https://graph.microsoft.com"];
    sandbox.emulator.settings_mut(|settings| settings.token_lifetime = 100);
    drop(sandbox.azt(arguments).quiet());
    sandbox.emulator.settings_mut(|settings| settings.token_lifetime = 3599);
    sandbox.emulator.clear_requests();
    let runs = all((0..200).map(|_| sandbox.command(arguments)));
    assert_eq!(tokens(runs).len(), 1, "all were given the same token");
    assert_eq!(sandbox.requests(), ["POST token refresh_token"]);
}

#[test]
fn two_hundred_callers_of_twenty_tokens_make_twenty_requests() {
    let sandbox = Sandbox::signed_in_as_alice();
    let runs = all((0..200).map(|number| {
        let scope = format!("{AKS}/scope-{}", number % 20);
        sandbox.command(["account", "get-access-token", "--scope", &scope])
    }));
    assert_eq!(tokens(runs).len(), 20);
    assert_eq!(sandbox.requests(), ["POST token refresh_token"; 20]);
}

/// Sign-ins, sign-outs and default changes run beside callers: no file is lost or half written.
#[test]
fn sign_ins_sign_outs_and_callers_run_at_once() {
    let sandbox = Sandbox::signed_in_as_alice();
    let shared = "50000000-0000-4000-8000-000000000004";
    let runs = all((0..60).map(|number| match number % 6 {
        0 => sandbox.command(["account", "set", "-s", shared]),
        1 => sandbox.command(LOGIN_APP),
        // As az: a repeated one succeeds.
        2 => sandbox.az_command(["logout", "--username", APP]),
        3 => sandbox.command(["account", "list", "-o", "none"]),
        _ => {
            let scope = format!("{AKS}/scope-{}", number % 4);
            sandbox.command(["account", "get-access-token", "-s", shared, "--scope", &scope])
        }
    }));
    for run in runs {
        assert_eq!(run.code, Some(0), "{run:?}");
    }
    drop(sandbox.azt(["account", "get-access-token", "-s", shared]).quiet());
    // Whichever ran last, the secret and the profile entry agree.
    sandbox.az(["logout", "--username", APP]).quiet();
    let listed = sandbox.azt(["account", "list", "--all"]).success().json();
    assert!(listed.as_array().unwrap().iter().all(|entry| entry["user"]["name"] == ALICE));
}

/// Killed at any point, two thousand times: the vault stays readable, the sign-in stays, and
/// leftovers are swept.
#[test]
fn two_thousand_kills_lose_nothing() {
    let sandbox = Sandbox::signed_in_as_alice();
    // Every call refreshes, and writes an access token and a refresh token.
    sandbox.emulator.settings_mut(|settings| settings.token_lifetime = 60);
    let arguments = ["account", "get-access-token", "--resource", "https://graph.microsoft.com"];
    let begin = std::time::Instant::now();
    drop(sandbox.azt(arguments).quiet());
    // Spread over the duration of a call on this machine.
    let life = begin.elapsed();
    let mut finished = 0;
    for round in 0..200_u32 {
        let mut children: Vec<_> = (0..10)
            .map(|_| {
                let mut command = sandbox.command(arguments);
                command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                command.spawn().unwrap()
            })
            .collect();
        // A fraction of that duration, in no repeating pattern.
        std::thread::sleep(life * (round * 61 % 200) / 100);
        for child in &mut children {
            child.kill().unwrap();
            finished += usize::from(child.wait().unwrap().success());
        }
    }
    assert!(finished < 1_900, "they were killed: {finished} ended");
    sandbox.emulator.settings_mut(|settings| settings.token_lifetime = 3599);
    drop(sandbox.azt(arguments).quiet());
    drop(sandbox.azt(["account", "get-access-token", "--tenant", FABRIKAM]).quiet());
    let records = sandbox.file("azt/records");
    let names = || -> Vec<String> {
        let entries = std::fs::read_dir(&records).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert!(!names().iter().any(|name| name.ends_with(".unreadable")), "nothing was torn");
    // An hour later the next refresh sweeps the rest.
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(7200);
    for name in names().iter().filter(|name| name.ends_with(".tmp")) {
        std::fs::File::open(records.join(name)).unwrap().set_modified(old).unwrap();
    }
    let _ = std::fs::remove_file(sandbox.file("azt/swept"));
    drop(
        sandbox
            .azt(["account", "get-access-token", "--resource", "https://vault.azure.net"])
            .quiet(),
    );
    assert!(!names().iter().any(|name| name.ends_with(".tmp")), "{:?}", names());
}

#[test]
fn expired_tokens_are_swept_the_next_day() {
    let sandbox = Sandbox::signed_in_as_alice();
    let count = || {
        let records = std::fs::read_dir(sandbox.file("azt/records")).unwrap();
        let names = records.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("at-")).count()
    };
    for number in 0..5 {
        let scope = format!("{AKS}/scope-{number}");
        drop(sandbox.azt(["account", "get-access-token", "--scope", &scope]).quiet());
    }
    let before = count();
    let vault = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
    let two_days = 2 * 24 * 3600;
    sandbox.emulator.settings_mut(|settings| settings.clock_offset = two_days);
    drop(sandbox.azt_later(two_days, vault).quiet());
    assert_eq!((before, count()), (8, 1), "three of the sign-in and five, and then the new one");
    drop(sandbox.azt_later(two_days, ["account", "get-access-token"]).quiet());
}

#[test]
fn concurrent_config_changes_are_all_kept() {
    let sandbox = Sandbox::signed_in_as_alice();
    let runs = all((0..20).map(|n| sandbox.command(["config", "set", &format!("race.k{n}={n}")])));
    runs.into_iter().for_each(|run| drop(run.quiet()));
    let kept = sandbox.azt(["config", "get", "race"]).quiet().json();
    assert_eq!(kept.as_array().unwrap().len(), 20);
}

#[test]
fn a_sign_out_during_a_refresh_leaves_nothing() {
    let sandbox = Sandbox::signed_in_as_alice();
    let slow = entra_emulator::Action::Delay { milliseconds: 1000 };
    sandbox.emulator.faults().push(entra_emulator::Fault::on("/token", slow));
    let mut renewal =
        sandbox.command(["account", "get-access-token", "--resource", "https://vault.azure.net"]);
    let child = renewal.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    while sandbox.requests().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    sandbox.azt(["logout", "--username", ALICE]).success();
    // The earlier caller gets its token; nothing is stored.
    drop(Run::from(child.unwrap().wait_with_output().unwrap()).quiet());
    assert_eq!(std::fs::read_dir(sandbox.file("azt/records")).unwrap().count(), 0);
}

/// Waiting callers share the failure instead of repeating the request.
#[test]
fn waiting_callers_share_a_failed_refresh() {
    let sandbox = Sandbox::signed_in_as_alice();
    let graph = ["account", "get-access-token", "--resource", "https://graph.microsoft.com"];
    let slow = || entra_emulator::Action::Delay { milliseconds: 3000 };
    let faults = sandbox.emulator.faults();
    faults.push(entra_emulator::Fault::on("/token", slow()).times(1));
    let refusal = refusal("invalid_grant", 65_001, "Consent is missing.");
    faults.push(entra_emulator::Fault::on("/token", refusal));
    let runs = all((0..12).map(|_| sandbox.command(graph)));
    for run in &runs {
        assert_eq!(run.code, Some(5), "{run:?}");
        assert!(run.stderr.contains("AADSTS65001: Consent is missing."), "{run:?}");
        assert!(run.stderr.contains("azt login"), "{run:?}");
    }
    let asked = sandbox.requests().len();
    // Callers that started before the failure waited; on a slow machine a second one asks.
    assert!(asked <= 3, "{asked} requests of 12 callers");
    // A later call asks again.
    sandbox.emulator.faults().clear();
    drop(sandbox.azt(graph).quiet());
}
