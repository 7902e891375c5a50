//! Authentication of confidential clients (RFC 6749 2.3, RFC 7523 2.2).

use crate::call::Call;
use crate::directory::{Application, FederatedCredential};
use crate::error::EntraError;
use crate::jwt::{self, Jwt};
use crate::token::TokenRequest;
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Checks the client's secret or assertion. A public client has none.
pub(crate) fn authenticate(world: &World, request: &TokenRequest<'_>) -> Result<(), EntraError> {
    let secret = request
        .call
        .field("client_secret")
        .map(str::to_owned)
        .or_else(|| basic_credentials(request.call).map(|(_, secret)| secret));
    let assertion = request.call.field("client_assertion");
    let application = &request.application;
    if application.public {
        if secret.is_none() && assertion.is_none() {
            return Ok(());
        }
        let text = "The client is public, so neither 'client_assertion' nor 'client_secret' should be presented.";
        return Err(EntraError::new("invalid_client", 700_025, text));
    }
    match (secret, assertion) {
        (_, Some(assertion)) => self::assertion(world, request, assertion),
        (Some(secret), None) => self::secret(world, application, &secret),
        (None, None) => {
            let text = "The request body must contain the parameter 'client_assertion' or 'client_secret'.";
            Err(EntraError::new("invalid_client", 7_000_218, text))
        }
    }
}

/// Client id and secret of an `Authorization: Basic` header (RFC 6749 2.3.1).
pub(crate) fn basic_credentials(call: &Call) -> Option<(String, String)> {
    let encoded = call.header("authorization")?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (client_id, secret) = text.split_once(':')?;
    let decoded = |part: &str| {
        form_urlencoded::parse(part.as_bytes())
            .next()
            .map_or_else(String::new, |(name, _)| name.into_owned())
    };
    Some((decoded(client_id), decoded(secret)))
}

fn secret(world: &World, application: &Application, secret: &str) -> Result<(), EntraError> {
    let id = &application.client_id;
    let Some(known) = application.secrets.iter().find(|it| it.value == secret) else {
        let text = format!("Invalid client secret provided for app '{id}'.");
        return Err(EntraError::new("invalid_client", 7_000_215, text));
    };
    if known.expires.is_some_and(|expires| expires <= world.now()) {
        let text = format!("The provided client secret keys for app '{id}' are expired.");
        return Err(EntraError::new("invalid_client", 7_000_222, text));
    }
    Ok(())
}

fn invalid(code: u32, text: impl Into<String>) -> EntraError {
    EntraError::new("invalid_client", code, text)
}

fn assertion(world: &World, request: &TokenRequest<'_>, assertion: &str) -> Result<(), EntraError> {
    if request.call.field("client_assertion_type")
        != Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
    {
        let text = "The 'client_assertion_type' is missing or not supported.";
        return Err(EntraError::new("invalid_request", 900_144, text));
    }
    let jwt = Jwt::parse(assertion)
        .ok_or_else(|| invalid(50_027, "The client assertion is not a valid JWT."))?;
    let now = world.now();
    let expires = jwt.seconds("exp").unwrap_or_default();
    let not_before = jwt.seconds("nbf").unwrap_or_default();
    // Clocks may differ by five minutes.
    if expires + 300 <= now || not_before > now + 300 {
        let text = format!(
            "The client assertion is not within its valid time range: now {now}, its expiry {expires}."
        );
        return Err(invalid(700_024, text));
    }
    let application = &request.application;
    if jwt.text("iss") == application.client_id {
        by_certificate(world, request, &jwt)
    } else {
        federated(world, application, &jwt)
    }
}

fn by_certificate(world: &World, request: &TokenRequest<'_>, jwt: &Jwt) -> Result<(), EntraError> {
    let application = &request.application;
    if jwt.text("sub") != application.client_id {
        let text = "The subject of the client assertion is not the client id.";
        return Err(invalid(700_021, text));
    }
    let audience = jwt.text("aud");
    let tenant = request.call.path.split('/').find(|part| !part.is_empty());
    let here = [Some(request.authority.path_part()), tenant]
        .into_iter()
        .flatten()
        .any(|tenant| audience.starts_with(&format!("{}/{tenant}/", world.url)));
    if !here {
        let text = format!("The client assertion is for '{audience}' and not for this endpoint.");
        return Err(invalid(50_027, text));
    }
    let named = |name: &str| {
        let value = jwt.header.get(name).and_then(serde_json::Value::as_str);
        value.map(|value| value.trim_end_matches('='))
    };
    let certificates = application.certificates.iter().filter_map(|pem| jwt::certificate(pem));
    let certificate = certificates.into_iter().find(|certificate| {
        let sha1 = jwt::sha1_thumbprint(certificate);
        named("x5t") == Some(sha1.as_str())
            || named("kid") == Some(sha1.as_str())
            || named("x5t#S256") == Some(jwt::sha256_thumbprint(certificate).as_str())
    });
    let Some(certificate) = certificate else {
        let text = "The key that signed the client assertion is not registered: no certificate has this thumbprint.";
        return Err(invalid(700_027, text));
    };
    if !jwt.is_signed_by(&certificate) {
        return Err(invalid(700_027, "The client assertion failed signature validation."));
    }
    Ok(())
}

fn federated(world: &World, application: &Application, jwt: &Jwt) -> Result<(), EntraError> {
    let credentials: Vec<&FederatedCredential> = application
        .federated_credentials
        .iter()
        .filter(|credential| credential.issuer == jwt.text("iss"))
        .collect();
    let no_match = |code: u32, what: &str, value: &str| {
        let text = format!(
            "No matching federated identity record found for presented assertion {what} '{value}'."
        );
        invalid(code, text)
    };
    if credentials.is_empty() {
        return Err(no_match(700_211, "issuer", jwt.text("iss")));
    }
    let subject = jwt.text("sub");
    let Some(credential) = credentials.iter().find(|it| it.subject == subject) else {
        return Err(no_match(700_213, "subject", subject));
    };
    let audiences = jwt.claims.get("aud").cloned().unwrap_or_default();
    let is_meant = |audience: &serde_json::Value| *audience == credential.audience.as_str();
    let meant = is_meant(&audiences)
        || audiences.as_array().is_some_and(|several| several.iter().any(is_meant));
    if !meant {
        return Err(no_match(700_212, "audience", &audiences.to_string()));
    }
    let registered = credential.certificate.as_deref().map(jwt::certificate);
    let genuine = match registered {
        None => jwt.is_signed_by(world.signer.certificate()),
        Some(certificate) => certificate.is_some_and(|it| jwt.is_signed_by(&it)),
    };
    if !genuine {
        return Err(invalid(50_013, "The assertion failed signature validation."));
    }
    Ok(())
}
