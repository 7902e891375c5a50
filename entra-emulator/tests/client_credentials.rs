//! Tokens for applications: with secret, certificate or federated assertion.
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
use entra_emulator::directory::NIGHTLY_BUILD_CERTIFICATE;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use support::*;

fn with_secret(site: &Site, secret: &str) -> Reply {
    site.token(
        CONTOSO,
        &[
            ("grant_type", "client_credentials"),
            ("client_id", DEPLOYMENT),
            ("client_secret", secret),
            ("scope", ARM_SCOPE),
        ],
    )
}

fn with_assertion(site: &Site, client_id: &str, assertion: &str) -> Reply {
    site.token(
        CONTOSO,
        &[
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
            ("scope", ARM_SCOPE),
        ],
    )
}

#[test]
fn the_right_secret_gets_a_token_for_the_application() {
    let site = start();
    let answer = with_secret(&site, "deployment-secret-1").ok();
    let token = claims(&answer["access_token"]);
    assert_eq!(token["idtyp"], "app");
    assert_eq!(token["appid"], DEPLOYMENT);
    assert_eq!(token["appidacr"], "1");
    assert_eq!(token["oid"], token["sub"]);
    assert_eq!(token["roles"][0], "Deploy.All");
    assert!(token.get("scp").is_none());
    for absent in ["refresh_token", "id_token", "client_info"] {
        assert!(answer.get(absent).is_none(), "{absent}");
    }
}

#[test]
fn wrong_expired_and_missing_secrets_have_their_own_codes() {
    let site = start();
    for (secret, code) in
        [("wrong", 7_000_215), ("deployment-secret-expired", 7_000_222), ("", 7_000_218)]
    {
        let reply = with_secret(&site, secret);
        assert_eq!(reply.status, 401);
        assert_eq!(reply.refusal(), ("invalid_client".into(), code), "{secret}");
    }
}

#[test]
fn a_secret_in_the_header_is_accepted() {
    let site = start();
    let request = site
        .client
        .post(format!("{}/{CONTOSO}/oauth2/v2.0/token", site.url()))
        .basic_auth(DEPLOYMENT, Some("deployment-secret-1"))
        .form(&[("grant_type", "client_credentials"), ("scope", ARM_SCOPE)]);
    site.send(request).ok();
}

#[test]
fn unknown_applications_other_tenants_and_wrong_scopes_are_refused() {
    let site = start();
    let ask = |tenant: &str, client_id: &str, scope: &str| {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("client_secret", "deployment-secret-1"),
            ("scope", scope),
        ];
        site.token(tenant, &form).refusal()
    };
    let unknown = "00000000-0000-0000-0000-000000000000";
    let unauthorized = ("unauthorized_client".to_owned(), 700_016);
    assert_eq!(ask(CONTOSO, unknown, ARM_SCOPE), unauthorized);
    assert_eq!(ask(FABRIKAM, DEPLOYMENT, ARM_SCOPE), unauthorized);
    let named = "https://graph.microsoft.com/User.Read";
    assert_eq!(ask(CONTOSO, DEPLOYMENT, named), ("invalid_scope".into(), 1_002_012));
    let public = ask(CONTOSO, AZURE_CLI, ARM_SCOPE);
    assert_eq!(public, ("invalid_client".into(), 700_025));
}

/// An assertion signed by the key of the application `Nightly build`, with these claims changed.
fn assertion(site: &Site, algorithm: &str, changes: &Value) -> String {
    let pem = NIGHTLY_BUILD_CERTIFICATE.as_bytes();
    let key = PrivatePkcs8KeyDer::from_pem_slice(pem).unwrap();
    let key = KeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap();
    let certificate = CertificateDer::from_pem_slice(pem).unwrap();
    let header = if algorithm == "PS256" {
        let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, &certificate));
        json!({"typ": "JWT", "alg": "PS256", "x5t#S256": thumbprint})
    } else {
        // MSAL for Python keeps the padding.
        let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &certificate));
        json!({"typ": "JWT", "alg": "RS256", "x5t": format!("{thumbprint}=")})
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut claims = json!({
        "aud": format!("{}/{CONTOSO}/oauth2/v2.0/token", site.url()),
        "iss": NIGHTLY, "sub": NIGHTLY, "exp": now + 600, "jti": "1",
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let padding: &dyn RsaEncoding =
        if algorithm == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(padding, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn a_certificate_authenticates_with_either_signature() {
    let site = start();
    for algorithm in ["RS256", "PS256"] {
        let assertion = assertion(&site, algorithm, &json!({}));
        let answer = with_assertion(&site, NIGHTLY, &assertion).ok();
        assert_eq!(claims(&answer["access_token"])["appidacr"], "2");
    }
    // A float, as MSAL for Python sends it.
    let float = assertion(&site, "RS256", &json!({"exp": 4_102_444_800.5}));
    with_assertion(&site, NIGHTLY, &float).ok();
}

#[test]
fn expired_misdirected_and_forged_assertions_are_refused() {
    let site = start();
    let refused = |assertion: &str, client_id: &str| {
        let reply = with_assertion(&site, client_id, assertion);
        assert_eq!(reply.status, 401);
        reply.refusal().1
    };
    let make = |changes: Value| assertion(&site, "RS256", &changes);
    assert_eq!(refused(&make(json!({"exp": 1_600_000_000})), NIGHTLY), 700_024);
    assert_eq!(refused(&make(json!({"nbf": 4_102_444_800_i64})), NIGHTLY), 700_024);
    assert_eq!(refused(&make(json!({"aud": "https://elsewhere.example/"})), NIGHTLY), 50_027);
    assert_eq!(refused(&make(json!({"sub": "someone"})), NIGHTLY), 700_021);
    assert_eq!(refused("no.jwt.this", NIGHTLY), 50_027);

    let good = make(json!({}));
    let (signed, _) = good.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode([0; 256]));
    assert_eq!(refused(&forged, NIGHTLY), 700_027);

    // The certificate of one application does not authenticate another.
    let foreign = make(json!({"iss": DEPLOYMENT, "sub": DEPLOYMENT}));
    assert_eq!(refused(&foreign, DEPLOYMENT), 700_027);
}

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const MAIN: &str = "repo:contoso/app:ref:refs/heads/main";

#[test]
fn a_federated_assertion_must_match_in_issuer_subject_and_audience() {
    let site = start();
    with_assertion(&site, WORKFLOW, &site.assertion(GITHUB, MAIN)).ok();
    let refused = |assertion: &str| with_assertion(&site, WORKFLOW, assertion).refusal().1;
    let elsewhere = site.assertion("https://issuer.example", MAIN);
    assert_eq!(refused(&elsewhere), 700_211);
    let branch = site.assertion(GITHUB, "repo:contoso/app:ref:refs/heads/other");
    assert_eq!(refused(&branch), 700_213);
    let path = format!("/_emulator/assertion?iss={GITHUB}&sub={MAIN}&audience=api://other");
    let other_audience = site.get(&path).ok()["value"].as_str().unwrap().to_owned();
    assert_eq!(refused(&other_audience), 700_212);
    let forged = assertion(
        &site,
        "RS256",
        &json!({"iss": GITHUB, "sub": MAIN, "aud": "api://AzureADTokenExchange"}),
    );
    assert_eq!(refused(&forged), 50_013);

    // Once registered, the same key counts as the issuer's.
    site.directory_mut(|directory| {
        let workflow = directory.application_mut(WORKFLOW).unwrap();
        for credential in &mut workflow.federated_credentials {
            credential.certificate = Some(NIGHTLY_BUILD_CERTIFICATE.into());
        }
    });
    with_assertion(&site, WORKFLOW, &forged).ok();
    assert_eq!(refused(&site.assertion(GITHUB, MAIN)), 50_013);
}
