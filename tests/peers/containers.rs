//! azt where there is nothing but azt and a socket: in a container, and at the end of `ssh -R`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::sdks;
use crate::support::service::Service;
use crate::support::*;
use crate::venv;

/// The program of a container: the static one that `tests/run` has made, or the one of the tests.
#[allow(clippy::print_stderr, reason = "a test says what it does not show")]
fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("AZT_TEST_STATIC") {
        return program.into();
    }
    eprintln!("AZT_TEST_STATIC names no static program: the container gets the libraries too");
    env!("CARGO_BIN_EXE_azt").into()
}

/// The files that `program` needs: its libraries, if it is no static program.
fn libraries(program: &Path) -> Vec<String> {
    let listed = Command::new("ldd").arg(program).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let path =
        |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(str::to_owned);
    listed.lines().filter_map(path).collect()
}

/// `words` in new namespaces of every kind, whose root has the program, the socket and nothing else.
fn contained(socket: &str, words: &[&str]) -> Command {
    let program = program();
    let mut command = Command::new("bwrap");
    command.args(["--unshare-all", "--die-with-parent", "--clearenv"]);
    command.args([
        "--bind",
        socket,
        "/run/azt.sock",
        "--setenv",
        "AZT_BROKER",
        "unix:/run/azt.sock",
    ]);
    for name in ["/usr/local/bin/az", "/usr/local/bin/azt"] {
        command.arg("--ro-bind").arg(&program).arg(name);
    }
    for library in libraries(&program) {
        command.args(["--ro-bind", &library, &library]);
    }
    command.arg("--").arg(format!("/usr/local/bin/{}", words[0])).args(&words[1..]);
    command
}

#[test]
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn a_container_needs_the_program_and_the_socket_alone() {
    let sandbox = Sandbox::signed_in_as_alice();
    let socket = sandbox.root().join("azt.sock").to_str().unwrap().to_owned();
    let options = ["--socket", &socket, "--resource", "vault", "--resource", "arm"];
    let _service = Service::start(&sandbox, &options);
    let probe =
        Command::new("bwrap").args(["--unshare-all", "--ro-bind", "/", "/", "true"]).output();
    if !probe.as_ref().expect("bubblewrap: run tests/run").status.success() {
        return eprintln!("skipped: namespaces are forbidden here: {probe:?}");
    }
    let run = |words: &[&str]| Run::of(&mut contained(&socket, words));
    let vault = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
    for words in [&vault[..], &["account", "get-access-token"], &["account", "show"]] {
        let there = run(&[&["az"], words].concat()).quiet();
        there.prints(&sandbox.az(words).quiet().stdout);
    }
    run(&["azt", "token", "vault"]).quiet().prints(&sandbox.azt(["token", "vault"]).quiet().stdout);
    let header = run(&["azt", "token", "--header"]).quiet().stdout;
    assert_eq!(header, sandbox.azt(["token", "--header"]).quiet().stdout);
    let user = ["account", "show", "--query", "user.name", "-o", "tsv"];
    run(&[&["az"], &user[..]].concat()).quiet().prints(&format!("{ALICE}\n"));
    drop(run(&["azt", "token", "graph"]).exits(6).says("--resource"));
    drop(run(&["azt", "login"]).exits(2).says("AZT_BROKER"));
    // A process of the container starts further ones, and they get tokens too.
    let nested = ["azt", "exec", "--", "/usr/local/bin/azt", "token", "vault"];
    run(&nested).quiet().prints(&sandbox.azt(["token", "vault"]).quiet().stdout);
}

/// A machine behind ssh: sshd in a network of its own, without any device, whose `/root` and `/run`
/// are empty. ssh speaks to it through a pipe.
struct FarMachine {
    folder: tempfile::TempDir,
}

impl FarMachine {
    fn new() -> Self {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        for key in ["host", "user"] {
            let mut command = Command::new("ssh-keygen");
            command.args(["-q", "-t", "ed25519", "-N", "", "-f", &path(key)]);
            assert!(command.status().expect("openssh: run tests/run").success());
        }
        let config = format!(
            "HostKey {}\nAuthorizedKeysFile {}\nPermitRootLogin yes\nUsePAM no\nStrictModes no\n\
             PidFile none\nStreamLocalBindUnlink yes\n",
            path("host"),
            path("user.pub")
        );
        std::fs::write(path("sshd_config"), config).unwrap();
        let script = format!(
            "#!/bin/sh\nmount -t tmpfs none /root && mount -t tmpfs -o mode=755 none /run && mkdir /run/sshd &&\n\
             exec /usr/sbin/sshd -i -f {}\n",
            path("sshd_config")
        );
        std::fs::write(path("far"), script).unwrap();
        std::fs::set_permissions(path("far"), PermissionsExt::from_mode(0o700)).unwrap();
        Self { folder }
    }

    /// Runs `script` there, where `/run/azt.sock` is `socket`.
    fn run(&self, sandbox: &Sandbox, socket: &str, script: &str) -> Run {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let proxy = format!("ProxyCommand=unshare --net --mount --uts --ipc {}", path("far"));
        let mut command = Command::new("ssh");
        command.args([
            "-F",
            "none",
            "-o",
            &proxy,
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "BatchMode=yes",
        ]);
        command.args(["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]);
        command.args(["-o", "ExitOnForwardFailure=yes", "-i", &path("user")]);
        command.args(["-R", &format!("/run/azt.sock:{socket}"), "root@far", script]);
        Run::of(command.env_clear().envs(sandbox.env()))
    }
}

#[test]
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn a_machine_behind_ssh_gets_tokens_and_no_sign_in() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: sshd with a network of its own needs root");
    }
    let sandbox = Sandbox::signed_in_as_alice();
    let socket = sandbox.root().join("azt.sock").to_str().unwrap().to_owned();
    let audit = sandbox.root().join("audit").to_str().unwrap().to_owned();
    let options = ["--socket", &socket, "--resource", "vault", "--audit", &audit];
    let _service = Service::start(&sandbox, &options);
    let far = FarMachine::new();
    let azt = format!("AZT_BROKER=unix:/run/azt.sock '{}'", env!("CARGO_BIN_EXE_azt"));
    let run = |words: &str| far.run(&sandbox, &socket, &format!("{azt} {words}"));
    run("token vault").quiet().prints(&sandbox.azt(["token", "vault"]).quiet().stdout);
    let shown = run("account show --query user.name -o tsv").quiet();
    shown.prints(&format!("{ALICE}\n"));
    drop(run("token graph").exits(6).says("--resource"));
    drop(run("login --use-device-code").exits(2).says("AZT_BROKER"));
    // There is no other way from there: no network, and no sign-in.
    let alone = far.run(&sandbox, &socket, &format!("'{}' token vault", env!("CARGO_BIN_EXE_azt")));
    drop(alone.exits(4));
    let left = far.run(
        &sandbox,
        &socket,
        &format!("{azt} token vault >/dev/null; find /root /run -type f"),
    );
    left.quiet().prints("");
    let lines = std::fs::read_to_string(&audit).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines.iter().all(|line| line["program"] == "ssh"), "{lines:?}");
}

#[test]
fn sdks_that_start_az_get_tokens_at_the_socket() {
    let sandbox = Sandbox::signed_in_as_alice();
    let socket = sandbox.root().join("azt.sock").to_str().unwrap().to_owned();
    let _service = Service::start(&sandbox, &["--socket", &socket, "--resource", "vault"]);
    let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers");
    let python = |scope: &str| {
        let mut command = Command::new(venv::program("python"));
        command.args([&format!("{scripts}/get_token.py"), "sync", scope]);
        command
    };
    let javascript = |generation: &'static str, scope: &str| {
        let [node, script] = sdks::node("get_token.mjs");
        let mut command = Command::new(node);
        command.arg(script).args([generation, "cli", scope]);
        command
    };
    let rust = |scope: &str| {
        let mut command = Command::new(sdks::rust_sdk());
        command.arg(scope);
        command
    };
    let vault = sandbox.azt(["token", "vault"]).quiet().stdout;
    for ask in
        [&python as &dyn Fn(&str) -> Command, &rust, &|scope| javascript("4.13", scope), &|scope| {
            javascript("4.14", scope)
        }]
    {
        let get = |scope: &str| {
            let mut command = ask(scope);
            // No home folder, no certificate, no setting: only az and the socket.
            command.env_clear().env("AZT_BROKER", format!("unix:{socket}"));
            command.env("PATH", format!("{}:/usr/bin:/bin", sandbox.root().join("bin").display()));
            command.env("AZT_TEST_NODE", sdks::node_packages());
            Run::of(&mut command).success().json()
        };
        assert_eq!(get("https://vault.azure.net/.default")["token"], *vault);
        let refused = get("https://graph.microsoft.com/.default").to_string();
        let sentence = "azt gives no token for https://graph.microsoft.com/.default here";
        assert!(refused.contains(sentence), "{refused}");
    }
}
