//! The authorize endpoint (RFC 6749 4.1.1, OpenID Connect 3.1.2): the sign-in page and its result.

use crate::call::{Answer, Call};
use crate::device;
use crate::directory::{Application, User};
use crate::error::EntraError;
use crate::identifier;
use crate::pages;
use crate::token::ClaimsRequest;
use crate::token::authorization_code::{Challenge, Code};
use crate::token::issue::Session;
use crate::token::scope::Scope;
use crate::world::{Authority, World};

/// Where and how to send the result to the client.
struct Reply<'a> {
    redirect_uri: &'a str,
    mode: &'a str,
    state: Option<&'a str>,
}

/// Answers `/{tenant}/oauth2[/v2.0]/authorize`: GET shows the page, POST is the page's form. The
/// query has the client's request in both cases.
pub(crate) fn answer(world: &mut World, call: &Call, authority: &Authority, v1: bool) -> Answer {
    // An error may go only to a registered address of a known client; others get a page.
    let (application, reply) = match known_client(world, call, authority) {
        Ok(known) => known,
        Err(error) => return pages::error(world, call, &error),
    };
    let scope = match check(world, call, v1) {
        Ok(scope) => scope,
        Err(error) => return reply.error(world, call, &error),
    };
    let prompt = call.parameter("prompt");
    let user = if call.method == "POST" {
        if call.form.contains_key("cancel") {
            let text = "The user cancelled the sign-in.";
            return reply.error(world, call, &EntraError::new("access_denied", 65_004, text));
        }
        match signed_in(world, call) {
            Ok(user) => user,
            Err(error) => return page(world, call, &application, &scope, Some(&error)),
        }
    } else if let Some(user) = automatic(world) {
        user
    } else if prompt == Some("none") {
        let text = "The request has 'prompt=none', but no user is signed in.";
        return reply.error(world, call, &EntraError::new("login_required", 50_058, text));
    } else {
        return page(world, call, &application, &scope, None);
    };
    match code(world, call, authority, &application, scope, &user) {
        Ok(code) => reply.send(&[("code".into(), code)]),
        Err(error) => page_or_error(world, call, &application, &reply, &error),
    }
}

/// After a form, shows the page again, so that another user can sign in. Otherwise sends the error
/// to the client.
fn page_or_error(
    world: &World,
    call: &Call,
    application: &Application,
    reply: &Reply<'_>,
    error: &EntraError,
) -> Answer {
    if call.method == "POST" {
        let action = form_action(call);
        let hint = call.parameter("login_hint").unwrap_or_default();
        return pages::sign_in(world, &action, &application.name, None, hint, Some(error));
    }
    reply.error(world, call, error)
}

fn known_client<'a>(
    world: &World,
    call: &'a Call,
    authority: &Authority,
) -> Result<(Application, Reply<'a>), EntraError> {
    let application = world.application(call.parameter("client_id"), authority)?;
    let redirect_uri =
        call.parameter("redirect_uri").ok_or_else(|| EntraError::missing("redirect_uri"))?;
    if !application.redirect_uris.iter().any(|registered| is_same_address(registered, redirect_uri))
    {
        let text = format!(
            "The redirect URI '{redirect_uri}' of the request is not registered for the application '{}'.",
            application.client_id
        );
        return Err(EntraError::new("invalid_request", 50_011, text));
    }
    let reply = Reply {
        redirect_uri,
        mode: call.parameter("response_mode").unwrap_or("query"),
        state: call.parameter("state"),
    };
    Ok((application, reply))
}

/// True if the addresses are equal, or differ only in the port of a loopback address (RFC 8252
/// 7.3).
fn is_same_address(registered: &str, requested: &str) -> bool {
    let without_port = |address: &str| -> Option<(String, String)> {
        let rest = address.strip_prefix("http://")?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let name = host.split(':').next()?;
        ["localhost", "127.0.0.1"].contains(&name).then(|| (name.to_owned(), path.to_owned()))
    };
    registered == requested
        || without_port(registered).is_some_and(|it| Some(it) == without_port(requested))
}

fn check(world: &World, call: &Call, v1: bool) -> Result<Scope, EntraError> {
    let kind = call.parameter("response_type").unwrap_or_default();
    if kind != "code" {
        let text = format!("The response type '{kind}' is not supported.");
        return Err(EntraError::new("unsupported_response_type", 70_005, text));
    }
    let mode = call.parameter("response_mode").unwrap_or("query");
    if !["query", "fragment", "form_post"].contains(&mode) {
        let text = format!("The response mode '{mode}' is not supported.");
        return Err(EntraError::new("invalid_request", 70_007, text));
    }
    let method = call.parameter("code_challenge_method").unwrap_or("plain");
    if !["plain", "S256"].contains(&method) {
        let text = format!("The code challenge method '{method}' is not supported.");
        return Err(EntraError::new("invalid_request", 501_471, text));
    }
    match (call.parameter("resource"), call.parameter("scope")) {
        (Some(resource), _) if v1 => Scope::of_resource(world, resource),
        (_, Some(scope)) => Scope::parse(world, scope),
        (_, None) => Err(EntraError::missing("scope")),
    }
}

/// The user of [`Settings::auto_approve`](crate::Settings::auto_approve).
fn automatic(world: &World) -> Option<User> {
    let username = world.settings.auto_approve.as_ref()?;
    world.directory.user(username).cloned()
}

/// The user of the form: chosen from the list, or with a password.
pub(crate) fn signed_in(world: &World, call: &Call) -> Result<User, EntraError> {
    if let Some(user) = call.field("pick").and_then(|name| world.directory.user(name)) {
        return Ok(user.clone());
    }
    let username = call.field("username").unwrap_or_default();
    world.user_with_password(username, call.field("password").unwrap_or_default())
}

fn code(
    world: &mut World,
    call: &Call,
    authority: &Authority,
    application: &Application,
    scope: Scope,
    user: &User,
) -> Result<String, EntraError> {
    if user.disabled {
        let text = "The user account is disabled.";
        return Err(EntraError::new("access_denied", 50_057, text));
    }
    let tenant = authority.tenant_of(world, user)?;
    let requested = ClaimsRequest::parse(call.parameter("claims"))?;
    device::consent(world, &application.client_id, &scope.resource.app_id);
    let code = identifier::opaque("1.code");
    let session = Session {
        username: user.username.clone(),
        serial: world.next_serial(),
        strong_in: Some(tenant.id),
        contexts: requested.contexts,
    };
    let challenge = call.parameter("code_challenge").map(|value| Challenge {
        value: value.to_owned(),
        s256: call.parameter("code_challenge_method") == Some("S256"),
    });
    let expires_at = world.now() + 600;
    world.codes.insert(
        code.clone(),
        Code {
            client_id: application.client_id.clone(),
            redirect_uri: call.parameter("redirect_uri").unwrap_or_default().to_owned(),
            challenge,
            nonce: call.parameter("nonce").map(str::to_owned),
            session,
            scope,
            expires_at,
            redeemed: false,
        },
    );
    Ok(code)
}

fn form_action(call: &Call) -> String {
    format!("{}?{}", call.path, call.raw_query)
}

fn page(
    world: &World,
    call: &Call,
    application: &Application,
    scope: &Scope,
    error: Option<&EntraError>,
) -> Answer {
    let hint = call.field("username").or_else(|| call.parameter("login_hint")).unwrap_or_default();
    pages::sign_in(
        world,
        &form_action(call),
        &application.name,
        Some(&scope.resource.name),
        hint,
        error,
    )
}

impl Reply<'_> {
    fn error(&self, world: &World, call: &Call, error: &EntraError) -> Answer {
        self.send(&error.redirect_parameters(world, call))
    }

    fn send(&self, parameters: &[(String, String)]) -> Answer {
        let state = self.state.map(|state| ("state".to_owned(), state.to_owned()));
        let parameters: Vec<_> = parameters.iter().cloned().chain(state).collect();
        if self.mode == "form_post" {
            return pages::form_post(self.redirect_uri, &parameters);
        }
        let encoded =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(&parameters).finish();
        let separator = match self.mode {
            "fragment" => '#',
            _ if self.redirect_uri.contains('?') => '&',
            _ => '?',
        };
        Answer::redirect(&format!("{}{separator}{encoded}", self.redirect_uri))
    }
}

#[cfg(test)]
mod tests {
    use super::is_same_address;

    #[test]
    fn only_the_port_of_a_loopback_address_may_differ() {
        assert!(is_same_address("http://localhost", "http://localhost:1234"));
        assert!(is_same_address("http://localhost/cb", "http://localhost:1/cb"));
        assert!(!is_same_address("http://localhost", "http://127.0.0.1:1234"));
        assert!(!is_same_address("http://localhost", "http://localhost:1/cb"));
        assert!(!is_same_address("http://a.example", "http://a.example:81"));
        assert!(!is_same_address("http://localhost", "http://localhost.a.example"));
    }
}
