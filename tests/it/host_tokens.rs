//! Which tokens of a host's managed identities are cached, and for which host.

use serde_json::json;

use crate::managed_identity::{IMDS, TOKEN, WORKER, fault, host, paths, virtual_machine};
use crate::support::*;

#[test]
fn a_second_sign_in_drops_this_identitys_tokens_only() {
    let sandbox = virtual_machine();
    let system = ["login", "-i"];
    let worker = ["login", "-i", "--client-id", WORKER, "--allow-no-subscriptions"];
    let id = |run: Run| run.success().json()[0]["id"].as_str().unwrap().to_owned();
    let first = id(sandbox.azt(system));
    // An identity without subscriptions has its own entry.
    let subscriptions = sandbox.emulator.directory().subscriptions.clone();
    sandbox.emulator.directory_mut(|directory| directory.subscriptions.clear());
    let second = id(sandbox.azt(worker));
    let is_kept = |subscription: &str| {
        sandbox.emulator.clear_requests();
        let vault = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
        drop(sandbox.azt([&vault[..], &["--subscription", subscription]].concat()).quiet());
        paths(&sandbox).is_empty()
    };
    let both = [&*first, &*second];
    assert_eq!(both.map(is_kept), [false, false]);
    assert_eq!(both.map(is_kept), [true, true]);
    sandbox.azt(worker).success();
    assert_eq!(both.map(is_kept), [true, false]);
    sandbox.emulator.directory_mut(|directory| directory.subscriptions = subscriptions);
    sandbox.azt(system).success();
    assert_eq!(both.map(is_kept), [false, true]);
}

#[test]
fn azs_profile_alone_selects_the_hosts_identity() {
    let sandbox = virtual_machine();
    drop(sandbox.azt(["login", "--identity"]).success());
    let profile = sandbox.read("azureProfile.json");
    drop(sandbox.azt(["account", "clear"]).success());
    sandbox.write("azureProfile.json", profile);
    drop(sandbox.azt(TOKEN).quiet());
}

#[test]
fn a_managed_identity_cannot_answer_on_behalf_of_or_challenges() {
    let cloud_shell = host(&[("ACC_CLOUD", "PROD"), ("MSI_ENDPOINT", "{}/oauth2/token")]);
    for sandbox in [virtual_machine(), cloud_shell] {
        drop(sandbox.azt(["login", "--identity"]).success());
        sandbox.emulator.clear_requests();
        let token = |more: [&str; 2]| sandbox.azt([&TOKEN[..], &more].concat());
        let run = token(["--user-assertion", "their.access.token"]);
        drop(run.exits(1).says("this account is the host's own identity"));
        drop(
            token(["--claims", "{\"access_token\":{}}"])
                .exits(1)
                .says("does not accept a claims challenge"),
        );
        assert_eq!(paths(&sandbox), [""; 0]);
    }
}

#[test]
fn without_persistence_a_host_signs_in_and_stores_nothing() {
    let mut sandbox = virtual_machine();
    sandbox.set("AZURE_CORE_PERSIST", "false");
    drop(sandbox.azt(["login", "--identity"]).success());
    drop(sandbox.azt(TOKEN).quiet());
    drop(sandbox.azt(["account", "list", "--refresh", "-o", "none"]).quiet());
    assert!(!sandbox.file("azt/vault.json").exists() && !sandbox.file("azt/records").exists());
}

/// az's profile names the host's identity; doctor creates no key for it.
#[test]
fn doctor_creates_no_vault_for_a_host() {
    let sandbox = virtual_machine();
    drop(sandbox.azt(["login", "--identity"]).success());
    std::fs::remove_dir_all(sandbox.file("azt")).unwrap();
    let run = sandbox.azt(["doctor", "-o", "json"]);
    assert!(run.stdout.contains("systemAssignedIdentity"), "{run:?}");
    assert!(!sandbox.file("azt").exists(), "{run:?}");
}

#[test]
fn list_refresh_uses_the_hosts_token() {
    let sandbox = virtual_machine();
    drop(sandbox.azt(["login", "--identity"]).success());
    sandbox.emulator.directory_mut(|directory| {
        let listed = directory.subscriptions.iter_mut();
        listed.for_each(|subscription| subscription.name.push_str(" Renamed"));
    });
    let listed = sandbox.azt(["account", "list", "--refresh"]).quiet().json();
    assert_eq!(listed[0]["name"], "Contoso Production Renamed");
    assert_eq!(listed[0]["user"]["assignedIdentityInfo"], "MSI");
}

#[test]
fn logout_removes_the_hosts_tokens() {
    let sandbox = virtual_machine();
    drop(sandbox.azt(["login", "--identity"]).success());
    let profile = sandbox.read("azureProfile.json");
    drop(sandbox.azt(["logout"]).success());
    drop(sandbox.azt(TOKEN).exits(4));
    // With the entry restored, the token has to be fetched again.
    sandbox.write("azureProfile.json", profile);
    sandbox.emulator.clear_requests();
    drop(sandbox.azt(TOKEN).quiet());
    assert_eq!(paths(&sandbox), [IMDS]);
}

/// MSAL's rule, since the endpoints send no refresh_in.
#[test]
fn a_token_of_two_hours_or_more_is_refreshed_at_half_time() {
    let sandbox = virtual_machine();
    sandbox.azt(["login", "--identity"]).success();
    for (lifetime, renewal) in [(7199, None), (7200, Some(3600)), (86_400, Some(43_200))] {
        let token = format!("token-of-{lifetime}");
        let body = json!({"access_token": token, "expires_in": lifetime, "token_type": "Bearer"});
        fault(&sandbox, IMDS, 200, &body.to_string(), 1);
        let resource = format!("https://{lifetime}.example");
        drop(sandbox.azt(["account", "get-access-token", "--resource", &resource]).quiet());
        let exported = sandbox.azt(["cache", "export"]).exits(0).json();
        let rows = exported["AccessToken"].as_object().unwrap();
        let row = rows.values().find(|row| row["secret"] == *token).unwrap();
        let at = |name: &str| row[name].as_str().map(|time| time.parse::<i64>().unwrap());
        let begin = at("cached_at").unwrap();
        assert_eq!(at("refresh_on").map(|it| it - begin), renewal, "{lifetime}");
    }
}

/// Nodes may share a home, and images are made of signed-in machines.
#[cfg(target_os = "linux")]
#[test]
fn the_token_of_one_host_is_not_served_on_another() {
    let sandbox = virtual_machine();
    drop(sandbox.azt(["login", "--identity"]).success());
    sandbox.emulator.clear_requests();
    drop(sandbox.azt(TOKEN).quiet());
    assert_eq!(paths(&sandbox), [""; 0]);
    let mut elsewhere = std::process::Command::new("unshare");
    let script = "hostname elsewhere && exec \"$0\" account get-access-token";
    elsewhere.args(["--uts", "sh", "-c", script, env!("CARGO_BIN_EXE_azt")]);
    let run = Run::of(elsewhere.env_clear().envs(sandbox.env()).current_dir(sandbox.root()));
    if run.stderr.contains("unshare failed") {
        // A UTS namespace needs root, and some containers forbid it.
        return;
    }
    drop(run.quiet());
    assert_eq!(paths(&sandbox).len(), 1);
}
