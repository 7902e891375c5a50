//! What others keep is changed with care: az's own files, and the cache of Azure's SDKs.

use std::fs::File;

use serde_json::{Value, json};

use crate::support::*;

const CACHE: &str = "msal_token_cache.json";
const APPLICATIONS: &str = "service_principal_entries.json";
const COLD: [&str; 4] = ["account", "get-access-token", "--resource", "https://vault.azure.net"];

/// A machine that shares with az, where Alice and the application are signed in.
fn sharing() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.set("AZURE_CORE_SHARE_WITH_AZ", "true");
    sandbox.approve_as(ALICE);
    sandbox.login_app().success();
    sandbox.azt(["login", "--use-device-code"]).success();
    sandbox
}

/// Puts what cannot be read in the place of `name`: a file that is too large.
fn make_unreadable(sandbox: &Sandbox, name: &str) -> u64 {
    let size = 64 * 1024 * 1024 + 1;
    File::create(sandbox.file(name)).unwrap().set_len(size).unwrap();
    size
}

#[test]
fn a_file_of_azs_that_cannot_be_read_is_not_replaced() {
    let sandbox = sharing();
    let size = |name: &str| std::fs::metadata(sandbox.file(name)).unwrap().len();
    let kept = make_unreadable(&sandbox, CACHE);
    make_unreadable(&sandbox, APPLICATIONS);
    let run = sandbox.azt(["login", "--use-device-code"]).exits(0);
    drop(run.says("WARNING: The real az was not told of this sign-in").says("it is over 64 MiB"));
    let run = sandbox.login_app().exits(0);
    drop(run.says("WARNING: The real az was not told of this sign-in").says(APPLICATIONS));
    drop(sandbox.azt([&COLD[..], &["--account", ALICE]].concat()).quiet());
    let run = sandbox.azt(["logout", "--username", ALICE]).exits(1);
    drop(run.says("Cannot read").says(CACHE));
    let left = sandbox.azt(["cache", "list", "--query", "[?type=='account']"]).quiet();
    assert_eq!(left.json(), json!([]), "here Alice is signed out");
    assert_eq!((size(CACHE), size(APPLICATIONS)), (kept, kept));
    // With them out of the way it goes on.
    std::fs::remove_file(sandbox.file(CACHE)).unwrap();
    std::fs::remove_file(sandbox.file(APPLICATIONS)).unwrap();
    drop(sandbox.azt(["logout", "--username", ALICE]).quiet());
}

/// Others' refresh tokens may be in it, and nowhere else.
#[test]
fn a_sign_out_does_not_write_over_what_it_cannot_read() {
    let sandbox = sharing();
    let (cache, applications) = (sandbox.read(CACHE), sandbox.read(APPLICATIONS));
    for text in [format!("{cache}}}\n"), cache[..cache.len() / 2].to_owned(), "[]".to_owned()] {
        sandbox.write(CACHE, &text);
        sandbox.write(APPLICATIONS, &applications);
        let run = sandbox.azt(["logout", "--username", APP]).exits(1);
        drop(run.says(CACHE).says("mend it or move it away, and try again"));
        assert_eq!(sandbox.read(CACHE), text);
        assert!(!sandbox.read(APPLICATIONS).contains(APP), "the other file is done all the same");
    }
    sandbox.write(CACHE, "");
    sandbox.write(APPLICATIONS, "{}");
    drop(sandbox.azt(["logout", "--username", APP]).exits(1).says(APPLICATIONS));
    assert_eq!((sandbox.read(CACHE), sandbox.read(APPLICATIONS)), (String::new(), "{}".to_owned()));
    sandbox.write(APPLICATIONS, "");
    drop(sandbox.azt(["logout", "--username", APP]).quiet());
    // A sign-in puts back everybody that the vault has.
    sandbox.write(CACHE, "{\"Account\": {");
    sandbox.azt(["login", "--use-device-code"]).success();
    let cache: Value = serde_json::from_str(&sandbox.read(CACHE)).unwrap();
    assert_eq!(cache["RefreshToken"].as_object().unwrap().len(), 1);
}
