//! The real azure-cli signs in to the emulator. It is in the Python environment `AZT_TEST_VENV`, or
//! else `venv` in cargo's target folder; `pip install azure-cli==2.91.0` installs it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use entra_emulator::EntraEmulator;
use entra_emulator::directory::NIGHTLY_BUILD_CERTIFICATE;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};
use support::*;

/// az with its own configuration, in the cloud of an emulator.
struct Az {
    emulator: EntraEmulator,
    folder: PathBuf,
    variables: Vec<(&'static str, String)>,
}

impl Az {
    fn new(name: &str, emulator: EntraEmulator) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("real-az-{name}"));
        // An earlier run may have left it.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let ca = folder.join("ca.pem");
        emulator.write_ca(&ca).unwrap();
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let az = Self {
            variables: vec![
                ("REQUESTS_CA_BUNDLE", text(ca)),
                ("AZURE_CONFIG_DIR", text(folder.join("config"))),
                ("AZURE_CORE_COLLECT_TELEMETRY", "false".into()),
            ],
            folder,
            emulator,
        };
        az.ok(&["config", "set", "core.instance_discovery=false"]);
        let register = ["cloud", "register", "--name", "Emulator"];
        let endpoint = ["--endpoint-resource-manager", az.emulator.url()];
        az.ok(&[register.as_slice(), &endpoint].concat());
        az.ok(&["cloud", "set", "--name", "Emulator"]);
        az
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let environment = venv();
        let az = environment.join(if cfg!(windows) { "Scripts/az.bat" } else { "bin/az" });
        assert!(
            az.exists(),
            "There is no az at {}: make a Python environment there with azure-cli==2.91.0, or set AZT_TEST_VENV.",
            az.display()
        );
        let mut command = Command::new(az);
        for name in
            ["IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT", "HTTPS_PROXY", "https_proxy"]
        {
            command.env_remove(name);
        }
        command.args(arguments).envs(self.variables.iter().cloned()).output().unwrap()
    }

    /// Runs az; returns its output as JSON, or null without output.
    #[track_caller]
    fn ok(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "az {arguments:?}: {error}");
        if output.stdout.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs az, which must fail; returns its standard error.
    #[track_caller]
    fn fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "az {arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

fn venv() -> PathBuf {
    std::env::var_os("AZT_TEST_VENV")
        .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../venv"), PathBuf::from)
}

fn any_port() -> EntraEmulator {
    EntraEmulator::builder().start().unwrap()
}

fn names(accounts: &Value) -> Vec<&str> {
    let accounts = accounts.as_array().unwrap().iter();
    accounts.map(|account| account["name"].as_str().unwrap()).collect()
}

#[test]
fn a_user_signs_in_by_device_code_and_gets_tokens_for_every_tenant() {
    let az = Az::new("device-code", any_port());
    az.emulator.settings_mut(|settings| {
        settings.auto_approve = Some(ALICE.into());
        settings.device_code_interval = 0;
    });
    let accounts = az.ok(&["login", "--use-device-code"]);
    assert_eq!(
        names(&accounts),
        [
            "Contoso Production",
            "Contoso Development and Test",
            "Contoso Old Experiments",
            "Fabrikam Shared"
        ]
    );
    assert_eq!(accounts[3]["tenantDisplayName"], "Fabrikam");
    assert_eq!(accounts[0]["user"]["name"], ALICE);

    let token = az.ok(&["account", "get-access-token"]);
    assert_eq!(token["tenant"], CONTOSO);
    let there = claims(&token["accessToken"]);
    assert_eq!(there["aud"], format!("{}/", az.emulator.url()));
    assert_eq!(there["xms_cc"][0], "CP1");
    let fabrikam = az.ok(&["account", "get-access-token", "--tenant", FABRIKAM]);
    assert_eq!(claims(&fabrikam["accessToken"])["tid"], FABRIKAM);
    let graph = az.ok(&["account", "get-access-token", "--resource-type", "ms-graph"]);
    assert_eq!(claims(&graph["accessToken"])["aud"], "https://graph.microsoft.com/");

    let locations = az.ok(&["account", "list-locations"]);
    assert_eq!(locations[0]["name"], "westeurope");

    // ARM challenges the cached token, so az gets a new one. (Not all of its commands do so:
    // list-locations of 2.91 fails.)
    az.emulator.challenge_access_tokens();
    az.emulator.clear_requests();
    az.ok(&["account", "list", "--refresh"]);
    let statuses: Vec<_> = az
        .emulator
        .requests()
        .iter()
        .filter(|request| request.path == "/tenants")
        .map(|request| request.status)
        .collect();
    assert_eq!(statuses, [Some(401), Some(200)]);

    // The sessions end, so az asks for a new sign-in.
    az.emulator.revoke(ALICE);
    let storage = ["account", "get-access-token", "--resource", "https://storage.azure.com"];
    assert!(az.fails(&storage).contains("AADSTS50173"));

    az.ok(&["logout"]);
    assert!(az.fails(&["account", "get-access-token"]).contains("az login"));
}

#[test]
fn service_principals_sign_in_with_secret_certificate_and_assertion() {
    let az = Az::new("service-principal", any_port());
    let login = ["login", "--service-principal", "--tenant", CONTOSO, "-u"];
    let wrong = [login.as_slice(), &[DEPLOYMENT, "-p", "wrong"]].concat();
    assert!(az.fails(&wrong).contains("AADSTS7000215"));

    let accounts = az.ok(&[login.as_slice(), &[DEPLOYMENT, "-p", "deployment-secret-1"]].concat());
    assert_eq!(names(&accounts), ["Contoso Production", "Contoso Development and Test"]);
    let token = az.ok(&["account", "get-access-token"]);
    assert_eq!(claims(&token["accessToken"])["appid"], DEPLOYMENT);

    let file = az.folder.join("certificate.pem");
    std::fs::write(&file, NIGHTLY_BUILD_CERTIFICATE).unwrap();
    let certificate = [NIGHTLY, "--certificate", file.to_str().unwrap()];
    let accounts = az.ok(&[login.as_slice(), &certificate].concat());
    assert_eq!(accounts[0]["user"]["name"], NIGHTLY);

    let assertion = az.emulator.assertion(
        "https://token.actions.githubusercontent.com",
        "repo:contoso/app:ref:refs/heads/main",
    );
    let federated = [WORKFLOW, "--federated-token", &assertion];
    let accounts = az.ok(&[login.as_slice(), &federated].concat());
    assert_eq!(accounts[0]["user"]["name"], WORKFLOW);
}

#[test]
fn a_password_signs_in_on_port_443() {
    // MSAL for Python requests the user's realm at the host without its port.
    let emulator = EntraEmulator::builder().port(443).start();
    let emulator = emulator.unwrap_or_else(|error| {
        panic!("This test needs port 443 (as root, or with net.ipv4.ip_unprivileged_port_start=443): {error}")
    });
    let az = Az::new("password", emulator);
    let login = ["login", "-u", ALICE, "-p"];
    let accounts = az.ok(&[login.as_slice(), &["Alice-password-1"]].concat());
    assert_eq!(accounts[0]["name"], "Contoso Production");
    let error = az.fails(&[login.as_slice(), &["guess"]].concat());
    assert!(error.contains("AADSTS50126"), "{error}");
}

#[test]
fn managed_identities_of_several_hosts_sign_in() {
    let mut az = Az::new("managed-identity", any_port());
    let host = az.emulator.http_url().to_owned();
    let common = az.variables.clone();
    for variables in [
        vec![("AZURE_POD_IDENTITY_AUTHORITY_HOST", host.clone())],
        vec![
            ("IDENTITY_ENDPOINT", format!("{host}/msi/token")),
            ("IDENTITY_HEADER", "emulator-identity-header".into()),
        ],
        vec![
            ("MSI_ENDPOINT", format!("{host}/machinelearning/token")),
            ("MSI_SECRET", "emulator-identity-header".into()),
        ],
    ] {
        az.variables = [common.clone(), variables.clone()].concat();
        let accounts = az.ok(&["login", "--identity"]);
        assert_eq!(names(&accounts), ["Contoso Production"], "{variables:?}");
        assert_eq!(accounts[0]["user"]["name"], "systemAssignedIdentity");
    }
    az.variables = common;
    az.variables.push(("AZURE_POD_IDENTITY_AUTHORITY_HOST", host));
    let worker = "e1000000-0000-4000-8000-000000000002";
    let accounts = az.ok(&["login", "--identity", "--client-id", worker]);
    assert_eq!(accounts[0]["user"]["name"], "userAssignedIdentity");
}

#[test]
fn azure_identity_and_msal_sign_in() {
    let python = venv().join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    assert!(
        python.exists(),
        "There is no Python at {}: make an environment there with azure-identity==1.27.0, or set AZT_TEST_VENV.",
        python.display()
    );
    let emulator = any_port();
    emulator.settings_mut(|settings| {
        settings.auto_approve = Some(ALICE.into());
        settings.device_code_interval = 0;
    });
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("real-azure-identity");
    std::fs::create_dir_all(&folder).unwrap();
    let (ca, certificate) = (folder.join("ca.pem"), folder.join("certificate.pem"));
    emulator.write_ca(&ca).unwrap();
    std::fs::write(&certificate, NIGHTLY_BUILD_CERTIFICATE).unwrap();
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/azure_identity.py");
    let output = Command::new(python)
        .arg(script)
        .args([emulator.url(), emulator.http_url()])
        .arg(certificate)
        .env("REQUESTS_CA_BUNDLE", ca)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{error}");
    assert_eq!(text.lines().last(), Some("9 credentials work"), "{error}");
}
