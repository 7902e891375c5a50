//! The exit codes that docs/scripts.md documents for usage errors and missing sign-ins: `azt`'s, and az's
//! under its name.

use crate::support::*;

/// Runs command lines and asserts `azt`'s code and az's.
fn all(sandbox: &Sandbox, lines: &[(&str, i32, Option<i32>)]) {
    for (line, azt, az) in lines {
        let words = shlex::split(line).unwrap();
        let run = sandbox.azt(&words);
        assert_eq!(run.code, Some(*azt), "azt {line}: {run:#?}");
        let kind = match azt {
            2 => "\"kind\":\"usage\"",
            4 => "\"kind\":\"not_signed_in\"",
            _ => "\"kind\":",
        };
        if *azt != 0 {
            let json =
                sandbox.azt(words.iter().map(String::as_str).chain(["--error-format", "json"]));
            assert!(json.stderr.contains(kind), "azt {line}: {json:#?}");
        }
        if let Some(az) = az {
            let run = sandbox.az(&words);
            assert_eq!(run.code, Some(*az), "az {line}: {run:#?}");
        }
    }
    assert_eq!(sandbox.requests(), [] as [String; 0], "a mistake is seen before anything is sent");
}

#[test]
fn a_usage_error_is_2() {
    let mut sandbox = Sandbox::new();
    let id = "account get-access-token --identity-from-env";
    all(
        &sandbox,
        &[
            // A group alone prints its help.
            ("account", 0, Some(2)),
            ("account show --nope", 2, Some(2)),
            ("account show -s", 2, Some(2)),
            ("account show -o nope", 2, Some(2)),
            ("account set", 2, Some(2)),
            ("account show --query 'a['", 2, Some(2)),
            ("account get-access-token --claims nope --account a@b", 2, Some(2)),
            ("account get-access-token --claims nope", 2, Some(2)),
            ("config set foo", 2, Some(1)),
            ("config unset foo", 2, Some(1)),
            ("config set", 2, Some(2)),
            ("account list --only-show-errors --debug", 2, Some(1)),
            ("account list --only-show-errors --verbose", 2, Some(1)),
            ("login --service-principal -p x -t t", 2, Some(1)),
            ("login --service-principal -u x -p x", 2, Some(1)),
            ("login --service-principal -u x", 2, Some(1)),
            ("login --service-principal -u x -t t", 2, Some(1)),
            ("login --service-principal -u x -t t --use-device-code", 2, Some(1)),
            (
                "login --service-principal -u x -t t --federated-token-from azure-pipelines",
                2,
                Some(1),
            ),
            ("login --identity --service-principal", 2, Some(1)),
            ("login --identity -t x", 2, Some(1)),
            ("login --identity -u x", 2, Some(1)),
            ("login --identity --client-id a --object-id b", 2, Some(1)),
            ("login --identity --no-browser", 2, Some(1)),
            ("login --use-cert-sn-issuer", 2, Some(1)),
            ("login --skip-subscription-discovery", 2, Some(1)),
            ("login --skip-subscription-discovery -t t -s name", 2, Some(1)),
            ("login --no-browser --use-device-code", 2, Some(1)),
            ("login -u alice@contoso.example", 2, Some(1)),
            ("login --claims-challenge nope", 2, Some(2)),
            ("cloud register -n X --cloud-config nope", 2, Some(2)),
            ("vault move", 2, None),
            ("cache import --file x --name y", 2, None),
        ],
    );
    for (name, value) in
        [("AZURE_TENANT_ID", CONTOSO), ("AZURE_CLIENT_ID", APP), ("AZURE_CLIENT_SECRET", "x")]
    {
        sandbox.set(name, value);
    }
    all(
        &sandbox,
        &[(&format!("{id} -s x"), 2, Some(1)), (&format!("{id} --account x"), 2, Some(1))],
    );
}

#[test]
fn not_signed_in_is_4() {
    let mut sandbox = Sandbox::new();
    all(
        &sandbox,
        &[
            ("account show", 4, Some(1)),
            ("account show -s x", 4, Some(1)),
            ("account show --account a@b", 4, Some(1)),
            ("account set -s x", 4, Some(1)),
            ("account set -s ''", 4, Some(1)),
            ("account get-access-token", 4, Some(1)),
            ("account get-access-token -s x", 4, Some(1)),
            ("account get-access-token --tenant t", 4, Some(1)),
            ("account get-access-token --account a@b", 4, Some(1)),
            ("account get-access-token --scope s/.default", 4, Some(1)),
            ("account list-locations", 4, Some(1)),
            ("account tenant list", 4, Some(1)),
            ("logout", 4, Some(1)),
            ("logout --username nobody", 4, Some(0)),
            ("cache export --file x", 4, None),
            // Nothing to do is a success.
            ("account list", 0, Some(0)),
            ("account clear", 0, Some(0)),
        ],
    );
    for (name, value) in [("AZT_ACCOUNT", "a@b"), ("AZT_SUBSCRIPTION", "x")] {
        sandbox.set(name, value);
        all(
            &sandbox,
            &[
                ("account show", 4, Some(1)),
                ("account get-access-token", 4, Some(1)),
                ("account set -s x", 4, Some(1)),
            ],
        );
        sandbox.unset(name);
    }
    let told = sandbox.azt(["account", "set", "-s", "x"]).exits(4);
    drop(told.says("ERROR: Please run 'azt login' to setup account."));
    let told = sandbox.az(["account", "set", "-s", "x"]).exits(1);
    drop(told.says("ERROR: The subscription of 'x' doesn't exist in cloud 'Emulator'."));
}

#[test]
fn an_unknown_account_is_4_and_an_unknown_name_1() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    all(
        &sandbox,
        &[
            ("account show --account nobody@x", 4, Some(1)),
            ("account get-access-token --account nobody@x", 4, Some(1)),
            ("account show -s nope", 1, Some(1)),
            ("account set -s nope", 1, Some(1)),
            ("account get-access-token -s nope", 1, Some(1)),
            ("cloud show -n nope", 1, Some(1)),
        ],
    );
    sandbox.set("AZT_ACCOUNT", "nobody@x");
    all(&sandbox, &[("account get-access-token", 4, Some(1)), ("account show", 4, Some(1))]);
    sandbox.unset("AZT_ACCOUNT");
    sandbox.set("AZURE_CLOUD_NAME", "AzureCloud");
    all(&sandbox, &[("account show", 4, Some(1)), ("account set -s x", 4, Some(1))]);
}
