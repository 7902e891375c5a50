//! Errors about a server's certificate, with remedies.

use std::error::Error as StdError;

use chrono::DateTime;
use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use crate::error::{Error, Kind};
use crate::foreign::Sentence;

/// Returns why the server's certificate was refused; `None` for any other error.
pub(super) fn refused_certificate(error: &reqwest::Error) -> Option<&CertificateError> {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(rustls::Error::InvalidCertificate(reason)) = error.downcast_ref() {
            return Some(reason);
        }
        // `source` skips the error that an I/O error wraps.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

/// True if trusting the authority is the remedy: it is unknown, or this machine has another key
/// under its name.
pub(super) fn is_unknown_authority(reason: &CertificateError) -> bool {
    matches!(reason, CertificateError::UnknownIssuer | CertificateError::BadSignature)
}

/// The error for a certificate of `host` from `issuer`, an untrusted authority.
pub(super) fn unknown_authority(host: &str, issuer: Option<String>) -> Error {
    let issuer = issuer.unwrap_or_else(|| "an authority".to_owned());
    network(format!("The certificate of {host} is not trusted: it was issued by {issuer}, which this machine does not trust."))
        .remedy("If a proxy on your network replaces certificates, put its authority (PEM) in a file and set REQUESTS_CA_BUNDLE to it.")
}

/// The error for a certificate of `host` that is invalid whoever issued it.
pub(super) fn unfit_certificate(host: &str, reason: &CertificateError) -> Error {
    use CertificateError as Why;
    match reason {
        Why::Expired => wrong_time(host, format!("The certificate of {host} has expired.")),
        Why::ExpiredContext { time, not_after } => wrong_time(
            host,
            format!(
                "The certificate of {host} expired at {}; this machine's clock shows {}.",
                utc(*not_after),
                utc(*time)
            ),
        ),
        Why::NotValidYet => {
            wrong_time(host, format!("The certificate of {host} is not valid yet."))
        }
        Why::NotValidYetContext { time, not_before } => wrong_time(
            host,
            format!(
                "The certificate of {host} is not valid before {}; this machine's clock shows {}.",
                utc(*not_before),
                utc(*time)
            ),
        ),
        Why::NotValidForName => wrong_host(host, &[]),
        Why::NotValidForNameContext { presented, .. } => wrong_host(host, presented),
        reason => {
            let fault = fault(reason);
            network(format!("The certificate of {host} is not usable: {fault}.")).remedy(format!(
                "{host} needs another certificate: ask its administrator, or that of the proxy in front of it."
            ))
        }
    }
}

fn network(text: String) -> Error {
    Error::new(Kind::Network, text)
}

fn wrong_time(host: &str, text: String) -> Error {
    network(text).remedy(format!(
        "Set this machine's clock if it is wrong; otherwise {host}, or the proxy in front of it, needs a new certificate."
    ))
}

/// `presented` is in rustls' format: `DnsName("login.example")`, `IpAddress(10.0.0.1)`.
fn wrong_host(host: &str, presented: &[String]) -> Error {
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
        "Check that {host} is the right name (`cloud show` lists those of the cloud), and that no proxy or DNS entry leads elsewhere."
    ))
}

/// Describes a fault of the certificate itself, not of a clock, a name or a missing authority.
fn fault(reason: &CertificateError) -> &'static str {
    use CertificateError as Why;
    match reason {
        Why::BadEncoding => "it cannot be read",
        Why::Revoked => "it was revoked",
        Why::InvalidPurpose | Why::InvalidPurposeContext { .. } => NOT_FOR_SERVERS,
        Why::UnsupportedSignatureAlgorithmContext { .. }
        | Why::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "its signature algorithm is not supported"
        }
        // The verifiers' error types are private, so compare their texts.
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
const UNFIT: &str = "it breaks a rule for server certificates";

fn utc(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    DateTime::from_timestamp(seconds, 0)
        .unwrap_or_default()
        .format("%Y-%m-%d %H:%M:%S UTC")
        .to_string()
}
