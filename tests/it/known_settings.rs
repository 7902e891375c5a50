//! `config list`, `config set` of known settings, `help settings` and `help environment`.

use serde_json::{Value, json};

use crate::support::*;

/// A folder without settings, without the sandbox's own variable.
fn without_settings() -> Sandbox {
    let mut sandbox = Sandbox::without_cloud();
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    sandbox
}

/// The entry of `name` in what `config list` prints.
#[track_caller]
fn entry(run: &Run, name: &str) -> Value {
    let all = run.json();
    let mut all = all.as_array().unwrap().iter();
    all.find(|it| it["name"] == name).unwrap_or_else(|| panic!("no {name}: {run:#?}")).clone()
}

#[test]
fn config_list_shows_value_and_source_of_every_setting() {
    let mut sandbox = without_settings();
    let path = sandbox.file("config").display().to_string();
    sandbox.write(
        "config",
        "[core]\nlogin_timeout = 60\ntheme = dark\nmine = 1\npersist = off\n\n[defaults]\ngroup = web\n",
    );
    sandbox.set("AZURE_CORE_PERSIST", "yes");
    sandbox.set("AZURE_CORE_ERROR_FORMAT", "");
    let run = sandbox.azt(["config", "list"]).quiet();
    for (name, value, source) in [
        ("core.output", "json", "default"),
        ("core.error_format", "text", "default"),
        ("core.login_timeout", "60", path.as_str()),
        ("core.persist", "yes", "AZURE_CORE_PERSIST"),
        ("cloud.name", "AzureCloud", "default"),
        ("core.theme", "dark", path.as_str()),
        ("core.mine", "1", path.as_str()),
        ("defaults.group", "web", path.as_str()),
    ] {
        let entry = entry(&run, name);
        assert_eq!((&entry["value"], &entry["source"]), (&json!(value), &json!(source)), "{name}");
        assert!(entry["about"].as_str().is_some_and(|about| about.ends_with('.')), "{entry}");
    }
    let names = sandbox.azt(["config", "list", "--query", "[].name", "-o", "tsv"]).quiet().stdout;
    // Those of azt, and three that are set.
    assert_eq!(names.lines().count(), 18, "{names}");
    let table = sandbox.azt(["config", "list", "-o", "table"]).quiet().stdout;
    assert!(table.starts_with("Name ") && table.contains("defaults.group"), "{table}");
    assert!(!table.contains("Format of results"), "{table}");

    sandbox.set("AZURE_CORE_OUTPUT", "xml");
    let run = sandbox.azt(["config", "list", "-o", "json"]).success();
    assert_eq!(entry(&run, "core.output")["value"], "xml");
    drop(run.says("WARNING: AZURE_CORE_OUTPUT is 'xml', which is none of json, jsonc, yaml"));
}

#[cfg(unix)]
#[test]
fn config_list_on_a_terminal_is_text_of_80_columns() {
    let sandbox = without_settings();
    drop(sandbox.azt(["config", "set", "core.login_timeout=60", "a.b=\u{1b}[31mx"]).quiet());
    let on_a_terminal = |args: &[&str]| {
        let mut session =
            rexpect::session::spawn_command(sandbox.command(args), Some(30_000)).unwrap();
        session.exp_eof().unwrap()
    };
    let shown = on_a_terminal(&["config", "list"]);
    let path = sandbox.file("config").display().to_string();
    for line in shown.lines().filter(|line| !line.contains(&path)) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    for text in [
        "core.output                json       default\r\n    Format of results.\r\n",
        "core.login_timeout         60 ",
        &path,
        "a.b ",
    ] {
        assert!(shown.contains(text), "no {text:?} in {shown}");
    }
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    assert!(on_a_terminal(&["config", "list", "-o", "json"]).starts_with("[\r\n"));
    drop(sandbox.azt(["config", "set", "core.output=tsv"]).quiet());
    assert!(on_a_terminal(&["config", "list"]).starts_with("Format of results.\tcore.output\t"));
}

#[cfg(unix)]
#[test]
fn pages_follow_the_width_of_the_terminal() {
    let sandbox = without_settings();
    for (columns, most) in [(50, 50), (100, 100), (200, 100)] {
        for page in [&["help", "exit-codes"][..], &["config", "list"]] {
            let (text, _) = crate::screen::Screen::run(&sandbox, page, (columns, 24)).end();
            let longest = text.lines().map(|line| line.trim_end().chars().count()).max().unwrap();
            // A path has a line of its own, of any length.
            assert!(longest <= most && longest > most - 20, "{columns}: {longest}\n{text}");
        }
    }
}

#[test]
fn config_list_shows_a_value_with_a_stray_percent_sign() {
    let sandbox = without_settings();
    sandbox.write("config", "[core]\noutput = %x\n[defaults]\ngroup = 100%\nlocation = west\n");
    let run = sandbox.azt(["config", "list", "-o", "json"]).exits(0);
    for (name, value) in
        [("core.output", "%x"), ("defaults.group", "100%"), ("defaults.location", "west")]
    {
        assert_eq!(entry(&run, name)["value"], value);
    }
    drop(run.says("WARNING: ").says("core.output").says("defaults.group"));
}

#[test]
fn config_set_refuses_what_cannot_be_right() {
    let sandbox = without_settings();
    for (pair, said) in [
        ("core.outpt=json", "core.outpt is not a setting of azt or az. Did you mean core.output?"),
        ("core.Key-Source=file", "Did you mean core.key_source?"),
        (
            "Core.output=json",
            "Core.output is not a setting of azt or az. Did you mean core.output?",
        ),
        ("core.mine=1", "core.mine is not a setting of azt or az.\n"),
        (
            "core.output=xml",
            "core.output is 'xml', which is none of json, jsonc, yaml, yamlc, table",
        ),
        ("core.output=jsn", "Did you mean 'json'?"),
        ("core.error_format=xml", "core.error_format is 'xml', which is none of text, json."),
        ("core.key_source=bogus", "'bogus', which is none of auto, keyring, env, kernel, file"),
        ("core.login_timeout=abc", "core.login_timeout is 'abc', which is not a number of seconds"),
        ("core.key_cache_seconds=-1", "'-1', which is not a number of seconds"),
        ("core.persist=perhaps", "core.persist is 'perhaps', which is neither on nor off"),
        ("core.NO_COLOR=2", "core.no_color is '2', which is neither on nor off"),
    ] {
        let run = sandbox.azt(["config", "set", "fine.one=1", pair, "fine.two=2"]);
        drop(run.exits(2).says(said).says("Nothing was stored."));
        assert!(!sandbox.file("config").exists(), "{pair}");
    }
    // The setting alone would make every later call fail.
    let beside = Sandbox::signed_in_as_app();
    let moved = beside.azt(["config", "set", "core.key_source=keyring"]).exits(2);
    drop(moved.says("The vault key is kept in 'file'.").says("azt vault move --to keyring"));
    assert!(!beside.read("config").contains("key_source"));
    drop(beside.azt(["config", "set", "core.key_source=file"]).quiet());
    let several = ["config", "set", "core.outpt=json", "core.key_source=bogus", "core.persist=no"];
    drop(sandbox.azt(several).exits(2).says("core.outpt is not").says("'bogus', which is none of"));
    assert!(!sandbox.file("config").exists());
    for pair in [
        "core.output=table",
        "core.output=JSON",
        "core.key_source=AUTO",
        "core.login_timeout= 60",
        "core.persist=Yes",
        "core.collect_telemetry=no",
        "core.error_format=text",
        "defaults.group=x",
        "mine.own=1",
        "cloud.name=AzureChinaCloud",
    ] {
        drop(sandbox.azt(["config", "set", pair]).quiet());
    }
}

#[test]
fn under_the_name_az_config_set_stores_what_az_stores() {
    let sandbox = without_settings();
    for pair in ["core.outpt=json", "core.output=xml", "core.login_timeout=abc"] {
        let run = sandbox.az(["config", "set", pair]).success();
        assert_eq!(run.stderr.lines().count(), 1, "az's own warning only: {run:?}");
    }
    assert_eq!(
        sandbox.read("config"),
        "[core]\noutpt = json\noutput = xml\nlogin_timeout = abc\n\n"
    );
    // azt removes them.
    let run = sandbox.azt(["account", "list"]).exits(1);
    drop(run.says("To remove the setting, run:\nazt config unset core.output\n"));
    drop(
        sandbox.azt(["config", "unset", "core.outpt", "core.output", "core.login_timeout"]).quiet(),
    );
    assert_eq!(sandbox.read("config"), "[core]\n\n");
}

#[test]
fn under_the_name_az_there_is_no_config_list() {
    let sandbox = without_settings();
    for args in
        [&["config", "list"][..], &["Config", "LIST", "-o", "json"], &["config", "list", "-h"]]
    {
        let run = sandbox.az(args).exits(2);
        drop(
            run.says("'list' is misspelled or not recognized by the system.\nThere is no other az"),
        );
    }
    let help = sandbox.az(["config", "--help"]).quiet().stdout;
    assert!(help.contains("  unset ") && !help.contains("  list "), "{help}");
    assert!(sandbox.azt(["config", "--help"]).quiet().stdout.contains("  list "));
    drop(sandbox.az(["help", "settings"]).exits(2).says("'help' is misspelled"));
}

#[test]
fn config_get_as_a_table_has_the_settings_of_all_sections() {
    let sandbox = without_settings();
    drop(sandbox.azt(["config", "set", "core.persist=no", "defaults.group=web"]).quiet());
    let table = sandbox.azt(["config", "get", "-o", "table"]).quiet().stdout;
    let rows: Vec<Vec<&str>> =
        table.lines().map(|line| line.split_whitespace().take(2).collect()).collect();
    assert_eq!(rows[0], ["Name", "Value"]);
    assert_eq!(rows[2..], [["core.persist", "no"], ["defaults.group", "web"]]);
    assert_eq!(sandbox.az(["config", "get", "-o", "table"]).success().stdout, "\n");
}

#[test]
fn doctor_names_each_bad_setting_with_the_command_that_removes_it() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    let good = sandbox.read("config");
    sandbox.write(
        "config",
        format!(
            "{good}\n[core]\noutpt = json\nmine = 1\ntheme = x\npersist = perhaps\nlogin_timeout = abc\nerror_format = xml\n"
        ),
    );
    sandbox.set("AZURE_CORE_OUTPUT", "xml");
    let run = sandbox.azt(["doctor", "--offline", "-o", "json"]);
    let all: Value = serde_json::from_str(&run.stdout).unwrap();
    let all: Vec<_> =
        all.as_array().unwrap().iter().filter(|it| it["check"] == "settings").collect();
    for (text, state, command) in [
        ("persist in ", "failure", json!("azt config unset core.persist")),
        ("login_timeout in ", "failure", json!("azt config unset core.login_timeout")),
        ("error_format in ", "failure", json!("azt config unset core.error_format")),
        ("AZURE_CORE_OUTPUT is 'xml'", "failure", Value::Null),
        ("Did you mean core.output?", "warning", json!("azt config unset core.outpt")),
        ("core.mine is not a setting", "warning", Value::Null),
    ] {
        let found: Vec<_> =
            all.iter().filter(|it| it["text"].as_str().unwrap().contains(text)).collect();
        assert_eq!(found.len(), 1, "{text}: {all:#?}");
        assert_eq!((&found[0]["state"], &found[0]["command"]), (&json!(state), &command), "{text}");
    }
    assert_eq!(all.len(), 6, "{all:#?}");
    sandbox.unset("AZURE_CORE_OUTPUT");
    let unset =
        ["persist", "login_timeout", "error_format", "outpt"].map(|it| format!("core.{it}"));
    drop(
        sandbox
            .azt(["config", "unset"].into_iter().chain(unset.iter().map(String::as_str)))
            .quiet(),
    );
    drop(sandbox.azt(["doctor", "--offline"]).quiet());
}

#[test]
fn a_bad_key_source_is_reported_once() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    let good = sandbox.read("config");
    sandbox.write("config", format!("{good}\n[core]\nkey_source = bogus\n"));
    let page = sandbox.azt(["doctor", "--offline"]).stdout;
    assert_eq!(page.matches("is 'bogus', which is none of").count(), 1, "{page}");
    assert!(page.contains("azt config unset core.key_source\n"), "{page}");
    assert!(!page.contains("all valid"), "{page}");
}

#[test]
fn help_has_pages_about_settings_and_variables() {
    let sandbox = without_settings();
    for (args, texts) in [
        (
            &["help", "settings"][..],
            &["core.output [json]", "core.login_timeout [900]", "cloud.name [AzureCloud]"][..],
        ),
        (&["HELP", "Environment"], &["AZT_ACCOUNT", "AZURE_CONFIG_DIR", "HTTPS_PROXY"]),
        (&["help", "config", "set"], &["Usage: azt config set"]),
        (&["help"], &["`azt help settings`", "`azt help environment`"]),
    ] {
        let page = sandbox.azt(args).quiet().stdout;
        for text in texts {
            assert!(page.contains(text), "{args:?}: no {text} in {page}");
        }
    }
    drop(sandbox.azt(["help", "lgin"]).exits(2).says("'lgin' is misspelled"));
    drop(sandbox.azt(["help", "settings", "more"]).exits(2).says("'settings' is misspelled"));
}

/// Under the name `az` they are refused, as in az.
#[test]
fn global_options_may_come_first() {
    let sandbox = without_settings();
    let run = sandbox.azt(["--error-format", "json", "-ojson", "account", "show"]);
    let error: Value = serde_json::from_str(&run.stderr).unwrap();
    assert_eq!(error["error"]["kind"], "not_signed_in");
    drop(sandbox.azt(["-o", "tsv", "config", "get"]).quiet());
}
