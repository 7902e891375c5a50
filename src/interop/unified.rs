//! MSAL's unified cache: an object of five sections, each an object of rows.
//!
//! Rows and keys are as MSAL for Python writes them, which az uses; other MSAL libraries find rows
//! by their members, not by their keys. Timestamps are text: a number makes MSAL.NET discard the
//! cache.

use serde_json::{Map, Value, json};

use super::az_files::text;
use super::dialect;
use crate::vault::{AccessToken, Account, IdToken, Record, RefreshToken};

/// The sections in the order of the schema.
pub(super) const SECTIONS: [&str; 5] =
    ["AccessToken", "RefreshToken", "IdToken", "Account", "AppMetadata"];

/// The members to write into a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Members {
    /// MSAL's members.
    Msals,
    /// Also the vault's own (`account`, `requested`, `resource_manager`), so that an import
    /// restores the record.
    All,
}

/// The section `name` of `cache`, created if it is missing.
pub(super) fn section<'c>(cache: &'c mut Value, name: &str) -> Option<&'c mut Map<String, Value>> {
    let section = cache.as_object_mut()?.entry(name).or_insert_with(|| Value::Object(Map::new()));
    section.as_object_mut()
}

/// The rows of the section `name` of `cache`.
pub(super) fn rows<'c>(cache: &'c Value, name: &str) -> impl Iterator<Item = &'c Value> {
    cache.get(name).and_then(Value::as_object).into_iter().flat_map(Map::values)
}

/// MSAL's name of the login host `environment`: MSAL omits the port.
pub(super) fn host(environment: &str) -> &str {
    match environment.rsplit_once(':') {
        Some((host, port)) if is_port(port) && (host.ends_with(']') || !host.contains(':')) => host,
        _ => environment,
    }
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Puts a row under `key`.
pub(super) fn put(cache: &mut Value, name: &str, key: String, row: Value) {
    if let Some(section) = section(cache, name) {
        section.insert(key, row);
    }
}

/// Converts the record to a row of the section `name`.
pub(super) fn row<R: Record>(record: &R, name: &str, members: Members) -> Value {
    let mut value = serde_json::to_value(record).unwrap_or_default();
    if let Some(row) = value.as_object_mut() {
        if members == Members::Msals {
            row.shift_remove("requested");
            row.shift_remove("signed_in_at");
            row.shift_remove("renews_with_ticket");
            row.shift_remove("resource_manager");
            if name != "Account" {
                row.shift_remove("account");
            }
        }
        // Only azt reads other sections, so the port stays there.
        if SECTIONS.contains(&name)
            && let Some(environment) = row.get_mut("environment")
        {
            let bare = environment.as_str().map(|it| host(it).to_owned());
            *environment = bare.into();
        }
        if name.ends_with("Token") {
            row.insert("credential_type".to_owned(), name.into());
        }
    }
    value
}

/// Writes the row of the client that the refresh token was issued to, with its family.
pub(super) fn put_app_metadata(cache: &mut Value, token: &RefreshToken) {
    let (client_id, environment) = (&token.client_id, host(&token.environment));
    let row = match &token.family_id {
        Some(family) => {
            json!({"client_id": client_id, "environment": environment, "family_id": family})
        }
        None => json!({"client_id": client_id, "environment": environment}),
    };
    put(cache, "AppMetadata", format!("appmetadata-{environment}-{client_id}"), row);
}

/// Replaces the refresh tokens of the same account and client. False, without a change, when one of
/// them is newer: another program has signed in since.
pub(super) fn replace_refresh_token(cache: &mut Value, token: &RefreshToken) -> bool {
    if let Some(section) = section(cache, "RefreshToken") {
        let is_same = |it: &Value| {
            text(it, "home_account_id") == token.home_account_id
                && text(it, "environment").eq_ignore_ascii_case(host(&token.environment))
                && text(it, "client_id") == token.client_id
        };
        let is_later = |it: &Value| {
            dialect::plain(it)
                .and_then(dialect::record::<RefreshToken>)
                .is_some_and(|it| it.last_modification_time > token.last_modification_time)
        };
        if section.values().any(|it| is_same(it) && is_later(it)) {
            return false;
        }
        section.retain(|_, it| !is_same(it));
    }
    let row = row(token, "RefreshToken", Members::Msals);
    put(cache, "RefreshToken", refresh_token_key(token), row);
    put_app_metadata(cache, token);
    true
}

/// `<home>-<host>-accesstoken-<client>-<realm>-<target>`.
pub(super) fn access_token_key(token: &AccessToken) -> String {
    let AccessToken { home_account_id, client_id, realm, target, .. } = token;
    let (home, environment) =
        (home_account_id.as_deref().unwrap_or_default(), host(&token.environment));
    format!("{home}-{environment}-accesstoken-{client_id}-{realm}-{target}").to_lowercase()
}

/// `<home>-<host>-refreshtoken-<client>--<target>`.
pub(super) fn refresh_token_key(token: &RefreshToken) -> String {
    let RefreshToken { home_account_id, client_id, target, .. } = token;
    let environment = host(&token.environment);
    format!("{home_account_id}-{environment}-refreshtoken-{client_id}--{target}").to_lowercase()
}

/// `<home>-<host>-idtoken-<client>-<realm>-`.
pub(super) fn id_token_key(token: &IdToken) -> String {
    let IdToken { home_account_id, client_id, realm, .. } = token;
    let environment = host(&token.environment);
    format!("{home_account_id}-{environment}-idtoken-{client_id}-{realm}-").to_lowercase()
}

/// `<home>-<host>-<realm>`.
pub(super) fn account_key(account: &Account) -> String {
    let Account { home_account_id, realm, .. } = account;
    let environment = host(&account.environment);
    format!("{home_account_id}-{environment}-{realm}").to_lowercase()
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;

    const UID: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    const TENANT: &str = "bbbbbbbb-0000-0000-0000-000000000002";
    const CLIENT: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
    const HOST: &str = "login.microsoftonline.com";
    const TARGET: &str = "https://Graph.example/User.Read https://graph.example/.default";

    fn record<R: Record + DeserializeOwned>(members: &Value) -> R {
        let mut all = json!({
            "home_account_id": format!("{UID}.{TENANT}"), "environment": HOST, "client_id": CLIENT,
            "realm": TENANT, "target": TARGET, "secret": "s", "expires_on": "1",
            "local_account_id": UID, "username": "ann@contoso.example", "authority_type": "MSSTS",
        });
        all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    /// Expected keys from MSAL for Python 1.39 for the same entries.
    #[test]
    fn keys_are_those_of_msal() {
        let lower = TARGET.to_lowercase();
        assert_eq!(
            access_token_key(&record(&json!({}))),
            format!("{UID}.{TENANT}-{HOST}-accesstoken-{CLIENT}-{TENANT}-{lower}")
        );
        assert_eq!(
            refresh_token_key(&record(&json!({"family_id": "1"}))),
            format!("{UID}.{TENANT}-{HOST}-refreshtoken-{CLIENT}--{lower}")
        );
        assert_eq!(
            id_token_key(&record(&json!({}))),
            format!("{UID}.{TENANT}-{HOST}-idtoken-{CLIENT}-{TENANT}-")
        );
        assert_eq!(account_key(&record(&json!({}))), format!("{UID}.{TENANT}-{HOST}-{TENANT}"));
        let application = json!({
            "home_account_id": null, "client_id": "cccccccc-0000-0000-0000-000000000003",
            "target": "https://vault.example/.default",
        });
        assert_eq!(
            access_token_key(&record(&application)),
            format!(
                "-{HOST}-accesstoken-cccccccc-0000-0000-0000-000000000003-{TENANT}-https://vault.example/.default"
            )
        );
        let mut cache = json!({});
        replace_refresh_token(&mut cache, &record(&json!({"family_id": "1"})));
        let app = &cache["AppMetadata"][format!("appmetadata-{HOST}-{CLIENT}")];
        assert_eq!(*app, json!({"client_id": CLIENT, "environment": HOST, "family_id": "1"}));
    }

    #[test]
    fn only_a_port_is_cut_off() {
        for (environment, name) in [
            ("login.example", "login.example"),
            ("login.example:8443", "login.example"),
            ("[::1]:8443", "[::1]"),
            ("[::1]", "[::1]"),
            ("::1", "::1"),
            ("login.example:x@evil.example", "login.example:x@evil.example"),
            ("login.example:1@evil.example", "login.example:1@evil.example"),
            ("login.example:x@evil.example:443", "login.example:x@evil.example:443"),
            ("login.example:", "login.example:"),
        ] {
            assert_eq!(host(environment), name);
        }
    }

    #[test]
    fn times_are_text_and_an_application_has_null_for_a_home() {
        let members =
            json!({"home_account_id": null, "refresh_on": "7", "resource_manager": "arm.example"});
        let token: AccessToken = record(&members);
        let row = row(&token, "AccessToken", Members::Msals);
        for member in ["cached_at", "expires_on", "extended_expires_on", "refresh_on"] {
            assert!(row[member].is_string(), "{member}");
        }
        assert_eq!(
            (&row["home_account_id"], &row["credential_type"]),
            (&Value::Null, &json!("AccessToken"))
        );
        for own in ["account", "requested", "resource_manager"] {
            assert!(row.get(own).is_none(), "{own}");
        }
    }
}
