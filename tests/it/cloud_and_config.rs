//! `cloud …` and `config …`.

use crate::support::*;

#[test]
fn a_cloud_is_registered_from_its_resource_manager() {
    let sandbox = Sandbox::without_cloud();
    let url = sandbox.emulator.url().to_owned();
    sandbox
        .az(["cloud", "register", "-n", "Mine", "--endpoint-resource-manager", &format!("{url}/")])
        .quiet()
        .prints("");
    let shown = sandbox.az(["cloud", "show", "--name", "Mine"]).quiet().json();
    assert_eq!(shown["isActive"], false);
    assert_eq!(shown["endpoints"]["activeDirectory"].as_str().unwrap().trim_end_matches('/'), url);
    assert_eq!(shown["endpoints"].as_object().unwrap().len(), 21);
    assert_eq!(shown["suffixes"].as_object().unwrap().len(), 13);
    sandbox
        .az(["cloud", "register", "-n", "Mine"])
        .exits(1)
        .says("ERROR: The cloud 'Mine' is already registered.\n");
    sandbox
        .az(["cloud", "set", "-n", "mine"])
        .success()
        .says("WARNING: Switched active cloud to 'Mine'.\nWARNING: Use 'az login' to log in to this cloud.\nWARNING: Use 'az account set' to set the active subscription.\n");
    sandbox.az(["cloud", "set", "-n", "Mine"]).quiet();
    sandbox
        .az(["cloud", "unregister", "-n", "Mine"])
        .exits(1)
        .says("ERROR: The cloud 'Mine' cannot be unregistered as it's currently active.\n");
    sandbox.az(["cloud", "set", "-n", "AzureCloud"]).success();
    sandbox.az(["cloud", "unregister", "-n", "Mine"]).quiet();
    sandbox
        .az(["cloud", "show", "-n", "Mine"])
        .exits(1)
        .says("ERROR: The cloud 'Mine' is not registered.\n");
    sandbox.az(["cloud", "list-profiles"]).quiet().prints("[\n  \"latest\"\n]\n");
}

#[test]
fn a_cloud_is_registered_from_options() {
    let sandbox = Sandbox::without_cloud();
    sandbox
        .az([
            "cloud",
            "register",
            "-n",
            "Half",
            "--endpoint-active-directory",
            "https://login.half/",
        ])
        .exits(1)
        .says("--endpoint-resource-manager, --endpoint-active-directory-resource-id");
    let config = r#"{"endpoints": {"resourceManager": "https://arm.mine/", "active_directory": "https://login.mine", "activeDirectoryResourceId": "https://arm.mine/"}, "suffixes": {"keyvaultDns": ".vault.mine"}}"#;
    let path = sandbox.root().join("mine.json");
    std::fs::write(&path, config).unwrap();
    sandbox
        .az([
            "cloud",
            "register",
            "-n",
            "Mine",
            "--skip-endpoint-discovery",
            "--cloud-config",
            &format!("@{}", path.display()),
        ])
        .quiet();
    sandbox
        .az([
            "cloud",
            "update",
            "-n",
            "Mine",
            "--skip-endpoint-discovery",
            "--suffix-storage-endpoint",
            "core.mine",
        ])
        .quiet();
    let shown = sandbox.az(["cloud", "show", "-n", "Mine"]).quiet().json();
    assert_eq!(shown["endpoints"]["management"], "https://arm.mine/");
    assert_eq!(shown["suffixes"]["keyvaultDns"], ".vault.mine");
    assert_eq!(shown["suffixes"]["storageEndpoint"], "core.mine");
}

#[test]
fn registering_an_unreachable_cloud_fails() {
    let sandbox = Sandbox::without_cloud();
    let url = format!("{}/nothing-here", sandbox.emulator.url());
    sandbox
        .az(["cloud", "register", "-n", "X", "--endpoint-resource-manager", &url])
        .exits(1)
        .says(&format!("ERROR: Unable to get endpoints from the cloud.\nServer returned status code 404 for {url}/metadata/endpoints?api-version=2022-09-01\n"));
}

#[test]
fn settings_are_set_and_unset_and_variables_override_them() {
    let sandbox = Sandbox::without_cloud();
    sandbox.azt(["config", "set", "core.output=tsv", "defaults.group=web", "a.b=x=%y"]).quiet();
    assert_eq!(
        sandbox.read("config"),
        "[core]\noutput = tsv\n\n[defaults]\ngroup = web\n\n[a]\nb = x=%%y\n\n"
    );
    sandbox.azt(["config", "get", "a.b", "--query", "value"]).quiet().prints("x=%y\n");
    let mut command = sandbox.command(["config", "get", "core.output", "-o", "json"]);
    let run = Run::of(command.env("AZURE_CORE_OUTPUT", "table")).quiet();
    assert_eq!(
        run.json(),
        serde_json::json!({"name": "output", "source": "AZURE_CORE_OUTPUT", "value": "table"})
    );
    sandbox.azt(["config", "unset", "core.output"]).quiet();
    // Already unset is no mistake; a name that nobody knows is one.
    sandbox.azt(["config", "unset", "core.output"]).quiet();
    sandbox.azt(["config", "unset", "defaults.grup"]).exits(0).says("defaults.grup was not set.");
    sandbox.azt(["config", "unset", "core.outpt"]).exits(2).says("Did you mean core.output?");
    sandbox.az(["config", "unset", "core.outpt", "--only-show-errors"]).quiet();
    sandbox
        .azt(["config", "get", "core.nope"])
        .exits(1)
        .says("ERROR: Configuration 'core.nope' is not set.\n");
    for bad in ["core", "core.x", "=1"] {
        sandbox
            .azt(["config", "set", "fine.one=1", bad])
            .exits(2)
            .says("ERROR: usage error: [section].[name]=[value] ...\n");
    }
    sandbox.azt(["config", "get", "fine.one"]).exits(1);
}

#[test]
fn under_the_name_az_config_is_experimental() {
    let sandbox = Sandbox::without_cloud();
    sandbox.az(["config", "get"]).success().says("WARNING: Command group 'config' is experimental and under development. Reference and support levels: https://aka.ms/CLI_refstatus\n");
    sandbox.az(["config", "get", "--only-show-errors"]).quiet();
}
