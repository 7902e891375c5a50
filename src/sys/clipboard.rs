//! The clipboard of the person at the terminal.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Env, System};

/// Longest text to copy, in bytes. Some terminals drop longer sequences.
const LONGEST: usize = 16 << 10;

/// Whether a text is in the clipboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copied {
    Yes,
    /// The terminal got it and does not say whether it took it.
    Perhaps,
    No,
}

/// Copies `text`, which holds no secret. The terminal does it (OSC 52), so that it also works
/// through SSH.
pub(crate) fn copy(system: &System, text: &str) -> Copied {
    let terminal = &system.terminal;
    if !terminal.uses_clipboard() || !terminal.screen(&system.env).cursor || text.len() > LONGEST {
        return Copied::No;
    }
    #[cfg(target_os = "macos")]
    if system.env.non_empty("SSH_CONNECTION").is_none() && paste_board(text).is_ok() {
        return Copied::Yes;
    }
    terminal.copy(&STANDARD.encode(text));
    if is_obedient(&system.env) { Copied::Yes } else { Copied::Perhaps }
}

/// True in a terminal that copies without a question, by default.
fn is_obedient(env: &Env) -> bool {
    let is_set = |name: &str| env.non_empty(name).is_some();
    // tmux and screen decide by settings of their own.
    if is_set("TMUX") || is_set("STY") {
        return false;
    }
    let named = env.get("TERM_PROGRAM").unwrap_or_default();
    let term = env.get("TERM").unwrap_or_default();
    ["WT_SESSION", "KITTY_WINDOW_ID", "ALACRITTY_WINDOW_ID"].into_iter().any(is_set)
        || ["WezTerm", "ghostty", "vscode"].contains(&&*named)
        || ["xterm-kitty", "xterm-ghostty", "alacritty", "foot"].contains(&&*term)
}

/// macOS' Terminal has no OSC 52.
#[cfg(target_os = "macos")]
#[allow(clippy::disallowed_methods, reason = "this module wraps the banned functions")]
fn paste_board(text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut copier = Command::new("/usr/bin/pbcopy");
    let mut copier = copier.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    if let Some(mut input) = copier.stdin.take() {
        input.write_all(text.as_bytes())?;
    }
    let status = copier.wait()?;
    if status.success() { Ok(()) } else { Err(std::io::Error::other("pbcopy failed")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_terminals_that_copy_are_believed() {
        let obeys =
            |variables: &[(&str, &str)]| is_obedient(&Env::fixed(variables.iter().copied()));
        assert!(obeys(&[("WT_SESSION", "1")]) && obeys(&[("TERM", "foot")]));
        assert!(obeys(&[("TERM_PROGRAM", "vscode"), ("TERM", "xterm-256color")]));
        assert!(!obeys(&[("TERM", "xterm-256color")]));
        assert!(!obeys(&[("TERM_PROGRAM", "WezTerm"), ("TMUX", "/tmp/tmux-0/default,1,0")]));
    }
}
