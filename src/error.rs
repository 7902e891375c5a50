//! The error type: a kind, a message, remedies and Entra's details.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::foreign::Name;

/// The kind of a failure, as far as a caller can act on it. `exit.rs` maps it to an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A failure of no other kind (az: exit 1).
    Failed,
    /// The command line cannot be parsed (az: exit 2).
    Usage,
    /// Arguments conflict or one is missing, which az detects only when the command runs (az: exit
    /// 1).
    Inapplicable,
    /// Azure Resource Manager answered 404 (az: exit 3).
    NotFound,
    /// No account is signed in, or not the requested one.
    NotSignedIn,
    /// Entra needs the user: MFA, consent, a changed password, an expired refresh token.
    InteractionRequired,
    /// Entra refused permanently: wrong secret, disabled account, a policy that forbids it.
    Refused,
    /// The service was not reached: DNS, TCP, TLS, proxy, timeout.
    Network,
    /// The service was reached but failed: 5xx, 429, an invalid answer.
    Service,
    /// The user pressed Ctrl-C or Escape, or answered a question with no.
    Cancelled,
    /// The vault or its key source cannot be used.
    Vault,
}

/// Entra's error response (RFC 6749 section 5.2, with Entra's own members).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EntraDetail {
    /// OAuth error code, such as `invalid_grant`.
    pub(crate) error: Name,
    /// AADSTS numbers, most important first.
    pub(crate) codes: Vec<u32>,
    /// `suberror`, such as `basic_action` or `consent_required`.
    pub(crate) suberror: Option<Name>,
    /// Claims challenge: JSON text to send with the next authorization request.
    pub(crate) claims: Option<String>,
    /// `trace_id` of the answer.
    pub(crate) trace_id: Option<Name>,
    /// `correlation_id`, which Microsoft's support needs.
    pub(crate) correlation_id: Option<Name>,
    /// `timestamp` of the answer, in UTC and the server's format.
    pub(crate) timestamp: Option<Name>,
}

/// A failure with its remedy.
///
/// Shown as `ERROR: <message>`, then the remedy's lines. Boxed, so that `Result<T, Error>` stays
/// small on the warm path. Serialisation keeps everything except the cause and
/// the mark of the last resort.
#[derive(Serialize, Deserialize)]
pub struct Error(Box<Inner>);

#[derive(Serialize, Deserialize)]
struct Inner {
    kind: Kind,
    message: String,
    remedy: Vec<String>,
    command: Option<String>,
    entra: Option<EntraDetail>,
    /// The line of `remedy` that gives up what is stored.
    #[serde(skip)]
    last_resort: Option<String>,
    #[serde(skip)]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    retry_after: Option<Duration>,
}

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Makes an error. `message` is a sentence without level prefix and without secrets.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            remedy: Vec::new(),
            command: None,
            last_resort: None,
            entra: None,
            source: None,
            retry_after: None,
        }))
    }

    /// Makes an error of [`Kind::Failed`].
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// Makes the error after Ctrl-C, Escape, or a question that was answered with no.
    pub(crate) fn cancelled() -> Self {
        Self::new(Kind::Cancelled, "Cancelled. Nothing was changed.")
    }

    /// Adds a line that says what to do. Lines are printed after the message, in the order added.
    #[must_use]
    pub(crate) fn remedy(mut self, line: impl Into<String>) -> Self {
        self.0.remedy.push(line.into());
        self
    }

    /// The message and the remedies in one line.
    pub(crate) fn in_one_line(&self) -> String {
        let remedy = self.remedy_lines().iter().map(String::as_str);
        [self.message()].into_iter().chain(remedy).collect::<Vec<_>>().join(" ")
    }

    /// Adds a line of remedy that gives up what is stored: the choice when no other remedy helps.
    #[must_use]
    pub(crate) fn last_resort(mut self, line: impl Into<String>) -> Self {
        let line = line.into();
        self.0.last_resort = Some(line.clone());
        self.remedy(line)
    }

    /// True when [`Error::last_resort`] added this line.
    pub(crate) fn is_last_resort(&self, line: &str) -> bool {
        self.0.last_resort.as_deref() == Some(line)
    }

    /// Sets the command line that cures this error, for programs (`--error-format json`). The
    /// message or the remedy shows it to users.
    ///
    /// Programs may run it unseen. It must therefore destroy nothing, be complete, and contain a
    /// server's text only as base64.
    #[must_use]
    pub(crate) fn command(mut self, command: impl Into<String>) -> Self {
        self.0.command = Some(command.into());
        self
    }

    /// Adds the command line that cures this error, both as a remedy and for programs.
    #[must_use]
    pub(crate) fn cured_by(self, command: impl Into<String>) -> Self {
        let command = command.into();
        self.remedy(command.clone()).command(command)
    }

    /// Removes the remedy lines, each with its heading (`Sign in again:`), and the command for
    /// which `is_out` is true.
    #[must_use]
    pub(crate) fn without_remedy(mut self, is_out: impl Fn(&str) -> bool) -> Self {
        let mut kept: Vec<String> = Vec::new();
        for line in std::mem::take(&mut self.0.remedy) {
            if !is_out(&line) {
                kept.push(line);
            } else if kept.last().is_some_and(|before| before.ends_with(':')) {
                kept.pop();
            }
        }
        self.0.remedy = kept;
        self.0.command = self.0.command.filter(|command| !is_out(command));
        self
    }

    /// Attaches Entra's error response.
    #[must_use]
    pub(crate) fn entra(mut self, detail: EntraDetail) -> Self {
        self.0.entra = Some(detail);
        self
    }

    /// Attaches the cause.
    #[must_use]
    pub(crate) fn source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Marks that the same request may succeed after this time.
    #[must_use]
    pub(crate) fn worth_another_try(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// Returns the time after which the same request may succeed; `None` if it would fail again.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns this error with `kind` replaced.
    #[must_use]
    pub(crate) fn with_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Returns the kind.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Returns the message.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the message without Entra's ids, which Entra writes at its end too, and those. `None`
    /// if the message does not have them.
    pub(crate) fn without_ids(&self) -> Option<(String, String)> {
        let detail = self.0.entra.as_ref()?;
        let ids = format!(
            "Trace ID: {} Correlation ID: {} Timestamp: {}",
            detail.trace_id.as_deref()?,
            detail.correlation_id.as_deref()?,
            detail.timestamp.as_deref()?
        );
        let (before, after) = self.0.message.split_once(&ids)?;
        Some((before.trim_end().to_owned() + after, ids))
    }

    /// Returns the remedy's lines.
    pub fn remedy_lines(&self) -> &[String] {
        &self.0.remedy
    }

    /// Returns the command line that cures this error, if there is one.
    pub fn curing_command(&self) -> Option<&str> {
        self.0.command.as_deref()
    }

    /// True if the cause is an I/O error of the operating system.
    pub(crate) fn is_io_error(&self) -> bool {
        self.io_error().is_some()
    }

    /// True if the cause is a read-only file system.
    pub(crate) fn is_read_only(&self) -> bool {
        let read_only = std::io::ErrorKind::ReadOnlyFilesystem;
        self.io_error().is_some_and(|error| error.kind() == read_only)
    }

    fn io_error(&self) -> Option<&std::io::Error> {
        self.0.source.as_ref()?.downcast_ref()
    }

    /// Returns Entra's error response, if Entra refused.
    pub(crate) fn entra_detail(&self) -> Option<&EntraDetail> {
        self.0.entra.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("remedy", &self.0.remedy)
            .field("entra", &self.0.entra)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entras_ids_are_told_from_its_sentence() {
        let [trace_id, correlation_id, timestamp] =
            ["t", "c", "2026-01-31 12:00:00Z"].map(|text| Some(Name::new(text)));
        let detail = EntraDetail { trace_id, correlation_id, timestamp, ..EntraDetail::default() };
        let of = |message: &str| Error::failed(message).entra(detail.clone()).without_ids();
        let ids = "Trace ID: t Correlation ID: c Timestamp: 2026-01-31 12:00:00Z";
        let expected = |message: &str| Some((message.to_owned(), ids.to_owned()));
        assert_eq!(of(&format!("AADSTS1: No. {ids}")), expected("AADSTS1: No."));
        assert_eq!(of(&format!("AADSTS1: No. {ids} More.")), expected("AADSTS1: No. More."));
        assert_eq!(of("AADSTS1: No."), None);
        assert_eq!(Error::failed(format!("a {ids}")).without_ids(), None);
    }
}
