//! The documents that clients read first, and the keys that verify tokens.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use support::*;

#[test]
fn the_configuration_names_this_tenants_endpoints() {
    let site = start();
    let url = site.url().to_owned();
    for (tenant, issuer) in [
        (CONTOSO, format!("{url}/{CONTOSO}/v2.0")),
        ("Contoso.example", format!("{url}/{CONTOSO}/v2.0")),
        ("organizations", format!("{url}/{{tenantid}}/v2.0")),
        ("common", format!("{url}/{{tenantid}}/v2.0")),
        ("consumers", format!("{url}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0")),
    ] {
        let path = format!("/{tenant}/v2.0/.well-known/openid-configuration");
        let configuration = site.get(&path).ok();
        assert_eq!(configuration["issuer"], issuer, "{tenant}");
        let endpoint = configuration["token_endpoint"].as_str().unwrap();
        assert!(endpoint.ends_with("/oauth2/v2.0/token"), "{endpoint}");
    }
    let v1 = site.get(&format!("/{CONTOSO}/.well-known/openid-configuration")).ok();
    assert_eq!(v1["issuer"], format!("{url}/{CONTOSO}/"));
    assert_eq!(v1["token_endpoint"], format!("{url}/{CONTOSO}/oauth2/token"));
}

#[test]
fn an_unknown_tenant_is_an_error_in_entras_form() {
    let site = start();
    let reply = site.get("/nowhere.example/v2.0/.well-known/openid-configuration");
    assert_eq!(reply.status, 400);
    assert_eq!(reply.refusal(), ("invalid_tenant".into(), 90_002));
}

#[test]
fn the_published_key_verifies_the_tokens() {
    let site = start();
    let token = site.sign_in(CONTOSO)["access_token"].clone();
    let configuration = site.get(&format!("/{CONTOSO}/v2.0/.well-known/openid-configuration")).ok();
    let keys = configuration["jwks_uri"].as_str().unwrap();
    let key = site.get(keys.strip_prefix(site.url()).unwrap()).ok()["keys"][0].clone();
    let (signed, signature) = token.as_str().unwrap().rsplit_once('.').unwrap();
    let header = URL_SAFE_NO_PAD.decode(signed.split('.').next().unwrap()).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["kid"], key["kid"]);
    let number = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    RsaPublicKeyComponents { n: number("n"), e: number("e") }
        .verify(
            &RSA_PKCS1_2048_8192_SHA256,
            signed.as_bytes(),
            &URL_SAFE_NO_PAD.decode(signature).unwrap(),
        )
        .unwrap();
    assert!(STANDARD.decode(key["x5c"][0].as_str().unwrap()).is_ok());
}

#[test]
fn instance_discovery_knows_only_this_host() {
    let site = start();
    let path = |authority: &str| {
        format!(
            "/common/discovery/instance?api-version=1.1&authorization_endpoint={authority}/common/oauth2/v2.0/authorize"
        )
    };
    let answer = site.get(&path(site.url())).ok();
    let host = site.url().strip_prefix("https://").unwrap();
    assert_eq!(answer["metadata"][0]["aliases"][0], host);
    let other = site.get(&path("https://login.example"));
    assert_eq!(other.refusal(), ("invalid_instance".into(), 50_049));
}

#[test]
fn user_realms_are_managed_or_unknown() {
    let site = start();
    let path = |user: &str| format!("/common/userrealm/{user}?api-version=1.0");
    let known = site.get(&path("alice%40contoso.example")).ok();
    assert_eq!(known["account_type"], "Managed");
    assert_eq!(known["domain_name"], "contoso.example");
    let unknown = site.get(&path("eve@nowhere.example")).ok();
    assert_eq!(unknown["account_type"], "Unknown");
}

#[test]
fn the_cloud_describes_itself_to_az() {
    let site = start();
    let cloud = site.get("/metadata/endpoints?api-version=2022-09-01").ok();
    assert_eq!(cloud["authentication"]["loginEndpoint"], site.url());
    assert_eq!(cloud["authentication"]["audiences"][0], format!("{}/", site.url()));
    assert_eq!(cloud["suffixes"]["keyVaultDns"], "vault.azure.net");
    let list = site.get("/metadata/endpoints?api-version=2019-05-01").ok();
    assert_eq!(list[0]["name"], cloud["name"]);
    let old = site.get("/metadata/endpoints?api-version=2015-01-01").ok();
    assert!(old["galleryEndpoint"].is_string());
    assert_eq!(site.get("/metadata/endpoints").status, 400);
}
