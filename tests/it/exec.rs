//! `azt exec`: tokens for a program, and the program as if azt were not there.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use rexpect::session::spawn_command;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::service::*;
use crate::support::*;

/// Prints the token of `resource`, as an SDK asks for it.
fn ask(resource: &str) -> String {
    format!(
        r#"curl -sS -H "X-IDENTITY-HEADER: $IDENTITY_HEADER" "$IDENTITY_ENDPOINT?api-version=2019-08-01&resource={resource}""#
    )
}

fn exec(sandbox: &Sandbox, options: &[&str], script: &str) -> Command {
    let program = ["--", "sh", "-c", script];
    sandbox.command(["exec"].iter().chain(options).chain(&program))
}

#[test]
fn a_program_gets_tokens_as_a_managed_identity_and_as_azd() {
    let sandbox = Sandbox::signed_in_as_alice();
    let run = Run::of(&mut exec(&sandbox, &[], &ask("https://vault.azure.net"))).quiet();
    assert_eq!(run.text("access_token"), sandbox.azt(["token", "vault"]).quiet().stdout);
    assert_eq!(run.text("resource"), "https://vault.azure.net");
    assert_eq!(run.text("token_type"), "Bearer");
    let (in_, on) = (run.text("expires_in"), run.text("expires_on"));
    assert!(in_.parse::<i64>().unwrap() > 3000 && on.parse::<i64>().unwrap() > 1_790_000_000);
    let of_azd = r#"curl -sS -H "Authorization: Bearer $AZD_AUTH_KEY" -H "Content-Type: application/json" \
        -d '{"scopes":["https://storage.azure.com/.default"],"tenantId":"TENANT"}' "$AZD_AUTH_ENDPOINT/token?api-version=2023-07-12-preview""#;
    let run = Run::of(&mut exec(&sandbox, &[], &of_azd.replace("TENANT", CONTOSO))).quiet();
    assert_eq!(run.text("status"), "success");
    assert_eq!(run.text("token"), sandbox.azt(["token", "storage"]).quiet().stdout);
    assert!(chrono::DateTime::parse_from_rfc3339(&run.text("expiresOn")).is_ok());
    assert_eq!(sandbox.requests(), ["POST token refresh_token"; 2]);
}

#[test]
fn resources_and_accounts_are_limited_by_options() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.login_app().success();
    let script =
        format!("{}; {}", ask("https://vault.azure.net/"), ask("https://graph.microsoft.com"));
    let options = ["--resource", "vault", "--resource", "arm", "--account", ALICE];
    let run = Run::of(&mut exec(&sandbox, &options, &script)).quiet();
    let (vault, graph) = run.stdout.split_once("}{").unwrap();
    assert!(vault.contains("access_token"), "{vault}");
    assert!(graph.contains("\"statusCode\":403") && graph.contains("\"error\":\"access_denied\""));
    let arm = sandbox.azt([
        "cloud",
        "show",
        "--query",
        "endpoints.activeDirectoryResourceId",
        "-o",
        "tsv",
    ]);
    let arm = arm.quiet().stdout.trim().to_owned();
    let run = Run::of(&mut exec(&sandbox, &options, &ask(&arm))).quiet();
    assert_eq!(run.text("resource"), arm);
    // A missing value does not widen what is allowed.
    for words in
        [&["--resource", ""][..], &["--resource="], &["--resource", "vault", "--resource="]]
    {
        drop(sandbox.azt([&["exec"], words, &["--", "true"]].concat()).exits(2).says("is empty"));
    }
    drop(sandbox.azt(["exec", "--account", "nobody@contoso.example", "--", "true"]).exits(4));
    drop(Sandbox::new().azt(["exec", "--", "true"]).exits(4));
}

#[test]
fn the_exit_code_is_the_programs() {
    let sandbox = Sandbox::signed_in_as_app();
    for (script, code) in
        [("exit 0", 0), ("exit 1", 1), ("exit 77", 77), ("kill -9 $$", 137), ("kill -TERM $$", 143)]
    {
        for options in [&[][..], &["--no-endpoint"]] {
            let ended = exec(&sandbox, options, script).status().unwrap();
            use std::os::unix::process::ExitStatusExt;
            let found = ended.code().unwrap_or_else(|| 128 + ended.signal().unwrap());
            assert_eq!(found, code, "{script} {options:?}");
        }
    }
    drop(sandbox.azt(["exec", "--", "no-such-program"]).exits(127).says("no-such-program"));
    drop(sandbox.azt(["exec", "--", "/etc/passwd"]).exits(126));
    drop(sandbox.azt(["exec", "--", "./no-such-program"]).exits(127));
    drop(sandbox.azt(["exec", "--no-endpoint", "--", "no-such-program"]).exits(127));
    drop(sandbox.azt(["exec"]).exits(2));
    drop(sandbox.azt(["exec", "--timeout", "soon", "--", "true"]).exits(2));
    let run = Run::of(&mut exec(&sandbox, &["--timeout", "1s"], "exec sleep 60"));
    assert_eq!((run.code, run.stderr.as_str()), (Some(124), ""));
}

#[test]
fn words_after_the_dashes_are_the_programs_own() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let sandbox = Sandbox::signed_in_as_app();
    let odd = OsStr::from_bytes(b"\xff\xfe");
    let words = ["exec", "--no-endpoint", "--", "printf", "[%s]", "-h", "--help", "@x", "--", ""];
    let words = words.iter().map(OsStr::new).chain([odd]);
    let shown = sandbox.command(words).output().unwrap();
    assert_eq!(shown.stdout, b"[-h][--help][@x][--][][\xff\xfe]");
    sandbox.azt(["exec", "printf", "X"]).quiet().prints("X");
    drop(sandbox.azt(["exec", "ls", "-la"]).exits(2).says("-- "));
}

#[test]
fn the_program_has_the_callers_environment_and_no_key_of_the_vault() {
    let mut sandbox = Sandbox::new();
    let key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    sandbox.set("AZT_VAULT_KEY", key);
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    sandbox.login_app().success();
    sandbox.set("IMDS_ENDPOINT", "http://127.0.0.1:1");
    sandbox.set("IDENTITY_SERVER_THUMBPRINT", "x");
    sandbox.set("AZURE_CLIENT_SECRET", "another-identity");
    sandbox.set("PATH", "/usr/bin:/bin:relative");
    let run = Run::of(&mut exec(
        &sandbox,
        &[],
        "env; cat /proc/$PPID/cmdline; tr '\\0' '\\n' </proc/$$/environ",
    ))
    .quiet();
    assert!(!run.stdout.contains(key), "{run:?}");
    assert!(
        !run.stdout.contains("IMDS_ENDPOINT=") && !run.stdout.contains("THUMBPRINT"),
        "{run:?}"
    );
    assert!(!run.stdout.contains("another-identity"), "SDKs would use it first: {run:?}");
    assert!(run.stdout.contains("PATH=/usr/bin:/bin:relative\n"), "{run:?}");
    // Without an endpoint nothing stands between.
    let mut child =
        exec(&sandbox, &["--no-endpoint"], "echo $$; env").stdout(Stdio::piped()).spawn().unwrap();
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().next().unwrap(), child.id().to_string());
    assert!(!text.contains(key) && !text.contains("IDENTITY_HEADER"), "{text}");
    child.wait().unwrap();
}

#[test]
fn signals_are_forwarded_and_the_end_of_the_program_ends_all() {
    let sandbox = Sandbox::signed_in_as_app();
    for (name, signal) in
        [("TERM", Signal::TERM), ("HUP", Signal::HUP), ("USR1", Signal::USR1), ("INT", Signal::INT)]
    {
        let script = format!(
            "trap 'echo got {name}; exit 3' {name}; echo ready; while :; do sleep 0.05; done"
        );
        let mut child = exec(&sandbox, &[], &script).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "ready");
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), format!("got {name}"));
        assert_eq!(child.wait().unwrap().code(), Some(3));
    }
    // A grandchild outlives the program; azt does not wait for it, and the endpoint is gone.
    let script = "echo $IDENTITY_ENDPOINT; sleep 5 >/dev/null 2>&1 & exit 0";
    let run = Run::of(&mut exec(&sandbox, &[], script)).quiet();
    assert!(std::net::TcpStream::connect(("127.0.0.1", port_of(run.stdout.trim()))).is_err());
}

#[test]
fn ctrl_c_reaches_the_program_once_and_ctrl_z_stops_both() {
    let sandbox = Sandbox::signed_in_as_app();
    let script = "trap 'echo got' INT; echo ready; until read line; do :; done; echo \"read $line\"; cat; echo end";
    let mut session = spawn_command(exec(&sandbox, &[], script), Some(30_000)).unwrap();
    session.exp_string("ready").unwrap();
    session.send_control('c').unwrap();
    session.exp_string("got").unwrap();
    session.send_line("here").unwrap();
    let between = session.exp_string("read here").unwrap();
    assert!(!between.contains("got"), "the program gets the key once: {between}");
    session.send_control('d').unwrap();
    let rest = session.exp_eof().unwrap();
    assert!(!rest.contains("got") && rest.contains("end"), "{rest}");

    let mut shell = Command::new("bash");
    shell.args(["--norc", "-i"]).env_clear().envs(sandbox.env()).env("PS1", "$ ");
    shell.env("AZT", env!("CARGO_BIN_EXE_azt"));
    let mut session = spawn_command(shell, Some(30_000)).unwrap();
    session.send_line("\"$AZT\" exec -- sh -c 'echo is-$((40+2)); sleep 100; echo done'").unwrap();
    session.exp_string("is-42").unwrap();
    session.send_control('z').unwrap();
    session.exp_string("Stopped").unwrap();
    // The program's line is printed when it stops, and again when it goes on.
    session.exp_string("echo done'").unwrap();
    session.exp_string("$ ").unwrap();
    session.send_line("fg").unwrap();
    session.exp_string("echo done'").unwrap();
    session.send_control('c').unwrap();
    session.exp_string("$ ").unwrap();
    session.send_line("echo code $?").unwrap();
    session.exp_string("code 130").unwrap();
    session.send_line("exit").unwrap();
    session.exp_eof().unwrap();
}

#[test]
fn a_program_may_take_over_the_terminal() {
    let sandbox = Sandbox::signed_in_as_app();
    // As a full-screen program: raw mode, keys one by one, the terminal put back.
    let script = "stty raw -echo; printf ready; head -c 3 | od -An -tx1; stty sane; echo; stty -a | grep -c ' echo '";
    let mut session = spawn_command(exec(&sandbox, &[], script), Some(30_000)).unwrap();
    session.exp_string("ready").unwrap();
    // In raw mode Ctrl-C and Ctrl-Z are keys.
    session.send("\u{3}\u{1a}q").unwrap();
    session.flush().unwrap();
    session.exp_string("03 1a 71").unwrap();
    session.exp_eof().unwrap();
}

#[test]
fn a_hundred_megabytes_go_through_the_pipe() {
    let sandbox = Sandbox::signed_in_as_app();
    let mut child = exec(&sandbox, &[], "cat | wc -c")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let block = vec![0; 1 << 20];
    for _ in 0..100 {
        stdin.write_all(&block).unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), (100 << 20).to_string());
}

#[test]
fn a_program_keeps_its_account_when_the_default_changes() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.login_app().success();
    sandbox.azt(["account", "set", "-s", "Contoso Production"]).success();
    let before =
        sandbox.azt(["account", "show", "--query", "user.name", "-o", "tsv"]).quiet().stdout;
    let script = format!(
        "'{}' switch development; {}",
        env!("CARGO_BIN_EXE_azt"),
        ask("https://graph.microsoft.com")
    );
    let run = Run::of(&mut exec(&sandbox, &[], &script)).success();
    let token = run.stdout.split("\"access_token\":\"").nth(1).unwrap().split('"').next().unwrap();
    let claims = claims_of(token);
    let name = claims["upn"].as_str().or(claims["appid"].as_str()).unwrap().to_owned();
    assert_eq!(name.to_lowercase(), before.trim().to_lowercase());
}

#[test]
fn a_proxy_does_not_see_the_key() {
    let mut sandbox = Sandbox::signed_in_as_app();
    sandbox.set("http_proxy", "http://127.0.0.1:9");
    sandbox.set("no_proxy", "intranet.example");
    let script = format!("{}; echo $no_proxy $NO_PROXY", ask("https://vault.azure.net"));
    let run = Run::of(&mut exec(&sandbox, &[], &script)).quiet();
    assert!(run.stdout.contains("access_token"), "{run:?}");
    let past = "intranet.example,127.0.0.1,localhost";
    assert!(run.stdout.ends_with(&format!("{past} {past}\n")), "{run:?}");
}
