//! The one error type: a kind, a sentence, what to do about it, and what Entra said.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::foreign::Name;

/// What went wrong, as far as a caller can act on it. `exit.rs` folds it to a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A handled failure of no other kind (az: exit 1).
    Failed,
    /// The command line cannot be understood (az: exit 2).
    Usage,
    /// Arguments that do not go together, or lack one, which az sees only when the command runs (az:
    /// exit 1).
    Inapplicable,
    /// Azure Resource Manager answered 404 (az: exit 3).
    NotFound,
    /// Nobody is signed in, or not the account that was asked for.
    NotSignedIn,
    /// Entra wants the person: MFA, consent, a changed password, an expired refresh token.
    InteractionRequired,
    /// Entra refused for good: wrong secret, disabled account, a policy that forbids it.
    Refused,
    /// The service was not reached: DNS, TCP, TLS, proxy, time-out.
    Network,
    /// The service was reached and is in trouble: 5xx, 429, an answer that makes no sense.
    Service,
    /// The person pressed Ctrl-C.
    Cancelled,
    /// The vault or its key source cannot be used.
    Vault,
}

/// What Entra said about a refusal (error response of RFC 6749 section 5.2 with Entra's members).
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
    /// `correlation_id`, which Entra's support asks for.
    pub(crate) correlation_id: Option<Name>,
    /// `timestamp` of the answer, UTC, as the server wrote it.
    pub(crate) timestamp: Option<Name>,
}

/// A failure with its remedy.
///
/// Shown as `ERROR: <message>`, then the remedy's lines. Boxed, so that `Result<T, Error>` stays
/// small on the warm path. Told to another process it is the same but for its cause.
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
    /// An error of `kind` with its sentence. The sentence carries no level prefix and no secret.
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

    /// Shorthand for [`Kind::Failed`].
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// Adds a line that says what to do; printed bare after the message, in the order added.
    #[must_use]
    pub(crate) fn remedy(mut self, line: impl Into<String>) -> Self {
        self.0.remedy.push(line.into());
        self
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

    /// Names the command line that cures this, which the sentence or the remedy holds for people.
    ///
    /// Programs may run it (`--error-format json`): it destroys nothing, needs nothing more, and what
    /// a server said is in it as base64 at the most.
    #[must_use]
    pub(crate) fn command(mut self, command: impl Into<String>) -> Self {
        self.0.command = Some(command.into());
        self
    }

    /// Adds a line of remedy that is the command line which cures this.
    #[must_use]
    pub(crate) fn cured_by(self, command: impl Into<String>) -> Self {
        let command = command.into();
        self.remedy(command.clone()).command(command)
    }

    /// Leaves out lines of remedy, with what leads to them (`Sign in again:`), and the command.
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

    /// Attaches what Entra said.
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

    /// Says that the same request may succeed after this time.
    #[must_use]
    pub(crate) fn worth_another_try(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// After which time the same request may succeed; `None` when it will fail again.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns this error with `kind` replaced.
    #[must_use]
    pub(crate) fn with_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The sentence.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do, a line each.
    pub fn remedy_lines(&self) -> &[String] {
        &self.0.remedy
    }

    /// The command line that cures this, if one does.
    pub fn curing_command(&self) -> Option<&str> {
        self.0.command.as_deref()
    }

    /// True when the operating system refused a file operation.
    pub(crate) fn is_from_system(&self) -> bool {
        self.io_error().is_some()
    }

    /// True when the operating system said that a disk can only be read.
    pub(crate) fn is_read_only(&self) -> bool {
        let read_only = std::io::ErrorKind::ReadOnlyFilesystem;
        self.io_error().is_some_and(|error| error.kind() == read_only)
    }

    fn io_error(&self) -> Option<&std::io::Error> {
        self.0.source.as_ref()?.downcast_ref()
    }

    /// What Entra said, when it was Entra that refused.
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
