//! Random bytes from the operating system.

use ring::rand::{SecureRandom, SystemRandom};

use crate::error::{Error, Kind, Result};

/// Fills `bytes` from the operating system's generator.
pub fn fill_random(bytes: &mut [u8]) -> Result<()> {
    SystemRandom::new()
        .fill(bytes)
        .map_err(|_| Error::new(Kind::Failed, "The operating system gave no random bytes."))
}

/// A random UUID (RFC 9562, version 4), to find a request in the service's logs.
pub(crate) fn random_uuid() -> Result<String> {
    let mut bytes = [0; 16];
    fill_random(&mut bytes)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}
