//! Problems that users reported of similar tools, by kind, and related cases.

mod arguments;
mod certificates;
mod ci;
mod damaged;
mod echoes;
mod exit_codes;
#[cfg(target_os = "linux")]
mod file_systems;
mod files;
mod long_tokens;
mod loose;
#[cfg(target_os = "linux")]
mod no_home;
#[cfg(unix)]
mod picker;
#[cfg(target_os = "linux")]
mod pipes;
#[cfg(target_os = "linux")]
mod places;
mod proxy;
mod sign_ins;
mod truth;
mod typed;
