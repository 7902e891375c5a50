//! The request for a security token (RST), a SOAP 1.2 envelope.

use chrono::DateTime;
use zeroize::Zeroizing;

use super::{ADDRESSING, Credential, Endpoint, POLICY, SECURITY, SECURITY_UTILITY, SOAP, Version};
use crate::sys::escape_xml;

/// Seconds for which the request is valid, as in MSAL.
const LIFETIME: i64 = 600;

/// Room for the envelope, so that growing leaves no copy of the password in memory. The envelope
/// has about 2,000 bytes; an escaped character has at most six.
const ROOM: usize = 8192;

/// The envelope that asks `endpoint` for an assertion for `audience`.
pub(super) fn request_security_token(
    endpoint: &Endpoint,
    credential: &Credential<'_>,
    audience: &str,
    now: i64,
    id: &str,
) -> Zeroizing<String> {
    let (namespace, action) = (endpoint.version.namespace(), endpoint.version.action());
    let key_type = match endpoint.version {
        Version::V13 => "http://docs.oasis-open.org/ws-sx/ws-trust/200512/Bearer",
        Version::V2005 => "http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey",
    };
    let (username, password) = match credential {
        Credential::UserName { username, password } => (*username, password.expose()),
        Credential::Ticket => ("", ""),
    };
    let room = ROOM + 6 * (username.len() + password.len() + endpoint.url.as_str().len());
    let mut xml = Zeroizing::new(String::with_capacity(room));
    let mut put = |text: &str| xml.push_str(text);
    put(&format!(
        "<s:Envelope xmlns:s='{SOAP}' xmlns:wsa='{ADDRESSING}' xmlns:wsu='{SECURITY_UTILITY}'>\
         <s:Header><wsa:Action s:mustUnderstand='1'>{action}</wsa:Action>\
         <wsa:MessageID>urn:uuid:{id}</wsa:MessageID>\
         <wsa:ReplyTo><wsa:Address>{ADDRESSING}/anonymous</wsa:Address></wsa:ReplyTo>\
         <wsa:To s:mustUnderstand='1'>"
    ));
    escape_xml(endpoint.url.as_str(), &mut put);
    put("</wsa:To>");
    if matches!(credential, Credential::UserName { .. }) {
        put(&format!(
            "<wsse:Security s:mustUnderstand='1' xmlns:wsse='{SECURITY}'>\
             <wsu:Timestamp wsu:Id='_0'><wsu:Created>{}</wsu:Created>\
             <wsu:Expires>{}</wsu:Expires></wsu:Timestamp>\
             <wsse:UsernameToken wsu:Id='UsernameToken'><wsse:Username>",
            time(now),
            time(now + LIFETIME)
        ));
        escape_xml(username, &mut put);
        put("</wsse:Username><wsse:Password>");
        escape_xml(password, &mut put);
        put("</wsse:Password></wsse:UsernameToken></wsse:Security>");
    }
    put(&format!(
        "</s:Header><s:Body><wst:RequestSecurityToken xmlns:wst='{namespace}'>\
         <wsp:AppliesTo xmlns:wsp='{POLICY}'><wsa:EndpointReference><wsa:Address>"
    ));
    escape_xml(audience, &mut put);
    put(&format!(
        "</wsa:Address></wsa:EndpointReference></wsp:AppliesTo>\
         <wst:KeyType>{key_type}</wst:KeyType><wst:RequestType>{namespace}/Issue</wst:RequestType>\
         </wst:RequestSecurityToken></s:Body></s:Envelope>"
    ));
    xml
}

/// A time as WS-Security has it: UTC, in seconds.
fn time(seconds: i64) -> String {
    let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use crate::sys::EndpointUrl;

    fn envelope(credential: &Credential<'_>, version: Version) -> Zeroizing<String> {
        let url = EndpointUrl::parse_with_query("https://sts.example/trust?a=1&b='2'", "");
        let endpoint = Endpoint { url: url.unwrap(), version };
        request_security_token(&endpoint, credential, "urn:a&b", 1_700_000_000, "id")
    }

    #[test]
    fn every_password_arrives_as_it_is() {
        let password = Secret::new("</wsse:Password>&amp;\"'<!--]]>\u{e9}\u{1f600} \t\r\n&#0;");
        let credential =
            Credential::UserName { username: "a&b<c>@sts.example", password: &password };
        for version in [Version::V13, Version::V2005] {
            let envelope = envelope(&credential, version);
            let document = roxmltree::Document::parse(&envelope).unwrap();
            let texts = |namespace: &str, name: &str| -> Vec<String> {
                let named = document.descendants().filter(|it| it.has_tag_name((namespace, name)));
                named.map(|it| it.text().unwrap_or_default().to_owned()).collect()
            };
            assert_eq!(texts(SECURITY, "Password"), [password.expose()]);
            assert_eq!(texts(SECURITY, "Username"), ["a&b<c>@sts.example"]);
            assert_eq!(texts(ADDRESSING, "Action"), [version.action()]);
            assert_eq!(texts(ADDRESSING, "To"), ["https://sts.example/trust?a=1&b=%272%27"]);
            assert_eq!(texts(SECURITY_UTILITY, "Expires"), ["2023-11-14T22:23:20Z"]);
            assert_eq!(
                texts(version.namespace(), "RequestType"),
                [format!("{}/Issue", version.namespace())]
            );
        }
    }

    #[test]
    fn a_long_password_needs_no_second_buffer() {
        let password = Secret::new("\"".repeat(100_000));
        let credential = Credential::UserName { username: "u", password: &password };
        let envelope = envelope(&credential, Version::V13);
        assert_eq!(
            envelope.capacity(),
            ROOM + 6 * (100_001 + "https://sts.example/trust?a=1&b=%272%27".len())
        );
        assert!(envelope.len() < envelope.capacity());
    }

    #[test]
    fn a_ticket_is_not_in_the_envelope() {
        let envelope = envelope(&Credential::Ticket, Version::V13);
        assert!(!envelope.contains("Security "), "{}", *envelope);
        assert!(roxmltree::Document::parse(&envelope).is_ok());
    }
}
