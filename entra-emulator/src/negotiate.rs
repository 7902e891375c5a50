//! Integrated authentication: checks SPNEGO tokens (RFC 4559), and is the autologon service of
//! seamless single sign-on.
//!
//! A program with the service's keytab checks the tokens ([`Settings::negotiate_acceptor`]), because
//! only the system's Kerberos library can.
//!
//! [`Settings::negotiate_acceptor`]: crate::Settings::negotiate_acceptor

use crate::call::{Answer, Call};
use crate::federation::Assertion;
use crate::world::World;
use serde_json::json;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// The lifetime of a token for the desktop in seconds.
const LIFETIME: i64 = 600;

/// Time for the acceptor's answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest answer of the acceptor in bytes.
const LONGEST_ANSWER: u64 = 4096;

/// The user name of the principal that the `Authorization` header proves: `user@realm`, with the
/// realm in lower case.
///
/// # Errors
/// Status 401 with the challenge, without a valid token.
pub(crate) fn user_of(world: &World, call: &Call) -> Result<String, Answer> {
    let token = call.header("authorization").and_then(|it| it.strip_prefix("Negotiate "));
    let principal = token.and_then(|token| accepted(world.settings.negotiate_acceptor?, token));
    let challenge = || Answer::new(401, "text/html", "").header("WWW-Authenticate", "Negotiate");
    let principal = principal.ok_or_else(challenge)?;
    let (user, realm) = principal.rsplit_once('@').ok_or_else(challenge)?;
    Ok(format!("{user}@{}", realm.to_lowercase()))
}

/// The principal of `token` by the acceptor on this port: it reads the token as one line, and
/// answers `OK principal` or `NO reason`.
fn accepted(port: u16, token: &str) -> Option<String> {
    if token.contains(['\r', '\n']) {
        return None;
    }
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(format!("{token}\n").as_bytes()).ok()?;
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST_ANSWER)).read_line(&mut line).ok()?;
    line.strip_prefix("OK ").map(|principal| principal.trim().to_owned())
}

/// Answers `POST /{tenant}/winauth/trust/2005/windowstransport`: a token for the desktop, in exchange
/// for a Kerberos token.
pub(crate) fn autologon(world: &mut World, call: &Call, tenant: &str) -> Answer {
    let fault = |code: u32, text: &str| {
        let text = format!(
            "<S:Envelope xmlns:S=\"http://www.w3.org/2003/05/soap-envelope\"><S:Body><S:Fault>\
            <S:Code><S:Value>S:Sender</S:Value></S:Code>\
            <S:Reason><S:Text xml:lang=\"en-US\">Authentication Failure</S:Text></S:Reason><S:Detail>\
            <psf:error xmlns:psf=\"http://schemas.microsoft.com/Passport/SoapServices/SOAPFault\">\
            <psf:value>0x80048821</psf:value><psf:internalerror><psf:code>0x80041012</psf:code>\
            <psf:text>AADSTS{code}: {text}</psf:text></psf:internalerror></psf:error>\
            </S:Detail></S:Fault></S:Body></S:Envelope>"
        );
        Answer::new(400, "application/soap+xml; charset=utf-8", text)
    };
    let username = match user_of(world, call) {
        Ok(username) => username,
        Err(answer) => return answer,
    };
    let Some(known) = world.directory.tenant(tenant) else {
        return fault(90_002, "The tenant was not found.");
    };
    match world.directory.user(&username) {
        Some(user) if user.tenant == known.id => {}
        _ => return fault(50_034, "The user account does not exist in this directory."),
    }
    let expires_at = world.now() + LIFETIME;
    let claims = json!({"aud": "urn:emulator:desktop-sso", "upn": username, "exp": expires_at});
    let assertion = format!(
        "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:1.0:assertion\">\
        <DesktopSsoToken>{}</DesktopSsoToken></saml:Assertion>",
        world.signer.sign(&claims)
    );
    world.assertions.insert(assertion.clone(), Assertion { username, saml2: false, expires_at });
    let text = format!(
        "<S:Envelope xmlns:S=\"http://www.w3.org/2003/05/soap-envelope\"><S:Body>\
        <wst:RequestSecurityTokenResponse xmlns:wst=\"http://schemas.xmlsoap.org/ws/2005/02/trust\">\
        <wst:TokenType>urn:oasis:names:tc:SAML:1.0</wst:TokenType><wst:RequestedSecurityToken>\
        {assertion}</wst:RequestedSecurityToken></wst:RequestSecurityTokenResponse></S:Body></S:Envelope>"
    );
    Answer::new(200, "application/soap+xml; charset=utf-8", text)
}
