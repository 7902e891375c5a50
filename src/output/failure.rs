//! A failure for programs: one line of JSON (`--error-format json`, `core.error_format`).

use serde_json::{Map, Value, json};

use crate::error::{Error, Kind};
use crate::program::Program;

/// `{"error": {...}}` on one line: kind, sentence, remedy, the command that cures it if one does,
/// exit code, and what Entra said. Members that there is nothing to say of are missing.
pub fn failure(error: &Error, code: u8, program: Program) -> String {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    put("kind", name(error.kind()).into());
    put("message", error.message().into());
    put("exitCode", code.into());
    let remedy = error.remedy_lines();
    if !remedy.is_empty() {
        put("remedy", remedy.into());
    }
    let texts = remedy.iter().map(String::as_str).chain([error.message()]);
    if let Some(command) = texts.flat_map(str::lines).find_map(|text| command(text, program)) {
        put("command", command.into());
    }
    if let Some(after) = error.retry_after() {
        put("retryAfter", after.as_secs().into());
    }
    if let Some(entra) = error.entra_detail() {
        put("code", entra.error.as_str().into());
        put("aadsts", entra.codes.clone().into());
        for (name, text) in [
            ("suberror", &entra.suberror),
            ("claims", &entra.claims),
            ("traceId", &entra.trace_id),
            ("correlationId", &entra.correlation_id),
            ("timestamp", &entra.timestamp),
        ] {
            if let Some(text) = text {
                put(name, text.as_str().into());
            }
        }
    }
    format!("{}\n", json!({"error": members}))
}

/// The kind's name for programs; they stay as they are.
fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Failed => "failed",
        Kind::Usage => "usage",
        Kind::NotFound => "not_found",
        Kind::NotSignedIn => "not_signed_in",
        Kind::InteractionRequired => "interaction_required",
        Kind::Refused => "refused",
        Kind::Network => "network",
        Kind::Service => "service",
        Kind::Cancelled => "cancelled",
        Kind::Vault => "vault",
    }
}

/// The command line in a sentence: from the program's name to the closing quote or the end.
fn command(text: &str, program: Program) -> Option<String> {
    let name = format!("{program} ");
    let (before, _) = text.match_indices(&name).map(|(at, _)| text.split_at(at)).find_map(
        |(before, after)| {
            let is_word = before.chars().next_back().is_none_or(|last| !last.is_alphanumeric());
            // "azt account …" is a command, "azt cannot" is a sentence.
            let verb = after.get(name.len()..)?.split_whitespace().next()?;
            let verb = verb.trim_end_matches(['`', '\'', '"', '.']);
            (is_word && COMMANDS.contains(&verb)).then_some((before, after))
        },
    )?;
    let after = text.get(before.len()..)?;
    let end = match before.chars().next_back() {
        Some(quote @ ('`' | '\'' | '"')) => after.find(quote)?,
        _ => after.len(),
    };
    Some(after.get(..end)?.trim_end_matches('.').to_owned())
}

/// The first words of commands that cure something.
const COMMANDS: [&str; 8] =
    ["account", "cache", "cloud", "config", "doctor", "login", "logout", "vault"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::EntraDetail;

    fn of(error: &Error) -> Value {
        let text = failure(error, 5, Program::Azt);
        assert!(text.ends_with('\n') && text.lines().count() == 1, "{text}");
        serde_json::from_str::<Value>(&text).unwrap()["error"].clone()
    }

    #[test]
    fn what_entra_said_is_all_there() {
        let error = Error::new(Kind::InteractionRequired, "AADSTS50076: \"MFA\",\n\u{1b}[31mnow.")
            .remedy("Please explicitly log in with:")
            .remedy("azt login --tenant t --scope https://x/.default")
            .entra(EntraDetail {
                error: "interaction_required".into(),
                codes: vec![50076],
                suberror: Some("basic_action".into()),
                claims: Some("{\"a\": 1}".into()),
                trace_id: Some("t".into()),
                correlation_id: Some("c".into()),
                timestamp: None,
            });
        assert_eq!(
            of(&error),
            json!({
                "kind": "interaction_required", "exitCode": 5,
                "message": "AADSTS50076: \"MFA\",\n\u{1b}[31mnow.",
                "remedy": ["Please explicitly log in with:", "azt login --tenant t --scope https://x/.default"],
                "command": "azt login --tenant t --scope https://x/.default",
                "code": "interaction_required", "aadsts": [50076], "suberror": "basic_action",
                "claims": "{\"a\": 1}", "traceId": "t", "correlationId": "c",
            })
        );
        assert!(!failure(&error, 5, Program::Azt).contains('\u{1b}'), "escaped");
    }

    #[test]
    fn a_command_is_found_in_a_sentence() {
        for (text, found) in [
            ("Run `azt login`.", Some("azt login")),
            (
                "Or start afresh: 'azt account clear' removes what is stored.",
                Some("azt account clear"),
            ),
            ("Run: azt login --tenant x", Some("azt login --tenant x")),
            ("Please run 'azt login' to setup account.", Some("azt login")),
            ("azt keeps tokens in /x: it must be writable.", None),
            ("No cure.", None),
            ("Update azt ", None),
        ] {
            assert_eq!(command(text, Program::Azt).as_deref(), found, "{text}");
        }
        assert_eq!(command("Run `az login`.", Program::Az).as_deref(), Some("az login"));
    }
}
