//! `/echo`: repeats the request, for tests of programs that send requests of their users.

use crate::call::{Answer, Call};
use crate::world::World;
use serde_json::{Value, json};

/// Answers `/echo/…` with the request as JSON: of `Authorization` only what its token says. In the
/// query, `status` sets the status, `text` a body in place of the JSON, and `location` that header.
pub(crate) fn answer(world: &World, call: &Call) -> Answer {
    let status = call.parameter("status").and_then(|status| status.parse().ok()).unwrap_or(200);
    let answer = match call.query.get("text") {
        Some(text) => Answer::new(status, "text/plain; charset=utf-8", text.as_str()),
        None => Answer::json(status, &request(world, call)),
    };
    match call.parameter("location") {
        Some(location) => answer.header("Location", location),
        None => answer,
    }
}

fn request(world: &World, call: &Call) -> Value {
    let header = call.header("authorization");
    let claims = header.and_then(|it| world.signer.verified(it.strip_prefix("Bearer ")?));
    let claim = |name: &str| claims.as_ref().and_then(|it| it.get(name).cloned());
    let mut headers = call.headers.clone();
    headers.remove("authorization");
    json!({
        "method": call.method,
        "path": call.path,
        "query": call.query,
        "headers": headers,
        "body": String::from_utf8_lossy(&call.body),
        "authorization": header.map(|_| json!({
            "aud": claim("aud"),
            "tid": claim("tid"),
            "user": claim("unique_name").or_else(|| claim("appid")),
        })),
    })
}
