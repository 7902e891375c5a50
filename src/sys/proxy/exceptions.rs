//! The hosts that bypass the proxy: `NO_PROXY`.

use std::net::IpAddr;

use ipnet::IpNet;

use super::super::endpoint_url::EndpointUrl;
use super::super::env::Env;

/// Returns the entry of `NO_PROXY` that matches `url`, for messages: `NO_PROXY has .example`.
///
/// The lower-case spelling comes first; the first list that is not empty counts. An entry is a
/// host, an address or a network, each with an optional port, as in az. A host also matches its
/// subdomains by curl's rule (whole labels, with or without leading dots). A list of `*` alone
/// matches every host.
pub(super) fn exception_for(url: &EndpointUrl, env: &Env) -> Option<String> {
    let spellings = env.spellings("no_proxy");
    let (variable, list) = spellings.iter().find(|(_, list)| !list.trim().is_empty())?;
    let is_separator = |c: char| c == ',' || c.is_whitespace();
    let mut entries = list.split(is_separator).filter(|entry| !entry.is_empty());
    let port = url.url().port_or_known_default();
    let entry = if list.trim() == "*" {
        "*"
    } else {
        entries.find(|entry| is_match(url.host(), port, entry))?
    };
    Some(format!("{variable} has {entry}"))
}

/// True if `entry` matches `host` at `port`.
fn is_match(host: &str, port: Option<u16>, entry: &str) -> bool {
    let entry = match entry.rsplit_once(':') {
        // An IPv6 address without brackets: the colons belong to it, not to a port.
        Some((name, _)) if name.contains(':') && !name.ends_with(']') => entry,
        Some((name, of)) if of.parse().ok() == port => name,
        Some(_) if !entry.ends_with(']') => return false,
        _ => entry,
    };
    let bare = |text: &str| text.trim_matches(['[', ']']).to_owned();
    if let Ok(address) = bare(host).parse::<IpAddr>() {
        let entry = bare(entry);
        return entry.parse().is_ok_and(|it: IpAddr| it == address)
            || entry.parse().is_ok_and(|it: IpNet| it.contains(&address));
    }
    let name = entry.trim_start_matches('.').trim_end_matches('.').to_ascii_lowercase();
    let above = host.strip_suffix(name.as_str()).filter(|_| !name.is_empty());
    above.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_match_as_in_az_and_curl() {
        for (list, host, is_out) in [
            ("login.example", "login.example", true),
            ("LOGIN.Example", "login.example", true),
            ("example", "login.example", true),
            (".example", "login.example", true),
            ("..example", "login.example", true),
            (".login.example", "login.example", true),
            ("login.example.", "login.example", true),
            ("ogin.example", "login.example", false),
            ("login.example", "example", false),
            ("login.example.org", "login.example", false),
            ("a.example,login.example", "login.example", true),
            (" a.example , login.example\r\n", "login.example", true),
            ("a.example login.example", "login.example", true),
            ("a.example;login.example", "login.example", false),
            ("*", "login.example", true),
            (" * ", "login.example", true),
            ("*,a.example", "login.example", false),
            ("*.example", "login.example", false),
            ("", "login.example", false),
            (",., ,", "login.example", false),
            ("login.example:443", "login.example", true),
            ("login.example:8443", "login.example", false),
            ("login.example:8443", "login.example:8443", true),
            (".example:8443", "login.example:8443", true),
            ("login.example", "login.example:8443", true),
            ("login.example:x", "login.example", false),
            ("login.example:", "login.example", false),
            ("https://login.example", "login.example", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1:8443", "10.0.0.1:8443", true),
            ("10.0.0.1:8443", "10.0.0.1", false),
            ("0.0.1", "10.0.0.1", false),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.1.2.3/8", "10.0.0.9", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/33", "10.0.0.1", false),
            ("0.0.0.0/0", "login.example", false),
            ("2001:db8::1", "[2001:db8::1]", true),
            ("[2001:db8::1]", "[2001:db8::1]", true),
            ("2001:DB8:0::1", "[2001:db8::1]", true),
            ("[2001:db8::1]:8443", "[2001:db8::1]:8443", true),
            ("[2001:db8::1]:8443", "[2001:db8::1]", false),
            ("2001:db8::/32", "[2001:db8::1]", true),
            ("[2001:db8::]/32", "[2001:db8::1]", false),
            ("2001:db9::/32", "[2001:db8::1]", false),
            ("::/0", "10.0.0.1", false),
        ] {
            let url = EndpointUrl::parse(&format!("https://{host}"), "").unwrap();
            let found = exception_for(&url, &Env::fixed([("NO_PROXY", list)]));
            assert_eq!(found.is_some(), is_out, "{list:?} and {host}: {found:?}");
        }
    }

    #[test]
    fn the_first_list_that_is_not_empty_counts() {
        let url = EndpointUrl::parse("https://login.example", "").unwrap();
        let found = |vars: &[(&str, &str)]| exception_for(&url, &Env::fixed(vars.iter().copied()));
        let list = ("NO_PROXY", "a.example,.example");
        assert_eq!(found(&[list, ("no_proxy", "a.example")]), None);
        let said = Some("NO_PROXY has .example".to_owned());
        assert_eq!(found(&[list, ("no_proxy", "")]), said);
        assert_eq!(found(&[list, ("no_proxy", " \n")]), said);
        let said = Some("No_Proxy has example".to_owned());
        assert_eq!(found(&[("No_Proxy", "example")]), said);
    }
}
