//! `ci`: prints a snippet that signs a CI job, an image or a pod in.

use super::Answer;
use crate::accounts::{Context, Selection};
use crate::cli::{Ci, Place};
use crate::error::Result;
use crate::settings::{Subscription, UserType};

/// The names in the snippets, between `@`, that a user has to replace.
const NAMES: [&str; 6] =
    ["APP_ID", "TENANT", "CONNECTION_ID", "REPOSITORY", "SERVICE_ACCOUNT", "IMAGE"];

/// Prints the snippet with the ids of the current sign-in. A note on standard error lists the names
/// that the sign-in has no id for.
pub(super) fn run(request: &Ci, context: &Context<'_>) -> Result<Answer> {
    let current = Selection::default().find(context).ok();
    let mut text = snippet(request.place).to_owned();
    let mut missing = Vec::new();
    for name in NAMES {
        let mark = format!("@{name}@");
        if !text.contains(&mark) {
            continue;
        }
        let id = current.as_ref().and_then(|current| id(name, current));
        if id.is_none() {
            missing.push(name);
        }
        text = text.replace(&mark, id.as_deref().unwrap_or(name));
    }
    let terminal = &context.system.terminal;
    terminal.result(&text)?;
    if !missing.is_empty() {
        terminal.plain(&format!("Replace: {}.", missing.join(", ")));
    }
    Ok(Answer::none())
}

fn snippet(place: Place) -> &'static str {
    match place {
        Place::Github => include_str!("github.yml"),
        Place::AzurePipelines => include_str!("azure-pipelines.yml"),
        Place::Gitlab => include_str!("gitlab.yml"),
        Place::Docker => include_str!("Dockerfile"),
        Place::Kubernetes => include_str!("kubernetes.yml"),
    }
}

/// The id that `name` stands for. Only GUIDs, because the snippet is code.
fn id(name: &str, current: &Subscription) -> Option<String> {
    let id = match name {
        "TENANT" => current.tenant_id(),
        "APP_ID" if current.user_type() == Some(UserType::ServicePrincipal) => current.user_name(),
        _ => return None,
    };
    uuid::Uuid::try_parse(id).ok().map(|id| id.to_string())
}
