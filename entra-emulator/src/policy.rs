//! Authorities like those of Azure AD B2C: `/{tenant}/{policy}/…`. A policy is a sign-in page with its
//! own sessions.

use crate::call::Call;
use serde_json::{Map, Value, json};

/// The policy in the path of `call`, in lower case.
pub(crate) fn of(call: &Call) -> Option<String> {
    call.path.split('/').nth(2).filter(|part| is_policy(part)).map(str::to_ascii_lowercase)
}

/// True for the name of a policy: B2C's names begin with `B2C_1`.
pub(crate) fn is_policy(part: &str) -> bool {
    part.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("b2c_1"))
}

/// Gives the claims of an ID token B2C's form: the policy, mail addresses, and no sign-in name.
pub(crate) fn shape(claims: &mut Map<String, Value>, policy: &str, username: &str) {
    claims.remove("preferred_username");
    claims.insert("emails".into(), json!([username]));
    claims.insert("tfp".into(), json!(policy));
}
