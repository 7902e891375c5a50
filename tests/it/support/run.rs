//! Output and exit code of a run, with assertions that show them on failure.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

#[derive(Debug)]
pub struct Run {
    pub stdout: String,
    pub stderr: String,
    pub code: Option<i32>,
}

impl Run {
    pub fn of(command: &mut Command) -> Self {
        Self::from(output_of(command.stdin(Stdio::null())))
    }

    /// Asserts exit code 0.
    #[track_caller]
    pub fn success(self) -> Self {
        self.exits(0)
    }

    /// Asserts exit code 0 and nothing on standard error.
    #[track_caller]
    pub fn quiet(self) -> Self {
        let run = self.exits(0);
        assert_eq!(run.stderr, "", "{run:#?}");
        run
    }

    /// Asserts the exit code. If it is not 0, also asserts that standard output is empty and that
    /// standard error has an `ERROR: ` line.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        if code != 0 {
            assert_eq!(self.stdout, "", "{self:#?}");
            assert!(self.stderr.lines().any(|line| line.starts_with("ERROR: ")), "{self:#?}");
        }
        self
    }

    /// Asserts that standard error contains `text`.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no '{text}' in {self:#?}");
        self
    }

    /// Asserts standard output to the byte.
    #[track_caller]
    pub fn prints(self, text: &str) -> Self {
        assert_eq!(self.stdout, text, "{self:#?}");
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// A member of standard output's JSON object, as text.
    #[track_caller]
    pub fn text(&self, member: &str) -> String {
        let value = self.json();
        value[member].as_str().unwrap_or_else(|| panic!("no {member} in {self:#?}")).to_owned()
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        }
    }
}

/// Runs `command`. A program that a test has just copied is busy while another test's child process
/// still has the descriptor that wrote it, until that child calls exec.
fn output_of(command: &mut Command) -> std::process::Output {
    loop {
        match command.output() {
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                std::thread::yield_now();
            }
            output => return output.unwrap(),
        }
    }
}
