//! `cloud …`.

use serde_json::{Value, json};

use super::{Answer, rows};
use crate::accounts::Context;
use crate::arm;
use crate::cli::{CloudCommand, CloudDefinition, CloudRegister, CloudSet, CloudUpdate};
use crate::error::{Error, Kind, Result};
use crate::foreign::Typed;
use crate::settings::{CloudOverrides, Clouds, Profile};
use crate::sys::block_on;

pub(super) fn run(command: &CloudCommand, context: &Context<'_>) -> Result<Answer> {
    match command {
        CloudCommand::List { .. } => list(context),
        CloudCommand::ListProfiles(_) => Ok(Answer::of(json!(["latest"]))),
        CloudCommand::Register(request) => register(request, context),
        CloudCommand::Set(request) => set(request, context),
        CloudCommand::Show(request) => show(request.name.as_deref(), context),
        CloudCommand::Unregister(request) => {
            context.clouds.unregister(&context.dir, &request.name)?;
            Ok(Answer::none())
        }
        CloudCommand::Update(request) => update(request, context),
    }
}

fn list(context: &Context<'_>) -> Result<Answer> {
    let (active, all) = (&context.cloud().name, context.clouds.list()?);
    let all = all.iter().map(|cloud| cloud.to_value(cloud.name == *active));
    Ok(Answer::with_columns(Value::Array(all.collect()), columns))
}

fn columns(list: &Value) -> Value {
    rows(list, &[("IsActive", "isActive"), ("Name", "name"), ("Profile", "profile")])
}

fn show(name: Option<&str>, context: &Context<'_>) -> Result<Answer> {
    let active = &context.cloud().name;
    let cloud = context.clouds.get(name.unwrap_or(active))?;
    Ok(Answer::of(cloud.to_value(cloud.name == *active)))
}

/// Switches the cloud, and then to its last default subscription.
fn set(request: &CloudSet, context: &Context<'_>) -> Result<Answer> {
    let Some(cloud) = context.clouds.set_active(&context.dir, &request.name)? else {
        return Ok(Answer::none());
    };
    let terminal = &context.system.terminal;
    let program = context.system.program;
    terminal.warn(&format!("Switched active cloud to '{}'.", cloud.name));
    let last = context.clouds.subscription(&cloud.name)?;
    let profile = Profile::load(&context.dir)?;
    let first_enabled = || {
        let mut visible = profile.visible(&cloud.name);
        visible.find(|entry| entry.state() == "Enabled").map(|entry| entry.id().to_owned())
    };
    match last.or_else(first_enabled) {
        None => {
            terminal.warn(&format!("Use '{program} login' to log in to this cloud."));
            terminal.warn(&format!("Use '{program} account set' to set the active subscription."));
        }
        Some(id) => {
            match Profile::update(&context.dir, |profile| profile.set_default(&cloud.name, &id)) {
                Ok(id) => {
                    let name = profile
                        .visible(&cloud.name)
                        .find(|entry| entry.id() == id)
                        .map(|entry| entry.name().to_owned())
                        .unwrap_or_default();
                    terminal.warn(&format!("Active subscription switched to '{name} ({id})'."));
                }
                Err(error) => {
                    terminal.warn(error.message());
                    terminal.warn(&format!("Unable to automatically switch the active subscription. Use '{program} account set'."));
                }
            }
        }
    }
    Ok(Answer::none())
}

fn register(request: &CloudRegister, context: &Context<'_>) -> Result<Answer> {
    let name = &request.name;
    if context.clouds.list()?.iter().any(|cloud| cloud.name == *name) {
        return Err(Error::failed(format!(
            "The cloud '{name}' is already registered.",
            name = Typed(name)
        )));
    }
    Clouds::register(&context.dir, name, &describe(name, &request.definition, context)?)?;
    Ok(Answer::none())
}

fn update(request: &CloudUpdate, context: &Context<'_>) -> Result<Answer> {
    let name = match &request.name {
        Some(name) => name,
        None => &context.cloud().name,
    };
    Clouds::update(&context.dir, name, &describe(name, &request.definition, context)?)?;
    Ok(Answer::none())
}

/// Merges the description of the cloud `name` on the command line with the cloud's metadata; the
/// command line wins.
fn describe(
    name: &str,
    definition: &CloudDefinition,
    context: &Context<'_>,
) -> Result<CloudOverrides> {
    let mut overrides = match &definition.cloud_config {
        None => CloudOverrides::default(),
        Some(text) => {
            let config = serde_json::from_str(text).map_err(|error| {
                Error::new(
                    Kind::Usage,
                    format!("The value of --cloud-config is not JSON: {error}."),
                )
            })?;
            CloudOverrides::from_config(&config)?
        }
    };
    if definition.profile.is_some() {
        overrides.profile.clone_from(&definition.profile);
    }
    overrides.allows_foreign_audience = definition.allow_foreign_audience;
    let endpoints = [
        ("active_directory", &definition.endpoint_active_directory),
        (
            "active_directory_data_lake_resource_id",
            &definition.endpoint_active_directory_data_lake_resource_id,
        ),
        (
            "active_directory_graph_resource_id",
            &definition.endpoint_active_directory_graph_resource_id,
        ),
        ("active_directory_resource_id", &definition.endpoint_active_directory_resource_id),
        ("gallery", &definition.endpoint_gallery),
        ("management", &definition.endpoint_management),
        ("microsoft_graph_resource_id", &definition.endpoint_microsoft_graph_resource_id),
        ("resource_manager", &definition.endpoint_resource_manager),
        ("sql_management", &definition.endpoint_sql_management),
        ("vm_image_alias_doc", &definition.endpoint_vm_image_alias_doc),
    ];
    let suffixes = [
        ("acr_login_server_endpoint", &definition.suffix_acr_login_server_endpoint),
        (
            "azure_datalake_analytics_catalog_and_job_endpoint",
            &definition.suffix_azure_datalake_analytics_catalog_and_job_endpoint,
        ),
        (
            "azure_datalake_store_file_system_endpoint",
            &definition.suffix_azure_datalake_store_file_system_endpoint,
        ),
        ("keyvault_dns", &definition.suffix_keyvault_dns),
        ("sql_server_hostname", &definition.suffix_sql_server_hostname),
        ("storage_endpoint", &definition.suffix_storage_endpoint),
    ];
    for (name, value) in endpoints {
        if value.is_some() {
            overrides.endpoints.set(name, value.clone());
        }
    }
    for (name, value) in suffixes {
        if value.is_some() {
            overrides.suffixes.set(name, value.clone());
        }
    }
    match overrides.metadata_url(name)?.filter(|_| !definition.skip_endpoint_discovery) {
        None => Ok(overrides),
        Some(url) => {
            let document = block_on(arm::metadata(context.system, &url))?.map_err(no_metadata)?;
            Ok(overrides.over(CloudOverrides::from_metadata(&document)?))
        }
    }
}

/// Converts a network error to az's message.
fn no_metadata(error: Error) -> Error {
    if error.kind() != Kind::Network {
        return error;
    }
    let told = Error::new(
        Kind::Network,
        format!(
            "Unable to get endpoints from the cloud.\nPlease ensure you have network connection. Error detail: {error}"
        ),
    );
    error.remedy_lines().iter().fold(told, Error::remedy)
}
