//! Entries that stay text read as entries that are parsed into a [`Value`].

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::foreign::{Sentence, is_true};
use crate::settings::Profile;

/// The texts of an entry as accessors return them.
fn cleaned(entry: &Map<String, Value>) -> Map<String, Value> {
    let clean = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::String(text) if name == ASSIGNED_IDENTITY => {
                String::from(Sentence::new(text)).into()
            }
            Value::String(text) => String::from(Name::new(text)).into(),
            Value::Number(number) => number.to_string().into(),
            Value::Object(members) => Value::Object(cleaned(members)),
            other => other.clone(),
        };
        (name.clone(), value)
    };
    entry.iter().map(clean).collect()
}

fn check_entry(read: &Subscription, plain: &Value) {
    assert_eq!(&read.value(), plain);
    // The order of members too.
    assert_eq!(read.value().to_string(), plain.to_string());
    let clean = cleaned(plain.as_object().unwrap());
    let text = |name: &str| clean.get(name).and_then(Value::as_str);
    let user = |name: &str| clean.get("user").and_then(|user| user.get(name));
    let user_text = |name: &str| user(name).and_then(Value::as_str);
    assert_eq!(read.id(), text("id").unwrap_or_default());
    assert_eq!(read.name(), text("name").unwrap_or_default());
    assert_eq!(read.state(), text("state").unwrap_or_default());
    assert_eq!(read.tenant_id(), text("tenantId").unwrap_or_default());
    assert_eq!(read.tenant_default_domain(), text("tenantDefaultDomain"));
    assert_eq!(read.tenant_display_name(), text("tenantDisplayName"));
    assert_eq!(read.environment_name(), text("environmentName").unwrap_or_default());
    assert_eq!(read.user_name(), user_text("name").unwrap_or_default());
    let kind = match user_text("type") {
        Some("user") => Some(UserType::User),
        Some("servicePrincipal") => Some(UserType::ServicePrincipal),
        _ => None,
    };
    assert_eq!(read.user_type(), kind);
    let name = user_text("name").unwrap_or_default();
    let identity = AssignedIdentity::of(kind, name, user_text(ASSIGNED_IDENTITY));
    assert_eq!(read.assigned_identity(), identity);
    assert_eq!(read.is_cloud_shell(), user("cloudShellID").is_some_and(is_true));
    assert_eq!(read.use_cert_sn_issuer(), user("useCertSNIssuerAuth").is_some_and(is_true));
    assert_eq!(read.is_default(), plain.get(DEFAULT).is_some_and(is_true));
    for wanted in [read.id().to_lowercase(), read.name().to_lowercase()] {
        assert!(read.is_called(&wanted), "{wanted:?}");
    }
    for is_default in [true, false] {
        let mut changed = read.clone();
        changed.set_default(is_default);
        let mut expected = plain.clone();
        expected[DEFAULT] = is_default.into();
        assert_eq!(changed.value().to_string(), expected.to_string());
        assert_eq!(changed.is_default(), is_default);
        assert_eq!(changed == *read, expected == *plain);
    }
}

/// Reads the profile `text` and checks it against its [`Value`].
fn check(text: &str) {
    let read = Profile::parse(text.to_owned(), Path::new("azureProfile.json"));
    let json = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    let refused = |why: &str| {
        let message = read.as_ref().map_err(|error| error.message().to_owned()).unwrap_err();
        assert_eq!(message, format!("azureProfile.json cannot be read: {why}."), "{text}");
    };
    if json.is_empty() {
        assert_eq!(read.unwrap(), Profile::default());
        return;
    }
    let root = match serde_json::from_str::<Value>(json) {
        Ok(Value::Object(root)) => root,
        Ok(_) => return refused("it is not a JSON object"),
        Err(error) => return refused(&error.to_string()),
    };
    let entries: Vec<&Value> = match root.get("subscriptions") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(entries)) => entries.iter().filter(|entry| !entry.is_null()).collect(),
        Some(_) => return refused("'subscriptions' is not a list"),
    };
    if entries.iter().any(|entry| !entry.is_object()) {
        return refused("a subscription is not an object");
    }
    let read = read.unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(read.all().len(), entries.len(), "{text}");
    for (read, plain) in read.all().iter().zip(entries) {
        check_entry(read, plain);
    }
}

/// JSON text in which anything may be odd.
fn value() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        4 => "[ -~]{0,12}".prop_map(|text| json!(text).to_string()),
        1 => "\\PC{0,6}".prop_map(|text| json!(text).to_string()),
        1 => "[a-z\\x00-\\x1f\u{200b}\u{202e}]{0,8}".prop_map(|text| json!(text).to_string()),
        1 => Just(json!("a".repeat(300)).to_string()),
        1 => "(\\\\u00e9|\\\\ud83d\\\\ude00|\\\\/|\\\\t|x){1,4}".prop_map(|text| format!("\"{text}\"")),
    ];
    let word = prop::sample::select(
        &[
            "true",
            "false",
            "null",
            "0",
            "-0",
            "0.0",
            "1.50",
            "1e2",
            "18446744073709551615",
            "1E-400",
            "123456789012345678901234567890",
            "\"0\"",
            "\"false\"",
            "\"True\"",
            "\"user\"",
            "\"servicePrincipal\"",
            "\"systemAssignedIdentity\"",
            "\"userAssignedIdentity\"",
            "\"MSI\"",
            "\"MSIClient-a  b\"",
            "[]",
            "{}",
        ][..],
    )
    .prop_map(str::to_owned);
    // No parser takes these: of most files all is taken.
    let refused = prop::sample::select(
        &["1e400", "\"\\ud800\"", "\"\\udc00x\"", "NaN", "01", "\"\t\"", "tru", "[1,]"][..],
    )
    .prop_map(str::to_owned);
    let leaf = prop_oneof![200 => text, 100 => word, 1 => refused];
    leaf.prop_recursive(3, 8, 3, |inner| {
        let name = prop::sample::select(&["a", "name", "user", "id", "\\u0069d"][..]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::vec((name, inner), 0..3).prop_map(|members| object(&members)),
        ]
    })
}

fn object<N: AsRef<str>>(members: &[(N, String)]) -> String {
    let members = members.iter().map(|(name, value)| format!("\"{}\" : {value}", name.as_ref()));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn entry() -> impl Strategy<Value = String> {
    let user = prop::sample::select(
        &["name", "type", ASSIGNED_IDENTITY, "cloudShellID", "useCertSNIssuerAuth", "x"][..],
    );
    let user = prop::collection::vec((user, value()), 0..6).prop_map(|members| object(&members));
    let name = prop::sample::select(
        &[
            "id",
            "name",
            "state",
            "tenantId",
            "tenantDefaultDomain",
            "tenantDisplayName",
            "environmentName",
            "isDefault",
            "n\\u0061me",
            "managedByTenants",
            "zz",
        ][..],
    );
    let members = prop::collection::vec((name, value()), 0..9);
    (members, prop_oneof![5 => user, 1 => value()], any::<prop::sample::Index>()).prop_map(
        |(mut members, user, at)| {
            members.insert(at.index(members.len() + 1), ("user", user));
            object(&members)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_profile_is_read_as_a_value_is(
        entries in prop::collection::vec(prop_oneof![30 => entry(), 1 => Just("null".to_owned()), 1 => value()], 0..4),
        others in prop::collection::vec(
            (prop::sample::select(&["installationId", "subscriptions", "x"][..]), value()), 0..3),
        at in any::<prop::sample::Index>(),
        bom in any::<bool>(),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        // A second list only sometimes, else nothing would be read fast.
        let mut members: Vec<_> =
            others.into_iter().filter(|(name, value)| *name != SUBSCRIPTIONS || value.len() > 4).collect();
        members.insert(at.index(members.len() + 1), (SUBSCRIPTIONS, format!("[{}]", entries.join(",\n "))));
        let mut text = format!("{}{}", if bom { "\u{feff}" } else { "" }, object(&members));
        if let Some(cut) = cut {
            let at = cut.index(text.len());
            text.truncate((0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0));
        }
        check(&text);
    }
}

const SUBSCRIPTIONS: &str = "subscriptions";

#[test]
fn an_entry_may_be_nested_as_deeply_as_the_whole_file() {
    for depth in (90..135).chain([1000, 100_000]) {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for text in [
            format!(r#"{{"subscriptions": [{{"id": "s", "x": {nested}}}]}}"#),
            format!(r#"{{"subscriptions": [{{"id": "s", "user": {{"x": {nested}}}}}]}}"#),
            format!(r#"{{"subscriptions": [{{"id": "s", "name": "{nested}"}}]}}"#),
            format!(r#"{{"x": {nested}, "subscriptions": [{{"id": "s"}}]}}"#),
        ] {
            check(&text);
        }
    }
}

#[test]
fn odd_files() {
    for text in [
        "",
        "\u{feff}",
        "\u{feff}\u{feff}{}",
        "{} x",
        "{}{}",
        "[]",
        "null",
        r#"{"subscriptions": null}"#,
        r#"{"subscriptions": [null, {"id": "s"}, null]}"#,
        r#"{"subscriptions": 1, "subscriptions": [{"id": "s"}]}"#,
        r#"{"subscriptions": [{"id": "s"}], "subscriptions": []}"#,
        r#"{"subscriptions": [{"id": "\ud800"}], "subscriptions": [{"id": "s"}]}"#,
        r#"{"subscr\u0069ptions": [{"id": "s"}], "x": 1}"#,
        r#"{"subscriptions": {"id": "s"}}"#,
        r#"{"subscriptions": [1]}"#,
        r#"{"subscriptions": [{"id": "a", "id": 7, "user": {"name": "x"}, "user": 1}]}"#,
        r#"{"subscriptions": [{"id": "s", "isDefault": true, "isDefault": null}]}"#,
        r#"{"subscriptions": [{"id": "s", "zz": 1e999}]}"#,
        r#"{"subscriptions": [{"id": "s", "\ud800": 1}]}"#,
    ] {
        check(text);
    }
}
