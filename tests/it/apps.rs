//! Applications that sign in with a certificate or a federated token.

use entra_emulator::directory::NIGHTLY_BUILD_CERTIFICATE;
use entra_emulator::{Action, Fault};

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
fn a_certificate_signs_a_new_assertion_for_each_request() {
    let sandbox = Sandbox::new();
    let path = sandbox.root().join("nightly.pem");
    std::fs::write(&path, NIGHTLY_BUILD_CERTIFICATE).unwrap();
    // A relative path must be stored as absolute: later calls come from other folders.
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
fn the_certificate_chain_is_sent_with_use_cert_sn_issuer() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.root().join("n.pem"), NIGHTLY_BUILD_CERTIFICATE).unwrap();
    let run =
        login(&sandbox, NIGHTLY, &["--certificate", "n.pem", "--use-cert-sn-issuer"]).success();
    assert_eq!(run.json()[0]["user"]["useCertSNIssuerAuth"], true);
    let header = decoded(&sandbox.emulator.requests()[0].form["client_assertion"]);
    assert_eq!(header["x5c"].as_array().unwrap().len(), 1);
    sandbox
        .azt(["login", "--use-cert-sn-issuer"])
        .exits(2)
        .says("usage error: '--use-sn-issuer' is only applicable with a service principal");
}

#[test]
fn an_unusable_certificate_file_is_explained() {
    let sandbox = Sandbox::new();
    let (key, certificate) = NIGHTLY_BUILD_CERTIFICATE
        .split_once("-----BEGIN CERTIFICATE-----")
        .map(|(key, rest)| (key.to_owned(), format!("-----BEGIN CERTIFICATE-----{rest}")))
        .unwrap();
    let other = sandbox.emulator.ca_pem().to_owned();
    for (content, cause) in [
        (key.clone(), "it contains no certificate"),
        (certificate, "it contains no private key"),
        (key + &other, "no certificate in it belongs to its key"),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n"
                .to_owned(),
            "its private key is encrypted.\nGive the password: --certificate-password",
        ),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAA==\n-----END RSA PRIVATE KEY-----\n"
                .to_owned(),
            "its private key uses the encryption of old OpenSSL versions.\nConvert it",
        ),
        (String::new(), "it is neither readable PEM nor readable PKCS#12"),
        ("not a certificate".to_owned(), "it is neither readable PEM nor readable PKCS#12"),
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
fn an_unregistered_certificate_is_refused() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.root().join("n.pem"), NIGHTLY_BUILD_CERTIFICATE).unwrap();
    login(&sandbox, APP, &["--certificate", "n.pem"]).exits(6).says("ERROR: AADSTS700027");
}

#[test]
fn a_federated_token_signs_in_and_is_stored_sealed() {
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
fn five_minute_federated_tokens_serve_for_an_hour() {
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

/// az stores a federated token, not its source, so the shim hands az the original token.
#[test]
fn az_receives_the_federated_token_of_the_sign_in() {
    let sandbox = Sandbox::new();
    sandbox.share_with_az(true);
    let token = sandbox.emulator.assertion(ISSUER, SUBJECT);
    std::fs::write(sandbox.root().join("token"), &token).unwrap();
    login(&sandbox, WORKFLOW, &["--federated-token-file", "token"]).success();
    let told: serde_json::Value =
        serde_json::from_str(&sandbox.read("service_principal_entries.json")).unwrap();
    let entry =
        serde_json::json!({"client_id": WORKFLOW, "tenant": CONTOSO, "client_assertion": token});
    assert_eq!(told, serde_json::json!([entry]));
    // A refresh keeps the stored assertion.
    drop(sandbox.azt(VAULT).quiet());
    assert!(sandbox.read("service_principal_entries.json").contains(&token));
}

/// Writes a file in the sandbox with openssl, from the PEM file `n.pem`.
fn openssl(sandbox: &Sandbox, args: &[&str]) {
    std::fs::write(sandbox.root().join("n.pem"), NIGHTLY_BUILD_CERTIFICATE).unwrap();
    let made = std::process::Command::new("openssl")
        .args(args)
        .current_dir(sandbox.root())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

#[test]
fn a_pfx_file_signs_in_with_and_without_a_password() {
    let export = ["pkcs12", "-export", "-in", "n.pem", "-out", "n.pfx", "-passout"];
    for (password, more, given) in [
        ("pass:p\u{e4}ss word", &[][..], Some("p\u{e4}ss word")),
        ("pass:", &[], None),
        ("pass:old", &["-legacy"], Some("old")),
    ] {
        let sandbox = Sandbox::new();
        openssl(&sandbox, &[&export[..], &[password], more].concat());
        let mut arguments = vec!["--certificate", "n.pfx"];
        if let Some(given) = given {
            login(&sandbox, NIGHTLY, &arguments)
                .exits(1)
                .says("ERROR: Invalid certificate file: its private key is encrypted.");
            login(&sandbox, NIGHTLY, &[&arguments[..], &["--certificate-password", "x"]].concat())
                .exits(1)
                .says("ERROR: Invalid certificate file: the password does not open it.");
            arguments.extend(["--certificate-password", given]);
        }
        login(&sandbox, NIGHTLY, &arguments).success();
        drop(sandbox.azt(VAULT).quiet());
    }
}

#[test]
fn an_encrypted_key_signs_in_with_its_password() {
    let sandbox = Sandbox::new();
    openssl(
        &sandbox,
        &["pkcs8", "-topk8", "-in", "n.pem", "-out", "key.pem", "-passout", "pass:geheim"],
    );
    let key = std::fs::read_to_string(sandbox.root().join("key.pem")).unwrap();
    assert!(key.contains("ENCRYPTED"), "{key}");
    let certificate = NIGHTLY_BUILD_CERTIFICATE.split_once("-----BEGIN CERTIFICATE").unwrap().1;
    let both = format!("Bag Attributes\n{key}-----BEGIN CERTIFICATE{certificate}");
    std::fs::write(sandbox.root().join("e.pem"), both).unwrap();
    std::fs::write(sandbox.root().join("password"), "geheim\n").unwrap();
    let arguments = ["--certificate", "e.pem", "--certificate-password", "@password"];
    login(&sandbox, NIGHTLY, &arguments).success();
    drop(sandbox.azt(VAULT).quiet());
    for (path, content) in sandbox.all_files() {
        assert!(!String::from_utf8_lossy(&content).contains("geheim"), "{}", path.display());
    }
    login(&sandbox, NIGHTLY, &["--certificate", "e.pem", "--certificate-password", "x"])
        .exits(1)
        .says("the password does not open it");

    // The user is prompted only where a password is needed.
    for (file, is_asked) in [("e.pem", true), ("n.pem", false)] {
        let login = ["login", "--service-principal", "-u", NIGHTLY, "--tenant", CONTOSO];
        let login = [&login[..], &["-o", "none", "--certificate", file]].concat();
        let mut command = sandbox.command(login);
        command.current_dir(sandbox.root());
        let mut session = rexpect::session::spawn_command(command, Some(30_000)).unwrap();
        if is_asked {
            session.exp_string("Password of the certificate: ").unwrap();
            session.send_line("geheim").unwrap();
        }
        let shown = session.exp_eof().unwrap();
        assert!(!shown.contains("geheim") && !shown.contains("ERROR"), "{file}: {shown}");
        assert!(is_asked || !shown.contains("Password"), "{file}: {shown}");
    }
}

/// Sets the variables of a GitHub Actions job.
fn in_github(sandbox: &mut Sandbox) {
    let url = format!("{}/pipeline/github?api-version=2.0", sandbox.emulator.url());
    sandbox.set("ACTIONS_ID_TOKEN_REQUEST_URL", &url);
    sandbox.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "emulator-job-token");
}

/// Sets the variables of an Azure Pipelines job.
fn in_azure_pipelines(sandbox: &mut Sandbox) {
    let url = format!("{}/pipeline/azure", sandbox.emulator.url());
    sandbox.set("SYSTEM_OIDCREQUESTURI", &url);
    sandbox.set("SYSTEM_ACCESSTOKEN", "emulator-job-token");
}

/// Asks every five minutes for an hour; assertions live for five minutes, tokens for ten.
fn an_hour_never_fails(sandbox: &Sandbox) {
    sandbox.emulator.settings_mut(|settings| {
        settings.assertion_lifetime = 300;
        settings.token_lifetime = 600;
    });
    for minute in (5..=60).step_by(5) {
        sandbox.emulator.settings_mut(|settings| settings.clock_offset = minute * 60);
        let run = sandbox.azt_later(minute * 60, VAULT).quiet();
        assert!(!run.text("accessToken").is_empty());
    }
}

#[test]
fn a_github_actions_job_fetches_a_fresh_assertion_when_needed() {
    let mut sandbox = Sandbox::new();
    login(&sandbox, WORKFLOW, &["--federated-token-from", "github-actions"])
        .exits(1)
        .says("ERROR: ACTIONS_ID_TOKEN_REQUEST_URL is not set")
        .says("Give the job `permissions: id-token: write`.");
    in_github(&mut sandbox);
    // No credential option: the job's variables name the source.
    login(&sandbox, WORKFLOW, &[]).success();
    let asked = &sandbox.emulator.requests()[0];
    assert_eq!(asked.query["audience"], "api://AzureADTokenExchange");
    assert_eq!(asked.query["api-version"], "2.0");
    an_hour_never_fails(&sandbox);

    sandbox.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "forged");
    sandbox
        .azt(["account", "get-access-token", "--resource", "https://graph.microsoft.com"])
        .exits(6)
        .says("ERROR: localhost")
        .says("issued no token for this job (HTTP 403): Resource not accessible by integration\nGive the job");
    for status in [429, 500, 503] {
        let action = Action::Answer { status, headers: Default::default(), body: String::new() };
        sandbox.emulator.faults().push(Fault::on("/pipeline/github", action).times(1));
        sandbox
            .azt(["account", "get-access-token", "--resource", "https://graph.microsoft.com"])
            .exits(8)
            .says(&format!(
                "issued no token for this job (HTTP {status}).\nTry again in a minute."
            ));
    }
}

#[test]
fn a_pipelines_federated_token_is_refreshed_from_its_source() {
    let mut sandbox = Sandbox::new();
    in_github(&mut sandbox);
    sandbox.emulator.settings_mut(|settings| settings.assertion_lifetime = 300);
    // As azure/login calls it.
    let token = sandbox.emulator.assertion(ISSUER, SUBJECT);
    login(&sandbox, WORKFLOW, &["--federated-token", &token]).success();
    an_hour_never_fails(&sandbox);

    // A token of another issuer has no known source and stays fixed.
    sandbox.emulator.settings_mut(|settings| settings.clock_offset = 0);
    sandbox.emulator.clear_requests();
    let token_of_now = sandbox
        .emulator
        .assertion("https://kubernetes.contoso.example", "system:serviceaccount:default:worker");
    login(&sandbox, WORKFLOW, &["--federated-token", &token_of_now]).success();
    assert_eq!(sandbox.emulator.requests()[1].form["client_assertion"], token_of_now);
}

#[test]
fn an_azure_pipelines_job_uses_its_service_connection() {
    let mut sandbox = Sandbox::new();
    in_azure_pipelines(&mut sandbox);
    let from = ["--federated-token-from", "azure-pipelines"];
    login(&sandbox, WORKFLOW, &from).exits(2).says("--service-connection-id");
    login(&sandbox, WORKFLOW, &[&from[..], &["--service-connection-id", "none"]].concat())
        .exits(6)
        .says("issued no token for this job (HTTP 404): No such service connection.");
    sandbox.set("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "5c000000-0000-4000-8000-000000000001");
    login(&sandbox, WORKFLOW, &[]).success();
    an_hour_never_fails(&sandbox);
}

#[test]
fn a_federated_token_command_runs_whenever_a_token_is_needed() {
    let mut sandbox = Sandbox::new();
    let file = sandbox.root().join("token");
    std::fs::write(&file, sandbox.emulator.assertion(ISSUER, SUBJECT)).unwrap();
    sandbox.set("AZT_VAULT_KEY", &"ab".repeat(32));
    let command = format!("test -z \"$AZT_VAULT_KEY\" && cat '{}'", file.display());
    login(&sandbox, WORKFLOW, &["--federated-token-command", &command]).success();
    drop(sandbox.azt(VAULT).quiet());
    for (command, cause) in [
        (
            "echo hunter2 >&2; exit 3",
            "failed (exit status: 3).\nRun it yourself to see its output.",
        ),
        ("true", "printed no text."),
        ("echo hunter2", "is not an assertion (a JWT)."),
        ("/nowhere/at-all", "failed (exit status: 127)."),
    ] {
        let run = login(&sandbox, WORKFLOW, &["--federated-token-command", command]);
        assert!(!run.stderr.contains("hunter2") && !run.stderr.contains("nowhere"), "{run:?}");
        drop(run.exits(1).says(cause));
    }
}

/// SDKs give up after ten seconds; an interactive sign-in may wait longer.
#[test]
fn a_slow_federated_token_command_is_named() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.root().join("token"), sandbox.emulator.assertion(ISSUER, SUBJECT))
        .unwrap();
    let command = "HUNTER=2; test -e slow && exec sleep 60; cat token";
    login(&sandbox, WORKFLOW, &["--federated-token-command", command]).success();
    std::fs::write(sandbox.root().join("slow"), "").unwrap();
    let run = sandbox.azt(VAULT).exits(1);
    assert!(!run.stderr.contains("HUNTER"), "{run:?}");
    run.says("ERROR: The command that prints the federated token did not end within ")
        .says("--federated-token-file");
}

fn decoded(jwt: &str) -> serde_json::Value {
    use base64::Engine;
    let part = jwt.split('.').next().unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}
