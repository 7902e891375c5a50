//! Hosts in the settings: `host.PATTERN.audience`, `.account` and `.tenant`.
//!
//! Only the file of the configuration folder is read: a variable or a file in the working directory
//! must not name a host that gets a token.

use crate::error::{Error, Kind, Result};
use crate::foreign::Typed;
use crate::settings::Config;
use crate::sys::EndpointUrl;

use super::matches;

/// The section of the settings.
pub(crate) const SECTION: &str = "host";

/// What the settings say of the hosts of one pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OwnHost {
    /// A host, or `*.` and the domain that it is below.
    pub(crate) pattern: String,
    /// The audience of its tokens, for a host that the table does not have.
    pub(crate) audience: Option<String>,
    /// The account to use there.
    pub(crate) account: Option<String>,
    /// The tenant of its tokens.
    pub(crate) tenant: Option<String>,
}

/// A member of a setting's name.
#[derive(Clone, Copy)]
enum Member {
    Audience,
    Account,
    Tenant,
}

impl OwnHost {
    /// Those of `config`, the closest pattern first: a host before a domain, a long domain before a
    /// short one.
    ///
    /// # Errors
    /// The file has an interpolation that cannot be resolved. Names that are no setting of a host are
    /// ignored: `doctor` and `config list` report them.
    pub(crate) fn all(config: &Config<'_>) -> Result<Vec<Self>> {
        let mut all: Vec<Self> = Vec::new();
        for (option, value) in config.items_of_files(SECTION)? {
            let Ok((pattern, member)) = parse(&option) else { continue };
            let at = all.iter().position(|it| it.pattern == pattern).unwrap_or_else(|| {
                all.push(Self { pattern: pattern.to_owned(), ..Self::default() });
                all.len() - 1
            });
            let Some(host) = all.get_mut(at) else { continue };
            let slot = match member {
                Member::Audience => &mut host.audience,
                Member::Account => &mut host.account,
                Member::Tenant => &mut host.tenant,
            };
            *slot = Some(value).filter(|value| !value.is_empty());
        }
        all.sort_by_key(|it| (it.pattern.starts_with('*'), usize::MAX - it.pattern.len()));
        Ok(all)
    }

    /// True if `url` leads to a host of the pattern, at port 443.
    pub(super) fn has(&self, url: &EndpointUrl) -> bool {
        // `environment` has the port if it is another one.
        url.environment() == url.host() && matches(&self.pattern, url.host())
    }
}

/// Fails if `host.OPTION` is no setting of a host. `None` for another section.
pub(crate) fn check(section: &str, option: &str) -> Option<Result<()>> {
    (section == SECTION).then(|| parse(option).map(drop))
}

/// The pattern and the member of `PATTERN.MEMBER`.
fn parse(option: &str) -> Result<(&str, Member)> {
    let flaw = |why: &str| {
        Error::new(Kind::Inapplicable, format!("{SECTION}.{} is no setting: {why}.", Typed(option)))
            .remedy("Such as: azt config set host.*.corp.example.audience=api://gateway")
    };
    let (pattern, member) = option.rsplit_once('.').ok_or_else(|| flaw("it names no host"))?;
    let member = match member {
        "audience" => Member::Audience,
        "account" => Member::Account,
        "tenant" => Member::Tenant,
        _ => return Err(flaw("it ends in none of .audience, .account and .tenant")),
    };
    let domain = pattern.strip_prefix("*.").unwrap_or(pattern);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
    };
    if !domain.split('.').all(is_label) || (pattern.starts_with('*') && !domain.contains('.')) {
        return Err(flaw("the pattern is not a host, or *. and a domain of two labels at least"));
    }
    Ok((pattern, member))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_hosts_or_domains() {
        for option in [
            "*.corp.example.audience",
            "git.corp.example.audience",
            "localhost.account",
            "dev.azure.com.tenant",
        ] {
            assert!(parse(option).is_ok(), "{option}");
        }
        for option in [
            "audience",
            ".audience",
            "*.audience",
            "*.com.audience",
            "a*.corp.example.audience",
            "*corp.example.audience",
            "corp..example.audience",
            "Corp.Example.audience",
            "corp.example/x.audience",
            "https://corp.example.audience",
            "corp.example:5000.audience",
            "corp.example.password",
        ] {
            assert!(parse(option).is_err(), "{option}");
        }
    }

    #[test]
    fn a_pattern_means_port_443() {
        let has = |pattern: &str, url: &str| {
            let host = OwnHost { pattern: pattern.to_owned(), ..OwnHost::default() };
            host.has(&EndpointUrl::parse(url, "").unwrap())
        };
        assert!(has("*.corp.example", "https://git.corp.example/x"));
        assert!(has("git.corp.example", "https://git.corp.example:443/"));
        assert!(!has("git.corp.example", "https://git.corp.example:8443/"));
        assert!(!has("*.corp.example", "https://corp.example/"));
        assert!(!has("*.corp.example", "https://corp.example.evil.example/"));
    }
}
