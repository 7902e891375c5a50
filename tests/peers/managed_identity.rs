//! SDKs and az as clients of `azt exec`, which is a managed identity to them.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::endpoint::{ANY_CLIENT, Recorder, claims, exec};
use crate::sdks;
use crate::support::*;
use crate::venv;

/// Two resources as scopes, one of them with a slash at its end.
const VAULT: &str = "https://vault.azure.net/.default";
const ARM: &str = "https://management.azure.com//.default";
const GRAPH: &str = "https://graph.microsoft.com/.default";

/// A client, with the options of `managed_identity.py` and the like; `client_id` may be empty.
type Client = fn(&str, &[&str]) -> Vec<OsString>;

fn python(kind: &str, client_id: &str, scopes: &[&str]) -> Vec<OsString> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/managed_identity.py");
    let mut words = vec![venv::program("python").into(), script.into(), kind.into()];
    words.extend(scopes.iter().map(OsString::from));
    if !client_id.is_empty() {
        words.push(format!("client_id={client_id}").into());
    }
    words
}

fn javascript(generation: &str, kind: &str, client_id: &str, scopes: &[&str]) -> Vec<OsString> {
    let mut packages = OsString::from("AZT_TEST_NODE=");
    packages.push(sdks::node_packages());
    let mut words = vec!["env".into(), packages];
    words.extend(sdks::node("managed_identity.mjs").map(OsString::from));
    words.extend([generation, kind, client_id].map(OsString::from));
    words.extend(scopes.iter().map(OsString::from));
    words
}

const CLIENTS: [(&str, Client); 9] = [
    ("azure-identity", |id, scopes| python("sync", id, scopes)),
    ("azure-identity, asynchronous", |id, scopes| python("async", id, scopes)),
    ("azure-identity, default", |id, scopes| python("default", id, scopes)),
    ("azure-identity, default, asynchronous", |id, scopes| python("default-async", id, scopes)),
    ("msal", |id, scopes| python("msal", id, scopes)),
    ("@azure/identity 4.13", |id, scopes| javascript("4.13", "managed", id, scopes)),
    ("@azure/identity 4.14", |id, scopes| javascript("4.14", "managed", id, scopes)),
    ("@azure/identity 4.13, default", |id, scopes| javascript("4.13", "default", id, scopes)),
    ("@azure/identity 4.14, default", |id, scopes| javascript("4.14", "default", id, scopes)),
];

#[test]
fn every_sdk_gets_tokens_of_two_resources() {
    let sandbox = Sandbox::signed_in_as_alice();
    for (name, client) in CLIENTS {
        for client_id in ["", ANY_CLIENT] {
            let words = client(client_id, &[VAULT, ARM]);
            let got = Run::of(&mut exec(&sandbox, &[], &words)).success().json();
            assert_eq!(claims(&got[0])["upn"], ALICE, "{name}: {got}");
            assert_eq!(claims(&got[0])["aud"], "https://vault.azure.net", "{name}");
            // Entra takes the slash for a part of the audience.
            assert_eq!(claims(&got[1])["aud"], "https://management.azure.com/", "{name}");
        }
    }
    assert_eq!(sandbox.requests(), ["POST token refresh_token"; 2], "once for all of them");
}

#[test]
fn a_refusal_ends_every_sdk_at_once_with_azts_sentence() {
    let sandbox = Sandbox::signed_in_as_alice();
    let recorder = Recorder::start();
    for (name, client) in CLIENTS {
        let words = client("", &[GRAPH]);
        let mut command = recorder.exec(&sandbox, &["--resource", "vault"], &words);
        let got = Run::of(&mut command).success().json();
        let text = got[0]["text"].as_str().unwrap_or_else(|| panic!("{name}: {got}"));
        assert!(
            text.contains("azt gives no token for https://graph.microsoft.com here"),
            "{name}: {text}"
        );
        let sent = recorder.one();
        assert_eq!(sent.status, 403, "{name}: {sent:?}");
    }
}

#[test]
fn the_rust_sdk_gets_tokens_and_a_refusal() {
    let sandbox = Sandbox::signed_in_as_alice();
    let recorder = Recorder::start();
    let program = sdks::rust_sdk();
    let get = |scope: &str, client_id: &str| -> Value {
        let words = [program.as_os_str(), "--managed".as_ref(), scope.as_ref(), client_id.as_ref()];
        let options = ["--resource", "vault", "--resource", "https://management.azure.com"];
        Run::of(&mut recorder.exec(&sandbox, &options, &words)).success().json()
    };
    for client_id in ["", ANY_CLIENT] {
        assert_eq!(claims(&get(VAULT, client_id))["aud"], "https://vault.azure.net");
        let got = get(ARM, client_id);
        assert_eq!(claims(&got)["aud"], "https://management.azure.com/");
        assert_eq!(claims(&got)["exp"], got["expires"]);
    }
    assert_eq!(recorder.take().len(), 4);
    let refused = get(GRAPH, "");
    let text = refused["error"].as_str().unwrap();
    assert!(text.contains("azt gives no token for https://graph.microsoft.com here"), "{text}");
    assert_eq!(recorder.one().status, 403);
}

/// The real az in a configuration folder of its own, through `azt exec`.
fn real_az(sandbox: &Sandbox, options: &[&str], folder: &Path, words: &[&str]) -> Run {
    let az = venv::program("az");
    let folder = format!("AZURE_CONFIG_DIR={}", folder.display());
    let start = ["env", &folder, "AZURE_CORE_COLLECT_TELEMETRY=false", az.to_str().unwrap()];
    Run::of(&mut exec(sandbox, options, &[&start, words].concat()))
}

#[test]
fn az_signs_in_with_the_endpoint_as_its_managed_identity() {
    let sandbox = Sandbox::signed_in_as_alice();
    let folder = sandbox.root().join("az");
    let az = |words: &[&str]| real_az(&sandbox, &[], &folder, words);
    let url = format!("{}/", sandbox.emulator.url());
    drop(az(&["cloud", "register", "-n", "E", "--endpoint-resource-manager", &url]).success());
    drop(az(&["cloud", "set", "-n", "E"]).success());
    let listed = az(&["login", "--identity"]).success().json();
    assert_eq!(listed[0]["user"]["name"], "systemAssignedIdentity", "{listed}");
    assert_eq!(listed[0]["id"], PRODUCTION);
    let token = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
    let token = az(&token).success().text("accessToken");
    assert_eq!(claims_of(&token)["upn"], ALICE);
    assert_eq!(token, sandbox.azt(["token", "vault"]).quiet().stdout);
    let graph = ["account", "get-access-token", "--resource", "https://graph.microsoft.com"];
    let refused = real_az(&sandbox, &["--resource", "vault"], &folder, &graph).exits(1);
    assert!(refused.stderr.contains("azt gives no token for https://graph.microsoft.com"));
    assert!(!folder.join("msal_token_cache.json").exists(), "az keeps no token of a host");
}

#[test]
fn a_shell_takes_the_variables_of_serve() {
    let sandbox = Sandbox::signed_in_as_alice();
    let script = r#"azt=$1; shift; eval "$("$azt" serve --resource vault &)"; "$@""#;
    let mut command = std::process::Command::new("bash");
    command.args(["-c", script, "bash", env!("CARGO_BIN_EXE_azt")]);
    command.args(python("default", ANY_CLIENT, &[VAULT, GRAPH]));
    command.env_clear().envs(sandbox.env());
    // What stays in the background ends with the group.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let group = rustix::process::Pid::from_child(&child);
    let mut got = String::new();
    std::io::Read::read_to_string(child.stdout.as_mut().unwrap(), &mut got).unwrap();
    assert!(child.wait().unwrap().success());
    rustix::process::kill_process_group(group, rustix::process::Signal::TERM).unwrap();
    let got: Value = serde_json::from_str(&got).unwrap();
    assert_eq!(claims(&got[0])["aud"], "https://vault.azure.net");
    assert!(got[1]["text"].as_str().unwrap().contains("azt gives no token for https://graph"));
}
