//! The operating system's identity broker: a program that holds the sign-ins of this machine's
//! users and gives tokens for them.
//!
//! azt asks silently only, and stores neither refresh tokens nor the broker's own secrets. Requests
//! and answers are the JSON of the Linux broker (`com.microsoft.identity.Broker1`) on every
//! platform.

mod account;
mod answer;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
#[cfg(all(unix, not(target_os = "macos")))]
mod linux;
mod presence;
mod request;
mod serve;
#[cfg(windows)]
mod windows;
#[cfg(all(unix, not(target_os = "macos")))]
mod windows_side;
#[cfg(all(unix, not(target_os = "macos")))]
mod wsl;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use account::{BrokerAccount, Brokered};
pub use presence::{Presence, identity_broker_presence};
pub(crate) use serve::answer_line;

use super::remedy;
use crate::entra::{AZURE_CLI_CLIENT_ID, Authority, Scopes, TokenResponse};
use crate::error::{Error, Kind, Result};
use crate::foreign::Sentence;
use crate::secret::Secret;
#[cfg(not(target_os = "macos"))]
use crate::sys::CallFailure;
use crate::sys::{Deadline, System, aside};

/// Time limit of a question, including the start of a broker that does not run.
const LIMIT: Duration = Duration::from_secs(3);

/// Time limit on the Windows side of WSL. Shorter, so that its error arrives before the other side
/// gives up.
const LONGEST_BEHIND_WSL: Duration = Duration::from_secs(2);

/// The methods of a broker that azt calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// Lists the accounts.
    GetAccounts,
    /// Gets a token without a prompt.
    AcquireTokenSilently,
}

impl Method {
    const ALL: [Self; 2] = [Self::GetAccounts, Self::AcquireTokenSilently];

    /// The name in the interface.
    fn name(self) -> &'static str {
        match self {
            Self::GetAccounts => "getAccounts",
            Self::AcquireTokenSilently => "acquireTokenSilently",
        }
    }
}

/// An identity broker.
pub(crate) trait IdentityBroker: Send + Sync {
    /// Calls `method` with the JSON text `request`; returns the JSON text of the answer. Blocks.
    ///
    /// # Errors
    /// There is no broker, or it does not answer within `limit`.
    fn call(&self, method: Method, request: String, limit: Duration) -> Result<Secret>;
}

/// The broker of this machine. In WSL without one of its own it is that of Windows, if an `azt.exe`
/// is there. Asks nobody yet.
///
/// # Errors
/// azt knows no broker for this platform.
pub(crate) fn identity_broker(system: &System) -> Result<Arc<dyn IdentityBroker>> {
    #[cfg(all(unix, not(target_os = "macos")))]
    if let Some(program) = crate::sys::azt_of_windows(system) {
        return Ok(Arc::new(wsl::WslBroker::new(system, program)));
    }
    own_broker(system).map_err(|error| remedy::for_identity_broker(error, system.program))
}

/// The broker of this machine, never that of Windows in WSL.
#[allow(clippy::unnecessary_wraps, reason = "other operating systems have none")]
fn own_broker(system: &System) -> Result<Arc<dyn IdentityBroker>> {
    #[cfg(all(unix, not(target_os = "macos")))]
    return Ok(Arc::new(linux::LinuxBroker::new(system)));
    #[cfg(windows)]
    {
        let _ = system;
        Ok(Arc::new(windows::WindowsBroker))
    }
    #[cfg(target_os = "macos")]
    {
        let _ = system;
        Err(Error::failed("azt cannot ask the identity broker of this operating system."))
    }
}

/// The accounts of `broker` at the login host `environment`, each once.
pub(crate) async fn accounts_of(
    system: &System,
    broker: &Arc<dyn IdentityBroker>,
    environment: &str,
) -> Result<Vec<BrokerAccount>> {
    accounts_by(broker, environment, Deadline::at_most(LIMIT))
        .await
        .map_err(|error| remedy::for_identity_broker(error, system.program))
}

async fn accounts_by(
    broker: &Arc<dyn IdentityBroker>,
    environment: &str,
    deadline: Deadline,
) -> Result<Vec<BrokerAccount>> {
    let answer = ask(broker, Method::GetAccounts, request::accounts(), deadline).await?;
    answer::accounts(answer.expose(), environment)
}

/// Calls `method` of `broker`; Ctrl-C ends the waiting.
async fn ask(
    broker: &Arc<dyn IdentityBroker>,
    method: Method,
    request: String,
    deadline: Deadline,
) -> Result<Secret> {
    let broker = Arc::clone(broker);
    let answer = aside(move || broker.call(method, request, deadline.left())).await;
    answer.unwrap_or_else(|error| {
        Err(Error::failed(format!("The identity broker cannot be asked: {error}.")))
    })
}

/// A token of `scopes` for `account` from `authority`, checked.
async fn token_by(
    broker: &Arc<dyn IdentityBroker>,
    account: &BrokerAccount,
    authority: &Authority,
    scopes: &Scopes,
    now: i64,
    deadline: Deadline,
) -> Result<TokenResponse> {
    let request = request::token(account, authority, scopes)?;
    let answer = ask(broker, Method::AcquireTokenSilently, request, deadline).await?;
    let wanted = answer::Wanted {
        account,
        environment: &authority.login_url().environment(),
        tenant: authority.tenant(),
        client_id: AZURE_CLI_CLIENT_ID,
        scopes,
        now,
    };
    answer::token(answer.expose(), &wanted)
}

/// The error for a call without an answer.
#[cfg(not(target_os = "macos"))]
fn unanswered(failure: CallFailure) -> Error {
    match failure {
        CallFailure::Absent(why) => {
            let error = Error::failed(format!("There is no identity broker: {}", full_stop(&why)));
            if cfg!(windows) {
                error
            } else {
                error.remedy("Install Microsoft's identity broker (with Intune) or Himmelblau, and use it in a desktop session.")
            }
        }
        CallFailure::TimedOut => misbehaved("did not answer in time"),
        CallFailure::Died => misbehaved("ended without an answer"),
        CallFailure::Refused(why) => {
            Error::new(Kind::Refused, format!("The identity broker refused: {}", full_stop(&why)))
        }
    }
}

/// The error for a broker that `did` something it must not.
fn misbehaved(did: &str) -> Error {
    Error::new(Kind::Service, format!("The identity broker {did}."))
}

/// `why` as the end of a sentence.
fn full_stop(why: &str) -> String {
    let why = Sentence::new(why);
    let why = why.trim_end_matches('.');
    format!("{why}.")
}
