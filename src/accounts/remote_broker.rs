//! The azt that this one gets its tokens from (`AZT_BROKER`): `azt serve --socket` on the host of a
//! container, or on the other side of `ssh -R`. No vault, no sign-in and no refresh token is here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::broker::{Token, TokenRequest, Wanted};
use crate::error::{Error, Kind, Result};
use crate::foreign::{Name, Sentence, Typed};
use crate::secret::{Secret, exposed};
use crate::settings::{ConfigDir, ServedFiles};
use crate::sys::{BROKER, System, ask_socket};

/// A request for a token, as JSON.
#[derive(Deserialize, Serialize)]
pub(crate) struct RemoteRequest {
    /// The name of the account: it must be the served one.
    pub(crate) account: String,
    /// Tenant of the token.
    pub(crate) tenant: String,
    /// Scopes of the token.
    pub(crate) scopes: Vec<String>,
    /// The JSON text of a claims challenge.
    pub(crate) claims: Option<String>,
    /// How new it must be.
    pub(crate) wanted: Wanted,
}

/// A token, as JSON.
#[derive(Deserialize, Serialize)]
pub(crate) struct RemoteToken {
    /// The access token.
    #[serde(serialize_with = "exposed")]
    pub(crate) secret: Secret,
    /// Times in seconds since 1970-01-01 UTC.
    pub(crate) cached_at: i64,
    /// When it expires.
    pub(crate) expires_on: i64,
    /// When it is due for a refresh.
    pub(crate) renew_from: i64,
}

#[derive(Deserialize)]
struct Settings {
    /// The name of the active cloud.
    cloud: Name,
    files: ServedFiles,
}

/// The latest expiry that is believed, in seconds from now: no service gives tokens for ten years.
const LONGEST: i64 = 10 * 366 * 24 * 3600;
/// Most lines of remedy.
const REMEDIES: usize = 8;

#[derive(Deserialize)]
struct Failure {
    error: Error,
}

/// The azt at a socket.
#[derive(Clone, Debug)]
pub(crate) struct RemoteBroker {
    socket: PathBuf,
}

impl RemoteBroker {
    /// The one that the environment names; `None` if it names none.
    ///
    /// # Errors
    /// The variable is not `unix:` and an absolute path.
    pub(crate) fn of(system: &System) -> Result<Option<Self>> {
        let Some(value) = system.env.non_empty(BROKER) else { return Ok(None) };
        let socket = value.strip_prefix("unix:").map(PathBuf::from);
        let socket = socket.filter(|path| path.is_absolute()).ok_or_else(|| {
            Error::failed(format!(
                "{BROKER} is '{}', which is not unix: and the absolute path of a socket.",
                Typed(&value)
            ))
        })?;
        Ok(Some(Self { socket }))
    }

    /// The path of its socket.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// The settings of the served account, in place of a configuration folder.
    pub(crate) fn settings(&self) -> Result<ConfigDir> {
        let settings: Settings = self.ask("/azt/settings", None)?;
        // The other settings of az would be obeyed: hosts of tokens among them.
        let own = [("config", format!("[cloud]\nname = {}\n", settings.cloud))];
        let files = own.map(|(name, text)| (name.to_owned(), text)).into_iter();
        let served = settings.files.into_iter().filter(|(name, _)| name != "config");
        let files = served.chain(files).map(|(name, text)| (name, text.into_bytes()));
        Ok(ConfigDir::in_memory(files.collect::<BTreeMap<_, _>>()))
    }

    /// The token of `request`.
    ///
    /// # Errors
    /// Those of the other azt; the socket cannot be reached.
    pub(crate) fn token(&self, request: &TokenRequest, now: i64) -> Result<Token> {
        if request.user_assertion.is_some() {
            return Err(Error::new(
                Kind::Inapplicable,
                "--user-assertion does not go through AZT_BROKER.",
            ));
        }
        let wanted = RemoteRequest {
            account: request.identity.name().to_owned(),
            tenant: request.tenant.clone(),
            scopes: request.scopes.iter().map(str::to_owned).collect(),
            claims: request.claims.clone(),
            wanted: request.wanted,
        };
        let body = serde_json::to_vec(&wanted)
            .map_err(|error| Error::failed("The request cannot be written.").source(error))?;
        let token: RemoteToken = self.ask("/azt/token", Some(body))?;
        // A line feed would be a second header, an escape character the terminal's.
        let is_token = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let is_time = (0..LONGEST).contains(&token.expires_on.saturating_sub(now));
        if !is_token(token.secret.expose()) || token.secret.is_empty() || !is_time {
            return Err(self.is_no_azt());
        }
        Ok(Token {
            secret: token.secret,
            cached_at: token.cached_at,
            expires_on: token.expires_on,
            renew_from: token.renew_from,
            is_new: false,
            is_due_for_refresh: false,
        })
    }

    fn ask<T: for<'de> Deserialize<'de>>(&self, path: &str, body: Option<Vec<u8>>) -> Result<T> {
        let (status, answer) = ask_socket(&self.socket, path, body)?;
        self.answered(status, &answer)
    }

    /// What `answer` says.
    fn answered<T: for<'de> Deserialize<'de>>(&self, status: u16, answer: &[u8]) -> Result<T> {
        if status == 200 {
            return serde_json::from_slice(answer).map_err(|_| self.is_no_azt());
        }
        let failure: Failure = serde_json::from_slice(answer).map_err(|_| self.is_no_azt())?;
        Err(from_there(&failure.error))
    }

    fn is_no_azt(&self) -> Error {
        Error::failed(format!("What listens at {} is not azt serve.", self.socket.display()))
    }
}

/// The error of the other azt: its words only, since a command of its own would be recommended here.
fn from_there(error: &Error) -> Error {
    let said = Error::new(error.kind(), String::from(Sentence::new(error.message())));
    let remedies = error.remedy_lines().iter().take(REMEDIES);
    let said = remedies.fold(said, |said, line| said.remedy(String::from(Sentence::new(line))));
    let is_cured_there = matches!(error.kind(), Kind::NotSignedIn | Kind::InteractionRequired);
    if is_cured_there && !error.remedy_lines().is_empty() {
        return said.remedy("Do this where 'azt serve' runs.");
    }
    said
}
