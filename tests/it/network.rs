//! Certificate authorities, proxies and unreachable services.

use entra_emulator::{Action, Fault};

use std::io::ErrorKind;
use std::net::TcpListener;

use crate::support::*;

/// A token that is not cached, so it needs a request.
const COLD: [&str; 4] = ["account", "get-access-token", "--resource", "https://vault.azure.net"];

#[test]
fn each_variable_for_certificates_is_honoured() {
    let sandbox = Sandbox::signed_in_as_app();
    let ca = sandbox.env()["REQUESTS_CA_BUNDLE"].clone();
    let folder = sandbox.root().join("certificates");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(&ca, folder.join("emulator.pem")).unwrap();
    std::fs::write(folder.join("README"), "not a certificate").unwrap();
    let folder = folder.to_str().unwrap();
    for (variable, value) in [
        ("REQUESTS_CA_BUNDLE", ca.as_str()),
        ("REQUESTS_CA_BUNDLE", folder),
        ("CURL_CA_BUNDLE", &ca),
        ("SSL_CERT_FILE", &ca),
        ("SSL_CERT_DIR", folder),
    ] {
        let resource = format!("api://{variable}-{}", value.len());
        let mut command = sandbox.command(["account", "get-access-token", "--resource", &resource]);
        let run = Run::of(command.env_remove("REQUESTS_CA_BUNDLE").env(variable, value));
        // The emulator rejects the resource, so TLS worked.
        run.exits(6).says("AADSTS500011");
    }
}

#[test]
fn an_untrusted_authority_is_named_with_its_remedy() {
    let sandbox = Sandbox::signed_in_as_app();
    let mut command = sandbox.command(COLD);
    Run::of(command.env_remove("REQUESTS_CA_BUNDLE"))
        .exits(7)
        .says("ERROR: The certificate of localhost is not trusted: it was issued by CN=")
        .says("REQUESTS_CA_BUNDLE");
    for (value, cause) in [("/no/such/file", "does not exist"), ("/etc/passwd", "PEM certificate")]
    {
        let mut command = sandbox.command(COLD);
        Run::of(command.env("REQUESTS_CA_BUNDLE", value))
            .exits(7)
            .says("REQUESTS_CA_BUNDLE")
            .says(cause);
    }
}

#[test]
fn proxies_are_read_from_the_usual_variables() {
    let sandbox = Sandbox::signed_in_as_app();
    let closed = "http://127.0.0.1:1";
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let mut command = sandbox.command(COLD);
        let run = Run::of(command.env(variable, closed)).exits(7);
        run.says(&format!("{variable}={closed}"));
        assert_eq!(sandbox.requests(), Vec::<String>::new(), "{variable}");
    }
    let mut command = sandbox.command(COLD);
    drop(Run::of(command.env("HTTPS_PROXY", closed).env("NO_PROXY", "localhost")).quiet());
}

#[test]
fn an_unused_proxy_is_not_blamed() {
    let sandbox = Sandbox::signed_in_as_app();
    let clouds = sandbox.read("clouds.config");
    let port = sandbox.emulator.url().rsplit(':').next().unwrap().to_owned();
    sandbox.write("clouds.config", clouds.replace(&port, "1"));
    let proxy = "http://127.0.0.1:9";
    for (others, is_asked) in [
        ("localhost", false),
        ("other.example, .localhost", false),
        ("*", false),
        ("other.example", true),
        ("", true),
    ] {
        let mut command = sandbox.command(LOGIN_APP);
        let run = Run::of(command.env("HTTPS_PROXY", proxy).env("NO_PROXY", others));
        let run = run.exits(7).says("ERROR: Cannot connect to localhost: ");
        assert_eq!(run.stderr.contains(proxy), is_asked, "NO_PROXY={others}: {run:?}");
    }
}

#[test]
fn an_unreachable_service_is_reported() {
    let sandbox = Sandbox::signed_in_as_app();
    let clouds = sandbox.read("clouds.config");
    let port = sandbox.emulator.url().rsplit(':').next().unwrap().to_owned();
    sandbox.write("clouds.config", clouds.replace(&port, "1"));
    // Another host is another environment, whose tokens are not cached.
    let run = sandbox.login_app();
    run.exits(7).says("ERROR: Cannot connect to localhost: ");
    sandbox.write("clouds.config", clouds);
    drop(sandbox.azt(["account", "get-access-token"]).quiet());
}

#[test]
fn no_secret_is_sent_unencrypted() {
    let sandbox = Sandbox::signed_in_as_app();
    let clouds = sandbox.read("clouds.config");
    sandbox.write("clouds.config", clouds.replace("https://localhost", "http://login.example"));
    sandbox
        .login_app()
        .exits(1)
        .says("ERROR: The endpoint 'active_directory' of the cloud 'Emulator' leads to login.example without encryption");
}

/// Unencrypted requests to this machine bypass the proxy, which could read them.
#[test]
fn no_unencrypted_secret_goes_through_a_proxy() {
    let mut sandbox = Sandbox::signed_in_as_app();
    let nobody = || TcpListener::bind("127.0.0.1:0").unwrap();
    let (service, proxy) = (nobody(), nobody());
    let clouds = sandbox.read("clouds.config");
    let plain = format!("http://{}", service.local_addr().unwrap());
    let url = sandbox.emulator.url().trim_end_matches('/').to_owned();
    sandbox.write("clouds.config", clouds.replace(&url, &plain));
    let address = format!("http://{}", proxy.local_addr().unwrap());
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"] {
        sandbox.set(name, &address);
    }
    let (sender, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || service.incoming().try_for_each(|_| sender.send(())));
    let run = sandbox.login_app();
    let run = run.exits(7).says("ERROR: The connection to 127.0.0.1 broke");
    assert!(!run.stderr.contains(&address), "no proxy had to do with it: {run:?}");
    asked.recv().unwrap();
    proxy.set_nonblocking(true).unwrap();
    assert_eq!(proxy.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

fn answer(status: u16, headers: &[(&str, &str)]) -> Action {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Action::Answer { status, headers: headers.collect(), body: String::new() }
}

#[test]
fn transient_errors_are_retried() {
    let sandbox = Sandbox::signed_in_as_app();
    for action in [
        Action::Drop,
        Action::Truncate { keep: 100 },
        answer(500, &[]),
        answer(503, &[]),
        answer(429, &[("Retry-After", "1")]),
    ] {
        sandbox.emulator.clear_requests();
        sandbox.emulator.faults().push(Fault::on("/token", action.clone()).times(2));
        drop(sandbox.azt([&COLD[..], &["--account", APP]].concat()).quiet());
        assert_eq!(sandbox.requests().len(), 3, "{action:?}");
        sandbox.azt(["logout"]).success();
        sandbox.login_app().success();
    }
}

#[test]
fn permanent_errors_are_not_retried() {
    let sandbox = Sandbox::signed_in_as_app();
    for (action, exit, says, requests) in [
        (answer(429, &[("Retry-After", "60")]), 8, "Try again in 60 s.", 1),
        (answer(503, &[("Retry-After", "3600")]), 8, "Try again in 3600 s.", 1),
        (answer(400, &[]), 8, "HTTP 400", 1),
        (answer(502, &[]), 8, "HTTP 502", 3),
        (Action::Drop, 7, "The connection to localhost broke", 3),
    ] {
        sandbox.emulator.clear_requests();
        sandbox.emulator.faults().clear();
        sandbox.emulator.faults().push(Fault::on("/token", action.clone()));
        sandbox.azt(COLD).exits(exit).says(says);
        assert_eq!(sandbox.requests().len(), requests, "{action:?}");
    }
}

/// One of many tenants is throttled after the user has signed in.
#[test]
fn a_sign_in_survives_a_failing_resource_manager() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    for (path, action) in [
        ("/tenants", answer(503, &[])),
        ("/subscriptions", Action::Drop),
        ("/subscriptions", answer(503, &[])),
        ("/subscriptions", answer(429, &[("Retry-After", "1")])),
    ] {
        sandbox.emulator.faults().push(Fault::on(path, action.clone()).times(2));
        let run = sandbox.azt(["login", "--use-device-code"]).success();
        assert_eq!(run.json().as_array().unwrap().len(), 4, "{action:?}");
    }
    for (action, requests) in [(answer(429, &[("Retry-After", "60")]), 1), (answer(503, &[]), 3)] {
        sandbox.emulator.clear_requests();
        sandbox.emulator.faults().push(Fault::on("/tenants", action.clone()));
        sandbox.azt(["login", "--use-device-code"]).exits(8).says("/tenants answered HTTP ");
        let asked = sandbox.requests().into_iter().filter(|request| request == "GET /tenants");
        assert_eq!(asked.count(), requests, "{action:?}");
        sandbox.emulator.faults().clear();
    }
}

/// SDKs give up after ten seconds and discard later messages.
#[test]
fn a_silent_service_times_out_after_nine_seconds() {
    let sandbox = Sandbox::signed_in_as_app();
    sandbox.emulator.faults().push(Fault::on("/token", Action::Delay { milliseconds: 60_000 }));
    // azt ended by itself, not by this limit.
    let mut limited = std::process::Command::new("timeout");
    limited.arg("10").arg(env!("CARGO_BIN_EXE_azt")).args(COLD).env_clear().envs(sandbox.env());
    Run::of(&mut limited).exits(7).says("ERROR: No token came within 9 s: the service does not");
}
