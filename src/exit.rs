//! The one place where an error becomes a number.

use crate::error::Kind;
use crate::program::Program;

/// Exit code of a success.
pub(crate) const SUCCESS: u8 = 0;

/// The exit code of an error of `kind` under the name `program`.
///
/// 0 to 3 as az uses them under both names; 4 to 9 only as `azt`, since scripts and SDKs that call
/// `az` know nothing else; 130 is what shells give a program that Ctrl-C ended. 127 is never used: SDKs
/// take it for "not installed".
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
