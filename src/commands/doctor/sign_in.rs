//! Which ways to sign in this machine offers: a tenant may demand a particular one.

use super::check::{Check, Topic};
use crate::broker::{Presence, identity_broker_presence};
use crate::sys::{System, kerberos_ticket, why_no_browser};

/// A way to sign in that some tenants demand.
struct Way {
    name: &'static str,
    /// What it can give a tenant.
    gives: &'static str,
    /// What to do where it is missing.
    otherwise: &'static str,
    /// Why this machine does not offer it; `None` if it does.
    why_not: fn(&System) -> Option<String>,
}

const WAYS: [Way; 3] = [
    Way {
        name: "browser",
        gives: "a second factor, consent, a new password",
        otherwise: "azt uses device codes; where they are forbidden, azt login --no-browser uses a browser on another machine",
        why_not: |system| why_no_browser(system).map(str::to_owned),
    },
    Way {
        name: "identity broker",
        gives: "a managed device, token protection (azt login --use-broker)",
        otherwise: "a tenant that demands the device cannot be satisfied",
        why_not: |system| match identity_broker_presence(system) {
            Presence::Here | Presence::WindowsSide(_) => None,
            Presence::Absent(why) => Some(why),
        },
    },
    Way {
        name: "Kerberos ticket",
        gives: "a sign-in without a password (azt login --integrated)",
        otherwise: "kinit gets one, in a Kerberos realm",
        why_not: |system| {
            let ticket = kerberos_ticket(system).err()?;
            Some(ticket.message().trim_end_matches('.').to_owned())
        },
    },
];

/// One check per way. None fails: few tenants demand any of them.
pub(super) fn sign_in(system: &System) -> Vec<Check> {
    let check = |way: &Way| {
        let text = match (way.why_not)(system) {
            None => format!("it can give what a tenant demands of it: {}", way.gives),
            Some(reason) => format!("not here, because {reason}: {}", way.otherwise),
        };
        Check::ok(Topic::SignIn, text).about(way.name)
    };
    WAYS.iter().map(check).collect()
}
