//! `azt cache export` and `import`: nothing is lost, and nothing useless is imported.

use serde_json::json;

use crate::support::*;

/// A table or tsv of it would be an empty line, and the exported cache would be lost.
#[test]
fn an_export_to_standard_output_is_json_by_default() {
    let mut sandbox = Sandbox::signed_in_as_app();
    let export = ["cache", "export"];
    let expected = sandbox.azt(export).exits(0).stdout;
    assert!(expected.contains(APP_SECRET));
    for format in ["table", "tsv", "none", "yaml", "jsonc", "no format at all"] {
        sandbox.set("AZURE_CORE_OUTPUT", format);
        drop(sandbox.azt(export).exits(0).prints(&expected));
    }
    sandbox.unset("AZURE_CORE_OUTPUT");
    drop(sandbox.azt(["config", "set", "core.output=table"]).quiet());
    drop(sandbox.azt(export).exits(0).prints(&expected));
    // An explicit option wins.
    let one = sandbox.azt(["cache", "export", "-o", "tsv", "--query", "keys(@)[0]"]).exits(0);
    drop(one.prints("AccessToken\n"));
    let none = sandbox.azt(["cache", "export", "--query", "Account"]).exits(0);
    assert_eq!(none.json(), json!({}));
}

/// Replacing a pipe by a file would leave its reader waiting forever.
#[cfg(unix)]
#[test]
fn an_export_writes_into_a_pipe() {
    use std::os::unix::fs::{FileTypeExt, symlink};

    let sandbox = Sandbox::signed_in_as_app();
    let pipe = sandbox.root().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let (link, folder) = (sandbox.root().join("link"), sandbox.root().join("folder"));
    symlink(&pipe, &link).unwrap();
    std::fs::create_dir(&folder).unwrap();
    for path in [&pipe, &link, &folder] {
        let run = sandbox.azt(["cache", "export", "--file", path.to_str().unwrap()]).exits(1);
        let said = format!("ERROR: {} is not a regular file.\n", path.display());
        drop(run.says(&said).says("leave --file out and pipe standard output."));
    }
    assert!(std::fs::metadata(&link).unwrap().file_type().is_fifo());
}

/// A default account that cannot get a token is worse than none.
#[test]
fn an_account_of_another_client_only_is_not_listed() {
    let sandbox = Sandbox::signed_in_as_alice();
    let mut cache = sandbox.azt(["cache", "export"]).exits(0).json();
    for token in cache["RefreshToken"].as_object_mut().unwrap().values_mut() {
        token["client_id"] = json!("dddddddd-0000-4000-8000-000000000004");
        token["family_id"] = json!(null);
    }
    cache["AccessToken"] = json!({});
    drop(sandbox.azt(["account", "clear"]).success());
    let file = sandbox.root().join("of another client.json");
    std::fs::write(&file, cache.to_string()).unwrap();
    let import = ["cache", "import", "--file", file.to_str().unwrap()];
    let run = sandbox.azt(import).exits(0).prints("[]\n");
    let run = run.says("WARNING: 1 rows were skipped").says("of another program's client");
    drop(run.says(&format!("of their refresh tokens: {ALICE}. To sign in, run: azt login")));
    assert_eq!(sandbox.azt(["account", "list"]).exits(0).json(), json!([]));
}

/// An empty variable or a mistyped name must not overwrite a good file.
#[test]
fn an_export_that_matches_no_account_fails() {
    let sandbox = Sandbox::signed_in_as_app();
    let file = sandbox.root().join("moved.json");
    let path = file.to_str().unwrap();
    sandbox.azt(["cache", "export", "--file", path]).exits(0);
    let before = std::fs::read_to_string(&file).unwrap();
    let nobody = sandbox.azt(["cache", "export", "--account", "", "--file", path]).exits(2);
    nobody.says("ERROR: argument --account: its value is empty");
    let name = "alcie@contoso.example";
    let run = sandbox.azt(["cache", "export", "--account", name, "--file", path]).exits(4);
    run.says(&format!("ERROR: Nothing is stored for '{name}'."));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    sandbox.azt(["cache", "export", "--account", APP, "--file", path]).exits(0);
}
