//! Parses the most frequent command line, `account get-access-token`, without clap.
//!
//! Building and walking clap's tree costs more than the rest of a call that is answered from the
//! vault. This parser accepts full option names and plain values, and leaves everything else to
//! clap: abbreviations, mistakes, help. `cli::parse::tests` checks that both agree.

use super::argparse::Word;
use super::{AccountCommand, Cli, Command, GetAccessToken, Global};
use crate::output::Format;
use crate::secret::Secret;

/// Parses `words`: argv without argv\[0\], `@file` expanded, command words in lower case. `None`
/// when clap must parse them.
pub(super) fn parse(words: &[Word]) -> Option<Cli> {
    let [group, command, rest @ ..] = words else { return None };
    if group.text != "account" || command.text != "get-access-token" {
        return None;
    }
    let mut request = GetAccessToken {
        subscription: None,
        resource: None,
        scope: None,
        resource_type: None,
        tenant: None,
        claims: None,
        user_assertion: None,
        identity_from_env: false,
        add_mask: false,
        account: None,
        client_id: None,
        authority: None,
        global: Global::default(),
    };
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
    Some(Cli { command: Command::Account(AccountCommand::GetAccessToken(request)) })
}

fn format(name: &str) -> Option<Format> {
    name.to_ascii_lowercase().parse().ok()
}
