//! Arguments are parsed as az parses them.

use crate::support::*;

#[test]
fn case_prefixes_and_attached_values_are_accepted() {
    let sandbox = Sandbox::signed_in_as_alice();
    let expected = sandbox.azt(["account", "show", "--query", "id", "-o", "tsv"]).quiet().stdout;
    for arguments in [
        &["Account", "SHOW", "--quer", "id", "--out", "TSV"][..],
        &["account", "show", "--query=id", "-otsv"],
        &["account", "show", "-o=tsv", "--query", "id"],
        &["account", "show", "--output=json", "--query", "name", "--query", "id", "--output=tsv"],
        &["account", "show", "-n", PRODUCTION, "--query", "id", "-o", "tsv"],
        &["account", "show", "--name", "contoso production", "--query", "id", "-o", "tsv"],
    ] {
        sandbox.azt(arguments).quiet().prints(&expected);
    }
}

#[test]
fn scopes_end_at_the_next_option() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox
        .azt([
            "account",
            "get-access-token",
            "--scope",
            "https://graph.microsoft.com/User.Read",
            "https://graph.microsoft.com/Mail.Read",
            "-o=json",
        ])
        .quiet();
    let sent = sandbox.emulator.requests()[0].form["scope"].clone();
    assert_eq!(
        sent,
        "https://graph.microsoft.com/Mail.Read https://graph.microsoft.com/User.Read offline_access openid profile"
    );
}

#[test]
fn an_argument_can_be_read_from_a_file() {
    let sandbox = Sandbox::signed_in_as_alice();
    let path = sandbox.root().join("name.txt");
    for content in [
        b"contoso production\r\n".to_vec(),
        b"\xef\xbb\xbfcontoso production\n\n".to_vec(),
        "\u{feff}contoso production".encode_utf16().flat_map(u16::to_le_bytes).collect(),
    ] {
        std::fs::write(&path, content).unwrap();
        let argument = format!("@{}", path.display());
        assert_eq!(
            sandbox.azt(["account", "show", "-s", &argument]).quiet().text("id"),
            PRODUCTION
        );
        let argument = format!("--subscription={argument}");
        assert_eq!(sandbox.azt(["account", "show", &argument]).quiet().text("id"), PRODUCTION);
    }
    // A setting's value too.
    std::fs::write(&path, "production\n").unwrap();
    drop(
        sandbox
            .azt(["config", "set", "defaults.group=@name.txt", "a.b=@none", "c.d=x=@name.txt"])
            .success(),
    );
    let set = sandbox.read("config");
    for line in ["group = production\n", "b = @none\n", "d = x=@name.txt\n"] {
        assert!(set.contains(line), "{set}");
    }
    sandbox
        .azt(["account", "show", "-s", "@no-such-file"])
        .exits(1)
        .says("Subscription '@no-such-file' not found");
    // An existing file is read; its name is not sent as the secret.
    if cfg!(unix) {
        let endless = ["account", "show", "-s", "@/dev/zero"];
        drop(sandbox.azt(endless).exits(1).says("Cannot read /dev/zero: it is over 64 MiB."));
        drop(sandbox.az(endless).exits(1).says("Subscription '@/dev/zero' not found"));
    }
}

#[test]
fn usage_errors_have_argparses_text_and_code_2() {
    let sandbox = Sandbox::without_cloud();
    for (arguments, message) in [
        (&["account"][..], "the following arguments are required: _subcommand"),
        (
            &["account", "lst"],
            "'lst' is misspelled or not recognized by the system.\nDid you mean 'list' ?",
        ),
        (&["nonsense"], "'nonsense' is misspelled or not recognized by the system."),
        (&["account", "set"], "the following arguments are required: --subscription/-s/--name/-n"),
        (&["cloud", "set"], "the following arguments are required: --name/-n"),
        (&["account", "show", "-s"], "argument --subscription/-s/--name/-n: expected one argument"),
        (
            &["account", "list", "-o", "foo"],
            "az account list: 'foo' is not a valid value for '--output'. Allowed values: json, jsonc, yaml, yamlc, table, tsv, none.",
        ),
        (&["account", "list", "extra"], "unrecognized arguments: extra"),
        (&["account", "get-access-token", "--s", "x"], "ambiguous option: --s could match "),
        (&["-o", "table", "account", "show"], ""),
    ] {
        let run = sandbox.az(arguments).exits(2).says(&format!("ERROR: {message}"));
        assert!(
            run.stderr.ends_with(
                "\nhttps://aka.ms/cli_ref\nRead more about the command in reference docs\n"
            ),
            "{run:?}"
        );
    }
}

#[test]
fn help_takes_precedence_over_errors() {
    let sandbox = Sandbox::without_cloud();
    for arguments in [
        &["account", "set", "--nonsense", "-h"][..],
        &["account", "set", "-o", "foo", "--help"],
        &["ACCOUNT", "set", "--help"],
    ] {
        let run = sandbox.azt(arguments).quiet();
        assert!(run.stdout.contains("Usage: azt account set"), "{run:?}");
    }
    let bare = sandbox.azt([] as [&str; 0]).quiet().stdout;
    for arguments in [&["--help"][..], &["-h"], &["help"]] {
        sandbox.azt(arguments).quiet().prints(&bare);
    }
    let as_az = sandbox.az(["account", "get-access-token", "--help"]).quiet().stdout;
    assert!(as_az.contains("Usage: az account get-access-token") && !as_az.contains("azt"));
}

#[test]
fn version_prints_what_callers_parse() {
    let sandbox = Sandbox::without_cloud();
    let run = sandbox.az(["version", "-o=json"]).quiet();
    assert_eq!(
        run.stdout,
        "{\n  \"azure-cli\": \"2.91.0\",\n  \"azure-cli-core\": \"2.91.0\",\n  \"azure-cli-telemetry\": \"1.1.0\",\n  \"extensions\": {}\n}\n"
    );
    sandbox.az(["version", "-o", "tsv"]).quiet().prints("2.91.0\t2.91.0\t1.1.0\t\n");
    assert!(
        sandbox
            .az(["--version"])
            .quiet()
            .stdout
            .starts_with("azure-cli                         2.91.0\n")
    );
    assert!(sandbox.azt(["--version"]).quiet().stdout.starts_with("azt 0."));
    assert_eq!(sandbox.azt(["version"]).quiet().text("azt"), env!("CARGO_PKG_VERSION"));
}

#[test]
fn verbose_and_only_show_errors_exclude_each_other() {
    let sandbox = Sandbox::without_cloud();
    sandbox
        .azt(["account", "list", "--only-show-errors", "--debug"])
        .exits(2)
        .says("--only-show-errors can't be used together with --debug or --verbose");
}

#[test]
fn a_closed_pipe_is_no_failure() {
    use std::process::{Command, Stdio};
    let sandbox = Sandbox::signed_in_as_alice();
    let mut child = sandbox
        .command(["account", "list", "--all"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let run = Run::from(child.wait_with_output().unwrap());
    run.quiet();
    // A shell pipeline, as the SDKs use it.
    let script = format!("'{}' account list --all | head -c 1", env!("CARGO_BIN_EXE_azt"));
    let output =
        Command::new("/bin/sh").args(["-c", &script]).env_clear().envs(sandbox.env()).output();
    assert_eq!(String::from_utf8(output.unwrap().stderr).unwrap(), "");
}

#[test]
fn arguments_after_the_separator_are_not_read_as_options() {
    let sandbox = Sandbox::signed_in_as_alice();
    let name = sandbox.root().join("name.txt");
    std::fs::write(&name, "contents").unwrap();
    let from_file = format!("section.name=@{}", name.display());
    drop(sandbox.azt(["config", "set", "--", &from_file, "section.help=--help"]).quiet());
    let settings = sandbox.read("config");
    assert!(settings.contains(from_file.trim_start_matches("section.name=")), "{settings}");
    assert!(settings.contains("help = --help"), "{settings}");
    // az reads files there too.
    drop(sandbox.az(["config", "set", "--", &from_file]).success());
    assert!(sandbox.read("config").contains("name = contents"));
    for word in ["--help", "-h", "--error-format=json"] {
        let run = sandbox.azt(["account", "show", "--", word]).exits(2);
        run.says(&format!("ERROR: unrecognized arguments: -- {word}"));
    }
}
