//! The failure of a call to an identity broker.

/// Why a call to an identity broker has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CallFailure {
    /// There is no broker, and why.
    Absent(String),
    /// It did not answer in time.
    TimedOut,
    /// It ended during the call.
    Died,
    /// It answered with an error of the system, with this text.
    Refused(String),
}
