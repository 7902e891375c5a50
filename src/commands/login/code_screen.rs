//! What a user who signs in with a code sees.

use anstyle::Style;

use super::qr_code;
use crate::entra::DeviceAuthorization;
use crate::sys::{Copied, Level, PLAIN, Screen, System, copy};

/// Columns of the titles `Open` and `Code`.
const TITLE: usize = 7;

/// Rows around the QR code: address, code, countdown, and an empty one before and after it.
const AROUND: usize = 5;

/// Shows `code`, its page and, on a terminal that can, the page as a QR code. Copies the code to the
/// clipboard. Without a terminal, and under the name az, Entra's own sentence is shown.
pub(super) fn show(system: &System, code: &DeviceAuthorization) {
    let terminal = &system.terminal;
    let screen = terminal.screen(&system.env);
    let size = Screen::size();
    let complete = code.verification_uri_complete.as_ref().unwrap_or(&code.verification_uri);
    if !system.is_watched() {
        terminal.message(Level::Notice, &code.message);
        if terminal.stderr_is_tty() {
            let rows = 2 + code.message.len() / size.0;
            qr_code::show(terminal, complete, screen, size, rows);
        }
        return;
    }
    let bold = Style::new().bold();
    let page = code.verification_uri.to_string();
    if TITLE + page.chars().count() <= size.0 {
        terminal.line(&[(PLAIN, "Open   "), (PLAIN, page.as_str())]);
    } else {
        // On a line of its own it can be copied, or clicked, as a whole.
        terminal.plain("Open");
        terminal.plain(&page);
    }
    let copied = match copy(system, &code.user_code) {
        Copied::Yes => ["        (copied to the clipboard)", "  (copied)"].as_slice(),
        Copied::Perhaps => &["        (copied, if the terminal allows it)"],
        Copied::No => &[],
    };
    let used = TITLE + code.user_code.len();
    let copied = copied.iter().find(|text| used + text.len() <= size.0).copied();
    let copied = copied.unwrap_or_default();
    terminal.line(&[
        (PLAIN, "Code   "),
        (bold, code.user_code.as_str()),
        (Style::new().dimmed(), copied),
    ]);
    qr_code::show(terminal, complete, screen, size, AROUND);
}
