//! Claims challenges, as resources send them.

use base64::Engine;
use base64::engine::GeneralPurposeConfig;
use base64::engine::general_purpose::GeneralPurpose;
use base64::{alphabet, engine::DecodePaddingMode};

use crate::error::{Error, Kind, Result};

/// The JSON text in the challenge that `option` was given: base64 as it stands in
/// `WWW-Authenticate: … claims="…"`, in either alphabet, padded or not; or the JSON itself.
pub(super) fn decode(option: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if text.starts_with('{') {
        return Ok(text.to_owned());
    }
    let lenient =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let standard = text.replace('-', "+").replace('_', "/");
    GeneralPurpose::new(&alphabet::STANDARD, lenient)
        .decode(standard)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| {
            Error::new(Kind::Usage, format!("The value of {option} is not base64 of a JSON text."))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_read() {
        let json = r#"{"access_token":{"nbf":{"value":"?>"}}}"#;
        for text in [
            json,
            " eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7InZhbHVlIjoiPz4ifX19\n",
            "eyJhIjoiPz4-In0",
            "eyJhIjoiPz4+In0=",
        ] {
            let read = decode("--claims", text).unwrap();
            assert!(read == json || read == r#"{"a":"?>>"}"#, "{read}");
        }
        assert_eq!(decode("--claims", "?").unwrap_err().kind(), Kind::Usage);
    }
}
