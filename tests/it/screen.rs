//! A terminal of a given size with the program on it, and what stands on its screen.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::Instant;

use rexpect::session::{PtySession, spawn_command};

use crate::support::Sandbox;

/// Milliseconds to wait for the expected screen.
const LIMIT: u64 = 30_000;
/// Marks the option under the cursor.
const CURSOR: &str = "> ";

pub const DOWN: &str = "\x1b[B";
pub const UP: &str = "\x1b[A";
pub const ESCAPE: &str = "\x1b";
pub const ENTER: &str = "\r";

pub struct Screen {
    session: PtySession,
    parser: vt100::Parser,
    /// All that was written.
    pub raw: String,
    /// Holds the name of the terminal and the id of the process.
    name: PathBuf,
}

impl Screen {
    /// Runs azt with `args` on `columns` by `rows`.
    pub fn run(sandbox: &Sandbox, args: &[&str], (columns, rows): (u16, u16)) -> Self {
        Self::of("xterm-256color", sandbox, args, (columns, rows))
    }

    /// [`Screen::run`] on a terminal of this kind (`TERM`).
    pub fn of(term: &str, sandbox: &Sandbox, args: &[&str], (columns, rows): (u16, u16)) -> Self {
        let name = sandbox.root().join("terminal");
        let azt = sandbox.command(args);
        let mut command = std::process::Command::new("sh");
        let script = format!(
            "stty rows {rows} cols {columns}; {{ tty; echo $$; }} > {}; exec \"$0\" \"$@\"",
            name.display()
        );
        command.args(["-c", &script]).arg(azt.get_program()).args(args);
        command.env_clear().envs(sandbox.env()).env("TERM", term).current_dir(sandbox.root());
        let session = spawn_command(command, Some(LIMIT)).unwrap();
        let parser = vt100::Parser::new(size(rows), size(columns), 0);
        Self { session, parser, raw: String::new(), name }
    }

    pub fn lines(&self) -> Vec<String> {
        let (_, columns) = self.parser.screen().size();
        self.parser.screen().rows(0, columns.get()).map(|row| row.trim_end().to_owned()).collect()
    }

    /// The option under the cursor, without the mark.
    pub fn option(&self) -> Option<String> {
        self.lines().iter().find_map(|line| line.strip_prefix(CURSOR).map(str::to_owned))
    }

    /// True if a line of the screen contains `text`.
    pub fn shows(&self, text: &str) -> bool {
        self.lines().iter().any(|line| line.contains(text))
    }

    /// Waits until the screen satisfies `wanted`.
    #[track_caller]
    pub fn until(&mut self, wanted: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        loop {
            // rexpect decodes each byte as one character.
            while let Some(byte) = self.session.try_read() {
                self.parser.process(&[byte as u8]);
                self.raw.push(byte);
            }
            if wanted(self) {
                return;
            }
            assert!(start.elapsed().as_millis() < LIMIT.into(), "{:#?}", self.lines());
            std::thread::yield_now();
        }
    }

    /// Sends keys.
    pub fn send(&mut self, keys: &str) {
        self.session.send(keys).unwrap();
        self.session.flush().unwrap();
    }

    pub fn control_c(&mut self) {
        self.session.send_control('c').unwrap();
    }

    /// Presses a key, waits until the cursor is on another option, and returns that option.
    #[track_caller]
    pub fn press(&mut self, key: &str) -> String {
        let before = self.option();
        self.send(key);
        self.until(|screen| screen.option().is_some_and(|it| Some(&it) != before.as_ref()));
        self.option().unwrap()
    }

    /// Types a text, and waits until the first row shows it.
    #[track_caller]
    pub fn search(&mut self, text: &str) {
        self.send(text);
        self.until(|screen| screen.lines()[0].ends_with(text));
    }

    /// Ends the program with SIGTERM; returns what it wrote since, and the terminal's mode then.
    pub fn terminate(mut self) -> (String, String) {
        let [name, pid] = self.name_and_pid();
        assert!(std::process::Command::new("kill").arg(pid).status().unwrap().success());
        let rest = self.session.exp_eof().unwrap();
        let mode = std::process::Command::new("stty").args(["-a", "-F", &name]).output();
        (rest, String::from_utf8(mode.unwrap().stdout).unwrap())
    }

    fn name_and_pid(&self) -> [String; 2] {
        let text = std::fs::read_to_string(&self.name).unwrap();
        let (name, pid) = text.trim().split_once('\n').unwrap();
        [name.to_owned(), pid.to_owned()]
    }

    /// Gives the terminal another size. What stood on it is lost.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.parser = vt100::Parser::new(size(rows), size(columns), 0);
        let [name, _] = self.name_and_pid();
        let mut stty = std::process::Command::new("stty");
        stty.args(["-F", &name, "rows", &rows.to_string(), "cols", &columns.to_string()]);
        assert!(stty.status().unwrap().success());
    }

    /// The rest of the output, and the exit code.
    pub fn end(mut self) -> (String, Option<i32>) {
        let rest = self.session.exp_eof().unwrap();
        // rexpect decodes each byte as one character.
        let bytes: Vec<u8> = rest.chars().map(|byte| byte as u8).collect();
        let rest = String::from_utf8_lossy(&bytes).into_owned();
        // The crate does not export its status type: parses `Exited(Pid(1), 0)`.
        let status = format!("{:?}", self.session.process_mut().wait().unwrap());
        let code = status.strip_suffix(')').and_then(|it| it.rsplit(' ').next()?.parse().ok());
        (rest, code.filter(|_| status.starts_with("Exited")))
    }
}

fn size(of: u16) -> NonZero<u16> {
    NonZero::new(of).unwrap()
}
