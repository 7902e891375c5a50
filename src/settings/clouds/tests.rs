use std::fs;

use tempfile::TempDir;

use super::*;
use crate::settings::tests::{dir_with, system};

fn load(dir: &ConfigDir, vars: &[(&str, &str)]) -> Result<Clouds> {
    let system = system(vars);
    let config = Config::load(&system, dir)?;
    Clouds::load(dir, &config)
}

fn empty() -> (TempDir, ConfigDir) {
    dir_with("unrelated", "")
}

fn file(dir: &ConfigDir, name: &str) -> String {
    fs::read_to_string(dir.file(name)).unwrap_or_default()
}

fn stack() -> CloudOverrides {
    let mut values = CloudOverrides::default();
    values.endpoints.set("resource_manager", Some("https://arm.local".into()));
    values.endpoints.set("active_directory", Some("https://adfs.local/adfs".into()));
    values.endpoints.set("active_directory_resource_id", Some("https://m.local/".into()));
    values.suffixes.set("storage_endpoint", Some("local".into()));
    values
}

#[test]
fn the_built_in_clouds_need_no_file() {
    let (_root, dir) = empty();
    let clouds = load(&dir, &[]).unwrap();
    let all = clouds.list().unwrap();
    let names: Vec<&str> = all.iter().map(|cloud| cloud.name.as_str()).collect();
    assert_eq!(names, ["AzureCloud", "AzureChinaCloud", "AzureUSGovernment", "AzureBleuCloud"]);
    assert_eq!(clouds.active().name, "AzureCloud");
    assert!(clouds.notices().is_empty());
    assert_eq!(clouds.active().environment().unwrap(), "login.microsoftonline.com");
    let error = clouds.get("azurecloud").unwrap_err();
    assert_eq!(error.message(), "The cloud 'azurecloud' is not registered.");
}

#[test]
fn a_registered_cloud_is_written_as_az_writes_it() {
    let (_root, dir) = empty();
    let mut values = stack();
    values.profile = Some("latest".into());
    Clouds::register(&dir, "Stack", &values).unwrap();
    assert_eq!(
        file(&dir, "clouds.config"),
        "[Stack]\nprofile = latest\nendpoint_active_directory = https://adfs.local/adfs\n\
         endpoint_active_directory_resource_id = https://m.local/\n\
         endpoint_resource_manager = https://arm.local\nsuffix_storage_endpoint = local\n\n"
    );
    let clouds = load(&dir, &[("AZURE_CLOUD_NAME", "Stack")]).unwrap();
    let cloud = clouds.active();
    assert_eq!(cloud.name, "Stack");
    assert_eq!(cloud.authority_host().unwrap().as_str(), "https://adfs.local/adfs");
    assert_eq!(cloud.endpoints.get("management"), Some("https://arm.local"), "the fallback");
    assert_eq!(cloud.suffixes.get("storage_endpoint"), Some("local"));
    assert_eq!(clouds.list().unwrap().last(), Some(cloud));

    let again = Clouds::register(&dir, "Stack", &values).unwrap_err();
    assert_eq!(again.message(), "The cloud 'Stack' is already registered.");
    let built_in = Clouds::register(&dir, "AzureCloud", &values).unwrap_err();
    assert_eq!(built_in.message(), "The cloud 'AzureCloud' is already registered.");
}

#[test]
fn a_cloud_without_required_endpoints_is_refused() {
    let (_root, dir) = empty();
    let mut values = CloudOverrides::default();
    values.endpoints.set("active_directory", Some("https://l".into()));
    for attempt in [Clouds::register(&dir, "X", &values), Clouds::update(&dir, "X", &values)] {
        assert_eq!(
            attempt.unwrap_err().message(),
            "The following endpoints are required for the CLI to function and were not specified \
             on the command line, in the cloud config or could not be autodetected.\n\
             Specify them on the command line or through the cloud config file:\n\
             --endpoint-resource-manager, --endpoint-active-directory-resource-id"
        );
    }
    let unknown = Clouds::update(&dir, "X", &stack()).unwrap_err();
    assert_eq!(unknown.message(), "The cloud 'X' is not registered.");
    assert_eq!(file(&dir, "clouds.config"), "");
}

#[test]
fn an_update_changes_built_in_clouds_too() {
    let (_root, dir) = dir_with("clouds.config", "# ours\n[AzureCloud]\nsubscription = s\n\n");
    let mut values = CloudOverrides::default();
    values.endpoints.set("portal", Some("https://p/%20".into()));
    Clouds::update(&dir, "AzureCloud", &values).unwrap();
    assert_eq!(
        file(&dir, "clouds.config"),
        "# ours\n[AzureCloud]\nsubscription = s\nendpoint_portal = https://p/%%20\n\n"
    );
    let clouds = load(&dir, &[]).unwrap();
    assert_eq!(clouds.active().endpoints.get("portal"), Some("https://p/%20"));
    assert_eq!(clouds.active().endpoints.get("gallery"), Some("https://gallery.azure.com/"));
}

#[test]
fn only_an_idle_custom_cloud_can_be_unregistered() {
    let (_root, dir) = empty();
    Clouds::register(&dir, "A", &stack()).unwrap();
    Clouds::register(&dir, "B", &stack()).unwrap();
    let clouds = load(&dir, &[("AZURE_CLOUD_NAME", "A")]).unwrap();
    let refused = |name: &str| clouds.unregister(&dir, name).unwrap_err().message().to_owned();
    assert_eq!(refused("A"), "The cloud 'A' cannot be unregistered as it's currently active.");
    assert_eq!(
        refused("AzureCloud"),
        "The cloud 'AzureCloud' cannot be unregistered as it's not a custom cloud."
    );
    assert_eq!(refused("b"), "The cloud 'b' is not registered.");
    clouds.unregister(&dir, "B").unwrap();
    let text = file(&dir, "clouds.config");
    assert!(text.starts_with("[A]\n") && !text.contains("[B]"), "{text}");
}

#[test]
fn switching_ignores_case_and_does_nothing_for_the_active_cloud() {
    let (_root, dir) = empty();
    let clouds = load(&dir, &[]).unwrap();
    assert!(clouds.set_active(&dir, "azurecloud").unwrap().is_none());
    assert_eq!(file(&dir, "config"), "");
    let china = clouds.set_active(&dir, "azurechinacloud").unwrap().unwrap();
    assert_eq!(china.name, "AzureChinaCloud");
    assert_eq!(file(&dir, "config"), "[cloud]\nname = AzureChinaCloud\n\n");
    assert_eq!(load(&dir, &[]).unwrap().active().name, "AzureChinaCloud");
    let error = clouds.set_active(&dir, "Nowhere").unwrap_err();
    assert_eq!(error.message(), "The cloud 'Nowhere' is not registered.");
}

#[test]
fn an_unknown_active_cloud_means_azurecloud_and_rewrites_nothing() {
    let config = "[cloud]\nname = Gone\n";
    let (_root, dir) = dir_with("config", config);
    let clouds = load(&dir, &[]).unwrap();
    assert_eq!(clouds.active().name, "AzureCloud");
    assert_eq!(clouds.notices()[0], "The cloud 'Gone' is not registered.");
    assert!(clouds.notices()[1].contains(&dir.file("config").display().to_string()));
    assert_eq!(file(&dir, "config"), config);
    // Choosing the fallback cloud repairs the file.
    assert!(clouds.set_active(&dir, "AzureCloud").unwrap().is_some());
    assert_eq!(file(&dir, "config"), "[cloud]\nname = AzureCloud\n");

    let clouds = load(&dir, &[("AZURE_CLOUD_NAME", "azurechinacloud")]).unwrap();
    assert_eq!(clouds.active().name, "AzureCloud", "the case matters here");
    assert!(clouds.notices()[1].contains("AZURE_CLOUD_NAME"));
}

#[test]
fn the_chosen_subscription_is_kept_for_each_cloud() {
    let (_root, dir) = empty();
    Clouds::set_subscription(&dir, "AzureCloud", "s1").unwrap();
    Clouds::set_subscription(&dir, "AzureChinaCloud", "s2").unwrap();
    Clouds::set_subscription(&dir, "AzureCloud", "s3").unwrap();
    assert_eq!(
        file(&dir, "clouds.config"),
        "[AzureCloud]\nsubscription = s3\n\n[AzureChinaCloud]\nsubscription = s2\n\n"
    );
    let clouds = load(&dir, &[]).unwrap();
    assert_eq!(clouds.subscription("AzureChinaCloud").unwrap().as_deref(), Some("s2"));
    assert_eq!(clouds.subscription("AzureUSGovernment").unwrap(), None);
    assert_eq!(clouds.list().unwrap().len(), 4);
    let error = Clouds::set_subscription(&dir, "Nowhere", "s").unwrap_err();
    assert_eq!(error.message(), "The cloud 'Nowhere' is not registered.");
}

#[test]
fn old_and_unknown_profiles() {
    let text = "[Old]\nprofile = 2020-09-01-hybrid\n";
    let (_root, dir) = dir_with("clouds.config", text);
    assert!(load(&dir, &[]).unwrap().notices().is_empty(), "only the active one matters");
    let clouds = load(&dir, &[("AZURE_CLOUD_NAME", "Old")]).unwrap();
    assert_eq!(clouds.active().profile, "latest");
    assert!(clouds.notices()[0].contains("'2020-09-01-hybrid' has been deprecated"));

    let (_root, dir) = dir_with("clouds.config", "[X]\nprofile = nope\n");
    let text = "Profile nope does not exist or is not supported.";
    assert_eq!(load(&dir, &[]).unwrap().list().unwrap_err().message(), text);
    assert_eq!(load(&dir, &[("AZURE_CLOUD_NAME", "X")]).err().unwrap().message(), text);
}

#[test]
fn a_broken_file_is_named_and_neither_removed_nor_overwritten() {
    let text = "no header\n";
    let (_root, dir) = dir_with("clouds.config", text);
    let errors = [
        load(&dir, &[]).err().unwrap(),
        Clouds::set_subscription(&dir, "AzureCloud", "s").unwrap_err(),
        Clouds::register(&dir, "Stack", &stack()).unwrap_err(),
    ];
    for error in errors {
        assert!(error.message().contains("clouds.config cannot be read: line 1"), "{error}");
    }
    assert_eq!(file(&dir, "clouds.config"), text);
}
