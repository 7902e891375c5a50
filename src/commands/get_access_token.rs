//! `account get-access-token`.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{Answer, claims_challenge};
use crate::accounts::{self, Context, Selection};
use crate::broker::{self, EnvironmentIdentity, Identity, Token, TokenRequest, Wanted};
use crate::cli::GetAccessToken;
use crate::entra::Scopes;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::settings::{Endpoint, User, known};
use crate::sys::{block_on, local_time};
use crate::vault::{ClientAccount, Vault};

pub(super) fn run(request: &GetAccessToken, context: &Context<'_>) -> Result<Answer> {
    Ok(issued(request, None, Wanted::Usable, None, context)?.answer())
}

/// A token, with what the answer shows of its account.
pub(super) struct Issued {
    pub(super) token: Token,
    /// [`Account::shown`].
    pub(super) tenant: String,
    /// [`Account::subscription`].
    pub(super) subscription: Option<String>,
    /// [`Identity::name`] of its account.
    pub(super) account: String,
    /// [`Identity::client_id`] of its account.
    pub(super) client_id: String,
}

/// The account that a request has chosen, so that later requests use it too, whatever the default
/// is then.
pub(super) struct Chosen {
    /// [`Identity::name`].
    pub(super) account: String,
    /// The owner of its profile entries.
    #[cfg_attr(not(unix), allow(dead_code, reason = "only Unix has sockets with an owner"))]
    pub(super) user: User,
    /// Its tenant.
    pub(super) tenant: String,
    /// The entry of the profile; none for other clients and for the environment, whose options name
    /// them.
    pub(super) subscription: Option<String>,
}

/// The account of `request`.
pub(super) fn chosen(request: &GetAccessToken, context: &Context<'_>) -> Result<Chosen> {
    let Account { identity, subscription, tenant, .. } = account(request, context)?;
    let is_in_profile = !matches!(identity, Identity::Environment(_) | Identity::Client(_));
    let subscription = match subscription {
        None if is_in_profile => {
            let account = Some(identity.name());
            let selection =
                Selection { account, tenant: request.tenant.as_deref(), ..Selection::default() };
            Some(selection.find(context)?.id().to_owned())
        }
        subscription => subscription,
    };
    let (account, user) = (identity.name().to_owned(), identity.user());
    Ok(Chosen { account, user, tenant, subscription })
}

impl Chosen {
    /// Makes `request` use this account: in `tenant`, else in the tenant of `request`, else in the
    /// account's own.
    pub(super) fn narrow(&self, request: &mut GetAccessToken, tenant: Option<&str>) {
        if let Some(tenant) = tenant {
            request.tenant = Some(tenant.to_owned());
        }
        let Some(subscription) = &self.subscription else { return };
        if request.tenant.is_none() {
            request.subscription = Some(subscription.clone());
            request.account = None;
        } else {
            request.subscription = None;
            request.account = Some(self.account.clone());
        }
    }
}

/// The token of `request`: of `scopes` if there are some, else those that its options name. `opened`
/// is the vault, if the caller has it open.
pub(super) fn issued<'s>(
    request: &GetAccessToken,
    scopes: Option<Scopes>,
    how_new: Wanted,
    opened: Option<Vault<'s>>,
    context: &Context<'s>,
) -> Result<Issued> {
    let claims = request.claims.as_deref();
    let claims = claims.map(|text| claims_challenge::decode("--claims", text)).transpose()?;
    let Account { identity, tenant, shown, subscription, vault } = account(request, context)?;
    let system = context.system;
    let login_endpoint = match &identity {
        Identity::Environment(_) => system.env.non_empty("AZURE_AUTHORITY_HOST"),
        _ => None,
    };
    let cloud = match login_endpoint {
        Some(host) => Cow::Owned(context.cloud().with_login_endpoint(&host)?),
        None => Cow::Borrowed(context.cloud()),
    };
    let scopes = match scopes {
        Some(scopes) => scopes,
        None => self::scopes(request, &identity, context)?,
    };
    let (name, client_id) = (identity.name().to_owned(), identity.client_id().to_owned());
    let wanted = TokenRequest {
        claims,
        user_assertion: request.user_assertion.clone(),
        wanted: how_new,
        ..TokenRequest::new(identity, tenant, scopes)
    };
    let token = accounts::token(context, &cloud, &wanted, vault.or(opened))?;
    if request.add_mask {
        mask(&token.secret, context);
    }
    Ok(Issued { token, tenant: shown, subscription, account: name, client_id })
}

impl Issued {
    /// az's answer.
    pub(super) fn answer(self) -> Answer {
        let Self { token, tenant, subscription, .. } = self;
        let mut answer = Map::new();
        answer.insert("accessToken".to_owned(), token.secret.expose().into());
        answer.insert("expiresOn".to_owned(), expires_on_text(token.expires_on).into());
        answer.insert("expires_on".to_owned(), token.expires_on.into());
        if let Some(subscription) = subscription {
            answer.insert("subscription".to_owned(), subscription.into());
        }
        answer.insert("tenant".to_owned(), tenant.into());
        answer.insert("tokenType".to_owned(), "Bearer".into());
        Answer { is_secret: true, ..Answer::of(Value::Object(answer)) }
    }
}

/// Tells the runner of GitHub Actions to mask the token in later output. Only there: elsewhere the
/// command itself would leak the token.
fn mask(token: &Secret, context: &Context<'_>) {
    if context.system.env.get("GITHUB_ACTIONS").as_deref() == Some("true") {
        context.system.terminal.add_mask(token);
    } else {
        context.system.terminal.info("--add-mask has no effect outside GitHub Actions.");
    }
}

/// The account of the token, with the members that the answer shows.
struct Account<'s> {
    identity: Identity,
    /// The tenant of the token.
    tenant: String,
    /// The tenant as typed, else from the profile or the environment.
    shown: String,
    /// Absent when a tenant was given without a subscription, as in az.
    subscription: Option<String>,
    /// The vault, if the choice of the account opened it.
    vault: Option<Vault<'s>>,
}

fn account<'s>(request: &GetAccessToken, context: &Context<'s>) -> Result<Account<'s>> {
    let (system, config) = (context.system, &context.config);
    if request.identity_from_env || config.is_on(&known::IDENTITY_FROM_ENV)? {
        if request.subscription.is_some() {
            return Err(Error::new(
                Kind::Inapplicable,
                "The identity of the environment has no subscriptions. Use --tenant instead, or neither option.",
            ));
        }
        if request.client_id.is_some() || request.authority.is_some() {
            return Err(Error::new(
                Kind::Inapplicable,
                "The identity of the environment is the only account. Omit --client-id and --authority, or turn off --identity-from-env and core.identity_from_env.",
            ));
        }
        if request.account.is_some() {
            return Err(Error::new(
                Kind::Inapplicable,
                "The identity of the environment is the only account. Omit --account, or turn off --identity-from-env and core.identity_from_env.",
            ));
        }
        let identity = EnvironmentIdentity::read(system)?;
        let tenant = request.tenant.clone().unwrap_or_else(|| identity.tenant.clone());
        let identity = Identity::Environment(Box::new(identity));
        let shown = tenant.clone();
        return Ok(Account { identity, shown, tenant, subscription: None, vault: None });
    }
    let selection = Selection {
        subscription: request.subscription.as_deref(),
        account: request.account.as_deref(),
        tenant: request.tenant.as_deref(),
        client_id: request.client_id.as_deref(),
        authority: request.authority.as_deref(),
    };
    if let Some((account, vault)) = selection.client_account(context)? {
        return of_client(account, vault, request);
    }
    let entry = selection.find(context)?;
    let identity = Identity::of(&entry, system)?;
    let own = || entry.tenant_id().to_owned();
    let subscription = Some(entry.id().to_owned());
    match (&request.tenant, &request.subscription) {
        (None, _) => {
            Ok(Account { identity, tenant: own(), shown: own(), subscription, vault: None })
        }
        // az rejects both options together, but SDKs send both: accepted if they agree.
        (Some(tenant), Some(_)) => {
            if !accounts::is_in(&entry, tenant) && resolved(tenant, context)? != own() {
                return Err(Error::new(
                    Kind::Inapplicable,
                    "Please specify only one of subscription and tenant, not both",
                ));
            }
            let shown = tenant.clone();
            Ok(Account { identity, tenant: own(), shown, subscription, vault: None })
        }
        (Some(tenant), None) => {
            identity.check_tenant(tenant, entry.tenant_id())?;
            Ok(Account {
                identity,
                tenant: tenant.clone(),
                shown: tenant.clone(),
                subscription: None,
                vault: None,
            })
        }
    }
}

/// An account of a client other than az's. An authority of its own names the tenant.
fn of_client<'s>(
    account: ClientAccount,
    vault: Vault<'s>,
    request: &GetAccessToken,
) -> Result<Account<'s>> {
    let own = account.tenant.clone();
    let tenant = match &request.tenant {
        Some(tenant) if account.authority.is_none() => tenant.clone(),
        Some(tenant) if !tenant.eq_ignore_ascii_case(&own) => {
            return Err(Error::new(
                Kind::Inapplicable,
                "--tenant does not apply to an account with an authority of its own, which names its tenant.",
            ));
        }
        _ => own,
    };
    let identity = Identity::Client(Box::new(account));
    let (shown, vault) = (tenant.clone(), Some(vault));
    Ok(Account { identity, shown, tenant, subscription: None, vault })
}

/// Resolves `tenant`, a GUID or a domain, to its GUID with one request.
fn resolved(tenant: &str, context: &Context<'_>) -> Result<String> {
    let system = context.system;
    let login_url = context.cloud().authority_host()?;
    match block_on(broker::resolve_tenant(system, &login_url, tenant))? {
        // For an unknown domain returns an empty text, which equals no tenant.
        Err(error) if error.kind() == Kind::Failed => Ok(String::new()),
        other => other,
    }
}

/// The scopes by az's precedence: scopes, resource, resource type, Azure Resource Manager. For a
/// client other than az's, the scopes of the sign-in have the place of the last.
fn scopes(request: &GetAccessToken, identity: &Identity, context: &Context<'_>) -> Result<Scopes> {
    if let Some(scopes) = request.scope.as_ref().filter(|scopes| !scopes.is_empty()) {
        // A managed identity's endpoint accepts one scope; as in az, the first one is used.
        let is_one = matches!(identity, Identity::ManagedIdentity(_));
        return Scopes::new(scopes.iter().take(if is_one { 1 } else { usize::MAX }));
    }
    if let Identity::Client(account) = identity
        && request.resource.is_none()
        && request.resource_type.is_none()
    {
        return Scopes::new([&account.scopes]);
    }
    let cloud = context.cloud();
    let resource = match (&request.resource, &request.resource_type) {
        (Some(resource), _) => resource,
        (None, Some(name)) => cloud.endpoint(
            Endpoint::from_resource_type(&name.to_lowercase())
                .unwrap_or(Endpoint::ActiveDirectoryResourceId),
        )?,
        (None, None) => cloud.endpoint(Endpoint::ActiveDirectoryResourceId)?,
    };
    Ok(Scopes::of_resource(resource))
}

/// The local time without a zone and with six decimals, the format that SDKs parse (Python's
/// `%Y-%m-%d %H:%M:%S.%f`).
fn expires_on_text(expires_on: i64) -> String {
    local_time(expires_on).format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}
