//! Azure's services: their short names, the audience of their tokens, and their hosts. The one
//! table that decides where a token may go.
//!
//! A host is in the table under a pattern: itself, or `*.` and the domain that it is below, on whole
//! labels. Audiences that az knows come from the cloud's own endpoints, so that registered clouds
//! have theirs. The others are those of Microsoft's SDKs and documentation; they have not met the
//! real services yet.

mod destination;
mod own;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::error::{Error, Kind, Result};
use crate::settings::{BUILTIN_CLOUDS, Cloud, Endpoint};
use crate::sys::EndpointUrl;

pub(crate) use destination::Destination;
pub(crate) use own::{OwnHost, check as check_setting};

use Audience::{Everywhere, Of, Origin, Own};

/// A text for each cloud of [`BUILTIN_CLOUDS`]; empty where the cloud has none or it is unknown.
type PerCloud = [&'static str; 4];

/// What the tokens of a service are for.
enum Audience {
    /// This endpoint of the cloud.
    Own(Endpoint),
    /// That of the built-in cloud.
    Of(PerCloud),
    /// The same in every cloud: an application id.
    Everywhere(&'static str),
    /// The address that the token is sent to.
    Origin,
}

/// A service that takes tokens.
pub(crate) struct Service {
    /// Its short names, the shortest common one first; none if its audience depends on the host.
    names: &'static [&'static str],
    audience: Audience,
    /// The patterns of its hosts, separated by spaces.
    hosts: PerCloud,
}

/// A service that a URL leads to.
pub(crate) struct Place {
    service: &'static Service,
    /// The built-in cloud that the host belongs to.
    pub(crate) cloud: &'static str,
    /// The pattern that it matches.
    pattern: &'static str,
}

const fn row(names: &'static [&'static str], audience: Audience, hosts: PerCloud) -> Service {
    Service { names, audience, hosts }
}

/// A service of the public cloud alone, or whose names elsewhere are unknown.
const fn public(
    names: &'static [&'static str],
    audience: &'static str,
    hosts: &'static str,
) -> Service {
    row(names, Of([audience, "", "", ""]), [hosts, "", "", ""])
}

static SERVICES: [Service; 41] = [
    row(
        &["arm", "management", "azure"],
        Own(Endpoint::ActiveDirectoryResourceId),
        [
            "management.azure.com *.management.azure.com management.core.windows.net *.scm.azurewebsites.net",
            "management.chinacloudapi.cn management.core.chinacloudapi.cn *.scm.chinacloudsites.cn",
            "management.usgovcloudapi.net management.core.usgovcloudapi.net *.scm.azurewebsites.us",
            "management.sovcloud-api.fr",
        ],
    ),
    row(
        &["graph", "msgraph", "ms-graph"],
        Own(Endpoint::MicrosoftGraphResourceId),
        [
            "graph.microsoft.com",
            "microsoftgraph.chinacloudapi.cn",
            "graph.microsoft.us",
            "graph.svc.sovcloud.fr",
        ],
    ),
    row(
        &["vault", "keyvault", "kv"],
        Of([
            "https://vault.azure.net",
            "https://vault.azure.cn",
            "https://vault.usgovcloudapi.net",
            "https://vault.sovcloud-api.fr",
        ]),
        [
            "*.vault.azure.net",
            "*.vault.azure.cn",
            "*.vault.usgovcloudapi.net",
            "*.vault.sovcloud-api.fr",
        ],
    ),
    row(
        &["managedhsm", "hsm"],
        Of([
            "https://managedhsm.azure.net",
            "https://managedhsm.azure.cn",
            "https://managedhsm.usgovcloudapi.net",
            "https://managedhsm.sovcloud-api.fr",
        ]),
        [
            "*.managedhsm.azure.net",
            "*.managedhsm.azure.cn",
            "*.managedhsm.usgovcloudapi.net",
            "*.managedhsm.sovcloud-api.fr",
        ],
    ),
    row(
        &["storage", "blob", "onelake"],
        Of([STORAGE, STORAGE, STORAGE, ""]),
        [
            "*.blob.core.windows.net *.dfs.core.windows.net *.queue.core.windows.net *.table.core.windows.net *.file.core.windows.net *.blob.fabric.microsoft.com *.dfs.fabric.microsoft.com",
            "*.blob.core.chinacloudapi.cn *.dfs.core.chinacloudapi.cn *.queue.core.chinacloudapi.cn *.table.core.chinacloudapi.cn *.file.core.chinacloudapi.cn",
            "*.blob.core.usgovcloudapi.net *.dfs.core.usgovcloudapi.net *.queue.core.usgovcloudapi.net *.table.core.usgovcloudapi.net *.file.core.usgovcloudapi.net",
            "",
        ],
    ),
    row(
        &["postgres", "mysql", "ossrdbms", "oss-rdbms", "postgresql"],
        Own(Endpoint::OssrdbmsResourceId),
        [
            "*.postgres.database.azure.com *.mysql.database.azure.com *.mariadb.database.azure.com",
            "*.postgres.database.chinacloudapi.cn *.mysql.database.chinacloudapi.cn *.mariadb.database.chinacloudapi.cn",
            "*.postgres.database.usgovcloudapi.net *.mysql.database.usgovcloudapi.net *.mariadb.database.usgovcloudapi.net",
            "*.postgres.database.sovcloud-api.fr *.mysql.database.sovcloud-api.fr *.mariadb.database.sovcloud-api.fr",
        ],
    ),
    row(
        &["sql", "database", "mssql"],
        Of([
            "https://database.windows.net",
            "https://database.chinacloudapi.cn",
            "https://database.usgovcloudapi.net",
            "https://database.sovcloud-api.fr",
        ]),
        [
            "*.database.windows.net *.sql.azuresynapse.net",
            "*.database.chinacloudapi.cn *.sql.azuresynapse.azure.cn",
            "*.database.usgovcloudapi.net *.sql.azuresynapse.usgovcloudapi.net",
            "*.database.sovcloud-api.fr",
        ],
    ),
    public(
        &["devops", "ado", "azuredevops"],
        "499b84ac-1321-427f-aa17-267ca6975798",
        "dev.azure.com *.dev.azure.com *.visualstudio.com",
    ),
    row(
        &["batch"],
        Own(Endpoint::BatchResourceId),
        ["*.batch.azure.com", "*.batch.chinacloudapi.cn", "*.batch.usgovcloudapi.net", ""],
    ),
    row(&["aks", "kubernetes", "k8s"], Everywhere("6dae42f8-4368-4678-94ff-3960e28e3630"), NOWHERE),
    public(&["arc", "connectedk8s"], "6256c85f-0aad-4d50-b960-e6e9b21efe35", ""),
    row(
        &["acr", "registry", "containerregistry"],
        Everywhere("https://containerregistry.azure.net"),
        ["*.azurecr.io", "*.azurecr.cn", "*.azurecr.us", "*.azurecr.sovcloud-azure.fr"],
    ),
    public(&["redis"], "https://redis.azure.com", "*.redis.cache.windows.net *.redis.azure.net"),
    row(
        &["servicebus"],
        Of([
            "https://servicebus.azure.net",
            "https://servicebus.azure.net",
            "https://servicebus.azure.net",
            "",
        ]),
        [
            "*.servicebus.windows.net",
            "*.servicebus.chinacloudapi.cn",
            "*.servicebus.usgovcloudapi.net",
            "",
        ],
    ),
    row(
        &["eventhubs", "eventhub"],
        Of([
            "https://eventhubs.azure.net",
            "https://eventhubs.azure.net",
            "https://eventhubs.azure.net",
            "",
        ]),
        NOWHERE,
    ),
    public(&["eventgrid"], "https://eventgrid.azure.net", "*.eventgrid.azure.net"),
    public(&["cosmos", "cosmosdb"], "https://cosmos.azure.com", "*.documents.azure.com"),
    row(
        &["monitor"],
        Of([
            "https://monitor.azure.com",
            "https://monitor.azure.cn",
            "https://monitor.azure.us",
            "",
        ]),
        ["*.monitor.azure.com", "*.monitor.azure.cn", "*.monitor.azure.us", ""],
    ),
    row(
        &["loganalytics", "logs"],
        Own(Endpoint::LogAnalyticsResourceId),
        [
            "api.loganalytics.io api.loganalytics.azure.com",
            "api.loganalytics.azure.cn",
            "api.loganalytics.us",
            "",
        ],
    ),
    row(
        &["appinsights", "insights"],
        Own(Endpoint::AppInsightsResourceId),
        [
            "api.applicationinsights.io",
            "api.applicationinsights.azure.cn",
            "api.applicationinsights.us",
            "",
        ],
    ),
    row(
        &["appconfig", "appconfiguration"],
        Of(["https://azconfig.io", "https://appconfig.azure.cn", "https://appconfig.azure.us", ""]),
        ["*.azconfig.io", "*.azconfig.azure.cn", "*.azconfig.azure.us", ""],
    ),
    row(
        &["synapse"],
        Own(Endpoint::SynapseAnalyticsResourceId),
        [
            "*.dev.azuresynapse.net",
            "*.dev.azuresynapse.azure.cn",
            "*.dev.azuresynapse.usgovcloudapi.net",
            "",
        ],
    ),
    row(
        &["databricks"],
        Everywhere("2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"),
        ["*.azuredatabricks.net", "*.databricks.azure.cn", "*.databricks.azure.us", ""],
    ),
    row(
        &["search"],
        Of(["https://search.azure.com", "https://search.azure.cn", "https://search.azure.us", ""]),
        ["*.search.windows.net", "*.search.azure.cn", "*.search.azure.us", ""],
    ),
    row(
        &["openai", "cognitive", "cognitiveservices"],
        Of([
            "https://cognitiveservices.azure.com",
            "https://cognitiveservices.azure.cn",
            "https://cognitiveservices.azure.us",
            "",
        ]),
        [
            "*.openai.azure.com *.cognitiveservices.azure.com",
            "*.openai.azure.cn *.cognitiveservices.azure.cn",
            "*.openai.azure.us *.cognitiveservices.azure.us",
            "",
        ],
    ),
    public(&["ai", "foundry"], "https://ai.azure.com", "*.services.ai.azure.com"),
    public(&["fabric"], "https://api.fabric.microsoft.com", "api.fabric.microsoft.com"),
    public(&["powerbi"], "https://analysis.windows.net/powerbi/api", "api.powerbi.com"),
    public(&["signalr"], "https://signalr.azure.com", "*.service.signalr.net"),
    public(&["webpubsub"], "https://webpubsub.azure.com", "*.webpubsub.azure.com"),
    public(&["digitaltwins"], "https://digitaltwins.azure.net", "*.digitaltwins.azure.net"),
    public(&["iothub", "iot"], "https://iothubs.azure.net", "*.azure-devices.net"),
    public(&["maps"], "https://atlas.microsoft.com", "atlas.microsoft.com"),
    public(&["communication"], "https://communication.azure.com", "*.communication.azure.com"),
    row(&["attestation"], Own(Endpoint::AttestationResourceId), ["*.attest.azure.net", "", "", ""]),
    row(&["media"], Own(Endpoint::MediaResourceId), NOWHERE),
    row(
        &["datalake", "data-lake"],
        Own(Endpoint::ActiveDirectoryDataLakeResourceId),
        ["*.azuredatalakestore.net", "", "", ""],
    ),
    row(
        &["aadgraph", "aad-graph"],
        Own(Endpoint::ActiveDirectoryGraphResourceId),
        ["graph.windows.net", "graph.chinacloudapi.cn", "graph.microsoftazure.us", ""],
    ),
    row(
        &[],
        Origin,
        ["*.kusto.windows.net", "*.kusto.chinacloudapi.cn", "*.kusto.usgovcloudapi.net", ""],
    ),
    row(&[], Origin, ["*.dynamics.com", "*.dynamics.cn", "", ""]),
    row(&[], Origin, ["", "", "dod-graph.microsoft.us", ""]),
];

const STORAGE: &str = "https://storage.azure.com";
const NOWHERE: PerCloud = [""; 4];

impl Service {
    /// The service with this short name, in any case.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        SERVICES.iter().find(|it| it.names.iter().any(|own| own.eq_ignore_ascii_case(name)))
    }

    /// The short names of all services.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
        SERVICES.iter().flat_map(|it| it.names).copied()
    }

    /// True if the host of `url` names the audience of a service in `cloud`. Not every audience is
    /// a host: nothing answers at `https://vault.azure.net`.
    pub(crate) fn has_audience_at(cloud: &Cloud, url: &EndpointUrl) -> bool {
        let host = url.environment();
        SERVICES.iter().any(|service| {
            let audience = service.audience(cloud, None).ok();
            let named = audience.as_deref().and_then(|it| it.strip_prefix("https://"));
            named.and_then(|it| it.split('/').next()) == Some(host.as_str())
        })
    }

    /// The audience of its tokens in `cloud`, for a token that is sent to `url`.
    ///
    /// # Errors
    /// The cloud does not have it, or its name there is unknown.
    pub(crate) fn audience<'c>(
        &self,
        cloud: &'c Cloud,
        url: Option<&EndpointUrl>,
    ) -> Result<Cow<'c, str>> {
        let built_in = cloud.builtin_name();
        let unknown = || {
            let name = self.names.first().copied().unwrap_or_default();
            Error::new(
                Kind::Inapplicable,
                format!("azt knows no audience of '{name}' in the cloud '{}'.", cloud.name),
            )
            .remedy("Name the resource itself: azt token --resource RESOURCE")
        };
        match &self.audience {
            Own(endpoint) => cloud.endpoint(*endpoint).map(Cow::Borrowed).map_err(|_| unknown()),
            Everywhere(audience) => Ok(Cow::Borrowed(*audience)),
            Of(audiences) => {
                let own = BUILTIN_CLOUDS.iter().zip(audiences).find(|(name, _)| **name == built_in);
                let own = own.map(|(_, audience)| *audience).filter(|it| !it.is_empty());
                own.map(Cow::Borrowed).ok_or_else(unknown)
            }
            Origin => {
                let url = url.ok_or_else(unknown)?;
                Ok(Cow::Owned(format!("https://{}", url.environment())))
            }
        }
    }
}

/// A row of the table for lists.
pub(crate) struct Row {
    /// A host, or `*.` and the domain that it is below.
    pub(crate) pattern: &'static str,
    /// The audience in its cloud; `None` for the host's own address.
    pub(crate) audience: Option<String>,
    /// The short name; empty if there is none.
    pub(crate) service: &'static str,
}

/// The hosts of the table in the built-in cloud of `cloud`, in its order.
pub(crate) fn rows(cloud: &Cloud) -> Vec<Row> {
    let own = cloud.builtin_name();
    let rows = SERVICES.iter().flat_map(|service| {
        let here = BUILTIN_CLOUDS.iter().zip(&service.hosts).filter(move |(name, _)| **name == own);
        here.flat_map(move |(_, hosts)| {
            hosts.split(' ').filter(|it| !it.is_empty()).map(move |pattern| Row {
                pattern,
                audience: service.audience(cloud, None).ok().map(Cow::into_owned),
                service: service.names.first().copied().unwrap_or_default(),
            })
        })
    });
    rows.collect()
}

impl Place {
    /// The service at `url`; `None` if no pattern of the table matches its host, or the connection
    /// would not be encrypted.
    pub(crate) fn of(url: &EndpointUrl) -> Option<Self> {
        if !url.is_encrypted() {
            return None;
        }
        SERVICES.iter().find_map(|service| {
            let mut places = BUILTIN_CLOUDS.iter().zip(&service.hosts);
            places.find_map(|(cloud, hosts)| {
                let pattern = hosts.split(' ').find(|it| matches(it, url.host()))?;
                Some(Self { service, cloud: *cloud, pattern })
            })
        })
    }

    /// True for Azure Resource Manager, whose tokens have one of two audiences.
    pub(crate) fn is_resource_manager(&self) -> bool {
        matches!(self.service.audience, Own(Endpoint::ActiveDirectoryResourceId))
    }

    /// [`Service::audience`] of the service at `url` in `cloud`.
    pub(crate) fn audience<'c>(&self, cloud: &'c Cloud, url: &EndpointUrl) -> Result<Cow<'c, str>> {
        self.service.audience(cloud, Some(url))
    }
}

/// True if `host`, in lower case, is the one of `pattern`, or below it.
fn matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        // The dot stays: `*.a.b` ends in `.a.b`.
        Some(domain) => host.strip_suffix(domain).is_some_and(|labels| {
            !labels.is_empty() && labels.split('.').all(|label| !label.is_empty())
        }),
        None => !pattern.is_empty() && host == pattern,
    }
}
