//! Signing in and out.

use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_emulator::Fault;
use entra_emulator::directory::NIGHTLY_BUILD_CERTIFICATE;
use serde_json::{Value, json};

use crate::support::*;

#[test]
fn a_device_code_sign_in_prints_the_subscriptions() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let run = sandbox.azt(["login", "--use-device-code"]).success();
    let code = &sandbox.emulator.requests()[0];
    assert!(code.path.ends_with("/organizations/oauth2/v2.0/devicecode"), "{}", code.path);
    let run = run.says("enter the code").says("/devicelogin");

    let listed = run.json();
    let names: Vec<&str> =
        listed.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "Contoso Production",
            "Contoso Development and Test",
            "Contoso Old Experiments",
            "Fabrikam Shared"
        ]
    );
    assert_eq!(listed[0]["isDefault"], true);
    assert_eq!(listed[0]["cloudName"], "Emulator");
    assert_eq!(listed[0]["tenantDefaultDomain"], "contoso.example");
    assert_eq!(listed[3]["tenantId"], FABRIKAM);
    assert_eq!(listed[0]["user"], serde_json::json!({"name": ALICE, "type": "user"}));
    assert_eq!(sandbox.azt(["account", "show"]).quiet().text("id"), PRODUCTION);
}

#[test]
fn three_tenants_take_the_minimum_of_requests() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    sandbox.azt(["login"]).success();
    let mut requests = sandbox.requests();
    // Tenants are asked concurrently, so their order varies.
    requests[3..].sort_unstable();
    assert_eq!(
        requests,
        [
            "POST devicecode",
            "POST token device_code",
            "GET /tenants",
            "GET /subscriptions",
            "GET /subscriptions",
            "GET /subscriptions",
            // The first token is the home tenant's; each other tenant needs its own.
            "POST token refresh_token",
            "POST token refresh_token",
        ]
    );
    // Request ids, for searching Entra's logs.
    let all = sandbox.emulator.requests();
    let posts = all.iter().filter(|request| request.method == "POST");
    let ids: std::collections::BTreeSet<uuid::Uuid> = posts
        .map(|request| request.header("client-request-id").unwrap().parse().unwrap())
        .collect();
    assert_eq!(ids.len(), 4, "each has its own");
}

#[test]
fn a_tenant_can_be_named_by_its_domain() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let run = sandbox.azt(["login", "--tenant", "fabrikam.example"]).success();
    let listed = run.json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["tenantId"], FABRIKAM);
    // As in az: a sign-in to one tenant does not list tenant names.
    assert_eq!(listed[0].get("tenantDisplayName"), None);
    assert_eq!(
        sandbox.requests(),
        [
            "GET /fabrikam.example/v2.0/.well-known/openid-configuration",
            "POST devicecode",
            "POST token device_code",
            "GET /subscriptions",
        ]
    );
}

#[test]
fn an_unknown_tenant_is_reported() {
    let sandbox = Sandbox::new();
    // az's text under the name az.
    sandbox
        .az(["login", "--tenant", "nowhere.example"])
        .exits(1)
        .says("ERROR: Failed to resolve tenant 'nowhere.example'.\n\nError detail: {\"error\":");
}

#[test]
fn an_application_signs_in_with_its_secret() {
    let sandbox = Sandbox::new();
    let run = sandbox.login_app().success();
    assert_eq!(run.json()[0]["user"], serde_json::json!({"name": APP, "type": "servicePrincipal"}));
    assert_eq!(sandbox.requests(), ["POST token client_credentials", "GET /subscriptions"]);
    let token = sandbox.azt(["account", "get-access-token"]).quiet();
    assert_eq!(token.text("tenant"), CONTOSO);
    assert_eq!(sandbox.requests().len(), 2, "the token of the sign-in is served");
}

#[test]
fn a_secret_is_read_from_a_file_or_from_standard_input() {
    let sandbox = Sandbox::new();
    let path = sandbox.root().join("secret.txt");
    std::fs::write(&path, format!("{APP_SECRET}\n")).unwrap();
    let from_file = format!("@{}", path.display());
    sandbox
        .azt(["login", "--service-principal", "-u", APP, "-p", &from_file, "-t", CONTOSO])
        .success();
    let mut command =
        sandbox.command(["login", "--service-principal", "-u", APP, "-p", "@-", "-t", CONTOSO]);
    let input = std::fs::File::open(&path).unwrap();
    Run::from(command.stdin(input).output().unwrap()).success();
}

#[test]
fn a_wrong_secret_is_refused_and_leaves_the_stored_one() {
    let sandbox = Sandbox::signed_in_as_app();
    let wrong = ["login", "--service-principal", "-u", APP, "-p", "wrong", "-t", CONTOSO];
    sandbox.azt(wrong).exits(6).says("ERROR: AADSTS7000215");
    sandbox.az(wrong).exits(1).says("The error may be caused by passing a service principal certificate with --password. Please note that --password no longer accepts");
    sandbox.emulator.clear_requests();
    sandbox.azt(["account", "get-access-token", "--resource", "https://vault.azure.net"]).quiet();
    assert_eq!(sandbox.requests(), ["POST token client_credentials"], "with the secret that works");
}

#[test]
fn a_sign_in_without_subscriptions_stores_nothing() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    sandbox
        .azt(["login", "--tenant", NORTHWIND])
        .exits(1)
        .says("ERROR: No subscriptions found for alice@contoso.example.")
        .says(&format!(
            "To sign in anyway: azt login --tenant {NORTHWIND} --allow-no-subscriptions"
        ));
    sandbox.azt(["account", "show"]).exits(4);
    let records = std::fs::read_dir(sandbox.file("azt/records")).map_or(0, Iterator::count);
    assert_eq!(records, 0);
}

#[test]
fn allow_no_subscriptions_makes_a_tenant_level_account() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let run = sandbox.azt(["login", "--tenant", NORTHWIND, "--allow-no-subscriptions"]).success();
    assert_eq!(run.json()[0]["name"], "N/A(tenant level account)");
    assert_eq!(run.json()[0]["id"], NORTHWIND);
    let token = sandbox
        .azt(["account", "get-access-token", "--resource", "https://graph.microsoft.com"])
        .quiet();
    assert_eq!(token.text("tenant"), NORTHWIND);
}

#[test]
fn a_tenant_that_requires_mfa_is_a_warning() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    sandbox.emulator.directory_mut(|directory| {
        directory.user_mut(ALICE).unwrap().mfa_required_in.push(FABRIKAM.to_owned());
    });
    let run = sandbox.azt(["login"]).success();
    assert_eq!(run.json().as_array().unwrap().len(), 3);
    run.says(&format!(
        "WARNING: Authentication failed against tenant {FABRIKAM} 'Fabrikam': AADSTS50076"
    ))
    .says("please use `azt login --tenant TENANT_ID`.");
}

#[test]
fn a_named_subscription_becomes_the_default() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let run = sandbox.azt(["login", "--subscription", "contoso development AND test"]).success();
    assert_eq!(run.json().as_array().unwrap().len(), 1);
    assert_eq!(
        sandbox.azt(["account", "show"]).quiet().text("name"),
        "Contoso Development and Test"
    );
    sandbox
        .azt(["login", "--subscription", "nonsense"])
        .exits(1)
        .says("Subscription 'nonsense' not found. Check the ID or name and try again.");
    assert_eq!(
        sandbox.azt(["account", "show"]).quiet().text("name"),
        "Contoso Development and Test"
    );
}

#[test]
fn a_declined_or_expired_code_is_reported() {
    let sandbox = Sandbox::new();
    sandbox.emulator.settings_mut(|settings| settings.device_code_lifetime = 1);
    sandbox.azt(["login"]).exits(5);
    assert!(!sandbox.file("azureProfile.json").exists());
}

#[test]
fn a_sign_out_removes_only_that_account() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.login_app().success();
    sandbox.azt(["logout", "--username", "ALICE@contoso.example"]).success().prints("");
    let left: Vec<Value> =
        sandbox.azt(["account", "list", "--all"]).success().json().as_array().unwrap().clone();
    assert!(left.iter().all(|entry| entry["user"]["name"] == APP), "{left:?}");
    sandbox.emulator.clear_requests();
    sandbox.azt(["account", "get-access-token", "-s", PRODUCTION]).quiet();
    assert_eq!(sandbox.requests(), Vec::<String>::new(), "the application's token is still there");
    sandbox.azt(["logout", "--username", APP]).success();
    let records = std::fs::read_dir(sandbox.file("azt/records")).unwrap().count();
    assert_eq!(records, 0, "no token or secret of either is left");
    sandbox.azt(["logout"]).exits(4).says("ERROR: There are no active accounts.");
}

/// As az.
#[test]
fn a_sign_out_with_an_empty_name_means_the_default() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.azt(["logout", "--username", ""]).success();
    drop(sandbox.azt(["account", "get-access-token"]).exits(4));
}

#[test]
fn a_sign_out_by_an_upper_case_client_id_removes_the_secret() {
    let sandbox = Sandbox::signed_in_as_app();
    sandbox.azt(["logout", "--username", &APP.to_uppercase()]).success();
    assert_eq!(std::fs::read_dir(sandbox.file("azt/records")).unwrap().count(), 0);
}

#[test]
fn account_clear_removes_everything_even_without_the_key() {
    let sandbox = Sandbox::signed_in_as_alice();
    std::fs::remove_file(sandbox.file("azt/vault.key")).unwrap();
    sandbox.azt(["account", "get-access-token"]).exits(9);
    sandbox.azt(["account", "clear"]).success();
    sandbox.azt(["account", "show"]).exits(4);
    assert_eq!(std::fs::read_dir(sandbox.file("azt/records")).map_or(0, Iterator::count), 0);
    sandbox.login_app().success();
}

#[test]
fn a_claims_challenge_is_sent_and_the_refused_token_is_not_served_again() {
    let sandbox = Sandbox::signed_in_as_alice();
    let before = sandbox.azt(["account", "get-access-token"]).quiet().text("accessToken");
    // {"access_token":{"nbf":{"essential":true,"value":"1"}}}
    let challenge = "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxIn19fQ==";
    sandbox
        .azt([
            "login",
            "--scope",
            "https://graph.microsoft.com/.default",
            "--claims-challenge",
            challenge,
            "--tenant",
            CONTOSO,
        ])
        .success();
    let sent = &sandbox.emulator.requests()[0].form["claims"];
    assert!(sent.contains(r#""nbf""#) && sent.contains(r#""CP1""#), "{sent}");
    let after = sandbox.azt(["account", "get-access-token"]).quiet().text("accessToken");
    assert_ne!(before, after);
}

#[test]
fn subscription_discovery_can_be_skipped() {
    let sandbox = Sandbox::new();
    let login = |more: &[&str]| {
        sandbox.az(LOGIN_APP.iter().chain(["--skip-subscription-discovery"].iter()).chain(more))
    };
    let alone = login(&[]).success().json();
    assert_eq!(alone[0]["name"], "N/A(tenant level account)");
    assert_eq!(sandbox.requests(), ["POST token client_credentials"]);
    sandbox.emulator.clear_requests();

    let one = login(&["--subscription", PRODUCTION]).success().json();
    assert_eq!(one.as_array().unwrap().len(), 1);
    assert_eq!(one[0]["name"], "Contoso Production");
    assert_eq!(sandbox.requests()[1], format!("GET /subscriptions/{PRODUCTION}"));

    let nobodys = "50000000-0000-4000-8000-00000000ffff";
    login(&["-s", nobodys]).exits(1).says(&format!("ERROR: The subscription '{nobodys}' could not be retrieved for '{APP}'. Ensure the subscription exists and that you have access to it."));
    let tenant = login(&["-s", nobodys, "--allow-no-subscriptions"]).success();
    assert_eq!(tenant.json()[0]["id"], CONTOSO);
    tenant.says(&format!(
        "WARNING: Subscription '{nobodys}' not found. Profile has tenant-level account only."
    ));
    login(&["-s", "Contoso Production"])
        .exits(1)
        .says("must be a subscription ID (GUID), not a name");
    sandbox
        .az(["login", "--skip-sub"])
        .exits(1)
        .says("ERROR: usage error: '--skip-subscription-discovery' requires '--tenant'");
}

/// Azure Lighthouse: a tenant may list only subscriptions already seen in another (az's `bare_tenants`).
#[test]
fn a_tenant_without_new_subscriptions_can_have_its_own_entry() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    sandbox.emulator.directory_mut(|directory| {
        let shared = directory.subscriptions.iter_mut().find(|it| it.tenant == FABRIKAM).unwrap();
        shared.managed_by_tenants.push(CONTOSO.to_owned());
    });
    let entries = |args: &[&str]| -> Vec<(String, String)> {
        let run = sandbox.azt([&["login", "--use-device-code"], args].concat()).success();
        let run = run.says("can be accessed from tenants ");
        let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
        let entry = |entry: &Value| (text(entry, "name"), text(entry, "tenantId"));
        run.json().as_array().unwrap().iter().skip(3).map(entry).collect()
    };
    let shared = ("Fabrikam Shared".to_owned(), CONTOSO.to_owned());
    assert_eq!(entries(&[]), std::slice::from_ref(&shared));
    let level = |tenant: &str| ("N/A(tenant level account)".to_owned(), tenant.to_owned());
    let all = [shared, level(FABRIKAM), level(NORTHWIND)];
    assert_eq!(entries(&["--allow-no-subscriptions"]), all);
}

/// Azure Stack with Active Directory Federation Services: no tenants in its paths, no `tid` and no
/// `client_info` in its answers, the name in `upn`.
#[test]
fn adfs_sign_ins_work() {
    let sandbox = Sandbox::without_cloud();
    let url = sandbox.emulator.url().to_owned();
    let stack = ["cloud", "register", "-n", "Stack", "--endpoint-resource-manager", &url];
    let adfs = format!("{url}/adfs/");
    let endpoints =
        ["--endpoint-active-directory", &adfs, "--endpoint-active-directory-resource-id", &url];
    sandbox.azt([&stack[..], &endpoints].concat()).success();
    sandbox.azt(["cloud", "set", "-n", "Stack"]).success();
    let id = json!({"sub": "s-1", "upn": "ann@stack.local", "iss": adfs, "nonce": ""});
    let id = URL_SAFE_NO_PAD.encode(id.to_string());
    let code = json!({
        "device_code": "d", "user_code": "ABC", "verification_uri": adfs, "interval": 1, "expires_in": 900 });
    let token = json!({
        "token_type": "bearer", "access_token": "a.b.c", "refresh_token": "r", "expires_in": 3600,
        "id_token": format!("e30.{id}.") });
    let subscription = json!({"value": [{
        "id": "/subscriptions/50000000-0000-4000-8000-00000000000a",
        "displayName": "Stack", "state": "Enabled", "tenantId": "adfs" }]});
    for (path, body) in [
        ("/adfs/oauth2/devicecode", &code),
        ("/adfs/oauth2/token", &token),
        ("/subscriptions", &subscription),
    ] {
        let answer = answer(body.to_string());
        sandbox.emulator.faults().push(Fault::on(path, answer));
    }
    sandbox.emulator.clear_requests();
    let run = sandbox.azt(["login", "--use-device-code", "--tenant", "adfs"]).success();
    assert_eq!(run.json()[0]["tenantId"], "adfs");
    assert_eq!(run.json()[0]["user"], json!({"name": "ann@stack.local", "type": "user"}));
    let paths: Vec<String> =
        sandbox.emulator.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/adfs/oauth2/devicecode", "/adfs/oauth2/token", "/subscriptions"]);
    let token = ["account", "get-access-token", "--resource", "https://vault.stack.local"];
    assert_eq!(sandbox.azt(token).quiet().text("accessToken"), "a.b.c");
    let form = &sandbox.emulator.requests()[3].form;
    assert_eq!((&*form["grant_type"], &*form["refresh_token"]), ("refresh_token", "r"));
    let exported = sandbox.azt(["cache", "export"]).exits(0).json();
    let account = exported["Account"].as_object().unwrap().values().next().unwrap().clone();
    assert_eq!(account["authority_type"], "ADFS");
    assert_eq!(account["home_account_id"], "s-1", "the subject, as in MSAL");
    assert_eq!(account["local_account_id"], "s-1");
    assert_eq!(account["realm"], "adfs");

    // Without a tenant the resource manager's is used; then an application.
    let tenants = json!({"value": [{"tenantId": CONTOSO}]}).to_string();
    let tenants = answer(tenants);
    sandbox.emulator.faults().push(Fault::on("/tenants", tenants));
    let run = sandbox.azt(["login", "--use-device-code"]).success();
    assert_eq!(run.json()[0]["tenantId"], CONTOSO);
    drop(sandbox.azt(token).quiet());
    sandbox.emulator.clear_requests();
    let application = ["login", "--service-principal", "-u", APP, "-p", APP_SECRET];
    let run = sandbox.azt([&application[..], &["--tenant", "adfs"]].concat()).success();
    assert_eq!(run.json()[0]["tenantId"], "adfs");
    let asked = sandbox.emulator.requests();
    assert_eq!(asked[0].path, "/adfs/oauth2/token");
    assert_eq!(asked[0].form["grant_type"], "client_credentials");

    // ADFS accepts the older assertion of MSAL (x5t, RS256), and az's redirect URI at one port only.
    sandbox.emulator.clear_requests();
    std::fs::write(sandbox.root().join("n.pem"), NIGHTLY_BUILD_CERTIFICATE).unwrap();
    let application = ["login", "--service-principal", "-u", APP, "--certificate", "n.pem"];
    sandbox.azt([&application[..], &["--tenant", "adfs"]].concat()).success();
    let assertion = sandbox.emulator.requests()[0].form["client_assertion"].clone();
    let header = URL_SAFE_NO_PAD.decode(assertion.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["alg"], "RS256");
    assert!(header["x5t"].is_string() && header.get("x5t#S256").is_none(), "{header}");
    let run = sandbox.azt(["login", "--no-browser", "--tenant", "adfs"]).exits(5);
    run.says("redirect_uri=http%3A%2F%2Flocalhost%3A8400&").says("http://localhost:8400/?code=");
}

/// Another terminal changes the vault while the user is in the browser.
#[test]
fn a_sign_in_survives_changes_of_the_vault_meanwhile() {
    for (meanwhile, left) in [(["account", "clear"], 4), (["cache", "rekey"], 0)] {
        let sandbox = Sandbox::new();
        sandbox.login_app().success();
        sandbox.emulator.clear_requests();
        let mut login = sandbox.command(["login", "--use-device-code", "--tenant", FABRIKAM]);
        let login = login.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while !sandbox.requests().iter().any(|request| request == "POST devicecode") {
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(sandbox.azt(meanwhile).success());
        let code = sandbox.emulator.pending_device_codes().pop().unwrap().user_code;
        sandbox.emulator.approve_device_code(&code, ALICE).unwrap();
        drop(Run::from(login.wait_with_output().unwrap()).success());
        drop(sandbox.azt(["account", "get-access-token", "--account", ALICE]).quiet());
        let application = sandbox.azt(["account", "get-access-token", "--account", APP]);
        assert_eq!(application.code, Some(left), "{meanwhile:?}: {application:?}");
    }
}
