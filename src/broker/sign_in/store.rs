//! Stores a finished sign-in in the vault.

use super::super::records;
use super::{Credential, Origin, SignIn, UserCredential};
use crate::error::{Error, Kind, Result};
use crate::vault::{Account, Record, Vault};

/// Which users a vault has when a user signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// This user.
    This,
    /// Another user with the same name.
    SameName,
    /// Other users only.
    Others,
    /// No users.
    Nobody,
}

impl SignIn<'_> {
    /// Stores everything in the vault, replacing earlier records of this account.
    ///
    /// Removes older access tokens, so that a sign-in that answered a claims challenge does not
    /// reuse the refused token.
    ///
    /// # Errors
    /// The account was loaded from the vault and has changed since: signed out, or signed in again.
    pub(crate) fn store(&self, vault: &Vault<'_>) -> Result<()> {
        let _writing = vault.write_lock();
        if self.origin == Origin::Stored && !self.is_as_it_was(vault)? {
            return Err(Error::new(
                Kind::NotSignedIn,
                format!("{} was signed out or signed in again meanwhile.", self.name()),
            ));
        }
        match &self.credential {
            Credential::User(user) => {
                let UserCredential { account, refresh_token, id_tokens } = user.as_ref();
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
            Credential::Broker(credential) => {
                let account = &credential.account;
                let name = account.username.to_lowercase();
                // An earlier sign-in without the broker ends.
                records::forget_tokens_of(vault, &self.environment, &name)?;
                vault.put(account)?;
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

    /// Compares the user of this sign-in with those in `vault`.
    pub(crate) fn known(&self, vault: &Vault<'_>) -> Result<Known> {
        let account = match &self.credential {
            Credential::User(user) => &user.account,
            Credential::Broker(credential) => &credential.account,
            Credential::Application(_) | Credential::Host => return Ok(Known::Nobody),
        };
        Ok(match vault.get(&account.key())? {
            // The name is not enough: another directory can use the same one.
            Some(stored) if stored.home_account_id == account.home_account_id => Known::This,
            Some(_) => Known::SameName,
            None if vault.all::<Account>()?.is_empty() => Known::Nobody,
            None => Known::Others,
        })
    }

    /// Whether the vault still has the record that this sign-in was loaded from.
    fn is_as_it_was(&self, vault: &Vault<'_>) -> Result<bool> {
        match &self.credential {
            Credential::User(user) => {
                Ok(vault.get(&user.account.key())?.as_ref() == Some(&user.account))
            }
            Credential::Broker(credential) => {
                let account = &credential.account;
                Ok(vault.get(&account.key())?.as_ref() == Some(account))
            }
            Credential::Application(entry) => {
                Ok(vault.get(&entry.key())?.as_ref() == Some(entry.as_ref()))
            }
            Credential::Host => Ok(true),
        }
    }
}
