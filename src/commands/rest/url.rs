//! The URL of a request, by az's rules.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::Result;
use crate::foreign::Guid;
use crate::settings::{Cloud, Endpoint};
use crate::sys::EndpointUrl;

/// What is encoded in a URL.
const UNFIT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The same where a `%` begins no escape.
const UNFIT_AND_PERCENT: &AsciiSet = &UNFIT.add(b'%');

/// Python's `quote_plus`, with a blank still encoded.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~');

/// Encodes a name or a value of a query.
pub(super) fn quoted_plus(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string().replace("%20", "+")
}

/// The URL that `typed` means: a path of Azure Resource Manager if it has no scheme. Control
/// characters and white space around it are removed, a fragment too, and `.`, `..` and empty segments
/// of the path.
pub(super) fn normalized(typed: &str, cloud: &Cloud) -> Result<String> {
    // A path may have a URL in its query.
    let whole = if typed.contains("://") && !typed.starts_with('/') {
        typed.to_owned()
    } else {
        let base = cloud.endpoint(Endpoint::ResourceManager)?;
        format!("{}/{}", base.trim_end_matches('/'), typed.trim_start_matches('/'))
    };
    let visible: String = whole.chars().filter(|c| !c.is_ascii_control()).collect();
    let text = visible.trim();
    let text = text.split('#').next().unwrap_or(text);
    let Some((scheme, rest)) = text.split_once("://") else { return Ok(text.to_owned()) };
    let end = rest.find(['/', '?', '\\']).unwrap_or(rest.len());
    let (host, rest) = rest.split_at(end);
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (rest, String::new()),
    };
    // A backslash is the end of the host.
    let path = match path.strip_prefix('\\') {
        Some(rest) => format!("/{rest}"),
        None => path.to_owned(),
    };
    Ok(format!("{scheme}://{host}{}{query}", without_dots(&path)))
}

/// `path`, which begins with a slash or is empty, without `.`, `..` and empty segments.
fn without_dots(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let end = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    format!("/{}{end}", segments.join("/"))
}

/// Parses a URL of [`normalized`], with `query` added to its own.
///
/// # Errors
/// It is not a URL that azt sends anything to: without encryption to another machine, or with a user
/// name.
pub(super) fn parse(normalized: &str, query: Option<&str>) -> Result<EndpointUrl> {
    let mut text = utf8_percent_encode(normalized, UNFIT).to_string();
    if !escapes_are_whole(&text) {
        text = utf8_percent_encode(normalized, UNFIT_AND_PERCENT).to_string();
    }
    let what = "The URL of --url";
    // Services of this host, such as the metadata of a virtual machine, have no TLS.
    let url = EndpointUrl::parse_with_query(&text, what)
        .or_else(|error| EndpointUrl::parse_host_endpoint(&text, what).map_err(|_| error))?;
    Ok(match query {
        Some(query) => url.with_query(query),
        None => url,
    })
}

/// True if two digits follow each `%`.
fn escapes_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|part| {
        part.get(..2).is_some_and(|digits| digits.bytes().all(|c| c.is_ascii_hexdigit()))
    })
}

/// The id of the subscription in the path of a URL.
pub(super) fn subscription(url: &str) -> Option<&str> {
    const BEFORE: &str = "/subscriptions/";
    let lower = url.to_ascii_lowercase();
    lower.match_indices(BEFORE).find_map(|(at, _)| {
        let id = url.get(at + BEFORE.len()..)?.get(..36)?;
        id.contains('-').then(|| Guid::parse(id))?.map(|_| id)
    })
}

/// The first endpoint of `cloud`, by name, with the origin of `url`: the resource that az takes.
pub(super) fn endpoint<'c>(url: &EndpointUrl, cloud: &'c Cloud) -> Option<&'c str> {
    let mut all: Vec<(&str, &str)> = cloud.endpoints.iter_set().collect();
    all.sort_unstable();
    let mut values = all.into_iter().map(|(_, value)| value);
    values.find(|value| EndpointUrl::parse(value, "").is_ok_and(|own| own.same_origin(url)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_no_dots_and_no_empty_segments() {
        for (path, expected) in [
            ("", "/"),
            ("/", "/"),
            ("/a/b/../c", "/a/c"),
            ("//evil.example/leak", "/evil.example/leak"),
            ("/a//b/./", "/a/b/"),
            ("/../..", "/"),
        ] {
            assert_eq!(without_dots(path), expected, "{path}");
        }
    }

    #[test]
    fn a_url_is_encoded_once() {
        for (text, expected) in [
            (
                "https://a.example/x y?$filter=name eq 'z'",
                "https://a.example/x%20y?$filter=name%20eq%20%27z%27",
            ),
            ("https://a.example/x%20y", "https://a.example/x%20y"),
            ("https://a.example/100%/x", "https://a.example/100%25/x"),
            ("https://a.example/\u{fc}", "https://a.example/%C3%BC"),
        ] {
            assert_eq!(parse(text, None).unwrap().as_str(), expected, "{text}");
        }
        assert_eq!(
            parse("https://a.example/?x=1", Some("y=2")).unwrap().as_str(),
            "https://a.example/?x=1&y=2"
        );
        for text in
            ["http://a.example/", "https://user@a.example/", "ftp://a.example/", "a.example"]
        {
            assert!(parse(text, None).is_err(), "{text}");
        }
        assert!(
            parse("http://169.254.169.254/metadata/instance?api-version=2021-02-01", None).is_ok()
        );
    }

    #[test]
    fn the_subscription_of_a_url() {
        let id = "50000000-0000-4000-8000-000000000001";
        assert_eq!(subscription(&format!("https://a/Subscriptions/{id}/x")), Some(id));
        assert_eq!(subscription(&format!("https://a/subscriptions/{id}")), Some(id));
        assert_eq!(subscription("https://a/subscriptions/x/subscriptions"), None);
        assert_eq!(subscription("https://a/subscriptions"), None);
    }
}
