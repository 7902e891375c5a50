//! The pages of `azt help` that are about no command, made from the tables in `settings` and `exit`.

use std::fmt::Write as _;

use crate::cli::Topic;
use crate::exit;
use crate::output::wrapped;
use crate::settings::variables::GROUPS;
use crate::settings::{Setting, Values, known};

const SETTINGS: &str = "Settings are in the file `config` of az's folder. The default is in brackets. The variable AZURE_CORE_NAME, with the name in upper case, overrides core.name for one call or shell.";

const CHANGE: &str = "`azt config set core.output=table` changes a setting, `azt config unset core.output` removes it, `azt config list` shows what is set.";

const OF_AZ: &str = "az's other settings have no effect in azt.";

const VARIABLES: &str = "Environment variables that azt reads. An empty one counts as not set, except AZURE_IDENTITY_DISABLE_CP1 and those of proxies. Each setting has a variable too: `azt help settings`.";

const EXIT_CODES: &str = "The exit code says how a command ended. `--error-format json` prints it in the error as exitCode, with its kind and what to do.";

/// The page about `topic`, in lines of at most `width` characters.
pub(crate) fn help(topic: Topic, width: usize) -> String {
    match topic {
        Topic::Environment => environment(width),
        Topic::ExitCodes => exit_codes(width),
        Topic::Settings => settings(width),
    }
}

fn settings(width: usize) -> String {
    let wrapped = |text: &str, indent| wrapped(text, indent, width);
    let setting = |setting: &&Setting| {
        let head = format!("\n{} [{}]\n", setting.key(), setting.default());
        let meaning = setting.meaning() + if setting.az_reads { " az reads it too." } else { "" };
        [head, wrapped(&values(setting), 4), wrapped(&meaning, 4)].concat()
    };
    let settings = known::ALL.iter().map(setting).collect::<String>();
    let end = wrapped(OF_AZ, 0);
    [&wrapped(SETTINGS, 0), "\n", &wrapped(CHANGE, 0), &settings, "\n", &end].concat()
}

/// The values of `setting` in words.
fn values(setting: &Setting) -> String {
    match setting.values {
        Values::Switch(_) => "on (also 1, yes, true) or off (also 0, no, false)".to_owned(),
        Values::Seconds(_) => "seconds".to_owned(),
        Values::OneOf(words) => words.join(", "),
        Values::Text { what, .. } => what.to_owned(),
    }
}

fn environment(width: usize) -> String {
    let wrapped = |text: &str, indent| wrapped(text, indent, width);
    let mut text = wrapped(VARIABLES, 0);
    for group in &GROUPS {
        let _ = write!(text, "\n{}\n", group.title);
        for variable in group.variables {
            text.push('\n');
            text.push_str(&wrapped(&variable.names.join(", "), 2));
            text.push_str(&wrapped(variable.about, 6));
        }
    }
    text
}

fn exit_codes(width: usize) -> String {
    let mut text = wrapped(EXIT_CODES, 0, width) + "\n";
    for (code, meaning) in exit::MEANINGS {
        let meaning = wrapped(meaning, 7, width);
        let _ = write!(text, "{code:>5}  {}", meaning.trim_start());
    }
    text.push('\n');
    text + &wrapped(exit::AS_AZ, 0, width)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::output::Format;

    /// Sets the texts between the marks in `docs/settings.md` and `docs/scripts.md` to the tables.
    const RECORD: &str = "AZT_RECORD_SETTINGS=1 cargo test --lib help";

    fn table_of_settings() -> String {
        let mut text =
            "| setting | values | default | az too | what it does |\n| --- | --- | --- | --- | --- |\n"
                .to_owned();
        for setting in known::ALL {
            let values = match setting.values {
                Values::Switch(_) => "switch".to_owned(),
                Values::OneOf(words) => format!("`{}`", words.join("`, `")),
                _ => values(setting),
            };
            let default = match setting.values {
                Values::Switch(_) => setting.default(),
                _ => format!("`{}`", setting.default()),
            };
            let az = if setting.az_reads { "yes" } else { "" };
            let (key, meaning) = (setting.key(), setting.meaning());
            let _ = writeln!(text, "| `{key}` | {values} | {default} | {az} | {meaning} |");
        }
        text.replace("|  |", "| |")
    }

    fn table_of_variables() -> String {
        let mut text = String::new();
        for group in &GROUPS {
            let _ =
                write!(text, "### {}\n\n| variable | what it does |\n| --- | --- |\n", group.title);
            for variable in group.variables {
                let names = variable.names.join("`, `");
                let _ = writeln!(text, "| `{names}` | {} |", variable.about);
            }
            text.push('\n');
        }
        text.trim_end().to_owned() + "\n"
    }

    fn table_of_exit_codes() -> String {
        let row = |(code, meaning)| format!("| {code} | {meaning} |\n");
        let rows: String = exit::MEANINGS.into_iter().map(row).collect();
        format!("| exit code | meaning |\n| ---: | --- |\n{rows}")
    }

    /// `page` with `table` between the marks named `name`.
    fn with(page: &str, name: &str, table: &str) -> String {
        let marks = (format!("<!-- table of {name} -->\n"), format!("<!-- end of {name} -->\n"));
        let (before, rest) = page.split_once(&marks.0).unwrap();
        let (_, after) = rest.split_once(&marks.1).unwrap();
        [before, marks.0.as_str(), "\n", table, "\n", marks.1.as_str(), after].concat()
    }

    /// The page `name` has these tables.
    #[allow(clippy::disallowed_methods, reason = "a test that records")]
    fn check(name: &str, tables: &[(&str, String)]) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let page = std::fs::read_to_string(&path).unwrap();
        let made = tables.iter().fold(page.clone(), |page, (name, table)| with(&page, name, table));
        if std::env::var_os("AZT_RECORD_SETTINGS").is_some() {
            std::fs::write(&path, made).unwrap();
        } else {
            assert!(page == made, "{name} differs from the tables. Run: {RECORD}");
        }
    }

    #[test]
    fn the_docs_have_the_tables() {
        let tables = [("settings", table_of_settings()), ("variables", table_of_variables())];
        check("docs/settings.md", &tables);
        check("docs/scripts.md", &[("exit codes", table_of_exit_codes())]);
    }

    #[test]
    fn every_exit_code_has_a_meaning() {
        use crate::error::Kind;
        use crate::program::Program;
        let kinds = [
            Kind::Cancelled,
            Kind::Failed,
            Kind::Inapplicable,
            Kind::InteractionRequired,
            Kind::Network,
            Kind::NotFound,
            Kind::NotSignedIn,
            Kind::Refused,
            Kind::Service,
            Kind::Usage,
            Kind::Vault,
        ];
        let used = kinds.into_iter().map(|kind| exit::code(kind, Program::Azt));
        let used: std::collections::BTreeSet<u8> = used.chain([exit::SUCCESS]).collect();
        let explained = exit::MEANINGS.into_iter().map(|(code, _)| code);
        assert_eq!(used, explained.collect());
    }

    #[test]
    fn pages_fit_on_a_terminal() {
        for (topic, width) in Topic::ALL.into_iter().flat_map(|it| [40, 80, 100].map(|w| (it, w))) {
            for line in help(topic, width).lines() {
                // A name may be as long as a narrow line.
                let is_word = !line.trim().contains(' ');
                assert!(is_word || line.chars().count() <= width, "{line}");
                assert!(!line.ends_with(' '), "{line}");
            }
        }
    }

    #[test]
    fn the_formats_of_the_table_are_those_of_results() {
        let Values::OneOf(words) = known::OUTPUT.values else { panic!("words") };
        assert_eq!(words, Format::ALL.map(Format::name));
        assert_eq!(known::OUTPUT.default(), Format::default().name());
    }
}
