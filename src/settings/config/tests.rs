use std::fs;

use tempfile::TempDir;

use super::*;
use crate::settings::known;
use crate::settings::tests::{dir_with, system};

fn load(vars: &[(&str, &str)], text: &str) -> (TempDir, Config<'static>) {
    let (root, dir) = dir_with("config", text);
    let config = Config::load(Box::leak(Box::new(system(vars))), &dir).unwrap();
    (root, config)
}

fn names(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.name.as_str()).collect()
}

#[test]
fn a_variable_comes_before_the_file_unless_it_is_empty() {
    let text = "[core]\nOutput = table\nerror_format = text\n[cloud]\nname = Stack\n";
    let variables = [("AZURE_CORE_OUTPUT", ""), ("AZURE_CORE_ERROR_FORMAT", "JSON")];
    let (_root, config) = load(&variables, text);
    assert_eq!(config.word(&known::OUTPUT).unwrap(), "table");
    assert_eq!(config.word(&known::ERROR_FORMAT).unwrap(), "json", "in the table's spelling");
    assert_eq!(config.text(&known::CLOUD_NAME).unwrap().as_deref(), Some("Stack"));
    let (_root, config) = load(&[], "[Cloud]\nname = Stack\n");
    assert_eq!(config.text(&known::CLOUD_NAME).unwrap(), None, "sections are case-sensitive");
    assert_eq!(config.word(&known::OUTPUT).unwrap(), "json", "the default");
}

#[test]
fn booleans_are_those_of_az() {
    for (text, expected) in [
        ("YES", Some(true)),
        ("1", Some(true)),
        ("Off", Some(false)),
        ("0", Some(false)),
        ("maybe", None),
        ("", None),
    ] {
        let (_root, config) = load(&[], &format!("[core]\npersist = {text}\n"));
        let found = config.is_on(&known::PERSIST);
        assert_eq!(found.as_ref().ok(), expected.as_ref(), "{text}");
        let Err(error) = found else { continue };
        assert!(error.message().contains(&format!("config is '{text}', which is")), "{error}");
        assert!(error.remedy_lines()[0].contains("1, yes, true, on or 0, no, false, off"));
        assert_eq!(error.curing_command(), Some("azt config unset core.persist"));
    }
    let (_root, config) = load(&[("AZURE_CORE_PERSIST", "enabled")], "");
    let error = config.is_on(&known::PERSIST).unwrap_err();
    assert!(error.message().starts_with("AZURE_CORE_PERSIST is 'enabled'"), "{error}");
    assert_eq!(error.curing_command(), None, "no command changes the caller's environment");
    assert!(config.is_on(&known::RENEW_AHEAD).unwrap(), "the default");
    assert!(!config.is_on(&known::NO_COLOR).unwrap(), "the default");
}

#[test]
fn numbers_and_words_are_checked() {
    let text = "[core]\nlogin_timeout = -5\nkey_cache_seconds = 60\noutput = jsn\n";
    let (_root, config) = load(&[], text);
    assert_eq!(config.seconds(&known::KEY_CACHE_SECONDS).unwrap(), 60);
    let error = config.seconds(&known::LOGIN_TIMEOUT).unwrap_err();
    assert!(error.message().contains("'-5', which is not a number of seconds"), "{error}");
    let error = config.word(&known::OUTPUT).unwrap_err();
    assert!(error.message().contains("'jsn', which is none of json, jsonc"), "{error}");
    assert_eq!(error.remedy_lines()[0], "Did you mean 'json'?");
}

#[test]
fn a_listing_has_variables_first_and_each_name_once() {
    let text = "[core]\nzz = 1\noutput = table\n\n[defaults]\n\n[Up]\nx = 1\n";
    let vars = [
        ("AZURE_CORE_OUTPUT", "yaml"),
        ("AZURE_CORE_A", "b"),
        ("AZURE_CORE_lower", "not a setting"),
        ("AZURE_ONLY_ENV", "1"),
    ];
    let (root, config) = load(&vars, text);
    let file = root.path().join("config").display().to_string();
    let core = json!([
        {"name": "a", "source": "AZURE_CORE_A", "value": "b"},
        {"name": "output", "source": "AZURE_CORE_OUTPUT", "value": "yaml"},
        {"name": "zz", "source": file, "value": "1"},
    ]);
    assert_eq!(config.listing(Some("core")).unwrap(), core);
    assert_eq!(
        config.listing(None).unwrap(),
        json!({"core": core, "defaults": [], "Up": [{"name": "x", "source": file, "value": "1"}]})
    );
    assert_eq!(config.listing(Some("core.zz")).unwrap(), core[2]);
    assert_eq!(config.listing(Some("core.")).unwrap(), core);
    assert_eq!(config.listing(Some("nope")).unwrap(), json!([]));
    assert_eq!(names(&config.items("only").unwrap()), ["env"]);
    for key in ["core.nope", "core.ZZ", "up.x"] {
        let error = config.listing(Some(key)).unwrap_err();
        assert_eq!(error.message(), format!("Configuration '{key}' is not set."));
    }
}

#[test]
fn set_and_unset_leave_what_az_leaves() {
    let (_root, dir) = dir_with("unrelated", "");
    let (path, folder) = (Config::path(&dir), dir.folder());
    assert!(!Config::unset(&dir, folder, "cloud", "name").unwrap());
    assert!(!path.exists(), "unsetting a missing option writes nothing");
    Config::set(&dir, &known::CLOUD_NAME, "AzureCloud").unwrap();
    let more = [("core", "Output", "table"), ("core", "note", "100%")];
    Config::store(&dir, folder, &more).unwrap();
    let one_is_wrong = [("core", "output", "json"), ("core", "x=y", "z")];
    assert!(Config::store(&dir, folder, &one_is_wrong).is_err());
    let text = "[cloud]\nname = AzureCloud\n\n[core]\noutput = table\nnote = 100%%\n\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    let system = system(&[]);
    let config = Config::load(&system, &dir).unwrap();
    assert_eq!(config.items("core").unwrap()[1].value, "100%");
    assert!(Config::unset(&dir, folder, "core", "output").unwrap());
    assert!(!Config::unset(&dir, folder, "core", "output").unwrap());
    let text = "[cloud]\nname = AzureCloud\n\n[core]\nnote = 100%%\n\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[cfg(unix)]
#[test]
fn the_file_is_private_and_a_symlink_is_kept() {
    use std::os::unix::fs::PermissionsExt;
    let (root, dir) = dir_with("real", "# mine\n[a]\nx = 1\n");
    let path = Config::path(&dir);
    std::os::unix::fs::symlink(root.path().join("real"), &path).unwrap();
    Config::store(&dir, dir.folder(), &[("a", "x", "2")]).unwrap();
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(root.path().join("real")).unwrap(), "# mine\n[a]\nx = 2\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_broken_file_is_named_with_its_line_and_left_alone() {
    let text = "[core]\noutput = json\njust words\n";
    let (_root, dir) = dir_with("config", text);
    let path = Config::path(&dir);
    let loading = Config::load(&system(&[]), &dir).err().unwrap();
    let setting = Config::set(&dir, &known::OUTPUT, "table").unwrap_err();
    for error in [loading, setting] {
        assert!(error.message().contains(&format!("{}", path.display())), "{error}");
        assert!(error.message().contains("line 3"), "{error}");
        assert!(error.remedy_lines()[0].contains("Correct the file"));
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_stray_percent_fails_only_for_its_own_option() {
    let (_root, config) = load(&[], "[core]\noutput = 5%\nerror_format = json\n");
    assert_eq!(config.word(&known::ERROR_FORMAT).unwrap(), "json");
    let error = config.word(&known::OUTPUT).unwrap_err();
    assert!(error.message().contains("core.output: a '%' must be written '%%'"), "{error}");
}

#[test]
fn local_folders_are_nearest_first_and_end_at_the_global_one() {
    let root = tempfile::tempdir().unwrap();
    let cwd = root.path().join("one/two");
    for folder in ["one/two/.azure", "one/.azure", ".azure"] {
        fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    let at = |folder: &str| root.path().join(folder);
    let near = vec![at("one/two/.azure"), at("one/.azure")];
    assert_eq!(local_folders(&cwd, &root.path().join(".azure")), near);
    let all = vec![at("one/two/.azure"), at("one/.azure"), at(".azure")];
    assert_eq!(local_folders(&cwd, Path::new("/elsewhere/.azure")), all);
    assert_eq!(local_folders(&cwd, Path::new(".azure")), Vec::<PathBuf>::new());
    assert_eq!(local_folders(&cwd, Path::new("/elsewhere/other")), Vec::<PathBuf>::new());
}
