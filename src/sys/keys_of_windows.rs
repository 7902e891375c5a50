//! Single keys on Windows, while something else is waited for.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEventKind, poll, read};

use super::System;

/// The time between two looks at the console.
const PAUSE: Duration = Duration::from_millis(100);

/// The console's keys. Its mode stays: keys are shown by the program that reads them, which is this
/// one, and Ctrl-C still sends its signal.
pub(crate) struct Keys(());

impl Keys {
    /// Starts to read keys. `None` if nobody can press one.
    pub(crate) fn read(system: &System) -> Option<Self> {
        (system.is_watched() && system.can_ask()).then_some(Self(()))
    }

    /// The next key. Waits for ever if no more can come.
    pub(crate) async fn next(&mut self) -> char {
        loop {
            while matches!(poll(Duration::ZERO), Ok(true)) {
                if let Ok(Event::Key(key)) = read()
                    && let (KeyCode::Char(key), KeyEventKind::Press) = (key.code, key.kind)
                {
                    return key;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
