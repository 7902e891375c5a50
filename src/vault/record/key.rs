//! Logical keys of records.

use std::marker::PhantomData;

use super::{
    AccessToken, Account, ClientAccount, HostAccount, IdToken, Record, RefreshToken,
    ServicePrincipal, Unsealed,
};
use super::{client_account, service_principal};

/// The logical key of a record of type `R`.
///
/// Its parts are lower-case, because Entra compares them case-insensitively. A length precedes each
/// part, so that different parts never make the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordKey<R> {
    text: String,
    record: PhantomData<fn() -> R>,
}

impl<R> RecordKey<R> {
    fn of(parts: &[&str]) -> Self {
        let mut text = String::new();
        for part in parts {
            let part = part.to_lowercase();
            text.push_str(&part.len().to_string());
            text.push(':');
            text.push_str(&part);
        }
        Self { text, record: PhantomData }
    }

    /// The key as text.
    pub(in crate::vault) fn as_str(&self) -> &str {
        &self.text
    }
}

impl AccessToken {
    /// The key of the token for `account` (the user name, or empty for the application itself) and
    /// the scopes in `requested`, separated by spaces, in any order.
    pub fn key_of(
        environment: &str,
        client_id: &str,
        realm: &str,
        account: &str,
        requested: &str,
    ) -> RecordKey<Self> {
        let requested = requested.to_lowercase();
        let mut scopes: Vec<&str> = requested.split_whitespace().collect();
        scopes.sort_unstable();
        scopes.dedup();
        RecordKey::of(&[environment, client_id, realm, account, &scopes.join(" ")])
    }
}

impl RefreshToken {
    /// The key of the token of `account` for the client family `holder`, or for the client `holder`
    /// if it has no family.
    pub fn key_of(environment: &str, account: &str, holder: &str) -> RecordKey<Self> {
        RecordKey::of(&[environment, account, holder])
    }
}

impl IdToken {
    /// The key of the token of `account` for this client and tenant.
    pub(crate) fn key_of(
        environment: &str,
        account: &str,
        client_id: &str,
        realm: &str,
    ) -> RecordKey<Self> {
        RecordKey::of(&[environment, account, client_id, realm])
    }
}

impl Account {
    /// The key of the account with this user name.
    pub fn key_of(environment: &str, username: &str) -> RecordKey<Self> {
        RecordKey::of(&[environment, username])
    }
}

impl ClientAccount {
    /// The key of the user with this id at this client. Names are no keys: users of B2C may have the
    /// same one.
    pub(crate) fn key_of(
        environment: &str,
        client_id: &str,
        home_account_id: &str,
    ) -> RecordKey<Self> {
        RecordKey::of(&[environment, client_id, home_account_id])
    }
}

impl ServicePrincipal {
    /// The key of this application in this tenant, with a credential for `environment`.
    pub(crate) fn key_of(environment: &str, client_id: &str, tenant: &str) -> RecordKey<Self> {
        RecordKey::of(&[environment, client_id, tenant])
    }

    /// The key that azt 0.1 used, which has no environment.
    pub fn former_key_of(client_id: &str, tenant: &str) -> RecordKey<Self> {
        RecordKey::of(&[client_id, tenant])
    }
}

impl HostAccount {
    /// The key of what this host accepted from accounts of this cloud.
    pub(crate) fn key_of(environment: &str, host: &str) -> RecordKey<Self> {
        RecordKey::of(&[environment, host])
    }
}

impl Record for HostAccount {
    fn key(&self) -> RecordKey<Self> {
        Self::key_of(&self.environment, &self.host)
    }

    fn unseal(plain: &Unsealed<'_>) -> serde_json::Result<Self> {
        serde_json::from_slice(plain.0)
    }
}

impl Record for AccessToken {
    fn key(&self) -> RecordKey<Self> {
        Self::key_of(
            &self.environment,
            &self.client_id,
            &self.realm,
            &self.account,
            &self.requested,
        )
    }

    fn unseal(plain: &Unsealed<'_>) -> serde_json::Result<Self> {
        serde_json::from_slice(plain.0)
    }
}

impl Record for RefreshToken {
    fn key(&self) -> RecordKey<Self> {
        let holder = self.family_id.as_ref().unwrap_or(&self.client_id);
        Self::key_of(&self.environment, &self.account, holder)
    }

    fn unseal(plain: &Unsealed<'_>) -> serde_json::Result<Self> {
        serde_json::from_slice(plain.0)
    }
}

impl Record for IdToken {
    fn key(&self) -> RecordKey<Self> {
        Self::key_of(&self.environment, &self.account, &self.client_id, &self.realm)
    }

    fn unseal(plain: &Unsealed<'_>) -> serde_json::Result<Self> {
        serde_json::from_slice(plain.0)
    }
}

impl Record for Account {
    fn key(&self) -> RecordKey<Self> {
        Self::key_of(&self.environment, &self.username)
    }

    fn unseal(plain: &Unsealed<'_>) -> serde_json::Result<Self> {
        serde_json::from_slice(plain.0)
    }
}

impl Record for ClientAccount {
    fn key(&self) -> RecordKey<Self> {
        Self::key_of(&self.environment, &self.client_id, &self.home_account_id)
    }

    fn unseal(plain: &Unsealed<'_>) -> serde_json::Result<Self> {
        client_account::read(plain.0)
    }
}

impl Record for ServicePrincipal {
    fn key(&self) -> RecordKey<Self> {
        if self.environment.is_empty() {
            return Self::former_key_of(&self.client_id, &self.tenant);
        }
        Self::key_of(&self.environment, &self.client_id, &self.tenant)
    }

    fn unseal(plain: &Unsealed<'_>) -> serde_json::Result<Self> {
        service_principal::read(plain.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_order_of_scopes_make_no_difference() {
        let first =
            AccessToken::key_of("Login.Example", "C", "T", "Ann@Example", "b/.default  A/x");
        let second =
            AccessToken::key_of("login.example", "c", "t", "ann@example", "a/x b/.default");
        assert_eq!(first, second);
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(Account::key_of("ab", "c"), Account::key_of("a", "bc"));
        assert_ne!(Account::key_of("a1:b", ""), Account::key_of("a", "b"));
        assert_ne!(Account::key_of("a:b", ""), Account::key_of("a", "b:"));
    }

    #[test]
    fn a_family_shares_its_refresh_token() {
        let token = |client_id: &str, family: Option<&str>| {
            let text = serde_json::json!({ "home_account_id": "u.t", "environment": "e",
                "client_id": client_id, "secret": "s", "family_id": family, "account": "ann" });
            serde_json::from_value::<RefreshToken>(text).unwrap().key()
        };
        assert_eq!(token("one", Some("1")), token("two", Some("1")));
        assert_eq!(token("one", Some("1")), RefreshToken::key_of("e", "ann", "1"));
        assert_ne!(token("one", None), token("two", None));
    }
}
