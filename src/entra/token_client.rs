//! The common part of all grants: the request to the token endpoint.

use super::authority::Authority;
use super::claims::merge_capabilities;
use super::error_response;
use super::form::Form;
use super::server_time::with_clock;
use super::token_response::TokenResponse;
use crate::error::{Kind, Result};
use crate::sys::{EndpointUrl, Request, Response, System, random_uuid, retried};

/// AADSTS code of an assertion outside its lifetime; more specific codes start with these digits.
const ASSERTION: &str = "50013";

/// A client of one authority. Each grant is a method in its own file.
pub(crate) struct TokenClient<'a> {
    pub(super) system: &'a System,
    pub(super) authority: Authority,
    pub(super) client_id: String,
    /// The `claims` parameter (OpenID Connect Core section 5.5).
    pub(super) claims: Option<String>,
}

impl<'a> TokenClient<'a> {
    /// A client whose requests include `challenge`, the JSON text of a claims challenge, and say
    /// that this program handles such challenges.
    ///
    /// # Errors
    /// `challenge` is not a JSON object.
    pub(crate) fn new(
        system: &'a System,
        authority: Authority,
        client_id: &str,
        challenge: Option<&str>,
    ) -> Result<Self> {
        // As in az, any value of the variable turns the capability off.
        let announces_cp1 = system.env.get("AZURE_IDENTITY_DISABLE_CP1").is_none();
        let claims = merge_capabilities(challenge, announces_cp1)?;
        Ok(Self { system, authority, client_id: client_id.to_owned(), claims })
    }

    pub(crate) fn system(&self) -> &'a System {
        self.system
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The form of a token request, with the parameters that every grant sends.
    pub(super) fn grant(grant_type: &str) -> Form {
        Form::grant(grant_type).with("client_info", "1")
    }

    pub(super) fn with_claims(&self, form: Form) -> Form {
        match &self.claims {
            Some(claims) => form.with("claims", claims),
            None => form,
        }
    }

    /// Posts `form` to the token endpoint, with retries. Only for grants that may be repeated.
    /// `anchor`: see [`TokenClient::post_once`].
    pub(super) async fn post(&self, form: Form, anchor: Option<&str>) -> Result<TokenResponse> {
        let form = self.with_claims(form);
        retried(|| self.post_as_it_is(form.clone(), anchor)).await
    }

    /// Posts `form` to the token endpoint: one request.
    ///
    /// `anchor` routes the request to the account's home region (`Oid:<oid>@<tenant>`), which saves
    /// Entra a hop.
    pub(super) async fn post_once(
        &self,
        form: Form,
        anchor: Option<&str>,
    ) -> Result<TokenResponse> {
        self.post_as_it_is(self.with_claims(form), anchor).await
    }

    /// Posts `form`, which has its claims. The clone of a form has no spare capacity: adding to it
    /// would leave a copy of its secrets in memory.
    async fn post_as_it_is(&self, form: Form, anchor: Option<&str>) -> Result<TokenResponse> {
        let url = self.authority.token_endpoint()?;
        let response = self.send(&url, form, anchor).await?;
        TokenResponse::parse(&response, &url.environment(), self.system.clock.now())
    }

    /// Posts `form` to `url` with the headers that Entra wants from clients.
    ///
    /// # Errors
    /// The service's refusal.
    pub(super) async fn send(
        &self,
        url: &EndpointUrl,
        form: Form,
        anchor: Option<&str>,
    ) -> Result<Response> {
        let mut request = Request::post_form(url, form.into_body())
            .header("accept", "application/json")
            .header("x-client-sku", "azt")
            .header("x-client-ver", env!("CARGO_PKG_VERSION"))
            .header("x-ms-lib-capability", "retry-after, h429")
            .header("client-request-id", random_uuid()?);
        if let Some(anchor) = anchor {
            request = request.header("x-anchormailbox", anchor);
        }
        let response = self.system.http.send(self.system, request).await?;
        self.system.terminal.debug(&format!("POST {url} -> {}", response.status));
        self.accepted(response, url)
    }

    /// Returns `response`, or its error. If this machine's clock is wrong, which invalidates
    /// assertions, the error says so, because Entra's own text seldom does. A user's sign-in
    /// depends on Entra's clock only.
    fn accepted(&self, response: Response, url: &EndpointUrl) -> Result<Response> {
        let Some(error) = error_response::refusal(&response, &url.environment()) else {
            return Ok(response);
        };
        let codes = error.entra_detail().map(|detail| detail.codes.as_slice()).unwrap_or_default();
        let is_of_assertion = codes.iter().any(|code| code.to_string().starts_with(ASSERTION));
        if error.kind() == Kind::InteractionRequired && !is_of_assertion {
            return Err(error);
        }
        Err(with_clock(error, &response, &url.environment(), self.system))
    }
}
