//! The resource owner password grant (RFC 6749 4.3).

use crate::call::Answer;
use crate::error::EntraError;
use crate::token::issue::{self, Session};
use crate::token::{TokenRequest, client};
use crate::world::World;

pub(crate) fn grant(world: &mut World, request: &TokenRequest<'_>) -> Result<Answer, EntraError> {
    client::authenticate(world, request)?;
    let scope = request.scope(world)?.ok_or_else(|| EntraError::missing("scope"))?;
    let username = request.field("username")?;
    if username.rsplit_once('@').is_some_and(|(_, domain)| world.directory.is_federated(domain)) {
        // Entra has no password of such a user.
        let text = "Invalid username or password.";
        return Err(EntraError::new("invalid_grant", 50_126, text));
    }
    let user = world.user_with_password(username, request.field("password")?)?;
    let session = Session {
        username: user.username,
        serial: world.next_serial(),
        // A password alone is never a second factor.
        strong_in: None,
        contexts: Vec::new(),
    };
    issue::for_user(world, request, &session, &scope, None)
}
