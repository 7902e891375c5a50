//! What programs ask the token endpoint, and what azt at its socket is answered.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| azt::internals::fuzzing::endpoint(bytes));
