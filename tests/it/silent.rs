//! Silent tokens: cache, refresh, and errors with a remedy.

use entra_emulator::{Action, Fault};

use crate::support::*;

const BOB: &str = "bob@fabrikam.example";

const GRAPH: [&str; 4] =
    ["account", "get-access-token", "--resource", "https://graph.microsoft.com"];

#[test]
fn the_answer_has_azs_members_and_shape() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    sandbox.set("TZ", "Asia/Kolkata");
    let run = sandbox.azt(["account", "get-access-token"]).quiet();
    let value = run.json();
    let members: Vec<&String> = value.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        ["accessToken", "expiresOn", "expires_on", "subscription", "tenant", "tokenType"]
    );
    assert_eq!(value["subscription"], PRODUCTION);
    assert_eq!(value["tenant"], CONTOSO);
    assert_eq!(value["tokenType"], "Bearer");
    let local = chrono::NaiveDateTime::parse_from_str(
        value["expiresOn"].as_str().unwrap(),
        "%Y-%m-%d %H:%M:%S.000000",
    )
    .unwrap();
    let five_and_a_half_hours = 19_800;
    assert_eq!(
        local.and_utc().timestamp(),
        value["expires_on"].as_i64().unwrap() + five_and_a_half_hours
    );
    assert!(run.stdout.starts_with("{\n  \"accessToken\": \"") && run.stdout.ends_with("\"\n}\n"));
}

#[test]
fn with_a_tenant_the_answer_has_no_subscription() {
    let sandbox = Sandbox::signed_in_as_alice();
    let run = sandbox.azt(["account", "get-access-token", "--tenant", "fabrikam.example"]).quiet();
    assert_eq!(run.json().get("subscription"), None);
    assert_eq!(run.text("tenant"), "fabrikam.example");
}

#[test]
fn a_refresh_is_one_request_and_is_cached() {
    let sandbox = Sandbox::signed_in_as_alice();
    let first = sandbox.azt(GRAPH).quiet().text("accessToken");
    assert_eq!(sandbox.requests(), ["POST token refresh_token"]);
    let second = sandbox.azt(GRAPH).quiet().text("accessToken");
    assert_eq!(sandbox.requests().len(), 1);
    assert_eq!(first, second);
    let request = &sandbox.emulator.requests()[0];
    assert_eq!(request.path, format!("/{CONTOSO}/oauth2/v2.0/token"));
    assert_eq!(request.form["client_id"], AZURE_CLI);
    assert_eq!(
        request.form["scope"],
        "https://graph.microsoft.com/.default offline_access openid profile"
    );
}

#[test]
fn the_resource_keeps_its_trailing_slash() {
    let sandbox = Sandbox::signed_in_as_alice();
    for (arguments, scope) in [
        (["--resource", "https://management.azure.com"], "https://management.azure.com/.default"),
        (["--resource", "https://management.azure.com/"], "https://management.azure.com//.default"),
        (["--scope", "https://storage.azure.com/.default"], "https://storage.azure.com/.default"),
        (
            ["--resource", "499b84ac-1321-427f-aa17-267ca6975798"],
            "499b84ac-1321-427f-aa17-267ca6975798/.default",
        ),
        (["--resource-type", "MS-Graph"], "https://graph.microsoft.com//.default"),
    ] {
        sandbox.emulator.clear_requests();
        sandbox.azt(["account", "get-access-token"].into_iter().chain(arguments)).quiet();
        let requests = sandbox.emulator.requests();
        assert_eq!(requests.len(), 1, "{arguments:?}");
        let sent: Vec<&str> = requests[0].form["scope"].split(' ').collect();
        assert!(sent.contains(&scope), "{arguments:?}: {sent:?}");
    }
}

#[test]
fn a_token_with_under_five_minutes_left_is_refreshed() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.emulator.settings_mut(|settings| settings.token_lifetime = 299);
    sandbox.azt(GRAPH).quiet();
    sandbox.azt(GRAPH).quiet();
    assert_eq!(sandbox.requests().len(), 2, "a token with 299 s left is not served again");
    sandbox.emulator.settings_mut(|settings| settings.token_lifetime = 400);
    sandbox.azt(GRAPH).quiet();
    sandbox.azt(GRAPH).quiet();
    assert_eq!(sandbox.requests().len(), 3, "one with more than 300 s left is");
}

#[test]
fn a_rotated_refresh_token_replaces_the_old_one() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.emulator.settings_mut(|settings| {
        settings.rotate_refresh_tokens = true;
        settings.invalidate_used_refresh_tokens = true;
        settings.token_lifetime = 60;
    });
    for _ in 0..3 {
        sandbox.azt(GRAPH).quiet();
    }
    assert_eq!(sandbox.requests(), ["POST token refresh_token"; 3]);
}

#[test]
fn one_sign_in_serves_all_tenants_of_the_user() {
    let sandbox = Sandbox::signed_in_as_alice();
    let shared = sandbox.azt(["account", "get-access-token", "-s", "fabrikam shared"]).quiet();
    assert_eq!(shared.text("tenant"), FABRIKAM);
    assert_eq!(sandbox.requests(), Vec::<String>::new(), "the sign-in has been there");
}

#[test]
fn an_application_refreshes_with_its_secret() {
    let sandbox = Sandbox::signed_in_as_app();
    sandbox.azt(GRAPH).quiet();
    sandbox.azt(GRAPH).quiet();
    assert_eq!(sandbox.requests(), ["POST token client_credentials"]);
    let request = &sandbox.emulator.requests()[0];
    assert_eq!(request.form["scope"], "https://graph.microsoft.com/.default");
}

#[test]
fn an_applications_use_in_another_tenant_is_noted() {
    let sandbox = Sandbox::signed_in_as_app();
    sandbox
        .azt(["account", "get-access-token", "--tenant", FABRIKAM])
        .exits(6)
        .says(&format!("WARNING: Could not retrieve credential from local cache for service principal {APP} under tenant {FABRIKAM}. Trying credential under tenant {CONTOSO}, assuming that is an app credential."));
}

#[test]
fn a_refusal_names_the_command_that_fixes_it() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.emulator.revoke(ALICE);
    sandbox.azt(GRAPH).exits(5).says("ERROR: AADSTS50173").says("\nazt login\n");
    sandbox.az(GRAPH).exits(1).says("ERROR: AADSTS50173").says(&format!(
        "Run the command below to authenticate interactively; additional arguments may be added as needed:\naz logout\naz login --tenant \"{CONTOSO}\" --scope \"https://graph.microsoft.com/.default\"\n"
    ));
}

#[test]
fn a_service_error_is_not_taken_for_a_revoked_sign_in() {
    let sandbox = Sandbox::signed_in_as_alice();
    for (action, code) in [
        (
            Action::Answer {
                status: 503,
                headers: Vec::new().into_iter().collect(),
                body: "<html>".into(),
            },
            8,
        ),
        (Action::Drop, 7),
        (Action::Truncate { keep: 10 }, 7),
        (
            Action::Answer {
                status: 200,
                headers: Vec::new().into_iter().collect(),
                body: "not json".into(),
            },
            8,
        ),
        (
            Action::Answer {
                status: 200,
                headers: Vec::new().into_iter().collect(),
                body: "{}".into(),
            },
            8,
        ),
    ] {
        sandbox.emulator.faults().push(Fault::on("/token", action.clone()));
        let run = sandbox.azt(GRAPH).exits(code);
        assert!(!run.stderr.contains("login"), "{action:?}: {run:?}");
        let run = sandbox.az(GRAPH).exits(1);
        assert!(!run.stderr.contains("az login"), "{action:?}: {run:?}");
        sandbox.emulator.faults().clear();
    }
    sandbox.azt(GRAPH).quiet();
}

#[test]
fn a_token_past_refresh_in_is_refreshed_or_still_served() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.emulator.settings_mut(|settings| settings.refresh_in = Some(1800));
    let first = sandbox.azt(GRAPH).quiet().text("accessToken");
    assert_eq!(sandbox.azt_later(1700, GRAPH).quiet().text("accessToken"), first);
    sandbox.emulator.faults().push(Fault::on("/token", Action::Drop));
    let served = sandbox.azt_later(1900, GRAPH).quiet().text("accessToken");
    assert_eq!(served, first, "the service is down");
    sandbox.emulator.faults().clear();
    assert_ne!(sandbox.azt_later(1900, GRAPH).quiet().text("accessToken"), first);
}

#[test]
fn a_profile_without_tokens_names_the_user_to_sign_in() {
    let sandbox = Sandbox::signed_in_as_alice();
    std::fs::remove_dir_all(sandbox.file("azt")).unwrap();
    sandbox.az(GRAPH).exits(1).says(
        "ERROR: User 'alice@contoso.example' does not exist in MSAL token cache. Run `az login`.\n",
    );
    sandbox.azt(GRAPH).exits(4).says("Run `azt login`.");
}

#[test]
fn an_invalid_tenant_sends_nothing() {
    let sandbox = Sandbox::signed_in_as_app();
    for tenant in ["a/../b", "x?y=1#z", "..", "a@evil.example"] {
        sandbox
            .azt(["account", "get-access-token", "--tenant", tenant])
            .exits(1)
            .says(&format!("'{tenant}' is neither a tenant's domain name nor its id (GUID)."));
    }
    assert_eq!(sandbox.requests(), Vec::<String>::new());
}

#[test]
fn the_remedy_fits_the_cause() {
    let sandbox = Sandbox::signed_in_as_alice();
    for (arguments, code, cure) in [
        (
            ["--resource", "https://nothing.example"],
            6,
            "The tenant has no such resource: check --resource",
        ),
        (["--tenant", "nowhere.example"], 6, "There is no such tenant in this cloud"),
        (["--resource", "api://contoso-payroll"], 5, "Sign in again:\nazt login --tenant "),
    ] {
        sandbox
            .azt(["account", "get-access-token"].into_iter().chain(arguments))
            .exits(code)
            .says(cure);
    }
}

/// The detached process that refreshes inherits none of the caller's descriptors, so callers that
/// read to the end of the output do not wait for it.
#[cfg(target_os = "linux")]
#[test]
fn an_aging_token_is_served_and_refreshed_in_the_background() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    // The background process needs these variables too.
    sandbox.set("AZURE_CONFIG_DIR", "home/.azure");
    let key = sandbox.read("azt/vault.key");
    sandbox.set("AZT_VAULT_KEY", key.trim());
    drop(sandbox.azt(["vault", "move", "--to", "env"]).exits(0));
    sandbox.set("AZURE_CORE_KEY_SOURCE", "env");
    sandbox.emulator.clear_requests();
    // refresh_in of one second; times are whole seconds.
    sandbox.emulator.settings_mut(|settings| settings.refresh_in = Some(1));
    let first = sandbox.azt(GRAPH).quiet().text("accessToken");
    std::thread::sleep(std::time::Duration::from_millis(2100));
    assert_eq!(sandbox.requests().len(), 1);
    // The refresh is slow; callers do not wait for it.
    let slow = Action::Delay { milliseconds: 1500 };
    sandbox.emulator.faults().push(Fault::on("/token", slow).times(1));
    for _ in 0..5 {
        let mut shell = std::process::Command::new("/bin/sh");
        // A child that inherits descriptor 5 would keep the pipe open.
        let line = format!("exec 5>&1; {} {}", env!("CARGO_BIN_EXE_azt"), GRAPH.join(" "));
        let run = Run::of(
            shell.args(["-c", &line]).env_clear().envs(sandbox.env()).current_dir(sandbox.root()),
        );
        assert_eq!(run.quiet().text("accessToken"), first, "served before the renewal is through");
    }
    let run = sandbox.azt([&GRAPH[..], &["--debug"]].concat());
    assert!(!run.stderr.contains("refreshes the token ahead"), "one has set out already: {run:?}");
    let renewed = (0..400).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(25));
        sandbox.azt(GRAPH).quiet().text("accessToken") != first
    });
    assert!(renewed);
    assert_eq!(sandbox.requests().len(), 2, "one renewal for all of them");

    sandbox.set("AZURE_CORE_RENEW_AHEAD", "off");
    std::thread::sleep(std::time::Duration::from_millis(2100));
    sandbox.emulator.clear_requests();
    drop(sandbox.azt(GRAPH).quiet());
    assert_eq!(sandbox.requests().len(), 1, "then the caller waits");
}

/// A token that a resource rejected must not be served again; other accounts' tokens stay.
#[test]
fn a_second_sign_in_drops_this_accounts_tokens_only() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.login_app().success();
    sandbox.approve_as(BOB);
    sandbox.azt(["login", "--use-device-code"]).success();
    let portal = "a1000000-0000-4000-8000-000000000004";
    let as_portal = ["login", "--service-principal", "-u", portal, "-p", "portal-secret-1"];
    let as_portal = [&as_portal[..], &["-t", CONTOSO, "--allow-no-subscriptions"]].concat();
    sandbox.azt(&as_portal).success();
    let is_kept = |account: &str| {
        sandbox.emulator.clear_requests();
        let token = ["account", "get-access-token", "--account", account];
        let other = ["--resource", "https://vault.azure.net"];
        drop(sandbox.azt([&token[..], &other].concat()).quiet());
        sandbox.requests().is_empty()
    };
    let all = [ALICE, BOB, APP, portal];
    assert_eq!(all.map(is_kept), [false; 4]);
    assert_eq!(all.map(is_kept), [true; 4]);
    sandbox.azt(["login", "--use-device-code"]).success();
    assert_eq!(all.map(is_kept), [true, false, true, true]);
    sandbox.login_app().success();
    assert_eq!(all.map(is_kept), [true, true, false, true]);
}
