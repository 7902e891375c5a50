//! The password grant (RFC 6749 4.3), the on-behalf-of grant, and invalid requests.
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

fn password(site: &Site, tenant: &str, username: &str, password: &str, scope: &str) -> Reply {
    site.token(
        tenant,
        &[
            ("grant_type", "password"),
            ("client_id", DESKTOP),
            ("username", username),
            ("password", password),
            ("scope", scope),
        ],
    )
}

#[test]
fn a_password_signs_in_unless_it_is_wrong_or_a_second_factor_is_required() {
    let site = start();
    let right = "Alice-password-1";
    let answer = password(&site, "organizations", ALICE, right, USER_SCOPE).ok();
    assert!(answer["refresh_token"].is_string());
    // The application belongs to no family.
    assert!(answer.get("foci").is_none());

    for (username, word, code) in [
        (ALICE, "guess", 50_126),
        ("eve@contoso.example", right, 50_034),
        ("bob@fabrikam.example", "Bob-password-1", 50_020),
    ] {
        let reply = password(&site, CONTOSO, username, word, USER_SCOPE);
        assert_eq!(reply.refusal(), ("invalid_grant".into(), code));
    }
    site.directory_mut(|directory| {
        let alice = directory.user_mut(ALICE).unwrap();
        alice.mfa_required_in.push(CONTOSO.into());
    });
    let reply = password(&site, CONTOSO, ALICE, right, USER_SCOPE);
    assert_eq!(reply.refusal(), ("invalid_grant".into(), 50_076));
}

fn on_behalf_of(site: &Site, assertion: &Value, scope: &str) -> Reply {
    site.token(
        CONTOSO,
        &[
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("client_id", PORTAL),
            ("client_secret", "portal-secret-1"),
            ("requested_token_use", "on_behalf_of"),
            ("assertion", assertion.as_str().unwrap()),
            ("scope", scope),
        ],
    )
}

#[test]
fn an_api_calls_the_next_one_on_behalf_of_its_caller() {
    let site = start();
    let scope = "api://contoso-portal/access_as_user";
    let sign_in = password(&site, CONTOSO, ALICE, "Alice-password-1", scope).ok();
    let token = &sign_in["access_token"];
    let incoming = claims(token);
    // The portal's tokens are version 2.0.
    assert_eq!(incoming["aud"], PORTAL);
    assert_eq!(incoming["ver"], "2.0");
    assert_eq!(incoming["azp"], DESKTOP);
    assert_eq!(incoming["scp"], "access_as_user");
    assert_eq!(incoming["iss"], format!("{}/{CONTOSO}/v2.0", site.url()));

    let answer = on_behalf_of(&site, token, ARM_SCOPE).ok();
    let outgoing = claims(&answer["access_token"]);
    assert_eq!(outgoing["upn"], ALICE);
    assert_eq!(outgoing["appid"], PORTAL);

    site.settings_mut(|settings| settings.clock_offset = 4000);
    let late = on_behalf_of(&site, token, ARM_SCOPE);
    assert_eq!(late.refusal(), ("invalid_grant".into(), 500_133));
}

#[test]
fn an_assertion_of_another_audience_or_issuer_is_refused() {
    let site = start();
    let arm = password(&site, CONTOSO, ALICE, "Alice-password-1", ARM_SCOPE).ok();
    let reply = on_behalf_of(&site, &arm["access_token"], ARM_SCOPE);
    assert_eq!(reply.refusal(), ("invalid_grant".into(), 500_131));
    let reply = on_behalf_of(&site, &"a.b.c".into(), ARM_SCOPE);
    assert_eq!(reply.refusal(), ("invalid_grant".into(), 50_013));
    let app = site.token(
        CONTOSO,
        &[
            ("grant_type", "client_credentials"),
            ("client_id", PORTAL),
            ("client_secret", "portal-secret-1"),
            ("scope", "api://contoso-portal/.default"),
        ],
    );
    let reply = on_behalf_of(&site, &app.ok()["access_token"], ARM_SCOPE);
    assert_eq!(reply.refusal(), ("invalid_grant".into(), 50_013));
}

#[test]
fn errors_have_entras_form() {
    let site = start();
    let request = site
        .client
        .post(format!("{}/{CONTOSO}/oauth2/v2.0/token", site.url()))
        .header("client-request-id", "11111111-2222-3333-4444-555555555555")
        .form(&[("grant_type", "magic"), ("client_id", AZURE_CLI)]);
    let reply = site.send(request);
    assert_eq!(reply.status, 400);
    let body = reply.json();
    assert_eq!(body["error"], "unsupported_grant_type");
    assert_eq!(body["error_codes"][0], 70_003);
    assert_eq!(body["correlation_id"], "11111111-2222-3333-4444-555555555555");
    let (trace, time) = (body["trace_id"].as_str().unwrap(), body["timestamp"].as_str().unwrap());
    let description = body["error_description"].as_str().unwrap();
    assert!(description.starts_with("AADSTS70003: "), "{description}");
    assert!(description.ends_with(&format!(
        " Trace ID: {trace} Correlation ID: 11111111-2222-3333-4444-555555555555 Timestamp: {time}"
    )));
    assert_eq!(time.len(), "2026-11-21 00:41:25Z".len());
    assert!(time.ends_with('Z'));
    assert_eq!(body["error_uri"], format!("{}/error?code=70003", site.url()));
    assert_eq!(reply.header("x-ms-request-id"), trace);
}

#[test]
fn a_missing_parameter_is_named() {
    let site = start();
    for (form, name) in [
        (&[("client_id", AZURE_CLI)] as &[_], "grant_type"),
        (&[("grant_type", "password")], "client_id"),
        (&[("grant_type", "refresh_token"), ("client_id", AZURE_CLI)], "refresh_token"),
        (&[("grant_type", "password"), ("client_id", AZURE_CLI)], "scope"),
    ] {
        let reply = site.token(CONTOSO, form);
        assert_eq!(reply.refusal(), ("invalid_request".into(), 900_144));
        assert!(reply.body.contains(&format!("'{name}'")), "{}", reply.body);
    }
}
