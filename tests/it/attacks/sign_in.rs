//! A sign-in cannot be replaced by an attacker's account, nor blocked.

use std::io::{Read, Write};
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{has_ipv6, is_root};
use crate::browser::{Waiting, browser_that_notes, wait_for};
use crate::support::*;

/// Runs `program` as another user.
fn as_another(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", program]).args(args);
    command
}

/// Opens the sandbox's home to all users, so that only azt's own modes keep them out.
fn open_to_all(sandbox: &Sandbox) {
    let _ = std::fs::create_dir(sandbox.config_dir());
    for folder in [sandbox.root(), &sandbox.root().join("home"), &sandbox.config_dir()] {
        passable(folder);
    }
}

fn passable(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn pages_of(sandbox: &Sandbox) -> Vec<String> {
    let files = sandbox.all_files();
    let names = files.iter().map(|(path, _)| path.to_str().unwrap().to_owned());
    names.filter(|name| name.ends_with(".html")).collect()
}

/// An attacker who reads the authorization URL in the process list could answer it with their own
/// account.
#[test]
fn the_authorization_url_is_in_no_process_list() {
    if !is_root() {
        return;
    }
    let mut sandbox = Sandbox::new();
    open_to_all(&sandbox);
    sandbox.approve_as(ALICE);
    let waiting = Waiting::start(&mut sandbox, &[]);
    let secrets = ["state", "nonce", "code_challenge"].map(|it| waiting.parameter(it));
    let look = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; true";
    let seen = as_another("sh", &["-c", look]).output().unwrap().stdout;
    let seen = String::from_utf8_lossy(&seen);
    assert!(seen.contains(&waiting.opened), "the browser is seen");
    assert!(!secrets.iter().any(|it| seen.contains(it)), "{}", waiting.opened);
    // Root does not see it in any environment: the browser's children inherit the browser's.
    let all = Command::new("sh").args(["-c", look]).output().unwrap().stdout;
    assert!(!secrets.iter().any(|it| String::from_utf8_lossy(&all).contains(it)));
    // The page is unreadable to others, and its name not guessable.
    let page = waiting.opened.strip_prefix("file://").unwrap();
    let metadata = std::fs::metadata(page).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777, 0o600);
    let read = as_another("cat", &[page]).output().unwrap();
    assert_eq!((read.status.success(), read.stdout), (false, Vec::new()));
    // So a posted answer with a guessed state is refused.
    let port = waiting.port();
    let form = "code=mallorys&state=guessed";
    let url = format!("http://localhost:{port}/");
    let posted = as_another("curl", &["--silent", "--data", form, &url]).output().unwrap();
    let posted = String::from_utf8_lossy(&posted.stdout);
    assert!(posted.contains("It belongs to another sign-in."), "{posted}");
    drop(waiting.finish(&sandbox).exits(0));
    assert_eq!(pages_of(&sandbox), Vec::<String>::new());
}

#[test]
fn the_page_is_removed_however_a_sign_in_ends() {
    let mut sandbox = Sandbox::new();
    let check = |sandbox: &Sandbox, waiting: &Waiting| {
        let page = Path::new(waiting.opened.strip_prefix("file://").unwrap());
        assert!(page.starts_with(sandbox.file("azt")), "{page:?}");
        assert_eq!(pages_of(sandbox), [page.to_str().unwrap()]);
    };
    let waiting = Waiting::start(&mut sandbox, &[]);
    check(&sandbox, &waiting);
    let state = waiting.parameter("state");
    waiting.post(&[("error", "access_denied"), ("state", &state)]);
    drop(waiting.end().exits(6));
    assert_eq!(pages_of(&sandbox), Vec::<String>::new(), "declined");

    let waiting = Waiting::start(&mut sandbox, &[]);
    check(&sandbox, &waiting);
    let state = waiting.parameter("state");
    waiting.post(&[("code", "nobody's"), ("state", &state)]);
    assert_ne!(waiting.end().code, Some(0));
    assert_eq!(pages_of(&sandbox), Vec::<String>::new(), "a code that is refused");

    let waiting = Waiting::start(&mut sandbox, &[]);
    check(&sandbox, &waiting);
    let pid = waiting.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(waiting.end().code, Some(130));
    assert_eq!(pages_of(&sandbox), Vec::<String>::new(), "Ctrl-C");

    // A page of a killed sign-in is removed by a later one; a recent page of another is kept.
    let folder = sandbox.file("azt");
    let [old, young, other] = ["azt-sign-in-aaaaaa.html", "azt-sign-in-bbbbbb.html", "x.html"];
    for name in [old, young, other] {
        std::fs::write(folder.join(name), "").unwrap();
        if name != young {
            let touch =
                ["--date=3 days ago", folder.join(name).to_str().unwrap()].map(str::to_owned);
            assert!(Command::new("touch").args(touch).status().unwrap().success());
        }
    }
    sandbox.set("AZURE_CORE_LOGIN_TIMEOUT", "1");
    drop(Waiting::start(&mut sandbox, &[]).end().exits(5));
    assert_eq!(pages_of(&sandbox).len(), 2, "{:?}", pages_of(&sandbox));
    assert!(!folder.join(old).exists());
}

#[test]
fn the_page_works_in_a_folder_of_any_name() {
    let mut sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    for name in ["a b", "100%41", "a#b?c=d&e", "é\"'<x>;$(id)", "%s%c"] {
        let folder = sandbox.root().join("home").join(name);
        let from = sandbox.config_dir();
        assert!(Command::new("cp").arg("-a").args([&from, &folder]).status().unwrap().success());
        sandbox.set("AZURE_CONFIG_DIR", folder.to_str().unwrap());
        let waiting = Waiting::start(&mut sandbox, &[]);
        let quoted = waiting.opened.strip_prefix("file:///").unwrap();
        assert!(!quoted.contains(['#', '?', ' ', '"', '<', 'é']), "{quoted}");
        drop(waiting.finish(&sandbox).exits(0));
    }
    // And with a relative path.
    sandbox.set("AZURE_CONFIG_DIR", "home/.azure");
    drop(Waiting::start(&mut sandbox, &[]).finish(&sandbox).exits(0));
}

/// A browser on another machine cannot read the page.
#[test]
fn a_remote_browser_gets_the_url_with_a_warning() {
    let told = "The browser was given the whole address of the sign-in, because ";
    for (name, value, why) in [
        ("VSCODE_IPC_HOOK_CLI", "/run/ipc", "an editor hands it to a browser on another machine"),
        ("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22", "the other side of the SSH session"),
        ("WSL_DISTRO_NAME", "Ubuntu", "the browser is Windows' own"),
    ] {
        let mut sandbox = Sandbox::new();
        sandbox.set(name, value);
        sandbox.approve_as(ALICE);
        let waiting = Waiting::start(&mut sandbox, &[]);
        assert!(waiting.opened.starts_with("https://"), "{}", waiting.opened);
        let run = waiting.finish(&sandbox).exits(0);
        let run = run.says(&format!("WARNING: {told}")).says(why);
        drop(run.says("other users of this machine can read it in the process list."));

        let noted = browser_that_notes(&mut sandbox);
        for (args, is_told) in [(&["login"][..], false), (&["login", "--verbose"], true)] {
            let _ = std::fs::remove_file(&noted);
            let mut az = sandbox.az_command(args);
            az.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let run = Waiting::of(az, &noted).finish(&sandbox).exits(0);
            assert_eq!(run.stderr.contains(&format!("INFO: {told}")), is_told, "{}", run.stderr);
            assert_eq!(run.stderr.contains(told), is_told, "{}", run.stderr);
        }
    }
}

/// Only the first answer counts; the nonce reveals a code of another request.
#[test]
fn of_two_answers_only_the_first_is_redeemed() {
    let mut sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let waiting = Waiting::start(&mut sandbox, &[]);
    let state = waiting.parameter("state");
    let code = Waiting::code_at(&sandbox, &waiting.url);
    let forged = waiting.url.replace(&waiting.parameter("nonce"), "forged");
    let stolen = Waiting::code_at(&sandbox, &forged);
    sandbox.emulator.clear_requests();
    let post = |code: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", waiting.port())).unwrap();
        let body = format!("code={code}&state={state}");
        let port = waiting.port();
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        stream
    };
    let (mut first, mut second) = (post(&stolen), post(&code));
    let mut page = String::new();
    first.read_to_string(&mut page).unwrap();
    assert!(page.contains("<title>You are not signed in</title>"), "{page}");
    let mut page = String::new();
    let _ = second.read_to_string(&mut page);
    assert!(!page.contains("<title>You are signed in</title>"), "{page}");
    drop(waiting.end().exits(6).says("ERROR: The response belongs to another sign-in: its nonce"));
    let redeemed = sandbox.requests();
    assert_eq!(redeemed, ["POST token authorization_code"], "one code was redeemed");
    assert!(!sandbox.file("azureProfile.json").exists());
}

/// Browsers resolve `localhost` to `::1` too.
#[test]
fn the_redirect_port_is_taken_on_both_loopback_addresses() {
    if !has_ipv6() {
        return;
    }
    let mut sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let waiting = Waiting::start(&mut sandbox, &[]);
    let port = waiting.port();
    for address in [format!("[::1]:{port}"), format!("127.0.0.1:{port}"), format!("[::]:{port}")] {
        let taken = TcpListener::bind(&address);
        assert!(taken.is_err(), "{address} was free");
    }
    // An answer on ::1 is accepted too.
    let page = Command::new("curl")
        .args(["--silent", "--ipv6", &format!("http://localhost:{port}/elsewhere")])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&page.stdout).contains("There is nothing here."));
    drop(waiting.finish(&sandbox).exits(0));
    assert!(TcpStream::connect((Ipv6Addr::LOCALHOST, port)).is_err(), "the listener is gone");
}

/// ADFS allows one port only, which an attacker can take beforehand.
#[test]
fn a_port_taken_on_one_address_is_not_used() {
    if !has_ipv6() {
        return;
    }
    let mut sandbox = Sandbox::without_cloud();
    let url = sandbox.emulator.url().to_owned();
    let adfs = format!("{url}/adfs");
    let stack = ["cloud", "register", "-n", "Stack", "--endpoint-resource-manager", &url];
    let endpoints =
        ["--endpoint-active-directory", &adfs, "--endpoint-active-directory-resource-id", &url];
    sandbox.azt([&stack[..], &endpoints].concat()).success();
    sandbox.azt(["cloud", "set", "-n", "Stack"]).success();
    let noted = browser_that_notes(&mut sandbox);
    for address in ["[::1]:8400", "127.0.0.1:8400", "[::]:8400"] {
        let _taken = TcpListener::bind(address).unwrap();
        let run = sandbox.azt(["login"]).exits(1);
        let run = run.says("ERROR: Cannot listen for the browser's answer: another program on this machine listens on port 8400");
        drop(run.says("Sign in with a code instead: --use-device-code."));
        assert!(!noted.exists(), "no browser was opened");
    }
    // With both addresses free it works.
    sandbox.set("AZURE_CORE_LOGIN_TIMEOUT", "1");
    drop(Waiting::start(&mut sandbox, &[]).end().exits(5));
}

/// Mix-up attack: an authority that forwards the browser to the genuine one would get code and verifier.
#[test]
fn an_answer_of_another_issuer_is_refused() {
    let mut sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let own = sandbox.emulator.url().to_owned();
    let honest = format!("https://login.microsoftonline.com/{CONTOSO}/v2.0");
    for (issuer, args) in [
        (honest.as_str(), &[][..]),
        ("https://evil.example/", &[]),
        ("", &[]),
        ("not an address\nERROR: forged\u{1b}[2J", &[]),
        (&format!("{own}/{FABRIKAM}/v2.0"), &["--tenant", CONTOSO]),
        (&own.replace("https:", "http:"), &[]),
    ] {
        let waiting = Waiting::start(&mut sandbox, args);
        let state = waiting.parameter("state");
        let code = Waiting::code_at(&sandbox, &waiting.url);
        sandbox.emulator.clear_requests();
        let page = waiting.post(&[("code", &code), ("state", &state), ("iss", issuer)]);
        assert!(page.contains("<title>You are not signed in</title>"), "{issuer:?}: {page}");
        let run = waiting.end().exits(6);
        let shown = issuer.replace('\n', " ").replace('\u{1b}', "");
        let run = run
            .says(&format!("ERROR: The sign-in response comes from '{shown}' and not from {own}"));
        assert!(!run.stderr.contains("\nERROR: forged"), "{}", run.stderr);
        assert_eq!(sandbox.requests(), Vec::<String>::new(), "{issuer:?}: the code was redeemed");
    }
    // An answer with a repeated parameter is refused and the sign-in continues; the right answer is accepted.
    let waiting = Waiting::start(&mut sandbox, &["--tenant", CONTOSO]);
    let (state, code) = (waiting.parameter("state"), Waiting::code_at(&sandbox, &waiting.url));
    let right = format!("{own}/{CONTOSO}/v2.0");
    let whole = [("code", &*code), ("state", &*state), ("iss", &*right)];
    for twice in
        [("iss", &*right), ("iss", &*honest), ("code", "stolen"), ("state", "other"), ("state", "")]
    {
        let page = waiting.post(&[&whole[..], &[twice]].concat());
        assert!(page.starts_with("HTTP/1.1 400 "), "{twice:?}: {page}");
    }
    let page = waiting.post(&whole);
    assert!(page.contains("<title>You are signed in</title>"), "{page}");
    drop(waiting.end().exits(0));
}

/// Silent or half-finished requests must not occupy all connections.
#[test]
fn silent_connections_do_not_block_the_answer() {
    let mut sandbox = Sandbox::new();
    // Without eviction each would hold one of 32 places for ten seconds.
    sandbox.set("AZURE_CORE_LOGIN_TIMEOUT", "60");
    sandbox.approve_as(ALICE);
    let waiting = Waiting::start(&mut sandbox, &[]);
    let port = waiting.port();
    let host = format!("Host: localhost:{port}\r\n");
    let mut held = Vec::new();
    for said in [
        String::new(),
        "G".to_owned(),
        format!("POST / HTTP/1.1\r\n{host}"),
        format!("POST / HTTP/1.1\r\n{host}Content-Length: 9\r\n\r\ncode="),
        format!("POST / HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\nff\r\ncode="),
    ] {
        for at in 0..400 {
            let address = if at % 2 == 0 { "127.0.0.1" } else { "::1" };
            // A refused connection is fine: the aim is to exhaust the places.
            if let Ok(mut stream) = TcpStream::connect((address, port)) {
                let _ = stream.write_all(said.as_bytes());
                held.push(stream);
            }
        }
    }
    assert!(held.len() > 1000, "{}", held.len());
    drop(waiting.finish(&sandbox).exits(0));
}

/// A large request is read whole, and later connections do not evict it.
#[test]
fn a_connection_being_answered_is_not_evicted() {
    let mut sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let waiting = Waiting::start(&mut sandbox, &[]);
    let port = waiting.port();
    // Redeeming the code is slow.
    sandbox.emulator.faults().push(entra_emulator::Fault::on(
        "/token",
        entra_emulator::Action::Delay { milliseconds: 500 },
    ));
    let code = Waiting::code_at(&sandbox, &waiting.url);
    let (state, body) = (waiting.parameter("state"), String::new());
    let body = format!("{body}code={code}&state={state}");
    let mut browser = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(
        browser,
        "POST / HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: {}\r\nContent-Length: {}\r\n\r\n{body}",
        "c".repeat(30_000),
        body.len()
    )
    .unwrap();
    wait_for(|| {
        let is_asked = sandbox.requests().iter().any(|it| it.starts_with("POST token"));
        is_asked.then_some(())
    });
    let _held: Vec<TcpStream> =
        (0..500).filter_map(|_| TcpStream::connect(("127.0.0.1", port)).ok()).collect();
    let mut page = String::new();
    browser.read_to_string(&mut page).unwrap();
    assert!(page.contains("<title>You are signed in</title>"), "{page}");
    drop(waiting.end().exits(0));
}
