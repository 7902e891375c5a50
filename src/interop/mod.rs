//! Other people's files: what the real az keeps of its sign-ins.
//!
//! The vault is the truth. az's files are read when the vault does not know an account, and
//! written only where `core.share_with_az` asks for it, under az's own lock, never across the
//! network. az 2.91 keeps MSAL's unified cache in `msal_token_cache.json` and applications in
//! `service_principal_entries.json`, both plain text on Linux and macOS; its encrypted forms are
//! not read.
//! az before 2.30 kept `accessTokens.json`, which is read when an account is first needed.

mod adal;
mod adopt;
mod az_files;
mod share;

pub use adal::{AdalFile, AdalGrant, AdalUser};
pub use adopt::{adopt, knows};
pub use share::{share, unshare};
