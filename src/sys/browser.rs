//! The user's web browser.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::countdown::LONGEST;
use super::file::{Access, Durability};
use super::{EndpointUrl, Env, Folder, System, fill_random, run_with_timeout};
use crate::error::{Error, Result};

/// Time for a browser to start.
const START_LIMIT: Duration = Duration::from_secs(10);

/// Time between two looks at a browser that was started.
#[cfg(unix)]
const LOOK: Duration = Duration::from_millis(200);

/// Prefix and suffix of the names of page files.
const PAGE: (&str, &str) = ("azt-sign-in-", ".html");

/// Exists only where snap packages are used.
const SNAPS: &str = "/snap/bin";

/// Returns why a browser that azt starts would not appear on the user's screen; `None` if they would.
///
/// `BROWSER` counts as a browser even in remote sessions, because editors set it there to a command
/// that opens the page on the user's machine. Codespaces are the exception: az opens no browser
/// there.
pub(crate) fn why_no_browser(system: &System) -> Option<&'static str> {
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

/// A page that was opened in the browser. Its file is removed on drop.
pub(crate) struct OpenedPage {
    page: Option<(Folder, String)>,
    /// Why the browser was not opened.
    pub(crate) failure: Option<Error>,
    /// Why the browser got the URL itself as an argument, which every user of this machine can
    /// read. `None` if it got a file.
    pub(crate) exposed: Option<&'static str>,
}

impl Drop for OpenedPage {
    fn drop(&mut self) {
        if let Some((folder, name)) = &self.page {
            // A leftover is harmless: the sign-in is over. `remove_leftovers` removes it later.
            let _ = folder.remove(name);
        }
    }
}

/// Opens `url` in the user's browser.
///
/// All users of a machine can read the arguments of processes, and whoever knows the sign-in URL
/// can answer the sign-in. The browser therefore gets a file that only this user can read. Its
/// content is `page`, which redirects to `url`; `folder` must be private to the user.
pub(crate) fn open_browser(
    system: &System,
    url: &EndpointUrl,
    page: &str,
    folder: &Folder,
) -> OpenedPage {
    let mut opened = OpenedPage { page: None, failure: None, exposed: why_no_page(&system.env) };
    let target = match opened.exposed {
        Some(_) => Ok(url.to_string()),
        None => private_page(system, page, folder).map(|(folder, name, url)| {
            opened.page = Some((folder, name));
            url
        }),
    };
    let start =
        |target: String| match run_with_timeout(START_LIMIT, move || webbrowser::open(&target)) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) | Err(error) => {
                Err(Error::failed(format!("The web browser could not be opened: {error}.")))
            }
        };
    opened.failure = target.and_then(start).err();
    opened
}

/// Why a browser that was started ended, if it failed. Waits for ever otherwise.
///
/// The library that starts it keeps no handle. The browser is the only child of this process, so
/// its end is found among all of them.
#[cfg(unix)]
pub(crate) async fn browser_failure() -> String {
    use rustix::process::{WaitOptions, wait};
    loop {
        tokio::time::sleep(LOOK).await;
        if let Ok(Some((_, status))) = wait(WaitOptions::NOHANG) {
            match (status.exit_status(), status.terminating_signal()) {
                (Some(0), _) | (None, None) => {}
                (Some(code), _) => return format!("it ended with exit code {code}"),
                (None, Some(signal)) => return format!("signal {signal} ended it"),
            }
        }
    }
}

/// On Windows the system starts the browser, and reports what fails.
#[cfg(not(unix))]
pub(crate) async fn browser_failure() -> String {
    std::future::pending().await
}

/// Returns why the browser cannot read this machine's files; `None` if it probably can.
fn why_no_page(env: &Env) -> Option<&'static str> {
    let is_set = |name: &str| env.non_empty(name).is_some();
    let browser = env.get("BROWSER").unwrap_or_default();
    // VS Code and its derivatives: `…/.vscode-server/…/bin/helpers/browser.sh`.
    let is_editors = ["-server/", "/helpers/browser"].into_iter().any(|it| browser.contains(it));
    if is_editors || is_set("VSCODE_IPC_HOOK_CLI") || is_set("REMOTE_CONTAINERS") {
        return Some("an editor hands it to a browser on another machine");
    }
    if ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].into_iter().any(is_set) {
        return Some("the browser may be on the other side of the SSH session");
    }
    is_set("WSL_DISTRO_NAME").then_some("the browser is Windows' own")
}

/// Writes the page; returns its folder, its name and its URL.
fn private_page(system: &System, text: &str, folder: &Folder) -> Result<(Folder, String, String)> {
    // Snap browsers can read neither hidden folders nor /tmp.
    let home = system.home().filter(|_| cfg!(target_os = "linux") && Path::new(SNAPS).exists());
    let folder = home.map_or_else(|| folder.clone(), Folder::at);
    folder.ensure()?;
    remove_leftovers(&folder);
    let mut random = [0; 8];
    fill_random(&mut random)?;
    let (prefix, suffix) = PAGE;
    let name = format!("{prefix}{:016x}{suffix}", u64::from_ne_bytes(random));
    let path = folder.file(&name);
    let no_url = || Error::failed(format!("Cannot make a URL of {}.", path.display()));
    let absolute = std::path::absolute(&path).map_err(|_| no_url())?;
    let url = reqwest::Url::from_file_path(absolute).map_err(|()| no_url())?;
    folder.write(&name, text.as_bytes(), Access::Owner, Durability::Volatile)?;
    Ok((folder, name, url.to_string()))
}

/// Removes the pages of processes that were killed.
#[allow(clippy::disallowed_methods, reason = "file times are in system time")]
fn remove_leftovers(folder: &Folder) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    for name in folder.names().unwrap_or_default() {
        let is_page = name.starts_with(PAGE.0) && name.ends_with(PAGE.1);
        let written = folder.stamp(&name).and_then(|it| u64::try_from(it.written_at()).ok());
        if is_page && written.is_some_and(|at| now.saturating_sub(at) > LONGEST.as_secs()) {
            let _ = folder.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remote_browsers_get_the_url_itself() {
        let why = |name: &str, value: &str| why_no_page(&Env::fixed([(name, value)]));
        for (name, value) in [
            (
                "BROWSER",
                "/home/x/.vscode-server/cli/servers/Stable-1/server/bin/helpers/browser.sh",
            ),
            ("BROWSER", "/home/x/.cursor-server/bin/abc/bin/helpers/browser.sh"),
            ("BROWSER", "/usr/lib/code-server/lib/vscode/bin/helpers/browser-linux.sh"),
            ("VSCODE_IPC_HOOK_CLI", "/run/user/1000/vscode-ipc.sock"),
            ("REMOTE_CONTAINERS", "true"),
            ("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22"),
            ("SSH_TTY", "/dev/pts/1"),
            ("WSL_DISTRO_NAME", "Ubuntu"),
        ] {
            assert!(why(name, value).is_some(), "{name}={value}");
        }
        for (name, value) in [
            ("BROWSER", "firefox"),
            ("BROWSER", "/snap/bin/firefox"),
            ("SSH_TTY", ""),
            ("TERM_PROGRAM", "vscode"),
        ] {
            assert_eq!(why(name, value), None, "{name}={value}");
        }
    }
}
