//! Whether this machine has an identity broker, for `doctor`.

#[cfg(not(target_os = "macos"))]
use crate::foreign::Sentence;
use crate::sys::System;

/// Where an identity broker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// On this machine: it runs, or is started by a call.
    Here,
    /// On the Windows side of WSL, behind the `azt.exe` of this path.
    WindowsSide(String),
    /// Nowhere, and why.
    Absent(String),
}

/// Whether this machine has an identity broker. Asks the session bus or Windows, for at most
/// three seconds, and asks for no account.
pub fn identity_broker_presence(system: &System) -> Presence {
    #[cfg(all(unix, not(target_os = "macos")))]
    {
        use crate::sys::{IdentityBus, azt_of_windows};
        let found = IdentityBus::new(system).has_broker(super::LIMIT);
        if let (Some(program), false) = (azt_of_windows(system), found == Ok(true)) {
            return Presence::WindowsSide(program.display().to_string());
        }
        match found {
            Ok(true) => Presence::Here,
            Ok(false) => Presence::Absent("no program of this session provides one".to_owned()),
            Err(failure) => absent(failure),
        }
    }
    #[cfg(windows)]
    {
        let _ = system;
        crate::sys::find_work_accounts(super::LIMIT).map_or_else(absent, |()| Presence::Here)
    }
    #[cfg(target_os = "macos")]
    {
        let _ = system;
        Presence::Absent("azt cannot ask the one of this operating system".to_owned())
    }
}

#[cfg(not(target_os = "macos"))]
fn absent(failure: crate::sys::CallFailure) -> Presence {
    use crate::sys::CallFailure;
    Presence::Absent(match failure {
        CallFailure::Absent(why) | CallFailure::Refused(why) => Sentence::new(&why).into(),
        CallFailure::TimedOut | CallFailure::Died => "it does not answer".to_owned(),
    })
}
