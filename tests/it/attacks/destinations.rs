//! Browsers, managed identity endpoints and pipeline services: only trusted URLs are used.

use serde_json::json;

use super::endpoints::{Listener, answer, in_a_strange_cloud};
use crate::support::*;

/// A browser that records that it was started.
fn browser(sandbox: &mut Sandbox) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let (script, noted) = (sandbox.root().join("bin/browser"), sandbox.root().join("opened"));
    std::fs::write(&script, format!("#!/bin/sh\necho \"$1\" >>{}\n", noted.display())).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.set("BROWSER", script.to_str().unwrap());
    noted
}

/// The system's opener starts whichever program handles the scheme.
#[test]
fn only_https_urls_are_opened_in_the_browser() {
    for login in [
        "javascript:alert(1)//",
        "javascript://login.example/%0aalert(1)",
        "file:///etc/passwd",
        "file://evil.example/share",
        "data:text/html,<script>alert(1)</script>",
        "vscode://vscode.git/clone?url=x",
        "ms-msdt:/id",
        "ftp://evil.example",
        "http://evil.example",
        "HTTP://evil.example",
        "view-source:https://evil.example",
        "https:javascript:alert(1)",
        "httpevil://evil.example",
    ] {
        let mut sandbox = in_a_strange_cloud("Evil", login, "https://evil.example");
        let opened = browser(&mut sandbox);
        sandbox
            .azt(["login"])
            .exits(1)
            .says("ERROR: The endpoint 'active_directory' of the cloud 'Evil' ");
        sandbox.azt(["login", "--no-browser"]).exits(1);
        assert!(!opened.exists(), "{login}: {:?}", std::fs::read_to_string(&opened));
    }
}

/// The user opens a device code's page, also on a phone by its QR code.
#[test]
fn only_https_urls_are_shown_for_a_device_code() {
    let sandbox = Sandbox::new();
    let code = |uri: &str, complete: Option<&str>| json!({"device_code": "d", "user_code": "ABCD", "verification_uri": uri, "verification_uri_complete": complete, "expires_in": 1, "interval": 1});
    for uri in [
        "httpevil://evil.example",
        "http://evil.example",
        "https://microsoft.com@evil.example/devicelogin",
        "https://microsoft.com\\@evil.example",
        "https://m\u{456}crosoft.com/devicelogin",
        "https://microsoft.com/\u{1b}]0;pwned\u{7}",
        "https://microsoft.com/a b",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://microsoft.com/devicelogin#x",
    ] {
        answer(&sandbox, "/devicecode", &code(uri, None));
        let run = sandbox.azt(["login", "--use-device-code"]).exits(8);
        let run = run.says("sent an invalid device code.");
        assert!(!run.stderr.contains("evil") && !run.stderr.contains("ABCD"), "{run:?}");
        // Of two addresses the valid one is shown.
        answer(&sandbox, "/devicecode", &code("https://page.example/device?x=1", Some(uri)));
        let run = sandbox.azt(["login", "--use-device-code"]);
        let run = run.says("https://page.example/device?x=1 and enter the code ABCD");
        assert!(!run.stderr.contains("evil"), "{run:?}");
    }
}

/// Requests to a managed identity's endpoint carry a key to the identity.
#[test]
fn a_managed_identity_endpoint_must_be_local() {
    for (name, others) in [
        ("IDENTITY_ENDPOINT", &[("IDENTITY_HEADER", "secret-header")][..]),
        ("IDENTITY_ENDPOINT", &[("IMDS_ENDPOINT", "http://localhost:1")]),
        ("MSI_ENDPOINT", &[("MSI_SECRET", "secret-header")]),
        ("MSI_ENDPOINT", &[("ACC_CLOUD", "PROD")]),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", &[]),
    ] {
        let mut sandbox = Sandbox::new();
        let proxy = Listener::proxy(&mut sandbox);
        sandbox.set("HTTP_PROXY", &proxy.url);
        for (name, value) in others {
            sandbox.set(name, value);
        }
        for address in [
            "http://192.0.2.1/token",
            "http://evil.example/token",
            "https://evil.example/token",
            "http://169.254.169.254@evil.example/",
            "http://169.254.169.254.evil.example/",
            "http://127.0.0.1\\@evil.example/",
            "http://0xa9fea9fe/",
            "http://localhost.",
            "http://[::ffff:169.254.169.254]/",
            "http://[fec0::1]/",
            "http://169.254.169.254/#x",
            "ftp://127.0.0.1",
            "127.0.0.1",
        ] {
            sandbox.set(name, address);
            let run = sandbox.azt(["login", "--identity"]).exits(1);
            assert!(!run.stderr.contains("secret-header"), "{run:?}");
            run.says(&format!("ERROR: {name} "));
            proxy.was_not_asked(address);
        }
        // Local addresses are requested, without the proxy.
        let plain =
            Listener::answering(|_| "HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n".to_owned());
        sandbox.set(name, &plain.url);
        let run = sandbox.azt(["login", "--identity"]);
        assert_ne!(run.code, Some(0));
        assert!(!plain.heads().is_empty(), "{name}: {run:?}");
        proxy.was_not_asked(name);
    }
}

/// A job's request token can obtain every assertion of the job.
#[test]
fn a_pipelines_request_token_goes_only_to_its_service() {
    const GITHUB: [&str; 2] = ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
    const DEVOPS: [&str; 2] = ["SYSTEM_OIDCREQUESTURI", "SYSTEM_ACCESSTOKEN"];
    let login = ["login", "--service-principal", "-u", APP, "-t", CONTOSO];
    for (names, host, strangers) in [
        (
            GITHUB,
            "pipelines.actions.githubusercontent.com",
            &[
                "actions.githubusercontent.com",
                "evil-actions.githubusercontent.com",
                "raw.githubusercontent.com",
                "x.actions.githubusercontent.com.evil.example",
                "dev.azure.com",
            ][..],
        ),
        (
            DEVOPS,
            "vstoken.dev.azure.com",
            &[
                "evildev.azure.com",
                "visualstudio.com",
                "evilvisualstudio.com",
                "dev.azure.com.evil.example",
                "x.actions.githubusercontent.com",
            ],
        ),
    ] {
        let mut sandbox = Sandbox::new();
        let proxy = Listener::proxy(&mut sandbox);
        sandbox.set(names[1], "token-of-the-job");
        sandbox
            .set("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "5c000000-0000-4000-8000-000000000001");
        for stranger in strangers {
            sandbox.set(names[0], &format!("https://{stranger}/id?api-version=2"));
            let run = sandbox
                .azt(login)
                .exits(6)
                .says(&format!("ERROR: {} names the host {stranger}, ", names[0]));
            run.says("AZT_PIPELINE_HOSTS");
            proxy.was_not_asked(stranger);
        }
        for address in [
            format!("http://{host}/id"),
            format!("https://{host}@evil.example/id"),
            format!("https://{host}\\@evil.example/id"),
            format!("https://evil.example#{host}"),
            format!("https://{host}."),
            "evil.example".to_owned(),
        ] {
            sandbox.set(names[0], &address);
            sandbox.azt(login).exits(1).says(&format!("ERROR: {} ", names[0]));
            proxy.was_not_asked(&address);
        }
        sandbox.set(names[0], &format!("https://{host}/id?x=1"));
        sandbox.azt(login).exits(7).says(host);
        assert!(proxy.heads()[0].starts_with(&format!("CONNECT {host}:443 ")));
        // A self-hosted server is allowed by a setting, by host or by domain.
        for (hosts, is_asked) in [
            ("github.corp.example", true),
            ("x.example  *.CORP.example", true),
            ("corp.example", false),
            ("*.hub.corp.example", false),
            ("*", false),
            ("*.", false),
            ("thub.corp.example", false),
        ] {
            proxy.heads.lock().unwrap().clear();
            sandbox.set("AZT_PIPELINE_HOSTS", hosts);
            sandbox.set(names[0], "https://github.corp.example/id");
            let run = sandbox.azt(login);
            assert_eq!(run.code, Some(if is_asked { 7 } else { 6 }), "{hosts}: {run:?}");
            assert_eq!(!proxy.heads().is_empty(), is_asked, "{hosts}");
        }
    }
}
