//! A running `azt serve`, and requests to it over TCP or a Unix socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::Sandbox;

/// An `azt serve` that is killed on drop.
pub struct Service {
    pub child: Child,
    /// What it printed.
    pub printed: String,
    pub socket: Option<PathBuf>,
}

impl Service {
    /// Starts `azt serve` with `options`, and reads what it prints to the end.
    pub fn start(sandbox: &Sandbox, options: &[&str]) -> Self {
        Self::of(sandbox.command(["serve"].iter().chain(options)), options)
    }

    pub fn of(mut command: Command, options: &[&str]) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut printed = String::new();
        // Ends although the program goes on.
        child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        let at = options.iter().position(|it| *it == "--socket");
        let socket = at.map(|at| PathBuf::from(options[at + 1]));
        if printed.is_empty() {
            let mut error = String::new();
            child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
            panic!("{error}");
        }
        Self { child, printed, socket }
    }

    /// The value of a printed `export NAME=VALUE`.
    pub fn variable(&self, name: &str) -> String {
        let start = format!("export {name}=");
        let line = self.printed.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap_or_else(|| panic!("no {name} in {}", self.printed)).to_owned()
    }

    pub fn port(&self) -> u16 {
        port_of(&self.variable("IDENTITY_ENDPOINT"))
    }

    /// A token for `resource`, as SDKs ask.
    pub fn token(&self, resource: &str) -> (u16, Value) {
        let (port, key) = (self.port(), self.variable("IDENTITY_HEADER"));
        let head = [("X-IDENTITY-HEADER", key.as_str()), ("Metadata", "true")];
        get(port, &format!("/token?api-version=2019-08-01&resource={resource}"), &head)
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal)
            .unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn port_of(url: &str) -> u16 {
    url.rsplit(':').next().unwrap().split('/').next().unwrap().parse().unwrap()
}

/// GET of `path` at a port of 127.0.0.1, with these headers besides `Host`.
pub fn get(port: u16, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let host = format!("127.0.0.1:{port}");
    let mut stream = TcpStream::connect(&host).unwrap();
    exchange(&mut stream, "GET", path, &[&[("Host", host.as_str())], headers].concat(), "")
}

/// POST of `body`.
pub fn post(port: u16, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
    let host = format!("127.0.0.1:{port}");
    let mut stream = TcpStream::connect(&host).unwrap();
    exchange(&mut stream, "POST", path, &[&[("Host", host.as_str())], headers].concat(), body)
}

/// GET at a Unix socket.
pub fn get_at(socket: &Path, path: &str) -> (u16, Value) {
    let mut stream = UnixStream::connect(socket).unwrap();
    exchange(&mut stream, "GET", path, &[("Host", "localhost")], "")
}

/// Writes a request and reads the answer.
pub fn exchange(
    stream: &mut (impl Read + Write),
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, Value) {
    let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    answer.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {line}"));
    let status = status.parse().unwrap();
    let mut rest = String::new();
    answer.read_to_string(&mut rest).unwrap();
    let body = rest.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}
