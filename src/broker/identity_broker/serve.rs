//! The exchange with azt on the other side of WSL: one line of JSON each way.
//!
//! The line to the Windows side is `{"version":1,"method":…,"request":…}`, and the answer
//! `{"version":1,"answer":…}` or `{"version":1,"error":{"kind":…,"message":…}}`. Request and answer
//! are JSON texts in a string. The version comes first and is the only member that every version
//! has.

use serde::{Deserialize, Serialize};

use super::{LONGEST_BEHIND_WSL, Method, own_broker};
use crate::error::{Error, Kind, Result};
use crate::foreign::{self, Seconds, Sentence, lenient};
use crate::secret::{Secret, exposed_option};
use crate::sys::System;

/// The version of the exchange. A change that the other side must understand raises it.
const VERSION: i64 = 1;

/// Bytes for the rest of a reply.
const ROOM: usize = 4 << 10;

#[derive(Serialize, Deserialize)]
struct Question {
    version: i64,
    method: String,
    request: String,
}

#[derive(Serialize, Deserialize)]
struct Reply {
    version: i64,
    #[serde(default, serialize_with = "exposed_option", skip_serializing_if = "Option::is_none")]
    answer: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
}

/// An error of the other side. It names no command: azt would not pass one on.
#[derive(Serialize, Deserialize)]
struct Failure {
    kind: Kind,
    message: Sentence,
}

/// The version that a line has.
#[derive(Deserialize)]
struct Versioned {
    #[serde(default, deserialize_with = "lenient")]
    version: Option<Seconds>,
}

/// The line that asks the other side to call `method` with the JSON text `request`.
#[cfg(all(unix, not(target_os = "macos")))]
pub(super) fn question(method: Method, request: String) -> String {
    let question = Question { version: VERSION, method: method.name().to_owned(), request };
    serde_json::to_string(&question).unwrap_or_default()
}

/// The answer in the line `reply` of the other side.
#[cfg(all(unix, not(target_os = "macos")))]
pub(super) fn answer_in(reply: &str) -> Result<Secret> {
    check_version(reply)?;
    match foreign::from_json(reply) {
        Ok(Reply { error: Some(Failure { kind, message }), .. }) => {
            Err(Error::new(kind, format!("On the Windows side: {message}")))
        }
        Ok(Reply { answer: Some(answer), .. }) => Ok(answer),
        Ok(Reply { .. }) | Err(_) => {
            Err(super::misbehaved("of Windows sent an answer in no known form"))
        }
    }
}

/// Answers the line `question` of azt in WSL by this machine's broker.
pub(crate) fn answer_line(system: &System, question: &str) -> Secret {
    let (answer, error) = match ask(system, question) {
        Ok(answer) => (Some(answer), None),
        Err(error) => {
            let message = Sentence::new(error.message());
            (None, Some(Failure { kind: error.kind(), message }))
        }
    };
    // JSON in a string has at most twice the bytes.
    let room = answer.as_ref().map_or(0, |answer| answer.expose().len()) * 2 + ROOM;
    Secret::json(&Reply { version: VERSION, answer, error }, room)
}

fn ask(system: &System, question: &str) -> Result<Secret> {
    check_version(question)?;
    let invalid = || Error::failed("The question is in no known form.");
    let question: Question = foreign::from_json(question).map_err(|_| invalid())?;
    let method = Method::ALL.into_iter().find(|it| it.name() == question.method);
    own_broker(system)?.call(method.ok_or_else(invalid)?, question.request, LONGEST_BEHIND_WSL)
}

fn check_version(line: &str) -> Result<()> {
    let Ok(Versioned { version }) = foreign::from_json::<Versioned>(line) else {
        return Err(Error::new(Kind::Service, "The other azt sent a line that is not JSON."));
    };
    let spoken = version.map_or_else(|| "none".to_owned(), |Seconds(version)| version.to_string());
    if version == Some(Seconds(VERSION)) {
        return Ok(());
    }
    Err(Error::failed(format!(
        "azt on the Windows side and azt in WSL do not understand each other: one has version {spoken} of their exchange, the other {VERSION}."
    ))
    .remedy("Install the same version of azt on both sides."))
}
