//! The state of one emulator, which all endpoints read and write.

use crate::clock;
use crate::device::DeviceCode;
use crate::directory::{Application, Directory, Tenant, User};
use crate::error::{EntraError, Error};
use crate::fault::Fault;
use crate::federation::Assertion;
use crate::jwt::Signer;
use crate::log::Log;
use crate::settings::Settings;
use crate::token::authorization_code::Code;
use crate::token::refresh_token::RefreshToken;
use std::collections::HashMap;

/// The state of one emulator. Endpoints are functions of it and a [`Call`](crate::call::Call).
pub(crate) struct World {
    /// `https://localhost:<port>`.
    pub(crate) url: String,
    /// `http://127.0.0.1:<port>`.
    pub(crate) http_url: String,
    pub(crate) signer: Signer,
    pub(crate) directory: Directory,
    pub(crate) settings: Settings,
    pub(crate) faults: Vec<Fault>,
    pub(crate) log: Log,
    pub(crate) device_codes: Vec<DeviceCode>,
    pub(crate) codes: HashMap<String, Code>,
    pub(crate) refresh_tokens: HashMap<String, RefreshToken>,
    /// The federation server's assertions, by their text.
    pub(crate) assertions: HashMap<String, Assertion>,
    /// Lower-case user names, each with the last revoked serial number.
    pub(crate) revoked: HashMap<String, u64>,
    /// The last serial number of an access token that ARM challenges.
    pub(crate) challenged: u64,
    /// The secret in the key file of Arc's endpoint.
    pub(crate) arc_secret: Option<String>,
    serial: u64,
}

impl World {
    pub(crate) fn new(url: String, http_url: String, directory: Directory) -> Result<Self, Error> {
        Ok(Self {
            url,
            http_url,
            signer: Signer::new()?,
            directory,
            settings: Settings::default(),
            faults: Vec::new(),
            log: Log::default(),
            device_codes: Vec::new(),
            codes: HashMap::new(),
            refresh_tokens: HashMap::new(),
            assertions: HashMap::new(),
            revoked: HashMap::new(),
            challenged: 0,
            arc_secret: None,
            serial: 0,
        })
    }

    /// The emulator's time in Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        self.now_milliseconds() / 1000
    }

    pub(crate) fn now_milliseconds(&self) -> i64 {
        clock::machine_milliseconds() + self.settings.clock_offset * 1000
    }

    /// The next number in the order of sign-ins and tokens.
    pub(crate) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// Ends all sessions of the user: revokes every serial number until now.
    pub(crate) fn revoke(&mut self, username: &str) {
        self.revoked.insert(username.to_ascii_lowercase(), self.serial);
    }

    /// Makes ARM challenge every access token issued until now.
    pub(crate) fn challenge_access_tokens(&mut self) {
        self.challenged = self.serial;
    }

    pub(crate) fn is_revoked(&self, username: &str, serial: u64) -> bool {
        self.revoked.get(&username.to_ascii_lowercase()).is_some_and(|last| serial <= *last)
    }

    /// The requesting application, if this tenant knows it.
    pub(crate) fn application(
        &self,
        client_id: Option<&str>,
        authority: &Authority,
    ) -> Result<Application, EntraError> {
        let client_id = client_id.ok_or_else(|| EntraError::missing("client_id"))?;
        let application = self.directory.application(client_id);
        application
            .filter(|application| match authority {
                Authority::Tenant(tenant) => {
                    application.tenants.is_empty() || application.tenants.contains(&tenant.id)
                }
                Authority::Shared(_) => true,
            })
            .cloned()
            .ok_or_else(|| {
                let text = format!(
                    "No application with the identifier '{client_id}' is known in this directory."
                );
                EntraError::new("unauthorized_client", 700_016, text)
            })
    }

    /// The user with this name and password.
    pub(crate) fn user_with_password(
        &self,
        username: &str,
        password: &str,
    ) -> Result<User, EntraError> {
        let Some(user) = self.directory.user(username) else {
            let text = format!("The user account '{username}' does not exist in this directory.");
            return Err(EntraError::new("invalid_grant", 50_034, text));
        };
        if user.password != password {
            let text = "Invalid username or password.";
            return Err(EntraError::new("invalid_grant", 50_126, text));
        }
        Ok(user.clone())
    }
}

/// The tenant part of a URL.
#[derive(Clone, Debug)]
pub(crate) enum Authority {
    /// A tenant by its GUID or domain.
    Tenant(Tenant),
    /// `organizations`, `common` or `consumers`: the user's home tenant.
    Shared(String),
}

/// The tenant id of personal Microsoft accounts.
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

impl Authority {
    pub(crate) fn find(world: &World, name: &str) -> Result<Self, EntraError> {
        let lower = name.to_ascii_lowercase();
        if ["organizations", "common", "consumers"].contains(&lower.as_str()) {
            return Ok(Self::Shared(lower));
        }
        world.directory.tenant(name).cloned().map_or_else(
            || {
                let text = format!("Tenant '{name}' not found. Check the tenant's name.");
                Err(EntraError::new("invalid_tenant", 90_002, text))
            },
            |tenant| Ok(Self::Tenant(tenant)),
        )
    }

    /// The tenant's part of an `issuer`.
    pub(crate) fn issuer_part(&self) -> &str {
        match self {
            Self::Tenant(tenant) => &tenant.id,
            Self::Shared(name) if name == "consumers" => CONSUMERS,
            Self::Shared(_) => "{tenantid}",
        }
    }

    /// The tenant's part of an endpoint's address.
    pub(crate) fn path_part(&self) -> &str {
        match self {
            Self::Tenant(tenant) => &tenant.id,
            Self::Shared(name) => name,
        }
    }

    /// The tenant in which this user signs in.
    pub(crate) fn tenant_of(&self, world: &World, user: &User) -> Result<Tenant, EntraError> {
        let unknown = |place: &str| {
            let text = format!(
                "User account '{}' from identity provider '{}/{}/' does not exist in tenant '{place}'.",
                user.username, world.url, user.tenant
            );
            EntraError::new("invalid_grant", 50_020, text)
        };
        match self {
            Self::Tenant(tenant) if user.is_in(&tenant.id) => Ok(tenant.clone()),
            Self::Tenant(tenant) => Err(unknown(&tenant.display_name)),
            Self::Shared(name) if name == "consumers" => Err(unknown("consumers")),
            Self::Shared(_) => {
                world.directory.tenant(&user.tenant).cloned().ok_or_else(|| unknown(&user.tenant))
            }
        }
    }
}
