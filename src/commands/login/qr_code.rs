//! A QR code of a URL.

use anstyle::{AnsiColor, Color, Style};
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use crate::sys::{EndpointUrl, Screen, Terminal};

/// Both colours are explicit, so that a camera finds dark on light on every background. White is
/// light grey on many terminals, which is too near to a white background.
const BLACK_ON_WHITE: Style = Style::new()
    .fg_color(Some(Color::Ansi(AnsiColor::Black)))
    .bg_color(Some(Color::Ansi(AnsiColor::BrightWhite)));

/// Prints `page` as a QR code of half blocks if `screen`, `size` in columns and rows, can show it
/// with `other` more rows.
pub(super) fn show(
    terminal: &Terminal,
    page: &EndpointUrl,
    screen: Screen,
    size: (usize, usize),
    other: usize,
) {
    if !terminal.has_styles() || !screen.unicode || !screen.cursor {
        return;
    }
    let Ok(code) = QrCode::with_error_correction_level(page.as_str(), EcLevel::L) else { return };
    let picture = code.render::<Dense1x2>().build();
    let rows: Vec<&str> = picture.lines().collect();
    let columns = rows.first().map_or(0, |row| row.chars().count());
    if columns <= size.0 && rows.len() + other <= size.1 {
        for row in rows {
            terminal.line(&[(BLACK_ON_WHITE, row)]);
        }
    }
}
