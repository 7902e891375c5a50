//! `account set`.

use super::{Answer, switch};
use crate::accounts::{Context, make_default};
use crate::cli::AccountSet;
use crate::error::{Error, Kind, Result};

/// Makes a subscription the default. Without a name, lets the user choose on the terminal.
pub(super) fn run(request: &AccountSet, context: &Context<'_>) -> Result<Answer> {
    let name = request.name.join(" ");
    match request.wanted.as_deref().or(Some(&*name).filter(|_| !request.name.is_empty())) {
        Some(wanted) => make_default(context, wanted).map(|_| Answer::none()),
        None if context.system.can_ask() => switch::by_picker(&request.global, context),
        None => Err(Error::new(
            Kind::Usage,
            "the following arguments are required: --subscription/-s/--name/-n",
        )
        .remedy("On a terminal azt lets you choose from a list.")),
    }
}
