//! Account selection: options, variables, the profile's default.

use crate::support::*;

const BOB: &str = "bob@fabrikam.example";
const TOKEN: [&str; 2] = ["account", "get-access-token"];
const SHARED: &str = "50000000-0000-4000-8000-000000000004";

/// Alice in Contoso only, then Bob in Fabrikam, who is the default.
fn two_people() -> Sandbox {
    let sandbox = Sandbox::new();
    for (name, tenant) in [(ALICE, "contoso.example"), (BOB, "fabrikam.example")] {
        sandbox.approve_as(name);
        sandbox.azt(["login", "--use-device-code", "--tenant", tenant]).success();
    }
    sandbox.azt(["account", "set", "-s", SHARED]).quiet();
    sandbox
}

fn upn(run: &Run) -> String {
    use base64::Engine;
    let token = run.text("accessToken");
    let payload = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    claims["unique_name"].as_str().unwrap().to_owned()
}

#[test]
fn options_override_variables_and_variables_the_default() {
    let mut sandbox = two_people();
    assert_eq!(upn(&sandbox.azt(TOKEN).quiet()), BOB);
    let of_alice = [&TOKEN[..], &["--account", "Alice@contoso.example"]].concat();
    assert_eq!(upn(&sandbox.azt(&of_alice).quiet()), ALICE);
    sandbox.set("AZT_ACCOUNT", ALICE);
    assert_eq!(upn(&sandbox.azt(TOKEN).quiet()), ALICE);
    assert_eq!(sandbox.az(["account", "show"]).quiet().text("name"), "Contoso Production");
    let named = [&TOKEN[..], &["-s", SHARED]].concat();
    assert_eq!(upn(&sandbox.azt(&named).quiet()), BOB);
    let of_bob = [&TOKEN[..], &["--account", BOB]].concat();
    assert_eq!(upn(&sandbox.azt(&of_bob).quiet()), BOB);
    sandbox.set("AZT_SUBSCRIPTION", "contoso development AND test");
    let shown = sandbox.azt(["account", "show"]).quiet();
    assert_eq!(shown.text("name"), "Contoso Development and Test");
    sandbox.set("AZT_ACCOUNT", "");
    assert_eq!(upn(&sandbox.azt(TOKEN).quiet()), ALICE);
    // The default changes for other terminals; here a note says that the variable still wins.
    let run = sandbox.azt(["account", "set", "-s", SHARED]).exits(0);
    drop(run.says(
        "WARNING: AZT_SUBSCRIPTION ('contoso development AND test') still decides in this shell.",
    ));
    sandbox.set("AZT_SUBSCRIPTION", "");
    assert_eq!(upn(&sandbox.azt(TOKEN).quiet()), BOB);
}

#[test]
fn a_named_subscription_is_never_replaced_by_another() {
    let mut sandbox = two_people();
    let of_alice = [&TOKEN[..], &["--account", ALICE]].concat();
    sandbox.set("AZT_ACCOUNT", ALICE);
    for wrong in ["Prdo", SHARED] {
        sandbox.set("AZT_SUBSCRIPTION", wrong);
        let says = format!("ERROR: The account '{ALICE}' has no subscription '{wrong}'.");
        drop(sandbox.azt(TOKEN).exits(1).says(&says));
        // --account overrides both variables: AZT_SUBSCRIPTION need not be that account's.
        assert_eq!(upn(&sandbox.azt(&of_alice).quiet()), ALICE);
        let of_bob = [&TOKEN[..], &["--account", BOB]].concat();
        assert_eq!(upn(&sandbox.azt(&of_bob).quiet()), BOB);
    }
    let profile = sandbox.read("azureProfile.json");
    let twice = "Contoso Production";
    sandbox.write("azureProfile.json", profile.replace("Contoso Development and Test", twice));
    let says = format!("Multiple subscriptions with the name '{twice}' found. Specify the");
    sandbox.set("AZT_SUBSCRIPTION", twice);
    drop(sandbox.azt(TOKEN).exits(1).says(&says));
    drop(sandbox.azt(&of_alice).exits(1).says(&says));
    sandbox.set("AZT_SUBSCRIPTION", "");
    drop(sandbox.azt([&of_alice[..], &["-s", twice]].concat()).exits(1).says(&says));
    drop(sandbox.azt([&of_alice[..], &["-s", PRODUCTION]].concat()).quiet());
}

/// Running a command would not fix a wrong variable.
#[test]
fn a_wrong_variable_has_no_command_as_remedy() {
    let mut sandbox = two_people();
    let failure = |sandbox: &Sandbox, more: &[&str]| {
        let run = sandbox.azt([&TOKEN[..], &["--error-format", "json"], more].concat());
        assert_eq!(run.code, Some(4), "{run:?}");
        let last = run.stderr.lines().last().unwrap();
        serde_json::from_str::<serde_json::Value>(last).unwrap()["error"].clone()
    };
    let option = ["--account", "alcie@contoso.example"];
    assert_eq!(failure(&sandbox, &option)["command"], "azt login");
    sandbox.set("AZT_ACCOUNT", option[1]);
    let error = failure(&sandbox, &[]);
    assert_eq!(error["command"], serde_json::Value::Null);
    let says = "The account 'alcie@contoso.example', which AZT_ACCOUNT names, is not signed in.";
    assert!(error["message"].as_str().unwrap().starts_with(says), "{error}");
    assert!(error["remedy"].to_string().contains(ALICE), "{error}");
    // The name came from the option, not the variable.
    assert_eq!(failure(&sandbox, &option)["command"], "azt login");

    for account in ["", ALICE] {
        sandbox.set("AZT_ACCOUNT", account);
        sandbox.set("AZURE_CLOUD_NAME", "AzureChinaCloud");
        let error = failure(&sandbox, &[]);
        assert_eq!(error["command"], serde_json::Value::Null);
        let says = "Nobody is signed in to AzureChinaCloud, and AZURE_CLOUD_NAME is";
        assert!(error["message"].as_str().unwrap().starts_with(says), "{error}");
        let run = sandbox.az(["account", "show"]).exits(1);
        assert!(!run.stderr.contains("AZURE_CLOUD_NAME"), "{run:?}");
    }
    // With no sign-in at all, the remedy is to sign in.
    std::fs::remove_file(sandbox.file("azureProfile.json")).unwrap();
    sandbox.set("AZT_ACCOUNT", "");
    assert_eq!(failure(&sandbox, &[])["command"], "azt login");
}

#[test]
fn a_tenant_selects_an_account_that_has_it() {
    let sandbox = two_people();
    for tenant in [CONTOSO, &CONTOSO.to_uppercase()] {
        let run = sandbox.azt([&TOKEN[..], &["--tenant", tenant, "--verbose"]].concat()).exits(0);
        assert_eq!(upn(&run), ALICE);
        drop(run.says("INFO: Account alice@contoso.example by subscription 'Contoso Production' (50000000-0000-4000-8000-000000000001), because the default's account is not in that tenant."));
    }
    // No account has that tenant: the default account tries.
    sandbox.azt([&TOKEN[..], &["--tenant", NORTHWIND]].concat()).exits(5).says("AADSTS50020");
    let run = sandbox.azt([&TOKEN[..], &["--account", "carol@contoso.example"]].concat());
    let run = run.exits(4).says("The account 'carol@contoso.example' is not signed in.");
    drop(run.says(&format!("Signed-in accounts: {ALICE}, {BOB}")));
    let other = [&TOKEN[..], &["--account", ALICE, "-s", "Fabrikam Shared"]].concat();
    sandbox.azt(&other).exits(1).says("has no subscription 'Fabrikam Shared'");
}

#[test]
fn a_subscription_outside_the_named_tenant_is_refused() {
    let sandbox = Sandbox::signed_in_as_alice();
    for tenant in [CONTOSO, "contoso.example", "CONTOSO.example"] {
        let both = [&TOKEN[..], &["--tenant", tenant, "-s", PRODUCTION]].concat();
        for run in [sandbox.azt(&both), sandbox.az(&both)] {
            let run = run.quiet();
            assert_eq!(run.text("tenant"), tenant);
            assert_eq!(run.text("subscription"), PRODUCTION);
        }
    }
    assert_eq!(sandbox.requests(), Vec::<String>::new(), "the sign-in's token serves them all");
    for tenant in [FABRIKAM, "fabrikam.example", "nowhere.example"] {
        let both = [&TOKEN[..], &["--tenant", tenant, "-s", PRODUCTION]].concat();
        let text = "ERROR: Please specify only one of subscription and tenant, not both\n";
        assert_eq!(sandbox.az(&both).exits(1).stderr, text);
    }
    // After a sign-in to one tenant its domain is unknown, so it is looked up.
    let sandbox = two_people();
    sandbox.emulator.clear_requests();
    let both = [&TOKEN[..], &["--tenant", "fabrikam.example", "-s", SHARED]].concat();
    drop(sandbox.az(&both).quiet());
    assert_eq!(sandbox.requests(), ["GET /fabrikam.example/v2.0/.well-known/openid-configuration"]);
}

/// Rust's `object_store` refuses an ambiguous local time, and no reader may take it for later.
#[test]
fn an_expiry_in_the_repeated_hour_is_printed_earlier() {
    use chrono::{DateTime, Datelike, TimeDelta, Timelike};
    let mut sandbox = Sandbox::signed_in_as_app();
    let exact = sandbox.azt(TOKEN).quiet().json()["expires_on"].as_i64().unwrap();
    // Summer time ends half an hour after the expiry, so that hour repeats.
    let expiry = DateTime::from_timestamp(exact, 0).unwrap();
    let end = expiry + TimeDelta::minutes(30);
    let (day, hour, minute) = (end.ordinal(), end.hour(), end.minute());
    // POSIX TZ day numbers skip 29 February.
    let day = if end.date_naive().leap_year() && day > 59 { day - 1 } else { day };
    sandbox.set("TZ", &format!("STD0DST-1,J1/0,J{day}/{hour}:{minute}"));
    let run = sandbox.azt(TOKEN).quiet();
    assert_eq!(run.json()["expires_on"], exact);
    let told = run.text("expiresOn");
    let told = chrono::NaiveDateTime::parse_from_str(&told, "%Y-%m-%d %H:%M:%S.000000").unwrap();
    let earlier = expiry.naive_utc() - told;
    assert!(
        TimeDelta::minutes(30) <= earlier && earlier <= TimeDelta::minutes(32),
        "{told} for {expiry}"
    );
}

/// A non-UTF-8 variable still counts as set: ignoring it would use another folder or
/// the default account.
#[cfg(unix)]
#[test]
fn non_utf8_variables_count_as_set() {
    use std::os::unix::ffi::OsStrExt;
    const TOKEN: [&str; 2] = ["account", "get-access-token"];
    let bytes = |text: &[u8]| std::ffi::OsStr::from_bytes(text).to_owned();
    let sandbox = Sandbox::signed_in_as_alice();
    for name in ["AZT_ACCOUNT", "AZT_SUBSCRIPTION"] {
        let mut command = sandbox.command(TOKEN);
        let run = Run::of(command.env(name, bytes(b"b\xf6b")));
        assert!(run.code != Some(0) && run.stderr.contains("b\u{fffd}b"), "{name}: {run:?}");
    }
    let mut folder = sandbox.root().as_os_str().to_owned();
    folder.push(bytes(b"/f\xfclder"));
    std::fs::create_dir(&folder).unwrap();
    for name in ["AZURE_CONFIG_DIR", "HOME"] {
        let mut command = sandbox.command(["config", "set", "core.output=tsv"]);
        command.env_remove("AZURE_CONFIG_DIR").env(name, &folder);
        drop(Run::of(&mut command).success());
        let at = std::path::Path::new(&folder).join(if name == "HOME" { ".azure" } else { "" });
        assert!(at.join("config").exists(), "{name}");
    }
    let mut command = sandbox.command(TOKEN);
    drop(Run::of(command.env("AZURE_CONFIG_DIR", &folder)).exits(4));
    let mut authorities = folder.clone();
    authorities.push("/ca.pem");
    std::fs::copy(&sandbox.env()["REQUESTS_CA_BUNDLE"], &authorities).unwrap();
    let mut command =
        sandbox.command([TOKEN[0], TOKEN[1], "--resource", "https://vault.azure.net"]);
    drop(Run::of(command.env("REQUESTS_CA_BUNDLE", &authorities)).success());
}
