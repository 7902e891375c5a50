//! One parser for endpoints: the host compared, shown and connected to is the same.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use entra_emulator::{Action, EntraEmulator, Fault};
use serde_json::{Value, json};

use crate::support::*;

const TOKEN: [&str; 2] = ["account", "get-access-token"];
const ANN: &str = "ann@contoso.example";
const MICROSOFTS: &str = "login.microsoftonline.com";
const AZURES: &str = "https://management.core.windows.net/";

/// A server that records the head of each request, answers it, and closes.
pub(super) struct Listener {
    pub(super) url: String,
    pub(super) heads: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    pub(super) fn answering(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let noted = heads.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let lines = lines.map_while(Result::ok).take_while(|line| !line.is_empty());
                let head = lines.collect::<Vec<_>>().join("\n");
                let answer = answer(&head);
                noted.lock().unwrap().push(head);
                let _ = write!(stream, "{answer}");
            }
        });
        Self { url, heads }
    }

    /// As a proxy for all HTTPS it sees which hosts are requested.
    pub(super) fn proxy(sandbox: &mut Sandbox) -> Self {
        let proxy = Self::answering(|_| "HTTP/1.1 502 No\r\ncontent-length: 0\r\n\r\n".to_owned());
        sandbox.set("HTTPS_PROXY", &proxy.url);
        sandbox.set("NO_PROXY", "localhost");
        proxy
    }

    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    #[track_caller]
    pub(super) fn was_not_asked(&self, what: &str) {
        assert_eq!(self.heads(), Vec::<String>::new(), "{what}");
    }
}

fn json_answer(body: &Value) -> String {
    let body = body.to_string();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// A machine where the real az signed in Ann at Microsoft's login host, and the active cloud is an
/// attacker's, defined by these lines in `clouds.config`.
pub(super) fn in_a_strange_cloud(name: &str, login: &str, manager: &str) -> Sandbox {
    let sandbox = Sandbox::without_cloud();
    let id = "a0000000-0000-4000-8000-000000000009";
    let home = format!("{id}.{CONTOSO}");
    let refresh_token = json!({"credential_type": "RefreshToken", "secret": "refresh-token-of-ann", "home_account_id": home, "environment": MICROSOFTS, "client_id": AZURE_CLI, "target": "", "family_id": "1", "last_modification_time": "1700000000"});
    let account = json!({"home_account_id": home, "environment": MICROSOFTS, "realm": CONTOSO, "local_account_id": id, "username": ANN, "authority_type": "MSSTS"});
    let cache = json!({"AccessToken": {}, "RefreshToken": {"r": refresh_token}, "IdToken": {}, "Account": {"a": account}, "AppMetadata": {}});
    sandbox.write("msal_token_cache.json", cache.to_string());
    let subscription = json!({"id": PRODUCTION, "name": "Production", "state": "Enabled", "user": {"name": ANN, "type": "user"}, "isDefault": true, "tenantId": CONTOSO, "homeTenantId": CONTOSO, "environmentName": name, "managedByTenants": []});
    sandbox.write("azureProfile.json", json!({"subscriptions": [subscription]}).to_string());
    describe(&sandbox, name, login, manager, AZURES);
    sandbox.write("config", format!("[cloud]\nname = {name}\n"));
    sandbox
}

fn describe(sandbox: &Sandbox, name: &str, login: &str, manager: &str, audience: &str) {
    let login = login.replace('%', "%%");
    sandbox.write("clouds.config", format!("[{name}]\nendpoint_active_directory = {login}\nendpoint_active_directory_resource_id = {audience}\nendpoint_resource_manager = {manager}\n"));
}

/// Control: with the genuine host this setup sends Ann's token.
#[test]
fn the_genuine_login_host_receives_the_token() {
    let mut sandbox = in_a_strange_cloud(
        "Own",
        &format!("https://{MICROSOFTS}"),
        "https://management.azure.com/",
    );
    let proxy = Listener::proxy(&mut sandbox);
    sandbox.azt(TOKEN).exits(7).says("login.microsoftonline.com");
    let heads = proxy.heads();
    assert!(heads[0].starts_with("CONNECT login.microsoftonline.com:443 "), "{heads:?}");
}

/// az's refresh tokens are bound to a host name; a naive parser would take the user name of a URL
/// for the host.
#[test]
fn a_token_goes_only_to_the_host_of_the_parsed_url() {
    for login in [
        "https://login.microsoftonline.com:x@evil.example",
        "https://login.microsoftonline.com@evil.example",
        "https://login.microsoftonline.com:443@evil.example/",
        "https://@evil.example",
        "https://login.microsoftonline.com\\@evil.example",
        "https://login.microsoftonline.com\\.evil.example",
        "https://evil.example/@login.microsoftonline.com#",
        "https://evil.example#login.microsoftonline.com",
        "https://evil.example?login.microsoftonline.com",
        "https://login.microsoftonline.com.",
        "https://login.microsoftonline.com%2eevil.example",
        "https://login.microsoftonline.com%00.evil.example",
        "https://login.microsoftonline.com\u{2044}.evil.example",
        "https://login.microsoftonline.com\u{ff0f}.evil.example",
        "https://login.micros\u{43e}ftonline.com",
        "https://login.microsoftonline\u{3002}com",
        "https://\u{ff4c}ogin.microsoftonline.com",
        "https://login.microsoftonline.com \u{200b}.evil.example",
        "https://login.microsoft\tonline.com",
        "https:login.microsoftonline.com",
        "https:///evil.example",
        "https://0x7f.1",
        "https://017700000001",
        "https://2130706433:8443",
        "http://login.microsoftonline.com",
        "http://login.microsoftonline.com:x@localhost:1",
        "http://0177.0.0.1:1",
        "//evil.example",
        "login.microsoftonline.com",
    ] {
        let mut sandbox = in_a_strange_cloud("Evil", login, "https://evil.example");
        let proxy = Listener::proxy(&mut sandbox);
        let run = sandbox.azt(TOKEN).exits(1);
        run.says("ERROR: The endpoint 'active_directory' of the cloud 'Evil' ");
        proxy.was_not_asked(login);
        sandbox.azt(["login", "--use-device-code"]).exits(1);
        sandbox.login_app().exits(1);
        proxy.was_not_asked(login);
        // The message shows the address as written.
        if login.is_ascii() && !login.contains(['\t', '#']) {
            let shown = sandbox.az(["cloud", "show"]).quiet().json();
            assert_eq!(shown["endpoints"]["activeDirectory"], login);
        }
    }
}

/// Addresses that differ only in spelling name the same host.
#[test]
fn spellings_of_one_host_are_the_same_host() {
    for login in [
        "https://LOGIN.MicrosoftOnline.com/",
        "HTTPS://login.microsoftonline.com:443",
        "https://login.microsoftonline.com:443///",
    ] {
        let mut sandbox = in_a_strange_cloud("Own", login, "https://management.azure.com/");
        let proxy = Listener::proxy(&mut sandbox);
        sandbox.azt(TOKEN).exits(7).says(MICROSOFTS);
        let heads = proxy.heads();
        assert!(heads[0].starts_with("CONNECT login.microsoftonline.com:443 "), "{heads:?}");
    }
}

#[test]
fn a_password_in_an_address_is_not_shown() {
    let sandbox =
        in_a_strange_cloud("Evil", "https://ann:hunter2@evil.example", "https://evil.example");
    let run = sandbox.azt(TOKEN).exits(1);
    assert!(!run.stderr.contains("hunter2"), "{run:?}");
}

/// Addresses that are no valid endpoint.
const NO_ADDRESSES: [&str; 16] = [
    "",
    "https://login.microsoftonline.com:x@evil.example",
    "https://@evil.example",
    "https://evil.example/?x",
    "https://evil.example/#x",
    "https://evil.example\\@login.microsoftonline.com",
    "https://evil.example.",
    "https://evil.example /",
    "https://\u{435}vil.example",
    "https://evil%2eexample",
    "https://0x0a000001",
    "http://evil.example",
    "http://169.254.169.254",
    "ftp://evil.example",
    "javascript:alert(1)",
    "evil.example",
];

#[test]
fn a_cloud_with_a_misleading_address_is_not_registered() {
    let mut sandbox = Sandbox::without_cloud();
    let proxy = Listener::proxy(&mut sandbox);
    let honest = "https://arm.example";
    for address in NO_ADDRESSES {
        for (option, name, other) in [
            ("--endpoint-resource-manager", "resource_manager", "--endpoint-active-directory"),
            ("--endpoint-active-directory", "active_directory", "--endpoint-resource-manager"),
        ] {
            let definition =
                [option, address, other, honest, "--endpoint-active-directory-resource-id", honest];
            for program in [Sandbox::az::<&str>, Sandbox::azt::<&str>] {
                let of = |verb, cloud| [&["cloud", verb, "-n", cloud], &definition[..]].concat();
                let says =
                    |cloud: &str| format!("ERROR: The endpoint '{name}' of the cloud '{cloud}' ");
                let run = program(&sandbox, of("register", "Evil")).exits(1);
                run.says(&says("Evil"));
                program(&sandbox, of("update", "AzureCloud")).exits(1).says(&says("AzureCloud"));
                let skipping =
                    [&of("register", "Evil")[..], &["--skip-endpoint-discovery"]].concat();
                program(&sandbox, skipping).exits(1).says(&says("Evil"));
            }
            let config = json!({"endpoints": {name: address, "activeDirectoryResourceId": honest}});
            let config = ["--cloud-config", &config.to_string(), other, honest];
            sandbox.azt([&["cloud", "register", "-n", "Evil"], &config[..]].concat()).exits(1);
        }
    }
    proxy.was_not_asked("the metadata");
    assert!(!sandbox.file("clouds.config").exists());
}

/// The operator of a resource manager controls its metadata.
#[test]
fn metadata_with_a_misleading_address_is_refused() {
    let sandbox = Sandbox::without_cloud();
    let url = sandbox.emulator.url().trim_end_matches('/').to_owned();
    for address in NO_ADDRESSES {
        for (login, manager) in [(address, url.as_str()), (url.as_str(), address)] {
            let metadata = json!({"authentication": {"loginEndpoint": login, "audiences": [url]}, "resourceManager": manager});
            answer(&sandbox, "/metadata/endpoints", &metadata);
            let register = ["cloud", "register", "-n", "Evil", "--endpoint-resource-manager", &url];
            let run = sandbox.azt(register);
            // Options override metadata.
            if login == address {
                run.exits(1).says("ERROR: The endpoint 'active_directory' of the cloud 'Evil' ");
                assert!(!sandbox.file("clouds.config").exists(), "{address}");
            } else {
                run.success();
                assert!(
                    sandbox.read("clouds.config").contains(&format!("resource_manager = {url}\n"))
                );
                std::fs::remove_file(sandbox.file("clouds.config")).unwrap();
            }
        }
    }
}

pub(super) fn answer(sandbox: &Sandbox, path: &str, body: &Value) {
    let (headers, body) = (Default::default(), body.to_string());
    let action = Action::Answer { status: 200, headers, body };
    sandbox.emulator.faults().clear();
    sandbox.emulator.faults().push(Fault::on(path, action));
}

#[test]
fn a_variable_with_a_misleading_login_host_is_refused() {
    let mut sandbox = Sandbox::without_cloud();
    let proxy = Listener::proxy(&mut sandbox);
    for (name, value) in [
        ("AZURE_CLIENT_ID", APP),
        ("AZURE_TENANT_ID", CONTOSO),
        ("AZURE_CLIENT_SECRET", APP_SECRET),
    ] {
        sandbox.set(name, value);
    }
    for host in [
        "https://login.microsoftonline.com:x@evil.example",
        "login.microsoftonline.com@evil.example",
        "evil.example#login.microsoftonline.com",
        "login.microsoftonline.com\\.evil.example",
        "evil.example/?",
        "http://evil.example",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "l\u{3bf}gin.microsoftonline.com",
    ] {
        sandbox.set("AZURE_AUTHORITY_HOST", host);
        let run = sandbox.azt(["account", "get-access-token", "--identity-from-env"]).exits(1);
        run.says("ERROR: AZURE_AUTHORITY_HOST ");
        proxy.was_not_asked(host);
    }
}

/// The token goes only to the resource manager, whatever nextLink its pages have.
#[test]
fn a_next_link_to_another_host_is_not_followed() {
    let mut sandbox = Sandbox::signed_in_as_app();
    let proxy = Listener::proxy(&mut sandbox);
    let plain = Listener::answering(|_| json_answer(&json!({"value": []})));
    let url = sandbox.emulator.url().trim_end_matches('/').to_owned();
    let port = url.rsplit(':').next().unwrap();
    let other = EntraEmulator::builder().start().unwrap();
    let other_port = other.url().trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    for link in [
        format!("{url}@evil.example/tenants"),
        format!("https://localhost:{port}@evil.example/tenants"),
        format!("https://evil.example/{url}"),
        format!("https://evil.example\\@localhost:{port}/tenants"),
        format!("https://localhost.evil.example:{port}/"),
        format!("https://127.0.0.1:{port}/tenants"),
        format!("https://user@localhost:{port}/tenants"),
        format!("https://localhost.:{port}/tenants"),
        format!("https://localhost:{other_port}/tenants?api-version=2016-06-01"),
        format!("http://localhost:{port}/tenants"),
        format!("{}/tenants", plain.url),
        "//evil.example/tenants".to_owned(),
        "/\\evil.example/tenants".to_owned(),
        "evil.example/tenants".to_owned(),
        "javascript:alert(1)".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        answer(&sandbox, "/tenants", &json!({"value": [], "nextLink": link}));
        let run = sandbox.azt(["account", "tenant", "list"]).exits(8);
        run.says("at another host").says("the token was not sent there.");
        proxy.was_not_asked(&link);
        plain.was_not_asked(&link);
        assert!(other.requests().is_empty(), "{link}");
    }
}

/// A 307 would resend the form with its secret.
#[test]
fn redirects_are_not_followed() {
    let mut sandbox = Sandbox::signed_in_as_app();
    let proxy = Listener::proxy(&mut sandbox);
    let plain = Listener::answering(|_| json_answer(&json!({})));
    for status in [301, 302, 303, 307, 308] {
        for target in ["https://evil.example/", plain.url.as_str()] {
            let headers = [("Location".to_owned(), target.to_owned())].into();
            let action = Action::Answer { status, headers, body: String::new() };
            sandbox.emulator.faults().clear();
            sandbox.emulator.faults().push(Fault::on("/token", action));
            let vault = [&TOKEN[..], &["--resource", "https://vault.azure.net"]].concat();
            sandbox.azt(vault).exits(7).says(&format!("HTTP {status}"));
            proxy.was_not_asked(target);
            plain.was_not_asked(target);
        }
    }
}

/// The metadata names the genuine login host and Azure's own audience, so the token would be valid
/// at Azure and be sent to the author of the metadata.
#[test]
fn an_unknown_resource_manager_gets_no_token_for_azure() {
    let sandbox = Sandbox::without_cloud();
    let url = sandbox.emulator.url().trim_end_matches('/').to_owned();
    let host = url.trim_start_matches("https://");
    let register = ["cloud", "register", "-n", "Evil", "--endpoint-resource-manager", &url];
    for (login, audience) in [
        ("https://login.microsoftonline.com/", AZURES),
        ("https://login.microsoftonline.com:443/", "https://management.azure.com"),
        ("https://LOGIN.windows.net", "https://vault.azure.net"),
        ("https://westeurope.login.microsoft.com", AZURES),
        ("https://sts.windows.net/", "https://graph.microsoft.com/"),
        ("https://login.microsoftonline.us", "https://management.core.usgovcloudapi.net/"),
        ("https://login.partner.microsoftonline.cn", "https://management.core.chinacloudapi.cn/"),
        (MICROSOFTS_URL, "https://localhost@management.core.windows.net/"),
        (MICROSOFTS_URL, "https://localhost/ https://management.core.windows.net/"),
        (MICROSOFTS_URL, "00000003-0000-0000-c000-000000000000"),
    ] {
        let metadata = json!({"authentication": {"loginEndpoint": login, "audiences": [audience]}});
        answer(&sandbox, "/metadata/endpoints", &metadata);
        for program in [Sandbox::azt::<&str>, Sandbox::az::<&str>] {
            let run = program(&sandbox, register.to_vec());
            assert!(matches!(run.code, Some(1 | 6)), "{login} {audience}: {run:?}");
            run.says(host)
                .says("ERROR: The cloud 'Evil' signs in at ")
                .says("--allow-foreign-audience");
        }
        assert!(!sandbox.file("clouds.config").exists(), "{login}");
    }
    // An audience of the resource manager itself, or of its stack, is fine.
    for audience in
        [format!("{url}/"), format!("https://management.contoso.onmicrosoft.com/{CONTOSO}")]
    {
        let metadata =
            json!({"authentication": {"loginEndpoint": MICROSOFTS_URL, "audiences": [audience]}});
        answer(&sandbox, "/metadata/endpoints", &metadata);
        sandbox.azt(register).quiet();
        sandbox.azt(["cloud", "unregister", "-n", "Evil"]).quiet();
    }
}

const MICROSOFTS_URL: &str = "https://login.microsoftonline.com";

#[test]
fn an_unconfirmed_cloud_is_refused_until_confirmed() {
    for name in ["Evil", "AzureCloud"] {
        let mut sandbox = in_a_strange_cloud(name, MICROSOFTS_URL, "https://evil.example");
        let proxy = Listener::proxy(&mut sandbox);
        let commands = [
            &TOKEN[..],
            &["login", "--use-device-code"],
            &LOGIN_APP,
            &["account", "tenant", "list"],
            &["account", "list-locations"],
        ];
        let are_refused = |why: &str| {
            for args in commands {
                let run = sandbox.azt(args).exits(6).says("evil.example").says(MICROSOFTS);
                run.says(&format!("`cloud update --name {name} --allow-foreign-audience`"));
            }
            proxy.was_not_asked(why);
        };
        are_refused("it is strange");
        sandbox.azt(["cloud", "update", "-n", name, "--endpoint-portal", "x"]).exits(2);
        sandbox.azt(["cloud", "update", "-n", name, "--suffix-keyvault-dns", ".x"]).exits(6);
        // A confirmation for other hosts does not count.
        let clouds = sandbox.read("clouds.config");
        for other in [
            "",
            "true",
            MICROSOFTS,
            "evil.example login.microsoftonline.com",
            "login.microsoftonline.com other.example",
        ] {
            sandbox
                .write("clouds.config", format!("{clouds}azt_allow_foreign_audience = {other}\n"));
            are_refused(other);
        }
        sandbox.write("clouds.config", &clouds);
        sandbox.azt(["cloud", "update", "-n", name, "--allow-foreign-audience"]).quiet();
        let allowed = "azt_allow_foreign_audience = login.microsoftonline.com evil.example\n";
        assert!(sandbox.read("clouds.config").contains(allowed));
        sandbox.azt(TOKEN).exits(7).says(MICROSOFTS);
        assert!(proxy.heads()[0].starts_with("CONNECT login.microsoftonline.com:443 "));
        // A changed resource manager has to be confirmed again.
        let elsewhere = [
            "cloud",
            "update",
            "-n",
            name,
            "--skip-endpoint-discovery",
            "--endpoint-resource-manager",
            "https://worse.example",
        ];
        sandbox.azt(elsewhere).exits(6).says("worse.example");
        let clouds = sandbox.read("clouds.config").replace("https://evil", "https://worse");
        sandbox.write("clouds.config", clouds);
        sandbox.azt(TOKEN).exits(6).says("worse.example");
    }
}
