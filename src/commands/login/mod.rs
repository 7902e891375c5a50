//! `login`.

mod broker_account;
mod check;
mod client;
mod code_screen;
mod credential;
mod qr_code;
mod signed_in;
mod subscription_picker;

use std::time::Duration;

use serde_json::Value;

use super::{Answer, claims_challenge};
use crate::accounts::subscriptions::{self, Found};
use crate::accounts::{self, Context, arm_token, default_of, note_default};
use crate::broker::{self, Identity, Known, SignIn, SignedIn, UserSignIn};
use crate::cli::Login;
use crate::entra::Scopes;
use crate::error::{Error, Kind, Result};
use crate::exit;
use crate::foreign::{Sentence, Typed};
use crate::interop;
use crate::program::Program;
use crate::settings::{AssignedIdentity, Clouds, Profile, Subscription, UserType, known};
use crate::shell;
use crate::sys::{Level, block_on, interruptible, why_no_browser};
use crate::vault::Vault;
use check::{check, is_interactive, is_to_own_client};
use credential::{credential, password};

pub(super) fn run(request: &Login, context: &Context<'_>) -> Result<Answer> {
    let own = is_to_own_client(request, context);
    let own = own.then(|| client::check(request)).transpose()?;
    check(request, context, own.as_ref().map(|own| own.login.as_str()))?;
    if context.system.program == Program::Azt {
        context.clouds.check_registered()?;
    }
    if let Some(own) = own {
        return client::run(request, own, context);
    }
    let challenge = request.claims_challenge.as_deref();
    let challenge = challenge.map(|text| claims_challenge::decode("--claims-challenge", text));
    let challenge = challenge.transpose()?;
    // Fails now instead of after the sign-in, when the profile is written.
    Profile::load_or_new(&context.dir)?;
    let is_memory_only = broker::is_memory_only(&context.config)?;
    if is_memory_only && !request.identity {
        return Err(not_kept());
    }
    let open = || broker::open_vault_for_sign_in(context.system, &context.dir, &context.config);
    let vault = if is_memory_only {
        Profile::check_writable(&context.dir)?;
        None
    } else {
        Some(open()?)
    };

    let names_one = request.subscription.is_some() || request.skip_subscription_discovery;
    let picks = !names_one && subscription_picker::is_wanted(request, context)?;

    let (sign_in, found) = block_on(interruptible(async {
        let sign_in = authenticate(request, context, challenge.as_deref()).await?;
        if picks {
            subscription_picker::announce(context, request.tenant.is_some())?;
        }
        let found = discover(request, context, &sign_in).await?;
        Ok((sign_in, found))
    }))??;

    if is_interactive(request) {
        name_account(context, vault.as_ref(), &sign_in)?;
    }
    let found = some_account(request, context, &sign_in, found)?;
    // During an interactive sign-in another process may have cleared or re-encrypted the vault.
    let vault = match vault {
        Some(vault) if !vault.follow_key()? => Some(open()?),
        vault => vault,
    };
    context.put_aside_damaged()?;
    if let Some(vault) = &vault {
        sign_in.store(vault)?;
        broker::tell_place_of_key(context.system, &context.dir, &context.config, vault)?;
    }
    let new = found.subscriptions;
    let cloud = context.cloud();
    let (former, chosen, listed) = Profile::update(&context.dir, |profile| {
        let former = default_of(profile, &cloud.name);
        let chosen = profile.merge_login(new.clone(), request.subscription.as_deref());
        let is_new = |it: &&Subscription| new.iter().any(|new| new.id() == it.id());
        Ok((former, chosen, profile.all().iter().filter(is_new).cloned().collect::<Vec<_>>()))
    })?;
    if let Some(id) = &chosen {
        Clouds::set_subscription(&context.dir, &cloud.name, id)?;
    }
    if let Some(vault) = &vault
        && accounts::is_shared(context)?
    {
        share_with_az(context, vault, &sign_in)?;
    }
    if let Some(chosen) = chosen.as_deref() {
        let picked = picks.then(|| subscription_picker::run(context, &listed, chosen));
        let now = picked.as_ref().and_then(|picked| picked.as_deref().ok()).unwrap_or(chosen);
        note_default(context, former.as_deref(), now);
        if let Some(picked) = picked {
            return after_picker(context, sign_in.name(), picked);
        }
    }
    signed_in::tell(context, sign_in.name(), &listed)?;
    let is_wanted = |entry: &&Subscription| {
        request.subscription.as_deref().is_none_or(|wanted| is_called(entry, wanted))
    };
    let matching: Vec<&Subscription> = new.iter().filter(is_wanted).collect();
    // No entry matches only when the result is a tenant-level account.
    let shown = if matching.is_empty() { new.iter().collect() } else { matching };
    let listed = shown.into_iter().map(|entry| {
        // az prints a managed identity's entries as in the profile.
        let mut value = if request.identity { entry.value() } else { entry.list_value() };
        if let Some(members) = value.as_object_mut() {
            members.insert("isDefault".to_owned(), (Some(entry.id()) == chosen.as_deref()).into());
        }
        value
    });
    Ok(Answer::of(Value::Array(listed.collect())))
}

/// Shares the sign-in with az. The sign-in is complete, so a failure is only a warning.
fn share_with_az(context: &Context<'_>, vault: &Vault<'_>, sign_in: &SignIn<'_>) -> Result<()> {
    let (name, assertion) = (sign_in.name(), sign_in.assertion());
    let (environment, limit) = (context.cloud().environment()?, interop::PATIENCE);
    let terminal = &context.system.terminal;
    match interop::share(&context.dir, vault, &environment, name, assertion.as_ref(), limit) {
        Ok(true) => {}
        Ok(false) => terminal.warn(
            "This sign-in is not shared with the real az, which cannot open a certificate with a password.",
        ),
        Err(error) => terminal.warn(&format!(
            "The real az was not told of this sign-in. The next token request tries again. {error}"
        )),
    }
    Ok(())
}

/// The end of a sign-in whose default was `picked`. Ctrl-C in the list is no error, because the
/// sign-in is complete; its exit code stops what would come after it.
fn after_picker(context: &Context<'_>, name: &str, picked: Result<String>) -> Result<Answer> {
    match picked {
        Ok(_) => signed_in::tell(context, name, &[]).map(|()| Answer::none()),
        Err(error) if error.kind() == Kind::Cancelled => {
            context.system.terminal.plain(error.message());
            let code = exit::code(error.kind(), context.system.program);
            Ok(Answer { outcome: Ok(code), ..Answer::none() })
        }
        Err(error) => Err(error),
    }
}

async fn authenticate<'a>(
    request: &Login,
    context: &Context<'a>,
    challenge: Option<&str>,
) -> Result<SignIn<'a>> {
    let system = context.system;
    let cloud = context.cloud();
    let scopes = match request.scope.as_ref().filter(|scopes| !scopes.is_empty()) {
        Some(scopes) => Scopes::new(scopes)?,
        None => arm_token::scopes(context)?,
    };
    if request.identity {
        let identity = host_identity(request, context);
        return SignIn::with_host_identity(system, cloud, identity, &arm_token::scopes(context)?)
            .await;
    }
    if broker::in_cloud_shell(system) {
        let program = system.program;
        system.terminal.warn(&format!("Cloud Shell is automatically authenticated under the initial account signed-in with. Run '{program} login' only if you need to use a different account"));
    }
    if let (true, Some(client_id), Some(tenant)) =
        (request.service_principal, &request.username, &request.tenant)
    {
        let credential = credential(request, context).await?;
        return SignIn::with_client_credential(
            system, cloud, tenant, client_id, credential, &scopes, challenge,
        )
        .await;
    }
    let tenant = request.tenant.as_deref();
    if request.use_broker {
        let identity_broker = broker::identity_broker(system)?;
        let accounts = broker::accounts_of(system, &identity_broker, &cloud.environment()?).await?;
        let account = broker_account::choose(context, request.username.as_deref(), accounts)?;
        return SignIn::with_identity_broker(
            system,
            cloud,
            tenant,
            &scopes,
            identity_broker,
            account,
        )
        .await;
    }
    let user = UserSignIn::new(system, cloud, tenant, &scopes, challenge).await?;
    if request.integrated {
        return user.with_ticket(request.username.as_deref()).await;
    }
    if let Some(username) = &request.username {
        warn_about_passwords(context);
        return user.with_password(username, &password(request, context)?).await;
    }
    in_person(request, context, &user).await
}

/// Signs a user in with a browser or a code.
async fn in_person<'a, T: SignedIn<'a>>(
    request: &Login,
    context: &Context<'a>,
    user: &UserSignIn<'a, '_, T>,
) -> Result<T> {
    let system = context.system;
    let limit = context.config.seconds(&known::LOGIN_TIMEOUT)?;
    let limit = Duration::from_secs(limit.into());
    if request.no_browser {
        return user.with_pasted_redirect(limit).await;
    }
    system.terminal.set_clipboard(context.config.is_on(&known::CLIPBOARD)?);
    match why_no_browser(system).filter(|_| !request.use_device_code) {
        None if !request.use_device_code => {
            // A client with a redirect URI of its own may not allow codes.
            let offers_code = request.redirect_uri.is_none();
            let done = user.with_browser(context.dir.azt(), limit, offers_code).await?;
            if let Some(done) = done {
                return Ok(done);
            }
        }
        None => {}
        Some(why) => say_no_browser(context, why),
    }
    user.with_device_code(|code| code_screen::show(system, code)).await
}

/// Prints the account before anything is stored, and asks for confirmation if it is a new one: a
/// wrong account may have been picked in the browser, by mistake or by an attacker. az does
/// neither.
///
/// # Errors
/// The user rejected the account.
fn name_account(
    context: &Context<'_>,
    vault: Option<&Vault<'_>>,
    sign_in: &SignIn<'_>,
) -> Result<()> {
    if context.system.program == Program::Az {
        return Ok(());
    }
    let account =
        format!("{} (tenant {})", Sentence::new(sign_in.name()), Sentence::new(sign_in.tenant()));
    if !context.system.is_watched() {
        context.system.say(&format!("Signed in as {account}."));
        return Ok(());
    }
    confirm(context, &account, || is_expected(context, vault, sign_in))
}

/// Asks whether to sign in as `account`, unless it is expected or nobody can answer.
fn confirm(
    context: &Context<'_>,
    account: &str,
    is_expected: impl FnOnce() -> Result<bool>,
) -> Result<()> {
    let system = context.system;
    let asks = || system.terminal.confirm(&format!("Sign in as {account}?"));
    if !system.can_ask() || is_expected()? || asks()? { Ok(()) } else { Err(Error::cancelled()) }
}

/// True when this account was signed in before, or when no user was.
fn is_expected(
    context: &Context<'_>,
    vault: Option<&Vault<'_>>,
    sign_in: &SignIn<'_>,
) -> Result<bool> {
    let known = match vault {
        Some(vault) => sign_in.known(vault)?,
        None => Known::Nobody,
    };
    let profile = Profile::load_or_new(&context.dir)?;
    let is_user = |entry: &&Subscription| entry.user_type() == Some(UserType::User);
    let mut users = profile.all().iter().filter(is_user).peekable();
    Ok(match known {
        Known::This => true,
        Known::Nobody if users.peek().is_none() => true,
        // az's own sign-ins are only in the profile.
        Known::Nobody | Known::Others => profile
            .visible(&context.cloud().name)
            .filter(is_user)
            .any(|entry| entry.user_name().eq_ignore_ascii_case(sign_in.name())),
        Known::SameName => false,
    })
}

/// The error of commands that need a sign-in while `core.persist` is off.
pub(super) fn not_kept() -> Error {
    Error::failed("The setting core.persist is off, so a sign-in would be forgotten at once.")
        .remedy(
            "To get tokens without a sign-in, use: account get-access-token --identity-from-env.",
        )
}

/// Prints that device code is used for lack of a browser; az prints it only with `--verbose`.
fn say_no_browser(context: &Context<'_>, why: &str) {
    let system = context.system;
    match system.program {
        Program::Az => {
            system.terminal.info("No web browser is available. Fall back to device code.");
        }
        Program::Azt if system.is_watched() => {
            if system.terminal.shows(Level::Warning) {
                system.terminal.dim(&format!(
                    "No web browser here: {why}. (--no-browser uses one on another machine.)"
                ));
            }
        }
        Program::Azt => system.terminal.warn(&format!(
            "No web browser is used, because {why}. Sign in with a code. (To use a browser anyway, set BROWSER; to use one on another machine, add --no-browser.)"
        )),
    }
}

/// az's warning about passwords, under its name.
fn warn_about_passwords(context: &Context<'_>) {
    if context.system.program == Program::Azt {
        return;
    }
    let see = "For more details, see https://go.microsoft.com/fwlink/?linkid=2276314";
    let text = if context.cloud().name == "AzureCloud" {
        "Starting September 1, 2025, MFA will be gradually enforced for Azure public cloud. The authentication with username and password in the command line is not supported with MFA. Consider using one of the compatible authentication methods."
    } else {
        "Using authentication with username and password in the command line is strongly discouraged. Consider using one of the recommended authentication methods."
    };
    context.system.terminal.warn(&format!("{text} {see}"));
}

/// The managed identity to use. In Cloud Shell it is always the user of Cloud Shell.
fn host_identity(request: &Login, context: &Context<'_>) -> Identity {
    if broker::in_cloud_shell(context.system) {
        return Identity::CloudShell { name: "N/A".to_owned() };
    }
    let Login { client_id, object_id, resource_id, .. } = request;
    Identity::ManagedIdentity(match (client_id, object_id, resource_id) {
        (Some(id), ..) => AssignedIdentity::Client(id.clone()),
        (_, Some(id), _) => AssignedIdentity::Object(id.clone()),
        (.., Some(id)) => AssignedIdentity::Resource(id.clone()),
        (None, None, None) => AssignedIdentity::System,
    })
}

/// `found` with at least one account. Without subscriptions a person is asked whether the tenants
/// are kept as accounts, so that a finished sign-in is not lost.
///
/// # Errors
/// Nothing was found, and nobody said that the tenants are enough.
fn some_account(
    request: &Login,
    context: &Context<'_>,
    sign_in: &SignIn<'_>,
    mut found: Found,
) -> Result<Found> {
    if !found.subscriptions.is_empty() || request.allow_no_subscriptions {
        return Ok(found);
    }
    let terminal = &context.system.terminal;
    let is_host =
        matches!(sign_in.identity(), Identity::ManagedIdentity(_) | Identity::CloudShell { .. });
    if context.system.is_watched() && context.system.can_ask() && !is_host {
        terminal.plain(&format!("No subscriptions found for {}.", sign_in.name()));
        if terminal.confirm_by_default("Keep it as a tenant-level account?")? {
            let user = sign_in.user();
            found.keep_tenants(context, &user);
            if found.subscriptions.is_empty() {
                // No tenant was listed either.
                let home =
                    Subscription::tenant_level(sign_in.tenant(), &user, &context.cloud().name);
                found.subscriptions.push(home);
            }
            return Ok(found);
        }
        return Err(Error::cancelled());
    }
    Err(nothing_found(request, context, sign_in))
}

/// The error for an account without subscriptions, in az's words.
fn nothing_found(request: &Login, context: &Context<'_>, sign_in: &SignIn<'_>) -> Error {
    match sign_in.identity() {
        Identity::ManagedIdentity(_) => Error::failed(
            "No access was configured for the managed identity, hence no subscriptions were found. If this is expected, use '--allow-no-subscriptions' to have tenant level access.",
        ),
        Identity::CloudShell { .. } => {
            Error::failed("No subscriptions were found in the cloud shell")
        }
        _ => {
            let error = Error::failed(format!("No subscriptions found for {}.", sign_in.name()));
            let tenant = request.tenant.as_deref().and_then(shell::shown);
            let is_azt = context.system.program == Program::Azt;
            match tenant.filter(|_| is_azt && is_interactive(request)) {
                Some(tenant) => error.remedy(format!(
                    "To sign in anyway: {} login --tenant {tenant} --allow-no-subscriptions",
                    context.system.program
                )),
                None => error.remedy("To sign in anyway, add --allow-no-subscriptions."),
            }
        }
    }
}

/// Lists the subscriptions of the sign-in as profile entries.
async fn discover(request: &Login, context: &Context<'_>, sign_in: &SignIn<'_>) -> Result<Found> {
    let user = sign_in.user();
    let scopes = arm_token::scopes(context)?;
    let one_tenant = request.tenant.is_some() || request.service_principal || request.identity;
    if request.skip_subscription_discovery {
        let wanted = request.subscription.as_deref();
        let allow_none = request.allow_no_subscriptions;
        return subscriptions::of_request(context, sign_in, &user, &scopes, wanted, allow_none)
            .await;
    }
    let mut found = if one_tenant {
        subscriptions::of_tenant(context, sign_in, &user, &scopes).await?
    } else {
        subscriptions::of_all_tenants(context, sign_in, &user, &scopes).await?
    };
    found.warn(context, &user, request.allow_no_subscriptions);
    if let Some(wanted) = &request.subscription
        && !found.subscriptions.is_empty()
        && !found.subscriptions.iter().any(|entry| is_called(entry, wanted))
    {
        return Err(Error::failed(format!(
            "Subscription '{wanted}' not found. Check the ID or name and try again.",
            wanted = Typed(wanted)
        )));
    }
    Ok(found)
}

fn is_called(entry: &Subscription, wanted: &str) -> bool {
    entry.is_called(&wanted.to_lowercase())
}
