//! Maps errors to exit codes.

use crate::error::Kind;
use crate::program::Program;

/// Exit code of success.
pub(crate) const SUCCESS: u8 = 0;

/// Every exit code with its meaning as `azt`: `azt help exit-codes` and the table of `docs/scripts.md`.
pub(crate) const MEANINGS: [(u8, &str); 11] = [
    (SUCCESS, "success"),
    (1, "failure"),
    (2, "wrong usage"),
    (3, "not found in Azure"),
    (4, "no account is signed in, or not the requested one"),
    (5, "interaction required: sign in again"),
    (6, "refused by Entra ID or Azure"),
    (7, "network"),
    (8, "the service is in trouble"),
    (9, "vault or keyring"),
    (130, "cancelled: Ctrl-C, Escape, or a question answered with no"),
];

/// What differs under the name `az`.
pub(crate) const AS_AZ: &str = "Under the name `az`, codes 4 to 9 and 130 become 1, and so do some wrong combinations of options, as in az.";

/// Returns the exit code for `kind` when the program runs as `program`.
///
/// Codes 0 to 3 have az's meaning under both names. Codes 4 to 9 occur only as `azt`, because
/// scripts and SDKs that call `az` know only the others. 130 is the shells' code for a program that
/// Ctrl-C ended; a question that is answered with no ends the same way. 127 is never used, because SDKs read it as "not installed".
pub fn code(kind: Kind, program: Program) -> u8 {
    match (kind, program) {
        (Kind::Usage, _) | (Kind::Inapplicable, Program::Azt) => 2,
        (Kind::NotFound, _) => 3,
        (Kind::Failed, _) | (_, Program::Az) => 1,
        (Kind::NotSignedIn, Program::Azt) => 4,
        (Kind::InteractionRequired, Program::Azt) => 5,
        (Kind::Refused, Program::Azt) => 6,
        (Kind::Network, Program::Azt) => 7,
        (Kind::Service, Program::Azt) => 8,
        (Kind::Vault, Program::Azt) => 9,
        (Kind::Cancelled, Program::Azt) => 130,
    }
}
