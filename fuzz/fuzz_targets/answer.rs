//! Answers of a token endpoint.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| azt::internals::fuzzing::answer(bytes));
