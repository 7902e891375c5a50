//! The documents that clients read before they request tokens (OpenID Connect Discovery 1.0).

use crate::call::{Answer, Call, fields};
use crate::error::EntraError;
use crate::federation;
use crate::world::{Authority, World};
use serde_json::json;

/// Answers `GET /{tenant}[/v2.0]/.well-known/openid-configuration`.
pub(crate) fn openid_configuration(world: &World, authority: &Authority, v1: bool) -> Answer {
    let url = &world.url;
    let tenant = authority.path_part();
    let version = if v1 { "" } else { "v2.0/" };
    let issuer_end = if v1 { "" } else { "v2.0" };
    let endpoint = |name: &str| format!("{url}/{tenant}/oauth2/{version}{name}");
    Answer::json(
        200,
        &json!({
            "issuer": format!("{url}/{}/{issuer_end}", authority.issuer_part()),
            "authorization_endpoint": endpoint("authorize"),
            "token_endpoint": endpoint("token"),
            "device_authorization_endpoint": endpoint("devicecode"),
            "end_session_endpoint": endpoint("logout"),
            "jwks_uri": format!("{url}/{tenant}/discovery/{version}keys"),
            "token_endpoint_auth_methods_supported":
                ["client_secret_post", "client_secret_basic", "private_key_jwt"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "claims_supported": [
                "sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid",
                "ver", "email",
            ],
            "request_uri_parameter_supported": false,
            "http_logout_supported": false,
            "frontchannel_logout_supported": false,
            "tenant_region_scope": null,
            "cloud_instance_name": host(world),
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
        }),
    )
}

/// Answers `GET /{tenant}/discovery[/v2.0]/keys`.
pub(crate) fn keys(world: &World, authority: &Authority) -> Answer {
    let issuer = format!("{}/{}/v2.0", world.url, authority.issuer_part());
    Answer::json(200, &world.signer.key_set(&issuer))
}

/// Answers `GET /common/discovery/instance`: each known authority is this emulator's.
pub(crate) fn instance(world: &World, call: &Call) -> Result<Answer, EntraError> {
    let endpoint = call.parameter("authorization_endpoint").ok_or_else(|| {
        let text = "The query must contain the parameter 'authorization_endpoint'.";
        EntraError::new("invalid_request", 900_144, text)
    })?;
    let tenant = endpoint
        .strip_prefix(&format!("{}/", world.url))
        .and_then(|path| path.split('/').next())
        .ok_or_else(|| {
            let text = format!("The authority '{endpoint}' is unknown here.");
            EntraError::new("invalid_instance", 50_049, text)
        })?;
    let host = host(world);
    Ok(Answer::json(
        200,
        &json!({
            "tenant_discovery_endpoint":
                format!("{}/{tenant}/v2.0/.well-known/openid-configuration", world.url),
            "api-version": "1.1",
            "metadata": [
                { "preferred_network": host, "preferred_cache": host, "aliases": [host] },
            ],
        }),
    ))
}

/// Answers `GET /common/userrealm/{user}`.
pub(crate) fn user_realm(world: &World, call: &Call, username: &str) -> Answer {
    let username: String = form_urlencoded::parse(username.replace('+', "%2B").as_bytes())
        .next()
        .map_or_else(String::new, |(name, _)| name.into_owned());
    let domain = username.rsplit_once('@').map_or(username.as_str(), |(_, domain)| domain);
    let is_federated = world.directory.is_federated(domain);
    let kind = match world.directory.tenant(domain) {
        _ if is_federated => "Federated",
        Some(_) => "Managed",
        None => "Unknown",
    };
    // Version 2.0 has other member names than version 1.0.
    let is_version_2 = call.parameter("api-version") == Some("2.0");
    let mut body = fields(if is_version_2 {
        json!({ "NameSpaceType": kind, "Login": username, "DomainName": domain })
    } else {
        json!({ "ver": "1.0", "account_type": kind, "domain_name": domain })
    });
    if is_federated && !is_version_2 {
        body.extend(fields(federation::realm(world)));
    }
    body.insert("cloud_instance_name".into(), json!(host(world)));
    body.insert("cloud_audience_urn".into(), json!(federation::AUDIENCE));
    Answer::json(200, &json!(body))
}

fn host(world: &World) -> &str {
    world.url.trim_start_matches("https://")
}
