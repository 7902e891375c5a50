//! CI jobs: no waiting for a user, no ignored option, no remedy that is the failed command.

use std::process::Stdio;

use entra_emulator::Fault;

use crate::support::*;

const NO_ONE: &str = "Nobody can sign in here: this is a job";

#[test]
fn a_bare_login_in_a_job_fails_with_alternatives() {
    for (variable, value) in [
        ("CI", "true"),
        ("CI", "1"),
        ("CI", "woodpecker"),
        ("GITHUB_ACTIONS", "true"),
        ("TF_BUILD", "True"),
        ("GITLAB_CI", "true"),
        ("JENKINS_URL", "https://jenkins.example/"),
        ("CODEBUILD_BUILD_ID", "x:1"),
        ("TEAMCITY_VERSION", "2026.1"),
    ] {
        let mut sandbox = Sandbox::new();
        sandbox.set(variable, value);
        let shown = format!("ERROR: {NO_ONE} ({variable} is set) without a terminal.\n");
        for (arguments, tenant) in
            [(&["login"][..], "TENANT"), (&["login", "-t", CONTOSO], CONTOSO)]
        {
            let run = sandbox.azt(arguments).exits(5).says(&shown);
            let app = format!("azt login --service-principal -u CLIENT_ID -t {tenant}");
            let federated = match variable {
                "GITHUB_ACTIONS" => "--federated-token-from github-actions\n",
                "TF_BUILD" => "--federated-token-from azure-pipelines\n",
                _ => "--federated-token-file FILE\n",
            };
            let run = run.says(&format!("{app} {federated}")).says(&format!("{app} -p @-\n"));
            let run = run.says(&format!("{app} --certificate FILE\n"));
            drop(run.says("azt login --identity\n").says("azt login --use-device-code\n"));
        }
        drop(
            sandbox.az(["login", "--scope", "x"]).exits(1).says(&shown).says("az login --identity"),
        );
        assert_eq!(sandbox.requests(), [] as [String; 0]);
        assert!(!sandbox.file("azt/vault.json").exists());
        let json = sandbox.azt(["login", "--error-format", "json"]).stderr;
        assert!(json.contains("\"interaction_required\""), "{json}");
    }
}

#[test]
fn explicit_and_non_interactive_sign_ins_work_in_a_job() {
    let mut sandbox = Sandbox::new();
    for (variable, value) in [("CI", "true"), ("GITHUB_ACTIONS", "true")] {
        sandbox.set(variable, value);
    }
    sandbox.approve_as(ALICE);
    drop(sandbox.azt(["login", "--use-device-code"]).success());
    drop(sandbox.login_app().success());
    drop(sandbox.azt(["login", "-u", ALICE]).exits(2));
    let pasted = sandbox.azt(["login", "--no-browser"]);
    assert!(!pasted.stderr.contains(NO_ONE), "{pasted:#?}");
    // An empty or false CI variable means no job.
    sandbox.unset("GITHUB_ACTIONS");
    for value in ["", "false", "False", "0"] {
        sandbox.set("CI", value);
        drop(sandbox.azt(["login"]).success());
    }
    sandbox.unset("CI");
    drop(sandbox.azt(["login"]).success());
}

#[test]
fn inapplicable_options_are_errors() {
    let mut sandbox = Sandbox::new();
    sandbox.set("GITHUB_ACTIONS", "true");
    let app = |option: &str| format!("'{option}' is only applicable with a service principal");
    let host = |option: &str| format!("'{option}' is only applicable with '--identity'");
    let sp = &["login", "--service-principal", "-u", APP, "-t", CONTOSO][..];
    for (arguments, message) in [
        (vec!["login", "--federated-token", "x"], app("--federated-token")),
        (vec!["login", "--federated-token-file", "f"], app("--federated-token-file")),
        (vec!["login", "--federated-token-command", "c"], app("--federated-token-command")),
        (vec!["login", "--federated-token-from", "github-actions"], app("--federated-token-from")),
        (vec!["login", "--federated-token-audience", "a"], app("--federated-token-audience")),
        (vec!["login", "--service-connection-id", "i"], app("--service-connection-id")),
        (vec!["login", "--certificate", "x.pem"], app("--certificate")),
        (vec!["login", "--certificate-password", "x"], app("--certificate-password")),
        (
            vec!["login", "-u", APP, "-t", CONTOSO, "--federated-token", "x"],
            app("--federated-token"),
        ),
        (vec!["login", "-u", ALICE, "-p", "x", "--certificate", "x.pem"], app("--certificate")),
        (vec!["login", "--use-device-code", "--certificate", "x.pem"], app("--certificate")),
        (vec!["login", "--identity", "--federated-token-file", "f"], app("--federated-token-file")),
        (vec!["login", "--use-cert-sn-issuer"], app("--use-sn-issuer")),
        (vec!["login", "--object-id", "i"], host("--object-id")),
        (vec!["login", "--use-device-code", "--resource-id", "i"], host("--resource-id")),
        (vec!["login", "-p", "x"], "'--password' requires '--username'".to_owned()),
        (
            [sp, &["-p", "x", "--certificate", "c"]].concat(),
            "only one of --password, --certificate".to_owned(),
        ),
        (
            [sp, &["--federated-token", "x", "--federated-token-file", "f"]].concat(),
            "only one of --federated-token, --federated-token-file".to_owned(),
        ),
        (
            [sp, &["-p", "x", "--certificate-password", "y"]].concat(),
            "requires '--certificate'".to_owned(),
        ),
        (
            [sp, &["--federated-token", "x", "--federated-token-audience", "a"]].concat(),
            "'--federated-token-audience' requires '--federated-token-from github-actions'"
                .to_owned(),
        ),
        (
            [sp, &["--service-connection-id", "i"]].concat(),
            "'--service-connection-id' requires '--federated-token-from azure-pipelines'"
                .to_owned(),
        ),
        (vec!["login", "--identity", "-t", "x"], "'--identity' is not applicable".to_owned()),
        ([sp, &["--use-device-code"]].concat(), "'--use-device-code' is not applicable".to_owned()),
        (vec!["login", "--use-device-code", "-u", "x"], "'--use-device-code' is not".to_owned()),
        ([sp, &["--no-browser"]].concat(), "'--no-browser' is not applicable".to_owned()),
    ] {
        drop(sandbox.azt(&arguments).exits(2).says("ERROR: usage error: ").says(&message));
        drop(sandbox.az(&arguments).exits(1).says(&message));
        assert_eq!(sandbox.requests(), [] as [String; 0], "{arguments:?}");
    }
    // As azt it names a client of the user's own.
    for arguments in
        [&["login", "--client-id", "i"][..], &[sp, &["-p", "x", "--client-id", "i"]].concat()]
    {
        drop(sandbox.azt(arguments).exits(2).says("'i', which is not a client id (GUID)"));
        drop(sandbox.az(arguments).exits(1).says(&host("--client-id")));
        assert_eq!(sandbox.requests(), [] as [String; 0], "{arguments:?}");
    }
}

#[test]
fn a_user_without_subscriptions_may_sign_in() {
    for program in ["azt", "az"] {
        let sandbox = Sandbox::new();
        sandbox.approve_as(ALICE);
        sandbox.emulator.faults().push(Fault::on("/tenants", answer(r#"{"value": []}"#)));
        let run = |arguments: &[&str]| match program {
            "az" => sandbox.az(arguments),
            _ => sandbox.azt(arguments),
        };
        let refused = run(&["login", "--use-device-code"]).exits(1);
        drop(refused.says("No subscriptions found").says("add --allow-no-subscriptions."));
        let allowed = run(&["login", "--use-device-code", "--allow-no-subscriptions"]);
        assert_eq!(allowed.success().stdout, "[]\n");
        let named = ["login", "--use-device-code", "--allow-no-subscriptions", "-s", "nope"];
        assert_eq!(run(&named).success().stdout, "[]\n");
    }
}

#[test]
fn allow_no_subscriptions_is_not_suggested_when_given() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let run = sandbox.azt(["login", "--use-device-code", "--allow-no-subscriptions"]).success();
    assert!(!run.stderr.contains("--allow-no-subscriptions"), "{run:#?}");
    let run = sandbox.azt(["login", "--use-device-code"]).success();
    let told = "don't contain accessible subscriptions. Use `azt login --allow-no-subscriptions`";
    drop(run.says(told));
}

#[test]
fn no_remedy_repeats_the_failed_command() {
    let sandbox = Sandbox::new();
    let refusal = refusal("interaction_required", 50_076, "More is wanted.");
    sandbox.emulator.faults().push(Fault::on("/token", refusal));
    // Without a browser these use a device code.
    for arguments in [&["login"][..], &["login", "-o", "json"], &["LOGIN", "--verbose"]] {
        let run = sandbox.azt(arguments).exits(5).says("AADSTS50076");
        assert!(!run.stderr.contains("azt login"), "{run:#?}");
    }
    let code = sandbox.azt(["login", "--use-device-code"]).exits(5);
    drop(code.says("`azt login` without --use-device-code"));
}

#[test]
fn a_missing_at_file_is_mentioned_with_the_failure() {
    let sandbox = Sandbox::new();
    let base = ["login", "--service-principal", "-u", APP, "-t", CONTOSO];
    let hint =
        "A value that begins with @ was used literally, because there is no such readable file";
    for argument in [&["-p", "@/nope/s3cr3t"][..], &["--password=@nope-s3cr3t"], &["-p=@s3cr3t"]] {
        let arguments = [&base[..], argument].concat();
        for run in [sandbox.azt(&arguments).exits(6), sandbox.az(&arguments).exits(1)] {
            assert!(!run.stderr.contains("s3cr3t"), "it may be the secret: {run:#?}");
            drop(run.says("AADSTS7000215").says(hint));
        }
    }
    let register = ["cloud", "register", "-n", "X", "--cloud-config", "@missing.json"];
    drop(sandbox.azt(register).exits(2).says(hint));
    drop(sandbox.azt(["account", "get-access-token", "--claims", "@nope"]).exits(2).says(hint));
    let json = sandbox.azt([&base[..], &["-p", "@nope", "--error-format", "json"]].concat());
    assert!(json.stderr.contains("there is no such readable file"), "{json:#?}");
    let verbose = sandbox.azt([&base[..], &["-p", "@nope", "--verbose"]].concat());
    drop(verbose.says(&format!("INFO: {hint}")));
    std::fs::write(sandbox.root().join("empty"), "\r\n").unwrap();
    let empty = sandbox.azt([&base[..], &["-p", "@empty"]].concat()).exits(2);
    drop(empty.says("The file empty, given as a value, is empty."));
    // A literal @ value is valid.
    drop(sandbox.azt(["config", "set", "a.b=@nope"]).quiet());
}

#[test]
fn empty_standard_input_is_an_error_before_anything_is_sent() {
    let sandbox = Sandbox::signed_in_as_app();
    let base = ["login", "--service-principal", "-u", APP, "-t", CONTOSO];
    for (argument, input) in [
        (&["-p", "@-"][..], ""),
        (&["-p", "@-"], "\n"),
        (&["--password=@-"], "\r\n\r\n"),
        (&["--federated-token", "@-"], ""),
        (&["--certificate", "@-"], ""),
    ] {
        let arguments = [&base[..], argument].concat();
        for (mut command, code) in
            [(sandbox.command(&arguments), 2), (sandbox.az_command(&arguments), 2)]
        {
            let file = sandbox.root().join("input");
            std::fs::write(&file, input).unwrap();
            command.stdin(Stdio::from(std::fs::File::open(&file).unwrap()));
            let run = Run::from(command.output().unwrap()).exits(code);
            drop(run.says("ERROR: Standard input is empty, but @- reads a value from it."));
        }
    }
    assert_eq!(sandbox.requests(), [] as [String; 0]);
}

#[test]
fn an_expired_device_code_names_its_lifetime() {
    let sandbox = Sandbox::new();
    let code = r#"{"device_code": "d", "user_code": "AB", "verification_uri": "https://x", "expires_in": 1, "interval": 1}"#;
    sandbox.emulator.faults().push(Fault::on("/devicecode", answer(code)));
    let pending = refusal("authorization_pending", 70_016, "Not yet.");
    sandbox.emulator.faults().push(Fault::on("/token", pending));
    let run = sandbox.azt(["login", "--use-device-code"]).exits(5);
    drop(run.says("not finished within 1 second.\nStart again."));
}
