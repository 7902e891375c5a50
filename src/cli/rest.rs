//! `rest`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::{GetAccessToken, Global};
use crate::secret::Secret;
use crate::sys::Method;

/// The methods, in az's order.
const METHODS: [(&str, Method); 7] = [
    ("head", Method::Head),
    ("get", Method::Get),
    ("put", Method::Put),
    ("post", Method::Post),
    ("delete", Method::Delete),
    ("options", Method::Options),
    ("patch", Method::Patch),
];

/// Send a request to a service, with a token
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt rest --url /subscriptions/{subscriptionId}/resourcegroups?api-version=2021-04-01\n  \
    azt rest --url https://graph.microsoft.com/v1.0/me --query displayName -o tsv\n  \
    azt rest -m post -u https://graph.microsoft.com/v1.0/groups --body @group.json\n  \
    azt rest --url https://myvault.vault.azure.net/secrets/db --url-parameters api-version=7.4\n  \
    azt rest --url https://api.corp.example/v1/jobs --resource api://corp-jobs\n\n\
    A URL without a host is a path of Azure Resource Manager, and {subscriptionId} in it is the id of\n\
    the subscription. A subscription in such a URL chooses the account. The token goes to the services\n\
    of the cloud and to the hosts of `azt hosts`; to any other host only with --resource, and never\n\
    without https.")]
pub(crate) struct Rest {
    /// URL, or path of Azure Resource Manager
    #[arg(long, short, alias = "uri", value_name = "URL", required = true)]
    pub(crate) url: String,
    /// head, get, put, post, delete, options or patch [default: get]
    #[arg(long, short, value_name = "METHOD", ignore_case = true, hide_possible_values = true,
          hide_default_value = true, default_value = "get",
          value_parser = PossibleValuesParser::new(METHODS.map(|(name, _)| name)).map(|name| method(&name)))]
    pub(crate) method: Method,
    /// Headers: KEY=VALUE, or a JSON object
    #[arg(long, value_name = "HEADER", num_args = 1.., action = clap::ArgAction::Append,
          value_parser = super::secret)]
    pub(crate) headers: Vec<Secret>,
    /// Parameters of the query: KEY=VALUE, or a JSON object
    #[arg(long, alias = "url-parameters", value_name = "PARAMETER", num_args = 1..,
          action = clap::ArgAction::Append)]
    pub(crate) uri_parameters: Vec<String>,
    /// Body (@FILE reads a file); of JSON the content type is application/json
    #[arg(long, short, value_name = "BODY", value_parser = super::secret)]
    pub(crate) body: Option<Secret>,
    /// Send no token
    #[arg(long)]
    pub(crate) skip_authorization_header: bool,
    /// Resource (URL or GUID) of the token [default: by the URL]
    #[arg(long, value_name = "RESOURCE")]
    pub(crate) resource: Option<String>,
    /// Save the answer to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) output_file: Option<PathBuf>,
    /// Subscription (name or id) whose account to use, and whose id is {subscriptionId}
    #[arg(long, value_name = "SUBSCRIPTION")]
    pub(crate) subscription: Option<String>,
    /// Account to use (user name or client id) [default: AZT_ACCOUNT, else the default
    /// subscription's]
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: Option<String>,
    /// Tenant of the token [default: the subscription's]
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: Option<String>,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

impl Rest {
    /// A request for a token of the account that the options choose.
    pub(crate) fn token(&self) -> GetAccessToken {
        GetAccessToken {
            subscription: self.subscription.clone(),
            account: self.account.clone(),
            tenant: self.tenant.clone(),
            ..GetAccessToken::of(self.global.clone())
        }
    }
}

fn method(name: &str) -> Method {
    let mut named = METHODS.into_iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
    named.next().map_or(Method::Get, |(_, method)| method)
}
