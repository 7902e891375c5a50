//! One Azure cloud: where its services are.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::cloud_values::CloudValues;
use crate::error::{Error, Result};

/// A cloud, as built in or registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// Its name, such as `AzureCloud`; case-sensitive.
    pub name: String,
    /// The API profile; `latest` in all clouds that work with az 2.91.
    pub profile: String,
    /// URLs: where services are, and the resources that tokens are for.
    pub endpoints: CloudValues,
    /// What host names end in.
    pub suffixes: CloudValues,
    /// The `clouds.config` that may have changed the values; named when one is missing.
    pub(super) file: PathBuf,
}

/// The endpoints that this program uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// The login host: authority of all tokens.
    ActiveDirectory,
    /// Resource of Data Lake tokens.
    ActiveDirectoryDataLakeResourceId,
    /// Resource of Azure AD Graph tokens.
    ActiveDirectoryGraphResourceId,
    /// Resource of Azure Resource Manager tokens: what a token is for unless told otherwise.
    ActiveDirectoryResourceId,
    /// Resource of Batch tokens.
    BatchResourceId,
    /// Resource of Media Services tokens.
    MediaResourceId,
    /// Resource of Microsoft Graph tokens.
    MicrosoftGraphResourceId,
    /// Resource of tokens for the open-source databases.
    OssrdbmsResourceId,
    /// Where Azure Resource Manager answers.
    ResourceManager,
}

impl Endpoint {
    /// The name in `clouds.config` (behind `endpoint_`) and in az's messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::ActiveDirectory => "active_directory",
            Self::ActiveDirectoryDataLakeResourceId => "active_directory_data_lake_resource_id",
            Self::ActiveDirectoryGraphResourceId => "active_directory_graph_resource_id",
            Self::ActiveDirectoryResourceId => "active_directory_resource_id",
            Self::BatchResourceId => "batch_resource_id",
            Self::MediaResourceId => "media_resource_id",
            Self::MicrosoftGraphResourceId => "microsoft_graph_resource_id",
            Self::OssrdbmsResourceId => "ossrdbms_resource_id",
            Self::ResourceManager => "resource_manager",
        }
    }

    /// The endpoint that a `--resource-type` of `get-access-token` names; `None` for another text.
    pub fn from_resource_type(name: &str) -> Option<Self> {
        Some(match name {
            "aad-graph" => Self::ActiveDirectoryGraphResourceId,
            "arm" => Self::ActiveDirectoryResourceId,
            "batch" => Self::BatchResourceId,
            "data-lake" => Self::ActiveDirectoryDataLakeResourceId,
            "media" => Self::MediaResourceId,
            "ms-graph" => Self::MicrosoftGraphResourceId,
            "oss-rdbms" => Self::OssrdbmsResourceId,
            _ => return None,
        })
    }
}

impl Cloud {
    /// The value of an endpoint exactly as stored; trailing slashes matter. One that the cloud
    /// lacks is an error with az's text.
    pub fn endpoint(&self, endpoint: Endpoint) -> Result<&str> {
        let name = endpoint.name();
        self.endpoints.get(name).ok_or_else(|| {
            Error::failed(format!(
                "The endpoint '{name}' for this cloud is not set but is used.\n\
                 {} may be corrupt or invalid.\n\
                 Resolve the error or delete this file and try again.",
                self.file.display()
            ))
        })
    }

    /// What authorities begin with: the login endpoint in lower case, without a slash at the end,
    /// such as `https://login.microsoftonline.com`.
    pub fn authority_host(&self) -> Result<String> {
        let endpoint = self.endpoint(Endpoint::ActiveDirectory)?;
        Ok(endpoint.trim_end_matches('/').to_lowercase())
    }

    /// This cloud with another login endpoint: a host, with or without `https://`.
    #[must_use]
    pub fn with_login_endpoint(&self, host: &str) -> Self {
        let url = if host.contains("://") { host.to_owned() } else { format!("https://{host}") };
        let mut cloud = self.clone();
        cloud.endpoints.set(Endpoint::ActiveDirectory.name(), Some(url));
        cloud
    }

    /// The `environment` of MSAL's cache: host, and port if given, of the login endpoint.
    pub fn environment(&self) -> Result<String> {
        let authority = self.authority_host()?;
        let after_scheme = authority.split_once("://").map_or(authority.as_str(), |(_, rest)| rest);
        let host = after_scheme.split(['/', '?', '#']).next().unwrap_or_default();
        Ok(host.to_owned())
    }

    /// What `cloud show` and `cloud list` print of it.
    pub fn to_value(&self, is_active: bool) -> Value {
        json!({
            "name": self.name,
            "endpoints": self.endpoints.to_value(),
            "suffixes": self.suffixes.to_value(),
            "profile": self.profile,
            "isActive": is_active,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::builtin_clouds;

    fn cloud(name: &str) -> Cloud {
        Cloud {
            name: name.into(),
            profile: "latest".into(),
            endpoints: builtin_clouds::endpoints(name),
            suffixes: builtin_clouds::suffixes(name),
            file: Path::new("/c/clouds.config").into(),
        }
    }

    fn stack(login: &str) -> Cloud {
        let mut cloud = cloud("Stack");
        cloud.endpoints.set("activeDirectory", Some(login.into()));
        cloud
    }

    #[test]
    fn the_resources_of_the_public_cloud() {
        let cloud = cloud("AzureCloud");
        for (resource_type, resource) in [
            ("arm", "https://management.core.windows.net/"),
            ("ms-graph", "https://graph.microsoft.com/"),
            ("aad-graph", "https://graph.windows.net/"),
            ("batch", "https://batch.core.windows.net/"),
            ("media", "https://rest.media.azure.net"),
            ("oss-rdbms", "https://ossrdbms-aad.database.windows.net"),
            ("data-lake", "https://datalake.azure.net/"),
        ] {
            let endpoint = Endpoint::from_resource_type(resource_type).unwrap();
            assert_eq!(cloud.endpoint(endpoint).unwrap(), resource, "{resource_type}");
        }
        assert_eq!(Endpoint::from_resource_type("MS-GRAPH"), None);
        assert_eq!(
            cloud.endpoint(Endpoint::ResourceManager).unwrap(),
            "https://management.azure.com/"
        );
    }

    #[test]
    fn a_missing_endpoint_has_az_s_text() {
        let error = cloud("AzureBleuCloud")
            .endpoint(Endpoint::ActiveDirectoryDataLakeResourceId)
            .unwrap_err();
        assert_eq!(
            error.message(),
            "The endpoint 'active_directory_data_lake_resource_id' for this cloud is not set but is used.\n\
             /c/clouds.config may be corrupt or invalid.\n\
             Resolve the error or delete this file and try again."
        );
    }

    #[test]
    fn all_keys_appear_and_unset_is_null() {
        let shown = cloud("AzureUSGovernment").to_value(true);
        assert_eq!(shown["endpoints"].as_object().unwrap().len(), 21);
        assert_eq!(shown["suffixes"].as_object().unwrap().len(), 13);
        assert_eq!(shown["endpoints"]["activeDirectoryDataLakeResourceId"], Value::Null);
        assert_eq!(
            shown["endpoints"]["ossrdbmsResourceId"],
            "https://ossrdbms-aad.database.usgovcloudapi.net"
        );
        assert_eq!(shown["suffixes"]["keyvaultDns"], ".vault.usgovcloudapi.net");
        assert_eq!((&shown["isActive"], &shown["profile"]), (&json!(true), &json!("latest")));
    }

    #[test]
    fn authority_and_environment_follow_the_login_endpoint() {
        for (login, authority, environment) in [
            ("https://Login.Example/", "https://login.example", "login.example"),
            ("https://localhost:8443", "https://localhost:8443", "localhost:8443"),
            ("https://ADFS.local/adfs/", "https://adfs.local/adfs", "adfs.local"),
        ] {
            let cloud = stack(login);
            assert_eq!(cloud.authority_host().unwrap(), authority);
            assert_eq!(cloud.environment().unwrap(), environment);
        }
        assert!(cloud("Stack").environment().is_err());
    }
}
