//! Entry points of the fuzz targets for az's files.

use std::path::Path;

use super::Profile;
use super::ini::Ini;

/// `config` or `clouds.config`: a parsed file can be changed and parsed again.
pub fn ini(text: &str) {
    let Ok(mut ini) = Ini::parse(text.to_owned()) else { return };
    let sections: Vec<String> = ini.sections().map(str::to_owned).collect();
    for section in &sections {
        let _ = ini.items(section);
    }
    if ini.set("core", "output", "a 100% b").is_ok() {
        assert_eq!(ini.get("core", "output").ok().flatten().as_deref(), Some("a 100% b"));
        assert!(Ini::parse(ini.text().to_owned()).is_ok(), "what is written can be read");
    }
}

/// `azureProfile.json`: entries that stay text are those of a parsed file.
pub fn profile(text: &str) {
    let path = Path::new("azureProfile.json");
    if let Ok(profile) = Profile::parse(text.to_owned(), path) {
        let json = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
        if !json.is_empty() {
            assert_eq!(Profile::parse_whole(json, path).ok().as_ref(), Some(&profile));
        }
        let _ = profile.list_value("AzureCloud", true);
        let _ = profile.find(crate::program::Program::Azt, "AzureCloud", None);
    }
}
