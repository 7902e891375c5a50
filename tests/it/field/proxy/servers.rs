//! Sign-ins through common proxy servers.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};

use super::{Recorder, carry};
use crate::support::*;

/// A listening program, killed on drop.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A free port.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Starts `program` and waits until it listens at `port`; `None` if it is not installed.
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn listening(program: &str, arguments: &[&str], port: u16) -> Option<Server> {
    let command = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(child) = command else {
        eprintln!("not tried: {program} is not installed; tests/run installs it");
        return None;
    };
    let server = Server(child);
    let started = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(started.elapsed() < Duration::from_secs(60), "{program} does not listen");
        std::thread::sleep(Duration::from_millis(10));
    }
    Some(server)
}

/// Signs in through this proxy, and checks that curl gets through too.
#[track_caller]
fn signs_in(sandbox: &Sandbox, proxy: &str, says: Option<&str>) {
    sandbox.emulator.clear_requests();
    let ca = &sandbox.env()["REQUESTS_CA_BUNDLE"];
    let mut curl = Command::new("curl");
    curl.args([
        "-sS",
        "--cacert",
        ca,
        "--proxy-cacert",
        ca,
        &format!("{}/tenants", sandbox.emulator.url()),
    ]);
    let curl = Run::of(curl.env_clear().env("HTTPS_PROXY", proxy));
    assert_eq!(curl.code == Some(0), says.is_none(), "{proxy}: {curl:?}");
    sandbox.emulator.clear_requests();
    let run = Run::of(sandbox.command(LOGIN_APP).env("HTTPS_PROXY", proxy));
    assert!(!run.stderr.contains("hunter2"), "{run:?}");
    match says {
        None => assert_eq!(run.code, Some(0), "{proxy}: {run:?}"),
        Some(says) => {
            drop(run.exits(7).says(says));
            assert_eq!(sandbox.requests(), Vec::<String>::new(), "{proxy}");
        }
    }
}

#[test]
fn an_http_proxy_is_used() {
    let sandbox = Sandbox::new();
    for user in [None, Some("jo hunter2")] {
        let (port, log) = (free_port(), sandbox.root().join("tinyproxy.log"));
        let mut settings = format!(
            "Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nAllow 127.0.0.1\nLogLevel Connect\nLogFile \"{}\"\n",
            log.display()
        );
        settings.extend(user.map(|user| format!("BasicAuth {user}\n")));
        let file = sandbox.root().join("tinyproxy.conf");
        std::fs::write(&file, settings).unwrap();
        let arguments = ["-d", "-c", file.to_str().unwrap()];
        let Some(_server) = listening("tinyproxy", &arguments, port) else { return };
        let at = |user: &str| format!("http://{user}127.0.0.1:{port}");
        if user.is_none() {
            signs_in(&sandbox, &at(""), None);
            let log = std::fs::read_to_string(&log).unwrap();
            assert!(log.contains(&sandbox.emulator.url().replace("https://", "CONNECT ")), "{log}");
        } else {
            signs_in(&sandbox, &at("jo:hunter2@"), None);
            signs_in(&sandbox, &at("j%6F:hunter2@"), None);
            signs_in(
                &sandbox,
                &at(""),
                Some("wants a user name and a password: set HTTPS_PROXY to http:"),
            );
            signs_in(
                &sandbox,
                &at("jo:hunter22@"),
                Some("The proxy refused the connection: HTTPS_PROXY=http://…@127.0.0.1:"),
            );
        }
    }
}

#[test]
fn a_socks_5_proxy_is_used() {
    let sandbox = Sandbox::new();
    let open = free_port();
    let Some(_server) =
        listening("microsocks", &["-i", "127.0.0.1", "-p", &open.to_string()], open)
    else {
        return;
    };
    let closed = free_port();
    let arguments =
        ["-i", "127.0.0.1", "-p", &closed.to_string(), "-u", "jo@corp", "-P", "hunter2^ä %"];
    let _server = listening("microsocks", &arguments, closed);
    for scheme in ["socks5", "socks5h", "SOCKS5H"] {
        signs_in(&sandbox, &format!("{scheme}://127.0.0.1:{open}"), None);
        signs_in(
            &sandbox,
            &format!("{scheme}://jo%40corp:hunter2%5e%C3%a4%20%25@127.0.0.1:{closed}"),
            None,
        );
        let wrong = format!("{scheme}://jo:hunter2@127.0.0.1:{closed}");
        signs_in(
            &sandbox,
            &wrong,
            Some("does not accept this user name and password: HTTPS_PROXY=socks5"),
        );
        let nobody = format!("{scheme}://127.0.0.1:{closed}");
        signs_in(&sandbox, &nobody, Some("wants a user name and a password"));
    }
}

#[test]
fn a_socks_4_proxy_is_used() {
    let sandbox = Sandbox::new();
    let port = free_port();
    let file = sandbox.root().join("danted.conf");
    let settings = format!(
        "logoutput: /dev/null\ninternal: 127.0.0.1 port = {port}\nexternal: 127.0.0.1\nclientmethod: none\nsocksmethod: none\nclient pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}\nsocks pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}\n"
    );
    std::fs::write(&file, settings).unwrap();
    let Some(_server) = listening("/usr/sbin/danted", &["-f", file.to_str().unwrap()], port) else {
        return;
    };
    for scheme in ["socks4", "socks5", "socks5h"] {
        signs_in(&sandbox, &format!("{scheme}://127.0.0.1:{port}"), None);
    }
}

/// dante does not support SOCKS 4a, so the test parses the request (`0.0.0.x`, a user, the name).
#[test]
fn socks_4a_leaves_the_name_to_the_proxy() {
    let sandbox = Sandbox::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let (mut request, mut byte) = (Vec::new(), [0]);
                while request.len() < 9 || request[8..].iter().filter(|it| **it == 0).count() < 2 {
                    client.read_exact(&mut byte).unwrap();
                    request.push(byte[0]);
                }
                assert_eq!((&request[..2], &request[4..7]), (&[4, 1][..], &[0, 0, 0][..]));
                let name = request[8..].split(|it| *it == 0).nth(1).unwrap();
                assert_eq!(name, b"localhost");
                let port = u16::from_be_bytes([request[2], request[3]]);
                let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
                client.write_all(&[0, 90, 0, 0, 0, 0, 0, 0]).unwrap();
                carry(client.try_clone().unwrap(), client, server);
            });
        }
    });
    signs_in(&sandbox, &format!("socks4a://127.0.0.1:{port}"), None);
}

/// The proxy's certificate is issued by its own authority; socat terminates TLS.
#[test]
fn a_tls_proxy_is_used() {
    let mut sandbox = Sandbox::new();
    let behind = Recorder::start();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap().pem();
    let pem = sandbox.root().join("proxy.pem");
    std::fs::write(&pem, format!("{certificate}{}", key.serialize_pem())).unwrap();
    let port = free_port();
    let listen = format!(
        "OPENSSL-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,verify=0,cert={}",
        pem.display()
    );
    let target = format!("TCP:127.0.0.1:{}", behind.port);
    let Some(_server) = listening("socat", &[&listen, &target], port) else { return };
    let proxy = format!("https://jo:hunter2@localhost:{port}");
    signs_in(&sandbox, &proxy, Some("or of the proxy HTTPS_PROXY=https://…@localhost:"));
    assert_eq!(behind.take(), None);
    let ca = sandbox.env()["REQUESTS_CA_BUNDLE"].clone();
    let both = sandbox.root().join("both.pem");
    std::fs::write(&both, std::fs::read_to_string(ca).unwrap() + &certificate).unwrap();
    sandbox.set("REQUESTS_CA_BUNDLE", both.to_str().unwrap());
    signs_in(&sandbox, &proxy, None);
    assert_eq!(behind.take().as_deref(), Some("jo:hunter2"));
    let without_tls = format!("https://localhost:{}", behind.port);
    signs_in(&sandbox, &without_tls, Some("does not speak TLS: write http:// in HTTPS_PROXY"));
}
