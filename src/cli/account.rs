//! `account …`.

use clap::Subcommand;

use super::{Global, Version};

/// Commands of `account`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum AccountCommand {
    /// Forget all accounts, their tokens and secrets
    Clear(Version),
    /// Get an access token
    #[command(name = "get-access-token")]
    GetAccessToken(GetAccessToken),
    /// List the subscriptions of the signed-in accounts
    List(AccountList),
    /// Make a subscription the default
    Set(AccountSet),
    /// Show a subscription [default: the default one]
    Show(AccountShow),
}

impl AccountCommand {
    /// Options of every command.
    pub(super) fn global(&self) -> &Global {
        match self {
            Self::Clear(command) => &command.global,
            Self::GetAccessToken(command) => &command.global,
            Self::List(command) => &command.global,
            Self::Set(command) => &command.global,
            Self::Show(command) => &command.global,
        }
    }
}

/// `account get-access-token`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt account get-access-token\n  \
    azt account get-access-token --resource https://graph.microsoft.com\n  \
    azt account get-access-token --scope https://vault.azure.net/.default --query accessToken -o tsv\n\n\
    A resource becomes the scope RESOURCE/.default, with a trailing slash kept: the slash is part of\n\
    the audience.")]
pub struct GetAccessToken {
    /// Resource (URL or GUID) that the token is for
    #[arg(long, value_name = "RESOURCE")]
    pub resource: Option<String>,
    /// Scopes, separated by spaces; instead of a resource
    #[arg(long, value_name = "SCOPE", num_args = 0.., action = clap::ArgAction::Set)]
    pub scope: Option<Vec<String>>,
    /// A well-known resource of the cloud
    #[arg(long, value_name = "TYPE", ignore_case = true, value_enum)]
    pub resource_type: Option<ResourceType>,
    /// Tenant of the token [default: the subscription's]
    #[arg(long, short, value_name = "TENANT")]
    pub tenant: Option<String>,
    /// Subscription (name or id) whose account and tenant are used
    #[arg(long, short, alias = "name", short_alias = 'n', value_name = "SUBSCRIPTION")]
    pub subscription: Option<String>,
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
}

/// Resources that every cloud has an endpoint for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ResourceType {
    /// Azure databases for open source
    OssRdbms,
    /// Azure Resource Manager
    Arm,
    /// Azure AD Graph (retired)
    AadGraph,
    /// Microsoft Graph
    MsGraph,
    /// Azure Batch
    Batch,
    /// Azure Media Services
    Media,
    /// Azure Data Lake
    DataLake,
}

/// `account list`.
#[derive(Debug, clap::Args)]
pub struct AccountList {
    /// Those of all clouds and in every state
    #[arg(long)]
    pub all: bool,
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
}

/// `account set`.
#[derive(Debug, clap::Args)]
pub struct AccountSet {
    /// Name or id
    #[arg(
        long,
        short,
        alias = "name",
        short_alias = 'n',
        value_name = "SUBSCRIPTION",
        required = true
    )]
    pub subscription: String,
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
}

/// `account show`.
#[derive(Debug, clap::Args)]
pub struct AccountShow {
    /// Name or id
    #[arg(long, short, alias = "name", short_alias = 'n', value_name = "SUBSCRIPTION")]
    pub subscription: Option<String>,
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
}
