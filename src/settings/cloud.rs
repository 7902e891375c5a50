//! One Azure cloud and the addresses of its services.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::builtin_clouds;
use super::cloud_values::CloudValues;
use crate::error::{Error, Kind, Result};
use crate::foreign::Sentence;
use crate::shell::quoted;
use crate::sys::EndpointUrl;

/// A cloud, as built in or registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cloud {
    /// The name, such as `AzureCloud`; case-sensitive.
    pub(crate) name: String,
    /// The API profile; `latest` in all clouds that work with az 2.91.
    pub(crate) profile: String,
    /// URLs of services, and the resources that tokens are issued for.
    pub(crate) endpoints: CloudValues,
    /// Suffixes of host names.
    pub(crate) suffixes: CloudValues,
    /// `<login host> <resource manager>`, when the user has confirmed that this resource manager
    /// may receive the login host's tokens for other services.
    pub(super) confirmed: Option<String>,
    /// True when the login host comes from the environment ([`Cloud::with_login_endpoint`]).
    pub(super) has_login_of_environment: bool,
    /// Path of the `clouds.config` that may override the values; for error messages.
    pub(super) file: PathBuf,
}

/// The endpoints that this program uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Endpoint {
    /// The login host: the authority of all tokens.
    ActiveDirectory,
    /// Resource of Data Lake tokens.
    ActiveDirectoryDataLakeResourceId,
    /// Resource of Azure AD Graph tokens.
    ActiveDirectoryGraphResourceId,
    /// Resource of Azure Resource Manager tokens, the default resource.
    ActiveDirectoryResourceId,
    /// Resource of Application Insights tokens.
    AppInsightsResourceId,
    /// Resource of Attestation tokens.
    AttestationResourceId,
    /// Resource of Batch tokens.
    BatchResourceId,
    /// Resource of Log Analytics tokens.
    LogAnalyticsResourceId,
    /// Resource of Media Services tokens.
    MediaResourceId,
    /// Resource of Microsoft Graph tokens.
    MicrosoftGraphResourceId,
    /// Resource of tokens for the open-source databases.
    OssrdbmsResourceId,
    /// Address of Azure Resource Manager.
    ResourceManager,
    /// Resource of Synapse tokens.
    SynapseAnalyticsResourceId,
}

impl Endpoint {
    /// The name in `clouds.config` (after `endpoint_`) and in az's messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ActiveDirectory => "active_directory",
            Self::ActiveDirectoryDataLakeResourceId => "active_directory_data_lake_resource_id",
            Self::ActiveDirectoryGraphResourceId => "active_directory_graph_resource_id",
            Self::ActiveDirectoryResourceId => "active_directory_resource_id",
            Self::AppInsightsResourceId => "app_insights_resource_id",
            Self::AttestationResourceId => "attestation_resource_id",
            Self::BatchResourceId => "batch_resource_id",
            Self::LogAnalyticsResourceId => "log_analytics_resource_id",
            Self::MediaResourceId => "media_resource_id",
            Self::MicrosoftGraphResourceId => "microsoft_graph_resource_id",
            Self::OssrdbmsResourceId => "ossrdbms_resource_id",
            Self::ResourceManager => "resource_manager",
            Self::SynapseAnalyticsResourceId => "synapse_analytics_resource_id",
        }
    }

    /// The endpoint for a `--resource-type` of `get-access-token`; `None` for any other text.
    pub(crate) fn from_resource_type(name: &str) -> Option<Self> {
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
    /// The value of an endpoint exactly as stored; trailing slashes matter. An unset endpoint is an
    /// error with az's text.
    pub(crate) fn endpoint(&self, endpoint: Endpoint) -> Result<&str> {
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

    /// The name of the built-in cloud whose services this cloud has: itself, or the one that it signs
    /// in to. Other clouds are taken for the public one.
    pub(crate) fn builtin_name(&self) -> &'static str {
        let login = self.endpoints.get(Endpoint::ActiveDirectory.name()).unwrap_or_default();
        builtin_clouds::name_of(&self.name, login)
    }

    /// The login endpoint in lower case, such as `https://login.microsoftonline.com`; authorities
    /// begin with it. For token requests: it fails under the same conditions as
    /// [`Cloud::resource_manager`].
    pub(crate) fn authority_host(&self) -> Result<EndpointUrl> {
        let login = self.login()?;
        self.check_audience(Some(&login))?;
        Ok(login)
    }

    /// The address of Azure Resource Manager, for requests that carry a token.
    ///
    /// # Errors
    /// [`Kind::Refused`] when the login host belongs to a built-in cloud, the resource manager does
    /// not, and the tokens sent to it are valid for that cloud's services: a hostile cloud
    /// description could collect such tokens. The user can confirm this pair of hosts
    /// (`--allow-foreign-audience`).
    pub(crate) fn resource_manager(&self) -> Result<EndpointUrl> {
        self.check_audience(Some(&self.login()?))?;
        self.parsed(Endpoint::ResourceManager)
    }

    /// The check of [`Cloud::resource_manager`] for any login host. For a managed identity: the
    /// host issues its tokens, which are Azure's, without asking the login host.
    pub(crate) fn check_for_host_identity(&self) -> Result<()> {
        self.check_audience(None)
    }

    /// The `environment` of MSAL's cache: host of the login endpoint, with the port if it has one.
    pub(crate) fn environment(&self) -> Result<String> {
        Ok(self.login()?.environment())
    }

    /// This cloud with the login endpoint from `AZURE_AUTHORITY_HOST`: a host, with or without
    /// `https://`.
    pub(crate) fn with_login_endpoint(&self, host: &str) -> Result<Self> {
        let url = if host.contains("://") { host.to_owned() } else { format!("https://{host}") };
        let url = EndpointUrl::parse(&url, "AZURE_AUTHORITY_HOST")?;
        let mut cloud = self.clone();
        cloud.endpoints.set(Endpoint::ActiveDirectory.name(), Some(url.as_str().to_owned()));
        cloud.has_login_of_environment = true;
        Ok(cloud)
    }

    fn login(&self) -> Result<EndpointUrl> {
        let text = self.endpoint(Endpoint::ActiveDirectory)?.to_ascii_lowercase();
        let login = EndpointUrl::parse(&text, &what(Endpoint::ActiveDirectory, &self.name))?;
        match builtin_clouds::builtin_login_host(&self.name) {
            Some(own) if !self.has_login_of_environment => self.check_built_in(own, &login)?,
            _ => {}
        }
        Ok(login)
    }

    /// Fails when `login` is not the built-in login host `own`: a `clouds.config` must not redirect
    /// the secrets of a user who names one of Azure's own clouds.
    fn check_built_in(&self, own: &str, login: &EndpointUrl) -> Result<()> {
        let host = login.environment();
        if builtin_clouds::is_same_login_host(own, &host) {
            return Ok(());
        }
        let option = format!("endpoint_{}", Endpoint::ActiveDirectory.name());
        Err(Error::new(
            Kind::Refused,
            format!(
                "The cloud '{}' signs in at {own}, but {} sets its {option} to {host}. Nothing is sent there.",
                self.name,
                self.file.display()
            ),
        )
        .remedy(format!(
            "Remove that line. To sign in at {host}, add a cloud with another name: `azt cloud register`."
        )))
    }

    fn parsed(&self, endpoint: Endpoint) -> Result<EndpointUrl> {
        EndpointUrl::parse(self.endpoint(endpoint)?, &what(endpoint, &self.name))
    }

    /// The hosts that a confirmation covers, in the format of [`Cloud::confirmed`].
    pub(super) fn confirmable(&self) -> Result<String> {
        let manager = self.parsed(Endpoint::ResourceManager)?;
        Ok(format!("{} {}", self.login()?.environment(), manager.environment()))
    }

    /// `login` is the login host that issues the tokens; `None` for a managed identity of this
    /// machine.
    fn check_audience(&self, login: Option<&EndpointUrl>) -> Result<()> {
        let set = |endpoint: Endpoint| self.endpoints.get(endpoint.name());
        let (Some(manager), Some(audience)) =
            (set(Endpoint::ResourceManager), set(Endpoint::ActiveDirectoryResourceId))
        else {
            return Ok(());
        };
        // Nearly all calls end here, without parsing a second URL.
        if builtin_clouds::is_resource_manager_url(manager)
            || login.is_some_and(|login| !builtin_clouds::is_login_host(login.host()))
        {
            return Ok(());
        }
        let manager = self.parsed(Endpoint::ResourceManager)?;
        if builtin_clouds::is_resource_manager(manager.host())
            || is_own_audience(audience, &manager)
            || (self.confirmed.is_some() && self.confirmed == self.confirmable().ok())
        {
            return Ok(());
        }
        let whence = match login {
            Some(login) => format!("signs in at {}", login.environment()),
            None => "is used with an identity of this host".to_owned(),
        };
        let manager = manager.environment();
        Err(Error::new(
            Kind::Refused,
            format!(
                "The cloud '{}' {whence} and would send {manager} tokens for another service ({}). The operator of {manager} could use them there.",
                Sentence::new(&self.name),
                Sentence::new(audience)
            ),
        )
        .remedy(format!(
            "If you trust {manager} with them, run `cloud update --name {} --allow-foreign-audience`. Otherwise set its own audience with --endpoint-active-directory-resource-id.",
            quoted(&Sentence::new(&self.name))
        )))
    }

    /// The JSON that `cloud show` and `cloud list` print.
    pub(crate) fn to_value(&self, is_active: bool) -> Value {
        json!({
            "name": self.name,
            "endpoints": self.endpoints.to_value(),
            "suffixes": self.suffixes.to_value(),
            "profile": self.profile,
            "isActive": is_active,
        })
    }
}

/// Names an endpoint of a cloud in messages.
pub(super) fn what(endpoint: Endpoint, cloud: &str) -> String {
    format!("The endpoint '{}' of the cloud '{}'", endpoint.name(), Sentence::new(cloud))
}

/// True when tokens for `audience` are valid only at the cloud of this resource manager. The
/// audience is then the resource manager's own address, or one that Azure Stack registers in its
/// owner's directory: `https://management.<directory>/<GUID>`.
fn is_own_audience(audience: &str, manager: &EndpointUrl) -> bool {
    let Ok(url) = EndpointUrl::parse(audience, "") else { return false };
    let directories = [".onmicrosoft.com", ".onmicrosoft.us", ".partner.onmschina.cn"];
    let of_stack = |host: &str| {
        let below = ["management.", "adminmanagement."].iter().find_map(|it| host.strip_prefix(it));
        let name = below
            .and_then(|host| directories.iter().find_map(|directory| host.strip_suffix(directory)));
        name.is_some_and(|name| !name.is_empty())
    };
    let is_guid = |path: &str| uuid::Uuid::try_parse(path).is_ok();
    let last = url.as_str().rsplit('/').next().unwrap_or_default();
    url.host() == manager.host() || (of_stack(url.host()) && is_guid(last))
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
            confirmed: None,
            has_login_of_environment: false,
            file: Path::new("/c/clouds.config").into(),
        }
    }

    #[test]
    fn a_file_cannot_change_the_login_host_of_a_built_in_cloud() {
        for (login, is_its) in [
            ("https://login.microsoftonline.com", true),
            ("https://Login.MicrosoftOnline.com:443/", true),
            ("https://login.windows.net", true),
            ("https://login.microsoftonline.us", false),
            ("https://login.microsoftonline.com:444", false),
            ("https://login.evil.example", false),
            ("http://localhost:9555", false),
        ] {
            let mut cloud = cloud("AzureCloud");
            cloud.endpoints.set("active_directory", Some(login.into()));
            assert_eq!(cloud.authority_host().is_ok(), is_its, "{login}");
            assert_eq!(cloud.environment().is_ok(), is_its, "{login}");
        }
        let named = cloud("AzureCloud").with_login_endpoint("login.stack.example").unwrap();
        assert_eq!(named.environment().unwrap(), "login.stack.example");
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
            assert_eq!(cloud.authority_host().unwrap().as_str(), authority);
            assert_eq!(cloud.environment().unwrap(), environment);
        }
        assert!(cloud("Stack").environment().is_err());
    }

    /// A cloud from `<login host> | <resource manager> | <audience>`.
    fn described(hosts: &str) -> Cloud {
        let mut parts = hosts.split(" | ");
        let mut next = || parts.next().unwrap().to_owned();
        let mut cloud = stack(&format!("https://{}", next()));
        cloud.endpoints.set("resourceManager", Some(format!("https://{}", next())));
        cloud.endpoints.set("activeDirectoryResourceId", Some(next()));
        cloud
    }

    #[test]
    fn tokens_of_a_built_in_cloud_are_for_its_own_services() {
        for hosts in [
            "login.microsoftonline.com | evil.example | https://management.core.windows.net/",
            "login.microsoftonline.com:443 | evil.example | https://management.azure.com",
            "LOGIN.windows.net/ | evil.example | https://vault.azure.net",
            "westus.login.microsoft.com | evil.example | https://management.azure.com",
            "login.microsoftonline.us | evil.example | https://management.core.usgovcloudapi.net/",
            "login.microsoftonline.com | 127.0.0.1 | https://management.azure.com",
            "login.microsoftonline.com | evil.example | 797f4846-ba00-4fd7-ba43-dac1f8f63013",
            "login.microsoftonline.com | evil.example | https://evil.example@management.azure.com",
            "login.microsoftonline.com | evil.example | https://evil.example/ https://vault.azure.net",
            "login.microsoftonline.com | evil.example | https://management.azure.com\\.evil.example",
            "login.microsoftonline.com | management.azure.com.evil.example | https://management.azure.com",
            "login.microsoftonline.com | arm.stack | https://management.contoso.onmicrosoft.com/x",
            "login.microsoftonline.com | arm.stack | https://management.onmicrosoft.com/c0000000-0000-4000-8000-00000000000a",
            "login.microsoftonline.com | arm.stack | https://graph.contoso.onmicrosoft.com/c0000000-0000-4000-8000-00000000000a",
        ] {
            let mut cloud = described(hosts);
            for refused in [cloud.authority_host(), cloud.resource_manager()] {
                assert_eq!(refused.map_err(|error| error.kind()), Err(Kind::Refused), "{hosts}");
            }
            cloud.confirmed = Some(cloud.confirmable().unwrap());
            assert!(cloud.authority_host().is_ok(), "{hosts}");
            cloud.endpoints.set("resourceManager", Some("https://other.example".into()));
            assert!(cloud.authority_host().is_err(), "{hosts}: confirmed for another host");
        }
        for hosts in [
            "login.microsoftonline.com | arm.stack | https://management.contoso.onmicrosoft.com/c0000000-0000-4000-8000-00000000000a",
            "login.microsoftonline.com | arm.stack | https://arm.stack/",
            "login.microsoftonline.com | westus.management.azure.com | https://management.core.windows.net/",
            "login.microsoftonline.us | management.azure.com | https://management.core.windows.net/",
            "login.stack | arm.stack | https://management.core.windows.net/",
        ] {
            let cloud = described(hosts);
            assert!(cloud.authority_host().is_ok() && cloud.resource_manager().is_ok(), "{hosts}");
            // A managed identity gets Azure's tokens, whatever login host the cloud names.
            let is_for_host = !hosts.starts_with("login.stack");
            assert_eq!(cloud.check_for_host_identity().is_ok(), is_for_host, "{hosts}");
        }
        assert!(stack("https://login.microsoftonline.com").authority_host().is_ok(), "no audience");
    }
}
