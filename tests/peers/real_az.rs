//! az 2.91 reads what this program writes, this program reads what az writes, and both print the
//! same bytes.

use std::process::Command;

use crate::support::*;
use crate::venv;

/// The real az in the sandbox's configuration folder.
fn real_az(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let mut command = Command::new(venv::program("az"));
    command
        .args(arguments)
        .env_clear()
        .envs(sandbox.env())
        .env("AZURE_CORE_INSTANCE_DISCOVERY", "false")
        .env("AZURE_CORE_COLLECT_TELEMETRY", "false")
        .current_dir(sandbox.root());
    Run::of(&mut command)
}

/// Runs both and asserts the same exit code, standard output and standard error.
#[track_caller]
fn same(sandbox: &Sandbox, arguments: &[&str]) {
    let (ours, theirs) = (sandbox.az(arguments), real_az(sandbox, arguments));
    assert_eq!(ours.stdout, theirs.stdout, "{arguments:?}");
    assert_eq!(ours.stderr, theirs.stderr, "{arguments:?}");
    assert_eq!(ours.code, theirs.code, "{arguments:?}");
}

#[test]
fn both_print_the_same_of_files_that_this_program_wrote() {
    let sandbox = Sandbox::signed_in_as_alice();
    for format in ["json", "jsonc", "yaml", "yamlc", "table", "tsv", "none"] {
        same(&sandbox, &["account", "show", "-o", format]);
        same(&sandbox, &["account", "list", "-o", format]);
        same(&sandbox, &["cloud", "list", "-o", format]);
    }
    for arguments in [
        &["account", "list", "--all"][..],
        &["account", "list", "--all", "--query", "[?isDefault].{Name:name,Id:id}", "-o", "table"],
        &["account", "list", "--all", "--query", "[].[name, user.name]", "-o", "tsv"],
        &["account", "list", "--query", "[?name==`Fabrikam Shared`].id | [0]"],
        &["account", "show", "--query", "nothing"],
        &["account", "show", "--query", "nofunc(@)"],
        &["account", "show", "-s", "FABRIKAM shared", "--query", "id", "-o", "tsv"],
        &["account", "show", "-s", "No Such"],
        &["account", "set", "-s", "No Such"],
        &["account", "set", "-s", "Fabrikam Shared"],
        &["cloud", "show"],
        &["cloud", "show", "-n", "AzureChinaCloud"],
        &["cloud", "show", "-n", "Nowhere"],
        &["cloud", "list-profiles"],
        &["version"],
        &["account", "set"],
        &["account", "list", "-o", "foo"],
    ] {
        let ours = sandbox.az(arguments);
        let theirs = real_az(&sandbox, arguments);
        assert_eq!(ours.stdout, theirs.stdout, "{arguments:?}");
        assert_eq!(ours.code, theirs.code, "{arguments:?}");
        // az follows up with examples from its help.
        assert_eq!(ours.stderr.lines().next(), theirs.stderr.lines().next(), "{arguments:?}");
    }
}

#[test]
fn az_signs_in_and_this_program_shows_the_same_accounts() {
    let sandbox = Sandbox::new();
    drop(
        real_az(
            &sandbox,
            &["login", "--service-principal", "-u", APP, "-p", APP_SECRET, "-t", CONTOSO],
        )
        .success(),
    );
    same(&sandbox, &["account", "show"]);
    same(&sandbox, &["account", "list", "-o", "table"]);
    sandbox.approve_as(ALICE);
    drop(real_az(&sandbox, &["login", "--use-device-code"]).success());
    same(&sandbox, &["account", "list", "--all"]);
    let profile = sandbox.read("azureProfile.json");
    drop(sandbox.az(["account", "set", "-s", "Contoso Development and Test"]).quiet());
    let ours = sandbox.read("azureProfile.json");
    std::fs::write(sandbox.file("azureProfile.json"), profile).unwrap();
    drop(real_az(&sandbox, &["account", "set", "-s", "Contoso Development and Test"]).success());
    assert_eq!(ours, sandbox.read("azureProfile.json"), "to the byte");
}

#[test]
fn a_sign_in_prints_and_stores_what_azs_does() {
    let (ours, theirs) = (Sandbox::new(), Sandbox::new());
    for sandbox in [&ours, &theirs] {
        sandbox.approve_as(ALICE);
    }
    let mine = ours.az(["login", "--use-device-code", "-o", "json"]).success();
    let real = real_az(&theirs, &["login", "--use-device-code", "-o", "json"]).success();
    assert_eq!(mine.stdout, real.stdout);
    let without_id = |text: String| {
        let mut profile: serde_json::Value =
            serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
        profile.as_object_mut().unwrap().remove("installationId");
        profile
    };
    assert_eq!(
        without_id(ours.read("azureProfile.json")),
        without_id(theirs.read("azureProfile.json"))
    );
}
