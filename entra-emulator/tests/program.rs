//! The emulator as a program.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

#[test]
fn it_prints_its_addresses_and_uses_the_given_directory() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("program");
    std::fs::create_dir_all(&folder).unwrap();
    let (directory, ca) = (folder.join("directory.json"), folder.join("ca.pem"));
    let text = r#"{"tenants": [], "users": [{"username": "zoe@own.example", "password": "Zoe-1",
        "oid": "11111111-1111-4111-8111-111111111111", "displayName": "Zoe",
        "tenant": "22222222-2222-4222-8222-222222222222"}]}"#;
    std::fs::write(&directory, text).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_entra-emulator"))
        .args(["--port", "0", "--http-port", "0", "--directory"])
        .arg(&directory)
        .arg("--ca-file")
        .arg(&ca)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let text: Vec<String> =
        lines.map(Result::unwrap).take_while(|line| !line.starts_with("Interrupt")).collect();
    program.kill().unwrap();
    program.wait().unwrap();
    let text = text.join("\n");
    for part in [
        "https://localhost:",
        "http://127.0.0.1:",
        "zoe@own.example  password Zoe-1",
        "az cloud register --name Emulator --endpoint-resource-manager https://localhost:",
        ca.to_str().unwrap(),
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(std::fs::read_to_string(ca).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
}

#[test]
fn an_unreadable_directory_file_is_an_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_entra-emulator"))
        .args(["--port", "0", "--http-port", "0", "--directory", "/nowhere"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with("ERROR: cannot read /nowhere"), "{error}");
}
