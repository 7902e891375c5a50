//! Applications that prove themselves with a certificate or a federated token.

use entra_emulator::directory::NIGHTLY_BUILD_CERTIFICATE;

use crate::support::*;

const NIGHTLY: &str = "a1000000-0000-4000-8000-000000000002";
const WORKFLOW: &str = "a1000000-0000-4000-8000-000000000003";
const ISSUER: &str = "https://token.actions.githubusercontent.com";
const SUBJECT: &str = "repo:contoso/app:ref:refs/heads/main";
const VAULT: [&str; 4] = ["account", "get-access-token", "--resource", "https://vault.azure.net"];

fn login(sandbox: &Sandbox, app: &str, more: &[&str]) -> Run {
    let common = ["login", "--service-principal", "-u", app, "-t", CONTOSO];
    sandbox.azt(common.iter().chain(more))
}

#[test]
fn a_certificate_signs_in_and_signs_each_request_anew() {
    let sandbox = Sandbox::new();
    let path = sandbox.root().join("nightly.pem");
    std::fs::write(&path, NIGHTLY_BUILD_CERTIFICATE).unwrap();
    // A relative path: later calls come from other folders.
    let run = login(&sandbox, NIGHTLY, &["--certificate", "nightly.pem"]).success();
    assert_eq!(run.json()[0]["user"]["name"], NIGHTLY);
    let mut elsewhere = sandbox.command(VAULT);
    drop(Run::of(elsewhere.current_dir("/")).quiet());
    let assertions: Vec<String> = sandbox
        .emulator
        .requests()
        .iter()
        .filter_map(|request| request.form.get("client_assertion").cloned())
        .collect();
    assert_eq!(assertions.len(), 2);
    assert_ne!(assertions[0], assertions[1]);
    let header = decoded(&assertions[0]);
    assert_eq!(header["alg"], "PS256");
    assert!(header["x5t#S256"].is_string() && header.get("x5c").is_none(), "{header}");

    std::fs::remove_file(&path).unwrap();
    sandbox
        .azt(["account", "get-access-token", "--resource", "https://graph.microsoft.com"])
        .exits(1)
        .says("There is no file ");
}

#[test]
fn the_chain_is_sent_when_asked_for() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.root().join("n.pem"), NIGHTLY_BUILD_CERTIFICATE).unwrap();
    let run =
        login(&sandbox, NIGHTLY, &["--certificate", "n.pem", "--use-cert-sn-issuer"]).success();
    assert_eq!(run.json()[0]["user"]["useCertSNIssuerAuth"], true);
    let header = decoded(&sandbox.emulator.requests()[0].form["client_assertion"]);
    assert_eq!(header["x5c"].as_array().unwrap().len(), 1);
    sandbox
        .azt(["login", "--use-cert-sn-issuer"])
        .exits(1)
        .says("usage error: '--use-sn-issuer' is only applicable with a service principal");
}

#[test]
fn a_certificate_file_that_is_none_says_why() {
    let sandbox = Sandbox::new();
    let (key, certificate) = NIGHTLY_BUILD_CERTIFICATE
        .split_once("-----BEGIN CERTIFICATE-----")
        .map(|(key, rest)| (key.to_owned(), format!("-----BEGIN CERTIFICATE-----{rest}")))
        .unwrap();
    let other = sandbox.emulator.ca_pem().to_owned();
    for (content, cause) in [
        (key.clone(), "there is no certificate in it"),
        (certificate, "there is no private key in it"),
        (key + &other, "no certificate in it belongs to its key"),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n"
                .to_owned(),
            "its private key is encrypted",
        ),
        (String::new(), "there is no private key in it"),
    ] {
        std::fs::write(sandbox.root().join("x.pem"), &content).unwrap();
        login(&sandbox, NIGHTLY, &["--certificate", "x.pem"])
            .exits(1)
            .says(&format!("ERROR: Invalid certificate file: {cause}"))
            .says("x.pem");
    }
    login(&sandbox, NIGHTLY, &["--certificate", "no-such.pem"]).exits(1).says("There is no file ");
    assert_eq!(sandbox.requests(), Vec::<String>::new());
}

#[test]
fn a_certificate_that_the_application_does_not_have_is_refused() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.root().join("n.pem"), NIGHTLY_BUILD_CERTIFICATE).unwrap();
    login(&sandbox, APP, &["--certificate", "n.pem"]).exits(6).says("ERROR: AADSTS700027");
}

#[test]
fn a_federated_token_signs_in_and_is_not_kept_in_the_clear() {
    let sandbox = Sandbox::new();
    let token = sandbox.emulator.assertion(ISSUER, SUBJECT);
    login(&sandbox, WORKFLOW, &["--federated-token", &token]).success();
    drop(sandbox.azt(VAULT).quiet());
    for (path, content) in sandbox.all_files() {
        assert!(!String::from_utf8_lossy(&content).contains(&token), "{}", path.display());
    }
    login(&sandbox, WORKFLOW, &["--federated-token", &sandbox.emulator.assertion(ISSUER, "else")])
        .exits(6)
        .says("ERROR: AADSTS70");
}

#[test]
fn an_hour_of_five_minute_tokens_never_fails() {
    let sandbox = Sandbox::new();
    let file = sandbox.root().join("token");
    let renew = |seconds: i64| {
        sandbox.emulator.settings_mut(|settings| settings.clock_offset = seconds);
        std::fs::write(&file, sandbox.emulator.assertion(ISSUER, SUBJECT)).unwrap();
    };
    renew(0);
    login(&sandbox, WORKFLOW, &["--federated-token-file", "token"]).success();
    sandbox.emulator.settings_mut(|settings| settings.token_lifetime = 600);
    for minute in (5..=60).step_by(5) {
        let seconds = minute * 60;
        renew(seconds);
        let run = sandbox.azt_later(seconds, VAULT).quiet();
        assert!(!run.text("accessToken").is_empty());
    }
}

fn decoded(jwt: &str) -> serde_json::Value {
    use base64::Engine;
    let part = jwt.split('.').next().unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}
