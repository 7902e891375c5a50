//! Records in the vault: what is kept, who can read it, and what becomes of damaged files.
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
fn records_of_every_kind_come_back_when_opened_again() {
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
fn an_application_has_a_null_home_account_as_msal_wants_it() {
    let mut application = token("", "x");
    application.home_account_id = None;
    let text = serde_json::to_value(application).unwrap();
    assert_eq!(text.get("home_account_id"), Some(&json!(null)));
}

#[test]
fn nothing_readable_is_in_a_file_or_its_name() {
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
fn files_and_folders_are_the_owners_only() {
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
fn a_damaged_file_is_set_aside_once_named_and_counts_as_absent() {
    let dir = tempfile::tempdir().unwrap();
    let file = with_token(dir.path());
    let whole = fs::read(&file).unwrap();
    let (system, screen) = system();
    let vault = Vault::open(&system, dir.path(), FILE).unwrap().unwrap();
    // Magic, salt, nonce, ciphertext, tag; then a cut, an empty and a foreign file.
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
    let said = screen.text();
    assert_eq!(said.matches("WARNING: ").count(), 1, "{said}");
    assert!(said.contains(file.to_str().unwrap()) && said.contains(".unreadable"), "{said}");
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
fn a_record_of_a_newer_azt_is_an_error_and_stays() {
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
fn a_record_sealed_with_another_key_is_an_error_and_stays() {
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
    fs::write(&records, "in the way").unwrap();
    let error = vault.put(&token("ann", "1")).unwrap_err();
    assert_eq!(error.kind(), Kind::Vault);
    assert!(error.message().contains(records.to_str().unwrap()), "{error}");
    assert!(!error.remedy_lines().is_empty());
    // It cannot be read either, which is not the same as being empty.
    let error = vault.all::<AccessToken>().unwrap_err();
    assert_eq!(error.kind(), Kind::Vault);
    assert!(error.message().contains(records.to_str().unwrap()), "{error}");
}

/// Exit code 9 is promised for whatever keeps the vault from being used.
#[test]
fn every_error_that_leaves_the_vault_is_of_its_kind() {
    let dir = tempfile::tempdir().unwrap();
    let (system, _) = system();
    let vault = Vault::open_or_create(&system, dir.path(), FILE).unwrap();
    let token = token("ann@example.org", "eyJ.secret");
    // A file where a folder is needed, and a folder where a file is: root cannot write there either.
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
fn readers_never_see_a_torn_record() {
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
    assert_eq!(files(dir.path()).len(), 1, "no litter");
}

#[test]
fn a_flight_has_one_pilot() {
    let dir = tempfile::tempdir().unwrap();
    let (system, _) = system();
    let vault = Vault::open_or_create(&system, dir.path(), FILE).unwrap();
    let key = token("ann", "").key();
    let held = vault.flight(&key, Duration::ZERO).unwrap();
    assert!(held.is_some());
    assert!(vault.flight(&key, Duration::ZERO).unwrap().is_none());
    drop(held);
    assert!(vault.flight(&key, Duration::ZERO).unwrap().is_some());
    // And one who sets out before it is needed.
    assert_eq!([1000, 1000, 1060].map(|now| vault.claim_refresh(&key, now)), [true, false, true]);
    for number in 0..1000 {
        let key = token(&number.to_string(), "").key();
        assert!(vault.flight(&key, Duration::ZERO).unwrap().is_some());
    }
    let locks = fs::read_dir(dir.path().join("locks")).unwrap().count();
    // With 1,000 tokens every stripe is in use, as good as surely; and the setup lock, and the mark
    // of who set out.
    assert!((33..=66).contains(&locks), "{locks} lock files, however many tokens");
}

#[test]
fn what_is_not_said_is_as_msal_and_az_have_it() {
    assert_eq!(token("ann@example.org", "t").token_type, "Bearer");
    let application = |use_cert_sn_issuer: bool| -> serde_json::Value {
        let certificate = Some("/c.pem".to_owned());
        let all = ServicePrincipal { certificate, use_cert_sn_issuer, ..application() };
        serde_json::to_value(all).unwrap()
    };
    assert_eq!(application(true)["use_cert_sn_issuer"], true);
    assert!(application(false).get("use_cert_sn_issuer").is_none());
}

/// Whatever places there are, they come back from the seal, and each kind under its old name.
#[test]
fn every_source_of_assertions_comes_back() {
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
    // Of azt 0.1: bound to no environment, and beside the same one that is.
    let former = ServicePrincipal { environment: String::new(), ..application() };
    vault.put(&former).unwrap();
    assert_eq!(vault.get(&ServicePrincipal::former_key_of("C", "T")).unwrap(), Some(former));
    assert_eq!(vault.all::<ServicePrincipal>().unwrap().len(), 2);
}

const DAY: i64 = 24 * 3600;

fn ending(account: &str, expires_on: i64) -> AccessToken {
    AccessToken { expires_on, ..token(account, "t") }
}

#[test]
fn ended_tokens_are_swept_once_a_day() {
    let dir = tempfile::tempdir().unwrap();
    let (system, _) = system();
    let vault = Vault::open_or_create(&system, dir.path(), FILE).unwrap();
    let now = 1_000 * DAY;
    let left = |now: i64| -> Vec<String> {
        vault.sweep_if_due(now).unwrap();
        let mut left: Vec<String> =
            vault.all::<AccessToken>().unwrap().into_iter().map(|it| it.account).collect();
        left.sort();
        left
    };
    vault.put(&refresh_token("kept")).unwrap();
    vault.put(&ending("long-ended", now - DAY - 1)).unwrap();
    // A clock that was wrong may be set back.
    vault.put(&ending("ended", now - DAY)).unwrap();
    vault.put(&ending("good", now + 60)).unwrap();
    assert_eq!(left(now), ["ended", "good"]);
    vault.put(&ending("late", 1)).unwrap();
    assert_eq!(left(now + DAY - 1), ["ended", "good", "late"], "not again on that day");
    assert_eq!(left(now + DAY), ["good"]);
    vault.put(&ending("later", 1)).unwrap();
    assert_eq!(left(now), ["good"], "a clock that was set back waits for no other day");
    assert_eq!(vault.all::<RefreshToken>().unwrap().len(), 1);
}

#[test]
fn of_very_many_tokens_those_that_end_last_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (system, _) = system();
    let vault = Vault::open_or_create(&system, dir.path(), FILE).unwrap();
    let now = 1_000 * DAY;
    for at in 0..5_002 {
        vault.put(&ending(&format!("{at}"), now + at)).unwrap();
    }
    vault.sweep_if_due(now).unwrap();
    let least = vault.all::<AccessToken>().unwrap().iter().map(|it| it.expires_on).min();
    assert_eq!((files(dir.path()).len(), least), (5_000, Some(now + 2)));
}

#[test]
fn what_a_killed_writer_left_goes_after_an_hour() {
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
    age("of-somebody-else", 1_000_000);
    vault.sweep_if_due(1).unwrap();
    let names: Vec<String> = files(dir.path())
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(!names.contains(&".azt-abandoned.tmp".to_owned()), "{names:?}");
}
