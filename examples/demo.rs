//! Records the demo of the README: `docs/demo/record`.
//!
//! Types commands into a shell on a terminal of 80 columns, with the real program and an emulated
//! cloud, and writes what the screen showed as an animated SVG to standard output.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an example runs commands and prints its result"
)]

use std::error::Error;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use entra_emulator::EntraEmulator;
use rexpect::process::PtyProcess;
use rustix::termios::{Winsize, tcsetwinsize};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const COLUMNS: u16 = 80;
const ROWS: u16 = 27;
const PERSON: &str = "alice@contoso.example";
const PROMPT: &str = "$ ";
/// Control-L.
const CLEAR: &str = "\x0c";
/// How long the last screen stays before the recording starts again.
const LAST_SCREEN: Duration = Duration::from_secs(3);

fn main() -> Result<()> {
    let mut recording = Recording::start()?;
    recording.wait_for_prompt()?;
    recording.type_line("azt login --use-device-code")?;
    recording.wait_for("Code")?;
    recording.pause(3)?;
    recording.approve()?;
    recording.wait_for("ype to search")?;
    recording.pause(2)?;
    recording.keys("prod")?;
    recording.pause(2)?;
    recording.keys("\r")?;
    recording.wait_for_prompt()?;
    recording.pause(3)?;
    for line in ["azt whoami", "azt token graph --decode", "time azt token >/dev/null"] {
        recording.keys(CLEAR)?;
        recording.wait_for_prompt()?;
        recording.type_line(line)?;
        recording.wait_for_prompt()?;
        recording.pause(3)?;
    }
    println!("{}", svg(&recording.end()));
    Ok(())
}

/// A screen, and for how long it was shown.
struct Frame {
    rows: Vec<Vec<Run>>,
    shown: Duration,
}

/// Characters of one row that look alike.
#[derive(Clone, PartialEq, Eq)]
struct Run {
    column: u16,
    text: String,
    look: Look,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Look {
    foreground: vt100::Color,
    background: vt100::Color,
    bold: bool,
    dim: bool,
}

struct Recording {
    emulator: EntraEmulator,
    keyboard: File,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    frames: Vec<Frame>,
    changed: Instant,
    _shell: PtyProcess,
    _root: tempfile::TempDir,
}

impl Recording {
    fn start() -> Result<Self> {
        let azt = PathBuf::from(std::env::var("AZT")?);
        let emulator = EntraEmulator::builder().port(443).start()?;
        emulator.settings_mut(|settings| settings.device_code_interval = 1);
        // The tenant without subscriptions, which a sign-in warns about.
        emulator.directory_mut(|directory| {
            directory.tenants.retain(|tenant| tenant.default_domain != "northwind.example");
        });
        let root = tempfile::tempdir()?;
        let home = root.path();
        emulator.write_ca(home.join("ca.pem"))?;
        std::os::unix::fs::symlink(&azt, home.join("azt"))?;
        let environment = [
            ("HOME", home.display().to_string()),
            ("PATH", format!("{}:/usr/bin:/bin", home.display())),
            ("REQUESTS_CA_BUNDLE", home.join("ca.pem").display().to_string()),
            ("AZURE_CLOUD_NAME", "Demo".to_owned()),
            ("AZURE_CORE_KEY_SOURCE", "file".to_owned()),
            ("AZURE_CORE_CLIPBOARD", "false".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("TERM", "xterm-256color".to_owned()),
            ("PS1", PROMPT.to_owned()),
            ("TIMEFORMAT", "%3R s".to_owned()),
        ];
        let resource_manager = format!("{}/", emulator.url());
        let status = Command::new(&azt)
            .args(["cloud", "register", "-n", "Demo", "--endpoint-resource-manager"])
            .arg(resource_manager)
            .env_clear()
            .envs(environment.clone())
            .env_remove("AZURE_CLOUD_NAME")
            .status()?;
        if !status.success() {
            return Err("the emulated cloud cannot be registered".into());
        }
        let mut shell = Command::new("sh");
        // rexpect turns the echo off.
        shell.args(["-c", "stty echo; exec bash --norc --noprofile -i"]).current_dir(home);
        shell.env_clear().envs(environment);
        let mut shell = PtyProcess::new(shell)?;
        // An interactive bash does not end by SIGTERM.
        shell.set_kill_timeout(Some(1000));
        let keyboard = shell.get_file_handle()?;
        tcsetwinsize(
            &keyboard,
            Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 },
        )?;
        let mut reader = shell.get_file_handle()?;
        let (sender, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes.iter().take(count).copied().collect()).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            emulator,
            keyboard,
            output,
            screen: vt100::Parser::new(nonzero(ROWS)?, nonzero(COLUMNS)?, 0),
            frames: Vec::new(),
            changed: Instant::now(),
            _shell: shell,
            _root: root,
        })
    }

    /// Takes what the terminal received within `time`.
    fn watch(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        loop {
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => {
                    // What follows at once belongs to the same screen.
                    let before = rows(self.screen.screen());
                    self.screen.process(&bytes);
                    while let Ok(more) = self.output.recv_timeout(Duration::from_millis(15)) {
                        self.screen.process(&more);
                    }
                    if rows(self.screen.screen()) != before {
                        self.frames.push(Frame { rows: before, shown: self.changed.elapsed() });
                        self.changed = Instant::now();
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err("the shell has ended".into()),
            }
        }
    }

    fn pause(&mut self, seconds: u64) -> Result<()> {
        self.watch(Duration::from_secs(seconds))
    }

    fn wait_until(&mut self, what: &str, is_there: impl Fn(&vt100::Screen) -> bool) -> Result<()> {
        let end = Instant::now() + Duration::from_secs(30);
        while !is_there(self.screen.screen()) {
            if Instant::now() > end {
                let shown = self.screen.screen().contents();
                return Err(format!("{what} does not appear on:\n{shown}").into());
            }
            self.watch(Duration::from_millis(50))?;
        }
        Ok(())
    }

    fn wait_for(&mut self, text: &str) -> Result<()> {
        self.wait_until(text, |screen| screen.contents().contains(text))
    }

    fn wait_for_prompt(&mut self) -> Result<()> {
        self.wait_until("the prompt", |screen| {
            let (row, column) = screen.cursor_position();
            let line = screen.rows(0, COLUMNS).nth(row.into()).unwrap_or_default();
            column == 2 && line.trim_end() == PROMPT.trim_end()
        })
    }

    fn keys(&mut self, keys: &str) -> Result<()> {
        for key in keys.chars() {
            let mut bytes = [0; 4];
            self.keyboard.write_all(key.encode_utf8(&mut bytes).as_bytes())?;
            self.watch(Duration::from_millis(60))?;
        }
        Ok(())
    }

    fn type_line(&mut self, line: &str) -> Result<()> {
        self.keys(line)?;
        self.watch(Duration::from_millis(500))?;
        self.keys("\r")
    }

    /// Approves the code that is shown, as Alice would in her browser.
    fn approve(&self) -> Result<()> {
        for code in self.emulator.pending_device_codes() {
            self.emulator.approve_device_code(&code.user_code, PERSON)?;
        }
        Ok(())
    }

    fn end(mut self) -> Vec<Frame> {
        self.frames.push(Frame { rows: rows(self.screen.screen()), shown: LAST_SCREEN });
        self.frames
    }
}

fn nonzero(size: u16) -> Result<std::num::NonZero<u16>> {
    size.try_into().map_err(Into::into)
}

/// The rows of `screen` without blanks at their ends.
fn rows(screen: &vt100::Screen) -> Vec<Vec<Run>> {
    (0..ROWS).map(|row| runs(screen, row)).collect()
}

fn runs(screen: &vt100::Screen, row: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for column in 0..COLUMNS {
        let Some(cell) = screen.cell(row, column) else { continue };
        if cell.is_wide_continuation() {
            continue;
        }
        let (mut foreground, mut background) = (cell.fgcolor(), cell.bgcolor());
        if cell.inverse() {
            (foreground, background) = (background, foreground);
        }
        let look = Look { foreground, background, bold: cell.bold(), dim: cell.dim() };
        let text = if cell.has_contents() { cell.contents() } else { " " };
        match runs.last_mut() {
            Some(run) if run.look == look => run.text.push_str(text),
            _ => runs.push(Run { column, text: text.to_owned(), look }),
        }
    }
    while runs.last().is_some_and(|run| {
        run.text.trim().is_empty() && run.look.background == vt100::Color::Default
    }) {
        runs.pop();
    }
    runs
}

/// Width and height of a character, in pixels.
const CELL: (u16, u16) = (9, 18);
const MARGIN: u16 = 12;

/// The frames below each other, moved up by one screen at the time of each frame. Equal rows stand
/// in the file once. Who wants no motion sees the fullest frame.
fn svg(frames: &[Frame]) -> String {
    let (width, height) = (COLUMNS * CELL.0 + 2 * MARGIN, ROWS * CELL.1 + 2 * MARGIN);
    let total: f64 = frames.iter().map(|frame| frame.shown.as_secs_f64()).sum();
    let mut known: Vec<&[Run]> = Vec::new();
    let (mut uses, mut keyframes) = (String::new(), String::new());
    let mut time = 0.0;
    for (number, frame) in frames.iter().enumerate() {
        let top = number * usize::from(height);
        let _ =
            writeln!(keyframes, "{:.3}%{{transform:translateY(-{top}px)}}", time / total * 100.0);
        time += frame.shown.as_secs_f64();
        for (row, runs) in frame.rows.iter().enumerate().filter(|(_, runs)| !runs.is_empty()) {
            let id = known.iter().position(|known| known == runs).unwrap_or_else(|| {
                known.push(runs);
                known.len() - 1
            });
            let y = top + usize::from(MARGIN) + row * usize::from(CELL.1);
            let _ = writeln!(uses, r##"<use href="#r{id}" y="{y}"/>"##);
        }
    }
    let filled = |frame: &Frame| frame.rows.iter().filter(|runs| !runs.is_empty()).count();
    let fullest = frames.iter().enumerate().max_by_key(|(_, frame)| filled(frame));
    let still = fullest.map_or(0, |(number, _)| number * usize::from(height));
    let mut rows = String::new();
    for (id, runs) in known.iter().enumerate() {
        let _ = writeln!(rows, "<g id=\"r{id}\">{}</g>", row(runs));
    }
    // A border, because the page behind it may be as dark.
    let (frame_width, frame_height) = (width - 1, height - 1);
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<style>
text{{font:15px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:#d8dee9}}
#film{{animation:film {total:.2}s step-end infinite}}
@media(prefers-reduced-motion:reduce){{#film{{animation:none;transform:translateY(-{still}px)}}}}
@keyframes film{{
{keyframes}}}
</style>
<rect x=".5" y=".5" width="{frame_width}" height="{frame_height}" rx="8" fill="#11161d" stroke="#3d444d"/>
<defs>
{rows}</defs>
<g id="film">
{uses}</g>
</svg>"##
    )
}

fn row(runs: &[Run]) -> String {
    let mut svg = String::new();
    for run in runs {
        let x = MARGIN + run.column * CELL.0;
        let columns = run.text.chars().count();
        let length = columns * usize::from(CELL.0);
        if let Some(colour) = colour(run.look.background) {
            let _ = write!(
                svg,
                r#"<rect x="{x}" width="{length}" height="{}" fill="{colour}" shape-rendering="crispEdges"/>"#,
                CELL.1
            );
        }
        if run.text.trim().is_empty() {
            continue;
        }
        let text = run.text.replace('&', "&amp;").replace('<', "&lt;");
        let fill = colour(run.look.foreground)
            .map(|colour| format!(r#" style="fill:{colour}""#))
            .unwrap_or_default();
        let weight = if run.look.bold { r#" font-weight="bold""# } else { "" };
        let dim = if run.look.dim { r#" opacity="0.6""# } else { "" };
        let _ = write!(
            svg,
            r#"<text x="{x}" y="14" textLength="{length}" lengthAdjust="spacingAndGlyphs" xml:space="preserve"{fill}{weight}{dim}>{text}</text>"#
        );
    }
    svg
}

/// The colour as CSS writes it; `None` for the terminal's own.
fn colour(colour: vt100::Color) -> Option<String> {
    const PALETTE: [&str; 16] = [
        "#000000", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d8dee9",
        "#7f8794", "#ff7b86", "#b5e08f", "#ffd68a", "#7cc4ff", "#dd8ff2", "#6fd3de", "#ffffff",
    ];
    match colour {
        vt100::Color::Default => None,
        vt100::Color::Rgb(red, green, blue) => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
        vt100::Color::Idx(index) => PALETTE.get(usize::from(index)).map(|it| (*it).to_owned()),
    }
}
