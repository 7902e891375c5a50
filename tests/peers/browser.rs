//! Headless Chromium: the sign-in page, the form it posts, the last page.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::*;
use crate::venv;

/// Makes `login` open a Chromium that presses the button at this CSS selector. Returns the file
/// that receives the text of the last page.
fn chromium_pressing(sandbox: &mut Sandbox, button: &str) -> PathBuf {
    let report = sandbox.root().join("shown.json");
    let _ = std::fs::remove_file(&report);
    let script = sandbox.root().join("bin/browser");
    let text = format!(
        "#!/bin/sh\nexec {} {} '{button}' {} \"$1\"\n",
        venv::program("python").display(),
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/browse.py"),
        report.display(),
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.set("BROWSER", script.to_str().unwrap());
    sandbox.set("AZURE_CORE_LOGIN_TIMEOUT", "120");
    report
}

/// The text of the last page; Chromium writes it shortly after azt has ended.
fn shown(report: &std::path::Path) -> Value {
    for _ in 0..600 {
        if let Ok(text) = std::fs::read_to_string(report) {
            return serde_json::from_str(&text).unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("Chromium told nothing");
}

#[test]
fn a_user_signs_in_on_the_page() {
    let mut sandbox = Sandbox::new();
    let report = chromium_pressing(&mut sandbox, &format!("button[value=\"{ALICE}\"]"));
    let run = sandbox.azt(["login"]).exits(0);
    assert_eq!(run.json().as_array().unwrap().len(), 4);
    let shown = shown(&report);
    assert_eq!(shown["title"], "You are signed in");
    let text = shown["text"].as_str().unwrap();
    assert!(text.contains(&format!("Signed in as {ALICE}.")), "{text}");
    assert!(text.contains("You can close this window and go back to the terminal."), "{text}");
    let address = shown["address"].as_str().unwrap();
    assert!(address.ends_with('/') && !address.contains('?'), "no code in the history: {address}");
    drop(sandbox.azt(["account", "get-access-token"]).quiet());
}

#[test]
fn a_user_cancels_on_the_page() {
    let mut sandbox = Sandbox::new();
    let report = chromium_pressing(&mut sandbox, "button[name=cancel]");
    sandbox.azt(["login"]).exits(6).says("ERROR: AADSTS65004").says("was declined in the browser");
    let shown = shown(&report);
    assert_eq!(shown["title"], "You are not signed in");
    assert!(shown["text"].as_str().unwrap().contains("Nothing was stored."), "{shown}");
    assert!(!sandbox.file("azureProfile.json").exists());
}
