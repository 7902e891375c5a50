//! The identity broker of Windows (Web Account Manager), in the form of the Linux broker's.
//!
//! Unverified: this compiles, but it has not run on a Windows with accounts.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{IdentityBroker, Method, unanswered};
use crate::entra::AZURE_CLI_CLIENT_ID;
use crate::error::{Error, Result};
use crate::foreign;
use crate::secret::{Secret, exposed, exposed_option};
use crate::sys::{
    Denial, DenialReason, WorkAccount, WorkToken, WorkTokenRequest, work_accounts, work_token,
};

/// Codes of WAM's provider for a service that is not available for a moment.
const UNAVAILABLE: [u32; 3] = [0xcaa2_0005, 0xcaa2_0008, 0x8008_0300];
/// Facilities (bits 16 to 28 of a code) of a network that does not work.
const NETWORK: [u32; 3] = [0xaa3, 0xaa7, 0xaa8];

/// Bytes for an answer. One with a token has some thousands.
const ROOM: usize = 64 << 10;

/// The Web Account Manager of this user.
pub(super) struct WindowsBroker;

impl IdentityBroker for WindowsBroker {
    fn call(&self, method: Method, request: String, limit: Duration) -> Result<Secret> {
        match method {
            Method::GetAccounts => {
                let accounts = work_accounts(AZURE_CLI_CLIENT_ID, limit).map_err(unanswered)?;
                let accounts: Vec<_> = accounts.iter().map(account).collect();
                Ok(Secret::new(json!({"accounts": accounts}).to_string()))
            }
            Method::AcquireTokenSilently => {
                let answer = work_token(token_request(&request)?, limit).map_err(unanswered)?;
                Ok(match answer {
                    Ok(token) => token_answer(token),
                    Err(denial) => denial_answer(&denial),
                })
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    auth_parameters: AuthParameters,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthParameters {
    account: RequestAccount,
    authority: String,
    requested_scopes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestAccount {
    web_account_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenAnswer {
    broker_token_response: Token,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    #[serde(serialize_with = "exposed")]
    access_token: Secret,
    #[serde(serialize_with = "exposed_option")]
    id_token: Option<Secret>,
    client_info: Option<String>,
    granted_scopes: Option<String>,
    expires_on: Option<i64>,
}

fn account(account: &WorkAccount) -> serde_json::Value {
    json!({
        "username": account.username,
        "homeAccountId": format!("{}.{}", account.object_id, account.tenant),
        "localAccountId": account.object_id,
        "realm": account.tenant,
        "webAccountId": account.id,
    })
}

/// The request in `text`: this azt's own, or that of the azt in WSL.
fn token_request(text: &str) -> Result<WorkTokenRequest> {
    let request: Request = foreign::from_json(text)
        .map_err(|_| Error::failed("The question to the identity broker is in no known form."))?;
    let asked = request.auth_parameters;
    Ok(WorkTokenRequest {
        client_id: AZURE_CLI_CLIENT_ID.to_owned(),
        account: asked.account.web_account_id,
        authority: asked.authority,
        scopes: asked.requested_scopes.join(" "),
    })
}

fn token_answer(token: WorkToken) -> Secret {
    let answer = TokenAnswer {
        broker_token_response: Token {
            access_token: token.access_token,
            id_token: token.id_token,
            client_info: token.client_info,
            granted_scopes: token.scopes,
            // The Linux broker's unit.
            expires_on: token.expires_on.map(|seconds| seconds.saturating_mul(1000)),
        },
    };
    Secret::json(&answer, ROOM)
}

/// The refusal with its MSAL status, of which the kind of the error follows.
fn denial_answer(denial: &Denial) -> Secret {
    let status = match denial.reason {
        DenialReason::NeedsUser => Some(2),
        DenialReason::Cancelled => Some(7),
        DenialReason::OtherAccount => Some(12),
        DenialReason::Provider(code) if UNAVAILABLE.contains(&code) => Some(5),
        DenialReason::Provider(code) if NETWORK.contains(&(code >> 16 & 0x1fff)) => Some(3),
        // The text may name an error of OAuth.
        DenialReason::Provider(_) | DenialReason::Unknown => None,
    };
    Secret::new(json!({"error": {"status": status, "context": denial.text}}).to_string())
}
