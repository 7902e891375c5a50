//! The items that the binary, the tests, the fuzz targets and the benchmarks use, grouped by
//! module. This is not an interface for other programs: it changes without notice.

#![allow(missing_docs, reason = "each item is documented where it is defined")]

pub mod broker {
    pub use crate::broker::{Presence, can_redeem, demanded_codes, identity_broker_presence};
}

pub mod error {
    pub use crate::error::{Error, Kind, Result};
}

pub mod exit {
    pub use crate::exit::code;
}

pub mod interop {
    pub use crate::interop::{AdalFile, Imported, export, import, is_same_host, take_with_source};
}

pub mod output {
    pub use crate::output::{Format, Query, QueryError, Render};
}

pub mod program {
    pub use crate::program::Program;
}

pub mod secret {
    pub use crate::secret::Secret;
}

pub mod settings {
    pub use crate::settings::{ConfigDir, profile_length};
}

pub mod shell {
    pub use crate::shell::quoted;
}

pub mod sys {
    pub use crate::sys::{
        Clock, Env, Folder, Http, MsalLock, System, Terminal, fill_random, harden, keyutils,
        quiet_panics, run_with_timeout, write_named,
    };
}

pub mod vault {
    pub use crate::vault::{
        AccessToken, Account, AssertionSource, IdToken, KeyChoice, KeySource, Options, Record,
        RefreshToken, ServicePrincipal, Vault, clear, inventory, rekey,
    };
}

#[cfg(fuzzing)]
pub mod fuzzing {
    pub use crate::broker::fuzzing::identity_broker;
    pub use crate::commands::fuzz_endpoint as endpoint;
    pub use crate::entra::fuzzing::{answer, certificate, claims, desktop_sso, redirect, ws_trust};
    pub use crate::settings::fuzzing::{ini, profile};
    pub use crate::vault::fuzz_sealed as sealed;
}
