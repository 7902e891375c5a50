//! Every command of the README and of the pages in docs/ runs, or the page's source says why not.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use regex::Regex;

use crate::support::*;

/// Stands above a block that no test can run, and says why: `<!-- not run: REASON -->`, or
/// `<!-- not run (WORD): REASON -->` for its lines with that word.
const MARKER: &str = "<!-- not run";

/// A fenced block of a page.
struct Block {
    place: String,
    language: String,
    text: String,
    markers: Vec<Marker>,
}

struct Marker {
    /// The word of the lines that are not run; empty for all lines.
    word: String,
    reason: String,
}

impl Marker {
    fn parse(line: &str) -> Option<Self> {
        let (head, reason) =
            line.strip_prefix(MARKER)?.strip_suffix(" -->").unwrap().split_once(": ").unwrap();
        let word = head.trim().trim_matches(['(', ')']).to_owned();
        Some(Self { word, reason: reason.to_owned() })
    }
}

impl Block {
    /// What a shell runs of it.
    fn commands(&self) -> String {
        let prompt = match self.language.as_str() {
            "sh" => "",
            "console" => "$ ",
            _ => return String::new(),
        };
        let lines = self.text.lines().filter_map(|line| line.strip_prefix(prompt));
        let is_run = |line: &&str| !self.markers.iter().any(|it| line.contains(&it.word));
        lines.filter(is_run).map(|line| format!("{line}\n")).collect()
    }
}

/// The README and every page of docs/, by its path.
fn pages() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = std::fs::read_dir(root.join("docs"))
        .unwrap()
        .map(|entry| format!("docs/{}", entry.unwrap().file_name().to_str().unwrap()))
        .filter(|name| name.ends_with(".md"))
        .chain(["README.md", "benches/README.md", ".github/SECURITY.md"].map(String::from))
        .collect();
    names.sort();
    let text = |name: String| {
        let text = std::fs::read_to_string(root.join(&name)).unwrap();
        (name, text)
    };
    names.into_iter().map(text).collect()
}

fn blocks(name: &str, page: &str) -> Vec<Block> {
    let (mut blocks, mut markers) = (Vec::new(), Vec::new());
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let place = format!("{name}:{}", number + 1);
        if let Some(marker) = Marker::parse(line) {
            markers.push(marker);
        } else if let Some(language) = line.strip_prefix("```") {
            let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            let text = inside.map(|line| format!("{line}\n")).collect();
            let language = language.to_owned();
            blocks.push(Block { place, language, text, markers: std::mem::take(&mut markers) });
        } else if !line.is_empty() {
            assert!(markers.is_empty(), "{place}: a marker without a block");
        }
    }
    blocks
}

/// The words in capitals of the pages, and what stands for them here.
fn filled_in(text: &str) -> String {
    let words = Regex::new(
        r"(?m)(^|[^$\w{])(api://APP_ID|APP_ID|CHALLENGE|CLIENT_ID|CONNECTION_ID|FILE|FOLDER|NAME|SHELL|SOURCE|TENANT)\b",
    );
    let text = words.unwrap().replace_all(text, |found: &regex::Captures<'_>| {
        let word = match &found[2] {
            "api://APP_ID" => "api://contoso-ledger",
            "APP_ID" => APP,
            "CHALLENGE" => "{}",
            "CLIENT_ID" | "CONNECTION_ID" => "a1000000-0000-4000-8000-000000000005",
            "FILE" => "secret.txt",
            "FOLDER" => "folder",
            "NAME" => ALICE,
            "SHELL" => "bash",
            "SOURCE" => "file",
            _ => CONTOSO,
        };
        format!("{}{word}", &found[1])
    });
    text.replace('…', "")
}

/// The machine of a reader who is signed in as Alice. It has azt on its PATH, and a `curl` that
/// checks what it is given and asks nobody.
fn reader() -> Sandbox {
    let mut sandbox = Sandbox::signed_in_as_alice();
    let bin = sandbox.root().join("bin");
    // Not a link: `azt shim install` makes az beside the program itself.
    std::fs::remove_file(bin.join("az")).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_azt"), bin.join("azt")).unwrap();
    let curl = bin.join("curl");
    std::fs::write(
        &curl,
        "#!/bin/sh\ncase \"$*\" in *@-*) set -- \"$(cat)\" ;; esac\ncase \"$*\" in *'Authorization: Bearer ey'*) ;; *) exit 1 ;; esac\n",
    )
    .unwrap();
    std::fs::set_permissions(curl, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(sandbox.root().join("secret.txt"), APP_SECRET).unwrap();
    std::fs::write(sandbox.root().join("password.txt"), "Carol-password-1").unwrap();
    for (name, value) in [
        ("PATH", format!("{}:/usr/bin:/bin", bin.display())),
        ("SECRET", APP_SECRET.to_owned()),
        ("AZURE_CLIENT_SECRET", APP_SECRET.to_owned()),
        ("APP_ID", APP.to_owned()),
        ("TENANT", CONTOSO.to_owned()),
        // The emulator is on this machine; nothing goes beyond it.
        ("HTTPS_PROXY", "http://127.0.0.1:9".to_owned()),
        ("NO_PROXY", "localhost".to_owned()),
    ] {
        sandbox.set(name, &value);
    }
    sandbox
}

fn shell(sandbox: &Sandbox, script: &str) -> Run {
    // A command that waits for ever fails.
    let mut command = Command::new("timeout");
    command.args(["60", "/bin/sh", "-e", "-c", &filled_in(script)]).env_clear().envs(sandbox.env());
    Run::of(command.current_dir(sandbox.root()))
}

#[test]
fn every_block_is_run_or_says_why_not() {
    let blocks = pages().into_iter().flat_map(|(name, page)| blocks(&name, &page));
    let mut without = Vec::new();
    for block in blocks {
        for marker in &block.markers {
            assert!(!marker.reason.is_empty(), "{}: no reason", block.place);
            assert!(block.text.contains(&marker.word), "{}: no '{}'", block.place, marker.word);
        }
        if block.commands().is_empty() && block.markers.is_empty() {
            without.push(block.place);
        }
    }
    assert_eq!(without.len(), 0, "neither run nor marked with '{MARKER}: REASON -->': {without:?}");
}

/// A page is read from its top: what one block does, the next one finds.
#[test]
fn the_commands_of_the_pages_run() {
    let (mut count, mut failed) = (0, String::new());
    for (name, page) in pages() {
        let sandbox = reader();
        for block in blocks(&name, &page) {
            let commands = block.commands();
            if commands.is_empty() {
                continue;
            }
            count += 1;
            let run = shell(&sandbox, &commands);
            if run.code != Some(0) {
                let _ = write!(failed, "{}: {run:#?}\n{commands}", block.place);
            }
        }
    }
    assert!(failed.is_empty(), "{failed}");
    assert!(count > 15, "{count} blocks");
}

/// Commands in sentences and tables: azt knows each command and option. Settings are set for real.
#[test]
fn the_commands_in_sentences_exist() {
    let sandbox = reader();
    let span = Regex::new("`(azt [^`]+)`").unwrap();
    let (mut count, mut failed) = (0, String::new());
    for (name, page) in pages() {
        let prose: String = page.split("\n```").step_by(2).collect();
        for found in span.captures_iter(&prose) {
            let line = found[1].replace('\n', " ");
            if line.starts_with("azt vault 1: ") || line.starts_with("azt __man ") {
                continue;
            }
            let is_setting =
                line.starts_with("azt config set ") && line.contains('=') && !line.contains("NAME");
            let run =
                shell(&sandbox, &if is_setting { line.clone() } else { format!("{line} --help") });
            count += 1;
            if run.code != Some(0) {
                let _ = writeln!(failed, "{name}: {line}: {}", run.stderr);
            }
        }
    }
    assert!(failed.is_empty(), "{failed}");
    assert!(count > 50, "{count} commands");
}

/// A page's headings, as the addresses that GitHub gives them.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
    let address = |heading: &str| {
        let kept = heading.chars().filter(|it| it.is_alphanumeric() || " -_".contains(*it));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    headings.map(address).collect()
}

#[test]
fn links_between_the_pages_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let link = Regex::new(r"\]\(([^)]+)\)").unwrap();
    let mut broken = Vec::new();
    for (name, page) in pages() {
        let targets = link.captures_iter(&page).map(|it| it[1].to_owned());
        for target in targets.filter(|it| !it.starts_with("https://")) {
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = match file {
                "" => root.join(&name),
                file => root.join(&name).parent().unwrap().join(file),
            };
            let is_there = path.exists()
                && (anchor.is_empty()
                    || anchors(&std::fs::read_to_string(&path).unwrap()).contains(&anchor.into()));
            if !is_there {
                broken.push(format!("{name}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:?}");
}

#[test]
fn exit_codes_are_those_of_the_table() {
    use azt::internals::error::Kind;
    use azt::internals::exit::code;
    use azt::internals::program::Program::{Az, Azt};
    let kinds = [
        Kind::Failed,
        Kind::Usage,
        Kind::NotFound,
        Kind::NotSignedIn,
        Kind::InteractionRequired,
        Kind::Refused,
        Kind::Network,
        Kind::Service,
        Kind::Vault,
    ];
    assert_eq!(kinds.map(|kind| code(kind, Azt)), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(kinds.map(|kind| code(kind, Az)), [1, 2, 3, 1, 1, 1, 1, 1, 1]);
}
