//! Small secrets in the Linux kernel's user keyring (keyrings(7), keyctl(2), add_key(2)).
//!
//! The user keyring (`@u`) belongs to the user id and is cleared at restart. A process possesses it
//! only through a link from one of its own keyrings, and PAM does not create that link everywhere
//! (cron, sudo, containers, some systemd units). Each function therefore first links it into the
//! process keyring, so that search and read work in all of these environments.
//!
//! Outside Linux each function fails with [`std::io::ErrorKind::Unsupported`].

use std::io;

use zeroize::Zeroizing;

/// The longest secret, in bytes. The kernel allows each user 200 keys and 20,000 bytes in total.
#[cfg(target_os = "linux")]
const LIMIT: usize = 64;

#[cfg(target_os = "linux")]
mod kernel {
    use std::ffi::{CStr, CString};
    use std::io;

    use libc::{c_long, c_ulong};
    use zeroize::Zeroizing;

    // linux/keyctl.h
    pub(super) const PROCESS_KEYRING: c_long = -2;
    pub(super) const USER_KEYRING: c_long = -4;
    const KEYCTL_LINK: c_long = 8;
    const KEYCTL_UNLINK: c_long = 9;
    const KEYCTL_SEARCH: c_long = 10;
    const KEYCTL_READ: c_long = 11;
    const KEYCTL_SET_TIMEOUT: c_long = 15;
    const USER: &CStr = c"user";

    pub(super) fn search(description: &str) -> io::Result<Option<c_long>> {
        let description = CString::new(description)?;
        // SAFETY: keyctl(2) reads both strings, which end in NUL and outlive the call.
        let key = checked(unsafe {
            libc::syscall(
                libc::SYS_keyctl,
                KEYCTL_SEARCH,
                USER_KEYRING,
                USER.as_ptr(),
                description.as_ptr(),
                0 as c_long,
            )
        });
        unless_gone(key)
    }

    /// Maps the errors for a missing, expired or revoked key to `None`. A key can expire between
    /// search and read.
    pub(super) fn unless_gone<T>(answer: io::Result<T>) -> io::Result<Option<T>> {
        match answer {
            Ok(it) => Ok(Some(it)),
            Err(error) => match error.raw_os_error() {
                Some(libc::ENOKEY | libc::EKEYEXPIRED | libc::EKEYREVOKED) => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// Links a key or keyring into `keyring`, and replaces one with the same description.
    pub(super) fn link(key: c_long, keyring: c_long) -> io::Result<()> {
        // SAFETY: only numbers are passed.
        checked(unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_LINK, key, keyring) }).map(drop)
    }

    pub(super) fn read(key: c_long) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut buffer = Zeroizing::new(vec![0_u8; super::LIMIT]);
        // SAFETY: the kernel writes at most `buffer.len()` bytes to `buffer`.
        let length = checked(unsafe {
            libc::syscall(libc::SYS_keyctl, KEYCTL_READ, key, buffer.as_mut_ptr(), buffer.len())
        })?;
        match usize::try_from(length) {
            Ok(length) if length <= buffer.len() => {
                buffer.truncate(length);
                Ok(buffer)
            }
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    pub(super) fn add(description: &str, secret: &[u8], keyring: c_long) -> io::Result<c_long> {
        let description = CString::new(description)?;
        // SAFETY: add_key(2) reads the two strings, which end in NUL, and `secret.len()` bytes of
        // `secret`; all outlive the call.
        checked(unsafe {
            libc::syscall(
                libc::SYS_add_key,
                USER.as_ptr(),
                description.as_ptr(),
                secret.as_ptr(),
                secret.len(),
                keyring,
            )
        })
    }

    pub(super) fn set_timeout(key: c_long, seconds: u32) -> io::Result<()> {
        // SAFETY: only numbers are passed.
        checked(unsafe {
            libc::syscall(libc::SYS_keyctl, KEYCTL_SET_TIMEOUT, key, c_ulong::from(seconds))
        })
        .map(drop)
    }

    pub(super) fn unlink(key: c_long) -> io::Result<()> {
        // SAFETY: only numbers are passed.
        checked(unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_UNLINK, key, USER_KEYRING) })
            .map(drop)
    }

    fn checked(answer: c_long) -> io::Result<c_long> {
        if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
    }
}

#[cfg(target_os = "linux")]
fn possess_user_keyring() -> io::Result<()> {
    kernel::link(kernel::USER_KEYRING, kernel::PROCESS_KEYRING)
}

/// The secret stored under `description`; `None` if there is none or it has expired.
#[cfg(target_os = "linux")]
pub fn find(description: &str) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    possess_user_keyring()?;
    let Some(key) = kernel::search(description)? else { return Ok(None) };
    kernel::unless_gone(kernel::read(key))
}

/// Stores `secret` (at most 64 bytes) under `description`, for `seconds` or, with `None`, until the
/// machine restarts. Replaces a secret with the same description.
#[cfg(target_os = "linux")]
pub(crate) fn keep(description: &str, secret: &[u8], seconds: Option<u32>) -> io::Result<()> {
    if secret.len() > LIMIT {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    possess_user_keyring()?;
    let Some(seconds) = seconds else {
        return kernel::add(description, secret, kernel::USER_KEYRING).map(drop);
    };
    // The process keyring holds the key until its timeout is set. If this process dies before that,
    // the key is gone too, so no key without a timeout remains.
    let key = kernel::add(description, secret, kernel::PROCESS_KEYRING)?;
    kernel::set_timeout(key, seconds)?;
    kernel::link(key, kernel::USER_KEYRING)
}

/// Removes the secret stored under `description`; true if there was one.
#[cfg(target_os = "linux")]
pub fn remove(description: &str) -> io::Result<bool> {
    possess_user_keyring()?;
    match kernel::search(description)? {
        Some(key) => kernel::unlink(key).map(|()| true),
        None => Ok(false),
    }
}

/// Unsupported outside Linux.
#[cfg(not(target_os = "linux"))]
pub(crate) fn find(_description: &str) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Unsupported outside Linux.
#[cfg(not(target_os = "linux"))]
pub(crate) fn keep(_description: &str, _secret: &[u8], _seconds: Option<u32>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Unsupported outside Linux.
#[cfg(not(target_os = "linux"))]
pub(crate) fn remove(_description: &str) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}
