//! The line after a sign-in: who is signed in, and where.

use anstyle::{AnsiColor, Style};

use crate::accounts::Context;
use crate::error::Result;
use crate::foreign::Sentence;
use crate::settings::{Profile, Subscription};
use crate::sys::{Level, PLAIN};

/// Tells a person at a terminal who is signed in, and the default among `listed`, or else of all
/// accounts.
pub(super) fn tell(context: &Context<'_>, name: &str, listed: &[Subscription]) -> Result<()> {
    if !context.system.is_watched() {
        return Ok(());
    }
    let profile = Profile::load_or_new(&context.dir)?;
    let all = profile.all().iter().filter(|it| it.environment_name() == context.cloud().name);
    let default = listed.iter().chain(all).find(|entry| entry.is_default());
    let dot = context.system.terminal.screen(&context.system.env).dot();
    let place = default.map_or_else(String::new, |entry| format!(" {dot} {}", place(entry)));
    tick(context, &format!("Signed in as {name}{place}"));
    Ok(())
}

/// Prints `text`, which reports a success to a person at a terminal.
pub(super) fn tick(context: &Context<'_>, text: &str) {
    let terminal = &context.system.terminal;
    if !terminal.shows(Level::Warning) {
        return;
    }
    let text = Sentence::new(text);
    if terminal.screen(&context.system.env).unicode {
        let green = Style::new().fg_color(Some(AnsiColor::Green.into()));
        terminal.line(&[(green, "\u{2713}"), (PLAIN, " "), (PLAIN, &*text)]);
    } else {
        terminal.plain(&text);
    }
}

/// `SUBSCRIPTION (TENANT)`, or the tenant.
fn place(entry: &Subscription) -> String {
    let tenant = entry.tenant_name();
    if entry.is_tenant_level() {
        return tenant.to_owned();
    }
    match entry.flaw() {
        Some(flaw) => format!("{} ({tenant}, {flaw})", entry.name()),
        None => format!("{} ({tenant})", entry.name()),
    }
}
