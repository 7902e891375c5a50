//! Caches of every MSAL can be imported, and an exported vault is imported unchanged.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use azt::internals::broker::can_redeem;
use azt::internals::error::Result;
use azt::internals::interop::{self, Imported, is_same_host};
use azt::internals::program::Program;
use azt::internals::secret::Secret;
use azt::internals::sys::{Env, System};
use azt::internals::vault::{AccessToken, Account, IdToken, KeyChoice, KeySource, Options, Record};
use azt::internals::vault::{RefreshToken, ServicePrincipal, Vault};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

const HOST: &str = "login.microsoftonline.com";
const ANN: &str = "ann@contoso.example";
const HOME: &str = "bbbbbbbb-0000-4000-8000-000000000002";
const AZURE_CLI: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
/// A time in 2026, before the tokens of the cases expire.
const NOW: i64 = 1_790_000_000;

struct Home {
    system: System,
    dir: TempDir,
}

impl Home {
    fn new() -> Self {
        let none: [(&str, &str); 0] = [];
        let system = System { env: Env::fixed(none), ..System::real(Program::Azt) };
        Self { system, dir: tempfile::tempdir().unwrap() }
    }

    fn vault(&self) -> Vault<'_> {
        let key_source = KeyChoice::Source(KeySource::File);
        let options = Options { key_source, ..Options::default() };
        Vault::open_or_create(&self.system, self.dir.path(), options).unwrap()
    }
}

fn environment(name: &str) -> String {
    if is_same_host(HOST, name) { HOST.to_owned() } else { name.to_owned() }
}

#[allow(clippy::unnecessary_wraps, reason = "the signature that `import` expects")]
fn home_of(_client_id: &str, _tenant: &str) -> Result<Option<String>> {
    Ok(Some(HOST.to_owned()))
}

fn import(vault: &Vault<'_>, cache: &Value) -> Imported {
    interop::import(vault, cache, &environment, &can_redeem, &home_of, NOW).unwrap()
}

/// Exports `vault`, with the applications' credential sources.
fn export(vault: &Vault<'_>) -> Value {
    interop::export(vault, None, true).unwrap().0
}

fn case(name: &str) -> Value {
    let path = format!("{}/tests/cases/msal/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_cache_of_any_msal_signs_its_users_in() {
    for name in ["python", "dotnet", "go", "node", "java"] {
        let home = Home::new();
        let vault = home.vault();
        let imported = import(&vault, &case(name));
        assert_eq!(imported.users.len(), 1, "{name}");
        assert_eq!(imported.skipped, 0, "{name}");
        let account = vault.get(&Account::key_of(HOST, ANN)).unwrap().unwrap();
        assert_eq!((account.realm.as_str(), account.environment.as_str()), (HOME, HOST), "{name}");
        let token = vault.get(&RefreshToken::key_of(HOST, ANN, "1")).unwrap().unwrap();
        assert_eq!(token.secret.expose(), format!("rt-{name}"));
        let ids: Vec<IdToken> = vault.all().unwrap();
        assert_eq!(ids[0].secret.expose(), format!("id-{name}"));
        // Unexpired access tokens are imported too.
        let realm = if name == "python" { "organizations" } else { HOME };
        let scope = "https://management.core.windows.net//.default";
        let key = AccessToken::key_of(HOST, AZURE_CLI, realm, ANN, scope);
        assert!(vault.get(&key).unwrap().is_some(), "{name}");
        // An application's own token is skipped: the vault has no such application.
        assert_eq!(imported.access_tokens, if name == "python" { 2 } else { 1 }, "{name}");
    }
}

#[test]
fn unknown_members_survive_import_and_export() {
    for (name, section, member) in [
        ("dotnet", "Account", "wam_account_ids"),
        ("node", "Account", "tenantProfiles"),
        ("go", "RefreshToken", "additional"),
        ("dotnet", "AccessToken", "ext_expires_on"),
    ] {
        let home = Home::new();
        let before = case(name);
        import(&home.vault(), &before);
        let after = export(&home.vault());
        let first = |cache: &Value| {
            cache[section].as_object().unwrap().values().next().unwrap()[member].clone()
        };
        assert!(!first(&after).is_null(), "{name} {member}");
        assert_eq!(first(&before), first(&after), "{name} {member}");
    }
}

#[test]
fn unusable_rows_do_not_block_usable_ones() {
    let home = Home::new();
    let vault = home.vault();
    let imported = import(&vault, &case("damaged-rows"));
    let names: Vec<&str> = imported.users.iter().map(|it| it.username.as_str()).collect();
    assert_eq!(names, [ANN]);
    assert_eq!((imported.access_tokens, imported.skipped), (0, 10));
    let token = vault.get(&RefreshToken::key_of(HOST, ANN, "1")).unwrap().unwrap();
    assert_eq!(token.secret.expose(), "rt-damaged", "the newer of two");
    assert_eq!(imported.users[0].realm, HOME);
}

/// azt cannot use a refresh token of another client.
#[test]
fn a_user_with_only_another_clients_token_is_not_imported() {
    let of_client = |client: &str, family: Option<&str>| {
        let mut cache = case("python");
        for token in cache["RefreshToken"].as_object_mut().unwrap().values_mut() {
            token["client_id"] = json!(client);
            token["family_id"] = json!(family);
        }
        cache
    };
    let other = "dddddddd-0000-4000-8000-000000000004";
    for (cache, is_imported) in [
        (of_client(other, None), false),
        (of_client(other, Some("2")), false),
        (of_client(other, Some("1")), true),
        (of_client(&AZURE_CLI.to_uppercase(), None), true),
    ] {
        let home = Home::new();
        let vault = home.vault();
        let imported = import(&vault, &cache);
        assert_eq!(imported.users.len(), usize::from(is_imported), "{cache}");
        assert_eq!(imported.skipped, usize::from(!is_imported));
        assert_eq!(imported.left_out.len(), usize::from(!is_imported));
        assert_eq!(vault.all::<Account>().unwrap().len(), usize::from(is_imported));
        assert_eq!(vault.all::<RefreshToken>().unwrap().len(), usize::from(is_imported));
    }
    // A stored user stays, whatever the other cache holds.
    let home = Home::new();
    let vault = home.vault();
    import(&vault, &case("python"));
    let mut all = import(&vault, &of_client(other, None));
    assert_eq!((all.users.len(), all.skipped), (1, 1));
    all.add(Imported { left_out: vec![ANN.to_owned(), "bob".to_owned()], ..Imported::default() });
    assert_eq!(all.left_out, ["bob"], "ANN is in the other cache");
}

#[test]
fn a_token_with_an_impossible_expiry_is_skipped() {
    for (expires_on, imported) in [
        ((NOW + 3600).to_string(), 1),
        (NOW.to_string(), 0),
        ((NOW + 8 * 24 * 3600).to_string(), 0),
        (i64::MAX.to_string(), 0),
        (i64::MIN.to_string(), 0),
    ] {
        let home = Home::new();
        let vault = home.vault();
        let mut cache = case("go");
        for token in cache["AccessToken"].as_object_mut().unwrap().values_mut() {
            token["expires_on"] = json!(expires_on);
        }
        assert_eq!(import(&vault, &cache).access_tokens, imported, "{expires_on}");
    }
}

#[test]
fn a_newer_refresh_token_in_the_vault_is_kept() {
    let home = Home::new();
    let vault = home.vault();
    import(&vault, &case("python"));
    let key = RefreshToken::key_of(HOST, ANN, "1");
    let mut token = vault.get(&key).unwrap().unwrap();
    token.secret = Secret::new("rt-rotated");
    token.last_modification_time += 60;
    vault.put(&token).unwrap();
    import(&vault, &case("python"));
    assert_eq!(vault.get(&key).unwrap().unwrap().secret.expose(), "rt-rotated");
}

#[test]
fn a_file_that_is_not_a_cache_is_refused() {
    let home = Home::new();
    let vault = home.vault();
    for cache in [json!({"value": []}), json!("text"), json!(null), json!(7)] {
        assert!(
            interop::import(&vault, &cache, &environment, &can_redeem, &home_of, NOW).is_err(),
            "{cache}"
        );
    }
    let none = import(&vault, &json!({}));
    assert!(none.users.is_empty() && vault.all::<Account>().unwrap().is_empty());
    // az's list of applications is an array.
    let list = json!([{"client_id": "c", "tenant": "t", "client_secret": "s"}, {"client_id": "c"}]);
    let imported = import(&vault, &list);
    assert_eq!((imported.applications.len(), imported.skipped), (1, 1));
    assert_eq!(imported.applications[0].environment, HOST);
    // Without a known login host it is skipped.
    let nowhere = |_: &str, _: &str| Ok(None);
    let other = Home::new();
    let vault = other.vault();
    let imported =
        interop::import(&vault, &list, &environment, &can_redeem, &nowhere, NOW).unwrap();
    assert_eq!((imported.applications.len(), imported.without_cloud.len()), (0, 1));
    assert!(vault.all::<ServicePrincipal>().unwrap().is_empty());
}

/// Paths and commands are reported, not imported.
#[test]
fn no_row_imports_a_path_or_a_command() {
    let home = Home::new();
    let vault = home.vault();
    let command = json!({"kind": "command", "command": "touch /tmp/owned"});
    let row = |members: Value| {
        let mut row = json!({"client_id": "c", "tenant": "t"});
        row.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        row
    };
    let sources = [
        json!({"client_assertion_source": command}),
        json!({"client_assertion_source": {"kind": "file", "path": "/etc/shadow"}}),
        json!({"client_assertion_source": {"kind": "github-actions", "audience": "x"}}),
        json!({"client_assertion_source": {"kind": "azure-pipelines", "service_connection_id": "x"}}),
        json!({"certificate": "/etc/ssl/private/key.pem"}),
        json!({"certificate": "/x", "certificate_password": "p", "client_assertion": "a.b.c"}),
        json!({"client_assertion_source": command, "client_assertion": "a.b.c"}),
        json!({"client_assertion_source": command, "environment": "login.evil.example"}),
    ];
    for members in sources {
        for cache in [
            json!([row(members.clone())]),
            json!({"ServicePrincipal": {"one": row(members.clone())}}),
        ] {
            let imported = import(&vault, &cache);
            assert_eq!(imported.sources.len(), 1, "{members}");
            assert!(imported.applications.is_empty(), "{members}");
            assert!(vault.all::<ServicePrincipal>().unwrap().is_empty(), "{members}");
        }
    }
    // Beside a secret it is not reported; unknown members are not kept for a later version.
    let both = json!({"client_secret": "s", "client_assertion_source": command, "certificate": "/x",
        "client_assertion_command": "id", "other": {"client_assertion_source": command},
        "use_cert_sn_issuer": true});
    import(&vault, &json!([row(both)]));
    let stored = vault.all::<ServicePrincipal>().unwrap();
    let text = serde_json::to_value(&stored[0]).unwrap();
    let expected =
        json!({"client_id": "c", "tenant": "t", "environment": HOST, "client_secret": "s"});
    assert_eq!(text, expected);
    // Another import does not change the stored record.
    import(&vault, &json!([row(json!({"client_secret": "of another user"}))]));
    import(&vault, &json!([row(json!({"client_assertion_source": command}))]));
    assert_eq!(vault.all::<ServicePrincipal>().unwrap(), stored);
}

/// Text with characters that JSON escapes and that cache keys use as separators.
fn word() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9.:-]{1,12}", "\\PC{1,8}", Just("a-b c".to_owned())]
}

fn unknown() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(word(), inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    // No record has a member with this prefix.
    prop::collection::btree_map(word().prop_map(|it| format!("x_{it}")), value, 0..3)
        .prop_map(|members| members.into_iter().collect())
}

fn merged(mut record: Value, unknown: Map<String, Value>) -> Value {
    record.as_object_mut().unwrap().extend(unknown);
    record
}

prop_compose! {
    fn user()(name in "[a-z]{1,8}", home in word(), realm in word(), id in "[a-f0-9]{8}",
                more in unknown(), secret in word(), times in (1..NOW, NOW + 1..NOW + 600_000),
                family in prop::option::of(Just("1")), scopes in "[a-z/.]{1,10}")
                -> (String, Vec<(&'static str, Value)>) {
        let owner = format!("{name}@contoso.example");
        let home = format!("{home}.{realm}");
        let base = json!({
            "home_account_id": home, "environment": HOST, "client_id": AZURE_CLI, "realm": realm,
        });
        let with = |members: Value| {
            let mut all = base.clone();
            all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            merged(all, more.clone())
        };
        (owner.clone(), vec![
            ("ac", with(json!({"local_account_id": id, "username": owner, "authority_type": "MSSTS"}))),
            ("rt", with(json!({"secret": secret, "target": scopes, "family_id": family, "account": owner,
                               "last_modification_time": times.0.to_string()}))),
            ("id", with(json!({"secret": secret, "account": owner}))),
            ("at", with(json!({"secret": secret, "target": scopes, "requested": scopes, "account": owner,
                               "expires_on": times.1.to_string(), "cached_at": times.0.to_string()}))),
            // Different requested scopes with the same granted ones have one key in MSAL.
            ("at", with(json!({"secret": "other", "target": scopes, "requested": format!("{scopes}x"),
                               "account": owner, "expires_on": times.1.to_string()}))),
        ])
    }
}

fn id() -> impl Strategy<Value = String> {
    "[A-Za-z0-9.:/_-]{1,12}"
}

prop_compose! {
    fn application()(client_id in id(), tenant in id(), secret in word(), host in "[a-z]{1,8}(:[1-9][0-9]{0,3})?",
                     certificate in prop::option::of(word())) -> ServicePrincipal {
        let is_certificate = certificate.is_some();
        ServicePrincipal {
            client_id, tenant, environment: host, certificate, use_cert_sn_issuer: is_certificate,
            client_secret: (!is_certificate).then(|| Secret::new(&secret)),
            certificate_password: is_certificate.then(|| Secret::new(&secret)),
            client_assertion: None, client_assertion_source: None, other: Map::new(),
        }
    }
}

fn put<R: Record + DeserializeOwned>(vault: &Vault<'_>, record: &Value) {
    vault.put(&serde_json::from_value::<R>(record.clone()).unwrap()).unwrap();
}

fn all<R: Record>(vault: &Vault<'_>) -> Vec<Value> {
    let records = vault.all::<R>().unwrap();
    let mut values: Vec<Value> =
        records.iter().map(|record| serde_json::to_value(record).unwrap()).collect();
    values.sort_by_key(Value::to_string);
    values
}

fn everything(vault: &Vault<'_>) -> Vec<Vec<Value>> {
    vec![
        all::<AccessToken>(vault),
        all::<RefreshToken>(vault),
        all::<IdToken>(vault),
        all::<Account>(vault),
        all::<ServicePrincipal>(vault),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_exported_vault_is_imported_unchanged(
        users in prop::collection::vec(user(), 0..4),
        applications in prop::collection::vec(application(), 0..3),
    ) {
        let (home, other) = (Home::new(), Home::new());
        let vault = home.vault();
        for application in &applications {
            vault.put(application).unwrap();
        }
        for (kind, record) in users.iter().flat_map(|(_, records)| records) {
            match *kind {
                "ac" => put::<Account>(&vault, record),
                "rt" => put::<RefreshToken>(&vault, record),
                "id" => put::<IdToken>(&vault, record),
                _ => put::<AccessToken>(&vault, record),
            }
        }
        let exported = export(&vault);
        // Through text, as through a file.
        let text = serde_json::to_string(&exported).unwrap();
        let imported = import(&other.vault(), &serde_json::from_str(&text).unwrap());
        prop_assert_eq!(imported.skipped, 0);
        for application in &imported.sources {
            prop_assert!(interop::take_with_source(&other.vault(), application).unwrap().is_some());
        }
        prop_assert_eq!(everything(&other.vault()), everything(&vault));
        prop_assert_eq!(export(&other.vault()), exported);
        let (plain, left_out) = interop::export(&vault, None, false).unwrap();
        let names_a_source = plain.to_string().contains("certificate");
        prop_assert!(!names_a_source, "{}", plain);
        let is_left_out = |it: &ServicePrincipal| left_out.contains(&it.client_id);
        prop_assert!(applications.iter().filter(|it| it.certificate.is_some()).all(is_left_out));
    }
}
