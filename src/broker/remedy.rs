//! Remedies for refusals. Under the name `az` they are az's own lines, which SDKs parse.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Identity, TokenRequest};
use crate::error::{Error, Kind};
use crate::program::Program;
use crate::shell;

/// Wrong client secret; az's remedy covers a certificate passed as a password.
const INVALID_CLIENT_SECRET: u32 = 7_000_215;

/// Consent is missing.
const NO_CONSENT: u32 = 65_001;

/// The sign-in has ended: revoked, password changed, too old or unused for too long.
const ENDED: [u32; 9] = [50_089, 50_132, 50_133, 50_173, 70_008, 70_043, 70_044, 700_081, 700_082];

/// Invalid user assertion: wrong signature, audience or lifetime (50013), or not a JWT (50027).
/// Entra's more specific codes start with the same digits, such as 500133.
const BAD_ASSERTION: [&str; 2] = ["50013", "50027"];

/// For needs that a device code or a stored sign-in may not meet: a second factor, consent, terms
/// of use.
const BROWSER_GIVES_ALL: &str =
    "Sign in again with a browser: `azt login` without --use-device-code.";

/// Remedies by OAuth error code (RFC 6749 section 4.1.2.1, RFC 8628 section 3.5).
const CURES_BY_ERROR: [(&str, &str); 3] = [
    ("access_denied", DECLINED),
    ("authorization_declined", DECLINED),
    ("expired_token", "The code was not entered in time: sign in again."),
];
const DECLINED: &str = "The sign-in was declined in the browser.";

/// Remedies by Entra's code, for refusals that another sign-in does not fix.
const CURES: [(u32, &str); 28] = [
    (16_000, "Sign in again and choose the right account."),
    (28_000, "A token is for one resource: request each resource in a separate call."),
    (50_020, "The account is neither a member nor a guest of this tenant: check --tenant."),
    (50_027, "The federated token is not a JWT: check --federated-token or its source."),
    (50_034, "The tenant has no such user: check the name and --tenant."),
    (50_055, "The password has expired: set a new one in a browser, then sign in again."),
    (50_057, "The account is disabled: ask the tenant's administrator."),
    (53_000, "Conditional Access requires a managed device: ask the tenant's administrator."),
    (
        53_003,
        "Conditional Access forbids this sign-in: ask the tenant's administrator, with the correlation id.",
    ),
    (50_126, "User name or password is wrong."),
    (65_002, "This client may not request that resource for a user: use another scope."),
    (70_011, NO_SUCH_SCOPE),
    (70_021, NOT_TRUSTED),
    (90_002, NO_SUCH_TENANT),
    (900_021, NO_SUCH_TENANT),
    (900_023, NO_SUCH_TENANT),
    (500_011, "The tenant has no such resource: check --resource or --scope, and the tenant."),
    (650_053, NO_SUCH_SCOPE),
    (
        650_057,
        "The application's registration does not list that resource: check --resource or --scope, or add the permission in Entra ID, API permissions.",
    ),
    (
        1_002_012,
        "An application requests all its permissions for a resource at once: --scope <resource>/.default, or --resource.",
    ),
    (700_211, NOT_TRUSTED),
    (700_212, NOT_TRUSTED),
    (700_213, NOT_TRUSTED),
    (
        700_024,
        "The federated token has expired or is not valid yet: get a new one, and check this machine's clock.",
    ),
    (
        700_027,
        "The application does not know this certificate: add it in Entra ID, Certificates & secrets, or sign in with a registered one.",
    ),
    (700_016, "The tenant has no such application: check --username (the client id) and --tenant."),
    (7_000_215, "Check the secret: use its value, not its id."),
    (7_000_222, "The secret has expired: create a new one in Entra ID and sign in with it."),
];
const NOT_TRUSTED: &str = "The application does not trust this federated token: compare its issuer, subject and audience with those in Entra ID, Certificates & secrets, Federated credentials.";
const NO_SUCH_TENANT: &str =
    "There is no such tenant in this cloud: check --tenant and `cloud show`.";
const NO_SUCH_SCOPE: &str = "The resource has no such scope: check --scope, or --resource.";

/// Adds to `error` how the user can get the token of `request`.
///
/// Suggests a sign-in only if that can help: an SDK that finds "az login" in the text of a network
/// failure misleads its user.
///
/// `is_default_scope`: `request` has the scopes that every sign-in asks for.
pub(super) fn for_user(
    error: Error,
    program: Program,
    request: &TokenRequest,
    is_default_scope: bool,
) -> Error {
    if !is_from_entra(&error) {
        return error;
    }
    match (program, cure(&error)) {
        (Program::Az, _) => as_az(error, login_of_az(request)),
        (Program::Azt, Some(cure)) => error.remedy(cure),
        (Program::Azt, None) if error.kind() == Kind::InteractionRequired => {
            let login = login(&error, request, is_default_scope);
            error.remedy("Sign in again:").cured_by(login)
        }
        (Program::Azt, None) => error,
    }
}

/// True if `error` says that the sign-in has ended, so that only a new one helps.
pub(super) fn has_ended(error: &Error) -> bool {
    let codes = error.entra_detail().map(|detail| detail.codes.as_slice()).unwrap_or_default();
    codes.iter().any(|code| ENDED.contains(code))
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
fn login(error: &Error, request: &TokenRequest, is_default_scope: bool) -> String {
    let detail = error.entra_detail();
    let claims = detail.and_then(|detail| detail.claims.as_ref()).or(request.claims.as_ref());
    let codes = detail.map(|detail| detail.codes.as_slice()).unwrap_or_default();
    let mut words = vec!["azt login".to_owned()];
    if claims.is_some() || !codes.iter().any(|code| ENDED.contains(code)) {
        words.extend(["--tenant".to_owned(), shell::quoted(&request.tenant)]);
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
    let codes = error.entra_detail().map(|detail| detail.codes.as_slice()).unwrap_or_default();
    match (program, cure(&error)) {
        (Program::Az, _) if codes.contains(&INVALID_CLIENT_SECRET) => error.remedy("The error may be caused by passing a service principal certificate with --password. Please note that --password no longer accepts a service principal certificate. To pass a service principal certificate, use --certificate instead."),
        (Program::Az, _) => interactively(error).remedy("az logout").remedy("az login"),
        (Program::Azt, _) if codes.contains(&NO_CONSENT) => error.remedy("An administrator of the tenant must grant the application this permission: Entra ID, API permissions."),
        (Program::Azt, cure) if matches!(identity, Identity::Environment(_)) => error
            .remedy(cure.unwrap_or("Check the application in Entra ID."))
            .remedy("AZURE_TENANT_ID and AZURE_CLIENT_ID name the application; other variables hold its credential."),
        (Program::Azt, Some(cure)) => error.remedy(cure),
        (Program::Azt, None) => error.remedy("Check the application in Entra ID, then sign in again with `azt login --service-principal`."),
    }
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
    let is_other = codes.contains(&NO_CONSENT) || cure(error).is_some();
    codes.iter().any(is_bad) || (error.kind() == Kind::InteractionRequired && !is_other)
}

/// Adds the remedy, if known, to `error`, a refusal of the sign-in itself.
pub(super) fn for_sign_in(error: Error, program: Program) -> Error {
    if !is_from_entra(&error) {
        return error;
    }
    match (program, cure(&error)) {
        (Program::Az, _) => as_az(error, "az login".to_owned()),
        (Program::Azt, Some(cure)) => error.remedy(cure),
        (Program::Azt, None) if error.kind() == Kind::InteractionRequired => {
            error.remedy(BROWSER_GIVES_ALL)
        }
        (Program::Azt, None) => error,
    }
}

/// Adds to `error`, a refusal of a password, the other ways to sign in.
pub(super) fn for_password(error: Error, program: Program) -> Error {
    if program == Program::Azt && is_from_entra(&error) && cure(&error).is_none() {
        return error.remedy("If the tenant requires a second factor or shows a page, sign in with a browser or a code: omit --username and --password.");
    }
    for_sign_in(error, program)
}

fn cure(error: &Error) -> Option<&'static str> {
    let detail = error.entra_detail()?;
    let by_code = CURES.iter().find(|(code, _)| detail.codes.contains(code));
    let by_error = || CURES_BY_ERROR.iter().find(|(error, _)| **error == *detail.error);
    by_code.map(|(_, cure)| *cure).or_else(|| by_error().map(|(_, cure)| *cure))
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
    let is_cured = error.kind() == Kind::InteractionRequired && cure(&error).is_none();
    let error = interactively(error).remedy("az logout");
    if is_cured { error.cured_by(login) } else { error.remedy(login) }
}

fn interactively(error: Error) -> Error {
    error.remedy("Run the command below to authenticate interactively; additional arguments may be added as needed:")
}
