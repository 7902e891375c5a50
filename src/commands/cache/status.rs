//! `cache status`.

use std::path::Path;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::Answer;
use crate::accounts::Context;
use crate::broker;
use crate::error::Result;
use crate::interop::{self, AdalFile};

/// Prints what the vault stores, whether the key opens it, and where other programs keep secrets in
/// plain text. Works even if the vault cannot be opened.
pub(super) fn run(context: &Context<'_>) -> Result<Answer> {
    let (system, dir) = (context.system, &context.dir);
    let found = broker::inventory(system, dir)?;
    let count = |letters: &str| found.records.get(letters).copied().unwrap_or(0);
    let opened = broker::open_vault(system, dir, &context.config);
    let key = found.key.map(|(source, id)| {
        json!({
            "source": source.to_string(),
            "id": id.to_string(),
            "opens": opened.as_ref().is_ok_and(Option::is_some),
            "error": opened.as_ref().err().map(|error| error.message().to_owned()),
        })
    });
    let value = json!({
        "folder": dir.azt().path().display().to_string(),
        "key": key,
        "records": {
            "accounts": count("ac"),
            "clientAccounts": count("ca"),
            "applications": count("sp"),
            "refreshTokens": count("rt"),
            "idTokens": count("id"),
            "accessTokens": count("at"),
        },
        "bytes": found.bytes,
        "unreadable": found.unreadable,
        "plainText": plain_text(context),
    });
    Ok(Answer::with_columns(value, columns))
}

/// One row: where the key is, and how much is stored.
fn columns(value: &Value) -> Value {
    let at = |path: &str| value.pointer(path).cloned().unwrap_or_default();
    json!({
        "KeySource": at("/key/source"),
        "KeyOpens": at("/key/opens"),
        "Accounts": at("/records/accounts"),
        "OfClients": at("/records/clientAccounts"),
        "Applications": at("/records/applications"),
        "RefreshTokens": at("/records/refreshTokens"),
        "AccessTokens": at("/records/accessTokens"),
        "Unreadable": at("/unreadable"),
        "PlainText": value.get("plainText").and_then(Value::as_array).map_or(0, Vec::len),
    })
}

/// A file of another program that holds secrets in plain text.
#[derive(Serialize)]
pub(in crate::commands) struct PlainText {
    pub(in crate::commands) path: String,
    pub(in crate::commands) what: &'static str,
    /// Its sentences.
    #[serde(serialize_with = "joined")]
    pub(in crate::commands) remedy: &'static [&'static str],
    /// True if it has sign-ins of az, which azt can move into the vault.
    #[serde(skip)]
    pub(in crate::commands) is_movable: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde demands")]
fn joined<S: Serializer>(remedy: &&[&str], serializer: S) -> Result<S::Ok, S::Error> {
    let ended = remedy.iter().map(|line| format!("{}.", line.trim_end_matches('.')));
    serializer.serialize_str(&ended.collect::<Vec<_>>().join(" "))
}

/// All such files, with what to do about each.
pub(in crate::commands) fn plain_text(context: &Context<'_>) -> Vec<PlainText> {
    let (system, dir) = (context.system, &context.dir);
    let mut found = Vec::new();
    let mut tell = |path: &Path, what, remedy, is_movable| {
        found.push(PlainText { path: path.display().to_string(), what, remedy, is_movable });
    };
    for (path, is_azs) in interop::plain_text_of_az(dir) {
        if is_azs {
            tell(
                &path,
                "sign-ins of the real az",
                &[
                    "To move them into the vault, run: azt cache migrate --remove",
                    "To stop sharing new ones, run: azt config set core.share_with_az=false",
                ],
                true,
            );
        } else {
            tell(
                &path,
                "not a readable az file, so a sign-out does not change it",
                &["It may hold sign-ins. Repair it or move it away."],
                false,
            );
        }
    }
    let adal = AdalFile::path(system, dir);
    if AdalFile::exists(system, dir) {
        tell(
            &adal,
            "sign-ins of az before 2.30",
            &["To move the valid ones into the vault, run: azt cache migrate --remove"],
            true,
        );
    }
    // Without a home folder there is no shared cache.
    let shared = interop::plain_text_shared(system, interop::DEFAULT_NAME);
    for path in shared.unwrap_or_default() {
        let remedy = &["Remove it when no program needs it."];
        tell(&path, "the cache that Azure SDKs share", remedy, false);
    }
    found
}
