//! Values that begin with `-`, and empty values: parsed as argparse and az do, and no secret in a
//! message.

use crate::support::*;

/// A secret that no message may contain.
const SECRET: &str = "Zq8~s3cr3t";

fn login<'a>(rest: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    ["login", "--service-principal", "-u", APP, "-t", CONTOSO].into_iter().chain(rest).collect()
}

/// Asserts, under both names, argparse's message, code 2, no secret shown and nothing sent.
fn refuses(sandbox: &Sandbox, arguments: &[&str], message: &str) {
    for run in [sandbox.azt(arguments), sandbox.az(arguments)] {
        let run = run.exits(2).says(&format!("ERROR: {message}\n"));
        assert!(!run.stderr.contains("Zq8") && !run.stderr.contains("s3cr3t"), "{run:#?}");
    }
    assert_eq!(sandbox.requests(), [] as [String; 0]);
}

#[test]
fn a_secret_that_begins_with_a_hyphen_is_named_by_its_option() {
    let sandbox = Sandbox::new();
    let missing = "argument --password/-p: expected one argument";
    for secret in ["-Zq8~s3cr3t", "--Zq8~s3cr3t", "-lZq8~s3cr3t", "--", "-pZq8", "--s=Zq8~s3cr3t"] {
        for option in ["-p", "--password", "--passw"] {
            refuses(&sandbox, &login([option, secret]), missing);
        }
    }
    for (option, names) in [
        ("--certificate-password", "--certificate-password"),
        ("--federated-token", "--federated-token"),
        ("--tenant", "--tenant/-t"),
        ("-s", "--subscription/-s"),
        ("--query", "--query"),
    ] {
        let arguments = login(["-p", "x", option, "-Zq8~s3cr3t"]);
        refuses(&sandbox, &arguments, &format!("argument {names}: expected one argument"));
    }
    let arguments = ["account", "get-access-token", "--user-assertion", "-Zq8~s3cr3t"];
    refuses(&sandbox, &arguments, "argument --user-assertion: expected one argument");
    let arguments = ["account", "get-access-token", "--resource", "-Zq8~s3cr3t"];
    refuses(&sandbox, &arguments, "argument --resource: expected one argument");
    let run = sandbox.azt(login(["-p", "-Zq8~s3cr3t"]));
    drop(run.exits(2).says("A value that begins with - must follow = (--password=VALUE)"));
    let run = sandbox.azt(login(["--federated-token", "-x"]));
    drop(run.exits(2).says("(--federated-token=VALUE)"));
    let run = sandbox.azt(["account", "list", "--output", "-x"]);
    drop(run.exits(2).says("(--output=VALUE)"));
}

#[test]
fn values_are_recognised_as_argparse_does() {
    let sandbox = Sandbox::new();
    for secret in ["-5", "-.5", "-12.25", "- a", "-a b", "--two words", "-"] {
        for arguments in [login(["-p", secret]), login(["--password", secret])] {
            sandbox.emulator.clear_requests();
            drop(sandbox.azt(arguments).exits(6).says("AADSTS7000215"));
            let requests = sandbox.emulator.requests();
            let sent = requests.iter().find_map(|request| request.form.get("client_secret"));
            assert_eq!(sent.map(String::as_str), Some(secret));
        }
    }
    for attached in ["-p=-Zq8", "-p-Zq8", "--password=-Zq8", "--pass=-Zq8"] {
        sandbox.emulator.clear_requests();
        drop(sandbox.azt(login([attached])).exits(6));
        let requests = sandbox.emulator.requests();
        let sent = requests.iter().find_map(|request| request.form.get("client_secret"));
        assert_eq!(sent.map(String::as_str), Some("-Zq8"), "{attached}");
    }
    let alice = Sandbox::signed_in_as_alice();
    for name in ["- a name", "-5", "-x y"] {
        for option in ["-s", "-n", "--name", "--subscription"] {
            let run = alice.azt(["account", "show", option, name]).exits(1);
            drop(run.says(&format!("Subscription '{name}' not found")));
        }
    }
    let run = alice.azt(["account", "get-access-token", "--scope", "-a b", "-o", "json"]);
    assert!(!run.stderr.contains("unrecognized"), "{run:#?}");
    drop(alice.azt(["account", "show", "--query", "-5", "-o", "tsv"]).exits(2));
}

#[test]
fn a_secret_from_a_file_may_begin_with_a_hyphen() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.root().join("secret"), "-Zq8~s3cr3t\n").unwrap();
    for argument in [&["-p", "@secret"][..], &["--password=@secret"]] {
        sandbox.emulator.clear_requests();
        drop(sandbox.azt(login(argument.iter().copied())).exits(6));
        let requests = sandbox.emulator.requests();
        let sent = requests.iter().find_map(|request| request.form.get("client_secret"));
        assert_eq!(sent.map(String::as_str), Some("-Zq8~s3cr3t"));
    }
    std::fs::write(sandbox.root().join("help"), "--help\n").unwrap();
    drop(sandbox.azt(login(["-p", "@help"])).exits(6));
}

#[test]
fn no_possible_secret_is_shown() {
    let sandbox = Sandbox::new();
    for (arguments, shown) in [
        (&["login", "--passwrd", SECRET][..], "--passwrd ***"),
        (&["login", "--passwrd=Zq8~s3cr3t"], "--passwrd=***"),
        (&["login", "-p", "my", SECRET, "-o", "json", "more"], "*** ***"),
        (&["login", SECRET], "***"),
        (&["login", "-kZq8~s3cr3t"], "-k***"),
        (&["login", "-k=Zq8~s3cr3t"], "-k=***"),
        (&["login", "-p", "x", "--", SECRET], "-- ***"),
        (&["logout", "-p", SECRET], "-p ***"),
        (&["account", "show", "-pZq8~s3cr3t"], "-p***"),
        (&["account", "show", "--password", SECRET], "--password ***"),
        (&["account", "list", "--password=Zq8~s3cr3t"], "--password=***"),
        (&["account", "list", "--secret", SECRET, "--tenant", "t"], "--secret *** --tenant t"),
        (&["account", "get-access-token", "-k", SECRET], "-k ***"),
        (&["account", "get-access-token", SECRET], "***"),
        // That option takes no secret: az's text.
        (&["account", "list", "extra"], "extra"),
        (&["account", "list", "--subscription", "x"], "--subscription x"),
    ] {
        refuses(&sandbox, arguments, &format!("unrecognized arguments: {shown}"));
    }
    for (arguments, message) in [
        (
            &["login", "--service-principal=Zq8~s3cr3t"][..],
            "argument --service-principal: ignored explicit argument '***'",
        ),
        (&["login", "-p", SECRET, "-o"], "argument --output/-o: expected one argument"),
        (&["login", "-iZq8~s3cr3t"], "argument --identity/-i: ignored explicit argument '***'"),
    ] {
        refuses(&sandbox, arguments, message);
    }
    let ambiguous =
        sandbox.azt(["login", "--s=Zq8~s3cr3t"]).exits(2).says("ambiguous option: --s ");
    assert!(!ambiguous.stderr.contains("Zq8"), "{ambiguous:#?}");
    let first = sandbox.azt(["-p", SECRET, "login"]).exits(2);
    assert!(!first.stderr.contains("Zq8"), "{first:#?}");
    // The JSON form shows no more.
    let json = sandbox.azt(["login", "--error-format", "json", "--passwrd", SECRET]);
    assert!(json.code == Some(2) && !json.stderr.contains("Zq8"), "{json:#?}");
}

#[test]
fn an_empty_value_counts_as_missing_where_az_says_so() {
    let sandbox = Sandbox::new();
    let app = "usage error: --service-principal --username NAME --password SECRET --tenant TENANT";
    let secret = "Please specify both username and password in non-interactive mode.";
    let base = ["login", "--service-principal"];
    for (rest, message) in [
        (&["-u", "", "-p", "x", "-t", CONTOSO][..], app),
        (&["-u=", "-p", "x", "-t", CONTOSO], app),
        (&["-u", APP, "-u", "", "-p", "x", "-t", CONTOSO], app),
        (&["-u", APP, "-p", "x", "-t", ""], app),
        (&["-u", APP, "-p", "", "-t", CONTOSO], secret),
        (&["-u", APP, "-p=", "-t", CONTOSO], secret),
        (&["-u", APP, "--password=", "-t", CONTOSO], secret),
        (&["-u", APP, "--federated-token", "", "-t", CONTOSO], secret),
        (&["-u", APP, "--certificate", "", "-t", CONTOSO], secret),
        (&["-u", APP, "-p", "@empty", "-t", CONTOSO], secret),
        (&["-u", APP, "-p", "", "--federated-token", "", "-t", CONTOSO], secret),
    ] {
        std::fs::write(sandbox.root().join("empty"), "\n").unwrap();
        let arguments: Vec<&str> = base.iter().chain(rest).copied().collect();
        for run in [sandbox.azt(&arguments), sandbox.az(&arguments)] {
            assert_ne!(run.code, Some(0), "{run:#?}");
            drop(run.says(message));
        }
        assert_eq!(sandbox.requests(), [] as [String; 0], "{rest:?}");
    }
    let secret = ["-p", APP_SECRET, "--claims-challenge", "", "-s", "", "--change-reference", ""];
    drop(sandbox.azt(login(secret)).success());
    for rest in [&["--tenant", ""][..], &["-t="], &["-s", "", "--tenant", CONTOSO], &["-s="]] {
        let arguments = ["account", "get-access-token"].iter().chain(rest).copied();
        assert_eq!(sandbox.azt(arguments).quiet().text("tenant"), CONTOSO, "{rest:?}");
    }
    for arguments in [&["cloud", "show", "-n", ""][..], &["account", "show", "-s", ""]] {
        drop(sandbox.azt(arguments).quiet());
    }
    drop(sandbox.azt(["version", "--query", "azt", "--output", "tsv"]).quiet());
    drop(sandbox.azt(["account", "set", "-s", ""]).exits(1).says("The subscription of ''"));
    drop(sandbox.azt(["account", "show", "-o", ""]).exits(2).says("'' is not a valid value"));
    drop(sandbox.azt(["logout", "--username", ""]).success());
}

#[test]
fn other_empty_values_are_errors_before_anything_is_sent() {
    let sandbox = Sandbox::signed_in_as_app();
    let token = ["account", "get-access-token"];
    for (arguments, option) in [
        ([&token[..], &["--scope", ""]].concat(), "--scope"),
        ([&token[..], &["--scope="]].concat(), "--scope"),
        ([&token[..], &["--scope", "", ""]].concat(), "--scope"),
        ([&token[..], &["--claims", ""]].concat(), "--claims"),
        ([&token[..], &["--account", ""]].concat(), "--account"),
        ([&token[..], &["--user-assertion", ""]].concat(), "--user-assertion"),
        (login(["--federated-token-file", ""]), "--federated-token-file"),
        (login(["--federated-token-command", ""]), "--federated-token-command"),
        (login(["--certificate", "x.pem", "--certificate-password", ""]), "--certificate-password"),
        (vec!["cache", "export", "--file", ""], "--file/-f"),
        (vec!["cache", "import", "-f", ""], "--file/-f"),
        (vec!["cache", "publish", "--account", ""], "--account"),
    ] {
        refuses(&sandbox, &arguments, &format!("argument {option}: its value is empty"));
    }
    drop(
        sandbox
            .azt([&token[..], &["--scope", "https://graph.microsoft.com/.default", ""]].concat())
            .quiet(),
    );
}

#[test]
fn global_options_may_precede_the_command() {
    let sandbox = Sandbox::signed_in_as_alice();
    let expected = sandbox.azt(["account", "show", "--query", "id", "-o", "tsv"]).quiet().stdout;
    for arguments in [
        &["-o", "tsv", "account", "show", "--query", "id"][..],
        &["--query", "id", "-otsv", "ACCOUNT", "show"],
        &["--output=tsv", "--query=id", "account", "show"],
        &["--only-show-errors", "-o", "tsv", "account", "show", "--query", "id"],
        &["--out", "json", "account", "show", "--query", "id", "-o", "tsv"],
    ] {
        sandbox.azt(arguments).quiet().prints(&expected);
    }
    let run = sandbox.azt(["--error-format", "json", "account", "show", "-s", "nope"]);
    assert_eq!(run.code, Some(1), "{run:#?}");
    assert!(run.stderr.starts_with("{\"error\":{"), "{run:#?}");
    assert!(sandbox.azt(["--debug", "--version"]).success().stdout.starts_with("azt "));
    assert!(sandbox.azt(["-o", "json", "account", "--help"]).success().stdout.contains("Usage"));
    drop(sandbox.azt(["--tenant", "x", "account", "show"]).exits(2));
    // az refuses them.
    drop(sandbox.az(["-o", "tsv", "account", "show"]).exits(2));
}

#[test]
fn the_version_takes_a_subscription_as_in_az() {
    let sandbox = Sandbox::signed_in_as_alice();
    let plain = sandbox.az(["version"]).quiet().stdout;
    for known in [PRODUCTION, "contoso PRODUCTION", ""] {
        sandbox.az(["version", "--subscription", known]).quiet().prints(&plain);
    }
    let unknown = sandbox.az(["version", "--subscription=x"]).success().prints(&plain);
    assert_eq!(unknown.stderr, "WARNING: Subscription 'x' not recognized.\n");
    drop(sandbox.az(["cloud", "list", "--subscription", "x"]).exits(2));
}
