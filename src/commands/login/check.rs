//! Checks the arguments of `login`, and whether a user can interact.

use crate::accounts::Context;
use crate::cli::{self, Login, Pipeline};
use crate::entra::is_guid;
use crate::error::{Error, Kind, Result};
use crate::foreign::Typed;
use crate::program::Program;
use crate::settings::variables::JOBS;
use crate::shell;
use crate::sys::Env;

/// az's message about the required arguments of a service principal.
const OF_APPLICATION: &str =
    "usage error: --service-principal --username NAME --password SECRET --tenant TENANT";

/// az's message when it cannot prompt for a secret.
pub(super) const NO_SECRET: &str =
    "Please specify both username and password in non-interactive mode.";

/// Runs az's checks in az's order and words, then rejects options that az silently ignores:
/// ignoring one could start an interactive sign-in, or sign in another account. `own` is the command
/// of a sign-in to a client other than az's.
///
/// # Errors
/// [`Kind::Inapplicable`]; [`Kind::InteractionRequired`] for an interactive sign-in in a CI job.
pub(super) fn check(request: &Login, context: &Context<'_>, own: Option<&str>) -> Result<()> {
    if context.system.program == Program::Az {
        check_known_to_az(request)?;
    }
    of_az(request, context.system.terminal.stdin_is_tty())?;
    let usage = |text: String| Err(Error::new(Kind::Inapplicable, format!("usage error: {text}")));
    let secrets = secrets_of_app(request);
    let is_given = |(option, given): &(&'static str, bool)| given.then_some(*option);
    let of_app = [
        ("--certificate-password", request.certificate_password.is_some()),
        ("--federated-token-audience", request.federated_token_audience.is_some()),
        ("--service-connection-id", request.service_connection_id.is_some()),
    ];
    let mut of_app = secrets.iter().skip(1).chain(&of_app).filter_map(is_given);
    if let Some(option) = of_app.next().filter(|_| !request.service_principal) {
        return usage(format!("'{option}' is only applicable with a service principal"));
    }
    let of_host = [
        ("--client-id", request.client_id.is_some() && own.is_none()),
        ("--object-id", request.object_id.is_some()),
        ("--resource-id", request.resource_id.is_some()),
    ];
    if let Some(option) = of_host.iter().find_map(is_given).filter(|_| !request.identity) {
        return usage(format!("'{option}' is only applicable with '--identity'"));
    }
    let of_client = [
        ("--authority", request.authority.is_some()),
        ("--redirect-uri", request.redirect_uri.is_some()),
    ];
    if let Some(option) = of_client.iter().find_map(is_given).filter(|_| request.identity) {
        return usage(format!("'{option}' is not applicable with '--identity'"));
    }
    if request.password.is_some() && request.username.is_none() {
        return usage("'--password' requires '--username'".to_owned());
    }
    let given: Vec<&str> = secrets.iter().filter_map(is_given).collect();
    if given.len() > 1 {
        return usage(format!("Provide only one of {}", given.join(", ")));
    }
    if request.certificate_password.is_some() && request.certificate.is_none() {
        return usage("'--certificate-password' requires '--certificate'".to_owned());
    }
    let from = request.federated_token_from;
    if request.federated_token_audience.is_some() && from != Some(Pipeline::GithubActions) {
        let needed = "'--federated-token-from github-actions'";
        return usage(format!("'--federated-token-audience' requires {needed}"));
    }
    if request.service_connection_id.is_some() && from != Some(Pipeline::AzurePipelines) {
        let needed = "'--federated-token-from azure-pipelines'";
        return usage(format!("'--service-connection-id' requires {needed}"));
    }
    check_user_present(request, context, own)
}

fn of_az(request: &Login, stdin_is_tty: bool) -> Result<()> {
    let usage = |text: &str| Err(Error::new(Kind::Inapplicable, text));
    let has_secret = request.password.is_some() || request.service_principal;
    if request.identity && (has_secret || request.tenant.is_some()) {
        return usage("usage error: '--identity' is not applicable with other arguments");
    }
    if request.identity && request.username.is_some() {
        return usage(
            "Passing the managed identity ID with --username is no longer supported. Use --client-id, --object-id or --resource-id instead.",
        );
    }
    if request.use_device_code && (request.identity || has_secret || request.username.is_some()) {
        return usage("usage error: '--use-device-code' is not applicable with other arguments");
    }
    if request.no_browser
        && !request.integrated
        && (request.use_device_code || !is_interactive(request))
    {
        return usage("usage error: '--no-browser' is not applicable with other ways to sign in");
    }
    let ways = [
        ("--identity", request.identity),
        ("--service-principal", request.service_principal),
        ("--password", request.password.is_some()),
        ("--use-device-code", request.use_device_code),
        ("--no-browser", request.no_browser),
        ("--claims-challenge", request.claims_challenge.is_some()),
        ("--integrated", request.integrated),
    ];
    if let Some((way, _)) = ways.iter().find(|(_, given)| *given).filter(|_| request.use_broker) {
        return usage(&format!("usage error: '--use-broker' is not applicable with '{way}'"));
    }
    let is_other_way = request.use_device_code || request.no_browser || request.identity;
    if request.integrated && (is_other_way || has_secret) {
        return usage("usage error: '--integrated' is not applicable with other ways to sign in");
    }
    if request.use_cert_sn_issuer && !request.service_principal {
        return usage("usage error: '--use-sn-issuer' is only applicable with a service principal");
    }
    if request.service_principal && request.username.is_none() {
        return usage(OF_APPLICATION);
    }
    if request.service_principal && request.tenant.is_none() {
        // az continues without a tenant, stores an entry that it cannot read, and crashes.
        let has_secret = secrets_of_app(request).iter().any(|(_, given)| *given);
        return usage(if has_secret || stdin_is_tty { OF_APPLICATION } else { NO_SECRET });
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
    let ids = [&request.client_id, &request.object_id, &request.resource_id];
    if ids.into_iter().flatten().count() > 1 {
        return usage("Usage error: Provide only one of --client-id, --object-id, --resource-id.");
    }
    Ok(())
}

/// The credential options of a service principal, each with whether it is given. The first also
/// applies to users.
fn secrets_of_app(request: &Login) -> [(&'static str, bool); 6] {
    [
        ("--password", request.password.is_some()),
        ("--certificate", request.certificate.is_some()),
        ("--federated-token", request.federated_token.is_some()),
        ("--federated-token-file", request.federated_token_file.is_some()),
        ("--federated-token-command", request.federated_token_command.is_some()),
        ("--federated-token-from", request.federated_token_from.is_some()),
    ]
}

/// True for a sign-in to a client other than az's. Under the name `az` there is none: `--client-id`
/// is always a managed identity's.
pub(super) fn is_to_own_client(request: &Login, context: &Context<'_>) -> bool {
    let named = [&request.client_id, &request.authority, &request.redirect_uri];
    context.system.program == Program::Azt
        && !request.identity
        && named.iter().any(|it| it.is_some())
}

/// Fails, with az's text, for the options of a sign-in to a client other than az's.
fn check_known_to_az(request: &Login) -> Result<()> {
    let given = [("--authority", &request.authority), ("--redirect-uri", &request.redirect_uri)];
    let given: Vec<String> = given
        .iter()
        .filter_map(|(option, value)| Some(format!("{option} {}", Typed(value.as_ref()?))))
        .collect();
    if given.is_empty() {
        return Ok(());
    }
    Err(cli::usage(format!("unrecognized arguments: {}", given.join(" ")), "az login"))
}

/// True for sign-ins in which the user chooses the account: browser, device code and identity broker.
pub(super) fn is_interactive(request: &Login) -> bool {
    let has_password = request.username.is_some() && !request.use_broker;
    !request.identity && !request.service_principal && !request.integrated && !has_password
}

/// Fails for an interactive sign-in in a CI job without a terminal, which would wait until its
/// timeout of 15 minutes. `own` as in [`check`].
fn check_user_present(request: &Login, context: &Context<'_>, own: Option<&str>) -> Result<()> {
    let insists = request.use_device_code
        || request.use_broker
        || request.no_browser
        || !is_interactive(request);
    if insists || context.system.terminal.stdin_is_tty() {
        return Ok(());
    }
    let env = &context.system.env;
    let Some(job) = JOBS.iter().find(|name| is_on(env, name)) else { return Ok(()) };
    let nobody = Error::new(
        Kind::InteractionRequired,
        format!("Nobody can sign in here: this is a job ({job} is set) without a terminal."),
    );
    let by_code = |login: &str| {
        format!(
            "For a user who reads this log and enters a code elsewhere: {login} --use-device-code"
        )
    };
    if let Some(login) = own {
        return Err(nobody.remedy(by_code(login)));
    }
    let program = context.system.program;
    let tenant = request.tenant.as_deref().and_then(shell::shown);
    let tenant = tenant.unwrap_or_else(|| "TENANT".to_owned());
    let login = format!("{program} login --service-principal -u CLIENT_ID -t {tenant}");
    let federated = if is_on(env, "GITHUB_ACTIONS") {
        "--federated-token-from github-actions"
    } else if is_on(env, "TF_BUILD") {
        "--federated-token-from azure-pipelines"
    } else {
        "--federated-token-file FILE"
    };
    Err(nobody
        .remedy(format!("With a federated token (OIDC): {login} {federated}"))
        .remedy(format!("With a secret: printf %s \"$SECRET\" | {login} -p @-"))
        .remedy(format!("With a certificate: {login} --certificate FILE"))
        .remedy(format!("With the managed identity of the host: {program} login --identity"))
        .remedy(by_code(&format!("{program} login"))))
}

fn is_on(env: &Env, name: &str) -> bool {
    env.non_empty(name).is_some_and(|value| !["false", "0"].contains(&&*value.to_lowercase()))
}
