//! Lists the subscriptions of an account, tenant by tenant.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

use super::Context;
use crate::arm::{self, ArmSubscription, Tenant};
use crate::broker::SignIn;
use crate::entra::Scopes;
use crate::error::{Error, Result};
use crate::foreign::{Json, Typed};
use crate::program::Program;
use crate::secret::Secret;
use crate::settings::{NewSubscription, Subscription, TenantNames, User};
use crate::sys::{Level, Spinner};

/// Number of concurrent requests: enough to hide the latency of sixty tenants, few enough to avoid
/// throttling.
const TENANTS_AT_ONCE: usize = 16;

/// The subscriptions found, with the data for warnings.
#[derive(Default)]
pub(crate) struct Found {
    /// Profile entries.
    pub(crate) subscriptions: Vec<Subscription>,
    /// Tenants that refused a token, in display form.
    refused: Vec<String>,
    /// The tenants whose subscriptions were listed.
    visited: Vec<String>,
    /// Visited tenants without visible subscriptions, in display form.
    empty: Vec<String>,
    /// True when all tenants of the user were visited instead of a single one.
    is_of_all_tenants: bool,
    /// Subscriptions visible in several tenants: id, name and those tenants.
    shared: Vec<(String, String, Vec<String>)>,
    /// Indexes of an id in `subscriptions` and `shared`. A map, because an account may see very
    /// many.
    places: HashMap<String, (usize, Option<usize>)>,
}

/// Lists the subscriptions in the sign-in's own tenant, with one request.
pub(crate) async fn of_tenant(
    context: &Context<'_>,
    sign_in: &SignIn<'_>,
    user: &User,
    scopes: &Scopes,
) -> Result<Found> {
    let tenant = sign_in.tenant().to_owned();
    let mut found = Found::default();
    let resource_manager = &context.cloud().resource_manager()?;
    let listed = ask(sign_in, &tenant, scopes, async |token| {
        arm::subscriptions(context.system, resource_manager, token).await
    });
    let listed = listed.await?;
    found.add(context, user, &tenant, None, listed);
    Ok(found)
}

/// Tells az's news of a sign-in, which are no problem to who reads them at azt's terminal.
fn tell(context: &Context<'_>, text: &str) {
    let terminal = &context.system.terminal;
    if !context.system.is_watched() {
        terminal.warn(text);
    } else if terminal.shows(Level::Warning) {
        terminal.dim(text);
    }
}

/// For `--skip-subscription-discovery`: only the subscription `wanted` (a GUID; one request) or,
/// without it, only the tenant (no request).
pub(crate) async fn of_request(
    context: &Context<'_>,
    sign_in: &SignIn<'_>,
    user: &User,
    scopes: &Scopes,
    wanted: Option<&str>,
    allow_none: bool,
) -> Result<Found> {
    let mut found = Found::default();
    let (system, cloud) = (context.system, context.cloud());
    let tenant = sign_in.tenant();
    if let Some(wanted) = wanted {
        let resource_manager = &cloud.resource_manager()?;
        let subscription = ask(sign_in, tenant, scopes, async |token| {
            arm::subscription(system, resource_manager, wanted, token).await
        });
        match subscription.await {
            Ok(subscription) => {
                found.add(context, user, tenant, None, vec![subscription]);
                return Ok(found);
            }
            Err(error) => {
                system.terminal.warn(&format!("Failed to retrieve subscription {wanted}: {error}"));
                if !allow_none {
                    return Err(Error::failed(format!(
                        "The subscription '{wanted}' could not be retrieved for '{}'. Ensure the subscription exists and that you have access to it.",
                        sign_in.name(),
                        wanted = Typed(wanted)
                    )));
                }
                system.terminal.warn(&format!(
                    "Subscription '{wanted}' not found. Profile has tenant-level account only.",
                    wanted = Typed(wanted)
                ));
            }
        }
    }
    found.subscriptions.push(Subscription::tenant_level(tenant, user, &cloud.name));
    Ok(found)
}

/// Lists the subscriptions in all tenants of the user: one request for the tenants, then per tenant
/// one for the subscriptions and, except for the first, one for the token. Tenants are visited
/// concurrently; results keep their order.
///
/// A tenant for which Entra refuses a token is skipped with a warning. A failure of Azure Resource
/// Manager fails the whole sign-in (az 2.91).
pub(crate) async fn of_all_tenants(
    context: &Context<'_>,
    sign_in: &SignIn<'_>,
    user: &User,
    scopes: &Scopes,
) -> Result<Found> {
    let mut found = Found { is_of_all_tenants: true, ..Found::default() };
    let system = context.system;
    let resource_manager = &context.cloud().resource_manager()?;
    let first = sign_in.tenant().to_owned();
    let tenants = ask(sign_in, &first, scopes, async |token| {
        arm::tenants(system, resource_manager, token).await
    });
    let tenants = tenants.await?;
    let (spinner, all, done) = (Spinner::start(system), tenants.len(), Cell::new(0));
    let count = || {
        spinner.say(&format!("Looking for subscriptions: {} of {all} tenants", done.get()));
        done.set(done.get() + 1);
    };
    count();
    let visits: Vec<_> = stream::iter(tenants)
        .map(|tenant| async {
            let listed = ask(sign_in, &tenant.tenant_id, scopes, async |token| {
                arm::subscriptions(system, resource_manager, token).await
            });
            let listed = match listed.await {
                Ok(listed) => Ok(Ok(listed)),
                Err(error) if error.entra_detail().is_some() => Ok(Err(error)),
                Err(error) => Err(error),
            };
            count();
            listed.map(|listed| (tenant, listed))
        })
        .buffered(TENANTS_AT_ONCE)
        .try_collect()
        .await?;
    drop(spinner);
    for (tenant, listed) in visits {
        let id = tenant.tenant_id.to_string();
        match listed {
            Ok(listed) => found.add(context, user, &id, Some(tenant), listed),
            Err(error) => {
                let shown = shown(&tenant);
                system.terminal.warn(&format!(
                    "Authentication failed against tenant {shown}: {}",
                    error.message()
                ));
                found.refused.push(shown);
            }
        }
    }
    Ok(found)
}

/// Runs `call` with the sign-in's token for `tenant`. After a claims challenge the token is
/// replaced once.
async fn ask<T>(
    sign_in: &SignIn<'_>,
    tenant: &str,
    scopes: &Scopes,
    call: impl AsyncFn(&Secret) -> Result<T>,
) -> Result<T> {
    let answer = call(&sign_in.token(tenant, scopes).await?).await;
    match answer.as_ref().err().and_then(arm::challenge) {
        Some(challenge) => call(&sign_in.challenged_token(tenant, scopes, challenge).await?).await,
        None => answer,
    }
}

/// The display form of a tenant, as in az: `id 'Name'`.
fn shown(tenant: &Tenant) -> String {
    match &tenant.display_name {
        Some(name) => format!("{} '{name}'", tenant.tenant_id),
        None => tenant.tenant_id.to_string(),
    }
}

impl Found {
    fn add(
        &mut self,
        context: &Context<'_>,
        user: &User,
        tenant_id: &str,
        tenant: Option<Tenant>,
        listed: Vec<ArmSubscription>,
    ) {
        self.visited.push(tenant_id.to_owned());
        if listed.is_empty() {
            self.empty.push(tenant.as_ref().map_or_else(|| tenant_id.to_owned(), shown));
        }
        let names = tenant.map(|tenant| TenantNames {
            default_domain: tenant.default_domain.map(String::from),
            display_name: tenant.display_name.map(String::from),
        });
        for subscription in listed {
            let id = String::from(subscription.id);
            let (place, shared) =
                self.places.entry(id.clone()).or_insert((self.subscriptions.len(), None));
            if let Some(first) = self.subscriptions.get(*place) {
                // The first tenant wins.
                if let Some((.., tenants)) = shared.and_then(|at| self.shared.get_mut(at)) {
                    tenants.push(tenant_id.to_owned());
                } else {
                    *shared = Some(self.shared.len());
                    let name = subscription.display_name.into();
                    let first = format!("{}(default)", first.tenant_id());
                    self.shared.push((id, name, vec![first, tenant_id.to_owned()]));
                }
                continue;
            }
            self.subscriptions.push(Subscription::from(NewSubscription {
                id,
                name: subscription.display_name.into(),
                state: subscription.state.into(),
                user: user.clone(),
                tenant_id: tenant_id.to_owned(),
                environment_name: context.cloud().name.clone(),
                home_tenant_id: subscription
                    .tenant_id
                    .map_or_else(|| tenant_id.to_owned(), String::from),
                tenant_names: names.clone(),
                managed_by_tenants: subscription
                    .managed_by_tenants
                    .map_or(Value::Null, |all| all.into_iter().map(Json::into_value).collect()),
            }));
        }
    }

    /// Warns about missing subscriptions in az's words. With `allow_none`, a visited tenant without
    /// entries gets a tenant-level entry (az's `bare_tenants`); a tenant has none when it has no
    /// subscriptions, or when another tenant listed all of them first.
    pub(crate) fn warn(&mut self, context: &Context<'_>, user: &User, allow_none: bool) {
        let tell = |text: &str| tell(context, text);
        let program = context.system.program;
        for (id, name, tenants) in &self.shared {
            let (last, first) = tenants.split_last().map_or(("", [].as_slice()), |(l, f)| (l, f));
            tell(&format!(
                "Subscription {id} '{name}' can be accessed from tenants {} and {last}. To select a specific tenant when accessing this subscription, use '{program} login --tenant TENANT_ID'.",
                first.join(", ")
            ));
        }
        // az warns about empty tenants only after visiting all tenants.
        let empty = if self.is_of_all_tenants { self.empty.as_slice() } else { &[] };
        if !empty.is_empty() && (allow_none || !self.subscriptions.is_empty()) {
            // az prints the advice even with `--allow-no-subscriptions`.
            let how = match (program, allow_none) {
                (Program::Azt, true) => String::new(),
                _ => format!(
                    " Use `{program} login --allow-no-subscriptions` to have tenant level access."
                ),
            };
            tell(&format!("The following tenants don't contain accessible subscriptions.{how}"));
            for shown in empty {
                tell(shown);
            }
        }
        if !self.refused.is_empty() {
            tell(&format!(
                "If you need to access subscriptions in the following tenants, please use `{program} login --tenant TENANT_ID`."
            ));
            for shown in &self.refused {
                tell(shown);
            }
        }
        if allow_none {
            self.keep_tenants(context, user);
        }
    }

    /// Adds an entry for each visited tenant that has none.
    pub(crate) fn keep_tenants(&mut self, context: &Context<'_>, user: &User) {
        let cloud = &context.cloud().name;
        let seen: HashSet<&str> = self.subscriptions.iter().map(Subscription::tenant_id).collect();
        let bare = self.visited.iter().filter(|tenant| !seen.contains(tenant.as_str()));
        let level = |tenant: &String| Subscription::tenant_level(tenant, user, cloud);
        let bare: Vec<Subscription> = bare.map(level).collect();
        self.subscriptions.extend(bare);
    }
}
