//! The answer to a request for a security token (RSTR): a SAML assertion, or a fault.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use roxmltree::{Document, Node};

use super::{Credential, SECURITY, SECURITY_UTILITY, SOAP, Version, at, children, not_understood};
use crate::entra::error_response;
use crate::error::{Error, Kind};
use crate::foreign::{Name, Sentence};
use crate::program::Program;
use crate::secret::Secret;
use crate::sys::Response;

const SAML_1: &str = "urn:oasis:names:tc:SAML:1.0:assertion";
const SAML_2: &str = "urn:oasis:names:tc:SAML:2.0:assertion";

/// An assertion about a user, for Entra.
pub(crate) struct SamlAssertion {
    pub(in crate::entra) version: SamlVersion,
    /// The element as the server wrote it, since it is signed; in base64 (RFC 7522 section 2.1).
    pub(in crate::entra) encoded: Secret,
}

/// The version of an assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SamlVersion {
    /// SAML 1.1; its namespace says 1.0.
    V1,
    /// SAML 2.0.
    V2,
}

impl SamlVersion {
    /// The version that a `TokenType` names, in one of the ways that MSAL knows.
    fn of(token_type: &str) -> Option<Self> {
        Some(match token_type {
            SAML_1 | "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV1.1" => {
                Self::V1
            }
            SAML_2 | "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0" => {
                Self::V2
            }
            _ => return None,
        })
    }

    fn namespace(self) -> &'static str {
        match self {
            Self::V1 => SAML_1,
            Self::V2 => SAML_2,
        }
    }
}

/// Why an answer has no assertion.
pub(in crate::entra) enum Flaw {
    /// The server's refusal.
    Fault(Fault),
    /// The token is of this type, which is no assertion that Entra accepts.
    TokenType(String),
    /// The answer is not what WS-Trust demands.
    Wrong(String),
}

/// A SOAP 1.2 fault. The texts are the server's, not yet cleaned.
pub(in crate::entra) struct Fault {
    /// The most specific code as it is written, such as `a:FailedAuthentication`.
    code: String,
    kind: FaultKind,
    reason: String,
}

enum FaultKind {
    /// The credential is wrong.
    Credential,
    /// The message's time is not acceptable, or its security headers are not.
    Message,
    /// The server is at fault.
    Server,
    /// Any other refusal, such as a policy's.
    Other,
}

/// The assertion in `document`, the answer of an endpoint of this `version`.
pub(in crate::entra) fn assertion(
    document: &Document<'_>,
    version: Version,
) -> Result<SamlAssertion, Flaw> {
    let wrong = |what: &str| Flaw::Wrong(what.to_owned());
    let root = document.root_element();
    let is_envelope = root.has_tag_name((SOAP, "Envelope"));
    let body = at(root, &[(SOAP, "Body")]).filter(|_| is_envelope);
    let body = body.ok_or_else(|| wrong("it is no SOAP envelope"))?;
    if let Some(fault) = at(body, &[(SOAP, "Fault")]) {
        return Err(Flaw::Fault(Fault::read(fault)));
    }
    let trust = version.namespace();
    let collection = at(body, &[(trust, "RequestSecurityTokenResponseCollection")]).unwrap_or(body);
    let tag = (trust, "RequestSecurityTokenResponse");
    let answer = children(collection, tag).next().ok_or_else(|| wrong("it has no token"))?;
    let token_type = at(answer, &[(trust, "TokenType")]).and_then(|it| it.text());
    let token_type = token_type.unwrap_or_default().trim();
    let saml = SamlVersion::of(token_type).ok_or_else(|| Flaw::TokenType(token_type.to_owned()))?;
    let requested = at(answer, &[(trust, "RequestedSecurityToken")]);
    let mut elements = requested.into_iter().flat_map(|it| it.children()).filter(Node::is_element);
    let assertion = elements.next().filter(|it| it.has_tag_name((saml.namespace(), "Assertion")));
    let assertion = assertion.ok_or_else(|| wrong("it has no SAML assertion"))?;
    if elements.next().is_some() {
        return Err(wrong("it has more than one token"));
    }
    let text = document.input_text().get(assertion.range()).unwrap_or_default();
    Ok(SamlAssertion { version: saml, encoded: Secret::new(URL_SAFE_NO_PAD.encode(text)) })
}

impl Fault {
    fn read(fault: Node<'_, '_>) -> Self {
        let value = |path: &[super::Tag]| at(fault, path).filter(|it| it.text().is_some());
        let code = [(SOAP, "Code"), (SOAP, "Value")];
        let subcode = [(SOAP, "Code"), (SOAP, "Subcode"), (SOAP, "Value")];
        let code = value(&subcode).or_else(|| value(&code));
        let reason = value(&[(SOAP, "Reason"), (SOAP, "Text")]);
        let text = |node: Option<Node<'_, '_>>| {
            node.and_then(|it| it.text()).unwrap_or_default().trim().to_owned()
        };
        let kind = code.map_or(FaultKind::Other, FaultKind::of);
        Self { code: text(code), kind, reason: text(reason) }
    }
}

impl FaultKind {
    /// The kind of a code: a qualified name in the text of `node`.
    fn of(node: Node<'_, '_>) -> Self {
        let text = node.text().unwrap_or_default().trim();
        let (prefix, name) = match text.split_once(':') {
            Some((prefix, name)) => (Some(prefix), name),
            None => (None, text),
        };
        let namespace = node.lookup_namespace_uri(prefix).unwrap_or_default();
        let is_of_security = namespace == SECURITY
            || [Version::V13, Version::V2005].iter().any(|it| it.namespace() == namespace);
        match name {
            "FailedAuthentication" | "FailedCheck" if is_of_security => Self::Credential,
            "InvalidSecurity" | "ExpiredData" if is_of_security => Self::Message,
            "MessageExpired" if namespace == SECURITY_UTILITY => Self::Message,
            "Receiver" if namespace == SOAP => Self::Server,
            _ => Self::Other,
        }
    }
}

impl Flaw {
    /// The error for the user. Under the name `az` it has the text of MSAL's exception, which az
    /// prints above its traceback.
    pub(super) fn into_error(
        self,
        answer: &Response,
        host: &str,
        credential: &Credential<'_>,
        program: Program,
    ) -> Error {
        let fault = match (self, program) {
            (Self::Fault(fault), _) => fault,
            (Self::TokenType(name), Program::Az) => {
                let name = Name::new(&answer.masked(&name));
                return Error::new(
                    Kind::Service,
                    format!("RSTR returned unknown token type: {name}"),
                );
            }
            (Self::TokenType(name), Program::Azt) => {
                let reason = format!("its token type is '{}'", Name::new(&name));
                return not_understood(answer, host, credential, &reason);
            }
            (Self::Wrong(_), _) if !answer.is_success() => {
                return error_response::parse(answer, host);
            }
            (Self::Wrong(reason), _) => {
                return not_understood(answer, host, credential, &reason);
            }
        };
        let reason = Sentence::new(&answer.masked(&fault.reason));
        let code = Name::new(&answer.masked(&fault.code));
        let kind = match fault.kind {
            FaultKind::Server => Kind::Service,
            // As for a wrong password at Entra.
            FaultKind::Credential => Kind::InteractionRequired,
            _ => Kind::Refused,
        };
        if program == Program::Az {
            return Error::new(
                kind,
                format!(
                    "WsTrust server returned error in RSTR: {{'reason': '{reason}', 'code': '{code}'}}"
                ),
            );
        }
        let said = match (reason.is_empty(), code.is_empty()) {
            (false, _) => format!(": {reason}"),
            (true, false) => format!(": {code}"),
            (true, true) => ".".to_owned(),
        };
        let (who, wrong) = match credential {
            Credential::UserName { username, .. } => (
                format!("the password of {username}"),
                format!(
                    "User name or password is wrong: check both with {host}, or sign in with a browser or a code: omit --username and --password."
                ),
            ),
            Credential::Ticket => (
                "the Kerberos ticket".to_owned(),
                "Get a new ticket with `kinit`, then try again.".to_owned(),
            ),
        };
        match fault.kind {
            FaultKind::Credential => {
                Error::new(kind, format!("{host} refused {who}{said}")).remedy(wrong)
            }
            FaultKind::Message => Error::new(kind, format!("{host} refused the request{said}"))
                .remedy(format!("This machine's clock may differ from that of {host}: check it.")),
            FaultKind::Server => Error::new(kind, format!("{host} has a problem{said}"))
                .remedy("Try again in a minute."),
            FaultKind::Other => Error::new(kind, format!("{host} refused the sign-in{said}"))
                .remedy(credential.other_ways()),
        }
    }
}
