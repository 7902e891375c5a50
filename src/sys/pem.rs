//! PEM blocks (RFC 7468), read as leniently as OpenSSL reads them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pkcs8::der::{Reader, SliceReader};
use zeroize::Zeroizing;

use crate::foreign::Name;

/// The labels of a certificate: the current one, an older one, and OpenSSL's with trailing trust
/// data.
const CERTIFICATE_LABELS: [&str; 3] = ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"];

/// A block between a `BEGIN` line and an `END` line.
pub(crate) struct Block {
    /// The label, such as `CERTIFICATE`.
    pub(crate) label: Name,
    /// The number of the `BEGIN` line, from 1.
    pub(crate) line: usize,
    /// True if a header says that the block is encrypted, as in OpenSSL's older formats.
    pub(crate) is_encrypted: bool,
    /// The decoded bytes; `None` if the block is truncated or damaged.
    pub(crate) der: Option<Zeroizing<Vec<u8>>>,
}

impl Block {
    /// True if the label is one of a certificate.
    pub(crate) fn is_certificate(&self) -> bool {
        CERTIFICATE_LABELS.contains(&&*self.label)
    }

    /// Returns the certificate's DER without OpenSSL's trailing trust data.
    pub(crate) fn certificate(&self) -> Option<&[u8]> {
        self.der.as_deref().and_then(|der| first_element(der))
    }
}

/// Returns the blocks of `file` in order; none if it is not PEM.
///
/// Accepts byte order marks, UTF-16, any line endings, and white space around lines. Ignores text
/// outside of blocks, in any encoding.
pub(crate) fn blocks(file: &[u8]) -> Vec<Block> {
    let text = ascii(file);
    let mut blocks = Vec::new();
    let mut open: Option<Open<'_>> = None;
    let mut end = 0;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let start = end;
        end += line.len();
        let marked = |mark| line.trim().strip_prefix(mark)?.strip_suffix("-----");
        if let Some(label) = marked("-----BEGIN ") {
            // A block without `END` ends here.
            blocks.extend(open.take().map(|open| open.closed(None)));
            open = Some(Open { label, line: at + 1, body: end });
        } else if let Some(label) = marked("-----END ")
            && let Some(open) = open.take()
        {
            let body = text.get(open.body..start).filter(|_| label == open.label);
            blocks.push(open.closed(body));
        }
    }
    blocks.extend(open.map(|open| open.closed(None)));
    blocks
}

/// A block whose `END` line is still to come.
struct Open<'t> {
    label: &'t str,
    line: usize,
    /// Offset of the first line after `BEGIN`.
    body: usize,
}

impl Open<'_> {
    /// Decodes `body`, the text between the lines; `None` if the block is truncated.
    fn closed(self, body: Option<&str>) -> Block {
        let body = body.unwrap_or_default();
        let (headers, lines): (Vec<&str>, Vec<&str>) =
            body.lines().partition(|it| it.contains(':'));
        // Allocated once: a growing string would leave copies, and this may be a key.
        let mut joined = Zeroizing::new(String::with_capacity(body.len()));
        joined.extend(lines.into_iter().flat_map(str::split_whitespace));
        let der = STANDARD.decode(&*joined).ok().map(Zeroizing::new);
        Block {
            label: Name::new(self.label),
            line: self.line,
            is_encrypted: headers.iter().any(|header| header.contains("ENCRYPTED")),
            der: der.filter(|der| !der.is_empty()),
        }
    }
}

/// Returns `file` if it is a single DER certificate without PEM text.
pub(crate) fn bare_certificate(file: &[u8]) -> Option<&[u8]> {
    first_element(file).filter(|der| der.len() == file.len() && der.starts_with(&[0x30]))
}

/// Returns the first DER element.
fn first_element(der: &[u8]) -> Option<&[u8]> {
    SliceReader::new(der).ok()?.tlv_bytes().ok()
}

/// Returns the ASCII characters of `file`, with a line feed for each line ending. PEM is ASCII, so
/// this drops byte order marks and the zero bytes of UTF-16.
fn ascii(file: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(file.len()));
    let mut characters = file.iter().filter(|it| it.is_ascii() && **it != 0).peekable();
    while let Some(c) = characters.next() {
        match c {
            b'\r' if characters.peek() == Some(&&b'\n') => {}
            b'\r' => text.push('\n'),
            c => text.push(char::from(*c)),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Labels, lines, bytes.
    fn read(file: &[u8]) -> Vec<(String, usize, Option<Vec<u8>>)> {
        let block = |it: Block| (it.label.into(), it.line, it.der.map(|der| der.to_vec()));
        blocks(file).into_iter().map(block).collect()
    }

    #[test]
    fn blocks_are_found_in_any_encoding_and_surroundings() {
        const PEM: &str = "-----BEGIN CERTIFICATE-----\nMAAA\nAA==\n-----END CERTIFICATE-----\n";
        let block = |line| vec![("CERTIFICATE".to_owned(), line, Some(vec![0x30, 0, 0, 0]))];
        let utf16 =
            |unit: fn(u16) -> [u8; 2]| PEM.encode_utf16().flat_map(unit).collect::<Vec<_>>();
        let marked = |mark: &[u8], rest: &[u8]| [mark, rest].concat();
        for file in [
            PEM.as_bytes().to_vec(),
            marked(b"\xef\xbb\xbf", PEM.as_bytes()),
            marked(b"\xff\xfe", &utf16(u16::to_le_bytes)),
            marked(b"\xfe\xff", &utf16(u16::to_be_bytes)),
            utf16(u16::to_le_bytes),
            PEM.replace('\n', "\r\n").into_bytes(),
            PEM.replace('\n', "\r").into_bytes(),
            PEM.replace('\n', " \t\n").into_bytes(),
            PEM.replace('\n', "\n\n  ").trim_end().as_bytes().to_vec(),
        ] {
            let mut found = read(&file);
            found[0].1 = 1;
            assert_eq!(found, block(1), "{file:x?}");
        }
        let around = [b"Soci\xe9t\xe9: subject=CN\n\n  ".as_slice(), PEM.as_bytes(), b"\xff"];
        assert_eq!(read(&around.concat()), block(3));
    }

    #[test]
    fn damaged_blocks_have_no_bytes() {
        let text = "-----BEGIN A-----\nMAAA\n-----BEGIN B-----\nx: ENCRYPTED\n\nMAAA\n-----END B-----\n\
                    -----BEGIN C-----\n!\n-----END C-----\n-----BEGIN D-----\nMAAA\n-----END E-----\n\
                    -----BEGIN F-----\nMAAA";
        let whole: Vec<_> =
            read(text.as_bytes()).into_iter().map(|it| (it.0, it.2.is_some())).collect();
        let of = |label: &str| (label.to_owned(), label == "B");
        assert_eq!(whole, ["A", "B", "C", "D", "F"].map(of));
        assert!(blocks(text.as_bytes())[1].is_encrypted);
        assert!(blocks(b"no dashes").is_empty());
    }
}
