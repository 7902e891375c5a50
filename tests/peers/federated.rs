//! The real msal signs users of a federated domain in at the emulator's federation server, so that
//! this server demands and answers what AD FS does.

use std::path::Path;
use std::process::Command;

use entra_emulator::Federation;
use serde_json::Value;

use crate::own_network::{again_in_own_network, emulator_at_443};
use crate::support::*;
use crate::venv;

const CAROL: &str = "carol@federated.example";

fn msal(sandbox: &Sandbox, password: &str) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/federated.py");
    let mut command = Command::new(venv::program("python"));
    command
        .arg(script)
        .args([CAROL, password, "https://vault.azure.net/.default"])
        .env_clear()
        .envs(sandbox.env());
    Run::of(&mut command).success().json()
}

#[test]
fn msal_and_azt_sign_in_alike() {
    if again_in_own_network("federated::msal_and_azt_sign_in_alike") {
        return;
    }
    let sandbox = Sandbox::at(emulator_at_443());
    let trust = |sandbox: &Sandbox| -> Vec<String> {
        let requests = sandbox.requests().into_iter();
        requests.filter(|it| it.contains("/trust/") || it.contains("-bearer")).collect()
    };
    for (trust13, saml2) in [(true, false), (true, true), (false, false), (false, true)] {
        sandbox.emulator.settings_mut(|settings| {
            settings.federation = Federation { trust13, saml2, ..Federation::default() };
        });
        sandbox.emulator.clear_requests();
        let result = msal(&sandbox, "Carol-password-1");
        assert!(result["token"].is_string() && result["username"] == CAROL, "{result}");
        let theirs = (trust(&sandbox), form(&sandbox));
        sandbox.emulator.clear_requests();
        drop(sandbox.azt(["login", "-u", CAROL, "-p", "Carol-password-1"]).success());
        assert_eq!(theirs.0.len(), 3);
        assert_eq!((trust(&sandbox), form(&sandbox)), theirs);
    }
    let wrong = msal(&sandbox, "wrong");
    let said = "WsTrust server returned error in RSTR: {'reason': 'ID3242: The security token could not be authenticated or authorized.', 'code': 'a:FailedAuthentication'}";
    assert_eq!(wrong["failure"], said);
    sandbox.az(["login", "-u", CAROL, "-p", "wrong"]).exits(1).says(said);
    sandbox.emulator.settings_mut(|settings| {
        settings.federation.trust2005 = false;
    });
    let nowhere = msal(&sandbox, "Carol-password-1");
    let said = nowhere["failure"].as_str().unwrap();
    sandbox.az(["login", "-u", CAROL, "-p", "Carol-password-1"]).exits(1).says(said);
}

/// The names of the parameters with which the assertion is exchanged. azt announces its
/// capabilities too, as az does, but not this script.
fn form(sandbox: &Sandbox) -> Vec<String> {
    let requests = sandbox.emulator.requests();
    let is_exchange = |grant: &str| grant.ends_with("-bearer");
    let exchange = requests.iter().find(|it| it.grant_type().is_some_and(is_exchange)).unwrap();
    exchange.form.keys().filter(|name| *name != "claims").cloned().collect()
}
