//! Masks the secrets of a request in messages, because servers may echo them.

use hyper::body::Bytes;
use zeroize::Zeroizing;

use super::escape_xml;
use crate::foreign::visible;
use crate::secret::Secret;

/// The form parameters that messages may show. All others count as secrets.
const PUBLIC: [&str; 10] = [
    "grant_type",
    "client_id",
    "client_info",
    "client_assertion_type",
    "requested_token_use",
    "scope",
    "claims",
    "username",
    "resource",
    "redirect_uri",
];

/// Bytes of the shortest secret to mask. Shorter ones occur by chance in any text.
const LEAST: usize = 4;

/// Bytes of the shortest text that counts as a token if it begins with `eyJ`, the base64 of `{"`.
const LEAST_TOKEN: usize = 20;

/// Bytes of a text to keep. Messages are far shorter.
const MOST: usize = 64 << 10;

/// The secrets of a request.
#[derive(Default)]
pub(super) struct Sent {
    /// Shares the request's form instead of copying it; the last owner wipes it.
    pub(super) form: Bytes,
    pub(super) headers: Vec<Secret>,
    /// The secret within a body that is no form.
    pub(super) in_body: Option<Secret>,
}

impl Sent {
    /// Returns the first 64 KiB of `text` with `***` for each secret of the request, also if it is
    /// escaped as in a form or JSON, and for each token of any origin.
    pub(super) fn masked(&self, text: &str) -> String {
        let secrets = self.secrets();
        // Hidden characters go first. Removing them later would put a secret together again.
        let text: String =
            visible(text.get(..text.floor_char_boundary(MOST)).unwrap_or_default()).collect();
        let mut rest = text.as_str();
        let mut clean = String::with_capacity(rest.len());
        while let Some(c) = rest.chars().next() {
            let echoes = secrets.iter().flat_map(|secret| {
                [false, true].map(|is_encoded| echo(rest.as_bytes(), secret, is_encoded))
            });
            let length = echoes.flatten().max().or_else(|| token(rest));
            match length {
                Some(_) => clean.push_str("***"),
                None => clean.push(c),
            }
            rest = rest.get(length.unwrap_or_else(|| c.len_utf8())..).unwrap_or_default();
        }
        clean
    }

    fn secrets(&self) -> Vec<Zeroizing<Vec<u8>>> {
        let form = str::from_utf8(&self.form).unwrap_or_default();
        let fields = form.split('&').filter_map(|pair| pair.split_once('='));
        let fields = fields.filter(|(name, _)| !PUBLIC.contains(name)).map(|it| decoded(it.1));
        // `Authorization` has a scheme before the secret.
        let bare = |secret: &Secret| {
            secret.expose().rsplit(' ').next().unwrap_or_default().as_bytes().to_vec()
        };
        let headers = self.headers.iter().map(|secret| Zeroizing::new(bare(secret)));
        let in_body =
            self.in_body.iter().flat_map(|it| [it.expose().as_bytes().to_vec(), in_xml(it)]);
        let in_body = in_body.map(Zeroizing::new);
        fields
            .chain(headers)
            .chain(in_body)
            .map(shown)
            .filter(|secret| secret.len() >= LEAST)
            .collect()
    }
}

/// Returns `secret` as an XML document spells it.
fn in_xml(secret: &Secret) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(secret.expose().len() * 6);
    escape_xml(secret.expose(), &mut |part| escaped.extend_from_slice(part.as_bytes()));
    escaped
}

/// Returns `secret` as a text shows it: without hidden characters.
fn shown(secret: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    match str::from_utf8(&secret) {
        Ok(text) if visible(text).count() < text.chars().count() => {
            let shown: Zeroizing<String> = Zeroizing::new(visible(text).collect());
            Zeroizing::new(shown.as_bytes().to_vec())
        }
        _ => secret,
    }
}

/// Decodes a form value.
fn decoded(value: &str) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(value.len()));
    let mut rest = value.as_bytes();
    while let Some(first) = rest.first() {
        let (byte, length) = match first {
            b'+' => (b' ', 1),
            b'%' => escaped(rest).map_or((b'%', 1), |byte| (byte, 3)),
            byte => (*byte, 1),
        };
        bytes.push(byte);
        rest = rest.get(length..).unwrap_or_default();
    }
    bytes
}

/// Decodes `%XX` at the start of `text`.
fn escaped(text: &[u8]) -> Option<u8> {
    let digits = text.strip_prefix(b"%")?.get(..2)?;
    u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

/// Returns the number of bytes at the start of `text` that spell `secret`, or a prefix of `secret`
/// (at least [`LEAST`] bytes) at which `text` ends. If `is_encoded`, `%XX` stands for a byte.
fn echo(text: &[u8], secret: &[u8], is_encoded: bool) -> Option<usize> {
    let mut rest = text;
    for (count, byte) in secret.iter().enumerate() {
        if count > 0 && !is_line_end_byte(*byte) {
            rest = without_line_ends(rest);
        }
        let length = match rest {
            [] if count >= LEAST => return Some(text.len()),
            [b'%', ..] if is_encoded && escaped(rest) == Some(*byte) => 3,
            [first, ..] if first == byte => 1,
            [b'+', ..] if *byte == b' ' => 1,
            [b'\\', second, ..] if second == byte => 2,
            _ => return None,
        };
        rest = rest.get(length..)?;
    }
    Some(text.len() - rest.len())
}

fn is_line_end_byte(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// Removes the line ends at the start of `text`; messages show them as a space.
fn without_line_ends(text: &[u8]) -> &[u8] {
    let mut rest = text;
    while let [b'\r' | b'\n' | 0xb | 0xc, after @ ..]
    | [0xc2, 0x85, after @ ..]
    | [0xe2, 0x80, 0xa8 | 0xa9, after @ ..] = rest
    {
        rest = after;
    }
    rest
}

/// Returns the number of bytes at the start of `text` that are a JWT (RFC 7519), whole or
/// truncated.
fn token(text: &str) -> Option<usize> {
    let is_of_one = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let length = text.find(|c| !is_of_one(c)).unwrap_or(text.len());
    (text.starts_with("eyJ") && length >= LEAST_TOKEN).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_in_every_encoding() {
        let form = "client_id=app-id&scope=s&client_secret=a%7Eb+%22c%2F%C3%A9&password=hunter22&code=50%2525";
        let headers = vec![Secret::new("Bearer opaque-token"), Secret::new("abc")];
        let sent = Sent {
            form: Bytes::from_static(form.as_bytes()),
            headers,
            in_body: Some(Secret::new("<in body>")),
        };
        for (text, clean) in [
            (form, "client_id=app-id&scope=s&client_secret=***&password=***&code=***"),
            ("a~b \"c/é.", "***."),
            ("a%7eb%20%22c%2f%c3%a9.", "***."),
            (r#"a~b \"c\/é."#, "***."),
            ("for a~b \"c/", "for ***"),
            ("50%25, 50%2525.", "***, ***."),
            ("a~b \"d", "a~b \"d"),
            ("hunter22hunter22, hunter2.", "******, hunter2."),
            ("Authorization: Bearer opaque-token", "Authorization: Bearer ***"),
            ("was <in body>, no", "was ***, no"),
            ("of eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c_-2, an", "of ***, an"),
            ("eyJhbGciOiJub25lIn0eyJhIj", "***"),
            ("abc eyJ eyJh %zz é", "abc eyJ eyJh %zz é"),
            ("h\u{200b}unter\u{1b}22, hun\r\nter\u{2028}22.", "***, ***."),
            ("hun\nted, hunter\n3", "hun\nted, hunter\n3"),
        ] {
            assert_eq!(sent.masked(text), clean, "{text}");
        }
        assert_eq!(sent.masked(&"é".repeat(MOST)).len(), MOST);
        assert_eq!(Sent::default().masked(""), "");
    }
}
