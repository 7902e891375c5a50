//! az's profile.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &str| azt::internals::fuzzing::profile(bytes));
