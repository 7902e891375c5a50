//! The services that make federated tokens for the jobs of a pipeline.

use crate::call::{Answer, Call};
use crate::emulator::assertion;
use crate::world::World;
use serde_json::json;

const GITHUB: (&str, &str) =
    ("https://token.actions.githubusercontent.com", "repo:contoso/app:ref:refs/heads/main");
const AZURE: (&str, &str) = (
    "https://vstoken.dev.azure.com/0a000000-0000-4000-8000-000000000001",
    "sc://contoso/app/production",
);
const TOKEN_EXCHANGE: &str = "api://AzureADTokenExchange";

/// The only service connection of Azure Pipelines.
const CONNECTION: &str = "5c000000-0000-4000-8000-000000000001";

/// GitHub's `ACTIONS_ID_TOKEN_REQUEST_URL`: `GET …&audience=…`.
pub(crate) fn github(world: &World, call: &Call) -> Answer {
    if !presents_job_token(world, call) {
        return Answer::json(403, &json!({"message": "Resource not accessible by integration"}));
    }
    let audience = call.parameter("audience").unwrap_or("https://github.com/contoso");
    let token = assertion(world, GITHUB.0, GITHUB.1, audience);
    Answer::json(200, &json!({ "count": token.len(), "value": token }))
}

/// Azure Pipelines' `SYSTEM_OIDCREQUESTURI`: `POST …?api-version=7.1&serviceConnectionId=…`.
pub(crate) fn azure(world: &World, call: &Call) -> Answer {
    if !presents_job_token(world, call) {
        return Answer::json(401, &json!({"message": "TF400813: not authorized"}));
    }
    if call.parameter("api-version").is_none() {
        return Answer::json(400, &json!({"message": "No api-version was supplied."}));
    }
    if call.parameter("serviceConnectionId") != Some(CONNECTION) {
        return Answer::json(404, &json!({"message": "No such service connection."}));
    }
    let token = assertion(world, AZURE.0, AZURE.1, TOKEN_EXCHANGE);
    Answer::json(200, &json!({ "oidcToken": token }))
}

fn presents_job_token(world: &World, call: &Call) -> bool {
    let presented = call.header("authorization").and_then(|header| header.split_once(' '));
    presented.is_some_and(|(scheme, token)| {
        scheme.eq_ignore_ascii_case("bearer") && token == world.settings.job_token
    })
}
