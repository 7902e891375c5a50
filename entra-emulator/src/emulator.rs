//! The Rust interface of the emulator.

use crate::device::{self, Outcome};
use crate::directory::Directory;
use crate::error::Error;
use crate::fault::Fault;
use crate::jwt;
use crate::log::RequestLogEntry;
use crate::server::{Port, Server, lock};
use crate::settings::Settings;
use crate::tls::Tls;
use crate::world::World;
use serde::Serialize;
use serde_json::json;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// A running emulator. Its own thread answers requests until it is dropped.
pub struct EntraEmulator {
    url: String,
    http_url: String,
    ca_pem: String,
    thumbprint: String,
    world: Arc<Mutex<World>>,
    _server: Server,
}

/// Options for the start of an emulator.
#[derive(Debug, Default)]
pub struct Builder {
    directory: Option<Directory>,
    port: u16,
    http_port: u16,
}

impl Builder {
    /// The directory; [`Directory::default()`] unless given.
    #[must_use]
    pub fn directory(mut self, directory: Directory) -> Self {
        self.directory = Some(directory);
        self
    }

    /// The HTTPS port; 0, the default, means any free port.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The port for managed identity (plain HTTP); 0, the default, means any free port.
    #[must_use]
    pub fn http_port(mut self, port: u16) -> Self {
        self.http_port = port;
        self
    }

    /// Starts the emulator. When this returns, the ports accept connections.
    ///
    /// # Errors
    /// [`Error::Io`] when a port is taken.
    pub fn start(self) -> Result<EntraEmulator, Error> {
        let tls = Tls::new()?;
        let (https, http) = (Port::take(self.port)?, Port::take(self.http_port)?);
        let url = match https.number {
            // Clients omit the default port, and compare addresses.
            443 => "https://localhost".to_owned(),
            number => format!("https://localhost:{number}"),
        };
        let http_url = format!("http://127.0.0.1:{}", http.number);
        let directory = self.directory.unwrap_or_default();
        let world = World::new(url.clone(), http_url.clone(), directory)?;
        let world = Arc::new(Mutex::new(world));
        Ok(EntraEmulator {
            _server: Server::start(Arc::clone(&world), https, http, tls.config)?,
            ca_pem: tls.ca_pem,
            thumbprint: jwt::sha1_hex(&tls.certificate),
            url,
            http_url,
            world,
        })
    }
}

impl EntraEmulator {
    /// Returns the options for a start.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// `https://localhost:<port>` (without the port if it is 443), without a trailing slash: the
    /// login endpoint and the resource manager endpoint.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `http://127.0.0.1:<port>`, without a trailing slash: the managed identity endpoints.
    pub fn http_url(&self) -> &str {
        &self.http_url
    }

    /// The certificate authority that clients must trust, as PEM. Each start makes a new one.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// SHA-1 of the server's certificate in hexadecimal digits: the thumbprint that Service Fabric
    /// gives to its applications.
    pub fn certificate_thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// Writes [`ca_pem`](Self::ca_pem) to a file.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be written.
    pub fn write_ca(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        std::fs::write(path, &self.ca_pem).map_err(|source| Error::Io {
            what: format!("cannot write {}", path.display()),
            source,
        })
    }

    /// Returns every request since the start or the last [`clear_requests`](Self::clear_requests),
    /// in order of arrival.
    pub fn requests(&self) -> Vec<RequestLogEntry> {
        lock(&self.world).log.entries.clone()
    }

    /// Deletes the log of requests.
    pub fn clear_requests(&self) {
        lock(&self.world).log.entries.clear();
    }

    /// The faults of this emulator.
    pub fn faults(&self) -> Faults<'_> {
        Faults { world: &self.world }
    }

    /// The current settings.
    pub fn settings(&self) -> Settings {
        lock(&self.world).settings.clone()
    }

    /// Changes settings. The endpoints are blocked meanwhile, so `change` must send no request.
    pub fn settings_mut<R>(&self, change: impl FnOnce(&mut Settings) -> R) -> R {
        change(&mut lock(&self.world).settings)
    }

    /// The current directory.
    pub fn directory(&self) -> Directory {
        lock(&self.world).directory.clone()
    }

    /// Changes the directory. The endpoints are blocked meanwhile, so `change` must send no
    /// request.
    pub fn directory_mut<R>(&self, change: impl FnOnce(&mut Directory) -> R) -> R {
        change(&mut lock(&self.world).directory)
    }

    /// The device codes that wait for a user, oldest first.
    pub fn pending_device_codes(&self) -> Vec<PendingDeviceCode> {
        pending_device_codes(&lock(&self.world))
    }

    /// Approves a device code as `username`, with a second factor if required, and with consent.
    ///
    /// # Errors
    /// [`Error::NoSuchUserCode`], [`Error::NoSuchUser`].
    pub fn approve_device_code(&self, user_code: &str, username: &str) -> Result<(), Error> {
        device::approve(&mut lock(&self.world), user_code, username)
    }

    /// Declines a device code, as the user can on the page.
    ///
    /// # Errors
    /// [`Error::NoSuchUserCode`].
    pub fn decline_device_code(&self, user_code: &str) -> Result<(), Error> {
        let mut world = lock(&self.world);
        device::pending(&mut world, user_code)?.outcome = Outcome::Declined;
        Ok(())
    }

    /// Lets a device code expire.
    ///
    /// # Errors
    /// [`Error::NoSuchUserCode`].
    pub fn expire_device_code(&self, user_code: &str) -> Result<(), Error> {
        let mut world = lock(&self.world);
        let now = world.now();
        device::pending(&mut world, user_code)?.expires_at = now;
        Ok(())
    }

    /// Ends the user's sessions. Refresh tokens issued until now are refused (AADSTS50173), and ARM
    /// answers access tokens issued until now with a claims challenge.
    pub fn revoke(&self, username: &str) {
        lock(&self.world).revoke(username);
    }

    /// Makes ARM answer every access token issued until now with a claims challenge (continuous
    /// access evaluation). Refresh tokens still work.
    pub fn challenge_access_tokens(&self) {
        lock(&self.world).challenge_access_tokens();
    }

    /// Makes a token of another issuer, for use as a client assertion (workload identity
    /// federation). The emulator signs it; it is valid for [`Settings::assertion_lifetime`]. The
    /// audience is `api://AzureADTokenExchange`.
    pub fn assertion(&self, issuer: &str, subject: &str) -> String {
        assertion(&lock(&self.world), issuer, subject, "api://AzureADTokenExchange")
    }
}

/// The faults of an emulator: see [`Fault`].
pub struct Faults<'a> {
    world: &'a Mutex<World>,
}

impl Faults<'_> {
    /// Adds a fault after the existing ones.
    pub fn push(&self, fault: Fault) {
        lock(self.world).faults.push(fault);
    }

    /// Removes all faults.
    pub fn clear(&self) {
        lock(self.world).faults.clear();
    }

    /// Returns the faults that still apply.
    pub fn list(&self) -> Vec<Fault> {
        lock(self.world).faults.clone()
    }
}

/// A device code that waits for a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingDeviceCode {
    /// The code that the user enters.
    pub user_code: String,
    /// The client that requested the code.
    pub client_id: String,
    /// Expiry in Unix seconds.
    pub expires_at: i64,
}

pub(crate) fn pending_device_codes(world: &World) -> Vec<PendingDeviceCode> {
    let now = world.now();
    let waiting = world
        .device_codes
        .iter()
        .filter(|code| code.expires_at > now && matches!(code.outcome, Outcome::Pending));
    waiting
        .map(|code| PendingDeviceCode {
            user_code: code.user_code.clone(),
            client_id: code.client_id.clone(),
            expires_at: code.expires_at,
        })
        .collect()
}

pub(crate) fn assertion(world: &World, issuer: &str, subject: &str, audience: &str) -> String {
    let now = world.now();
    world.signer.sign(&json!({
        "iss": issuer,
        "sub": subject,
        "aud": audience,
        "iat": now,
        "nbf": now,
        "exp": now + world.settings.assertion_lifetime,
        "jti": crate::identifier::guid(),
    }))
}
