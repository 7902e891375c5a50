//! `cache import`.

use std::path::Path;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Answer, rows};
use crate::accounts::{Context, refresh_subscriptions};
use crate::broker;
use crate::cli::CacheImport;
use crate::error::{Error, Kind, Result};
use crate::exit::SUCCESS;
use crate::foreign::Sentence;
use crate::interop::{self, Application, Imported, is_same_host};
use crate::settings::{Profile, Subscription, User};
use crate::sys::{Level, file};
use crate::vault::Vault;

/// Imports a file, or the cache that Azure's SDKs share, and looks up the subscriptions of new
/// accounts.
pub(super) fn run(request: &CacheImport, context: &Context<'_>) -> Result<Answer> {
    let (system, dir) = (context.system, &context.dir);
    let caches = match &request.file {
        Some(path) => vec![read(path)?],
        None => shared(request, context)?,
    };
    let homes = context.homes();
    let named = request.cloud.as_deref().map(|name| context.clouds.get(name)).transpose()?;
    let named = named.and_then(|cloud| homes.of_cloud(&cloud.name));
    let home = |client_id: &str, tenant: &str| match homes.of(client_id, tenant)? {
        None => Ok(named.clone()),
        home => Ok(home),
    };
    let vault = broker::open_vault_for_sign_in(system, dir, &context.config)?;
    broker::tell_place_of_key(system, dir, &context.config, &vault)?;
    // Assigns login hosts to applications of azt 0.1 from the stored data, before the import can
    // affect the result.
    broker::applications(system, &vault, homes)?;
    let environment = environments(context)?;
    let mut all = Imported::default();
    for cache in caches {
        let known = |name: &str| {
            let same = environment.iter().find(|(_, it)| is_same_host(it, name));
            same.map_or_else(|| name.to_owned(), |(_, it)| it.clone())
        };
        let now = system.clock.now();
        all.add(interop::import(&vault, &cache, &known, &broker::can_redeem, &home, now)?);
    }
    let refused = take_sources(request, context, &vault, &mut all)?;
    if all.skipped > 0 {
        system.terminal.warn(&format!(
            "{} rows were skipped: expired, of an unknown account, of another program's client, or malformed.",
            all.skipped
        ));
    }
    if !all.left_out.is_empty() {
        system.terminal.warn(&format!(
            "Not imported, because {program} can use none of their refresh tokens: {}. To sign in, run: {program} login",
            all.left_out.join(", "),
            program = system.program
        ));
    }
    let answer = enter(context, &all, &environment)?;
    let answer = Answer::with_columns(Value::Array(answer), |list| {
        rows(
            list,
            &[("Account", "account"), ("Cloud", "cloud"), ("Subscriptions", "subscriptions")],
        )
    });
    Ok(Answer {
        outcome: left_out(&refused, &all.without_cloud).map_or(Ok(SUCCESS), Err),
        ..answer
    })
}

/// Maximum length of a question in bytes; the user could not review a longer one on a terminal.
const LONGEST_QUESTION: usize = 4096;

/// Imports the applications whose sources the option or the user accepts. Returns those that could
/// not be asked about.
fn take_sources(
    request: &CacheImport,
    context: &Context<'_>,
    vault: &Vault<'_>,
    all: &mut Imported,
) -> Result<Vec<Application>> {
    let terminal = &context.system.terminal;
    let sources = std::mem::take(&mut all.sources);
    // Never use sources from a shared cache: it is not the user's own export.
    if request.file.is_none() {
        all.skipped += sources.len();
        return Ok(Vec::new());
    }
    let mut refused = Vec::new();
    for application in sources {
        let (Some(source), Some(environment)) = (application.source(), &application.environment)
        else {
            continue;
        };
        let is_agreed = if request.with_sources {
            true
        } else {
            let told = format!(
                "The file says that service principal {} of tenant {} signs in at {environment} with {source}.",
                application.client_id, application.tenant
            );
            if !context.system.can_ask() || told.len() > LONGEST_QUESTION {
                refused.push(application);
                continue;
            }
            terminal.message(Level::Notice, &told);
            match terminal.confirm("Use that from now on?") {
                Err(error) if error.kind() == Kind::Cancelled => false,
                answer => answer?,
            }
        };
        if is_agreed {
            all.applications.extend(interop::take_with_source(vault, &application)?);
        }
    }
    Ok(refused)
}

/// The error that lists applications that were left out and how to import them.
fn left_out(refused: &[Application], without_cloud: &[Application]) -> Option<Error> {
    let mut told: Vec<String> = Vec::new();
    for it in refused {
        let source = it.source().map(ToString::to_string).unwrap_or_default();
        told.push(format!(
            "Service principal {} was left out: it would sign in with {}, which needs your consent.",
            it.client_id,
            Sentence::new(&source)
        ));
    }
    for it in without_cloud {
        told.push(format!(
            "Service principal {} was left out: the file does not name its cloud, and the profile does not list it in a built-in one.",
            it.client_id
        ));
    }
    let mut told = told.into_iter();
    let first = Error::failed(told.next()?);
    let error = told.fold(first, Error::remedy);
    let error = match refused {
        [] => error,
        _ => error.remedy("To accept such credentials, run this again with --with-sources."),
    };
    Some(match without_cloud {
        [] => error,
        _ => error.remedy("To name the cloud of the others, run this again with --cloud NAME."),
    })
}

fn read(path: &Path) -> Result<Value> {
    let bytes = if path == Path::new("-") {
        file::read_stdin()?
    } else {
        let bytes = file::read_named(path).map_err(|error| file::cannot("read", path, error))?;
        bytes.ok_or_else(|| Error::failed(format!("There is no {}.", path.display())))?
    };
    let bytes = Zeroizing::new(bytes);
    // The parser's message is dropped because it could quote a token.
    interop::json_in(&bytes)
        .ok_or_else(|| Error::failed(format!("{} is not JSON.", path.display())))
}

fn shared(request: &CacheImport, context: &Context<'_>) -> Result<Vec<Value>> {
    let name = request.name.as_deref().unwrap_or(interop::DEFAULT_NAME);
    let (found, silent) = interop::read_shared(context.system, name)?;
    for reason in &silent {
        context.system.terminal.info(reason);
    }
    if found.is_empty() {
        let error = Error::failed(format!("There is no shared cache '{name}' here."));
        return Err(silent.into_iter().fold(error, Error::remedy));
    }
    for it in &found {
        context.system.terminal.info(&format!("Reading {}.", it.place));
    }
    Ok(found.into_iter().map(|it| it.cache).collect())
}

/// The clouds with their login hosts, the active one first.
fn environments(context: &Context<'_>) -> Result<Vec<(String, String)>> {
    let mut all = vec![(context.cloud().name.clone(), context.cloud().environment()?)];
    for cloud in context.clouds.list()? {
        if let Ok(environment) = cloud.environment() {
            all.push((cloud.name, environment));
        }
    }
    Ok(all)
}

/// Adds profile entries for new accounts: their subscriptions, or a tenant-level entry if these
/// cannot be looked up now. Returns the imported accounts.
fn enter(
    context: &Context<'_>,
    imported: &Imported,
    clouds: &[(String, String)],
) -> Result<Vec<Value>> {
    let active = &context.cloud().name;
    let mut answer = Vec::new();
    let mut all: Vec<(String, Subscription)> = Vec::new();
    for account in &imported.users {
        let cloud = clouds.iter().find(|(_, environment)| *environment == account.environment);
        let Some((cloud, _)) = cloud else {
            context.system.terminal.warn(&no_cloud(&account.environment, &account.username));
            continue;
        };
        let user = User::Named { name: account.username.clone() };
        all.push((cloud.clone(), Subscription::tenant_level(&account.realm, &user, cloud)));
    }
    for it in &imported.applications {
        let cloud = clouds.iter().find(|(_, environment)| *environment == it.environment);
        let Some((cloud, _)) = cloud else {
            context.system.terminal.warn(&no_cloud(&it.environment, &it.client_id));
            continue;
        };
        let (client_id, use_cert_sn_issuer) = (it.client_id.clone(), it.use_cert_sn_issuer);
        let user = User::ServicePrincipal { client_id, use_cert_sn_issuer };
        all.push((cloud.clone(), Subscription::tenant_level(&it.tenant, &user, cloud)));
    }
    let mut is_reachable = true;
    for (cloud, entry) in all {
        let name = entry.user_name().to_owned();
        let count = |profile: &Profile| {
            profile.visible(&cloud).filter(|it| it.user_name().eq_ignore_ascii_case(&name)).count()
        };
        let mut known = count(&Profile::load(&context.dir)?);
        if known == 0 {
            let asks = cloud == *active && is_reachable;
            let found = if asks { looked_up(context, &entry, &mut is_reachable) } else { None };
            known = Profile::update(&context.dir, |profile| {
                // A tenant-level entry must not replace an existing entry with the same id.
                let is_taken = profile.all().iter().any(|it| it.id() == entry.id());
                match found {
                    Some(found) => profile.replace_user(&cloud, &name, found),
                    None if !is_taken => profile.replace_user(&cloud, &name, vec![entry]),
                    None => {}
                }
                if profile.all().iter().all(|it| !it.is_default()) {
                    let first = profile.visible(active).next().map(|it| it.id().to_owned());
                    first.map(|id| profile.set_default(active, &id)).transpose()?;
                }
                Ok(count(profile))
            })?;
        }
        answer.push(json!({"account": name, "cloud": cloud, "subscriptions": known}));
    }
    Ok(answer)
}

fn no_cloud(environment: &str, name: &str) -> String {
    format!(
        "No registered cloud signs in at {environment}. {name} is stored, but unusable until one does."
    )
}

/// Looks up the subscriptions of the account of `entry`; `None` if there are none. Clears
/// `is_reachable` after a network error, so that the other accounts are not tried.
fn looked_up(
    context: &Context<'_>,
    entry: &Subscription,
    is_reachable: &mut bool,
) -> Option<Vec<Subscription>> {
    match refresh_subscriptions::look_up(context, entry) {
        Ok(found) => Some(found.subscriptions).filter(|found| !found.is_empty()),
        Err(error) => {
            *is_reachable = error.kind() != Kind::Network;
            let others = if *is_reachable { "" } else { " and of the accounts after it" };
            context.system.terminal.warn(&format!(
                "The subscriptions of {}{others} could not be looked up: {error} Try later: 'azt account list --refresh', or import again.",
                entry.user_name()
            ));
            None
        }
    }
}
