//! Answers of the broker. An answer that does not belong to the question is refused.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::account::BrokerAccount;
use super::{full_stop, misbehaved};
use crate::entra::{Scopes, TokenResponse, aadsts_in, home_account_id};
use crate::error::{EntraDetail, Error, Kind, Result};
use crate::foreign::{
    self, Guid, LONGEST_TOKEN_LIFETIME, Loose, Name, Seconds, Sentence, lenient, or_default,
};
use crate::secret::Secret;

/// The longest answer to read, in bytes.
const LONGEST: usize = 1 << 20;

/// How many seconds the broker's clock may differ from a token's.
const CLOCK_SKEW: i64 = 300;

/// Statuses of a broker (MSAL's `ResponseStatus`) with the kind of the error. Others count as
/// refused.
const KINDS: [(i64, Kind); 9] = [
    (0, Kind::Service),
    (2, Kind::InteractionRequired),
    (3, Kind::Network),
    (4, Kind::Network),
    (5, Kind::Service),
    (7, Kind::InteractionRequired),
    (8, Kind::InteractionRequired),
    (12, Kind::InteractionRequired),
    (13, Kind::InteractionRequired),
];

/// OAuth errors that need the user, for brokers that send no status.
const INTERACTION: [&str; 4] =
    ["interaction_required", "login_required", "consent_required", "invalid_grant"];

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Answer {
    #[serde(deserialize_with = "lenient")]
    accounts: Option<Vec<Loose<Value>>>,
    #[serde(deserialize_with = "lenient")]
    broker_token_response: Option<BrokerToken>,
    #[serde(deserialize_with = "refusal")]
    error: Option<Refusal>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct BrokerToken {
    #[serde(deserialize_with = "or_default")]
    access_token: Secret,
    #[serde(deserialize_with = "lenient")]
    id_token: Option<Secret>,
    #[serde(deserialize_with = "lenient")]
    client_info: Option<String>,
    #[serde(deserialize_with = "lenient")]
    account: Option<Value>,
    /// Milliseconds since 1970-01-01 UTC.
    #[serde(deserialize_with = "lenient")]
    expires_on: Option<Seconds>,
    #[serde(deserialize_with = "lenient")]
    granted_scopes: Option<Value>,
    #[serde(deserialize_with = "refusal")]
    error: Option<Refusal>,
}

/// Why the broker gives no token.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Refusal {
    #[serde(deserialize_with = "or_default")]
    context: Sentence,
    #[serde(deserialize_with = "lenient")]
    status: Option<Seconds>,
}

/// An object, or only its text.
fn refusal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Refusal>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => None,
        Value::String(text) => Some(Refusal { context: Sentence::new(&text), status: None }),
        other => Some(serde_json::from_value(other).unwrap_or_default()),
    })
}

/// The claims of a token, to compare with the question. The signature is the resource's to check.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Claims {
    #[serde(deserialize_with = "lenient")]
    aud: Option<Name>,
    #[serde(deserialize_with = "lenient")]
    appid: Option<Name>,
    #[serde(deserialize_with = "lenient")]
    azp: Option<Name>,
    #[serde(deserialize_with = "lenient")]
    oid: Option<Name>,
    #[serde(deserialize_with = "lenient")]
    tid: Option<Name>,
    #[serde(deserialize_with = "lenient")]
    exp: Option<Seconds>,
}

impl Claims {
    /// Those of `jwt`; none if it is not a JWT.
    fn of(jwt: &Secret) -> Self {
        let decode = || {
            let payload = foreign::base64(jwt.expose().split('.').nth(1)?)?;
            foreign::from_json(str::from_utf8(&payload).ok()?).ok()
        };
        decode().unwrap_or_default()
    }
}

/// What the answer must be about.
pub(super) struct Wanted<'w> {
    pub(super) account: &'w BrokerAccount,
    /// The login host.
    pub(super) environment: &'w str,
    /// GUID, domain or a common endpoint.
    pub(super) tenant: &'w str,
    pub(super) client_id: &'w str,
    pub(super) scopes: &'w Scopes,
    /// Seconds since 1970-01-01 UTC.
    pub(super) now: i64,
}

/// The accounts in `answer` of the cloud with the login host `environment`. Of several records of
/// one user, which differ in the tenant, the one of the home tenant.
pub(super) fn accounts(answer: &str, environment: &str) -> Result<Vec<BrokerAccount>> {
    let answer = parse(answer)?;
    if let Some(refusal) = answer.error {
        return Err(refused(&refusal));
    }
    let listed =
        answer.accounts.ok_or_else(|| misbehaved("answered without a list of accounts"))?;
    let mut all: Vec<BrokerAccount> = Vec::new();
    let accounts = listed.into_iter().filter_map(|Loose(it)| BrokerAccount::parse(it?));
    for account in accounts.filter(|it| it.is_of_cloud(environment)) {
        match all.iter_mut().find(|known| known.is(account.home_account_id())) {
            Some(known) if account.is_at_home() => *known = account,
            Some(_) => {}
            None => all.push(account),
        }
    }
    Ok(all)
}

/// The token in `answer`.
pub(super) fn token(answer: &str, wanted: &Wanted<'_>) -> Result<TokenResponse> {
    let answer = parse(answer)?;
    let mut token = answer.broker_token_response.unwrap_or_default();
    if let Some(refusal) = answer.error.or(token.error.take()) {
        return Err(refused(&refusal));
    }
    let text = token.access_token.expose();
    if text.is_empty() {
        return Err(misbehaved("answered without an access token"));
    }
    if !text.bytes().all(|c| (0x20..0x7f).contains(&c)) {
        return Err(misbehaved("answered with a token that has invalid characters"));
    }
    let claims = Claims::of(&token.access_token);
    if !is_of_account(&token, &claims, wanted) {
        return Err(misbehaved("answered with a token of another account; it is not used"));
    }
    let id_claims = token.id_token.as_ref().map(Claims::of).unwrap_or_default();
    let clients = [&claims.appid, &claims.azp, &id_claims.aud];
    if clients.into_iter().flatten().any(|it| !it.eq_ignore_ascii_case(wanted.client_id)) {
        return Err(misbehaved("answered with a token for another client; it is not used"));
    }
    if is_of_other_resource(&claims, wanted) {
        return Err(misbehaved("answered with a token for another resource; it is not used"));
    }
    if let (Some(asked), Some(tid)) = (Guid::parse(wanted.tenant), &claims.tid)
        && Guid::parse(tid).as_ref() != Some(&asked)
    {
        return Err(misbehaved(&format!(
            "answered with a token of the tenant {tid} instead of {asked}; it is not used"
        )));
    }
    let lifetime = lifetime(token.expires_on, claims.exp, wanted.now)?;
    let scope = match token.granted_scopes {
        Some(Value::String(scopes)) => Some(scopes),
        Some(Value::Array(all)) => {
            Some(all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
        }
        _ => None,
    };
    let scope = scope.filter(|it| !it.trim().is_empty());
    let scope = scope.unwrap_or_else(|| wanted.scopes.joined());
    Ok(TokenResponse::of_broker(token.access_token, lifetime, scope))
}

/// True if the token is proven to be for another resource than the scopes name.
///
/// `aud` is the resource's GUID or one of its addresses, as the resource chooses, so an address
/// proves nothing. A GUID proves it if the scope names the resource by a GUID too, or if it is the
/// client's own: that is an ID token, which no resource may get.
fn is_of_other_resource(claims: &Claims, wanted: &Wanted<'_>) -> bool {
    let Some(aud) = claims.aud.as_deref().and_then(Guid::parse) else { return false };
    let resources = || wanted.scopes.iter().map(|it| it.rsplit_once('/').map_or(it, |(it, _)| it));
    let mut guids = resources().filter_map(Guid::parse).peekable();
    let is_named = guids.peek().is_some();
    let is_asked = guids.any(|it| it == aud);
    !is_asked && (is_named || Guid::parse(wanted.client_id).as_ref() == Some(&aud))
}

/// True if nothing in the answer names another user or cloud. The object id of a guest differs in
/// each tenant, so it is compared in the home tenant only.
fn is_of_account(token: &BrokerToken, claims: &Claims, wanted: &Wanted<'_>) -> bool {
    let account = wanted.account;
    let is_other = |id: &str| !id.is_empty() && !account.is(id);
    let named = token.account.clone().and_then(BrokerAccount::parse);
    if named.is_some_and(|it| is_other(it.home_account_id()) || !it.is_of_cloud(wanted.environment))
    {
        return false;
    }
    let info = token.client_info.as_deref().and_then(home_account_id);
    if info.is_some_and(|id| is_other(&id)) {
        return false;
    }
    match (account.home(), &claims.oid, &claims.tid) {
        (Some((uid, home)), Some(oid), Some(tid)) if tid.eq_ignore_ascii_case(home) => {
            oid.eq_ignore_ascii_case(uid)
        }
        _ => true,
    }
}

/// The lifetime in seconds: until the time in the token, else until `expires_on` (milliseconds).
///
/// The token's own time counts, because the resource goes by it; Himmelblau adds seconds to
/// milliseconds in `expiresOn`. But an impossible `expiresOn` shows that the answer is broken.
fn lifetime(expires_on: Option<Seconds>, exp: Option<Seconds>, now: i64) -> Result<i64> {
    let is_possible = |end: i64| (1..=LONGEST_TOKEN_LIFETIME).contains(&end.saturating_sub(now));
    let impossible = || {
        misbehaved(
            "answered with a token that has expired or has an impossible lifetime; it is not used",
        )
        .remedy("Check this machine's clock.")
    };
    let told = expires_on.map(|Seconds(milliseconds)| milliseconds.div_euclid(1000));
    if told.is_some_and(|end| !is_possible(end)) {
        return Err(impossible());
    }
    let exp = exp.map(|Seconds(exp)| exp);
    if let (Some(told), Some(exp)) = (told, exp)
        && told > exp.saturating_add(CLOCK_SKEW)
    {
        return Err(impossible());
    }
    match exp.or(told) {
        Some(end) if is_possible(end) => Ok(end - now),
        _ => Err(impossible()),
    }
}

fn parse(answer: &str) -> Result<Answer> {
    if answer.len() > LONGEST {
        return Err(misbehaved("sent an answer of more than 1 MiB"));
    }
    // Quotes nothing of the answer, which may contain tokens.
    foreign::from_json(answer).map_err(|_| misbehaved("sent an answer that is not a JSON object"))
}

/// The error for `refusal`.
fn refused(refusal: &Refusal) -> Error {
    let Refusal { context, status } = refusal;
    let listed = status.and_then(|Seconds(status)| KINDS.iter().find(|(it, _)| *it == status));
    let needs_user = INTERACTION.iter().any(|error| context.contains(error));
    let kind = match listed {
        Some((_, kind)) => *kind,
        None if needs_user => Kind::InteractionRequired,
        None => Kind::Refused,
    };
    let why = match (context.is_empty(), status) {
        (false, _) => full_stop(context),
        (true, Some(Seconds(status))) => format!("status {status}."),
        (true, None) => "it gives no reason.".to_owned(),
    };
    let codes: Vec<u32> = aadsts_in(context).into_iter().collect();
    let error = match kind {
        Kind::InteractionRequired => Error::new(kind, format!("The identity broker needs you: {why}"))
            .remedy("Sign in to the broker: in the Intune app, or at the login of this machine. Then try again."),
        _ => Error::new(kind, format!("The identity broker gave no token: {why}")),
    };
    if codes.is_empty() {
        error
    } else {
        error.entra(EntraDetail { codes, ..EntraDetail::default() })
    }
}

#[cfg(test)]
mod tests;
