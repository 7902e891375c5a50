//! Remedies for refusals. Under the name `az` they are az's own lines, which SDKs parse.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::demands::{self, Cure};
use super::{Identity, Presence, TokenRequest, client_sign_in, identity_broker_presence};
use crate::error::{Error, Kind};
use crate::foreign::Name;
use crate::program::Program;
use crate::shell;
use crate::sys::{System, why_no_browser};
use crate::vault::ClientAccount;

/// Wrong client secret; az's remedy covers a certificate passed as a password.
const INVALID_CLIENT_SECRET: u32 = 7_000_215;

/// Consent is missing.
const NO_CONSENT: u32 = 65_001;

/// A Conditional Access policy forbids the sign-in.
const BLOCKED: [u32; 2] = [53_003, 530_031];

/// Invalid user assertion: wrong signature, audience or lifetime (50013), or not a JWT (50027).
/// Entra's more specific codes start with the same digits, such as 500133.
const BAD_ASSERTION: [&str; 2] = ["50013", "50027"];

/// The sign-in to az's own client.
const LOGIN: &str = "azt login";

/// [`BROKER`] for a client other than az's.
const NO_BROKER: &str = "Only an identity broker on this device can meet it, and azt uses one for az's own client only: ask the tenant's administrator.";

/// For demands that only the identity broker of the device can meet.
const BROKER: &str = "An identity broker on this device can meet it: where there is one, sign in with `azt login --use-broker`. Otherwise ask the tenant's administrator.";

/// Adds to `error` how the user can get the token of `request`.
///
/// Suggests a sign-in only if that can help: an SDK that finds "az login" in the text of a network
/// failure misleads its user.
///
/// `is_default_scope`: `request` has the scopes that every sign-in asks for. `domain`: the tenant's
/// name, if a person reads the error.
pub(super) fn for_user(
    error: Error,
    system: &System,
    request: &TokenRequest,
    is_default_scope: bool,
    domain: Option<&str>,
) -> Error {
    if !is_from_entra(&error) {
        return error;
    }
    if system.program == Program::Az {
        return as_az(error, login_of_az(request));
    }
    let login =
        Login::to(request, domain, |tenant| login(&error, request, tenant, is_default_scope));
    let (error, cure) = as_demanded(error);
    match cure {
        Some(Cure::SignInAgain) => {
            login.cures(error.remedy(ended(request)).remedy("Sign in again:"), "")
        }
        Some(Cure::SignInThere) => login.cures(error.remedy("Sign in again:"), ""),
        Some(Cure::SignInByBrowser) => {
            let elsewhere = if why_no_browser(system).is_some() { " --no-browser" } else { "" };
            login.cures(error.remedy("Sign in again with a browser:"), elsewhere)
        }
        Some(Cure::UseBroker) => match identity_broker_presence(system) {
            Presence::Absent(_) => error.remedy(BROKER),
            Presence::Here | Presence::WindowsSide(_) => {
                error.remedy("Sign in with the identity broker:").cured_by("azt login --use-broker")
            }
        },
        Some(Cure::Do(line)) => error.remedy(line),
        None => error,
    }
}

/// A command that signs in to a tenant.
struct Login {
    /// With the tenant's id, for programs: its name is a server's text.
    command: String,
    /// With the tenant's name, if that is known.
    shown: String,
}

impl Login {
    /// `login` makes the command for a tenant.
    fn to(request: &TokenRequest, domain: Option<&str>, login: impl Fn(&str) -> String) -> Self {
        let shown = login(domain.unwrap_or(&request.tenant));
        Self { command: login(&request.tenant), shown }
    }

    /// Adds the command with `option` to `error`, which it cures.
    fn cures(self, error: Error, option: &str) -> Error {
        error.remedy(self.shown + option).command(self.command + option)
    }
}

/// `error` with the kind and the sentence of its row in the table, and what cures it. An error
/// without a row is cured by a sign-in if Entra needs the user.
fn as_demanded(error: Error) -> (Error, Option<Cure>) {
    let Some(demand) = demands::of(&error) else {
        let is_cured = error.kind() == Kind::InteractionRequired;
        return (error, is_cured.then_some(Cure::SignInThere));
    };
    let error = error.with_kind(demand.kind);
    let error = if demand.says.is_empty() { error } else { error.remedy(demand.says) };
    (error, Some(demand.cure))
}

/// Adds to `error` of the identity broker what cures it, if Entra's code says so, and the sign-in
/// that needs no broker.
pub(super) fn for_identity_broker(error: Error, program: Program) -> Error {
    let error = match (program, as_demanded(error)) {
        (Program::Azt, (error, Some(Cure::Do(line)))) => error.remedy(line),
        (_, (error, _)) => error,
    };
    error.remedy(format!("To sign in without the broker: {program} login"))
}

/// The error for a claims challenge that meets an account of the identity broker.
pub(super) fn broker_takes_no_claims(request: &TokenRequest, domain: Option<&str>) -> Error {
    let error = Error::new(
        Kind::InteractionRequired,
        "The resource demands more of the user (a claims challenge), which azt cannot ask the identity broker for.",
    );
    let login = Login::to(request, domain, |tenant| login(&error, request, tenant, false));
    login.cures(error.remedy("Sign in without it:"), "")
}

/// Adds to `error` how the user of `account`, at another client than az's, can get the token of
/// `request`.
pub(super) fn for_client(
    error: Error,
    request: &TokenRequest,
    account: &ClientAccount,
    domain: Option<&str>,
) -> Error {
    if !is_from_entra(&error) {
        return error;
    }
    let (error, cure) = as_demanded(error);
    let error = match cure {
        Some(Cure::Do(line)) => return error.remedy(line),
        Some(Cure::UseBroker) => return error.remedy(NO_BROKER),
        None => return error,
        Some(Cure::SignInAgain) => error.remedy(ended(request)),
        Some(Cure::SignInThere | Cure::SignInByBrowser) => error,
    };
    let scopes = request.scopes.joined();
    let login =
        Login::to(request, domain, |tenant| client_sign_in::login(account, tenant, &scopes));
    let claims = error.entra_detail().and_then(|detail| detail.claims.as_ref());
    let claims = claims.or(request.claims.as_ref());
    let option = claims.map(|it| [" --claims-challenge ", &STANDARD.encode(it)].concat());
    login.cures(error.remedy("Sign in again:"), &option.unwrap_or_default())
}

/// Names the account whose sign-in has ended; Entra's text does not.
fn ended(request: &TokenRequest) -> String {
    format!("The sign-in of {} has ended.", Name::new(request.identity.name()))
}

/// True if `error` says that the sign-in has ended, so that only a new one helps.
pub(super) fn has_ended(error: &Error) -> bool {
    demands::of(error).is_some_and(|demand| demand.cure == Cure::SignInAgain)
}

/// The command that az prints, with all of the request's options.
fn login_of_az(request: &TokenRequest) -> String {
    let scopes = request.scopes.iter().map(quoted).collect::<Vec<_>>();
    let tenant = quoted(&request.tenant);
    let mut login = format!("az login --tenant {tenant} --scope {}", scopes.join(" "));
    if let Some(claims) = &request.claims {
        login += &[" --claims-challenge \"", &STANDARD.encode(claims), "\""].concat();
    }
    login
}

/// The shortest command that helps. It names the tenant if only that tenant demands more of the
/// user. An ended sign-in has ended in all tenants, and a new one finds them all.
fn login(error: &Error, request: &TokenRequest, tenant: &str, is_default_scope: bool) -> String {
    let detail = error.entra_detail();
    let claims = detail.and_then(|detail| detail.claims.as_ref()).or(request.claims.as_ref());
    let mut words = vec!["azt login".to_owned()];
    if claims.is_some() || !has_ended(error) {
        words.extend(["--tenant".to_owned(), shell::quoted(tenant)]);
        if !is_default_scope {
            words.push("--scope".to_owned());
            words.extend(request.scopes.iter().map(shell::quoted));
        }
        if let Some(claims) = claims {
            words.extend(["--claims-challenge".to_owned(), STANDARD.encode(claims)]);
        }
    }
    words.join(" ")
}

/// `word` in double quotes, as az prints it. If a shell would expand something inside, it uses the
/// shell's own quoting instead: a scope can come from an untrusted resource.
fn quoted(word: &str) -> String {
    let is_acted_on = |c: char| {
        matches!(c, '"' | '$' | '`' | '\\' | '!')
            || (cfg!(windows) && matches!(c, '%' | '\u{201c}'..='\u{201e}'))
    };
    if word.contains(is_acted_on) { shell::quoted(word) } else { format!("\"{word}\"") }
}

/// Adds to `error` what the owner of the application `identity` can do.
pub(super) fn for_application(error: Error, program: Program, identity: &Identity) -> Error {
    if !is_from_entra(&error) {
        return error;
    }
    let has = |code| error.entra_detail().is_some_and(|detail| detail.codes.contains(&code));
    let (is_secret, lacks_consent) = (has(INVALID_CLIENT_SECRET), has(NO_CONSENT));
    if program == Program::Az {
        return if is_secret {
            error.remedy("The error may be caused by passing a service principal certificate with --password. Please note that --password no longer accepts a service principal certificate. To pass a service principal certificate, use --certificate instead.")
        } else {
            interactively(error).remedy("az logout").remedy("az login")
        };
    }
    let (error, cure) = as_demanded(error);
    let is_environment = matches!(identity, Identity::Environment(_));
    let error = error.remedy(match cure {
        _ if lacks_consent => "An administrator of the tenant must grant the application this permission: Entra ID, API permissions.",
        Some(Cure::Do(line)) => line,
        _ if is_environment => "Check the application in Entra ID.",
        _ => "Check the application in Entra ID, then sign in again with `azt login --service-principal`.",
    });
    if is_environment && !lacks_consent {
        return error.remedy("AZURE_TENANT_ID and AZURE_CLIENT_ID name the application; other variables hold its credential.");
    }
    error
}

/// Adds to `error` what the application `identity`, which acts on behalf of a user, must tell that
/// user.
pub(super) fn on_behalf_of(error: Error, program: Program, identity: &Identity) -> Error {
    let claims = error.entra_detail().and_then(|detail| detail.claims.clone());
    match claims {
        _ if program == Program::Az => for_application(error, program, identity),
        Some(claims) => error
            .remedy("The user must sign in again with this claims challenge and send the new token:")
            .remedy(STANDARD.encode(claims)),
        None if is_from_entra(&error) && is_of_caller(&error) => error.remedy(
            "The user's token is not accepted: the user must send a new one, issued for this application.",
        ),
        None => for_application(error, program, identity),
    }
}

/// True if Entra refuses the user's token, which is the grant of this request (RFC 6749 section
/// 5.2, `invalid_grant`), and not the application.
fn is_of_caller(error: &Error) -> bool {
    let codes = error.entra_detail().map(|detail| detail.codes.as_slice()).unwrap_or_default();
    let is_bad = |code: &u32| BAD_ASSERTION.iter().any(|bad| code.to_string().starts_with(bad));
    let is_ours = codes.contains(&NO_CONSENT)
        || demands::of(error).is_some_and(|row| matches!(row.cure, Cure::Do(_)));
    codes.iter().any(is_bad) || (error.kind() == Kind::InteractionRequired && !is_ours)
}

/// For sign-ins that only a browser can make. `own` as in [`for_sign_in`].
fn browser_only(own: Option<&str>) -> String {
    let login = own.unwrap_or(LOGIN);
    format!(
        "Sign in with a browser: `{login}`, or `{login} --no-browser` for one on another machine."
    )
}

/// Adds the remedy, if known, to `error`, a refusal of the sign-in itself. `own` is the command of a
/// sign-in to a client other than az's.
pub(super) fn for_sign_in(error: Error, program: Program, own: Option<&str>) -> Error {
    if !is_from_entra(&error) {
        return error;
    }
    if program == Program::Az {
        return as_az(error, "az login".to_owned());
    }
    let (error, cure) = as_demanded(error);
    match cure {
        // A second factor, consent, terms of use: a device code may not give it.
        Some(Cure::SignInAgain | Cure::SignInThere) => error.remedy(format!(
            "Sign in again with a browser: `{}` without --use-device-code.",
            own.unwrap_or(LOGIN)
        )),
        Some(Cure::SignInByBrowser) => error.remedy(browser_only(own)),
        Some(Cure::UseBroker) if own.is_some() => error.remedy(NO_BROKER),
        Some(Cure::UseBroker) => error.remedy(BROKER),
        Some(Cure::Do(line)) => error.remedy(line),
        None => error,
    }
}

/// [`for_sign_in`] with a device code, which a policy can forbid while it allows browsers.
pub(super) fn for_device_code(error: Error, program: Program, own: Option<&str>) -> Error {
    let detail = error.entra_detail();
    let is_by_policy =
        detail.is_some_and(|detail| detail.codes.iter().any(|code| BLOCKED.contains(code)));
    let error = for_sign_in(error, program, own);
    if program == Program::Azt && is_by_policy {
        return error.remedy("It may forbid device codes only.").remedy(browser_only(own));
    }
    error
}

/// Adds to `error`, a refusal of a password, the other ways to sign in.
pub(super) fn for_password(error: Error, program: Program) -> Error {
    if program == Program::Azt && is_from_entra(&error) && is_cured_by_sign_in(&error) {
        let (error, _) = as_demanded(error);
        return error.remedy("If the tenant requires a second factor or shows a page, sign in with a browser or a code: omit --username and --password.");
    }
    for_sign_in(error, program, None)
}

/// True if no row of the table says more than: sign in again.
fn is_cured_by_sign_in(error: &Error) -> bool {
    demands::of(error).is_none_or(|row| matches!(row.cure, Cure::SignInAgain | Cure::SignInThere))
}

/// Adds to `error` what to do if the host refuses a token of its own identity.
pub(super) fn for_host_identity(error: Error, program: Program) -> Error {
    match (error.kind(), program) {
        (Kind::Refused, Program::Az) if error.entra_detail().is_some() => {
            interactively(error).remedy("az logout").remedy("az login")
        }
        (Kind::Refused, Program::Azt) if error.remedy_lines().is_empty() => error.remedy(
            "Check that the identity is assigned to this host. If there are several, name one with --client-id, --object-id or --resource-id.",
        ),
        _ => error,
    }
}

fn is_from_entra(error: &Error) -> bool {
    error.entra_detail().is_some()
        && matches!(error.kind(), Kind::InteractionRequired | Kind::Refused)
}

/// `error` with az's lines, which name `login` for every refusal. The command is machine-readable
/// only if it helps.
fn as_az(error: Error, login: String) -> Error {
    let is_cured = error.kind() == Kind::InteractionRequired && is_cured_by_sign_in(&error);
    let error = interactively(error).remedy("az logout");
    if is_cured { error.cured_by(login) } else { error.remedy(login) }
}

fn interactively(error: Error) -> Error {
    error.remedy("Run the command below to authenticate interactively; additional arguments may be added as needed:")
}
