//! The token endpoint: one file for each grant, and their common parts.

pub(crate) mod authorization_code;
pub(crate) mod client;
pub(crate) mod client_credentials;
pub(crate) mod device_code;
pub(crate) mod issue;
pub(crate) mod on_behalf_of;
pub(crate) mod password;
pub(crate) mod refresh_token;
pub(crate) mod saml_bearer;
pub(crate) mod scope;

use crate::call::{Answer, Call};
use crate::directory::Application;
use crate::error::EntraError;
use crate::token::scope::Scope;
use crate::world::{Authority, World};
use serde_json::Value;

/// A token request of a known client.
pub(crate) struct TokenRequest<'a> {
    pub(crate) call: &'a Call,
    pub(crate) authority: Authority,
    pub(crate) application: Application,
    pub(crate) v1: bool,
    pub(crate) claims: ClaimsRequest,
}

/// Answers `POST /{tenant}/oauth2[/v2.0]/token`.
pub(crate) fn answer(
    world: &mut World,
    call: &Call,
    authority: Authority,
    v1: bool,
) -> Result<Answer, EntraError> {
    let grant_type = call.field("grant_type").ok_or_else(|| EntraError::missing("grant_type"))?;
    let basic = client::basic_credentials(call);
    let client_id =
        call.field("client_id").or(basic.as_ref().map(|(client_id, _)| client_id.as_str()));
    let request = TokenRequest {
        call,
        application: world.application(client_id, &authority)?,
        authority,
        v1,
        claims: ClaimsRequest::parse(call.field("claims"))?,
    };
    match grant_type {
        "urn:ietf:params:oauth:grant-type:device_code" | "device_code" => {
            device_code::grant(world, &request)
        }
        "authorization_code" => authorization_code::grant(world, &request),
        "refresh_token" => refresh_token::grant(world, &request),
        "client_credentials" => client_credentials::grant(world, &request),
        "password" => password::grant(world, &request),
        "urn:ietf:params:oauth:grant-type:saml1_1-bearer" => {
            saml_bearer::grant(world, &request, false)
        }
        "urn:ietf:params:oauth:grant-type:saml2-bearer" => {
            saml_bearer::grant(world, &request, true)
        }
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => on_behalf_of::grant(world, &request),
        other => {
            let text = format!("The app requested an unsupported grant type '{other}'.");
            Err(EntraError::new("unsupported_grant_type", 70_003, text))
        }
    }
}

impl TokenRequest<'_> {
    /// The scope that this request names, if any.
    pub(crate) fn scope(&self, world: &World) -> Result<Option<Scope>, EntraError> {
        if let Some(resource) = self.call.field("resource") {
            return Scope::of_resource(world, resource).map(Some);
        }
        match self.call.field("scope") {
            // On the v1 endpoint the scope is at most `openid`.
            Some(text) if !self.v1 => Scope::parse(world, text).map(Some),
            _ => Ok(None),
        }
    }

    /// A required form field.
    pub(crate) fn field(&self, name: &str) -> Result<&str, EntraError> {
        self.call.field(name).ok_or_else(|| EntraError::missing(name))
    }
}

/// The part of a `claims` parameter (OpenID Connect 5.5) that concerns access tokens.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClaimsRequest {
    /// Client capabilities (`xms_cc`): `CP1` means that the client handles claims challenges.
    pub(crate) capabilities: Vec<String>,
    /// Authentication contexts (`acrs`).
    pub(crate) contexts: Vec<String>,
}

impl ClaimsRequest {
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, EntraError> {
        let Some(text) = text else {
            return Ok(Self::default());
        };
        let claims: Value = serde_json::from_str(text).map_err(|_| {
            let text = "The parameter 'claims' is not valid JSON.";
            EntraError::new("invalid_request", 9_002_313, text)
        })?;
        let values = |name: &str| -> Vec<String> {
            let claim = claims.pointer(&format!("/access_token/{name}"));
            let Some(claim) = claim else {
                return Vec::new();
            };
            let many = claim.get("values").and_then(Value::as_array);
            let one = claim.get("value");
            many.into_iter()
                .flatten()
                .chain(one)
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        };
        Ok(Self { capabilities: values("xms_cc"), contexts: values("acrs") })
    }
}
