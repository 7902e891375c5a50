//! User names of federated domains: the federation server checks the password (WS-Trust).

use std::collections::BTreeMap;
use std::path::Path;

use entra_emulator::{Action, Fault};
use serde_json::Value;

use crate::support::*;

const CAROL: &str = "carol@federated.example";
const PASSWORD: &str = "Carol-password-1";
const LOGIN: [&str; 5] = ["login", "-u", CAROL, "-p", PASSWORD];
const MEX: &str = "/adfs/services/trust/mex";
const TRUST_13: &str = "/adfs/services/trust/13/usernamemixed";
const TRUST_2005: &str = "/adfs/services/trust/2005/usernamemixed";

/// The requests up to the first one for tenants and subscriptions.
fn sign_in_requests(sandbox: &Sandbox) -> Vec<String> {
    sandbox.requests().into_iter().take_while(|it| !it.starts_with("GET /tenants")).collect()
}

#[test]
fn a_federated_user_signs_in_with_a_password() {
    let sandbox = Sandbox::new();
    let listed = sandbox.azt(LOGIN).success().json();
    assert_eq!(listed[0]["user"], serde_json::json!({"name": CAROL, "type": "user"}));
    assert_eq!(listed[0]["name"], "Contoso Production");
    assert_eq!(
        sign_in_requests(&sandbox),
        [
            "GET /common/userrealm/carol%40federated.example",
            "GET /adfs/services/trust/mex",
            "POST /adfs/services/trust/13/usernamemixed",
            "POST token saml1_1-bearer",
        ]
    );
    for (path, _) in sandbox.all_files() {
        let text = std::fs::read(&path).unwrap();
        assert!(!String::from_utf8_lossy(&text).contains(PASSWORD), "{}", path.display());
    }
    // Later tokens come from the refresh token, as everywhere.
    sandbox.emulator.clear_requests();
    let vault = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
    drop(sandbox.azt(vault).quiet());
    assert_eq!(sandbox.requests(), ["POST token refresh_token"]);
}

#[test]
fn each_endpoint_and_each_version_of_saml_works() {
    for (trust13, saml2, path, grant) in [
        (true, true, TRUST_13, "saml2-bearer"),
        (false, false, TRUST_2005, "saml1_1-bearer"),
        (false, true, TRUST_2005, "saml2-bearer"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.emulator.settings_mut(|settings| {
            settings.federation.trust13 = trust13;
            settings.federation.saml2 = saml2;
        });
        sandbox.azt(LOGIN).success();
        let requests = sign_in_requests(&sandbox);
        assert_eq!(requests[2..], [format!("POST {path}"), format!("POST token {grant}")]);
    }
}

#[test]
fn a_password_may_have_any_characters() {
    let sandbox = Sandbox::new();
    let password = "</wsse:Password>&amp;\"'<!--]]>é😀 \t&#0; =+%26";
    sandbox.emulator.directory_mut(|directory| {
        directory.user_mut(CAROL).unwrap().password = password.to_owned();
    });
    sandbox.azt(["login", "-u", CAROL, "-p", password]).success();
}

/// Entra names the endpoint itself where the server has no metadata.
#[test]
fn metadata_may_be_missing() {
    for path in [TRUST_13, TRUST_2005] {
        let sandbox = Sandbox::new();
        let url = sandbox.emulator.url();
        realm(&sandbox, &format!(r#""federation_active_auth_url":"{url}{path}""#));
        sandbox.azt(LOGIN).success();
        assert_eq!(sign_in_requests(&sandbox)[1], format!("POST {path}"));
    }
}

/// The metadata has the endpoints, so the other address that Entra names is not needed.
#[test]
fn an_unusable_address_beside_good_metadata_is_ignored() {
    for url in ["http://sts.example/trust", "x", "file:///etc/passwd"] {
        let sandbox = Sandbox::new();
        let mex = format!("{}{MEX}", sandbox.emulator.url());
        let members =
            format!(r#""federation_metadata_url":"{mex}","federation_active_auth_url":"{url}""#);
        realm(&sandbox, &members);
        sandbox.azt(LOGIN).success();
        assert_eq!(sign_in_requests(&sandbox)[2], format!("POST {TRUST_13}"));
        let sandbox = Sandbox::new();
        realm(&sandbox, &format!(r#""federation_active_auth_url":"{url}""#));
        let run = sandbox.azt(LOGIN).exits(8);
        drop(run.says("An address of the federation server of federated.example "));
    }
}

/// The first endpoint in the metadata is at another host; a later one can be used.
#[test]
fn an_unusable_endpoint_hides_no_other_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/ws_trust");
    let mex = std::fs::read_to_string(folder.join("mex_other_host.xml")).unwrap();
    let (head, tail) = mex.split_once("<wsdl:port").unwrap();
    let (port, tail) = tail.split_once("</wsdl:port>").unwrap();
    for unusable in
        ["https://evil.example", "https://localhost:1", "https://user@localhost", "https://["]
    {
        let sandbox = Sandbox::new();
        let port = |origin: &str| {
            format!("<wsdl:port{}</wsdl:port>", port.replace("https://evil.example", origin))
        };
        let ports = port(unusable) + &port(sandbox.emulator.url());
        hostile(&sandbox, MEX, 200, [head, &ports, tail].concat());
        sandbox.azt(LOGIN).success();
        assert_eq!(sign_in_requests(&sandbox)[2], format!("POST {TRUST_13}"), "{unusable}");
    }
}

/// The next answers to user realm requests are of a federated domain, with these members.
fn realm(sandbox: &Sandbox, members: &str) {
    let body = format!(
        r#"{{"account_type":"Federated","domain_name":"federated.example","federation_protocol":"WSTrust",{members}}}"#
    );
    sandbox.emulator.faults().push(Fault::on("/userrealm/", answer(body)));
}

#[test]
fn a_wrong_password_is_refused_and_sent_once() {
    let sandbox = Sandbox::new();
    let wrong = ["login", "-u", CAROL, "-p", "hunter2-wrong"];
    let port = sandbox.emulator.url().trim_start_matches("https://").to_owned();
    let run = sandbox.azt(wrong).exits(5);
    let run = run
        .says(&format!("ERROR: {port} refused the password of {CAROL}: ID3242: The security token could not be authenticated or authorized."))
        .says(&format!("User name or password is wrong: check both with {port}, or sign in with a browser or a code: omit --username and --password."));
    assert!(!run.stderr.contains("hunter2"), "{run:?}");
    assert_eq!(sandbox.requests().len(), 3, "a wrong password locks accounts");
    // MSAL's text, which az prints above its traceback.
    sandbox.az(wrong).exits(1).says("ERROR: WsTrust server returned error in RSTR: {'reason': 'ID3242: The security token could not be authenticated or authorized.', 'code': 'a:FailedAuthentication'}\n");
    drop(sandbox.azt(["account", "show"]).exits(4));
}

#[test]
fn a_wrong_clock_is_named() {
    let sandbox = Sandbox::new();
    sandbox.emulator.settings_mut(|settings| settings.clock_offset = -3600);
    let run = sandbox.azt(LOGIN).exits(6);
    let run = run.says("refused the request: An error occurred when verifying security");
    drop(run.says("This machine's clock is 60 minutes ahead of that of localhost:"));
}

#[test]
fn a_domain_without_an_endpoint_for_passwords_is_named() {
    let sandbox = Sandbox::new();
    sandbox.emulator.settings_mut(|settings| settings.federation.active = false);
    let run = sandbox.azt(LOGIN).exits(6);
    let run = run.says("A service of federated.example (SAML20) checks the password, and accepts passwords only on its own page.");
    drop(run.says("Sign in with a browser or a code instead"));
    sandbox.emulator.settings_mut(|settings| {
        settings.federation.active = true;
        settings.federation.trust13 = false;
        settings.federation.trust2005 = false;
    });
    sandbox.azt(LOGIN).exits(6).says("has no endpoint for user names and passwords");
    sandbox.az(LOGIN).exits(1).says("ERROR: Unable to find wstrust endpoint from MEX.");
}

/// Entra names the host of the metadata. The metadata cannot send the password to another one.
#[test]
fn the_password_goes_only_to_a_host_that_entra_names() {
    for origin in ["https://evil.example", "https://localhost:1", "http://localhost:1"] {
        let sandbox = Sandbox::new();
        sandbox.emulator.settings_mut(|settings| {
            settings.federation.origin = Some(origin.to_owned());
        });
        let run = sandbox.azt(LOGIN);
        assert!([Some(6), Some(8)].contains(&run.code), "{origin}: {run:?}");
        assert_eq!(sandbox.requests().len(), 2, "{origin}: {run:?}");
    }
    for url in ["http://localhost:1/mex", "http://sts.example/mex", "file:///etc/passwd", "x"] {
        let sandbox = Sandbox::new();
        realm(&sandbox, &format!(r#""federation_metadata_url":"{url}""#));
        let run = sandbox.azt(LOGIN).exits(8);
        drop(run.says("An address of the federation server of federated.example "));
        assert_eq!(sandbox.requests().len(), 1, "{url}");
    }
}

#[test]
fn an_assertion_that_entra_refuses_is_entras_refusal() {
    let sandbox = Sandbox::new();
    sandbox.emulator.directory_mut(|directory| {
        directory.user_mut(CAROL).unwrap().mfa_required_in = vec![CONTOSO.to_owned()];
    });
    let run = sandbox.azt(LOGIN).exits(5).says("ERROR: AADSTS50076");
    drop(run.says("sign in with a browser or a code"));
}

/// One case of `tests/cases/ws_trust`: the file's name says which document it replaces.
#[test]
fn hostile_documents_are_refused_in_a_sentence() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/ws_trust");
    let expected = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: BTreeMap<String, Value> = serde_json::from_str(&expected).unwrap();
    let files = std::fs::read_dir(&folder).unwrap().map(|it| it.unwrap().file_name());
    let mut files: Vec<String> = files.map(|it| it.into_string().unwrap()).collect();
    files.retain(|name| name != "expected.json");
    files.sort_unstable();
    assert_eq!(files, expected.keys().cloned().collect::<Vec<_>>());
    for (name, case) in &expected {
        let sandbox = Sandbox::new();
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let text = text.replace("{url}", sandbox.emulator.url());
        let path = if name.starts_with("mex_") { MEX } else { TRUST_13 };
        let status = u16::try_from(case["status"].as_u64().unwrap_or(200)).unwrap();
        hostile(&sandbox, path, status, text);
        let run = sandbox.azt(LOGIN).exits(case["exit"].as_i64().unwrap() as i32);
        for said in case["says"].as_array().unwrap() {
            let said = said.as_str().unwrap();
            assert!(run.stderr.contains(said), "{name}: no '{said}' in {run:#?}");
        }
        assert!(!run.stderr.contains(PASSWORD), "{name}: {run:#?}");
        assert!(run.stderr.lines().count() <= 3, "{name}: {run:#?}");
        let requests = sandbox.requests();
        let last = if path == MEX { 2 } else { 3 };
        assert_eq!(requests.len(), last, "{name}: {requests:?}");
    }
}

fn hostile(sandbox: &Sandbox, path: &str, status: u16, body: String) {
    let headers = [("Content-Type".to_owned(), "application/soap+xml; charset=utf-8".to_owned())];
    let action = Action::Answer { status, headers: headers.into(), body };
    sandbox.emulator.faults().push(Fault::on(path, action));
}

/// Documents that are too large for a file.
#[test]
fn large_documents_are_cut_off() {
    let many = |word: &str| word.repeat((900 << 10) / word.len());
    let attributes: String = (0..90_000).map(|at| format!("a{at}='' ")).collect();
    let namespaces: String = (0..20_000).map(|at| format!("<a xmlns:b{at}='x'>")).collect();
    let nested: String = (0..1000).map(|at| format!("<a xmlns:b{at}='x'>")).collect();
    for (body, says) in [
        (format!("<a>{}</a>", "x".repeat(16 << 20)), "sent an answer of more than 1 MiB."),
        (format!("<a {attributes}/>"), "it has too many attributes"),
        (namespaces, "it has too many attributes"),
        (nested, "it declares too many namespaces"),
        (format!("<a>{}</a>", many("<b/>")), "nodes limit reached"),
        (many("<a>"), "is not valid in WS-Trust"),
    ] {
        for path in [MEX, TRUST_13] {
            let sandbox = Sandbox::new();
            hostile(&sandbox, path, 200, body.clone());
            sandbox.azt(LOGIN).exits(8).says(says);
        }
    }
}

/// A web page instead of XML is a portal's, as for all services.
#[test]
fn a_portal_of_the_network_is_named() {
    for page in ["<!DOCTYPE html><html><body>Sign in</body></html>", "\n<HTML>Sign in</HTML>"] {
        let sandbox = Sandbox::new();
        hostile(&sandbox, MEX, 200, page.to_owned());
        sandbox.azt(LOGIN).exits(7).says("answered with a web page");
    }
}

/// A server that repeats the password in its refusal, as it is and as XML writes it.
#[test]
fn an_echoed_password_is_masked() {
    let sandbox = Sandbox::new();
    let password = "pass&word<1>";
    let fault = format!(
        r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text xml:lang="en">no {0} and {0}</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>"#,
        "pass&amp;word&lt;1&gt;"
    );
    hostile(&sandbox, TRUST_13, 500, fault);
    let run = sandbox.azt(["login", "-u", CAROL, "-p", password, "--debug"]).exits(6);
    drop(run.says("refused the sign-in: no *** and ***"));
}
