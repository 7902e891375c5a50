//! A secret is sent only to the cloud that it was entered for.

use entra_emulator::EntraEmulator;
use serde_json::{Value, json};

use crate::managed_identity::{IMDS, paths, virtual_machine};
use crate::support::*;

const COLD: [&str; 6] =
    ["account", "get-access-token", "--account", APP, "--resource", "https://vault.azure.net"];

fn host(url: &str) -> &str {
    url.split_once("://").unwrap().1
}

/// An attacker's server with a certificate that the machine trusts.
fn evil(sandbox: &mut Sandbox) -> EntraEmulator {
    let evil = EntraEmulator::builder().start().unwrap();
    let both = sandbox.root().join("both.pem");
    let pem = format!("{}{}", sandbox.emulator.ca_pem(), evil.ca_pem());
    std::fs::write(&both, pem).unwrap();
    sandbox.set("REQUESTS_CA_BUNDLE", both.to_str().unwrap());
    evil
}

/// The line of `clouds.config` that names the login host.
fn sign_in_at(sandbox: &Sandbox, evil: &EntraEmulator) {
    let clouds = sandbox.read("clouds.config");
    let (before, after) = clouds.split_once("endpoint_active_directory = ").expect("it is there");
    let (_, after) = after.split_once('\n').unwrap();
    let changed = format!("{before}endpoint_active_directory = {}\n{after}", evil.url());
    sandbox.write("clouds.config", changed);
}

/// Adds a cloud `name` with this login host and resource manager; its audience is the emulator's.
fn register(sandbox: &Sandbox, name: &str, login: &str, manager: &str) {
    let (clouds, url) = (sandbox.read("clouds.config"), sandbox.emulator.url());
    let section = format!(
        "[{name}]\nendpoint_active_directory = {login}\nendpoint_resource_manager = {manager}/\n\
         endpoint_active_directory_resource_id = {url}/\n"
    );
    sandbox.write("clouds.config", format!("{clouds}\n{section}"));
}

#[test]
fn a_client_secret_is_not_sent_to_another_login_host() {
    let mut sandbox = Sandbox::signed_in_as_app();
    let evil = evil(&mut sandbox);
    sign_in_at(&sandbox, &evil);
    let calls: [&[&str]; 4] = [
        &COLD,
        &["account", "list", "--refresh"],
        &["doctor"],
        &["account", "get-access-token", "--account", APP, "--tenant", FABRIKAM],
    ];
    for call in calls {
        for run in [sandbox.azt(call), sandbox.az(call)] {
            assert!(!run.stdout.contains("accessToken"), "{run:?}");
            let told = format!("{}{}", run.stdout, run.stderr);
            for named in [host(sandbox.emulator.url()), host(evil.url())] {
                assert!(told.contains(named), "{call:?}: {named} in {run:?}");
            }
        }
    }
    let asked: Vec<String> = evil.requests().into_iter().map(|it| it.path).collect();
    assert!(!asked.iter().any(|it| it.ends_with("/token")), "{asked:?}");
    let run = sandbox.azt(COLD).exits(4);
    drop(run.says("is not sent to").says("azt login --service-principal --username"));
    // A sign-in there stores another secret for that host, beside the first.
    let scope = ["--skip-subscription-discovery", "--scope", "https://vault.azure.net/.default"];
    sandbox.azt([&LOGIN_APP[..], &scope].concat()).success();
    let listed = sandbox.azt(["cache", "list", "--query", "[?type=='application'].environment"]);
    let mut hosts: Vec<String> = serde_json::from_value(listed.quiet().json()).unwrap();
    hosts.sort();
    let mut both = [host(sandbox.emulator.url()), host(evil.url())];
    both.sort_unstable();
    assert_eq!(hosts, both);
    // A sign-out removes both.
    sandbox.azt(["logout", "--username", APP]).success();
    let listed = sandbox.azt(["cache", "list", "--query", "[?type=='application']"]).quiet();
    assert_eq!(listed.json(), json!([]));
}

/// az's list names no login host: the profile names the cloud.
#[test]
fn a_secret_of_azs_list_is_not_sent_to_another_login_host() {
    for cloud in ["AzureCloud", "Other", "not registered", "Emulator"] {
        let mut sandbox = Sandbox::new();
        let evil = evil(&mut sandbox);
        register(&sandbox, "Other", "https://login.other.example", "https://arm.other.example");
        sandbox.list_app_in(cloud);
        // An `environment` member in the list is not trusted.
        let entry = json!([{"client_id": APP, "tenant": CONTOSO, "client_secret": APP_SECRET,
            "environment": host(evil.url())}]);
        sandbox.write("service_principal_entries.json", entry.to_string());
        let clouds = sandbox.read("clouds.config");
        // Overrides of the built-in cloud must not matter.
        sandbox.write(
            "clouds.config",
            format!("{clouds}\n[AzureCloud]\nendpoint_active_directory = {}\n", evil.url()),
        );
        if cloud == "Emulator" {
            drop(sandbox.azt(COLD).quiet());
            continue;
        }
        sandbox.set("AZURE_CLOUD_NAME", cloud);
        let _failed = sandbox.azt(COLD);
        let asked: Vec<String> = evil.requests().into_iter().map(|it| it.path).collect();
        assert!(!asked.iter().any(|it| it.ends_with("/token")), "{cloud}: {asked:?}");
        sandbox.unset("AZURE_CLOUD_NAME");
    }
}

/// A user imports their own backup while an attacker's cloud is active.
#[test]
fn an_import_does_not_bind_secrets_to_the_active_cloud() {
    let mut sandbox = Sandbox::signed_in_as_app();
    let evil = evil(&mut sandbox);
    let backup = sandbox.azt(["cache", "export"]).exits(0).json();
    let mut of_old = backup.clone();
    for row in of_old["ServicePrincipal"].as_object_mut().unwrap().values_mut() {
        assert_eq!(row["environment"], host(sandbox.emulator.url()), "port and all");
        row.as_object_mut().unwrap().remove("environment");
    }
    of_old["AccessToken"] = json!({});
    drop(sandbox.azt(["account", "clear"]).success());
    register(&sandbox, "Evil", evil.url(), evil.url());
    sandbox.set("AZURE_CLOUD_NAME", "Evil");
    let file = sandbox.root().join("backup.json");
    let import = ["cache", "import", "-o", "json", "--file", file.to_str().unwrap()];
    let secrets = |evil: &EntraEmulator| {
        evil.requests().into_iter().filter(|it| it.form.contains_key("client_secret")).count()
    };
    // An export of azt 0.1 names no cloud, and neither does the profile.
    std::fs::write(&file, of_old.to_string()).unwrap();
    let run = sandbox.azt(import);
    assert_eq!(run.code, Some(1), "{run:?}");
    drop(
        run.says(&format!("{APP} was left out: the file does not name its cloud"))
            .says("--cloud NAME"),
    );
    drop(sandbox.azt(import.iter().chain(&["--cloud", "Nowhere"])).exits(1));
    assert_eq!(secrets(&evil), 0);
    // A row with an invalid environment is skipped.
    for odd in ["evil.example/x", "a\nERROR: b", "", "user@host"] {
        let mut odd_one = of_old.clone();
        for row in odd_one["ServicePrincipal"].as_object_mut().unwrap().values_mut() {
            row["environment"] = json!(odd);
        }
        std::fs::write(&file, odd_one.to_string()).unwrap();
        let run = sandbox.azt(import).exits(0).says("1 rows were skipped");
        assert_eq!(run.json(), json!([]));
    }
    std::fs::write(&file, backup.to_string()).unwrap();
    let run = sandbox.azt(import).exits(0);
    assert_eq!(run.json()[0]["cloud"], "Emulator", "{run:?}");
    assert_eq!(secrets(&evil), 0);
    let _refused = sandbox.azt(COLD);
    assert_eq!(secrets(&evil), 0);
    sandbox.set("AZURE_CLOUD_NAME", "Emulator");
    drop(sandbox.azt(COLD).quiet());
    // A cloud named in the call decides.
    drop(sandbox.azt(["account", "clear"]).success());
    sandbox.set("AZURE_CLOUD_NAME", "Evil");
    std::fs::write(&file, of_old.to_string()).unwrap();
    let run = sandbox.azt(import.iter().chain(&["--cloud", "Emulator"])).exits(0);
    assert_eq!(run.json()[0]["cloud"], "Emulator", "{run:?}");
    assert_eq!(secrets(&evil), 0);
}

/// One line in the file that gives a built-in cloud another host.
#[test]
fn a_built_in_clouds_secret_goes_to_no_host_from_a_file() {
    let mut sandbox = Sandbox::new();
    let evil = evil(&mut sandbox);
    sandbox.set("AZURE_CLOUD_NAME", "AzureCloud");
    let clouds = format!("[AzureCloud]\nendpoint_active_directory = {}\n", evil.url());
    sandbox.write("clouds.config", &clouds);
    for run in [sandbox.azt(LOGIN_APP), sandbox.az(LOGIN_APP), sandbox.azt(["login"])] {
        assert_ne!(run.code, Some(0), "{run:?}");
        let run = run.says("signs in at login.microsoftonline.com").says("clouds.config sets its");
        drop(
            run.says(&format!("endpoint_active_directory to {}", host(evil.url())))
                .says("azt cloud register"),
        );
    }
    let asked: Vec<_> = evil.requests().into_iter().map(|it| it.path).collect();
    assert_eq!(asked, [""; 0]);
    // azt's own command repairs the file.
    drop(sandbox.azt(["cloud", "list"]).exits(0));
    drop(sandbox.azt(["cloud", "show"]).exits(0));
    let url = "https://login.microsoftonline.com";
    let update = ["cloud", "update", "-n", "AzureCloud", "--endpoint-active-directory", url];
    drop(sandbox.azt(update).exits(0));
    // azt does not write that host either.
    let update = ["cloud", "update", "-n", "AzureCloud", "--endpoint-active-directory", evil.url()];
    drop(sandbox.azt(update).exits(6).says("azt cloud register"));
}

/// The login host and the audience are genuine, so the token would be valid at Azure, but the
/// registered cloud must not receive it.
#[test]
fn a_token_for_one_resource_manager_goes_to_no_other_cloud() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    register(&sandbox, "Evil", sandbox.emulator.url(), "https://arm.evil.example");
    let profile = sandbox.read("azureProfile.json");
    let text = profile.trim_start_matches('\u{feff}');
    let mut profile: Value = serde_json::from_str(text).unwrap();
    let entries = profile["subscriptions"].as_array_mut().unwrap();
    for mut entry in entries.clone() {
        entry["environmentName"] = json!("Evil");
        entries.push(entry);
    }
    sandbox.write("azureProfile.json", profile.to_string());
    let token = ["account", "get-access-token", "--query", "accessToken"];
    let own = sandbox.azt(token).quiet().stdout;
    assert_eq!(sandbox.requests(), Vec::<String>::new(), "the honest cloud's is at hand");
    sandbox.set("AZURE_CLOUD_NAME", "Evil");
    for round in 1..=2 {
        let run = sandbox.azt(token).quiet();
        assert_ne!(run.stdout, own, "{round}");
        assert_eq!(sandbox.requests(), ["POST token refresh_token"], "got for this cloud alone");
    }
    sandbox.set("AZURE_CLOUD_NAME", "Emulator");
    assert_ne!(sandbox.azt(token).quiet().stdout, own);
    assert_eq!(sandbox.requests().len(), 2);
    // azt's own members are not shared with other programs.
    sandbox.share_with_az(true);
    drop(sandbox.azt(["account", "get-access-token", "--resource", "https://vault.azure.net"]));
    sandbox.azt(["cache", "publish", "--allow-unencrypted"]).exits(0);
    for (path, content) in sandbox.all_files() {
        assert!(!String::from_utf8_lossy(&content).contains("resource_manager\""), "{path:?}");
    }
}

/// A managed identity's token does not come from the login host, so that host does not show what
/// the token is valid for.
#[test]
fn a_managed_identitys_token_for_azure_goes_to_no_registered_cloud() {
    let mut sandbox = virtual_machine();
    let evil = evil(&mut sandbox);
    for (name, login, audience) in [
        ("One", "https://login.evil.example", "https://management.core.windows.net/"),
        ("Two", evil.url(), "https://vault.azure.net"),
        ("Three", sandbox.emulator.url(), "https://management.azure.com"),
    ] {
        let clouds = sandbox.read("clouds.config");
        let section = format!(
            "[{name}]\nendpoint_active_directory = {login}\nendpoint_resource_manager = {}/\n\
             endpoint_active_directory_resource_id = {audience}\n",
            evil.url()
        );
        sandbox.write("clouds.config", format!("{clouds}\n{section}"));
    }
    drop(sandbox.azt(["login", "--identity"]).success());
    let profile = sandbox.read("azureProfile.json");
    for name in ["One", "Two", "Three"] {
        sandbox.write("azureProfile.json", profile.replace("\"Emulator\"", &format!("{name:?}")));
        sandbox.set("AZURE_CLOUD_NAME", name);
        sandbox.emulator.clear_requests();
        let calls: [&[&str]; 4] = [
            &["login", "--identity"],
            &["account", "list", "--refresh"],
            &["account", "list-locations"],
            &["account", "get-access-token"],
        ];
        for call in calls {
            for run in [sandbox.azt(call), sandbox.az(call)] {
                assert!(!run.stdout.contains("accessToken"), "{name} {call:?}: {run:?}");
                let run = run.says("is used with an identity of this host and would send");
                if call[1] != "list" {
                    drop(run.says("--allow-foreign-audience"));
                }
            }
        }
        assert!(!paths(&sandbox).iter().any(|it| it.starts_with(IMDS)), "{name}");
        let carried: Vec<_> = evil.requests().into_iter().map(|it| it.path).collect();
        assert_eq!(carried, [""; 0], "{name}");
    }
}

/// On a virtual machine, where that user name stands for the machine itself.
#[test]
fn a_name_from_a_login_server_is_no_managed_identity() {
    for name in ["systemAssignedIdentity", "SYSTEMASSIGNEDIDENTITY", "userAssignedIdentity"] {
        let sandbox = virtual_machine();
        sandbox.emulator.directory_mut(|directory| {
            let alice = directory.users.iter_mut().find(|it| it.username == ALICE).unwrap();
            alice.username = name.to_owned();
        });
        sandbox.approve_as(name);
        let run = sandbox.azt(["login", "--use-device-code"]);
        assert_ne!(run.code, Some(0), "{run:?}");
        drop(run.says(&format!("says that you are '{name}'")));
        let listed = sandbox.azt(["account", "list", "--all"]).exits(0);
        assert_eq!(listed.json(), json!([]));
        let of_machine = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
        assert_ne!(sandbox.azt(of_machine).code, Some(0));
        assert!(!paths(&sandbox).iter().any(|it| it.starts_with(IMDS)), "{name}");
    }
}

#[test]
fn a_profile_entry_is_a_managed_identity_by_type_not_name() {
    let sandbox = virtual_machine();
    let entry = |user: Value| {
        json!({"subscriptions": [{"id": PRODUCTION, "name": "P", "state": "Enabled", "user": user,
            "isDefault": true, "tenantId": CONTOSO, "environmentName": "Emulator"}]})
    };
    let token = ["account", "get-access-token"];
    for user in [
        json!({"name": "systemAssignedIdentity", "type": "user"}),
        json!({"name": "systemAssignedIdentity", "type": "user", "assignedIdentityInfo": "MSI"}),
        json!({"name": "systemAssignedIdentity", "assignedIdentityInfo": "MSI"}),
        json!({"name": "systemAssignedIdentity", "type": "servicePrincipal"}),
        json!({"name": "SystemAssignedIdentity", "type": "servicePrincipal", "assignedIdentityInfo": "MSI"}),
        json!({"name": "userAssignedIdentity", "type": "user", "assignedIdentityInfo": "MSIClient-x"}),
    ] {
        sandbox.write("azureProfile.json", entry(user.clone()).to_string());
        assert_ne!(sandbox.azt(token).code, Some(0), "{user}");
        assert!(!paths(&sandbox).iter().any(|it| it.starts_with(IMDS)), "{user}");
    }
    let user = json!({"name": "systemAssignedIdentity", "type": "servicePrincipal", "assignedIdentityInfo": "MSI"});
    sandbox.write("azureProfile.json", entry(user).to_string());
    drop(sandbox.azt(token).quiet());
    assert!(paths(&sandbox).iter().any(|it| it.starts_with(IMDS)));
}
