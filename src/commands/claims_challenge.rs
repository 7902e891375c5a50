//! Claims challenges on the command line.

use crate::arm;
use crate::error::{Error, Kind, Result};

/// Decodes `text`, the value of `option`, to JSON text. Accepts base64 as in
/// `WWW-Authenticate: … claims="…"`, in either alphabet, padded or not, and the JSON itself.
pub(super) fn decode(option: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if text.starts_with('{') {
        return Ok(text.to_owned());
    }
    arm::decode_challenge(text).ok_or_else(|| {
        Error::new(Kind::Usage, format!("The value of {option} is not base64 of a JSON text."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_is_read() {
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
