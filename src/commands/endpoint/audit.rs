//! A line for each token that was handed out: when, to whom, of which resource and account. Never
//! the token.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, SecondsFormat};
use serde_json::json;

use super::tokens::Held;
use crate::error::Result;
use crate::foreign::Sentence;
use crate::sys::{Journal, Peer, append_only, program_of};

/// The value of `--audit` for systemd's journal.
const JOURNAL: &str = "journal";

/// Where the lines go.
pub(in crate::commands) enum Audit {
    /// One JSON object a line.
    File(Mutex<File>),
    /// systemd's journal.
    Journal(Journal),
}

impl Audit {
    /// Opens the file at `place`, which is created with mode 0600; `journal` is systemd's journal.
    ///
    /// # Errors
    /// The file cannot be opened for writing; there is no journal.
    pub(in crate::commands) fn open(place: &str) -> Result<Self> {
        if place == JOURNAL {
            return Journal::open().map(Self::Journal);
        }
        append_only(Path::new(place)).map(|file| Self::File(Mutex::new(file)))
    }

    /// Writes a line.
    ///
    /// # Errors
    /// The disk is full, the journal is gone.
    pub(super) fn write(
        &self,
        now: i64,
        peer: Peer,
        resource: &str,
        held: &Held,
    ) -> io::Result<()> {
        let time = DateTime::from_timestamp(now, 0).unwrap_or_default();
        let line = json!({
            "time": time.to_rfc3339_opts(SecondsFormat::Secs, true),
            "uid": peer.uid,
            "pid": peer.pid,
            "program": peer.pid.and_then(program_of).map(|name| String::from(Sentence::new(&name))),
            "resource": String::from(Sentence::new(resource)),
            "account": held.account,
            "tenant": held.tenant,
        });
        let line = line.to_string();
        match self {
            Self::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                // One write a line, so that lines of several processes do not mix.
                file.write_all(format!("{line}\n").as_bytes())
            }
            Self::Journal(journal) => journal.write(&line),
        }
    }
}
