//! `login`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::subscriptions::{self, Found};
use super::{Answer, Context, arm_token};
use crate::broker::{self, Scopes, SignIn, is_guid};
use crate::cli::Login;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::settings::{Clouds, Profile, Subscription, User};
use crate::sys::{Level, block_on};

pub(super) fn run(request: &Login, context: &Context<'_>) -> Result<Answer> {
    check(request)?;
    let challenge = request.claims_challenge.as_deref().map(decode_challenge).transpose()?;
    // A profile that cannot be read would fail the sign-in at its very end.
    Profile::load(&context.dir)?;
    let vault = broker::open_vault_for_sign_in(context.system, &context.dir, &context.config)?;

    let (sign_in, found) = block_on(async {
        let sign_in = authenticate(request, context, challenge.as_deref()).await?;
        let found = discover(request, context, &sign_in).await?;
        Ok::<_, Error>((sign_in, found))
    })??;

    sign_in.store(&vault)?;
    let new = found.subscriptions;
    let cloud = context.cloud();
    let chosen = Profile::update(&context.dir, |profile| {
        Ok(profile.merge_login(new.clone(), request.subscription.as_deref()))
    })?;
    if let Some(id) = &chosen {
        Clouds::set_subscription(&context.dir, &cloud.name, id)?;
    }
    let is_wanted = |entry: &&Subscription| {
        request.subscription.as_deref().is_none_or(|wanted| is_called(entry, wanted))
    };
    let matching: Vec<&Subscription> = new.iter().filter(is_wanted).collect();
    // None matches only where the tenant alone was taken.
    let shown = if matching.is_empty() { new.iter().collect() } else { matching };
    let listed = shown.into_iter().map(|entry| {
        let mut value = entry.list_value();
        if let Some(members) = value.as_object_mut() {
            members.insert("isDefault".to_owned(), (Some(entry.id()) == chosen.as_deref()).into());
        }
        value
    });
    Ok(Answer::of(Value::Array(listed.collect())))
}

/// az's checks, in az's order and words.
fn check(request: &Login) -> Result<()> {
    let usage = |text: &str| Err(Error::failed(text));
    if request.use_device_code
        && (request.password.is_some() || request.service_principal || request.username.is_some())
    {
        return usage("usage error: '--use-device-code' is not applicable with other arguments");
    }
    if request.service_principal && request.username.is_none() {
        return usage(
            "usage error: --service-principal --username NAME --password SECRET --tenant TENANT",
        );
    }
    if request.service_principal && request.tenant.is_none() {
        // az goes on without a tenant, stores an entry that it cannot read, and crashes.
        return usage(
            "usage error: --service-principal --username NAME --password SECRET --tenant TENANT",
        );
    }
    if request.skip_subscription_discovery && request.tenant.is_none() {
        return usage("usage error: '--skip-subscription-discovery' requires '--tenant'");
    }
    let names_one = request.subscription.as_deref().is_some_and(|wanted| !is_guid(wanted));
    if request.skip_subscription_discovery && names_one {
        return usage(
            "usage error: '--subscription' must be a subscription ID (GUID), not a name, when combined with '--skip-subscription-discovery'.",
        );
    }
    if !request.service_principal && (request.username.is_some() || request.password.is_some()) {
        return Err(Error::failed(
            "Signing a person in with user name and password is not supported by this version.",
        )
        .remedy("Sign in with a code instead: leave --username and --password out.")
        .remedy("For a service principal add --service-principal."));
    }
    Ok(())
}

/// The JSON text in a claims challenge, which resources send in base64 (RFC 9470's `claims`).
fn decode_challenge(text: &str) -> Result<String> {
    STANDARD.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(
        || Error::new(Kind::Usage, "The value of --claims-challenge is not base64 of a JSON text."),
    )
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
    if let (true, Some(client_id), Some(tenant)) =
        (request.service_principal, &request.username, &request.tenant)
    {
        let secret = secret(request, context)?;
        return SignIn::with_client_secret(
            system, cloud, tenant, client_id, secret, &scopes, challenge,
        )
        .await;
    }
    let show = |message: &str| system.terminal.message(Level::Notice, message);
    let tenant = request.tenant.as_deref();
    SignIn::with_device_code(system, cloud, tenant, &scopes, challenge, show).await
}

/// The service principal's secret: from the command line, else from the person.
fn secret(request: &Login, context: &Context<'_>) -> Result<Secret> {
    match &request.password {
        Some(secret) => Ok(secret.clone()),
        None if context.system.terminal.stdin_is_tty() => {
            context.system.terminal.read_password("Password: ")
        }
        None => {
            Err(Error::failed("Please specify both username and password in non-interactive mode."))
        }
    }
}

/// The accounts that the sign-in gives access to, as the profile will have them.
async fn discover(request: &Login, context: &Context<'_>, sign_in: &SignIn<'_>) -> Result<Found> {
    let user = if request.service_principal {
        User::ServicePrincipal { client_id: sign_in.name().to_owned(), use_cert_sn_issuer: false }
    } else {
        User::Person { name: sign_in.name().to_owned() }
    };
    let scopes = arm_token::scopes(context)?;
    let one_tenant = request.tenant.is_some() || request.service_principal;
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
    if found.subscriptions.is_empty() {
        let program = context.system.program;
        return Err(Error::failed(format!("No subscriptions found for {}.", sign_in.name()))
            .remedy(format!(
                "To sign in all the same, run `{program} login --allow-no-subscriptions`."
            )));
    }
    if let Some(wanted) = &request.subscription
        && !found.subscriptions.iter().any(|entry| is_called(entry, wanted))
    {
        return Err(Error::failed(format!(
            "Subscription '{wanted}' not found. Check the ID or name and try again."
        )));
    }
    Ok(found)
}

fn is_called(entry: &Subscription, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    entry.id().to_lowercase() == wanted || entry.name().to_lowercase() == wanted
}
