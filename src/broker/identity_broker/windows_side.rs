//! The broker of Windows (WAM), asked from WSL by `azt.exe`.

use std::path::PathBuf;
use std::time::Duration;

use super::{IdentityBroker, LIMIT, Method, full_stop, misbehaved, serve};
use crate::error::{Error, Kind, Result};
use crate::foreign::Sentence;
use crate::secret::Secret;
use crate::sys::{CallFailure, exchange_line};

/// The hidden command that answers.
const COMMAND: &str = "identity-broker";

/// The `azt.exe` on the Windows side.
pub(super) struct WindowsSide(PathBuf);

impl WindowsSide {
    /// That `program`.
    pub(super) fn new(program: PathBuf) -> Self {
        Self(program)
    }
}

impl IdentityBroker for WindowsSide {
    fn call(&self, method: Method, request: String, limit: Duration) -> Result<Secret> {
        let question = serve::question(method, request);
        let answer = exchange_line(&self.0, &[COMMAND], question, limit);
        let program = Sentence::new(&self.0.display().to_string());
        let answer = answer.map_err(|failure| match failure {
            CallFailure::Absent(why) => {
                Error::failed(format!("{program} cannot be asked for a token: {}", full_stop(&why)))
            }
            CallFailure::TimedOut => misbehaved(&format!(
                "of Windows did not answer through {program} within {} s",
                LIMIT.as_secs()
            )),
            CallFailure::Died => {
                Error::new(Kind::Service, format!("{program} ended without an answer."))
                    .remedy("Install the same version of azt on both sides.")
            }
            CallFailure::Refused(why) => {
                misbehaved(&format!("of Windows was not understood: {}", Sentence::new(&why)))
            }
        })?;
        serve::answer_in(answer.expose())
    }
}
