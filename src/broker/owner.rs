//! The owner of a token, as the `account` field of a record encodes it.

use std::borrow::Cow;

/// The owner of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner<'a> {
    /// A user, or a user-assigned identity, by the name in the profile.
    User(&'a str),
    /// The application itself; the record's client id says which.
    Application,
    /// An application whose credential, with this fingerprint, is in the environment.
    Environment(&'a str),
    /// The system-assigned identity of one host. The host is part of it, because folders are shared
    /// and disks are copied between hosts.
    Host { host: Cow<'a, str>, name: &'a str },
    /// A user of another client than az's, which the record's client id names. The id is part of it,
    /// because two users may have the same name there.
    OfClient { home_account_id: &'a str, name: &'a str },
    /// The user of a user assertion with this fingerprint, for the application `of`.
    OnBehalfOf { assertion: Cow<'a, str>, of: Box<Owner<'a>> },
}

impl<'a> Owner<'a> {
    /// Parses [`Owner::text`]. Text in no known form is a user name.
    pub(crate) fn parse(text: &'a str) -> Self {
        let form = text.split_once(':');
        match form.map(|(form, rest)| (form, rest, rest.split_once(':'))) {
            Some(("env", fingerprint, _)) => Self::Environment(fingerprint),
            Some(("host", _, Some((host, name)))) => Self::Host { host: host.into(), name },
            Some(("client", _, Some((home_account_id, name)))) => {
                Self::OfClient { home_account_id, name }
            }
            Some(("obo", _, Some((assertion, of)))) => {
                Self::OnBehalfOf { assertion: assertion.into(), of: Box::new(Self::parse(of)) }
            }
            _ if text.is_empty() => Self::Application,
            _ => Self::User(text),
        }
    }

    /// The text in a record. Do not change the forms: other versions of azt read them.
    pub(crate) fn text(&self) -> Cow<'a, str> {
        match self {
            Self::User(name) => Cow::Borrowed(name),
            Self::Application => Cow::Borrowed(""),
            Self::Environment(fingerprint) => format!("env:{fingerprint}").into(),
            Self::Host { host, name } => format!("host:{host}:{name}").into(),
            Self::OfClient { home_account_id, name } => {
                format!("client:{home_account_id}:{name}").into()
            }
            Self::OnBehalfOf { assertion, of } => format!("obo:{assertion}:{}", of.text()).into(),
        }
    }

    /// True if signing out `name`, a user name or client id, removes the token that this owner got
    /// as the client `client_id`. All three are lower-case.
    pub(crate) fn belongs_to(&self, name: &str, client_id: &str) -> bool {
        match self {
            Self::User(own) | Self::Host { name: own, .. } | Self::OfClient { name: own, .. } => {
                *own == name
            }
            Self::Application | Self::Environment(_) => client_id == name,
            Self::OnBehalfOf { of, .. } => of.belongs_to(name, client_id),
        }
    }
}

/// The user's name, if `account` of an access token is that of a client other than az's; else
/// `account` itself.
pub(crate) fn name_of_owner(account: &str) -> &str {
    match Owner::parse(account) {
        Owner::OfClient { name, .. } => name,
        _ => account,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_as_it_was_written() {
        for text in [
            "",
            "ann@contoso.example",
            "env:ab12",
            "host:vm-1:systemassignedidentity",
            "client:u.t:ann@contoso.example",
        ] {
            for text in [text.to_owned(), format!("obo:cd34:{text}")] {
                assert_eq!(Owner::parse(&text).text(), text);
            }
        }
        assert_eq!(Owner::parse(""), Owner::Application);
        assert_eq!(Owner::parse("env:ab12"), Owner::Environment("ab12"));
        let host = Owner::Host { host: "vm-1".into(), name: "n" };
        assert_eq!(Owner::parse("host:vm-1:n"), host);
        assert_eq!(Owner::parse("host:n"), Owner::User("host:n"));
    }

    #[test]
    fn a_sign_out_removes_the_accounts_tokens() {
        for (owner, client_id, name, is_theirs) in [
            ("ann", "az", "ann", true),
            ("ann", "az", "az", false),
            ("ann", "az", "anna", false),
            ("xann", "az", "ann", false),
            ("", "app", "app", true),
            ("", "other", "app", false),
            ("env:ab", "app", "app", true),
            ("env:ab", "app", "ab", false),
            ("host:vm:systemassignedidentity", "", "systemassignedidentity", true),
            ("client:u.t:ann", "own", "ann", true),
            ("client:u.t:ann", "own", "own", false),
            ("obo:ab:", "app", "app", true),
            ("obo:ab:env:cd", "app", "app", true),
            ("obo:ab:", "app", "ann", false),
        ] {
            assert_eq!(
                Owner::parse(owner).belongs_to(name, client_id),
                is_theirs,
                "{owner} {name}"
            );
        }
    }
}
