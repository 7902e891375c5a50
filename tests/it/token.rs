//! `azt token`: what the token is for, its shapes, and how new it is.

#[cfg(target_os = "linux")]
use std::process::Command;

use entra_emulator::Fault;
use regex::Regex;

use crate::support::*;

/// The scope of the last token request.
fn asked(sandbox: &Sandbox) -> String {
    let requests = sandbox.emulator.requests();
    let last = requests.iter().rev().find(|it| it.path.ends_with("/token"));
    let scope = last.and_then(|it| it.form.get("scope").cloned()).unwrap_or_default();
    let own = |it: &&str| !["offline_access", "openid", "profile"].contains(it);
    scope.split(' ').filter(own).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_token_alone_is_what_get_access_token_prints_without_a_line_feed() {
    let sandbox = Sandbox::signed_in_as_alice();
    let token = sandbox.azt(["token"]).quiet().stdout;
    let az = sandbox.azt(["account", "get-access-token"]).quiet();
    assert_eq!(token, az.text("accessToken"));
    assert!(Regex::new(r"^[\w-]+\.[\w-]+\.[\w-]+$").unwrap().is_match(&token));
    sandbox.azt(["token", "arm"]).quiet().prints(&token);
    sandbox.azt(["token", "--header"]).quiet().prints(&format!("Authorization: Bearer {token}"));
    sandbox.azt(["token", "--json"]).quiet().prints(&az.stdout);
    sandbox.azt(["token", "-o", "json"]).quiet().prints(&az.stdout);
    let both = sandbox.azt(["token", "--query", "accessToken", "-o", "tsv"]).quiet();
    assert_eq!(both.stdout.trim_end(), token);
    assert_eq!(sandbox.requests(), [] as [String; 0], "all came from the vault");
    for line in [
        vec!["token", "--header", "--json"],
        vec!["token", "--decode", "--header"],
        vec!["token", "--header", "-o", "json"],
        vec!["token", "arm", "--resource", "x"],
        vec!["token", "--min-lifetime", "soon"],
        vec!["token", "arm", "graph"],
    ] {
        drop(sandbox.azt(line).exits(2));
    }
}

#[test]
fn names_urls_resources_and_scopes_have_their_audience() {
    let sandbox = Sandbox::signed_in_as_app();
    let url = format!("{}/subscriptions/x?api-version=1", sandbox.emulator.url());
    for (what, scope) in [
        ("vault", "https://vault.azure.net/.default"),
        ("VAULT", "https://vault.azure.net/.default"),
        (
            "https://MyVault.vault.azure.net/secrets/x?api-version=7.4",
            "https://vault.azure.net/.default",
        ),
        ("myvault.vault.azure.net", "https://vault.azure.net/.default"),
        ("https://vault.azure.net", "https://vault.azure.net/.default"),
        ("https://vault.azure.net/", "https://vault.azure.net//.default"),
        ("storage", "https://storage.azure.com/.default"),
        ("https://a.dfs.core.windows.net/c/f.txt", "https://storage.azure.com/.default"),
        ("devops", "499b84ac-1321-427f-aa17-267ca6975798/.default"),
        ("499b84ac-1321-427f-aa17-267ca6975798", "499b84ac-1321-427f-aa17-267ca6975798/.default"),
        ("aks", "6dae42f8-4368-4678-94ff-3960e28e3630/.default"),
        ("sql", "https://database.windows.net/.default"),
        ("https://graph.microsoft.com/User.Read", "https://graph.microsoft.com/User.Read"),
        ("https://cluster.kusto.windows.net/v1", "https://cluster.kusto.windows.net/.default"),
        ("api://contoso-payroll", "api://contoso-payroll/.default"),
        ("https://database.windows.net/.default", "https://database.windows.net/.default"),
    ] {
        let _ = sandbox.azt(["token", what, "--force-refresh"]);
        assert_eq!(asked(&sandbox), scope, "{what}");
        sandbox.emulator.clear_requests();
    }
    // The resource manager of a registered cloud is that cloud's own.
    let arm = sandbox.azt(["token"]).quiet().stdout;
    sandbox.azt(["token", &url]).quiet().prints(&arm);
}

#[test]
fn what_is_no_service_asks_for_nothing() {
    let sandbox = Sandbox::signed_in_as_app();
    for (what, code, told) in [
        ("grpah", 2, "Did you mean graph?"),
        ("nonsense", 2, "azt token --resource RESOURCE"),
        ("http://myvault.vault.azure.net/", 6, "without encryption"),
        ("https://myvault.vault.azure.cn/secrets/x", 2, "azt cloud set --name AzureChinaCloud"),
        ("https://a.vault.azure.net.evil.example/?x", 2, "evil.example is no host of a service"),
        ("https://u:p@myvault.vault.azure.net/", 2, "no plain URL"),
        ("http://api.contoso.example/x", 6, "azt token --resource http://api.contoso.example/x"),
        ("http://api.contoso.example/.default", 6, "without encryption"),
        (
            "https://api.contoso.example/x",
            2,
            "If it is the name of a resource: azt token --resource https://api.contoso.example/x",
        ),
        ("https://management.azure.com.evil.example", 2, "is no host of a service"),
        ("https://evilvault.azure.net", 2, "is no host of a service"),
        (
            "https://evilvault.azure.net/.default",
            2,
            "azt token --scope https://evilvault.azure.net/.default",
        ),
    ] {
        drop(sandbox.azt(["token", what]).exits(code).says(told));
    }
    assert_eq!(sandbox.requests(), [] as [String; 0]);
}

#[test]
fn each_built_in_cloud_has_its_own_audiences() {
    // The identity of the environment needs no sign-in; the login host is the emulator's.
    let mut sandbox = Sandbox::without_cloud();
    let host = sandbox.emulator.url().to_owned();
    for (name, value) in [
        ("AZURE_TENANT_ID", CONTOSO),
        ("AZURE_CLIENT_ID", APP),
        ("AZURE_CLIENT_SECRET", APP_SECRET),
        ("AZURE_AUTHORITY_HOST", host.as_str()),
    ] {
        sandbox.set(name, value);
    }
    for (cloud, what, scope) in [
        ("AzureCloud", "arm", "https://management.core.windows.net//.default"),
        ("AzureChinaCloud", "vault", "https://vault.azure.cn/.default"),
        ("AzureChinaCloud", "https://v.vault.azure.cn/x", "https://vault.azure.cn/.default"),
        ("AzureChinaCloud", "graph", "https://microsoftgraph.chinacloudapi.cn/.default"),
        ("AzureUSGovernment", "sql", "https://database.usgovcloudapi.net/.default"),
        (
            "AzureUSGovernment",
            "postgres",
            "https://ossrdbms-aad.database.usgovcloudapi.net/.default",
        ),
        ("AzureBleuCloud", "arm", "https://management.sovcloud-api.fr//.default"),
    ] {
        sandbox.set("AZURE_CLOUD_NAME", cloud);
        sandbox.emulator.clear_requests();
        let _ = sandbox.azt(["token", what, "--identity-from-env", "--force-refresh"]);
        assert_eq!(asked(&sandbox), scope, "{cloud} {what}");
    }
    sandbox.emulator.clear_requests();
    let unknown = sandbox.azt(["token", "devops", "--identity-from-env"]).exits(2);
    drop(unknown.says("azt knows no audience of 'devops' in the cloud 'AzureBleuCloud'."));
    assert_eq!(sandbox.requests(), [] as [String; 0]);
}

#[test]
fn a_token_is_as_new_as_it_must_be() {
    let sandbox = Sandbox::signed_in_as_app();
    let first = sandbox.azt(["token"]).quiet().stdout;
    sandbox.emulator.clear_requests();
    sandbox.azt(["token", "--min-lifetime", "20m"]).quiet().prints(&first);
    assert_eq!(sandbox.requests(), [] as [String; 0]);

    let forced = sandbox.azt(["token", "--force-refresh"]).quiet().stdout;
    assert_eq!(sandbox.requests(), ["POST token client_credentials"]);
    sandbox.azt(["token"]).quiet().prints(&forced);

    // 45 minutes later a quarter of an hour is left.
    sandbox.emulator.clear_requests();
    let later = sandbox.azt_later(2700, ["token", "--min-lifetime", "10m"]).quiet();
    assert_eq!((later.stdout, sandbox.requests().len()), (forced.clone(), 0));
    drop(sandbox.azt_later(2700, ["token", "--min-lifetime", "20m"]).quiet());
    assert_eq!(sandbox.requests(), ["POST token client_credentials"]);

    // The service gives an hour.
    let less = sandbox.azt(["token", "--min-lifetime", "30h"]).success();
    drop(less.says("the service gave none with the 1 d 6 h of --min-lifetime"));
}

fn unavailable() -> entra_emulator::Action {
    entra_emulator::Action::Answer { status: 503, headers: Default::default(), body: String::new() }
}

#[test]
fn a_service_in_trouble_leaves_the_token_in_hand_unless_a_new_one_is_forced() {
    let sandbox = Sandbox::signed_in_as_app();
    let token = sandbox.azt(["token"]).quiet().stdout;
    sandbox.emulator.faults().push(Fault::on("/token", unavailable()));
    let short = sandbox.azt(["token", "--min-lifetime", "2h"]).success().prints(&token);
    drop(short.says("--min-lifetime"));
    drop(sandbox.azt(["token", "--force-refresh"]).exits(8));
}

#[test]
fn claims_are_shown_without_the_token() {
    let sandbox = Sandbox::signed_in_as_alice();
    let token = sandbox.azt(["token"]).quiet().stdout;
    let decoded = sandbox.azt(["token", "--decode"]).quiet().stdout;
    assert!(decoded.starts_with("Not verified"), "{decoded}");
    for claim in ["aud", "exp", "iat", "tid"] {
        assert!(decoded.lines().any(|line| line.starts_with(claim)), "{claim}: {decoded}");
    }
    assert!(decoded.contains("(in ") && decoded.contains(CONTOSO), "{decoded}");
    let json = sandbox.azt(["token", "--decode", "-o", "json"]).quiet();
    assert_eq!(json.json()["isVerified"], false);
    assert_eq!(json.json()["claims"]["tid"], CONTOSO);
    for part in token.split('.') {
        assert!(!decoded.contains(part) && !json.stdout.contains(part));
    }
}

#[test]
fn az_has_no_such_command() {
    let sandbox = Sandbox::signed_in_as_alice();
    for command in ["token", "whoami", "status"] {
        let told = format!("'{command}' is misspelled or not recognized by the system.");
        drop(sandbox.az([command]).exits(2).says(&told));
    }
}

/// Instructions of `line`, counted by callgrind.
#[cfg(target_os = "linux")]
fn instructions(sandbox: &Sandbox, line: &[&str]) -> u64 {
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", env!("CARGO_BIN_EXE_azt")])
        .args(line)
        .env_clear()
        .envs(sandbox.env());
    let run = Run::of(&mut command).success();
    let counted = run.stderr.lines().find_map(|line| line.split_once("Collected : "));
    counted.unwrap_or_else(|| panic!("{run:?}")).1.trim().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_warm_token_costs_no_more_than_get_access_token() {
    let sandbox = Sandbox::signed_in_as_app();
    let az = instructions(&sandbox, &["account", "get-access-token", "-o", "json"]);
    for line in [&["token"][..], &["token", "arm"]] {
        let own = instructions(&sandbox, line);
        assert!(own <= az, "{line:?}: {own} instructions, get-access-token: {az}");
    }
}
