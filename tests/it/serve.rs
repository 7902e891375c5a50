//! `azt serve`: the endpoint's answers, who may ask, and azt as a client of its socket.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::Command;

use entra_emulator::{Action, Fault};
use rexpect::session::spawn_command;
use rustix::process::Signal;
use serde_json::Value;

use crate::support::service::*;
use crate::support::*;

const KEY: &str = "X-IDENTITY-HEADER";

#[test]
fn it_prints_what_clients_need_and_closes_its_output() {
    let sandbox = Sandbox::signed_in_as_app();
    let service = Service::start(&sandbox, &["--resource", "vault"]);
    for name in [
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "AZD_AUTH_ENDPOINT",
        "AZD_AUTH_KEY",
        "ARM_MSI_ENDPOINT",
    ] {
        assert!(!service.variable(name).is_empty());
    }
    let (status, answer) = service.token("https://vault.azure.net");
    assert_eq!((status, answer["token_type"].as_str()), (200, Some("Bearer")));
    let json = Service::start(&sandbox, &["--any-resource", "--print", "json"]);
    let json: Value = serde_json::from_str(&json.printed).unwrap();
    assert_eq!(json["IDENTITY_HEADER"].as_str().unwrap().len(), 64);
    drop(sandbox.azt(["serve"]).exits(2));
    drop(sandbox.azt(["serve", "--any-resource", "--resource", "arm"]).exits(2));
    drop(sandbox.azt(["serve", "--any-resource", "--print", "docker"]).exits(2).says("--socket"));
    drop(sandbox.azt(["serve", "--any-resource", "--confirm"]).exits(1));
}

#[test]
fn it_stops_when_it_is_asked_to_and_removes_its_socket() {
    let sandbox = Sandbox::signed_in_as_app();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let socket = sandbox.root().join("s").to_str().unwrap().to_owned();
        let mut service = Service::start(&sandbox, &["--any-resource", "--socket", &socket]);
        let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        service.signal(signal);
        assert_eq!(service.child.wait().unwrap().code(), Some(0), "{signal:?}");
        assert!(!std::fs::exists(&socket).unwrap());
    }
}

#[test]
fn an_ignored_signal_stays_ignored() {
    let sandbox = Sandbox::signed_in_as_app();
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP INT; exec \"$0\" serve --any-resource"]);
    command.arg(env!("CARGO_BIN_EXE_azt")).env_clear().envs(sandbox.env());
    let mut service = Service::of(command, &[]);
    service.signal(Signal::HUP);
    service.signal(Signal::INT);
    assert_eq!(service.token("https://vault.azure.net").0, 200);
    service.signal(Signal::TERM);
    assert_eq!(service.child.wait().unwrap().code(), Some(0));
}

#[test]
fn only_programs_that_know_the_key_get_a_token() {
    let sandbox = Sandbox::signed_in_as_app();
    let service = Service::start(&sandbox, &["--resource", "https://vault.azure.net"]);
    let (port, key) = (service.port(), service.variable("IDENTITY_HEADER"));
    let path = "/token?api-version=2019-08-01&resource=https://vault.azure.net";
    let own = (KEY, key.as_str());
    for (headers, what) in [
        (vec![], "no key"),
        (vec![(KEY, "x")], "a wrong key"),
        (vec![(KEY, &key[..63])], "a part of the key"),
        (vec![own, ("Origin", "http://evil.example")], "a web page"),
        (vec![own, ("Origin", "null")], "a sandboxed page"),
        (vec![own, ("Sec-Fetch-Site", "same-origin")], "a browser"),
        (vec![own, ("X-Forwarded-For", "10.0.0.1")], "a proxy"),
    ] {
        let (status, answer) = get(port, path, &headers);
        assert_eq!(status, 403, "{what}: {answer}");
        for member in ["error", "error_description", "statusCode", "message"] {
            assert!(!answer[member].is_null(), "{what}: {member}");
        }
    }
    // A name of the attacker's that points here.
    for host in
        ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example"]
    {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (status, _) = exchange(&mut stream, "GET", path, &[("Host", host), own], "");
        assert_eq!(status, 403, "{host}");
    }
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let own_host = format!("127.0.0.1:{port}");
    let two = [("Host", own_host.as_str()), ("Host", "evil.example"), own];
    assert!(exchange(&mut stream, "GET", path, &two, "").0 >= 400);
    let by_name = format!("localhost:{port}");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    assert_eq!(exchange(&mut stream, "GET", path, &[("Host", by_name.as_str()), own], "").0, 200);
    for (path, expected) in [
        ("/token", 400),
        ("/token?resource=", 400),
        ("/token?resource=https://graph.microsoft.com", 403),
        ("/token?resource=https://vault.azure.net.evil.example", 403),
        ("/token/?resource=https://vault.azure.net/", 200),
        ("/?resource=https://vault.azure.net", 400),
        ("/azt/settings", 400),
        ("/metadata/identity/oauth2/token?resource=https://vault.azure.net", 400),
        ("/token?resource=https%3A%2F%2Fvault.azure.net&client_id=any", 200),
        ("/token?resource=%ff%fe", 403),
    ] {
        assert_eq!(get(port, path, &[own]).0, expected, "{path}");
    }
    // Terraform's provider sends no key: its address ends with it.
    let of_terraform = service.variable("ARM_MSI_ENDPOINT");
    let (_, path) = of_terraform.rsplit_once(&port.to_string()).unwrap();
    for (path, expected) in [
        (path.to_owned(), 200),
        (format!("{path}/"), 200),
        (format!("{path}0"), 403),
        (format!("/token/{}", &key[..63]), 403),
        (format!("{path}/{key}"), 403),
        ("/token//".to_owned(), 403),
    ] {
        let asked = format!("{path}?api-version=2018-02-01&resource=https://vault.azure.net");
        assert_eq!(get(port, &asked, &[]).0, expected, "{path}");
    }
    let of_azd = [("Authorization", &*format!("Bearer {key}"))];
    for (body, status) in [
        (r#"{"scopes":["https://vault.azure.net/.default"]}"#, 200),
        (r#"{"scopes":["https://graph.microsoft.com/.default"]}"#, 200),
        (
            r#"{"scopes":["https://vault.azure.net/.default","https://graph.microsoft.com/.default"]}"#,
            200,
        ),
        (r#"{"scopes":[]}"#, 400),
        ("{}", 400),
        ("[", 400),
    ] {
        let (found, answer) = post(port, "/token", &of_azd, body);
        assert_eq!(found, status, "{body}");
        let is_refused = status != 200 || body.contains("graph");
        assert_eq!(answer["status"], if is_refused { "error" } else { "success" }, "{body}");
    }
    assert_eq!(post(port, "/token", &[("Authorization", "Bearer x")], "{}").0, 401);
    assert_eq!(post(port, "/token", &of_azd, &"x".repeat(70_000)).0, 413);
}

#[test]
fn failures_are_told_so_that_sdks_repeat_only_the_passing_ones() {
    let sandbox = Sandbox::signed_in_as_alice();
    let service = Service::start(&sandbox, &["--any-resource"]);
    let revoked = refusal("invalid_grant", 50173, "The grant was revoked.");
    sandbox.emulator.faults().push(Fault::on("/token", revoked));
    let (status, answer) = service.token("https://vault.azure.net");
    assert_eq!(status, 400);
    assert!(answer["message"].as_str().unwrap().contains("AADSTS50173"), "{answer}");
    sandbox.emulator.faults().clear();
    sandbox.emulator.clear_requests();
    // A refusal is remembered for some seconds.
    assert_eq!(service.token("https://vault.azure.net").0, 400);
    assert_eq!(sandbox.requests(), [] as [String; 0]);
    // One that passes, which SDKs repeat.
    let busy = Action::Answer { status: 503, headers: Default::default(), body: String::new() };
    sandbox.emulator.faults().push(Fault::on("/token", busy));
    assert_eq!(service.token("https://storage.azure.com").0, 503);
}

#[test]
fn a_sign_out_ends_what_is_handed_out() {
    let sandbox = Sandbox::signed_in_as_app();
    let service = Service::start(&sandbox, &["--any-resource"]);
    assert_eq!(service.token("https://vault.azure.net").0, 200);
    sandbox.azt(["logout", "--username", APP, "--yes"]).success();
    assert_eq!(service.token("https://graph.microsoft.com").0, 400);
}

#[test]
fn a_thousand_callers_of_an_expired_token_are_one_request() {
    let sandbox = Sandbox::signed_in_as_app();
    // Good for two seconds: five minutes are promised.
    sandbox.emulator.settings_mut(|settings| settings.token_lifetime = 302);
    let service = Service::start(&sandbox, &["--any-resource"]);
    let (_, former) = service.token("https://vault.azure.net");
    sandbox.emulator.settings_mut(|settings| settings.token_lifetime = 3599);
    let expires_on: i64 = former["expires_on"].as_str().unwrap().parse().unwrap();
    while chrono::Utc::now().timestamp() <= expires_on - 300 {
        std::thread::yield_now();
    }
    sandbox.emulator.clear_requests();
    let (port, key) = (service.port(), service.variable("IDENTITY_HEADER"));
    let mut clients: Vec<TcpStream> = Vec::new();
    for _ in 0..1000 {
        let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let request = format!(
            "GET /token?resource=https://vault.azure.net HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{KEY}: {key}\r\nConnection: close\r\n\r\n"
        );
        client.write_all(request.as_bytes()).unwrap();
        clients.push(client);
    }
    let mut answers = std::collections::BTreeSet::new();
    for mut client in clients {
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answers.insert(
            answer.split("access_token\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned(),
        );
    }
    assert_eq!(answers.len(), 1);
    assert!(!answers.contains(former["access_token"].as_str().unwrap()));
    assert_eq!(sandbox.requests(), ["POST token client_credentials"]);
}

#[test]
fn a_token_is_renewed_once_while_it_is_handed_out() {
    let sandbox = Sandbox::signed_in_as_app();
    // Due for a renewal after a second, the least that counts.
    sandbox.emulator.settings_mut(|settings| settings.refresh_in = Some(1));
    let service = Service::start(&sandbox, &["--any-resource"]);
    let (_, first) = service.token("https://vault.azure.net");
    sandbox.emulator.settings_mut(|settings| settings.refresh_in = None);
    sandbox.emulator.clear_requests();
    let delay = Action::Delay { milliseconds: 500 };
    sandbox.emulator.faults().push(Fault::on("/token", delay));
    let is_first =
        || service.token("https://vault.azure.net").1["access_token"] == first["access_token"];
    // Everybody gets the former one until the request that one caller caused is answered.
    let began = std::time::Instant::now();
    let mut served = 0;
    while sandbox.requests().is_empty() || is_first() {
        served += u32::from(is_first());
        assert!(began.elapsed().as_secs() < 30, "it is never renewed");
    }
    assert!(served > 0, "{served} callers during the renewal");
    assert_eq!(sandbox.requests(), ["POST token client_credentials"]);
}

#[test]
fn silent_and_slow_connections_keep_nobody_out() {
    let sandbox = Sandbox::signed_in_as_app();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 300; exec \"$0\" serve --any-resource"]);
    command.arg(env!("CARGO_BIN_EXE_azt")).env_clear().envs(sandbox.env());
    let service = Service::of(command, &[]);
    assert_eq!(service.token("https://vault.azure.net").0, 200);
    // As many as this process may have, ten thousand at most.
    let mut silent: Vec<TcpStream> = Vec::new();
    while silent.len() < 10_000
        && let Ok(stream) = TcpStream::connect(("127.0.0.1", service.port()))
    {
        silent.push(stream);
    }
    silent.truncate(silent.len() - 50);
    assert!(silent.len() > 500, "{}", silent.len());
    assert_eq!(service.token("https://vault.azure.net").0, 200);
    drop(silent);
    // One that never reads its answers.
    let (port, key) = (service.port(), service.variable("IDENTITY_HEADER"));
    let mut slow = TcpStream::connect(("127.0.0.1", port)).unwrap();
    slow.set_nonblocking(true).unwrap();
    let request = format!(
        "GET /token?resource=https://vault.azure.net HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{KEY}: {key}\r\n\r\n"
    );
    while slow.write(request.as_bytes()).is_ok() {}
    assert_eq!(service.token("https://vault.azure.net").0, 200);
    // Not HTTP at all.
    for text in ["\0\0\0", "GET", "GET / HTTP/9.9\r\n\r\n", "\r\n\r\n\r\n"] {
        let mut odd = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let _ = odd.write_all(text.as_bytes());
    }
    let mut long = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let _ = long.write_all(format!("GET /{} HTTP/1.1\r\n", "x".repeat(100_000)).as_bytes());
    assert_eq!(service.token("https://vault.azure.net").0, 200);
}

/// A socket of a running service, and a machine that has nothing else.
fn remote(sandbox: &Sandbox, options: &[&str]) -> (Service, impl Fn(&[&str]) -> Run) {
    let socket = sandbox.root().join("azt.sock").to_str().unwrap().to_owned();
    let service = Service::start(sandbox, &[&["--socket", &socket], options].concat());
    assert_eq!(service.printed, format!("export AZT_BROKER=unix:{socket}\n"));
    let root = sandbox.root().to_owned();
    let run = move |words: &[&str]| {
        let mut command = Command::new(root.join("bin/az"));
        let program = words[0];
        let binary =
            if program == "az" { root.join("bin/az") } else { env!("CARGO_BIN_EXE_azt").into() };
        if program != "az" {
            command = Command::new(binary);
        }
        command.args(&words[1..]).env_clear().env("AZT_BROKER", format!("unix:{socket}"));
        Run::of(command.current_dir("/"))
    };
    (service, run)
}

#[test]
fn azt_at_a_socket_needs_neither_vault_nor_home() {
    let sandbox = Sandbox::signed_in_as_alice();
    let (_service, run) = remote(&sandbox, &["--any-resource"]);
    let token = ["az", "account", "get-access-token", "--resource", "https://vault.azure.net"];
    let there = run(&token).quiet().json();
    let here = sandbox.az(&token[1..]).quiet().json();
    assert_eq!(there, here);
    for words in [
        &["account", "show"][..],
        &["account", "list"],
        &["account", "list", "-o", "table"],
        &["account", "show", "--query", "user.name", "-o", "tsv"],
        &["cloud", "show", "--query", "name"],
    ] {
        let of_az = |program| [&[program], words].concat();
        run(&of_az("az")).success().prints(&sandbox.az(words).success().stdout);
        run(&of_az("azt")).success().prints(&sandbox.azt(words).success().stdout);
    }
    let who = run(&["azt", "whoami", "-o", "json"]).quiet().json();
    assert_eq!(who["account"]["name"], ALICE);
    assert_eq!(
        run(&["azt", "token", "graph"]).quiet().stdout,
        sandbox.azt(["token", "graph"]).quiet().stdout
    );
    sandbox.emulator.clear_requests();
    let new = run(&["azt", "token", "graph", "--force-refresh"]).quiet().stdout;
    assert_eq!(sandbox.requests(), ["POST token refresh_token"]);
    run(&["azt", "token", "graph"]).quiet().prints(&new);
    sandbox.azt(["token", "graph"]).quiet().prints(&new);
    // The same failures, with their kind.
    let words = ["account", "get-access-token", "--tenant", "nope.example"];
    let (there, here) = (run(&[&["azt"], &words[..]].concat()), sandbox.azt(words));
    assert_eq!(there.code, here.code);
    let first = |run: &Run| run.stderr.split(" Trace ID").next().unwrap().to_owned();
    assert_eq!(first(&there), first(&here));
    for words in [
        &["login"][..],
        &["logout"],
        &["account", "clear"],
        &["switch", "x"],
        &["cache", "list"],
        &["config", "set", "core.output=json"],
    ] {
        drop(run(&[&["azt"], words].concat()).exits(2).says("AZT_BROKER"));
    }
    drop(run(&["azt", "exec", "--", "true"]).quiet());
    let doctor = run(&["azt", "doctor"]).quiet().stdout;
    assert!(doctor.contains("come from the azt at"), "{doctor}");
}

#[test]
fn a_served_azt_serves_again() {
    let sandbox = Sandbox::signed_in_as_app();
    let first = sandbox.root().join("first").to_str().unwrap().to_owned();
    let _first = Service::start(&sandbox, &["--any-resource", "--socket", &first]);
    let second = sandbox.root().join("second").to_str().unwrap().to_owned();
    let mut command = sandbox.command(["serve", "--resource", "vault", "--socket", &second]);
    command.env("AZT_BROKER", format!("unix:{first}"));
    let _second = Service::of(command, &["--socket", &second]);
    let mut command = sandbox.command(["token", "vault"]);
    let run = Run::of(command.env("AZT_BROKER", format!("unix:{second}"))).quiet();
    sandbox.azt(["token", "vault"]).quiet().prints(&run.stdout);
    let mut command = sandbox.command(["token", "storage"]);
    drop(Run::of(command.env("AZT_BROKER", format!("unix:{second}"))).exits(6));
}

#[test]
fn a_socket_hands_out_one_accounts_tokens_for_its_resources() {
    let sandbox = Sandbox::signed_in_as_alice();
    sandbox.login_app().success();
    let audit = sandbox.root().join("audit").to_str().unwrap().to_owned();
    let options = ["--resource", "vault", "--account", ALICE, "--audit", &audit];
    let (service, run) = remote(&sandbox, &options);
    drop(run(&["azt", "token", "vault"]).quiet());
    drop(run(&["azt", "token", "graph"]).exits(6).says("--resource"));
    drop(run(&["azt", "token", "vault", "--account", APP]).exits(4));
    let users: Value = run(&["azt", "account", "list", "--query", "[].user.name"]).success().json();
    assert!(users.as_array().unwrap().iter().all(|name| name == ALICE), "{users}");
    let (status, answer) = get_at(service.socket.as_ref().unwrap(), "/azt/settings");
    assert_eq!(status, 200);
    assert!(!answer.to_string().contains(APP), "nothing of another account: {answer}");
    let text = std::fs::read_to_string(&audit).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1, "{text}");
    assert_eq!(lines[0]["account"], ALICE);
    assert_eq!(lines[0]["program"], "azt");
    assert_eq!(lines[0]["resource"], "https://vault.azure.net/.default");
    assert!(lines[0]["tenant"].is_string(), "{text}");
    assert!(lines[0]["pid"].is_number() && !text.contains("eyJ"), "{text}");
    assert_eq!(std::fs::metadata(&audit).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn another_user_gets_nothing_unless_allowed() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: needs root to be another user");
    }
    let sandbox = Sandbox::signed_in_as_app();
    std::fs::set_permissions(sandbox.root(), PermissionsExt::from_mode(0o711)).unwrap();
    let ask = |socket: &str, uid: &str| {
        let mut command = Command::new("setpriv");
        command.args([
            "--clear-groups",
            "--regid",
            uid,
            "--reuid",
            uid,
            "curl",
            "-s",
            "--unix-socket",
            socket,
        ]);
        command.arg("http://localhost/token?resource=https://vault.azure.net");
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let socket = sandbox.root().join("own").to_str().unwrap().to_owned();
    let _own = Service::start(&sandbox, &["--any-resource", "--socket", &socket]);
    assert_eq!(ask(&socket, "54321"), "");
    // Even if somebody opens its mode; then with a sentence.
    std::fs::set_permissions(&socket, PermissionsExt::from_mode(0o666)).unwrap();
    assert!(ask(&socket, "54321").contains("azt serve --allow-uid 54321"));
    assert!(ask(&socket, "0").contains("access_token"));
    let socket = sandbox.root().join("lent").to_str().unwrap().to_owned();
    let _lent =
        Service::start(&sandbox, &["--any-resource", "--socket", &socket, "--allow-uid", "54321"]);
    assert!(ask(&socket, "54321").contains("access_token"));
    assert!(ask(&socket, "54322").contains("access_denied"));
}

#[test]
fn a_socket_of_others_and_other_files_are_left_alone() {
    let sandbox = Sandbox::signed_in_as_app();
    let path = sandbox.root().join("s");
    let serve = ["serve", "--any-resource", "--socket", path.to_str().unwrap()];
    std::fs::write(&path, "mine").unwrap();
    drop(sandbox.azt(serve).exits(1).says("another kind"));
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    std::fs::remove_file(&path).unwrap();
    let listener = UnixListener::bind(&path).unwrap();
    drop(sandbox.azt(serve).exits(1).says("another program listens"));
    drop(listener);
    // Left by a dead server.
    let service = Service::start(&sandbox, &serve[1..]);
    assert_eq!(get_at(&path, "/token?resource=https://vault.azure.net").0, 200);
    drop(service);
    let missing = ["serve", "--any-resource", "--socket", "/nonexistent/s"];
    drop(sandbox.azt(missing).exits(1).says("does not exist"));
}

#[test]
fn the_person_is_asked_once_for_each_resource() {
    let sandbox = Sandbox::signed_in_as_app();
    let socket = sandbox.root().join("s").to_str().unwrap().to_owned();
    let command = sandbox.command(["serve", "--any-resource", "--confirm", "--socket", &socket]);
    let mut session = spawn_command(command, Some(30_000)).unwrap();
    session.exp_string("AZT_BROKER").unwrap();
    let ask = |resource: &str| {
        let (socket, path) = (socket.clone(), format!("/token?resource={resource}"));
        std::thread::spawn(move || get_at(socket.as_ref(), &path).0)
    };
    let asked = ask("https://vault.azure.net");
    session.exp_string("Allow tokens for https://vault.azure.net").unwrap();
    session.send("y\r").unwrap();
    session.flush().unwrap();
    assert_eq!(asked.join().unwrap(), 200);
    assert_eq!(ask("https://vault.azure.net/").join().unwrap(), 200, "not asked again");
    // Keys that were pressed before the question answer nothing.
    session.send("y\r").unwrap();
    session.flush().unwrap();
    // The answer counts although the first client has gone.
    let mut gone = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    gone.write_all(
        b"GET /token?resource=https://storage.azure.com HTTP/1.1\r\nHost: localhost\r\n\r\n",
    )
    .unwrap();
    session.exp_string("Allow tokens for https://storage.azure.com").unwrap();
    drop(gone);
    session.exp_string("(y/N)").unwrap();
    session.send("y\r").unwrap();
    session.flush().unwrap();
    assert_eq!(ask("https://storage.azure.com").join().unwrap(), 200);
    let asked = ask("https://graph.microsoft.com");
    session.exp_string("Allow tokens for https://graph.microsoft.com").unwrap();
    session.send("\r").unwrap();
    session.flush().unwrap();
    assert_eq!(asked.join().unwrap(), 403, "no is the default");
    assert_eq!(ask("https://graph.microsoft.com").join().unwrap(), 403);
}

#[test]
fn lines_for_containers_name_the_socket_and_this_program() {
    let sandbox = Sandbox::signed_in_as_app();
    for (shape, parts) in [
        (
            "docker",
            &[
                "docker run --mount",
                "target=/usr/local/bin/az,readonly",
                "AZT_BROKER=unix:/run/azt.sock",
            ][..],
        ),
        ("compose", &["environment:", "AZT_BROKER: unix:/run/azt.sock", "volumes:"]),
        ("devcontainer", &["\"mounts\": [", "\"remoteEnv\""]),
        ("kubernetes", &["hostPath:", "type: Socket", "readOnly: true"]),
    ] {
        let socket = sandbox.root().join(shape).to_str().unwrap().to_owned();
        let service =
            Service::start(&sandbox, &["--any-resource", "--socket", &socket, "--print", shape]);
        for part in parts.iter().chain(&[socket.as_str()]) {
            assert!(service.printed.contains(part), "{part}: {}", service.printed);
        }
    }
}
