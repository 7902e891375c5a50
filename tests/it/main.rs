//! Runs the binary against the emulator.
//!
//! One test binary, so that it links once; one module per topic.

#![allow(
    missing_docs,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test says what is wrong by panicking"
)]

mod account;
mod apps;
mod arguments;
#[cfg(target_os = "linux")]
mod attacks;
mod bad_files;
#[cfg(unix)]
mod browser;
mod cache;
mod certificates;
mod ci_snippets;
mod claims;
mod cloud_and_config;
#[cfg(unix)]
mod completion;
mod concurrency;
#[cfg(unix)]
mod demands;
#[cfg(target_os = "linux")]
mod disk;
mod doctor;
#[cfg(target_os = "linux")]
mod doctor_fix;
mod doctor_settings;
#[cfg(target_os = "linux")]
mod exec;
mod export;
mod faults;
mod federated;
mod field;
mod former_versions;
#[cfg(unix)]
mod help;
mod host_tokens;
mod hostile;
#[cfg(target_os = "linux")]
mod hosts;
#[cfg(target_os = "linux")]
mod identity_broker;
mod identity_from_env;
#[cfg(target_os = "linux")]
mod integrated;
#[cfg(target_os = "linux")]
mod kdc;
mod known_settings;
#[cfg(unix)]
mod limits;
mod login;
mod managed_identity;
mod meanwhile;
mod migration;
mod network;
mod own_accounts;
mod own_client;
#[cfg(unix)]
mod pages;
#[cfg(target_os = "linux")]
mod passphrase;
#[cfg(unix)]
mod people;
#[cfg(unix)]
mod refusals;
#[cfg(unix)]
mod rest;
#[cfg(unix)]
mod screen;
mod secrets;
mod selection;
#[cfg(unix)]
#[cfg(target_os = "linux")]
mod serve;
#[cfg(target_os = "linux")]
#[path = "../session_bus/mod.rs"]
mod session_bus;
mod sharing;
mod shim;
#[cfg(target_os = "linux")]
mod sign_in_screen;
mod silent;
mod support;
mod switch;
#[cfg(unix)]
mod terminal;
mod token;
#[cfg(target_os = "linux")]
mod warm;
mod whoami;
