//! Kerberos: the ticket that the user already has, and tokens made with it.
//!
//! The system's own library does the work: GSSAPI, loaded at run time, or Windows' SSPI. Only it knows
//! all kinds of ticket caches (files, the kernel's keyring, KCM of SSSD, Windows' own).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

#[cfg(unix)]
use super::gssapi as library;
#[cfg(windows)]
use super::sspi as library;
use super::{System, aside, run_with_timeout};
use crate::error::{Error, Kind, Result};
use crate::foreign::{Name, Sentence};
use crate::secret::Secret;

/// Time for the library, which asks the key distribution center (KDC) for the service's ticket.
const LIMIT: Duration = Duration::from_secs(6);

/// Why the library gave no token.
#[cfg_attr(windows, allow(dead_code, reason = "Windows always has the library and the realm"))]
pub(super) enum Failure {
    NoLibrary,
    NoTicket,
    Expired,
    /// The KDC does not know the service, or not its realm.
    UnknownService,
    /// This machine and the KDC differ about the time.
    ClockSkew,
    /// No KDC was found or none answered.
    NoKdc,
    /// The library's own text.
    Other(String),
}

/// A Kerberos ticket of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// The principal, as `user@REALM`.
    pub(crate) principal: Name,
    /// When it expires, in seconds since 1970-01-01 UTC; `None` where the system does not say.
    pub(crate) expires_on: Option<i64>,
}

impl Ticket {
    /// The principal as a user name of Entra: `user@realm`, with the realm in lower case. `None` for
    /// a principal of a host or a service (`host/name@REALM`) and for one without a realm.
    pub(crate) fn user_name(&self) -> Option<String> {
        let (user, realm) = self.principal.rsplit_once('@')?;
        let is_user = !user.is_empty() && !realm.is_empty() && !user.contains(['/', '\\']);
        is_user.then(|| format!("{user}@{}", realm.to_lowercase()))
    }
}

/// The ticket in the user's default cache.
///
/// # Errors
/// There is no ticket, it has expired, or the library is missing; the remedy says what to do.
pub(crate) fn kerberos_ticket(system: &System) -> Result<Ticket> {
    let (principal, lifetime) = run(library::ticket).map_err(|failure| error(&failure, None))?;
    Ok(Ticket {
        principal: Name::new(&principal),
        expires_on: lifetime.map(|seconds| system.clock.now() + i64::from(seconds)),
    })
}

/// A SPNEGO token (RFC 4178, RFC 4559) for the HTTP service at `host`, as base64. It works once,
/// within minutes, at that service only; it delegates nothing.
///
/// # Errors
/// As [`kerberos_ticket`]; or the KDC does not know the service, was not reached, or the clocks
/// differ.
pub(crate) async fn negotiate_token(host: &str) -> Result<Secret> {
    let service = host.to_owned();
    // The library blocks while it asks the KDC.
    let token = aside(move || run(move || library::token(&service))).await;
    let token = token.unwrap_or_else(|error| Err(Failure::Other(error.to_string())));
    let token = token.map_err(|failure| error(&failure, Some(host)))?;
    Ok(Secret::new(STANDARD.encode(&*token)))
}

fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    run_with_timeout(LIMIT, work).unwrap_or_else(|error| match error.kind() {
        std::io::ErrorKind::TimedOut => Err(Failure::NoKdc),
        _ => Err(Failure::Other(error.to_string())),
    })
}

/// The error for `failure`; `host` is the service that a token was for.
fn error(failure: &Failure, host: Option<&str>) -> Error {
    let service = host.map_or_else(String::new, |host| format!(" for the service HTTP/{host}"));
    let get_one = |error: Error| {
        if cfg!(windows) {
            error.remedy(
                "Sign in to Windows with your domain account, or lock and unlock the screen.",
            )
        } else {
            error.remedy("Get a ticket, then try again:").cured_by("kinit")
        }
    };
    match failure {
        Failure::NoLibrary if cfg!(target_feature = "crt-static") => Error::failed(
            "This azt is a static program, which cannot load the system's Kerberos library.",
        )
        .remedy("Use a dynamic azt for Kerberos, built for a -gnu target (docs/linking.md)."),
        Failure::NoLibrary => Error::failed(format!(
            "The system's Kerberos library is missing: none of {} can be loaded.",
            library::NAMES.join(", ")
        ))
        .remedy("Install it: libgssapi-krb5-2 (Debian, Ubuntu), krb5-libs (Fedora), krb5 (Arch)."),
        Failure::NoTicket => get_one(Error::new(
            Kind::InteractionRequired,
            "There is no Kerberos ticket: the ticket cache is missing or empty.",
        )),
        Failure::Expired => {
            get_one(Error::new(Kind::InteractionRequired, "The Kerberos ticket has expired."))
        }
        Failure::UnknownService => Error::new(
            Kind::Refused,
            format!("The Kerberos realm of your ticket issued no ticket{service}: it knows no such service."),
        )
        .remedy("Check that the ticket is of the right realm (klist), or get one there: kinit USER@REALM")
        .remedy("If the realm is right, its administrator must register the service."),
        Failure::ClockSkew => Error::failed(
            "The clock of this machine differs too much from the Kerberos server's (KRB5KRB_AP_ERR_SKEW).",
        )
        .remedy("Set the clock, get a new ticket with kinit, then try again."),
        Failure::NoKdc => Error::new(
            Kind::Network,
            format!("No Kerberos server (KDC) answered, so there is no ticket{service}."),
        )
        .remedy("Check the network or VPN, and the realm in /etc/krb5.conf (KRB5_CONFIG)."),
        Failure::Other(text) => get_one(Error::failed(format!(
            "The Kerberos library made no token{service}: {}",
            Sentence::new(text)
        ))),
    }
}

/// A token as bytes, wiped on drop.
pub(super) type Token = Zeroizing<Vec<u8>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_of_a_user_is_a_user_name() {
        for (principal, user_name) in [
            ("alice@CONTOSO.EXAMPLE", Some("alice@contoso.example")),
            ("Alice.B@CONTOSO.EXAMPLE", Some("Alice.B@contoso.example")),
            ("a@b@CONTOSO.EXAMPLE", Some("a@b@contoso.example")),
            ("host/pc.contoso.example@CONTOSO.EXAMPLE", None),
            ("alice/admin@CONTOSO.EXAMPLE", None),
            ("alice", None),
            ("@CONTOSO.EXAMPLE", None),
            ("alice@", None),
        ] {
            let ticket = Ticket { principal: Name::new(principal), expires_on: None };
            assert_eq!(ticket.user_name().as_deref(), user_name, "{principal}");
        }
    }
}
