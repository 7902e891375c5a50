//! `account list|show|set` and the output formats.

use crate::support::*;

#[test]
fn nobody_signed_in() {
    let sandbox = Sandbox::without_cloud();
    sandbox
        .az(["account", "list"])
        .success()
        .says("WARNING: Please run \"az login\" to access your accounts.\n")
        .prints("[]\n");
    sandbox.az(["account", "list", "--only-show-errors", "-o", "tsv"]).quiet().prints("");
    for command in ["show", "get-access-token"] {
        sandbox
            .az(["account", command])
            .exits(1)
            .says("ERROR: Please run 'az login' to setup account.\n");
        sandbox.azt(["account", command]).exits(4).says("Please run 'azt login' to setup account.");
    }
    sandbox.azt(["logout"]).exits(4).says("ERROR: There are no active accounts.\n");
    sandbox
        .azt(["account", "set", "-s", "Some Name"])
        .exits(4)
        .says("ERROR: Please run 'azt login' to setup account.\n");
    sandbox
        .az(["account", "set", "-s", "Some Name"])
        .exits(1)
        .says("ERROR: The subscription of 'some name' doesn't exist in cloud 'AzureCloud'.\n");
}

#[test]
fn show_prints_the_entry_in_every_format() {
    let sandbox = Sandbox::signed_in_as_alice();
    let show = |format: &str| sandbox.azt(["account", "show", "-o", format]).quiet().stdout;
    assert_eq!(
        show("json"),
        format!(
            r#"{{
  "environmentName": "Emulator",
  "homeTenantId": "{CONTOSO}",
  "id": "{PRODUCTION}",
  "isDefault": true,
  "managedByTenants": [],
  "name": "Contoso Production",
  "state": "Enabled",
  "tenantDefaultDomain": "contoso.example",
  "tenantDisplayName": "Contoso",
  "tenantId": "{CONTOSO}",
  "user": {{
    "name": "alice@contoso.example",
    "type": "user"
  }}
}}
"#
        )
    );
    assert_eq!(show("jsonc"), show("json"), "no colour without a terminal");
    assert_eq!(show("none"), "");
    assert!(show("yaml").starts_with("environmentName: Emulator\nhomeTenantId: "));
    assert_eq!(
        show("tsv"),
        format!(
            "Emulator\t{CONTOSO}\t{PRODUCTION}\tTrue\t0\tContoso Production\tEnabled\tcontoso.example\tContoso\t{CONTOSO}\t\n"
        )
    );
    let table = show("table");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(
        lines[0].split_whitespace().collect::<Vec<_>>(),
        [
            "EnvironmentName",
            "HomeTenantId",
            "IsDefault",
            "Name",
            "State",
            "TenantDefaultDomain",
            "TenantDisplayName",
            "TenantId"
        ]
    );
    assert_eq!(lines.len(), 3);
}

#[test]
fn queries_pick_from_the_result() {
    let sandbox = Sandbox::signed_in_as_alice();
    for (query, format, expected) in [
        ("user.name", "tsv", "alice@contoso.example\n"),
        (
            "{Name:name,Id:id}",
            "table",
            &*format!(
                "Name                Id\n------------------  ------------------------------------\nContoso Production  {PRODUCTION}\n"
            ),
        ),
        ("nothing.here", "json", ""),
        ("[name, `foo`]", "tsv", "Contoso Production\nfoo\n"),
    ] {
        sandbox.azt(["account", "show", "--query", query, "-o", format]).quiet().prints(expected);
    }
    sandbox
        .azt(["account", "show", "--query", "bad["])
        .exits(2)
        .says("ERROR: argument --query: invalid jmespath_type value: 'bad['\n");
    sandbox
        .azt(["account", "show", "--query", "nofunc(@)"])
        .exits(1)
        .says("ERROR: Invalid jmespath query supplied for `--query`: Unknown function: nofunc()\n");
}

#[test]
fn list_hides_disabled_subscriptions_that_set_still_finds() {
    let sandbox = Sandbox::signed_in_as_alice();
    let run = sandbox.azt(["account", "list", "-o", "table"]).success();
    assert!(run.stdout.starts_with("Name                          CloudName    SubscriptionId "));
    assert!(!run.stdout.contains("Old Experiments"));
    run.says("WARNING: A few accounts are skipped as they don't have 'Enabled' state. Use '--all' to display them.\n");
    sandbox.azt(["account", "set", "-n", "CONTOSO old experiments"]).quiet().prints("");
    assert_eq!(sandbox.azt(["account", "show"]).quiet().text("state"), "Disabled");
    let all = sandbox.azt(["account", "list", "--all"]).quiet().json();
    let defaults = all.as_array().unwrap().iter().filter(|entry| entry["isDefault"] == true);
    assert_eq!(defaults.count(), 1);
    assert!(
        sandbox
            .read("clouds.config")
            .contains("subscription = 50000000-0000-4000-8000-000000000003")
    );
}

#[test]
fn unknown_subscriptions_are_named_as_typed() {
    let sandbox = Sandbox::signed_in_as_alice();
    for command in ["show", "get-access-token"] {
        sandbox
            .azt(["account", command, "-s", "No Such"])
            .exits(1)
            .says("ERROR: Subscription 'No Such' not found. Check the spelling and casing and try again.\n");
    }
}

#[test]
fn an_unknown_member_of_the_profile_is_shown_and_kept() {
    let sandbox = Sandbox::signed_in_as_alice();
    let profile = sandbox.read("azureProfile.json");
    assert!(profile.starts_with("\u{feff}{\"subscriptions\": [{\"id\": \""), "{profile}");
    sandbox.write(
        "azureProfile.json",
        profile.replace(
            "\"name\": \"Contoso Production\"",
            "\"colour\": \"blue\", \"name\": \"Contoso Production\"",
        ),
    );
    assert_eq!(sandbox.azt(["account", "show"]).quiet().text("colour"), "blue");
    sandbox.azt(["account", "set", "-s", "Fabrikam Shared"]).quiet();
    sandbox.azt(["account", "set", "-s", "Contoso Production"]).quiet();
    assert_eq!(sandbox.azt(["account", "show"]).quiet().text("colour"), "blue");
}

#[test]
fn locations_and_tenants_are_listed_with_the_accounts_token() {
    let sandbox = Sandbox::signed_in_as_alice();
    let run = sandbox.az(["account", "list-locations"]).quiet();
    let first = &run.json()[0];
    assert!(first["name"].is_string() && first["regionalDisplayName"].is_string(), "{first}");
    let table = sandbox.az(["account", "list-locations", "-o", "table"]).quiet().stdout;
    assert!(table.starts_with("DisplayName"), "{table}");
    assert_eq!(sandbox.requests(), vec![format!("GET /subscriptions/{PRODUCTION}/locations"); 2]);
    sandbox.emulator.clear_requests();
    drop(sandbox.az(["account", "list-locations", "--include-extended-locations", "Yes"]).quiet());
    assert!(sandbox.emulator.requests()[0].query["includeExtendedLocations"] == "true");

    let tenants = sandbox.az(["account", "tenant", "list"]).quiet().json();
    assert_eq!(tenants.as_array().unwrap().len(), 3);
    assert_eq!(
        tenants[0],
        serde_json::json!({"id": format!("/tenants/{CONTOSO}"), "tenantId": CONTOSO})
    );
}

#[test]
fn list_refresh_updates_what_changed_and_keeps_the_rest() {
    let sandbox = Sandbox::signed_in_as_alice();
    drop(sandbox.azt(["account", "set", "-s", "Fabrikam Shared"]).quiet());
    sandbox.emulator.directory_mut(|directory| {
        directory.subscription_mut(PRODUCTION).unwrap().name = "Renamed".to_owned();
        directory.subscriptions.retain(|subscription| !subscription.name.contains("Experiments"));
    });
    let run = sandbox.azt(["account", "list", "--refresh", "--all"]).success();
    let listed = run.json();
    let names: Vec<&str> =
        listed.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Renamed", "Contoso Development and Test", "Fabrikam Shared"]);
    assert_eq!(sandbox.azt(["account", "show"]).quiet().text("name"), "Fabrikam Shared");

    sandbox.emulator.revoke(ALICE);
    let run = sandbox.az(["account", "list", "--refresh"]).success();
    assert_eq!(run.json().as_array().unwrap().len(), 3);
    run.says("WARNING: Refreshing for 'alice@contoso.example' failed with an error 'AADSTS50173")
        .says("The existing accounts were not modified. You can run 'az login' later to explicitly refresh them");
}
