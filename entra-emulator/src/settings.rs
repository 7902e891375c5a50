//! What can be changed while the emulator runs.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How tokens are made and how the endpoints answer. Read them with
/// [`EntraEmulator::settings`](crate::EntraEmulator::settings), change them with
/// [`EntraEmulator::settings_mut`](crate::EntraEmulator::settings_mut) or
/// `POST /_emulator/settings` (camelCase names; what is left out stays as it is).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// Life of an access token in seconds (`expires_in`). 3599.
    pub token_lifetime: i64,
    /// `refresh_in` in seconds: when a client should renew the token ahead of its end. Left out
    /// of the answer when `None`, the default.
    pub refresh_in: Option<i64>,
    /// Whether each redemption of a refresh token hands out a new one. True.
    pub rotate_refresh_tokens: bool,
    /// Whether a redeemed refresh token stops working. False: in Entra the old one stays valid.
    pub invalidate_used_refresh_tokens: bool,
    /// Life of a refresh token in seconds. 90 days.
    pub refresh_token_lifetime: i64,
    /// Seconds a client has to wait between two polls of a device code (RFC 8628 3.2). 5.
    pub device_code_interval: i64,
    /// Life of a device code in seconds. 900.
    pub device_code_lifetime: i64,
    /// Sign-ins by device code or browser are completed at once as this user, with no page shown.
    /// `None`: somebody has to.
    pub auto_approve: Option<String>,
    /// Seconds added to the machine's clock. Moving it ahead lets tokens and codes expire;
    /// leaving it there shows how a client copes with clocks that disagree. 0.
    pub clock_offset: i64,
    /// Subscriptions and tenants on one page of ARM's lists (`nextLink` leads to the rest). 100.
    pub page_size: usize,
    /// ARM takes only tokens that carry this authentication context (`acrs`, e.g. `p1`), and
    /// answers others with a claims challenge. `None`.
    pub arm_authentication_context: Option<String>,
    /// Who is signed in to Cloud Shell. `None`: the directory's first user.
    pub cloud_shell_user: Option<String>,
    /// What a pipeline's job presents to get a federated token. `emulator-job-token`.
    pub job_token: String,
    /// Life of federated tokens in seconds. 600.
    pub assertion_lifetime: i64,
    /// What App Service, Azure ML and Service Fabric style managed identity endpoints want to see
    /// in `X-IDENTITY-HEADER`, `secret` or `Secret`. `emulator-identity-header`.
    pub identity_header: String,
    /// Where the Arc style endpoint leaves its secret. Clients accept only files in the agent's
    /// own folder, on Linux `/var/opt/azcmagent/tokens/`. `None`: `entra-emulator-<port>.key` in
    /// the system's folder for temporary files.
    pub arc_key_file: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token_lifetime: 3599,
            refresh_in: None,
            rotate_refresh_tokens: true,
            invalidate_used_refresh_tokens: false,
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
            identity_header: "emulator-identity-header".into(),
            arc_key_file: None,
        }
    }
}
