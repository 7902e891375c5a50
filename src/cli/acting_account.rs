//! The options that choose the account of a running endpoint.

use super::{GetAccessToken, Global};

// No doc comment, because clap would show it as the help of each command.
#[allow(missing_docs, reason = "see above")]
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Account")]
pub(crate) struct ActingAccount {
    /// Subscription (name or id) whose account and tenant to use
    #[arg(long, short, value_name = "SUBSCRIPTION")]
    pub(crate) subscription: Option<String>,
    /// Account to use (user name or client id) [default: AZT_ACCOUNT, else the default
    /// subscription's]
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: Option<String>,
    /// Tenant of the tokens [default: the subscription's]
    #[arg(long, short, value_name = "TENANT")]
    pub(crate) tenant: Option<String>,
    /// Client (GUID) that the account signed in to with `azt login --client-id` [default:
    /// AZT_CLIENT_ID, else az's]
    #[arg(long, value_name = "CLIENT_ID")]
    pub(crate) client_id: Option<String>,
    /// Authority of that account, if it signed in to several with the client
    #[arg(long, value_name = "URL")]
    pub(crate) authority: Option<String>,
    /// Use the application of AZURE_TENANT_ID and AZURE_CLIENT_ID, without a sign-in
    #[arg(long)]
    pub(crate) identity_from_env: bool,
}

impl ActingAccount {
    /// A request for a token of this account.
    pub(crate) fn request(&self, global: &Global) -> GetAccessToken {
        let Self { subscription, account, tenant, client_id, authority, identity_from_env } =
            self.clone();
        GetAccessToken {
            subscription,
            tenant,
            identity_from_env,
            account,
            client_id,
            authority,
            ..GetAccessToken::of(global.clone())
        }
    }
}
