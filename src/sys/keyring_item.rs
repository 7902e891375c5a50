//! The desktop keyring, and the items that other programs keep in it.

use std::io;
use std::time::Duration;

use zeroize::Zeroizing;

#[cfg(all(unix, not(target_os = "macos")))]
use super::session_bus::SessionBus;
use super::{System, run_with_timeout};

/// The service name of the Azure SDKs' cache in the keyring.
const SERVICE: &str = "Microsoft.Developer.IdentityService";
#[cfg(not(any(windows, target_os = "macos")))]
const LABEL: &str = "MSALCache";

/// Runs `work`, which asks the keyring, as [`run_with_timeout`].
///
/// # Errors
/// Those of [`run_with_timeout`]; [`io::ErrorKind::TimedOut`] at once if the session bus is known to
/// hang.
#[cfg(all(unix, not(target_os = "macos")))]
pub(crate) fn ask_keyring<T: Send + 'static>(
    system: &System,
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let bus = SessionBus::of(system);
    if bus.as_ref().is_some_and(SessionBus::hangs) {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let answer = run_with_timeout(limit, work);
    if let (Some(bus), Err(error)) = (bus, &answer)
        && error.kind() == io::ErrorKind::TimedOut
    {
        // The keyring may also be waiting for its user, so the bus itself is asked.
        bus.check();
    }
    answer
}

/// Other systems' keyrings need no bus.
#[cfg(not(all(unix, not(target_os = "macos"))))]
pub(crate) fn ask_keyring<T: Send + 'static>(
    _system: &System,
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    run_with_timeout(limit, work)
}

/// The keyring item of a cache that the Azure SDKs share, in the layout of msal-extensions for
/// Python. The Secret Service finds it by the cache's name as schema, the macOS Keychain by service
/// and account.
#[derive(Clone, Debug)]
pub(crate) struct KeyringItem {
    /// The name of the cache with its suffix, such as `msal.cache.nocae`.
    pub(crate) schema: String,
    /// The account name in the Keychain.
    #[cfg_attr(not(target_os = "macos"), allow(dead_code, reason = "only the Keychain has it"))]
    pub(crate) account: String,
}

impl KeyringItem {
    /// Reads the secret; `None` if the keyring has no such item.
    pub(crate) fn read(
        &self,
        system: &System,
        limit: Duration,
    ) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let item = self.clone();
        ask_keyring(system, limit, move || item.read_now())?
    }

    /// Writes `secret` to the item. Creates the item if it is missing.
    pub(crate) fn write(
        &self,
        system: &System,
        secret: Zeroizing<Vec<u8>>,
        limit: Duration,
    ) -> io::Result<()> {
        let item = self.clone();
        ask_keyring(system, limit, move || item.write_now(&secret))?
    }

    #[cfg(not(any(windows, target_os = "macos")))]
    fn read_now(&self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        use secret_service::EncryptionType;
        use secret_service::blocking::SecretService;
        let service = SecretService::connect(EncryptionType::Dh).map_err(io::Error::other)?;
        let found = service.search_items(self.attributes()).map_err(io::Error::other)?;
        match (found.unlocked.first(), found.locked.is_empty()) {
            (Some(item), _) => {
                item.get_secret().map(Zeroizing::new).map(Some).map_err(io::Error::other)
            }
            (None, true) => Ok(None),
            (None, false) => Err(io::Error::other("it is locked")),
        }
    }

    #[cfg(not(any(windows, target_os = "macos")))]
    fn write_now(&self, secret: &[u8]) -> io::Result<()> {
        use secret_service::EncryptionType;
        use secret_service::blocking::SecretService;
        let service = SecretService::connect(EncryptionType::Dh).map_err(io::Error::other)?;
        let collection = service.get_default_collection().map_err(io::Error::other)?;
        collection.ensure_unlocked().map_err(|_| io::Error::other("it is locked"))?;
        collection
            .create_item(LABEL, self.attributes(), secret, true, "text/plain")
            .map(drop)
            .map_err(io::Error::other)
    }

    #[cfg(not(any(windows, target_os = "macos")))]
    fn attributes(&self) -> std::collections::HashMap<&str, &str> {
        [("xdg:schema", self.schema.as_str()), ("MsalClientID", SERVICE)].into()
    }

    #[cfg(any(windows, target_os = "macos"))]
    fn read_now(&self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let entry = keyring::Entry::new(SERVICE, &self.account).map_err(io::Error::other)?;
        match entry.get_secret() {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    #[cfg(any(windows, target_os = "macos"))]
    fn write_now(&self, secret: &[u8]) -> io::Result<()> {
        let entry = keyring::Entry::new(SERVICE, &self.account).map_err(io::Error::other)?;
        entry.set_secret(secret).map_err(io::Error::other)
    }
}
