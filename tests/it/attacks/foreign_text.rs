//! Text of a server, a token or another program's file cannot add lines, commands or secrets to
//! azt's output, wherever it is shown.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_emulator::{Action, Fault};
use serde_json::{Value, json};

use super::remedies::profile;
use crate::support::*;

/// Text that imitates azt's lines and commands, commands for pipelines after every kind of line
/// end, escape codes, and invisible characters.
pub(super) const HOSTILE: &str = "x\nERROR: forged\nazt logout --username pwned\r\n##vso[task.setvariable variable=PATH]/evil\n##[error]forged\n::set-output name=a::b\r::add-path::/evil\u{85}::warning::x\u{2028}::error::y\u{b}\t::z '; touch owned; $(touch owned) `touch owned` #\u{1b}]0;pwned\u{7}\u{9b}2J\u{202e}\u{200d}\u{200b}\u{e0041}\u{feff}end";

/// CI services that interpret printed commands, by a variable that they set.
const PIPELINES: [(&str, &str); 2] = [("TF_BUILD", "True"), ("GITHUB_ACTIONS", "true")];

/// Needs no user, and asks every tenant.
const LOGIN: [&str; 5] = ["login", "-u", ALICE, "-p", "Alice-password-1"];

const BY_CODE: [&str; 2] = ["login", "--use-device-code"];

fn answers(sandbox: &Sandbox, path: &str, status: u16, body: &Value) {
    let (headers, body) = (Default::default(), body.to_string());
    sandbox.emulator.faults().push(Fault::on(path, Action::Answer { status, headers, body }));
}

/// The cloud's answers about the user, one tenant and one subscription.
struct Cloud {
    claims: Value,
    tenant: Value,
    subscription: Value,
}

impl Cloud {
    fn honest() -> Self {
        Self {
            claims: json!({"preferred_username": ALICE, "oid": "o", "sub": "s", "tid": CONTOSO}),
            tenant: json!({"tenantId": CONTOSO, "displayName": "Contoso", "defaultDomain": "contoso.example"}),
            subscription: json!({
                "id": format!("/subscriptions/{PRODUCTION}"), "displayName": "Production",
                "state": "Enabled", "tenantId": CONTOSO, "managedByTenants": [{"tenantId": FABRIKAM}],
            }),
        }
    }

    fn start(&self) -> Sandbox {
        let sandbox = Sandbox::new();
        let jwt = format!("e30.{}.x", URL_SAFE_NO_PAD.encode(self.claims.to_string()));
        let info = URL_SAFE_NO_PAD.encode(json!({"uid": "u", "utid": CONTOSO}).to_string());
        answers(
            &sandbox,
            "/oauth2/v2.0/token",
            200,
            &json!({"access_token": "t", "refresh_token": "r", "expires_in": 3600, "id_token": jwt, "client_info": info}),
        );
        answers(&sandbox, "/tenants", 200, &json!({"value": [self.tenant]}));
        answers(&sandbox, "/subscriptions", 200, &json!({"value": [self.subscription]}));
        sandbox
    }
}

/// Asserts that the output adds no line and controls no terminal.
#[track_caller]
fn is_harmless(run: &Run, what: &str) {
    let is_forged = |line: &&str| {
        let line = line.trim_start();
        ["ERROR: forged", "azt logout --username pwned", "::", "##"]
            .iter()
            .any(|forged| line.starts_with(forged))
    };
    let forged = run.stderr.lines().find(is_forged);
    assert_eq!(forged, None, "{what}: {}", run.stderr);
    assert!(run.stderr.lines().all(|line| line.len() < 20_000), "{what}: a book");
    let hidden = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(
                c,
                '\u{202e}' | '\u{200b}' | '\u{200d}' | '\u{feff}' | '\u{e0041}' | '\u{2028}'
            )
    };
    assert!(!run.stderr.contains(hidden), "{what}: {:?}", run.stderr);
}

/// Asserts that `text` has no command for a CI service.
#[track_caller]
fn has_no_command(text: &str, what: &str) {
    for command in ["##vso[", "##["] {
        assert!(!text.contains(command), "{what}: {text}");
    }
    let ends = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    let command = text.split(ends).find(|line| line.trim_start().starts_with("::"));
    assert_eq!(command, None, "{what}: {text}");
}

/// Runs `args` on a terminal and as a job of each service, and checks the output.
#[track_caller]
pub(super) fn look(sandbox: &Sandbox, args: &[&str]) -> Run {
    let run = Run::of(sandbox.command(args).envs(PIPELINES));
    let what = format!("{args:?}");
    is_harmless(&run, &what);
    has_no_command(&run.stdout, &what);
    has_no_command(&run.stderr, &what);
    let run = sandbox.azt(args);
    is_harmless(&run, &what);
    run
}

pub(super) const SHOWING: [&[&str]; 14] = [
    &["account", "show"],
    &["account", "show", "-o", "jsonc"],
    &["account", "show", "-o", "yaml"],
    &["account", "show", "-o", "table"],
    &["account", "show", "-o", "tsv", "--query", "name"],
    &["account", "show", "--verbose"],
    &["account", "list", "--all", "-o", "table"],
    &["account", "list", "--all", "-o", "tsv"],
    &["account", "list", "--refresh"],
    &["account", "tenant", "list"],
    &["account", "get-access-token", "--account", "nobody"],
    &["cache", "list", "-o", "table"],
    &["doctor"],
    &["doctor", "-o", "json"],
];

#[test]
fn a_servers_names_are_one_line_wherever_they_are_shown() {
    let book = format!(" ::add-mask::a##[error]b{HOSTILE}{}", "long ".repeat(200_000));
    for (text, name) in [(HOSTILE, "preferred_username"), (book.as_str(), "upn")] {
        let members = [name, "displayName", "defaultDomain", "state"];
        let mut cloud = Cloud::honest();
        cloud.claims.as_object_mut().unwrap().remove("preferred_username");
        for member in members {
            for part in [&mut cloud.claims, &mut cloud.tenant, &mut cloud.subscription] {
                part[member] = text.into();
            }
        }
        for member in ["oid", "sub", "iss"] {
            cloud.claims[member] = text.into();
        }
        cloud.subscription["managedByTenants"] = json!([{"tenantId": text, text: text}]);
        let sandbox = cloud.start();
        let login = look(&sandbox, &LOGIN).success();
        let name = login.json()[0]["name"].as_str().unwrap().to_owned();
        assert!(name.chars().count() <= 257, "{}", name.len());
        for args in SHOWING {
            drop(look(&sandbox, args));
        }
        // The shown name selects the subscription.
        look(&sandbox, &["account", "set", "-s", &name]).quiet();
        drop(look(&sandbox, &["logout"]));
    }
}

#[test]
fn a_tenant_or_subscription_without_a_guid_is_skipped_with_one_notice() {
    for (is_tenant, member) in [(true, "tenantId"), (false, "id")] {
        for id in [HOSTILE, "c0000000-0000-4000-8000-00000000000a/../../evil", "../common", ""] {
            let mut cloud = Cloud::honest();
            let part = if is_tenant { &mut cloud.tenant } else { &mut cloud.subscription };
            part[member] = id.into();
            let sandbox = cloud.start();
            let run = look(&sandbox, &[&LOGIN[..], &["--allow-no-subscriptions"]].concat());
            let told =
                run.stderr.matches("are skipped, because their ids are not GUIDs: '").count();
            assert_eq!(told, 1, "{id:?}: {run:#?}");
            assert!(!run.stderr.contains("pwned") && !run.stderr.contains("evil"), "{run:#?}");
            let asked = sandbox.requests().concat();
            assert!(!asked.contains("evil") && !asked.contains("pwned"), "{asked}");
        }
    }
    // Other rows stay; another spelling of a GUID is the same id.
    let sandbox = Cloud::honest().start();
    sandbox.emulator.faults().clear();
    let mut cloud = Cloud::honest();
    cloud.tenant["tenantId"] = CONTOSO.to_uppercase().replace('-', "").into();
    cloud.subscription["tenantId"] = HOSTILE.into();
    let sandbox = cloud.start();
    let entry = look(&sandbox, &LOGIN).success().json()[0].clone();
    assert_eq!((&entry["tenantId"], &entry["homeTenantId"]), (&json!(CONTOSO), &json!(CONTOSO)));
}

#[test]
fn a_sign_in_of_a_tenant_without_a_guid_is_refused() {
    for tid in [HOSTILE, "organizations", "..", "contoso.com"] {
        let mut cloud = Cloud::honest();
        cloud.claims["tid"] = tid.into();
        let sandbox = cloud.start();
        let run = look(&sandbox, &LOGIN);
        assert_ne!(run.code, Some(0), "{run:#?}");
        assert!(run.stderr.contains("whose tenant id is not a GUID"), "{run:#?}");
        assert!(!sandbox.file("azureProfile.json").exists());
    }
}

#[test]
fn a_device_code_and_its_message_are_checked() {
    let device = |user_code: &str, message: Option<&str>| {
        json!({
            "device_code": "d", "user_code": user_code, "expires_in": 900, "interval": 1,
            "verification_uri": "https://login.example/device", "message": message,
        })
    };
    for code in [
        HOSTILE,
        "A\nazt logout --username pwned",
        "A B",
        "A\u{1b}[2J",
        "##vso[x]",
        &"A".repeat(33),
        "",
    ] {
        let sandbox = Sandbox::new();
        answers(&sandbox, "/devicecode", 200, &device(code, None));
        let run = look(&sandbox, &BY_CODE);
        assert!(run.stderr.contains("sent an invalid device code."), "{run:#?}");
        assert!(!run.stderr.contains("pwned"), "{run:#?}");
    }
    let own = "To sign in, use a web browser to open the page https://login.example/device and enter the code AB-12 to authenticate.";
    for message in [
        HOSTILE,
        "Open https://evil.example/ and enter AB-12.",
        "Open evil.example and enter AB-12 (not https://login.example/device).",
        "Open https://login.example/device@evil.example/ and enter AB-12.",
        "Open https://login.example/device and enter your password.",
    ] {
        let sandbox = Sandbox::new();
        answers(&sandbox, "/devicecode", 200, &device("AB-12", Some(message)));
        let refused = json!({"error": "access_denied", "error_description": "No."});
        answers(&sandbox, "/oauth2/v2.0/token", 400, &refused);
        let run = sandbox.azt(BY_CODE);
        assert!(run.stderr.lines().any(|line| line == own), "{run:#?}");
        is_harmless(&run, message);
    }
}

#[test]
fn a_servers_error_text_is_no_command() {
    let sandbox = Sandbox::signed_in_as_app();
    let graph = ["account", "get-access-token", "--resource", "https://graph.microsoft.com"];
    for member in
        ["error", "error_description", "suberror", "trace_id", "correlation_id", "timestamp"]
    {
        let mut body = json!({"error": "invalid_client", "error_description": "No."});
        body[member] = HOSTILE.into();
        sandbox.emulator.faults().clear();
        answers(&sandbox, "/token", 400, &body);
        drop(look(&sandbox, &graph));
        drop(look(&sandbox, &[&graph[..], &["--error-format", "json"]].concat()));
    }
    let sandbox = Sandbox::new();
    for body in [
        json!({"error": {"code": HOSTILE, "message": "No."}}),
        json!({"error": {"code": "Denied", "message": HOSTILE}}),
    ] {
        sandbox.emulator.faults().clear();
        answers(&sandbox, "/tenants", 403, &body);
        drop(look(&sandbox, &LOGIN));
        drop(look(&sandbox, &[&LOGIN[..], &["--error-format", "json"]].concat()));
    }
    for body in [
        json!({"message": HOSTILE}),
        json!({"Message": HOSTILE}),
        json!({"error": {"message": HOSTILE}}),
        json!({"error": HOSTILE, "error_description": HOSTILE}),
    ] {
        let mut sandbox = Sandbox::new();
        let endpoint = format!("{}/msi/token", sandbox.emulator.url());
        sandbox.set("IDENTITY_ENDPOINT", &endpoint);
        sandbox.set("IDENTITY_HEADER", "secret");
        answers(&sandbox, "/msi/token", 400, &body);
        drop(look(&sandbox, &["login", "--identity"]));
    }
}

/// azt's errors quote arguments, which may come from a branch name.
#[test]
fn no_argument_is_a_command_of_a_pipeline() {
    let sandbox = Sandbox::signed_in_as_app();
    for args in [
        ["account", "set", "-s", HOSTILE],
        ["account", "show", "-s", HOSTILE],
        ["cloud", "set", "-n", HOSTILE],
        ["login", "--tenant", HOSTILE, "--use-device-code"],
        ["account", "list", "--query", HOSTILE],
        ["account", HOSTILE, "", ""],
    ] {
        for (name, value) in PIPELINES {
            let run = Run::of(sandbox.command(args).env(name, value));
            assert_ne!(run.code, Some(0), "{args:?}");
            has_no_command(&run.stderr, &format!("{args:?}"));
        }
    }
}

/// Messages show names from other programs' caches too.
#[test]
fn names_in_other_programs_caches_are_one_line() {
    let sandbox = Sandbox::new();
    let environment = sandbox.emulator.url().replace("https://", "");
    let account = |name: &str| {
        json!({"home_account_id": "u.t", "environment": environment, "realm": CONTOSO,
            "local_account_id": "u", "username": name, "authority_type": "MSSTS"})
    };
    let cache = json!({"Account": {"a": account(HOSTILE), "b": account(ALICE)}});
    sandbox.write("msal_token_cache.json", cache.to_string());
    let applications = json!([{"client_id": HOSTILE, "tenant": HOSTILE, "client_secret": "s"}]);
    sandbox.write("service_principal_entries.json", applications.to_string());
    let old = json!([
        {"userId": HOSTILE, "refreshToken": "r", "_authority": HOSTILE, "resource": HOSTILE},
        {"servicePrincipalId": HOSTILE, "servicePrincipalTenant": HOSTILE, "accessToken": "s"},
    ]);
    sandbox.write("accessTokens.json", old.to_string());
    drop(look(&sandbox, &["cache", "migrate", "--dry-run"]));
    drop(look(&sandbox, &["cache", "migrate", "--remove", "-o", "table"]));
    for file in ["msal_token_cache.json", "service_principal_entries.json"] {
        let path = sandbox.file(file);
        drop(look(&sandbox, &["cache", "import", "--file", path.to_str().unwrap()]));
    }
}

/// A setting's value can have several lines.
#[test]
fn values_of_settings_are_one_line() {
    let sandbox = Sandbox::new();
    for setting in
        ["[cloud]\nname", "[core]\noutput", "[core]\nkey_cache_seconds", "[core]\nkey_source"]
    {
        let value = "x\n  azt logout --username pwned\n  ::add-path::/evil\n  ##vso[x]";
        sandbox.write("config", format!("{setting} = {value}\n"));
        drop(look(&sandbox, &["account", "list"]));
        drop(look(&sandbox, &["account", "get-access-token"]));
        drop(look(&sandbox, &["doctor", "--offline"]));
    }
    for setting in ["subscription", "profile"] {
        let sandbox = Sandbox::new();
        let other = "x\n  azt logout --username pwned\n  ::add-path::/evil";
        sandbox.write("clouds.config", format!("[AzureChinaCloud]\n{setting} = {other}\n"));
        drop(look(&sandbox, &["cloud", "set", "-n", "AzureChinaCloud"]));
        drop(look(&sandbox, &["cloud", "show", "-n", "AzureChinaCloud"]));
    }
}

/// Another program's profile is not cleaned by azt, which shows it as it is: JSON has escapes, rows
/// have none. Under the name az they are az's.
#[test]
fn rows_for_a_program_have_no_control_characters() {
    let sandbox = Sandbox::new();
    sandbox.write("azureProfile.json", profile(HOSTILE, HOSTILE, PRODUCTION, "Emulator", "user"));
    for args in [
        &["account", "list", "-o", "tsv"][..],
        &["account", "list", "-o", "table"],
        &["account", "show", "-o", "tsv", "--query", "[name, id]"],
        &["whoami", "-o", "tsv"],
    ] {
        let run = sandbox.azt(args);
        let printed = run.stdout.trim_end_matches('\n');
        assert!(printed.contains("pwned"), "{args:?}: {run:#?}");
        let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        assert!(!printed.contains(is_control), "{args:?}: {printed:?}");
        assert!(!printed.contains("\nERROR: forged"), "{args:?}: {printed:?}");
    }
    let of_az = sandbox.az(["account", "list", "-o", "tsv"]);
    assert!(of_az.stdout.contains('\u{1b}'), "{of_az:#?}");
}

/// A nextLink of the same host can still contain anything.
#[test]
fn a_next_link_is_shown_as_one_line() {
    let sandbox = Sandbox::new();
    let url = sandbox.emulator.url();
    for link in [
        format!("{url}/x\nazt logout --username pwned"),
        format!("{url}/x\r::add-path::\n##[error]y"),
    ] {
        sandbox.emulator.faults().clear();
        answers(&sandbox, "/tenants", 200, &json!({"value": [], "nextLink": link}));
        answers(&sandbox, "/x", 200, &json!({"value": 1}));
        let run = look(&sandbox, &LOGIN);
        assert!(run.stderr.contains("the token was not sent there"), "{run:#?}");
        drop(look(&sandbox, &[&LOGIN[..], &["--debug"]].concat()));
    }
}

/// In a pipeline the JSON is unchanged, and the mask is still a command.
#[test]
fn a_pipeline_gets_the_same_json() {
    let sandbox = Sandbox::new();
    let name = "##vso[a] ##[b] ####\u{2028}::c\u{85} ::d :: e#f";
    sandbox.write("azureProfile.json", profile(name, ALICE, PRODUCTION, "Emulator", "user"));
    let honest = sandbox.azt(["account", "show"]).quiet().json();
    assert_eq!(honest["name"], name, "as az has it");
    for (variable, value) in PIPELINES {
        for format in ["json", "jsonc"] {
            let args = ["account", "show", "-o", format];
            let run = Run::of(sandbox.command(args).env(variable, value));
            has_no_command(&run.stdout, format);
            assert_eq!(run.json(), honest);
        }
    }
    // Outside pipelines the commands stay.
    let tsv = ["account", "show", "--query", "name", "-o", "tsv"];
    let line = "##vso[a] ##[b] #### ::c  ::d :: e#f\n";
    sandbox.azt(tsv).quiet().prints(line);
    Run::of(sandbox.command(tsv).env("TF_BUILD", "")).quiet().prints(line);
    sandbox.az(tsv).quiet().prints(&format!("{name}\n"));

    let sandbox = Sandbox::signed_in_as_app();
    let args = ["account", "get-access-token", "--add-mask"];
    let run = Run::of(sandbox.command(args).env("GITHUB_ACTIONS", "true")).success();
    assert_eq!(run.stderr, format!("::add-mask::{}\n", run.text("accessToken")));
}
