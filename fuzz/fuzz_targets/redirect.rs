//! Redirects that a browser sends.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| azt::internals::fuzzing::redirect(bytes));
