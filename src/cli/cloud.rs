//! `cloud …`.

use clap::Subcommand;
use clap::builder::PossibleValuesParser;

use super::Global;

/// Commands of `cloud`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum CloudCommand {
    /// List the clouds
    #[command(after_help = "Examples:\n  \
        azt cloud list -o table")]
    List {
        /// Options of every command.
        #[command(flatten)]
        global: Global,
    },
    /// List the profiles of a cloud (always 'latest')
    #[command(name = "list-profiles")]
    ListProfiles(CloudListProfiles),
    /// Add a custom cloud
    Register(CloudRegister),
    /// Make a cloud the active one
    Set(CloudSet),
    /// Show a cloud [default: the active one]
    Show(CloudName),
    /// Remove a custom cloud
    Unregister(CloudUnregister),
    /// Change a cloud
    Update(CloudUpdate),
}

impl CloudCommand {
    /// Options of every command.
    pub(super) fn global(&self) -> &Global {
        match self {
            Self::List { global } => global,
            Self::ListProfiles(command) => &command.global,
            Self::Register(command) => &command.global,
            Self::Set(command) => &command.global,
            Self::Show(command) => &command.global,
            Self::Unregister(command) => &command.global,
            Self::Update(command) => &command.global,
        }
    }
}

/// Show a cloud [default: the active one]
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt cloud show\n  \
    azt cloud show --name AzureChinaCloud")]
pub(crate) struct CloudName {
    /// Name of the cloud
    #[arg(long, short, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// List the profiles of a cloud (always 'latest').
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt cloud list-profiles")]
pub(crate) struct CloudListProfiles {
    /// Name of the cloud
    #[arg(long, short, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Accepted for compatibility with az; has no effect
    #[arg(long)]
    pub(crate) show_all: bool,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Make a cloud the active one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt cloud set --name AzureUSGovernment")]
pub(crate) struct CloudSet {
    /// Name of the cloud
    #[arg(long, short, value_name = "NAME", required = true)]
    pub(crate) name: String,
    /// The profile; only 'latest'
    #[arg(long, value_name = "latest", hide_possible_values = true, ignore_case = true,
          value_parser = PossibleValuesParser::new(["latest"]))]
    pub(crate) profile: Option<String>,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Remove a custom cloud.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt cloud unregister --name Hub")]
pub(crate) struct CloudUnregister {
    /// Name of the cloud
    #[arg(long, short, value_name = "NAME", required = true)]
    pub(crate) name: String,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Add a custom cloud.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt cloud register --name Hub --endpoint-resource-manager https://management.hub.example\n  \
    azt cloud register --name Hub --cloud-config @hub.json")]
pub(crate) struct CloudRegister {
    /// Name of the cloud
    #[arg(long, short, value_name = "NAME", required = true)]
    pub(crate) name: String,
    /// The endpoints and suffixes.
    #[command(flatten)]
    pub(crate) definition: CloudDefinition,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Change a cloud.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt cloud update --name Hub --suffix-storage-endpoint hub.example")]
pub(crate) struct CloudUpdate {
    /// Name of the cloud [default: the active one]
    #[arg(long, short, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The endpoints and suffixes.
    #[command(flatten)]
    pub(crate) definition: CloudDefinition,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

// The endpoints and suffixes that az has options for. No doc comment, because clap would show it
// as the help of the commands.
#[allow(missing_docs, reason = "see above")]
#[derive(Debug, Default, clap::Args)]
pub(crate) struct CloudDefinition {
    /// The cloud as JSON, or @FILE
    #[arg(long, value_name = "JSON")]
    pub(crate) cloud_config: Option<String>,
    /// The profile; only 'latest'
    #[arg(long, value_name = "latest", hide_possible_values = true, ignore_case = true,
          value_parser = PossibleValuesParser::new(["latest"]))]
    pub(crate) profile: Option<String>,
    /// Do not get the other endpoints from the resource manager
    #[arg(long)]
    pub(crate) skip_endpoint_discovery: bool,
    /// Let the resource manager receive tokens for Azure's own services
    #[arg(long)]
    pub(crate) allow_foreign_audience: bool,
    /// Azure Resource Manager
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_resource_manager: Option<String>,
    /// Entra ID (login host)
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_active_directory: Option<String>,
    /// Audience of Azure Resource Manager's tokens
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_active_directory_resource_id: Option<String>,
    /// Audience of Azure AD Graph's tokens
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_active_directory_graph_resource_id: Option<String>,
    /// Audience of Azure Data Lake's tokens
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_active_directory_data_lake_resource_id: Option<String>,
    /// Audience of Microsoft Graph's tokens
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_microsoft_graph_resource_id: Option<String>,
    /// Service management (classic)
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_management: Option<String>,
    /// SQL management (classic)
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_sql_management: Option<String>,
    /// Gallery
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_gallery: Option<String>,
    /// Aliases of virtual machine images
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_vm_image_alias_doc: Option<String>,
    /// Container registries
    #[arg(long, value_name = "SUFFIX")]
    pub(crate) suffix_acr_login_server_endpoint: Option<String>,
    /// Data Lake Analytics
    #[arg(long, value_name = "SUFFIX")]
    pub(crate) suffix_azure_datalake_analytics_catalog_and_job_endpoint: Option<String>,
    /// Data Lake Store
    #[arg(long, value_name = "SUFFIX")]
    pub(crate) suffix_azure_datalake_store_file_system_endpoint: Option<String>,
    /// Key vaults
    #[arg(long, value_name = "SUFFIX")]
    pub(crate) suffix_keyvault_dns: Option<String>,
    /// SQL servers
    #[arg(long, value_name = "SUFFIX")]
    pub(crate) suffix_sql_server_hostname: Option<String>,
    /// Storage accounts
    #[arg(long, value_name = "SUFFIX")]
    pub(crate) suffix_storage_endpoint: Option<String>,
}
