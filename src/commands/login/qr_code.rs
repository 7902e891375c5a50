//! A QR code of a URL.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use crate::sys::EndpointUrl;

/// Renders `page` as a QR code of half blocks, light on dark for the usual dark terminal. `None` if
/// the code would be wider than 80 columns.
pub(super) fn of(page: &EndpointUrl) -> Option<String> {
    let code = QrCode::with_error_correction_level(page.as_str(), EcLevel::L).ok()?;
    let picture =
        code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    let fits = picture.lines().next().is_some_and(|line| line.chars().count() <= 80);
    fits.then_some(picture)
}
