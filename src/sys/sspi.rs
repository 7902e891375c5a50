//! Windows' own Kerberos, by its SSPI. Compiled, but never run against a domain.

use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{
    SEC_E_CONTEXT_EXPIRED, SEC_E_NO_AUTHENTICATING_AUTHORITY, SEC_E_NO_CREDENTIALS,
    SEC_E_TARGET_UNKNOWN, SEC_E_TIME_SKEW, SEC_E_WRONG_PRINCIPAL,
};
use windows_sys::Win32::Security::Authentication::Identity::{
    AcquireCredentialsHandleW, DeleteSecurityContext, FreeContextBuffer, FreeCredentialsHandle,
    GetUserNameExW, ISC_REQ_ALLOCATE_MEMORY, InitializeSecurityContextW, NameUserPrincipal,
    SECBUFFER_TOKEN, SECBUFFER_VERSION, SECPKG_CRED_OUTBOUND, SECURITY_NATIVE_DREP, SecBuffer,
    SecBufferDesc,
};
use windows_sys::Win32::Security::Credentials::SecHandle;
use zeroize::{Zeroize, Zeroizing};

use super::kerberos::{Failure, Token};

/// The library that holds the functions; every Windows has it.
pub(super) const NAMES: [&str; 1] = ["secur32.dll"];

/// Longest user principal name, in UTF-16 units.
const LONGEST_NAME: usize = 1024;

/// What an NTLM message begins with.
const NTLM: &[u8] = b"NTLMSSP\0";

/// An initial SPNEGO token for the service HTTP at `host`.
pub(super) fn token(host: &str) -> Result<Token, Failure> {
    let (package, target) = (wide("Negotiate"), wide(&format!("HTTP/{host}")));
    let (mut credential, mut context) = (SecHandle::default(), SecHandle::default());
    // SAFETY: the texts end in NUL, the other pointers are null where that is allowed, and the call
    // fills in `credential`.
    let status = unsafe {
        AcquireCredentialsHandleW(
            null(),
            package.as_ptr(),
            SECPKG_CRED_OUTBOUND,
            null(),
            null(),
            None,
            null(),
            &mut credential,
            null_mut(),
        )
    };
    if status < 0 {
        return Err(failure(status));
    }
    let mut buffer = SecBuffer { cbBuffer: 0, BufferType: SECBUFFER_TOKEN, pvBuffer: null_mut() };
    let mut buffers =
        SecBufferDesc { ulVersion: SECBUFFER_VERSION, cBuffers: 1, pBuffers: &mut buffer };
    let mut attributes = 0;
    // SAFETY: `credential` is valid, `target` ends in NUL, `buffers` leads to one buffer, which the
    // call allocates because of the flag. Both handles and the buffer are released below, once.
    let (status, token) = unsafe {
        let status = InitializeSecurityContextW(
            &credential,
            null(),
            target.as_ptr(),
            ISC_REQ_ALLOCATE_MEMORY,
            0,
            SECURITY_NATIVE_DREP,
            null(),
            0,
            &mut context,
            &mut buffers,
            &mut attributes,
            null_mut(),
        );
        let mut token = Zeroizing::new(Vec::new());
        if !buffer.pvBuffer.is_null() {
            let length = usize::try_from(buffer.cbBuffer).unwrap_or(0);
            let bytes = std::slice::from_raw_parts_mut(buffer.pvBuffer.cast::<u8>(), length);
            token.extend_from_slice(bytes);
            bytes.zeroize();
            FreeContextBuffer(buffer.pvBuffer);
        }
        if status >= 0 {
            DeleteSecurityContext(&context);
        }
        FreeCredentialsHandle(&credential);
        (status, token)
    };
    if status < 0 {
        return Err(failure(status));
    }
    // Without a ticket Windows answers with NTLM, which no service of Entra accepts.
    if token.is_empty() || token.windows(NTLM.len()).any(|part| part == NTLM) {
        return Err(Failure::NoTicket);
    }
    Ok(token)
}

/// The user principal name of the user of this session. Windows renews the ticket itself.
pub(super) fn ticket() -> Result<(String, Option<u32>), Failure> {
    let mut name = vec![0_u16; LONGEST_NAME];
    let mut length = u32::try_from(name.len()).unwrap_or(0);
    // SAFETY: the call writes at most `length` units to `name`, and their number to `length`.
    let is_done = unsafe { GetUserNameExW(NameUserPrincipal, name.as_mut_ptr(), &mut length) };
    let name = name.get(..usize::try_from(length).unwrap_or(0)).unwrap_or_default();
    // A local account has no such name.
    if !is_done || name.is_empty() {
        return Err(Failure::NoTicket);
    }
    let name = name.split(|unit| *unit == 0).next().unwrap_or_default();
    Ok((String::from_utf16_lossy(name), None))
}

fn failure(status: i32) -> Failure {
    match status {
        SEC_E_NO_CREDENTIALS => Failure::NoTicket,
        SEC_E_CONTEXT_EXPIRED => Failure::Expired,
        SEC_E_TARGET_UNKNOWN | SEC_E_WRONG_PRINCIPAL => Failure::UnknownService,
        SEC_E_TIME_SKEW => Failure::ClockSkew,
        SEC_E_NO_AUTHENTICATING_AUTHORITY => Failure::NoKdc,
        other => Failure::Other(format!("SSPI's status is {other:#x}.")),
    }
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}
