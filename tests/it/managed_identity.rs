//! Managed identities, for each kind of host.

use entra_emulator::{Action, Fault};
use serde_json::json;

use crate::support::*;

pub const WORKER: &str = "e1000000-0000-4000-8000-000000000002";
const SECRET: &str = "emulator-identity-header";
pub const IMDS: &str = "/metadata/identity/oauth2/token";
pub const TOKEN: [&str; 2] = ["account", "get-access-token"];

/// A machine with these variables; `{}` stands for the URL of the endpoints.
pub fn host(variables: &[(&str, &str)]) -> Sandbox {
    let mut sandbox = Sandbox::new();
    let url = sandbox.emulator.http_url().to_owned();
    for (name, value) in variables {
        sandbox.set(name, &value.replace("{}", &url));
    }
    sandbox
}

pub fn virtual_machine() -> Sandbox {
    host(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", "{}")])
}

fn app_service(header: &str) -> Sandbox {
    host(&[("IDENTITY_ENDPOINT", "{}/msi/token"), ("IDENTITY_HEADER", header)])
}

fn arc() -> Sandbox {
    host(&[("IDENTITY_ENDPOINT", &format!("{{}}/arc{IMDS}")), ("IMDS_ENDPOINT", "{}")])
}

/// The path and query of every request.
pub fn paths(sandbox: &Sandbox) -> Vec<String> {
    sandbox.emulator.requests().into_iter().map(|request| request.path).collect()
}

pub fn fault(sandbox: &Sandbox, path: &str, status: u16, body: &str, times: u32) {
    let action = Action::Answer { status, headers: Default::default(), body: body.to_owned() };
    sandbox.emulator.faults().push(Fault::on(path, action).times(times));
}

#[test]
fn each_host_gives_a_token_that_is_cached() {
    for (sandbox, path) in [
        (virtual_machine(), IMDS),
        (app_service(SECRET), "/msi/token"),
        (
            host(&[("MSI_ENDPOINT", "{}/machinelearning/token"), ("MSI_SECRET", SECRET)]),
            "/machinelearning/token",
        ),
    ] {
        let listed = sandbox.azt(["login", "--identity"]).success().json();
        assert_eq!(listed[0]["name"], "Contoso Production");
        assert_eq!(listed[0]["environmentName"], "Emulator");
        assert!(listed[0].get("cloudName").is_none(), "{listed}");
        assert_eq!(listed[0]["tenantId"], CONTOSO);
        assert_eq!(
            listed[0]["user"],
            json!({
                "name": "systemAssignedIdentity",
                "type": "servicePrincipal",
                "assignedIdentityInfo": "MSI",
            })
        );
        assert_eq!(paths(&sandbox), [path, "/subscriptions"], "one token serves the listing too");
        sandbox.emulator.clear_requests();
        let token = sandbox.azt(TOKEN).quiet();
        assert_eq!(token.text("tenant"), CONTOSO);
        assert_eq!(sandbox.azt(TOKEN).quiet().text("accessToken"), token.text("accessToken"));
        assert_eq!(paths(&sandbox), [""; 0]);
        // Another resource's token is cached too.
        let vault = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
        let first = sandbox.azt(vault).quiet().text("accessToken");
        assert_eq!(sandbox.azt(vault).quiet().text("accessToken"), first);
        assert_eq!(paths(&sandbox), [path]);
    }
}

#[test]
fn user_assigned_identities_are_named_by_any_of_their_ids() {
    let sandbox = virtual_machine();
    let resource = sandbox.emulator.directory().managed_identities[1].resource_id.clone();
    for (option, id, info) in [
        ("--client-id", WORKER, "MSIClient"),
        ("--object-id", "e2000000-0000-4000-8000-000000000002", "MSIObject"),
        ("--resource-id", &resource, "MSIResource"),
    ] {
        let run = sandbox.azt(["login", "-i", option, id, "--allow-no-subscriptions"]).success();
        let user = &run.json()[0]["user"];
        assert_eq!(user["name"], "userAssignedIdentity");
        assert_eq!(user["assignedIdentityInfo"], format!("{info}-{id}"));
        let vault = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
        let token = sandbox.azt(vault).quiet().text("accessToken");
        let claims = azt_claims(&token);
        assert_eq!(claims["oid"], "e2000000-0000-4000-8000-000000000002", "{option}");
    }
    let nobody = sandbox.azt(["login", "-i", "--client-id", "nobody"]);
    drop(nobody.exits(6).says("Identity not found").says("assigned to this host"));
    // As az: with Entra's lines where the host's answer has them.
    let nobody = ["login", "-i", "--client-id", "nobody"];
    drop(sandbox.az(nobody).exits(1).says("Identity not found").says("az logout\naz login\n"));
    fault(&sandbox, IMDS, 400, r#"{"message": "Not here."}"#, 1);
    let run = sandbox.az(["login", "-i"]).exits(1).says("ERROR: Not here.");
    assert!(!run.stderr.contains("az logout"), "{run:?}");
}

#[test]
fn only_the_first_scope_and_the_hosts_tenant_are_supported() {
    let sandbox = virtual_machine();
    drop(sandbox.azt(["login", "--identity"]).success());
    let scopes = ["https://vault.azure.net/.default", "https://graph.microsoft.com/.default"];
    let token = sandbox.azt([&TOKEN[..], &["--scope"], &scopes[..]].concat()).quiet();
    assert_eq!(azt_claims(&token.text("accessToken"))["aud"], "https://vault.azure.net");
    drop(sandbox.azt([&TOKEN[..], &["--tenant", CONTOSO]].concat()).quiet());
    let other = sandbox.azt([&TOKEN[..], &["--tenant", FABRIKAM]].concat());
    drop(other.exits(1).says(&format!("ERROR: For managed identity account, getting access token for non-current tenants is not supported. The specified tenant must be the current tenant {CONTOSO}\n")));
}

#[test]
fn transient_errors_of_a_virtual_machine_are_retried() {
    let sandbox = virtual_machine();
    fault(&sandbox, IMDS, 404, "", 1);
    fault(&sandbox, IMDS, 503, "", 1);
    drop(sandbox.azt(["login", "--identity"]).success());
    assert_eq!(paths(&sandbox), [IMDS, IMDS, IMDS, "/subscriptions"]);
    // Permanent errors are not.
    sandbox.emulator.clear_requests();
    fault(&sandbox, IMDS, 400, r#"{"error":"invalid_resource","error_description":"No."}"#, 1);
    drop(sandbox.azt(["login", "--identity"]).exits(6).says("ERROR: No.\n"));
    assert_eq!(paths(&sandbox), [IMDS]);
}

#[test]
fn a_machine_without_an_identity_is_reported() {
    let sandbox = host(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")]);
    let run = sandbox.azt(["login", "--identity"]);
    drop(run.exits(7).says("ERROR: There is no managed identity endpoint here."));
    drop(sandbox.azt(TOKEN).exits(4));
}

#[test]
fn a_hosts_endpoint_bypasses_the_proxy() {
    let mut sandbox = virtual_machine();
    sandbox.set("HTTP_PROXY", "http://127.0.0.1:1");
    drop(sandbox.azt(["login", "--identity"]).success());
}

#[test]
fn a_wrong_identity_header_is_refused() {
    let sandbox = app_service("guess");
    drop(sandbox.azt(["login", "--identity"]).exits(6).says("x-identity-header"));
    let sandbox = app_service(SECRET);
    let body = r#"{"statusCode":400,"message":"No identity is configured."}"#;
    fault(&sandbox, "/msi/token", 400, body, 1);
    drop(sandbox.azt(["login", "-i"]).exits(6).says("ERROR: No identity is configured.\n"));
}

#[test]
fn service_fabric_is_trusted_by_its_thumbprint() {
    let mut sandbox = Sandbox::new();
    let endpoint = format!("{}/servicefabric/token", sandbox.emulator.url());
    sandbox.set("IDENTITY_ENDPOINT", &endpoint);
    sandbox.set("IDENTITY_HEADER", SECRET);
    let thumbprint = sandbox.emulator.certificate_thumbprint().to_uppercase();
    sandbox.set("IDENTITY_SERVER_THUMBPRINT", &thumbprint);
    // No authority signs that certificate: the thumbprint alone counts.
    sandbox.azt(["login", "--identity"]).success();
    let asked = &sandbox.emulator.requests()[0];
    assert_eq!(asked.query["api-version"], "2019-07-01-preview");
    drop(sandbox.azt(TOKEN).quiet());

    sandbox.emulator.clear_requests();
    sandbox.set("IDENTITY_SERVER_THUMBPRINT", &thumbprint.replace(['0', '1'], "2"));
    let run = sandbox.azt(["login", "--identity"]).exits(7);
    drop(run.says("ERROR: localhost does not have the certificate that"));
    assert_eq!(paths(&sandbox), [""; 0]);

    let mut sandbox = app_service(SECRET);
    sandbox.set("IDENTITY_SERVER_THUMBPRINT", &thumbprint);
    drop(sandbox.azt(["login", "--identity"]).exits(7).says("IDENTITY_ENDPOINT does not use TLS"));
    assert_eq!(paths(&sandbox), [""; 0]);
}

#[test]
fn invalid_answers_are_refused() {
    let sandbox = app_service(SECRET);
    for body in [
        "<html>",
        "{}",
        r#"{"access_token":"opaque","expires_on":"1"}"#,
        r#"{"access_token":"opaque","expires_in":"3600"}"#,
    ] {
        fault(&sandbox, "/msi/token", 200, body, 1);
        let code = if body.starts_with('<') { 7 } else { 8 };
        drop(sandbox.azt(["login", "--identity"]).exits(code));
    }
}

#[test]
fn a_key_file_outside_the_arc_agents_folder_is_not_read() {
    let sandbox = arc();
    let run = sandbox.azt(["login", "--identity"]).exits(6).says("It was not read.");
    let run = run.says("/var/opt/azcmagent/tokens");
    assert!(!run.stderr.contains("assigned to this host"), "it has a cure of its own: {run:?}");
    assert_eq!(paths(&sandbox), [format!("/arc{IMDS}")], "nothing was presented");
}

/// In a mount namespace whose agent folder is the sandbox's.
#[cfg(target_os = "linux")]
#[test]
fn an_arc_machine_authenticates_with_the_agents_key() {
    let sandbox = arc();
    let folder = sandbox.root().join("arc/azcmagent/tokens");
    std::fs::create_dir_all(&folder).unwrap();
    let key = folder.join("one.key");
    sandbox.emulator.settings_mut(|settings| settings.arc_key_file = Some(key));
    let azt = |args: &[&str]| {
        // The emulator is outside the namespace: it writes the key and names its own path of it.
        let challenge =
            format!("{}/arc{IMDS}?api-version=1&resource=x", sandbox.emulator.http_url());
        let made = std::process::Command::new("curl")
            .args(["-s", "-H", "Metadata: true", &challenge])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let named = "Basic realm=/var/opt/azcmagent/tokens/one.key".to_owned();
        let headers = [("WWW-Authenticate".to_owned(), named)].into();
        let action = Action::Answer { status: 401, headers, body: String::new() };
        sandbox.emulator.faults().push(Fault::on(&format!("/arc{IMDS}"), action).times(1));
        sandbox.emulator.clear_requests();
        let script = r#"mount --bind "$0" /var/opt && exec "$@""#;
        let mut command = std::process::Command::new("unshare");
        command.args(["-rm", "sh", "-c", script]).arg(sandbox.root().join("arc"));
        command.arg(env!("CARGO_BIN_EXE_azt")).args(args).env_clear().envs(sandbox.env());
        Run::of(&mut command)
    };
    let listed = azt(&["login", "--identity"]).success().json();
    assert_eq!(listed[0]["user"]["assignedIdentityInfo"], "MSI");
    let arc = format!("/arc{IMDS}");
    assert_eq!(paths(&sandbox), [&*arc, &*arc, "/subscriptions"]);
    let worker = azt(&["login", "--identity", "--client-id", WORKER, "--allow-no-subscriptions"]);
    let info = &worker.success().json()[0]["user"]["assignedIdentityInfo"];
    assert_eq!(*info, format!("MSIClient-{WORKER}"));
}

#[test]
fn cloud_shell_gives_the_users_token() {
    let mut sandbox = host(&[("ACC_CLOUD", "PROD"), ("MSI_ENDPOINT", "{}/oauth2/token")]);
    let listed = sandbox.azt(["login", "--identity"]).success().json();
    assert_eq!(listed[0]["user"], json!({"name": ALICE, "type": "user", "cloudShellID": true}));
    sandbox.emulator.clear_requests();
    drop(sandbox.azt(TOKEN).quiet());
    assert_eq!(paths(&sandbox), [""; 0]);
    let offline = sandbox.azt(["doctor", "--offline"]).quiet();
    assert!(offline.stdout.contains(&format!("{ALICE}: this host's identity")), "{offline:?}");
    let tried = sandbox.azt(["doctor"]).quiet();
    assert!(tried.stdout.contains(&format!("{ALICE}: gets tokens")), "{tried:?}");
    let other = sandbox.azt([&TOKEN[..], &["--tenant", FABRIKAM]].concat());
    drop(other.exits(1).says("ERROR: For Cloud Shell account, getting access token"));
    sandbox.set("MSI_ENDPOINT", "http://127.0.0.1:1");
    let vault = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
    drop(sandbox.azt(vault).exits(7));
    // On another machine the entry is a user's who has not signed in.
    sandbox.unset("ACC_CLOUD");
    drop(sandbox.azt(vault).exits(4));
}

#[test]
fn an_interactive_sign_in_in_cloud_shell_is_a_users() {
    let sandbox = host(&[("ACC_CLOUD", "PROD"), ("MSI_ENDPOINT", "{}/oauth2/token")]);
    sandbox.approve_as(ALICE);
    sandbox.azt(["login", "--use-device-code"]).success();
    sandbox.emulator.clear_requests();
    let vault = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
    drop(sandbox.azt(vault).quiet());
    let form = &sandbox.emulator.requests()[0].form;
    assert_eq!(form["grant_type"], "refresh_token");
}

#[test]
fn an_identity_without_subscriptions_needs_allow_no_subscriptions() {
    let sandbox = virtual_machine();
    sandbox.emulator.directory_mut(|directory| directory.subscriptions.clear());
    drop(sandbox.azt(["login", "--identity"]).exits(1).says("ERROR: No access was configured for the managed identity, hence no subscriptions were found. If this is expected, use '--allow-no-subscriptions' to have tenant level access.\n"));
    drop(sandbox.azt(TOKEN).exits(4));
    let listed = sandbox.azt(["login", "-i", "--allow-no-subscriptions"]).success().json();
    assert_eq!(listed[0]["id"], CONTOSO);
    assert_eq!(listed[0]["name"], "N/A(tenant level account)");
}

#[test]
fn inapplicable_options_are_refused_with_azs_text() {
    let sandbox = virtual_machine();
    let not_applicable = "usage error: '--identity' is not applicable with other arguments";
    for (options, text) in [
        (&["--tenant", CONTOSO][..], not_applicable),
        (&["--password", "x"], not_applicable),
        (&["--service-principal"], not_applicable),
        (
            &["--username", WORKER],
            "Passing the managed identity ID with --username is no longer supported. Use --client-id, --object-id or --resource-id instead.",
        ),
        (
            &["--use-device-code"],
            "usage error: '--use-device-code' is not applicable with other arguments",
        ),
        (
            &["--client-id", WORKER, "--object-id", WORKER],
            "Usage error: Provide only one of --client-id, --object-id, --resource-id.",
        ),
    ] {
        let run = sandbox.az([&["login", "--identity"], options].concat());
        assert_eq!(run.exits(1).stderr, format!("ERROR: {text}\n"));
    }
    assert_eq!(paths(&sandbox), [""; 0]);
}

/// App Service's error form.
#[test]
fn the_status_tells_a_refusal_from_a_service_error() {
    let sandbox = app_service(SECRET);
    for (status, exit) in [(400, 6), (404, 6), (499, 6), (429, 8), (500, 8), (503, 8)] {
        sandbox.emulator.faults().clear();
        fault(&sandbox, "/msi/token", status, r#"{"message": "Not now."}"#, 9);
        drop(sandbox.azt(["login", "--identity"]).exits(exit).says("ERROR: Not now."));
    }
}

/// A required pause beyond the caller's nine seconds is an error at once, not a timeout.
#[test]
fn a_retry_after_beyond_the_deadline_is_not_waited_for() {
    let sandbox = virtual_machine();
    drop(sandbox.azt(["login", "--identity"]).success());
    let cold = [&TOKEN[..], &["--resource", "https://vault.azure.net"]].concat();
    let busy = Action::Answer {
        status: 429,
        headers: [("Retry-After".to_owned(), "9".to_owned())].into(),
        body: r#"{"error":"too_many_requests","error_description":"Slow down."}"#.to_owned(),
    };
    let gone = Action::Answer { status: 410, headers: Default::default(), body: String::new() };
    for (action, says) in [(busy, "ERROR: Slow down."), (gone, "answered HTTP 410")] {
        sandbox.emulator.faults().clear();
        sandbox.emulator.clear_requests();
        sandbox.emulator.faults().push(Fault::on(IMDS, action));
        drop(sandbox.azt(&cold).exits(8).says(says));
        assert_eq!(paths(&sandbox).len(), 1, "{says}");
    }
}

#[test]
fn retries_of_a_failing_metadata_service_end() {
    let sandbox = virtual_machine();
    fault(&sandbox, IMDS, 503, r#"{"error":"server_error","error_description":"No."}"#, 99);
    drop(sandbox.azt(["login", "--identity"]).exits(8).says("ERROR: No."));
    assert_eq!(paths(&sandbox).len(), 5, "half a second, one, two and four later");
}

fn azt_claims(token: &str) -> serde_json::Value {
    use base64::Engine;
    let payload = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}
