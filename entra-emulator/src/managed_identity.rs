//! Managed identity endpoints, one for each kind of host. All are on the plain HTTP port, except
//! Service Fabric's.

use crate::arm;
use crate::call::{Answer, Call, fields};
use crate::directory::ManagedIdentity;
use crate::identifier;
use crate::token::issue::registered_claims;
use crate::token::scope::Scope;
use crate::world::World;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Answers a request on the HTTP port.
pub(crate) fn answer(world: &mut World, call: &Call, path: &[&str]) -> Answer {
    let result = match (call.method.as_str(), path) {
        ("GET", ["metadata", "identity", "oauth2", "token"]) => virtual_machine(world, call),
        ("GET", ["msi", "token"]) => app_service(world, call),
        ("GET", ["machinelearning", "token"]) => machine_learning(world, call),
        ("GET", ["arc", "metadata", "identity", "oauth2", "token"]) => arc(world, call),
        ("POST", ["oauth2", "token"]) => cloud_shell(world, call),
        _ => Err(Answer::not_found()),
    };
    result.unwrap_or_else(|refusal| refusal)
}

/// The instance metadata service of virtual machines (IMDS).
fn virtual_machine(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    metadata_header(call)?;
    api_version(call)?;
    let names = ["client_id", "object_id", "msi_res_id", "mi_res_id"];
    let token = for_identity(world, call, &names)?;
    Ok(Answer::json(200, &json!(token)))
}

/// App Service, Functions, Container Apps (`2019-08-01`).
fn app_service(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    secret_header(world, call, "x-identity-header")?;
    api_version(call)?;
    let names = ["client_id", "object_id", "principal_id", "mi_res_id"];
    let mut token = for_identity(world, call, &names)?;
    keep_only(&mut token, &["access_token", "client_id", "expires_on", "resource", "token_type"]);
    Ok(Answer::json(200, &json!(token)))
}

/// Service Fabric, on the HTTPS port, because clients pin its certificate.
pub(crate) fn service_fabric(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    secret_header(world, call, "secret")?;
    api_version(call)?;
    let mut token = for_identity(world, call, &[])?;
    keep_only(&mut token, &["access_token", "expires_on", "resource", "token_type"]);
    Ok(Answer::json(200, &json!(token)))
}

/// Azure Machine Learning (`2017-09-01`).
fn machine_learning(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    secret_header(world, call, "secret")?;
    api_version(call)?;
    let mut token = for_identity(world, call, &["clientid", "client_id"])?;
    keep_only(&mut token, &["access_token", "expires_on", "resource", "token_type"]);
    Ok(Answer::json(200, &json!(token)))
}

/// Azure Arc: the caller must first read a secret from a file that only privileged users can read.
fn arc(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    metadata_header(call)?;
    api_version(call)?;
    let presented = call.header("authorization").and_then(|header| header.strip_prefix("Basic "));
    if presented.is_some() && presented == world.arc_secret.as_deref() {
        // Each secret works once.
        world.arc_secret = None;
        let names = ["client_id", "object_id", "msi_res_id"];
        let token = for_identity(world, call, &names)?;
        return Ok(Answer::json(200, &json!(token)));
    }
    let secret = identifier::opaque("arc");
    let file = arc_key_file(world);
    std::fs::write(&file, &secret).map_err(|error| {
        let text = format!("cannot write {}: {error}", file.display());
        arm::error(500, "KeyFile", &text)
    })?;
    world.arc_secret = Some(secret);
    let challenge = format!("Basic realm={}", file.display());
    Err(bad_request(401, "unauthorized", "Present the secret in the named file.")
        .header("WWW-Authenticate", &challenge))
}

fn arc_key_file(world: &World) -> PathBuf {
    world.settings.arc_key_file.clone().unwrap_or_else(|| {
        let port = world.http_url.rsplit(':').next().unwrap_or_default();
        std::env::temp_dir().join(format!("entra-emulator-{port}.key"))
    })
}

/// Cloud Shell: the token is that of the signed-in user.
fn cloud_shell(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    metadata_header(call)?;
    let scope = scope(world, call.field("resource"))?;
    let user = match &world.settings.cloud_shell_user {
        Some(username) => world.directory.user(username),
        None => world.directory.users.first(),
    };
    let user = user.cloned();
    let home = user.as_ref().and_then(|user| world.directory.tenant(&user.tenant)).cloned();
    let (Some(user), Some(tenant)) = (user, home) else {
        return Err(bad_request(400, "invalid_request", "No user is signed in."));
    };
    let mut claims = registered_claims(world, &tenant, &scope);
    let more = json!({
        "appid": "b677c290-cf4b-4a8e-a60e-91ba650a4abe",
        "appidacr": "2",
        "idtyp": "user",
        "oid": user.oid,
        "sub": identifier::pairwise(&user.oid, &scope.resource.app_id),
        "scp": scope.granted().join(" "),
        "name": user.display_name,
        "unique_name": user.username,
        "upn": user.username,
    });
    claims.extend(fields(more));
    let mut token = token_answer(world, &scope, claims);
    keep_only(
        &mut token,
        &[
            "access_token",
            "expires_in",
            "expires_on",
            "ext_expires_in",
            "not_before",
            "refresh_token",
            "resource",
            "token_type",
        ],
    );
    token.insert("refresh_token".into(), json!(""));
    token.insert("scope".into(), json!(scope.granted().join(" ")));
    Ok(Answer::json(200, &json!(token)))
}

/// The token for the identity in one of the query's parameters `names`, or for the system-assigned
/// one.
fn for_identity(
    world: &mut World,
    call: &Call,
    names: &[&str],
) -> Result<Map<String, Value>, Answer> {
    let scope = scope(world, call.parameter("resource"))?;
    let wanted = names.iter().find_map(|name| call.parameter(name));
    let is_wanted = |identity: &&ManagedIdentity| match wanted {
        None => identity.system_assigned,
        Some(wanted) => [&identity.client_id, &identity.object_id, &identity.resource_id]
            .into_iter()
            .any(|id| id.eq_ignore_ascii_case(wanted)),
    };
    let identity = world.directory.managed_identities.iter().find(is_wanted);
    let identity = identity
        .cloned()
        .ok_or_else(|| bad_request(400, "invalid_request", "Identity not found"))?;
    let tenant = world.directory.tenant(&identity.tenant).cloned();
    let tenant = tenant.ok_or_else(|| {
        let text = "The identity's tenant is not in the directory.";
        bad_request(400, "invalid_request", text)
    })?;
    let mut claims = registered_claims(world, &tenant, &scope);
    let client = if scope.resource.v2_tokens { "azp" } else { "appid" };
    let more = json!({
        client: identity.client_id,
        "appidacr": "2",
        "idtyp": "app",
        "oid": identity.object_id,
        "sub": identity.object_id,
        "xms_mirid": identity.resource_id,
    });
    claims.extend(fields(more));
    let mut token = token_answer(world, &scope, claims);
    token.insert("client_id".into(), json!(identity.client_id));
    token.insert("object_id".into(), json!(identity.object_id));
    token.insert("msi_res_id".into(), json!(identity.resource_id));
    if call.path.starts_with("/metadata/") {
        // IMDS names the identity only by its client id.
        keep_only(
            &mut token,
            &[
                "access_token",
                "client_id",
                "expires_in",
                "expires_on",
                "ext_expires_in",
                "not_before",
                "resource",
                "token_type",
            ],
        );
    }
    Ok(token)
}

/// The members of a response; all of these endpoints write numbers as text.
fn token_answer(world: &World, scope: &Scope, claims: Map<String, Value>) -> Map<String, Value> {
    let (now, lifetime) = (world.now(), world.settings.token_lifetime);
    fields(json!({
        "access_token": world.signer.sign(&Value::Object(claims)),
        "expires_in": lifetime.to_string(),
        "expires_on": (now + lifetime).to_string(),
        "ext_expires_in": lifetime.to_string(),
        "not_before": now.to_string(),
        "resource": scope.audience,
        "token_type": "Bearer",
    }))
}

fn keep_only(token: &mut Map<String, Value>, names: &[&str]) {
    token.retain(|name, _| names.contains(&name.as_str()));
}

fn scope(world: &World, resource: Option<&str>) -> Result<Scope, Answer> {
    let resource = resource.ok_or_else(|| {
        bad_request(400, "invalid_request", "The parameter 'resource' is missing.")
    })?;
    Scope::of_resource(world, resource).map_err(|error| {
        let text = format!("AADSTS{}: {}", error.code, error.description);
        bad_request(400, &error.error, &text)
    })
}

fn metadata_header(call: &Call) -> Result<(), Answer> {
    let given = call.header("metadata");
    if given.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(());
    }
    let text = "Required metadata header not specified";
    Err(bad_request(400, "invalid_request", text))
}

fn secret_header(world: &World, call: &Call, name: &str) -> Result<(), Answer> {
    if call.header(name) == Some(world.settings.identity_header.as_str()) {
        return Ok(());
    }
    let text = format!("The header {name} is missing or wrong.");
    Err(bad_request(401, "unauthorized", &text))
}

fn api_version(call: &Call) -> Result<(), Answer> {
    if call.parameter("api-version").is_some() {
        return Ok(());
    }
    let text = "The parameter 'api-version' is missing.";
    Err(bad_request(400, "invalid_request", text))
}

fn bad_request(status: u16, error: &str, description: &str) -> Answer {
    Answer::json(status, &json!({ "error": error, "error_description": description }))
}
