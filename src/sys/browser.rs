//! The person's web browser.

use std::path::Path;
use std::time::Duration;

use super::{System, within};
use crate::error::{Error, Result};

/// How long a browser may take to be started.
const START_LIMIT: Duration = Duration::from_secs(10);

/// Why a browser that is opened here would not be seen by the person; `None` when there is one.
///
/// `BROWSER` names one wherever this runs: editors set it in their remote sessions to a command
/// that opens the page on the person's own machine. In Codespaces az does without all the same.
pub fn why_no_browser(system: &System) -> Option<&'static str> {
    let env = &system.env;
    let is_set = |name: &str| env.non_empty(name).is_some();
    if !env.is_process() {
        return Some("there is no desktop");
    }
    if env.get("CODESPACES").as_deref() == Some("true") {
        return Some("this is a GitHub codespace");
    }
    if is_set("BROWSER") {
        return None;
    }
    if ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].into_iter().any(is_set) {
        return Some("this is an SSH session");
    }
    let in_container =
        ["/.dockerenv", "/run/.containerenv"].into_iter().any(|it| Path::new(it).exists())
            || ["KUBERNETES_SERVICE_HOST", "container"].into_iter().any(is_set);
    if in_container {
        return Some("this is a container");
    }
    let needs_display = cfg!(all(unix, not(target_os = "macos"))) && !is_set("WSL_DISTRO_NAME");
    if needs_display && !is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY") {
        return Some("there is no display");
    }
    (!webbrowser::Browser::is_available()).then_some("no web browser was found")
}

/// Opens `url` in the person's browser.
pub fn open_browser(url: &str) -> Result<()> {
    let url = url.to_owned();
    match within(START_LIMIT, move || webbrowser::open(&url)) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) | Err(error) => {
            Err(Error::failed(format!("The web browser could not be opened: {error}.")))
        }
    }
}
