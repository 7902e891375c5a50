//! `cache status`.

use serde_json::{Value, json};

use super::{Answer, Context};
use crate::broker;
use crate::error::Result;
use crate::interop::{self, AdalFile};

/// What is stored, whether its key opens it, and where other programs keep secrets in plain text.
/// Works on a vault that does not open.
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
    Ok(Answer::of(json!({
        "folder": dir.azt().display().to_string(),
        "key": key,
        "records": {
            "accounts": count("ac"),
            "applications": count("sp"),
            "refreshTokens": count("rt"),
            "idTokens": count("id"),
            "accessTokens": count("at"),
        },
        "bytes": found.bytes,
        "unreadable": found.unreadable,
        "plainText": plain_text(context)?,
    })))
}

/// Files of other programs that hold secrets in plain text, with what to do about each.
pub(in crate::commands) fn plain_text(context: &Context<'_>) -> Result<Vec<Value>> {
    let (system, dir) = (context.system, &context.dir);
    let mut found = Vec::new();
    let mut tell = |path: String, what: &str, remedy: String| {
        found.push(json!({"path": path, "what": what, "remedy": remedy}));
    };
    for path in interop::plain_text_of_az(dir) {
        tell(
            path.display().to_string(),
            "sign-ins of the real az",
            "It is az's: azt config set core.share_with_az=false keeps new ones out, az account clear removes it.".to_owned(),
        );
    }
    let adal = AdalFile::path(system, dir);
    if adal.exists() {
        tell(
            adal.display().to_string(),
            "sign-ins of az before 2.30",
            "azt cache migrate --remove takes over what is still good and removes it.".to_owned(),
        );
    }
    for path in interop::plain_text_shared(system, interop::DEFAULT_NAME)? {
        tell(
            path.display().to_string(),
            "the cache that Azure SDKs share",
            "Remove it when no program needs it.".to_owned(),
        );
    }
    Ok(found)
}
