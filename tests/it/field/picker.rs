//! The subscription picker on terminals of every size: Enter takes the subscription that is shown.

use std::num::NonZero;
use std::time::Instant;

use rexpect::session::{PtySession, spawn_command};

use crate::support::*;

/// Milliseconds to wait for the expected screen.
const LIMIT: u64 = 30_000;
/// Marks the option under the cursor.
const CURSOR: &str = "> ";

/// A terminal of a given size, and its screen.
struct Screen {
    session: PtySession,
    parser: vt100::Parser,
}

impl Screen {
    /// `azt login` on `columns` by `rows`.
    fn login(sandbox: &Sandbox, columns: u16, rows: u16) -> Self {
        let azt = sandbox.command(["login"]);
        let mut command = std::process::Command::new("sh");
        let script = format!("stty rows {rows} cols {columns}; exec \"$0\" login");
        command.args(["-c", &script]).arg(azt.get_program()).env_clear().envs(sandbox.env());
        command.env("TERM", "xterm-256color").current_dir(sandbox.root());
        let session = spawn_command(command, Some(LIMIT)).unwrap();
        Self { session, parser: vt100::Parser::new(size(rows), size(columns), 0) }
    }

    fn lines(&self) -> Vec<String> {
        let (_, columns) = self.parser.screen().size();
        self.parser.screen().rows(0, columns.get()).map(|row| row.trim_end().to_owned()).collect()
    }

    /// The option under the cursor, without the mark.
    fn option(&self) -> Option<String> {
        self.lines().iter().find_map(|line| line.strip_prefix(CURSOR).map(str::to_owned))
    }

    /// Waits until the screen satisfies `wanted`.
    #[track_caller]
    fn until(&mut self, wanted: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        loop {
            // rexpect decodes each byte as one character.
            while let Some(byte) = self.session.try_read() {
                self.parser.process(&[byte as u8]);
            }
            if wanted(self) {
                return;
            }
            assert!(start.elapsed().as_millis() < LIMIT.into(), "{:#?}", self.lines());
            std::thread::yield_now();
        }
    }

    /// Presses a key, waits until the cursor is on another option, and returns that option.
    #[track_caller]
    fn press(&mut self, key: &str) -> String {
        let before = self.option();
        self.session.send(key).unwrap();
        self.session.flush().unwrap();
        self.until(|screen| screen.option().is_some_and(|it| Some(&it) != before.as_ref()));
        let lines = self.lines();
        // On a narrow terminal it takes two rows.
        assert!(lines.iter().any(|line| line.contains("? Subscr")), "{lines:#?}");
        self.option().unwrap()
    }

    /// Presses Enter and returns the chosen subscription: `NAME (ID)`.
    fn enter(mut self) -> String {
        self.session.send("\r").unwrap();
        self.session.flush().unwrap();
        let rest = self.session.exp_eof().unwrap();
        let line = rest.lines().find_map(|line| line.split_once("Subscription: "));
        line.unwrap_or_else(|| panic!("{rest}")).1.trim_end().to_owned()
    }
}

fn size(of: u16) -> NonZero<u16> {
    NonZero::new(of).unwrap()
}

const DOWN: &str = "\x1b[B";
const UP: &str = "\x1b[A";

/// Alice with `count` more subscriptions, called `name` and a number.
fn with_subscriptions(count: usize, name: impl Fn(usize) -> String) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.set("AZURE_CORE_NO_COLOR", "true");
    sandbox.approve_as(ALICE);
    sandbox.emulator.directory_mut(|directory| {
        let model = directory.subscription_mut(PRODUCTION).unwrap().clone();
        directory.subscriptions.extend((0..count).map(|number| {
            let mut it = model.clone();
            it.id = format!("60000000-0000-4000-8000-{number:012}");
            it.name = name(number);
            it
        }));
    });
    sandbox
}

/// True if `shown` is `taken`, `NAME (ID)`, possibly truncated.
#[track_caller]
fn is_same(shown: &str, taken: &str) {
    let (name, id) = taken.trim_end_matches(')').rsplit_once(" (").unwrap();
    if let (Some((begun, _)), Some((_, end))) = (shown.split_once('…'), shown.rsplit_once('…'))
    {
        assert!(name.starts_with(begun.trim_end()) && id.ends_with(end), "{shown} / {taken}");
    } else {
        assert!(shown == name || shown.starts_with(&format!("{name} ")), "{shown} / {taken}");
        // A shown id must be the taken one.
        assert!(!shown.contains("-4000-8000-") || shown.contains(id), "{shown} / {taken}");
    }
}

#[test]
fn enter_takes_the_subscription_that_is_shown() {
    let regions = ["weu", "neu", "jpe", "brs"];
    let stages = ["prod", "stage", "test"];
    let name = |number: usize| {
        format!("Payments {} {} {number:03}", regions[number % 4], stages[number % 3])
    };
    let sandbox = with_subscriptions(300, name);
    for (columns, rows) in
        [(100, 12), (40, 24), (40, 12), (80, 6), (80, 5), (20, 10), (24, 7), (200, 50), (9, 8)]
    {
        let mut screen = Screen::login(&sandbox, columns, rows);
        screen.until(|screen| screen.option().is_some());
        if columns >= 40 {
            screen.press("p");
            screen.session.send("ay").unwrap();
            screen.session.flush().unwrap();
            screen.until(|screen| screen.lines().iter().any(|line| line.ends_with(" pay")));
        }
        let mut shown = String::new();
        for key in [DOWN, DOWN, DOWN, DOWN, UP] {
            shown = screen.press(key);
            let lines = screen.lines();
            let options =
                lines.iter().filter(|line| line.contains("Payments") || line.contains('…'));
            assert!(columns < 40 || options.count() >= 3, "{columns}x{rows}: {lines:#?}");
        }
        is_same(&shown, &screen.enter());
    }
}

#[test]
fn long_and_wide_names_fit_the_terminal() {
    let names = [
        "東京の本番環境と開発環境とその他のすべての環境",
        "A very long name of a subscription that goes on and on until it ends",
        "A very long name of a subscription that goes on and on until it stops",
        "Ünïcødé ☁\u{fe0f} with signs",
        "one  two   blanks",
    ];
    let sandbox = with_subscriptions(40, |number| names[number % names.len()].to_owned());
    for (columns, rows) in [(40, 10), (60, 12), (100, 9)] {
        let mut screen = Screen::login(&sandbox, columns, rows);
        screen.until(|screen| screen.option().is_some());
        for _ in 0..12 {
            screen.press(DOWN);
        }
        let lines = screen.lines();
        let taken = {
            let shown = screen.option().unwrap();
            let taken = screen.enter();
            let end = &taken[taken.len() - 6..taken.len() - 1];
            // Equal names are told apart by the end of the id where the whole id does not fit.
            assert!(shown.contains(end), "{columns}: {shown} / {taken}");
            taken
        };
        assert!(lines.iter().all(|line| !line.contains("Esc to kee…")), "{lines:#?} {taken}");
    }
}

/// In any order, and by an id that is truncated on screen.
#[test]
fn typed_words_match_anywhere() {
    let sandbox = with_subscriptions(30, |number| format!("Payments weu prod {number:02}"));
    for typed in ["prod 07 weu", "PAYMENTS 07", "000000000007"] {
        let mut screen = Screen::login(&sandbox, 40, 12);
        screen.until(|screen| screen.option().is_some());
        screen.session.send(typed).unwrap();
        screen.session.flush().unwrap();
        screen.until(|screen| {
            screen.option().is_some_and(|it| it.starts_with("Payments weu prod 07"))
        });
        assert_eq!(screen.enter(), "Payments weu prod 07 (60000000-0000-4000-8000-000000000007)");
    }
}
