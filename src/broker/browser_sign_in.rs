//! The sign-in of a user with a browser on this machine.

use std::pin::pin;
use std::time::Duration;

use anstyle::Style;
use futures_util::future::{Either, select};

use super::{SignedIn, UserSignIn, redirect_page};
use crate::entra::{AuthorizationRequest, Redirect, ResponseMode};
use crate::error::Result;
use crate::program::Program;
use crate::sys::{
    Copied, EndpointUrl, Folder, Keys, Loopback, PLAIN, Page, Visit, browser_failure, copy,
    open_browser, with_countdown,
};

impl<'a, T: SignedIn<'a>> UserSignIn<'a, '_, T> {
    /// Signs in with a browser on this machine, within `limit`. The page that redirects to the
    /// sign-in is in `folder` until the sign-in ends. At a terminal a key copies the address and, if
    /// `offers_code`, another one ends the wait: `None`, the user wants a code instead.
    pub(crate) async fn with_browser(
        &self,
        folder: &Folder,
        limit: Duration,
        offers_code: bool,
    ) -> Result<Option<T>> {
        let (system, terminal) = (self.system, &self.system.terminal);
        let port = self.redirect.port(self.client.authority().is_adfs());
        let mut loopback = Loopback::listen(port).await?;
        let redirect_uri = self.redirect.with_port(loopback.port());
        let request = self.authorization_request(&redirect_uri, ResponseMode::FormPost)?;
        let endpoint = self.client.authority().authorization_endpoint()?;
        let of_az = format!("{} login", system.program);
        let login = self.own_login.as_ref().unwrap_or(&of_az);
        let opened_at = format!(
            "A web browser has been opened at {endpoint}. Please continue the login in the web browser. If no web browser is available or if the web browser fails to open, use device code flow with `{login} --use-device-code`.",
        );
        if system.program == Program::Az {
            terminal.warn(&opened_at);
        }
        terminal.info(&format!("The whole address is {}", request.url));
        let page = redirect_page::leading_to(&request.url);
        let address = EndpointUrl::parse_with_query(&request.url, "The address of the sign-in")?;
        // Dropping `opened` removes the page, so keep it until the sign-in ends.
        let opened = open_browser(system, &address, &page, folder);
        if let Some(why) = opened.exposed {
            self.report_exposed(why);
        }
        match (&opened.failure, system.program) {
            (Some(error), _) => {
                terminal.warn(&format!("{error} Open this address yourself:\n{}", request.url));
            }
            (None, Program::Azt) if system.is_watched() => {
                terminal.plain(&format!(
                    "A web browser has been opened to sign in at {}.",
                    endpoint.environment()
                ));
            }
            (None, Program::Azt) => terminal.warn(&opened_at),
            // az prints it before it opens the browser.
            (None, Program::Az) => {}
        }
        let has_started = opened.failure.is_none();
        let watch = async {
            if has_started {
                self.report_failure(&browser_failure().await, &request.url);
            }
            std::future::pending().await
        };
        let user = pin!(async {
            self.obey_keys(&request.url, offers_code).await;
            Ok(None)
        });
        let answer = pin!(async { self.receive(&mut loopback, &request).await.map(Some) });
        let work = async {
            let work = select(answer, user);
            match select(work, pin!(watch)).await {
                Either::Left((Either::Left((done, _)) | Either::Right((done, _)), _)) => done,
                Either::Right((never, _)) => never,
            }
        };
        with_countdown(system, "Time left to sign in:", limit, work).await
    }

    /// Reads the user's keys until one of them ends the wait for the browser.
    async fn obey_keys(&self, address: &str, offers_code: bool) {
        let terminal = &self.system.terminal;
        let Some(mut keys) = Keys::read(self.system) else {
            return std::future::pending().await;
        };
        let bold = Style::new().bold();
        let mut offer = vec![(PLAIN, "Press "), (bold, "c"), (PLAIN, " to copy the address")];
        if offers_code {
            offer.extend([(PLAIN, ", "), (bold, "d"), (PLAIN, " to sign in with a code")]);
        }
        offer.push((PLAIN, "."));
        terminal.line(&offer);
        let mut is_again = false;
        loop {
            match keys.next().await {
                'c' => match copy(self.system, address) {
                    Copied::Yes => terminal.plain("The address is in the clipboard."),
                    Copied::Perhaps if !is_again => {
                        terminal.plain("The address is copied, if the terminal allows it. Press c again to see it.");
                        is_again = true;
                    }
                    Copied::Perhaps | Copied::No => {
                        terminal.plain(&format!("The address is:\n{address}"));
                    }
                },
                'd' if offers_code => return,
                _ => {}
            }
        }
    }

    /// Reports a browser that was started and failed. az does not notice.
    fn report_failure(&self, why: &str, address: &str) {
        let text = format!("The web browser failed: {why}. Open this address yourself:\n{address}");
        self.system.remark(&text);
    }

    /// Reports that other users can see the address. az does not, so its name gets only an info
    /// line.
    fn report_exposed(&self, why: &str) {
        let text = format!(
            "The browser was given the whole address of the sign-in, because {why}: other users of this machine can read it in the process list."
        );
        match self.system.program {
            Program::Az => self.system.terminal.info(&text),
            Program::Azt => self.system.terminal.warn(&text),
        }
    }

    /// Waits for the browser's sign-in response, and refuses all other requests.
    async fn receive(&self, loopback: &mut Loopback, request: &AuthorizationRequest) -> Result<T> {
        loop {
            let visit = loopback.visit().await;
            let redirect = match not_the_redirect(&visit, loopback.port(), self.redirect.path()) {
                Some(page) => {
                    self.system
                        .terminal
                        .debug("refused a request that is not the sign-in response");
                    visit.answer(page);
                    continue;
                }
                None => request.read(&visit.body),
            };
            let result = match redirect {
                Redirect::Code(code) => self.redeem(request, &code).await,
                Redirect::Refused(error) => Err(self.with_remedy(error)),
                Redirect::OtherState => {
                    self.system.terminal.debug("refused a sign-in response with another state");
                    visit.answer(redirect_page::refused(400, "It belongs to another sign-in."));
                    continue;
                }
                Redirect::Nothing => {
                    visit.answer(redirect_page::refused(
                        400,
                        "It contains neither a code nor an error.",
                    ));
                    continue;
                }
            };
            let page = match &result {
                Ok(sign_in) => redirect_page::signed_in(sign_in.name()),
                Err(error) => redirect_page::failed(error.message()),
            };
            visit.answer_and_part(page).await;
            return result;
        }
    }
}

/// The refusal for a request that cannot be Entra's form, which is posted to `path` of this exact
/// address. az refuses the same requests. It keeps out other pages that make the browser send a
/// request, or that point their own name here (DNS rebinding).
fn not_the_redirect(visit: &Visit, port: u16, path: &str) -> Option<Page> {
    let hosts = [format!("localhost:{port}"), format!("127.0.0.1:{port}")];
    let refused = |status: u16, why: &str| Some(redirect_page::refused(status, why));
    if !visit.host.as_ref().is_some_and(|host| hosts.contains(host)) {
        return refused(400, "It was sent to another host name.");
    }
    if visit.path != path {
        return refused(404, "There is nothing here.");
    }
    match (visit.method.as_str(), &visit.query) {
        ("POST", _) => None,
        ("GET", Some(_)) => refused(
            400,
            "Only a posted form (form_post) is accepted, not a response in the address (response_mode=query).",
        ),
        _ => refused(400, "Only a posted form is accepted."),
    }
}
