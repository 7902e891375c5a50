//! Many processes at once.

use std::process::{Command, Stdio};

use crate::support::*;

fn all(commands: impl Iterator<Item = Command>) -> Vec<Run> {
    let children: Vec<_> = commands
        .map(|mut command| {
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    children.into_iter().map(|child| Run::from(child.wait_with_output().unwrap())).collect()
}

#[test]
fn a_hundred_callers_of_a_missing_token_make_one_request() {
    let sandbox = Sandbox::signed_in_as_alice();
    let arguments = ["account", "get-access-token", "--resource", "https://graph.microsoft.com"];
    let runs = all((0..100).map(|_| sandbox.command(arguments)));
    let mut tokens: Vec<String> =
        runs.into_iter().map(|run| run.quiet().text("accessToken")).collect();
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "all were given the same token");
    assert_eq!(sandbox.requests(), ["POST token refresh_token"]);
}

#[test]
fn settings_changed_at_once_are_all_kept() {
    let sandbox = Sandbox::signed_in_as_alice();
    let runs = all((0..20).map(|n| sandbox.command(["config", "set", &format!("race.k{n}={n}")])));
    runs.into_iter().for_each(|run| drop(run.quiet()));
    let kept = sandbox.azt(["config", "get", "race"]).quiet().json();
    assert_eq!(kept.as_array().unwrap().len(), 20);
}
