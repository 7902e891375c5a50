//! What is kept of the identities of a host, and for whom.

use serde_json::json;

use crate::managed_identity::{IMDS, TOKEN, WORKER, fault, host, paths, virtual_machine};
use crate::support::*;

#[test]
fn signing_in_again_forgets_this_identitys_tokens_and_no_others() {
    let sandbox = virtual_machine();
    let system = ["login", "-i"];
    let worker = ["login", "-i", "--client-id", WORKER, "--allow-no-subscriptions"];
    let id = |run: Run| run.success().json()[0]["id"].as_str().unwrap().to_owned();
    let first = id(sandbox.azt(system));
    // One that sees no subscription has an entry of its own.
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
fn a_profile_of_az_is_enough() {
    let sandbox = virtual_machine();
    drop(sandbox.azt(["login", "--identity"]).success());
    let profile = sandbox.read("azureProfile.json");
    drop(sandbox.azt(["account", "clear"]).success());
    sandbox.write("azureProfile.json", profile);
    drop(sandbox.azt(TOKEN).quiet());
}

/// It is not its caller's to have.
#[test]
fn a_host_gives_no_token_for_somebody_else_and_none_for_a_challenge() {
    let cloud_shell = host(&[("ACC_CLOUD", "PROD"), ("MSI_ENDPOINT", "{}/oauth2/token")]);
    for sandbox in [virtual_machine(), cloud_shell] {
        drop(sandbox.azt(["login", "--identity"]).success());
        sandbox.emulator.clear_requests();
        let token = |more: [&str; 2]| sandbox.azt([&TOKEN[..], &more].concat());
        let run = token(["--user-assertion", "their.access.token"]);
        drop(run.exits(1).says("this account is the host's own identity"));
        drop(token(["--claims", "{\"access_token\":{}}"]).exits(1).says("takes no claims"));
        assert_eq!(paths(&sandbox), [""; 0]);
    }
}

#[test]
fn without_persistence_the_host_is_signed_in_and_nothing_is_kept() {
    let mut sandbox = virtual_machine();
    sandbox.set("AZURE_CORE_PERSIST", "false");
    drop(sandbox.azt(["login", "--identity"]).success());
    drop(sandbox.azt(TOKEN).quiet());
    drop(sandbox.azt(["account", "list", "--refresh", "-o", "none"]).quiet());
    assert!(!sandbox.file("azt/vault.json").exists() && !sandbox.file("azt/records").exists());
}

/// az's profile names the host's identity; looking at it makes no key.
#[test]
fn the_doctor_makes_no_vault_for_a_host() {
    let sandbox = virtual_machine();
    drop(sandbox.azt(["login", "--identity"]).success());
    std::fs::remove_dir_all(sandbox.file("azt")).unwrap();
    let run = sandbox.azt(["doctor", "-o", "json"]);
    assert!(run.stdout.contains("systemAssignedIdentity"), "{run:?}");
    assert!(!sandbox.file("azt").exists(), "{run:?}");
}

#[test]
fn the_list_is_refreshed_with_the_hosts_token() {
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
fn logout_removes_the_tokens() {
    let sandbox = virtual_machine();
    drop(sandbox.azt(["login", "--identity"]).success());
    let profile = sandbox.read("azureProfile.json");
    drop(sandbox.azt(["logout"]).quiet());
    drop(sandbox.azt(TOKEN).exits(4));
    // With the entry back, the token has to be asked for again.
    sandbox.write("azureProfile.json", profile);
    sandbox.emulator.clear_requests();
    drop(sandbox.azt(TOKEN).quiet());
    assert_eq!(paths(&sandbox), [IMDS]);
}

/// MSAL's rule, since the endpoints say nothing of it.
#[test]
fn a_token_of_two_hours_or_more_is_renewed_at_half_time() {
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

/// Nodes share a home; an image is made of a machine that is signed in.
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
        // Only root has a host name of its own, and not in every container.
        return;
    }
    drop(run.quiet());
    assert_eq!(paths(&sandbox).len(), 1);
}
