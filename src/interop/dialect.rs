//! Converts rows of MSAL's unified cache from any of its writers (MSAL for Python, .NET, Java, Go,
//! Node and C++, Office, azd, scripts) into vault records. Accepts every row that MSAL for Python
//! accepts.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::az_files::text;
use crate::foreign::{Name, Seconds};
use crate::settings::AssignedIdentity;
use crate::vault::{AccessToken, Account, IdToken, Record, RefreshToken};

const TEXTS: [&str; 15] = [
    "home_account_id",
    "environment",
    "client_id",
    "realm",
    "target",
    "token_type",
    "family_id",
    "local_account_id",
    "username",
    "authority_type",
    "account_source",
    "client_info",
    "account",
    "requested",
    "resource_manager",
];

const TIMES: [&str; 6] = [
    "cached_at",
    "expires_on",
    "extended_expires_on",
    "refresh_on",
    "last_modification_time",
    "signed_in_at",
];

/// Normalizes `row`: text members are strings, times are digits, empty members are absent. `None`
/// when it is not an object.
pub(super) fn plain(row: &Value) -> Option<Value> {
    let mut row = row.as_object()?.clone();
    row.shift_remove("credential_type");
    // Only azt's own sign-in sets it.
    row.shift_remove("renews_with_ticket");
    for name in TEXTS {
        let plain = match row.get(name) {
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(Value::Array(words)) if name == "target" => {
                Some(words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
            }
            None | Some(Value::String(_)) => continue,
            Some(_) => None,
        };
        set(&mut row, name, plain);
    }
    for name in TIMES {
        if let Some(time) = row.get(name) {
            let time = serde_json::from_value::<Seconds>(time.clone()).ok();
            set(&mut row, name, time.map(|Seconds(time)| time.to_string()));
        }
    }
    // Some writers store an empty family for clients without one.
    if row.get("family_id").and_then(Value::as_str).is_some_and(|it| ["", "0"].contains(&it.trim()))
    {
        row.shift_remove("family_id");
    }
    Some(Value::Object(row))
}

fn set(row: &mut Map<String, Value>, name: &str, text: Option<String>) {
    match text {
        Some(text) => drop(row.insert(name.to_owned(), text.into())),
        None => drop(row.shift_remove(name)),
    }
}

/// A record that MSAL's caches store as rows.
pub(super) trait Row: Record + DeserializeOwned {
    /// Members that MSAL for Python does not require.
    const SPARED: &'static [&'static str];
}

impl Row for Account {
    const SPARED: &'static [&'static str] = &["realm", "local_account_id", "authority_type"];
}

impl Row for RefreshToken {
    const SPARED: &'static [&'static str] = &["client_id"];
}

impl Row for IdToken {
    const SPARED: &'static [&'static str] = &["realm", "client_id"];
}

impl Row for AccessToken {
    const SPARED: &'static [&'static str] = &[];
}

/// Parses a [`plain`] row. Missing [`Row::SPARED`] members are empty, but for the realm, which is
/// the home tenant, and the authority type, which is `MSSTS`.
pub(super) fn record<R: Row>(mut row: Value) -> Option<R> {
    let home = text(&row, "home_account_id").split_once('.').map(|(_, home)| home.to_owned());
    let members = row.as_object_mut()?;
    for name in R::SPARED {
        let spared = match *name {
            "realm" => home.as_deref().unwrap_or_default(),
            "authority_type" => "MSSTS",
            _ => "",
        };
        members.entry(*name).or_insert_with(|| spared.into());
    }
    serde_json::from_value(row).ok()
}

/// Parses a [`plain`] row of the section `Account`; `None` unless it describes a user.
pub(super) fn user(row: Value) -> Option<Account> {
    let mut account: Account = record(row)?;
    // These realms mean that no tenant was named at sign-in; the id contains the home tenant.
    let home = account.home_account_id.split_once('.').map(|(_, home)| home);
    if let (Some(home), "organizations" | "common") = (home, account.realm.as_str()) {
        home.clone_into(&mut account.realm);
    }
    let is_complete = !account.username.is_empty() && !account.home_account_id.is_empty();
    // These texts appear in messages, so they must be valid names.
    let are_names =
        [&account.username, &account.environment].into_iter().all(|it| Name::is_clean(it));
    let is_user = !AssignedIdentity::is_reserved(&account.username);
    (is_complete && are_names && is_user).then_some(account)
}

/// Of accounts with the same user name, the one with the newest of `tokens`, and that token. Other
/// accounts with the name have an older sign-in or none.
pub(super) fn newest_sign_in(
    accounts: impl IntoIterator<Item = Account>,
    tokens: &[RefreshToken],
) -> Option<(Account, RefreshToken)> {
    let newest_of = |account: &Account| {
        let theirs =
            |it: &&RefreshToken| it.home_account_id.eq_ignore_ascii_case(&account.home_account_id);
        tokens.iter().filter(theirs).max_by_key(|it| it.last_modification_time)
    };
    let is_at_home = |it: &Account| it.home_account_id.ends_with(&format!(".{}", it.realm));
    accounts
        .into_iter()
        .filter_map(|account| newest_of(&account).cloned().map(|token| (account, token)))
        .max_by_key(|(account, token)| (token.last_modification_time, is_at_home(account)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_of_all_writers_are_read() {
        let base = json!({"home_account_id": "u.t", "environment": "e", "secret": "s"});
        let read = |members: Value| {
            let mut row = base.clone();
            row.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            plain(&row).and_then(record::<RefreshToken>)
        };
        let least = read(json!({})).unwrap();
        assert_eq!((least.client_id.as_str(), least.target.as_str()), ("", ""));
        for (members, family) in [
            (json!({"family_id": "1"}), Some("1")),
            (json!({"family_id": 1}), Some("1")),
            (json!({"family_id": ""}), None),
            (json!({"family_id": " "}), None),
            (json!({"family_id": 0}), None),
            (json!({"family_id": null}), None),
            (json!({"family_id": ["1"]}), None),
            (json!({"target": null, "client_id": null, "account": null}), None),
            (json!({"last_modification_time": null, "credential_type": 7}), None),
        ] {
            let token = read(members.clone()).unwrap();
            assert_eq!(token.family_id.as_deref(), family, "{members}");
            assert!(token.other.is_empty(), "{members}: {:?}", token.other);
        }
        let target = |target: Value| read(json!({"target": target})).unwrap().target;
        assert_eq!([target(json!(["a", "b"])), target(json!("a b"))], ["a b", "a b"]);
        let time = |time: Value| {
            read(json!({"last_modification_time": time})).unwrap().last_modification_time
        };
        assert_eq!([json!("7"), json!(7), json!(7.9), json!(" 7 ")].map(time), [7; 4]);
        assert_eq!([json!(""), json!("x"), json!(null), json!({})].map(time), [0; 4]);
        for none in [json!(null), json!([]), json!("x"), json!({"secret": "s"})] {
            assert!(plain(&none).and_then(record::<RefreshToken>).is_none(), "{none}");
        }
    }

    #[test]
    fn a_user_needs_a_name_and_an_id() {
        let read = |row: Value| plain(&row).and_then(user);
        let row = json!({"home_account_id": "u.t", "environment": "e", "username": "ann@t"});
        for members in [
            json!({}),
            json!({"realm": null, "local_account_id": null, "authority_type": null}),
            json!({"realm": "organizations"}),
            json!({"realm": "common", "authority_type": {}}),
        ] {
            let mut row = row.clone();
            row.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            let found = read(row).unwrap();
            let parsed = (found.realm.as_str(), found.authority_type.as_str());
            assert_eq!(parsed, ("t", "MSSTS"), "{members}");
        }
        for members in
            [json!({"username": ""}), json!({"username": null}), json!({"username": "a\nb"})]
        {
            let mut row = row.clone();
            row.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            assert_eq!(read(row), None, "{members}");
        }
    }
}
