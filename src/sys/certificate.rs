//! What is wrong with a server's certificate, and what to do about it.

use std::error::Error as StdError;

use chrono::DateTime;
use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use crate::error::{Error, Kind};
use crate::foreign::Sentence;

/// Why the server's certificate was refused, if it was that.
pub(super) fn refused_certificate(error: &reqwest::Error) -> Option<&CertificateError> {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(rustls::Error::InvalidCertificate(reason)) = error.downcast_ref() {
            return Some(reason);
        }
        // What an I/O error wraps is not among its sources.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

/// True where the cure is to trust the authority: nobody knows it, or this machine has another key
/// under its name.
pub(super) fn is_of_unknown_authority(reason: &CertificateError) -> bool {
    matches!(reason, CertificateError::UnknownIssuer | CertificateError::BadSignature)
}

/// The certificate of `host` was issued by `issuer`, which is not trusted.
pub(super) fn of_unknown_authority(host: &str, issuer: Option<String>) -> Error {
    let issuer = issuer.unwrap_or_else(|| "an authority".to_owned());
    network(format!("The certificate of {host} is not trusted: it was issued by {issuer}, which this machine does not trust."))
        .remedy("If a proxy on your network replaces certificates, put its authority (PEM) in a file and set REQUESTS_CA_BUNDLE to it.")
}

/// The certificate of `host` would not do, whoever issued it.
pub(super) fn unfit_certificate(host: &str, reason: &CertificateError) -> Error {
    use CertificateError as Why;
    match reason {
        Why::Expired => of_another_time(host, format!("The certificate of {host} has expired.")),
        Why::ExpiredContext { time, not_after } => of_another_time(
            host,
            format!(
                "The certificate of {host} expired at {}; this machine's clock shows {}.",
                utc(*not_after),
                utc(*time)
            ),
        ),
        Why::NotValidYet => {
            of_another_time(host, format!("The certificate of {host} is not valid yet."))
        }
        Why::NotValidYetContext { time, not_before } => of_another_time(
            host,
            format!(
                "The certificate of {host} is not valid before {}; this machine's clock shows {}.",
                utc(*not_before),
                utc(*time)
            ),
        ),
        Why::NotValidForName => of_another_host(host, &[]),
        Why::NotValidForNameContext { presented, .. } => of_another_host(host, presented),
        reason => {
            let fault = fault(reason);
            network(format!("The certificate of {host} is of no use: {fault}.")).remedy(format!(
                "{host} needs another certificate: tell whoever runs it, or the proxy in front of it."
            ))
        }
    }
}

fn network(text: String) -> Error {
    Error::new(Kind::Network, text)
}

fn of_another_time(host: &str, text: String) -> Error {
    network(text).remedy(format!(
        "Set this machine's clock if it is wrong; else {host}, or the proxy in front of it, needs a new certificate."
    ))
}

/// `presented` is as rustls has it: `DnsName("login.example")`, `IpAddress(10.0.0.1)`.
fn of_another_host(host: &str, presented: &[String]) -> Error {
    let names: Vec<&str> = presented
        .iter()
        .filter_map(|name| name.strip_prefix("DnsName(").or(name.strip_prefix("IpAddress(")))
        .map(|name| name.trim_end_matches(')').trim_matches('"'))
        .collect();
    let text = if names.is_empty() {
        format!("The certificate of {host} is not for that name.")
    } else {
        let names = Sentence::new(&names.join(", "));
        format!("The certificate of {host} is not for that name but for {names}.")
    };
    network(text).remedy(format!(
        "Check that {host} is the right name (`cloud show` has those of the cloud), and that no proxy and no DNS entry leads elsewhere."
    ))
}

/// What no clock, name or bundle of authorities cures.
fn fault(reason: &CertificateError) -> &'static str {
    use CertificateError as Why;
    match reason {
        Why::BadEncoding => "it cannot be read",
        Why::Revoked => "it was revoked",
        Why::InvalidPurpose | Why::InvalidPurposeContext { .. } => NOT_FOR_SERVERS,
        Why::UnsupportedSignatureAlgorithmContext { .. }
        | Why::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "it is signed in a way that is not supported"
        }
        // The verifiers have no types that could be named.
        Why::Other(other) => match other.to_string().as_str() {
            "CaUsedAsEndEntity" => "it is an authority's own, not a server's",
            "UnsupportedCertVersion" => "it is of an old version, not of X.509 version 3",
            "certificate had invalid extensions" => NOT_FOR_SERVERS,
            _ => UNFIT,
        },
        _ => UNFIT,
    }
}

const NOT_FOR_SERVERS: &str = "it was not issued for servers";
const UNFIT: &str = "it breaks a rule for the certificates of servers";

fn utc(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    DateTime::from_timestamp(seconds, 0)
        .unwrap_or_default()
        .format("%Y-%m-%d %H:%M:%S UTC")
        .to_string()
}
