//! GitHub Actions.
//!
//! <https://docs.github.com/actions/reference/security/oidc#methods-for-requesting-the-oidc-token>

use super::{address, ask, variable};
use crate::entra::form::Form;
use crate::error::Result;
use crate::secret::Secret;
use crate::sys::{Request, System};

const URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
/// The hosts of github.com's token service.
const HOSTS: [&str; 1] = ["*.actions.githubusercontent.com"];
const PERMISSION: &str = "Give the job `permissions: id-token: write`.";

/// True in a job that may request tokens.
pub(crate) fn in_github_actions(system: &System) -> bool {
    [URL, TOKEN].into_iter().all(|name| system.env.non_empty(name).is_some())
}

/// A new assertion for `audience`: one request. The job's own token lives as long as the job, up to
/// six hours.
pub(crate) async fn github_actions_assertion(system: &System, audience: &str) -> Result<Secret> {
    let read = |name| variable(system, name, "GitHub Actions", PERMISSION);
    let (url, token) = (address(&read(URL)?, URL, &HOSTS, system)?, Secret::new(read(TOKEN)?));
    let query = Form::empty().with("audience", audience).into_body();
    let request = Request::get(url.with_query(query.as_str()))
        .header("accept", "application/json")
        .bearer(&token);
    ask(system, &url, request, "value", PERMISSION).await
}
