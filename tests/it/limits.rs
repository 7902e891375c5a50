//! A machine that has no more room: threads, descriptors, disks, rights.

use crate::support::*;

const VAULT: [&str; 4] = ["account", "get-access-token", "--resource", "https://vault.azure.net"];

/// The same command under limits of a shell (`-n 8`: descriptors; `-f 0`: sizes of files).
fn limited(sandbox: &Sandbox, limit: &str, args: &[&str]) -> Run {
    let command = sandbox.command(args);
    let mut shell = std::process::Command::new("sh");
    shell.arg("-c").arg(format!("ulimit {limit}; exec \"$0\" \"$@\""));
    shell.arg(command.get_program()).args(command.get_args()).env_clear();
    shell.envs(sandbox.env()).current_dir(sandbox.root());
    Run::of(&mut shell)
}

#[test]
fn few_descriptors_are_an_error_that_says_so() {
    let sandbox = Sandbox::signed_in_as_app();
    for limit in 4..16 {
        let run = limited(&sandbox, &format!("-n {limit}"), &VAULT);
        let is_told =
            run.stderr.contains("Too many open files") || run.stderr.contains("os error 24");
        assert!(run.code == Some(0) || is_told, "{limit}: {run:?}");
        assert!(!run.stderr.contains("panicked"), "{limit}: {run:?}");
    }
    sandbox.azt(VAULT).quiet();
}

/// A token that cannot be kept is handed out all the same; a sign-in that cannot, fails.
#[test]
fn a_limit_on_the_size_of_files_ends_no_process() {
    let sandbox = Sandbox::signed_in_as_app();
    let run = limited(&sandbox, "-f 0", &VAULT).success();
    assert!(run.json()["accessToken"].is_string());

    let sandbox = Sandbox::new();
    let run = limited(&sandbox, "-f 0", &LOGIN_APP);
    assert_eq!(run.code, Some(9), "{run:?}");
    assert!(run.stderr.contains("File too large") && run.stderr.contains("ulimit -f"), "{run:?}");
    sandbox.login_app().success();
}

/// What `sudo` leaves in a home: seen as a person who may not read it.
#[test]
fn what_belongs_to_another_user_is_named_with_the_way_to_have_it_back() {
    use std::os::unix::fs::chown;
    use std::os::unix::process::CommandExt;
    const PERSON: u32 = 54_321;
    let sandbox = Sandbox::signed_in_as_app();
    let home = sandbox.root().join("home");
    // Only root can be somebody else.
    if chown(&home, Some(PERSON), Some(PERSON)).is_err() {
        return;
    }
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(sandbox.root(), open).unwrap();
    let program = sandbox.root().join("azt");
    std::fs::copy(env!("CARGO_BIN_EXE_azt"), &program).unwrap();
    let mut command = std::process::Command::new(&program);
    command.args(VAULT).env_clear().envs(sandbox.env()).current_dir("/").uid(PERSON).gid(PERSON);
    let run = Run::of(&mut command);
    assert_eq!(run.code, Some(1), "{run:?}");
    let folder = sandbox.config_dir();
    let cure = format!("sudo chown -R {PERSON} {}", folder.display());
    assert!(run.stderr.contains("belongs to another user (uid 0)"), "{run:?}");
    assert!(run.stderr.contains(&cure), "{run:?}");
}
