//! Sign-ins to a public client other than az's, and to authorities other than the cloud's.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_emulator::EntraEmulator;
use serde_json::{Value, json};

use crate::support::*;

pub const DESKTOP: &str = "a1000000-0000-4000-8000-000000000005";
/// A public client of Microsoft's family, as az's own.
const VS_CODE: &str = "aebc6443-996d-45c2-90f0-388ff96faa56";
pub const LEDGER: &str = "api://contoso-ledger/.default";
const BOB: &str = "bob@fabrikam.example";
pub const OWN: [&str; 5] = ["login", "--client-id", DESKTOP, "--scope", LEDGER];
pub const TOKEN: [&str; 2] = ["account", "get-access-token"];
pub const OWN_TOKEN: [&str; 4] = ["account", "get-access-token", "--client-id", DESKTOP];
pub const GRAPH: [&str; 2] = ["--resource", "https://graph.microsoft.com"];

pub fn claims(run: &Run) -> Value {
    let token = run.text("accessToken");
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

/// Alice is signed in to az's client and to her own, with device codes.
pub fn signed_in_to_both() -> Sandbox {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.azt([&OWN[..], &["--use-device-code"]].concat()).success();
    sandbox.emulator.clear_requests();
    sandbox
}

/// Client id and refresh token of each refresh since the log was cleared.
fn refreshes(emulator: &EntraEmulator) -> Vec<(String, String)> {
    let is_refresh =
        |it: &entra_emulator::RequestLogEntry| it.grant_type() == Some("refresh_token");
    let all = emulator.requests().into_iter().filter(is_refresh);
    all.map(|it| (it.form["client_id"].clone(), it.form["refresh_token"].clone())).collect()
}

/// Another login server than the cloud's, trusted by the sandbox.
pub fn authority_server(sandbox: &Sandbox) -> EntraEmulator {
    let server = EntraEmulator::builder().start().unwrap();
    server.settings_mut(|settings| {
        settings.device_code_interval = 1;
        settings.auto_approve = Some(ALICE.to_owned());
    });
    let file = sandbox.root().join("ca.pem");
    let both = std::fs::read_to_string(&file).unwrap() + server.ca_pem();
    std::fs::write(file, both).unwrap();
    server
}

#[test]
fn an_api_that_refuses_azs_client_accepts_ones_own() {
    let sandbox = Sandbox::signed_in_as_alice();
    let run = sandbox.azt([&TOKEN[..], &["--scope", LEDGER]].concat()).exits(6);
    drop(run.says("AADSTS65002").says("an application of your own with `azt login --client-id`"));

    let profile = sandbox.read("azureProfile.json");
    let run = sandbox.azt([&OWN[..], &["--use-device-code"]].concat()).success();
    drop(run.says(&format!("Signed in as {ALICE} (")).says(DESKTOP));
    assert_eq!(sandbox.read("azureProfile.json"), profile, "az's accounts stay");
    sandbox.emulator.clear_requests();
    let run = sandbox.azt(OWN_TOKEN).quiet();
    assert_eq!(sandbox.requests(), Vec::<String>::new(), "the sign-in got this token");
    let claims = claims(&run);
    assert_eq!(
        (&claims["aud"], &claims["appid"]),
        (&json!("api://contoso-ledger"), &json!(DESKTOP))
    );
    assert_eq!((run.text("tenant").as_str(), run.json().get("subscription")), (CONTOSO, None));
}

#[cfg(unix)]
#[test]
fn it_signs_in_with_a_browser_at_its_redirect_uri() {
    use crate::browser::Waiting;
    for (uri, path) in [
        (None, "/"),
        (Some("http://127.0.0.1"), "/"),
        (Some("http://localhost/signed-in"), "/signed-in"),
    ] {
        let mut sandbox = Sandbox::new();
        sandbox.approve_as(ALICE);
        let uri: Vec<&str> = uri.into_iter().flat_map(|uri| ["--redirect-uri", uri]).collect();
        let waiting = Waiting::start(&mut sandbox, &[&OWN[1..], &uri[..]].concat());
        assert_eq!(waiting.parameter("client_id"), DESKTOP);
        let redirect = waiting.parameter("redirect_uri");
        let (host, rest) = redirect.strip_prefix("http://").unwrap().split_once(':').unwrap();
        let (port, place) = rest
            .split_once('/')
            .map_or((rest, "/".to_owned()), |(port, path)| (port, format!("/{path}")));
        assert_eq!(place, path);
        let answer = Waiting::answer_at(&sandbox, &waiting.url);
        let fields: Vec<(&str, &str)> =
            answer.iter().map(|it| (it.0.as_str(), it.1.as_str())).collect();
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let post = |path: &str| {
            format!(
                "POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let send = |request: String| {
            use std::io::{Read, Write};
            let mut stream =
                std::net::TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut response = String::new();
            stream.read_to_string(&mut response).unwrap();
            response
        };
        assert!(send(post("/other")).starts_with("HTTP/1.1 404"));
        let page = send(post(path));
        assert!(
            page.contains("<title>You are signed in</title>") && page.contains(ALICE),
            "{page}"
        );
        let run = waiting.end().success();
        assert_eq!(run.json()[0]["user"]["clientId"], DESKTOP);
        assert_eq!(claims(&sandbox.azt(OWN_TOKEN).quiet())["appid"], DESKTOP);
    }
}

#[cfg(unix)]
#[test]
fn it_signs_in_with_a_browser_elsewhere_and_any_registered_address() {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::process::{Command, Stdio};
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let uri = "https://desktop.contoso.example/signed-in";
    let mut command =
        sandbox.command([&OWN[..], &["--no-browser", "--redirect-uri", uri]].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("https://") {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0);
    }
    let head = Command::new("curl")
        .args(["--silent", "--output", "/dev/null", "--write-out", "%{redirect_url}", "--cacert"])
        .arg(sandbox.root().join("ca.pem"))
        .arg(line.trim())
        .output()
        .unwrap();
    let ended_at = String::from_utf8(head.stdout).unwrap();
    assert!(ended_at.starts_with(uri), "{ended_at}");
    writeln!(child.stdin.take().unwrap(), "{ended_at}").unwrap();
    let output = child.wait_with_output().unwrap();
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    Run { stderr: said, ..Run::from(output) }.success();
    assert_eq!(claims(&sandbox.azt(OWN_TOKEN).quiet())["appid"], DESKTOP);
}

#[test]
fn each_client_redeems_its_own_refresh_token_only() {
    let sandbox = signed_in_to_both();
    let graph = |start: &[&str]| sandbox.azt([start, &GRAPH].concat()).quiet();
    assert_eq!(claims(&graph(&TOKEN))["appid"], AZURE_CLI);
    assert_eq!(claims(&graph(&OWN_TOKEN))["appid"], DESKTOP);
    let first = refreshes(&sandbox.emulator);
    let clients: Vec<&str> = first.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(clients, [AZURE_CLI, DESKTOP]);
    assert_ne!(first[0].1, first[1].1);
    sandbox.emulator.clear_requests();
    assert_eq!(claims(&graph(&TOKEN))["appid"], AZURE_CLI);
    assert_eq!(claims(&graph(&OWN_TOKEN))["appid"], DESKTOP);
    assert_eq!(sandbox.requests(), Vec::<String>::new(), "both are in the vault");

    // Neither sign-in forgets the other's tokens.
    sandbox.azt(["login", "--use-device-code"]).success();
    sandbox.azt([&OWN[..], &["--use-device-code"]].concat()).success();
    sandbox.azt(["login", "--use-device-code"]).success();
    sandbox.emulator.clear_requests();
    drop(sandbox.azt(OWN_TOKEN).quiet());
    assert_eq!(sandbox.requests(), Vec::<String>::new());
}

#[test]
fn a_client_of_azs_family_is_kept_apart_too() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let scope = "https://graph.microsoft.com/.default";
    let login = ["login", "--client-id", VS_CODE, "--scope", scope, "--use-device-code"];
    sandbox.azt(login).success();
    // Its refresh token has a family, and would do for az's client.
    sandbox.azt([&TOKEN[..], &["--account", ALICE]].concat()).exits(4);
    sandbox.azt(["login", "--use-device-code"]).success();
    sandbox.azt(login).success();
    sandbox.emulator.clear_requests();
    let vault = ["--resource", "https://vault.azure.net"];
    drop(sandbox.azt([&TOKEN[..], &vault].concat()).quiet());
    drop(sandbox.azt([&TOKEN[..], &vault, &["--client-id", VS_CODE]].concat()).quiet());
    let found = refreshes(&sandbox.emulator);
    let clients: Vec<&str> = found.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(clients, [AZURE_CLI, VS_CODE]);
    assert_ne!(found[0].1, found[1].1);
}

#[test]
fn it_refreshes_silently_and_says_how_to_sign_in_again() {
    let sandbox = signed_in_to_both();
    sandbox.emulator.settings_mut(|settings| settings.clock_offset = 4000);
    let run = sandbox.azt_later(4000, OWN_TOKEN).quiet();
    assert_eq!(claims(&run)["appid"], DESKTOP);
    let used = refreshes(&sandbox.emulator);
    assert_eq!(used.len(), 1);
    // The rotated token is stored.
    drop(sandbox.azt_later(4000, [&OWN_TOKEN[..], &GRAPH].concat()).quiet());
    let used = refreshes(&sandbox.emulator);
    assert_ne!(used[0].1, used[1].1);

    sandbox.emulator.revoke(ALICE);
    let write = ["--scope", "api://contoso-ledger/Ledger.Write"];
    let run = sandbox.azt_later(4000, [&OWN_TOKEN[..], &write].concat()).exits(5);
    drop(run.says("AADSTS50173").says(&format!(
        "azt login --client-id {DESKTOP} --tenant {CONTOSO} --scope api://contoso-ledger/Ledger.Write"
    )));
}

#[test]
fn a_variable_names_the_client() {
    let mut sandbox = signed_in_to_both();
    sandbox.set("AZT_CLIENT_ID", &DESKTOP.to_uppercase());
    for run in [sandbox.azt(TOKEN), sandbox.az(TOKEN)] {
        assert_eq!(claims(&run.quiet())["appid"], DESKTOP);
    }
    for run in [sandbox.azt(["account", "show"]), sandbox.az(["account", "show"])] {
        assert_eq!(run.quiet().json()["user"]["clientId"], DESKTOP);
    }
    let with_subscription = [&TOKEN[..], &["--subscription", PRODUCTION]].concat();
    assert_eq!(claims(&sandbox.azt(with_subscription).quiet())["appid"], AZURE_CLI);
    sandbox.set("AZT_ACCOUNT", BOB);
    drop(sandbox.azt(TOKEN).exits(4).says(&format!("{BOB} is not signed in to the client")));
    sandbox.unset("AZT_ACCOUNT");
    sandbox.set("AZT_CLIENT_ID", AZURE_CLI);
    assert_eq!(claims(&sandbox.azt(TOKEN).quiet())["appid"], AZURE_CLI);
    sandbox.set("AZT_CLIENT_ID", "desktop");
    drop(sandbox.azt(TOKEN).exits(2).says("AZT_CLIENT_ID is 'desktop', which is not a client id"));
    sandbox.set("AZT_CLIENT_ID", VS_CODE);
    drop(sandbox.azt(TOKEN).exits(4).says("Nobody is signed in to the client"));
}

#[test]
fn a_sign_out_of_the_client_leaves_az_and_a_sign_out_of_the_user_leaves_nothing() {
    let sandbox = signed_in_to_both();
    sandbox.approve_as(BOB);
    sandbox.azt([&OWN[..], &["--use-device-code"]].concat()).success();
    let out = ["logout", "--client-id", DESKTOP];
    drop(sandbox.azt(out).exits(1).says("Choose one with --username"));
    drop(sandbox.azt(OWN_TOKEN).exits(1).says("Choose one with --account"));
    let of_bob = [&OWN_TOKEN[..], &["--account", BOB]].concat();
    assert_eq!(claims(&sandbox.azt(of_bob).quiet())["unique_name"], BOB);
    drop(sandbox.azt([&out[..], &["--username", BOB]].concat()).success());
    assert_eq!(claims(&sandbox.azt(OWN_TOKEN).quiet())["unique_name"], ALICE);
    drop(sandbox.azt(out).success());
    sandbox.azt(OWN_TOKEN).exits(4);
    drop(sandbox.azt(TOKEN).quiet());
    drop(sandbox.azt(out).exits(4).says("Nobody is signed in to the client"));

    sandbox.approve_as(ALICE);
    sandbox.azt([&OWN[..], &["--use-device-code"]].concat()).success();
    drop(sandbox.azt(["logout", "--username", ALICE]).success());
    sandbox.azt(OWN_TOKEN).exits(4);
    assert_eq!(sandbox.azt(["cache", "list"]).quiet().json(), json!([]));
}

#[test]
fn azt_lists_the_account_and_az_does_not() {
    let sandbox = signed_in_to_both();
    let listed = sandbox.azt(["account", "list"]).success().json();
    let own = listed.as_array().unwrap().last().unwrap();
    assert_eq!(own["user"]["clientId"], DESKTOP);
    assert_eq!((&own["user"]["name"], &own["tenantId"]), (&json!(ALICE), &json!(CONTOSO)));
    assert_eq!(own["isDefault"], false);
    let shown = sandbox.azt(["account", "show", "--client-id", DESKTOP]).quiet().json();
    // As az, one command names the cloud otherwise than the other.
    assert_eq!(shown["environmentName"], own["cloudName"]);
    for member in ["id", "user", "tenantId", "name"] {
        assert_eq!(shown[member], own[member]);
    }
    let others = sandbox.az(["account", "list"]).success().json();
    assert_eq!(others.as_array().unwrap().len(), listed.as_array().unwrap().len() - 1);
    assert!(!others.to_string().contains(DESKTOP), "{others}");
    // The vault's accounts and tokens are named, and not exported.
    let rows = sandbox.azt(["cache", "list"]).quiet().json();
    let of_client = |it: &&Value| it["client"] == DESKTOP && it["account"] == ALICE;
    assert_eq!(rows.as_array().unwrap().iter().filter(of_client).count(), 2, "{rows}");
    assert!(!rows.to_string().contains("client:"), "{rows}");
    let exported = sandbox.azt(["cache", "export", "--file", "-"]).success();
    assert!(!exported.stdout.contains(DESKTOP), "{exported:#?}");
}

#[test]
fn a_sign_in_is_not_shared_with_az() {
    let sandbox = Sandbox::new();
    sandbox.share_with_az(true);
    sandbox.approve_as(ALICE);
    sandbox.azt([&OWN[..], &["--use-device-code"]].concat()).success();
    assert!(!sandbox.file("msal_token_cache.json").exists());
    sandbox.azt(["login", "--use-device-code"]).success();
    drop(sandbox.azt([&OWN_TOKEN[..], &GRAPH].concat()).quiet());
    assert!(!sandbox.read("msal_token_cache.json").contains(DESKTOP));
}

#[test]
fn authorities_are_kept_apart_from_the_cloud_and_from_each_other() {
    let sandbox = signed_in_to_both();
    let server = authority_server(&sandbox);
    let url = server.url().to_owned();
    let tenant = format!("{url}/contoso.example");
    let places = [
        tenant.clone(),
        format!("{tenant}/B2C_1_signin"),
        format!("{tenant}/B2C_1_edit"),
        format!("{url}/adfs"),
    ];
    for place in &places {
        let login = [&OWN[..], &["--authority", place, "--use-device-code"]].concat();
        let run = sandbox.azt(login).success();
        assert_eq!(run.json()[0]["user"]["authority"], **place);
        assert_eq!(run.json()[0]["user"]["name"], ALICE);
    }
    drop(
        sandbox.azt(OWN_TOKEN).exits(1).says("Choose one with --account, --tenant or --authority"),
    );
    server.clear_requests();
    let mut tokens = Vec::new();
    for place in &places {
        let here = [&OWN_TOKEN[..], &["--authority", place]].concat();
        drop(sandbox.azt(&here).quiet());
        assert!(server.requests().is_empty(), "{place}: the sign-in got this token");
        tokens.push(sandbox.azt([&here[..], &GRAPH].concat()).quiet().text("accessToken"));
        let asked = server.requests();
        let path = place.strip_prefix(&url).unwrap();
        assert!(asked[0].path.starts_with(&format!("{path}/oauth2/")), "{asked:?}");
        assert_eq!((asked.len(), asked[0].status), (1, Some(200)), "{asked:?}");
        server.clear_requests();
        // Another client's account, and another tenant than the authority's.
        let other = [&here[..], &["--tenant", FABRIKAM]].concat();
        drop(sandbox.azt(other).exits(2).says("--tenant does not apply"));
    }
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), places.len());
    assert_eq!(refreshes(&sandbox.emulator), [], "the cloud was not asked");
    // Not in the cloud's own requests, and listed in every cloud.
    let listed = sandbox.azt(["account", "list"]).success().json();
    let bound = |it: &&Value| it["user"]["authority"].is_string();
    assert_eq!(listed.as_array().unwrap().iter().filter(bound).count(), places.len());
    let out = ["logout", "--client-id", DESKTOP];
    drop(sandbox.azt(out).exits(1).says("Choose one with --username, --tenant or --authority"));
    for place in &places {
        drop(sandbox.azt([&out[..], &["--authority", place]].concat()).success());
    }
    drop(sandbox.azt(OWN_TOKEN).quiet());
    drop(sandbox.azt(out).success());
    drop(sandbox.azt(OWN_TOKEN).exits(4));
}

#[test]
fn hostile_authorities_are_refused_before_any_request() {
    let sandbox = Sandbox::new();
    let cloud = format!("{}/contoso.example", sandbox.emulator.url());
    for address in [
        cloud.as_str(),
        "https://login.microsoftonline.com/contoso.com",
        "https://login.windows.net/contoso.com/B2C_1_x",
        "http://contoso.ciamlogin.com/contoso",
        "https://contoso.b2clogin.com",
        "https://contoso.b2clogin.com@evil.example/contoso/B2C_1_x",
        "https://contoso.b2clogin.com\\.evil.example/contoso",
        "https://contoso.b2clogin.com/contoso/../evil/B2C_1_x",
        "https://contoso.b2clogin.com/contoso/%2e%2e/B2C_1_x",
        "https://contoso.b2clogin.com/contoso/B2C_1_x?x=1",
        "https://contoso.b2clogin.com/contoso/B2C_1_x#x",
        "https://contoso.b2clogin.com/contoso/B2C_1_x/oauth2",
        "https://adfs.example/adfs/oauth2",
        "https://0x7f.1/contoso",
        "contoso.ciamlogin.com",
        "",
    ] {
        let run = sandbox.azt([&OWN[..], &["--authority", address, "--use-device-code"]].concat());
        let code = run.code;
        assert!([Some(1), Some(2)].contains(&code), "{address}: {run:#?}");
        assert!(run.stderr.contains("--authority"), "{address}: {run:#?}");
    }
    assert_eq!(sandbox.requests(), Vec::<String>::new());
}

#[test]
fn options_that_do_not_fit_are_refused_with_a_sentence() {
    let sandbox = Sandbox::new();
    let own = |more: &[&'static str]| [&OWN[..], more].concat();
    for (args, says) in [
        (vec!["login", "--client-id", DESKTOP], "'--client-id' requires '--scope'"),
        (vec!["login", "--client-id", "x", "--scope", LEDGER], "is 'x', which is not a client id"),
        (vec!["login", "--client-id", AZURE_CLI, "--scope", LEDGER], "az's own client"),
        (vec!["login", "--authority", "https://a.example/t"], "require '--client-id'"),
        (vec!["login", "--redirect-uri", "http://localhost"], "require '--client-id'"),
        (own(&["-u", ALICE, "-p", "x"]), "'--username' is not applicable with '--client-id'"),
        (own(&["--subscription", PRODUCTION]), "'--subscription' is not applicable"),
        (
            vec!["login", "--identity", "--authority", "https://a.example/t"],
            "'--authority' is not applicable with '--identity'",
        ),
        (own(&["--object-id", "x"]), "Provide only one of --client-id, --object-id"),
        (own(&["--tenant", CONTOSO, "--authority", "https://a.example/t"]), "names its tenant"),
        (
            own(&["--use-device-code", "--redirect-uri", "http://localhost"]),
            "'--redirect-uri' is not",
        ),
        (
            own(&["--redirect-uri", "https://app.example/in"]),
            "azt itself receives the browser's answer",
        ),
        (own(&["--redirect-uri", "myapp://in"]), "azt itself receives the browser's answer"),
        (own(&["--redirect-uri", "http://localhost.evil.example"]), "azt itself receives"),
        (own(&["--no-browser", "--redirect-uri", "http://app.example"]), "without encryption"),
        ([&OWN_TOKEN[..], &["-s", PRODUCTION]].concat(), "Use --account with --client-id"),
        ([&TOKEN[..], &["--authority", "https://a.example/t"]].concat(), "AZT_CLIENT_ID must name"),
        ([&OWN_TOKEN[..], &["--identity-from-env"]].concat(), "Omit --client-id"),
    ] {
        drop(sandbox.azt(&args).exits(2).says(says));
    }
    // Under the name az the option is a managed identity's.
    let says = "'--client-id' is only applicable with '--identity'";
    drop(sandbox.az(OWN).exits(1).says(says));
    assert_eq!(sandbox.requests(), Vec::<String>::new());
}

#[test]
fn a_damaged_authority_in_the_profile_is_not_obeyed() {
    let sandbox = signed_in_to_both();
    let profile = sandbox.read("azureProfile.json");
    let planted = profile.replace(
        "\"type\": \"user\"",
        &format!("\"type\": \"user\", \"clientId\": \"{DESKTOP}\", \"authority\": \"https://evil.example/t\""),
    );
    assert_ne!(planted, profile);
    sandbox.write("azureProfile.json", planted);
    let run = sandbox.azt([&TOKEN[..], &GRAPH].concat()).quiet();
    assert_eq!(claims(&run)["appid"], AZURE_CLI);
    let run = sandbox.azt([&OWN_TOKEN[..], &GRAPH].concat()).quiet();
    assert_eq!(claims(&run)["appid"], DESKTOP);
}

/// An unset variable in a script must not select az's own client.
#[test]
fn an_empty_client_id_is_an_error() {
    let sandbox = Sandbox::signed_in_as_alice();
    for args in [
        &["account", "get-access-token", "--client-id", ""][..],
        &["account", "get-access-token", "--client-id="],
        &["logout", "--username", ALICE, "--client-id", ""],
        &["login", "--client-id", "", "--scope", LEDGER],
    ] {
        drop(sandbox.azt(args).exits(2).says("its value is empty"));
    }
    assert_eq!(sandbox.azt(["account", "show"]).quiet().json()["user"]["name"], ALICE);
    for way in ["--use-broker", "--integrated"] {
        let run = sandbox.azt([&OWN[..], &[way]].concat()).exits(2);
        drop(run.says(&format!("'{way}' is not applicable with '--client-id'")));
    }
}

/// The account that `account show` names is the one that is signed out.
#[test]
fn the_variable_also_names_the_account_to_sign_out() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    sandbox.azt([&OWN[..], &["--use-device-code"]].concat()).success();
    sandbox.set("AZT_CLIENT_ID", DESKTOP);
    sandbox.azt(["logout"]).success();
    drop(sandbox.azt(["logout"]).exits(4).says(DESKTOP));
    sandbox.unset("AZT_CLIENT_ID");
    assert_eq!(sandbox.azt(["account", "show"]).quiet().json()["user"]["name"], ALICE);
}
