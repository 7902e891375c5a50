//! Claims challenges and ID tokens.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &str| azt::internals::fuzzing::claims(bytes));
