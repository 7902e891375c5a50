//! `token`: prints a token alone, in the shape that its consumer takes.

mod claims;
mod format;
pub(super) mod what;

use super::consumer::Target;
use super::get_access_token::{self, Issued};
use super::host_account;
use super::{Answer, asks_for_data};
use crate::accounts::Context;
use crate::broker::Wanted;
use crate::cli::{GetAccessToken, Token, TokenFormat};
use crate::error::{Error, Kind, Result};
use crate::exit;
use crate::foreign::Typed;
use crate::output::Format;

pub(super) fn run(request: &Token, context: &Context<'_>) -> Result<Answer> {
    let shape = shape(request)?;
    let answer = answer(request, shape, context);
    match answer {
        // Its callers take any text on standard error for a part of the answer.
        Err(error) if shape == Shape::Format(TokenFormat::GoogleExecutable) => {
            let code = exit::code(error.kind(), context.system.program);
            context
                .system
                .terminal
                .result(&format::google_failure(&error, code))
                .map(|()| Answer::none())
        }
        answer => answer,
    }
}

/// What is printed of a token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// What its consumer takes.
    Format(TokenFormat),
    /// Its claims.
    Claims,
}

fn answer(request: &Token, shape: Shape, context: &Context<'_>) -> Result<Answer> {
    let how_new = how_new(request)?;
    let target = match (&request.target, shape) {
        (Some(_), _) if request.what.is_some() || names_a_resource(&request.request) => {
            return Err(Error::new(
                Kind::Usage,
                "--for or WHAT, --resource, --scope, --resource-type: give only one.",
            ));
        }
        (Some(text), _) => Some(Target::of(text, context)?),
        (None, Shape::Format(TokenFormat::Bazel)) if request.what.is_none() => {
            match Target::known(&format::bazel_uri()?, context)? {
                Some(target) => Some(target),
                // Bazel goes on without credentials.
                None => {
                    return context
                        .system
                        .terminal
                        .result(format::BAZEL_NOTHING)
                        .map(|()| Answer::none());
                }
            }
        }
        (None, _) => None,
    };
    if target.as_ref().is_some_and(Target::needs_endpoint) {
        return Err(Error::new(
            Kind::Inapplicable,
            "This program takes no token: it asks for one where it runs.",
        )
        .remedy("Run it with: azt exec --for NAME -- PROGRAM"));
    }
    let scopes = match &target {
        Some(target) => Some(target.scopes.clone()),
        None => what::scopes(request, context)?,
    };
    let issued = match target.as_ref().and_then(|it| it.destination.as_ref()) {
        Some(destination) => {
            host_account::issued_for(destination, &request.request, how_new, context)?
        }
        None => get_access_token::issued(&request.request, scopes, how_new, None, context)?,
    };
    if let Wanted::Lasting(seconds) = how_new {
        tell_if_short(&issued, seconds, context);
    }
    match shape {
        Shape::Format(TokenFormat::Json) => {
            Ok(Answer { format: default_format(request), ..issued.answer() })
        }
        Shape::Format(format) => {
            format::print(format, &issued, target.as_ref(), context).map(|()| Answer::none())
        }
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

fn names_a_resource(options: &GetAccessToken) -> bool {
    options.resource.is_some() || options.resource_type.is_some() || options.scope.is_some()
}

/// `core.output` is for results in general; a token that is asked for as JSON is JSON.
fn default_format(request: &Token) -> Option<Format> {
    (request.json || request.format.is_some()).then_some(Format::Json)
}

fn shape(request: &Token) -> Result<Shape> {
    let is_structured = asks_for_data(&request.request.global);
    let named = [
        request.format.map(Shape::Format),
        request.header.then_some(Shape::Format(TokenFormat::Header)),
        request.json.then_some(Shape::Format(TokenFormat::Json)),
        request.decode.then_some(Shape::Claims),
    ];
    let mut named = named.into_iter().flatten();
    let shape = match (named.next(), named.next()) {
        (Some(shape), None) => shape,
        (None, _) if is_structured => Shape::Format(TokenFormat::Json),
        (None, _) => Shape::Format(TokenFormat::Token),
        _ => {
            return Err(Error::new(
                Kind::Usage,
                "Give only one of --format, --header, --json and --decode.",
            ));
        }
    };
    match shape {
        Shape::Format(TokenFormat::Json) | Shape::Claims => Ok(shape),
        Shape::Format(_) if !is_structured => Ok(shape),
        Shape::Format(_) => Err(Error::new(
            Kind::Usage,
            "This format is a text of its own: omit --output and --query.",
        )),
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
pub(super) fn seconds(text: &str) -> Option<i64> {
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
