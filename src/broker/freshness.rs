//! Whether a token may still be handed out.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::vault::AccessToken;

/// A token with fewer seconds left counts as expired: az and the SDKs promise their callers five
/// minutes.
pub(crate) const MARGIN: i64 = 300;

/// The state of a cached token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Usable.
    Fresh,
    /// Usable, but due for a refresh: it is past the time that Entra named (`refresh_in`), or in
    /// the last tenth of its lifetime.
    Aging,
    /// Usable, but the request wants a newer one.
    Short,
    /// Not usable.
    Expired,
}

/// How new a token must be.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum Wanted {
    /// Any that may be handed out.
    #[default]
    Usable,
    /// With this many seconds left, if the service gives such tokens.
    Lasting(i64),
    /// Fetched for this request.
    New,
}

/// The first second in which `token` is aging: after the time that Entra named, or in the last tenth
/// of its lifetime.
pub(super) fn renew_from(token: &AccessToken) -> i64 {
    let lifetime = token.expires_on.saturating_sub(token.cached_at);
    // The smallest time with fewer than a tenth left.
    let tenth = lifetime.saturating_add(9) / 10;
    let last_tenth = token.expires_on.saturating_sub(tenth).saturating_add(1);
    token.refresh_on.map_or(last_tenth, |at| last_tenth.min(at.saturating_add(1)))
}

impl Freshness {
    /// The freshness of `token` at `now`, seconds since 1970-01-01 UTC, for a request that wants
    /// it to be `wanted`.
    ///
    /// A token from the future (the clock was set back since) counts as expired, because its
    /// remaining lifetime is unknown.
    pub(crate) fn of(token: &AccessToken, now: i64, wanted: Wanted) -> Self {
        let left = token.expires_on.saturating_sub(now);
        if left < MARGIN || token.cached_at.saturating_sub(now) > MARGIN {
            return Self::Expired;
        }
        let is_short = match wanted {
            Wanted::Usable => false,
            Wanted::Lasting(seconds) => left < seconds,
            Wanted::New => true,
        };
        if is_short {
            Self::Short
        } else if renew_from(token) <= now {
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
            Self::Short => "older than requested",
            Self::Expired => "expired",
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The freshness, at 100,000, of a token with these times.
    fn of(cached_at: i64, refresh_on: Option<i64>, expires_on: i64, wanted: Wanted) -> Freshness {
        let token = json!({"environment": "e", "client_id": "c", "realm": "t", "secret": "s",
            "cached_at": cached_at, "refresh_on": refresh_on, "expires_on": expires_on});
        Freshness::of(&serde_json::from_value(token).unwrap(), 100_000, wanted)
    }

    #[test]
    fn a_token_is_fresh_then_aging_then_expired() {
        use Freshness::{Aging, Expired, Fresh};
        for (cached_at, refresh_on, expires_on, expected) in [
            (100_000, None, 103_600, Fresh),
            (99_000, Some(100_000), 103_600, Fresh),
            (99_000, Some(99_999), 103_600, Aging),
            // The last tenth of the lifetime.
            (97_000, None, 100_334, Fresh),
            (96_999, None, 100_333, Aging),
            // Five minutes are promised.
            (99_000, None, 100_300, Fresh),
            (99_000, None, 100_299, Expired),
            (99_000, Some(99_999), 100_299, Expired),
            (0, None, 99_000, Expired),
            // From the future.
            (100_300, None, 104_000, Fresh),
            (100_301, None, 104_000, Expired),
            (i64::MAX, None, i64::MAX, Expired),
            (i64::MIN, None, i64::MIN, Expired),
            (i64::MIN, None, i64::MAX, Fresh),
        ] {
            let found = of(cached_at, refresh_on, expires_on, Wanted::Usable);
            assert_eq!(found, expected, "{cached_at} {refresh_on:?} {expires_on}");
        }
    }

    #[test]
    fn a_usable_token_is_short_for_a_request_that_wants_a_newer_one() {
        use Freshness::{Aging, Expired, Fresh, Short};
        for (expires_on, wanted, expected) in [
            (103_600, Wanted::New, Short),
            (103_600, Wanted::Lasting(3600), Fresh),
            (103_600, Wanted::Lasting(3601), Short),
            (100_301, Wanted::Lasting(301), Aging),
            (100_301, Wanted::Lasting(302), Short),
            (100_299, Wanted::Lasting(1), Expired),
            (100_299, Wanted::New, Expired),
        ] {
            assert_eq!(of(95_000, None, expires_on, wanted), expected, "{expires_on} {wanted:?}");
        }
    }

    #[test]
    fn debug_output_says_why_a_token_is_not_served() {
        let words = [Freshness::Fresh, Freshness::Aging, Freshness::Short, Freshness::Expired]
            .map(|it| it.to_string());
        assert_eq!(words, ["fresh", "past its refresh time", "older than requested", "expired"]);
    }
}
