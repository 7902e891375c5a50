//! docs/vault.md suffices to read a vault.

use std::collections::BTreeMap;
use std::process::Command;

use crate::support::*;
use crate::venv;

#[test]
fn an_implementation_from_the_docs_reads_every_record() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.login_app().success();
    for account in [ALICE, APP] {
        drop(sandbox.azt(["account", "get-access-token", "--account", account]).quiet());
    }
    let mut command = Command::new(venv::program("python"));
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/read_vault.py"))
        .arg(sandbox.file("azt"));
    let records = Run::of(&mut command).success().json();
    let exported = sandbox.azt(["cache", "export"]).exits(0).json();
    let mut kinds: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, record) in records.as_object().unwrap() {
        let (section, secret) = match &name[..2] {
            "at" => ("AccessToken", "secret"),
            "rt" => ("RefreshToken", "secret"),
            "id" => ("IdToken", "secret"),
            "ac" => ("Account", "local_account_id"),
            "sp" => ("ServicePrincipal", "client_secret"),
            other => panic!("{other}"),
        };
        kinds.insert(section, secret);
        let rows = exported[section].as_object().unwrap();
        assert!(record[secret].is_string(), "{name}: {record}");
        assert!(rows.values().any(|row| row[secret] == record[secret]), "{name}: {record}");
    }
    assert_eq!(kinds.len(), 5, "one of each kind: {kinds:?}");
    let exported: usize = kinds.keys().map(|it| exported[it].as_object().unwrap().len()).sum();
    assert_eq!(records.as_object().unwrap().len(), exported);
}
