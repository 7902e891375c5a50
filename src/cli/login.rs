//! `login` and `logout`.
#![allow(rustdoc::bare_urls, reason = "these comments are the help, where a URL stands bare")]

use super::{Global, secret};
use crate::secret::Secret;

// Headings of the options of `login`.
const USERS: &str = "Users";
const SERVICE_PRINCIPALS: &str = "Service principals";
const MANAGED_IDENTITIES: &str = "Managed identities";
const OWN_APPLICATIONS: &str = "Applications of your own";
const SUBSCRIPTIONS: &str = "Subscriptions";

/// Sign in to Azure.
#[allow(clippy::struct_excessive_bools, reason = "they are independent flags")]
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt login                                  in the browser, or with a code if there is none\n  \
    azt login --use-device-code                with a code to enter in any browser\n  \
    azt login --no-browser                     with a browser on another machine\n  \
    azt login --use-broker                     with the identity broker of this machine\n  \
    azt login --integrated                     with the Kerberos ticket of this session (kinit)\n  \
    azt login --tenant contoso.com             one tenant only\n  \
    azt login --service-principal -u APP_ID -p @secret.txt --tenant contoso.com\n  \
    azt login --identity                       the managed identity of this machine or app\n  \
    azt login --client-id CLIENT_ID --scope api://APP_ID/.default   an application of your own\n  \
    azt login --service-principal -u APP_ID --certificate app.pem --tenant contoso.com\n  \
    printf %s \"$SECRET\" | azt login --service-principal -u APP_ID -p @- --tenant contoso.com\n\n\
    A value that begins with @ is read from the file that follows, or from standard input for @-;\n\
    that keeps a secret out of the process list and the shell's history.")]
pub(crate) struct Login {
    /// User name, or client id of a service principal
    #[arg(long, short, value_name = "NAME")]
    pub(crate) username: Option<String>,
    /// Password, or secret of a service principal; prompted for if omitted on a terminal
    #[arg(long, short, value_name = "SECRET", value_parser = secret)]
    pub(crate) password: Option<Secret>,
    /// Tenant to sign in to: id (GUID) or domain
    #[arg(long, short, value_name = "TENANT")]
    pub(crate) tenant: Option<String>,
    /// Scopes of the sign-in request, instead of Azure Resource Manager's
    #[arg(long, value_name = "SCOPE", num_args = 0.., action = clap::ArgAction::Set,
          allow_hyphen_values = true)]
    pub(crate) scope: Option<Vec<String>>,
    /// Allow tenants without subscriptions, as tenant-level accounts
    #[arg(long, help_heading = SUBSCRIPTIONS)]
    pub(crate) allow_no_subscriptions: bool,
    /// Claims challenge (base64) from a resource, as required by Conditional Access
    #[arg(long, value_name = "BASE64")]
    pub(crate) claims_challenge: Option<String>,
    /// Sign in with a code to enter in any browser
    #[arg(long, help_heading = USERS)]
    pub(crate) use_device_code: bool,
    /// Sign in with a browser on another machine: prints the address, and reads the one it ends at
    #[arg(long, help_heading = USERS)]
    pub(crate) no_browser: bool,
    /// Sign in with an account of this machine's identity broker; --username chooses among several
    #[arg(long, help_heading = USERS)]
    pub(crate) use_broker: bool,
    /// Sign in with the Kerberos ticket of this session (kinit, a domain login); --username names
    /// the account if the ticket's principal does not
    #[arg(long, help_heading = USERS)]
    pub(crate) integrated: bool,
    /// Sign in as a service principal
    #[arg(long, help_heading = SERVICE_PRINCIPALS)]
    pub(crate) service_principal: bool,
    /// Certificate of the service principal: a PEM or PFX file with its private key
    #[arg(long, help_heading = SERVICE_PRINCIPALS, value_name = "FILE")]
    pub(crate) certificate: Option<String>,
    /// Password of the certificate file; prompted for if omitted on a terminal
    #[arg(long, help_heading = SERVICE_PRINCIPALS, value_name = "SECRET", value_parser = secret)]
    pub(crate) certificate_password: Option<Secret>,
    /// Send the certificate, for subject name and issuer authentication
    #[arg(long, help_heading = SERVICE_PRINCIPALS)]
    pub(crate) use_cert_sn_issuer: bool,
    /// Federated token (JWT) of the service principal; works until it expires
    #[arg(long, help_heading = SERVICE_PRINCIPALS, value_name = "JWT", value_parser = secret)]
    pub(crate) federated_token: Option<Secret>,
    /// File with a current federated token, read each time (workload identity)
    #[arg(long, help_heading = SERVICE_PRINCIPALS, value_name = "FILE")]
    pub(crate) federated_token_file: Option<String>,
    /// Command that prints a current federated token, run each time
    #[arg(long, help_heading = SERVICE_PRINCIPALS, value_name = "COMMAND")]
    pub(crate) federated_token_command: Option<String>,
    /// Pipeline service that issues a federated token each time: github-actions or azure-pipelines
    /// [default: from the job's variables]
    #[arg(long, help_heading = SERVICE_PRINCIPALS, value_enum, value_name = "PIPELINE", hide_possible_values = true)]
    pub(crate) federated_token_from: Option<Pipeline>,
    /// Audience of GitHub's token [default: api://AzureADTokenExchange]
    #[arg(long, help_heading = SERVICE_PRINCIPALS, value_name = "AUDIENCE")]
    pub(crate) federated_token_audience: Option<String>,
    /// Service connection (GUID) of Azure Pipelines [default: the task's]
    #[arg(long, help_heading = SERVICE_PRINCIPALS, value_name = "ID")]
    pub(crate) service_connection_id: Option<String>,
    /// Sign in with the managed identity of this host, or as the user of Azure Cloud Shell
    #[arg(long, help_heading = MANAGED_IDENTITIES, short)]
    pub(crate) identity: bool,
    /// Public client of your own to sign in to (GUID), instead of az's; needs --scope. With --identity:
    /// client id of a user-assigned managed identity
    #[arg(long, help_heading = OWN_APPLICATIONS, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// Redirect URI of that client [default: http://localhost]
    #[arg(long, help_heading = OWN_APPLICATIONS, value_name = "URI")]
    pub(crate) redirect_uri: Option<String>,
    /// Authority of that client: https://NAME.ciamlogin.com/TENANT (Entra External ID),
    /// https://NAME.b2clogin.com/TENANT/POLICY (B2C) or https://HOST/adfs (AD FS) [default: the
    /// cloud's]
    #[arg(long, help_heading = OWN_APPLICATIONS, value_name = "URL")]
    pub(crate) authority: Option<String>,
    /// Object id of a user-assigned managed identity
    #[arg(long, help_heading = MANAGED_IDENTITIES, value_name = "ID")]
    pub(crate) object_id: Option<String>,
    /// Resource id of a user-assigned managed identity
    #[arg(long, help_heading = MANAGED_IDENTITIES, value_name = "ID")]
    pub(crate) resource_id: Option<String>,
    /// Skip the subscription lookup; use only the id from --subscription, or only the tenant
    #[arg(long, help_heading = SUBSCRIPTIONS, alias = "skip-sub")]
    pub(crate) skip_subscription_discovery: bool,
    /// Subscription (name or id) to make the default
    #[arg(long, help_heading = SUBSCRIPTIONS, short, value_name = "SUBSCRIPTION")]
    pub(crate) subscription: Option<String>,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Pipeline services that issue federated tokens to their jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Pipeline {
    /// GitHub Actions.
    GithubActions,
    /// Azure Pipelines.
    AzurePipelines,
}

/// Sign out: remove an account's tokens and its subscriptions.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt logout                                    the account of the default subscription\n  \
    azt logout --username alice@contoso.example\n  \
    azt logout --username APP_ID --yes              without a question")]
pub(crate) struct Logout {
    /// Account to sign out: user name or client id [default: the default subscription's]
    #[arg(long, value_name = "NAME")]
    pub(crate) username: Option<String>,
    /// Only the account of this client (GUID), which is not az's [default: AZT_CLIENT_ID]
    #[arg(long, value_name = "CLIENT_ID")]
    pub(crate) client_id: Option<String>,
    /// Tenant (GUID) of that account, if it signed in to several places with the client
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: Option<String>,
    /// Authority of that account, if it signed in to several with the client
    #[arg(long, value_name = "URL")]
    pub(crate) authority: Option<String>,
    /// Do not ask for confirmation
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}
