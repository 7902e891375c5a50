//! The parts of Azure Resource Manager that a sign-in needs.

use crate::call::{Answer, Call, fields};
use crate::directory::{Subscription, Tenant};
use crate::identifier;
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The user, application or managed identity of a request.
struct Caller {
    tenant: String,
    /// User name, or client id of an application or managed identity.
    name: String,
}

/// Answers requests to `/tenants` and `/subscriptions`.
pub(crate) fn answer(world: &World, call: &Call, path: &[&str]) -> Answer {
    match respond(world, call, path) {
        Ok(answer) | Err(answer) => answer.header("x-ms-request-id", &identifier::guid()),
    }
}

fn respond(world: &World, call: &Call, path: &[&str]) -> Result<Answer, Answer> {
    let caller = authorized(world, call)?;
    if call.parameter("api-version").is_none() {
        let text = "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(error(400, "MissingApiVersionParameter", text));
    }
    let seen = world.directory.subscriptions.iter().filter(|it| {
        let here = it.tenant == caller.tenant || it.managed_by_tenants.contains(&caller.tenant);
        here && it.access.iter().any(|name| name.eq_ignore_ascii_case(&caller.name))
    });
    let find = |id: &str| {
        let mut seen = seen.clone();
        seen.find(|it| it.id.eq_ignore_ascii_case(id)).ok_or_else(|| {
            let text = format!("The subscription '{id}' could not be found.");
            error(404, "SubscriptionNotFound", &text)
        })
    };
    match path {
        ["tenants"] => {
            let user = world.directory.user(&caller.name);
            let tenants = world.directory.tenants.iter().filter(|tenant| {
                user.map_or(tenant.id == caller.tenant, |user| user.is_in(&tenant.id))
            });
            page(world, call, tenants.map(tenant_entry).collect())
        }
        ["subscriptions"] => page(world, call, seen.map(subscription_entry).collect()),
        ["subscriptions", id] => Ok(Answer::json(200, &subscription_entry(find(id)?))),
        ["subscriptions", id, "locations"] => {
            let id = &find(id)?.id;
            let locations = LOCATIONS.map(|location| location_entry(id, location));
            Ok(Answer::json(200, &json!({ "value": locations })))
        }
        ["subscriptions", id, _] => {
            find(id)?;
            Ok(Answer::json(200, &json!({ "value": [] })))
        }
        _ => Err(error(404, "ResourceNotFound", "The resource was not found.")),
    }
}

/// Name, display name, display name with geography, latitude, longitude.
const LOCATIONS: [(&str, &str, &str, &str, &str); 3] = [
    ("westeurope", "West Europe", "(Europe) West Europe", "52.3667", "4.9"),
    ("northeurope", "North Europe", "(Europe) North Europe", "53.3478", "-6.2597"),
    ("eastus", "East US", "(US) East US", "37.3719", "-79.8164"),
];

fn location_entry(
    subscription: &str,
    (name, display_name, regional, latitude, longitude): (&str, &str, &str, &str, &str),
) -> Value {
    json!({
        "id": format!("/subscriptions/{subscription}/locations/{name}"),
        "name": name,
        "type": "Region",
        "displayName": display_name,
        "regionalDisplayName": regional,
        "metadata": {
            "regionType": "Physical",
            "regionCategory": "Recommended",
            "latitude": latitude,
            "longitude": longitude,
        },
    })
}

fn tenant_entry(tenant: &Tenant) -> Value {
    json!({
        "id": format!("/tenants/{}", tenant.id),
        "tenantId": tenant.id,
        "countryCode": tenant.country_code,
        "displayName": tenant.display_name,
        "domains": [tenant.default_domain],
        "defaultDomain": tenant.default_domain,
        "tenantCategory": tenant.tenant_category,
        "tenantType": "AAD",
    })
}

fn subscription_entry(subscription: &Subscription) -> Value {
    let managed_by: Vec<Value> = subscription
        .managed_by_tenants
        .iter()
        .map(|tenant| json!({ "tenantId": tenant }))
        .collect();
    json!({
        "id": format!("/subscriptions/{}", subscription.id),
        "authorizationSource": "RoleBased",
        "managedByTenants": managed_by,
        "subscriptionId": subscription.id,
        "tenantId": subscription.tenant,
        "displayName": subscription.name,
        "state": subscription.state,
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    })
}

/// One page of a list; `$skiptoken` is the number of entries before it.
fn page(world: &World, call: &Call, all: Vec<Value>) -> Result<Answer, Answer> {
    let start = call.parameter("$skiptoken").unwrap_or("0");
    let start: usize = start
        .parse()
        .map_err(|_| error(400, "InvalidSkipToken", "The $skiptoken is not valid."))?;
    let size = world.settings.page_size.max(1);
    let count = all.len();
    let value: Vec<Value> = all.into_iter().skip(start).take(size).collect();
    let mut body = fields(json!({
        "value": value,
        "count": { "type": "Total", "value": count },
    }));
    let next = start.saturating_add(size);
    if next < count {
        let version = call.parameter("api-version").unwrap_or_default();
        let link = format!("{}{}?api-version={version}&%24skiptoken={next}", world.url, call.path);
        body.insert("nextLink".into(), json!(link));
    }
    Ok(Answer::json(200, &json!(body)))
}

/// The caller, if the bearer token (RFC 6750) is valid for ARM.
fn authorized(world: &World, call: &Call) -> Result<Caller, Answer> {
    let header = call.header("authorization").unwrap_or_default();
    let Some(token) = header.strip_prefix("Bearer ") else {
        let text = "Authentication failed. The 'Authorization' header is missing.";
        return Err(unauthorized(world, "AuthenticationFailed", text, None));
    };
    let Some(claims) = world.signer.verified(token) else {
        let text = "The access token is invalid.";
        return Err(unauthorized(world, "InvalidAuthenticationToken", text, Some("invalid_token")));
    };
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let expires = claims.get("exp").and_then(Value::as_i64).unwrap_or_default();
    if expires <= world.now() {
        let text = "The access token expiry has passed.";
        return Err(unauthorized(world, "ExpiredAuthenticationToken", text, Some("invalid_token")));
    }
    let audience = text("aud").trim_end_matches('/');
    let arm = world.directory.resource("https://management.core.windows.net/");
    let for_arm = audience == world.url
        || arm.is_some_and(|arm| {
            world.directory.resource(audience).map(|it| &it.app_id) == Some(&arm.app_id)
        });
    if !for_arm {
        let text =
            format!("The access token has been obtained for wrong audience '{}'.", text("aud"));
        return Err(unauthorized(
            world,
            "InvalidAuthenticationTokenAudience",
            &text,
            Some("invalid_token"),
        ));
    }
    let Some(tenant) = world.directory.tenant(text("tid")) else {
        let text = format!("The access token is from the wrong issuer: tenant '{}'.", text("tid"));
        return Err(unauthorized(
            world,
            "InvalidAuthenticationTokenTenant",
            &text,
            Some("invalid_token"),
        ));
    };
    let user = text("unique_name");
    let name = if user.is_empty() { text("appid") } else { user };
    let caller = Caller { tenant: tenant.id.clone(), name: name.to_owned() };
    challenge(world, &claims, &caller).map_or(Ok(caller), Err)
}

/// The claims challenge (continuous access evaluation) for this token, if there is one.
fn challenge(world: &World, claims: &Value, caller: &Caller) -> Option<Answer> {
    let token_id = claims.get("uti").and_then(Value::as_str).unwrap_or_default();
    let serial = identifier::serial_of(token_id).unwrap_or_default();
    let outdated = serial <= world.challenged || world.is_revoked(&caller.name, serial);
    let wanted = world.settings.arm_authentication_context.as_ref();
    let context = wanted.filter(|wanted| {
        let contexts = claims.get("acrs").and_then(Value::as_array);
        !contexts.is_some_and(|contexts| contexts.iter().any(|it| it == wanted.as_str()))
    });
    let claims = match context {
        Some(context) => {
            json!({"access_token": {"acrs": {"essential": true, "values": [context]}}})
        }
        None if outdated => {
            let since = world.now().to_string();
            json!({"access_token": {"nbf": {"essential": true, "value": since}}})
        }
        None => return None,
    };
    let encoded = STANDARD.encode(claims.to_string());
    let text = "The access token was revoked or does not meet a policy; present one with the requested claims.";
    let challenge = format!(
        "Bearer realm=\"\", authorization_uri=\"{}/common/oauth2/authorize\", error=\"insufficient_claims\", claims=\"{encoded}\"",
        world.url
    );
    Some(error(401, "InvalidAuthenticationToken", text).header("WWW-Authenticate", &challenge))
}

fn unauthorized(world: &World, code: &str, text: &str, oauth_error: Option<&str>) -> Answer {
    let mut challenge = format!("Bearer authorization_uri=\"{}/common\"", world.url);
    if let Some(oauth_error) = oauth_error {
        challenge = format!("{challenge}, error=\"{oauth_error}\", error_description=\"{text}\"");
    }
    error(401, code, text).header("WWW-Authenticate", &challenge)
}

/// An error in ARM's form.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!({ "error": { "code": code, "message": message } }))
}
