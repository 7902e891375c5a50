//! `azt ci`: snippets with the ids of the current sign-in.

use std::os::unix::fs::symlink;

use crate::support::*;

/// The application that trusts the emulated pipelines.
const WORKFLOW: &str = "a1000000-0000-4000-8000-000000000003";

const PLACES: [&str; 5] = ["github", "azure-pipelines", "gitlab", "docker", "kubernetes"];

/// docs/scripts.md and docs/containers.md show what `azt ci` prints when nobody is signed in.
#[test]
fn the_docs_show_the_snippets() {
    let page = |name| {
        std::fs::read_to_string(format!("{}/docs/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    let docs = page("scripts.md") + &page("containers.md");
    let sandbox = Sandbox::new();
    for place in PLACES {
        let run = sandbox.azt(["ci", place]).success();
        assert!(docs.contains(&format!("\n{}```\n", run.stdout)), "{place}:\n{}", run.stdout);
    }
}

#[test]
fn ids_of_the_sign_in_are_filled_in_and_missing_ones_named() {
    let sandbox = Sandbox::signed_in_as_app();
    let run = sandbox.azt(["ci", "GitHub"]).success();
    let login = format!("azt login --service-principal -u {APP} --tenant {CONTOSO} --federated");
    assert!(run.stdout.contains(&login), "{}", run.stdout);
    assert_eq!(run.stderr, "Replace: REPOSITORY.\n");

    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    drop(sandbox.azt(["login", "--use-device-code"]).success());
    let run = sandbox.azt(["ci", "azure-pipelines"]).success();
    assert!(run.stdout.contains(&format!("--tenant {CONTOSO} ")), "{}", run.stdout);
    assert_eq!(run.stderr, "Replace: APP_ID, CONNECTION_ID.\n");
    sandbox.azt(["ci", "jenkins"]).exits(2);
}

/// Runs the steps of the job as GitHub's runner does: one shell each, with the job's variables.
#[test]
fn the_job_for_github_signs_in_and_gets_a_token() {
    let sandbox = Sandbox::new();
    symlink(env!("CARGO_BIN_EXE_azt"), sandbox.root().join("bin/azt")).unwrap();
    let snippet = sandbox.azt(["ci", "github"]).success().stdout;
    let snippet = snippet.replace("-u APP_ID", &format!("-u {WORKFLOW}"));
    let snippet = snippet.replace("--tenant TENANT", &format!("--tenant {CONTOSO}"));
    let login = line_with(&snippet, "azt login").trim_start_matches("- run: ").to_owned();
    let token = line_with(&snippet, "TOKEN=");
    let url = format!("{}/pipeline/github?api-version=2.0", sandbox.emulator.url());
    for script in [login, format!("{token}; test -n \"$TOKEN\"")] {
        let mut shell = std::process::Command::new("/bin/sh");
        shell.args(["-ec", &script]).env_clear().envs(sandbox.env());
        shell.env("PATH", format!("{}:/usr/bin:/bin", sandbox.root().join("bin").display()));
        shell.env("ACTIONS_ID_TOKEN_REQUEST_URL", &url).env("GITHUB_ACTIONS", "true");
        shell.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "emulator-job-token");
        drop(Run::of(shell.current_dir(sandbox.root())).success());
    }
}

fn line_with<'a>(text: &'a str, part: &str) -> &'a str {
    text.lines().find(|line| line.contains(part)).unwrap().trim()
}
