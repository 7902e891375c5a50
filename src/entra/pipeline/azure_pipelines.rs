//! Azure Pipelines, with a service connection of workload identity federation.
//!
//! <https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create>

use super::{address, ask, variable};
use crate::entra::form::Form;
use crate::error::Result;
use crate::secret::Secret;
use crate::sys::{Request, System};

const URL: &str = "SYSTEM_OIDCREQUESTURI";
/// The hosts of Azure DevOps Services.
const HOSTS: [&str; 3] = ["dev.azure.com", "*.dev.azure.com", "*.visualstudio.com"];
const TOKEN: &str = "SYSTEM_ACCESSTOKEN";
/// Set by tasks that use a service connection.
const CONNECTION: &str = "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID";
const MAPPING: &str = "Give the step `env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)`.";
const VERSION: &str = "7.1";

/// The service connection of this job (GUID), if the job may request tokens.
pub(crate) fn azure_pipelines_connection(system: &System) -> Option<String> {
    let may = [URL, TOKEN].into_iter().all(|name| system.env.non_empty(name).is_some());
    system.env.non_empty(CONNECTION).filter(|_| may)
}

/// A new assertion for the service connection: one request.
pub(crate) async fn azure_pipelines_assertion(system: &System, connection: &str) -> Result<Secret> {
    let read = |name| variable(system, name, "Azure Pipelines", MAPPING);
    let (url, token) = (address(&read(URL)?, URL, &HOSTS, system)?, Secret::new(read(TOKEN)?));
    let query = Form::empty()
        .with("api-version", VERSION)
        .with("serviceConnectionId", connection)
        .into_body();
    let request = Request::post_json(url.with_query(query.as_str()), "")
        .header("accept", "application/json")
        // Refuse the sign-in page, which would hide the error.
        .header("x-tfs-fedauthredirect", "Suppress")
        .bearer(&token);
    ask(system, &url, request, "oidcToken", MAPPING).await
}
