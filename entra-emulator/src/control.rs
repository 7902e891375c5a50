//! Control of the emulator over HTTP: `/_emulator/…`, with JSON, on both ports.

use crate::call::{Answer, Call, fields};
use crate::device::{self, Outcome};
use crate::directory::Directory;
use crate::emulator::{assertion, pending_device_codes};
use crate::fault::Fault;
use crate::world::World;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Answers `/_emulator/<path>`.
pub(crate) fn answer(world: &mut World, call: &Call, path: &[&str]) -> Answer {
    let done = || Ok(json!({}));
    let result = match (call.method.as_str(), path) {
        ("GET", ["requests"]) => Ok(json!(world.log.entries)),
        ("DELETE", ["requests"]) => {
            world.log.entries.clear();
            done()
        }
        ("GET", ["faults"]) => Ok(json!(world.faults)),
        ("POST", ["faults"]) => read(call).map(|fault: Fault| {
            world.faults.push(fault);
            json!({})
        }),
        ("DELETE", ["faults"]) => {
            world.faults.clear();
            done()
        }
        ("GET", ["settings"]) => Ok(json!(world.settings)),
        ("POST", ["settings"]) => change_settings(world, call),
        ("GET", ["directory"]) => Ok(json!(world.directory)),
        ("POST", ["directory"]) => read(call).map(|directory: Directory| {
            world.directory = directory;
            json!({})
        }),
        ("GET", ["devicecode"]) => Ok(json!(pending_device_codes(world))),
        ("POST", ["devicecode", verb]) => device_code(world, call, verb),
        ("POST", ["revoke"]) => read(call).map(|Username { username }| {
            world.revoke(&username);
            json!({})
        }),
        ("POST", ["challenge"]) => {
            world.challenge_access_tokens();
            done()
        }
        ("GET", ["assertion"]) => federated_assertion(world, call),
        _ => return Answer::not_found(),
    };
    match result {
        Ok(body) => Answer::json(200, &body),
        Err(message) => Answer::json(400, &json!({ "error": message })),
    }
}

fn read<T: DeserializeOwned>(call: &Call) -> Result<T, String> {
    serde_json::from_slice(&call.body).map_err(|error| error.to_string())
}

/// Omitted members stay as they are.
fn change_settings(world: &mut World, call: &Call) -> Result<Value, String> {
    let changes: serde_json::Map<String, Value> = read(call)?;
    let mut settings = fields(json!(world.settings));
    settings.extend(changes);
    world.settings = serde_json::from_value(json!(settings)).map_err(|error| error.to_string())?;
    Ok(json!(world.settings))
}

#[derive(Deserialize)]
struct Username {
    username: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeviceCodeRequest {
    user_code: String,
    username: Option<String>,
}

fn device_code(world: &mut World, call: &Call, verb: &str) -> Result<Value, String> {
    let DeviceCodeRequest { user_code, username } = read(call)?;
    let now = world.now();
    let result = match verb {
        "approve" => {
            let username = username.ok_or("approve needs a 'username'")?;
            device::approve(world, &user_code, &username)
        }
        "decline" => {
            device::pending(world, &user_code).map(|code| code.outcome = Outcome::Declined)
        }
        "expire" => device::pending(world, &user_code).map(|code| code.expires_at = now),
        other => return Err(format!("'{other}' is not approve, decline or expire")),
    };
    result.map_err(|error| error.to_string())?;
    Ok(json!({}))
}

/// Answers `?iss=…&sub=…[&audience=…]` in the form of GitHub's `ACTIONS_ID_TOKEN_REQUEST_URL`.
fn federated_assertion(world: &World, call: &Call) -> Result<Value, String> {
    let part = |name| call.parameter(name).ok_or(format!("the query lacks '{name}'"));
    let audience = call.parameter("audience").unwrap_or("api://AzureADTokenExchange");
    Ok(json!({ "value": assertion(world, part("iss")?, part("sub")?, audience) }))
}
