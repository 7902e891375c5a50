//! The vault key in the desktop's keyring: Secret Service (freedesktop.org), macOS Keychain,
//! Windows Credential Manager. The keyring stores only the key, because Credential Manager takes
//! 2,560 bytes at most and tokens are longer.
//!
//! The `keyring` crate waits without limit for a hanging bus and for the user, so every call runs
//! in a thread that is abandoned at the time limit. The entry is `azt` / key id, and its secret is
//! the key as 64 hex digits: `secret-tool lookup service azt username <key id>`.

use std::io;
use std::path::Path;
use std::time::Duration;

use keyring::{Entry, Error as Refusal};
use zeroize::Zeroizing;

use super::source::Source;
use super::{KeyId, VaultKey, kernel, vault_failure};
use crate::error::{Error, Result};
use crate::sys::{System, ask_keyring};

const SERVICE: &str = "azt";
/// Time for a user to type the keyring's password.
const PATIENT: Duration = Duration::from_mins(1);

/// Time limit for the keyring at a sign-in: longer than `limit` if a user can see its dialogue.
pub(super) fn limit_at_sign_in(system: &System, limit: Duration) -> Duration {
    let display = ["DISPLAY", "WAYLAND_DISPLAY"];
    let sees_dialogues = cfg!(any(windows, target_os = "macos"))
        || display.into_iter().any(|name| system.env.non_empty(name).is_some());
    if sees_dialogues && system.terminal.stdin_is_tty() { limit.max(PATIENT) } else { limit }
}

/// The key source `keyring`.
pub(super) struct Keyring<'s> {
    pub(super) system: &'s System,
    /// Time limit for an answer.
    pub(super) limit: Duration,
    /// How long, in seconds, the kernel keeps a copy of the key; 0 for no copy.
    pub(super) cache_seconds: u32,
}

impl Source for Keyring<'_> {
    fn fetch(&self, id: KeyId) -> Result<Option<VaultKey>> {
        if let Some(key) = self.caches().then(|| kernel::cached(id)).flatten() {
            return Ok(Some(key));
        }
        self.read_back(id)
    }

    fn read_back(&self, id: KeyId) -> Result<Option<VaultKey>> {
        let key = fetch(self.system, id, self.limit)?;
        if self.caches()
            && let Some(key) = key.as_ref().filter(|key| key.id() == id)
        {
            kernel::cache(key, self.cache_seconds);
        }
        Ok(key)
    }

    fn make(&self) -> Result<VaultKey> {
        keep(self.system, VaultKey::generate()?, self.limit)
    }

    fn remove(&self, id: KeyId) -> Result<()> {
        remove(self.system, id, self.limit)
    }

    fn place(&self) -> String {
        "the keyring".to_owned()
    }
}

impl Keyring<'_> {
    fn caches(&self) -> bool {
        self.cache_seconds > 0
    }
}

/// The key `id`; `None` if the keyring has no such entry.
fn fetch(system: &System, id: KeyId, limit: Duration) -> Result<Option<VaultKey>> {
    let answer = ask(system, limit, id.to_string(), |entry| {
        each(entry, |entry| entry.get_secret().map(Zeroizing::new))
    })?;
    let texts = match answer {
        Ok(texts) => texts,
        Err(Refusal::NoEntry) => return Ok(None),
        Err(refusal) => return Err(refused(&refusal)),
    };
    let keys = texts.iter().filter_map(|text| VaultKey::parse(std::str::from_utf8(text).ok()?));
    // Prefer the vault's own key; the caller reports another one.
    keys.reduce(|one, other| if other.id() == id { other } else { one }).map(Some).ok_or_else(
        || {
            vault_failure(format!("The keyring's entry {SERVICE} / {id} is not a vault key."))
                .remedy("Restore the entry: 64 hex digits, or base64 of 32 bytes.")
        },
    )
}

/// Why the keyring cannot be used; `None` if it can. A locked keyring may still answer this.
pub(super) fn flaw(system: &System, limit: Duration) -> Option<Error> {
    match ask(system, limit, "probe".to_owned(), |entry| entry.get_secret().map(Zeroizing::new)) {
        Ok(Ok(_) | Err(Refusal::NoEntry)) => None,
        Ok(Err(refusal)) => Some(refused(&refusal)),
        Err(error) => Some(error),
    }
}

/// Stores `key` in the keyring and returns it.
fn keep(system: &System, key: VaultKey, limit: Duration) -> Result<VaultKey> {
    let text = key.to_hex();
    ask(system, limit, key.id().to_string(), move |entry| entry.set_secret(text.as_bytes()))?
        .map_err(|refusal| refused(&refusal))?;
    Ok(key)
}

/// Removes the key `id`.
fn remove(system: &System, id: KeyId, limit: Duration) -> Result<()> {
    match ask(system, limit, id.to_string(), |entry| each(entry, Entry::delete_credential))? {
        Ok(_) | Err(Refusal::NoEntry) => Ok(()),
        Err(refusal) => Err(refused(&refusal)),
    }
}

/// The key id that azt pinned for the vault in `folder`; `None` also if the keyring does not
/// answer.
pub(super) fn pinned(system: &System, folder: &Path, limit: Duration) -> Option<KeyId> {
    let read = |entry: &Entry| each(entry, Entry::get_secret);
    let found = ask(system, limit, pin_of(folder), read).ok()?.ok()?;
    String::from_utf8(found.into_iter().next()?).ok()?.try_into().ok()
}

/// Pins `id` as the key of the vault in `folder`.
pub(super) fn pin(system: &System, folder: &Path, id: KeyId, limit: Duration) {
    let text = id.to_string();
    // Best effort: without the pin, only a change of the source goes unnoticed.
    let _ = ask(system, limit, pin_of(folder), move |entry| entry.set_secret(text.as_bytes()));
}

/// Removes the pin of [`pin`].
pub(super) fn unpin(system: &System, folder: &Path, limit: Duration) {
    let remove = |entry: &Entry| each(entry, Entry::delete_credential);
    let _ = ask(system, limit, pin_of(folder), remove);
}

/// The entry name of the pin. It uses the folder's path, because the folder's contents are not
/// trusted.
fn pin_of(folder: &Path) -> String {
    let path = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    format!("vault in {}", path.display())
}

/// Runs `work` on the entry, or on each entry of that name: a restored or synchronised keyring has
/// duplicates.
fn each<T>(entry: &Entry, work: impl Fn(&Entry) -> keyring::Result<T>) -> keyring::Result<Vec<T>> {
    match work(entry) {
        Err(Refusal::Ambiguous(twins)) => {
            twins.into_iter().map(|inner| work(&Entry { inner })).collect()
        }
        answer => answer.map(|it| vec![it]),
    }
}

/// Runs `work` on the entry, within `limit`. The outer error means no service or no answer in time;
/// the inner result is the keyring's answer.
fn ask<T: Send + 'static>(
    system: &System,
    limit: Duration,
    name: String,
    work: impl FnOnce(&Entry) -> keyring::Result<T> + Send + 'static,
) -> Result<keyring::Result<T>> {
    if !system.env.is_process() {
        // The crate reads the real process environment, which this system replaces.
        return Err(no_service("the environment is not this process's own"));
    }
    let answer = ask_keyring(system, limit, move || {
        if let Err(cause) = Entry::store_status() {
            return Err(cause.to_string());
        }
        Ok(Entry::new(SERVICE, &name).and_then(|entry| work(&entry)))
    });
    match answer {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) if is_anothers_bus(system) => Err(anothers_service()),
        Ok(Err(cause)) => Err(no_service(&cause)),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(no_answer(limit)),
        Err(error) => {
            Err(vault_failure(format!("The keyring cannot be used: {error}.")).source(error))
        }
    }
}

fn no_service(cause: &str) -> Error {
    vault_failure(format!("There is no keyring service here: {cause}."))
        .remedy("Run inside a desktop session, or start a Secret Service such as gnome-keyring.")
}

fn anothers_service() -> Error {
    vault_failure("The keyring of this session belongs to another user.").remedy(
        "Run azt as that user (without sudo), or choose another key source: env, file or kernel.",
    )
}

/// True if the session bus belongs to another user's login, as under sudo.
#[cfg(unix)]
fn is_anothers_bus(system: &System) -> bool {
    // D-Bus Specification, "Server Addresses"; without the variable, systemd's default path.
    let path = match system.env.non_empty("DBUS_SESSION_BUS_ADDRESS") {
        Some(address) => address
            .strip_prefix("unix:path=")
            .and_then(|it| it.split([',', ';']).next())
            .map(std::path::PathBuf::from),
        None => system.env.path("XDG_RUNTIME_DIR").map(|it| it.join("bus")),
    };
    path.and_then(|path| std::fs::metadata(path).ok())
        .is_some_and(|it| crate::sys::owner::is_anothers(&it))
}

/// Other systems' keyrings use no socket.
#[cfg(not(unix))]
fn is_anothers_bus(_system: &System) -> bool {
    false
}

fn no_answer(limit: Duration) -> Error {
    vault_failure(format!("The keyring did not answer within {} s.", limit.as_secs()))
        .remedy("If it is waiting to be unlocked, unlock it and try again; otherwise restart it.")
}

fn refused(refusal: &Refusal) -> Error {
    match refusal {
        Refusal::NoStorageAccess(cause) => {
            vault_failure(format!("The keyring is locked or was never set up ({cause})."))
                .remedy("Unlock it, for instance by signing in to the desktop, and try again.")
        }
        other => vault_failure(format!("The keyring failed: {other}.")).remedy(
            "Try again; if it fails again, restart the keyring or sign in to the desktop again.",
        ),
    }
}
