//! Applications in the files of other programs.
//!
//! An application in a file usually carries a secret or an assertion. It may instead name a source:
//! a file to read and send, or a command to run. Following a source from an untrusted file would
//! let data act as code, so it is a separate type, [`Source`], used only after the user agrees.

use std::fmt;

use serde_json::Value;

use super::az_files::text;
use crate::foreign::is_true;
use crate::program::Program;
use crate::secret::Secret;
use crate::shell::{quoted, shown};
use crate::sys::EndpointUrl;
use crate::vault::{AssertionSource, ServicePrincipal};

/// An application with one credential.
#[derive(Clone, Debug, PartialEq)]
pub struct Application {
    /// Client id.
    pub client_id: String,
    /// Tenant of the application.
    pub tenant: String,
    /// The login host that the credential is for; `None` when the file does not name it.
    pub environment: Option<String>,
    /// The credential.
    pub(crate) credential: Credential,
}

/// The credential of an application in a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Credential {
    /// A client secret.
    Secret(Secret),
    /// A signed assertion.
    Assertion(Secret),
    /// The source of a credential.
    Source(Source),
}

/// A source of credentials, named in a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    /// A file with a certificate and its key.
    Certificate {
        /// Path of the file.
        path: String,
        /// Password of the certificate file.
        password: Option<Secret>,
        /// Whether the certificate is sent, for subject name and issuer authentication.
        use_cert_sn_issuer: bool,
    },
    /// The source of federated tokens.
    Assertions(AssertionSource),
}

impl Application {
    /// Parses a row of az's list or of an export; `None` when it is incomplete.
    pub(super) fn of_row(row: &Value) -> Option<Self> {
        let secret = |name: &str| secret(row, name);
        let certificate = || {
            Some(Source::Certificate {
                path: given(row, "certificate")?.to_owned(),
                password: secret("certificate_password"),
                use_cert_sn_issuer: row.get("use_cert_sn_issuer").is_some_and(is_true),
            })
        };
        let source = || certificate().or_else(|| assertions(row).map(Source::Assertions));
        let credential = secret("client_secret")
            .map(Credential::Secret)
            .or_else(|| source().map(Credential::Source))
            .or_else(|| secret("client_assertion").map(Credential::Assertion))?;
        let environment = match row.get("environment") {
            None | Some(Value::Null) => None,
            Some(_) => Some(host_of(text(row, "environment"))?),
        };
        Some(Self {
            client_id: id_of(text(row, "client_id"))?,
            tenant: id_of(text(row, "tenant"))?,
            environment,
            credential,
        })
    }

    /// The source of the credential; `None` when the file contains the credential itself.
    pub(crate) fn source(&self) -> Option<&Source> {
        match &self.credential {
            Credential::Source(source) => Some(source),
            Credential::Secret(_) | Credential::Assertion(_) => None,
        }
    }

    /// The vault record for the login host `environment`; `None` when the credential is a source.
    pub(crate) fn record(&self, environment: &str) -> Option<ServicePrincipal> {
        self.source().is_none().then(|| self.record_with_source(environment))
    }

    /// The vault record even when the credential is a source. Only for sources that the user agreed
    /// to.
    pub(super) fn record_with_source(&self, environment: &str) -> ServicePrincipal {
        let mut record =
            ServicePrincipal::without_credential(environment, &self.client_id, &self.tenant);
        match self.credential.clone() {
            Credential::Secret(secret) => record.client_secret = Some(secret),
            Credential::Assertion(assertion) => record.client_assertion = Some(assertion),
            Credential::Source(Source::Certificate { path, password, use_cert_sn_issuer }) => {
                record.certificate = Some(path);
                record.certificate_password = password;
                record.use_cert_sn_issuer = use_cert_sn_issuer;
            }
            Credential::Source(Source::Assertions(source)) => {
                record.client_assertion_source = Some(source);
            }
        }
        record
    }

    /// The command line that signs in with the source, for the user to review. `None` for a
    /// command, which azt must not suggest to run, and for a credential that is not a source.
    pub(crate) fn sign_in_with_source(&self, program: Program) -> Option<String> {
        let credential = match self.source()? {
            Source::Certificate { path, use_cert_sn_issuer, .. } => {
                let chain = if *use_cert_sn_issuer { " --use-cert-sn-issuer" } else { "" };
                format!("--certificate {}{chain}", shown(path)?)
            }
            Source::Assertions(AssertionSource::File { path }) => {
                format!("--federated-token-file {}", shown(path)?)
            }
            Source::Assertions(AssertionSource::Command { .. }) => return None,
            Source::Assertions(AssertionSource::GithubActions { audience }) => format!(
                "--federated-token-from github-actions --federated-token-audience {}",
                shown(audience)?
            ),
            Source::Assertions(AssertionSource::AzurePipelines { service_connection_id }) => {
                format!(
                    "--federated-token-from azure-pipelines --service-connection-id {}",
                    shown(service_connection_id)?
                )
            }
        };
        Some(format!(
            "{program} login --service-principal --username {} --tenant {} {credential}",
            quoted(&self.client_id),
            quoted(&self.tenant)
        ))
    }
}

/// The source, with special characters escaped so that nothing can be hidden.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate { path, .. } => write!(f, "the certificate {path:?}"),
            Self::Assertions(AssertionSource::File { path }) => {
                write!(f, "the federated token in the file {path:?}")
            }
            Self::Assertions(AssertionSource::Command { command }) => {
                write!(f, "the federated token that this command prints: {command:?}")
            }
            Self::Assertions(AssertionSource::GithubActions { audience }) => {
                write!(f, "the federated token of GitHub Actions for {audience:?}")
            }
            Self::Assertions(AssertionSource::AzurePipelines { service_connection_id }) => write!(
                f,
                "the federated token of Azure Pipelines for the service connection {service_connection_id:?}"
            ),
        }
    }
}

/// The text of a member; `None` when it is missing or empty.
fn given<'v>(row: &'v Value, name: &str) -> Option<&'v str> {
    Some(text(row, name)).filter(|text| !text.is_empty())
}

/// The secret in a member. A hand-edited file may hold an all-digit secret as a number.
fn secret(row: &Value, name: &str) -> Option<Secret> {
    match row.get(name)? {
        Value::Number(number) => Some(Secret::new(number.to_string())),
        _ => given(row, name).map(Secret::new),
    }
}

/// The source in `client_assertion_source` of an export.
fn assertions(row: &Value) -> Option<AssertionSource> {
    let source = row.get("client_assertion_source")?;
    let member = |name: &str| given(source, name).map(str::to_owned);
    Some(match text(source, "kind") {
        "file" => AssertionSource::File { path: member("path")? },
        "command" => AssertionSource::Command { command: member("command")? },
        "github-actions" => AssertionSource::GithubActions { audience: member("audience")? },
        "azure-pipelines" => AssertionSource::AzurePipelines {
            service_connection_id: member("service_connection_id")?,
        },
        _ => return None,
    })
}

/// `text` as a client id or a tenant: a GUID, a domain, or an application URI.
pub(super) fn id_of(text: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:/".contains(c);
    let is_id = (1..=256).contains(&text.len()) && text.chars().all(is_plain);
    is_id.then(|| text.to_owned())
}

/// `text` as a login host in lower case: the host, with the port unless it is 443.
fn host_of(text: &str) -> Option<String> {
    let url = EndpointUrl::parse(&format!("https://{text}"), "").ok()?;
    let (host, text) = (url.environment(), text.to_ascii_lowercase());
    // Rejects texts with parts that the URL parser dropped.
    let is_whole = text == host || text.strip_suffix(":443") == Some(host.as_str());
    (is_whole && !host.ends_with(":0")).then_some(host)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(row: &Value) -> Option<Application> {
        Application::of_row(row)
    }

    #[test]
    fn a_row_has_one_credential() {
        let base = json!({"client_id": "c", "tenant": "t"});
        let with = |members: Value| {
            let mut row = base.clone();
            row.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            of(&row)
        };
        let command = json!({"kind": "command", "command": "id"});
        let found = with(json!({"client_secret": "s", "client_assertion_source": command}));
        assert_eq!(found.unwrap().credential, Credential::Secret(Secret::new("s")));
        let found = with(json!({"client_assertion": "a.b.c", "certificate": "/x"})).unwrap();
        assert!(found.source().is_some() && found.record("e").is_none());
        for nothing in [
            json!({}),
            json!({"client_secret": ""}),
            json!({"client_secret": ["s"]}),
            json!({"client_secret": {"kind": "command", "command": "id"}}),
            json!({"certificate": ["/x"]}),
            json!({"client_assertion_source": [command]}),
            json!({"client_assertion_source": "command"}),
            json!({"client_assertion_source": {"kind": "Command", "command": "id"}}),
            json!({"Client_Assertion_Source": command}),
            json!({"other": {"client_assertion_source": command}}),
            json!({"client_secret": "s", "environment": "evil.example/path"}),
            json!({"client_secret": "s", "environment": ["evil.example"]}),
            json!({"client_secret": "s", "tenant": ""}),
            json!({"client_secret": "s", "tenant": "t\nERROR: no"}),
            json!({"client_secret": "s", "client_id": "$(id)"}),
        ] {
            assert_eq!(with(nothing.clone()), None, "{nothing}");
        }
    }

    #[test]
    fn a_login_host_is_a_host_and_a_port() {
        for host in ["login.example", "localhost:8443", "127.0.0.1:1", "[::1]", "[::1]:444"] {
            assert_eq!(host_of(host).as_deref(), Some(host));
        }
        assert_eq!(host_of("login.example:443").as_deref(), Some("login.example"));
        assert_eq!(host_of("Login.EXAMPLE").as_deref(), Some("login.example"));
        for text in [
            "",
            "a b",
            "a/b",
            "a@b",
            "a:b",
            "a:0",
            "a:",
            ":1",
            "a:99999",
            "l\u{43e}gin.example",
            "a\n",
            "a?b",
            "[::1",
            "::1",
            "[]",
            "[x]:1",
            "login.example.",
            "a..b",
            "a:+443",
            "a\\b",
            "a/",
        ] {
            assert_eq!(host_of(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_source_is_shown_and_a_command_is_not_suggested() {
        let source = |source: Value| {
            of(&json!({"client_id": "c", "tenant": "t", "client_assertion_source": source}))
                .unwrap()
        };
        let command =
            source(json!({"kind": "command", "command": "a\r\u{1b}[2K\u{202e}\u{200b}b 'c'\n"}));
        assert_eq!(command.sign_in_with_source(Program::Azt), None);
        assert_eq!(
            command.source().unwrap().to_string(),
            r#"the federated token that this command prints: "a\r\u{1b}[2K\u{202e}\u{200b}b 'c'\n""#
        );
        let file = source(json!({"kind": "file", "path": "/a b;id"}));
        assert_eq!(
            file.sign_in_with_source(Program::Azt).unwrap(),
            "azt login --service-principal --username c --tenant t --federated-token-file '/a b;id'"
        );
        for hidden in ["/a\nb", "/a\u{200b}", "/a\u{202e}", "/\u{e0041}"] {
            let file = source(json!({"kind": "file", "path": hidden}));
            assert_eq!(file.sign_in_with_source(Program::Azt), None, "{hidden:?}");
        }
    }
}
