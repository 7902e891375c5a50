//! The hidden command that writes the man pages, for packages.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::help;
use crate::cli::{EXAMPLES, Topic, all_commands};
use crate::error::{Error, Kind, Result};
use crate::exit::SUCCESS;
use crate::program::Program;
use crate::sys::{System, file};

/// The word after `azt`; az has no such command.
const MAN: &str = "__man";

/// The section of the manual: programs that users run.
const SECTION: &str = "1";
const VERSION: &str = concat!("azt ", env!("CARGO_PKG_VERSION"));
const MANUAL: &str = "User Commands";

/// Answers `azt __man FOLDER`: writes a page for each command and each topic of `azt help` into
/// FOLDER. `None` for any other command line.
pub(crate) fn man(system: &System, argv: &[OsString]) -> Option<Result<u8>> {
    let [_, command, words @ ..] = argv else { return None };
    if system.program != Program::Azt || command != MAN {
        return None;
    }
    let [folder] = words else {
        return Some(Err(Error::new(Kind::Usage, "Name the folder for the man pages.")
            .remedy(format!("azt {MAN} FOLDER"))));
    };
    Some(write_into(Path::new(folder)).map(|()| SUCCESS))
}

fn write_into(folder: &Path) -> Result<()> {
    let mut pages = Vec::new();
    add_pages(&all_commands(), &mut pages)
        .map_err(|error| Error::failed(format!("Cannot make the man pages: {error}.")))?;
    pages.extend(Topic::ALL.map(page_of_topic));
    for (name, text) in pages {
        file::write_public(folder, &format!("{name}.{SECTION}"), &text)?;
    }
    Ok(())
}

/// Adds the pages of `command` and of the commands in it to `pages`, each with its name.
fn add_pages(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    pages.push((name.to_owned(), page_of_command(command)?));
    let mut shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    shown.try_for_each(|command| add_pages(command, pages))
}

/// clap_mangen would run the lines of the examples together, so they are a section made here.
fn page_of_command(command: &Command) -> io::Result<Vec<u8>> {
    let page = Man::new(command.clone()).section(SECTION).source(VERSION).manual(MANUAL);
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut text)?;
    }
    let end = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut roff = Roff::new();
    for paragraph in end.split("\n\n") {
        if let Some(examples) = paragraph.strip_prefix(EXAMPLES) {
            roff.control("SH", ["EXAMPLES"]);
            add_lines(&mut roff, examples.trim_start_matches('\n'));
        } else if !paragraph.is_empty() {
            roff.control("SH", ["NOTES"]);
            roff.text([roman(paragraph.replace('\n', " "))]);
        }
    }
    roff.to_writer(&mut text)?;
    Ok(text)
}

fn page_of_topic(topic: Topic) -> (String, Vec<u8>) {
    let name = format!("azt-{}", topic.name());
    let mut roff = Roff::new();
    roff.control("TH", [name.as_str(), SECTION, "", VERSION, MANUAL]);
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{name} - {}", topic.about()))]);
    roff.control("SH", ["DESCRIPTION"]);
    add_lines(&mut roff, &help(topic, 80));
    (name, roff.render().into_bytes())
}

/// Adds `text` with its lines as they are.
fn add_lines(roff: &mut Roff, text: &str) {
    roff.control("nf", []);
    for line in text.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
}
