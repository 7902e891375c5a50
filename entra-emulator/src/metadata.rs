//! `GET /metadata/endpoints`: the description of a cloud that `az cloud register` reads.

use crate::arm;
use crate::call::{Answer, Call};
use crate::world::World;
use serde_json::{Value, json};

/// The name of the emulator's cloud.
const CLOUD: &str = "EntraEmulator";

pub(crate) fn endpoints(world: &World, call: &Call) -> Answer {
    let Some(version) = call.parameter("api-version") else {
        let text = "The api-version query parameter (?api-version=) is required for all requests.";
        return arm::error(400, "MissingApiVersionParameter", text);
    };
    // Versions are dates. Those of 2019 return a list of clouds; older and newer ones return one.
    if version < "2018-01-01" {
        return Answer::json(200, &of_2015(world));
    }
    let cloud = current(world);
    if version.starts_with("2019") {
        return Answer::json(200, &json!([cloud]));
    }
    Answer::json(200, &cloud)
}

fn of_2015(world: &World) -> Value {
    json!({
        "galleryEndpoint": format!("{}/", world.url),
        "graphEndpoint": "https://graph.windows.net/",
        "portalEndpoint": format!("{}/", world.url),
        "authentication": {
            "loginEndpoint": format!("{}/", world.url),
            "audiences": audiences(world),
        },
    })
}

/// az requests tokens for the first one.
fn audiences(world: &World) -> Value {
    json!([
        format!("{}/", world.url),
        "https://management.core.windows.net/",
        "https://management.azure.com/",
    ])
}

fn current(world: &World) -> Value {
    json!({
        "name": CLOUD,
        "portal": world.url,
        "authentication": {
            "loginEndpoint": world.url,
            "audiences": audiences(world),
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "resourceManager": world.url,
        "graph": "https://graph.windows.net/",
        "graphAudience": "https://graph.windows.net/",
        "microsoftGraphResourceId": "https://graph.microsoft.com/",
        "gallery": format!("{}/", world.url),
        "batch": "https://batch.core.windows.net/",
        "media": "https://rest.media.azure.net",
        "sqlManagement": "https://management.core.windows.net:8443/",
        "vmImageAliasDoc": format!("{}/aliases.json", world.url),
        "activeDirectoryDataLake": "https://datalake.azure.net/",
        "ossrdbmsResourceId": "https://ossrdbms-aad.database.windows.net",
        "logAnalyticsResourceId": "https://api.loganalytics.io",
        "appInsightsResourceId": "https://api.applicationinsights.io",
        "synapseAnalyticsResourceId": "https://dev.azuresynapse.net",
        "attestationResourceId": "https://attest.azure.net",
        "suffixes": {
            "storage": "core.windows.net",
            "keyVaultDns": "vault.azure.net",
            "sqlServerHostname": "database.windows.net",
            "acrLoginServer": "azurecr.io",
            "azureDataLakeStoreFileSystem": "azuredatalakestore.net",
            "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
            "mhsmDns": "managedhsm.azure.net",
            "storageSyncEndpointSuffix": "afs.azure.net",
            "synapseAnalytics": "dev.azuresynapse.net",
            "attestationEndpoint": "attest.azure.net",
        },
    })
}
