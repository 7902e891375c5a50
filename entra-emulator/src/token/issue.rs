//! Tokens and the response with them (RFC 6749 5.1, OpenID Connect 3.1.3.3).

use crate::call::{Answer, fields};
use crate::directory::{Application, Tenant, User};
use crate::error::EntraError;
use crate::identifier;
use crate::policy;
use crate::token::scope::Scope;
use crate::token::{TokenRequest, refresh_token};
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

/// A user's sign-in, and what it satisfied.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) username: String,
    /// Its position in the order of sign-ins and tokens, for revocation.
    pub(crate) serial: u64,
    /// The tenant in which the user was present and used a second factor.
    pub(crate) strong_in: Option<String>,
    /// The authentication contexts that it satisfied.
    pub(crate) contexts: Vec<String>,
}

/// The response with a user's tokens.
pub(crate) fn for_user(
    world: &mut World,
    request: &TokenRequest<'_>,
    session: &Session,
    scope: &Scope,
    nonce: Option<&str>,
) -> Result<Answer, EntraError> {
    let user = world.directory.user(&session.username).cloned();
    let user = user.ok_or_else(|| {
        let text = format!("The user account '{}' does not exist.", session.username);
        EntraError::new("invalid_grant", 50_034, text)
    })?;
    let tenant = request.authority.tenant_of(world, &user)?;
    admitted(world, request, session, scope, &user, &tenant)?;

    let application = &request.application;
    let mut claims = common_claims(world, &tenant, application, scope, request);
    let oid = user.oid_in(&tenant.id);
    let v2 = scope.resource.v2_tokens;
    let user_claims = [
        ("idtyp", json!("user")),
        ("oid", json!(oid)),
        ("sub", json!(identifier::pairwise(&oid, &scope.resource.app_id))),
        ("scp", json!(scope.granted().join(" "))),
        ("name", json!(user.display_name)),
        (
            "amr",
            json!(if session.strong_in.as_deref() == Some(tenant.id.as_str()) {
                vec!["pwd", "mfa"]
            } else {
                vec!["pwd"]
            }),
        ),
        (if v2 { "preferred_username" } else { "unique_name" }, json!(user.username)),
    ];
    claims.extend(user_claims.map(|(name, value)| (name.to_owned(), value)));
    if user.tenant == tenant.id {
        claims.insert("upn".into(), json!(user.username));
    } else {
        let home = format!("{}/{}/", world.url, user.tenant);
        claims.insert("idp".into(), json!(home));
    }
    if !request.claims.contexts.is_empty() {
        claims.insert("acrs".into(), json!(request.claims.contexts));
    }
    let access_token = world.signer.sign(&Value::Object(claims));

    let mut answer = answer_fields(world, request, scope, &access_token);
    if scope.offline_access {
        let token = refresh_token::issue(world, request, session, scope);
        answer.insert("refresh_token".into(), json!(token));
        if let Some(family) = &application.family {
            answer.insert("foci".into(), json!(family));
        }
    }
    if scope.openid {
        let id_token = id_token(world, request, &user, &tenant, scope, nonce);
        answer.insert("id_token".into(), json!(id_token));
    }
    if request.call.field("client_info") == Some("1") {
        let client_info = json!({ "uid": user.oid, "utid": user.tenant }).to_string();
        let encoded = URL_SAFE_NO_PAD.encode(client_info);
        answer.insert("client_info".into(), json!(encoded));
    }
    Ok(success(request, &answer))
}

/// Checks that the user may get a token in this tenant with this sign-in.
fn admitted(
    world: &World,
    request: &TokenRequest<'_>,
    session: &Session,
    scope: &Scope,
    user: &User,
    tenant: &Tenant,
) -> Result<(), EntraError> {
    if user.disabled {
        let text = "The user account is disabled.";
        return Err(EntraError::new("invalid_grant", 50_057, text));
    }
    let present = session.strong_in.as_ref() == Some(&tenant.id);
    let contexts = &request.claims.contexts;
    let contexts_missing = contexts.iter().any(|context| !session.contexts.contains(context));
    if (user.mfa_required_in.contains(&tenant.id) && !present) || contexts_missing {
        // The v1 endpoint says it in `error`, the v2.0 endpoint only in the suberror.
        let error = if request.v1 { "interaction_required" } else { "invalid_grant" };
        let claims = if contexts_missing {
            json!({"access_token": {"acrs": {"essential": true, "values": contexts}}})
        } else {
            let policy = identifier::derived_guid(&["policy", &tenant.id]);
            json!({"access_token": {"capolids": {"essential": true, "values": [policy]}}})
        };
        let text = format!(
            "You must use multi-factor authentication to access '{}' in tenant '{}'.",
            scope.resource.app_id, tenant.display_name
        );
        return Err(EntraError::new(error, 50_076, text).suberror("basic_action").claims(&claims));
    }
    let client_id = &request.application.client_id;
    let preauthorized = &scope.resource.preauthorized;
    if !preauthorized.is_empty() && !preauthorized.contains(client_id) {
        let text = format!(
            "Consent between first party application '{client_id}' and first party resource '{}' must be configured via preauthorization.",
            scope.resource.app_id
        );
        return Err(EntraError::new("invalid_grant", 65_002, text));
    }
    // The consent may have changed since the scope was read.
    let resource = world.directory.resource(&scope.resource.app_id);
    let consent_missing = resource.is_some_and(|resource| {
        resource.consent_required && !resource.consented.contains(client_id)
    });
    if consent_missing {
        let text = format!(
            "The user or administrator has not consented to use '{}' with the application '{client_id}'.",
            scope.resource.name
        );
        return Err(EntraError::new("invalid_grant", 65_001, text).suberror("consent_required"));
    }
    Ok(())
}

/// The response with a token for the application itself.
pub(crate) fn for_application(
    world: &mut World,
    request: &TokenRequest<'_>,
    tenant: &Tenant,
    scope: &Scope,
) -> Answer {
    let application = &request.application;
    let mut claims = common_claims(world, tenant, application, scope, request);
    claims.insert("idtyp".into(), json!("app"));
    claims.insert("oid".into(), json!(application.object_id));
    claims.insert("sub".into(), json!(application.object_id));
    if !application.roles.is_empty() {
        claims.insert("roles".into(), json!(application.roles));
    }
    let access_token = world.signer.sign(&Value::Object(claims));
    let mut answer = answer_fields(world, request, scope, &access_token);
    // RFC 6749 5.1 allows to omit a scope that equals the requested one, and Entra does so.
    answer.remove("scope");
    success(request, &answer)
}

/// The claims of every access token from the token endpoint.
fn common_claims(
    world: &mut World,
    tenant: &Tenant,
    application: &Application,
    scope: &Scope,
    request: &TokenRequest<'_>,
) -> Map<String, Value> {
    let mut claims = registered_claims(world, tenant, scope);
    let client = if scope.resource.v2_tokens { ("azp", "azpacr") } else { ("appid", "appidacr") };
    let strength = match request.call.field("client_assertion") {
        _ if application.public => "0",
        Some(_) => "2",
        None => "1",
    };
    claims.insert(client.0.into(), json!(application.client_id));
    claims.insert(client.1.into(), json!(strength));
    if !request.claims.capabilities.is_empty() {
        claims.insert("xms_cc".into(), json!(request.claims.capabilities));
    }
    claims
}

/// Audience, issuer, times and ids: the claims of every access token of this tenant.
pub(crate) fn registered_claims(
    world: &mut World,
    tenant: &Tenant,
    scope: &Scope,
) -> Map<String, Value> {
    let now = world.now();
    let serial = world.next_serial();
    let (audience, issuer, version) = if scope.resource.v2_tokens {
        let issuer = format!("{}/{}/v2.0", world.url, tenant.id);
        (&scope.resource.app_id, issuer, "2.0")
    } else {
        let issuer = format!("{}/{}/", world.url, tenant.id);
        (&scope.audience, issuer, "1.0")
    };
    [
        ("aud", json!(audience)),
        ("iss", json!(issuer)),
        ("iat", json!(now)),
        ("nbf", json!(now)),
        ("exp", json!(now + world.settings.token_lifetime)),
        ("tid", json!(tenant.id)),
        ("uti", json!(identifier::token_id(serial))),
        ("ver", json!(version)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect()
}

fn id_token(
    world: &World,
    request: &TokenRequest<'_>,
    user: &User,
    tenant: &Tenant,
    scope: &Scope,
    nonce: Option<&str>,
) -> String {
    let now = world.now();
    let oid = user.oid_in(&tenant.id);
    let client_id = &request.application.client_id;
    let (issuer, version) = if request.v1 {
        (format!("{}/{}/", world.url, tenant.id), "1.0")
    } else {
        (format!("{}/{}/v2.0", world.url, tenant.id), "2.0")
    };
    let mut claims = fields(json!({
        "aud": client_id,
        "iss": issuer,
        "iat": now,
        "nbf": now,
        "exp": now + world.settings.token_lifetime,
        "oid": oid,
        "rh": format!("0.{}.", identifier::pairwise(&oid, &tenant.id)),
        "sub": identifier::pairwise(&oid, client_id),
        "tid": tenant.id,
        "ver": version,
    }));
    if request.v1 {
        claims.insert("upn".into(), json!(user.username));
        claims.insert("unique_name".into(), json!(user.username));
    }
    if scope.profile {
        claims.insert("name".into(), json!(user.display_name));
        claims.insert("preferred_username".into(), json!(user.username));
    }
    if let Some(policy) = policy::of(request.call) {
        policy::shape(&mut claims, &policy, &user.username);
    }
    if scope.email {
        claims.insert("email".into(), json!(user.username));
    }
    if let Some(nonce) = nonce {
        claims.insert("nonce".into(), json!(nonce));
    }
    world.signer.sign(&json!(claims))
}

/// The members of every response. The v1 endpoint has more members and writes numbers as text.
fn answer_fields(
    world: &World,
    request: &TokenRequest<'_>,
    scope: &Scope,
    access_token: &str,
) -> Map<String, Value> {
    let now = world.now();
    let lifetime = world.settings.token_lifetime;
    let number = |value: i64| {
        if request.v1 { json!(value.to_string()) } else { json!(value) }
    };
    let mut answer = Map::new();
    answer.insert("token_type".into(), json!("Bearer"));
    answer.insert("expires_in".into(), number(lifetime));
    answer.insert("ext_expires_in".into(), number(lifetime));
    if let Some(refresh_in) = world.settings.refresh_in {
        answer.insert("refresh_in".into(), number(refresh_in));
    }
    if request.v1 {
        answer.insert("expires_on".into(), number(now + lifetime));
        answer.insert("not_before".into(), number(now));
        answer.insert("resource".into(), json!(scope.audience));
        answer.insert("scope".into(), json!(scope.granted().join(" ")));
    } else {
        answer.insert("scope".into(), json!(scope.answered()));
    }
    answer.insert("access_token".into(), json!(access_token));
    answer
}

fn success(request: &TokenRequest<'_>, answer: &Map<String, Value>) -> Answer {
    let correlation_id = request.call.header("client-request-id");
    let answer = Answer::json(200, &json!(answer))
        .header("Cache-Control", "no-store, no-cache")
        .header("x-ms-request-id", &identifier::guid());
    match correlation_id {
        Some(id) => answer.header("client-request-id", id),
        None => answer,
    }
}
