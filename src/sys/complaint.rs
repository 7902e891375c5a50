//! The error code and message in a service's response, in any of the common formats.

use serde_json::{Map, Value};

use super::http::Response;
use crate::foreign::{Name, Sentence};

/// Levels of nesting that are searched: `{"error": {"details": [{"message": …}]}}`.
const DEPTH: u32 = 4;

/// Characters to show of a page without title.
const PAGE: usize = 300;

/// Members that hold the code, in order of preference, in any letter case.
const CODES: [&str; 5] = ["code", "errorcode", "error_code", "typekey", "error"];
/// Members that hold the message, likewise.
const MESSAGES: [&str; 8] = [
    "error_description",
    "message",
    "error_message",
    "errormessage",
    "exceptionmessage",
    "detail",
    "title",
    "reason",
];
/// Members that hold a nested error, likewise.
const HOLDERS: [&str; 7] =
    ["error", "odata.error", "errors", "fault", "innererror", "details", "innerexception"];

/// The code and the message of an error response, if present.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// Such as `AuthorizationFailed`.
    pub(crate) code: Option<Name>,
    /// The message.
    pub(crate) message: Option<Sentence>,
}

impl Complaint {
    /// Returns the message, or else the code; `None` if there is neither.
    pub(crate) fn told(&self) -> Option<Sentence> {
        self.message.clone().or_else(|| self.code.as_deref().map(Sentence::new))
    }

    fn is_empty(&self) -> bool {
        self.code.is_none() && self.message.is_none()
    }
}

impl Response {
    /// Extracts the error: members of OAuth, Azure (flat or nested), OData or RFC 9457 problem
    /// details, else plain text or the title of a web page.
    pub(crate) fn complaint(&self) -> Complaint {
        if let Ok(value) = self.words::<Value>() {
            return in_value(&value, DEPTH);
        }
        let message = in_text(self.text(), |text| self.masked(text));
        Complaint { code: None, message }
    }
}

fn in_value(value: &Value, depth: u32) -> Complaint {
    match value {
        Value::String(text) => Complaint { code: None, message: sentence(text) },
        Value::Array(items) if depth > 0 => {
            let mut found = items.iter().map(|item| in_value(item, depth - 1));
            found.find(|it| !it.is_empty()).unwrap_or_default()
        }
        Value::Object(members) if depth > 0 => in_members(members, depth),
        _ => Complaint::default(),
    }
}

fn in_members(members: &Map<String, Value>, depth: u32) -> Complaint {
    let all = |wanted: &'static str| {
        members.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted)).map(|it| it.1)
    };
    let code = CODES.iter().find_map(|name| all(name).find_map(text));
    let code = code.map(|text| Name::new(&text)).filter(|code| !code.trim().is_empty());
    let message =
        MESSAGES.iter().find_map(|name| all(name).find_map(text).and_then(|it| sentence(&it)));
    if message.is_some() {
        return Complaint { code, message };
    }
    let within = HOLDERS.iter().flat_map(|name| all(name)).filter(|it| !it.is_string());
    let within = within.map(|it| in_value(it, depth - 1)).find(|it| !it.is_empty());
    let Complaint { code: inner, message } = within.unwrap_or_default();
    Complaint { code: code.or(inner), message }
}

/// Returns a string, a number as text, or the `value` of OData's `{"lang": …, "value": …}`.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(members) => members.get("value").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    }
}

fn sentence(text: &str) -> Option<Sentence> {
    Some(Sentence::new(text)).filter(|it| !it.is_empty())
}

/// Extracts the message of a body that is not JSON: a page's title or words, or the text itself.
/// `masked` masks secrets.
fn in_text(text: &str, masked: impl Fn(&str) -> String) -> Option<Sentence> {
    if is_binary(text) {
        return None;
    }
    let text = &masked(text);
    if !text.trim_ascii_start().starts_with('<') {
        return sentence(text);
    }
    let lower = text.to_ascii_lowercase();
    // Entities may hide a secret, so mask again after decoding.
    let words = |page: &str| masked(&unescaped(page));
    let title = between(text, &lower, "<title").and_then(|it| sentence(&words(it)));
    title.or_else(|| {
        let words = Sentence::new(&words(&without_tags(text, &lower)));
        sentence(&words.chars().take(PAGE).collect::<String>())
    })
}

/// True if the body was not text, for example because a gateway compressed it unasked: it has
/// control characters, or more than one character in eight could not be decoded.
fn is_binary(text: &str) -> bool {
    let is_of_text = |c: char| !c.is_control() || c.is_whitespace() || c == '\u{1b}';
    let unread = text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
    !text.chars().all(is_of_text) || unread * 8 > text.chars().count()
}

/// Returns the content of the first element that begins with `tag`. `lower` is `text` in lower
/// case.
fn between<'t>(text: &'t str, lower: &str, tag: &str) -> Option<&'t str> {
    let start = lower.find(tag)?;
    let start = start + lower.get(start..)?.find('>')? + 1;
    let end = start + lower.get(start..)?.find("</")?;
    text.get(start..end)
}

/// Returns a page's text with a space for each tag, without scripts, styles and comments.
fn without_tags(text: &str, lower: &str) -> String {
    let (mut words, mut at) = (String::new(), 0);
    while let Some(open) = lower.get(at..).and_then(|rest| rest.find('<')).map(|it| at + it) {
        words.push_str(text.get(at..open).unwrap_or_default());
        words.push(' ');
        let rest = lower.get(open..).unwrap_or_default();
        let end = ["<script", "<style", "<!--"].into_iter().zip(["</script", "</style", "-->"]);
        let hidden = end.into_iter().find(|(begin, _)| rest.starts_with(begin));
        // An unclosed element hides the rest of the page.
        let closed = hidden.map_or(Some(0), |(_, end)| rest.find(end));
        let Some(closed) = closed else { return words };
        let Some(close) = rest.get(closed..).and_then(|rest| rest.find('>')) else { return words };
        at = open + closed + close + 1;
    }
    words.push_str(text.get(at..).unwrap_or_default());
    words
}

fn unescaped(text: &str) -> String {
    let entities =
        [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'")];
    let text =
        entities.into_iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    text.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(body: &str) -> (String, String) {
        let Complaint { code, message } = Response::of(400, body).complaint();
        (code.map(String::from).unwrap_or_default(), message.map(String::from).unwrap_or_default())
    }

    #[test]
    fn errors_are_found_in_every_format() {
        for body in [
            r#"{"error":{"code":"C","message":"It is so."}}"#,
            r#"{"code":"C","message":"It is so."}"#,
            r#"{"Code":"C","Message":"It is so."}"#,
            r#"{"Error":{"Code":"C","Message":"It is so."}}"#,
            r#"{"odata.error":{"code":"C","message":{"lang":"en-US","value":"It is so."}}}"#,
            r#"{"error":{"code":"C","message":{"lang":"en-US","value":"It is so."}}}"#,
            r#"{"error":"C","error_description":"It is so.\r\n"}"#,
            r#"{"error":"C","message":"It is so."}"#,
            r#"{"errors":[null,{"code":"C","message":"It is so."}]}"#,
            r#"[{"error":{"code":"C","message":"It is so."}}]"#,
            r#"{"error":{"code":"C","message":null,"details":[{"code":"D","message":"It is so."}]}}"#,
            r#"{"error":{"code":"C","innererror":{"message":"It is so."}}}"#,
            r#"{"errorCode":"C","title":"It is so.","status":400}"#,
            r#"{"$id":"1","typeKey":"C","message":"It is so.","innerException":null}"#,
            r#"{"fault":{"code":"C","message":"It is so."}}"#,
        ] {
            assert_eq!(complaint(body), ("C".to_owned(), "It is so.".to_owned()), "{body}");
        }
        for body in [
            "It is so.",
            "\r\n It is\r\n so. ",
            r#""It is so.""#,
            r#"{"message":"It is so.","error":{"message":"other"}}"#,
            r#"["It is so."]"#,
            "<html><head><TITLE lang=en>It is so.</TITLE></head><body>more</body></html>",
            "<html><style>p{}</style><script>a<b</script><p>It is</p>so.</html>",
            "<?xml version='1.0'?><Error><Message>It is so.</Message></Error>",
        ] {
            assert_eq!(complaint(body), (String::new(), "It is so.".to_owned()), "{body}");
        }
        assert_eq!(complaint(r#"{"code":403,"message":"m"}"#), ("403".to_owned(), "m".to_owned()));
        let packed = "\u{1f}‹\u{8}\0\0KÎÏ+.)*ÍK.ÉÌÏ";
        let unread = "\u{fffd}\u{fffd} a b";
        for nothing in [
            "",
            " ",
            "null",
            "{}",
            "[]",
            "1",
            "true",
            r#"{"error":null}"#,
            "<",
            "<a",
            packed,
            unread,
        ] {
            let told = Response::of(400, nothing).complaint().told();
            assert_eq!(told, None, "{nothing}");
        }
        assert_eq!(complaint(&format!("<p>{}", "word ".repeat(9000))).1.chars().count(), PAGE - 1);
        let unclosed =
            |tag: &str| complaint(&format!("<p>so{}", tag.repeat((16 << 20) / tag.len())));
        for tag in ["<script>", "<style>", "<!--", "<title>", "<", "<a>", "&lt;script"] {
            assert!(unclosed(tag).1.starts_with("so"), "{tag}");
        }
        assert!(complaint(&"word ".repeat(9000)).1.len() < 5000);
    }
}
