//! Answers of the identity broker.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| azt::internals::fuzzing::identity_broker(text));
