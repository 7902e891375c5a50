//! accessTokens.json.
#![no_main]

use azt::internals::interop::AdalFile;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(found) = AdalFile::parse(bytes) {
        assert!(found.users.iter().all(|user| !user.grants.is_empty()));
    }
});
