//! Signing in with a browser. The test plays the browser, since it can send what a real one never
//! would; `tests/peers/browser.rs` has a real one.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::*;

/// A sign-in that waits for the redirect.
pub struct Waiting {
    pub child: Child,
    /// The argument given to the browser.
    pub opened: String,
    /// The authorization URL: the argument, or the link of the page that it names.
    pub url: String,
}

impl Waiting {
    /// Starts `login` with a browser that only records its argument.
    pub fn start(sandbox: &mut Sandbox, args: &[&str]) -> Self {
        let noted = browser_that_notes(sandbox);
        let mut command = sandbox.command(["login"].iter().chain(args));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self::of(command, &noted)
    }

    /// Starts the sign-in `command`; `noted` is what [`browser_that_notes`] returned.
    pub fn of(mut command: Command, noted: &Path) -> Self {
        let child = command.spawn().unwrap();
        let opened = wait_for(|| std::fs::read_to_string(noted).ok());
        let url = match std::fs::read_to_string(noted.with_extension("page")) {
            Ok(page) => link_of(&page),
            Err(_) => opened.clone(),
        };
        Self { child, opened, url }
    }

    pub fn parameter(&self, name: &str) -> String {
        let (_, query) = self.url.split_once('?').unwrap();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(it, _)| it == name).unwrap_or_else(|| panic!("no {name}")).1.into_owned()
    }

    pub fn port(&self) -> u16 {
        self.parameter("redirect_uri").rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Sends `request` unchanged and returns the whole response.
    pub fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port())).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    }

    fn get(&self, target: &str) -> String {
        let port = self.port();
        self.send(&format!("GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"))
    }

    pub fn post_to(&self, host: &str, target: &str, fields: &[(&str, &str)]) -> String {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(&format!(
            "POST {target} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    pub fn post(&self, fields: &[(&str, &str)]) -> String {
        self.post_to(&format!("localhost:{}", self.port()), "/", fields)
    }

    /// Opens `url` and returns the hidden fields of Entra's form_post answer.
    pub fn answer_at(sandbox: &Sandbox, url: &str) -> Vec<(String, String)> {
        let page = Command::new("curl")
            .args(["--silent", "--cacert"])
            .arg(sandbox.root().join("ca.pem"))
            .arg(url)
            .output()
            .unwrap();
        let page = String::from_utf8(page.stdout).unwrap();
        let text = |text: &str| text.replace("&#39;", "'").replace("&quot;", "\"");
        let field = |input: &str| {
            let (name, rest) = input.split_once(r#"" value=""#)?;
            Some((name.to_owned(), text(rest.split('"').next()?)))
        };
        page.split(r#"type="hidden" name=""#).skip(1).filter_map(field).collect()
    }

    /// Opens `url` and returns the authorization code.
    pub fn code_at(sandbox: &Sandbox, url: &str) -> String {
        let answer = Self::answer_at(sandbox, url);
        let code = answer.iter().find(|(name, _)| name == "code");
        code.unwrap_or_else(|| panic!("{answer:?}")).1.clone()
    }

    /// Completes the sign-in and asserts success.
    pub fn finish(self, sandbox: &Sandbox) -> Run {
        let code = Self::code_at(sandbox, &self.url);
        let state = self.parameter("state");
        let page = self.post(&[("code", &code), ("state", &state)]);
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
        assert!(
            page.contains("<title>You are signed in</title>") && page.contains(ALICE),
            "{page}"
        );
        self.end()
    }

    pub fn end(self) -> Run {
        Run::from(self.child.wait_with_output().unwrap())
    }
}

/// The link of the page that azt opens in the browser.
fn link_of(page: &str) -> String {
    let (_, rest) = page.split_once("<a href=\"").unwrap_or_else(|| panic!("{page}"));
    let url = rest.split('"').next().unwrap().replace("&amp;", "&");
    assert!(page.contains(&format!("content=\"0;url={}\"", url.replace('&', "&amp;"))), "{page}");
    url
}

/// Runs `login` with a browser that follows Entra's answer at once.
pub fn login_with_browser(sandbox: &mut Sandbox, args: &[&str]) -> Run {
    let waiting = Waiting::start(sandbox, args);
    let answer = Waiting::answer_at(sandbox, &waiting.url);
    let fields: Vec<(&str, &str)> =
        answer.iter().map(|it| (it.0.as_str(), it.1.as_str())).collect();
    waiting.post(&fields);
    waiting.end()
}

/// Runs `login` with an idle browser and interrupts it with SIGINT.
pub fn interrupted_in_browser(sandbox: &mut Sandbox) -> Run {
    let waiting = Waiting::start(sandbox, &[]);
    let pid = i32::try_from(waiting.child.id()).unwrap();
    // SAFETY: a signal to a child that has not been waited for.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGINT) }, 0);
    waiting.end()
}

/// A browser that writes its argument to the returned file, and its environment and the page to
/// files beside it. It keeps running, as real ones do.
pub fn browser_that_notes(sandbox: &mut Sandbox) -> PathBuf {
    let (script, noted) = (sandbox.root().join("bin/browser"), sandbox.root().join("address"));
    let _ = std::fs::remove_file(&noted);
    let _ = std::fs::remove_file(noted.with_extension("page"));
    let text = format!(
        "#!/bin/sh\nenv >{0}.env\ncase $1 in file:*) curl --silent --fail \"$1\" >{0}.page;; esac\nprintf %s \"$1\" >{0}.new\nmv {0}.new {0}\nwhile kill -0 $PPID 2>/dev/null; do sleep 0.1; done\n",
        noted.to_str().unwrap()
    );
    executable(&script, &text);
    sandbox.set("BROWSER", script.to_str().unwrap());
    noted
}

pub fn executable(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

pub fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "nothing came");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn login_opens_the_browser_and_takes_a_form_post() {
    let mut sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let waiting = Waiting::start(&mut sandbox, &[]);
    let authorize = format!("{}/organizations/oauth2/v2.0/authorize", sandbox.emulator.url());
    assert!(waiting.url.starts_with(&format!("{authorize}?")), "{}", waiting.url);
    assert_eq!(waiting.parameter("response_mode"), "form_post");
    assert_eq!(waiting.parameter("prompt"), "select_account");
    assert_eq!(waiting.parameter("redirect_uri"), format!("http://localhost:{}", waiting.port()));
    let run = waiting.finish(&sandbox).exits(0);
    assert_eq!(run.json().as_array().unwrap().len(), 4);
    run.says(&format!("WARNING: A web browser has been opened at {authorize}. Please continue the login in the web browser. If no web browser is available or if the web browser fails to open, use device code flow with `azt login --use-device-code`.\n"));
    let redeemed = &sandbox.emulator.requests()[1].form;
    assert_eq!(redeemed["grant_type"], "authorization_code");
    assert_eq!(redeemed["code_verifier"].len(), 43);
    drop(sandbox.azt(["account", "get-access-token"]).quiet());
}

#[test]
fn the_browser_does_not_get_the_vault_key() {
    let mut sandbox = Sandbox::new();
    sandbox.set("AZT_VAULT_KEY", &"ab".repeat(32));
    sandbox.approve_as(ALICE);
    drop(Waiting::start(&mut sandbox, &[]).finish(&sandbox).exits(0));
    let environment = std::fs::read_to_string(sandbox.root().join("address.env")).unwrap();
    assert!(environment.contains("BROWSER="), "{environment}");
    assert!(!environment.contains("AZT_VAULT_KEY"), "{environment}");
}

#[test]
fn unrelated_requests_are_refused_and_the_sign_in_goes_on() {
    let mut sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let waiting = Waiting::start(&mut sandbox, &[]);
    let state = waiting.parameter("state");
    let port = waiting.port();
    let code: &[(&str, &str)] = &[("code", "stolen"), ("state", &state)];
    for (response, status, why) in [
        (waiting.get(&format!("/?code=stolen&state={state}")), "400", "response_mode=query"),
        (waiting.get("/"), "400", "Only a posted form"),
        (waiting.get("/favicon.ico"), "404", "nothing here"),
        (waiting.post(&[("code", "stolen"), ("state", "other")]), "400", "another sign-in"),
        (waiting.post(&[("code", "stolen")]), "400", "another sign-in"),
        (waiting.post(&[("error", "access_denied")]), "400", "another sign-in"),
        (waiting.post(&[("state", &state)]), "400", "neither a code nor an error"),
        (waiting.post_to("evil.example", "/", code), "400", "another host name"),
        (waiting.post_to(&format!("localhost:{port}"), "/elsewhere", code), "404", "nothing here"),
    ] {
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
        assert!(response.contains(why), "{why}: {response}");
        assert!(!response.contains(&state) && !response.contains("stolen"), "{response}");
    }
    // Silent connections do not delay the answer.
    let _silent: Vec<TcpStream> =
        (0..8).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    drop(waiting.finish(&sandbox).exits(0));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "the listener is gone");
}

#[test]
fn a_code_of_another_request_is_refused() {
    let mut sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    // An attacker who sees the URL obtains a code of their own account, for the same PKCE challenge.
    let waiting = Waiting::start(&mut sandbox, &[]);
    let nonce = waiting.parameter("nonce");
    let code = Waiting::code_at(&sandbox, &waiting.url.replace(&nonce, "forged"));
    let page = waiting.post(&[("code", &code), ("state", &waiting.parameter("state"))]);
    assert!(page.contains("<title>You are not signed in</title>"), "{page}");
    waiting.end().exits(6).says("ERROR: The response belongs to another sign-in: its nonce");
    assert!(!sandbox.file("azureProfile.json").exists());
}

#[test]
fn a_declined_sign_in_is_shown_in_browser_and_terminal() {
    let mut sandbox = Sandbox::new();
    let waiting = Waiting::start(&mut sandbox, &[]);
    let state = waiting.parameter("state");
    let page = waiting.post(&[
        ("error", "access_denied"),
        ("error_description", "AADSTS65004: User declined to consent. <b>x</b>"),
        ("state", &state),
    ]);
    assert!(page.contains("AADSTS65004: User declined to consent. &lt;b&gt;x&lt;/b&gt;"), "{page}");
    waiting
        .end()
        .exits(6)
        .says("ERROR: AADSTS65004: User declined to consent. <b>x</b>\nThe sign-in was declined");
    assert_eq!(sandbox.requests(), Vec::<String>::new());
    assert!(!sandbox.file("azureProfile.json").exists());
}

#[test]
fn a_browser_sign_in_times_out() {
    let mut sandbox = Sandbox::new();
    sandbox.set("AZURE_CORE_LOGIN_TIMEOUT", "1");
    let waiting = Waiting::start(&mut sandbox, &[]);
    waiting.end().exits(5).says("ERROR: The sign-in was not finished within 1 second.");
}

#[test]
fn a_browser_that_fails_to_start_is_reported() {
    let mut sandbox = Sandbox::new();
    sandbox.set("AZURE_CORE_LOGIN_TIMEOUT", "1");
    sandbox.set("BROWSER", "/nowhere/browser");
    sandbox.set("PATH", "/nowhere");
    let run = sandbox.azt(["login"]).exits(5);
    assert!(run.stderr.contains("Open this address yourself:\nhttps://"), "{}", run.stderr);
}

#[test]
fn without_a_browser_a_device_code_is_used_and_explained() {
    let mut sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let run = sandbox.azt(["login"]).exits(0);
    let said = "WARNING: No web browser is used, because th";
    drop(run.says(said).says(". Sign in with a code. (To use a browser anyway, set BROWSER"));
    sandbox.set("CODESPACES", "true");
    sandbox.set("BROWSER", "/bin/false");
    drop(sandbox.azt(["login"]).exits(0).says("because this is a GitHub codespace"));
    // Under the name az nothing is said: az says it under --verbose only.
    let run = sandbox.az(["login"]).exits(0);
    assert!(run.stderr.starts_with("To sign in, open"), "{}", run.stderr);
    drop(
        sandbox
            .az(["login", "--verbose"])
            .says("No web browser is available. Fall back to device code."),
    );
}

#[test]
fn a_redirect_url_from_another_machine_can_be_pasted() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let mut command = sandbox.command(["login", "--no-browser", "--tenant", CONTOSO]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = String::new();
    let mut stderr = child.stderr.take().unwrap();
    while !said.contains("paste it here.") {
        let mut bytes = [0; 4096];
        let read = stderr.read(&mut bytes).unwrap();
        assert!(read > 0, "{said}");
        said.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
    let url = said.lines().find(|line| line.starts_with("https://")).unwrap();
    assert!(url.contains("response_mode=query"), "{url}");
    let head = Command::new("curl")
        .args(["--silent", "--output", "/dev/null", "--write-out", "%{redirect_url}", "--cacert"])
        .arg(sandbox.root().join("ca.pem"))
        .arg(url)
        .output()
        .unwrap();
    let ended_at = String::from_utf8(head.stdout).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let stranger = ended_at.replace("state=", "state=x");
    write!(stdin, "nonsense\n{stranger}\n  {ended_at}  \n").unwrap();
    let output = child.wait_with_output().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    let run = Run { stderr: said, ..Run::from(output) };
    let run = run.exits(0).says("WARNING: This contains no code.");
    assert_eq!(run.says("WARNING: This address belongs to another").json()[0]["tenantId"], CONTOSO);

    let run = sandbox.azt(["login", "--no-browser"]).exits(5);
    drop(run.says("Standard input ended without an address"));
    sandbox
        .azt(["login", "--no-browser", "--identity"])
        .exits(2)
        .says("usage error: '--no-browser'");
}
