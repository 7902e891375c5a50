//! Exhausted resources: descriptors, file sizes, permissions.

use crate::support::*;

const VAULT: [&str; 4] = ["account", "get-access-token", "--resource", "https://vault.azure.net"];

/// Runs azt under `ulimit` (`-n 8`: descriptors; `-f 0`: file size).
fn limited(sandbox: &Sandbox, limit: &str, args: &[&str]) -> Run {
    let command = sandbox.command(args);
    let mut shell = std::process::Command::new("sh");
    shell.arg("-c").arg(format!("ulimit {limit}; exec \"$0\" \"$@\""));
    shell.arg(command.get_program()).args(command.get_args()).env_clear();
    shell.envs(sandbox.env()).current_dir(sandbox.root());
    Run::of(&mut shell)
}

#[test]
fn too_few_descriptors_are_reported() {
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

/// A token that cannot be stored is still printed; a sign-in that cannot be stored fails.
#[test]
fn a_file_size_limit_kills_no_process() {
    let sandbox = Sandbox::signed_in_as_app();
    let run = limited(&sandbox, "-f 0", &VAULT).success();
    assert!(run.json()["accessToken"].is_string());

    let sandbox = Sandbox::new();
    let run = limited(&sandbox, "-f 0", &LOGIN_APP);
    assert_eq!(run.code, Some(9), "{run:?}");
    assert!(run.stderr.contains("File too large") && run.stderr.contains("ulimit -f"), "{run:?}");
    sandbox.login_app().success();
}

/// Files that `sudo` left in a home, as a user sees them who may not read them.
#[test]
fn files_of_another_user_are_named_with_the_chown_remedy() {
    use std::os::unix::fs::chown;
    use std::os::unix::process::CommandExt;
    const PERSON: u32 = 54_321;
    let sandbox = Sandbox::signed_in_as_app();
    let home = sandbox.root().join("home");
    // Only root can change its uid.
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
