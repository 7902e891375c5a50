//! Claims challenges, consent, and the on-behalf-of flow.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use entra_emulator::{Action, Fault};

use crate::support::*;

const PORTAL: &str = "a1000000-0000-4000-8000-000000000004";
const CHALLENGE: &str = r#"{"access_token":{"acrs":{"essential":true,"value":"p1"}}}"#;
const GRAPH: &str = "https://graph.microsoft.com";

#[test]
fn a_claims_challenge_gets_a_new_token_or_a_remedy() {
    let sandbox = Sandbox::signed_in_as_alice();
    let encoded = STANDARD.encode(r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#);
    let token = ["account", "get-access-token"];
    let before = sandbox.azt(token).quiet().text("accessToken");
    let after = sandbox.azt([&token[..], &["--claims", &encoded]].concat()).quiet();
    assert_ne!(before, after.text("accessToken"), "the refused token is not served");
    let sent = &sandbox.emulator.requests()[0].form["claims"];
    assert!(sent.contains(r#""nbf""#) && sent.contains(r#""CP1""#), "{sent}");
    assert_eq!(after.text("accessToken"), sandbox.azt(token).quiet().text("accessToken"));

    let encoded = STANDARD.encode(CHALLENGE);
    let run = sandbox.azt([&token[..], &["--claims", &encoded]].concat()).exits(5);
    let command = run.stderr.lines().last().unwrap().strip_prefix("azt ").unwrap().to_owned();
    let start = format!("login --tenant {CONTOSO} --claims-challenge ");
    assert!(command.starts_with(&start), "{command}");
    // The remedy works.
    sandbox.approve_as(ALICE);
    let words: Vec<&str> = command.split(' ').map(|word| word.trim_matches('"')).collect();
    sandbox.azt(words).success();
    drop(sandbox.azt([&token[..], &["--claims", &encoded]].concat()).quiet());
    sandbox.azt([&token[..], &["--claims", "%%"]].concat()).exits(2).says("--claims is not base64");
}

/// Continuous access evaluation applies to azt's own requests too.
#[test]
fn a_token_challenged_by_resource_manager_is_replaced() {
    let sandbox = Sandbox::signed_in_as_alice();
    let locations = ["account", "list-locations"];
    let asked = format!("GET /subscriptions/{PRODUCTION}/locations");
    sandbox.emulator.challenge_access_tokens();
    drop(sandbox.azt(locations).quiet());
    assert_eq!(sandbox.requests(), [&asked, "POST token refresh_token", &asked]);
    let sent = &sandbox.emulator.requests()[1].form["claims"];
    assert!(sent.contains(r#""nbf""#) && sent.contains(r#""CP1""#), "{sent}");
    drop(sandbox.azt(locations).quiet());
    assert_eq!(sandbox.requests().len(), 4, "the refused token is kept no longer");
    sandbox.emulator.challenge_access_tokens();
    drop(sandbox.azt(["account", "tenant", "list"]).quiet());

    // A challenge that a refresh cannot satisfy.
    sandbox
        .emulator
        .settings_mut(|settings| settings.arm_authentication_context = Some("p1".into()));
    for args in [&locations[..], &["login", "--tenant", CONTOSO]] {
        let run = sandbox.azt(args).exits(5);
        let command = run.stderr.lines().last().unwrap().strip_prefix("azt ").unwrap();
        assert!(
            command.starts_with(&format!("login --tenant {CONTOSO} --claims-challenge ")),
            "{run:?}"
        );
        let (_, challenge) = command.split_once(" --claims-challenge ").unwrap();
        let challenge = STANDARD.decode(challenge.trim_matches('"')).unwrap();
        assert!(String::from_utf8(challenge).unwrap().contains("acrs"), "{run:?}");
        // The remedy works.
        let words: Vec<&str> = command.split(' ').map(|word| word.trim_matches('"')).collect();
        sandbox.azt(words).success();
        drop(sandbox.azt(locations).quiet());
    }
}

#[test]
fn a_challenge_during_a_sign_in_is_answered() {
    let sandbox = Sandbox::new();
    let claims = STANDARD.encode(r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#);
    let challenge = format!("Bearer error=\"insufficient_claims\", claims=\"{claims}\"");
    let headers = [("WWW-Authenticate".to_owned(), challenge)].into();
    let challenge = Action::Answer { status: 401, headers, body: String::new() };
    // The refused token is not sent again.
    sandbox.approve_as(ALICE);
    sandbox.emulator.faults().push(Fault::on("/tenants", challenge.clone()).times(1));
    sandbox.azt(["login", "--use-device-code"]).success();
    let requests = sandbox.emulator.requests();
    let shown = |path: &str| {
        let calls = requests.iter().filter(move |request| request.path == path);
        calls.filter_map(|request| request.header("authorization")).collect::<Vec<_>>()
    };
    let (tenants, subscriptions) = (shown("/tenants"), shown("/subscriptions"));
    assert!(!subscriptions.contains(&tenants[0]) && subscriptions.contains(&tenants[1]));
    sandbox.emulator.clear_requests();

    let fault = Fault::on("/subscriptions", challenge);
    sandbox.emulator.faults().push(fault.clone().times(1));
    sandbox.login_app().success();
    let (token, list) = ("POST token client_credentials", "GET /subscriptions");
    assert_eq!(sandbox.requests(), [token, list, token, list]);
    assert!(sandbox.emulator.requests()[2].form["claims"].contains("nbf"));
    drop(sandbox.azt(["account", "get-access-token"]).quiet());
    assert_eq!(sandbox.requests().len(), 4, "the second token is kept");
    // Only once: a service that always challenges would loop.
    sandbox.emulator.faults().push(fault);
    sandbox.login_app().exits(5).says("/subscriptions answered HTTP 401.");
    assert_eq!(sandbox.requests().len(), 8);
}

/// az's switch for services that reject tokens of clients with the capability cp1.
#[test]
fn the_cp1_capability_can_be_switched_off() {
    let mut sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let token = ["account", "get-access-token", "--resource", GRAPH];
    for (disabled, announced) in [(Some("1"), false), (Some(""), false), (None, true)] {
        match disabled {
            Some(value) => sandbox.set("AZURE_IDENTITY_DISABLE_CP1", value),
            None => sandbox.unset("AZURE_IDENTITY_DISABLE_CP1"),
        }
        sandbox.emulator.clear_requests();
        sandbox.azt(["login", "--use-device-code"]).success();
        sandbox.login_app().success();
        drop(sandbox.azt([&token[..], &["--account", ALICE]].concat()).quiet());
        drop(sandbox.azt([&token[..], &["--account", APP]].concat()).quiet());
        let requests = sandbox.emulator.requests();
        let forms = requests.iter().filter(|it| it.path.ends_with("/token")).map(|it| &it.form);
        let claims: Vec<bool> =
            forms.map(|form| form.get("claims").is_some_and(|it| it.contains("CP1"))).collect();
        assert!(claims.len() >= 4 && claims.iter().all(|it| *it == announced), "{claims:?}");
    }
}

#[test]
fn missing_consent_names_the_sign_in_that_grants_it() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.emulator.directory_mut(|directory| {
        let graph = directory.resource_mut(GRAPH).unwrap();
        graph.consent_required = true;
        graph.consented.clear();
    });
    let scope = format!("{GRAPH}/User.Read");
    let token = ["account", "get-access-token", "--scope", &scope];
    let login = format!("login --tenant \"{CONTOSO}\" --scope \"{scope}\"");
    let plain = login.replace('"', "");
    sandbox.azt(token).exits(5).says("ERROR: AADSTS65001").says(&format!("\nazt {plain}\n"));
    sandbox.az(token).exits(1).says(&format!("az logout\naz {login}\n"));
    sandbox.approve_as(ALICE);
    sandbox.azt(["login", "--tenant", CONTOSO, "--scope", &scope]).success();
    drop(sandbox.azt(token).quiet());
}

#[test]
fn on_behalf_of_returns_the_callers_token() {
    let sandbox = Sandbox::signed_in_as_alice();
    let caller = sandbox
        .azt(["account", "get-access-token", "--resource", "api://contoso-portal"])
        .quiet()
        .text("accessToken");
    std::fs::write(sandbox.root().join("caller"), &caller).unwrap();
    let token = ["account", "get-access-token", "--resource", GRAPH, "--user-assertion", "@caller"];
    sandbox.azt(token).exits(1).says("Only an application can act on behalf of a user");

    let login = ["login", "--service-principal", "-u", PORTAL, "-p", "portal-secret-1"];
    let login = sandbox.azt([&login[..], &["-t", CONTOSO, "--allow-no-subscriptions"]].concat());
    drop(login.success());
    sandbox.azt(["account", "set", "-s", CONTOSO]).quiet();
    sandbox.emulator.clear_requests();
    let traded = sandbox.azt(token).quiet().text("accessToken");
    assert_eq!(sandbox.requests(), ["POST token jwt-bearer"]);
    let request = &sandbox.emulator.requests()[0].form;
    assert_eq!(request["requested_token_use"], "on_behalf_of");
    assert_eq!(request["assertion"], caller);
    let claims = claims_of(&traded);
    assert_eq!(claims["upn"], ALICE);
    assert_eq!(claims["appid"], PORTAL);
    assert_eq!(traded, sandbox.azt(token).quiet().text("accessToken"), "kept for this caller");
    assert_eq!(sandbox.requests().len(), 1);

    // Another caller gets another token, and the application's own differs from both.
    let own = sandbox.azt(&token[..4]).quiet().text("accessToken");
    assert_ne!(own, traded);
    std::fs::write(sandbox.root().join("caller"), format!("{caller}x")).unwrap();
    let is_callers = |run: Run| {
        let run = run.says("the user must send a new one, issued for this application.");
        assert!(!run.stderr.contains("azt login"), "{run:?}");
    };
    is_callers(sandbox.azt(token).exits(5).says("AADSTS50013"));
    for (error, code, exit) in [
        ("invalid_grant", 500_133, 5),
        ("invalid_request", 50_027, 6),
        ("invalid_grant", 50_173, 5),
    ] {
        sandbox.emulator.faults().push(Fault::on("/token", refusal(error, code, "")).times(1));
        is_callers(sandbox.azt(token).exits(exit));
    }
    for (error, code, says) in [
        ("invalid_grant", 65_001, "An administrator of the tenant must grant"),
        ("invalid_client", 700_027, "The application does not know this certificate"),
        ("invalid_client", 7_000_112, "The application is disabled: an administrator"),
        ("invalid_client", 50_999, "Check the application in Entra ID, then sign in again"),
    ] {
        sandbox.emulator.faults().push(Fault::on("/token", refusal(error, code, "")).times(1));
        let run = sandbox.azt(token).says(says);
        assert!(!run.stderr.contains("he user must"), "{run:?}");
    }
    sandbox.azt(["logout", "--username", PORTAL]).success();
    let left = std::fs::read_dir(sandbox.file("azt/records")).unwrap().count();
    sandbox.azt(["logout", "--username", ALICE]).success();
    assert!(left > 0);
    assert_eq!(std::fs::read_dir(sandbox.file("azt/records")).unwrap().count(), 0);
}

#[test]
fn on_behalf_of_reports_a_challenge_for_the_caller() {
    let sandbox = Sandbox::signed_in_as_alice();
    let caller = sandbox
        .azt(["account", "get-access-token", "--resource", "api://contoso-portal"])
        .quiet()
        .text("accessToken");
    let login = ["login", "--service-principal", "-u", PORTAL, "-p", "portal-secret-1"];
    let login = sandbox.azt([&login[..], &["-t", CONTOSO, "--allow-no-subscriptions"]].concat());
    drop(login.success());
    sandbox.azt(["account", "set", "-s", CONTOSO]).quiet();
    let token = [
        "account",
        "get-access-token",
        "--resource",
        GRAPH,
        "--user-assertion",
        &caller,
        "--claims",
        CHALLENGE,
    ];
    let run = sandbox.az(token).exits(1).says("az logout\naz login");
    assert!(!run.stderr.contains("The user must"), "az knows none: {run:?}");
    let run = sandbox.azt(token);
    let run = run.exits(5).says("The user must sign in again with this claims challenge");
    let challenge = STANDARD.decode(run.stderr.lines().last().unwrap()).unwrap();
    assert!(String::from_utf8(challenge).unwrap().contains("acrs"));
}

fn claims_of(jwt: &str) -> serde_json::Value {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let bytes = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}
