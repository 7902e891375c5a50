//! Requests to the broker.

use serde_json::json;

use super::BrokerAccount;
use crate::entra::{AZURE_CLI_CLIENT_ID, Authority, Scopes};
use crate::error::Result;

/// The redirect address that clients of the broker name. Nothing is sent to it.
const REDIRECT: &str = "https://login.microsoftonline.com/common/oauth2/nativeclient";

/// The broker's number for a token by OAuth (others are for cookies).
const OAUTH: u8 = 1;

/// The request of `getAccounts`.
pub(super) fn accounts() -> String {
    json!({"clientId": AZURE_CLI_CLIENT_ID, "redirectUri": REDIRECT}).to_string()
}

/// The request of `acquireTokenSilently`.
pub(super) fn token(
    account: &BrokerAccount,
    authority: &Authority,
    scopes: &Scopes,
) -> Result<String> {
    let address = authority.login_url().at(authority.tenant())?;
    let request = json!({
        // Himmelblau reads the account here, Microsoft's broker below.
        "account": account.as_sent,
        "authParameters": {
            "account": account.as_sent,
            "additionalQueryParametersForAuthorization": {},
            "authority": address.as_str(),
            "authorizationType": OAUTH,
            "clientId": AZURE_CLI_CLIENT_ID,
            "redirectUri": REDIRECT,
            "requestedScopes": scopes.iter().collect::<Vec<_>>(),
            "username": account.username(),
            "uxContextHandle": -1,
        },
    });
    Ok(request.to_string())
}
