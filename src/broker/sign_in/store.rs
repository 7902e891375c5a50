//! What a sign-in leaves in the vault.

use super::super::records;
use super::{Credential, Origin, SignIn, UserCredential};
use crate::error::{Error, Kind, Result};
use crate::vault::{Account, Record, Vault};

/// Whom a vault knows when a person signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// That very person.
    This,
    /// Another one of that name.
    SameName,
    /// Other people.
    Others,
    /// No person.
    Nobody,
}

impl SignIn<'_> {
    /// Puts everything into the vault, in place of what was there for this account.
    ///
    /// Older access tokens go: a sign-in that answered a claims challenge must not be followed by
    /// the token that was refused.
    ///
    /// # Errors
    /// The account was the vault's, and is not any more: signed out meanwhile, or in anew.
    pub(crate) fn store(&self, vault: &Vault<'_>) -> Result<()> {
        let _writing = vault.write_lock();
        if self.origin == Origin::Stored && !self.is_as_it_was(vault)? {
            return Err(Error::new(
                Kind::NotSignedIn,
                format!("{} was signed out, or in anew, meanwhile.", self.name()),
            ));
        }
        match &self.credential {
            Credential::User(person) => {
                let UserCredential { account, refresh_token, id_tokens } = person.as_ref();
                let name = account.username.to_lowercase();
                vault.put(&*refresh_token.borrow())?;
                vault.put(account)?;
                records::forget_access_tokens(vault, |token| {
                    token.environment == self.environment && token.account == name
                })?;
                for token in id_tokens.borrow().iter() {
                    vault.put(token)?;
                }
            }
            Credential::Application(entry) => {
                vault.put(entry.as_ref())?;
                records::forget_access_tokens(vault, |token| {
                    token.environment == self.environment
                        && token.account.is_empty()
                        && token.client_id.eq_ignore_ascii_case(&entry.client_id)
                        && token.realm.eq_ignore_ascii_case(&entry.tenant)
                })?;
            }
            Credential::Host => {
                let (owner, client_id) = (self.identity.owner().text(), self.identity.client_id());
                records::forget_access_tokens(vault, |token| {
                    token.environment == self.environment
                        && token.account.eq_ignore_ascii_case(&owner)
                        && token.client_id == client_id
                })?;
            }
        }
        self.access_tokens.borrow().iter().try_for_each(|token| vault.put(token))
    }

    /// Whom `vault` knows beside the person of this sign-in.
    pub(crate) fn known(&self, vault: &Vault<'_>) -> Result<Known> {
        let Credential::User(person) = &self.credential else { return Ok(Known::Nobody) };
        let account = &person.account;
        Ok(match vault.get(&account.key())? {
            // Another directory can give its users any name.
            Some(stored) if stored.home_account_id == account.home_account_id => Known::This,
            Some(_) => Known::SameName,
            None if vault.all::<Account>()?.is_empty() => Known::Nobody,
            None => Known::Others,
        })
    }

    /// Whether the vault still has what this was resumed with.
    fn is_as_it_was(&self, vault: &Vault<'_>) -> Result<bool> {
        match &self.credential {
            Credential::User(person) => {
                Ok(vault.get(&person.account.key())?.as_ref() == Some(&person.account))
            }
            Credential::Application(entry) => {
                Ok(vault.get(&entry.key())?.as_ref() == Some(entry.as_ref()))
            }
            Credential::Host => Ok(true),
        }
    }
}
