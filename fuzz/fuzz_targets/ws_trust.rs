//! Documents of federation servers.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| azt::internals::fuzzing::ws_trust(bytes));
