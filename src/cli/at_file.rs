//! Arguments that name a file: `@file`, as in az.

use std::io;
use std::path::PathBuf;

use super::argparse::Word;
use crate::error::{Error, Kind, Result};
use crate::program::Program;
use crate::sys::{System, decoded, file};

/// Replaces `@file`, `--option=@file` and `name=@file` by the content of the file, without trailing
/// line ends; `@-` reads standard input. As in az, a word stays unchanged if the file cannot be
/// opened, because a secret may begin with `@`. As it may also be a mistake, `doubts` gets a
/// sentence, which does not quote the word.
pub(super) fn expand(system: &System, arg: &str, doubts: &mut Vec<String>) -> Result<Word> {
    let as_it_is = || Ok(Word { text: arg.to_owned(), is_value: false });
    let (head, path) = match arg.split_once('=') {
        // A name with spaces is a whole command line in one argument.
        Some((name, value)) if value.starts_with('@') && !name.contains(' ') => (name, value),
        _ => ("", arg),
    };
    let Some(path) = path.strip_prefix('@').filter(|path| !path.is_empty()) else {
        return as_it_is();
    };
    let bytes = if path == "-" {
        file::read_stdin()?
    } else {
        let file = match (path.strip_prefix("~/"), system.home()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        };
        match file::read_named(&file) {
            Ok(Some(bytes)) => bytes,
            // az would use the word itself as the secret.
            Err(error) if is_there(&error) && system.program == Program::Azt => {
                return Err(file::cannot("read", &file, error));
            }
            _ => {
                doubts.push("A value that begins with @ was used literally, because there is no such readable file.".to_owned());
                return as_it_is();
            }
        }
    };
    let text = decoded(&bytes).ok_or_else(|| {
        Error::new(Kind::Usage, format!("The content of {path} is neither UTF-8 nor UTF-16 text."))
    })?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() && path == "-" {
        let text = "Standard input is empty, but @- reads a value from it.";
        return Err(Error::new(Kind::Usage, text));
    }
    if text.is_empty() {
        doubts.push(format!("The file {path}, given as a value, is empty."));
    }
    let is_value = head.is_empty();
    let head = if is_value { String::new() } else { format!("{head}=") };
    Ok(Word { text: head + text, is_value })
}

/// True when the error means that the file exists, so the word is a file name and not a literal.
fn is_there(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::FileTooLarge)
}
