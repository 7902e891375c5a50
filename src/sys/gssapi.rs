//! GSSAPI (RFC 2744), loaded at run time, so that azt starts on machines without Kerberos.

use std::ffi::{CStr, CString, c_void};
use std::ptr::{null, null_mut};

use zeroize::{Zeroize, Zeroizing};

use super::kerberos::{Failure, Token};

/// The libraries to try: MIT Kerberos, then Heimdal.
#[cfg(not(target_os = "macos"))]
pub(super) const NAMES: [&str; 2] = ["libgssapi_krb5.so.2", "libgssapi.so.3"];

/// The system's framework (Heimdal).
#[cfg(target_os = "macos")]
pub(super) const NAMES: [&str; 1] = ["/System/Library/Frameworks/GSS.framework/GSS"];

/// An object identifier, `gss_OID_desc`. macOS packs it on Intel processors.
#[repr(C)]
#[cfg_attr(all(target_os = "macos", target_arch = "x86_64"), repr(packed(2)))]
struct Oid {
    length: u32,
    elements: *const c_void,
}

impl Oid {
    fn of(bytes: &'static [u8]) -> Self {
        // At most nine bytes.
        Self { length: u32::try_from(bytes.len()).unwrap_or(0), elements: bytes.as_ptr().cast() }
    }
}

/// `gss_OID_set_desc`.
#[repr(C)]
struct OidSet {
    count: usize,
    elements: *const Oid,
}

/// `gss_buffer_desc`.
#[repr(C)]
struct Buffer {
    length: usize,
    value: *mut c_void,
}

impl Buffer {
    const EMPTY: Self = Self { length: 0, value: null_mut() };
}

/// The DER bytes of 1.3.6.1.5.5.2 (RFC 4178).
const SPNEGO: &[u8] = b"\x2b\x06\x01\x05\x05\x02";
/// The DER bytes of 1.2.840.113554.1.2.2 (RFC 4121).
const KERBEROS: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
/// The DER bytes of 1.2.840.113554.1.2.1.4, `GSS_C_NT_HOSTBASED_SERVICE`.
const HOSTBASED_SERVICE: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04";

/// `GSS_C_INITIATE`.
const INITIATE: i32 = 1;
/// `GSS_C_MECH_CODE`.
const MECHANISM_CODE: i32 = 2;
/// The part of a major status that tells of an error.
const ERRORS: u32 = 0xffff_0000;
/// `GSS_S_NO_CRED`.
const NO_CREDENTIAL: u32 = 7 << 16;
/// `GSS_S_CREDENTIALS_EXPIRED`.
const CREDENTIAL_EXPIRED: u32 = 11 << 16;

/// Kerberos' error codes are this base plus the number in RFC 4120 section 7.5.9, or a number of the
/// library above 127.
const KERBEROS_ERRORS: i32 = -1_765_328_384;

type Handle = *mut c_void;
type ImportName = unsafe extern "C" fn(*mut u32, *const Buffer, *const Oid, *mut Handle) -> u32;
type InitContext = unsafe extern "C" fn(
    *mut u32,
    Handle,
    *mut Handle,
    Handle,
    *const Oid,
    u32,
    u32,
    *const c_void,
    *const Buffer,
    *mut *const Oid,
    *mut Buffer,
    *mut u32,
    *mut u32,
) -> u32;
type DeleteContext = unsafe extern "C" fn(*mut u32, *mut Handle, *mut Buffer) -> u32;
type Release = unsafe extern "C" fn(*mut u32, *mut Handle) -> u32;
type ReleaseBuffer = unsafe extern "C" fn(*mut u32, *mut Buffer) -> u32;
type AcquireCredential = unsafe extern "C" fn(
    *mut u32,
    Handle,
    u32,
    *const OidSet,
    i32,
    *mut Handle,
    *mut *const OidSet,
    *mut u32,
) -> u32;
type InquireCredential = unsafe extern "C" fn(
    *mut u32,
    Handle,
    *mut Handle,
    *mut u32,
    *mut i32,
    *mut *const OidSet,
) -> u32;
type DisplayName = unsafe extern "C" fn(*mut u32, Handle, *mut Buffer, *mut *const Oid) -> u32;
type DisplayStatus =
    unsafe extern "C" fn(*mut u32, u32, i32, *const Oid, *mut u32, *mut Buffer) -> u32;

/// The functions of the loaded library, which is never unloaded.
struct Library {
    import_name: ImportName,
    release_name: Release,
    init_context: InitContext,
    delete_context: DeleteContext,
    acquire_credential: AcquireCredential,
    inquire_credential: InquireCredential,
    release_credential: Release,
    display_name: DisplayName,
    display_status: DisplayStatus,
    release_buffer: ReleaseBuffer,
}

/// An initial SPNEGO token for the service HTTP at `host`.
pub(super) fn token(host: &str) -> Result<Token, Failure> {
    let library = Library::load()?;
    match library.context_token(host, SPNEGO) {
        Ok(token) => Ok(token),
        // SPNEGO hides why Kerberos failed; Kerberos itself says it.
        Err(hidden) => Err(library.context_token(host, KERBEROS).err().unwrap_or(hidden)),
    }
}

/// The principal of the default ticket cache, and the seconds until its ticket expires.
pub(super) fn ticket() -> Result<(String, Option<u32>), Failure> {
    Library::load()?.ticket()
}

impl Library {
    fn load() -> Result<Self, Failure> {
        // A static program cannot load a library; some C libraries crash when it tries.
        if cfg!(target_feature = "crt-static") {
            return Err(Failure::NoLibrary);
        }
        let opened = NAMES.iter().find_map(|name| {
            let name = CString::new(*name).ok()?;
            // SAFETY: the name ends in NUL. The library is the system's; its constructors only set up
            // its own state.
            let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
            (!handle.is_null()).then_some(handle)
        });
        let handle = opened.ok_or(Failure::NoLibrary)?;
        let find = |name: &CStr| {
            // SAFETY: `handle` is an open library and the name ends in NUL.
            let symbol = unsafe { libc::dlsym(handle, name.as_ptr()) };
            if symbol.is_null() { Err(Failure::NoLibrary) } else { Ok(symbol) }
        };
        // SAFETY: each symbol is the function of RFC 2744 with that name, whose C declaration the
        // type repeats; a function pointer is as large as a data pointer on every system with dlsym.
        unsafe {
            Ok(Self {
                import_name: std::mem::transmute::<Handle, ImportName>(find(c"gss_import_name")?),
                release_name: std::mem::transmute::<Handle, Release>(find(c"gss_release_name")?),
                init_context: std::mem::transmute::<Handle, InitContext>(find(
                    c"gss_init_sec_context",
                )?),
                delete_context: std::mem::transmute::<Handle, DeleteContext>(find(
                    c"gss_delete_sec_context",
                )?),
                acquire_credential: std::mem::transmute::<Handle, AcquireCredential>(find(
                    c"gss_acquire_cred",
                )?),
                inquire_credential: std::mem::transmute::<Handle, InquireCredential>(find(
                    c"gss_inquire_cred",
                )?),
                release_credential: std::mem::transmute::<Handle, Release>(find(
                    c"gss_release_cred",
                )?),
                display_name: std::mem::transmute::<Handle, DisplayName>(find(
                    c"gss_display_name",
                )?),
                display_status: std::mem::transmute::<Handle, DisplayStatus>(find(
                    c"gss_display_status",
                )?),
                release_buffer: std::mem::transmute::<Handle, ReleaseBuffer>(find(
                    c"gss_release_buffer",
                )?),
            })
        }
    }

    /// The first token of a context of `mechanism` with the service HTTP at `host`.
    fn context_token(&self, host: &str, mechanism: &'static [u8]) -> Result<Token, Failure> {
        let mut text = format!("HTTP@{host}");
        let text = Buffer { length: text.len(), value: text.as_mut_ptr().cast() };
        let (mut minor, mut name, mut context) = (0, null_mut(), null_mut());
        let (mechanism, kind) = (Oid::of(mechanism), Oid::of(HOSTBASED_SERVICE));
        let mut token = Buffer::EMPTY;
        // SAFETY: every pointer is null, where RFC 2744 allows that, or leads to a value that
        // outlives the call. `text` is read only. The library owns what it writes to `name`,
        // `context` and `token`; each is released below, once.
        let (major, result) = unsafe {
            let mut major =
                (self.import_name)(&raw mut minor, &raw const text, &raw const kind, &raw mut name);
            if major & ERRORS == 0 {
                major = (self.init_context)(
                    &raw mut minor,
                    null_mut(),
                    &raw mut context,
                    name,
                    &raw const mechanism,
                    0,
                    0,
                    null(),
                    null(),
                    null_mut(),
                    &raw mut token,
                    null_mut(),
                    null_mut(),
                );
            }
            let result = self.taken(&mut token);
            let mut ignored = 0;
            (self.delete_context)(&raw mut ignored, &raw mut context, null_mut());
            (self.release_name)(&raw mut ignored, &raw mut name);
            (major, result)
        };
        if major & ERRORS != 0 || result.is_empty() {
            return Err(self.failure(major, minor, &mechanism));
        }
        Ok(result)
    }

    fn ticket(&self) -> Result<(String, Option<u32>), Failure> {
        let mechanism = Oid::of(KERBEROS);
        let wanted = OidSet { count: 1, elements: &raw const mechanism };
        let (mut minor, mut credential, mut name) = (0, null_mut(), null_mut());
        let (mut lifetime, mut text) = (0, Buffer::EMPTY);
        // SAFETY: as in `context_token`; `credential`, `name` and `text` are released here, once.
        let (major, principal) = unsafe {
            let mut major = (self.acquire_credential)(
                &raw mut minor,
                null_mut(),
                0,
                &raw const wanted,
                INITIATE,
                &raw mut credential,
                null_mut(),
                null_mut(),
            );
            if major & ERRORS == 0 {
                major = (self.inquire_credential)(
                    &raw mut minor,
                    credential,
                    &raw mut name,
                    &raw mut lifetime,
                    null_mut(),
                    null_mut(),
                );
            }
            if major & ERRORS == 0 {
                major = (self.display_name)(&raw mut minor, name, &raw mut text, null_mut());
            }
            let principal = self.taken(&mut text);
            let mut ignored = 0;
            (self.release_name)(&raw mut ignored, &raw mut name);
            (self.release_credential)(&raw mut ignored, &raw mut credential);
            (major, principal)
        };
        if major & ERRORS != 0 {
            return Err(self.failure(major, minor, &mechanism));
        }
        if lifetime == 0 {
            return Err(Failure::Expired);
        }
        Ok((String::from_utf8_lossy(&principal).into_owned(), Some(lifetime)))
    }

    /// Copies the content of `buffer`, wipes it and releases it.
    ///
    /// # Safety
    /// The library has filled in `buffer`, or it is [`Buffer::EMPTY`].
    unsafe fn taken(&self, buffer: &mut Buffer) -> Token {
        let mut copy = Zeroizing::new(Vec::new());
        if !buffer.value.is_null() {
            // SAFETY: `value` leads to `length` bytes, which nobody else uses.
            let bytes =
                unsafe { std::slice::from_raw_parts_mut(buffer.value.cast::<u8>(), buffer.length) };
            copy.extend_from_slice(bytes);
            bytes.zeroize();
        }
        let mut ignored = 0;
        // SAFETY: the library allocated the content; it is not used after this.
        unsafe { (self.release_buffer)(&raw mut ignored, &raw mut *buffer) };
        copy
    }

    /// What the status codes of `mechanism` mean.
    fn failure(&self, major: u32, minor: u32, mechanism: &Oid) -> Failure {
        match minor.cast_signed().checked_sub(KERBEROS_ERRORS) {
            // KDC_ERR_S_PRINCIPAL_UNKNOWN, KDC_ERR_WRONG_REALM
            Some(7 | 68) => Failure::UnknownService,
            // KRB_AP_ERR_TKT_EXPIRED
            Some(32) => Failure::Expired,
            // KRB_AP_ERR_TKT_NYV, KRB_AP_ERR_SKEW
            Some(33 | 37) => Failure::ClockSkew,
            // KRB5_REALM_UNKNOWN, KRB5_KDC_UNREACH
            Some(154 | 156) => Failure::NoKdc,
            // KRB5_CC_NOTFOUND, KRB5_FCC_NOFILE
            Some(141 | 195) => Failure::NoTicket,
            _ if major & ERRORS == CREDENTIAL_EXPIRED => Failure::Expired,
            _ if major & ERRORS == NO_CREDENTIAL => Failure::NoTicket,
            _ => Failure::Other(self.text(major, minor, mechanism)),
        }
    }

    /// The library's text for the status codes.
    fn text(&self, major: u32, minor: u32, mechanism: &Oid) -> String {
        let (mut ignored, mut more, mut text) = (0, 0, Buffer::EMPTY);
        // SAFETY: as in `context_token`; a failure leaves `text` empty.
        let text = unsafe {
            (self.display_status)(
                &raw mut ignored,
                minor,
                MECHANISM_CODE,
                mechanism,
                &raw mut more,
                &raw mut text,
            );
            self.taken(&mut text)
        };
        match String::from_utf8_lossy(&text).as_ref() {
            "" => format!("status {major:#x}, {minor}"),
            text => text.to_owned(),
        }
    }
}
