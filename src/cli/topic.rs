//! Pages of `azt help` that are about no command.

/// The topic of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// The environment variables.
    Environment,
    /// The exit codes.
    ExitCodes,
    /// The settings.
    Settings,
}

impl Topic {
    /// Every topic, in the order of help.
    pub(crate) const ALL: [Self; 3] = [Self::Environment, Self::ExitCodes, Self::Settings];

    /// The word that selects it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::ExitCodes => "exit-codes",
            Self::Settings => "settings",
        }
    }

    /// What the page is about, for the list of man pages.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Environment => "environment variables that azt reads",
            Self::ExitCodes => "exit codes of azt",
            Self::Settings => "settings of azt",
        }
    }

    /// The topic with this name, in any letter case.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name().eq_ignore_ascii_case(name))
    }
}
