//! Token files of other programs: az, older az versions and Azure's SDKs.
//!
//! The vault is authoritative.
//!
//! - az's files are read when the vault does not know an account. They are written only with
//!   `core.share_with_az`, under az's own lock, which is never held during a network request. az
//!   2.91 keeps MSAL's unified cache in `msal_token_cache.json` and applications in
//!   `service_principal_entries.json`: plain text on Linux and macOS, encrypted `.bin` files on
//!   Windows (unverified).
//! - `accessTokens.json` of az before 2.30 is read when an account is first needed.
//! - `msal.cache`, which Azure's SDKs share, is read and written only on request.

mod adal;
mod adopt;
mod application;
mod az_files;
mod dialect;
mod exchange;
mod foreign_file;
mod remove_az_files;
mod share;
mod shared_cache;
mod unified;
mod users;

pub use adal::AdalFile;
pub(crate) use adal::AdalUser;
pub(crate) use adopt::{adopt, applications_of_az, can_adopt, known_names, knows, may_know};
pub(crate) use application::{Application, Credential, Source};
pub(crate) use az_files::{json_in, plain_text_of_az, secret_files_of_az};
pub(crate) use exchange::has_no_accounts;
pub use exchange::{Imported, export, import, is_same_host, take_with_source};
pub(crate) use foreign_file::PATIENCE;
pub(crate) use remove_az_files::remove_az_files;
pub(crate) use share::{share, unshare};
pub(crate) use shared_cache::{DEFAULT_NAME, plain_text_shared, publish, read_shared};
