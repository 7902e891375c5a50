//! A change of the key: the files before, after and when it is interrupted.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use azt::internals::error::Kind;
use azt::internals::program::Program;
use azt::internals::secret::Secret;
use azt::internals::sys::{Clock, Env, Http, System, Terminal};
use azt::internals::vault::{
    self, AccessToken, Account, IdToken, KeyChoice, KeySource, Options, Record, RefreshToken,
    ServicePrincipal, Vault,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const FILE: Options = Options {
    key_source: KeyChoice::Source(KeySource::File),
    key_cache_seconds: 0,
    keyring_limit: Duration::ZERO,
};

/// Options without a setting that names a source.
const ANY: Options = Options { key_source: KeyChoice::Auto, ..FILE };

/// A machine where `AZT_VAULT_KEY` is set, and the setting names the key source `file`.
fn system() -> System {
    with_key(KEY)
}

fn with_key(key: &str) -> System {
    System {
        program: Program::Azt,
        env: Env::fixed([("AZT_VAULT_KEY", key), ("AZURE_CORE_KEY_SOURCE", "file")]),
        clock: Clock::System,
        terminal: Terminal::piped(Box::new(io::sink()), Box::new(io::sink())),
        http: Http::default(),
    }
}

fn record<R: Record + DeserializeOwned>(members: &Value) -> R {
    let mut all = json!({
        "home_account_id": "u.t", "environment": "e", "realm": "t", "client_id": "c",
        "username": "ann@example.org", "account": "ann@example.org" });
    all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

/// Five records, one of each kind.
fn all() -> (AccessToken, RefreshToken, IdToken, Account, ServicePrincipal) {
    let times = json!({"secret": "at", "target": "s", "requested": "s", "cached_at": "1",
        "expires_on": "2", "extended_expires_on": "2"});
    (
        record(&times),
        record(&json!({"secret": "rt"})),
        record(&json!({"secret": "id"})),
        record(&json!({"local_account_id": "o", "authority_type": "MSSTS"})),
        ServicePrincipal {
            client_secret: Some(Secret::new("s")),
            ..ServicePrincipal::without_credential("e", "c", "t")
        },
    )
}

/// A vault with its key in a file.
fn folder(system: &System) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::open_or_create(system, dir.path(), FILE).unwrap();
    let (token, refresh, id, account, application) = all();
    vault.put(&token).unwrap();
    vault.put(&refresh).unwrap();
    vault.put(&id).unwrap();
    vault.put(&account).unwrap();
    vault.put(&application).unwrap();
    dir
}

#[track_caller]
fn assert_all_records_open(system: &System, dir: &Path) {
    let vault = Vault::open(system, dir, ANY).unwrap().unwrap();
    let (token, refresh, id, account, application) = all();
    assert_eq!(vault.get(&token.key()).unwrap(), Some(token.clone()));
    assert_eq!(vault.get(&refresh.key()).unwrap(), Some(refresh));
    assert_eq!(vault.get(&id.key()).unwrap(), Some(id));
    assert_eq!(vault.get(&account.key()).unwrap(), Some(account));
    assert_eq!(vault.get(&application.key()).unwrap(), Some(application));
    assert_eq!(vault.all::<AccessToken>().unwrap(), [token], "once");
}

fn manifest(dir: &Path) -> Value {
    serde_json::from_slice(&fs::read(dir.join("vault.json")).unwrap()).unwrap()
}

/// Name and content of the files in `dir`.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(dir).unwrap().map(|it| it.unwrap()).filter(|it| it.path().is_file());
    files.map(|it| (it.file_name().into_string().unwrap(), fs::read(it.path()).unwrap())).collect()
}

fn put(dir: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (name, content) in files {
        fs::write(dir.join(name), content).unwrap();
    }
}

#[test]
fn a_new_key_replaces_the_old_one() {
    let system = system();
    let dir = folder(&system);
    let (dir, records) = (dir.path(), dir.path().join("records"));
    let (key, sealed) = (fs::read(dir.join("vault.key")).unwrap(), files(&records));
    let old = manifest(dir)["key_id"].clone();
    let held = Vault::open(&system, dir, FILE).unwrap().unwrap();
    let listing = Vault::open(&system, dir, FILE).unwrap().unwrap();
    assert!(held.follow_key().unwrap());

    let id = vault::rekey(&system, dir, FILE, None).unwrap().to_string();
    assert_eq!(manifest(dir)["key_id"], id.as_str());
    assert_ne!(manifest(dir)["key_id"], old);
    assert_eq!(manifest(dir).get("retired"), None, "the old key is removed");
    assert_ne!(fs::read(dir.join("vault.key")).unwrap(), key);
    assert!(!dir.join("vault.key.next").exists());
    let now = files(&records);
    assert_eq!(now.len(), 5);
    assert!(now.keys().all(|name| !sealed.contains_key(name)), "the names change with the key");
    assert_all_records_open(&system, dir);
    // An open vault continues with the new key.
    assert_eq!(listing.all::<vault::RefreshToken>().unwrap().len(), 1);
    let token = held.get(&all().0.key()).unwrap().unwrap();
    assert!(held.put(&token).is_ok() && held.exclusive_lock().unwrap().is_some());
    assert_eq!(held.all::<vault::RefreshToken>().unwrap().len(), 1);
    assert!(held.remove(&token.key()).unwrap());
    vault::clear(&system, dir).unwrap();
    assert!(!held.follow_key().unwrap() && held.exclusive_lock().unwrap().is_none());
    assert_eq!(held.put(&token).unwrap_err().remedy_lines(), ["Try again."]);
}

#[test]
fn records_of_a_newer_azt_are_not_lost() {
    let system = system();
    let dir = folder(&system);
    let (dir, records) = (dir.path(), dir.path().join("records"));
    let sealed = files(&records).remove(files(&records).keys().next().unwrap()).unwrap();
    let theirs = records.join(format!("zz-{}", "0".repeat(32)));
    fs::write(&theirs, sealed).unwrap();
    let before = (manifest(dir), files(dir), files(&records));
    let error = vault::rekey(&system, dir, FILE, None).unwrap_err();
    assert!(error.message().contains("A newer azt stores records"), "{error:?}");
    assert_eq!((manifest(dir), files(dir), files(&records)), before);
    fs::remove_file(theirs).unwrap();
    vault::rekey(&system, dir, FILE, None).unwrap();
    assert_all_records_open(&system, dir);
}

/// The key may change after a call has read its id and before it reads the key.
#[test]
fn a_vault_opens_while_its_key_changes() {
    let system = system();
    let dir = folder(&system);
    let dir = dir.path();
    let done = std::sync::atomic::AtomicBool::new(false);
    let is_done = || done.load(std::sync::atomic::Ordering::Relaxed);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let system = self::system();
                while !is_done() {
                    let vault = Vault::open(&system, dir, FILE).unwrap().unwrap();
                    let found = vault.get(&all().1.key()).unwrap();
                    assert!(found.is_some());
                }
            });
        }
        for _ in 0..100 {
            vault::rekey(&system, dir, FILE, None).unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_all_records_open(&system, dir);
}

#[test]
fn a_key_moves_between_sources() {
    let system = system();
    let dir = folder(&system);
    let dir = dir.path();
    let to = |place| vault::rekey(&system, dir, FILE, place).map(|id| id.to_string());
    let first = to(Some(KeySource::Env)).unwrap();
    assert!(!dir.join("vault.key").exists());
    assert_eq!(manifest(dir)["key_source"], "env");
    assert_all_records_open(&system, dir);

    let error = to(None).unwrap_err();
    assert_eq!(error.kind(), Kind::Vault);
    assert!(error.remedy_lines()[0].contains("vault move --to file"), "{error:?}");
    assert_eq!(to(Some(KeySource::Env)).unwrap_err().kind(), Kind::Vault);

    let second = to(Some(KeySource::File)).unwrap();
    assert_ne!(first, second);
    assert_all_records_open(&system, dir);
}

/// The process was killed after vault.json named the new key, before the old one was removed.
#[test]
fn a_former_key_in_another_source_is_removed_by_the_next_change() {
    let system = system();
    let dir = folder(&system);
    let (dir, records) = (dir.path(), dir.path().join("records"));
    let (key, sealed) = (fs::read(dir.join("vault.key")).unwrap(), files(&records));
    let old = manifest(dir)["key_id"].clone();
    vault::rekey(&system, dir, FILE, Some(KeySource::Env)).unwrap();
    let interrupt = || {
        let mut manifest = manifest(dir);
        manifest["retired"] = old.clone();
        manifest["retired_source"] = "file".into();
        fs::write(dir.join("vault.json"), manifest.to_string()).unwrap();
        fs::write(dir.join("vault.key"), &key).unwrap();
        put(&records, &sealed);
        #[cfg(unix)]
        owner_only(dir);
    };
    interrupt();
    assert_all_records_open(&system, dir);
    // It cleans up, then fails because it cannot change the variable.
    vault::rekey(&system, dir, FILE, None).unwrap_err();
    assert!(!dir.join("vault.key").exists());
    assert_eq!(files(&records).len(), 5);
    assert_all_records_open(&system, dir);
    interrupt();
    vault::clear(&system, dir).unwrap();
    assert!(!dir.join("vault.key").exists());
}

/// The former key was in a keyring that no longer answers.
#[test]
fn a_former_key_that_cannot_be_removed_blocks_nothing() {
    let system = system();
    let dir = folder(&system);
    let dir = dir.path();
    let left = || {
        let mut manifest = manifest(dir);
        manifest["retired"] = "0123456789abcdef".into();
        manifest["retired_source"] = "keyring".into();
        fs::write(dir.join("vault.json"), manifest.to_string()).unwrap();
    };
    left();
    vault::rekey(&system, dir, FILE, None).unwrap();
    assert_all_records_open(&system, dir);
    left();
    vault::clear(&system, dir).unwrap();
    assert!(!dir.join("vault.key").exists());
}

#[test]
fn a_key_that_the_variable_already_has_rewrites_no_record() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let vault_system = system();
    let vault = Vault::open_or_create(&vault_system, dir, FILE).unwrap();
    vault.put(&all().0).unwrap();
    let system = with_key(fs::read_to_string(dir.join("vault.key")).unwrap().trim());
    let sealed = files(&dir.join("records"));
    let id = vault::rekey(&system, dir, FILE, Some(KeySource::Env)).unwrap();
    assert_eq!(manifest(dir)["key_id"], id.to_string());
    assert_eq!(manifest(dir)["key_source"], "env");
    assert!(!dir.join("vault.key").exists());
    assert_eq!(files(&dir.join("records")), sealed);
    let vault = Vault::open(&system, dir, ANY).unwrap().unwrap();
    assert_eq!(vault.get(&all().0.key()).unwrap(), Some(all().0));
}

#[cfg(unix)]
fn owner_only(dir: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for name in files(dir).keys() {
        fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Builds the folder that a process leaves if it is killed at a step, from the files before and
/// after a change.
#[test]
fn an_interrupted_change_opens_and_the_next_call_cleans_up() {
    let system = system();
    let dir = folder(&system);
    let (dir, records) = (dir.path(), dir.path().join("records"));
    let (before, sealed_before) = (files(dir), files(&records));
    vault::rekey(&system, dir, FILE, None).unwrap();
    let (after, sealed_after) = (files(dir), files(&records));
    let key = |name: &str, of: &BTreeMap<String, Vec<u8>>| {
        BTreeMap::from([(name.to_owned(), of["vault.key"].clone())])
    };
    let with = |id: &Value, retired: &Value| {
        let text = json!({"version": 1, "key_source": "file", "key_id": id, "retired": retired});
        BTreeMap::from([("vault.json".to_owned(), text.to_string().into_bytes())])
    };
    let id = |of: &BTreeMap<String, Vec<u8>>| {
        serde_json::from_slice::<Value>(&of["vault.json"]).unwrap()["key_id"].clone()
    };
    let (old, new) = (id(&before), id(&after));
    let some: BTreeMap<_, _> = sealed_after
        .iter()
        .take(2)
        .map(|(name, content)| (name.clone(), content.clone()))
        .collect();
    let next = key("vault.key.next", &after);
    let (old_key, new_key) = (key("vault.key", &before), key("vault.key", &after));
    let empty = BTreeMap::new();
    let (began, done) = (with(&old, &new), with(&new, &old));
    for (step, state, sealed) in [
        ("the next key is written", [&old_key, &next, &before], [&sealed_before, &empty]),
        ("vault.json announces it", [&old_key, &next, &began], [&sealed_before, &empty]),
        ("some are sealed again", [&old_key, &next, &began], [&sealed_before, &some]),
        ("all are sealed again", [&old_key, &next, &began], [&sealed_before, &sealed_after]),
        ("vault.json names the new key", [&old_key, &next, &done], [&sealed_before, &sealed_after]),
        ("the new key is in vault.key", [&new_key, &empty, &done], [&sealed_before, &sealed_after]),
        ("some old records are removed", [&new_key, &empty, &done], [&some, &sealed_after]),
    ] {
        for folder in [dir, &records] {
            for name in files(folder).keys() {
                fs::remove_file(folder.join(name)).unwrap();
            }
        }
        for files in state {
            put(dir, files);
        }
        for files in sealed {
            put(&records, files);
        }
        // The files before the change include vault.json and vault.key.
        if step == "the next key is written" {
            put(dir, &next);
        }
        #[cfg(unix)]
        owner_only(dir);
        assert_all_records_open(&system, dir);
        // It cleans up, then fails because there is no keyring here.
        vault::rekey(&system, dir, FILE, Some(KeySource::Keyring)).unwrap_err();
        assert_all_records_open(&system, dir);
        let is_announced = manifest(dir).get("retired").is_some();
        assert!(!dir.join("vault.key.next").exists(), "{step}");
        if is_announced {
            assert_eq!(files(&records).len(), 5, "{step}");
        }
        vault::rekey(&system, dir, FILE, None).unwrap_or_else(|error| panic!("{step}: {error:?}"));
        assert_all_records_open(&system, dir);
        assert_eq!(files(&records).len(), 5, "{step}");
        assert!(!dir.join("vault.key.next").exists(), "{step}");
        let key_ids = [&old, &new].map(|id| manifest(dir)["key_id"] == *id);
        assert_eq!(key_ids, [false, false], "{step}: a third key");
    }
}

#[test]
fn records_are_counted_without_the_key() {
    let system = system();
    let dir = folder(&system);
    let records = dir.path().join("records");
    let bytes: usize = files(&records).values().map(Vec::len).sum();
    fs::write(records.join(format!("at-{}.00000000.unreadable", "0".repeat(32))), "?").unwrap();
    let found = vault::inventory(&system, dir.path()).unwrap();
    let each: Vec<(&str, usize)> =
        found.records.iter().map(|(letters, count)| (letters.as_str(), *count)).collect();
    assert_eq!(each, [("ac", 1), ("at", 1), ("id", 1), ("rt", 1), ("sp", 1)]);
    assert_eq!((found.bytes, found.unreadable), (bytes as u64, 1));
    assert_eq!(found.key.unwrap().0, KeySource::File);
}

#[test]
fn writers_exclude_each_other_and_a_refresh_delays_a_key_change() {
    let system = system();
    let dir = folder(&system);
    let vault = Vault::open(&system, dir.path(), FILE).unwrap().unwrap();
    let held = vault.write_lock().unwrap();
    let (done, waits) = mpsc::channel();
    let path = dir.path().to_owned();
    let other = std::thread::spawn(move || {
        let system = self::system();
        let vault = Vault::open(&system, path.as_path(), FILE).unwrap().unwrap();
        let held = vault.write_lock().is_some();
        done.send(held).unwrap();
    });
    assert!(waits.recv_timeout(Duration::from_millis(200)).is_err(), "it waits");
    drop(held);
    assert!(waits.recv().unwrap());
    other.join().unwrap();

    let renewal = vault.flight(&all().0.key(), Duration::ZERO).unwrap().unwrap();
    let (done, waits) = mpsc::channel();
    let path = dir.path().to_owned();
    let other = std::thread::spawn(move || {
        let id = vault::rekey(&self::system(), path.as_path(), FILE, None).map(|id| id.to_string());
        done.send(id.is_ok()).unwrap();
    });
    assert!(waits.recv_timeout(Duration::from_millis(200)).is_err(), "it waits");
    assert_all_records_open(&system, dir.path());
    drop(renewal);
    assert!(waits.recv().unwrap());
    other.join().unwrap();
    assert_all_records_open(&system, dir.path());
}
