//! Proxies: the route of a request, the settings understood, and that no request bypasses one.

mod servers;
mod settings;

use std::io::{BufRead, BufReader, Read, Write, copy};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::support::*;

/// An open proxy that records its requests.
struct Recorder {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let noted = Arc::clone(&heads);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let noted = Arc::clone(&noted);
                std::thread::spawn(move || tunnel(client, &noted));
            }
        });
        Self { port, heads }
    }

    /// The last user name and password, as Rust's byte-string escapes; `None` if there was no
    /// request.
    fn take(&self) -> Option<String> {
        let heads = std::mem::take(&mut *self.heads.lock().unwrap());
        let head = heads.iter().rfind(|head| head.starts_with("CONNECT "))?;
        let header = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("proxy-authorization").then_some(value)
        });
        let user = header.and_then(|value| value.strip_prefix("Basic ")).unwrap_or_default();
        Some(STANDARD.decode(user).unwrap().escape_ascii().to_string())
    }
}

fn tunnel(mut client: TcpStream, noted: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|length| length > 2) {}
    let target = head.split_whitespace().nth(1).unwrap_or_default().to_owned();
    noted.lock().unwrap().push(head);
    let Ok(server) = TcpStream::connect(&target) else {
        let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        return;
    };
    let _ = client.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
    carry(reader, client, server);
}

/// Copies bytes both ways until both ends close.
fn carry(mut from_client: impl Read, mut to_client: TcpStream, server: TcpStream) {
    let (mut from_server, mut to_server) = (server.try_clone().unwrap(), server);
    std::thread::spawn(move || {
        let _ = copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    let _ = copy(&mut from_client, &mut to_server);
    let _ = to_server.shutdown(Shutdown::Both);
}

/// The bench: an emulated cloud, a proxy, and the three programs.
struct Bench {
    sandbox: Sandbox,
    proxy: Recorder,
}

impl Bench {
    fn new() -> Self {
        Self { sandbox: Sandbox::new(), proxy: Recorder::start() }
    }

    fn port(&self) -> &str {
        self.sandbox.emulator.url().rsplit(':').next().unwrap()
    }

    /// Runs `command` with these variables; returns its route to the emulator at `host` and its output.
    fn way(&self, mut command: Command, vars: &[(&str, &str)]) -> (Option<String>, bool, Run) {
        for (name, value) in vars {
            let proxy = format!("127.0.0.1:{}", self.proxy.port);
            command.env(name, value.replace("PROXY", &proxy).replace("PORT", self.port()));
        }
        self.sandbox.emulator.clear_requests();
        self.proxy.take();
        let run = Run::of(&mut command);
        (self.proxy.take(), !self.sandbox.requests().is_empty(), run)
    }
}

/// No kind of request falls back to a direct connection.
#[test]
fn no_request_bypasses_an_unusable_proxy() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    let assertion = sandbox.root().join("assertion");
    std::fs::write(&assertion, "x").unwrap();
    let url = format!("{}/", sandbox.emulator.url());
    let value = "\"http://jo:hunter2@proxy.example:3128\"";
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        sandbox.set(variable, value);
        let resource = ["--resource", "https://vault.azure.net"];
        for arguments in [
            &LOGIN_APP[..],
            &["login", "--use-device-code"],
            &["login", "-u", ALICE, "-p", "x"],
            &[&["account", "get-access-token"][..], &resource].concat(),
            &["account", "list-locations"],
            &["account", "tenant", "list"],
            &["account", "list", "--refresh"],
            &["cloud", "register", "-n", "Other", "--endpoint-resource-manager", &url],
        ] {
            let run = sandbox.azt(arguments);
            assert!(
                run.stderr.contains(&format!("{variable} is in quotes")),
                "{arguments:?}: {run:?}"
            );
            assert!(!run.stderr.contains("hunter2"), "{arguments:?}: {run:?}");
            assert_eq!(sandbox.requests(), Vec::<String>::new(), "{arguments:?}");
        }
        let doctor = sandbox.azt(["doctor", "-o", "json"]);
        let all = doctor.json();
        let check = all.as_array().unwrap().iter().find(|it| it["check"] == "proxy").unwrap();
        assert_eq!(check["state"], "failure", "{check}");
        assert!(check["text"].as_str().unwrap().contains(variable), "{check}");
        assert!(!doctor.stdout.contains("hunter2"), "{doctor:?}");
        assert_eq!(sandbox.requests(), Vec::<String>::new());
        sandbox.unset(variable);
    }
}

#[test]
fn debug_and_doctor_name_the_route_and_its_reason() {
    let mut bench = Bench::new();
    let proxy = format!("127.0.0.1:{}", bench.proxy.port);
    let host = format!("localhost:{}", bench.port());
    for (vars, way) in [
        (vec![], "directly (no proxy is set)".to_owned()),
        (vec![("ALL_PROXY", &proxy)], format!("through ALL_PROXY=http://{proxy}")),
        (
            vec![("https_proxy", &format!("http://jo:hunter2@{proxy}/"))],
            format!("through https_proxy=http://…@{proxy}"),
        ),
        (
            vec![("HTTPS_PROXY", &proxy), ("NO_PROXY", &"a.example,.localhost".to_owned())],
            "directly (NO_PROXY has .localhost)".to_owned(),
        ),
    ] {
        for (name, value) in &vars {
            bench.sandbox.set(name, value);
        }
        let run = bench.sandbox.azt([&LOGIN_APP[..], &["--debug"]].concat()).success();
        let line = format!("{host} is asked {way}");
        assert!(run.stderr.contains(&line), "no {line} in {run:?}");
        let doctor = bench.sandbox.azt(["doctor", "--offline"]).success();
        assert!(doctor.stdout.contains(&line), "no {line} in {doctor:?}");
        assert!(!format!("{run:?}{doctor:?}").contains("hunter2"));
        for (name, _) in vars {
            bench.sandbox.unset(name);
        }
    }
}
