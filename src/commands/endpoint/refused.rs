//! Why there is no token.

use std::sync::Arc;

use crate::error::{Error, Kind};

/// The kind of a refusal, as far as clients can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The request is no request for a token.
    Malformed,
    /// The request may not come from here.
    Forbidden,
    /// The request may not be for this resource.
    Resource,
    /// The key is missing or wrong.
    WrongKey,
    /// Nobody is signed in.
    NotSignedIn,
    /// Entra or the vault refused; the same request will fail again.
    Failed,
    /// The network or the service failed; the same request may succeed later.
    Transient,
}

/// A refusal. Many callers share one.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) why: Why,
    /// Its message holds no secrets.
    pub(super) error: Arc<Error>,
}

impl Refused {
    pub(super) fn new(why: Why, text: impl Into<String>) -> Self {
        let kind = match why {
            Why::Malformed => Kind::Usage,
            Why::Forbidden | Why::Resource | Why::WrongKey => Kind::Refused,
            Why::NotSignedIn => Kind::NotSignedIn,
            Why::Failed => Kind::Failed,
            Why::Transient => Kind::Service,
        };
        Self { why, error: Arc::new(Error::new(kind, text)) }
    }

    /// True if the sign-in has ended, so that tokens of it must not be handed out any more.
    pub(super) fn ends_sign_in(&self) -> bool {
        matches!(self.error.kind(), Kind::NotSignedIn | Kind::InteractionRequired | Kind::Refused)
    }

    /// The HTTP status. SDKs repeat requests after 404, 410, 429 and 5xx, so a permanent refusal has
    /// none of them.
    pub(super) fn status(&self) -> u16 {
        match self.why {
            Why::Malformed | Why::NotSignedIn | Why::Failed => 400,
            Why::Forbidden | Why::Resource | Why::WrongKey => 403,
            Why::Transient => 503,
        }
    }

    /// The message and the remedies in one line.
    pub(super) fn text(&self) -> String {
        self.error.in_one_line()
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let why = match error.kind() {
            Kind::Network | Kind::Service => Why::Transient,
            Kind::NotSignedIn => Why::NotSignedIn,
            Kind::Usage => Why::Malformed,
            _ => Why::Failed,
        };
        Self { why, error: Arc::new(error) }
    }
}
