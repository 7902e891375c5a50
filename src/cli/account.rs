//! `account …`.

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::Global;
use crate::secret::Secret;

/// The values of `--resource-type`, in az's order.
const RESOURCE_TYPES: [&str; 7] =
    ["oss-rdbms", "arm", "aad-graph", "ms-graph", "batch", "media", "data-lake"];

/// az's values of a boolean option.
const YES_OR_NO: [&str; 10] = ["true", "t", "yes", "y", "1", "false", "f", "no", "n", "0"];
const YES: [&str; 5] = ["true", "t", "yes", "y", "1"];

/// Commands of `account`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum AccountCommand {
    /// Forget all accounts, their tokens and secrets
    #[command(after_help = "Examples:\n  \
        azt account clear")]
    Clear {
        /// Options of every command.
        #[command(flatten)]
        global: Global,
    },
    /// Get an access token
    #[command(name = "get-access-token")]
    GetAccessToken(GetAccessToken),
    /// List the subscriptions of the signed-in accounts
    List(AccountList),
    /// List the locations (regions) of the default subscription
    #[command(name = "list-locations")]
    ListLocations(AccountListLocations),
    /// Make a subscription the default
    Set(AccountSet),
    /// Show a subscription [default: the default one]
    Show(AccountShow),
    /// List the tenants of the account
    #[command(subcommand)]
    Tenant(TenantCommand),
}

impl AccountCommand {
    /// Options of every command.
    pub(super) fn global(&self) -> &Global {
        match self {
            Self::Clear { global } | Self::Tenant(TenantCommand::List { global }) => global,
            Self::GetAccessToken(command) => &command.global,
            Self::List(command) => &command.global,
            Self::ListLocations(command) => &command.global,
            Self::Set(command) => &command.global,
            Self::Show(command) => &command.global,
        }
    }
}

/// Get an access token.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt account get-access-token\n  \
    azt account get-access-token --resource https://graph.microsoft.com\n  \
    azt account get-access-token --scope https://vault.azure.net/.default --query accessToken -o tsv\n\n\
    A resource becomes the scope RESOURCE/.default, with a trailing slash kept: the slash is part of\n\
    the audience.")]
pub(crate) struct GetAccessToken {
    /// Subscription (name or id) whose account and tenant to use
    #[arg(long, short, alias = "name", short_alias = 'n', value_name = "SUBSCRIPTION")]
    pub(crate) subscription: Option<String>,
    /// Resource (URL or GUID) of the token
    #[arg(long, value_name = "RESOURCE")]
    pub(crate) resource: Option<String>,
    /// Scopes, separated by spaces, instead of a resource
    #[arg(long, value_name = "SCOPE", num_args = 0.., action = clap::ArgAction::Set,
          allow_hyphen_values = true)]
    pub(crate) scope: Option<Vec<String>>,
    /// A well-known resource of the cloud: oss-rdbms, arm, aad-graph, ms-graph, batch, media,
    /// data-lake
    #[arg(long, value_name = "TYPE", ignore_case = true, hide_possible_values = true,
          value_parser = PossibleValuesParser::new(RESOURCE_TYPES))]
    pub(crate) resource_type: Option<String>,
    /// Tenant of the token [default: the subscription's]
    #[arg(long, short, value_name = "TENANT")]
    pub(crate) tenant: Option<String>,
    /// Claims challenge (base64 or JSON) from a resource that refused the token; gets a new token
    #[arg(long, value_name = "CLAIMS")]
    pub(crate) claims: Option<String>,
    /// Access token of a user, to act on that user's behalf; for service principals (use @FILE)
    #[arg(long, value_name = "JWT", value_parser = super::secret)]
    pub(crate) user_assertion: Option<Secret>,
    /// Use the application of AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or
    /// AZURE_CLIENT_CERTIFICATE_PATH, or AZURE_FEDERATED_TOKEN_FILE), without a sign-in
    #[arg(long)]
    pub(crate) identity_from_env: bool,
    /// In GitHub Actions, mask the token in the job's log: prints ::add-mask:: on standard error
    /// for the runner
    #[arg(long)]
    pub(crate) add_mask: bool,
    /// Account to use (user name or client id) [default: AZT_ACCOUNT, else the default
    /// subscription's]
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: Option<String>,
    /// Client (GUID) that the account signed in to with `azt login --client-id` [default:
    /// AZT_CLIENT_ID, else az's]
    #[arg(long, value_name = "CLIENT_ID")]
    pub(crate) client_id: Option<String>,
    /// Authority of that account, if it signed in to several with the client
    #[arg(long, value_name = "URL")]
    pub(crate) authority: Option<String>,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

impl GetAccessToken {
    /// A request without options but those of every command.
    pub(super) fn of(global: Global) -> Self {
        Self {
            subscription: None,
            resource: None,
            scope: None,
            resource_type: None,
            tenant: None,
            claims: None,
            user_assertion: None,
            identity_from_env: false,
            add_mask: false,
            account: None,
            client_id: None,
            authority: None,
            global,
        }
    }
}

/// List the subscriptions of the signed-in accounts.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt account list -o table\n  \
    azt account list --refresh    after a change in Azure")]
pub(crate) struct AccountList {
    /// Get the subscriptions from Azure again
    #[arg(long)]
    pub(crate) refresh: bool,
    /// List subscriptions of all clouds and in every state
    #[arg(long)]
    pub(crate) all: bool,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Commands of `account tenant`.
#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// List the tenants of the default account
    #[command(after_help = "Examples:\n  \
        azt account tenant list --query \"[].tenantId\" -o tsv")]
    List {
        /// Options of every command.
        #[command(flatten)]
        global: Global,
    },
}

/// List the locations (regions) of the default subscription.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt account list-locations --query \"[].name\" -o tsv")]
pub(crate) struct AccountListLocations {
    /// Include edge zones
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true",
          ignore_case = true, hide_possible_values = true,
          value_parser = PossibleValuesParser::new(YES_OR_NO).map(|word| YES.contains(&&*word.to_lowercase())))]
    pub(crate) include_extended_locations: Option<bool>,
    /// Account to use (user name or client id) [default: AZT_ACCOUNT, else the default
    /// subscription's]
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: Option<String>,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Make a subscription the default.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt account set                         choose from a list\n  \
    azt account set \"Contoso Production\"\n  \
    azt account set --subscription 50000000-0000-4000-8000-000000000001")]
pub(crate) struct AccountSet {
    /// Name or id [default: choose from a list]
    #[arg(value_name = "SUBSCRIPTION", num_args = 0.., conflicts_with = "wanted")]
    pub(crate) name: Vec<String>,
    /// Name or id
    // An id of its own, because here an empty value does not count as not given.
    #[arg(
        long = "subscription",
        short = 's',
        alias = "name",
        short_alias = 'n',
        value_name = "SUBSCRIPTION"
    )]
    pub(crate) wanted: Option<String>,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

impl AccountSet {
    /// The command as az has it: with the option only, which is required.
    pub(super) fn of_az() -> clap::Command {
        let set = <Self as clap::Args>::augment_args(clap::Command::new("set"))
            .after_help("Examples:\n  azt account set --subscription \"Contoso Production\"");
        set.mut_arg("wanted", |arg| arg.required(true)).mut_arg("name", |arg| arg.hide(true))
    }
}

/// Show a subscription [default: the default one]
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt account show\n  \
    azt account show --query tenantId -o tsv\n  \
    azt account show --subscription \"Contoso Production\"")]
pub(crate) struct AccountShow {
    /// Name or id
    #[arg(long, short, alias = "name", short_alias = 'n', value_name = "SUBSCRIPTION")]
    pub(crate) subscription: Option<String>,
    /// Account to use (user name or client id) [default: AZT_ACCOUNT, else the default
    /// subscription's]
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: Option<String>,
    /// Tenant of the account: an account in it is preferred
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: Option<String>,
    /// Client (GUID) that the account signed in to with `azt login --client-id` [default:
    /// AZT_CLIENT_ID, else az's]
    #[arg(long, value_name = "CLIENT_ID")]
    pub(crate) client_id: Option<String>,
    /// Authority of that account, if it signed in to several with the client
    #[arg(long, value_name = "URL")]
    pub(crate) authority: Option<String>,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}
