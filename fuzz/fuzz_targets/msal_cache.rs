//! Token caches of other programs: import and export.
#![no_main]

use std::sync::OnceLock;

use azt::internals::interop;
use azt::internals::program::Program;
use azt::internals::sys::{Env, System};
use azt::internals::vault::{KeyChoice, KeySource, Options, ServicePrincipal, Vault};
use tempfile::TempDir;

static FOLDER: OnceLock<TempDir> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(cache) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().unwrap());
    let none: [(&str, &str); 0] = [];
    let system = System { env: Env::fixed(none), ..System::real(Program::Azt) };
    let options = Options { key_source: KeyChoice::Source(KeySource::File), ..Options::default() };
    let vault = Vault::open_or_create(&system, folder.path(), options).unwrap();
    let home = |_: &str, _: &str| Ok(Some("login.example".to_owned()));
    let (name, now) = (|name: &str| name.to_owned(), 1_700_000_000);
    if let Ok(imported) = interop::import(&vault, &cache, &name, &|_| true, &home, now) {
        // No file names what a credential comes from.
        let names_none = |it: &ServicePrincipal| {
            it.certificate.is_none() && it.client_assertion_source.is_none()
        };
        assert!(imported.applications.iter().all(names_none));
        assert!(vault.all::<ServicePrincipal>().unwrap().iter().all(names_none));
        interop::export(&vault, None, true).unwrap();
    }
    let _ = std::fs::remove_dir_all(folder.path().join("records"));
});
