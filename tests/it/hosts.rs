//! The hosts that get tokens: `azt hosts`, `--for`, and the shapes that their programs take.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::*;

const PG: &str = "db.postgres.database.azure.com";

fn text_of(sandbox: &Sandbox, words: &[&str]) -> String {
    sandbox.azt([&["token"], words].concat()).quiet().stdout
}

#[test]
fn the_table_is_listed_and_explained() {
    let sandbox = Sandbox::signed_in_as_alice();
    let list = sandbox.azt(["hosts", "-o", "json"]).quiet().json();
    let row = |pattern: &str| {
        list.as_array().unwrap().iter().find(|row| row["pattern"] == pattern).cloned().unwrap()
    };
    assert_eq!(row("*.vault.azure.net")["audience"], "https://vault.azure.net");
    assert_eq!(row("dev.azure.com")["audience"], "499b84ac-1321-427f-aa17-267ca6975798");
    let table = sandbox.azt(["hosts"]).quiet().stdout;
    assert!(table.lines().any(|line| line.starts_with("*.vault.azure.net ")), "{table}");
    let why =
        sandbox.azt(["hosts", "explain", "https://a.vault.azure.net/secrets/x", "-o", "json"]);
    let why = why.quiet().json();
    assert_eq!(why["pattern"], "*.vault.azure.net");
    assert_eq!(why["audience"], "https://vault.azure.net");
    assert_eq!(why["account"], ALICE);
    assert_eq!(sandbox.requests(), [] as [String; 0], "nothing is asked for");
    let named = sandbox.azt(["hosts", "explain", "vault"]).quiet().stdout;
    assert_eq!(named, "The service vault gets a token for https://vault.azure.net.\n");
    drop(sandbox.azt(["hosts", "explain"]).exits(2));
    drop(sandbox.azt(["hosts", "explain", "vault.azure.net.evil.example"]).exits(6));
}

#[test]
fn tokens_are_for_hosts_of_the_table_alone() {
    let sandbox = Sandbox::signed_in_as_app();
    for what in [
        "https://vault.azure.net.evil.example/",
        "https://a.vault.azure.net.evil.example/",
        "https://evilvault.azure.net/",
        "https://evil.example/https://a.vault.azure.net",
        "https://a.vault.azure.net@evil.example/",
        "http://a.vault.azure.net/",
        "https://a.vault.azure.net:8443/",
        "ftp.evil.example",
        "evil.example",
        "ftp://a.vault.azure.net/",
        "redis://x.redis.cache.windows.net/",
        "postgres=$(id).postgres.database.azure.com",
        "a;b.vault.azure.net",
        "postgres=evil.example",
        "postgres=db.mysql.database.azure.com",
        "mysql=db.postgres.database.azure.com",
        "postgres=a.vault.azure.net",
        "redis=db.postgres.database.azure.com",
        "nonsense",
        "github",
        "https://a.vault.azure.cn/",
    ] {
        let run = sandbox.azt(["token", "--for", what]);
        assert!(run.code != Some(0) && run.stdout.is_empty(), "{what}: {run:?}");
        assert!(run.stderr.starts_with("ERROR: "), "{what}: {run:?}");
    }
    assert_eq!(sandbox.requests(), [] as [String; 0]);
    drop(sandbox.azt(["token", "--for", "vault", "--resource", "x"]).exits(2));
    drop(sandbox.azt(["token", "--for", "vault", "vault"]).exits(2));
    drop(sandbox.azt(["token", "--for", "terraform"]).exits(2).says("azt exec"));
    let vault = text_of(&sandbox, &["vault"]);
    for what in ["vault", "a.vault.azure.net", "https://A.Vault.Azure.Net/keys/x?y=z#w"] {
        assert_eq!(text_of(&sandbox, &["--for", what]), vault, "{what}");
    }
    let env = |what: &str| text_of(&sandbox, &["--for", what, "--format", "env"]);
    for what in [
        "postgres=db.postgres.database.azure.com:5432",
        "postgresql://db.postgres.database.azure.com:5432/app",
    ] {
        assert!(env(what).starts_with("export PGHOST=db.postgres.database.azure.com\n"), "{what}");
    }
    assert!(env("x.mariadb.database.azure.com").starts_with("export MYSQL_HOST="));
}

#[test]
fn the_settings_add_hosts_and_choose_accounts() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.login_app().success();
    let set = |pair: &str| sandbox.azt(["config", "set", pair]);
    drop(set("host.*.corp.example.audience=api://contoso-payroll").quiet());
    drop(set(&format!("host.git.corp.example.account={APP}")).quiet());
    drop(set(&format!("host.dev.azure.com.account={ALICE}")).quiet());
    drop(set("host.corp.example:5000.audience=x").exits(2));
    drop(set("host.*.audience=x").exits(2).says("*. and a domain"));
    drop(set("host.corp.example.password=x").exits(2));
    let why = |host: &str| sandbox.azt(["hosts", "explain", host, "-o", "json"]).quiet().json();
    let git = why("https://git.corp.example/x");
    assert_eq!(
        (git["audience"].as_str(), git["account"].as_str()),
        (Some("api://contoso-payroll"), Some(APP))
    );
    assert_eq!(git["source"], "settings");
    assert_eq!(why("dev.azure.com")["account"], ALICE);
    drop(sandbox.azt(["hosts", "explain", "corp.example"]).exits(6));
    let own = sandbox.azt(["hosts", "-o", "json"]).quiet().json();
    assert!(own.as_array().unwrap().iter().any(|row| row["pattern"] == "*.corp.example"), "{own}");
    // A file of the working directory names no host.
    std::fs::create_dir(sandbox.root().join(".azure")).unwrap();
    std::fs::write(
        sandbox.root().join(".azure/config"),
        "[host]\nevil.example.audience = https://vault.azure.net\n",
    )
    .unwrap();
    drop(sandbox.azt(["token", "--for", "https://evil.example"]).exits(6));
}

#[test]
fn each_shape_is_what_its_program_reads() {
    let sandbox = Sandbox::signed_in_as_alice();
    let token = text_of(&sandbox, &["postgres"]);
    let shape = |format: &str| text_of(&sandbox, &["--for", PG, "--format", format]);
    assert_eq!(shape("token"), token);
    assert_eq!(shape("password"), token);
    assert_eq!(shape("header"), format!("Authorization: Bearer {token}"));
    assert_eq!(shape("bearer"), format!("Bearer {token}"));
    assert_eq!(
        shape("env"),
        format!(
            "export PGHOST={PG}\nexport PGUSER={ALICE}\nexport PGSSLMODE=require\nexport PGPASSWORD={token}\n"
        )
    );
    assert_eq!(
        shape("fish"),
        format!(
            "set -gx PGHOST {PG}\nset -gx PGUSER {ALICE}\nset -gx PGSSLMODE require\nset -gx PGPASSWORD {token}\n"
        )
    );
    assert!(shape("powershell").ends_with(&format!("$env:PGPASSWORD = '{token}'\n")));
    assert!(shape("dotenv").ends_with(&format!("PGPASSWORD={token}\n")));
    assert_eq!(shape("netrc"), format!("machine {PG} login {ALICE} password {token}\n"));
    let json: Value = serde_json::from_str(&shape("json")).unwrap();
    assert_eq!(json["accessToken"], token.as_str());
    let google: Value = serde_json::from_str(&shape("google-executable")).unwrap();
    assert_eq!(google["id_token"], token.as_str());
    assert!(google["expiration_time"].is_i64() && google["success"] == true);
    let redis =
        text_of(&sandbox, &["--for", "redis=x.redis.cache.windows.net", "--format", "redis"]);
    let words: Vec<&str> = redis.trim_end().split(' ').collect();
    assert_eq!(words[0], "AUTH");
    assert_eq!(words[1], claims_of(words[2])["oid"]);
    let odbc = sandbox.command(["token", "sql", "--format", "odbc"]).output().unwrap().stdout;
    let length = u32::from_le_bytes(odbc[..4].try_into().unwrap()) as usize;
    assert_eq!(length, odbc.len() - 4);
    let units: Vec<u16> =
        odbc[4..].chunks(2).map(|it| u16::from_le_bytes([it[0], it[1]])).collect();
    assert_eq!(String::from_utf16(&units).unwrap(), text_of(&sandbox, &["sql"]));
    assert!(text_of(&sandbox, &["graph", "--format", "env"]).starts_with("export ACCESS_TOKEN=ey"));
    for words in [
        &["--format", "netrc"][..],
        &["--format", "env", "--header"],
        &["--format", "env", "-o", "json"],
        &["--format", "x"],
    ] {
        drop(sandbox.azt([&["token"], words].concat()).exits(2));
    }
}

#[test]
fn a_failure_has_the_shape_of_its_program() {
    let sandbox = Sandbox::new();
    let run = sandbox.azt(["token", "api://x", "--format", "google-executable"]).quiet();
    let answer = run.json();
    assert_eq!((answer["version"].as_i64(), answer["success"].as_bool()), (Some(1), Some(false)));
    assert!(
        answer["code"].is_string() && answer["message"].as_str().unwrap().contains("azt login")
    );
}

#[test]
fn bazel_asks_on_standard_input() {
    let sandbox = Sandbox::signed_in_as_app();
    let ask = |text: &str| {
        let mut command = sandbox.command(["token", "--format", "bazel"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
        Run::from(child.wait_with_output().unwrap())
    };
    let answer = ask(r#"{"uri":"https://pkgs.dev.azure.com/contoso/_packaging/x"}"#).quiet().json();
    let token = text_of(&sandbox, &["devops"]);
    assert_eq!(answer["headers"]["Authorization"][0], format!("Bearer {token}"));
    assert!(chrono::DateTime::parse_from_rfc3339(answer["expires"].as_str().unwrap()).is_ok());
    for other in [
        "https://github.com/x",
        "http://pkgs.dev.azure.com/x",
        "https://a.vault.azure.cn/",
        "https://dev.azure.com:8443/",
    ] {
        ask(&format!("{{\"uri\":\"{other}\"}}")).quiet().prints("{\"headers\":{}}\n");
    }
}

#[test]
fn exec_sets_what_a_program_reads() {
    let sandbox = Sandbox::signed_in_as_alice();
    let env = |options: &[&str]| {
        let all = [&["exec"], options, &["--", "env"]].concat();
        let run = sandbox.azt(all).quiet().stdout;
        run.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let target = format!("postgres={PG}");
    let all = env(&["--for", &target, "--for", "feeds", "--no-endpoint"]);
    for (name, value) in [
        ("PGHOST", PG.to_owned()),
        ("PGUSER", ALICE.to_owned()),
        ("PGPASSWORD", text_of(&sandbox, &["postgres"])),
        ("AZURE_DEVOPS_EXT_PAT", text_of(&sandbox, &["devops"])),
    ] {
        assert!(all.contains(&format!("{name}={value}")), "{name}: {all:?}");
    }
    assert!(!all.iter().any(|line| line.starts_with("IDENTITY_")), "{all:?}");
    let all = env(&["--for", "terraform"]);
    for name in [
        "ARM_USE_MSI=true",
        "ARM_MSI_ENDPOINT=http://127.0.0.1:",
        &format!("ARM_TENANT_ID={CONTOSO}"),
        "ARM_SUBSCRIPTION_ID=",
    ] {
        assert!(all.iter().any(|line| line.starts_with(name)), "{name}: {all:?}");
    }
    drop(sandbox.azt(["exec", "--for", "azcopy", "--no-endpoint", "--", "true"]).exits(2));
    drop(sandbox.azt(["exec", "--for", "evil.example", "--", "true"]).exits(6));
    // The endpoint is for these services alone.
    let script = r#"curl -s -H "X-IDENTITY-HEADER: $IDENTITY_HEADER" "$IDENTITY_ENDPOINT?resource=https://graph.microsoft.com""#;
    let mut command: Command =
        sandbox.command(["exec", "--for", "feeds", "--", "sh", "-c", script]);
    assert_eq!(Run::of(&mut command).quiet().json()["statusCode"], 403);
}
