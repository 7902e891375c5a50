//! Every command in the README and in docs/completion.md runs.

use std::process::Command;

use crate::support::*;

#[test]
fn the_commands_of_the_readme_run() {
    let sandbox = Sandbox::new();
    sandbox.approve_as(ALICE);
    std::fs::write(sandbox.root().join("secret.txt"), APP_SECRET).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_azt"), sandbox.root().join("bin/azt")).unwrap();
    let path = format!("{}:/usr/bin:/bin", sandbox.root().join("bin").display());
    let page = |name| {
        std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name))
            .unwrap()
    };
    let (readme, completion) = (page("README.md"), page("docs/completion.md"));
    let shell = |line: &str| {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", line]).env_clear().envs(sandbox.env()).env("PATH", &path);
        command.env("SECRET", APP_SECRET).env("APP_ID", APP).env("TENANT", CONTOSO);
        Run::of(command.current_dir(sandbox.root()))
    };

    let lines = readme.lines().chain(completion.lines());
    let consoles: Vec<&str> = lines.filter_map(|line| line.strip_prefix("$ ")).collect();
    assert!(consoles.len() >= 8, "{consoles:?}");
    for line in consoles {
        drop(shell(line).success());
    }
    // Commands inside sentences.
    let prose: String = readme.split("```").step_by(2).collect();
    let spans = prose.split('`').skip(1).step_by(2);
    for part in spans.filter(|part| part.contains("azt ") && part.contains(['$', '='])) {
        let line = part.replace('\n', " ").replace("|| exit", "|| exit 9");
        drop(shell(&line).success());
    }
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
