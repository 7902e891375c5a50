//! Which subscriptions an account can see, tenant by tenant.

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
use crate::sys::Spinner;

/// How many tenants are asked at the same time: enough to hide the latency of sixty, few enough not
/// to be throttled.
const TENANTS_AT_ONCE: usize = 16;

/// What was found, and what the person should know about it.
#[derive(Default)]
pub(crate) struct Found {
    /// Profile entries.
    pub(crate) subscriptions: Vec<Subscription>,
    /// Tenants that gave no token, as they are shown.
    refused: Vec<String>,
    /// The tenants whose subscriptions were listed.
    visited: Vec<String>,
    /// Those of them without a subscription that is visible, as they are shown.
    empty: Vec<String>,
    /// Whether every tenant of the person was visited, not one that was named.
    is_of_all_tenants: bool,
    /// Subscriptions seen through several tenants: how they are shown, and those tenants.
    shared: Vec<(String, String, Vec<String>)>,
    /// Where an id is in `subscriptions`, and in `shared`: some people see a million.
    places: HashMap<String, (usize, Option<usize>)>,
}

/// The subscriptions in the sign-in's own tenant: one request.
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

/// What `--skip-subscription-discovery` leaves: the subscription `wanted` (GUID; one request) or,
/// without one, the tenant alone (none).
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

/// The subscriptions in every tenant of the person: one request for the tenants, one a tenant for
/// its subscriptions, and one a tenant but the first for the token; tenants side by side, in their
/// order.
///
/// A tenant that gives no token, or none that does there, is passed over with a warning; a failure of Azure Resource Manager
/// is one of the whole sign-in (az 2.91).
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

/// What the resource manager answers `call`, made with the sign-in's token of `tenant`; one that is
/// refused with a claims challenge is replaced once.
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

/// `id 'Name'`, as az shows a tenant.
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

    /// Says what is missing from the result and why, in az's words. With `allow_none` a tenant
    /// that no entry is of becomes one of its own (az's `bare_tenants`): one without subscriptions,
    /// or with none that another tenant did not show before.
    pub(crate) fn warn(&mut self, context: &Context<'_>, user: &User, allow_none: bool) {
        let terminal = &context.system.terminal;
        let program = context.system.program;
        for (id, name, tenants) in &self.shared {
            let (last, first) = tenants.split_last().map_or(("", [].as_slice()), |(l, f)| (l, f));
            terminal.warn(&format!(
                "Subscription {id} '{name}' can be accessed from tenants {} and {last}. To select a specific tenant when accessing this subscription, use '{program} login --tenant TENANT_ID'.",
                first.join(", ")
            ));
        }
        // az says so only of tenants that were looked for.
        let empty = if self.is_of_all_tenants { self.empty.as_slice() } else { &[] };
        if !empty.is_empty() && (allow_none || !self.subscriptions.is_empty()) {
            // az says so to somebody who has done it, too.
            let how = match (program, allow_none) {
                (Program::Azt, true) => String::new(),
                _ => format!(
                    " Use `{program} login --allow-no-subscriptions` to have tenant level access."
                ),
            };
            terminal.warn(&format!(
                "The following tenants don't contain accessible subscriptions.{how}"
            ));
            for shown in empty {
                terminal.warn(shown);
            }
        }
        if !self.refused.is_empty() {
            terminal.warn(&format!("If you need to access subscriptions in the following tenants, please use `{program} login --tenant TENANT_ID`."));
            for shown in &self.refused {
                terminal.warn(shown);
            }
        }
        if allow_none {
            let cloud = &context.cloud().name;
            let seen: HashSet<&str> =
                self.subscriptions.iter().map(Subscription::tenant_id).collect();
            let bare = self.visited.iter().filter(|tenant| !seen.contains(tenant.as_str()));
            let level = |tenant: &String| Subscription::tenant_level(tenant, user, cloud);
            let bare: Vec<Subscription> = bare.map(level).collect();
            self.subscriptions.extend(bare);
        }
    }
}
