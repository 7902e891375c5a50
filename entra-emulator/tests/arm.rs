//! Azure Resource Manager: access, pages, refusals, challenges.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use support::*;

const SUBSCRIPTIONS: &str = "/subscriptions?api-version=2022-12-01";
const TENANTS: &str = "/tenants?api-version=2022-12-01";

fn names(body: &Value) -> Vec<&str> {
    let entries = body["value"].as_array().unwrap().iter();
    entries.map(|entry| entry["displayName"].as_str().unwrap()).collect()
}

/// The `code` of an error in ARM's form.
#[track_caller]
fn code(reply: &Reply, status: u16) -> String {
    assert_eq!(reply.status, status, "{}", reply.body);
    let error = &reply.json()["error"];
    assert!(error["message"].is_string());
    error["code"].as_str().unwrap().to_owned()
}

#[test]
fn a_user_sees_tenants_and_in_each_its_subscriptions() {
    let site = start();
    let sign_in = site.sign_in("organizations");
    let token = &sign_in["access_token"];
    let tenants = site.arm(TENANTS, token).ok();
    assert_eq!(names(&tenants), ["Contoso", "Fabrikam", "Northwind"]);
    assert_eq!(tenants["value"][0]["tenantCategory"], "Home");
    assert_eq!(tenants["value"][0]["defaultDomain"], "contoso.example");

    let home = site.arm(SUBSCRIPTIONS, token).ok();
    assert_eq!(
        names(&home),
        ["Contoso Production", "Contoso Development and Test", "Contoso Old Experiments"]
    );
    assert_eq!(home["value"][2]["state"], "Disabled");
    let fabrikam = site.refresh(FABRIKAM, AZURE_CLI, &sign_in["refresh_token"], ARM_SCOPE).ok();
    let there = site.arm(SUBSCRIPTIONS, &fabrikam["access_token"]).ok();
    assert_eq!(names(&there), ["Fabrikam Shared"]);
}

#[test]
fn a_subscription_may_be_managed_from_another_tenant() {
    let site = start();
    site.directory_mut(|directory| {
        let shared = directory.subscription_mut("50000000-0000-4000-8000-000000000004").unwrap();
        shared.managed_by_tenants.push(CONTOSO.into());
    });
    let token = site.sign_in(CONTOSO)["access_token"].clone();
    let home = site.arm(SUBSCRIPTIONS, &token).ok();
    assert_eq!(home["value"][3]["displayName"], "Fabrikam Shared");
    assert_eq!(home["value"][3]["tenantId"], FABRIKAM);
    assert_eq!(home["value"][3]["managedByTenants"][0]["tenantId"], CONTOSO);
}

#[test]
fn lists_have_pages() {
    let site = start();
    let token = site.sign_in(CONTOSO)["access_token"].clone();
    site.settings_mut(|settings| settings.page_size = 2);
    let first = site.arm(SUBSCRIPTIONS, &token).ok();
    assert_eq!(first["value"].as_array().unwrap().len(), 2);
    let second = site.arm(first["nextLink"].as_str().unwrap(), &token).ok();
    assert_eq!(names(&second), ["Contoso Old Experiments"]);
    assert!(second.get("nextLink").is_none());
}

#[test]
fn single_resources_are_found_or_not_found() {
    let site = start();
    let token = site.sign_in(CONTOSO)["access_token"].clone();
    let one = "/subscriptions/50000000-0000-4000-8000-000000000001";
    let ask = |path: &str| site.arm(&format!("{path}?api-version=2022-12-01"), &token);
    assert_eq!(ask(one).ok()["displayName"], "Contoso Production");
    let locations = ask(&format!("{one}/locations")).ok();
    assert_eq!(locations["value"][0]["name"], "westeurope");
    assert_eq!(ask(&format!("{one}/resourcegroups")).ok()["value"], Value::Array(Vec::new()));
    let hidden = ask("/subscriptions/50000000-0000-4000-8000-000000000004");
    assert_eq!(code(&hidden, 404), "SubscriptionNotFound");
    let unversioned = site.arm("/subscriptions", &token);
    assert_eq!(code(&unversioned, 400), "MissingApiVersionParameter");
}

#[test]
fn missing_forged_expired_and_foreign_tokens_are_refused() {
    let site = start();
    let missing = site.get(SUBSCRIPTIONS);
    assert_eq!(code(&missing, 401), "AuthenticationFailed");
    assert!(missing.header("www-authenticate").starts_with("Bearer "));

    let forged = site.arm(SUBSCRIPTIONS, &"a.b.c".into());
    assert_eq!(code(&forged, 401), "InvalidAuthenticationToken");
    assert!(forged.header("www-authenticate").contains(r#"error="invalid_token""#));

    let sign_in = site.sign_in(CONTOSO);
    let vault = site
        .refresh(CONTOSO, AZURE_CLI, &sign_in["refresh_token"], "https://vault.azure.net/.default")
        .ok();
    let misdirected = site.arm(SUBSCRIPTIONS, &vault["access_token"]);
    assert_eq!(code(&misdirected, 401), "InvalidAuthenticationTokenAudience");

    for scope in ["https://management.azure.com/.default", &format!("{}//.default", site.url())] {
        let token = site.refresh(CONTOSO, AZURE_CLI, &sign_in["refresh_token"], scope).ok();
        site.arm(SUBSCRIPTIONS, &token["access_token"]).ok();
    }

    site.settings_mut(|settings| settings.clock_offset = 3600);
    let late = site.arm(SUBSCRIPTIONS, &sign_in["access_token"]);
    assert_eq!(code(&late, 401), "ExpiredAuthenticationToken");

    site.settings_mut(|settings| settings.clock_offset = 0);
    site.directory_mut(|directory| directory.tenants.retain(|tenant| tenant.id != CONTOSO));
    let homeless = site.arm(SUBSCRIPTIONS, &sign_in["access_token"]);
    assert_eq!(code(&homeless, 401), "InvalidAuthenticationTokenTenant");
}

/// The claims in a challenge.
#[track_caller]
fn challenge(reply: &Reply) -> Value {
    assert_eq!(reply.status, 401, "{}", reply.body);
    let header = reply.header("www-authenticate");
    assert!(header.contains(r#"error="insufficient_claims""#), "{header}");
    let claims = header.split("claims=\"").nth(1).unwrap();
    let claims = claims.strip_suffix('"').unwrap();
    serde_json::from_slice(&STANDARD.decode(claims).unwrap()).unwrap()
}

#[test]
fn challenged_tokens_are_refused_and_new_ones_accepted() {
    let site = start();
    let sign_in = site.sign_in(CONTOSO);
    site.challenge_access_tokens();
    let claims = challenge(&site.arm(SUBSCRIPTIONS, &sign_in["access_token"]));
    assert_eq!(claims["access_token"]["nbf"]["essential"], true);
    let fresh = site.refresh(CONTOSO, AZURE_CLI, &sign_in["refresh_token"], ARM_SCOPE).ok();
    site.arm(SUBSCRIPTIONS, &fresh["access_token"]).ok();

    site.revoke(ALICE);
    challenge(&site.arm(SUBSCRIPTIONS, &fresh["access_token"]));
    let again = site.sign_in(CONTOSO)["access_token"].clone();
    site.arm(SUBSCRIPTIONS, &again).ok();
}

#[test]
fn an_authentication_context_requires_a_sign_in_with_its_claims() {
    let site = start();
    let sign_in = site.sign_in(CONTOSO);
    site.settings_mut(|settings| settings.arm_authentication_context = Some("p1".into()));
    let claims = challenge(&site.arm(SUBSCRIPTIONS, &sign_in["access_token"])).to_string();
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", AZURE_CLI),
        ("refresh_token", sign_in["refresh_token"].as_str().unwrap()),
        ("scope", ARM_SCOPE),
        ("claims", &claims),
    ];
    let refusal = site.token(CONTOSO, &refresh);
    assert_eq!(refusal.refusal(), ("invalid_grant".into(), 50_076));
    assert_eq!(refusal.json()["claims"], claims);

    let path = format!("/{CONTOSO}/oauth2/v2.0/devicecode");
    let form = [("client_id", AZURE_CLI), ("scope", USER_SCOPE), ("claims", &claims)];
    let code = site.post(&path, &form).ok();
    site.approve_device_code(code["user_code"].as_str().unwrap(), ALICE).unwrap();
    let poll = [
        ("grant_type", DEVICE_CODE_GRANT),
        ("client_id", AZURE_CLI),
        ("device_code", code["device_code"].as_str().unwrap()),
        ("claims", &claims),
    ];
    let token = site.token(CONTOSO, &poll).ok()["access_token"].clone();
    site.arm(SUBSCRIPTIONS, &token).ok();
}
