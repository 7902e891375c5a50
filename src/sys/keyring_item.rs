//! Items that other programs keep in the desktop keyring.

use std::io;
use std::time::Duration;

use zeroize::Zeroizing;

use super::run_with_timeout;

/// The service name of the Azure SDKs' cache in the keyring.
const SERVICE: &str = "Microsoft.Developer.IdentityService";
#[cfg(not(any(windows, target_os = "macos")))]
const LABEL: &str = "MSALCache";

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
    pub(crate) fn read(&self, limit: Duration) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let item = self.clone();
        run_with_timeout(limit, move || item.read_now())?
    }

    /// Writes `secret` to the item. Creates the item if it is missing.
    pub(crate) fn write(&self, secret: Zeroizing<Vec<u8>>, limit: Duration) -> io::Result<()> {
        let item = self.clone();
        run_with_timeout(limit, move || item.write_now(&secret))?
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
