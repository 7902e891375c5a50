//! The token endpoint for programs on this machine, which `exec` and `serve` run: one path in the
//! shapes of Azure's managed identities and of azd.
//!
//! Who may ask: on a loopback port, programs that know the key of this run; on a Unix socket, the
//! users that the socket admits. Web pages never: a request with a browser's headers or for another
//! host name (DNS rebinding) is refused.

mod allowed;
mod app_service;
mod audit;
mod azd;
#[cfg(unix)]
mod azt;
#[cfg(fuzzing)]
mod fuzzing;
mod refused;
mod source;
mod tokens;

use std::sync::Arc;

use hyper::Method;
use hyper::header::{AUTHORIZATION, HOST, HeaderMap};
use zeroize::Zeroizing;

pub(super) use allowed::Allowed;
pub(super) use audit::Audit;
#[cfg(fuzzing)]
pub use fuzzing::endpoint as fuzz_endpoint;
pub(super) use source::Source;

#[cfg(unix)]
use crate::broker::Wanted;
use crate::error::Result;
use crate::secret::Secret;
use crate::sys::{Call, Clock, Peer, Reply, System, fill_random};
use refused::{Refused, Why};
use tokens::{Ask, Held, Tokens};

/// The only path. At a port the key may follow it.
const PATH: &str = "/token";

/// Headers that browsers and proxies add, and programs that ask for a token do not.
const FOREIGN_HEADERS: [&str; 7] = [
    "origin",
    "sec-fetch-site",
    "sec-fetch-mode",
    "sec-fetch-dest",
    "x-forwarded-for",
    "x-forwarded-host",
    "forwarded",
];

/// Where the endpoint listens, which decides who may ask.
pub(super) enum Door {
    /// A port of 127.0.0.1: who knows the key.
    Port { hosts: [String; 2], key: Secret },
    /// A Unix socket: every process that it admits.
    Socket,
}

impl Door {
    /// The door of `port`, for who knows `key`.
    pub(super) fn at_port(port: u16, key: Secret) -> Self {
        let hosts = ["127.0.0.1", "localhost"].map(|host| format!("{host}:{port}"));
        Self::Port { hosts, key }
    }
}

/// Answers requests for tokens.
pub(super) struct Endpoint {
    door: Door,
    tokens: Tokens,
    allowed: Allowed,
    audit: Option<Audit>,
    clock: Clock,
}

impl Endpoint {
    /// Hands out the tokens of `source` that are `allowed`.
    pub(super) fn new(
        door: Door,
        source: Source,
        allowed: Allowed,
        audit: Option<Audit>,
        system: &System,
    ) -> Arc<Self> {
        let clock = system.clock.clone();
        let tokens = Tokens::new(source, clock.clone());
        Arc::new(Self { door, tokens, allowed, audit, clock })
    }

    /// The reply to `call`. Never fails: a refusal is a reply.
    pub(super) async fn answer(self: Arc<Self>, call: Call) -> Reply {
        let admitted = self.admit(&call);
        #[cfg(unix)]
        if matches!(self.door, Door::Socket) && call.uri.path().starts_with("/azt/") {
            let found = match admitted {
                Ok(()) => self.for_azt(&call).await,
                Err(refused) => Err(refused),
            };
            return found.map_or_else(|refused| azt::refusal(&refused), Reply::ok);
        }
        let is_azd = call.method == Method::POST;
        let found = match admitted.and_then(|()| self.is_for_token(&call)) {
            Err(refused) => Err(refused),
            Ok(()) if is_azd => self.for_azd(&call).await,
            Ok(()) => self.for_app_service(&call).await,
        };
        let refusal = if is_azd { azd::refusal } else { app_service::refusal };
        found.map_or_else(|refused| refusal(&refused), Reply::ok)
    }

    #[cfg(unix)]
    async fn for_azt(&self, call: &Call) -> Result<Zeroizing<Vec<u8>>, Refused> {
        match call.uri.path() {
            azt::SETTINGS => {
                let (cloud, files) = self.tokens.settings().await?;
                Ok(azt::settings(&cloud, &files))
            }
            azt::TOKEN => {
                let azt::Request { ask, claims, wanted } =
                    azt::asked(&call.body, self.tokens.account())?;
                let shown = ask.scopes.joined();
                self.allowed.check(&ask, &shown).await?;
                let held = if claims.is_none() && wanted == Wanted::Usable {
                    self.tokens.get(&ask).await?
                } else {
                    self.tokens.get_special(ask, claims, wanted).await?
                };
                self.note(call.peer, &shown, &held)?;
                Ok(azt::reply(&held))
            }
            _ => Err(Refused::new(Why::Malformed, "There is nothing here.")),
        }
    }

    async fn for_app_service(&self, call: &Call) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let request = app_service::Request::of(call.uri.query().unwrap_or_default())?;
        let held = self.token(&request.ask, &request.resource, call.peer).await?;
        Ok(request.reply(&held, self.clock.now()))
    }

    async fn for_azd(&self, call: &Call) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let ask = azd::asked(&call.body)?;
        let held = self.token(&ask, &ask.scopes.joined(), call.peer).await?;
        Ok(azd::reply(&held))
    }

    /// The token of `ask`, if it is allowed.
    async fn token(&self, ask: &Ask, shown: &str, peer: Peer) -> Result<Arc<Held>, Refused> {
        self.allowed.check(ask, shown).await?;
        let held = self.tokens.get(ask).await?;
        self.note(peer, shown, &held)?;
        Ok(held)
    }

    /// Writes the line of the audit: without it no token is handed out.
    fn note(&self, peer: Peer, shown: &str, held: &Held) -> Result<(), Refused> {
        let Some(audit) = &self.audit else { return Ok(()) };
        audit.write(self.clock.now(), peer, shown, held).map_err(|error| {
            Refused::new(Why::Transient, format!("The audit cannot be written: {error}."))
        })
    }

    /// Refuses what a web page could have sent, and who does not know the key.
    fn admit(&self, call: &Call) -> Result<(), Refused> {
        let refused = |why: &str| Err(Refused::new(Why::Forbidden, why));
        if let Some(name) = FOREIGN_HEADERS.iter().find(|name| call.headers.contains_key(**name)) {
            return refused(&format!(
                "A request with the header {name} is refused: it may come from a web page."
            ));
        }
        if !call.peer.is_admitted {
            let uid = call.peer.uid.unwrap_or_default();
            return refused(&format!(
                "The user {uid} may not ask here: start it with azt serve --allow-uid {uid}."
            ));
        }
        if let Door::Port { hosts, key } = &self.door {
            // Of two, another program may take the other one.
            let mut given = call.headers.get_all(HOST).iter().map(|host| host.to_str().ok());
            let host = given.next().flatten().filter(|_| given.next().is_none());
            if !host.is_some_and(|host| hosts.iter().any(|own| own.eq_ignore_ascii_case(host))) {
                return refused("The request is for another host name.");
            }
            let given = key_in_path(call).or_else(|| key_in(&call.headers));
            if !given.is_some_and(|given| key.is(given)) {
                return Err(Refused::new(
                    Why::WrongKey,
                    "The key is missing or wrong: IDENTITY_HEADER or AZD_AUTH_KEY of the azt that listens here.",
                ));
            }
        }
        Ok(())
    }

    /// Fails unless `call` is a request of App Service's or of azd's.
    fn is_for_token(&self, call: &Call) -> Result<(), Refused> {
        let malformed = |why: &str| Err(Refused::new(Why::Malformed, why));
        let has_key = matches!(self.door, Door::Port { .. }) && key_in_path(call).is_some();
        if call.uri.path().trim_end_matches('/') != PATH && !has_key {
            return malformed("Tokens are at /token.");
        }
        match call.method {
            Method::GET | Method::POST => Ok(()),
            _ => malformed("Ask with GET, or as azd with POST."),
        }
    }
}

/// A key for one run: 32 random bytes in hexadecimal.
pub(super) fn random_key() -> Result<Secret> {
    use std::fmt::Write as _;
    let mut bytes = Zeroizing::new([0; 32]);
    fill_random(&mut *bytes)?;
    let mut text = String::with_capacity(64);
    for byte in *bytes {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(Secret::new(text))
}

/// The key at the end of the path: Terraform's provider sends no header of App Service.
fn key_in_path(call: &Call) -> Option<&str> {
    let key = call.uri.path().strip_prefix(PATH)?.strip_prefix('/')?.trim_end_matches('/');
    (!key.is_empty()).then_some(key)
}

/// The key in the header of App Service, or of azd.
fn key_in(headers: &HeaderMap) -> Option<&str> {
    if let Some(value) = headers.get("x-identity-header") {
        return value.to_str().ok();
    }
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key)
}
