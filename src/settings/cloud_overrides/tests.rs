use serde_json::json;

use super::*;

fn set(values: &CloudValues) -> Value {
    values.iter_set().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

#[test]
fn a_metadata_document_maps_as_az_maps_it() {
    // Expected values from azure-cli-core 2.91.0.
    let document = json!({
        "name": "AzureStack",
        "portal": "https://portal.local/",
        "graphAudience": "https://graph.local/",
        "graph": "https://graph.local/",
        "gallery": "https://gallery.local/",
        "batch": "https://batch.local/",
        "media": "https://media.local",
        "sqlManagement": "https://sql.local:8443/",
        "resourceManager": "https://arm.local/",
        "vmImageAliasDoc": "https://alias.local/doc.json",
        "activeDirectoryDataLake": "https://lake.local/",
        "microsoftGraphResourceId": "https://msgraph.local/",
        "appInsightsResourceId": "https://ai.local",
        "authentication": {
            "loginEndpoint": "https://login.local/adfs",
            "audiences": [
                "https://management.local/",
                "https://other.local/"
            ],
            "tenant": "common",
            "identityProvider": "ADFS"
        },
        "suffixes": {
            "acrLoginServer": "azurecr.local",
            "azureDataLakeStoreFileSystem": "lakestore.local",
            "azureDataLakeAnalyticsCatalogAndJob": "lakejobs.local",
            "sqlServerHostname": "database.local",
            "keyVaultDns": ".vault.local",
            "storage": "storage.local",
            "mhsmDns": "hsm.local",
            "synapseAnalytics": "dev.local",
            "postgresqlServerEndpoint": "pg.local"
        }
    });
    let read = CloudOverrides::from_metadata(&document).unwrap();
    assert_eq!(
        set(&read.endpoints),
        json!({
            "active_directory": "https://login.local/adfs",
            "active_directory_data_lake_resource_id": "https://lake.local/",
            "active_directory_graph_resource_id": "https://graph.local/",
            "active_directory_resource_id": "https://management.local/",
            "app_insights_resource_id": "https://ai.local",
            "batch_resource_id": "https://batch.local/",
            "gallery": "https://gallery.local/",
            "management": "https://management.local/",
            "media_resource_id": "https://media.local",
            "microsoft_graph_resource_id": "https://msgraph.local/",
            "portal": "https://portal.local/",
            "resource_manager": "https://arm.local/",
            "sql_management": "https://sql.local:8443/",
            "vm_image_alias_doc": "https://alias.local/doc.json"
        })
    );
    assert_eq!(
        set(&read.suffixes),
        json!({
            "acr_login_server_endpoint": ".azurecr.local",
            "azure_datalake_analytics_catalog_and_job_endpoint": "lakejobs.local",
            "azure_datalake_store_file_system_endpoint": "lakestore.local",
            "keyvault_dns": ".vault.local",
            "mariadb_server_endpoint": ".mariadb.database.local",
            "mhsm_dns": ".hsm.local",
            "mysql_server_endpoint": ".mysql.database.local",
            "postgresql_server_endpoint": ".pg.local",
            "sql_server_hostname": ".database.local",
            "storage_endpoint": "storage.local",
            "synapse_analytics_endpoint": ".dev.local"
        })
    );
}

#[test]
fn missing_metadata_comes_from_the_built_in_cloud() {
    let document = |name: &str| json!({"name": name, "authentication": {"loginEndpoint": "https://l", "audiences": ["https://a"]}});
    let public = CloudOverrides::from_metadata(&document("AzureCloud")).unwrap();
    assert_eq!(
        public.endpoints.get("microsoft_graph_resource_id"),
        Some("https://graph.microsoft.com/")
    );
    assert_eq!(public.endpoints.get("batch_resource_id"), None);
    assert_eq!(public.suffixes.get("mysql_server_endpoint"), Some(".mysql.database.azure.com"));
    assert_eq!(public.suffixes.get("mhsm_dns"), Some(".managedhsm.azure.net"));
    let other = CloudOverrides::from_metadata(&document("Other")).unwrap();
    assert_eq!(other.endpoints.get("microsoft_graph_resource_id"), None);
    assert_eq!(other.suffixes.get("mysql_server_endpoint"), None);
    assert!(CloudOverrides::from_metadata(&json!([])).is_err());
}

#[test]
fn a_cloud_config_may_use_camel_case_or_snake_case() {
    let camel = json!({
        "profile": "latest",
        "endpoints": {"resourceManager": "https://arm", "gallery": null},
        "suffixes": {"keyvaultDns": ".v"},
        "endpointActiveDirectory": "https://login",
    });
    let snake = json!({
        "profile": "latest",
        "endpoints": {"resource_manager": "https://old"},
        "suffixes": {"keyvault_dns": ".v"},
        "endpoint_active_directory": "https://login",
        "endpoint_resource_manager": "https://arm",
        "suffix_storage_endpoint": null,
    });
    let read = CloudOverrides::from_config(&camel).unwrap();
    assert_eq!(read, CloudOverrides::from_config(&snake).unwrap());
    assert_eq!(read.profile.as_deref(), Some("latest"));
    assert_eq!(
        set(&read.endpoints),
        json!({"active_directory": "https://login", "resource_manager": "https://arm"})
    );
    let bad = CloudOverrides::from_config(&json!({"endpoints": {"portal": 1}})).unwrap_err();
    assert_eq!(bad.message(), "'portal' in the cloud configuration is not text.");
}

#[test]
fn given_values_win_over_metadata() {
    let mut given = CloudOverrides::default();
    assert_eq!(given.metadata_url("X").unwrap(), None);
    given.endpoints.set("resource_manager", Some("https://arm".into()));
    assert_eq!(
        given.metadata_url("X").unwrap().unwrap().as_str(),
        "https://arm/metadata/endpoints?api-version=2022-09-01"
    );
    let document = json!({"resourceManager": "https://other", "portal": "https://portal"});
    let merged = given.over(CloudOverrides::from_metadata(&document).unwrap());
    assert_eq!(
        set(&merged.endpoints),
        json!({"portal": "https://portal", "resource_manager": "https://arm"})
    );
}
