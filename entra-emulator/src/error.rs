//! Errors: of starting and controlling the emulator, and those that it sends to clients.

use crate::call::{Answer, Call, fields};
use crate::clock;
use crate::identifier;
use crate::world::World;
use serde_json::{Value, json};

/// The emulator cannot start, or a call of its interface fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A port is taken, or a file cannot be written.
    #[error("{what}: {source}")]
    Io {
        /// What was attempted.
        what: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A certificate cannot be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(String),
    /// The text is not a [`Directory`](crate::Directory).
    #[error("the directory cannot be read: {0}")]
    Directory(#[from] serde_json::Error),
    /// No device code with this user code waits for a user.
    #[error("no sign-in with the code '{0}' is waiting")]
    NoSuchUserCode(String),
    /// The directory has no such user.
    #[error("the directory has no user '{0}'")]
    NoSuchUser(String),
}

/// An error in the form that Entra's endpoints send.
#[derive(Debug)]
pub(crate) struct EntraError {
    pub(crate) status: u16,
    pub(crate) error: String,
    pub(crate) code: u32,
    pub(crate) description: String,
    pub(crate) suberror: Option<String>,
    pub(crate) claims: Option<String>,
}

impl EntraError {
    pub(crate) fn new(error: &str, code: u32, description: impl Into<String>) -> Self {
        Self {
            status: if error == "invalid_client" { 401 } else { 400 },
            error: error.into(),
            code,
            description: description.into(),
            suberror: None,
            claims: None,
        }
    }

    pub(crate) fn missing(parameter: &str) -> Self {
        let text = format!("The request body must contain the parameter '{parameter}'.");
        Self::new("invalid_request", 900_144, text)
    }

    pub(crate) fn suberror(mut self, suberror: &str) -> Self {
        self.suberror = Some(suberror.into());
        self
    }

    pub(crate) fn claims(mut self, claims: &Value) -> Self {
        self.claims = Some(claims.to_string());
        self
    }

    /// The `error_description`: the code, the sentence and the ids for Microsoft's support.
    fn full_description(&self, trace_id: &str, correlation_id: &str, timestamp: &str) -> String {
        format!(
            "AADSTS{}: {} Trace ID: {trace_id} Correlation ID: {correlation_id} Timestamp: {timestamp}",
            self.code, self.description
        )
    }

    /// The response of a JSON endpoint.
    pub(crate) fn answer(&self, world: &World, call: &Call) -> Answer {
        let trace_id = identifier::guid();
        let correlation_id = correlation_id(call);
        let timestamp = clock::timestamp(world.now());
        let mut body = fields(json!({
            "error": self.error,
            "error_description": self.full_description(&trace_id, &correlation_id, &timestamp),
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": format!("{}/error?code={}", world.url, self.code),
        }));
        if let Some(suberror) = &self.suberror {
            body.insert("suberror".into(), json!(suberror));
        }
        if let Some(claims) = &self.claims {
            body.insert("claims".into(), json!(claims));
        }
        Answer::json(self.status, &json!(body))
            .header("Cache-Control", "no-store, no-cache")
            .header("x-ms-request-id", &trace_id)
            .header("client-request-id", &correlation_id)
    }

    /// The parameters of a redirect to the client (RFC 6749 4.1.2.1).
    pub(crate) fn redirect_parameters(&self, world: &World, call: &Call) -> Vec<(String, String)> {
        let timestamp = clock::timestamp(world.now());
        let description =
            self.full_description(&identifier::guid(), &correlation_id(call), &timestamp);
        let mut parameters = vec![
            ("error".to_owned(), self.error.clone()),
            ("error_description".to_owned(), description),
            ("error_uri".to_owned(), format!("{}/error?code={}", world.url, self.code)),
        ];
        if let Some(suberror) = &self.suberror {
            parameters.push(("error_subcode".into(), suberror.clone()));
        }
        parameters
    }
}

fn correlation_id(call: &Call) -> String {
    call.header("client-request-id")
        .or_else(|| call.parameter("client-request-id"))
        .map_or_else(identifier::guid, str::to_owned)
}
