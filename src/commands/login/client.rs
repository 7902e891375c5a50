//! `login --client-id`: signs a user in to a public client other than az's.

use serde_json::Value;

use super::super::{Answer, claims_challenge};
use super::{confirm, in_person, not_kept, signed_in};
use crate::accounts::{Context, client_account};
use crate::broker::{self, OwnClient, RedirectUri, UserSignIn};
use crate::cli::Login;
use crate::entra::{AZURE_CLI_CLIENT_ID, Scopes};
use crate::error::{Error, Kind, Result};
use crate::sys::{block_on, interruptible};

/// The sign-in is stored in the vault only, so the profile and the default subscription stay.
pub(super) fn run(request: &Login, own: Checked, context: &Context<'_>) -> Result<Answer> {
    let (system, Checked { client_id, scopes, login }) = (context.system, own);
    let authority = request.authority.as_deref();
    let authority = authority.map(|it| client_account::authority(context, it)).transpose()?;
    let redirect = request.redirect_uri.as_deref();
    let redirect = redirect.map(|uri| RedirectUri::parse(uri, request.no_browser)).transpose()?;
    let challenge = request.claims_challenge.as_deref();
    let challenge = challenge.map(|text| claims_challenge::decode("--claims-challenge", text));
    let challenge = challenge.transpose()?;
    if broker::is_memory_only(&context.config)? {
        return Err(not_kept());
    }
    let open = || broker::open_vault_for_sign_in(system, &context.dir, &context.config);
    let vault = open()?;
    let redirect = redirect.unwrap_or_default();
    let own = OwnClient { client_id: &client_id, authority, redirect, login };
    let (cloud, tenant) = (context.cloud(), request.tenant.as_deref());
    let sign_in = block_on(interruptible(async {
        let challenge = challenge.as_deref();
        let user = UserSignIn::to_client(system, cloud, own, tenant, &scopes, challenge).await?;
        in_person(request, context, &user).await
    }))??;
    let account = sign_in.account();
    let shown = client_account::shown(account);
    confirm(context, &shown, || sign_in.is_expected(&vault))?;
    if !system.is_watched() {
        context.system.say(&format!("Signed in as {shown}."));
    }
    // Another process may have cleared or re-encrypted the vault meanwhile.
    let vault = if vault.follow_key()? { vault } else { open()? };
    sign_in.store(&vault)?;
    broker::tell_place_of_key(system, &context.dir, &context.config, &vault)?;
    if system.is_watched() {
        signed_in::tick(context, &format!("Signed in as {shown}"));
    }
    Ok(Answer::of(Value::Array(vec![client_account::entry(context, account)])))
}

/// What a sign-in to a client names, after a check of its options.
pub(super) struct Checked {
    client_id: String,
    scopes: Scopes,
    /// The command that signs in there, with its options.
    pub(super) login: String,
}

/// Checks the options.
pub(super) fn check(request: &Login) -> Result<Checked> {
    let usage = |text: &str| Error::new(Kind::Inapplicable, format!("usage error: {text}"));
    let Some(client_id) = &request.client_id else {
        return Err(usage("'--authority' and '--redirect-uri' require '--client-id'"));
    };
    let client_id = client_account::client_id(client_id, "--client-id")?;
    if client_id == AZURE_CLI_CLIENT_ID {
        return Err(usage("'--client-id' names az's own client: leave it out"));
    }
    let others = [
        ("--service-principal", request.service_principal),
        ("--use-broker", request.use_broker),
        ("--integrated", request.integrated),
        ("--username", request.username.is_some()),
        ("--allow-no-subscriptions", request.allow_no_subscriptions),
        ("--subscription", request.subscription.is_some()),
        ("--skip-subscription-discovery", request.skip_subscription_discovery),
    ];
    if let Some((option, _)) = others.iter().find(|(_, given)| *given) {
        return Err(usage(&format!("'{option}' is not applicable with '--client-id'")));
    }
    if request.authority.is_some() && request.tenant.is_some() {
        return Err(usage(
            "'--tenant' is not applicable with '--authority', which names its tenant",
        ));
    }
    if request.redirect_uri.is_some() && request.use_device_code {
        return Err(usage("'--redirect-uri' is not applicable with '--use-device-code'"));
    }
    let scopes = request.scope.as_ref().filter(|scopes| !scopes.is_empty());
    let scopes = scopes.ok_or_else(|| {
        usage("'--client-id' requires '--scope'")
            .remedy("Name a scope that the application may request, such as api://APP_ID/.default.")
    })?;
    let (authority, tenant) = (request.authority.as_deref(), request.tenant.as_deref());
    let login = broker::login_to_client(
        &client_id,
        authority,
        tenant,
        scopes.iter().flat_map(|scope| scope.split_whitespace()),
    );
    Ok(Checked { client_id, scopes: Scopes::new(scopes)?, login })
}
