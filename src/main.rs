//! The process: argv in, exit code out.

use std::process::ExitCode;

use azt::program::Program;
use azt::sys::{System, harden};

fn main() -> ExitCode {
    harden();
    let mut argv = std::env::args_os().peekable();
    let program = argv.peek().map_or(Program::Azt, |name| Program::from_argv0(name));
    ExitCode::from(azt::run(argv, &System::real(program)))
}
