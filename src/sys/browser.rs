//! The person's web browser.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::attended::LONGEST;
use super::file::{Access, Durability};
use super::{EndpointUrl, Env, Folder, System, fill_random, within};
use crate::error::{Error, Result};

/// How long a browser may take to be started.
const START_LIMIT: Duration = Duration::from_secs(10);

/// How the names of pages begin and end.
const PAGE: (&str, &str) = ("azt-sign-in-", ".html");

/// Where a machine has programs that are snaps.
const SNAPS: &str = "/snap/bin";

/// Why a browser that is opened here would not be seen by the person; `None` when there is one.
///
/// `BROWSER` names one wherever this runs: editors set it in their remote sessions to a command
/// that opens the page on the person's own machine. In Codespaces az does without all the same.
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

/// What was opened in a browser; its page is removed when this is dropped.
pub(crate) struct OpenedPage {
    page: Option<(Folder, String)>,
    /// Why no browser was opened, if so.
    pub(crate) failure: Option<Error>,
    /// Why the address itself stands in the browser's arguments, where every user of this machine can
    /// read it, if it does.
    pub(crate) exposed: Option<&'static str>,
}

impl Drop for OpenedPage {
    fn drop(&mut self) {
        if let Some((folder, name)) = &self.page {
            // What stays holds nothing that is of use by now.
            let _ = folder.remove(name);
        }
    }
}

/// Opens `url` in the person's browser.
///
/// Arguments of processes can be read by all users of a machine, and who knows what is in the address
/// of a sign-in can answer it: the browser is given a file of this user's alone, `page`, which leads
/// there. It lies in `folder`, this user's own.
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
    let start = |target: String| match within(START_LIMIT, move || webbrowser::open(&target)) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) | Err(error) => {
            Err(Error::failed(format!("The web browser could not be opened: {error}.")))
        }
    };
    opened.failure = target.and_then(start).err();
    opened
}

/// Why a browser that is opened here cannot read this machine's files; `None` when it most likely can.
fn why_no_page(env: &Env) -> Option<&'static str> {
    let is_set = |name: &str| env.non_empty(name).is_some();
    let browser = env.get("BROWSER").unwrap_or_default();
    // VS Code and what is made from it: `…/.vscode-server/…/bin/helpers/browser.sh`.
    let is_editors = ["-server/", "/helpers/browser"].into_iter().any(|it| browser.contains(it));
    if is_editors || is_set("VSCODE_IPC_HOOK_CLI") || is_set("REMOTE_CONTAINERS") {
        return Some("an editor hands it to a browser on another machine");
    }
    if ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].into_iter().any(is_set) {
        return Some("the browser may be on the other side of the SSH session");
    }
    is_set("WSL_DISTRO_NAME").then_some("the browser is Windows' own")
}

/// Makes the page; answers its folder, its name there, and its address.
fn private_page(system: &System, text: &str, folder: &Folder) -> Result<(Folder, String, String)> {
    // Browsers that are snaps read neither hidden folders nor /tmp.
    let home = system.home().filter(|_| cfg!(target_os = "linux") && Path::new(SNAPS).exists());
    let folder = home.map_or_else(|| folder.clone(), Folder::at);
    folder.ensure()?;
    remove_left(&folder);
    let mut random = [0; 8];
    fill_random(&mut random)?;
    let (prefix, suffix) = PAGE;
    let name = format!("{prefix}{:016x}{suffix}", u64::from_ne_bytes(random));
    let path = folder.file(&name);
    let no_address = || Error::failed(format!("{} has no address.", path.display()));
    let absolute = std::path::absolute(&path).map_err(|_| no_address())?;
    let url = reqwest::Url::from_file_path(absolute).map_err(|()| no_address())?;
    folder.write(&name, text.as_bytes(), Access::Owner, Durability::Volatile)?;
    Ok((folder, name, url.to_string()))
}

/// Removes the pages of processes that were killed.
#[allow(clippy::disallowed_methods, reason = "files have the system's time")]
fn remove_left(folder: &Folder) {
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
    fn the_address_itself_goes_where_no_file_can_be_read() {
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
