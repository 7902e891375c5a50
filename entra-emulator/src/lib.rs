//! entra-emulator (documentation follows)

mod arm;
mod authorize;
mod call;
mod clock;
mod control;
mod device;
mod device_page;
pub mod directory;
mod discovery;
mod emulator;
mod error;
mod fault;
mod identifier;
mod jwt;
mod log;
mod managed_identity;
mod metadata;
mod pages;
mod routes;
mod server;
mod settings;
mod tls;
mod token;
mod world;

pub use directory::Directory;
pub use emulator::{Builder, EntraEmulator, Faults, PendingDeviceCode};
pub use error::Error;
pub use fault::{Action, Fault};
pub use log::RequestLogEntry;
pub use settings::Settings;
