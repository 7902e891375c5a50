//! az's built-in clouds (az 2.91), as published by Microsoft.

use std::borrow::Cow;

use super::cloud_values::CloudValues;

/// The names of the built-in clouds, in the order az lists them.
pub(crate) const NAMES: [&str; 4] =
    ["AzureCloud", "AzureChinaCloud", "AzureUSGovernment", "AzureBleuCloud"];

/// The aliases of each login host (Entra's instance discovery); other programs' caches use any of
/// them.
const LOGIN_HOSTS: [&[&str]; 4] = [
    &["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
    &["login.chinacloudapi.cn", "login.partner.microsoftonline.cn"],
    &["login.microsoftonline.us", "login.usgovcloudapi.net", "login-us.microsoftonline.com"],
    &["login.sovcloud-identity.fr"],
];

/// The built-in cloud with this name, else the one with this login endpoint, else the public one.
pub(super) fn name_of(cloud: &str, login: &str) -> &'static str {
    let host = login.strip_prefix("https://").unwrap_or(login).trim_end_matches('/');
    let at_host = || LOGIN_HOSTS.iter().position(|all| all.contains(&host));
    let at = NAMES.iter().position(|name| *name == cloud).or_else(at_host);
    at.and_then(|at| NAMES.get(at)).copied().unwrap_or("AzureCloud")
}

/// True when `one` and `other` are aliases of the same login host.
pub(crate) fn is_same_login_host(one: &str, other: &str) -> bool {
    one == other || LOGIN_HOSTS.iter().any(|all| all.contains(&one) && all.contains(&other))
}

/// True for a login host of a built-in cloud, under any alias and in any region.
pub(crate) fn is_login_host(host: &str) -> bool {
    LOGIN_HOSTS.iter().copied().flatten().any(|known| is_at_or_below(host, known))
}

/// True for the resource manager URL of a built-in cloud, exactly as in [`ENDPOINTS`].
pub(super) fn is_resource_manager_url(url: &str) -> bool {
    resource_managers().contains(&url)
}

/// True for the resource manager of a built-in cloud, or one of its regions.
pub(super) fn is_resource_manager(host: &str) -> bool {
    resource_managers()
        .iter()
        .any(|url| is_at_or_below(host, url.trim_start_matches("https://").trim_end_matches('/')))
}

fn resource_managers() -> [&'static str; 4] {
    let row = ENDPOINTS.iter().find(|(name, _)| *name == "resource_manager");
    row.map(|(_, urls)| *urls).unwrap_or_default()
}

fn is_at_or_below(host: &str, known: &str) -> bool {
    host.strip_suffix(known).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// A name and its value in each cloud of [`NAMES`]; empty where the cloud has none.
type Row = (&'static str, [&'static str; 4]);

/// The endpoints of a built-in cloud; all unset for any other name.
pub(super) fn endpoints(cloud: &str) -> CloudValues {
    column(&ENDPOINTS, cloud)
}

/// The suffixes of a built-in cloud; all unset for any other name.
pub(super) fn suffixes(cloud: &str) -> CloudValues {
    column(&SUFFIXES, cloud)
}

/// The built-in login host of a built-in cloud, ignoring `clouds.config`; `None` for any other
/// name.
pub(crate) fn builtin_login_host(cloud: &str) -> Option<&'static str> {
    let at = NAMES.iter().position(|name| *name == cloud)?;
    built_in("active_directory", at)
}

/// The resource manager host of the built-in cloud that signs in at `login_host`; `None` for any
/// other login host.
pub(crate) fn builtin_resource_manager(login_host: &str) -> Option<&'static str> {
    let signs_in_there = |at: &usize| built_in("active_directory", *at) == Some(login_host);
    let at = (0..NAMES.len()).find(signs_in_there)?;
    built_in("resource_manager", at)
}

/// The host of the endpoint `name` of the cloud at index `at` of [`NAMES`].
fn built_in(name: &str, at: usize) -> Option<&'static str> {
    let (_, urls) = ENDPOINTS.iter().find(|(endpoint, _)| *endpoint == name)?;
    let host = urls.get(at)?.strip_prefix("https://")?;
    Some(host.trim_end_matches('/'))
}

fn column(rows: &'static [Row], cloud: &str) -> CloudValues {
    let at = NAMES.iter().position(|name| *name == cloud);
    let value = |row: &Row| at.and_then(|at| row.1.get(at).copied()).filter(|v| !v.is_empty());
    CloudValues::new(rows.iter().map(|row| (row.0, value(row).map(Cow::Borrowed))))
}

// Trailing slashes and leading dots match az's. They matter: a scope is the endpoint followed by
// "/.default".

const ENDPOINTS: [Row; 21] = [
    (
        "active_directory",
        [
            "https://login.microsoftonline.com",
            "https://login.chinacloudapi.cn",
            "https://login.microsoftonline.us",
            "https://login.sovcloud-identity.fr",
        ],
    ),
    ("active_directory_data_lake_resource_id", ["https://datalake.azure.net/", "", "", ""]),
    (
        "active_directory_graph_resource_id",
        [
            "https://graph.windows.net/",
            "https://graph.chinacloudapi.cn/",
            "https://graph.microsoftazure.us/",
            "https://graph.svc.sovcloud.fr/",
        ],
    ),
    (
        "active_directory_resource_id",
        [
            "https://management.core.windows.net/",
            "https://management.core.chinacloudapi.cn/",
            "https://management.core.usgovcloudapi.net/",
            "https://management.sovcloud-api.fr/",
        ],
    ),
    (
        "app_insights_resource_id",
        [
            "https://api.applicationinsights.io",
            "https://api.applicationinsights.azure.cn",
            "https://api.applicationinsights.us",
            "",
        ],
    ),
    (
        "app_insights_telemetry_channel_resource_id",
        [
            "https://dc.applicationinsights.azure.com/v2/track",
            "https://dc.applicationinsights.azure.cn/v2/track",
            "https://dc.applicationinsights.us/v2/track",
            "",
        ],
    ),
    (
        "app_service_resource_id",
        [
            "https://appservice.azure.com",
            "https://management.core.chinacloudapi.cn/",
            "https://management.core.usgovcloudapi.net/",
            "",
        ],
    ),
    ("attestation_resource_id", ["https://attest.azure.net", "", "", ""]),
    ("azmirror_storage_account_resource_id", ["", "", "", ""]),
    (
        "batch_resource_id",
        [
            "https://batch.core.windows.net/",
            "https://batch.chinacloudapi.cn/",
            "https://batch.core.usgovcloudapi.net/",
            "https://batch.sovcloud-api.fr/",
        ],
    ),
    (
        "gallery",
        [
            "https://gallery.azure.com/",
            "https://gallery.chinacloudapi.cn/",
            "https://gallery.usgovcloudapi.net/",
            "https://gallery.sovcloud-api.fr/",
        ],
    ),
    (
        "log_analytics_resource_id",
        [
            "https://api.loganalytics.io",
            "https://api.loganalytics.azure.cn",
            "https://api.loganalytics.us",
            "",
        ],
    ),
    (
        "management",
        [
            "https://management.core.windows.net/",
            "https://management.core.chinacloudapi.cn/",
            "https://management.core.usgovcloudapi.net/",
            "https://management.sovcloud-api.fr/",
        ],
    ),
    (
        "media_resource_id",
        [
            "https://rest.media.azure.net",
            "https://rest.media.chinacloudapi.cn",
            "https://rest.media.usgovcloudapi.net",
            "https://rest.media.sovcloud-api.fr",
        ],
    ),
    (
        "microsoft_graph_resource_id",
        [
            "https://graph.microsoft.com/",
            "https://microsoftgraph.chinacloudapi.cn",
            "https://graph.microsoft.us/",
            "https://graph.svc.sovcloud.fr",
        ],
    ),
    (
        "ossrdbms_resource_id",
        [
            "https://ossrdbms-aad.database.windows.net",
            "https://ossrdbms-aad.database.chinacloudapi.cn",
            "https://ossrdbms-aad.database.usgovcloudapi.net",
            "https://ossrdbms-aad.database.sovcloud-api.fr",
        ],
    ),
    (
        "portal",
        [
            "https://portal.azure.com",
            "https://portal.azure.cn",
            "https://portal.azure.us",
            "https://portal.sovcloud-azure.fr",
        ],
    ),
    (
        "resource_manager",
        [
            "https://management.azure.com/",
            "https://management.chinacloudapi.cn",
            "https://management.usgovcloudapi.net/",
            "https://management.sovcloud-api.fr",
        ],
    ),
    (
        "sql_management",
        [
            "https://management.core.windows.net:8443/",
            "https://management.core.chinacloudapi.cn:8443/",
            "https://management.core.usgovcloudapi.net:8443/",
            "https://management.database.sovcloud-api.fr:8443/",
        ],
    ),
    (
        "synapse_analytics_resource_id",
        [
            "https://dev.azuresynapse.net",
            "https://dev.azuresynapse.azure.cn",
            "https://dev.azuresynapse.usgovcloudapi.net",
            "",
        ],
    ),
    (
        "vm_image_alias_doc",
        [
            "https://azcliprod.blob.core.windows.net/cli/vm/aliases.json",
            "https://azcliprod.blob.core.windows.net/cli/vm/aliases.json",
            "https://azcliprod.blob.core.windows.net/cli/vm/aliases.json",
            "https://azcliprod.blob.core.windows.net/cli/vm/aliases_master.json",
        ],
    ),
];

const SUFFIXES: [Row; 13] = [
    (
        "acr_login_server_endpoint",
        [".azurecr.io", ".azurecr.cn", ".azurecr.us", ".azurecr.sovcloud-azure.fr"],
    ),
    ("attestation_endpoint", [".attest.azure.net", "", "", "attest.sovcloud-api.fr"]),
    (
        "azure_datalake_analytics_catalog_and_job_endpoint",
        ["azuredatalakeanalytics.net", "", "", ""],
    ),
    ("azure_datalake_store_file_system_endpoint", ["azuredatalakestore.net", "", "", ""]),
    (
        "keyvault_dns",
        [
            ".vault.azure.net",
            ".vault.azure.cn",
            ".vault.usgovcloudapi.net",
            ".vault.sovcloud-api.fr",
        ],
    ),
    (
        "mariadb_server_endpoint",
        [
            ".mariadb.database.azure.com",
            ".mariadb.database.chinacloudapi.cn",
            ".mariadb.database.usgovcloudapi.net",
            ".mariadb.database.sovcloud-api.fr",
        ],
    ),
    (
        "mhsm_dns",
        [
            ".managedhsm.azure.net",
            ".managedhsm.azure.cn",
            ".managedhsm.usgovcloudapi.net",
            ".managedhsm.sovcloud-api.fr",
        ],
    ),
    (
        "mysql_server_endpoint",
        [
            ".mysql.database.azure.com",
            ".mysql.database.chinacloudapi.cn",
            ".mysql.database.usgovcloudapi.net",
            ".mysql.database.sovcloud-api.fr",
        ],
    ),
    (
        "postgresql_server_endpoint",
        [
            ".postgres.database.azure.com",
            ".postgres.database.chinacloudapi.cn",
            ".postgres.database.usgovcloudapi.net",
            ".postgres.database.sovcloud-api.fr",
        ],
    ),
    (
        "sql_server_hostname",
        [
            ".database.windows.net",
            ".database.chinacloudapi.cn",
            ".database.usgovcloudapi.net",
            ".database.sovcloud-api.fr",
        ],
    ),
    (
        "storage_endpoint",
        [
            "core.windows.net",
            "core.chinacloudapi.cn",
            "core.usgovcloudapi.net",
            "core.sovcloud-api.fr",
        ],
    ),
    ("storage_sync_endpoint", ["afs.azure.net", "", "afs.azure.us", "afs.sovcloud-api.fr"]),
    (
        "synapse_analytics_endpoint",
        [
            ".dev.azuresynapse.net",
            ".dev.azuresynapse.azure.cn",
            ".dev.azuresynapse.usgovcloudapi.net",
            ".dev.azuresynapse.sovcloud-api.fr",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_known_by_whole_labels() {
        for host in ["login.microsoftonline.com", "sts.windows.net", "westus.login.microsoft.com"] {
            assert!(is_login_host(host), "{host}");
        }
        for host in ["evil-login.microsoftonline.com.evil", "xlogin.windows.net", "windows.net"] {
            assert!(!is_login_host(host), "{host}");
        }
        for name in NAMES {
            let endpoints = endpoints(name);
            let host = |name| {
                let url = endpoints.get(name).unwrap().trim_start_matches("https://");
                url.trim_end_matches('/').to_owned()
            };
            assert!(is_login_host(&host("active_directory")), "{name}");
            assert!(is_resource_manager(&host("resource_manager")), "{name}");
        }
        assert!(is_resource_manager("eastus2euap.management.azure.com"));
        assert!(!is_resource_manager("evilmanagement.azure.com"));
        assert!(!is_resource_manager("management.azure.com.evil"));
    }
}
