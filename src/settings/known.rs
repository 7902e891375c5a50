//! The table of settings: `config list`, `config set`, `help settings`, `doctor` and
//! `docs/settings.md` are made from it.

use super::clouds::DEFAULT_CLOUD;
use super::setting::Setting;
use super::setting::Values::{OneOf, Seconds, Switch, Text};
use crate::foreign::Typed;
use crate::near::nearest;

pub(crate) static OUTPUT: Setting = Setting {
    section: CORE,
    name: "output",
    values: OneOf(&["json", "jsonc", "yaml", "yamlc", "table", "tsv", "none"]),
    about: "Format of results.",
    option: Some("--output"),
    az_reads: true,
};

pub(crate) static ERROR_FORMAT: Setting = Setting {
    section: CORE,
    name: "error_format",
    values: OneOf(&["text", "json"]),
    about: "Format of errors.",
    option: Some("--error-format"),
    az_reads: false,
};

pub(crate) static ONLY_SHOW_ERRORS: Setting = Setting {
    section: CORE,
    name: "only_show_errors",
    values: Switch(false),
    about: "Hides warnings; `--only-show-errors` does so for one call.",
    option: None,
    az_reads: true,
};

pub(crate) static NO_COLOR: Setting = Setting {
    section: CORE,
    name: "no_color",
    values: Switch(false),
    about: "Prints no colours.",
    option: None,
    az_reads: true,
};

pub(crate) static CLIPBOARD: Setting = Setting {
    section: CORE,
    name: "clipboard",
    values: Switch(true),
    about: "At a terminal, `azt login` copies the code for a sign-in to the clipboard.",
    option: None,
    az_reads: false,
};

pub(crate) static LOGIN_EXPERIENCE_V2: Setting = Setting {
    section: CORE,
    name: "login_experience_v2",
    values: Switch(true),
    about: "Lets you choose a subscription after a sign-in on a terminal.",
    option: None,
    az_reads: true,
};

pub(crate) static LOGIN_TIMEOUT: Setting = Setting {
    section: CORE,
    name: "login_timeout",
    values: Seconds(900),
    about: "How long a sign-in waits for the browser.",
    option: None,
    az_reads: false,
};

pub(crate) static RENEW_AHEAD: Setting = Setting {
    section: CORE,
    name: "renew_ahead",
    values: Switch(true),
    about: "Refreshes a token in the background before it expires.",
    option: None,
    az_reads: false,
};

pub(crate) static PERSIST: Setting = Setting {
    section: CORE,
    name: "persist",
    values: Switch(true),
    about: "Stores tokens on the disk; when it is off, `--identity-from-env` works and sign-ins are refused.",
    option: None,
    az_reads: false,
};

pub(crate) static IDENTITY_FROM_ENV: Setting = Setting {
    section: CORE,
    name: "identity_from_env",
    values: Switch(false),
    about: "Every `get-access-token` uses the service principal of the `AZURE_*` variables, as with `--identity-from-env`.",
    option: None,
    az_reads: false,
};

pub(crate) static KEY_SOURCE: Setting = Setting {
    section: CORE,
    name: "key_source",
    values: OneOf(&["auto", "keyring", "env", "kernel", "file", "passphrase"]),
    about: "Where the vault key of the first sign-in is kept (later: `azt vault move`); `kernel` loses it when the machine restarts.",
    option: None,
    az_reads: false,
};

pub(crate) static KEY_CACHE_SECONDS: Setting = Setting {
    section: CORE,
    name: "key_cache_seconds",
    values: Seconds(3600),
    about: "How long a key from the Secret Service, or one that a passphrase unlocked, stays in the kernel's keyring; `0`: never.",
    option: None,
    az_reads: false,
};

pub(crate) static SHARE_WITH_AZ: Setting = Setting {
    section: CORE,
    name: "share_with_az",
    values: Switch(false),
    about: "Writes sign-ins into az's files too (plain text on Linux and macOS); the variable can turn it off, not on.",
    option: None,
    az_reads: false,
};

pub(crate) static REMOVE_MIGRATED: Setting = Setting {
    section: CORE,
    name: "remove_migrated",
    values: Switch(false),
    about: "Removes `accessTokens.json` once every sign-in in it is in the vault.",
    option: None,
    az_reads: false,
};

pub(crate) static CLOUD_NAME: Setting = Setting {
    section: "cloud",
    name: "name",
    values: Text { what: "name of a registered cloud", default: DEFAULT_CLOUD },
    about: "The active cloud; `azt cloud set` changes it, `azt cloud list` shows all.",
    option: None,
    az_reads: true,
};

/// Every setting, in the order of lists.
pub(crate) static ALL: [&Setting; 15] = [
    &OUTPUT,
    &ERROR_FORMAT,
    &ONLY_SHOW_ERRORS,
    &NO_COLOR,
    &CLIPBOARD,
    &LOGIN_EXPERIENCE_V2,
    &LOGIN_TIMEOUT,
    &RENEW_AHEAD,
    &PERSIST,
    &IDENTITY_FROM_ENV,
    &KEY_SOURCE,
    &KEY_CACHE_SECONDS,
    &SHARE_WITH_AZ,
    &REMOVE_MIGRATED,
    &CLOUD_NAME,
];

/// The section whose names azt and az share. Others are az's and those of its extensions.
pub(crate) const CORE: &str = "core";

/// Settings of `core` in az 2.91 that azt ignores.
pub(crate) const OF_AZ: [&str; 17] = [
    "cache_ttl",
    "collect_telemetry",
    "disable_concurrent_ids",
    "disable_confirm_prompt",
    "disable_progress_bar",
    "display_region_identified",
    "enable_broker_on_mac",
    "enable_broker_on_windows",
    "encrypt_token_cache",
    "error_recommendation",
    "first_run",
    "instance_discovery",
    "name",
    "survey_message",
    "theme",
    "use_command_index",
    "use_msal_http_cache",
];

/// The setting `section.option`. Sections are case-sensitive, options are not.
pub(crate) fn find(section: &str, option: &str) -> Option<&'static Setting> {
    let is_it = |it: &&&Setting| it.section == section && it.name.eq_ignore_ascii_case(option);
    ALL.iter().find(is_it).copied()
}

/// A name in `core` that is no setting of azt or az.
pub(crate) struct Unknown {
    /// A sentence that says so, with the guess.
    pub(crate) text: String,
    /// The name that was probably meant.
    pub(crate) guess: Option<&'static str>,
}

/// `None` if `section.option` is a setting of azt or az, or if it is in a section whose names azt
/// does not know.
pub(crate) fn unknown(section: &str, option: &str) -> Option<Unknown> {
    let lower = option.to_lowercase();
    if !section.eq_ignore_ascii_case(CORE) || find(section, option).is_some() {
        return None;
    }
    if section == CORE && OF_AZ.contains(&lower.as_str()) {
        return None;
    }
    let own = ALL.iter().filter(|it| it.section == CORE).map(|it| it.name);
    let guess = nearest(&lower, own.chain(OF_AZ));
    let hint = guess.map_or_else(String::new, |guess| format!(" Did you mean {CORE}.{guess}?"));
    let name = [section, ".", option].concat();
    Some(Unknown { text: format!("{} is not a setting of azt or az.{hint}", Typed(&name)), guess })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_in_the_table_once() {
        let declared = include_str!("known.rs").matches(": Setting = Setting {").count();
        // This line has the text too.
        assert_eq!(declared - 1, ALL.len());
        let keys: std::collections::BTreeSet<String> = ALL.iter().map(|it| it.key()).collect();
        assert_eq!(keys.len(), ALL.len());
        for setting in ALL {
            assert!(setting.check(&setting.default(), String::new).is_ok(), "{setting:?}");
            assert!(setting.about.ends_with('.') && !setting.about.contains(". "), "{setting:?}");
            assert!(!OF_AZ.contains(&setting.name) || setting.section != CORE, "{setting:?}");
        }
    }

    #[test]
    fn a_typo_finds_its_setting() {
        for (typed, meant) in [
            ("outpt", Some("output")),
            ("no_colour", Some("no_color")),
            ("keysource", Some("key_source")),
            ("login_time_out", Some("login_timeout")),
            ("sharewithaz", Some("share_with_az")),
            ("persits", Some("persist")),
            ("mine", None),
            ("x", None),
        ] {
            assert_eq!(unknown("core", typed).unwrap().guess, meant, "{typed}");
        }
        assert_eq!(unknown("Core", "Output").unwrap().guess, Some("output"));
        for (section, option) in
            [("core", "OUTPUT"), ("core", "theme"), ("defaults", "group"), ("mine", "own")]
        {
            assert!(unknown(section, option).is_none(), "{section}.{option}");
        }
    }
}
