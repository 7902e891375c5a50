//! Programs that ask azt's endpoint for tokens: how the tests start them, and what they send.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::support::*;

/// A client id of somebody's production.
pub const ANY_CLIENT: &str = "c0ffee00-0000-4000-8000-000000000001";

/// `azt exec OPTIONS -- PROGRAM`.
pub fn exec<S: AsRef<OsStr>>(sandbox: &Sandbox, options: &[&str], program: &[S]) -> Command {
    let mut command = sandbox.command(["exec"].iter().chain(options));
    command.arg("--").args(program);
    command
}

/// The claims of the member `token` of an answer.
#[track_caller]
pub fn claims(answer: &Value) -> Value {
    claims_of(answer["token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")))
}

/// A server between a client and the endpoint, which counts what is sent.
pub struct Recorder {
    port: u16,
    requests: Arc<Mutex<Vec<Recorded>>>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// `GET /token?…`
    pub line: String,
    /// Lines of the head, in lower case.
    pub head: Vec<String>,
    pub body: String,
    pub status: u16,
}

impl Recorder {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let seen = seen.clone();
                std::thread::spawn(move || pass_on(&mut stream.unwrap(), &seen));
            }
        });
        Self { port, requests }
    }

    /// `azt exec OPTIONS -- PROGRAM`, whose requests come here first.
    pub fn exec<S: AsRef<OsStr>>(
        &self,
        sandbox: &Sandbox,
        options: &[&str],
        program: &[S],
    ) -> Command {
        // The endpoint's port becomes the first part of the path.
        let here = format!("http://127.0.0.1:{}/", self.port);
        let script = format!(
            "IDENTITY_ENDPOINT={here}${{IDENTITY_ENDPOINT##*:}} ARM_MSI_ENDPOINT={here}${{ARM_MSI_ENDPOINT##*:}} exec \"$@\""
        );
        let mut command = exec(sandbox, options, &["sh", "-c", &script, "sh"]);
        command.args(program);
        command
    }

    /// What came since the last call.
    pub fn take(&self) -> Vec<Recorded> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }

    /// The one request since the last call.
    #[track_caller]
    pub fn one(&self) -> Recorded {
        let all = self.take();
        assert_eq!(all.len(), 1, "{all:#?}");
        all[0].clone()
    }
}

impl Recorded {
    pub fn header(&self, name: &str) -> Option<&str> {
        let start = format!("{name}:");
        self.head.iter().find_map(|line| line.strip_prefix(&start)).map(str::trim)
    }
}

/// Passes one request on to the port that its path begins with, and the answer back.
fn pass_on(client: &mut TcpStream, seen: &Mutex<Vec<Recorded>>) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let first = lines.remove(0);
    let (method, rest) = first.split_once(" /").unwrap();
    let (port, rest) = rest.split_once('/').unwrap();
    let is_own = |line: &&String| {
        let line = line.to_ascii_lowercase();
        !line.starts_with("host:") && !line.starts_with("connection:")
    };
    let kept = lines.iter().filter(is_own).fold(String::new(), |all, line| all + line + "\r\n");
    let head: Vec<String> = lines
        .iter()
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| format!("{}:{value}", name.to_ascii_lowercase()))
        .collect();
    let length = head.iter().find_map(|line| line.strip_prefix("content-length:"));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    let mut endpoint = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    let sent =
        format!("{method} /{rest}\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n{kept}\r\n");
    endpoint.write_all(&[sent.as_bytes(), &body].concat()).unwrap();
    let mut answer = Vec::new();
    endpoint.read_to_end(&mut answer).unwrap();
    let status = String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap().parse().unwrap();
    let line = format!("{method} /{}", rest.split_once(' ').unwrap().0);
    let body = String::from_utf8_lossy(&body).into_owned();
    seen.lock().unwrap().push(Recorded { line, head, body, status });
    let _ = client.write_all(&answer);
}
