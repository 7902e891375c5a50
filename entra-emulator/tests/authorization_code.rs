//! The authorization code flow (RFC 6749 4.1, RFC 7636) through the sign-in page.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use std::collections::BTreeMap;
use support::*;

const VERIFIER: &str = "a-code-verifier-of-at-least-forty-three-characters";
const REDIRECT: &str = "http://localhost:5000";

fn authorize_path(changes: &[(&str, &str)]) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
    let mut query: BTreeMap<&str, &str> = [
        ("client_id", AZURE_CLI),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", USER_SCOPE),
        ("state", "a state & more"),
        ("nonce", "n-1"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]
    .into();
    query.extend(changes.iter().copied());
    query.retain(|_, value| !value.is_empty());
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    format!("/organizations/oauth2/v2.0/authorize?{query}")
}

/// The parameters of a redirect.
#[track_caller]
fn redirected(reply: &Reply) -> BTreeMap<String, String> {
    assert_eq!(reply.status, 302, "{}", reply.body);
    let (address, query) = reply.header("location").split_once(['?', '#']).unwrap();
    assert_eq!(address, REDIRECT);
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn sign_in(site: &Site, changes: &[(&str, &str)]) -> Reply {
    let form = [("username", ALICE), ("password", "Alice-password-1")];
    site.post(&authorize_path(changes), &form)
}

fn redeem(site: &Site, code: &str, changes: &[(&str, &str)]) -> Reply {
    let mut form: BTreeMap<&str, &str> = [
        ("grant_type", "authorization_code"),
        ("client_id", AZURE_CLI),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
        ("scope", USER_SCOPE),
    ]
    .into();
    form.extend(changes.iter().copied());
    let form: Vec<_> = form.into_iter().collect();
    site.token("organizations", &form)
}

#[test]
fn the_page_names_the_application_and_the_hint_and_escapes_both() {
    let site = start();
    let page = site.get(&authorize_path(&[("login_hint", "\"><script>x")]));
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Microsoft Azure CLI"));
    // The Enter key must not sign in the first user of the list.
    let (users, password) = page.body.split_once("</form>").unwrap();
    assert!(users.contains("name=\"pick\"") && !users.contains("name=\"password\""));
    let button = password.split("<button").nth(1).unwrap();
    assert!(button.contains("Sign in"), "{button}");
    assert!(page.body.contains("&quot;&gt;&lt;script&gt;x"));
    assert!(!page.body.contains("<script>x"));
}

#[test]
fn a_code_works_once_and_only_with_the_verifier() {
    let site = start();
    let parameters = redirected(&sign_in(&site, &[]));
    assert_eq!(parameters["state"], "a state & more");
    let code = &parameters["code"];

    let stolen = redeem(&site, code, &[("code_verifier", "guess")]);
    assert_eq!(stolen.refusal(), ("invalid_grant".into(), 501_481));
    let elsewhere = redeem(&site, code, &[("redirect_uri", "http://localhost:1")]);
    assert_eq!(elsewhere.refusal(), ("invalid_grant".into(), 500_112));
    let other = redeem(&site, code, &[("client_id", POWERSHELL)]);
    assert_eq!(other.refusal(), ("invalid_grant".into(), 700_005));

    let answer = redeem(&site, code, &[]).ok();
    assert_eq!(claims(&answer["id_token"])["nonce"], "n-1");
    assert_eq!(claims(&answer["access_token"])["upn"], ALICE);
    assert!(answer["refresh_token"].is_string());
    assert_eq!(redeem(&site, code, &[]).refusal(), ("invalid_grant".into(), 54_005));
    assert_eq!(redeem(&site, "made-up", &[]).refusal(), ("invalid_grant".into(), 9_002_313));
}

#[test]
fn codes_expire_and_plain_challenges_are_compared_unhashed() {
    let site = start();
    let plain = [("code_challenge", VERIFIER), ("code_challenge_method", "plain")];
    let code = redirected(&sign_in(&site, &plain))["code"].clone();
    redeem(&site, &code, &[]).ok();

    let code = redirected(&sign_in(&site, &[]))["code"].clone();
    site.settings_mut(|settings| settings.clock_offset = 601);
    assert_eq!(redeem(&site, &code, &[]).refusal(), ("invalid_grant".into(), 70_008));
}

#[test]
fn each_response_mode_works() {
    let site = start();
    let fragment = sign_in(&site, &[("response_mode", "fragment")]);
    assert!(fragment.header("location").starts_with("http://localhost:5000#code="));
    let form = sign_in(&site, &[("response_mode", "form_post")]);
    assert_eq!(form.status, 200);
    for part in [
        r#"action="http://localhost:5000""#,
        r#"name="code""#,
        r#"name="state" value="a state &amp; more""#,
    ] {
        assert!(form.body.contains(part), "{part} in {}", form.body);
    }
}

#[test]
fn a_wrong_password_shows_the_page_again_and_cancelling_returns() {
    let site = start();
    let form = [("username", ALICE), ("password", "guess")];
    let page = site.post(&authorize_path(&[]), &form);
    assert_eq!(page.status, 200);
    assert!(page.body.contains("AADSTS50126"), "{}", page.body);

    let cancelled = redirected(&site.post(&authorize_path(&[]), &[("cancel", "1")]));
    assert_eq!(cancelled["error"], "access_denied");
    assert!(cancelled["error_description"].starts_with("AADSTS65004: "));
    assert_eq!(cancelled["state"], "a state & more");
}

#[test]
fn errors_go_to_the_client_but_never_to_an_unknown_address() {
    let site = start();
    for (change, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("prompt", "none"), "login_required"),
        (("scope", "https://nowhere.example/.default"), "invalid_resource"),
        (("code_challenge_method", "S512"), "invalid_request"),
    ] {
        let parameters = redirected(&site.get(&authorize_path(&[change])));
        assert_eq!(parameters["error"], error, "{change:?}");
    }
    for change in [("redirect_uri", "https://evil.example"), ("client_id", "unknown")] {
        let page = site.get(&authorize_path(&[change]));
        assert_eq!(page.status, 400, "{change:?}");
        assert_eq!(page.header("location"), "");
        assert!(page.body.contains("AADSTS"));
    }
}

#[test]
fn auto_approve_completes_sign_ins() {
    let site = start();
    site.settings_mut(|settings| settings.auto_approve = Some(ALICE.into()));
    let code = redirected(&site.get(&authorize_path(&[("prompt", "none")])))["code"].clone();
    redeem(&site, &code, &[]).ok();
}

#[test]
fn a_web_application_needs_its_secret_too() {
    let site = start();
    let address = "http://localhost:5000/callback";
    let web = [("client_id", PORTAL), ("redirect_uri", address)];
    let reply = sign_in(&site, &web);
    let location = reply.header("location");
    let code = location.split("code=").nth(1).unwrap();
    let code = code.split('&').next().unwrap();
    assert_eq!(redeem(&site, code, &web).refusal().1, 7_000_218);
    let mut with_secret = web.to_vec();
    with_secret.push(("client_secret", "portal-secret-1"));
    redeem(&site, code, &with_secret).ok();
}
