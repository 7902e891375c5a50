//! Answers of services are read as loosely as Microsoft's own clients read them.

use std::collections::BTreeMap;

use entra_emulator::{Action, Encoding, Fault, Numbers};
use serde_json::{Value, json};

use crate::support::*;

const TOKEN: [&str; 2] = ["account", "get-access-token"];
const WORKFLOW: &str = "a1000000-0000-4000-8000-000000000003";
const GRAPH: &str = "https://graph.microsoft.com";

fn answer(sandbox: &Sandbox, path: &str, status: u16, kind: &str, body: &str) {
    let headers = BTreeMap::from([("Content-Type".to_owned(), kind.to_owned())]);
    let action = Action::Answer { status, headers, body: body.to_owned() };
    let faults = sandbox.emulator.faults();
    faults.clear();
    faults.push(Fault::on(path, action));
}

fn json_answer(sandbox: &Sandbox, path: &str, status: u16, body: &Value) {
    answer(sandbox, path, status, "application/json", &body.to_string());
}

fn rewrite(status: Option<u16>, encoding: Option<Encoding>, numbers: Option<Numbers>) -> Fault {
    Fault::on("", Action::Rewrite { status, encoding, numbers })
}

/// Uses every kind of answer: a cloud's metadata, a tenant's, a code, tokens, lists, a
/// managed identity, a pipeline's assertion.
fn the_whole_day(fault: &Fault) {
    let mut sandbox = Sandbox::without_cloud();
    sandbox.emulator.faults().push(fault.clone());
    let url = format!("{}/", sandbox.emulator.url());
    let register = ["cloud", "register", "-n", "Emulator", "--endpoint-resource-manager", &url];
    sandbox.azt(register).success();
    sandbox.azt(["cloud", "set", "-n", "Emulator"]).success();
    sandbox.approve_as(ALICE);
    let run = sandbox.azt(["login", "--use-device-code"]).success();
    assert!(run.json().as_array().unwrap().len() > 1, "{fault:?}: {run:?}");
    assert!(!run.stderr.contains("skipped"), "{fault:?}: {run:?}");
    sandbox.azt(["login", "--use-device-code", "-t", "contoso.example"]).success();
    sandbox.azt([&TOKEN[..], &["--resource", GRAPH]].concat()).quiet();
    sandbox.azt(["account", "list", "--refresh"]).success();
    let locations = sandbox.azt(["account", "list-locations"]).success().json();
    assert_eq!(locations[0]["displayName"], "West Europe", "{fault:?}");
    let tenants = sandbox.azt(["account", "tenant", "list"]).success().json();
    assert!(tenants[0]["tenantId"].is_string(), "{fault:?}");

    let github = format!("{}/pipeline/github?api-version=2.0", sandbox.emulator.url());
    sandbox.set("ACTIONS_ID_TOKEN_REQUEST_URL", &github);
    sandbox.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "emulator-job-token");
    let workflow = ["login", "--service-principal", "-u", WORKFLOW, "-t", CONTOSO];
    let options = ["--federated-token-from", "github-actions", "--allow-no-subscriptions"];
    sandbox.azt([&workflow[..], &options].concat()).success();

    let endpoint = format!("{}/msi/token", sandbox.emulator.http_url());
    sandbox.set("IDENTITY_ENDPOINT", &endpoint);
    sandbox.set("IDENTITY_HEADER", "emulator-identity-header");
    let run = sandbox.azt(["login", "--identity", "--allow-no-subscriptions"]).success();
    assert_eq!(run.json()[0]["user"]["type"], "servicePrincipal", "{fault:?}");
}

#[test]
fn answers_are_read_in_every_encoding() {
    for encoding in [
        Encoding::Utf8Bom,
        Encoding::Utf16Le,
        Encoding::Utf16LeBom,
        Encoding::Utf16Be,
        Encoding::Utf16BeBom,
        Encoding::Latin1,
    ] {
        the_whole_day(&rewrite(None, Some(encoding), None));
    }
}

#[test]
fn numbers_may_be_text_or_floats_and_any_2xx_is_success() {
    the_whole_day(&rewrite(Some(201), None, Some(Numbers::Text)));
    the_whole_day(&rewrite(Some(203), Some(Encoding::Utf8Bom), Some(Numbers::Float)));
}

/// The hosts whose managed identities need no key file or certificate.
#[test]
fn each_hosts_answers_and_errors_are_read() {
    for (variables, path) in [
        (&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", "")][..], "/metadata/identity"),
        (&[("IDENTITY_ENDPOINT", "/msi/token"), ("IDENTITY_HEADER", "-")], "/msi/token"),
        (&[("MSI_ENDPOINT", "/machinelearning/token"), ("MSI_SECRET", "-")], "/machinelearning"),
    ] {
        let mut sandbox = Sandbox::new();
        for (name, value) in variables {
            let value = match *value {
                "-" => "emulator-identity-header".to_owned(),
                path => format!("{}{path}", sandbox.emulator.http_url()),
            };
            sandbox.set(name, &value);
        }
        let login = ["login", "--identity", "--allow-no-subscriptions"];
        for fault in [
            rewrite(Some(201), Some(Encoding::Utf16Le), Some(Numbers::Text)),
            rewrite(None, Some(Encoding::Utf8Bom), Some(Numbers::Float)),
        ] {
            sandbox.emulator.faults().clear();
            sandbox.emulator.faults().push(fault);
            sandbox.azt(login).success();
        }
        // A date instead of a timestamp, as the first App Service sent, and only required members.
        let end = azt::internals::sys::Clock::System.now() + 7200;
        let end = chrono::DateTime::from_timestamp(end, 0).unwrap();
        let end = end.format("%m/%d/%Y %I:%M:%S %p +00:00").to_string();
        let body = json!({"access_token": "a.b.c", "expires_on": end, "expires_in": null,
            "token_type": null, "resource": 7, "not_before": {}});
        json_answer(&sandbox, path, 200, &body);
        let token = [TOKEN[0], TOKEN[1], "--resource", "https://other.example"];
        let run = sandbox.azt(token).success();
        let left =
            run.json()["expires_on"].as_i64().unwrap() - azt::internals::sys::Clock::System.now();
        assert!((7000..=7200).contains(&left), "{path}: {left}");
        for (status, body) in [
            (400, json!({"error": "invalid_request", "error_description": "Because."})),
            (400, json!({"statusCode": 400, "message": "Because.", "correlationId": null})),
            (403, json!({"error": {"code": "X", "message": "Because."}})),
            (400, json!({"Code": "X", "Message": "Because."})),
            (200, json!({"error": "invalid_request", "error_description": "Because."})),
            (400, json!("Because.")),
        ] {
            json_answer(&sandbox, path, status, &body);
            let other = [TOKEN[0], TOKEN[1], "--resource", "https://third.example"];
            drop(sandbox.azt(other).exits(6).says("ERROR: Because.\n"));
        }
        for (kind, body) in [("text/plain", "Because."), ("text/html", "<title>Because.</title>")] {
            answer(&sandbox, path, 403, kind, body);
            let other = [TOKEN[0], TOKEN[1], "--resource", "https://third.example"];
            drop(sandbox.azt(other).exits(8).says("answered HTTP 403: Because.\n"));
        }
    }
}

#[test]
fn names_are_decoded_in_every_encoding() {
    let sandbox = Sandbox::new();
    sandbox.emulator.directory_mut(|directory| {
        directory.subscriptions[0].name = "Größe é".to_owned();
    });
    for encoding in [Encoding::Latin1, Encoding::Utf16Le, Encoding::Utf8Bom] {
        let faults = sandbox.emulator.faults();
        faults.clear();
        faults.push(rewrite(None, Some(encoding), None));
        let run = sandbox.login_app().success();
        let names: Vec<Value> =
            run.json().as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
        assert!(names.contains(&json!("Größe é")), "{encoding:?}: {names:?}");
    }
}

#[test]
fn errors_are_shown_in_every_encoding_and_shape() {
    let sandbox = Sandbox::signed_in_as_app();
    for encoding in [Encoding::Utf8Bom, Encoding::Utf16Be, Encoding::Latin1] {
        let faults = sandbox.emulator.faults();
        faults.clear();
        faults.push(rewrite(None, Some(encoding), None));
        let args = ["login", "--service-principal", "-u", APP, "-p", "wrong", "-t", CONTOSO];
        drop(sandbox.azt(args).exits(6).says("AADSTS7000215").says("Check the secret"));
        let run = sandbox.azt(["login", "--use-device-code", "-t", "nowhere.example"]).exits(6);
        drop(run.says("ERROR: AADSTS90002"));
    }
    let html = "<html><head><title>Because.</title></head><body>x</body></html>";
    for (kind, body) in [
        ("text/plain", "Because."),
        ("text/plain", " Because.\r\n"),
        ("text/html", html),
        ("application/xml", "<Error><Message>Because.</Message></Error>"),
        ("application/json", r#"{"error":{"code":"No","message":"Because."}}"#),
        ("application/json", r#"{"code":"No","message":"Because."}"#),
        ("application/json", r#"{"Code":"No","Message":"Because."}"#),
        ("application/json", r#"{"odata.error":{"code":"No","message":{"value":"Because."}}}"#),
        ("application/json", r#"{"statusCode":403,"message":"Because."}"#),
        ("application/json", r#"{"errors":[{"code":"No","message":"Because."}]}"#),
        ("application/problem+json", r#"{"title":"Because.","status":403}"#),
        ("application/json", "\u{feff}{\"error\":{\"code\":\"No\",\"message\":\"Because.\"}}"),
        ("application/json", r#""Because.""#),
    ] {
        for (path, args) in [
            ("/token", vec![TOKEN[0], TOKEN[1], "--resource", GRAPH]),
            ("/subscriptions/", vec!["account", "list-locations"]),
            ("/.well-known/", vec!["login", "--use-device-code", "-t", "x.example"]),
            ("/devicecode", vec!["login", "--use-device-code"]),
            ("/userrealm/", vec!["login", "-u", ALICE, "-p", "x"]),
        ] {
            answer(&sandbox, path, 403, kind, body);
            let run = sandbox.azt(args);
            assert!(
                run.code != Some(0) && run.stderr.contains("Because."),
                "{path} {body} {run:?}"
            );
            assert!(!run.stderr.contains("<html>"), "{path} {body} {run:?}");
        }
    }
    answer(&sandbox, "/metadata/endpoints", 403, "text/plain", "Because.");
    let url = format!("{}/", sandbox.emulator.url());
    let register = ["cloud", "register", "-n", "Two", "--endpoint-resource-manager", &url];
    drop(sandbox.azt(register).exits(1).says("Because."));
}

#[test]
fn an_oauth_error_with_status_200_is_an_error() {
    let sandbox = Sandbox::signed_in_as_app();
    let error = json!({"error": "invalid_client", "error_description": "AADSTS7000215: No.",
        "error_codes": "7000215"});
    for status in [200, 201, 203, 400] {
        json_answer(&sandbox, "/token", status, &error);
        let args = ["login", "--service-principal", "-u", APP, "-p", "x", "-t", CONTOSO];
        let run = sandbox.azt(args).exits(6).says("ERROR: AADSTS7000215: No.");
        drop(run.says("Check the secret: use its value, not its id."));
        json_answer(&sandbox, "/devicecode", status, &error);
        drop(sandbox.azt(["login", "--use-device-code"]).exits(6).says("AADSTS7000215: No."));
    }
    // An HTML page comes from a proxy; a host's error from the host.
    json_answer(&sandbox, "/token", 200, &json!({"error": {"code": "X", "message": "Y."}}));
    let run = sandbox.azt([&TOKEN[..], &["--resource", GRAPH]].concat()).exits(8);
    drop(run.says("ERROR: localhost").says("answered HTTP 200: Y."));
}

#[test]
fn a_device_code_is_read_with_unexpected_types() {
    let sandbox = Sandbox::new();
    let page = format!("{}/devicelogin", sandbox.emulator.url());
    for members in [
        json!({"expires_in": "900", "interval": "1"}),
        json!({"expires_in": 900.0, "interval": 1.0}),
        json!({"expires_in": "900.5", "interval": "1.0"}),
        json!({"interval": 1}),
        json!({"expires_in": null, "interval": 1}),
        json!({"expires_in": "soon", "interval": true, "message": null}),
        json!({"expires_in": [], "interval": 1, "message": 7}),
        json!({"expires_in": 900, "interval": 1, "message": {}, "extra": [1]}),
        json!({"expires_in": 900, "interval": "-1"}),
        json!({"expires_in": 1e9, "interval": 0}),
        json!({"expires_in": 900, "interval": 1, "verification_uri_complete": 7}),
        json!({"verification_uri": null, "verification_url": page, "interval": "1"}),
        json!({"verification_uri": format!(" {page} "), "interval": 1}),
        json!({"user_code": 12345, "interval": 1}),
    ] {
        let mut body = json!({"device_code": "d", "user_code": "12345", "verification_uri": page});
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        json_answer(&sandbox, "/devicecode", 200, &body);
        // The code is unknown to the emulator, so polling ends with Entra's error.
        let mut command = sandbox.command(["login", "--use-device-code"]);
        if !members["interval"].is_boolean()
            && members["interval"] != json!("-1")
            && members["interval"] != json!(0)
        {
            let run = Run::of(&mut command).exits(6).says("AADSTS70018");
            drop(run.says(&format!("open the page {page} and enter the code 12345")));
        }
    }
    for body in [
        json!({"user_code": "12345", "verification_uri": page, "interval": 1}),
        json!({"device_code": "d", "verification_uri": page, "interval": 1}),
        json!({"device_code": "d", "user_code": "12345", "interval": 1}),
        json!({"device_code": "d", "user_code": "12345", "verification_uri": page, "expires_in": "0"}),
    ] {
        json_answer(&sandbox, "/devicecode", 200, &body);
        let run = sandbox.azt(["login", "--use-device-code"]).exits(8);
        drop(run.says("sent an invalid device code"));
    }
}

#[test]
fn a_token_answer_is_read_with_unexpected_types() {
    let sandbox = Sandbox::signed_in_as_app();
    for members in [
        json!({"token_type": null, "expires_in": "3599"}),
        json!({"token_type": "", "expires_in": 3599.5}),
        json!({"token_type": "bearer", "expires_in": null, "expires_on": "4000000000.5"}),
        json!({"foci": 1, "scope": null, "ext_expires_in": ""}),
        json!({"foci": true, "scope": ["a", "b"], "refresh_in": {}}),
        json!({"refresh_token": null, "id_token": 7, "client_info": []}),
    ] {
        let mut body = json!({"access_token": "a.b.c"});
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        if body.get("expires_on").is_some() {
            body["expires_on"] =
                json!(format!("{}.5", azt::internals::sys::Clock::System.now() + 600));
        }
        json_answer(&sandbox, "/token", 201, &body);
        let resource = format!("{GRAPH}/{}", members.to_string().len());
        let run = sandbox.azt([TOKEN[0], TOKEN[1], "--resource", &resource]).success();
        assert_eq!(run.text("accessToken"), "a.b.c", "{members}");
        assert_eq!(run.text("tokenType").to_lowercase(), "bearer", "{members}");
    }
}

const OTHER: &str = "50000000-0000-4000-8000-0000000000ff";

#[test]
fn one_malformed_row_does_not_affect_others() {
    let sandbox = Sandbox::new();
    let good = json!({"id": format!("/subscriptions/{PRODUCTION}"), "displayName": "Good",
        "state": "Enabled", "tenantId": CONTOSO});
    let id = format!("/subscriptions/{OTHER}");
    // A row; its name if it is kept; the notice if it is not.
    for (row, name, told) in [
        (json!({"id": id, "state": "Enabled"}), Some(""), ""),
        (json!({"id": id, "displayName": null, "state": null}), Some(""), ""),
        (json!({"id": id, "displayName": 42, "state": "Enabled"}), Some("42"), ""),
        (json!({"id": id, "displayName": {}, "state": []}), Some(""), ""),
        (json!({"id": id, "displayName": true, "tenantId": 7}), Some("true"), ""),
        (json!({"id": id, "displayName": "N", "managedByTenants": "x"}), Some("N"), ""),
        (json!({"subscriptionId": OTHER, "displayName": "N"}), Some("N"), ""),
        (json!({"id": null, "subscriptionId": OTHER.to_uppercase()}), Some(""), ""),
        (json!({"id": 7, "displayName": "Odd"}), None, "'Odd'"),
        (json!({"id": "/subscriptions/none", "displayName": "Odd"}), None, "'Odd'"),
        (json!({"displayName": "Odd one"}), None, "'Odd one'"),
        (json!({}), None, "number 2"),
        (Value::Null, None, "number 2"),
        (json!("x"), None, "number 2"),
        (json!(["x"]), None, "number 2"),
    ] {
        let page = json!({"value": [good, row], "nextLink": null});
        json_answer(&sandbox, "/subscriptions", 200, &page);
        let run = sandbox.login_app().success();
        let listed = sandbox.azt(["account", "list", "--all"]).success().json();
        let found = listed.as_array().unwrap().iter().find(|it| it["id"] == OTHER);
        assert_eq!(found.map(|it| it["name"].as_str().unwrap()), name, "{row}");
        assert!(listed.as_array().unwrap().iter().any(|it| it["name"] == "Good"), "{row}");
        if name.is_none() {
            let run = run.says("Of the 2 subscriptions that Azure Resource Manager listed");
            drop(run.says(&format!("not GUIDs: {told}.")));
        } else {
            assert!(!run.stderr.contains("skipped"), "{row}: {run:?}");
        }
        sandbox.azt(["account", "clear"]).success();
    }
}

#[test]
fn a_page_without_a_list_is_an_error() {
    let sandbox = Sandbox::signed_in_as_app();
    for (body, told) in [
        (json!({"error": {"code": "Busy", "message": "Because."}}), "(Busy) Because."),
        (json!({"code": "Busy", "message": "Because."}), "(Busy) Because."),
        (json!({}), "sent an invalid response"),
        (json!({"value": {}}), "sent an invalid response"),
        (json!("x"), "sent an invalid response"),
    ] {
        json_answer(&sandbox, "/subscriptions", 200, &body);
        let run = sandbox.azt([&LOGIN_APP[..], &["--allow-no-subscriptions"]].concat());
        assert!(run.code != Some(0) && run.stderr.contains(told), "{body}: {run:?}");
    }
    let page = json!({"value": [null, {"name": "x", "displayName": 7, "other": 1}, "y"]});
    json_answer(&sandbox, "/locations", 200, &page);
    let run = sandbox.azt(["account", "list-locations"]).success();
    assert_eq!(run.json(), json!([{"displayName": 7, "name": "x"}]));
    drop(run.says("Of the 3 locations that Azure Resource Manager listed, these are skipped"));
}

#[test]
fn one_malformed_tenant_does_not_affect_others() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    for (row, told) in [
        (json!({"tenantId": FABRIKAM, "displayName": 7}), ""),
        (json!({"tenantId": null, "id": format!("/tenants/{FABRIKAM}")}), ""),
        (json!({"tenantId": format!(" {FABRIKAM}\n"), "defaultDomain": {}}), ""),
        (json!({"tenantId": null, "displayName": "Odd"}), "'Odd'"),
        (json!({"tenantId": 7, "defaultDomain": "odd.example"}), "'odd.example'"),
        (Value::Null, "number 1"),
    ] {
        let faults = sandbox.emulator.faults();
        faults.clear();
        let link = format!("{}/tenants?api-version=2022-12-01&page=2", sandbox.emulator.url());
        for body in [
            json!({"value": null, "nextLink": link}),
            // nextLink may be relative, as az's libraries accept.
            json!({"value": [], "nextLink": " /tenants?api-version=2022-12-01&page=3"}),
            json!({"value": [row, {"tenantId": CONTOSO}], "nextLink": 7}),
        ] {
            let (headers, body) = (BTreeMap::new(), body.to_string());
            let action = Action::Answer { status: 200, headers, body };
            faults.push(Fault::on("/tenants", action).times(1));
        }
        let run = sandbox.azt(["login", "--use-device-code"]).success();
        let tenants: Vec<Value> =
            run.json().as_array().unwrap().iter().map(|it| it["tenantId"].clone()).collect();
        assert!(tenants.contains(&json!(CONTOSO)), "{row}: {run:?}");
        assert_eq!(tenants.contains(&json!(FABRIKAM)), told.is_empty(), "{row}: {run:?}");
        if !told.is_empty() {
            drop(run.says("Of the 2 tenants that").says(&format!("not GUIDs: {told}.")));
        }
        sandbox.azt(["account", "clear"]).success();
    }
}

#[test]
fn an_unknown_tenant_is_reported_by_every_command() {
    let sandbox = Sandbox::signed_in_as_app();
    for tenant in ["nope.example", "d0000000-0000-4000-8000-0000000000ff"] {
        for args in [
            &["login", "--use-device-code", "--tenant", tenant][..],
            &["login", "--service-principal", "-u", APP, "-p", APP_SECRET, "-t", tenant],
            &["login", "-u", ALICE, "-p", "x", "-t", tenant],
            &["account", "get-access-token", "--tenant", tenant],
        ] {
            let run = sandbox.azt(args).exits(6).says("ERROR: AADSTS90002");
            drop(run.says("There is no such tenant in this cloud: check --tenant"));
        }
    }
    // az's text under the name az.
    let run = sandbox.az(["login", "--use-device-code", "-t", "nope.example"]).exits(1);
    drop(run.says("ERROR: Failed to resolve tenant 'nope.example'.\n\nError detail: {\"error\":"));
    // Entra's other error for it.
    for code in [900_023, 900_021] {
        let error = json!({"error": "invalid_request", "error_description":
            format!("AADSTS{code}: Specified tenant identifier is neither."), "error_codes": [code]});
        json_answer(&sandbox, "/.well-known/", 400, &error);
        let run = sandbox.azt(["login", "--use-device-code", "-t", "nope.example"]).exits(6);
        drop(run.says("There is no such tenant in this cloud"));
    }
}

#[test]
fn a_tenant_id_is_read_from_its_metadata() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    for body in [
        json!({"issuer": format!("https://x/{CONTOSO}/v2.0")}),
        json!({"issuer": null, "token_endpoint": format!("https://x/{CONTOSO}/oauth2/v2.0/token")}),
        json!({"issuer": 7, "token_endpoint": format!("https://x/{}/", CONTOSO.to_uppercase())}),
    ] {
        json_answer(&sandbox, "/.well-known/", 200, &body);
        let run = sandbox.azt(["login", "--use-device-code", "-t", "contoso.example"]).success();
        assert_eq!(run.json()[0]["tenantId"], CONTOSO, "{body}");
    }
}

#[test]
fn a_refusal_has_the_right_remedy() {
    let sandbox = Sandbox::signed_in_as_app();
    for (code, cure) in [
        (1_002_012, "--scope <resource>/.default"),
        (50_027, "check --federated-token"),
        (70_021, "compare its issuer, subject and audience"),
        (700_213, "compare its issuer, subject and audience"),
        (700_024, "The federated token has expired or is not valid yet"),
        (700_027, "does not know this certificate"),
    ] {
        let error = json!({"error": "invalid_client", "error_codes": [code],
            "error_description": format!("AADSTS{code}: No.")});
        json_answer(&sandbox, "/token", 401, &error);
        let run = sandbox.azt([&TOKEN[..], &["--resource", GRAPH]].concat()).exits(6).says(cure);
        assert!(!run.stderr.contains("Check the application in Entra ID, then"), "{run:?}");
    }
}
