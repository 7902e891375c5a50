//! `token`: prints a token alone, in the shape that its consumer takes.

mod claims;
mod what;

use zeroize::Zeroizing;

use super::get_access_token::{self, Issued};
use super::{Answer, asks_for_data};
use crate::accounts::Context;
use crate::broker::Wanted;
use crate::cli::Token;
use crate::error::{Error, Kind, Result};
use crate::foreign::Typed;
use crate::output::Format;
use crate::secret::Secret;

/// What is printed of a token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// The token alone.
    Alone,
    /// The line of an HTTP request.
    Header,
    /// What `account get-access-token` prints.
    Json,
    /// Its claims.
    Claims,
}

pub(super) fn run(request: &Token, context: &Context<'_>) -> Result<Answer> {
    let shape = shape(request)?;
    let how_new = how_new(request)?;
    let scopes = what::scopes(request, context)?;
    let issued = get_access_token::issued(&request.request, scopes, how_new, context)?;
    if let Wanted::Lasting(seconds) = how_new {
        tell_if_short(&issued, seconds, context);
    }
    let token = &issued.token.secret;
    match shape {
        Shape::Alone => print(token, "", context).map(|()| Answer::none()),
        Shape::Header => print(token, "Authorization: Bearer ", context).map(|()| Answer::none()),
        Shape::Json => Ok(Answer { format: default_format(request), ..issued.answer() }),
        Shape::Claims => {
            let claims = claims::of(&issued.token);
            if !asks_for_data(&request.request.global) {
                let text = claims::shown(&claims, context.system.clock.now());
                return context.system.terminal.result(&text).map(|()| Answer::none());
            }
            Ok(Answer::of(claims))
        }
    }
}

/// `core.output` is for results in general; a token that is asked for as JSON is JSON.
fn default_format(request: &Token) -> Option<Format> {
    request.json.then_some(Format::Json)
}

fn shape(request: &Token) -> Result<Shape> {
    let global = &request.request.global;
    let is_structured = asks_for_data(global);
    match (request.header, request.json, request.decode) {
        (false, false, false) if is_structured => Ok(Shape::Json),
        (false, false, false) => Ok(Shape::Alone),
        (false, true, false) => Ok(Shape::Json),
        (false, false, true) => Ok(Shape::Claims),
        (true, false, false) if !is_structured => Ok(Shape::Header),
        (true, false, false) => Err(Error::new(
            Kind::Usage,
            "--header prints a line of text: omit --output and --query.",
        )),
        _ => Err(Error::new(Kind::Usage, "Give only one of --header, --json and --decode.")),
    }
}

fn how_new(request: &Token) -> Result<Wanted> {
    match &request.min_lifetime {
        _ if request.force_refresh => Ok(Wanted::New),
        None => Ok(Wanted::Usable),
        Some(text) => seconds(text).map(Wanted::Lasting).ok_or_else(|| {
            Error::new(
                Kind::Usage,
                format!(
                    "--min-lifetime is '{}', which is not a time such as 90s, 20m or 1h30m.",
                    Typed(text)
                ),
            )
        }),
    }
}

/// The seconds of a time such as `90`, `90s`, `20m` or `1h30m`. Only a number alone needs no unit:
/// whoever types `1h30` does not mean 30 seconds.
fn seconds(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse()
        && text.bytes().all(|c| c.is_ascii_digit())
    {
        return Some(seconds);
    }
    let mut total: i64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(end);
        let unit = after.chars().next();
        let factor = match unit {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            _ => return None,
        };
        let number: i64 = digits.parse().ok()?;
        total = total.checked_add(number.checked_mul(factor)?)?;
        rest = after.get(unit.map_or(0, char::len_utf8)..)?;
    }
    (!text.is_empty()).then_some(total)
}

/// Says that the service gave a token with less time left than was asked for.
fn tell_if_short(issued: &Issued, wanted: i64, context: &Context<'_>) {
    let left = issued.token.expires_on.saturating_sub(context.system.clock.now());
    if left < wanted {
        let why = if issued.token.is_new {
            "the service gave none with"
        } else {
            "it is the cached one, because no new one could be fetched with"
        };
        context.system.terminal.warn(&format!(
            "The token is valid for {} only: {why} the {} of --min-lifetime.",
            span(left),
            span(wanted)
        ));
    }
}

/// A time in its largest two units: `1 h 5 min`.
fn span(seconds: i64) -> String {
    let (days, hours) = (seconds / 86_400, seconds % 86_400 / 3600);
    let (minutes, rest) = (seconds % 3600 / 60, seconds % 60);
    match (days, hours, minutes) {
        (1.., ..) => format!("{days} d {hours} h"),
        (_, 1.., _) => format!("{hours} h {minutes} min"),
        (_, _, 1..) => format!("{minutes} min"),
        _ => format!("{rest} s"),
    }
}

/// Prints `token` after `before`; with a line feed on a terminal only, because programs take all
/// that they read.
fn print(token: &Secret, before: &str, context: &Context<'_>) -> Result<()> {
    let terminal = &context.system.terminal;
    let end = if terminal.stdout_is_tty() { "\n" } else { "" };
    let token = token.expose();
    // Allocated once: a growing string would leave copies of the token.
    let mut text = Zeroizing::new(String::with_capacity(before.len() + token.len() + end.len()));
    for part in [before, token, end] {
        text.push_str(part);
    }
    terminal.result(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, expected) in [
            ("90", Some(90)),
            ("90s", Some(90)),
            ("20m", Some(1200)),
            ("1h30m", Some(5400)),
            ("0", Some(0)),
            ("", None),
            ("m", None),
            ("20x", None),
            ("1h30", None),
            ("-1", None),
            ("1.5h", None),
            ("99999999999999999999", None),
            ("9223372036854775807h", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn spans_have_two_units() {
        let spans = [0, 59, 61, 3600, 90_061].map(span);
        assert_eq!(spans, ["0 s", "59 s", "1 min", "1 h 0 min", "1 d 1 h"]);
    }
}
