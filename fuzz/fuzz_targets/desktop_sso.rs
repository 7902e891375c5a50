//! Answers of the autologon service.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| azt::internals::fuzzing::desktop_sso(bytes));
