//! Bytes that others wrote, as text.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use zeroize::Zeroizing;

/// The text in a file, or in what a program printed: UTF-8, or UTF-16 as Windows' programs write it.
/// A byte order mark is no part of it. `None` for what is neither.
pub(crate) fn decoded(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let (encoding, rest) = marked(bytes).unwrap_or((UTF_8, bytes));
    let (text, is_whole) = decode(encoding, rest);
    is_whole.then_some(text)
}

/// [`decoded`] for a file that holds no secret, without a copy where it is UTF-8.
pub(super) fn into_decoded(bytes: Vec<u8>) -> Option<String> {
    match marked(&bytes) {
        Some(_) => decoded(&bytes).map(|mut text| std::mem::take(&mut *text)),
        None => String::from_utf8(bytes).ok(),
    }
}

/// The text of an answer: as its byte order mark says, else as `content_type` does, else UTF-8. What
/// is in no encoding of these is read as Microsoft's oldest clients wrote (windows-1252).
pub(super) fn of_answer(bytes: &[u8], content_type: Option<&str>) -> Zeroizing<String> {
    if let Some((encoding, rest)) = marked(bytes) {
        return decode(encoding, rest).0;
    }
    // Who says UTF-16 and sent none of it has another one in mind.
    let named = content_type.and_then(charset).filter(|it| ![UTF_16LE, UTF_16BE].contains(it));
    match named {
        Some(encoding) => decode(encoding, bytes).0,
        None => match decode(UTF_8, bytes) {
            (text, true) => text,
            _ => decode(WINDOWS_1252, bytes).0,
        },
    }
}

/// The encoding that the first bytes show, and what is behind the byte order mark: without one UTF-16
/// shows by its zeros, since all that is read here begins with a character of ASCII (RFC 4627 section 3).
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

/// The text, in one place, which is wiped, and whether all bytes were of the encoding.
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
    fn a_file_is_read_in_the_encodings_of_windows() {
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
    fn an_answer_is_read_as_its_header_says() {
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
