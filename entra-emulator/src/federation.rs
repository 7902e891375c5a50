//! A federation server, as AD FS is one: metadata (MEX) and WS-Trust endpoints that issue SAML
//! assertions for Entra.

use crate::call::{Answer, Call};
use crate::identifier;
use crate::negotiate;
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node};
use serde_json::{Value, json};

/// The audience of assertions for Entra.
pub(crate) const AUDIENCE: &str = "urn:federation:MicrosoftOnline";

/// The lifetime of an assertion in seconds.
const LIFETIME: i64 = 3600;

const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
const ADDRESSING: &str = "http://www.w3.org/2005/08/addressing";
const POLICY: &str = "http://schemas.xmlsoap.org/ws/2004/09/policy";
const SECURITY_UTILITY: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const SECURITY: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const TRUST_13: &str = "http://docs.oasis-open.org/ws-sx/ws-trust/200512";
const TRUST_2005: &str = "http://schemas.xmlsoap.org/ws/2005/02/trust";

/// An assertion that the server issued.
#[derive(Clone, Debug)]
pub(crate) struct Assertion {
    pub(crate) username: String,
    pub(crate) saml2: bool,
    pub(crate) expires_at: i64,
}

/// The members of a user realm answer that describe the server.
pub(crate) fn realm(world: &World) -> Value {
    if !world.settings.federation.active {
        return json!({ "federation_protocol": "SAML20" });
    }
    let at = |path: &str| format!("{}/adfs/services/trust/{path}", world.url);
    json!({
        "federation_protocol": "WSTrust",
        "federation_metadata_url": at("mex"),
        "federation_active_auth_url": at("2005/usernamemixed"),
    })
}

/// Answers `/adfs/services/trust/…`.
pub(crate) fn answer(world: &mut World, call: &Call, endpoint: &[&str]) -> Answer {
    let (trust, endpoint) = match (call.method.as_str(), endpoint) {
        ("GET", ["mex"]) => return xml(200, metadata(world)),
        ("POST", ["13", endpoint]) => (TRUST_13, *endpoint),
        ("POST", ["2005", endpoint]) => (TRUST_2005, *endpoint),
        _ => return Answer::not_found(),
    };
    let username = match endpoint {
        "usernamemixed" => user_by_password(world, call, trust),
        "windowstransport" => match negotiate::user_of(world, call) {
            Ok(username) => user_by_ticket(world, call, trust, username),
            Err(challenge) => return challenge,
        },
        _ => return Answer::not_found(),
    };
    match username {
        Ok(username) => issued(world, trust, &username),
        Err(fault) => fault.answer(trust),
    }
}

fn xml(status: u16, body: String) -> Answer {
    Answer::new(status, "application/soap+xml; charset=utf-8", body)
}

/// A refusal.
struct Fault {
    /// A name of WS-Security.
    code: &'static str,
    reason: String,
}

impl Fault {
    fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// A SOAP fault. AD FS sends it with status 500, even for a wrong password.
    fn answer(&self, trust: &str) -> Answer {
        let Self { code, reason } = self;
        let reason = escaped(reason);
        xml(
            500,
            format!(
                "<s:Envelope xmlns:s=\"{SOAP}\" xmlns:a=\"{ADDRESSING}\"><s:Header><a:Action s:mustUnderstand=\"1\">{ADDRESSING}/soap/fault</a:Action></s:Header><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value xmlns:a=\"{}\">a:{code}</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang=\"en-US\">{reason}</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>",
                if *code == "RequestFailed" { trust } else { SECURITY }
            ),
        )
    }
}

fn invalid(what: &str) -> Fault {
    Fault::new(
        "InvalidSecurity",
        format!("An error occurred when verifying security for the message: {what}."),
    )
}

/// Checks a request for a token with user name and password; returns the user's name.
fn user_by_password(world: &World, call: &Call, trust: &str) -> Result<String, Fault> {
    let text = std::str::from_utf8(&call.body).map_err(|_| invalid("no UTF-8"))?;
    let document = Document::parse(text).map_err(|error| invalid(&error.to_string()))?;
    let request = Request::read(world, call, &document, trust)?;
    let security = request.security.ok_or_else(|| invalid("no security header"))?;
    let token = one(&security, SECURITY, "UsernameToken")?;
    let username = request.text(&token, SECURITY, "Username")?;
    let password = request.text(&token, SECURITY, "Password")?;
    let domain = username.rsplit_once('@').map_or("", |(_, domain)| domain);
    let user = world.user_with_password(username, password);
    match user {
        Ok(user) if world.directory.is_federated(domain) => Ok(user.username),
        _ => Err(Fault::new(
            "FailedAuthentication",
            "ID3242: The security token could not be authenticated or authorized.",
        )),
    }
}

/// Checks a request for a token of the user whose ticket came with it.
fn user_by_ticket(
    world: &World,
    call: &Call,
    trust: &str,
    username: String,
) -> Result<String, Fault> {
    let text = std::str::from_utf8(&call.body).map_err(|_| invalid("no UTF-8"))?;
    let document = Document::parse(text).map_err(|error| invalid(&error.to_string()))?;
    let request = Request::read(world, call, &document, trust)?;
    let domain = username.rsplit_once('@').map_or("", |(_, domain)| domain);
    if request.security.is_some() || !world.directory.is_federated(domain) {
        return Err(invalid("it has another credential, or the domain is another"));
    }
    Ok(username)
}

/// A request for a token, with what all endpoints demand of it.
struct Request<'a, 'input> {
    /// The security header, which a request with a ticket lacks.
    security: Option<Node<'a, 'input>>,
}

impl<'a, 'input> Request<'a, 'input> {
    fn read(
        world: &World,
        call: &Call,
        document: &'a Document<'input>,
        trust: &str,
    ) -> Result<Self, Fault> {
        let envelope = document.root_element();
        if !envelope.has_tag_name((SOAP, "Envelope")) {
            return Err(invalid("no SOAP envelope"));
        }
        let (header, body) = (one(&envelope, SOAP, "Header")?, one(&envelope, SOAP, "Body")?);
        let security = one(&header, SECURITY, "Security").ok();
        let request = one(&body, trust, "RequestSecurityToken")?;
        let this = Self { security };
        let action = format!("{trust}/RST/Issue");
        let at = format!("{}{}", world.url, call.path);
        let key_type = match trust {
            TRUST_13 => format!("{TRUST_13}/Bearer"),
            _ => "http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey".to_owned(),
        };
        let applies_to = one(&request, POLICY, "AppliesTo")?;
        let applies_to = one(&applies_to, ADDRESSING, "EndpointReference")?;
        for (what, is, wanted) in [
            ("Content-Type", call.header("content-type"), "application/soap+xml; charset=utf-8"),
            ("SOAPAction", call.header("soapaction"), action.as_str()),
            ("Action", Some(this.text(&header, ADDRESSING, "Action")?), &action),
            ("To", Some(this.text(&header, ADDRESSING, "To")?), &at),
            ("audience", Some(this.text(&applies_to, ADDRESSING, "Address")?), AUDIENCE),
            ("KeyType", Some(this.text(&request, trust, "KeyType")?), &key_type),
            (
                "RequestType",
                Some(this.text(&request, trust, "RequestType")?),
                &format!("{trust}/Issue"),
            ),
        ] {
            if is != Some(wanted) {
                return Err(Fault::new(
                    "RequestFailed",
                    format!("MSIS3127: The specified request failed: {what} is {is:?}."),
                ));
            }
        }
        let Some(security) = security else { return Ok(this) };
        let timestamp = one(&security, SECURITY_UTILITY, "Timestamp")?;
        // Times of one format are ordered like their text. Clocks may differ by five minutes.
        let created = this.text(&timestamp, SECURITY_UTILITY, "Created")?;
        let expires = this.text(&timestamp, SECURITY_UTILITY, "Expires")?;
        if *created > *time(world.now() + 300) || *expires < *time(world.now() - 300) {
            return Err(invalid("its time is not acceptable"));
        }
        Ok(this)
    }

    fn text(&self, node: &Node<'a, 'input>, namespace: &str, name: &str) -> Result<&'a str, Fault> {
        Ok(one(node, namespace, name)?.text().unwrap_or_default())
    }
}

/// The only child element with this name.
fn one<'a, 'input>(
    node: &Node<'a, 'input>,
    namespace: &str,
    name: &str,
) -> Result<Node<'a, 'input>, Fault> {
    let mut found = node.children().filter(|child| child.has_tag_name((namespace, name)));
    match (found.next(), found.next()) {
        (Some(node), None) => Ok(node),
        _ => Err(invalid(&format!("not exactly one {name}"))),
    }
}

/// The answer with a new assertion about this user.
fn issued(world: &mut World, trust: &str, username: &str) -> Answer {
    let now = world.now();
    let saml2 = world.settings.federation.saml2;
    let assertion = assertion(world, username, saml2);
    let known = Assertion { username: username.to_owned(), saml2, expires_at: now + LIFETIME };
    let token_type = if saml2 {
        "urn:oasis:names:tc:SAML:2.0:assertion"
    } else {
        "urn:oasis:names:tc:SAML:1.0:assertion"
    };
    let answer = format!(
        "<t:RequestSecurityTokenResponse xmlns:t=\"{trust}\"><t:Lifetime><wsu:Created xmlns:wsu=\"{SECURITY_UTILITY}\">{}</wsu:Created><wsu:Expires xmlns:wsu=\"{SECURITY_UTILITY}\">{}</wsu:Expires></t:Lifetime><wsp:AppliesTo xmlns:wsp=\"{POLICY}\"><EndpointReference xmlns=\"{ADDRESSING}\"><Address>{AUDIENCE}</Address></EndpointReference></wsp:AppliesTo><t:RequestedSecurityToken>{assertion}</t:RequestedSecurityToken><t:TokenType>{token_type}</t:TokenType><t:RequestType>{trust}/Issue</t:RequestType></t:RequestSecurityTokenResponse>",
        time(now),
        time(now + LIFETIME)
    );
    world.assertions.insert(assertion, known);
    // WS-Trust 1.3 has a collection, and its action another end.
    let (answer, action) = if trust == TRUST_13 {
        let open = format!("<t:RequestSecurityTokenResponseCollection xmlns:t=\"{trust}\">");
        (format!("{open}{answer}</t:RequestSecurityTokenResponseCollection>"), "RSTRC/IssueFinal")
    } else {
        (answer, "RSTR/Issue")
    };
    xml(
        200,
        format!(
            "<s:Envelope xmlns:s=\"{SOAP}\" xmlns:a=\"{ADDRESSING}\" xmlns:u=\"{SECURITY_UTILITY}\"><s:Header><a:Action s:mustUnderstand=\"1\">{trust}/{action}</a:Action></s:Header><s:Body>{answer}</s:Body></s:Envelope>"
        ),
    )
}

/// An assertion with the statements of AD FS for Entra, and text that a careless parser changes: an
/// inner namespace, a line break, references. The signature is only its form.
fn assertion(world: &World, username: &str, saml2: bool) -> String {
    let (id, now) = (identifier::guid(), world.now());
    let (from, until) = (time(now), time(now + LIFETIME));
    let (issuer, user) = (format!("{}/adfs/services/trust/", world.url), escaped(username));
    let immutable = STANDARD.encode(username);
    let signature = format!(
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignatureValue>{}\r\n&#x3D;</ds:SignatureValue></ds:Signature>",
        STANDARD.encode(id.as_bytes())
    );
    if saml2 {
        return format!(
            "<Assertion ID=\"_{id}\" IssueInstant=\"{from}\" Version=\"2.0\" xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\"><Issuer>{issuer}</Issuer>{signature}<Subject><NameID Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\">{immutable}</NameID></Subject><Conditions NotBefore=\"{from}\" NotOnOrAfter=\"{until}\"><AudienceRestriction><Audience>{AUDIENCE}</Audience></AudienceRestriction></Conditions><AttributeStatement><Attribute Name=\"http://schemas.xmlsoap.org/claims/UPN\"><AttributeValue>{user}</AttributeValue></Attribute></AttributeStatement></Assertion>"
        );
    }
    format!(
        "<saml:Assertion MajorVersion=\"1\" MinorVersion=\"1\" AssertionID=\"_{id}\" Issuer=\"{issuer}\" IssueInstant=\"{from}\" xmlns:saml=\"urn:oasis:names:tc:SAML:1.0:assertion\"><saml:Conditions NotBefore=\"{from}\" NotOnOrAfter=\"{until}\"><saml:AudienceRestrictionCondition><saml:Audience>{AUDIENCE}</saml:Audience></saml:AudienceRestrictionCondition></saml:Conditions><saml:AttributeStatement><saml:Subject><saml:NameIdentifier Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\">{immutable}</saml:NameIdentifier></saml:Subject><saml:Attribute AttributeName=\"UPN\" AttributeNamespace=\"http://schemas.xmlsoap.org/claims\"><saml:AttributeValue>{user}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>{signature}</saml:Assertion>"
    )
}

/// The metadata: for each endpoint a policy, a binding and a port.
fn metadata(world: &World) -> String {
    let settings = &world.settings.federation;
    let origin = settings.origin.as_deref().unwrap_or(&world.url);
    let all = [
        (settings.trust2005, "2005", "UserNameWSTrustBinding_IWSTrustFeb2005Async", TRUST_2005),
        (settings.trust13, "13", "UserNameWSTrustBinding_IWSTrust13Async", TRUST_13),
    ];
    let (mut policies, mut bindings, mut ports) = (Vec::new(), Vec::new(), Vec::new());
    for (is_offered, version, name, trust) in all {
        if !is_offered {
            continue;
        }
        let (dialect, tokens) = if trust == TRUST_13 {
            (
                "http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702",
                "SignedEncryptedSupportingTokens",
            )
        } else {
            ("http://schemas.xmlsoap.org/ws/2005/07/securitypolicy", "SignedSupportingTokens")
        };
        policies.push(format!(
            "<wsp:Policy wsu:Id=\"{name}_policy\"><wsp:ExactlyOne><wsp:All><sp:TransportBinding xmlns:sp=\"{dialect}\"><wsp:Policy><sp:TransportToken><wsp:Policy><sp:HttpsToken/></wsp:Policy></sp:TransportToken><sp:IncludeTimestamp/></wsp:Policy></sp:TransportBinding><sp:{tokens} xmlns:sp=\"{dialect}\"><wsp:Policy><sp:UsernameToken><wsp:Policy><sp:WssUsernameToken10/></wsp:Policy></sp:UsernameToken></wsp:Policy></sp:{tokens}><wsaw:UsingAddressing xmlns:wsaw=\"http://www.w3.org/2006/05/addressing/wsdl\"/></wsp:All></wsp:ExactlyOne></wsp:Policy>\n"
        ));
        let windows = name.replace("UserName", "Windows");
        policies.push(format!(
            "<wsp:Policy wsu:Id=\"{windows}_policy\"><wsp:ExactlyOne><wsp:All><http:NegotiateAuthentication xmlns:http=\"http://schemas.microsoft.com/ws/06/2004/policy/http\"/><sp:TransportBinding xmlns:sp=\"{dialect}\"><wsp:Policy><sp:TransportToken><wsp:Policy><sp:HttpsToken/></wsp:Policy></sp:TransportToken></wsp:Policy></sp:TransportBinding></wsp:All></wsp:ExactlyOne></wsp:Policy>\n"
        ));
        for (name, endpoint) in [(windows.as_str(), "windowstransport"), (name, "usernamemixed")] {
            bindings.push(format!(
                "<wsdl:binding name=\"{name}\" type=\"tns:IWSTrust\"><wsp:PolicyReference URI=\"#{name}_policy\"/><soap12:binding transport=\"http://schemas.xmlsoap.org/soap/http\"/><wsdl:operation name=\"TrustIssueAsync\"><soap12:operation soapAction=\"{trust}/RST/Issue\" style=\"document\"/></wsdl:operation></wsdl:binding>\n"
            ));
            let address = format!("{origin}/adfs/services/trust/{version}/{endpoint}");
            ports.push(format!(
                "<wsdl:port name=\"{name}\" binding=\"tns:{name}\"><soap12:address location=\"{address}\"/><wsa10:EndpointReference><wsa10:Address>{address}</wsa10:Address></wsa10:EndpointReference></wsdl:port>\n"
            ));
        }
    }
    let (policies, bindings, ports) = (policies.concat(), bindings.concat(), ports.concat());
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<wsdl:definitions name=\"SecurityTokenService\" targetNamespace=\"http://schemas.microsoft.com/ws/2008/06/identity/securitytokenservice\" xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\" xmlns:wsp=\"{POLICY}\" xmlns:wsu=\"{SECURITY_UTILITY}\" xmlns:soap12=\"http://schemas.xmlsoap.org/wsdl/soap12/\" xmlns:wsa10=\"{ADDRESSING}\" xmlns:tns=\"http://schemas.microsoft.com/ws/2008/06/identity/securitytokenservice\">\n{policies}{bindings}<wsdl:service name=\"SecurityTokenService\">\n{ports}</wsdl:service>\n</wsdl:definitions>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// `2026-11-21T00:41:25Z`.
fn time(unix_seconds: i64) -> String {
    crate::clock::timestamp(unix_seconds).replacen(' ', "T", 1)
}
