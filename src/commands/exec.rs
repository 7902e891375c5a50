//! `exec`: runs a program of the user's with a token endpoint beside it.

use std::time::Duration;

use super::Answer;
use super::consumer::Target;
use super::endpoint::{Allowed, Audit, Door, Endpoint, Source, random_key};
use super::get_access_token::issued;
use super::host_account::issued_for;
use super::token::seconds_of;
use crate::accounts::Context;
use crate::broker::Wanted;
use crate::cli::Exec;
use crate::entra::Scopes;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::sys::{Level, Listener, NotStarted, UserProgram, block_on, connections_at_most};

/// Most connections at a time. A program's many threads share a few.
const CONNECTIONS: usize = 1024;

/// Variables of other identities. Of the first ones the SDKs would take the endpoint for another host's;
/// they would use the others before it.
const OF_OTHERS: [&str; 11] = [
    "IDENTITY_SERVER_THUMBPRINT",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "MSI_SECRET",
    "AZD_AUTH_CERT",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_USERNAME",
    "AZURE_PASSWORD",
];

pub(super) fn run(request: &Exec, context: &Context<'_>) -> Result<Answer> {
    let limit = request.timeout.as_deref().map(time_limit).transpose()?;
    let targets = request.targets.iter().map(|text| Target::of(text, context));
    let targets = targets.collect::<Result<Vec<_>>>()?;
    let mut program =
        UserProgram { argv: request.program.clone(), set: Vec::new(), removed: Vec::new() };
    for target in &targets {
        program.set.extend(variables_of(target, request, context)?);
    }
    let ended = if request.no_endpoint {
        check_without_endpoint(request, &targets)?;
        program.replace(context.system)
    } else {
        let source = Source::of(&request.account.request(&request.global), context)?;
        let audit = request.audit.as_deref().map(Audit::open).transpose()?;
        let is_limited = !(request.resource.is_empty() && targets.is_empty());
        let only = is_limited.then_some(request.resource.as_slice());
        let scopes: Vec<&Scopes> = targets.iter().map(|target| &target.scopes).collect();
        let allowed = Allowed::of(only, &scopes, false, context)?;
        block_on(async {
            let listener = Listener::loopback()?;
            let (port, key) = (listener.port(), random_key()?);
            program.set.extend(variables(port, &key, context));
            program.removed.extend(OF_OTHERS);
            let door = Door::at_port(port, key);
            let endpoint = Endpoint::new(door, source, allowed, audit, context.system);
            let most = connections_at_most(CONNECTIONS);
            let service = listener.serve(most, move |call| endpoint.clone().answer(call));
            Ok::<_, Error>(program.run_beside(context.system, service, limit).await)
        })??
    };
    let code = ended.unwrap_or_else(|NotStarted { error, code }| {
        // Its exit code is the shells', which no kind of error has.
        context.system.terminal.message(Level::Error, error.message());
        code
    });
    Ok(Answer { outcome: Ok(code), ..Answer::none() })
}

/// The variables of `target`, with a token where it takes one.
fn variables_of(
    target: &Target,
    request: &Exec,
    context: &Context<'_>,
) -> Result<Vec<(String, Secret)>> {
    let options = request.account.request(&request.global);
    let issued = match &target.destination {
        Some(destination) => issued_for(destination, &options, Wanted::Usable, context)?,
        None => issued(&options, Some(target.scopes.clone()), Wanted::Usable, None, context)?,
    };
    let variables = target.variables(&issued).into_iter();
    Ok(variables.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Fails for options that an endpoint alone can follow.
fn check_without_endpoint(request: &Exec, targets: &[Target]) -> Result<()> {
    let is_limited =
        request.timeout.is_some() || request.audit.is_some() || !request.resource.is_empty();
    if is_limited {
        return Err(Error::new(
            Kind::Inapplicable,
            "--no-endpoint leaves nothing to limit: omit --timeout, --audit and --resource.",
        ));
    }
    if targets.iter().any(Target::needs_endpoint) {
        return Err(Error::new(
            Kind::Inapplicable,
            "terraform and azcopy get their tokens at the endpoint: omit --no-endpoint.",
        ));
    }
    Ok(())
}

/// What the clients of an endpoint at `port` need. Behind a proxy they must not ask it for this
/// machine: it would see the key.
pub(super) fn variables(port: u16, key: &Secret, context: &Context<'_>) -> Vec<(String, Secret)> {
    let base = format!("http://127.0.0.1:{port}");
    let mut all = vec![
        ("IDENTITY_ENDPOINT", Secret::new(format!("{base}/token"))),
        ("IDENTITY_HEADER", key.clone()),
        ("AZD_AUTH_ENDPOINT", Secret::new(base.clone())),
        ("AZD_AUTH_KEY", key.clone()),
        // Terraform's provider sends no key, so its address has it.
        ("ARM_MSI_ENDPOINT", Secret::new(format!("{base}/token/{}", key.expose()))),
    ];
    if let Some(past) = context.system.env.past_proxy("127.0.0.1,localhost") {
        all.extend(["NO_PROXY", "no_proxy"].map(|name| (name, Secret::new(past.as_str()))));
    }
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn time_limit(text: &str) -> Result<Duration> {
    if cfg!(windows) {
        return Err(Error::new(Kind::Inapplicable, "--timeout cannot end a program on Windows."));
    }
    let seconds = seconds_of("--timeout", text)?;
    u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs).ok_or_else(
        || Error::new(Kind::Usage, "--timeout is no time at all: omit it for no limit."),
    )
}
