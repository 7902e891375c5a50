//! The vault key is pinned: a writer of the folder cannot replace it.

use std::fs;

use serde_json::{Value, json};

use crate::session_bus::SessionBus;
use crate::support::*;

const TOKEN: [&str; 4] = ["account", "get-access-token", "-o", "none"];
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// The attacker's key.
const THEIRS: &str = "00000000000000000000000000000000000000000000000000000000000000ff";

/// The id of `key`, taken from a vault made with it.
fn id_of(key: &str) -> String {
    let mut sandbox = Sandbox::new();
    sandbox.set("AZURE_CORE_KEY_SOURCE", "env");
    sandbox.set("AZT_VAULT_KEY", key);
    sandbox.login_app().success();
    manifest(&sandbox)["key_id"].as_str().unwrap().to_owned()
}

fn manifest(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&sandbox.read("azt/vault.json")).unwrap()
}

/// Plants another key beside the records, and a `vault.json` that retires the true one.
fn plant(sandbox: &Sandbox, source: &str, retires: bool) {
    let mut planted = json!({"version": 1, "key_source": source, "key_id": id_of(THEIRS)});
    if retires {
        let former = manifest(sandbox);
        planted["retired"] = former["key_id"].clone();
        planted["retired_source"] = former["key_source"].clone();
    }
    sandbox.write("azt/vault.json", planted.to_string());
    for name in ["azt/vault.key", "azt/vault.key.next"] {
        sandbox.write(name, format!("{THEIRS}\n"));
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(sandbox.file(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Asserts that no record is sealed with the attacker's key.
fn nothing_is_theirs(sandbox: &Sandbox) -> bool {
    let id = id_of(THEIRS);
    let bytes: Vec<u8> =
        (0..8).map(|at| u8::from_str_radix(&id[2 * at..2 * at + 2], 16).unwrap()).collect();
    let records = fs::read_dir(sandbox.file("azt/records")).unwrap();
    records.flatten().all(|it| fs::read(it.path()).unwrap()[8..16] != bytes[..])
}

/// The variable holds the vault's key, whatever vault.json says.
#[test]
fn a_planted_key_beside_the_variables_seals_nothing() {
    for retires in [true, false] {
        for source in ["file", "kernel", "keyring"] {
            let mut sandbox = Sandbox::new();
            sandbox.unset("AZURE_CORE_KEY_SOURCE");
            sandbox.set("AZT_VAULT_KEY", KEY);
            sandbox.login_app().success();
            let good = sandbox.read("azt/vault.json");
            plant(&sandbox, source, retires);
            let run = sandbox.login_app().exits(9);
            assert!(run.stderr.contains("AZT_VAULT_KEY has the key"), "{source}: {run:?}");
            drop(sandbox.azt(TOKEN).exits(9));
            drop(sandbox.azt(["cache", "list"]).exits(9));
            assert!(nothing_is_theirs(&sandbox), "{source}");
            sandbox.write("azt/vault.json", good);
            drop(sandbox.azt(TOKEN).quiet());
        }
    }
}

/// For every call, not only sign-ins.
#[test]
fn the_key_source_setting_is_checked_at_every_call() {
    let mut sandbox = Sandbox::new();
    sandbox.set("AZT_VAULT_KEY", KEY);
    sandbox.set("AZURE_CORE_KEY_SOURCE", "env");
    sandbox.login_app().success();
    plant(&sandbox, "file", true);
    sandbox.unset("AZT_VAULT_KEY");
    for args in
        [&TOKEN[..], &["account", "get-access-token", "--resource", "https://vault.azure.net"]]
    {
        drop(sandbox.azt(args).exits(9).says("core.key_source is 'env'"));
    }
    assert!(nothing_is_theirs(&sandbox));
}

/// The keyring's item names its vault; a sign-in checks it.
#[test]
fn a_planted_key_beside_the_keyrings_seals_nothing() {
    let bus = SessionBus::with_keyring();
    let mut sandbox = Sandbox::new();
    sandbox.set("DBUS_SESSION_BUS_ADDRESS", &bus.address());
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    sandbox.login_app().success();
    assert_eq!(manifest(&sandbox)["key_source"], "keyring");
    let good = sandbox.read("azt/vault.json");
    for retires in [true, false] {
        plant(&sandbox, "file", retires);
        drop(sandbox.login_app().exits(9).says("as the key of this vault, but the vault has"));
        for command in [&["vault", "move", "--to", "file"][..], &["cache", "rekey"]] {
            assert_ne!(sandbox.azt(command).code, Some(0), "{command:?}");
        }
        assert!(nothing_is_theirs(&sandbox));
        sandbox.write("azt/vault.json", &good);
    }
    drop(sandbox.azt(TOKEN).quiet());
    // azt's own key changes still work.
    for name in ["azt/vault.key", "azt/vault.key.next"] {
        fs::remove_file(sandbox.file(name)).unwrap();
    }
    for to in ["file", "keyring", "file"] {
        drop(sandbox.azt(["vault", "move", "--to", to]).success());
        drop(sandbox.login_app().success());
        drop(sandbox.azt(TOKEN).quiet());
    }
    drop(sandbox.azt(["account", "clear"]).success());
    drop(sandbox.login_app().success());
}

/// Whoever planted a key file knows the key.
#[test]
fn a_planted_key_file_is_not_used() {
    let sandbox = Sandbox::new();
    let plant = |name: &str| {
        use std::os::unix::fs::PermissionsExt;
        fs::create_dir_all(sandbox.file("azt")).unwrap();
        fs::set_permissions(sandbox.file("azt"), fs::Permissions::from_mode(0o700)).unwrap();
        sandbox.write(name, format!("{THEIRS}\n"));
        fs::set_permissions(sandbox.file(name), fs::Permissions::from_mode(0o600)).unwrap();
    };
    plant("azt/vault.key");
    drop(sandbox.login_app().exits(9).says("already exists, but is the key of no vault here"));
    assert_eq!(sandbox.read("azt/vault.key"), format!("{THEIRS}\n"), "it was not ours to remove");
    fs::remove_file(sandbox.file("azt/vault.key")).unwrap();
    // A file that a killed process may have left is overwritten.
    plant("azt/vault.key.next");
    sandbox.login_app().success();
    assert!(nothing_is_theirs(&sandbox));
    assert!(!sandbox.read("azt/vault.key").contains(THEIRS));
    assert!(!sandbox.file("azt/vault.key.next").exists());
}

#[test]
fn a_moved_key_is_always_a_new_one() {
    let mut sandbox = Sandbox::new();
    sandbox.set("AZT_VAULT_KEY", KEY);
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    sandbox.login_app().success();
    sandbox.write("azt/vault.key", format!("{THEIRS}\n"));
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(sandbox.file("azt/vault.key"), fs::Permissions::from_mode(0o600)).unwrap();
    drop(sandbox.azt(["vault", "move", "--to", "file"]).exits(9));
    drop(sandbox.azt(TOKEN).quiet());
    fs::remove_file(sandbox.file("azt/vault.key")).unwrap();
    let moved = sandbox.azt(["vault", "move", "--to", "file"]).success();
    drop(moved.says("unset AZT_VAULT_KEY"));
    sandbox.unset("AZT_VAULT_KEY");
    drop(sandbox.azt(TOKEN).quiet());
    assert!(nothing_is_theirs(&sandbox));
}

/// Without vault.json the records name the key they need, and no other is used.
#[test]
fn a_vault_without_vault_json_finds_its_own_key_or_none() {
    let sandbox = Sandbox::signed_in_as_app();
    let good = sandbox.read("azt/vault.json");
    let mut planted = b"aztseal\x01".to_vec();
    planted.extend([7; 200]);
    // Sorts first, which would mislead a check of a single record.
    let name = format!("azt/records/aa-{}", "0".repeat(32));
    sandbox.write(&name, &planted);
    fs::remove_file(sandbox.file("azt/vault.json")).unwrap();
    drop(sandbox.azt(TOKEN).quiet());
    assert_eq!(sandbox.read("azt/vault.json"), good);
}

/// An attacker's vault with a stored command replaces one whose key is in the keyring.
#[test]
fn a_planted_vault_runs_nothing_if_the_keyring_has_the_true_key() {
    use azt::internals::program::Program;
    use azt::internals::settings::ConfigDir;
    use azt::internals::sys::{Clock, Env, Http, System, Terminal};
    use azt::internals::vault::{AssertionSource, Options, ServicePrincipal, Vault};

    let bus = SessionBus::with_keyring();
    let mut sandbox = Sandbox::new();
    sandbox.set("DBUS_SESSION_BUS_ADDRESS", &bus.address());
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    sandbox.login_app().success();
    fs::remove_dir_all(sandbox.file("azt")).unwrap();
    let ran = sandbox.root().join("ran");
    let system = System {
        program: Program::Azt,
        env: Env::fixed(sandbox.env().clone()),
        clock: Clock::System,
        terminal: Terminal::piped(Box::new(std::io::sink()), Box::new(std::io::sink())),
        http: Http::default(),
    };
    let dir = ConfigDir::at(sandbox.config_dir());
    let vault = Vault::open_or_create(&system, dir.azt(), Options::default()).unwrap();
    let environment = sandbox.emulator.url().trim_start_matches("https://").to_owned();
    let command = format!("touch {}", ran.display());
    vault
        .put(&ServicePrincipal {
            client_id: APP.to_owned(),
            tenant: CONTOSO.to_owned(),
            environment,
            client_secret: None,
            certificate: None,
            certificate_password: None,
            use_cert_sn_issuer: false,
            client_assertion: None,
            client_assertion_source: Some(AssertionSource::Command { command }),
            other: serde_json::Map::new(),
        })
        .unwrap();
    assert_eq!(manifest(&sandbox)["key_source"], "file");
    drop(sandbox.azt(TOKEN).exits(9).says("as the key of this vault, but the vault has"));
    drop(sandbox.azt(["account", "list", "--refresh"]));
    drop(sandbox.azt(["doctor"]));
    assert!(!ran.exists());
    // Without the keyring's item it is an ordinary vault.
    sandbox.unset("DBUS_SESSION_BUS_ADDRESS");
    drop(sandbox.azt(TOKEN).exits(1));
    assert!(ran.exists(), "the command is what would have run");
}

/// Plants an attacker's vault: records and the key, and no `vault.json`.
fn lay(sandbox: &Sandbox, other: &Sandbox, removes: bool) {
    if removes {
        let _ = fs::remove_dir_all(sandbox.file("azt"));
    }
    let _ = fs::remove_file(sandbox.file("azt/vault.json"));
    let status = std::process::Command::new("cp")
        .args(["-a", other.file("azt").to_str().unwrap(), sandbox.config_dir().to_str().unwrap()])
        .status();
    assert!(status.unwrap().success());
    fs::remove_file(sandbox.file("azt/vault.json")).unwrap();
}

/// Without `vault.json` the key is searched for, and a planted one must not be used.
#[test]
fn a_planted_vault_is_not_used_if_the_variable_has_the_key() {
    let other = Sandbox::signed_in_as_app();
    for (config, removes) in [
        ("", true),
        ("[core]\nkey_source = env\n", true),
        ("[core]\nkey_source = file\n", true),
        ("", false),
    ] {
        let mut sandbox = Sandbox::new();
        sandbox.unset("AZURE_CORE_KEY_SOURCE");
        sandbox.set("AZT_VAULT_KEY", KEY);
        sandbox.login_app().success();
        let good = sandbox.read("azt/vault.json");
        let settings = sandbox.read("config");
        sandbox.write("config", format!("{settings}\n{config}"));
        lay(&sandbox, &other, removes);
        if removes {
            for args in [&TOKEN[..], &["cache", "rekey"], &["vault", "move", "--to", "env"]] {
                let run = sandbox.azt(args).exits(9);
                assert!(run.says("AZT_VAULT_KEY").stdout.is_empty());
                assert!(!sandbox.file("azt/vault.json").exists(), "{config} {args:?}");
            }
            drop(sandbox.login_app().exits(9));
            assert!(!sandbox.file("azt/vault.json").exists(), "{config}");
        } else {
            // Records of the variable's key are found among the planted ones.
            drop(sandbox.azt(["cache", "status"]).success());
            drop(sandbox.azt(TOKEN).success());
            assert_eq!(sandbox.read("azt/vault.json"), good);
        }
    }
}

/// No command, and no remedy in JSON, seals a planted vault with the true key.
#[test]
fn a_planted_vault_is_not_resealed_with_the_variables_key() {
    let mut sandbox = Sandbox::new();
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    sandbox.set("AZT_VAULT_KEY", KEY);
    sandbox.login_app().success();
    plant(&sandbox, "file", false);
    for args in [
        &["cache", "rekey"][..],
        &["vault", "move", "--to", "file"],
        &["vault", "move", "--to", "kernel"],
    ] {
        drop(sandbox.azt(args).exits(9).says("AZT_VAULT_KEY has the key"));
    }
    let settings = sandbox.read("config");
    sandbox.write("config", format!("{settings}\n[core]\nkey_source = env\n"));
    let args = [&TOKEN[..], &["--error-format", "json"]].concat();
    let error: Value = serde_json::from_str(sandbox.azt(args).stderr.trim()).unwrap();
    assert!(error.to_string().contains("core.key_source is 'env'"), "{error}");
    assert!(error["error"]["command"].is_null() && error["command"].is_null(), "{error}");
}

/// An attacker who empties the folder and sets a source in `config` must not get a key in a plain file.
#[test]
fn a_setting_does_not_override_the_key_variable() {
    let mut sandbox = Sandbox::new();
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    sandbox.set("AZT_VAULT_KEY", KEY);
    sandbox.login_app().success();
    fs::remove_dir_all(sandbox.file("azt")).unwrap();
    let settings = sandbox.read("config");
    sandbox.write("config", format!("{settings}\n[core]\nkey_source = file\n"));
    drop(sandbox.login_app().exits(9).says("AZT_VAULT_KEY has the key"));
    assert!(!sandbox.file("azt/vault.key").exists() && !sandbox.file("azt/vault.json").exists());
}

/// A vault.json that retires its own current key does not retire it.
#[test]
fn a_key_in_use_is_not_retired() {
    let sandbox = Sandbox::signed_in_as_app();
    let mut planted = manifest(&sandbox);
    planted["retired"] = planted["key_id"].clone();
    planted["retired_source"] = planted["key_source"].clone();
    sandbox.write("azt/vault.json", planted.to_string());
    drop(sandbox.azt(["cache", "rekey"]).success());
    drop(sandbox.azt(TOKEN).quiet());
}

/// A killed process may leave the only key in `vault.key.next`; a second killed rekey must not
/// lose it.
#[test]
fn a_key_left_in_vault_key_next_survives_a_killed_rekey() {
    for nth in 1..12 {
        let sandbox = Sandbox::signed_in_as_app();
        fs::rename(sandbox.file("azt/vault.key"), sandbox.file("azt/vault.key.next")).unwrap();
        let command = sandbox.command(["cache", "rekey"]);
        let mut strace = std::process::Command::new("strace");
        strace.args([
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "trace=renameat,renameat2,rename",
            "-e",
        ]);
        strace.arg(format!("inject=renameat,renameat2,rename:signal=KILL:when={nth}"));
        strace.arg(command.get_program()).args(command.get_args()).env_clear();
        strace.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let _ = strace.status().unwrap();
        drop(sandbox.azt(TOKEN).quiet());
        drop(sandbox.azt(["cache", "rekey"]).success());
        drop(sandbox.azt(TOKEN).quiet());
    }
}

/// An invalid key in the variable is not treated as unset.
#[test]
fn an_invalid_key_variable_is_an_error_for_any_vault() {
    let mut sandbox = Sandbox::signed_in_as_app();
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    sandbox.set("AZT_VAULT_KEY", "zz");
    drop(sandbox.azt(TOKEN).exits(9).says("is neither 64 hex digits nor base64"));
    sandbox.unset("AZT_VAULT_KEY");
    drop(sandbox.azt(TOKEN).quiet());
}
