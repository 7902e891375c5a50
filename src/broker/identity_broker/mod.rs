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

use std::time::Duration;

pub(crate) use account::{BrokerAccount, Brokered};
pub use presence::{Presence, identity_broker_presence};
pub(crate) use serve::answer_line;

use super::remedy;
use crate::entra::{AZURE_CLI_CLIENT_ID, Authority, Scopes, TokenResponse};
use crate::error::{Error, Kind, Result};
use crate::foreign::Sentence;
use crate::secret::Secret;
use crate::sys::{Deadline, System};

/// Time limit of a question, including the start of a broker that does not run.
const LIMIT: Duration = Duration::from_secs(3);

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
pub(crate) trait IdentityBroker {
    /// Calls `method` with the JSON text `request`; returns the JSON text of the answer.
    ///
    /// # Errors
    /// There is no broker, or it does not answer within `limit`.
    fn call(&self, method: Method, request: String, limit: Duration) -> Result<Secret>;
}

/// The broker of this machine. In WSL without one of its own it is that of Windows, if an `azt.exe`
/// is there.
///
/// # Errors
/// azt knows no broker for this platform.
pub(crate) fn identity_broker(system: &System) -> Result<Box<dyn IdentityBroker>> {
    #[cfg(all(unix, not(target_os = "macos")))]
    if let Some(program) = crate::sys::azt_of_windows(system)
        && !crate::sys::IdentityBus::new(system).has_broker(LIMIT).unwrap_or(false)
    {
        return Ok(Box::new(windows_side::WindowsSide::new(program)));
    }
    own_broker(system).map_err(|error| remedy::for_identity_broker(error, system.program))
}

/// The broker of this machine, never that of Windows in WSL.
#[allow(clippy::unnecessary_wraps, reason = "other operating systems have none")]
fn own_broker(system: &System) -> Result<Box<dyn IdentityBroker>> {
    #[cfg(all(unix, not(target_os = "macos")))]
    return Ok(Box::new(linux::LinuxBroker::new(system)));
    #[cfg(windows)]
    {
        let _ = system;
        Ok(Box::new(windows::WindowsBroker))
    }
    #[cfg(target_os = "macos")]
    {
        let _ = system;
        Err(Error::failed("azt cannot ask the identity broker of this operating system."))
    }
}

/// The accounts of `broker`, each once.
pub(crate) fn accounts_of(
    system: &System,
    broker: &dyn IdentityBroker,
) -> Result<Vec<BrokerAccount>> {
    accounts_by(broker, Deadline::at_most(LIMIT))
        .map_err(|error| remedy::for_identity_broker(error, system.program))
}

fn accounts_by(broker: &dyn IdentityBroker, deadline: Deadline) -> Result<Vec<BrokerAccount>> {
    let answer = broker.call(Method::GetAccounts, request::accounts(), deadline.left())?;
    answer::accounts(answer.expose())
}

/// A token of `scopes` for `account` from `authority`, checked.
fn token_by(
    broker: &dyn IdentityBroker,
    account: &BrokerAccount,
    authority: &Authority,
    scopes: &Scopes,
    now: i64,
    deadline: Deadline,
) -> Result<TokenResponse> {
    let request = request::token(account, authority, scopes)?;
    let answer = broker.call(Method::AcquireTokenSilently, request, deadline.left())?;
    let wanted = answer::Wanted {
        account,
        tenant: authority.tenant(),
        client_id: AZURE_CLI_CLIENT_ID,
        scopes: &scopes.joined(),
        now,
    };
    answer::token(answer.expose(), &wanted)
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
