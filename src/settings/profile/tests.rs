use std::fs;
use std::thread;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::settings::tests::dir_with;
use crate::settings::{AssignedIdentity, Config, NewSubscription, TenantNames, User, UserType};

const CLOUD: &str = "AzureCloud";

fn entry(id: &str, name: &str, user: &str) -> Subscription {
    Subscription::from(NewSubscription {
        id: id.into(),
        name: name.into(),
        state: "Enabled".into(),
        user: User::Named { name: user.into() },
        tenant_id: "t".into(),
        environment_name: CLOUD.into(),
        home_tenant_id: "t".into(),
        tenant_names: None,
        managed_by_tenants: json!([]),
    })
}

/// `entry` with other members set.
fn with(entry: &Subscription, members: &[(&str, &str)]) -> Subscription {
    let mut value = entry.value();
    for (name, text) in members {
        value[name] = json!(text);
    }
    Subscription::from_value(value).unwrap()
}

fn profile(entries: Vec<Subscription>) -> Profile {
    Profile { subscriptions: entries, ..Profile::default() }
}

fn ids(profile: &Profile) -> Vec<&str> {
    profile.all().iter().map(Subscription::id).collect()
}

fn defaults(profile: &Profile) -> Vec<&str> {
    profile.all().iter().filter(|entry| entry.is_default()).map(Subscription::id).collect()
}

fn with_file(text: &str) -> (TempDir, ConfigDir) {
    dir_with(FILE, text)
}

fn written(dir: &ConfigDir) -> String {
    fs::read_to_string(dir.file(FILE)).unwrap()
}

#[test]
fn entries_are_written_as_az_writes_them() {
    let (_root, dir) = dir_with("unrelated", "");
    let person = Subscription::from(NewSubscription {
        tenant_names: Some(TenantNames {
            default_domain: Some("contoso.com".into()),
            display_name: None,
        }),
        managed_by_tenants: json!([{"tenantId": "m"}]),
        ..NewSubscription {
            id: "s1".into(),
            name: "Straße".into(),
            state: "Enabled".into(),
            user: User::Named { name: "jo@contoso.com".into() },
            tenant_id: "t1".into(),
            environment_name: CLOUD.into(),
            home_tenant_id: "t0".into(),
            tenant_names: None,
            managed_by_tenants: Value::Null,
        }
    });
    let app = User::ServicePrincipal { client_id: "app".into(), use_cert_sn_issuer: true };
    let new = vec![person, Subscription::tenant_level("t2", &app, CLOUD)];
    let id = Profile::update(&dir, |profile| Ok(profile.merge_login(new, None))).unwrap();
    assert_eq!(id.as_deref(), Some("s1"));
    assert_eq!(
        written(&dir),
        "\u{feff}{\"subscriptions\": [{\"id\": \"s1\", \"name\": \"Stra\\u00dfe\", \"state\": \"Enabled\", \
         \"user\": {\"name\": \"jo@contoso.com\", \"type\": \"user\"}, \"isDefault\": true, \
         \"tenantId\": \"t1\", \"environmentName\": \"AzureCloud\", \"homeTenantId\": \"t0\", \
         \"tenantDefaultDomain\": \"contoso.com\", \"tenantDisplayName\": null, \
         \"managedByTenants\": [{\"tenantId\": \"m\"}]}, \
         {\"id\": \"t2\", \"name\": \"N/A(tenant level account)\", \"state\": \"Enabled\", \
         \"user\": {\"name\": \"app\", \"type\": \"servicePrincipal\", \"useCertSNIssuerAuth\": true}, \
         \"isDefault\": false, \"tenantId\": \"t2\", \"environmentName\": \"AzureCloud\"}]}"
    );
    let loaded = Profile::load(&dir).unwrap();
    let app = &loaded.all()[1];
    assert!(app.is_tenant_level() && app.use_cert_sn_issuer());
    assert_eq!(app.user_type(), Some(UserType::ServicePrincipal));
    assert_eq!(app.value().get("homeTenantId"), None);
}

#[test]
fn identities_survive_the_file() {
    let identities = [
        (AssignedIdentity::System, "MSI", "systemAssignedIdentity"),
        (AssignedIdentity::Client("a-b".into()), "MSIClient-a-b", "userAssignedIdentity"),
        (AssignedIdentity::Object("o".into()), "MSIObject-o", "userAssignedIdentity"),
        (AssignedIdentity::Resource("/s/r".into()), "MSIResource-/s/r", "userAssignedIdentity"),
    ];
    for (identity, info, name) in identities {
        let user = User::ManagedIdentity(identity.clone());
        let entry = Subscription::tenant_level("t", &user, CLOUD);
        assert_eq!(
            entry.value()["user"],
            json!({"name": name, "type": "servicePrincipal", "assignedIdentityInfo": info})
        );
        assert_eq!(entry.assigned_identity(), Some(identity));
    }
    let shell = Subscription::tenant_level("t", &User::CloudShell { name: "jo".into() }, CLOUD);
    assert!(shell.is_cloud_shell());
    assert_eq!((shell.user_type(), shell.assigned_identity()), (Some(UserType::User), None));
}

#[test]
fn unknown_members_are_kept_at_every_level() {
    let text = r#"{"zz": {"deep": [1, {"x": null}]}, "subscriptions": [{"odd": 1, "id": "s", "name": "S", "environmentName": "AzureCloud", "user": {"name": "jo", "extra": true}, "tenantId": "t"}], "installationId": "i"}"#;
    let (_root, dir) = with_file(text);
    Profile::update(&dir, |profile| profile.set_default(CLOUD, "S")).unwrap();
    let expected = text.replace(r#""tenantId": "t"}"#, r#""tenantId": "t", "isDefault": true}"#);
    assert_eq!(written(&dir), format!("\u{feff}{expected}"));
}

#[test]
fn a_byte_order_mark_is_optional_and_an_empty_file_is_an_empty_profile() {
    for text in ["", "\u{feff}", " \n", "\u{feff}{}", "{}", r#"{"subscriptions": null}"#] {
        let (_root, dir) = with_file(text);
        assert!(Profile::load(&dir).unwrap().all().is_empty(), "{text:?}");
    }
    let (_root, dir) = dir_with("unrelated", "");
    assert!(Profile::load(&dir).unwrap().all().is_empty());
}

#[test]
fn an_unchanged_profile_is_not_written() {
    let text = "{ \"subscriptions\" : [] }";
    let (_root, dir) = with_file(text);
    assert!(!Profile::update(&dir, |profile| Ok(profile.remove_user("jo"))).unwrap());
    assert_eq!(written(&dir), text);
    let failed = Profile::update(&dir, |profile| {
        profile.merge_login(vec![entry("s", "S", "jo")], None);
        Err::<(), _>(Error::failed("no"))
    });
    assert!(failed.is_err());
    assert_eq!(written(&dir), text);
}

#[test]
fn the_error_names_a_damaged_profile_and_does_not_change_it() {
    for text in ["{", "[]", "\0\0\0", r#"{"subscriptions": 1}"#, r#"{"subscriptions": [1]}"#] {
        let (_root, dir) = with_file(text);
        let loading = Profile::load(&dir).unwrap_err();
        let changing = Profile::update(&dir, |profile| {
            profile.clear();
            Ok(())
        })
        .unwrap_err();
        for error in [loading, changing] {
            assert!(error.message().contains(FILE), "{error}");
            let cure = if text.starts_with('\0') { "move it away" } else { "which puts it aside" };
            assert!(error.remedy_lines()[0].contains(cure), "{error}");
        }
        assert_eq!(written(&dir), text);
    }
}

#[test]
fn lookups_see_one_cloud_and_ignore_case() {
    let china = with(&entry("S3", "Sub One", "jo"), &[("environmentName", "AzureChinaCloud")]);
    let mut profile = profile(vec![
        entry("S1", "Sub One", "jo"),
        entry("S2", "Twin", "jo"),
        china,
        entry("S4", "TWIN", "jo"),
    ]);
    let find = |profile: &Profile, cloud: &str, wanted| {
        profile.find(Program::Az, cloud, wanted).map(|entry| entry.id().to_owned())
    };
    assert_eq!(find(&profile, CLOUD, Some("sub ONE")).unwrap(), "S1");
    assert_eq!(find(&profile, "AzureChinaCloud", Some("sub one")).unwrap(), "S3");
    assert_eq!(find(&profile, CLOUD, Some("s2")).unwrap(), "S2");

    let text = |cloud, wanted| find(&profile, cloud, wanted).unwrap_err().message().to_owned();
    let unknown = "Subscription 'Sub' not found. Check the spelling and casing and try again.";
    assert_eq!(text(CLOUD, Some("Sub")), unknown);
    assert_eq!(
        text(CLOUD, Some("Twin")),
        "Multiple subscriptions with the name 'Twin' found. Specify the subscription ID."
    );
    let none = "No subscription found. Run 'az account set' to select a subscription.";
    assert_eq!(text(CLOUD, None), none);
    assert_eq!(text(CLOUD, Some("")), none);

    profile.set_default(CLOUD, "s1").unwrap();
    assert_eq!(find(&profile, CLOUD, None).unwrap(), "S1");
    assert_eq!(find(&profile, "AzureChinaCloud", None).unwrap_err().kind(), Kind::Failed);
}

#[test]
fn the_not_signed_in_message_names_the_program() {
    for (program, text) in [
        (Program::Az, "Please run 'az login' to setup account."),
        (Program::Azt, "Please run 'azt login' to setup account."),
    ] {
        let other = with(&entry("S", "S", "jo"), &[("environmentName", "Other")]);
        let error = profile(vec![other]).find(program, CLOUD, Some("S")).unwrap_err();
        assert_eq!((error.kind(), error.message()), (Kind::NotSignedIn, text));
    }
}

#[test]
fn one_default_in_all_clouds() {
    let china = with(&entry("S3", "Three", "jo"), &[("environmentName", "AzureChinaCloud")]);
    let mut profile = profile(vec![entry("S1", "One", "jo"), entry("S2", "one", "jo"), china]);
    assert_eq!(profile.set_default("AzureChinaCloud", "THREE").unwrap(), "S3");
    assert_eq!(profile.set_default(CLOUD, "S2").unwrap(), "S2");
    assert_eq!(defaults(&profile), ["S2"]);
    let text = |profile: &mut Profile, wanted| {
        profile.set_default(CLOUD, wanted).unwrap_err().message().to_owned()
    };
    assert_eq!(
        text(&mut profile, "Three"),
        "The subscription of 'three' doesn't exist in cloud 'AzureCloud'."
    );
    assert_eq!(
        text(&mut profile, "One"),
        "The subscription of 'one' has more than one match in cloud 'AzureCloud'."
    );
    assert_eq!(defaults(&profile), ["S2"], "a failure changes nothing");
}

#[test]
fn a_disabled_subscription_can_be_set_and_found() {
    let mut profile = profile(vec![with(&entry("S1", "One", "jo"), &[("state", "Disabled")])]);
    profile.set_default(CLOUD, "One").unwrap();
    assert_eq!(profile.find(Program::Azt, CLOUD, None).unwrap().state(), "Disabled");
}

#[test]
fn a_sign_in_replaces_by_id_in_place_and_appends_the_rest() {
    let china = with(&entry("B", "Old B", "jo"), &[("environmentName", "AzureChinaCloud")]);
    let mut profile = profile(vec![entry("A", "A", "jo"), china, entry("C", "C", "jo")]);
    profile.merge_login(vec![entry("D", "D", "ann"), entry("B", "New B", "ann")], None);
    assert_eq!(ids(&profile), ["A", "B", "C", "D"]);
    let replaced = &profile.all()[1];
    assert_eq!((replaced.name(), replaced.user_name()), ("New B", "ann"));
    assert_eq!(replaced.environment_name(), CLOUD);
}

#[test]
fn the_default_after_a_sign_in() {
    let off = |id: &str| with(&entry(id, id, "jo"), &[("state", "Disabled")]);
    let on = |id: &str| entry(id, id, "jo");
    let merge = |old_default: &str, new: Vec<Subscription>, preferred| {
        let mut profile = profile(vec![on("A"), on("B")]);
        profile.set_default(CLOUD, old_default).unwrap();
        let id = profile.merge_login(new, preferred).unwrap();
        assert_eq!(defaults(&profile), [id.as_str()]);
        id
    };
    assert_eq!(merge("A", vec![on("A"), on("B"), on("C")], Some("c")), "C");
    assert_eq!(merge("B", vec![on("A"), on("B")], Some("nope")), "B");
    assert_eq!(merge("B", vec![off("A"), off("B")], None), "B");
    assert_eq!(merge("A", vec![off("B"), on("C"), on("D")], None), "C", "A is not among the new");
    assert_eq!(merge("A", vec![off("C"), off("D")], None), "C");
    let mut untouched = profile(vec![on("A")]);
    assert_eq!(untouched.merge_login(Vec::new(), None), None);
    assert_eq!(ids(&untouched), ["A"]);
}

#[test]
fn a_sign_out_takes_all_clouds_and_leaves_no_default() {
    let china = with(&entry("B", "B", "JO@x"), &[("environmentName", "AzureChinaCloud")]);
    let mut profile = profile(vec![entry("A", "A", "jo@x"), china, entry("C", "C", "ann@x")]);
    profile.set_default(CLOUD, "A").unwrap();
    assert!(profile.remove_user("Jo@X"));
    assert_eq!(ids(&profile), ["C"]);
    assert_eq!(
        profile.find(Program::Azt, CLOUD, None).unwrap_err().message(),
        "No subscription found. Run 'azt account set' to select a subscription."
    );
    assert!(!profile.remove_user("nobody"));
}

#[test]
fn clearing_keeps_the_rest_of_the_file() {
    let (_root, dir) = with_file(r#"{"installationId": "i", "subscriptions": [{"id": "s"}]}"#);
    Profile::update(&dir, |profile| {
        profile.clear();
        Ok(())
    })
    .unwrap();
    assert_eq!(written(&dir), "\u{feff}{\"installationId\": \"i\", \"subscriptions\": []}");
}

#[test]
fn a_list_holds_the_enabled_entries_of_one_cloud() {
    let disabled = with(&entry("B", "B", "jo"), &[("state", "Warned")]);
    let china = with(&entry("C", "C", "jo"), &[("environmentName", "AzureChinaCloud")]);
    let profile = profile(vec![entry("A", "A", "jo"), disabled, china]);
    let shown = |listing: &Listing| -> Vec<String> {
        let entries = listing.value.as_array().unwrap().iter();
        entries
            .map(|entry| format!("{}@{}", entry["id"], entry["cloudName"]).replace('"', ""))
            .collect()
    };
    let listing = profile.list_value(CLOUD, false);
    assert_eq!(shown(&listing), ["A@AzureCloud"]);
    assert!(listing.some_hidden && !listing.is_empty);
    assert_eq!(listing.value[0].get("environmentName"), None);
    let all = profile.list_value(CLOUD, true);
    assert_eq!(shown(&all), ["A@AzureCloud", "B@AzureCloud", "C@AzureChinaCloud"]);
    assert!(!all.some_hidden);
    let none = profile.list_value("Other", false);
    assert!(none.is_empty && !none.some_hidden && shown(&none).is_empty());
}

#[test]
fn five_thousand_subscriptions() {
    let (_root, dir) = dir_with("unrelated", "");
    let many =
        |user| (0..5000).map(|n| entry(&format!("id-{n}"), &format!("Sub {n}"), user)).collect();
    Profile::update(&dir, |profile| Ok(profile.merge_login(many("jo"), None))).unwrap();
    Profile::update(&dir, |profile| Ok(profile.merge_login(many("ann"), Some("SUB 4999"))))
        .unwrap();
    let profile = Profile::load(&dir).unwrap();
    assert_eq!((profile.all().len(), defaults(&profile)), (5000, vec!["id-4999"]));
    assert!(profile.all().iter().all(|entry| entry.user_name() == "ann"));
}

#[cfg(unix)]
#[test]
fn a_symlink_and_its_permissions_are_kept() {
    use std::os::unix::fs::PermissionsExt;
    let (root, dir) = dir_with("real.json", "{}");
    let real = root.path().join("real.json");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&real, dir.file(FILE)).unwrap();
    Profile::update(&dir, |profile| Ok(profile.merge_login(vec![entry("s", "S", "jo")], None)))
        .unwrap();
    assert!(fs::symlink_metadata(dir.file(FILE)).unwrap().is_symlink());
    assert!(fs::read_to_string(&real).unwrap().contains("\"id\": \"s\""));
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn concurrent_writers_lose_nothing() {
    let (_root, dir) = dir_with("unrelated", "");
    thread::scope(|scope| {
        for writer in 0..8 {
            let dir = &dir;
            scope.spawn(move || {
                for n in 0..20 {
                    let id = format!("{writer}-{n}");
                    // A busy lock is an error and loses nothing, so retry.
                    while Profile::update(dir, |profile| {
                        Ok(profile.merge_login(vec![entry(&id, &id, "jo")], None))
                    })
                    .is_err()
                    {}
                    while Config::store(dir, dir.folder(), &[("s", &id, "v")]).is_err() {}
                }
            });
        }
    });
    let profile = Profile::load(&dir).unwrap();
    assert_eq!((profile.all().len(), defaults(&profile).len()), (160, 1));
    let config = fs::read_to_string(Config::path(&dir)).unwrap();
    assert_eq!(config.lines().filter(|line| line.ends_with("= v")).count(), 160);
}
