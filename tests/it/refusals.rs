//! Failed sign-ins: cause, remedy and exit code are right, and nothing is stored.

use entra_emulator::directory::NIGHTLY_BUILD_CERTIFICATE;
use entra_emulator::{Action, Fault};

use crate::browser::{interrupted_in_browser, login_with_browser};
use crate::support::*;

const NIGHTLY: &str = "a1000000-0000-4000-8000-000000000002";
const WORKFLOW: &str = "a1000000-0000-4000-8000-000000000003";
const BOB: &str = "bob@fabrikam.example";

/// The ways to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Browser,
    Code,
    Password,
    Secret,
    Certificate,
    Federated,
}

use Flow::{Browser, Certificate, Code, Federated, Password, Secret};

const PEOPLE: [Flow; 3] = [Browser, Code, Password];
const APPLICATIONS: [Flow; 3] = [Secret, Certificate, Federated];

/// Stands for a remedy that depends on the flow.
const OWN: &str = "own";

/// Stands for: the remedy must not suggest a browser.
const NOT_BROWSER: &str = "not with a browser";

impl Flow {
    /// Signs in to `tenant`.
    fn login(self, sandbox: &mut Sandbox, tenant: &str) -> Run {
        let (user, option, value) = match self {
            Browser => return login_with_browser(sandbox, &["--tenant", tenant]),
            Code => return sandbox.azt(["login", "--use-device-code", "--tenant", tenant]),
            Password => {
                return sandbox.azt(["login", "-u", ALICE, "-p", "Alice-password-1", "-t", tenant]);
            }
            Secret => (APP, "-p", APP_SECRET.to_owned()),
            Certificate => {
                let path = sandbox.root().join("n.pem");
                std::fs::write(&path, NIGHTLY_BUILD_CERTIFICATE).unwrap();
                (NIGHTLY, "--certificate", path.to_str().unwrap().to_owned())
            }
            Federated => {
                let issuer = "https://token.actions.githubusercontent.com";
                let subject = "repo:contoso/app:ref:refs/heads/main";
                (WORKFLOW, "--federated-token", sandbox.emulator.assertion(issuer, subject))
            }
        };
        sandbox.azt(["login", "--service-principal", "-u", user, option, &value, "-t", tenant])
    }
}

/// Asserts that no profile, token or secret is stored.
#[track_caller]
fn nothing_stays(sandbox: &Sandbox, why: &str) {
    assert!(!sandbox.file("azureProfile.json").exists(), "{why}");
    assert_eq!(
        std::fs::read_dir(sandbox.file("azt/records")).map_or(0, Iterator::count),
        0,
        "{why}"
    );
    for (path, content) in sandbox.all_files() {
        let text = String::from_utf8_lossy(&content).into_owned();
        for secret in [APP_SECRET, "Alice-password-1"] {
            assert!(!text.contains(secret), "{why}: {}", path.display());
        }
    }
}

#[test]
fn each_refusal_of_entra_has_its_remedy_in_every_flow() {
    // Error, AADSTS code, suberror; exit code; remedy.
    let cases = [
        ("invalid_grant", 50_076, "basic_action", 5, OWN),
        ("interaction_required", 50_079, "", 5, OWN),
        ("invalid_grant", 65_001, "consent_required", 5, OWN),
        ("invalid_grant", 70_008, "bad_token", 5, OWN),
        ("invalid_grant", 50_057, "user_disabled", 6, "The account is disabled: ask the"),
        ("invalid_grant", 53_003, "", 6, "Conditional Access forbids this sign-in: ask"),
        ("invalid_grant", 53_000, "", 6, "Conditional Access requires a managed device"),
        ("invalid_grant", 50_020, "", 5, "neither a member nor a guest of this tenant"),
        ("unauthorized_client", 700_016, "", 6, "The tenant has no such application"),
        ("invalid_request", 90_002, "", 6, "There is no such tenant in this cloud"),
        ("invalid_client", 7_000_222, "", 6, "The secret has expired: create a new one"),
        ("invalid_resource", 500_011, "", 6, "The tenant has no such resource"),
        ("invalid_request", 900_144, "", 6, NOT_BROWSER),
        ("temporarily_unavailable", 90_033, "", 8, ""),
    ];
    for flow in PEOPLE.into_iter().chain(APPLICATIONS) {
        let mut sandbox = Sandbox::new();
        sandbox.approve_as(ALICE);
        for (error, code, suberror, exit, cure) in cases {
            sandbox.emulator.faults().clear();
            let mut action = refusal(error, code, "The reason.");
            if let Action::EntraError { suberror: sent, .. } = &mut action {
                *sent = Some(suberror.to_owned());
            }
            sandbox.emulator.faults().push(Fault::on("/token", action).times(1));
            if flow == Code && error == "temporarily_unavailable" {
                // Polling continues after a transient error.
                continue;
            }
            let run = flow.login(&mut sandbox, CONTOSO);
            let why = format!("{flow:?} {code}: {}", run.stderr);
            assert_eq!(run.code, Some(exit), "{why}");
            assert!(run.stderr.contains(&format!("ERROR: AADSTS{code}: The reason.")), "{why}");
            let cure = match (cure, flow) {
                (OWN, Browser | Code) => "Sign in again with a browser: `azt login`",
                (OWN, Password) => "sign in with a browser or a code: omit --username",
                (OWN, _) if code == 65_001 => "An administrator of the tenant must grant the",
                (OWN, _) => "Check the application in Entra ID, then sign in again",
                (NOT_BROWSER, Browser | Code) => {
                    assert!(!run.stderr.contains("with a browser"), "{why}");
                    ""
                }
                (NOT_BROWSER, _) => "",
                (cure, _) => cure,
            };
            assert!(run.stderr.contains(cure), "{why}");
            let is_trouble = exit == 8;
            assert!(!is_trouble || !run.stderr.contains("sign in again"), "nobody can: {why}");
            assert_eq!(run.stdout, "");
            nothing_stays(&sandbox, &why);
        }
    }
}

#[test]
fn a_password_sign_in_that_needs_mfa_suggests_the_browser() {
    let mut sandbox = Sandbox::new();
    sandbox.emulator.directory_mut(|directory| {
        directory.user_mut(ALICE).unwrap().mfa_required_in.push(CONTOSO.to_owned());
    });
    let run = Password.login(&mut sandbox, CONTOSO).exits(5).says("ERROR: AADSTS50076");
    let run = run.says("sign in with a browser or a code: omit --username and --password");
    nothing_stays(&sandbox, &run.stderr);
    // The browser sign-in works.
    sandbox.approve_as(ALICE);
    login_with_browser(&mut sandbox, &["--tenant", CONTOSO]).success();
}

#[test]
fn a_wrong_or_federated_password_is_explained() {
    let mut sandbox = Sandbox::new();
    let wrong = ["login", "-u", ALICE, "-p", "wrong", "-t", CONTOSO];
    let run = sandbox.azt(wrong).exits(5).says("ERROR: AADSTS50126");
    nothing_stays(&sandbox, &run.says("User name or password is wrong.").stderr);
    let run = sandbox.az(wrong).exits(1);
    drop(
        run.says("Using authentication with username and password in the command line is")
            .says("az logout\naz login\n"),
    );

    let body = r#"{"account_type":"Federated","federation_protocol":"WSTrust","domain_name":"contoso.example"}"#;
    let action = answer(body);
    sandbox.emulator.faults().push(Fault::on("/common/userrealm/", action));
    sandbox.emulator.clear_requests();
    let run = Password.login(&mut sandbox, CONTOSO).exits(6);
    let run = run.says("A service of contoso.example (WSTrust) checks the password");
    nothing_stays(&sandbox, &run.says("Sign in with a browser or a code instead").stderr);
    let asked = sandbox.requests();
    assert_eq!(asked.len(), 1, "the password was not sent: {asked:?}");
}

#[test]
fn a_foreign_or_unknown_tenant_is_explained() {
    for flow in [Browser, Code] {
        let mut sandbox = Sandbox::new();
        sandbox.approve_as(BOB);
        let run = flow.login(&mut sandbox, CONTOSO).exits(5).says("ERROR: AADSTS50020");
        nothing_stays(&sandbox, &run.says("neither a member nor a guest of this tenant").stderr);
    }
    for flow in PEOPLE.into_iter().chain(APPLICATIONS).filter(|flow| *flow != Browser) {
        let mut sandbox = Sandbox::new();
        sandbox.approve_as(ALICE);
        let nowhere = "c0000000-0000-4000-8000-0000000000ff";
        let run = flow.login(&mut sandbox, nowhere);
        let run = run.exits(6).says("ERROR: AADSTS90002").says("There is no such tenant");
        nothing_stays(&sandbox, &run.stderr);
    }
}

#[test]
fn ctrl_c_stores_nothing() {
    let mut sandbox = Sandbox::new();
    let run = interrupted_in_browser(&mut sandbox);
    assert_eq!(run.code, Some(130), "{run:?}");
    nothing_stays(&sandbox, &run.says("ERROR: Cancelled. Nothing was changed.").stderr);
}

#[test]
fn a_declined_code_is_reported() {
    let sandbox = Sandbox::new();
    let action =
        refusal("authorization_declined", 70_018, "The end user denied the authorization request.");
    sandbox.emulator.faults().push(Fault::on("/token", action));
    let run = sandbox.azt(["login", "--use-device-code"]).exits(6).says("ERROR: AADSTS70018");
    nothing_stays(&sandbox, &run.says("The sign-in was declined").stderr);
}

#[test]
fn a_clock_ten_minutes_off_is_named_where_it_matters() {
    for flow in PEOPLE.into_iter().chain([Secret]) {
        for ahead in [600, -600] {
            let mut sandbox = Sandbox::new();
            sandbox.approve_as(ALICE);
            sandbox.emulator.settings_mut(|settings| settings.clock_offset = -ahead);
            flow.login(&mut sandbox, CONTOSO).success();
            drop(sandbox.azt(["account", "get-access-token"]).quiet());
        }
    }
    let mut sandbox = Sandbox::new();
    sandbox.emulator.settings_mut(|settings| settings.clock_offset = -600);
    let run = Certificate.login(&mut sandbox, CONTOSO).exits(6).says("ERROR: AADSTS700024");
    nothing_stays(
        &sandbox,
        &run.says("This machine's clock is 10 minutes ahead of that of localhost").stderr,
    );
    // Any other refusal mentions it too, as a possible cause.
    sandbox.emulator.settings_mut(|settings| settings.clock_offset = 600);
    let wrong = ["login", "--service-principal", "-u", APP, "-p", "wrong", "-t", CONTOSO];
    drop(sandbox.azt(wrong).exits(6).says("This machine's clock is 10 minutes behind that of"));
    assert!(!sandbox.az(wrong).stderr.contains("clock"), "az says nothing of clocks");
}

#[test]
fn an_unusable_device_code_is_refused() {
    let sandbox = Sandbox::new();
    for body in [
        r#"<html>"#,
        r#"{}"#,
        r#"{"device_code": "d", "user_code": "", "verification_uri": "https://x", "expires_in": 900}"#,
        r#"{"device_code": "d", "user_code": "AB", "verification_uri": "file:///x", "expires_in": 900}"#,
        r#"{"device_code": "d", "user_code": "", "verification_uri": "file:///x", "expires_in": 900}"#,
        r#"{"device_code": "d", "user_code": "AB", "verification_uri": "https://x", "expires_in": -1}"#,
    ] {
        let action = answer(body);
        sandbox.emulator.faults().push(Fault::on("/devicecode", action).times(1));
        let run = sandbox.azt(["login", "--use-device-code"]);
        let is_page = body.starts_with('<');
        assert_eq!(run.code, Some(if is_page { 7 } else { 8 }), "{body}: {run:?}");
        let said = if is_page { "a web page" } else { "sent an invalid device code" };
        nothing_stays(&sandbox, &run.says(said).stderr);
    }
}

/// RFC 8628 section 3.5: slow_down adds five seconds to the interval.
#[test]
fn slow_down_slows_polling() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    for error in ["authorization_pending", "slow_down"] {
        let action = refusal(error, 70_016, "Not yet.");
        sandbox.emulator.faults().push(Fault::on("/token", action).times(1));
    }
    let start = std::time::Instant::now();
    sandbox.azt(["login", "--use-device-code", "--tenant", CONTOSO]).success();
    let waited = start.elapsed().as_secs();
    assert!(waited > 7, "{waited} s");
    assert_eq!(sandbox.requests()[..4].iter().filter(|it| it.ends_with("device_code")).count(), 3);
}

#[test]
fn a_dropped_poll_is_retried() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    sandbox.emulator.faults().push(Fault::on("/token", Action::Drop).times(1));
    let start = std::time::Instant::now();
    sandbox.azt(["login", "--use-device-code", "--tenant", CONTOSO]).success();
    let waited = start.elapsed().as_secs();
    assert!(waited > 2, "twice as long after it: {waited} s");
    assert_eq!(
        sandbox.requests()[..3],
        ["POST devicecode", "POST token device_code", "POST token device_code"]
    );
}

#[test]
fn an_unused_device_code_expires() {
    let sandbox = Sandbox::new();
    let code = r#"{"device_code": "d", "user_code": "AB", "verification_uri": "https://x", "expires_in": 2, "interval": 1}"#;
    let answer = answer(code);
    sandbox.emulator.faults().push(Fault::on("/devicecode", answer));
    let pending = refusal("authorization_pending", 70_016, "Not yet.");
    sandbox.emulator.faults().push(Fault::on("/token", pending));
    let run = sandbox.azt(["login", "--use-device-code"]).exits(5);
    nothing_stays(
        &sandbox,
        &run.says("ERROR: The sign-in was not finished within 2 seconds.").stderr,
    );
}

/// The first answer redeems the code, so a second poll could only fail with a misleading error.
#[test]
fn an_unusable_token_ends_polling() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let body = r#"{"access_token": "a.b.c", "token_type": "pop", "expires_in": 3600}"#;
    let action = entra_emulator::Action::Answer {
        status: 200,
        headers: [("content-type".to_owned(), "application/json".to_owned())].into(),
        body: body.to_owned(),
    };
    sandbox.emulator.faults().push(entra_emulator::Fault::on("/token", action));
    let run = sandbox.azt(["login", "--use-device-code"]).exits(8);
    drop(run.says("the token is not a bearer token"));
    let polls = sandbox.requests().iter().filter(|it| it.starts_with("POST token")).count();
    assert_eq!(polls, 1);
}
