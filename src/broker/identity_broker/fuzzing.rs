//! Entry point of the fuzz target for the broker's answers.

use super::answer::{self, Wanted};
use super::{AZURE_CLI_CLIENT_ID, BrokerAccount};
use crate::entra::Scopes;
use crate::foreign::LONGEST_TOKEN_LIFETIME;

const HOST: &str = "login.microsoftonline.com";

/// A list of accounts, and a token: never one that has expired or is of another account.
pub fn identity_broker(text: &str) {
    for account in answer::accounts(text, HOST).unwrap_or_default() {
        assert!(!account.username().is_empty() && account.is(account.home_account_id()));
        let _ = (account.tenant(), account.record("fuzz", "t", 0));
    }
    let home = "c0000000-0000-4000-8000-00000000000a";
    let account = serde_json::json!({"username": "ann", "homeAccountId": format!("uid.{home}")});
    let Some(account) = BrokerAccount::parse(account) else { return };
    let (client_id, now) = (AZURE_CLI_CLIENT_ID, 1_790_000_000);
    let Ok(scopes) = Scopes::new(&["https://graph.microsoft.com/.default"]) else { return };
    let wanted = Wanted {
        account: &account,
        environment: HOST,
        tenant: home,
        client_id,
        scopes: &scopes,
        now,
    };
    match answer::token(text, &wanted) {
        Ok(token) => assert!((1..=LONGEST_TOKEN_LIFETIME).contains(&token.lifetime())),
        Err(error) => assert!(!error.message().is_empty()),
    }
}
