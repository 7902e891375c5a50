//! XML documents of other services.

use std::collections::BTreeSet;

use roxmltree::{Document, ParsingOptions};
use zeroize::Zeroizing;

/// Most elements, texts and comments of a document. The metadata of a federation server has a few
/// thousand.
const MOST_NODES: u32 = 100_000;

/// Most attributes of a document. The parser compares each with all others of its element.
const MOST_ATTRIBUTES: usize = 10_000;

/// Most namespace declarations of a document.
const MOST_DECLARATIONS: usize = 1000;

/// Most different prefixes of a document; AD FS uses some twenty. At each element that declares
/// one, the parser compares every two of those in scope: [`MOST_DECLARATIONS`] times the square of
/// this is what it may do.
const MOST_PREFIXES: usize = 128;

/// Parses `text`. A document type definition is an error: it could define entities, which expand to
/// any size, or name files and addresses.
///
/// # Errors
/// Why `text` is not such a document; it quotes names from `text`.
pub(super) fn parse(text: &str) -> Result<Document<'_>, String> {
    let count = |word: &str| text.matches(word).count();
    if count("=") > MOST_ATTRIBUTES {
        return Err("it has too many attributes".to_owned());
    }
    if count(DECLARES) > MOST_DECLARATIONS || prefixes(text).len() > MOST_PREFIXES {
        return Err("it declares too many namespaces".to_owned());
    }
    let options =
        ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, entity_resolver: None };
    Document::parse_with_options(text, options).map_err(|error| error.to_string())
}

/// What declarations of namespaces begin with.
const DECLARES: &str = "xmlns";

/// The prefixes that `text` declares, and what else looks like one.
fn prefixes(text: &str) -> BTreeSet<&str> {
    let declarations = text.split(DECLARES).skip(1);
    declarations.filter_map(|it| it.split(|c: char| c == '=' || c.is_whitespace()).next()).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// `count` nested elements, of which each declares one of `prefixes` prefixes.
    fn nested(count: usize, prefixes: usize) -> String {
        let open = (0..count).map(|at| format!("<a xmlns:p{}='x'>", at % prefixes));
        open.chain((0..count).map(|_| "</a>".to_owned())).collect()
    }

    /// The comparisons of the parser: at each element that declares a prefix, of each prefix in
    /// scope with those before it.
    fn steps(document: &Document<'_>) -> usize {
        document.descendants().map(|it| it.namespaces().len().pow(2)).sum()
    }

    #[test]
    fn nested_namespaces_cost_little() {
        let text = nested(MOST_DECLARATIONS, MOST_PREFIXES);
        let document = parse(&text).unwrap();
        assert!(steps(&document) <= MOST_DECLARATIONS * MOST_PREFIXES.pow(2));
        for (count, prefixes) in [
            (MOST_DECLARATIONS, MOST_DECLARATIONS),
            (MOST_PREFIXES + 1, MOST_PREFIXES + 1),
            (MOST_DECLARATIONS + 1, 1),
        ] {
            let refused = parse(&nested(count, prefixes)).unwrap_err();
            assert_eq!(refused, "it declares too many namespaces", "{count} {prefixes}");
        }
    }

    #[test]
    fn no_declaration_is_overlooked() {
        for text in ["<a xmlns:b='x' xmlns='y'/>", "<a\txmlns:b\n=\n'x' xmlns\t= 'y'/>"] {
            assert!(parse(text).is_ok());
            assert_eq!(prefixes(text), BTreeSet::from(["", ":b"]));
        }
    }
}
