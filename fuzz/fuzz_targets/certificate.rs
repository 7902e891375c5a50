//! Certificate files: PEM, PKCS#12.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| azt::internals::fuzzing::certificate(bytes));
