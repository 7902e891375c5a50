//! `accessTokens.json`, the ADAL cache of az before 2.30 and of the older Node CLI.
//!
//! A JSON array of user rows, one per resource with copies of the same refresh tokens, and of
//! application rows. Variants: a byte order mark; bytes after the array (writers took no lock);
//! Python's local times with and without a fraction, Node's in UTC; members of unexpected types.

use std::path::PathBuf;

use serde_json::Value;

use super::application::{Application, Credential, Source, id_of};
use super::az_files::text;
use crate::error::Result;
use crate::foreign::Name;
use crate::secret::Secret;
use crate::settings::ConfigDir;
use crate::sys::{System, decoded, file};

pub(super) const FILE: &str = "accessTokens.json";
/// Overrides the path of the file.
const VARIABLE: &str = "AZURE_ACCESS_TOKEN_FILE";

/// The usable content of the file.
#[derive(Debug, Default)]
pub struct AdalFile {
    /// Users, one entry per user and client.
    pub(crate) users: Vec<AdalUser>,
    /// Applications with their secret or the name of a certificate.
    pub applications: Vec<Application>,
}

/// A user with refresh tokens that may still be valid.
#[derive(Debug)]
pub(crate) struct AdalUser {
    /// The user name, as the file spells it.
    pub(crate) user_id: String,
    /// The client that the refresh tokens were issued to.
    pub(crate) client_id: String,
    /// The distinct refresh tokens, ordered by the expiry of their rows, latest first.
    pub(crate) grants: Vec<AdalGrant>,
}

/// A refresh token with its origin.
#[derive(Debug)]
pub(crate) struct AdalGrant {
    /// The refresh token.
    pub(crate) refresh_token: Secret,
    /// `https://login.microsoftonline.com/<tenant or common>`.
    pub(crate) authority: String,
    /// The resource of the row.
    pub(crate) resource: String,
}

impl AdalFile {
    /// The path of the file: `AZURE_ACCESS_TOKEN_FILE`, else in the configuration folder `dir`.
    pub(crate) fn path(system: &System, dir: &ConfigDir) -> PathBuf {
        system.env.path(VARIABLE).unwrap_or_else(|| dir.file(FILE))
    }

    /// True when the file exists.
    pub(crate) fn exists(system: &System, dir: &ConfigDir) -> bool {
        match system.env.path(VARIABLE) {
            Some(named) => named.exists(),
            None => dir.folder().stamp(FILE).is_some(),
        }
    }

    /// Removes the file.
    pub(crate) fn remove(system: &System, dir: &ConfigDir) -> Result<bool> {
        match system.env.path(VARIABLE) {
            Some(named) => file::remove(&named),
            None => dir.folder().remove(FILE),
        }
    }

    /// Reads the file; `None` when it does not exist or does not begin with a JSON array.
    pub(crate) fn read(system: &System, dir: &ConfigDir) -> Result<Option<Self>> {
        let bytes = match system.env.path(VARIABLE) {
            Some(named) => {
                file::read(&named).map_err(|error| file::cannot("read", &named, error))?
            }
            None => dir.folder().read(FILE)?,
        };
        let bytes = bytes.map(zeroize::Zeroizing::new);
        Ok(bytes.and_then(|bytes| Self::parse(&bytes)))
    }

    /// Parses the file's `bytes`; `None` when they do not begin with a JSON array.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let json = decoded(bytes)?;
        // Only the first value counts: a shorter rewrite may have left old bytes after it.
        let mut values = serde_json::Deserializer::from_str(&json).into_iter::<Value>();
        let Value::Array(mut rows) = values.next()?.ok()? else { return None };
        rows.sort_by_key(|row| std::cmp::Reverse(when(text(row, "expiresOn"))));
        let mut found = Self::default();
        for row in &rows {
            found.add(row);
        }
        Some(found)
    }

    fn add(&mut self, row: &Value) {
        let named = ["userId", "servicePrincipalId", "servicePrincipalTenant"];
        // These names appear in messages, so rows with an invalid name are skipped.
        if !named.into_iter().all(|name| Name::is_clean(text(row, name))) {
            return;
        }
        let (user_id, token) = (text(row, "userId"), text(row, "refreshToken"));
        if !user_id.is_empty() && !token.is_empty() {
            let client_id = text(row, "_clientId");
            let grant = AdalGrant {
                refresh_token: Secret::new(token),
                authority: text(row, "_authority").to_owned(),
                resource: text(row, "resource").to_owned(),
            };
            let same = |user: &&mut AdalUser| {
                user.user_id.to_lowercase() == user_id.to_lowercase()
                    && user.client_id.eq_ignore_ascii_case(client_id)
            };
            match self.users.iter_mut().find(same) {
                Some(user) => {
                    if user.grants.iter().all(|it| it.refresh_token != grant.refresh_token) {
                        user.grants.push(grant);
                    }
                }
                None => self.users.push(AdalUser {
                    user_id: user_id.to_owned(),
                    client_id: client_id.to_owned(),
                    grants: vec![grant],
                }),
            }
        }
        let (secret, certificate) = (text(row, "accessToken"), text(row, "certificateFile"));
        let credential = match (secret, certificate) {
            ("", "") => return,
            (secret, "") => Credential::Secret(Secret::new(secret)),
            (_, path) => Credential::Source(Source::Certificate {
                path: path.to_owned(),
                password: None,
                use_cert_sn_issuer: false,
            }),
        };
        if let (Some(client_id), Some(tenant)) =
            (id_of(text(row, "servicePrincipalId")), id_of(text(row, "servicePrincipalTenant")))
        {
            let environment = None;
            self.applications.push(Application { client_id, tenant, environment, credential });
        }
    }
}

/// A sort key for times of both formats: `2021-04-19 12:34:56.123456`, `2021-04-19T12:34:56.123Z`.
/// Time zones are ignored: they differ by hours, the relevant tokens by months.
fn when(text: &str) -> String {
    text.replace('T', " ").chars().take("2021-04-19 12:34:56".len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(user: &str, token: &str, expires_on: &str) -> String {
        format!(
            r#"{{"tokenType": "Bearer", "expiresIn": "3599", "expiresOn": "{expires_on}", "resource": "https://management.core.windows.net/", "accessToken": "a", "refreshToken": "{token}", "isMRRT": true, "userId": "{user}", "_clientId": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "_authority": "https://login.microsoftonline.com/common", "familyName": 7}}"#
        )
    }

    #[test]
    fn every_variant_is_read_newest_first() {
        let rows = [
            row("Ann@contoso.example", "old", "2021-04-19 12:34:56"),
            row("ann@contoso.example", "newest", "2021-06-01T08:00:00.123Z"),
            row("ann@contoso.example", "middle", "2021-05-01 08:00:00.123456"),
            row("ann@contoso.example", "newest", "2021-01-01 00:00:00"),
            r#"{"servicePrincipalId": "app", "servicePrincipalTenant": "t", "accessToken": "the secret"}"#.to_owned(),
            r#"{"servicePrincipalId": "cert", "servicePrincipalTenant": "t", "certificateFile": "/a.pem", "thumbprint": "AA:BB"}"#.to_owned(),
            r#"{"servicePrincipalId": "none", "servicePrincipalTenant": "t"}"#.to_owned(),
            "null".to_owned(),
            r#""text""#.to_owned(),
        ];
        let text = format!("\u{feff}[{}]}}]\n garbage", rows.join(", "));
        let file = AdalFile::parse(text.as_bytes()).unwrap();
        assert_eq!(file.users.len(), 1);
        let tokens: Vec<&str> =
            file.users[0].grants.iter().map(|grant| grant.refresh_token.expose()).collect();
        assert_eq!(tokens, ["newest", "middle", "old"]);
        assert_eq!(file.applications.len(), 2);
        let secret = Credential::Secret(Secret::new("the secret"));
        assert_eq!(file.applications[0].credential, secret);
        assert_eq!(
            file.applications[1].source().unwrap().to_string(),
            r#"the certificate "/a.pem""#
        );
    }

    #[test]
    fn a_text_that_is_no_array_is_rejected() {
        for text in ["", "{}", "[", "\u{feff}", "null", "[[]", "not json"] {
            assert!(AdalFile::parse(text.as_bytes()).is_none(), "{text}");
        }
        assert!(AdalFile::parse(b"[]").unwrap().users.is_empty());
    }
}
