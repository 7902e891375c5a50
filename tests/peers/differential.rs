//! Runs the same command lines through az 2.91 and azt: exit code, standard output and
//! standard error must be identical.
//!
//! A scenario is a file of `tests/cases/az`: command lines that begin with `$ `, run in order
//! in two configuration folders, az's and azt's, against one emulator. `~ stdout: why`,
//! `~ stderr: why` and `~ code: why` before a line require a difference there;
//! `# ` is a comment. Variables can be set before a line: `$ NAME=value az …`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::*;
use crate::venv;

/// Where a difference is expected, and why.
type Allowances = Vec<(String, String)>;

struct Step {
    line: usize,
    variables: Vec<(String, String)>,
    arguments: Vec<String>,
    allowed: Allowances,
}

fn read(scenario: &str) -> Vec<Step> {
    let path = format!("{}/tests/cases/az/{scenario}.txt", env!("CARGO_MANIFEST_DIR"));
    let mut steps = Vec::new();
    let mut allowed = Allowances::new();
    for (line, text) in std::fs::read_to_string(path).unwrap().lines().enumerate() {
        if let Some(allowance) = text.strip_prefix("~ ") {
            let (what, why) = allowance.split_once(": ").expect("~ stream: why");
            allowed.push((what.to_owned(), why.to_owned()));
        } else if let Some(command) = text.strip_prefix("$ ") {
            let words = shlex::split(command).unwrap();
            let at = words.iter().position(|word| word == "az").expect("az");
            let set = |word: &String| {
                let (name, value) = word.split_once('=').expect("NAME=value");
                (name.to_owned(), value.to_owned())
            };
            steps.push(Step {
                line: line + 1,
                variables: words[..at].iter().map(set).collect(),
                arguments: words[at + 1..].to_vec(),
                allowed: std::mem::take(&mut allowed),
            });
        } else {
            assert!(text.is_empty() || text.starts_with('#'), "{scenario}:{}: {text}", line + 1);
        }
    }
    steps
}

/// A program and its configuration folder.
struct Side {
    program: PathBuf,
    folder: PathBuf,
}

impl Side {
    fn run(&self, sandbox: &Sandbox, step: &Step) -> Run {
        let mut command = Command::new(&self.program);
        command
            .args(&step.arguments)
            .env_clear()
            .envs(sandbox.env())
            .env("AZURE_CONFIG_DIR", &self.folder)
            .env("AZURE_CORE_INSTANCE_DISCOVERY", "false")
            .env("AZURE_CORE_COLLECT_TELEMETRY", "false")
            // Both look for managed identities only here.
            .env("AZURE_POD_IDENTITY_AUTHORITY_HOST", sandbox.emulator.http_url())
            .envs(step.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(sandbox.root());
        let run = Run::of(&mut command);
        Run {
            stdout: normal(&run.stdout, &self.folder),
            stderr: normal(&run.stderr, &self.folder),
            code: run.code,
        }
    }
}

/// `text` without tokens, times, request ids and the folder, which differ in every run.
fn normal(text: &str, folder: &Path) -> String {
    let patterns = [
        (r"eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+", "<token>"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", "<local time>"),
        (r"\b1[789]\d{8}\b", "<seconds>"),
        (r"(Trace ID|Correlation ID): [0-9a-f-]{36}", "$1: <id>"),
        (r"Timestamp: [0-9-]+ [0-9:]+Z", "Timestamp: <time>"),
        (r#""(trace_id|correlation_id)":"[0-9a-f-]{36}""#, "$1: <id>"),
        (r#""timestamp":"[^"]+""#, "timestamp: <time>"),
        (r"enter the code [A-Z0-9]+", "enter the code <code>"),
    ];
    let mut text = text.replace(folder.to_str().unwrap(), "<folder>");
    for (pattern, by) in patterns {
        text = regex::Regex::new(pattern).unwrap().replace_all(&text, by).into_owned();
    }
    text
}

/// Removes the help examples or link with which az ends a usage error.
fn without_help(run: &Run) -> String {
    let text = run.stderr.as_str();
    match text
        .split_once("\nExamples from AI knowledge base:")
        .or(text.split_once("\n\nExamples from command's help"))
    {
        Some((complaint, _)) if run.code == Some(2) => format!("{}\n", complaint.trim_end()),
        _ => {
            let link = "\nhttps://aka.ms/cli_ref\nRead more about the command in reference docs\n";
            match text.strip_suffix(link) {
                Some(complaint) => format!("{}\n", complaint.trim_end()),
                None => text.to_owned(),
            }
        }
    }
}

fn compare(scenario: &str) {
    compare_in(&Sandbox::without_cloud(), scenario);
}

fn compare_in(sandbox: &Sandbox, scenario: &str) {
    sandbox.approve_as(ALICE);
    let url = sandbox.emulator.url().to_owned();
    let port = url.rsplit(':').next().unwrap();
    let folder = |name: &str| sandbox.root().join(name);
    let ours = Side { program: sandbox.root().join("bin/az"), folder: folder("ours") };
    let theirs = Side { program: venv::program("az"), folder: folder("real") };
    let mut wrong = Vec::new();
    let steps = read(scenario);
    let mut compared = 0;
    for mut step in steps {
        for word in &mut step.arguments {
            *word = word.replace("{url}", &url).replace("{port}", port);
        }
        let (mine, real) = (ours.run(sandbox, &step), theirs.run(sandbox, &step));
        compared += 1;
        let shown = step.arguments.join(" ");
        for (what, mine, real) in [
            ("stdout", mine.stdout.clone(), real.stdout.clone()),
            ("stderr", without_help(&mine), without_help(&real)),
            ("code", format!("{:?}", mine.code), format!("{:?}", real.code)),
        ] {
            let allowed = step.allowed.iter().any(|(stream, _)| stream == what);
            if allowed == (mine == real) {
                let complaint = if allowed { "is the same after all" } else { "differs" };
                wrong.push(format!(
                    "{scenario}:{}: {what} of `az {shown}` {complaint}\n--- az\n{real}--- ours\n{mine}\n",
                    step.line
                ));
            }
        }
    }
    assert!(compared > 0);
    assert!(wrong.is_empty(), "{} of {compared}\n{}", wrong.len(), wrong.join("\n"));
}

macro_rules! scenarios {
    ($($name:ident)*) => { $(#[test] fn $name() { compare(stringify!($name)); })* };
}

scenarios! { signed_out person application clouds settings usage formats tokens rest }

/// MSAL asks for the realm of a user name at port 443.
#[cfg(target_os = "linux")]
#[test]
fn passwords() {
    use crate::own_network::{again_in_own_network, emulator_at_443};
    if again_in_own_network("differential::passwords") {
        return;
    }
    compare_in(&Sandbox::without_cloud_at(emulator_at_443()), "passwords");
}

#[test]
fn there_are_enough_command_lines() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/az");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let lines: usize =
        names.map(|path| read(path.file_stem().unwrap().to_str().unwrap()).len()).sum();
    assert!(lines >= 150, "{lines}");
}
