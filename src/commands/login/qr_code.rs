//! An address for a telephone's camera.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use crate::sys::EndpointUrl;

/// `page` as a QR code of half blocks, light on dark as terminals mostly are; `None` for an
/// address that is too long for one that fits a terminal of 80 columns.
pub(super) fn of(page: &EndpointUrl) -> Option<String> {
    let code = QrCode::with_error_correction_level(page.as_str(), EcLevel::L).ok()?;
    let picture =
        code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    let fits = picture.lines().next().is_some_and(|line| line.chars().count() <= 80);
    fits.then_some(picture)
}
