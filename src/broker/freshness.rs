//! Whether a token may still be handed out.

use std::fmt;

use crate::vault::AccessToken;

/// A token with less than this many seconds left is expired for every caller: az and the SDKs
/// promise theirs five minutes.
pub const MARGIN: i64 = 300;

/// How good a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// To be handed out as it is.
    Fresh,
    /// To be handed out as it is, and to be renewed for the next caller: it is past the point that
    /// Entra named (`refresh_in`), or in the last tenth of its life.
    Aging,
    /// Not to be handed out.
    Expired,
}

impl Freshness {
    /// The freshness of `token` at `now`, seconds since 1970-01-01 UTC.
    ///
    /// A token from the future (a clock that was set back since) counts as expired: nobody can
    /// tell how long it lives.
    pub fn of(token: &AccessToken, now: i64) -> Self {
        if token.expires_on - now < MARGIN || token.cached_at - now > MARGIN {
            Self::Expired
        } else if token.refresh_on.is_some_and(|refresh_on| refresh_on < now)
            || (token.expires_on - now) * 10 < token.expires_on - token.cached_at
        {
            Self::Aging
        } else {
            Self::Fresh
        }
    }
}

impl fmt::Display for Freshness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fresh => "fresh",
            Self::Aging => "past its refresh time",
            Self::Expired => "expired",
        })
    }
}
