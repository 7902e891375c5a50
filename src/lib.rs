//! azt signs people, apps and workloads in to Entra ID and hands out access tokens.
//!
//! # Modules
//!
//! Arrows point down only; `tests/architecture.rs` holds them there.
//!
//! ```text
//! main -> lib, internals
//! internals -> broker, commands, entra, exit, interop, output, settings, sys, vault  what the binary, tests and fuzz targets use
//! lib -> accounts, cli, commands, exit, output, settings, sys
//! commands -> accounts, arm, broker, cli, entra, exit, hosts, interop, output, settings, sys, vault  one file per command
//! cli -> output, sys                        the command line
//! accounts -> arm, broker, entra, interop, settings, sys, vault  whose token: selection, subscriptions, migration
//! hosts -> settings, sys                    services: names, audiences, and the hosts that get a token
//! interop -> settings, sys, vault           other programs' files: az's token cache; never sees the network
//! broker -> entra, settings, sys, vault     "give me a token": policy only
//! arm -> sys                                tenants and subscriptions
//! entra -> sys                              the protocol: authority, scope, grants (one file each), answers; never sees the disk
//! vault -> sys                              tokens and secrets at rest; never sees the network
//! settings -> sys                           az's own files: azureProfile.json, clouds.config, config
//! output                                    results on standard output, to az's bytes
//! sys                                       the only door to the outside
//! exit                                      exit codes
//! everything -> error, foreign, near, program, secret, shell
//! ```
//!
//! `accounts` and `commands` name records (`vault`) and scopes (`entra`) where they are declared:
//! `broker` decides, and re-exports nothing of them.
//!
//! # A call
//!
//! [`run`] reads `argv`, then the settings; the command asks the broker; the broker finds the token
//! in the vault and it is fresh: print, exit. Nothing on that path starts a runtime or a thread,
//! opens a socket, builds a TLS configuration or waits for a lock; `tests/it/warm.rs` counts. Only
//! past it a runtime starts, one process takes the token's flight lock, reads the vault again and
//! asks the token endpoint: one request, repeated only after a transient error.
//!
//! # Where new things go
//!
//! - A command: types in `cli`, a file in `commands`, a line in `commands::run`. It returns an
//!   [`commands::Answer`], whose outcome is an error or any exit code. A command that becomes another
//!   program, or answers under another name, is recognised in [`run`] before parsing, as
//!   `commands/pass_through.rs` is; only `sys` starts programs, and says what environment they get.
//! - A grant: a file in `entra` with a method of its token client; its callers are `broker/fetch.rs`
//!   for tokens and `broker/user_sign_in.rs` or `broker/sign_in` for sign-ins. If the token has a
//!   new kind of owner, `broker/owner.rs` gets a form, so that no other caller is served with it.
//! - An error code of Entra: a row in `broker/demands.rs` and a case in `tests/cases/demands.json`.
//!   A way to sign in that some tenants demand: a row in `commands/doctor/sign_in.rs` too.
//! - The identity broker of another operating system: an `IdentityBroker` in
//!   `broker/identity_broker`, which speaks the JSON of the Linux one.
//! - A setting: a row in `settings/known.rs`; a variable: a row in `settings/variables.rs`. Then
//!   `AZT_RECORD_SETTINGS=1 cargo test --lib help` writes them into `docs/settings.md`.
//! - A repair of `doctor --fix`: a variant in `commands/doctor/fix.rs`; the check that finds the
//!   problem carries it.
//! - A page of `azt help`: a topic in `cli/topic.rs`, its text in `commands/help.rs`.
//! - An option or argument whose values Tab completes: a row in `commands/completion/value.rs`, unless
//!   clap knows the values.
//! - An output format: a file in `output`, a variant and its name in `output/format.rs`.
//! - A source of the vault key: `vault/key/source.rs` lists the steps.
//!
//! # Rules
//!
//! - A [`secret::Secret`] cannot be printed; `expose` marks where it leaves.
//! - What others wrote is a [`foreign::Name`], a [`foreign::Sentence`] or a [`foreign::Guid`] from
//!   where it is parsed; [`shell::quoted`] puts it into a command.
//! - An [`error::Error`] has a kind, a sentence and a remedy; [`exit`] alone makes it a number.
//! - Results go to standard output, everything else to standard error.
//! - Files of others are never damaged, files of ours never half written: `sys/folder/write.rs`.
//!
//! # What a warm call costs
//!
//! See `benches/README.md`.

mod accounts;
mod arm;
mod broker;
mod cli;
mod commands;
mod entra;
mod error;
mod exit;
mod foreign;
mod hosts;
pub mod internals;
mod interop;
mod near;
mod output;
mod program;
mod secret;
mod settings;
mod shell;
mod sys;
mod vault;

use std::ffi::OsString;

use accounts::{Context, DamagedSettings};
use cli::{Command, Global, Invocation, Parsed};
use commands::Answer;
use error::{Error, Kind, Result};
use output::{Format, Query, QueryError, Render};
use program::Program;
use settings::{Config, ConfigDir, known};
use sys::{Level, System, Verbosity, caught, concessions};

/// Runs the command line `argv` (argv\[0\] included) and returns the exit code.
pub fn run(argv: impl IntoIterator<Item = OsString>, system: &System) -> u8 {
    let argv: Vec<OsString> = argv.into_iter().collect();
    let asked = error_format(&argv);
    let result = caught(|| {
        commands::pass_through(system, &argv)
            .or_else(|| commands::complete(system, &argv))
            .or_else(|| commands::man(system, &argv))
            .unwrap_or_else(|| try_run(&argv, system))
    });
    let result = result.map_err(|error| cli::without_circle(error, system.program, &argv));
    match result {
        Ok(code) => code,
        Err(error) => {
            let code = exit::code(error.kind(), system.program);
            if is_for_programs(asked, system) {
                system.terminal.json_line(&output::failure(&error, code));
                return code;
            }
            print_error(&error, system);
            code
        }
    }
}

/// Prints `error` for people. At a terminal, the ids that only Microsoft's support needs come last.
fn print_error(error: &Error, system: &System) {
    let terminal = &system.terminal;
    let is_watched = system.is_watched();
    if is_watched {
        // The command line may have failed before the settings were read.
        choose_colour(system);
    }
    let (message, ids) = match error.without_ids().filter(|_| is_watched) {
        Some((message, ids)) => (message, Some(ids)),
        None => (error.message().to_owned(), None),
    };
    terminal.message(Level::Error, &message);
    for line in error.remedy_lines() {
        terminal.plain(line);
    }
    if let Some(ids) = ids {
        terminal.dim(&ids);
    }
}

/// Allows colour, unless the settings turn it off.
fn choose_colour(system: &System) {
    let config = Config::load(system, &ConfigDir::find(system));
    let no_color = config.and_then(|config| config.is_on(&known::NO_COLOR));
    system.set_colour(!no_color.unwrap_or_default());
}

/// The last `--error-format` in `argv`; true for `json`. Read before parsing, because parsing may be
/// what fails. Like every option it may be abbreviated.
fn error_format(argv: &[OsString]) -> Option<bool> {
    let mut words = cli::before_separator(argv).iter().filter_map(|word| word.to_str());
    let mut asked = None;
    while let Some(word) = words.next() {
        let (name, attached) =
            word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        if name.len() > 2 && "--error-format".starts_with(name) {
            let value = attached.or_else(|| words.next());
            asked = value.map(|value| value.eq_ignore_ascii_case("json"));
        }
    }
    asked
}

/// True if errors are printed as JSON: by `--error-format`, else by `core.error_format`.
fn is_for_programs(asked: Option<bool>, system: &System) -> bool {
    asked.unwrap_or_else(|| {
        let config = Config::load(system, &ConfigDir::find(system))
            .and_then(|config| config.word(&known::ERROR_FORMAT));
        config.is_ok_and(|format| format == "json")
    })
}

fn try_run(argv: &[OsString], system: &System) -> Result<u8> {
    let Parsed { invocation, doubts } = cli::parse(system, argv)?;
    let done = match invocation {
        Invocation::Help(text) => {
            choose_colour(system);
            let terminal = &system.terminal;
            let is_coloured = system.program == Program::Azt && terminal.colour();
            let shown = if is_coloured {
                terminal.coloured_result(&text.ansi().to_string())
            } else {
                terminal.result(&text.to_string())
            };
            shown.map(|()| exit::SUCCESS)
        }
        Invocation::Topic(topic) => {
            let width = system.terminal.text_width();
            system.terminal.result(&commands::help(topic, width)).map(|()| exit::SUCCESS)
        }
        Invocation::Version => {
            system.terminal.result(&commands::version_text(system)).map(|()| exit::SUCCESS)
        }
        Invocation::Run(cli) => carry_out(&cli.command, system, &doubts),
    };
    done.map_err(|error| doubts.into_iter().fold(error, Error::remedy))
}

/// Runs `command`. With `--verbose`, prints the `doubts` first.
fn carry_out(command: &Command, system: &System, doubts: &[String]) -> Result<u8> {
    let global = command.global();
    let query = global.query.as_deref().map(Query::parse).transpose()?;
    let damaged = commands::damaged_settings(command);
    let ignores_damage = damaged == DamagedSettings::Ignore;
    let context = Context::load(system, damaged)?;
    let is_on = |setting| match context.config.is_on(setting) {
        Err(_) if ignores_damage => Ok(false),
        found => found,
    };
    for notice in context.clouds.notices() {
        system.terminal.plain(notice);
    }
    let errors_only = global.only_show_errors || is_on(&known::ONLY_SHOW_ERRORS)?;
    if global.only_show_errors && (global.debug || global.verbose) {
        return Err(Error::new(
            Kind::Inapplicable,
            "--only-show-errors can't be used together with --debug or --verbose",
        ));
    }
    system.terminal.set_verbosity(match (global.debug, global.verbose, errors_only) {
        (true, _, _) => Verbosity::Debug,
        (_, true, _) => Verbosity::Verbose,
        (_, _, true) => Verbosity::OnlyErrors,
        _ => Verbosity::Normal,
    });
    system.set_colour(!is_on(&known::NO_COLOR)?);
    for doubt in doubts {
        system.terminal.info(doubt);
    }
    let answer = commands::run(command, &context);
    for (concession, path) in concessions() {
        system.terminal.info(&concession.about(&path));
    }
    let answer = answer?;
    if answer.value.is_null() {
        // An invalid default format must not fail the command that corrects it.
        return answer.outcome;
    }
    print(answer, global, query.as_ref(), &context, damaged)
}

/// Prints the value of `answer` in the format of the call, the command or the settings, and returns
/// the answer's outcome. Where `damaged` settings are ignored, so is an invalid format in them.
fn print(
    mut answer: Answer,
    global: &Global,
    query: Option<&Query>,
    context: &Context<'_>,
    damaged: DamagedSettings,
) -> Result<u8> {
    let terminal = &context.system.terminal;
    let format = match global.output.or(answer.format) {
        Some(format) => format,
        None if damaged == DamagedSettings::Ignore => {
            commands::default_format(context).unwrap_or(Format::Json)
        }
        None => commands::default_format(context)?,
    };
    if context.system.program == Program::Azt && matches!(format, Format::Table | Format::Tsv) {
        answer.put_on_lines();
    }
    let render = Render { format, query, table: answer.table, colour: terminal.colour() };
    let text = render.render(&answer.value);
    answer.wipe();
    let text = text.map_err(|error| match error {
        // The reason quotes the value that does not fit, which may be the token.
        QueryError::Evaluation(_) if answer.is_secret => Error::failed(
            "Invalid jmespath query supplied for `--query`: it does not fit this result.",
        )
        .remedy(output::QUERY_REFERENCE),
        error => Error::from(error),
    })?;
    match format {
        // JSON writes the answer's own escape characters as \u001b.
        Format::Jsonc if render.colour => terminal.coloured_json_result(&text)?,
        Format::Json | Format::Jsonc => terminal.json_result(&text)?,
        _ => terminal.result(&text)?,
    }
    answer.outcome
}
