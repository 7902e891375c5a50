//! The `claims` request parameter (OpenID Connect Core section 5.5).

use serde_json::{Value, json};

use crate::error::{Error, Kind, Result};

/// The `claims` of a request: `challenge`, the JSON text of a claims challenge, merged with the
/// capability "CP1". The capability says that this client handles claims challenges, so that Entra
/// issues long-lived tokens that it can revoke.
///
/// # Errors
/// `challenge` is not a JSON object.
pub(super) fn merge_capabilities(
    challenge: Option<&str>,
    announce_cp1: bool,
) -> Result<Option<String>> {
    let mut claims = match challenge {
        Some(text) => serde_json::from_str::<Value>(text)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| Error::new(Kind::Usage, "The claims challenge is not a JSON object."))?,
        None if !announce_cp1 => return Ok(None),
        None => json!({}),
    };
    if announce_cp1 {
        merge(&mut claims, json!({"access_token": {"xms_cc": {"values": ["CP1"]}}}));
    }
    Ok(Some(claims.to_string()))
}

/// Merges `addition` into `target`, object by object.
fn merge(target: &mut Value, addition: Value) {
    match (target, addition) {
        (Value::Object(target), Value::Object(addition)) => {
            for (name, value) in addition {
                merge(target.entry(name).or_insert(Value::Null), value);
            }
        }
        (target, addition) => *target = addition,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_keeps_its_members_and_gains_the_capability() {
        let merged =
            merge_capabilities(Some(r#"{"access_token":{"nbf":{"essential":true}}}"#), true);
        assert_eq!(
            merged.unwrap().unwrap(),
            r#"{"access_token":{"nbf":{"essential":true},"xms_cc":{"values":["CP1"]}}}"#
        );
        assert_eq!(merge_capabilities(None, false).unwrap(), None);
        assert!(merge_capabilities(Some("[1]"), true).is_err());
    }
}
