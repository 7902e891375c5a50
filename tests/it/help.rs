//! Help: pages, groups, colour, man pages.

use std::fs;
use std::process::Command;

use crate::screen::Screen;
use crate::support::*;

#[test]
fn a_group_alone_prints_its_help() {
    let sandbox = Sandbox::without_cloud();
    for group in ["account", "cache", "cloud", "config", "shim", "vault"] {
        let help = sandbox.azt([group, "--help"]).quiet().stdout;
        assert!(help.contains(&format!("Usage: azt {group} <COMMAND>")), "{help}");
        drop(sandbox.azt([group]).quiet().prints(&help));
        drop(sandbox.az([group]).exits(2).says("are required: _subcommand"));
    }
    let help = sandbox.azt(["account", "tenant", "--help"]).quiet().stdout;
    drop(sandbox.azt(["ACCOUNT", "tenant"]).quiet().prints(&help));
    let help = sandbox.azt(["--help"]).quiet().stdout;
    drop(sandbox.azt([""; 0]).quiet().prints(&help));
    drop(sandbox.azt(["account", "-o", "json"]).exits(2).says("unrecognized arguments"));
}

#[test]
fn the_version_has_a_short_option() {
    let sandbox = Sandbox::without_cloud();
    let version = sandbox.azt(["--version"]).quiet().stdout;
    drop(sandbox.azt(["-V"]).quiet().prints(&version));
    drop(sandbox.az(["-V"]).exits(2));
}

#[test]
fn exit_codes_have_a_page() {
    let sandbox = Sandbox::without_cloud();
    let page = sandbox.azt(["help", "exit-codes"]).quiet().stdout;
    for line in ["    0  success", "    4  no account is signed in", "  130  cancelled"] {
        assert!(page.contains(line), "{page}");
    }
    assert!(sandbox.azt(["help"]).quiet().stdout.contains("`azt help exit-codes`"));
}

#[test]
fn options_of_login_have_headings() {
    let sandbox = Sandbox::without_cloud();
    let help = sandbox.azt(["login", "--help"]).quiet().stdout;
    let section = |heading: &str| {
        let (_, rest) = help.split_once(&format!("\n{heading}:\n")).expect(heading);
        rest.split("\n\n").next().unwrap().to_owned()
    };
    for (heading, option) in [
        ("Options", "--username"),
        ("Users", "--use-device-code"),
        ("Service principals", "--certificate "),
        ("Managed identities", "--object-id"),
        ("Applications of your own", "--redirect-uri"),
        ("Subscriptions", "--allow-no-subscriptions"),
        ("Global options", "--query"),
    ] {
        assert!(section(heading).contains(option), "{heading} {option}: {help}");
    }
}

#[test]
fn help_has_colour_on_a_terminal_that_wants_it() {
    const LIST: [&str; 3] = ["account", "list", "--help"];
    let mut sandbox = Sandbox::without_cloud();
    let shown = |sandbox: &Sandbox, args: &[&str]| {
        let (written, code) = Screen::run(sandbox, args, (100, 40)).end();
        assert_eq!(code, Some(0), "{written}");
        written
    };
    let plain = sandbox.azt(LIST).quiet().stdout;
    assert!(!plain.contains('\x1b'), "{plain}");
    let coloured = shown(&sandbox, &LIST);
    for part in ["\x1b[1mUsage:", "\x1b[36m--refresh\x1b[0m", "\x1b[1mExamples:\x1b[0m"] {
        assert!(coloured.contains(part), "{coloured:?}");
    }
    let without = regex::Regex::new("\x1b\\[[0-9;]*m").unwrap();
    assert_eq!(without.replace_all(&coloured, "").replace('\r', ""), plain);
    assert!(shown(&sandbox, &["account"]).contains("\x1b[36mlist-locations\x1b[0m"));

    sandbox.set("AZURE_CORE_NO_COLOR", "yes");
    assert_eq!(shown(&sandbox, &LIST).replace('\r', ""), plain);
    sandbox.unset("AZURE_CORE_NO_COLOR");
    sandbox.set("NO_COLOR", "1");
    assert_eq!(shown(&sandbox, &LIST).replace('\r', ""), plain);
}

/// Every page is shown by `man`, and groff has no warning about it.
#[test]
fn man_pages_are_written() {
    let sandbox = Sandbox::without_cloud();
    let folder = sandbox.root().join("share/man/man1");
    drop(sandbox.azt(["__man", folder.to_str().unwrap()]).quiet().prints(""));
    let pages = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut names = Vec::new();
    for page in pages {
        let name = page.file_name().unwrap().to_str().unwrap().to_owned();
        let text = man(&page);
        if let Some(text) = text {
            for section in ["NAME", "DESCRIPTION"] {
                assert!(text.lines().any(|line| line == section), "{name}: {text}");
            }
            assert!(text.contains(name.trim_end_matches(".1")), "{name}: {text}");
            if name == "azt-account-list.1" {
                let example =
                    "\n       azt account list -o table\n       azt account list --refresh";
                assert!(text.replace("         azt", "       azt").contains(example), "{text}");
            }
        }
        names.push(name);
    }
    for name in ["azt.1", "azt-account.1", "azt-account-tenant-list.1", "azt-exit-codes.1"] {
        assert!(names.iter().any(|it| it == name), "{name}: {names:?}");
    }
    assert!(!names.iter().any(|name| name.contains("identity-broker")), "hidden: {names:?}");
    drop(sandbox.azt(["__man"]).exits(2).says("azt __man FOLDER"));
    drop(sandbox.az(["__man", "x"]).exits(2).says("'__man' is misspelled"));
}

/// What `man` shows of `page`; `None`, and a line that says so, where it is missing.
#[allow(clippy::print_stderr, reason = "a test that cannot run says so")]
fn man(page: &std::path::Path) -> Option<String> {
    // The sandbox of the tests hides nothing from man, but a profile might: it gets no environment.
    let mut man = Command::new("/usr/bin/man");
    man.args(["-l", "--warnings"]).arg(page).env_clear();
    man.env("LC_ALL", "C.UTF-8")
        .env("MANPAGER", "cat")
        .env("MANWIDTH", "80")
        .env("PATH", "/usr/bin:/bin");
    if !std::path::Path::new("/usr/bin/man").exists() {
        eprintln!("skipped: there is no man (tests/run installs it)");
        return None;
    }
    let run = Run::of(&mut man).quiet();
    Some(run.stdout)
}
