//! The SAML bearer grants (RFC 7522, and Entra's for SAML 1.1): a federation server's assertion is
//! exchanged for tokens.

use crate::call::Answer;
use crate::error::EntraError;
use crate::token::issue::{self, Session};
use crate::token::{TokenRequest, client};
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub(crate) fn grant(
    world: &mut World,
    request: &TokenRequest<'_>,
    saml2: bool,
) -> Result<Answer, EntraError> {
    client::authenticate(world, request)?;
    let scope = request.scope(world)?.ok_or_else(|| EntraError::missing("scope"))?;
    let refused = |code: u32, text: &str| EntraError::new("invalid_grant", code, text);
    // Either alphabet of base64, as in Entra.
    let text = request.field("assertion")?.replace('+', "-").replace('/', "_");
    let text = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
    let text = text.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.ok_or_else(|| refused(50_006, "The assertion is not valid base64."))?;
    let known = world.assertions.get(text.trim()).cloned();
    // An assertion with one changed byte is unknown.
    let known = known.ok_or_else(|| refused(50_008, "The SAML assertion is not valid."))?;
    if known.saml2 != saml2 {
        return Err(refused(50_007, "The SAML version is not that of the grant."));
    }
    if known.expires_at <= world.now() {
        return Err(refused(500_133, "The assertion has expired."));
    }
    let session = Session {
        username: known.username,
        serial: world.next_serial(),
        // A password alone is never a second factor.
        strong_in: None,
        contexts: Vec::new(),
    };
    issue::for_user(world, request, &session, &scope, None)
}
