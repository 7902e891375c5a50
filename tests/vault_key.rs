//! The sources of the vault key, and the errors when a source does not have it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "a shell runs the command of a remedy")]

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use azt::internals::error::{Error, Kind};
use azt::internals::program::Program;
use azt::internals::sys::{Clock, Env, Http, System, Terminal, fill_random, keyutils};
use azt::internals::vault::{self, Account, KeyChoice, KeySource, Options, Record, Vault};
use base64::Engine;
use serde_json::{Value, json};

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const KEY_ID: &str = "d80b444ee9e1048c";

fn system(vars: &[(&str, &str)]) -> System {
    System {
        program: Program::Azt,
        env: Env::fixed(vars.iter().copied()),
        clock: Clock::System,
        terminal: Terminal::piped(Box::new(io::sink()), Box::new(io::sink())),
        http: Http::default(),
    }
}

fn options(choice: &str) -> Options {
    Options { key_source: choice.parse().unwrap(), ..Options::default() }
}

fn ann() -> Account {
    serde_json::from_value(json!({
        "home_account_id": "u.t", "environment": "e", "realm": "t", "local_account_id": "o",
        "username": "ann@example.org", "authority_type": "MSSTS" }))
    .unwrap()
}

/// Makes a vault with the source `choice` and puts one record into it.
fn make(dir: &Path, choice: &str, vars: &[(&str, &str)]) -> KeySource {
    let system = system(vars);
    let vault = Vault::open_or_create(&system, dir, options(choice)).unwrap();
    vault.put(&ann()).unwrap();
    vault.key_source()
}

fn opens(dir: &Path, vars: &[(&str, &str)]) -> bool {
    let system = system(vars);
    let vault = Vault::open(&system, dir, Options::default()).unwrap().unwrap();
    vault.get(&ann().key()).unwrap() == Some(ann())
}

fn refusal(dir: &Path, choice: &str, vars: &[(&str, &str)]) -> Error {
    let system = system(vars);
    let Err(error) = Vault::open_or_create(&system, dir, options(choice)) else {
        panic!("the vault opened")
    };
    assert_eq!(error.kind(), Kind::Vault, "{error:?}");
    error
}

fn manifest(dir: &Path) -> Value {
    serde_json::from_slice(&fs::read(dir.join("vault.json")).unwrap()).unwrap()
}

fn names_account_clear(error: &Error) -> bool {
    error.remedy_lines().iter().any(|line| line.contains("azt account clear"))
}

#[test]
fn opening_a_missing_vault_creates_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (system, azt) = (system(&[]), dir.path().join("azt"));
    assert!(Vault::open(&system, azt.as_path(), Options::default()).unwrap().is_none());
    assert!(!azt.exists());
}

#[test]
fn auto_uses_the_variable_if_it_is_set() {
    let dir = tempfile::tempdir().unwrap();
    let vars = [("AZT_VAULT_KEY", KEY)];
    {
        let system = system(&vars);
        let vault = Vault::open_or_create(&system, dir.path(), options("auto")).unwrap();
        assert_eq!(vault.choice_notice(), None, "no notice: the user set the variable");
        vault.put(&ann()).unwrap();
    }
    assert_eq!(manifest(dir.path()), json!({"version": 1, "key_source": "env", "key_id": KEY_ID}));
    assert!(!dir.path().join("vault.key").exists());
    assert!(opens(dir.path(), &vars));
}

#[test]
fn auto_without_a_keyring_uses_the_file_and_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let system = system(&[]);
    let vault = Vault::open_or_create(&system, dir.path(), options("auto")).unwrap();
    assert_eq!(vault.key_source(), KeySource::File);
    let notice = vault.choice_notice().unwrap();
    let path = dir.path().join("vault.key");
    assert!(notice.contains(path.to_str().unwrap()), "{notice}");
    assert!(notice.contains("no keyring here accepts it (azt doctor has the details)"), "{notice}");
    let again = Vault::open_or_create(&system, dir.path(), options("auto")).unwrap();
    assert_eq!(again.choice_notice(), None, "the notice comes once");
}

#[test]
fn an_invalid_key_in_the_variable_is_refused_and_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    for choice in ["auto", "env"] {
        let error = refusal(dir.path(), choice, &[("AZT_VAULT_KEY", "hunter2")]);
        assert!(error.message().contains("64 hex digits"), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
    let error = refusal(dir.path(), "env", &[]);
    assert!(error.message().contains("AZT_VAULT_KEY, which is not set"), "{error}");
    assert!(!dir.path().join("vault.json").exists());
}

#[test]
fn a_missing_key_is_not_replaced_while_records_exist() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path(), "file", &[]);
    let (path, before) = (dir.path().join("vault.key"), manifest(dir.path()));
    let key = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    for choice in ["auto", "file"] {
        let error = refusal(dir.path(), choice, &[]);
        assert!(error.message().contains("vault.key"), "{error}");
        assert!(names_account_clear(&error), "{error:?}");
    }
    assert!(!path.exists());
    assert_eq!(manifest(dir.path()), before);
    azt::internals::sys::write_named(&path, &key).unwrap();
    assert!(opens(dir.path(), &[]), "the restored key opens the vault");
}

#[test]
fn a_missing_key_is_replaced_if_there_are_no_records() {
    let dir = tempfile::tempdir().unwrap();
    drop(Vault::open_or_create(&system(&[]), dir.path(), options("file")).unwrap());
    let mut former = manifest(dir.path());
    former["unknown"] = json!([1]);
    fs::write(dir.path().join("vault.json"), former.to_string()).unwrap();
    fs::remove_file(dir.path().join("vault.key")).unwrap();
    assert!(Vault::open(&system(&[]), dir.path(), Options::default()).unwrap().is_none());
    make(dir.path(), "file", &[]);
    assert!(opens(dir.path(), &[]));
    assert_eq!(manifest(dir.path())["unknown"], json!([1]), "unknown members are kept");
    assert_ne!(manifest(dir.path())["key_id"], former["key_id"]);
}

#[test]
fn a_key_of_another_vault_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path(), "env", &[("AZT_VAULT_KEY", KEY)]);
    let error = refusal(dir.path(), "auto", &[("AZT_VAULT_KEY", &KEY.replace("00", "ff"))]);
    assert!(error.message().contains("not the one that the vault was sealed with"), "{error}");
    assert!(error.message().contains(KEY_ID), "{error}");
    let error = refusal(dir.path(), "auto", &[]);
    assert!(error.message().contains("not set"), "{error}");
    assert!(opens(dir.path(), &[("AZT_VAULT_KEY", KEY)]));
}

#[test]
fn a_key_source_other_than_the_vaults_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path(), "file", &[]);
    let error = refusal(dir.path(), "env", &[("AZT_VAULT_KEY", KEY)]);
    assert!(error.message().contains("kept in 'file'"), "{error}");
    assert!(error.remedy_lines()[0].ends_with("azt vault move --to env"), "{error:?}");
    for its_own in ["auto", "file"] {
        assert_eq!(make(dir.path(), its_own, &[]), KeySource::File);
        // Setting the variable does not move the key.
        let error = refusal(dir.path(), its_own, &[("AZT_VAULT_KEY", KEY)]);
        assert!(error.message().starts_with("AZT_VAULT_KEY has the key"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_or_write_is_refused() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("it's $HOME");
    fs::create_dir(&folder).unwrap();
    make(&folder, "file", &[]);
    let path = folder.join("vault.key");
    for mode in [0o640, 0o604, 0o620] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = refusal(&folder, "auto", &[]);
        assert!(error.message().contains(&format!("(mode {mode:04o})")), "{error}");
        let cure = error.curing_command().unwrap();
        assert_eq!(error.remedy_lines()[0], format!("Run: {cure}"));
        assert!(std::process::Command::new("sh").args(["-c", cure]).status().unwrap().success());
        assert!(opens(&folder, &[]), "{cure} fixes it");
    }
    let elsewhere = dir.path().join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    let error = refusal(&folder, "auto", &[]);
    assert!(error.message().contains("it is a symbolic link"), "{error}");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    refusal(&folder, "auto", &[]);
    fs::remove_dir(&path).unwrap();
    fs::rename(&elsewhere, &path).unwrap();
    assert!(opens(&folder, &[]));
}

#[cfg(unix)]
#[test]
fn a_key_file_of_another_user_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path(), "file", &[]);
    let path = dir.path().join("vault.key");
    match std::os::unix::fs::chown(&path, Some(65_534), None) {
        Ok(()) => {
            let error = refusal(dir.path(), "auto", &[]);
            assert!(error.message().contains("belongs to another user"), "{error}");
        }
        // Only root can give a file to another user, so the check cannot be tested here.
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::PermissionDenied),
    }
}

#[cfg(unix)]
#[test]
fn a_key_file_without_a_key_is_refused_and_kept() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vault.key");
    make(dir.path(), "file", &[]);
    fs::write(&path, "hunter2").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let error = refusal(dir.path(), "file", &[]);
    assert!(error.message().contains("contains no vault key"), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "hunter2");
}

#[test]
fn a_damaged_vault_json_is_an_error_and_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path(), "file", &[]);
    let path = dir.path().join("vault.json");
    for text in ["", "{\"version\":1", "[]", r#"{"version":1,"key_source":"cloud","key_id":"00"}"#]
    {
        fs::write(&path, text).unwrap();
        let error = refusal(dir.path(), "auto", &[]);
        assert!(error.message().contains("vault.json is damaged"), "{error}");
        assert!(names_account_clear(&error));
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    fs::write(&path, r#"{"version":2}"#).unwrap();
    let error = refusal(dir.path(), "auto", &[]);
    assert!(error.message().contains("newer azt (format 2)"), "{error}");
}

#[test]
fn a_missing_vault_json_is_restored_if_a_source_has_the_key() {
    for (choice, vars) in [("file", &[][..]), ("env", &[("AZT_VAULT_KEY", KEY)][..])] {
        let dir = tempfile::tempdir().unwrap();
        make(dir.path(), choice, vars);
        let before = manifest(dir.path());
        fs::remove_file(dir.path().join("vault.json")).unwrap();
        assert!(opens(dir.path(), vars));
        assert_eq!(manifest(dir.path()), before);
    }
}

/// The variable has priority over the key file.
#[test]
fn a_missing_vault_json_is_not_restored_with_another_key() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path(), "file", &[]);
    let before = manifest(dir.path());
    fs::remove_file(dir.path().join("vault.json")).unwrap();
    // An attacker could have planted both the records and the key file.
    let error = refusal(dir.path(), "auto", &[("AZT_VAULT_KEY", KEY)]);
    assert!(error.remedy_lines().iter().any(|it| it.contains("AZT_VAULT_KEY has the key")));
    assert!(!dir.path().join("vault.json").exists());
    assert!(opens(dir.path(), &[]));
    assert_eq!(manifest(dir.path()), before);
}

#[test]
fn a_missing_vault_json_without_a_key_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    // A random key, so that no source has it from another run.
    let mut key = [0; 32];
    fill_random(&mut key).unwrap();
    let key = base64::engine::general_purpose::STANDARD.encode(key);
    make(dir.path(), "env", &[("AZT_VAULT_KEY", &key)]);
    let id = manifest(dir.path())["key_id"].as_str().unwrap().to_owned();
    fs::remove_file(dir.path().join("vault.json")).unwrap();
    let error = refusal(dir.path(), "auto", &[]);
    assert!(error.message().contains(&id), "{error}");
    let remedies = error.remedy_lines();
    assert!(remedies.iter().any(|line| line.contains("no keyring service")), "{remedies:?}");
    assert!(names_account_clear(&error));
    assert!(!dir.path().join("vault.json").exists());
    assert!(!dir.path().join("vault.key").exists());
}

#[test]
fn of_many_concurrent_calls_one_makes_the_vault_and_all_use_it() {
    let dir = tempfile::tempdir().unwrap();
    let made: usize = std::thread::scope(|threads| {
        let makers: Vec<_> = (0..8)
            .map(|number| {
                let path = dir.path();
                threads.spawn(move || {
                    let system = system(&[]);
                    let vault = Vault::open_or_create(&system, path, options("auto")).unwrap();
                    let mut account = ann();
                    account.username = number.to_string();
                    vault.put(&account).unwrap();
                    usize::from(vault.choice_notice().is_some())
                })
            })
            .collect();
        makers.into_iter().map(|maker| maker.join().unwrap()).sum()
    });
    assert_eq!(made, 1);
    let system = system(&[]);
    let vault = Vault::open(&system, dir.path(), Options::default()).unwrap().unwrap();
    let names: BTreeSet<String> =
        vault.all::<Account>().unwrap().into_iter().map(|account| account.username).collect();
    assert_eq!(names.len(), 8);
}

/// A user who can write to the folder can put any file there, or replace it with any symlink.
#[cfg(unix)]
#[test]
fn clear_removes_no_files_of_others() {
    use std::os::unix::fs::{lchown, symlink};
    let system = system(&[]);
    let (dir, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (dir, theirs) = (dir.path(), theirs.path());
    let records = dir.join("records");
    Vault::open_or_create(&system, dir, options("file")).unwrap().put(&ann()).unwrap();
    for name in ["notes.txt", "at-notes.txt"] {
        fs::write(records.join(name), "theirs").unwrap();
    }
    vault::clear(&system, dir).unwrap();
    let left = fs::read_dir(&records).unwrap().map(|it| it.unwrap().file_name());
    assert_eq!(left.collect::<BTreeSet<_>>(), ["at-notes.txt".into(), "notes.txt".into()].into());

    fs::remove_dir_all(&records).unwrap();
    let theirs_sealed = theirs.join(format!("at-{}", "0".repeat(32)));
    fs::write(&theirs_sealed, "sealed").unwrap();
    symlink(theirs, &records).unwrap();
    // Only root can give a symlink to another user.
    if lchown(&records, Some(65_534), None).is_ok() {
        let error = vault::clear(&system, dir).unwrap_err();
        assert!(error.message().contains("is a link that another user made"), "{error}");
        assert!(theirs_sealed.exists());
    }
}

#[test]
fn clear_also_removes_unreadable_files() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path(), "file", &[]);
    let aside = format!("records/at-{}.00000000.unreadable", "0".repeat(32));
    fs::write(dir.path().join(aside), "x").unwrap();
    fs::write(dir.path().join("vault.json"), "damaged").unwrap();
    vault::clear(&system(&[]), dir.path()).unwrap();
    assert_eq!(fs::read_dir(dir.path().join("records")).unwrap().count(), 0);
    assert!(!dir.path().join("vault.json").exists());
    assert!(!dir.path().join("vault.key").exists());
    assert_eq!(make(dir.path(), "auto", &[("AZT_VAULT_KEY", KEY)]), KeySource::Env);
    vault::clear(&system(&[]), dir.path().join("none").as_path()).unwrap();
    assert!(!dir.path().join("none").exists());
}

#[test]
fn key_source_names_are_parsed() {
    assert_eq!("auto".parse::<KeyChoice>().unwrap(), KeyChoice::Auto);
    for source in [KeySource::Env, KeySource::File, KeySource::Kernel, KeySource::Keyring] {
        assert_eq!(source.to_string().parse::<KeyChoice>().unwrap(), KeyChoice::Source(source));
    }
    let error = "keychain".parse::<KeyChoice>().unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert!(error.message().contains("auto, env, file, kernel, keyring or passphrase"), "{error}");
}

/// Without a kernel keyring that this process may use, the source is refused with a clear error.
#[test]
fn the_kernel_keeps_the_key_until_it_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    if keyutils::find("azt:test:probe").is_err() {
        let error = refusal(dir.path(), "kernel", &[]);
        assert!(error.message().to_lowercase().contains("kernel"), "{error}");
        return;
    }
    assert_eq!(make(dir.path(), "kernel", &[]), KeySource::Kernel);
    assert!(opens(dir.path(), &[]));
    fs::remove_file(dir.path().join("vault.json")).unwrap();
    assert!(opens(dir.path(), &[]), "the key is found by its id");
    let id = manifest(dir.path())["key_id"].as_str().unwrap().to_owned();
    // A restart also removes it.
    assert!(keyutils::remove(&format!("azt:vault-key:{id}")).unwrap());
    let error = refusal(dir.path(), "auto", &[]);
    assert!(error.message().contains("emptied when the machine restarts"), "{error}");
    assert!(names_account_clear(&error));
    vault::clear(&system(&[]), dir.path()).unwrap();
    make(dir.path(), "kernel", &[]);
    let id = manifest(dir.path())["key_id"].as_str().unwrap().to_owned();
    vault::clear(&system(&[]), dir.path()).unwrap();
    assert!(keyutils::find(&format!("azt:vault-key:{id}")).unwrap().is_none());
}
