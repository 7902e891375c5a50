//! Parses the most frequent command lines, `account get-access-token` and `token`, without clap.
//!
//! Building and walking clap's tree costs more than the rest of a call that is answered from the
//! vault. This parser accepts full option names and plain values, and leaves everything else to
//! clap: abbreviations, mistakes, help. `cli::parse::tests` checks that both agree.

use super::argparse::Word;
use clap::ValueEnum;

use super::{AccountCommand, Cli, Command, GetAccessToken, Global, Token, TokenFormat};
use crate::output::Format;
use crate::secret::Secret;

/// The number of command words, if `typed` begins with one of these commands.
pub(super) fn depth(typed: &[String]) -> Option<usize> {
    match typed {
        [group, command, ..] if group == "account" && command == "get-access-token" => Some(2),
        [command, ..] if command == "token" => Some(1),
        _ => None,
    }
}

/// Parses `words`: argv without argv\[0\], `@file` expanded, command words in lower case. `None`
/// when clap must parse them.
pub(super) fn parse(words: &[Word]) -> Option<Cli> {
    let (is_token, rest) = match words {
        [group, command, rest @ ..]
            if group.text == "account" && command.text == "get-access-token" =>
        {
            (false, rest)
        }
        [command, rest @ ..] if command.text == "token" => (true, rest),
        _ => return None,
    };
    let mut shape = Shape::default();
    let mut request = GetAccessToken::of(Global::default());
    let mut rest = rest.iter().map(|word| word.text.as_str()).peekable();
    while let Some(arg) = rest.next() {
        let (name, attached) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (arg, None),
        };
        let mut value = || match attached {
            // Leave empty values to clap.
            Some(value) => Some(value).filter(|value| !value.is_empty()),
            None => rest.next_if(|value| !value.starts_with('-') && !value.is_empty()),
        };
        let text = |value: &str| Some(value.to_owned());
        match name {
            _ if is_token && shape.takes(name, attached, &mut value)? => {}
            "--output" | "-o" => request.global.output = Some(format(value()?)?),
            "--query" => request.global.query = text(value()?),
            "--subscription" | "--name" | "-s" | "-n" => request.subscription = text(value()?),
            "--resource" => request.resource = text(value()?),
            "--tenant" | "-t" => request.tenant = text(value()?),
            "--claims" => request.claims = text(value()?),
            "--account" => request.account = text(value()?),
            "--client-id" => request.client_id = text(value()?),
            "--authority" => request.authority = text(value()?),
            "--user-assertion" => request.user_assertion = Some(Secret::new(value()?)),
            "--scope" => {
                let mut scopes = vec![value()?.to_owned()];
                while attached.is_none() {
                    let Some(scope) = rest.next_if(|it| !it.starts_with('-') && !it.is_empty())
                    else {
                        break;
                    };
                    scopes.push(scope.to_owned());
                }
                request.scope = Some(scopes);
            }
            "--identity-from-env" if attached.is_none() => request.identity_from_env = true,
            "--only-show-errors" if attached.is_none() => request.global.only_show_errors = true,
            "--verbose" if attached.is_none() => request.global.verbose = true,
            "--debug" if attached.is_none() => request.global.debug = true,
            _ => return None,
        }
    }
    let command = if is_token {
        let Shape { what, target, format, header, json, decode, min_lifetime, force_refresh } =
            shape;
        Command::Token(Token {
            what,
            target,
            format,
            header,
            json,
            decode,
            min_lifetime,
            force_refresh,
            request,
        })
    } else {
        Command::Account(AccountCommand::GetAccessToken(request))
    };
    Some(Cli { command })
}

/// The arguments of `token` alone.
#[allow(clippy::struct_excessive_bools, reason = "the flags are independent")]
#[derive(Default)]
struct Shape {
    what: Option<String>,
    target: Option<String>,
    format: Option<TokenFormat>,
    header: bool,
    json: bool,
    decode: bool,
    min_lifetime: Option<String>,
    force_refresh: bool,
}

impl Shape {
    /// Takes the argument `name` and returns true, if it is one of these; `None` when clap must parse
    /// it.
    fn takes<'w>(
        &mut self,
        name: &'w str,
        attached: Option<&str>,
        value: &mut impl FnMut() -> Option<&'w str>,
    ) -> Option<bool> {
        let flag = match name {
            "--header" => &mut self.header,
            "--json" => &mut self.json,
            "--decode" => &mut self.decode,
            "--force-refresh" => &mut self.force_refresh,
            "--for" => {
                self.target = Some(value()?.to_owned());
                return Some(true);
            }
            "--format" => {
                self.format = Some(TokenFormat::from_str(value()?, true).ok()?);
                return Some(true);
            }
            "--min-lifetime" => {
                self.min_lifetime = Some(value()?.to_owned());
                return Some(true);
            }
            _ if name.starts_with('-') => return Some(false),
            what => {
                // A URL may have a `=`; a second word is a mistake.
                if what.is_empty() || attached.is_some() || self.what.is_some() {
                    return None;
                }
                self.what = Some(what.to_owned());
                return Some(true);
            }
        };
        *flag = true;
        attached.is_none().then_some(true)
    }
}

fn format(name: &str) -> Option<Format> {
    name.to_ascii_lowercase().parse().ok()
}
