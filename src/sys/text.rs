//! Decodes text that other programs wrote.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use zeroize::Zeroizing;

/// Decodes a file or the output of a program: UTF-8, or UTF-16, which Windows programs write. Drops
/// a byte order mark. `None` if the bytes are neither.
pub(crate) fn decoded(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let (encoding, rest) = marked(bytes).unwrap_or((UTF_8, bytes));
    let (text, is_whole) = decode(encoding, rest);
    is_whole.then_some(text)
}

/// [`decoded`] for a file without secrets. UTF-8 stays in its buffer: a second one took
/// a third of the time of reading a large profile.
pub(super) fn into_decoded(mut bytes: Vec<u8>) -> Option<String> {
    let mark = match marked(&bytes) {
        Some((encoding, rest)) if encoding == UTF_8 => bytes.len() - rest.len(),
        Some(_) => return decoded(&bytes).map(|mut text| std::mem::take(&mut *text)),
        None => 0,
    };
    bytes.drain(..mark);
    String::from_utf8(bytes).ok()
}

/// Decodes the body of an HTTP response. The byte order mark decides, then `content_type`, then
/// UTF-8; other bytes count as windows-1252, the encoding of Microsoft's oldest clients.
pub(super) fn of_answer(bytes: &[u8], content_type: Option<&str>) -> Zeroizing<String> {
    if let Some((encoding, rest)) = marked(bytes) {
        return decode(encoding, rest).0;
    }
    // `marked` would have detected UTF-16, so a header that names it is wrong here.
    let named = content_type.and_then(charset).filter(|it| ![UTF_16LE, UTF_16BE].contains(it));
    match named {
        Some(encoding) => decode(encoding, bytes).0,
        None => match decode(UTF_8, bytes) {
            (text, true) => text,
            _ => decode(WINDOWS_1252, bytes).0,
        },
    }
}

/// Detects the encoding by the first bytes, and returns it with the bytes after the byte order
/// mark. UTF-16 without a mark shows by its zero bytes, because all texts read here start with an
/// ASCII character (RFC 4627 section 3).
fn marked(bytes: &[u8]) -> Option<(&'static Encoding, &[u8])> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return Some((encoding, bytes.get(length..).unwrap_or_default()));
    }
    match bytes {
        [first, 0, ..] if *first != 0 => Some((UTF_16LE, bytes)),
        [0, second, ..] if *second != 0 => Some((UTF_16BE, bytes)),
        _ => None,
    }
}

/// The encoding that a `Content-Type` names (RFC 9110 section 8.3.1).
fn charset(content_type: &str) -> Option<&'static Encoding> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| Encoding::for_label(value.as_bytes()))?
    })
}

/// The decoded text, and whether all bytes were valid. The buffer never reallocates, so that no
/// copy of a secret remains when it is wiped.
fn decode(encoding: &'static Encoding, bytes: &[u8]) -> (Zeroizing<String>, bool) {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let room = decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len());
    let mut text = Zeroizing::new(String::with_capacity(room));
    let (_, _, had_errors) = decoder.decode_to_string(bytes, &mut text, true);
    (text, !had_errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn files_are_decoded_from_utf_8_and_utf_16() {
        for bytes in [
            "eyJ.é".as_bytes().to_vec(),
            "\u{feff}eyJ.é".as_bytes().to_vec(),
            utf16("\u{feff}eyJ.é", u16::to_le_bytes),
            utf16("\u{feff}eyJ.é", u16::to_be_bytes),
            utf16("eyJ.é", u16::to_le_bytes),
            utf16("eyJ.é", u16::to_be_bytes),
        ] {
            assert_eq!(decoded(&bytes).unwrap().as_str(), "eyJ.é", "{bytes:?}");
            assert_eq!(into_decoded(bytes).unwrap(), "eyJ.é");
        }
        for bytes in [b"\xff\xfea".to_vec(), b"\xe9".to_vec(), b"\xff\xfe\x00\xd8".to_vec()] {
            assert_eq!((decoded(&bytes), into_decoded(bytes.clone())), (None, None), "{bytes:?}");
        }
        assert_eq!(decoded(b"").unwrap().as_str(), "");
    }

    #[test]
    fn a_response_is_decoded_by_mark_header_and_content() {
        let text = r#"{"a":"ü €"}"#;
        let (latin, dos) = (b"{\"a\":\"\xfc \x80\"}".to_vec(), b"{\"a\":\"\x81 \xd5\"}".to_vec());
        for (bytes, content_type) in [
            (text.as_bytes().to_vec(), "application/json"),
            (text.as_bytes().to_vec(), "application/json; charset=utf-8"),
            (text.as_bytes().to_vec(), "application/json; charset=UTF-16"),
            (text.as_bytes().to_vec(), "application/json; charset=nonsense"),
            (format!("\u{feff}{text}").into_bytes(), "application/json; charset=iso-8859-1"),
            (utf16(text, u16::to_le_bytes), "application/json; charset=utf-16"),
            (utf16(text, u16::to_be_bytes), "application/json; charset=utf-8"),
            (utf16(text, u16::to_le_bytes), ""),
            (latin.clone(), "application/json; odata=verbose; Charset=\"ISO-8859-1\""),
            (latin.clone(), "text/plain;charset=windows-1252"),
            (latin, "application/json"),
        ] {
            let read = of_answer(&bytes, Some(content_type));
            assert_eq!(read.as_str(), text, "{content_type}");
        }
        let read = of_answer(&dos, Some("application/json; charset=ibm866"));
        assert_eq!(read.as_str(), r#"{"a":"Б ╒"}"#);
    }
}
