//! Files of other programs are read in the encodings of Windows, and with unexpected JSON types.

use serde_json::{Value, json};

use crate::support::*;

const WORKFLOW: &str = "a1000000-0000-4000-8000-000000000003";
const GRAPH: [&str; 4] =
    ["account", "get-access-token", "--resource", "https://graph.microsoft.com"];

/// `text` in the encodings that Notepad and PowerShell write.
fn encodings(text: &str) -> Vec<Vec<u8>> {
    let utf16 = |text: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    };
    let marked = format!("\u{feff}{text}");
    vec![
        text.as_bytes().to_vec(),
        marked.clone().into_bytes(),
        utf16(&marked, u16::to_le_bytes),
        utf16(&marked, u16::to_be_bytes),
        utf16(text, u16::to_le_bytes),
    ]
}

#[test]
fn a_federated_token_is_read_in_every_encoding() {
    let mut sandbox = Sandbox::new();
    let (issuer, subject) = {
        let directory = sandbox.emulator.directory();
        let app = directory.applications.iter().find(|it| it.client_id == WORKFLOW).unwrap();
        let trust = &app.federated_credentials[0];
        (trust.issuer.clone(), trust.subject.clone())
    };
    let token = sandbox.emulator.assertion(&issuer, &subject);
    let file = sandbox.root().join("token");
    let path = file.to_str().unwrap().to_owned();
    let login = ["login", "--service-principal", "-u", WORKFLOW, "-t", CONTOSO];
    let login = [&login[..], &["--allow-no-subscriptions"]].concat();
    for bytes in encodings(&format!("{token}\r\n")) {
        std::fs::write(&file, &bytes).unwrap();
        let by_file = [&login[..], &["--federated-token-file", &path]].concat();
        sandbox.azt(by_file).success();
        // Each refresh reads it again.
        sandbox.azt([&GRAPH[..], &["--account", WORKFLOW]].concat()).success();
        let command = format!("cat '{path}'");
        sandbox.azt([&login[..], &["--federated-token-command", &command]].concat()).success();
        sandbox.azt([&login[..], &["--federated-token", &format!("@{path}")]].concat()).success();
        sandbox.azt(["account", "clear"]).success();
        sandbox.set("AZURE_FEDERATED_TOKEN_FILE", &path);
        sandbox.set("AZURE_CLIENT_ID", WORKFLOW);
        sandbox.set("AZURE_TENANT_ID", CONTOSO);
        sandbox.azt([&GRAPH[..], &["--identity-from-env"]].concat()).success();
        for name in ["AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"] {
            sandbox.unset(name);
        }
    }
    for bytes in [&b"\xff\xfe\x00\xd8"[..], b"", b"\xef\xbb\xbf", b"abc", b"\xff\xfe"] {
        std::fs::write(&file, bytes).unwrap();
        let run = sandbox.azt([&login[..], &["--federated-token-file", &path]].concat()).exits(1);
        drop(run.says("is not an assertion (a JWT)"));
    }
}

#[test]
fn settings_are_read_in_every_encoding() {
    let sandbox = Sandbox::signed_in_as_app();
    for name in ["azureProfile.json", "config", "clouds.config"] {
        let before = sandbox.read(name);
        for bytes in encodings(before.trim_start_matches('\u{feff}')) {
            sandbox.write(name, &bytes);
            let run = sandbox.azt(["account", "show"]);
            assert_eq!(run.code, Some(0), "{name}: {bytes:?}: {run:?}");
            assert_eq!(run.json()["environmentName"], "Emulator", "{name}");
            // They are written as az reads them.
            sandbox.azt(["config", "set", "defaults.test=1"]).success();
            sandbox.azt(["account", "set", "-s", &run.text("id")]).success();
        }
        sandbox.write(name, &before);
    }
}

#[test]
fn a_profile_with_unexpected_types_is_read() {
    let sandbox = Sandbox::signed_in_as_app();
    let text = sandbox.read("azureProfile.json");
    let profile: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
    for members in [
        json!({"name": 42}),
        json!({"isDefault": 1}),
        json!({"isDefault": "true"}),
        json!({"name": null, "state": null, "homeTenantId": 7}),
        json!({"tenantDefaultDomain": {}, "managedByTenants": null}),
        json!({"user": {"name": APP, "type": "servicePrincipal", "useCertSNIssuerAuth": "0"}}),
    ] {
        let mut odd = profile.clone();
        let entries = odd["subscriptions"].as_array_mut().unwrap();
        entries.retain(|it| it["isDefault"] == json!(true));
        entries[0].as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        entries.insert(0, Value::Null);
        entries.push(Value::Null);
        sandbox.write("azureProfile.json", odd.to_string());
        let run = sandbox.azt(["account", "show"]);
        assert_eq!(run.code, Some(0), "{members}: {run:?}");
        let shown = run.json();
        for (name, value) in members.as_object().unwrap() {
            assert_eq!(&shown[name], value, "it is shown as it stands");
        }
        sandbox.azt(GRAPH).success();
        if members["name"] == json!(42) {
            sandbox.azt([&GRAPH[..], &["-s", "42"]].concat()).success();
            sandbox.azt(["account", "set", "-s", "42"]).success();
        }
    }
}
