//! Go, Java and .NET as clients of `azt exec`: their SDKs, and programs made with them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::endpoint::{ANY_CLIENT, Recorder, claims, exec};
use crate::sdks;
use crate::support::*;
use crate::venv;

const VAULT: &str = "https://vault.azure.net";
const ARM: &str = "https://management.azure.com/";
const GRAPH: &str = "https://graph.microsoft.com";

/// Something that `tests/run` makes below `target` where the machine has `tool`. `None`, and a word
/// about it, where it has not.
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn made(path: &str, tool: &str) -> Option<PathBuf> {
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("..").join(path);
    if made.exists() {
        return Some(made);
    }
    let is_there = |folder: PathBuf| folder.join(tool).exists();
    let path = std::env::var_os("PATH").unwrap();
    assert!(!std::env::split_paths(&path).any(is_there), "no {}: run tests/run", made.display());
    eprintln!("skipped: no {tool}");
    None
}

/// A server that is killed on drop.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn rclone_lists_a_storage_account() {
    let sandbox = Sandbox::signed_in_as_alice();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let own = rcgen::generate_simple_self_signed(names).unwrap();
    let file = |name: &str, text: String| {
        let path = sandbox.root().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let certificate = file("blob.pem", own.cert.pem());
    let key = file("blob.key", own.signing_key.serialize_pem());
    let mut server = Command::new("python3");
    server.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/blob_server.py"));
    let mut server = server.args([&certificate, &key]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let _server = Server(server);
    let endpoint = format!("https://127.0.0.1:{}/", lines.next().unwrap());

    let rclone = venv::program("rclone");
    let words = |how: &[&'static str]| {
        let mut words = vec![rclone.to_str().unwrap(), "--ca-cert", certificate.to_str().unwrap()];
        words.extend(["--config", "/dev/null", "--retries", "1", "lsd", ":azureblob:"]);
        words.extend(["--azureblob-account", "contoso", "--azureblob-endpoint", &endpoint]);
        words.extend(how);
        words.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let token = sandbox.azt(["token", "storage"]).quiet().stdout;
    let ways: [&[&str]; 3] = [
        &["--azureblob-env-auth"],
        &["--azureblob-use-msi"],
        &["--azureblob-use-msi", "--azureblob-msi-client-id", ANY_CLIENT],
    ];
    let recorder = Recorder::start();
    for how in ways {
        let run = Run::of(&mut exec(&sandbox, &[], &words(how))).success();
        assert!(run.stdout.ends_with(" backups\n"), "{run:?}");
        assert_eq!(lines.next().unwrap(), format!("Bearer {token}"));
        let mut command = recorder.exec(&sandbox, &["--resource", "vault"], &words(how));
        let refused = Run::of(&mut command);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains("azt gives no token for https://storage.azure.com here"));
        assert_eq!(recorder.one().status, 403);
    }
}

#[test]
fn go_gets_tokens_and_a_refusal() {
    let Some(program) = made("go/clients", "go") else { return };
    let sandbox = Sandbox::signed_in_as_alice();
    let recorder = Recorder::start();
    let get = |options: &[&str], words: &[&str]| -> Value {
        let words = [&[program.to_str().unwrap()], words].concat();
        let mut command = recorder.exec(&sandbox, options, &words);
        // azidentity's default chain looks for az there, and it must not be needed.
        Run::of(command.env("PATH", "/usr/bin:/bin")).success().json()
    };
    let terraform: &[&str] = &["--for", "terraform", "--resource", VAULT, "--resource", ARM];
    for (kind, options) in [("managed", &[][..]), ("default", &[]), ("terraform", terraform)] {
        for client_id in ["", ANY_CLIENT] {
            let got = get(options, &[kind, client_id, VAULT, ARM]);
            assert_eq!(claims(&got[0])["aud"], VAULT, "{kind}: {got}");
            assert_eq!(claims(&got[1])["aud"], ARM, "{kind}: {got}");
            let late =
                got[0]["expires"].as_i64().unwrap() - claims(&got[0])["exp"].as_i64().unwrap();
            assert!((0..=30).contains(&late), "{kind}: {late}");
            assert_eq!(recorder.take().len(), 2);
        }
        let limited: &[&str] = if options.is_empty() { &["--resource", "vault"] } else { options };
        let refused = get(limited, &[kind, "", GRAPH]);
        let text = refused[0]["text"].as_str().unwrap_or_else(|| panic!("{kind}: {refused}"));
        assert!(text.contains("azt gives no token for https://graph.microsoft.com here"), "{text}");
        let sent = recorder.one();
        assert_eq!(sent.status, 403);
        // Terraform sends no key but the one in its address.
        assert_eq!(sent.header("x-identity-header").is_none(), kind == "terraform", "{sent:?}");
    }
}

#[test]
fn java_gets_tokens_and_a_refusal() {
    let Some(packages) = made("java/lib", "mvn") else { return };
    let sandbox = Sandbox::signed_in_as_alice();
    let recorder = Recorder::start();
    let packages = format!("{}/*", packages.display());
    let get = |options: &[&str], words: &[&str]| {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/java/Clients.java");
        let words = [&["java", "-cp", &packages, program], words].concat();
        let run = Run::of(&mut recorder.exec(&sandbox, options, &words)).success();
        run.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    for kind in ["managed", "default"] {
        let got = get(&[], &[kind, ANY_CLIENT, VAULT, ARM]);
        assert_eq!(claims_of(&got[0])["aud"], VAULT, "{kind}: {got:?}");
        assert_eq!(claims_of(&got[1])["aud"], ARM, "{kind}: {got:?}");
        assert_eq!(recorder.take().len(), 2);
        let refused = get(&["--resource", "vault"], &[kind, "", GRAPH]);
        let sentence = "azt gives no token for https://graph.microsoft.com here";
        assert!(refused[0].contains(sentence), "{kind}: {refused:?}");
        assert_eq!(recorder.one().status, 403);
    }
}

/// Azure's MCP server lists subscriptions. What it asks the real Resource Manager for ends at a port
/// where nobody listens; its token has come by then.
#[test]
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn dotnet_gets_tokens_and_a_refusal() {
    let program = sdks::node_packages().join("node_modules/@azure/mcp-linux-x64/dist/azmcp");
    if !program.exists() {
        return eprintln!("skipped: @azure/mcp is for x86-64 alone");
    }
    let sandbox = Sandbox::signed_in_as_alice();
    let recorder = Recorder::start();
    let audit = sandbox.root().join("audit");
    let list = |options: &[&str], client_id: &str| {
        let words = [program.to_str().unwrap(), "subscription", "list"];
        let mut command = recorder.exec(&sandbox, options, &words);
        command
            .env("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
            .env("AZURE_CLIENT_ID", client_id)
            .env("AZURE_MCP_COLLECT_TELEMETRY", "false")
            .env("HTTPS_PROXY", "http://127.0.0.1:1");
        // azt itself asks the emulator.
        Run::of(command.env("NO_PROXY", "localhost")).stdout
    };
    for client_id in ["", ANY_CLIENT] {
        let answer = list(&["--audit", audit.to_str().unwrap()], client_id);
        assert!(answer.contains("Connection refused"), "{answer}");
        let sent = recorder.one();
        assert_eq!(sent.status, 200);
        assert!(sent.line.contains(&format!("resource={ARM}")), "{sent:?}");
        assert_eq!(sent.line.contains(ANY_CLIENT), !client_id.is_empty(), "{sent:?}");
    }
    assert_eq!(std::fs::read_to_string(audit).unwrap().lines().count(), 2);
    let refused = list(&["--resource", "vault"], "");
    assert!(refused.contains("azt gives no token for https://management.azure.com/ here"));
    assert_eq!(recorder.one().status, 403);
}
