//! The vault key, sealed with a passphrase, for machines without a keyring that are reached by SSH.
//!
//! `vault.passphrase` contains the vault key under AES-256-GCM; the key of that is scrypt
//! (RFC 7914) of the passphrase. The passphrase is asked for at a sign-in, by commands that change
//! the key and by `azt vault unlock`. The kernel's keyring then keeps the vault key for
//! `core.key_cache_seconds`, so that no other call asks. Linux only.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::key_file::KeyFile;
use super::source::Source;
use super::{KeyId, VaultKey, kernel, start_afresh, vault_failure};
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::sys::{self, Folder, System};

const FILE: &str = "vault.passphrase";
/// The cost of scrypt: 128 MiB and some tenths of a second, as OWASP's Password Storage Cheat Sheet
/// recommends.
const COST: Cost = Cost { log_n: 17, r: 8, p: 1 };
/// How often a wrong passphrase may be typed.
const TRIES: usize = 3;
/// Characters of a new passphrase, at least.
const SHORTEST: usize = 12;

/// The key source `passphrase`.
pub(super) struct Passphrase<'s> {
    pub(super) system: &'s System,
    pub(super) key_file: KeyFile,
    /// True if a user is present to type it.
    pub(super) may_ask: bool,
    /// How long, in seconds, the kernel keeps the key.
    pub(super) cache_seconds: u32,
}

/// The contents of `vault.passphrase`.
#[derive(Serialize, Deserialize)]
struct SealedKey {
    version: u8,
    key_id: KeyId,
    scrypt: Cost,
    salt: [u8; 16],
    nonce: [u8; 12],
    /// Ciphertext and tag. The associated data is [`SealedKey::associated`].
    sealed: Vec<u8>,
}

/// The parameters of scrypt (RFC 7914 section 2): N as a power of two, r, p.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Cost {
    log_n: u8,
    r: u32,
    p: u32,
}

impl Source for Passphrase<'_> {
    fn fetch(&self, id: KeyId) -> Result<Option<VaultKey>> {
        if let Some(key) = kernel::cached(id) {
            if self.may_ask {
                self.keep(&key)?;
            }
            return Ok(Some(key));
        }
        let Some(sealed) = self.key_file.find(id, read, |sealed| sealed.key_id)? else {
            return Ok(None);
        };
        if sealed.key_id != id {
            return Err(vault_failure(format!(
                "{} contains the key {}, not {id}.",
                self.place(),
                sealed.key_id
            ))
            .remedy("Restore the file from a backup."));
        }
        if !self.may_ask {
            return Err(locked());
        }
        for _ in 0..TRIES {
            let passphrase = self.ask("Passphrase of the vault:")?;
            if let Some(key) = sealed.open(&passphrase)? {
                self.keep(&key)?;
                return Ok(Some(key));
            }
            self.system.terminal.plain("This is not the passphrase.");
        }
        Err(vault_failure("The vault stays locked: that was not its passphrase.")
            .remedy("To try again: azt vault unlock")
            .remedy("Nobody can open it without the passphrase.")
            .last_resort(start_afresh(self.system)))
    }

    fn make(&self) -> Result<VaultKey> {
        self.key_file.check_is_free()?;
        self.make_next()
    }

    fn make_next(&self) -> Result<VaultKey> {
        let passphrase = self.new_passphrase()?;
        let key = VaultKey::generate()?;
        let sealed = serde_json::to_vec(&SealedKey::seal(&key, &passphrase)?)
            .map_err(|_| vault_failure("The sealed key cannot be written as JSON."))?;
        self.keep(&key)?;
        self.key_file.write_next(&sealed)?;
        Ok(key)
    }

    fn key_file(&self) -> Option<&KeyFile> {
        Some(&self.key_file)
    }

    fn remove(&self, _id: KeyId) -> Result<()> {
        self.key_file.remove()
    }

    fn place(&self) -> String {
        self.key_file.place()
    }
}

impl<'s> Passphrase<'s> {
    pub(super) fn of(
        system: &'s System,
        azt_dir: &Folder,
        may_ask: bool,
        cache_seconds: u32,
    ) -> Self {
        let id_in = |folder: &Folder, name: &str| Ok(read(folder, name)?.map(|it| it.key_id));
        Self { system, key_file: KeyFile::new(azt_dir, FILE, id_in), may_ask, cache_seconds }
    }

    fn ask(&self, question: &str) -> Result<Secret> {
        self.system.terminal.read_password(&format!("{question} "))
    }

    fn new_passphrase(&self) -> Result<Secret> {
        if !self.may_ask {
            return Err(vault_failure("A passphrase is typed on a terminal, and this is none.")
                .remedy("Run the command in a terminal, or choose another key source."));
        }
        loop {
            let passphrase = self.ask("New passphrase of the vault:")?;
            if passphrase.expose().chars().count() < SHORTEST {
                let demand = format!("A passphrase has {SHORTEST} characters at least.");
                self.system.terminal.plain(&demand);
            } else if self.ask("The same again:")?.expose() == passphrase.expose() {
                return Ok(passphrase);
            } else {
                self.system.terminal.plain("The two differ.");
            }
        }
    }

    /// Keeps `key` in the kernel.
    ///
    /// # Errors
    /// The kernel does not keep it, so that every call would ask.
    fn keep(&self, key: &VaultKey) -> Result<()> {
        if self.cache_seconds == 0 {
            return Err(vault_failure(
                "core.key_cache_seconds is 0: every call would ask for the passphrase.",
            )
            .cured_by("azt config unset core.key_cache_seconds"));
        }
        kernel::cache(key, self.cache_seconds);
        if kernel::cached(key.id()).is_some() {
            return Ok(());
        }
        Err(vault_failure("A passphrase needs the kernel's keyring, which is not available here.")
            .remedy("Choose another key source: env, file or keyring."))
    }
}

impl SealedKey {
    fn seal(key: &VaultKey, passphrase: &Secret) -> Result<Self> {
        let (mut salt, mut nonce) = ([0; 16], [0; 12]);
        sys::fill_random(&mut salt)?;
        sys::fill_random(&mut nonce)?;
        let mut new =
            Self { version: 1, key_id: key.id(), scrypt: COST, salt, nonce, sealed: Vec::new() };
        let mut body = Zeroizing::new(key.expose().to_vec());
        new.cipher(passphrase)
            .and_then(|cipher| {
                let nonce = Nonce::assume_unique_for_key(nonce);
                cipher.seal_in_place_append_tag(nonce, new.associated(), &mut *body).ok()
            })
            .ok_or_else(|| vault_failure("The vault key cannot be sealed."))?;
        new.sealed.clone_from(&body);
        Ok(new)
    }

    /// The key; `None` if `passphrase` is wrong.
    fn open(&self, passphrase: &Secret) -> Result<Option<VaultKey>> {
        let damaged =
            || vault_failure(format!("{FILE} is damaged.")).remedy("Restore it from a backup.");
        let cipher = self.cipher(passphrase).ok_or_else(damaged)?;
        let mut body = Zeroizing::new(self.sealed.clone());
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let opened = cipher.open_in_place(nonce, self.associated(), &mut body).ok();
        Ok(opened.and_then(|bytes| VaultKey::from_bytes(bytes)))
    }

    fn cipher(&self, passphrase: &Secret) -> Option<LessSafeKey> {
        let params = scrypt::Params::new(COST.log_n, COST.r, COST.p).ok()?;
        let mut key = Zeroizing::new([0; 32]);
        scrypt::scrypt(passphrase.expose().as_bytes(), &self.salt, &params, key.as_mut_slice())
            .ok()?;
        UnboundKey::new(&AES_256_GCM, key.as_slice()).ok().map(LessSafeKey::new)
    }

    fn associated(&self) -> Aad<Vec<u8>> {
        Aad::from([b"azt vault 1: passphrase".as_slice(), self.key_id.as_bytes()].concat())
    }
}

fn read(folder: &Folder, name: &str) -> Result<Option<SealedKey>> {
    let Some(bytes) = folder.read(name)? else { return Ok(None) };
    // Another cost is none that azt writes: a changed file must not take all memory.
    serde_json::from_slice(&bytes)
        .ok()
        .filter(|sealed: &SealedKey| sealed.version == 1 && sealed.scrypt == COST)
        .map(Some)
        .ok_or_else(|| {
            vault_failure(format!("{} is damaged.", folder.file(name).display()))
                .remedy("Restore it from a backup.")
        })
}

fn locked() -> Error {
    vault_failure("The vault is locked: its key is sealed with a passphrase.")
        .remedy("In a terminal, run: azt vault unlock")
        .command("azt vault unlock")
}
