//! What a person sees while signing in, on terminals of every size and kind.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use entra_emulator::{Action, Fault};
use rexpect::session::{PtySession, spawn_command};
use vt100::Color;

use super::browser::{browser_that_notes, executable, wait_for};
use crate::support::*;

const LIMIT: Duration = Duration::from_secs(60);
const CODE: [&str; 2] = ["login", "--use-device-code"];

/// A program on a terminal, with all that it wrote and what is on the screen.
struct Screen {
    session: PtySession,
    parser: vt100::Parser,
    written: Vec<u8>,
}

impl Screen {
    /// Runs azt with `arguments` on `columns` by `rows`, then prints the terminal's mode and the
    /// exit code.
    fn of(sandbox: &Sandbox, columns: u16, rows: u16, arguments: &[&str]) -> Self {
        let azt = sandbox.command(arguments);
        let script = format!(
            "stty rows {rows} cols {columns}; trap : INT; \"$0\" \"$@\"; code=$?; stty -a | grep -o -- '-\\?icanon'; echo \"code $code\""
        );
        let mut command = Command::new("env");
        command.args(["--default-signal=INT", "sh", "-c", &script]);
        command.arg(azt.get_program()).args(arguments).env_clear();
        command.env("TERM", "xterm-256color").envs(sandbox.env()).current_dir(sandbox.root());
        let session = spawn_command(command, Some(30_000)).unwrap();
        let size = |of| NonZero::new(of).unwrap();
        let parser = vt100::Parser::new(size(rows), size(columns), 0);
        Self { session, parser, written: Vec::new() }
    }

    fn read(&mut self) {
        // rexpect decodes each byte as one character.
        while let Some(byte) = self.session.try_read() {
            self.written.push(byte as u8);
            self.parser.process(&[byte as u8]);
        }
    }

    fn lines(&self) -> Vec<String> {
        let (_, columns) = self.parser.screen().size();
        self.parser.screen().rows(0, columns.get()).map(|row| row.trim_end().to_owned()).collect()
    }

    fn written(&self) -> String {
        String::from_utf8_lossy(&self.written).into_owned()
    }

    fn shows(&self, text: &str) -> bool {
        self.lines().iter().any(|line| line.contains(text))
    }

    /// The row and the column of `text`.
    #[track_caller]
    fn place(&self, text: &str) -> (u16, u16) {
        let lines = self.lines();
        let found = lines.iter().enumerate().find_map(|(row, line)| Some((row, line.find(text)?)));
        let (row, at) = found.unwrap_or_else(|| panic!("no '{text}' in {lines:#?}"));
        (row as u16, lines[row][..at].chars().count() as u16)
    }

    /// Waits until `text` was written.
    #[track_caller]
    fn until(&mut self, text: &str) {
        let start = Instant::now();
        while !self.written().contains(text) {
            self.read();
            assert!(start.elapsed() < LIMIT, "no '{text}': {:#?}", self.lines());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn press(&mut self, key: &str) {
        self.session.send(key).unwrap();
        self.session.flush().unwrap();
    }

    /// The exit code, after the program has left the terminal as it was.
    #[track_caller]
    fn end(&mut self) -> i32 {
        self.until("\r\ncode ");
        let start = Instant::now();
        loop {
            self.read();
            let written = self.written();
            let (before, code) = written.rsplit_once("\r\ncode ").unwrap();
            if let Some(code) = code.strip_suffix("\r\n") {
                let is_as_before = before.ends_with("icanon") && !before.ends_with("-icanon");
                assert!(is_as_before, "{before}");
                return code.parse().unwrap();
            }
            assert!(start.elapsed() < LIMIT, "{written}");
        }
    }

    #[track_caller]
    fn interrupt(&mut self) {
        self.press("\u{3}");
        assert_eq!(self.end(), 130, "{}", self.written());
        assert!(self.shows("Cancelled. Nothing was changed."), "{:#?}", self.lines());
    }

    /// What a camera reads, with the usual colours of a terminal with a light or dark background.
    fn scanned(&self, is_light: bool) -> Option<String> {
        const SCALE: usize = 6;
        let (rows, columns) = self.parser.screen().size();
        let (rows, columns) = (usize::from(rows.get()), usize::from(columns.get()));
        let grey = |colour: Color, default: u8| match colour {
            Color::Idx(0) => 0,
            Color::Idx(15) => 255,
            Color::Default => default,
            other => panic!("{other:?}"),
        };
        let (text, background) = if is_light { (0, 255) } else { (255, 0) };
        let pixel = |x: usize, y: usize| {
            let (row, is_lower) = (y / SCALE / 2, y / SCALE % 2 == 1);
            let cell = self.parser.screen().cell(row as u16, (x / SCALE) as u16).unwrap();
            let is_filled = match cell.contents() {
                "\u{2588}" => true,
                "\u{2580}" => !is_lower,
                "\u{2584}" => is_lower,
                _ => false,
            };
            match is_filled {
                true => grey(cell.fgcolor(), text),
                false => grey(cell.bgcolor(), background),
            }
        };
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(columns * SCALE, rows * 2 * SCALE, pixel);
        image.detect_grids().iter().find_map(|grid| Some(grid.decode().ok()?.1))
    }

    fn has_qr_code(&self) -> bool {
        let (rows, columns) = self.parser.screen().size();
        let mut cells = (0..rows.get()).flat_map(|row| (0..columns.get()).map(move |at| (row, at)));
        cells.any(|(row, at)| {
            self.parser.screen().cell(row, at).is_some_and(|cell| cell.bgcolor() == Color::Idx(15))
        })
    }
}

/// The code on the screen.
fn code_on(screen: &Screen) -> String {
    let lines = screen.lines();
    let line = lines.iter().find_map(|line| line.strip_prefix("Code   ")).unwrap_or_else(|| {
        panic!("{lines:#?}");
    });
    line.split(' ').next().unwrap().to_owned()
}

#[test]
fn the_code_is_on_a_line_of_its_own_at_every_size() {
    let sandbox = Sandbox::new();
    let page = format!("{}/devicelogin", sandbox.emulator.url());
    for (columns, rows, has_qr_code) in
        [(40, 8, false), (80, 24, true), (100, 12, false), (200, 50, true)]
    {
        let mut screen = Screen::of(&sandbox, columns, rows, &CODE);
        screen.until("The code expires in 1");
        let lines = screen.lines();
        assert!(screen.shows(&page), "{lines:#?}");
        let (row, column) = screen.place(&code_on(&screen));
        assert_eq!(column, 7, "{lines:#?}");
        let cell = screen.parser.screen().cell(row, column).unwrap();
        assert!(cell.bold() && cell.fgcolor() == Color::Default, "{lines:#?}");
        // The address, the code and the time are all on the screen.
        assert_eq!(screen.has_qr_code(), has_qr_code, "{lines:#?}");
        for is_light in [false, true] {
            let scanned = screen.scanned(is_light);
            assert_eq!(scanned.as_deref(), has_qr_code.then_some(&*page), "{lines:#?}");
        }
        // The line that counts down is rewritten in place, and gone in the end.
        let time = screen.place("The code expires in");
        screen.until("The code expires in 14:5");
        assert_eq!(screen.place("The code expires in").0, time.0, "{:#?}", screen.lines());
        screen.interrupt();
        assert!(!screen.shows("expires in"), "{:#?}", screen.lines());
        assert!(!screen.written().contains("WARNING"), "{}", screen.written());
    }
}

#[test]
fn what_a_terminal_cannot_show_is_left_out() {
    // Only colours and bold text end with an `m`.
    let styles = regex::Regex::new("\x1b\\[[0-9;]*m").unwrap();
    for (name, value, has_colour, has_marks) in [
        ("NO_COLOR", "1", false, true),
        ("CLICOLOR", "0", false, true),
        ("AZURE_CORE_NO_COLOR", "true", false, true),
        ("TERM", "dumb", false, true),
        ("LC_ALL", "C", true, false),
        ("LANG", "en_US.ISO-8859-1", true, false),
        ("LANG", "en_US.UTF-8", true, true),
    ] {
        let mut sandbox = Sandbox::new();
        sandbox.set("AZURE_CORE_LOGIN_EXPERIENCE_V2", "off");
        sandbox.set(name, value);
        let mut screen = Screen::of(&sandbox, 80, 24, &CODE);
        screen.until("The code expires in 1");
        let code = code_on(&screen);
        assert_eq!(screen.has_qr_code(), has_colour && has_marks, "{name}={value}");
        let written = screen.written();
        assert_eq!(styles.is_match(&written), has_colour, "{name}={value}: {written:?}");
        assert!(has_marks || written.is_ascii(), "{name}={value}: {written:?}");
        assert!(value != "dumb" || !written.contains('\x1b'), "{written:?}");
        assert!(!code.is_empty());
        screen.interrupt();

        sandbox.approve_as(ALICE);
        let mut screen = Screen::of(&sandbox, 80, 24, &CODE);
        assert_eq!(screen.end(), 0, "{}", screen.written());
        let line = if has_marks {
            "\u{2713} Signed in as alice@contoso.example \u{b7} Contoso Production (Contoso)"
        } else {
            "Signed in as alice@contoso.example - Contoso Production (Contoso)"
        };
        let plain = styles.replace_all(&screen.written(), "").into_owned();
        assert!(plain.contains(&format!("{line}\r\n")), "{name}={value}: {plain:?}");
    }
}

#[test]
fn the_code_is_copied_to_the_clipboard() {
    let mut sandbox = Sandbox::new();
    let mut copied = |name: &str, value: &str, columns| {
        sandbox.set(name, value);
        let mut screen = Screen::of(&sandbox, columns, 24, &CODE);
        screen.until("The code expires in 1");
        let code = code_on(&screen);
        let line = screen.lines()[usize::from(screen.place("Code   ").0)].clone();
        screen.interrupt();
        sandbox.unset(name);
        let sequence = format!("\x1b]52;c;{}\x07", STANDARD.encode(&code));
        let is_copied = screen.written().contains(&sequence);
        assert!(is_copied || !screen.written().contains("\x1b]52"), "{}", screen.written());
        (is_copied, line.replacen(&code, "CODE", 1))
    };
    let known = "Code   CODE        (copied to the clipboard)".to_owned();
    assert_eq!(copied("KITTY_WINDOW_ID", "1", 80), (true, known));
    assert_eq!(copied("KITTY_WINDOW_ID", "1", 40), (true, "Code   CODE  (copied)".to_owned()));
    let unknown = "Code   CODE        (copied, if the terminal allows it)".to_owned();
    assert_eq!(copied("X", "", 80), (true, unknown));
    assert_eq!(copied("AZURE_CORE_CLIPBOARD", "false", 80), (false, "Code   CODE".to_owned()));
    assert_eq!(copied("TERM", "dumb", 80), (false, "Code   CODE".to_owned()));
}

/// The state of the program in the terminal: whether it reads lines, and `T` if it is stopped.
fn reads_lines(pid: &str) -> Option<bool> {
    let terminal = format!("/proc/{pid}/fd/0");
    let shown = Command::new("stty").args(["-a", "-F", &terminal]).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    shown.contains("icanon").then(|| !shown.contains("-icanon"))
}

fn is_stopped(pid: &str) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    state.rsplit(')').next().unwrap().trim().starts_with('T')
}

fn send(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
}

/// The process id of the azt that waits for a browser: the parent of that browser.
fn azt_of(sandbox: &Sandbox) -> String {
    wait_for(|| {
        let browser = sandbox.root().join("bin/browser");
        let found = Command::new("pgrep").args(["-f", browser.to_str().unwrap()]).output().unwrap();
        let found = String::from_utf8(found.stdout).unwrap();
        let pid = found.split_whitespace().next()?.to_owned();
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some(stat.rsplit(')').next()?.split_whitespace().nth(1)?.to_owned())
    })
}

#[test]
fn keys_copy_the_address_of_the_browser_and_turn_to_a_code() {
    let mut sandbox = Sandbox::new();
    let noted = browser_that_notes(&mut sandbox);
    let mut screen = Screen::of(&sandbox, 80, 24, &["login"]);
    screen.until("to sign in with a code.");
    assert!(screen.shows("A web browser has been opened to sign in at localhost:"));
    assert!(screen.shows("Press c to copy the address, d to sign in with a code."));
    wait_for(|| std::fs::read_to_string(&noted).ok());
    let page = std::fs::read_to_string(noted.with_extension("page")).unwrap();
    let url = page.split("<a href=\"").nth(1).unwrap().split('"').next().unwrap();
    let url = url.replace("&amp;", "&");
    screen.press("c");
    screen.until(&format!("\x1b]52;c;{}\x07", STANDARD.encode(&url)));
    screen.until("Press c again to see it.");
    assert!(!screen.written().contains(&url), "{}", screen.written());
    screen.press("c");
    screen.until(&url);
    screen.press("d");
    screen.until("The code expires in");
    assert!(!code_on(&screen).is_empty());
    screen.interrupt();
    assert!(!screen.written().contains("WARNING"), "{}", screen.written());
}

#[test]
fn the_terminal_is_as_before_whatever_happens() {
    let mut sandbox = Sandbox::new();
    browser_that_notes(&mut sandbox);
    let mut screen = Screen::of(&sandbox, 80, 24, &["login"]);
    screen.until("Time left to sign in: 14:5");
    let pid = azt_of(&sandbox);
    assert_eq!(reads_lines(&pid), Some(false));
    send("-TSTP", &pid);
    wait_for(|| is_stopped(&pid).then_some(()));
    assert_eq!(reads_lines(&pid), Some(true));
    send("-CONT", &pid);
    wait_for(|| (reads_lines(&pid) == Some(false)).then_some(()));
    send("-TERM", &pid);
    assert_eq!(screen.end(), 128 + libc::SIGTERM);

    let mut screen = Screen::of(&sandbox, 80, 24, &["login"]);
    screen.until("Time left to sign in: 14:5");
    screen.interrupt();
    assert!(!screen.shows("Time left"), "{:#?}", screen.lines());
}

#[test]
fn a_browser_that_fails_is_noticed() {
    let mut sandbox = Sandbox::new();
    let script = sandbox.root().join("bin/browser");
    executable(&script, "#!/bin/sh\nexit 3\n");
    sandbox.set("BROWSER", script.to_str().unwrap());
    let mut screen = Screen::of(&sandbox, 80, 24, &["login"]);
    screen.until("WARNING:");
    screen.until("response_mode=form_post");
    assert!(screen.written().contains("The web browser failed: it ended with exit code 3."));
    screen.interrupt();

    sandbox.set("AZURE_CORE_LOGIN_TIMEOUT", "2");
    let run = sandbox.azt(["login"]).exits(5);
    assert!(run.stderr.contains("exit code 3. Open this address yourself:\nhttps://"), "{run:?}");
    let run = sandbox.az(["login"]).exits(1);
    assert!(!run.stderr.contains("exit code 3"), "{run:?}");
}

#[test]
fn the_place_of_the_key_is_one_grey_line() {
    let mut sandbox = Sandbox::new();
    sandbox.unset("AZURE_CORE_KEY_SOURCE");
    sandbox.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
    sandbox.set("AZURE_CORE_LOGIN_EXPERIENCE_V2", "off");
    sandbox.approve_as(ALICE);
    let mut screen = Screen::of(&sandbox, 80, 24, &["login", CODE[1], "-t", CONTOSO, "-o=none"]);
    assert_eq!(screen.end(), 0, "{}", screen.written());
    let (row, column) =
        screen.place("Key: ~/.azure/azt/vault.key (no keyring here; azt doctor has details)");
    assert!(screen.parser.screen().cell(row, column).unwrap().dim(), "{:#?}", screen.lines());
    assert!(!screen.written().contains("WARNING"), "{}", screen.written());
    // What was chosen is not announced.
    let sandbox = Sandbox::new();
    let mut screen = Screen::of(&sandbox, 80, 24, &CODE);
    screen.until("The code expires in");
    assert!(screen.lines()[0].starts_with("Open"), "{:#?}", screen.lines());
    screen.interrupt();
}

#[test]
fn a_sign_in_without_subscriptions_can_be_kept() {
    let mut sandbox = Sandbox::new();
    sandbox.set("AZURE_CORE_LOGIN_EXPERIENCE_V2", "off");
    sandbox.approve_as(ALICE);
    let login = ["login", "--use-device-code", "--tenant", NORTHWIND];
    for (key, code) in [("n\r", 130), ("\r", 0)] {
        let mut screen = Screen::of(&sandbox, 80, 24, &login);
        screen.until("Keep it as a tenant-level account?");
        screen.press(key);
        assert_eq!(screen.end(), code, "{}", screen.written());
        assert_eq!(sandbox.azt(["account", "show"]).code, Some(if code == 0 { 0 } else { 4 }));
    }
    let shown = sandbox.azt(["account", "show"]).quiet();
    assert_eq!(
        (shown.text("id"), shown.text("name")),
        (NORTHWIND.to_owned(), "N/A(tenant level account)".to_owned())
    );
}

#[test]
fn a_slow_token_shows_a_sign_of_life() {
    let sandbox = Sandbox::signed_in_as_alice();
    let slow = || Fault::on("/token", Action::Delay { milliseconds: 4000 });
    sandbox.emulator.faults().push(slow());
    let ask = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
    let mut screen = Screen::of(&sandbox, 80, 24, &ask);
    screen.until("Waiting for a token of localhost:");
    assert_eq!(screen.end(), 0);
    assert!(!screen.shows("Waiting for a token"), "{:#?}", screen.lines());

    sandbox.emulator.faults().push(slow());
    let ask = ["account", "get-access-token", "--resource", "https://storage.azure.com"];
    let mut screen = Screen::of(&sandbox, 80, 24, &ask);
    screen.until("Waiting for a token of localhost:");
    screen.press("\u{3}");
    assert_eq!(screen.end(), 128 + libc::SIGINT);
    assert!(!screen.shows("Waiting for a token"), "{:#?}", screen.lines());
}

#[test]
fn an_error_has_a_prefix_and_its_ids_at_the_end() {
    let sandbox = Sandbox::signed_in_as_alice();
    let headers = BTreeMap::new();
    let body = serde_json::json!({
        "error": "invalid_grant", "error_codes": [50076],
        "trace_id": "t-1", "correlation_id": "c-1", "timestamp": "2026-01-31 12:00:00Z",
        "error_description": "AADSTS50076: A second factor is required. Trace ID: t-1 Correlation ID: c-1 Timestamp: 2026-01-31 12:00:00Z",
    });
    let refusal = Action::Answer { status: 400, headers, body: body.to_string() };
    sandbox.emulator.faults().push(Fault::on("/token", refusal));
    let ask = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
    let mut screen = Screen::of(&sandbox, 100, 24, &ask);
    assert_eq!(screen.end(), 5);
    let (row, column) = screen.place("ERROR: AADSTS50076: A second factor is required.");
    let cell = |row, column| screen.parser.screen().cell(row, column).unwrap();
    assert_eq!(cell(row, column).fgcolor(), Color::Idx(1));
    assert_eq!(cell(row, column + 7).fgcolor(), Color::Default);
    let ids = "Trace ID: t-1 Correlation ID: c-1 Timestamp: 2026-01-31 12:00:00Z";
    let (ids, column) = screen.place(ids);
    // The tenant has its name.
    let (login, _) = screen.place("azt login --tenant contoso.example");
    assert!(row < login && login < ids && cell(ids, column).dim(), "{:#?}", screen.lines());

    let mut screen = Screen::of(&sandbox, 80, 24, &["acount", "show"]);
    assert_eq!(screen.end(), 2);
    let (row, column) = screen.place("ERROR: 'acount' is misspelled");
    assert_eq!(screen.parser.screen().cell(row, column).unwrap().fgcolor(), Color::Idx(1));
    assert!(screen.shows("Did you mean 'account'?"), "{:#?}", screen.lines());
}

#[test]
fn under_the_name_az_the_code_is_in_entras_sentence() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    let run = sandbox.az(CODE).success();
    assert!(run.stderr.starts_with("To sign in, open the page https://"), "{run:?}");
}
