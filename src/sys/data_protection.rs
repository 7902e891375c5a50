//! The Windows data protection API (DPAPI), which encrypts MSAL's caches on Windows.

use std::io;

use zeroize::Zeroizing;

/// Encrypts `bytes` for this user on this machine (`CryptProtectData`).
#[cfg(windows)]
pub(crate) fn protect(bytes: &[u8]) -> io::Result<Vec<u8>> {
    windows::protect(bytes)
}

/// Decrypts `bytes` that [`protect`] or another program of this user encrypted
/// (`CryptUnprotectData`).
#[cfg(windows)]
pub(crate) fn unprotect(bytes: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
    windows::unprotect(bytes)
}

/// Unsupported outside Windows.
#[cfg(not(windows))]
pub(crate) fn protect(_bytes: &[u8]) -> io::Result<Vec<u8>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Unsupported outside Windows.
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
        // SAFETY: `input` points to `bytes`, which the call only reads. The optional pointers are
        // null. The call fills in `output`.
        let done = unsafe {
            CryptProtectData(
                &raw const input,
                ptr::null(),
                ptr::null(),
                ptr::null(),
                ptr::null(),
                CRYPTPROTECT_UI_FORBIDDEN,
                &raw mut output,
            )
        };
        taken(done, output)
    }

    pub(super) fn unprotect(bytes: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
        let (input, mut output) = (blob(bytes)?, empty());
        // SAFETY: as in `protect`; the null description pointer requests no description.
        let done = unsafe {
            CryptUnprotectData(
                &raw const input,
                ptr::null_mut(),
                ptr::null(),
                ptr::null(),
                ptr::null(),
                CRYPTPROTECT_UI_FORBIDDEN,
                &raw mut output,
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
        // SAFETY: after success `pbData` points to `cbData` bytes, which this caller owns alone.
        let bytes = unsafe { slice::from_raw_parts_mut(blob.pbData, length) };
        let copy = bytes.to_vec();
        bytes.zeroize();
        // SAFETY: by the contract of both functions the memory is from the local heap; it is not
        // used after this.
        unsafe { LocalFree(blob.pbData.cast()) };
        Ok(copy)
    }
}
