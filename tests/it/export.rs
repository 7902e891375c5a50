//! `azt cache export`: whatever is set and wherever it goes, nothing of it is lost.

use serde_json::json;

use crate::support::*;

/// A table or a tsv of it would be an empty line, and a cache that was moved would be gone.
#[test]
fn standard_output_gets_json_whatever_the_settings_say() {
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
    // What the call itself asks for is what it gets.
    let one = sandbox.azt(["cache", "export", "-o", "tsv", "--query", "keys(@)[0]"]).exits(0);
    drop(one.prints("AccessToken\n"));
    let none = sandbox.azt(["cache", "export", "--query", "Account"]).exits(0);
    assert_eq!(none.json(), json!({}));
}
