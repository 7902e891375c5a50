//! The refresh token grant (RFC 6749 6): families, tenants, rotation, refusals.
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

#[test]
fn one_refresh_token_serves_all_tenants_scopes_and_the_family() {
    let site = start();
    let token = &site.sign_in("organizations")["refresh_token"];
    let fabrikam = site.refresh(FABRIKAM, AZURE_CLI, token, USER_SCOPE).ok();
    let there = claims(&fabrikam["access_token"]);
    assert_eq!(there["tid"], FABRIKAM);
    assert_eq!(there["idp"], format!("{}/{CONTOSO}/", site.url()));
    assert!(there.get("upn").is_none(), "guests have no upn: {there}");
    let home = site.refresh(CONTOSO, AZURE_CLI, token, USER_SCOPE).ok();
    assert_ne!(claims(&home["access_token"])["oid"], there["oid"]);

    let vault = "https://vault.azure.net/.default openid offline_access";
    let family = site.refresh("contoso.example", POWERSHELL, token, vault).ok();
    let claims = claims(&family["access_token"]);
    assert_eq!(claims["aud"], "https://vault.azure.net");
    assert_eq!(claims["appid"], POWERSHELL);
    assert_eq!(family["foci"], "1");
}

#[test]
fn rotation_returns_new_tokens_and_can_invalidate_old_ones() {
    let site = start();
    let first = site.sign_in(CONTOSO)["refresh_token"].clone();
    let second = site.refresh(CONTOSO, AZURE_CLI, &first, USER_SCOPE).ok()["refresh_token"].clone();
    assert_ne!(first, second);
    site.refresh(CONTOSO, AZURE_CLI, &first, USER_SCOPE).ok();

    site.settings_mut(|settings| settings.invalidate_used_refresh_tokens = true);
    site.refresh(CONTOSO, AZURE_CLI, &second, USER_SCOPE).ok();
    let refusal = site.refresh(CONTOSO, AZURE_CLI, &second, USER_SCOPE);
    assert_eq!(refusal.refusal(), ("invalid_grant".into(), 9_002_313));

    site.settings_mut(|settings| settings.rotate_refresh_tokens = false);
    let answer = site.refresh(CONTOSO, AZURE_CLI, &first, USER_SCOPE).ok();
    assert!(answer.get("refresh_token").is_none());
}

#[test]
fn only_requested_members_are_returned() {
    let site = start();
    let token = site.sign_in(CONTOSO)["refresh_token"].clone();
    let bare = site.refresh(CONTOSO, AZURE_CLI, &token, ARM_SCOPE).ok();
    for absent in ["id_token", "refresh_token", "client_info", "refresh_in"] {
        assert!(bare.get(absent).is_none(), "{absent} in {bare}");
    }
    site.settings_mut(|settings| {
        settings.refresh_in = Some(1800);
        settings.token_lifetime = 7200;
    });
    let answer = site.refresh(CONTOSO, AZURE_CLI, &token, ARM_SCOPE).ok();
    assert_eq!(answer["refresh_in"], 1800);
    assert_eq!(answer["expires_in"], 7200);
}

#[test]
fn expired_revoked_and_unknown_tokens_are_refused() {
    let site = start();
    let token = site.sign_in(CONTOSO)["refresh_token"].clone();
    let refused = |token: &Value| site.refresh(CONTOSO, AZURE_CLI, token, USER_SCOPE).refusal();
    assert_eq!(refused(&"1.rt.x".into()), ("invalid_grant".into(), 9_002_313));

    site.settings_mut(|settings| settings.clock_offset = 90 * 24 * 3600);
    assert_eq!(refused(&token), ("invalid_grant".into(), 700_082));
    site.settings_mut(|settings| settings.clock_offset = 0);

    site.revoke("Alice@contoso.example");
    assert_eq!(refused(&token), ("invalid_grant".into(), 50_173));
    let after = site.sign_in(CONTOSO)["refresh_token"].clone();
    site.refresh(CONTOSO, AZURE_CLI, &after, USER_SCOPE).ok();
}

#[test]
fn a_client_outside_the_family_is_refused() {
    let site = start();
    let token = site.sign_in(CONTOSO)["refresh_token"].clone();
    let refusal = site.refresh(CONTOSO, DESKTOP, &token, USER_SCOPE);
    assert_eq!(refusal.refusal(), ("invalid_grant".into(), 70_000));
}

#[test]
fn a_tenant_without_the_user_and_an_unknown_tenant_are_refused() {
    let site = start();
    let token = site.sign_in("organizations")["refresh_token"].clone();
    site.directory_mut(|directory| directory.user_mut(ALICE).unwrap().guest_in.clear());
    let unknown = site.refresh(FABRIKAM, AZURE_CLI, &token, USER_SCOPE);
    assert_eq!(unknown.refusal(), ("invalid_grant".into(), 50_020));
    let nowhere = site.refresh("nowhere.example", AZURE_CLI, &token, USER_SCOPE);
    assert_eq!(nowhere.refusal(), ("invalid_tenant".into(), 90_002));
}

#[test]
fn a_second_factor_requires_a_sign_in_in_that_tenant() {
    let site = start();
    let token = site.sign_in("organizations")["refresh_token"].clone();
    site.directory_mut(|directory| {
        let alice = directory.user_mut(ALICE).unwrap();
        alice.mfa_required_in.push(FABRIKAM.into());
    });
    let refusal = site.refresh(FABRIKAM, AZURE_CLI, &token, USER_SCOPE);
    assert_eq!(refusal.refusal(), ("invalid_grant".into(), 50_076));
    let body = refusal.json();
    assert_eq!(body["suberror"], "basic_action");
    let challenge: Value = serde_json::from_str(body["claims"].as_str().unwrap()).unwrap();
    assert!(challenge["access_token"]["capolids"]["values"][0].is_string());
    // Other tenants require no second factor.
    site.refresh(CONTOSO, AZURE_CLI, &token, USER_SCOPE).ok();

    let strong = site.sign_in(FABRIKAM)["refresh_token"].clone();
    let answer = site.refresh(FABRIKAM, AZURE_CLI, &strong, USER_SCOPE).ok();
    assert_eq!(claims(&answer["access_token"])["amr"][1], "mfa");
}

#[test]
fn a_users_sign_in_gives_consent() {
    let site = start();
    let token = site.sign_in(CONTOSO)["refresh_token"].clone();
    let payroll = "api://contoso-payroll/.default offline_access";
    let refusal = site.refresh(CONTOSO, AZURE_CLI, &token, payroll);
    assert_eq!(refusal.refusal(), ("invalid_grant".into(), 65_001));
    assert_eq!(refusal.json()["suberror"], "consent_required");

    let path = format!("/{CONTOSO}/oauth2/v2.0/devicecode");
    let code = site.post(&path, &[("client_id", AZURE_CLI), ("scope", payroll)]).ok();
    site.approve_device_code(code["user_code"].as_str().unwrap(), ALICE).unwrap();
    site.poll(CONTOSO, &code).ok();
    site.refresh(CONTOSO, AZURE_CLI, &token, payroll).ok();
}

#[test]
fn scopes_of_several_resources_or_of_none_are_refused() {
    let site = start();
    let token = site.sign_in(CONTOSO)["refresh_token"].clone();
    for (scope, error, code) in [
        (
            "https://vault.azure.net/.default https://storage.azure.com/.default",
            "invalid_request",
            28_000,
        ),
        ("https://nowhere.example/.default", "invalid_resource", 500_011),
    ] {
        let refusal = site.refresh(CONTOSO, AZURE_CLI, &token, scope).refusal();
        assert_eq!(refusal, (error.into(), code), "{scope}");
    }
    // Two scopes of one resource are valid.
    let scope =
        "https://graph.microsoft.com/User.Read https://graph.microsoft.com/Group.Read.All openid";
    let answer = site.refresh(CONTOSO, AZURE_CLI, &token, scope).ok();
    assert_eq!(answer["scope"], format!("openid {}", &scope[..scope.len() - 7]));
    assert_eq!(claims(&answer["access_token"])["scp"], "User.Read Group.Read.All");
}

#[test]
fn a_disabled_user_is_refused() {
    let site = start();
    let token = site.sign_in(CONTOSO)["refresh_token"].clone();
    site.directory_mut(|directory| directory.user_mut(ALICE).unwrap().disabled = true);
    let refusal = site.refresh(CONTOSO, AZURE_CLI, &token, USER_SCOPE);
    assert_eq!(refusal.refusal(), ("invalid_grant".into(), 50_057));
}

#[test]
fn a_refresh_token_works_for_its_client_and_its_policy_only() {
    let site = start();
    site.settings_mut(|settings| settings.auto_approve = Some(ALICE.into()));
    let ledger = "api://contoso-ledger/.default openid profile offline_access";
    let sign_in = |place: &str, client_id: &str| {
        let path = format!("/{place}/oauth2/v2.0/devicecode");
        let code = site.post(&path, &[("client_id", client_id), ("scope", ledger)]).ok();
        let code = code["device_code"].as_str().unwrap().to_owned();
        let grant = ("grant_type", DEVICE_CODE_GRANT);
        site.token(place, &[grant, ("client_id", client_id), ("device_code", &code)])
    };
    assert_eq!(sign_in(CONTOSO, AZURE_CLI).refusal(), ("invalid_grant".into(), 65_002));
    let here = sign_in(CONTOSO, DESKTOP).ok();
    let refused = site.refresh(CONTOSO, AZURE_CLI, &here["refresh_token"], USER_SCOPE).refusal();
    assert_eq!(refused, ("invalid_grant".into(), 70_000));
    assert!(site.refresh("adfs", DESKTOP, &here["refresh_token"], ledger).ok().is_object());

    let policy = "contoso.example/B2C_1_in";
    let there = sign_in(policy, DESKTOP).ok();
    let id = claims(&there["id_token"]);
    assert_eq!((&id["tfp"], &id["emails"][0]), (&"b2c_1_in".into(), &ALICE.into()));
    assert!(id.get("preferred_username").is_none(), "{id}");
    for place in [CONTOSO, "contoso.example/B2C_1_other"] {
        let refused = site.refresh(place, DESKTOP, &there["refresh_token"], ledger).refusal();
        assert_eq!(refused, ("invalid_grant".into(), 70_000), "{place}");
    }
    site.refresh(policy, DESKTOP, &there["refresh_token"], ledger).ok();
}
