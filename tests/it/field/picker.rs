//! The subscription picker on terminals of every size: Enter takes the subscription that is shown.

use crate::screen::*;
use crate::support::*;

/// `azt login` with the list on its screen.
#[track_caller]
fn login(sandbox: &Sandbox, columns: u16, rows: u16) -> Screen {
    let mut screen = Screen::run(sandbox, &["login"], (columns, rows));
    screen.until(|screen| screen.option().is_some());
    screen
}

/// Presses Enter and returns the chosen subscription: `NAME (ID)`.
fn enter(sandbox: &Sandbox, mut screen: Screen) -> String {
    screen.send(ENTER);
    let (rest, code) = screen.end();
    assert_eq!(code, Some(0), "{rest}");
    let shown = sandbox.azt(["account", "show"]).quiet();
    let name = shown.text("name");
    // A long line breaks between words.
    let said = rest.replace("\r\n", " ");
    assert!(said.contains(&format!(" · {name} (")), "{rest}");
    format!("{name} ({})", shown.text("id"))
}

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
        let mut screen = login(&sandbox, columns, rows);
        if columns >= 40 {
            screen.search("pay");
        }
        let mut shown = String::new();
        for key in [DOWN, DOWN, DOWN, DOWN, UP] {
            shown = screen.press(key);
            let lines = screen.lines();
            assert!(lines[0].starts_with("Subscri"), "{columns}x{rows}: {lines:#?}");
            let options =
                lines.iter().filter(|line| line.contains("Payments") || line.contains('…'));
            assert!(columns < 40 || options.count() >= 3, "{columns}x{rows}: {lines:#?}");
        }
        is_same(&shown, &enter(&sandbox, screen));
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
        let mut screen = login(&sandbox, columns, rows);
        for _ in 0..12 {
            screen.press(DOWN);
        }
        let lines = screen.lines();
        let taken = {
            let shown = screen.option().unwrap();
            let taken = enter(&sandbox, screen);
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
        let mut screen = login(&sandbox, 40, 12);
        screen.send(typed);
        screen.until(|screen| {
            screen.option().is_some_and(|it| it.starts_with("Payments weu prod 07"))
        });
        assert_eq!(
            enter(&sandbox, screen),
            "Payments weu prod 07 (60000000-0000-4000-8000-000000000007)"
        );
    }
}

fn payments(count: usize) -> Sandbox {
    with_subscriptions(count, |number| format!("Payments weu {number:03}"))
}

fn forget_the_default(sandbox: &Sandbox) {
    for name in ["azureProfile.json", "azt/recent.json"] {
        std::fs::remove_file(sandbox.file(name)).ok();
    }
}

/// A short terminal panel, three keys down, Enter: what was under the cursor is taken.
#[test]
fn every_size_shows_the_question_the_options_and_the_count() {
    let sandbox = payments(296);
    for (columns, rows, tenant, id) in
        [(40, 8, false, false), (80, 24, true, false), (100, 12, true, true), (200, 50, true, true)]
    {
        forget_the_default(&sandbox);
        let mut screen = login(&sandbox, columns, rows);
        // A large screen arrives in several parts.
        screen.until(|screen| screen.lines().last().is_some_and(|it| it.contains("Enter")));
        let lines = screen.lines();
        let whole = lines.join("\n");
        assert_eq!(lines[0], "Subscription to use:", "{whole}");
        assert!(lines[1].starts_with("> Contoso Production (default)"), "{whole}");
        assert!(whole.contains("  Contoso Old Experiments (disabled)"), "{whole}");
        assert!(lines[usize::from(rows) - 3].starts_with("v Payments weu 0"), "{whole}");
        assert_eq!(lines[usize::from(rows) - 2], "300 of 300", "{whole}");
        assert!(lines[usize::from(rows) - 1].contains("Enter"), "{whole}");
        let tenants: Vec<Option<usize>> = lines
            .iter()
            .filter(|it| it.contains("Payments"))
            .map(|it| it.rfind("Contoso"))
            .collect();
        assert!(tenants.iter().all(|at| *at == tenants[0]), "aligned: {whole}");
        assert_eq!(tenants[0].is_some(), tenant, "{whole}");
        assert_eq!(whole.contains("-4000-8000-"), id, "{whole}");
        screen.search("pay");
        screen.until(|screen| screen.shows("296 of 300"));
        let mut shown = String::new();
        for _ in 0..3 {
            shown = screen.press(DOWN);
        }
        assert!(shown.starts_with("Payments weu 003"), "{shown}");
        is_same(&shown, &enter(&sandbox, screen));
    }
}

#[test]
fn nothing_matches_is_said() {
    let sandbox = payments(8);
    let mut screen = login(&sandbox, 80, 24);
    screen.search("pay xyz");
    screen.until(|it| it.shows("Nothing matches 'pay xyz'.") && it.shows("0 of 12"));
    screen.send(ENTER);
    screen.send("\x7f\x7f\x7f");
    screen.until(|screen| screen.option().is_some_and(|it| it.starts_with("Payments")));
    screen.until(|screen| screen.shows("8 of 12"));
    assert!(enter(&sandbox, screen).starts_with("Payments weu 000"));
}

#[test]
fn the_list_follows_a_window_that_changes_its_size() {
    let sandbox = payments(300);
    let mut screen = login(&sandbox, 100, 40);
    screen.search("pay");
    for _ in 0..30 {
        screen.press(DOWN);
    }
    // stty changes rows and columns one after the other.
    let shown = |screen: &Screen| {
        screen.lines()[0] == "Subscription to use: pay"
            && screen.option().is_some_and(|it| it.starts_with("Payments weu 030"))
            && screen.shows("300 of 304")
    };
    for (columns, rows) in [(40, 8), (200, 50), (30, 7)] {
        screen.resize(columns, rows);
        screen.until(shown);
    }
    screen.press(DOWN);
    assert_eq!(enter(&sandbox, screen), "Payments weu 031 (60000000-0000-4000-8000-000000000031)");
}

#[test]
fn escape_keeps_the_default_and_ctrl_c_is_a_failure() {
    let sandbox = payments(8);
    let mut screen = login(&sandbox, 80, 24);
    screen.press(DOWN);
    screen.send(ESCAPE);
    let (rest, code) = screen.end();
    assert!(rest.contains("Nothing was chosen: the default stays."), "{rest}");
    assert!(rest.contains(" · Contoso Production (") && code == Some(0), "{rest}");
    let mut screen = login(&sandbox, 80, 24);
    screen.control_c();
    let (rest, code) = screen.end();
    let says = "Cancelled. You are signed in. The default subscription is 'Contoso Production'.";
    assert!(rest.contains(says) && code == Some(130), "{code:?} {rest}");
    assert!(!rest.contains("ERROR"), "{rest}");
    assert_eq!(sandbox.azt(["account", "show"]).quiet().text("name"), "Contoso Production");
}

#[test]
fn one_subscription_is_no_question() {
    let sandbox = with_subscriptions(0, |_| String::new());
    sandbox.emulator.directory_mut(|directory| {
        directory.subscriptions.retain(|it| it.id == PRODUCTION);
    });
    let (rest, code) = Screen::run(&sandbox, &["login"], (80, 24)).end();
    assert!(!rest.contains("Subscription to") && rest.contains(" · Contoso Pro"), "{rest}");
    assert_eq!(code, Some(0));
}

#[test]
fn no_color_is_respected() {
    for (name, value, in_colour) in
        [("AZURE_CORE_NO_COLOR", "true", false), ("NO_COLOR", "1", false), ("UNRELATED", "1", true)]
    {
        let mut sandbox = payments(3);
        sandbox.set("AZURE_CORE_NO_COLOR", "false");
        sandbox.set(name, value);
        let mut screen = login(&sandbox, 80, 24);
        screen.press(DOWN);
        assert_eq!(screen.raw.contains("\u{1b}[38;"), in_colour, "{name}: {:?}", screen.raw);
    }
}

/// Without cursor keys: numbers, parts of names, Enter.
#[test]
fn a_dumb_terminal_gets_a_list_with_numbers() {
    let sandbox = payments(296);
    for (answers, taken) in [
        (&["2"][..], "Contoso Development and Test"),
        (&["295"], "Payments weu 295"),
        (&["nothing of that", "weu 29", "5"], "Payments weu 291"),
        (&["contoso production"], "Contoso Production"),
        (&[""], "Contoso Production"),
    ] {
        forget_the_default(&sandbox);
        let mut screen = Screen::of("dumb", &sandbox, &["login"], (80, 200));
        for (at, answer) in answers.iter().enumerate() {
            screen.until(|screen| screen.raw.matches("or Enter to leave:").count() == at + 1);
            let list = screen.raw.split_once("Subscription to use:").unwrap().1;
            assert!(!list.contains('\u{1b}'), "{list:?}");
            screen.send(&format!("{answer}\n"));
        }
        let said =
            |raw: &str| raw.contains("300 of 300") && raw.contains(" 2  Contoso Development");
        assert!(said(&screen.raw), "{}", screen.raw);
        let raw = screen.raw.clone();
        let (rest, code) = screen.end();
        let end = format!(" · {taken} (");
        assert!(rest.contains(&end) && code == Some(0), "{answers:?}: {raw}{rest}");
    }
}

/// A terminal cuts a long line within a word.
#[test]
fn long_lines_break_between_words() {
    let mut sandbox = Sandbox::signed_in_as_alice();
    sandbox.set("NO_COLOR", "1");
    for (args, told) in [
        (&["switch", "nonsense"][..], "ERROR: No subscription matches 'nonsense'."),
        (
            &["switch", "Contoso Production"],
            "Now: Contoso Production · Contoso (alice@contoso.example)",
        ),
        (&["config", "set", "core.key_source=env"], "azt vault move --to env"),
    ] {
        let (rest, _) = Screen::run(&sandbox, args, (40, 8)).end();
        assert!(rest.lines().all(|line| line.chars().count() <= 40), "{rest}");
        assert!(rest.replace("\r\n", " ").contains(told), "{rest}");
    }
    let piped = sandbox.azt(["switch", "nonsense"]).exits(1);
    drop(piped.says("ERROR: No subscription matches 'nonsense'.\n"));
}
