//! The shapes of a token, by what takes it. No shape ends in a line feed where its consumer would
//! read one.

use chrono::{DateTime, SecondsFormat};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::super::consumer::{Target, claim, user_name};
use super::super::get_access_token::Issued;
use crate::accounts::Context;
use crate::cli::TokenFormat;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::shell::{for_fish, for_powershell, for_sh};
use crate::sys::file::read_stdin;

/// The answer to Bazel for a host that gets no token.
pub(super) const BAZEL_NOTHING: &str = "{\"headers\":{}}\n";

/// The user name where a service takes any.
const ANY_USER: &str = "azt";

/// Prints the token of `issued` as `format`.
pub(super) fn print(
    format: TokenFormat,
    issued: &Issued,
    target: Option<&Target>,
    context: &Context<'_>,
) -> Result<()> {
    let terminal = &context.system.terminal;
    let token = issued.token.secret.expose();
    // On a terminal a line feed keeps the prompt apart; programs take all that they read.
    let end = if terminal.stdout_is_tty() { "\n" } else { "" };
    let text = match format {
        TokenFormat::Token | TokenFormat::Password => joined(&[token, end]),
        TokenFormat::Header => joined(&["Authorization: Bearer ", token, end]),
        TokenFormat::Bearer => joined(&["Bearer ", token, end]),
        TokenFormat::Env => variables(issued, target, |name, value| {
            ["export ", name, "=", &for_sh(value), "\n"].concat()
        }),
        TokenFormat::Fish => variables(issued, target, |name, value| {
            ["set -gx ", name, " ", &for_fish(value), "\n"].concat()
        }),
        TokenFormat::Powershell => variables(issued, target, |name, value| {
            ["$env:", name, " = ", &for_powershell_text(value), "\n"].concat()
        }),
        TokenFormat::Dotenv => {
            variables(issued, target, |name, value| [name, "=", &for_dotenv(value), "\n"].concat())
        }
        TokenFormat::Netrc => {
            let host =
                target.map(Target::host).filter(|host| !host.is_empty()).ok_or_else(|| {
                    Error::new(Kind::Usage, "A netrc file is by host: name it with --for.")
                })?;
            let user = user_name(&issued.token.secret).unwrap_or_else(|| ANY_USER.to_owned());
            joined(&["machine ", host, " login ", &user, " password ", token, "\n"])
        }
        TokenFormat::Redis => {
            let user = claim(&issued.token.secret, "oid").ok_or_else(|| {
                Error::failed("The token has no object id (oid), which is the user name in Redis.")
            })?;
            joined(&["AUTH ", &user, " ", token, "\n"])
        }
        TokenFormat::Odbc if terminal.stdout_is_tty() => {
            return Err(Error::failed(
                "These are bytes, not text: send them to a file or a program.",
            ));
        }
        TokenFormat::Odbc => return terminal.bytes(&odbc(token)),
        TokenFormat::GoogleExecutable => google(issued),
        TokenFormat::Bazel => bazel(issued),
        // Printed with its options by the caller.
        TokenFormat::Json => joined(&[]),
    };
    terminal.result(&text)
}

/// Allocated once: a growing text would leave copies of the token.
fn joined(parts: &[&str]) -> Zeroizing<String> {
    Zeroizing::new(parts.concat())
}

/// A line for each variable of the consumer, written by `line`.
fn variables(
    issued: &Issued,
    target: Option<&Target>,
    line: impl Fn(&str, &str) -> String,
) -> Zeroizing<String> {
    let all = match target {
        Some(target) => target.variables(issued),
        None => vec![(super::super::consumer::ANY, issued.token.secret.clone())],
    };
    let lines: Vec<Zeroizing<String>> =
        all.iter().map(|(name, value)| Zeroizing::new(line(name, value.expose()))).collect();
    let lines: Vec<&str> = lines.iter().map(|line| line.as_str()).collect();
    joined(&lines)
}

/// `value` in quotes, always: PowerShell takes a bare word for a command here.
fn for_powershell_text(value: &str) -> String {
    let quoted = for_powershell(value);
    if quoted.starts_with('\'') { quoted } else { ["'", &quoted, "'"].concat() }
}

/// `value` in single quotes, unless every reader of .env files takes it as it is.
fn for_dotenv(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._:/@+=-".contains(c);
    if value.chars().all(is_plain) {
        return value.to_owned();
    }
    ["'", &value.replace('\'', ""), "'"].concat()
}

/// The structure that ODBC's attribute 1256 points to: the length in bytes as a 32-bit number, then
/// UTF-16, both with the lowest byte first.
fn odbc(token: &str) -> Zeroizing<Vec<u8>> {
    let length = token.encode_utf16().count() * 2;
    let mut bytes = Zeroizing::new(Vec::with_capacity(length + 4));
    bytes.extend(u32::try_from(length).unwrap_or_default().to_le_bytes());
    bytes.extend(token.encode_utf16().flat_map(u16::to_le_bytes));
    bytes
}

/// google-auth's answer of an executable, version 1. The expiry is a number; a text is an error there.
fn google(issued: &Issued) -> Zeroizing<String> {
    let rest = json!({
        "version": 1,
        "success": true,
        "token_type": "urn:ietf:params:oauth:token-type:jwt",
        "expiration_time": issued.token.expires_on,
    });
    with_token("{\"id_token\":", &issued.token.secret, &rest.to_string())
}

/// The same for a failure.
pub(super) fn google_failure(error: &Error, code: u8) -> String {
    let (code, message) = (code.to_string(), error.in_one_line());
    let answer = json!({"version": 1, "success": false, "code": code, "message": message});
    format!("{answer}\n")
}

/// Bazel's credential helper: the headers of the request, and how long they are good.
fn bazel(issued: &Issued) -> Zeroizing<String> {
    let expires = DateTime::from_timestamp(issued.token.expires_on, 0).unwrap_or_default();
    let expires = expires.to_rfc3339_opts(SecondsFormat::Secs, true);
    let bearer = Secret::new(["Bearer ", issued.token.secret.expose()].concat());
    let rest = [r#"{]},"expires":""#, &expires, "\"}"].concat();
    with_token("{\"headers\":{\"Authorization\":[", &bearer, &rest)
}

/// `before`, `token` as JSON, and `rest` without its first brace, after a comma if that has members.
fn with_token(before: &str, token: &Secret, rest: &str) -> Zeroizing<String> {
    let token = Secret::json(&token.expose(), token.expose().len() * 2 + 8);
    let rest = rest.strip_prefix('{').unwrap_or(rest);
    let comma = if rest.starts_with(']') { "" } else { "," };
    joined(&[before, token.expose(), comma, rest, "\n"])
}

#[derive(Deserialize)]
struct BazelRequest {
    uri: String,
}

/// The address that Bazel asks for on standard input.
pub(super) fn bazel_uri() -> Result<String> {
    let request: BazelRequest = serde_json::from_slice(&read_stdin()?).map_err(|_| {
        Error::new(Kind::Usage, "Standard input is not Bazel's request {\"uri\": …}.")
            .remedy("Or name the address: --for URL")
    })?;
    Ok(request.uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odbc_gets_the_length_and_utf_16() {
        assert_eq!(*odbc("aB"), [4, 0, 0, 0, b'a', 0, b'B', 0]);
    }

    #[test]
    fn json_of_a_token_is_whole() {
        let text = with_token("{\"id_token\":", &Secret::new("t\"k"), r#"{"version":1}"#);
        assert_eq!(&*text, "{\"id_token\":\"t\\\"k\",\"version\":1}\n");
        let rest = r#"{]},"expires":"x"}"#;
        let text = with_token("{\"headers\":{\"Authorization\":[", &Secret::new("Bearer t"), rest);
        assert_eq!(&*text, "{\"headers\":{\"Authorization\":[\"Bearer t\"]},\"expires\":\"x\"}\n");
    }
}
