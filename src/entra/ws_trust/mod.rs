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

/// Other ways to sign in, which need no endpoint for passwords.
const OTHER_WAYS: &str =
    "Sign in with a browser or a code instead: omit --username and --password.";

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
struct Endpoint {
    url: EndpointUrl,
    version: Version,
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
    let envelope = envelope::request_security_token(
        &endpoint,
        credential,
        &federation.audience,
        system.clock.now(),
        &random_uuid()?,
    );
    let password = match credential {
        Credential::UserName { password, .. } => Some(*password),
        Credential::Ticket => None,
    };
    let request = Request::post_soap(&endpoint.url, envelope, password)
        .header("soapaction", endpoint.version.action());
    let request = match credential {
        Credential::UserName { .. } => request,
        Credential::Ticket => request.negotiate(&negotiate_token(endpoint.url.host()).await?),
    };
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

/// Finds the endpoint for `credential` in the server's metadata. If Entra names no metadata,
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
            Error::new(
                Kind::Refused,
                format!("A service of {domain} ({by}) checks the password, and accepts passwords only on its own page."),
            )
            .remedy(OTHER_WAYS)
        });
    };
    let host = metadata.environment();
    let answer = system.http.send(system, Request::get(metadata).expecting_xml()).await?;
    system.terminal.debug(&format!("GET {} -> {}", metadata.without_query(), answer.status));
    if !answer.is_success() {
        return Err(error_response::parse(&answer, &host));
    }
    let document = answer.xml().map_err(|reason| not_understood(&answer, &host, &reason))?;
    let listed = mex::endpoints(&document, credential);
    let Some((address, version)) =
        listed.iter().find(|(_, version)| *version == Version::V13).or_else(|| listed.first())
    else {
        return Err(no_endpoint(&host, credential, system.program));
    };
    let url = federation_url(address, domain)?;
    // Entra names these hosts. The metadata must not send the password anywhere else.
    let named = std::iter::once(metadata).chain(password_endpoint);
    if !named.into_iter().any(|named| named.same_origin(&url)) {
        return Err(Error::new(
            Kind::Service,
            format!("The metadata of {host} leads to {}, a host that {domain} has not registered with Entra ID; nothing was sent there.", url.environment()),
        )
        .remedy(OTHER_WAYS));
    }
    Ok(Endpoint { url, version: *version })
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
        .remedy(OTHER_WAYS)
}

/// The error for an answer that is not what WS-Trust demands, for this `reason`.
fn not_understood(answer: &Response, host: &str, reason: &str) -> Error {
    let reason = Sentence::new(&answer.masked(reason));
    Error::new(
        Kind::Service,
        format!(
            "{host} sent an answer that is not valid in WS-Trust (HTTP {}): {reason}.",
            answer.status
        ),
    )
    .remedy(OTHER_WAYS)
}

/// The child elements of `node` with this name.
fn children<'a, 'i>(node: Node<'a, 'i>, tag: Tag) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.has_tag_name(tag))
}

/// The first element at `path` below `node`, by the first element of each name.
fn at<'a, 'i>(node: Node<'a, 'i>, path: &[Tag]) -> Option<Node<'a, 'i>> {
    path.iter().try_fold(node, |node, tag| children(node, *tag).next())
}
