//! Messages show typed values with invisible characters escaped, not dropped.

use crate::support::*;

#[test]
fn invisible_characters_of_an_argument_are_escaped() {
    let sandbox = Sandbox::signed_in_as_alice();
    let tenant = format!("{CONTOSO}\r");
    let shown_tenant = format!("'{CONTOSO}\\r'");
    for (arguments, shown) in [
        (&["account", "get-access-token", "--tenant", &tenant][..], &*shown_tenant),
        (
            &["account", "show", "-s", "Contoso Production\r"],
            "Subscription 'Contoso Production\\r' not",
        ),
        (&["account", "show", "-s", "Nope\u{200b} Production"], "'Nope\\u{200b} Production' not"),
        (&["account", "show", "-s", "\u{feff}Nope"], "'\\u{feff}Nope' not"),
        (&["account", "show", "-s", "Nope\u{ad}"], "'Nope\\u{ad}' not"),
        (&["account", "show", "-s", "Contoso\u{1b}[2J"], "'Contoso\\u{1b}[2J' not"),
        (&["account", "show", "-s", "\u{202e}abc"], "'\\u{202e}abc' not"),
        (&["account", "show", "-s", "Contoso\n"], "'Contoso\\n' not found"),
        (&["account", "show", "-s", "a\nERROR: b"], "'a\\nERROR: b' not found"),
        (&["account", "set", "-s", "Contoso Production\r"], "of 'contoso production\\r' doesn't"),
        (
            &["account", "show", "--account", "alice@contoso.example\r"],
            "'alice@contoso.example\\r' is",
        ),
        (&["account", "show", "-o", "tsv\r"], "'tsv\\r' is not a valid value for '--output'"),
        (&["account", "show\r"], "'show\\r' is misspelled"),
        (&["account", "list", "extra\r"], "unrecognized arguments: extra\\r\n"),
        (&["account", "list", "--refresh\r"], "unrecognized arguments: --refresh\\r\n"),
        (&["cloud", "set", "-n", "Emulator\r"], "The cloud 'Emulator\\r' is not registered."),
        (&["cloud", "show", "-n", "Emulator\n"], "The cloud 'Emulator\\n' is not registered."),
        (&["config", "get", "core.output\r"], "'core.output\\r' is not set"),
        (&["cache", "import", "-f", "x\r"], "x\\r"),
    ] {
        let run = sandbox.azt(arguments);
        assert_ne!(run.code, Some(0), "{arguments:?}");
        assert!(!run.stderr.contains(['\r', '\u{200b}', '\u{1b}', '\u{202e}']), "{run:#?}");
        drop(run.says(shown));
    }
    let json =
        sandbox.azt(["account", "show", "-s", "a\r\u{200b}\u{e0041}", "--error-format", "json"]);
    assert!(json.stderr.is_ascii(), "{json:#?}");
    let told: serde_json::Value = serde_json::from_str(&json.stderr).unwrap();
    let message = told["error"]["message"].as_str().unwrap();
    assert!(message.contains("'a\\r\\u{200b}\\u{e0041}'"), "{message}");
}

#[test]
fn a_trailing_line_end_of_a_variable_is_ignored() {
    for end in ["\r", "\n", "\r\n", "\n\n"] {
        let mut sandbox = Sandbox::signed_in_as_alice();
        let id = format!("{PRODUCTION}\n");
        for (name, value) in [
            ("AZURE_CORE_OUTPUT", "tsv"),
            ("AZURE_CORE_NO_COLOR", "yes"),
            ("AZURE_CLOUD_NAME", "Emulator"),
            ("AZT_SUBSCRIPTION", PRODUCTION),
            ("AZT_ACCOUNT", ALICE),
        ] {
            sandbox.set(name, &format!("{value}{end}"));
        }
        sandbox.azt(["account", "show", "--query", "id"]).quiet().prints(&id);
        let folder = format!("{}{end}", sandbox.config_dir().display());
        sandbox.set("AZURE_CONFIG_DIR", &folder);
        sandbox.azt(["account", "show", "--query", "id"]).quiet().prints(&id);
        sandbox.unset("AZT_SUBSCRIPTION");
        sandbox.unset("AZT_ACCOUNT");
        for (name, value) in [
            ("AZURE_TENANT_ID", CONTOSO),
            ("AZURE_CLIENT_ID", APP),
            ("AZURE_CLIENT_SECRET", APP_SECRET),
        ] {
            sandbox.set(name, &format!("{value}{end}"));
        }
        let token = ["account", "get-access-token", "--identity-from-env", "--query", "tenant"];
        sandbox.azt(token).quiet().prints(&format!("{CONTOSO}\n"));
        let requests = sandbox.emulator.requests();
        assert_eq!(requests[0].form["client_secret"], APP_SECRET);
    }
}

#[test]
fn invisible_characters_of_a_variable_are_escaped() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    for (name, value, shown) in [
        ("AZURE_CORE_OUTPUT", "ts\rv", "AZURE_CORE_OUTPUT is 'ts\\rv'"),
        ("AZURE_CORE_OUTPUT", "\u{feff}tsv", "AZURE_CORE_OUTPUT is '\\u{feff}tsv'"),
        ("AZURE_CORE_NO_COLOR", "\u{200b}yes", "is '\\u{200b}yes'"),
        ("AZURE_CLOUD_NAME", "Emulator\u{200b}", "'Emulator\\u{200b}' is not registered"),
        ("AZT_SUBSCRIPTION", "\rContoso", "'\\rContoso' not found"),
        ("AZT_ACCOUNT", "alice\u{2060}@contoso.example", "'alice\\u{2060}@contoso.example'"),
    ] {
        sandbox.set(name, value);
        let run = sandbox.azt(["account", "show"]);
        assert_ne!(run.code, Some(0), "{name}: {run:#?}");
        drop(run.says(shown));
        sandbox.unset(name);
    }
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    let plain = sandbox.azt(["account", "show"]).quiet().stdout;
    for name in [
        "AZURE_CORE_OUTPUT",
        "AZURE_CORE_NO_COLOR",
        "AZURE_CORE_ONLY_SHOW_ERRORS",
        "AZURE_CORE_IDENTITY_FROM_ENV",
        "AZURE_CLOUD_NAME",
        "AZURE_CONFIG_DIR",
        "AZT_ACCOUNT",
        "AZT_SUBSCRIPTION",
    ] {
        for empty in ["", "\n", "\r\n"] {
            sandbox.set(name, empty);
            sandbox.azt(["account", "show"]).quiet().prints(&plain);
            drop(sandbox.azt(["account", "get-access-token"]).quiet());
            sandbox.unset(name);
        }
    }
    sandbox.set("AZURE_CORE_LOGIN_TIMEOUT", "");
    sandbox.approve_as(ALICE);
    drop(sandbox.azt(["login"]).success());
    drop(sandbox.azt(["config", "set", "core.output=tsv"]).success());
    sandbox.set("AZURE_CORE_OUTPUT", "");
    let id = format!("{PRODUCTION}\n");
    sandbox.azt(["account", "show", "--query", "id"]).quiet().prints(&id);
    let run = {
        for name in ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"] {
            sandbox.set(name, if name == "AZURE_CLIENT_SECRET" { "\n" } else { "x" });
        }
        sandbox.azt(["account", "get-access-token", "--identity-from-env"])
    };
    drop(run.exits(1).says("AZURE_CLIENT_SECRET is not set"));
}
