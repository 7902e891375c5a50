//! What to do about a refusal. Under the name `az` the lines are az's own, which SDKs look for.

use crate::entra::Scopes;
use crate::error::{Error, Kind};
use crate::program::Program;

/// A secret that is wrong because a certificate was meant (az's remedy).
const INVALID_CLIENT_SECRET: u32 = 7_000_215;

/// Adds to `error` how a person gets a token of `scopes` in `tenant` after all.
///
/// Only to what signing in again can cure: an SDK that reads "az login" in the text of a network
/// failure tells its user the wrong thing.
pub(super) fn for_user(error: Error, program: Program, tenant: &str, scopes: &Scopes) -> Error {
    if !is_from_entra(&error) {
        return error;
    }
    let scopes = scopes.iter().map(|scope| format!("\"{scope}\"")).collect::<Vec<_>>().join(" ");
    let login = format!("{program} login --tenant \"{tenant}\" --scope {scopes}");
    match program {
        Program::Az => interactively(error).remedy("az logout").remedy(login),
        Program::Azt if error.kind() == Kind::InteractionRequired => {
            error.remedy("Sign in again:").remedy(login)
        }
        Program::Azt => error,
    }
}

/// Adds to `error` what the owner of an application can do.
pub(super) fn for_application(error: Error, program: Program) -> Error {
    if !is_from_entra(&error) {
        return error;
    }
    let codes = error.entra_detail().map(|detail| detail.codes.clone()).unwrap_or_default();
    if codes.contains(&INVALID_CLIENT_SECRET) {
        return error.remedy("The error may be caused by passing a service principal certificate with --password. Please note that --password no longer accepts a service principal certificate. To pass a service principal certificate, use --certificate instead.");
    }
    match program {
        Program::Az => interactively(error).remedy("az logout").remedy("az login"),
        Program::Azt => error.remedy(
            "Check the application's credential in Entra ID, then sign in again with `azt login --service-principal`.",
        ),
    }
}

fn is_from_entra(error: &Error) -> bool {
    error.entra_detail().is_some()
        && matches!(error.kind(), Kind::InteractionRequired | Kind::Refused)
}

fn interactively(error: Error) -> Error {
    error.remedy("Run the command below to authenticate interactively; additional arguments may be added as needed:")
}
