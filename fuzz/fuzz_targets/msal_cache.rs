//! Token caches of other programs, on their way into a vault and out again.
#![no_main]

use std::sync::OnceLock;

use azt::interop;
use azt::program::Program;
use azt::sys::{Env, System};
use azt::vault::{KeyChoice, KeySource, Options, Vault};
use tempfile::TempDir;

static FOLDER: OnceLock<TempDir> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(cache) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().unwrap());
    let none: [(&str, &str); 0] = [];
    let system = System { env: Env::fixed(none), ..System::real(Program::Azt) };
    let options = Options { key_source: KeyChoice::Source(KeySource::File), ..Options::default() };
    let vault = Vault::open_or_create(&system, folder.path(), options).unwrap();
    if interop::import(&vault, &cache, &|name| name.to_owned(), &|_| true, 1_700_000_000).is_ok() {
        interop::export(&vault, None).unwrap();
    }
    let _ = std::fs::remove_dir_all(folder.path().join("records"));
});
