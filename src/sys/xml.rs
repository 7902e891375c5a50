//! XML documents of other services.

use roxmltree::{Document, ParsingOptions};
use zeroize::Zeroizing;

/// Most elements, texts and comments of a document. The metadata of a federation server has a few
/// thousand.
const MOST_NODES: u32 = 100_000;

/// Most attributes of a document. The parser compares each with all others of its element.
const MOST_ATTRIBUTES: usize = 10_000;

/// Most namespace declarations of a document. The parser's time grows with their third power if
/// they are nested.
const MOST_NAMESPACES: usize = 1000;

/// Parses `text`. A document type definition is an error: it could define entities, which expand to
/// any size, or name files and addresses.
///
/// # Errors
/// Why `text` is not such a document; it quotes names from `text`.
pub(super) fn parse(text: &str) -> Result<Document<'_>, String> {
    let count = |word: &str| text.matches(word).count();
    if count("=") > MOST_ATTRIBUTES || count("xmlns") > MOST_NAMESPACES {
        return Err("it has too many attributes".to_owned());
    }
    let options =
        ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, entity_resolver: None };
    Document::parse_with_options(text, options).map_err(|error| error.to_string())
}

/// True if `text` begins as a web page does.
pub(super) fn is_web_page(text: &str) -> bool {
    let begins =
        |word: &str| text.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word));
    begins("<!doctype html") || begins("<html")
}

/// Gives `text` to `put` with references for the characters that have a meaning in XML, character
/// by character, so that no copy of a secret stays in memory. XML allows no other control characters
/// than the three here, not even as references; they are left out.
pub(crate) fn escape_xml(text: &str, put: &mut impl FnMut(&str)) {
    let mut buffer = Zeroizing::new([0; 4]);
    for c in text.chars() {
        put(match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&apos;",
            '\t' => "&#9;",
            '\n' => "&#10;",
            '\r' => "&#13;",
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => "",
            c => c.encode_utf8(&mut *buffer),
        });
    }
}
