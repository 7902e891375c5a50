//! WS-Trust: a federation server issues a SAML assertion for a user's credential.
//!
//! Two requests, as in MSAL: the server's metadata (MEX), which lists its endpoints, and the
//! request for a security token (RST) to the endpoint for the kind of credential.

mod envelope;
mod mex;
mod response;

use roxmltree::Node;

use super::error_response;
use super::server_time::with_clock;
use super::user_realm::{Federation, federation_url};
use crate::error::{Error, Kind, Result};
use crate::foreign::Sentence;
use crate::program::Program;
use crate::secret::Secret;
use crate::sys::{EndpointUrl, Request, Response, System, negotiate_token, random_uuid};

use response::Flaw;
pub(crate) use response::{SamlAssertion, SamlVersion};

#[cfg(fuzzing)]
pub(super) use {mex::endpoints, response::assertion};

/// An XML name: namespace and local name.
type Tag = (&'static str, &'static str);

/// SOAP 1.2.
const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
/// WS-Addressing 1.0.
const ADDRESSING: &str = "http://www.w3.org/2005/08/addressing";
/// WS-Policy 1.2.
const POLICY: &str = "http://schemas.xmlsoap.org/ws/2004/09/policy";
/// WS-Security: ids and times.
const SECURITY_UTILITY: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
/// WS-Security: user names and passwords, faults.
const SECURITY: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";

/// What proves who the user is.
pub(crate) enum Credential<'c> {
    /// User name and password, in the envelope.
    UserName {
        /// The user name.
        username: &'c str,
        /// The password.
        password: &'c Secret,
    },
    /// The user's Kerberos ticket authenticates the HTTP request (SPNEGO). The envelope has no
    /// credential.
    Ticket,
}

impl Credential<'_> {
    /// The ways to sign in without this credential.
    fn other_ways(&self) -> &'static str {
        match self {
            Self::UserName { .. } => {
                "Sign in with a browser or a code instead: omit --username and --password."
            }
            // The command may be one that renews a sign-in, without options to omit.
            Self::Ticket => "Sign in with a browser or a code instead, without --integrated.",
        }
    }
}

/// The version of WS-Trust that an endpoint speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// WS-Trust 1.3.
    V13,
    /// WS-Trust of February 2005.
    V2005,
}

impl Version {
    fn namespace(self) -> &'static str {
        match self {
            Self::V13 => "http://docs.oasis-open.org/ws-sx/ws-trust/200512",
            Self::V2005 => "http://schemas.xmlsoap.org/ws/2005/02/trust",
        }
    }

    /// The SOAP action of a request for a token.
    fn action(self) -> String {
        format!("{}/RST/Issue", self.namespace())
    }

    fn of_action(action: &str) -> Option<Self> {
        [Self::V13, Self::V2005].into_iter().find(|version| version.action() == action)
    }
}

/// An endpoint of a federation server.
pub(super) struct Endpoint {
    pub(super) url: EndpointUrl,
    pub(super) version: Version,
}

impl Endpoint {
    /// The request for an assertion for `audience`, with `credential`.
    pub(super) async fn request(
        &self,
        system: &System,
        credential: &Credential<'_>,
        audience: &str,
    ) -> Result<Request> {
        let (now, id) = (system.clock.now(), random_uuid()?);
        let envelope = envelope::request_security_token(self, credential, audience, now, &id);
        let post = |password| {
            Request::post_soap(&self.url, envelope, password)
                .header("soapaction", self.version.action())
        };
        Ok(match credential {
            Credential::UserName { password, .. } => post(Some(*password)),
            Credential::Ticket => post(None).negotiate(&negotiate_token(self.url.host()).await?),
        })
    }
}

/// Gets an assertion for `credential` from the server of `federation`: at most two requests. The
/// second one is never repeated, because wrong passwords lock accounts.
///
/// # Errors
/// [`Kind::Refused`] if the server refuses the credential, or has no endpoint for it.
/// [`Kind::Service`] if its answer is not one of WS-Trust.
pub(crate) async fn saml_assertion(
    system: &System,
    federation: &Federation,
    credential: &Credential<'_>,
) -> Result<SamlAssertion> {
    let endpoint = endpoint(system, federation, credential).await?;
    let host = endpoint.url.environment();
    let request = endpoint.request(system, credential, &federation.audience).await?;
    let answer = system.http.send(system, request).await?;
    system.terminal.debug(&format!("POST {} -> {}", endpoint.url.without_query(), answer.status));
    if matches!(credential, Credential::Ticket) && answer.status == 401 {
        return Err(Error::new(
            Kind::Refused,
            format!("{host} did not accept the Kerberos ticket (HTTP 401)."),
        )
        .remedy("The ticket must be of the server's Active Directory: see klist."));
    }
    // AD FS reports a wrong password by HTTP 500 and a fault.
    let found = answer.xml().map_err(Flaw::Wrong);
    match found.and_then(|document| response::assertion(&document, endpoint.version)) {
        Ok(assertion) => Ok(assertion),
        Err(flaw) => {
            let error = flaw.into_error(&answer, &host, credential, system.program);
            // Requests are valid for ten minutes.
            Err(with_clock(error, &answer, &host, system))
        }
    }
}

/// Finds the endpoint for `credential` in the server's metadata: the first usable one, of version
/// 1.3 if there is one. If Entra names no metadata,
/// uses the password endpoint that Entra names.
async fn endpoint(
    system: &System,
    federation: &Federation,
    credential: &Credential<'_>,
) -> Result<Endpoint> {
    let Federation { domain, metadata, password_endpoint, .. } = federation;
    let Some(metadata) = metadata else {
        let known =
            password_endpoint.as_ref().filter(|_| !matches!(credential, Credential::Ticket));
        let known = known.and_then(|url| {
            let path = url.path().to_ascii_lowercase();
            let version = match () {
                () if path.contains("/trust/13/") => Version::V13,
                () if path.contains("/trust/2005/") => Version::V2005,
                () => return None,
            };
            Some(Endpoint { url: url.clone(), version })
        });
        return known.ok_or_else(|| {
            let by = federation.protocol.as_deref().unwrap_or("another service");
            let text = match credential {
                Credential::UserName { .. } => format!("A service of {domain} ({by}) checks the password, and accepts passwords only on its own page."),
                Credential::Ticket => format!("A service of {domain} ({by}) signs its users in, and accepts Kerberos tickets at most on its own page."),
            };
            Error::new(Kind::Refused, text).remedy(credential.other_ways())
        });
    };
    let host = metadata.environment();
    let answer = system.http.send(system, Request::get(metadata).expecting_xml()).await?;
    system.terminal.debug(&format!("GET {} -> {}", metadata.without_query(), answer.status));
    if !answer.is_success() {
        return Err(error_response::parse(&answer, &host));
    }
    let document =
        answer.xml().map_err(|reason| not_understood(&answer, &host, credential, &reason))?;
    let mut listed = mex::endpoints(&document, credential);
    listed.sort_by_key(|(_, version)| *version != Version::V13);
    // Entra names these hosts. The metadata must not send the credential anywhere else.
    let named: Vec<&EndpointUrl> = std::iter::once(metadata).chain(password_endpoint).collect();
    let mut flaw = None;
    for (address, version) in listed {
        let unusable = match federation_url(&address, domain) {
            Ok(url) if named.iter().any(|named| named.same_origin(&url)) => {
                return Ok(Endpoint { url, version });
            }
            Ok(url) => Error::new(
                Kind::Service,
                format!("The metadata of {host} leads to {}, a host that {domain} has not registered with Entra ID; nothing was sent there.", url.environment()),
            )
            .remedy(credential.other_ways()),
            Err(error) => error,
        };
        system.terminal.debug(&format!("an endpoint is ignored: {unusable}"));
        flaw.get_or_insert(unusable);
    }
    Err(flaw.unwrap_or_else(|| no_endpoint(&host, credential, system.program)))
}

fn no_endpoint(host: &str, credential: &Credential<'_>, program: Program) -> Error {
    let accepts = match (program, credential) {
        (Program::Az, _) => {
            return Error::new(
                Kind::Refused,
                "Unable to find wstrust endpoint from MEX. This typically happens when attempting MSA accounts. More details available here. https://github.com/AzureAD/microsoft-authentication-library-for-python/wiki/Username-Password-Authentication",
            );
        }
        (Program::Azt, Credential::UserName { .. }) => {
            "user names and passwords (WS-Trust, usernamemixed)"
        }
        (Program::Azt, Credential::Ticket) => "Kerberos tickets (WS-Trust, windowstransport)",
    };
    Error::new(Kind::Refused, format!("{host} has no endpoint for {accepts} over https."))
        .remedy(credential.other_ways())
}

/// The error for an answer that is not what WS-Trust demands, for this `reason`.
fn not_understood(
    answer: &Response,
    host: &str,
    credential: &Credential<'_>,
    reason: &str,
) -> Error {
    let reason = Sentence::new(&answer.masked(reason));
    Error::new(
        Kind::Service,
        format!(
            "{host} sent an answer that is not valid in WS-Trust (HTTP {}): {reason}.",
            answer.status
        ),
    )
    .remedy(credential.other_ways())
}

/// The child elements of `node` with this name.
fn children<'a, 'i>(node: Node<'a, 'i>, tag: Tag) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.has_tag_name(tag))
}

/// The first element at `path` below `node`, by the first element of each name.
fn at<'a, 'i>(node: Node<'a, 'i>, path: &[Tag]) -> Option<Node<'a, 'i>> {
    path.iter().try_fold(node, |node, tag| children(node, *tag).next())
}
