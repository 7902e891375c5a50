//! Records in the vault: contents, permissions, and the treatment of damaged files.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use azt::internals::error::{Error, Kind};
use azt::internals::program::Program;
use azt::internals::secret::Secret;
use azt::internals::sys::{Clock, Env, Http, System, Terminal};
use azt::internals::vault::{
    self, AccessToken, Account, AssertionSource, IdToken, KeyChoice, KeySource, Options, Record,
    RefreshToken, ServicePrincipal, Vault,
};
use serde_json::json;

const FILE: Options = Options {
    key_source: KeyChoice::Source(KeySource::File),
    key_cache_seconds: 0,
    keyring_limit: Duration::ZERO,
};

#[derive(Clone, Default)]
struct Screen(Rc<RefCell<Vec<u8>>>);

impl Screen {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn system() -> (System, Screen) {
    let screen = Screen::default();
    let system = System {
        program: Program::Azt,
        env: Env::fixed::<&str, &str>([]),
        clock: Clock::System,
        terminal: Terminal::piped(Box::new(io::sink()), Box::new(screen.clone())),
        http: Http::default(),
    };
    (system, screen)
}

fn token(account: &str, secret: &str) -> AccessToken {
    serde_json::from_value(json!({
        "home_account_id": "u.t", "environment": "login.example", "client_id": "c", "realm": "t",
        "target": "s/.default", "secret": secret, "cached_at": "1", "expires_on": "3601",
        "extended_expires_on": "7201", "account": account, "requested": "s/.default"
    }))
    .unwrap()
}

fn refresh_token(secret: &str) -> RefreshToken {
    serde_json::from_value(json!({
        "home_account_id": "u.t", "environment": "login.example", "client_id": "c",
        "secret": secret, "account": "ann@example.org"
    }))
    .unwrap()
}

fn application() -> ServicePrincipal {
    ServicePrincipal::without_credential("login.example", "c", "t")
}

fn files(dir: &Path) -> BTreeSet<PathBuf> {
    let listed = fs::read_dir(dir.join("records")).unwrap();
    listed.map(|entry| entry.unwrap().path()).collect()
}

/// A vault with one access token, and the path of its file.
fn with_token(dir: &Path) -> PathBuf {
    let (system, _) = system();
    let vault = Vault::open_or_create(&system, dir, FILE).unwrap();
    vault.put(&token("ann@example.org", "eyJ.secret")).unwrap();
    files(dir).into_iter().next().unwrap()
}

#[test]
fn records_of_every_kind_are_read_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let (system, _) = system();
    let id: IdToken = serde_json::from_value(json!({
        "home_account_id": "u.t", "environment": "e", "realm": "t", "client_id": "c",
        "secret": "id", "account": "ann" }))
    .unwrap();
    let account: Account = serde_json::from_value(json!({
        "home_account_id": "u.t", "environment": "e", "realm": "t", "local_account_id": "o",
        "username": "Ann@Example.org", "authority_type": "MSSTS", "unknown": {"kept": [1, null]} }))
    .unwrap();
    let principal = ServicePrincipal {
        client_secret: Some(Secret::new("s")),
        use_cert_sn_issuer: true,
        other: serde_json::from_value(json!({"unknown": {"kept": [1, null]}})).unwrap(),
        ..application()
    };
    {
        let vault = Vault::open_or_create(&system, dir.path(), FILE).unwrap();
        vault.put(&token("ann", "at")).unwrap();
        vault.put(&refresh_token("rt")).unwrap();
        vault.put(&id).unwrap();
        vault.put(&account).unwrap();
        vault.put(&principal).unwrap();
    }
    let vault = Vault::open(&system, dir.path(), FILE).unwrap().unwrap();
    assert_eq!(vault.get(&token("ann", "").key()).unwrap(), Some(token("ann", "at")));
    assert_eq!(vault.get(&refresh_token("").key()).unwrap(), Some(refresh_token("rt")));
    assert_eq!(vault.get(&id.key()).unwrap(), Some(id));
    assert_eq!(vault.get(&Account::key_of("E", "ANN@example.ORG")).unwrap(), Some(account.clone()));
    assert_eq!(vault.get(&principal.key()).unwrap(), Some(principal));
    assert_eq!(vault.all::<Account>().unwrap(), [account]);
}

#[test]
fn a_record_is_replaced_removed_and_listed() {
    let dir = tempfile::tempdir().unwrap();
    let (system, _) = system();
    let vault = Vault::open_or_create(&system, dir.path(), FILE).unwrap();
    for (account, secret) in [("ann", "1"), ("ann", "2"), ("bob", "3")] {
        vault.put(&token(account, secret)).unwrap();
    }
    let mut secrets: Vec<Secret> =
        vault.all::<AccessToken>().unwrap().into_iter().map(|token| token.secret).collect();
    secrets.sort_by(|a, b| a.expose().cmp(b.expose()));
    assert_eq!(secrets, [Secret::new("2"), Secret::new("3")]);
    let key = token("ann", "").key();
    assert_eq!([vault.remove(&key).unwrap(), vault.remove(&key).unwrap()], [true, false]);
    assert_eq!(vault.get(&key).unwrap(), None);
    assert_eq!(vault.all::<AccessToken>().unwrap().len(), 1);
}

#[test]
fn times_are_written_as_digits_and_read_as_digits_or_numbers() {
    let mut text = serde_json::to_value(token("ann", "x")).unwrap();
    assert_eq!(text["expires_on"], "3601");
    assert_eq!(text.get("refresh_on"), None);
    text["expires_on"] = json!(3602);
    text["refresh_on"] = json!(1800.9);
    let read: AccessToken = serde_json::from_value(text.clone()).unwrap();
    assert_eq!((read.expires_on, read.refresh_on), (3602, Some(1800)));
    text["cached_at"] = json!(-7);
    assert_eq!(serde_json::from_value::<AccessToken>(text.clone()).unwrap().cached_at, -7);
    text["refresh_on"] = json!(null);
    assert_eq!(serde_json::from_value::<AccessToken>(text).unwrap().refresh_on, None);
}

#[test]
fn an_applications_home_account_id_is_null_as_in_msal() {
    let mut application = token("", "x");
    application.home_account_id = None;
    let text = serde_json::to_value(application).unwrap();
    assert_eq!(text.get("home_account_id"), Some(&json!(null)));
}

#[test]
fn neither_a_file_nor_its_name_contains_plain_text() {
    let dir = tempfile::tempdir().unwrap();
    let file = with_token(dir.path());
    let contents = fs::read(&file).unwrap();
    for text in ["eyJ.secret", "ann@example.org", "secret", "login.example"] {
        assert!(!contents.windows(text.len()).any(|part| part == text.as_bytes()), "{text}");
        assert!(!file.to_str().unwrap().contains(text), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_use_files_and_folders() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let azt = dir.path().join("new/azt");
    let file = with_token(&azt);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for folder in ["", "records", "locks"] {
        assert_eq!(mode(&azt.join(folder)), 0o700, "{folder}");
    }
    for file in [file, azt.join("vault.json"), azt.join("vault.key")] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_damaged_file_is_set_aside_with_one_warning_and_counts_as_absent() {
    let dir = tempfile::tempdir().unwrap();
    let file = with_token(dir.path());
    let whole = fs::read(&file).unwrap();
    let (system, screen) = system();
    let vault = Vault::open(&system, dir.path(), FILE).unwrap().unwrap();
    // Damage in magic, salt, nonce, ciphertext, tag; then a truncated, an empty and a foreign file.
    let mut damaged: Vec<Vec<u8>> = [0, 20, 50, 61, whole.len() - 1]
        .into_iter()
        .map(|position| {
            let mut bytes = whole.clone();
            bytes[position] ^= 1;
            bytes
        })
        .collect();
    damaged.extend([whole[..whole.len() / 2].to_vec(), Vec::new(), b"{}".to_vec()]);
    for (count, bytes) in damaged.iter().enumerate() {
        fs::write(&file, bytes).unwrap();
        assert_eq!(vault.get(&token("ann@example.org", "").key()).unwrap(), None);
        assert!(!file.exists());
        assert_eq!(files(dir.path()).len(), count + 1, "none was overwritten");
    }
    let kept: BTreeSet<Vec<u8>> =
        files(dir.path()).into_iter().map(|path| fs::read(path).unwrap()).collect();
    assert_eq!(kept, damaged.into_iter().collect());
    assert!(files(dir.path()).iter().all(|path| path.to_str().unwrap().ends_with(".unreadable")));
    let shown = screen.text();
    assert_eq!(shown.matches("WARNING: ").count(), 1, "{shown}");
    assert!(shown.contains(file.to_str().unwrap()) && shown.contains(".unreadable"), "{shown}");
    vault.put(&token("ann@example.org", "new")).unwrap();
    assert_eq!(vault.all::<AccessToken>().unwrap().len(), 1);
}

#[test]
fn swapped_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (system, screen) = system();
    let vault = Vault::open_or_create(&system, dir.path(), FILE).unwrap();
    vault.put(&token("ann", "1")).unwrap();
    let first = files(dir.path()).into_iter().next().unwrap();
    vault.put(&token("bob", "2")).unwrap();
    let second = files(dir.path()).into_iter().find(|path| *path != first).unwrap();
    fs::rename(&second, &first).unwrap();
    assert_eq!(vault.get(&token("ann", "").key()).unwrap(), None, "not bob's");
    assert!(screen.text().contains("its name were changed"), "{}", screen.text());
}

#[test]
fn a_record_of_a_newer_azt_is_an_error_and_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let file = with_token(dir.path());
    let mut bytes = fs::read(&file).unwrap();
    bytes[7] = 2;
    fs::write(&file, &bytes).unwrap();
    let (system, _) = system();
    let vault = Vault::open(&system, dir.path(), FILE).unwrap().unwrap();
    let error = vault.get(&token("ann@example.org", "").key()).unwrap_err();
    assert_eq!(error.kind(), Kind::Vault);
    assert!(error.message().contains("newer azt (format 2)"), "{error}");
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

#[test]
fn a_record_sealed_with_another_key_is_an_error_and_is_kept() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (file, foreign) = (with_token(dir.path()), with_token(other.path()));
    fs::copy(&foreign, &file).unwrap();
    let (system, _) = system();
    let vault = Vault::open(&system, dir.path(), FILE).unwrap().unwrap();
    let error = vault.get(&token("ann@example.org", "").key()).unwrap_err();
    assert_eq!(error.kind(), Kind::Vault);
    assert!(error.message().contains("was sealed with the key"), "{error}");
    assert!(error.remedy_lines().iter().any(|line| line.contains("azt account clear")));
    assert_eq!(fs::read(&file).unwrap(), fs::read(&foreign).unwrap());
}

#[test]
fn a_folder_that_cannot_be_written_is_a_clear_error() {
    let dir = tempfile::tempdir().unwrap();
    let (system, _) = system();
    let vault = Vault::open_or_create(&system, dir.path(), FILE).unwrap();
    let records = dir.path().join("records");
    fs::write(&records, "not a folder").unwrap();
    let error = vault.put(&token("ann", "1")).unwrap_err();
    assert_eq!(error.kind(), Kind::Vault);
    assert!(error.message().contains(records.to_str().unwrap()), "{error}");
    assert!(!error.remedy_lines().is_empty());
    // An unreadable folder must not count as an empty one.
    let error = vault.all::<AccessToken>().unwrap_err();
    assert_eq!(error.kind(), Kind::Vault);
    assert!(error.message().contains(records.to_str().unwrap()), "{error}");
}

/// Every error that prevents the use of the vault has exit code 9.
#[test]
fn every_error_of_the_vault_is_of_its_kind() {
    let dir = tempfile::tempdir().unwrap();
    let (system, _) = system();
    let vault = Vault::open_or_create(&system, dir.path(), FILE).unwrap();
    let token = token("ann@example.org", "eyJ.secret");
    // A file in place of a folder, and a folder in place of a file: root cannot write there either.
    fs::create_dir(dir.path().join("swept")).unwrap();
    assert_eq!(vault.sweep_if_due(1).unwrap_err().kind(), Kind::Vault);
    fs::remove_dir_all(dir.path().join("locks")).unwrap();
    fs::write(dir.path().join("locks"), "").unwrap();
    let refused = Error::new(Kind::Refused, "no");
    let published = vault.publish_failure(&token.key(), "fingerprint", 1, &refused);
    assert_eq!(published.unwrap_err().kind(), Kind::Vault);
    assert_eq!(vault.exclusive_lock().err().unwrap().kind(), Kind::Vault);
    fs::write(dir.path().join("records"), "").unwrap();
    assert_eq!(vault.put(&token).unwrap_err().kind(), Kind::Vault);
    assert_eq!(vault.all::<AccessToken>().unwrap_err().kind(), Kind::Vault);
    assert_eq!(vault::inventory(&system, dir.path()).unwrap_err().kind(), Kind::Vault);
}

#[test]
fn readers_never_see_a_partial_record() {
    let dir = tempfile::tempdir().unwrap();
    with_token(dir.path());
    let secret = |writer: usize| writer.to_string().repeat(20_000);
    std::thread::scope(|threads| {
        for writer in 0..2 {
            let path = dir.path();
            threads.spawn(move || {
                let (system, _) = system();
                let vault = Vault::open(&system, path, FILE).unwrap().unwrap();
                for _ in 0..100 {
                    vault.put(&token("ann@example.org", &secret(writer))).unwrap();
                }
            });
        }
        for _ in 0..2 {
            threads.spawn(|| {
                let (system, screen) = system();
                let vault = Vault::open(&system, dir.path(), FILE).unwrap().unwrap();
                for _ in 0..300 {
                    let found = vault.get(&token("ann@example.org", "").key()).unwrap().unwrap();
                    let text = found.secret.expose();
                    assert!(
                        [secret(0), secret(1), "eyJ.secret".to_owned()]
                            .iter()
                            .any(|one| one == text)
                    );
                }
                assert_eq!(screen.text(), "");
            });
        }
    });
    assert_eq!(files(dir.path()).len(), 1, "no temporary files");
}

#[test]
fn only_one_caller_holds_a_flight_lock() {
    let dir = tempfile::tempdir().unwrap();
    let (system, _) = system();
    let vault = Vault::open_or_create(&system, dir.path(), FILE).unwrap();
    let key = token("ann", "").key();
    let held = vault.flight(&key, Duration::ZERO).unwrap();
    assert!(held.is_some());
    assert!(vault.flight(&key, Duration::ZERO).unwrap().is_none());
    drop(held);
    assert!(vault.flight(&key, Duration::ZERO).unwrap().is_some());
    // Only one caller a minute refreshes in the background.
    assert_eq!([1000, 1000, 1060].map(|now| vault.claim_refresh(&key, now)), [true, false, true]);
    for number in 0..1000 {
        let key = token(&number.to_string(), "").key();
        assert!(vault.flight(&key, Duration::ZERO).unwrap().is_some());
    }
    let locks = fs::read_dir(dir.path().join("locks")).unwrap().count();
    // 1,000 tokens use practically every one of the 64 flight locks. The setup lock and the mark of
    // the background refresh are here too.
    assert!((33..=66).contains(&locks), "{locks} lock files for any number of tokens");
}

#[test]
fn defaults_are_those_of_msal_and_az() {
    assert_eq!(token("ann@example.org", "t").token_type, "Bearer");
    let application = |use_cert_sn_issuer: bool| -> serde_json::Value {
        let certificate = Some("/c.pem".to_owned());
        let all = ServicePrincipal { certificate, use_cert_sn_issuer, ..application() };
        serde_json::to_value(all).unwrap()
    };
    assert_eq!(application(true)["use_cert_sn_issuer"], true);
    assert!(application(false).get("use_cert_sn_issuer").is_none());
}

/// The stored name of each kind of source is part of the format.
#[test]
fn every_assertion_source_is_stored_and_read() {
    let dir = tempfile::tempdir().unwrap();
    let (system, _) = system();
    let vault = Vault::open_or_create(&system, dir.path(), FILE).unwrap();
    for (source, text) in [
        (AssertionSource::File { path: "/t".into() }, json!({"kind": "file", "path": "/t"})),
        (
            AssertionSource::Command { command: "c".into() },
            json!({"kind": "command", "command": "c"}),
        ),
        (
            AssertionSource::GithubActions { audience: "a".into() },
            json!({"kind": "github-actions", "audience": "a"}),
        ),
        (
            AssertionSource::AzurePipelines { service_connection_id: "s".into() },
            json!({"kind": "azure-pipelines", "service_connection_id": "s"}),
        ),
    ] {
        assert_eq!(serde_json::to_value(&source).unwrap(), text);
        let record = ServicePrincipal { client_assertion_source: Some(source), ..application() };
        vault.put(&record).unwrap();
        assert_eq!(vault.get(&record.key()).unwrap(), Some(record));
    }
    // A record of azt 0.1 has no environment; it exists beside the record that has one.
    let former = ServicePrincipal { environment: String::new(), ..application() };
    vault.put(&former).unwrap();
    assert_eq!(vault.get(&ServicePrincipal::former_key_of("C", "T")).unwrap(), Some(former));
    assert_eq!(vault.all::<ServicePrincipal>().unwrap().len(), 2);
}

const DAY: i64 = 24 * 3600;

fn expiring(account: &str, expires_on: i64) -> AccessToken {
    AccessToken { expires_on, ..token(account, "t") }
}

#[test]
fn expired_tokens_are_removed_once_a_day() {
    let dir = tempfile::tempdir().unwrap();
    let (system, _) = system();
    let vault = Vault::open_or_create(&system, dir.path(), FILE).unwrap();
    let now = 1_000 * DAY;
    let kept_at = |now: i64| -> Vec<String> {
        vault.sweep_if_due(now).unwrap();
        let mut kept: Vec<String> =
            vault.all::<AccessToken>().unwrap().into_iter().map(|it| it.account).collect();
        kept.sort();
        kept
    };
    vault.put(&refresh_token("kept")).unwrap();
    vault.put(&expiring("long-expired", now - DAY - 1)).unwrap();
    // Kept for a day, since a wrong clock may be set back.
    vault.put(&expiring("expired", now - DAY)).unwrap();
    vault.put(&expiring("good", now + 60)).unwrap();
    assert_eq!(kept_at(now), ["expired", "good"]);
    vault.put(&expiring("late", 1)).unwrap();
    assert_eq!(kept_at(now + DAY - 1), ["expired", "good", "late"], "not again on that day");
    assert_eq!(kept_at(now + DAY), ["good"]);
    vault.put(&expiring("later", 1)).unwrap();
    assert_eq!(kept_at(now), ["good"], "a clock that was set back does not delay the sweep");
    assert_eq!(vault.all::<RefreshToken>().unwrap().len(), 1);
}

#[test]
fn of_too_many_tokens_those_that_expire_last_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (system, _) = system();
    let vault = Vault::open_or_create(&system, dir.path(), FILE).unwrap();
    let now = 1_000 * DAY;
    for at in 0..5_002 {
        vault.put(&expiring(&format!("{at}"), now + at)).unwrap();
    }
    vault.sweep_if_due(now).unwrap();
    let least = vault.all::<AccessToken>().unwrap().iter().map(|it| it.expires_on).min();
    assert_eq!((files(dir.path()).len(), least), (5_000, Some(now + 2)));
}

#[test]
fn a_killed_writers_temporary_file_is_removed_after_an_hour() {
    let dir = tempfile::tempdir().unwrap();
    let (system, _) = system();
    let vault = Vault::open_or_create(&system, dir.path(), FILE).unwrap();
    vault.put(&token("ann@example.org", "t")).unwrap();
    let age = |name: &str, seconds: u64| {
        let file = fs::File::create(dir.path().join("records").join(name)).unwrap();
        let written = file.metadata().unwrap().modified().unwrap();
        file.set_modified(written - Duration::from_secs(seconds)).unwrap();
    };
    age(".azt-abandoned.tmp", 3_700);
    age(".azt-being-written.tmp", 3_000);
    age("of-another-program", 1_000_000);
    vault.sweep_if_due(1).unwrap();
    let names: Vec<String> = files(dir.path())
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(!names.contains(&".azt-abandoned.tmp".to_owned()), "{names:?}");
}
