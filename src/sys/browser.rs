//! The person's web browser.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use tempfile::TempPath;

use super::attended::LONGEST;
use super::folder::create_private_dir;
use super::{Env, System, within};
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

/// What was opened in a browser; its page is removed when this is dropped.
pub struct Opened {
    _page: Option<TempPath>,
    /// Why no browser was opened, if so.
    pub failure: Option<Error>,
    /// Why the address itself stands in the browser's arguments, where every user of this machine can
    /// read it, if it does.
    pub exposed: Option<&'static str>,
}

/// Opens `url` in the person's browser.
///
/// Arguments of processes can be read by all users of a machine, and who knows what is in the address
/// of a sign-in can answer it: the browser is given a file of this user's alone, `page`, which leads
/// there. It lies in `folder`, this user's own.
///
/// # Errors
/// `url` is nothing that a browser may be given.
pub fn open_browser(system: &System, url: &str, page: &str, folder: &Path) -> Result<Opened> {
    refuse_other_schemes(url)?;
    let exposed = why_no_page(&system.env);
    let page = match exposed {
        Some(_) => Ok((None, url.to_owned())),
        None => private_page(system, page, folder).map(|(page, url)| (Some(page), url)),
    };
    let (page, target) = match page {
        Ok(page) => page,
        Err(error) => return Ok(Opened { _page: None, failure: Some(error), exposed: None }),
    };
    let failure = match within(START_LIMIT, move || webbrowser::open(&target)) {
        Ok(Ok(())) => None,
        Ok(Err(error)) | Err(error) => {
            Some(Error::failed(format!("The web browser could not be opened: {error}.")))
        }
    };
    Ok(Opened { _page: page, failure, exposed })
}

/// Other schemes start other programs, and a server may have named the address.
fn refuse_other_schemes(url: &str) -> Result<()> {
    let parsed = reqwest::Url::parse(url).ok();
    let is_loopback = |host: &str| ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    let is_web = parsed.is_some_and(|url| match url.scheme() {
        "https" => url.has_host(),
        "http" => url.host_str().is_some_and(is_loopback),
        _ => false,
    });
    if is_web {
        return Ok(());
    }
    Err(Error::failed(
        "The address of the sign-in does not begin with https://, so that no browser is given it.",
    ))
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

/// Makes the page; answers it, and its address.
fn private_page(system: &System, text: &str, folder: &Path) -> Result<(TempPath, String)> {
    // Browsers that are snaps read neither hidden folders nor /tmp.
    let home = system.home().filter(|_| cfg!(target_os = "linux") && Path::new(SNAPS).exists());
    let folder = if let Some(home) = home {
        home
    } else {
        create_private_dir(folder)?;
        folder.to_owned()
    };
    let made = || {
        let folder = std::path::absolute(&folder)?;
        remove_left(&folder);
        // Made anew, and for its owner alone.
        let mut page =
            tempfile::Builder::new().prefix(PAGE.0).suffix(PAGE.1).tempfile_in(&folder)?;
        page.write_all(text.as_bytes())?;
        let page = page.into_temp_path();
        let url = reqwest::Url::from_file_path(&page);
        let url = url.map_err(|()| io::Error::other("it has no address"))?;
        Ok((page, url.to_string()))
    };
    made().map_err(|error: io::Error| {
        Error::failed(format!(
            "Cannot make the page that leads the browser to the sign-in in {}: {error}.",
            folder.display()
        ))
    })
}

/// Removes the pages of processes that were killed.
fn remove_left(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_page =
            name.to_str().is_some_and(|name| name.starts_with(PAGE.0) && name.ends_with(PAGE.1));
        let modified = entry.metadata().and_then(|it| it.modified());
        let is_old = modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > LONGEST));
        if is_page && is_old {
            // It holds nothing that is of use by now.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_given_web_addresses_only() {
        for url in ["https://login.example/x?y", "http://localhost:1/", "http://[::1]:1/"] {
            assert!(refuse_other_schemes(url).is_ok(), "{url}");
        }
        for url in [
            "http://login.example/",
            "http://localhost.evil.example/",
            "http://localhost@evil.example/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "data:text/html,x",
            "vscode://x",
            "ms-msdt:/id",
            "ftp://x",
            "https:",
            "/etc/passwd",
            "",
        ] {
            assert!(refuse_other_schemes(url).is_err(), "{url}");
        }
    }

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
