//! `rest`: sends a request of the user's own, with a token.

mod granted;
mod literal;
mod outgoing;
mod pairs;
mod url;

use serde_json::Value;

use granted::Granted;
use outgoing::Outgoing;

use super::Answer;
use super::get_access_token::issued;
use super::host_account::issued_for;
use crate::accounts::{Context, Selection};
use crate::arm;
use crate::broker::Wanted;
use crate::cli::Rest;
use crate::entra::Scopes;
use crate::error::{Error, Kind, Result};
use crate::hosts::Destination;
use crate::program::Program;
use crate::settings::Endpoint;
use crate::sys::{EndpointUrl, Response, Sink, block_on, stream_named};

/// What stands for the id of the subscription in a URL.
const SUBSCRIPTION: &str = "{subscriptionId}";

pub(super) fn run(request: &Rest, context: &Context<'_>) -> Result<Answer> {
    let (system, cloud) = (context.system, context.cloud());
    let is_az = system.program == Program::Az;
    let wanted = request.subscription.as_deref().filter(|_| is_az);
    let recognised = wanted.map(|wanted| super::recognised(wanted, context)).transpose()?;
    let headers = pairs::headers(&request.headers)?;
    let query = pairs::query(&request.uri_parameters)?;
    let mut text = url::normalized(&request.url, cloud)?;
    if text.contains(SUBSCRIPTION) {
        let id = match recognised {
            Some(id) => id,
            None => selection(request).find(context)?.id().to_owned(),
        };
        text = text.replace(SUBSCRIPTION, &id);
    }
    let url = url::parse(&text, query.as_deref())?;
    let has_own = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let takes_token = !has_own && !request.skip_authorization_header && url.is_encrypted();
    let token = if takes_token { token(request, &url, None, context)? } else { None };
    let mut outgoing = Outgoing::new(request.method, headers, request.body.as_ref(), token);
    let Some(path) = &request.output_file else {
        let response = send(&mut outgoing, request, &url, None, context)?;
        return shown(&response, context);
    };
    stream_named(path, |sink| send(&mut outgoing, request, &url, Some(sink), context).map(drop))
        .map(|()| Answer::none())
}

fn selection(request: &Rest) -> Selection<'_> {
    Selection {
        subscription: request.subscription.as_deref(),
        account: request.account.as_deref(),
        tenant: request.tenant.as_deref(),
        ..Selection::default()
    }
}

/// The token for `url`; `None`, with a warning, if nothing says what it would be for.
fn token(
    request: &Rest,
    url: &EndpointUrl,
    claims: Option<String>,
    context: &Context<'_>,
) -> Result<Option<Granted>> {
    let (system, cloud) = (context.system, context.cloud());
    let is_az = system.program == Program::Az;
    let manager = EndpointUrl::parse(cloud.endpoint(Endpoint::ResourceManager)?, "");
    let is_arm = manager.is_ok_and(|manager| manager.same_origin(url));
    let mut options = request.token();
    options.claims = claims;
    if is_az {
        // There it only has the id for the URL.
        options.subscription = None;
    }
    let is_chosen =
        options.subscription.is_some() || options.account.is_some() || options.tenant.is_some();
    if is_arm && !is_chosen {
        options.subscription = url::subscription(url.as_str()).map(str::to_owned);
    }
    let of = |resource: &str| {
        let scopes = Some(Scopes::of_resource(resource));
        issued(&options, scopes, Wanted::Usable, None, context).map(|it| Some(Granted::of(it)))
    };
    if let Some(resource) = &request.resource {
        return of(resource);
    }
    if !is_az && let Some(destination) = Destination::of(url, cloud, &context.config)? {
        let issued = issued_for(&destination, &options, Wanted::Usable, context)?;
        return Ok(Some(Granted::at(destination, options, issued)));
    }
    if is_arm {
        // Also checks that the tokens may go there.
        cloud.resource_manager()?;
        return of(cloud.endpoint(Endpoint::ActiveDirectoryResourceId)?);
    }
    if let Some(resource) = url::endpoint(url, cloud) {
        return of(resource);
    }
    system.terminal.warn(
        "Can't derive appropriate Azure AD resource from --url to acquire an access token. If access token is required, use --resource to specify the resource",
    );
    Ok(None)
}

/// Sends the request. After a claims challenge (continuous access evaluation) the token is replaced
/// once.
///
/// # Errors
/// Also the answer, if it is a failure.
fn send(
    outgoing: &mut Outgoing<'_>,
    request: &Rest,
    url: &EndpointUrl,
    mut sink: Option<Sink<'_>>,
    context: &Context<'_>,
) -> Result<Response> {
    let system = context.system;
    let mut response = block_on(outgoing.exchange(url, &mut sink, system))??;
    if outgoing.token.is_some()
        && let Some(claims) = arm::challenge_of(&response)
    {
        outgoing.token = token(request, url, Some(claims), context)?;
        response = block_on(outgoing.exchange(url, &mut sink, system))??;
    }
    // As az has one account for all hosts, only azt tries another one.
    let others = match &outgoing.token {
        Some(granted) if response.status == 401 => granted.others(&response, context)?,
        _ => Vec::new(),
    };
    for other in others {
        if response.status != 401 {
            break;
        }
        outgoing.token = Some(other.granted(context)?);
        response = block_on(outgoing.exchange(url, &mut sink, system))??;
    }
    if response.status < 400 {
        if let Some(granted) = &outgoing.token {
            granted.note_accepted(context);
        }
        return Ok(response);
    }
    Err(failure(&response, outgoing.token.is_some(), context))
}

fn shown(response: &Response, context: &Context<'_>) -> Result<Answer> {
    let terminal = &context.system.terminal;
    let text = response.text();
    if text.is_empty() {
        return Ok(Answer::none());
    }
    // As it was sent: the user asked for it, and output escapes or removes what a terminal would obey.
    if let Ok(value) = response.json::<Value>() {
        return Ok(Answer::of(value));
    }
    terminal.warn(
        "Not a json response, outputting to stdout. For binary data suggest use \"--output-file\" to write to a file",
    );
    terminal.result(&format!("{text}\n"))?;
    Ok(Answer::none())
}

/// The error for an answer of 400 and more.
fn failure(response: &Response, has_token: bool, context: &Context<'_>) -> Error {
    let said = response.masked(response.text()).replace('\r', "");
    let reason = response.reason();
    let text = if said.is_empty() { reason } else { format!("{reason}({said})") };
    let is_challenge = response.status == 401 && response.header("www-authenticate").is_some();
    if context.system.program == Program::Az {
        let error = Error::failed(text);
        return if is_challenge {
            error
                .remedy("Interactive authentication is needed. Please run:")
                .remedy("az logout")
                .remedy("az login")
        } else {
            error
        };
    }
    let kind = match response.status {
        401 | 403 => Kind::Refused,
        404 => Kind::NotFound,
        408 | 429 | 500.. => Kind::Service,
        _ => Kind::Failed,
    };
    let error = Error::new(kind, text);
    match response.status {
        401 if has_token => error.remedy("If the service wants a token for another resource, name it with --resource. If not, sign in again: azt login"),
        401 => error.remedy("The request had no token of azt's."),
        _ => error,
    }
}
