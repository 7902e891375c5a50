//! Random bytes from the operating system.

use ring::rand::{SecureRandom, SystemRandom};

use crate::error::{Error, Kind, Result};

/// Fills `bytes` from the operating system's generator.
pub fn fill_random(bytes: &mut [u8]) -> Result<()> {
    SystemRandom::new()
        .fill(bytes)
        .map_err(|_| Error::new(Kind::Failed, "The operating system gave no random bytes."))
}
