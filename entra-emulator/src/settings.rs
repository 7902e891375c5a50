//! Settings that can change while the emulator runs.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings for tokens and endpoints. Read them with
/// [`EntraEmulator::settings`](crate::EntraEmulator::settings), change them with
/// [`EntraEmulator::settings_mut`](crate::EntraEmulator::settings_mut) or
/// `POST /_emulator/settings` (camelCase names; omitted members stay as they are).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// Lifetime of an access token in seconds (`expires_in`). Default: 3599.
    pub token_lifetime: i64,
    /// `refresh_in` in seconds: when a client should refresh the token before it expires. Default:
    /// `None`, which omits it from the response.
    pub refresh_in: Option<i64>,
    /// True if each use of a refresh token returns a new one. Default: true.
    pub rotate_refresh_tokens: bool,
    /// True if a used refresh token stops working. Default: false, as in Entra.
    pub invalidate_used_refresh_tokens: bool,
    /// User whose tokens a refresh token gets, as from a faulty server. Default: `None`, which means
    /// the user who signed in.
    pub refresh_as: Option<String>,
    /// Lifetime of a refresh token in seconds. Default: 90 days.
    pub refresh_token_lifetime: i64,
    /// Seconds that a client must wait between two polls of a device code (RFC 8628 3.2). Default:
    /// 5.
    pub device_code_interval: i64,
    /// Lifetime of a device code in seconds. Default: 900.
    pub device_code_lifetime: i64,
    /// User as whom sign-ins by device code or browser complete at once, without a page. Default:
    /// `None`, which waits for a user.
    pub auto_approve: Option<String>,
    /// Seconds added to the machine's clock. Increase it to let tokens and codes expire, or to test
    /// a client with a wrong clock. Default: 0.
    pub clock_offset: i64,
    /// Entries on one page of ARM's lists (`nextLink` leads to the next one). Default: 100.
    pub page_size: usize,
    /// Authentication context (`acrs`, e.g. `p1`) that ARM requires in tokens. It answers others
    /// with a claims challenge. Default: `None`.
    pub arm_authentication_context: Option<String>,
    /// The user of Cloud Shell. Default: `None`, which means the directory's first user.
    pub cloud_shell_user: Option<String>,
    /// The token that a pipeline's job must present for a federated token. Default:
    /// `emulator-job-token`.
    pub job_token: String,
    /// Lifetime of federated tokens in seconds. Default: 600.
    pub assertion_lifetime: i64,
    /// The federation server.
    pub federation: Federation,
    /// Port on 127.0.0.1 of a program that checks Kerberos tokens: it reads the base64 of a SPNEGO
    /// token as one line, and answers `OK user@REALM` or `NO reason`. Default: `None`, which refuses
    /// every token.
    pub negotiate_acceptor: Option<u16>,
    /// The value that the managed identity endpoints of App Service, Azure ML and Service Fabric
    /// require in `X-IDENTITY-HEADER`, `secret` or `Secret`. Default: `emulator-identity-header`.
    pub identity_header: String,
    /// The file to which Arc's endpoint writes its secret. Clients accept only files in the agent's
    /// own folder, on Linux `/var/opt/azcmagent/tokens/`. Default: `None`, which means
    /// `entra-emulator-<port>.key` in the system's temporary folder.
    pub arc_key_file: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token_lifetime: 3599,
            refresh_in: None,
            rotate_refresh_tokens: true,
            invalidate_used_refresh_tokens: false,
            refresh_as: None,
            refresh_token_lifetime: 90 * 24 * 3600,
            device_code_interval: 5,
            device_code_lifetime: 900,
            auto_approve: None,
            clock_offset: 0,
            page_size: 100,
            arm_authentication_context: None,
            cloud_shell_user: None,
            job_token: "emulator-job-token".into(),
            assertion_lifetime: 600,
            federation: Federation::default(),
            negotiate_acceptor: None,
            identity_header: "emulator-identity-header".into(),
            arc_key_file: None,
        }
    }
}

/// What the federation server offers. Its failures are [`Fault`](crate::Fault)s of the path
/// `/adfs/services/trust`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent setting")]
pub struct Federation {
    /// True if assertions are SAML 2.0; else they are SAML 1.1. Default: false.
    pub saml2: bool,
    /// True if the metadata lists the endpoints of WS-Trust 1.3. Default: true.
    pub trust13: bool,
    /// True if the metadata lists the endpoints of WS-Trust 2005. Default: true.
    pub trust2005: bool,
    /// The origin of the endpoints in the metadata. Default: `None`, which means the emulator's.
    pub origin: Option<String>,
    /// True if Entra names the metadata and the endpoint for passwords. Default: true.
    pub active: bool,
}

impl Default for Federation {
    fn default() -> Self {
        Self { saml2: false, trust13: true, trust2005: true, origin: None, active: true }
    }
}
