//! `switch`.

use super::{Answer, wants_data};
use crate::accounts::{Candidates, Context, default_of, make_default, with_near_matches};
use crate::cli::{Global, Switch};
use crate::error::{Error, Kind, Result};
use crate::foreign::Typed;
use crate::settings::{Profile, Recent, Subscription};

/// The name that means the default before.
const BEFORE: &str = "-";

/// Makes another subscription the default: the one that the user picks or names, or the one before.
pub(super) fn run(request: &Switch, context: &Context<'_>) -> Result<Answer> {
    let name = request.name.join(" ");
    let profile = profile(context)?;
    let entry = match name.trim() {
        _ if request.name.is_empty() => {
            if !context.system.can_ask() {
                let text = "There is no terminal to choose a subscription on.";
                return Err(Error::new(Kind::Inapplicable, text).remedy("Name it: azt switch NAME"));
            }
            return pick(&profile, &request.global, context);
        }
        "" => return Err(Error::new(Kind::Inapplicable, "The name is empty.")),
        BEFORE => before(&profile, context)?,
        name => named(name, &profile, context)?,
    };
    let entry = make_default(context, entry.id())?;
    answer("Now", &entry, &request.global, context)
}

/// [`pick`] from the profile, for `account set` without a name.
pub(super) fn by_picker(global: &Global, context: &Context<'_>) -> Result<Answer> {
    pick(&profile(context)?, global, context)
}

/// The profile.
///
/// # Errors
/// [`Kind::NotSignedIn`].
fn profile(context: &Context<'_>) -> Result<Profile> {
    let (profile, cloud) = (Profile::load(&context.dir)?, context.cloud().name.as_str());
    if profile.visible(cloud).next().is_none() {
        profile.find(context.system.program, cloud, None)?;
    }
    Ok(profile)
}

fn pick(profile: &Profile, global: &Global, context: &Context<'_>) -> Result<Answer> {
    let cloud = context.cloud().name.as_str();
    if let Some(entry) = Candidates::new(context, profile.visible(cloud)).pick(context)? {
        let entry = make_default(context, entry.id())?;
        return answer("Now", &entry, global, context);
    }
    let Some(entry) = profile.visible(cloud).find(|entry| entry.is_default()) else {
        context.system.terminal.plain("Nothing was chosen. There is no default subscription.");
        return Ok(Answer::none());
    };
    answer("Kept", entry, global, context)
}

/// The subscription that was the default before.
fn before<'p>(profile: &'p Profile, context: &Context<'_>) -> Result<&'p Subscription> {
    let cloud = context.cloud().name.as_str();
    let recent = Recent::load(&context.dir);
    let now = default_of(profile, cloud);
    let mut others = recent.of(cloud).iter().filter(|id| Some(*id) != now.as_ref());
    let entry = |id: &String| profile.visible(cloud).find(|entry| entry.id() == id);
    others.find_map(entry).ok_or_else(|| {
        Error::failed("azt knows no other subscription that was the default before.")
            .remedy("Name one: azt switch NAME")
    })
}

fn named<'p>(name: &str, profile: &'p Profile, context: &Context<'_>) -> Result<&'p Subscription> {
    let visible = || profile.visible(&context.cloud().name);
    Candidates::new(context, visible()).called(name)?.ok_or_else(|| {
        let error = Error::failed(format!("No subscription matches '{}'.", Typed(name)));
        let all: Vec<&Subscription> = visible().collect();
        with_near_matches(error, context.system.program, all.iter().copied(), name)
    })
}

/// One line about `entry`; where data is wanted the entry, as `account show` prints it.
fn answer(
    what: &str,
    entry: &Subscription,
    global: &Global,
    context: &Context<'_>,
) -> Result<Answer> {
    if wants_data(global, context) {
        return Ok(Answer::of(entry.value()));
    }
    let (name, tenant, user) = (entry.name_and_flaw(), entry.tenant_name(), entry.user_name());
    let terminal = &context.system.terminal;
    let dot = terminal.screen(&context.system.env).dot();
    terminal.prose(&format!("{what}: {name} {dot} {tenant} ({user})\n"))?;
    Ok(Answer::none())
}
