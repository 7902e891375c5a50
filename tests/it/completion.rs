//! Tab in real shells: what is completed is what is meant, and no name is run.

use std::process::Command;
use std::time::Instant;

use rexpect::session::{PtySession, spawn_command};

use crate::support::*;

/// Milliseconds to wait for the expected screen.
const LIMIT: u64 = 30_000;
const PROMPT: &str = "ready>";

/// Names that a shell would run, split or expand. Each starts with `h` and a digit, and ends with
/// `end` and that digit.
const HOSTILE: [&str; 7] = [
    "h1 $(touch PWNED) ${HOME} end1",
    "h2 `touch PWNED` end2",
    "h3 it's \"quoted\" end3",
    "h4:a=b;touch PWNED&c|d>PWNED <e (f) end4",
    "h5 !! !touch \\ *?[x]{a,b} ~ ^x^y #end5",
    "h6 Straße – 日本 %s @file 'end6",
    "h7\\nx\\\\end7",
];

/// A folder whose profile has the hostile names and many others, and a PATH with azt.
fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::without_cloud();
    let bin = sandbox.root().join("bin");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_azt"), bin.join("azt")).unwrap();
    sandbox.set("PATH", &format!("{}:/usr/bin:/bin", bin.display()));
    sandbox.set("TERM", "xterm");
    sandbox.set("LANG", "C.UTF-8");
    let others = (0..2000).map(|number| format!("Filler {number}"));
    let names = HOSTILE.iter().map(|name| (*name).to_owned()).chain(["base".to_owned()]);
    let entries: Vec<_> =
        names.chain(others).enumerate().map(|(at, name)| entry(at, &name)).collect();
    let profile = serde_json::json!({"subscriptions": entries});
    std::fs::create_dir_all(sandbox.config_dir()).unwrap();
    sandbox.write("azureProfile.json", profile.to_string());
    sandbox
}

fn entry(at: usize, name: &str) -> serde_json::Value {
    serde_json::json!({
        "id": format!("60000000-0000-4000-8000-{at:012}"),
        "name": name,
        "state": "Enabled",
        "user": {"name": "alice@contoso.example", "type": "user"},
        "isDefault": name == "base",
        "tenantId": CONTOSO,
        "tenantDefaultDomain": "contoso.example",
        "environmentName": "AzureCloud",
    })
}

/// A shell on a terminal, with azt's script.
struct Shell {
    session: PtySession,
    parser: vt100::Parser,
}

impl Shell {
    /// `None`, with a message, if the shell is not installed.
    #[allow(clippy::print_stderr, reason = "a test that cannot run says so")]
    fn start(sandbox: &Sandbox, name: &str) -> Option<Self> {
        let (arguments, setup): (&[&str], &str) = match name {
            "bash" => (
                &["--norc", "--noprofile", "-i"],
                "bind 'set enable-bracketed-paste off'; bind 'set bell-style none'; PS1='ready> '; \
                 source <(azt completion bash)",
            ),
            "zsh" => (
                &["-f", "-i"],
                "PROMPT='ready> '; unsetopt zle_bracketed_paste prompt_sp beep; \
                 autoload -Uz compinit && compinit -u -D; source <(azt completion zsh)",
            ),
            _ => (
                &["--no-config", "--private"],
                "function fish_prompt; echo -n 'ready> '; end; azt completion fish | source",
            ),
        };
        let path = ["/usr/bin", "/bin"].map(|folder| std::path::Path::new(folder).join(name));
        let Some(path) = path.into_iter().find(|path| path.exists()) else {
            eprintln!("not tested: {name} is not installed");
            return None;
        };
        let mut command = Command::new("sh");
        // rexpect turns the echo off, and bash minds that.
        let script = "stty echo rows 60 cols 240; exec \"$0\" \"$@\"";
        command.args(["-c", script]).arg(path).args(arguments).env_clear().envs(sandbox.env());
        command.current_dir(sandbox.root());
        let session = spawn_command(command, Some(LIMIT)).unwrap();
        let size = |number| std::num::NonZero::new(number).unwrap();
        let mut shell = Self { session, parser: vt100::Parser::new(size(60), size(240), 0) };
        shell.until(|screen| screen.contains(['$', '%', '#', '>']));
        shell.send(&format!(" {setup}\r"));
        shell.until(|screen| screen.ends_with(PROMPT));
        Some(shell)
    }

    fn send(&mut self, keys: &str) {
        self.session.send(keys).unwrap();
        self.session.flush().unwrap();
    }

    /// The screen without what is blank at its end.
    fn screen(&self) -> String {
        let rows = self.parser.screen().rows(0, 240);
        let rows: Vec<String> = rows.map(|row| row.trim_end().to_owned()).collect();
        rows.join("\n").trim_end().to_owned()
    }

    /// Waits until the screen satisfies `wanted`.
    #[track_caller]
    fn until(&mut self, wanted: impl Fn(&str) -> bool) {
        let start = Instant::now();
        loop {
            // rexpect decodes each byte as one character.
            while let Some(byte) = self.session.try_read() {
                self.parser.process(&[byte as u8]);
            }
            if wanted(&self.screen()) {
                return;
            }
            assert!(start.elapsed().as_millis() < LIMIT.into(), "{}", self.screen());
            std::thread::yield_now();
        }
    }

    /// Types `line`, presses Tab, waits until the last line of the screen has `end`, and then Enter.
    #[track_caller]
    fn complete(&mut self, line: &str, end: &str) {
        // An empty screen, so that nothing older is taken for the reply.
        self.send("\x0c");
        self.until(|screen| screen == PROMPT);
        self.send(line);
        self.send("\t");
        self.until(|screen| screen.lines().last().is_some_and(|last| last.contains(end)));
        self.send("\r");
        self.until(|screen| screen.contains('\n') && screen.ends_with(&format!("\n{PROMPT}")));
    }
}

/// Completes every hostile name within every quote, runs the command, and looks what it received.
fn hostile_names(shell_name: &str) {
    let sandbox = sandbox();
    let Some(mut shell) = Shell::start(&sandbox, shell_name) else { return };
    for (at, name) in HOSTILE.iter().enumerate() {
        let number = at + 1;
        for start in [" ", " '", " \"", "=", "=\""] {
            sandbox.azt(["account", "set", "-s", "base"]).success();
            let option = if start.starts_with('=') { "--subscription" } else { "-s" };
            shell.complete(
                &format!("azt account set {option}{start}h{number}"),
                &format!("end{number}"),
            );
            let shown = sandbox.azt(["account", "show", "--query", "name", "-o", "tsv"]).success();
            assert_eq!(
                shown.stdout.trim_end_matches('\n'),
                *name,
                "{start}h{number}: {}",
                shell.screen()
            );
        }
    }
    assert!(!sandbox.root().join("PWNED").exists());
}

/// A quote of the other kind, an escape, and a home, within an open quote.
fn half_quoted(shell_name: &str) {
    let sandbox = sandbox();
    sandbox.write("../notes.txt", "");
    let Some(mut shell) = Shell::start(&sandbox, shell_name) else { return };
    for (line, end) in [
        ("azt account show -s \"h3 it's \\\"quo", "ted\\\" end3\""),
        ("azt account show -s 'h3 it'\\''s \"quo", "ted\" end3'"),
        ("azt cache import --file ~/not", "~/notes.txt"),
    ] {
        shell.send("\x0c");
        shell.until(|screen| screen == PROMPT);
        shell.send(line);
        shell.send("\t");
        shell.until(|screen| screen.ends_with(end));
        shell.send("\x15");
    }
}

#[test]
fn zsh_reads_a_word_as_it_is_quoted() {
    half_quoted("zsh");
}

#[test]
fn fish_reads_a_word_as_it_is_quoted() {
    half_quoted("fish");
}

/// What Tab does with words other than names of subscriptions.
fn words(shell_name: &str) {
    let sandbox = sandbox();
    sandbox.write("../../notes.txt", "");
    let Some(mut shell) = Shell::start(&sandbox, shell_name) else { return };
    for (line, end) in [
        ("azt accou", "account "),
        ("azt account sho", "show "),
        ("azt account show --subsc", "--subscription "),
        ("azt account get-access-token -o yamlc", "yamlc "),
        ("azt account get-access-token --resource-type ms", "ms-graph "),
        ("azt logout --username al", "alice@contoso.example "),
        ("azt login --tenant con", "contoso.example "),
        ("azt cloud set -n AzureCh", "AzureChinaCloud "),
        ("azt config get core.error_f", "core.error_format "),
        ("azt config set core.key_s", "core.key_source="),
        ("azt config set core.key_source=pass", "core.key_source=passphrase "),
        ("azt config set core.output=yamlc", "core.output=yamlc "),
        ("azt vault move --to pass", "passphrase "),
        (
            "azt account show -s 60000000-0000-4000-8000-000000000007",
            "60000000-0000-4000-8000-000000000007 ",
        ),
        ("azt completion nu", "nushell "),
        ("azt cache import --file not", "notes.txt "),
    ] {
        shell.send("\x0c");
        shell.until(|screen| screen == PROMPT);
        shell.send(line);
        shell.send("\t");
        // What follows shows whether the shell has added a blank.
        shell.send("X");
        shell.until(|screen| screen.ends_with(&format!("{end}X")));
        shell.send("\x15");
    }
}

#[test]
fn bash_completes_hostile_names() {
    hostile_names("bash");
}

#[test]
fn zsh_completes_hostile_names() {
    hostile_names("zsh");
}

#[test]
fn fish_completes_hostile_names() {
    hostile_names("fish");
}

#[test]
fn bash_completes_words() {
    words("bash");
}

#[test]
fn zsh_completes_words() {
    words("zsh");
}

#[test]
fn fish_completes_words() {
    words("fish");
}

#[test]
fn bash_lists_what_is_ambiguous_and_inserts_what_is_common() {
    let sandbox = sandbox();
    let Some(mut shell) = Shell::start(&sandbox, "bash") else { return };
    let entries = [entry(1, "Twin $(touch PWNED)"), entry(2, "Twin `touch PWNED`")];
    sandbox.write("azureProfile.json", serde_json::json!({"subscriptions": entries}).to_string());
    // One inserts, one finds nothing to insert, one lists.
    shell.send("azt account set -s Tw\t\t\t");
    shell.until(|screen| screen.contains("touch\\ PWNED\\`"));
    shell.send("\x15");
    shell.complete("azt account set -s 'Twin `", "PWNED");
    let shown = sandbox.azt(["account", "show", "--query", "name", "-o", "tsv"]).success();
    assert_eq!(shown.stdout, "Twin `touch PWNED`\n");
    assert!(!sandbox.root().join("PWNED").exists());
}

/// Runs what a script runs.
fn complete(sandbox: &Sandbox, words: &[&str]) -> String {
    sandbox.azt([&["__complete"], words].concat()).quiet().stdout
}

#[test]
fn completion_needs_no_network_no_key_and_no_whole_file() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    // A key source that cannot answer.
    sandbox.set("AZURE_CORE_KEY_SOURCE", "env");
    let before = sandbox.all_files();
    let names = complete(&sandbox, &["zsh", "account", "set", "-s", ""]);
    assert!(names.lines().any(|line| line.contains(PRODUCTION)), "{names}");
    assert_eq!(
        complete(&sandbox, &["zsh", "account", "show", "--account", ""]),
        format!("{ALICE}\n")
    );
    assert_eq!(complete(&sandbox, &["zsh", "cloud", "set", "-n", "Em"]), "Emulator\n");
    assert!(sandbox.requests().is_empty());
    assert_eq!(sandbox.all_files(), before, "nothing is written");
    for (file, text) in [
        ("azureProfile.json", "{\"subscriptions\": ["),
        ("azureProfile.json", "\0\0"),
        ("clouds.config", "no section"),
        ("config", "no section"),
    ] {
        sandbox.write(file, text);
        for words in [
            &["zsh", "account", "set", "-s", ""][..],
            &["bash", "azt account set -s ", " :="],
            &["fish", "cloud", "set", "-n", ""],
            &["nushell", "login", "-t", ""],
            &["powershell", "logout", "--username", ":"],
        ] {
            drop(complete(&sandbox, words));
        }
    }
    // Arguments that no script passes.
    for words in [&[][..], &["zsh"], &["bash", "x"], &["ksh", "azt", ""], &["bash", "azt \\", ""]] {
        drop(complete(&sandbox, words));
    }
}

#[test]
fn powershell_and_nushell_get_quoted_values() {
    let sandbox = sandbox();
    let reply = complete(&sandbox, &["powershell", "account", "set", "-s", ":h3"]);
    assert_eq!(
        reply,
        "'h3 it''s \"quoted\" end3'\th3 it's \"quoted\" end3\t60000000-0000-4000-8000-000000000002\n"
    );
    let reply = complete(&sandbox, &["nushell", "account", "set", "-s", "h1"]);
    let reply: serde_json::Value = serde_json::from_str(&reply).unwrap();
    assert_eq!(reply[0]["value"], "\"h1 $(touch PWNED) ${HOME} end1\"");
    let reply = complete(&sandbox, &["nushell", "login", "--certificate", ""]);
    assert_eq!(reply, "null\n");
}

#[test]
fn every_script_is_printed() {
    let sandbox = Sandbox::without_cloud();
    for shell in ["bash", "zsh", "fish", "powershell", "nushell"] {
        let script = sandbox.azt(["completion", shell]).quiet().stdout;
        assert!(script.contains(&format!("__complete {shell}")), "{script}");
    }
    drop(sandbox.azt(["completion", "ksh"]).exits(2));
    drop(sandbox.azt(["completion"]).exits(2));
}

/// Another az has a `completion`, or says that it has none.
#[test]
fn under_the_name_az_both_words_are_passed_on() {
    use std::os::unix::fs::PermissionsExt;
    let mut sandbox = Sandbox::without_cloud();
    let other = sandbox.root().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("az"), "#!/bin/sh\necho \"other: $*\"\n").unwrap();
    std::fs::set_permissions(other.join("az"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let bin = sandbox.root().join("bin");
    let path = format!("{}:{}:/usr/bin:/bin", bin.display(), other.display());
    sandbox.set("PATH", &path);
    drop(sandbox.az(["completion", "bash"]).quiet().prints("other: completion bash\n"));
    drop(
        sandbox
            .az(["__complete", "bash", "az ", ""])
            .quiet()
            .prints("other: __complete bash az  \n"),
    );
}
