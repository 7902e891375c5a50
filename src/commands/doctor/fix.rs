//! The repairs of `doctor --fix`: those that lose nothing and sign nobody out.

use super::super::cache;
use crate::accounts::{Context, DamagedSettings};
use crate::broker;
use crate::cli::Global;
use crate::error::Result;
use crate::foreign::Sentence;
use crate::settings::{Config, Setting};
use crate::sys::{System, TooOpen};

/// A repair.
pub(super) enum Fix {
    /// Sets the modes of what others may use.
    Close(Vec<TooOpen>),
    /// Moves the key from the file to the keyring.
    MoveKey,
    /// Moves az's sign-ins from its files into the vault, and removes the files.
    MoveSignInsOfAz,
    /// Removes a setting from `config`.
    Unset(&'static Setting),
}

impl Fix {
    /// What it does, in a few words for each line of the plan.
    pub(super) fn lines(&self) -> Vec<String> {
        match self {
            Self::Close(all) => all
                .iter()
                .map(|it| {
                    let path = it.path().display().to_string();
                    format!("set mode {:04o} of {}", it.mode, Sentence::new(&path))
                })
                .collect(),
            Self::MoveKey => vec!["move the vault's key from the file to the keyring".to_owned()],
            Self::MoveSignInsOfAz => vec![
                "move az's sign-ins into the vault, and remove its files if the vault has all of them"
                    .to_owned(),
            ],
            Self::Unset(setting) => vec![format!("remove {} from the settings", setting.key())],
        }
    }

    /// What is left to the user.
    pub(super) fn afterwards(&self) -> Option<&'static str> {
        let is_key = |it: &TooOpen| it.path().ends_with("vault.key");
        matches!(self, Self::Close(all) if all.iter().any(is_key))
            .then_some("If another user may have read the key, change it: azt cache rekey")
    }

    /// True if both do the same.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.lines() == other.lines()
    }

    /// Carries it out; returns each line of the plan with what became of it. Reads the settings
    /// anew, since another repair may have changed them.
    pub(super) fn make(&self, global: &Global, system: &System) -> Vec<(String, Result<()>)> {
        let done = |of: &dyn Fn(&Context<'_>) -> Result<()>| {
            let context = Context::load(system, DamagedSettings::Ignore);
            vec![context.and_then(|context| of(&context))]
        };
        let results = match self {
            Self::Close(all) => all.iter().map(TooOpen::close).collect(),
            Self::MoveKey => {
                done(&|it| broker::move_key(system, &it.dir, &it.config, "keyring").map(drop))
            }
            Self::MoveSignInsOfAz => done(&|it| cache::move_sign_ins_of_az(global, it)),
            Self::Unset(setting) => done(&|it| {
                Config::unset(&it.dir, it.dir.folder(), setting.section, setting.name).map(drop)
            }),
        };
        self.lines().into_iter().zip(results).collect()
    }
}
