//! az's settings files.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &str| azt::internals::fuzzing::ini(bytes));
