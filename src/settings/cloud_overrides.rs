//! The values that `cloud register` and `cloud update` set.

use serde_json::{Map, Value};

use super::builtin_clouds;
use super::cloud::{Endpoint, what};
use super::cloud_values::{CloudValues, snake_case};
use crate::error::{Error, Result};
use crate::sys::EndpointUrl;

/// Values for a new or changed cloud: from the command line, from a `--cloud-config`, or from Azure
/// Resource Manager's metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CloudOverrides {
    /// API profile; `None` leaves the current one.
    pub(crate) profile: Option<String>,
    /// Endpoints; unset ones keep their current value.
    pub(crate) endpoints: CloudValues,
    /// Suffixes; unset ones keep their current value.
    pub(crate) suffixes: CloudValues,
    /// Whether the resource manager may receive the login host's tokens for other services.
    pub(crate) allows_foreign_audience: bool,
}

impl Default for CloudOverrides {
    fn default() -> Self {
        Self {
            profile: None,
            endpoints: builtin_clouds::endpoints(""),
            suffixes: builtin_clouds::suffixes(""),
            allows_foreign_audience: false,
        }
    }
}

/// Top-level endpoints of the metadata document: az's name, the member's name, and whether the
/// built-in cloud's value replaces a missing member (az 2.91).
const ENDPOINTS: [(&str, &str, bool); 18] = [
    ("active_directory_data_lake_resource_id", "activeDirectoryDataLake", false),
    ("active_directory_graph_resource_id", "graphAudience", false),
    ("app_insights_resource_id", "appInsightsResourceId", true),
    ("app_insights_telemetry_channel_resource_id", "appInsightsTelemetryChannelResourceId", true),
    ("app_service_resource_id", "appServiceResourceId", true),
    ("attestation_resource_id", "attestationResourceId", true),
    ("azmirror_storage_account_resource_id", "azmirrorStorageAccountResourceId", false),
    ("batch_resource_id", "batch", false),
    ("gallery", "gallery", false),
    ("log_analytics_resource_id", "logAnalyticsResourceId", true),
    ("media_resource_id", "media", false),
    ("microsoft_graph_resource_id", "microsoftGraphResourceId", true),
    ("ossrdbms_resource_id", "ossrdbmsResourceId", true),
    ("portal", "portal", false),
    ("resource_manager", "resourceManager", false),
    ("sql_management", "sqlManagement", false),
    ("synapse_analytics_resource_id", "synapseAnalyticsResourceId", true),
    ("vm_image_alias_doc", "vmImageAliasDoc", false),
];

/// Replaces a suffix that the metadata document lacks.
#[derive(Clone, Copy)]
enum Fallback {
    Nothing,
    /// The built-in cloud's value.
    BuiltIn,
    /// This prefix, followed by the host name suffix of SQL servers.
    Database(&'static str),
}

/// Suffixes of the metadata document: az's name, the member's name, whether it gets a leading dot,
/// and the fallback for a missing member (az 2.91).
const SUFFIXES: [(&str, &str, bool, Fallback); 13] = [
    ("acr_login_server_endpoint", "acrLoginServer", true, Fallback::Nothing),
    ("attestation_endpoint", "attestationEndpoint", true, Fallback::BuiltIn),
    (
        "azure_datalake_analytics_catalog_and_job_endpoint",
        "azureDataLakeAnalyticsCatalogAndJob",
        false,
        Fallback::Nothing,
    ),
    (
        "azure_datalake_store_file_system_endpoint",
        "azureDataLakeStoreFileSystem",
        false,
        Fallback::Nothing,
    ),
    ("keyvault_dns", "keyVaultDns", true, Fallback::Nothing),
    ("mariadb_server_endpoint", "mariadbServerEndpoint", true, Fallback::Database(".mariadb")),
    ("mhsm_dns", "mhsmDns", true, Fallback::BuiltIn),
    ("mysql_server_endpoint", "mysqlServerEndpoint", true, Fallback::Database(".mysql")),
    (
        "postgresql_server_endpoint",
        "postgresqlServerEndpoint",
        true,
        Fallback::Database(".postgres"),
    ),
    ("sql_server_hostname", "sqlServerHostname", true, Fallback::Nothing),
    ("storage_endpoint", "storage", false, Fallback::Nothing),
    ("storage_sync_endpoint", "storageSyncEndpointSuffix", false, Fallback::BuiltIn),
    ("synapse_analytics_endpoint", "synapseAnalytics", true, Fallback::BuiltIn),
];

impl CloudOverrides {
    /// Reads the response of `GET {resourceManager}/metadata/endpoints?api-version=2022-09-01`: an
    /// object with `name`, `authentication`, `suffixes` and endpoints under Azure's own names.
    pub(crate) fn from_metadata(document: &Value) -> Result<Self> {
        // API versions of 2019 return a list of clouds; a resource manager lists only its own.
        let document = document.get(0).unwrap_or(document);
        let Some(document) = document.as_object() else {
            return Err(Error::failed(
                "Unable to get endpoints from the cloud.\nThe answer is not a JSON object.",
            ));
        };
        let text = |map: Option<&Map<String, Value>>, name: &str| {
            map.and_then(|map| map.get(name)).and_then(Value::as_str).map(str::to_owned)
        };
        let cloud = text(Some(document), "name").unwrap_or_default();
        let mut overrides = Self::default();

        let built_in = builtin_clouds::endpoints(&cloud);
        for (name, member, fall_back) in ENDPOINTS {
            let fallback = if fall_back { built_in.get(name) } else { None };
            let value = text(Some(document), member).or(fallback.map(str::to_owned));
            overrides.endpoints.set(name, value);
        }
        let login = document.get("authentication").and_then(Value::as_object);
        overrides.endpoints.set("active_directory", text(login, "loginEndpoint"));
        let audience = login
            .and_then(|login| login.get("audiences"))
            .map(|audiences| audiences.get(0).unwrap_or(audiences))
            .and_then(Value::as_str);
        for name in ["active_directory_resource_id", "management"] {
            overrides.endpoints.set(name, audience.map(str::to_owned));
        }

        let built_in = builtin_clouds::suffixes(&cloud);
        let given = document.get("suffixes").and_then(Value::as_object);
        let sql = text(given, "sqlServerHostname").map(with_dot);
        for (name, member, dotted, fallback) in SUFFIXES {
            let value = text(given, member);
            let value = if dotted { value.map(with_dot) } else { value };
            let value = value.or_else(|| match fallback {
                Fallback::Nothing => None,
                Fallback::BuiltIn => built_in.get(name).map(str::to_owned),
                Fallback::Database(prefix) if cloud == "AzureCloud" => {
                    Some(format!("{prefix}.database.azure.com"))
                }
                Fallback::Database(prefix) => {
                    sql.as_ref().filter(|sql| !sql.is_empty()).map(|sql| format!("{prefix}{sql}"))
                }
            });
            overrides.suffixes.set(name, value);
        }
        Ok(overrides)
    }

    /// Reads the JSON of `--cloud-config`: `profile`, `endpoints` and `suffixes`. Top-level members
    /// with the prefix `endpoint_` or `suffix_` override those. All names may be in camelCase or
    /// snake_case; `null` is unset.
    pub(crate) fn from_config(config: &Value) -> Result<Self> {
        let Some(config) = config.as_object() else {
            return Err(Error::failed("The cloud configuration is not a JSON object."));
        };
        let mut overrides = Self::default();
        for (name, value) in config {
            match snake_case(name).as_str() {
                "profile" => overrides.profile = text(name, value)?,
                "endpoints" => fill(&mut overrides.endpoints, name, value)?,
                "suffixes" => fill(&mut overrides.suffixes, name, value)?,
                _ => {}
            }
        }
        for (name, value) in config.iter().filter(|(_, value)| !value.is_null()) {
            let name = snake_case(name);
            if let Some(endpoint) = name.strip_prefix("endpoint_") {
                overrides.endpoints.set(endpoint, text(&name, value)?);
            } else if let Some(suffix) = name.strip_prefix("suffix_") {
                overrides.suffixes.set(suffix, text(&name, value)?);
            }
        }
        Ok(overrides)
    }

    /// The metadata URL of the cloud `name`; `None` without a resource-manager endpoint.
    ///
    /// # Errors
    /// A given endpoint is not a valid [`EndpointUrl`].
    pub(crate) fn metadata_url(&self, name: &str) -> Result<Option<EndpointUrl>> {
        let given = |endpoint: Endpoint| {
            let text = self.endpoints.get(endpoint.name());
            text.map(|text| EndpointUrl::parse(text, &what(endpoint, name))).transpose()
        };
        given(Endpoint::ActiveDirectory)?;
        let manager = given(Endpoint::ResourceManager)?;
        manager.map(|url| url.at("metadata/endpoints?api-version=2022-09-01")).transpose()
    }

    /// Fills unset values from `metadata`; set values win.
    #[must_use]
    pub(crate) fn over(self, metadata: Self) -> Self {
        let mut merged = Self {
            profile: self.profile,
            allows_foreign_audience: self.allows_foreign_audience,
            ..metadata
        };
        merged.endpoints.overlay(&self.endpoints);
        merged.suffixes.overlay(&self.suffixes);
        merged
    }

    /// Fails with az's text when an endpoint that every new cloud needs is missing.
    pub(super) fn require_endpoints(&self) -> Result<()> {
        let required = [
            (Endpoint::ResourceManager, "--endpoint-resource-manager"),
            (Endpoint::ActiveDirectory, "--endpoint-active-directory"),
            (Endpoint::ActiveDirectoryResourceId, "--endpoint-active-directory-resource-id"),
        ];
        let missing: Vec<&str> = required
            .into_iter()
            .filter(|(endpoint, _)| self.endpoints.get(endpoint.name()).is_none())
            .map(|(_, option)| option)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::failed(format!(
            "The following endpoints are required for the CLI to function and were not specified on \
             the command line, in the cloud config or could not be autodetected.\n\
             Specify them on the command line or through the cloud config file:\n{}",
            missing.join(", ")
        )))
    }
}

fn fill(values: &mut CloudValues, member: &str, given: &Value) -> Result<()> {
    let Some(given) = given.as_object() else {
        return Err(Error::failed(format!(
            "'{member}' in the cloud configuration is not an object."
        )));
    };
    for (name, value) in given {
        values.set(name, text(name, value)?);
    }
    Ok(())
}

fn text(name: &str, value: &Value) -> Result<Option<String>> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(Error::failed(format!("'{name}' in the cloud configuration is not text."))),
    }
}

fn with_dot(suffix: String) -> String {
    if suffix.is_empty() || suffix.starts_with('.') { suffix } else { format!(".{suffix}") }
}

#[cfg(test)]
mod tests;
