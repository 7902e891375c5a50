//! SDKs and tools with the binary under the name `az`: the published JavaScript and Rust
//! clients; of clients that are not installed here the exact command lines, from
//! `tests/cases/sdk.json`, with their parsing rules.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::*;

const ARM: &str = "https://management.azure.com/.default";

fn path(sandbox: &Sandbox) -> String {
    format!("{}:/usr/bin:/bin", sandbox.root().join("bin").display())
}

fn claims(token: &Value) -> Value {
    use base64::Engine;
    let token = token["token"].as_str().unwrap_or_else(|| panic!("no token: {token}"));
    let payload = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// node, and a script of `tests/peers/js`.
pub fn node(script: &str) -> [PathBuf; 2] {
    let node = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join("node"))
        .find(|file| file.exists())
        .expect("node: run tests/run");
    [node, Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/js").join(script)]
}

/// The folder of the packages, which the scripts read in `AZT_TEST_NODE`.
pub fn node_packages() -> PathBuf {
    let modules = std::env::var_os("AZT_TEST_NODE")
        .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../node"), PathBuf::from);
    assert!(modules.exists(), "there is no {}: run tests/run", modules.display());
    modules.canonicalize().unwrap()
}

fn javascript(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let [node, script] = node("get_token.mjs");
    let mut command = Command::new(node);
    command
        .arg(script)
        .args(arguments)
        .env_clear()
        .envs(sandbox.env())
        .env("PATH", path(sandbox))
        .env("AZT_TEST_NODE", node_packages());
    Run::of(&mut command).success().json()
}

#[test]
fn both_generations_of_the_javascript_sdk_get_tokens() {
    let sandbox = Sandbox::signed_in_as_alice();
    for generation in ["4.13", "4.14"] {
        let cli = |options: &str| javascript(&sandbox, &[generation, "cli", ARM, options]);
        assert_eq!(claims(&cli("{}"))["tid"], CONTOSO, "{generation}");
        let elsewhere = cli(r#"{"tenantId": "f0000000-0000-4000-8000-00000000000b"}"#);
        assert_eq!(claims(&elsewhere)["tid"], FABRIKAM, "{generation}");
        let named = cli(r#"{"subscription": "Fabrikam Shared"}"#);
        assert_eq!(claims(&named)["tid"], FABRIKAM, "{generation}");
        // The real az refuses the two options together.
        let both = format!(r#"{{"tenantId": "{CONTOSO}", "subscription": "Contoso Production"}}"#);
        assert_eq!(claims(&cli(&both))["tid"], CONTOSO, "{generation}");
        let expires = cli("{}")["expires"].as_i64().unwrap();
        assert!(
            expires > azt::internals::sys::Clock::System.now() * 1000,
            "milliseconds: {expires}"
        );
    }
    drop(sandbox.azt(["logout"]).success());
    for generation in ["4.13", "4.14"] {
        let failed = javascript(&sandbox, &[generation, "cli", ARM]);
        assert_eq!(failed["error"], "CredentialUnavailableError", "{failed}");
        let message = failed["message"].as_str().unwrap();
        assert!(message.contains("az login") && !message.contains("not installed"), "{message}");
    }
}

/// The example that is the Rust SDK.
pub fn rust_sdk() -> PathBuf {
    let built = std::env::current_exe().unwrap();
    built.ancestors().nth(2).unwrap().join("examples/azure_identity")
}

fn rust(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let mut command = Command::new(rust_sdk());
    command.args(arguments).env_clear().envs(sandbox.env()).env("PATH", path(sandbox));
    Run::of(&mut command).success().json()
}

#[test]
fn the_rust_sdk_gets_tokens() {
    let sandbox = Sandbox::signed_in_as_alice();
    assert_eq!(claims(&rust(&sandbox, &[ARM]))["tid"], CONTOSO);
    assert_eq!(claims(&rust(&sandbox, &[ARM, FABRIKAM]))["tid"], FABRIKAM);
    let both = rust(&sandbox, &[ARM, CONTOSO, "Contoso Production"]);
    assert_eq!(claims(&both)["tid"], CONTOSO);
    drop(sandbox.azt(["logout"]).success());
    let failed = rust(&sandbox, &[ARM]);
    let message = failed["error"].as_str().unwrap();
    // As with az, no account is the default after a sign-out.
    assert!(message.contains("Please run 'az login' to setup account."), "{message}");
}

/// Runs the case's command as its client does.
fn start(sandbox: &Sandbox, case: &Value) -> Run {
    let line = case["command"].as_str().unwrap();
    let mut command = if case["stripped"] == true {
        // Only PATH is set, so the home folder comes from passwd: bind-mounts the sandbox's home
        // over it, in a mount namespace.
        let home = dirs::home_dir().unwrap();
        let mut command = Command::new("unshare");
        let script = format!(
            "mount --bind '{}' '{}' && cd / && exec env -i PATH=\"$PATH\" /bin/sh -c '{line}'",
            sandbox.root().join("home").display(),
            home.display()
        );
        command.args(["--mount", "--map-root-user", "/bin/sh", "-c", &script]);
        command
    } else if case["shell"] == true {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", line]);
        command
    } else {
        let words = shlex::split(line).unwrap();
        let mut command = Command::new(sandbox.root().join("bin/az"));
        command.args(&words[1..]);
        command
    };
    command.env_clear().envs(sandbox.env()).env("PATH", path(sandbox));
    command.current_dir(case["cwd"].as_str().unwrap_or("/"));
    command.stdin(Stdio::null());
    Run::of(&mut command)
}

/// True if a member satisfies the strictest client.
fn is_fit(answer: &Value, member: &str) -> bool {
    let value = &answer[member];
    match member {
        "expires_on" => value.is_i64(),
        "expiresOn" => value.as_str().is_some_and(|text| {
            text.len() == 26
                && chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S.%6f").is_ok()
        }),
        "tokenType" => *value == "Bearer",
        "azure-cli" => value.as_str().is_some_and(|text| text.starts_with("2.")),
        "user" | "endpoints" | "suffixes" => value.is_object(),
        _ => value.as_str().is_some_and(|text| !text.is_empty()),
    }
}

#[test]
fn the_recorded_clients_can_read_the_answers() {
    let sandbox = Sandbox::signed_in_as_alice();
    // A stripped environment has no REQUESTS_CA_BUNDLE, so every token must be cached.
    for scope in ["https://storage.azure.com/.default"] {
        for tenant in [&[][..], &["--tenant", FABRIKAM]] {
            drop(
                sandbox
                    .az([&["account", "get-access-token", "--scope", scope], tenant].concat())
                    .quiet(),
            );
        }
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/sdk.json");
    let cases: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    for case in cases.as_array().unwrap() {
        let client = case["client"].as_str().unwrap();
        let run = start(&sandbox, case);
        let code = case["exit"].as_i64().unwrap_or(0);
        assert_eq!(run.code.map(i64::from), Some(code), "{client}: {run:?}");
        if code != 0 {
            let expected = case["says"].as_str().unwrap();
            assert!(run.stderr.contains(expected) && run.stdout.is_empty(), "{client}: {run:?}");
            continue;
        }
        let warns = case["warns"].as_str().unwrap_or_default();
        assert_eq!(run.stderr, warns, "{client}: some take any text there for a failure");
        let text = run.stdout.as_str();
        for member in case["reads"].as_array().into_iter().flatten() {
            let member = member.as_str().unwrap();
            assert!(is_fit(&run.json(), member), "{client}: {member} of {text}");
            // az's layout: some clients search the text.
            assert!(text.contains(&format!("\n  \"{member}\": ")), "{client}: {text}");
        }
        if case["text"] == true {
            assert!(run.json().as_str().is_some_and(|text| !text.is_empty()), "{client}: {text}");
        }
        if case["jwt"] == true {
            assert_eq!(text.matches('.').count(), 2, "{client}: {text}");
            assert!(text.ends_with('\n') && text.lines().count() == 1, "{client}: {text}");
        }
        if let Some(expected) = case["prints"].as_str() {
            assert_eq!(text, expected, "{client}");
        }
        if let Some(expected) = case["begins"].as_str() {
            assert!(text.starts_with(expected), "{client}: {text}");
        }
    }
}

/// Runs a pipeline's script in bash, with `az` first on PATH.
fn pipeline(sandbox: &Sandbox, script: &str) -> Run {
    let mut command = Command::new("/bin/bash");
    command.args(["-e", "-u", "-o", "pipefail", "-c", script]);
    command.env_clear().envs(sandbox.env()).env("PATH", path(sandbox));
    Run::of(command.current_dir(sandbox.root()))
}

#[test]
fn the_azure_login_action_works() {
    let mut sandbox = Sandbox::new();
    let url = format!("{}/pipeline/github?api-version=2.0", sandbox.emulator.url());
    sandbox.set("ACTIONS_ID_TOKEN_REQUEST_URL", &url);
    sandbox.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "emulator-job-token");
    let token = sandbox.emulator.assertion(
        "https://token.actions.githubusercontent.com",
        "repo:contoso/app:ref:refs/heads/main",
    );
    let script = format!(
        r#"
az account clear
az version
az cloud set -n emulator
az login --service-principal --username a1000000-0000-4000-8000-000000000003 --tenant {CONTOSO} --federated-token {token} --allow-no-subscriptions
az account set --subscription {PRODUCTION}
az account show --query tenantId -o tsv
az account get-access-token --resource https://vault.azure.net --query tokenType -o tsv
az account clear
"#
    );
    let run = pipeline(&sandbox, &script).exits(0);
    assert!(run.stdout.ends_with(&format!("]\n{CONTOSO}\nBearer\n")), "{run:?}");
    // The action treats every line that does not begin with "warning" as an error.
    assert!(run.stderr.lines().all(|line| line.to_lowercase().starts_with("warning")), "{run:?}");
    sandbox.az(["account", "show"]).exits(1);
}

#[test]
fn the_azure_cli_task_works() {
    let mut sandbox = Sandbox::new();
    // The task sets a configuration folder per job.
    let folder = sandbox.root().join("agent/.azclitask");
    sandbox.set("AZURE_CONFIG_DIR", folder.to_str().unwrap());
    let url = format!("{}/", sandbox.emulator.url());
    sandbox
        .az(["cloud", "register", "-n", "Emulator", "--endpoint-resource-manager", &url])
        .quiet();
    let script = format!(
        r#"
az --version
az cloud set -n Emulator
az login --service-principal -u "{APP}" --password="{APP_SECRET}" --tenant "{CONTOSO}" --allow-no-subscriptions
az account set --subscription "{PRODUCTION}"
az account get-access-token --query tokenType -o tsv
az account clear
"#
    );
    let run = pipeline(&sandbox, &script).exits(0);
    assert!(run.stdout.starts_with("azure-cli  "), "{run:?}");
    assert!(run.stdout.ends_with("]\nBearer\n"), "{run:?}");
    let script = format!(
        r#"az login --service-principal -u "{APP}" --password="-begins-with-a-dash" --tenant "{CONTOSO}" --allow-no-subscriptions --output none"#
    );
    let run = pipeline(&sandbox, &script).exits(1);
    assert!(run.stderr.contains("AADSTS7000215"), "{run:?}");
    assert!(
        !folder.join("azureProfile.json").exists()
            || !sandbox.az(["account", "list"]).success().stdout.contains(APP)
    );
}
