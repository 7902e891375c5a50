//! The real clients: Chromium signs users in, Azure Identity gets tokens through the binary under
//! the name `az`, and az 2.91 shares its files with azt.

#![allow(
    missing_docs,
    dead_code,
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

mod azure_identity;
#[cfg(unix)]
mod browser;
#[cfg(target_os = "linux")]
mod containers;
#[cfg(target_os = "linux")]
mod databases;
mod differential;
#[cfg(target_os = "linux")]
mod endpoint;
#[cfg(target_os = "linux")]
mod federated;
#[cfg(target_os = "linux")]
mod managed_identity;
#[cfg(target_os = "linux")]
mod other_sdks;
#[cfg(target_os = "linux")]
mod own_network;
#[cfg(unix)]
mod read_vault;
mod real_az;
#[cfg(unix)]
mod sdks;
#[cfg(target_os = "linux")]
mod shared_cache;
#[path = "../it/support/mod.rs"]
mod support;
#[cfg(target_os = "linux")]
mod token_shapes;
mod venv;
