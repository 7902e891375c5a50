//! Which resources an endpoint hands out tokens of.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::refused::{Refused, Why};
use super::tokens::Ask;
use crate::accounts::Context;
use crate::commands::token::what;
use crate::entra::Scopes;
use crate::error::Result;
use crate::foreign::{Guid, Typed};
use crate::hosts::Place;
use crate::sys::{EndpointUrl, Origin};

/// How long a client waits for the person: SDKs give up after ten seconds.
const PATIENCE: Duration = Duration::from_secs(8);

/// The resources of an endpoint.
pub(in crate::commands) struct Allowed {
    /// `None` for every resource.
    only: Option<Vec<String>>,
    question: Option<Question>,
}

/// A question to the person at this endpoint's terminal, once for each resource.
struct Question {
    origin: Origin,
    /// The answers; `None` while the person is asked.
    answers: Mutex<HashMap<String, watch::Receiver<Option<bool>>>>,
    /// Held by the one prompt that may read the terminal.
    prompt: Arc<Mutex<()>>,
}

impl Allowed {
    /// The `resources`, each a short name, a URL of a service, a resource or a scope, and those of
    /// `scopes`; every one if `resources` is `None`. With `asks`, the person is asked for each at its
    /// first use.
    ///
    /// # Errors
    /// There is no such name.
    pub(in crate::commands) fn of(
        resources: Option<&[String]>,
        scopes: &[&Scopes],
        asks: bool,
        context: &Context<'_>,
    ) -> Result<Self> {
        let question = asks.then(|| Question {
            origin: context.system.origin(),
            answers: Mutex::default(),
            prompt: Arc::default(),
        });
        let Some(resources) = resources else { return Ok(Self { only: None, question }) };
        let mut only: Vec<String> =
            scopes.iter().flat_map(|scopes| scopes.iter()).map(audience_of).collect();
        for resource in resources {
            only.extend(named(resource, context)?.iter().map(audience_of));
            if resource.contains("://") {
                // As it is written too: a registered cloud has its own name for what a host of the
                // table is, and the program asks with the words of --resource.
                only.push(audience_of(&format!("{resource}/.default")));
            }
        }
        Ok(Self { only: Some(only), question })
    }

    /// Fails unless every scope of `ask` may be asked for; `shown` is what the client asked for.
    pub(super) async fn check(&self, ask: &Ask, shown: &str) -> Result<(), Refused> {
        let scopes = &ask.scopes;
        let audiences: Vec<String> = scopes.iter().map(audience_of).collect();
        if let Some(only) = &self.only
            && !audiences.iter().all(|it| only.contains(it))
        {
            return Err(Refused::new(
                Why::Resource,
                format!(
                    "azt gives no token for {} here: it was started for other resources (--resource, --for).",
                    Typed(shown)
                ),
            ));
        }
        match &self.question {
            None => Ok(()),
            Some(question) => {
                let (mut what, mut shown) = (audiences.join(" "), shown.to_owned());
                if let Some(tenant) = &ask.tenant {
                    what = format!("{what} in {tenant}");
                    shown = format!("{shown} in the tenant {tenant}");
                }
                question.ask(what, &shown).await
            }
        }
    }
}

/// The scopes that `resource` names. Unlike `azt token WHAT`, an address that no table knows is the
/// name of a resource: nothing is sent there.
fn named(resource: &str, context: &Context<'_>) -> Result<Scopes> {
    what::of(resource, context).or_else(|error| {
        let is_name = resource.contains("://") || Guid::parse(resource).is_some();
        if !is_name {
            return Err(error);
        }
        if resource.ends_with("/.default") {
            Scopes::new([resource])
        } else {
            Ok(Scopes::of_resource(resource))
        }
    })
}

/// The audience of `scope`, in one spelling for all that Entra takes as one: no slash at its end, in
/// lower case, and one name for Azure Resource Manager, which has two.
pub(super) fn audience_of(scope: &str) -> String {
    let audience = match scope.strip_suffix("/.default") {
        Some(audience) => audience,
        // A permission, such as https://graph.microsoft.com/User.Read.
        None => scope.rsplit_once('/').map_or(scope, |(audience, _)| audience),
    };
    let audience = audience.trim_end_matches('/').to_ascii_lowercase();
    let place = EndpointUrl::parse(&audience, "").ok().and_then(|url| Place::of(&url));
    match place.filter(Place::is_resource_manager) {
        Some(place) => format!("arm {}", place.cloud),
        None => audience,
    }
}

impl Question {
    /// Waits for the answer. It outlives a client that has gone: the next one gets it.
    async fn ask(&self, audience: String, shown: &str) -> Result<(), Refused> {
        let mut answer = self.answer_to(audience, shown);
        match tokio::time::timeout(PATIENCE, answer.wait_for(Option::is_some)).await {
            Ok(Ok(answer)) if *answer == Some(true) => Ok(()),
            Ok(_) => {
                let text = format!(
                    "The person at the endpoint's terminal refused a token for {}.",
                    Typed(shown)
                );
                Err(Refused::new(Why::Resource, text))
            }
            Err(_) => Err(Refused::new(
                Why::Transient,
                format!(
                    "The person at the endpoint's terminal is asked about {}: try again after the answer.",
                    Typed(shown)
                ),
            )),
        }
    }

    /// The answer about `audience`, or the place where it will be: a thread asks, because a prompt
    /// blocks. Without an answer nothing is allowed.
    fn answer_to(&self, audience: String, shown: &str) -> watch::Receiver<Option<bool>> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = answers.get(&audience) {
            return answer.clone();
        }
        let question = format!("Allow tokens for {} until this azt ends?", Typed(shown));
        let (sender, answer) = watch::channel(None);
        answers.insert(audience, answer.clone());
        let (origin, prompt) = (self.origin.clone(), self.prompt.clone());
        // If no thread starts, the sender is gone: refused.
        let _ = std::thread::Builder::new().name("question".to_owned()).spawn(move || {
            let _one = prompt.lock().unwrap_or_else(PoisonError::into_inner);
            let terminal = origin.terminal();
            terminal.forget_typed();
            let answer = terminal.confirm(&question);
            sender.send_replace(Some(answer.unwrap_or(false)));
        });
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_audience_are_one() {
        for (one, other) in [
            ("https://vault.azure.net/.default", "https://VAULT.azure.net//.default"),
            (
                "https://management.azure.com/.default",
                "https://management.core.windows.net//.default",
            ),
            ("https://graph.microsoft.com/.default", "https://graph.microsoft.com/User.Read"),
            ("api://app/.default", "api://app/read"),
        ] {
            assert_eq!(audience_of(one), audience_of(other), "{one}");
        }
        for other in [
            "https://vault.azure.net.evil.example/.default",
            "https://evil.example/https://vault.azure.net/.default",
            "https://vault.azure.net:8443/.default",
            "http://vault.azure.net/.default",
        ] {
            assert_ne!(
                audience_of(other),
                audience_of("https://vault.azure.net/.default"),
                "{other}"
            );
        }
        let of_china = audience_of("https://management.chinacloudapi.cn/.default");
        assert_ne!(of_china, audience_of("https://management.azure.com/.default"));
    }
}
