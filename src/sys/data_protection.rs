//! Windows' data protection (DPAPI): what MSAL's caches are encrypted with there.

use std::io;

use zeroize::Zeroizing;

/// `bytes`, encrypted for this user on this machine (`CryptProtectData`).
#[cfg(windows)]
pub(crate) fn protect(bytes: &[u8]) -> io::Result<Vec<u8>> {
    windows::protect(bytes)
}

/// What [`protect`] or another program of this user encrypted (`CryptUnprotectData`).
#[cfg(windows)]
pub(crate) fn unprotect(bytes: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
    windows::unprotect(bytes)
}

/// There is no such service here.
#[cfg(not(windows))]
pub(crate) fn protect(_bytes: &[u8]) -> io::Result<Vec<u8>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// There is no such service here.
#[cfg(not(windows))]
pub(crate) fn unprotect(_bytes: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(windows)]
mod windows {
    use std::{io, ptr, slice};

    use windows_sys::Win32::Foundation::LocalFree;
    use windows_sys::Win32::Security::Cryptography::{
        CRYPT_INTEGER_BLOB, CRYPTPROTECT_UI_FORBIDDEN, CryptProtectData, CryptUnprotectData,
    };
    use zeroize::{Zeroize, Zeroizing};

    pub(super) fn protect(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let (input, mut output) = (blob(bytes)?, empty());
        // SAFETY: `input` points to `bytes`, which the call only reads; the optional pointers are
        // null; `output` is filled in by the call.
        let done = unsafe {
            CryptProtectData(
                &input,
                ptr::null(),
                ptr::null(),
                ptr::null(),
                ptr::null(),
                CRYPTPROTECT_UI_FORBIDDEN,
                &mut output,
            )
        };
        taken(done, output)
    }

    pub(super) fn unprotect(bytes: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
        let (input, mut output) = (blob(bytes)?, empty());
        // SAFETY: as in `protect`; no description is asked for.
        let done = unsafe {
            CryptUnprotectData(
                &input,
                ptr::null_mut(),
                ptr::null(),
                ptr::null(),
                ptr::null(),
                CRYPTPROTECT_UI_FORBIDDEN,
                &mut output,
            )
        };
        taken(done, output).map(Zeroizing::new)
    }

    fn blob(bytes: &[u8]) -> io::Result<CRYPT_INTEGER_BLOB> {
        let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        Ok(CRYPT_INTEGER_BLOB { cbData: length, pbData: bytes.as_ptr().cast_mut() })
    }

    fn empty() -> CRYPT_INTEGER_BLOB {
        CRYPT_INTEGER_BLOB { cbData: 0, pbData: ptr::null_mut() }
    }

    fn taken(done: i32, blob: CRYPT_INTEGER_BLOB) -> io::Result<Vec<u8>> {
        if done == 0 {
            return Err(io::Error::last_os_error());
        }
        if blob.pbData.is_null() {
            return Ok(Vec::new());
        }
        let length = usize::try_from(blob.cbData).unwrap_or(0);
        // SAFETY: after success the system's memory at `pbData` is `cbData` bytes long and this
        // caller's alone.
        let bytes = unsafe { slice::from_raw_parts_mut(blob.pbData, length) };
        let copy = bytes.to_vec();
        bytes.zeroize();
        // SAFETY: the memory is the system's local heap's (the functions' contract) and is not used
        // after this.
        unsafe { LocalFree(blob.pbData.cast()) };
        Ok(copy)
    }
}
