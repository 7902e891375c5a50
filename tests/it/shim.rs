//! Under the name `az`: commands served, commands passed to the next az, and `azt shim`.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::*;

/// A machine with another az, a shell script, behind ours on PATH.
fn with_other_az(script: &str) -> Sandbox {
    let mut sandbox = Sandbox::new();
    let folder = sandbox.root().join("other");
    std::fs::create_dir(&folder).unwrap();
    let other = folder.join("az");
    std::fs::write(&other, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o755)).unwrap();
    let bin = sandbox.root().join("bin");
    let path = format!("{}:{}:/usr/bin:/bin", bin.display(), folder.display());
    sandbox.set("PATH", &path);
    sandbox
}

/// Prints each argument in brackets.
const ECHO: &str = "for it; do printf '[%s]' \"$it\"; done";

#[test]
fn other_commands_are_passed_to_az_unchanged() {
    let sandbox = with_other_az(ECHO);
    let odd = "two\nlines and \"quotes\" 'and' $HOME *";
    for arguments in [
        &["vm", "list", "-o", "table"][..],
        &["vm", "create", "--name", "", "--tags", odd],
        &["account", "lock", "list"],
        &["account", "management-group", "list"],
        &["config", "param-persist", "show"],
        &["account", "-h"],
        &["--help"],
        &["-o", "table", "account", "show"],
        &["acount", "show"],
        &[],
    ] {
        let shown: String = arguments.iter().map(|it| format!("[{it}]")).collect();
        drop(sandbox.az(arguments).quiet().prints(&shown));
    }
    drop(sandbox.az(["version"]).quiet().says(""));
    sandbox.az(["account", "show"]).exits(1).says("Please run 'az login' to setup account.");
    // Only under the name az.
    sandbox.azt(["vm", "list"]).exits(2);
    assert_eq!(sandbox.requests(), Vec::<String>::new());
}

/// az's extensions and scripts call az in turn.
#[test]
fn az_receives_the_whole_environment() {
    let mut sandbox = with_other_az("echo \"$AZT_VAULT_KEY $PWD\"");
    sandbox.set("AZT_VAULT_KEY", "a key");
    assert!(sandbox.az(["vm", "list"]).quiet().stdout.starts_with("a key /"));
}

#[test]
fn az_ends_with_its_own_exit_code_or_signal() {
    for code in [0, 1, 2, 77] {
        let run = with_other_az(&format!("echo out; echo err >&2; exit {code}")).az(["vm", "list"]);
        assert_eq!(
            (run.code, run.stdout.as_str(), run.stderr.as_str()),
            (Some(code), "out\n", "err\n")
        );
    }
    // Not SIGINT, which background jobs ignore.
    for signal in [9, 10, 15] {
        use std::os::unix::process::ExitStatusExt;
        let sandbox = with_other_az(&format!("kill -{signal} $$; sleep 9"));
        let status = sandbox.az_command(["vm", "list"]).stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.signal(), Some(signal));
    }
}

#[test]
fn az_receives_the_descriptors() {
    let sandbox = with_other_az("cat; head -c 5000000 /dev/zero");
    let mut command = sandbox.az_command(["vm", "list"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    use std::io::Write;
    let bytes: Vec<u8> = (0..=255).collect();
    child.stdin.take().unwrap().write_all(&bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout[..256], bytes[..]);
    assert_eq!(output.stdout.len(), 5_000_256);

    // Signal dispositions are reset: a closed pipe ends az quietly.
    let sandbox = with_other_az("exec yes");
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "az vm list | head -n 1"]).env_clear().envs(sandbox.env());
    drop(Run::of(&mut shell).quiet().prints("y\n"));
}

#[test]
fn az_has_the_terminal() {
    let sandbox = with_other_az(
        "test -t 0 && test -t 1 && test -t 2 && printf 'name? ' && read it && echo \"hello $it\"",
    );
    let command = sandbox.az_command(["vm", "list"]);
    let mut session = rexpect::session::spawn_command(command, Some(30_000)).unwrap();
    session.exp_string("name? ").unwrap();
    session.send_line("bob").unwrap();
    session.exp_string("hello bob").unwrap();
}

#[test]
fn a_command_is_never_passed_to_azt_itself() {
    let mut sandbox = Sandbox::new();
    // Symlinks to azt in three folders, a copy in a fourth, another version of azt in a fifth.
    let mut folders = vec![sandbox.root().join("bin")];
    for name in ["one", "two", "three", "four"] {
        let folder = sandbox.root().join(name);
        std::fs::create_dir(&folder).unwrap();
        let az = folder.join("az");
        match name {
            "one" => std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_azt"), &az).unwrap(),
            "two" => std::os::unix::fs::symlink("../one/az", &az).unwrap(),
            _ => drop(std::fs::copy(env!("CARGO_BIN_EXE_azt"), &az).unwrap()),
        }
        if name == "four" {
            use std::io::Write;
            let mut file = std::fs::File::options().append(true).open(&az).unwrap();
            file.write_all(b"another version").unwrap();
        }
        folders.push(folder);
    }
    let path = |folders: &[PathBuf]| std::env::join_paths(folders).unwrap().into_string().unwrap();
    sandbox.set("PATH", &path(&folders[..4]));
    let run = sandbox.az(["vm", "list"]).exits(2);
    let run = run.says("ERROR: 'vm' is misspelled or not recognized by the system.\n");
    drop(run.says("There is no other az on PATH that could know it.\n"));
    sandbox.set("PATH", &path(&folders));
    sandbox
        .az(["vm", "list"])
        .exits(1)
        .says("ERROR: The az programs on PATH hand this command to each other");
}

#[test]
fn the_shim_is_installed_shown_and_removed() {
    let mut sandbox = with_other_az("echo other");
    let folder = sandbox.root().join("shims");
    let dir = folder.to_str().unwrap().to_owned();
    let other = sandbox.root().join("other/az");
    // Another az is on PATH, and there is no terminal for a question.
    sandbox.set("PATH", &format!("{}:/usr/bin:/bin", other.parent().unwrap().display()));
    let run = sandbox.azt(["shim", "install", "--dir", &dir]).exits(1);
    let plan = format!("This will:\n  make {dir}/az -> ");
    let run = run
        .says(&plan)
        .says("\n  set core.share_with_az=true: sign-ins go into the real az's files too");
    drop(run.says("ERROR: Nothing was changed").says("Run it again with --yes."));
    assert!(!sandbox.file("config").exists() || !sandbox.read("config").contains("share_with_az"));
    assert!(!folder.exists());
    let run = sandbox.azt(["shim", "install", "--dir", &dir, "--yes"]).exits(0);
    drop(run.says(&format!("WARNING: PATH finds {} first: put {dir} before", other.display())));

    sandbox.set("PATH", &format!("{dir}:{}:/usr/bin:/bin", other.parent().unwrap().display()));
    let run = sandbox.azt(["shim", "install", "--dir", &dir]).exits(0);
    let run = run.says("az is this program now.");
    assert_eq!(
        run.json(),
        serde_json::json!([
            {"path": format!("{dir}/az"), "isThisProgram": true, "isFirst": true, "getsOtherCommands": false},
            {"path": other, "isThisProgram": false, "isFirst": false, "getsOtherCommands": true},
        ])
    );
    let mut az = Command::new(folder.join("az"));
    az.args(["vm", "list"]).env_clear().envs(sandbox.env());
    drop(Run::of(&mut az).quiet().prints("other\n"));

    let of_others = other.parent().unwrap().to_str().unwrap();
    let run = sandbox.azt(["shim", "install", "--dir", of_others, "--yes"]).exits(1);
    drop(run.says("already exists and is not this program. It was not changed."));
    sandbox.azt(["shim", "remove", "--dir", of_others, "--yes"]).exits(1);
    assert!(other.exists());
    sandbox.azt(["shim", "remove", "--dir", &dir, "--yes"]).exits(0).says("This will:\n  remove ");
    assert!(!folder.join("az").exists());
    assert!(sandbox.read("config").contains("share_with_az = false"));
    sandbox
        .azt(["shim", "remove", "--dir", &dir, "--yes"])
        .exits(1)
        .says("has no az that is this program");
    assert_eq!(sandbox.azt(["shim", "status"]).quiet().json()[0]["path"], other.to_str().unwrap());
}

#[test]
fn removing_the_last_shim_on_the_path_ends_sharing() {
    let mut sandbox = with_other_az("echo other");
    let [one, two, alias] = ["one", "two", "alias"].map(|name| sandbox.root().join(name));
    std::fs::create_dir(&one).unwrap();
    // The first folder is on PATH under two names.
    std::os::unix::fs::symlink(&one, &alias).unwrap();
    let other = sandbox.root().join("other");
    let folders = [&one, &alias, &two, &other];
    let path = std::env::join_paths(folders).unwrap().into_string().unwrap();
    sandbox.set("PATH", &(path + ":/usr/bin:/bin"));
    let shim = |change: &str, folder: &PathBuf| {
        sandbox.azt(["shim", change, "--yes", "--dir", folder.to_str().unwrap()]).exits(0)
    };
    shim("install", &one);
    shim("install", &two);
    let kept = format!("  keep core.share_with_az=true: {}/az is this program too", one.display());
    drop(shim("remove", &two).says(&kept));
    assert!(sandbox.read("config").contains("share_with_az = true"));
    drop(shim("remove", &one).says("  set core.share_with_az=false"));
    assert!(sandbox.read("config").contains("share_with_az = false"));
}

/// If taken for the real az, it would receive every secret in plain text.
#[test]
fn a_copy_or_hard_link_of_azt_is_not_the_real_az() {
    let mut sandbox = Sandbox::new();
    let [own, linked, copied, almost] = ["own", "linked", "copied", "almost"].map(|name| {
        let folder = sandbox.root().join(name);
        std::fs::create_dir(&folder).unwrap();
        folder
    });
    let azt = own.join("azt");
    std::fs::copy(env!("CARGO_BIN_EXE_azt"), &azt).unwrap();
    std::fs::hard_link(&azt, linked.join("az")).unwrap();
    std::fs::copy(&azt, copied.join("az")).unwrap();
    // Another program of the same size.
    let mut bytes = std::fs::read(&azt).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(almost.join("az"), bytes).unwrap();
    std::fs::set_permissions(almost.join("az"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = |folders: &[&PathBuf]| {
        std::env::join_paths(folders).unwrap().into_string().unwrap() + ":/usr/bin:/bin"
    };
    let run = |sandbox: &Sandbox, arguments: &[&str]| {
        let mut command = Command::new(&azt);
        Run::of(command.args(arguments).env_clear().envs(sandbox.env()))
    };
    for folder in [&linked, &copied] {
        sandbox.set("PATH", &path(&[folder]));
        let page = run(&sandbox, &["doctor", "--offline"]).stdout;
        assert!(page.contains("az is this program; no other az is on PATH"), "{page}");
        let shims = sandbox.root().join("shims");
        let made = ["shim", "install", "--yes", "--dir", shims.to_str().unwrap()];
        let planned = run(&sandbox, &made).exits(0);
        assert!(!planned.stderr.contains("share_with_az"), "{planned:?}");
        assert!(!sandbox.read("config").contains("share_with_az"));
    }
    sandbox.set("PATH", &path(&[&copied, &almost]));
    let ours = run(&sandbox, &["shim", "status", "--query", "[].isThisProgram"]).quiet();
    assert_eq!(ours.json(), serde_json::json!([true, false]));
}

#[test]
fn installing_the_shim_asks_first() {
    let sandbox = Sandbox::new();
    let dir = sandbox.root().join("shims");
    let command = sandbox.command(["shim", "install", "--dir", dir.to_str().unwrap()]);
    let mut session = rexpect::session::spawn_command(command, Some(30_000)).unwrap();
    session.exp_string("Continue?").unwrap();
    session.send("n\r").unwrap();
    session.flush().unwrap();
    session.exp_string("Nothing was changed.").unwrap();
    session.exp_eof().unwrap();
    assert!(!dir.join("az").exists());
}
