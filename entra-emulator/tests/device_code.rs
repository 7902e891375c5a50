//! The device code flow (RFC 8628), with successes and failures.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod support;

use support::*;

#[test]
fn a_code_is_pending_until_the_user_has_signed_in() {
    let site = start();
    site.settings_mut(|settings| settings.device_code_interval = 0);
    let code = site.device_code("organizations");
    assert_eq!(code["expires_in"], 900);
    assert_eq!(code["verification_uri"].as_str().unwrap(), format!("{}/devicelogin", site.url()));
    let user_code = code["user_code"].as_str().unwrap();
    assert!(code["message"].as_str().unwrap().contains(user_code));

    let early = site.poll("organizations", &code);
    assert_eq!(early.refusal(), ("authorization_pending".into(), 70_016));
    assert_eq!(site.pending_device_codes()[0].user_code, user_code);

    site.approve_device_code(&user_code.to_lowercase(), "ALICE@contoso.example").unwrap();
    let answer = site.poll("organizations", &code).ok();
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 3599);
    assert_eq!(answer["foci"], "1");
    assert_eq!(
        answer["scope"],
        "https://management.core.windows.net//user_impersonation https://management.core.windows.net//.default"
    );
    let token = claims(&answer["access_token"]);
    assert_eq!(token["aud"], "https://management.core.windows.net/");
    assert_eq!(token["tid"], CONTOSO);
    assert_eq!(token["upn"], ALICE);
    assert_eq!(token["scp"], "user_impersonation");
    assert_eq!(token["appid"], AZURE_CLI);
    assert_eq!(token["exp"].as_i64().unwrap() - token["iat"].as_i64().unwrap(), 3599);
    let id_token = claims(&answer["id_token"]);
    assert_eq!(id_token["aud"], AZURE_CLI);
    assert_eq!(id_token["preferred_username"], ALICE);
    assert_eq!(id_token["iss"], format!("{}/{CONTOSO}/v2.0", site.url()));
    let client_info = format!("x.{}", answer["client_info"].as_str().unwrap());
    assert_eq!(claims(&client_info.into())["utid"], CONTOSO);

    let again = site.poll("organizations", &code);
    assert_eq!(again.refusal(), ("bad_verification_code".into(), 70_018));
}

#[test]
fn polling_too_often_is_slowed_down() {
    let site = start();
    let code = site.device_code(CONTOSO);
    let errors: Vec<String> = (0..2).map(|_| site.poll(CONTOSO, &code).refusal().0).collect();
    assert_eq!(errors, ["authorization_pending", "slow_down"]);
    // slow_down raised the interval from five to ten seconds.
    site.settings_mut(|settings| settings.clock_offset = 12);
    assert_eq!(site.poll(CONTOSO, &code).refusal().0, "authorization_pending");
}

#[test]
fn declined_expired_and_unknown_codes_have_different_errors() {
    let site = start();
    let declined = site.device_code(CONTOSO);
    site.decline_device_code(declined["user_code"].as_str().unwrap()).unwrap();
    assert_eq!(site.poll(CONTOSO, &declined).refusal().0, "authorization_declined");

    let expired = site.device_code(CONTOSO);
    let user_code = expired["user_code"].as_str().unwrap();
    site.expire_device_code(user_code).unwrap();
    assert_eq!(site.poll(CONTOSO, &expired).refusal().0, "expired_token");
    assert!(site.approve_device_code(user_code, ALICE).is_err());
    assert!(site.pending_device_codes().is_empty());

    let late = site.device_code(CONTOSO);
    site.settings_mut(|settings| settings.clock_offset = 901);
    assert_eq!(site.poll(CONTOSO, &late).refusal().0, "expired_token");
}

#[test]
fn an_unknown_user_cannot_approve() {
    let site = start();
    let code = site.device_code(CONTOSO);
    let error = site
        .approve_device_code(code["user_code"].as_str().unwrap(), "eve@contoso.example")
        .unwrap_err();
    assert!(error.to_string().contains("eve@contoso.example"), "{error}");
    assert_eq!(site.pending_device_codes().len(), 1);
}

#[test]
fn auto_approve_approves_new_codes() {
    let site = start();
    site.settings_mut(|settings| settings.auto_approve = Some(ALICE.into()));
    let code = site.device_code("common");
    let answer = site.poll("common", &code).ok();
    assert_eq!(claims(&answer["access_token"])["upn"], ALICE);
}

#[test]
fn the_v1_endpoint_takes_resources_and_writes_numbers_as_text() {
    let site = start();
    site.settings_mut(|settings| settings.auto_approve = Some(ALICE.into()));
    let resource = "https://management.core.windows.net/";
    let code = site
        .post("/common/oauth2/devicecode", &[("client_id", AZURE_CLI), ("resource", resource)])
        .ok();
    assert_eq!(code["expires_in"], "900");
    assert!(code["verification_url"].is_string());
    let answer = site
        .post(
            "/common/oauth2/token",
            &[
                ("grant_type", "device_code"),
                ("client_id", AZURE_CLI),
                ("resource", resource),
                ("code", code["device_code"].as_str().unwrap()),
            ],
        )
        .ok();
    assert_eq!(answer["expires_in"], "3599");
    assert_eq!(answer["resource"], resource);
    assert!(answer["expires_on"].is_string());
    assert!(answer["refresh_token"].is_string());
}

#[test]
fn the_page_accepts_a_code_then_a_sign_in_or_a_refusal() {
    let site = start();
    let unknown = site.post("/devicelogin", &[("code", "NOPE")]);
    assert!(unknown.body.contains("No sign-in is waiting"));

    let code = site.device_code(CONTOSO);
    let user_code = code["user_code"].as_str().unwrap();
    let page = site.post("/devicelogin", &[("code", user_code)]);
    assert!(page.body.contains("Microsoft Azure CLI"), "{}", page.body);
    let path = format!("/devicelogin?otc={user_code}");
    assert!(page.body.contains(&format!("action=\"{path}\"")));
    let wrong = site.post(&path, &[("username", ALICE), ("password", "guess")]);
    assert!(wrong.body.contains("AADSTS50126"), "{}", wrong.body);
    let unknown = site.post(&path, &[("pick", "bob@fabrikam.example")]);
    assert!(unknown.body.contains("AADSTS50020"), "{}", unknown.body);
    let right = [("username", ALICE), ("password", "Alice-password-1")];
    let done = site.post(&path, &right);
    assert!(done.body.contains("You are signed in"), "{}", done.body);
    site.poll(CONTOSO, &code).ok();

    let refused = site.device_code(CONTOSO);
    let path = format!("/common/oauth2/deviceauth?otc={}", refused["user_code"].as_str().unwrap());
    site.post(&path, &[("cancel", "1")]);
    assert_eq!(site.poll(CONTOSO, &refused).refusal().0, "authorization_declined");
}
