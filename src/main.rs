//! The process: argv in, exit code out.

use std::process::ExitCode;

use azt::internals::program::Program;
use azt::internals::sys::{System, harden, quiet_panics};

fn main() -> ExitCode {
    harden();
    quiet_panics();
    let mut argv = std::env::args_os().peekable();
    let program = argv.peek().map_or(Program::Azt, |name| Program::from_argv0(name));
    let mut system = System::real(program);
    // SAFETY: nothing has started a thread yet.
    unsafe {
        system.env.take_vault_key();
        system.env.drop_relative_path();
    }
    ExitCode::from(azt::run(argv, &system))
}
