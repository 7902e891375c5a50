//! Managed identity on each kind of host.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod support;

use serde_json::Value;
use support::*;

const RESOURCE: &str = "resource=https://management.azure.com/";
const WORKER: &str = "e1000000-0000-4000-8000-000000000002";

fn ask(site: &Site, path: &str, header: Option<(&str, &str)>) -> Reply {
    let mut request = site.client.get(format!("{}{path}", site.http_url()));
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    site.send(request)
}

const METADATA: Option<(&str, &str)> = Some(("Metadata", "true"));
const SECRET: &str = "emulator-identity-header";

fn imds(query: &str) -> String {
    format!("/metadata/identity/oauth2/token?api-version=2018-02-01&{RESOURCE}{query}")
}

#[test]
fn a_virtual_machine_gets_a_token_arm_accepts() {
    let site = start();
    let answer = ask(&site, &imds(""), METADATA).ok();
    assert_eq!(answer["expires_in"], "3599");
    assert_eq!(answer["resource"], "https://management.azure.com/");
    let token = claims(&answer["access_token"]);
    assert_eq!(token["idtyp"], "app");
    assert_eq!(token["tid"], CONTOSO);
    assert!(token["xms_mirid"].as_str().unwrap().ends_with("/vm1"));
    let subscriptions = site.arm("/subscriptions?api-version=2022-12-01", &answer["access_token"]);
    assert_eq!(subscriptions.ok()["value"][0]["displayName"], "Contoso Production");
}

#[test]
fn a_user_assigned_identity_is_found_by_any_of_its_ids() {
    let site = start();
    let resource_id = site.directory().managed_identities[1].resource_id.clone();
    for query in [
        format!("&client_id={WORKER}"),
        "&object_id=e2000000-0000-4000-8000-000000000002".into(),
        format!("&msi_res_id={resource_id}"),
    ] {
        let answer = ask(&site, &imds(&query), METADATA).ok();
        assert_eq!(answer["client_id"], WORKER, "{query}");
    }
    let unknown = ask(&site, &imds("&client_id=nobody"), METADATA);
    assert_eq!(unknown.status, 400);
    assert_eq!(unknown.json()["error_description"], "Identity not found");
}

#[test]
fn incomplete_requests_are_refused() {
    let site = start();
    for (path, header) in [
        (imds(""), None),
        (imds(""), Some(("Metadata", "false"))),
        (format!("/metadata/identity/oauth2/token?{RESOURCE}"), METADATA),
        ("/metadata/identity/oauth2/token?api-version=2018-02-01".into(), METADATA),
    ] {
        let reply = ask(&site, &path, header);
        assert_eq!(reply.status, 400, "{path} {header:?}");
        assert_eq!(reply.json()["error"], "invalid_request");
    }
    let path =
        "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://nowhere.example";
    assert_eq!(ask(&site, path, METADATA).json()["error"], "invalid_resource");
}

#[test]
fn app_service_and_machine_learning_require_their_secret() {
    let site = start();
    let app_service = format!("/msi/token?api-version=2019-08-01&{RESOURCE}");
    let answer = ask(&site, &app_service, Some(("X-IDENTITY-HEADER", SECRET))).ok();
    assert!(answer["expires_on"].is_string());
    assert!(answer.get("expires_in").is_none());
    let wrong = ask(&site, &app_service, Some(("X-IDENTITY-HEADER", "guess")));
    assert_eq!(wrong.status, 401);

    let learning =
        format!("/machinelearning/token?api-version=2017-09-01&{RESOURCE}&clientid={WORKER}");
    let answer = ask(&site, &learning, Some(("secret", SECRET))).ok();
    assert_eq!(claims(&answer["access_token"])["appid"], WORKER);
    assert_eq!(ask(&site, &learning, None).status, 401);
}

#[test]
fn arc_writes_its_secret_to_a_file_and_accepts_it_once() {
    let site = start();
    let path = format!("/arc/metadata/identity/oauth2/token?api-version=2020-06-01&{RESOURCE}");
    let challenge = ask(&site, &path, METADATA);
    assert_eq!(challenge.status, 401);
    let file =
        challenge.header("www-authenticate").strip_prefix("Basic realm=").unwrap().to_owned();
    let secret = std::fs::read_to_string(&file).unwrap();
    let ask_with_secret = || {
        let request = site
            .client
            .get(format!("{}{path}", site.http_url()))
            .header("Metadata", "true")
            .header("Authorization", format!("Basic {secret}"));
        site.send(request)
    };
    let answer = ask_with_secret().ok();
    assert_eq!(claims(&answer["access_token"])["idtyp"], "app");
    assert_eq!(ask_with_secret().status, 401);
    std::fs::remove_file(file).unwrap();
}

#[test]
fn cloud_shell_returns_the_users_token() {
    let site = start();
    let ask = || {
        let request = site
            .client
            .post(format!("{}/oauth2/token", site.http_url()))
            .header("Metadata", "true")
            .form(&[("resource", "https://management.core.windows.net/")]);
        let answer = site.send(request).ok();
        claims(&answer["access_token"])["unique_name"].clone()
    };
    assert_eq!(ask(), Value::from(ALICE));
    site.settings_mut(|settings| settings.cloud_shell_user = Some("bob@fabrikam.example".into()));
    assert_eq!(ask(), Value::from("bob@fabrikam.example"));
}
