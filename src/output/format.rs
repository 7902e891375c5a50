//! The formats that `--output` accepts.

use std::fmt;
use std::str::FromStr;

/// An output format, as named by `--output`/`-o` and by `core.output` in az's `config` file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Indented JSON with sorted keys. az's default.
    #[default]
    Json,
    /// [`Format::Json`], coloured if the terminal supports it.
    Jsonc,
    /// Block-style YAML with sorted keys.
    Yaml,
    /// [`Format::Yaml`]. Unlike az, azt never colours it.
    Yamlc,
    /// Left-aligned columns under a header.
    Table,
    /// Values separated by tabs, one row per line, no header.
    Tsv,
    /// No output.
    None,
}

impl Format {
    /// All formats, in the order of az's usage errors.
    pub const ALL: [Self; 7] =
        [Self::Json, Self::Jsonc, Self::Yaml, Self::Yamlc, Self::Table, Self::Tsv, Self::None];

    /// Returns the lower-case name, as az prints it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Jsonc => "jsonc",
            Self::Yaml => "yaml",
            Self::Yamlc => "yamlc",
            Self::Table => "table",
            Self::Tsv => "tsv",
            Self::None => "none",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is not the name of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownFormat;

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Format::ALL.map(Format::name).join(", ");
        write!(f, "Allowed values: {names}.")
    }
}

impl std::error::Error for UnknownFormat {}

impl FromStr for Format {
    type Err = UnknownFormat;

    /// Parses a name in any letter case, as az does.
    ///
    /// # Errors
    ///
    /// [`UnknownFormat`] for any other text.
    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let found = Self::ALL.into_iter().find(|format| format.name().eq_ignore_ascii_case(name));
        found.ok_or(UnknownFormat)
    }
}
