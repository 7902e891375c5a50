//! The metadata of a federation server (WS-MetadataExchange): a WSDL document with policies.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::{Document, Node};

use super::{ADDRESSING, Credential, POLICY, SECURITY_UTILITY, Tag, Version, at, children};

/// WSDL 1.1.
const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
/// WSDL's binding for SOAP 1.2.
const SOAP_BINDING: &str = "http://schemas.xmlsoap.org/wsdl/soap12/";
/// The transport of such a binding: HTTP.
const OVER_HTTP: &str = "http://schemas.xmlsoap.org/soap/http";
/// WS-SecurityPolicy 1.2.
const SECURITY_POLICY: &str = "http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702";
/// WS-SecurityPolicy of July 2005.
const SECURITY_POLICY_2005: &str = "http://schemas.xmlsoap.org/ws/2005/07/securitypolicy";
/// Microsoft's policies for HTTP authentication.
const HTTP_POLICY: &str = "http://schemas.microsoft.com/ws/06/2004/policy/http";

/// The https endpoints for this kind of `credential`, in the document's order, each with its
/// version. Reads what MSAL reads.
pub(in crate::entra) fn endpoints(
    document: &Document<'_>,
    credential: &Credential<'_>,
) -> Vec<(String, Version)> {
    let root = document.root_element();
    if !root.has_tag_name((WSDL, "definitions")) {
        return Vec::new();
    }
    let policies: BTreeSet<String> = children(root, (POLICY, "Policy"))
        .filter(|policy| is_for(*policy, credential))
        .filter_map(|policy| policy.attribute((SECURITY_UTILITY, "Id")))
        .map(|id| format!("#{id}"))
        .collect();
    let bindings: BTreeMap<&str, Version> = children(root, (WSDL, "binding"))
        .filter_map(|binding| binding_version(binding, &policies))
        .collect();
    let ports = children(root, (WSDL, "service")).flat_map(|it| children(it, (WSDL, "port")));
    let found = ports.filter_map(|port| {
        // A qualified name, whose prefix MSAL ignores too.
        let version = bindings.get(port.attribute("binding")?.rsplit(':').next()?)?;
        let path = [(ADDRESSING, "EndpointReference"), (ADDRESSING, "Address")];
        let address = at(port, &path)?.text()?.trim();
        let scheme = address.get(.."https://".len())?;
        scheme.eq_ignore_ascii_case("https://").then(|| (address.to_owned(), *version))
    });
    found.collect()
}

/// True if `policy` demands TLS and this kind of credential.
fn is_for(policy: Node<'_, '_>, credential: &Credential<'_>) -> bool {
    let demands = |dialect, path: &[Tag]| {
        let alternative = [&[(POLICY, "ExactlyOne"), (POLICY, "All")], path].concat();
        let is_tls = |node: Node<'_, '_>| node.has_tag_name((dialect, "TransportBinding"));
        has(policy, &alternative) && policy.descendants().any(is_tls)
    };
    let user_name = |dialect, tokens| {
        demands(
            dialect,
            &[
                (dialect, tokens),
                (POLICY, "Policy"),
                (dialect, "UsernameToken"),
                (POLICY, "Policy"),
                (dialect, "WssUsernameToken10"),
            ],
        )
    };
    match credential {
        Credential::UserName { .. } => {
            user_name(SECURITY_POLICY, "SignedEncryptedSupportingTokens")
                || user_name(SECURITY_POLICY_2005, "SignedSupportingTokens")
        }
        Credential::Ticket => {
            let path = [(HTTP_POLICY, "NegotiateAuthentication")];
            demands(SECURITY_POLICY, &path) || demands(SECURITY_POLICY_2005, &path)
        }
    }
}

/// True if some element is at `path` below `node`.
fn has(node: Node<'_, '_>, path: &[Tag]) -> bool {
    match path.split_first() {
        Some((tag, rest)) => children(node, *tag).any(|child| has(child, rest)),
        None => true,
    }
}

/// The name and version of `binding`, if it is SOAP 1.2 over HTTP with one of these `policies`.
fn binding_version<'a>(
    binding: Node<'a, '_>,
    policies: &BTreeSet<String>,
) -> Option<(&'a str, Version)> {
    let transport = at(binding, &[(SOAP_BINDING, "binding")])?.attribute("transport")?;
    let operation = at(binding, &[(WSDL, "operation"), (SOAP_BINDING, "operation")])?;
    let version = Version::of_action(operation.attribute("soapAction")?)?;
    let mut references = children(binding, (POLICY, "PolicyReference"));
    let is_wanted =
        references.any(|it| it.attribute("URI").is_some_and(|id| policies.contains(id)));
    (transport == OVER_HTTP && is_wanted).then_some((binding.attribute("name")?, version))
}
