//! `version` and `--version`.

use serde_json::json;

use super::{Answer, recognised};
use crate::accounts::Context;
use crate::error::Result;
use crate::program::Program;
use crate::sys::System;

/// The version of az that azt emulates. Callers check it: Terraform requires at least 2.0.81 and
/// less than 3, azure/login reads the minor number.
const AZ_VERSION: &str = "2.91.0";
/// The version of az's telemetry component, which is part of the answer.
const AZ_TELEMETRY_VERSION: &str = "1.1.0";
/// The version of azt.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Prints az's four members, and under the name `azt` also azt's version. As in az,
/// `--subscription` has no effect but a warning if it is not found.
pub(super) fn run(subscription: Option<&str>, context: &Context<'_>) -> Result<Answer> {
    if let Some(wanted) = subscription {
        recognised(wanted, context)?;
    }
    let mut value = json!({
        "azure-cli": AZ_VERSION,
        "azure-cli-core": AZ_VERSION,
        "azure-cli-telemetry": AZ_TELEMETRY_VERSION,
        "extensions": {},
    });
    if let (Program::Azt, Some(members)) = (context.system.program, value.as_object_mut()) {
        members.insert("azt".to_owned(), VERSION.into());
    }
    Ok(Answer::of(value))
}

/// The text of `--version`; under the name `az` in the format that pipeline tasks parse.
pub(crate) fn version_text(system: &System) -> String {
    match system.program {
        Program::Azt => format!("azt {VERSION} (speaks as azure-cli {AZ_VERSION})\n"),
        Program::Az => format!(
            "{:<25}{AZ_VERSION:>15}\n\n{:<25}{AZ_VERSION:>15}\n{:<25}{AZ_TELEMETRY_VERSION:>15}\n\nServed by azt {VERSION}\n",
            "azure-cli", "core", "telemetry"
        ),
    }
}
