//! `completion`.

use super::Global;

/// Print a shell's completion script.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    azt completion bash > ~/.local/share/bash-completion/completions/azt\n  \
    azt completion zsh > ~/.zfunc/_azt             with fpath+=~/.zfunc before compinit in ~/.zshrc\n  \
    azt completion fish > ~/.config/fish/completions/azt.fish\n  \
    azt completion powershell >> $PROFILE\n  \
    azt completion nushell >> ~/.config/nushell/config.nu")]
#[command(mut_arg("output", super::global::without_default))]
pub(crate) struct Completion {
    /// bash, zsh, fish, powershell or nushell
    #[arg(value_enum, ignore_case = true, hide_possible_values = true, value_name = "SHELL")]
    pub(crate) shell: Shell,
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Shells with a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Shell {
    /// GNU Bash.
    Bash,
    /// Z shell.
    Zsh,
    /// fish.
    Fish,
    /// PowerShell.
    Powershell,
    /// Nushell.
    Nushell,
}
