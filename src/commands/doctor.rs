//! `doctor`: what is wrong, and what to do about it, on one page.

use serde_json::{Value, json};

use super::{Answer, Context, cache, refresh, rows};
use crate::broker::{self, Account, RefreshToken, ServicePrincipal, Vault};
use crate::cli::Doctor;
use crate::error::{Error, Result};
use crate::interop;
use crate::settings::{Profile, Subscription, UserType};
use crate::sys::{block_on, every_az, file, is_this_program, without_password};

/// Seconds that this machine's clock may differ from Entra's before tokens are taken for ended, or
/// assertions for not yet valid.
const MOST_SKEW: i64 = 120;
/// Refresh tokens die after 90 days without use.
const LONG_UNUSED: i64 = 80 * 24 * 3600;
/// The check of Entra's answering.
const ANSWERS: &str = "network";

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    Warning,
    Failure,
}

/// One thing that was looked at.
struct Check {
    what: &'static str,
    state: State,
    text: String,
    remedy: Option<String>,
}

impl Check {
    fn ok(what: &'static str, text: impl Into<String>) -> Self {
        Self { what, state: State::Ok, text: text.into(), remedy: None }
    }

    fn warning(what: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, state: State::Warning, text: text.into(), remedy: Some(remedy.into()) }
    }

    fn failure(what: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, state: State::Failure, text: text.into(), remedy: Some(remedy.into()) }
    }

    fn of_error(what: &'static str, error: &Error) -> Self {
        let remedy = Some(error.remedy_lines().join(" ")).filter(|remedy| !remedy.is_empty());
        Self { what, state: State::Failure, text: error.message().to_owned(), remedy }
    }
}

/// A page for people; with `--output` a list for programs. Fails when anything is wrong. Nothing is
/// changed, and of each account one token is asked for.
pub(super) fn run(request: &Doctor, context: &Context<'_>) -> Result<Answer> {
    let mut checks = vec![folder(context)];
    let vault = broker::open_vault(context.system, &context.dir, &context.config);
    checks.push(key(context, &vault));
    let network = network(request, context);
    let is_online = network.iter().any(|it| it.what == ANSWERS && it.state == State::Ok);
    checks.extend(network);
    checks.extend(accounts(context, vault.as_ref().ok().and_then(Option::as_ref), is_online));
    checks.push(az(context));
    checks.extend(plain_text(context)?);
    let mut answer = if request.global.output.is_none() && request.global.query.is_none() {
        context.system.terminal.result(&page(&checks))?;
        Answer::none()
    } else {
        let all = checks.iter().map(to_value).collect();
        Answer::with_columns(Value::Array(all), |list| {
            rows(
                list,
                &[("Check", "check"), ("State", "state"), ("Text", "text"), ("Remedy", "remedy")],
            )
        })
    };
    answer.failure = match checks.iter().filter(|check| check.state == State::Failure).count() {
        0 => None,
        1 => Some(Error::failed("One thing is wrong: see above.")),
        more => Some(Error::failed(format!("{more} things are wrong: see above."))),
    };
    Ok(answer)
}

fn folder(context: &Context<'_>) -> Check {
    let (path, azt) = (context.dir.path(), context.dir.azt());
    let shown = path.display().to_string();
    if let Some(flaw) = file::ownership_flaw(path).or_else(|| file::ownership_flaw(&azt)) {
        return Check::failure(
            "folder",
            format!("{shown}: {flaw}"),
            format!("Run: chmod -R go-w {shown}; or use a folder of your own (AZURE_CONFIG_DIR)."),
        );
    }
    let there = azt.ancestors().find(|folder| folder.exists());
    if let Some((folder, flaw)) = there.and_then(|it| Some((it, file::writing_flaw(it)?))) {
        return Check::failure(
            "folder",
            format!("{}: {flaw}", folder.display()),
            "Mend that, or use another folder (AZURE_CONFIG_DIR): what is fetched now is not kept.",
        );
    }
    if !path.exists() {
        return Check::ok("folder", format!("{shown} will be made at the first sign-in"));
    }
    Check::ok("folder", shown)
}

fn key(context: &Context<'_>, vault: &Result<Option<Vault<'_>>>) -> Check {
    if let Err(error) = vault {
        return Check::of_error("vault", error);
    }
    let found = match broker::inventory(context.system, &context.dir) {
        Ok(found) => found,
        Err(error) => return Check::of_error("vault", &error),
    };
    let Some((source, id)) = found.key else {
        return Check::ok("vault", "nothing is stored yet");
    };
    let records: usize = found.records.values().sum();
    if found.unreadable > 0 {
        return Check::warning(
            "vault",
            format!("{} files could not be opened and were set aside", found.unreadable),
            format!(
                "Sign in again; then remove *.unreadable in {}/records.",
                context.dir.azt().display()
            ),
        );
    }
    Check::ok("vault", format!("{records} records, opened by the key {id} ({source})"))
}

fn accounts(context: &Context<'_>, vault: Option<&Vault<'_>>, is_online: bool) -> Vec<Check> {
    let profile = match Profile::load(&context.dir) {
        Ok(profile) => profile,
        Err(error) => return vec![Check::of_error("accounts", &error)],
    };
    let mut seen: Vec<(String, String)> = Vec::new();
    let mut checks = Vec::new();
    for entry in profile.all() {
        let id = (entry.user_name().to_lowercase(), entry.environment_name().to_owned());
        if !seen.contains(&id) {
            let is_here = entry.environment_name() == context.cloud().name;
            checks.push(account(context, vault, entry, is_online && is_here));
            seen.push(id);
        }
    }
    if checks.is_empty() {
        let remedy = format!("Run: {} login", context.system.program);
        checks.push(Check::warning("accounts", "nobody is signed in", remedy));
    }
    checks
}

/// What an account can still do without a person; `tries` asks for a token.
fn account(
    context: &Context<'_>,
    vault: Option<&Vault<'_>>,
    entry: &Subscription,
    tries: bool,
) -> Check {
    const WHAT: &str = "account";
    let name = entry.user_name();
    let system = context.system;
    let sign_in = format!("Run: {} login", system.program);
    let environment = context.clouds.get(entry.environment_name()).and_then(|it| it.environment());
    let (Some(vault), Ok(environment)) = (vault, environment) else {
        return Check::warning(WHAT, format!("{name}: its sign-in cannot be looked at"), sign_in);
    };
    let is_application = entry.user_type() == Some(UserType::ServicePrincipal);
    if is_application && entry.assigned_identity().is_some() {
        return if tries {
            tried(context, entry)
        } else {
            Check::ok(WHAT, format!("{name}: this host's identity"))
        };
    }
    let look = || -> Result<Check> {
        if is_application {
            let key = ServicePrincipal::key_of(name, entry.tenant_id());
            return Ok(match vault.get(&key)? {
                Some(found) => match credential(name, &found) {
                    kept if tries && kept.state == State::Ok => tried(context, entry),
                    kept => kept,
                },
                None => missing(context, &environment, name, &sign_in),
            });
        }
        let owner = name.to_lowercase();
        let newest = vault
            .all::<RefreshToken>()?
            .into_iter()
            .filter(|token| token.account == owner && token.environment == environment)
            .map(|token| token.last_modification_time)
            .max();
        let known = vault.get(&Account::key_of(&environment, name))?.is_some();
        Ok(match newest.filter(|_| known) {
            Some(at) if at > 0 && system.clock.now() - at > LONG_UNUSED => Check::warning(
                WHAT,
                format!("{name}: not used for {} days, of 90", (system.clock.now() - at) / 86_400),
                format!("Get a token, or {}", sign_in.to_lowercase()),
            ),
            Some(_) if tries => tried(context, entry),
            Some(_) => Check::ok(WHAT, format!("{name}: renews without a person")),
            None => missing(context, &environment, name, &sign_in),
        })
    };
    look().unwrap_or_else(|error| Check::of_error(WHAT, &error))
}

/// Whether the account of `entry` gets a token now.
fn tried(context: &Context<'_>, entry: &Subscription) -> Check {
    let name = entry.user_name();
    match refresh::try_it(context, entry) {
        Ok(()) => Check::ok("account", format!("{name}: gets tokens")),
        Err(error) => {
            let check = Check::of_error("account", &error);
            Check { text: format!("{name}: {}", check.text), ..check }
        }
    }
}

fn missing(context: &Context<'_>, environment: &str, name: &str, sign_in: &str) -> Check {
    let (people, applications) = interop::known_names(&context.dir, environment);
    if people.iter().chain(&applications).any(|it| it.eq_ignore_ascii_case(name)) {
        return Check::ok(
            "account",
            format!("{name}: signed in with az, which is used when needed"),
        );
    }
    Check::failure("account", format!("{name}: listed, but not signed in"), sign_in)
}

fn credential(name: &str, found: &ServicePrincipal) -> Check {
    match &found.certificate {
        Some(path) if !std::path::Path::new(path).exists() => Check::failure(
            "account",
            format!("{name}: its certificate {path} is not there"),
            "Put it back, or sign in with another.",
        ),
        _ => Check::ok("account", format!("{name}: has its credential")),
    }
}

fn network(request: &Doctor, context: &Context<'_>) -> Vec<Check> {
    let env = &context.system.env;
    let mut checks = Vec::new();
    let seen = |names: &[&str], shown: fn(&str) -> String| {
        let set = |name: &&str| Some(format!("{name}={}", shown(&env.non_empty(name)?)));
        names.iter().filter_map(set).collect::<Vec<_>>().join(", ")
    };
    let proxies = seen(
        &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY"],
        without_password,
    );
    if !proxies.is_empty() {
        checks.push(Check::ok("proxy", proxies));
    }
    let authorities = seen(
        &["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"],
        str::to_owned,
    );
    if !authorities.is_empty() {
        checks.push(Check::ok("authorities", authorities));
    }
    if request.offline {
        return checks;
    }
    let asked = context.cloud().authority_host().and_then(|login_url| {
        block_on(broker::server_time(context.system, &login_url)).map(|time| (login_url, time))
    });
    match asked {
        Err(error) | Ok((_, Err(error))) => checks.push(Check::of_error(ANSWERS, &error)),
        Ok((login_url, Ok(time))) => {
            checks.push(Check::ok(ANSWERS, format!("{login_url} answers")));
            checks.extend(time.map(|time| clock(context.system.clock.now() - time)));
        }
    }
    checks
}

fn clock(ahead: i64) -> Check {
    if ahead.abs() <= MOST_SKEW {
        return Check::ok("clock", "agrees with Entra's");
    }
    let direction = if ahead > 0 { "ahead of" } else { "behind" };
    Check::failure(
        "clock",
        format!("{} s {direction} Entra's", ahead.abs()),
        "Set this machine's clock, for instance with NTP.",
    )
}

fn az(context: &Context<'_>) -> Check {
    let found = every_az(context.system);
    match found.first() {
        None => Check::ok("az", "there is no az on PATH"),
        Some(first) if is_this_program(first) => {
            let behind = found.iter().find(|path| !is_this_program(path));
            let behind = behind.map_or("no other behind it".to_owned(), |path| {
                format!("what it does not serve goes to {}", path.display())
            });
            Check::ok("az", format!("{} is this program; {behind}", first.display()))
        }
        Some(first) => Check::ok("az", format!("{} is the real one", first.display())),
    }
}

fn plain_text(context: &Context<'_>) -> Result<Vec<Check>> {
    let found = cache::plain_text(context)?;
    let check = |it: &cache::PlainText| {
        Check::warning("plain text", format!("{}: {}", it.path, it.what), it.remedy)
    };
    Ok(found.iter().map(check).collect())
}

fn name(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Warning => "warning",
        State::Failure => "failure",
    }
}

fn to_value(check: &Check) -> Value {
    json!({
        "check": check.what,
        "state": name(check.state),
        "text": check.text,
        "remedy": check.remedy,
    })
}

fn page(checks: &[Check]) -> String {
    let lines = |check: &Check| {
        let mark = match check.state {
            State::Ok => "ok",
            State::Warning => "!",
            State::Failure => "WRONG",
        };
        let remedy = check.remedy.as_ref().map(|remedy| format!("{:18}{remedy}\n", ""));
        format!("{mark:<6}{:<12}{}\n{}", check.what, check.text, remedy.unwrap_or_default())
    };
    checks.iter().map(lines).collect()
}
