//! The authorization code grant (RFC 6749 section 4.1) with PKCE (RFC 7636), as in OpenID Connect:
//! the user signs in with a browser, which returns the code.

use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope};

use super::authority::Authority;
use super::error_response;
use super::scope::Scopes;
use super::tenant::is_guid;
use super::token_client::TokenClient;
use super::token_response::TokenResponse;
use crate::error::{Error, Kind, Result};
use crate::foreign::Sentence;
use crate::secret::Secret;
use crate::sys::EndpointUrl;

/// For each cloud, its login hosts and the hosts in its issuers.
const ISSUERS: [(&[&str], &[&str]); 3] = [
    (
        &[
            "login.microsoftonline.com",
            "login.microsoft.com",
            "login.windows.net",
            "sts.windows.net",
        ],
        &["login.microsoftonline.com", "login.microsoft.com", "sts.windows.net"],
    ),
    (
        &["login.chinacloudapi.cn", "login.partner.microsoftonline.cn"],
        &["login.partner.microsoftonline.cn", "login.chinacloudapi.cn", "sts.chinacloudapi.cn"],
    ),
    (
        &["login.microsoftonline.us", "login.usgovcloudapi.net"],
        &["login.microsoftonline.us", "sts.windows.net"],
    ),
];

/// How the browser returns the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseMode {
    /// As a posted form (OAuth 2.0 Form Post Response Mode), so that the code appears in no address
    /// or history.
    FormPost,
    /// In the query of the redirect address, which a user can copy.
    Query,
}

/// An authorization request, with the values that its response must match.
pub(crate) struct AuthorizationRequest {
    /// The address to open. Contains no secret: the verifier stays here.
    pub(crate) url: String,
    authority: Authority,
    redirect_uri: String,
    state: Secret,
    nonce: Secret,
    code_verifier: Secret,
}

/// A parsed redirect.
#[derive(Debug)]
pub(crate) enum Redirect {
    /// The user has signed in; this is the code to redeem.
    Code(Secret),
    /// The user declined, or Entra refused.
    Refused(Error),
    /// The response to another request, or a forgery: its state differs.
    OtherState,
    /// Not a response.
    Nothing,
}

impl AuthorizationRequest {
    /// A request for `scopes` with the response sent to `redirect_uri`.
    pub(crate) fn new(
        client: &TokenClient<'_>,
        scopes: &Scopes,
        redirect_uri: &str,
        mode: ResponseMode,
    ) -> Result<Self> {
        let endpoint = client.authority.authorization_endpoint()?;
        let no_url = |what: &str| Error::failed(format!("{what} is not a URL."));
        let auth_url =
            AuthUrl::new(endpoint.as_str().to_owned()).map_err(|_| no_url(endpoint.as_str()))?;
        let back = RedirectUrl::new(redirect_uri.to_owned()).map_err(|_| no_url(redirect_uri))?;
        let oauth2 = BasicClient::new(ClientId::new(client.client_id.clone()))
            .set_auth_uri(auth_url)
            .set_redirect_uri(back);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = CsrfToken::new_random();
        let mut request = oauth2
            .authorize_url(CsrfToken::new_random)
            .add_scopes(scopes.for_user().split(' ').map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .add_extra_param("nonce", nonce.secret())
            .add_extra_param("client_info", "1")
            .add_extra_param("prompt", "select_account")
            .add_extra_param(
                "response_mode",
                match mode {
                    ResponseMode::FormPost => "form_post",
                    ResponseMode::Query => "query",
                },
            );
        if let Some(claims) = &client.claims {
            request = request.add_extra_param("claims", claims);
        }
        let (url, state) = request.url();
        Ok(Self {
            url: url.to_string(),
            authority: client.authority.clone(),
            redirect_uri: redirect_uri.to_owned(),
            state: Secret::new(state.into_secret()),
            nonce: Secret::new(nonce.into_secret()),
            code_verifier: Secret::new(verifier.into_secret()),
        })
    }

    /// Parses the parameters of a redirect, a form or a query (RFC 6749 section 4.1.2).
    ///
    /// An issuer in it must be this authority (RFC 9207). Otherwise a hostile authority could
    /// redirect the browser to another one and obtain its code. A missing issuer is accepted,
    /// because Entra sends none: its discovery documents lack
    /// `authorization_response_iss_parameter_supported`, and reading them would cost a request.
    pub(crate) fn read(&self, parameters: &[u8]) -> Redirect {
        let all = |wanted: &'static str| {
            form_urlencoded::parse(parameters)
                .filter(move |(name, _)| name == wanted)
                .map(|(_, value)| Secret::new(value))
        };
        let value = |wanted| all(wanted).find(|value| !value.expose().is_empty());
        let (code, error) = (value("code"), value("error"));
        let is_ambiguous = ["state", "code", "iss"].into_iter().any(|it| all(it).count() > 1);
        if is_ambiguous || (code.is_none() && error.is_none()) {
            return Redirect::Nothing;
        }
        if value("state").as_ref() != Some(&self.state) {
            return Redirect::OtherState;
        }
        if let Some(issuer) = all("iss").next().filter(|it| !self.is_issuer(it.expose())) {
            return Redirect::Refused(self.foreign_issuer(issuer.expose()));
        }
        match (error, code) {
            (Some(error), _) => Redirect::Refused(error_response::of_redirect(
                error.expose(),
                value("error_description").as_ref().map(Secret::expose),
                value("error_subcode").as_ref().map(Secret::expose),
            )),
            (None, Some(code)) => Redirect::Code(code),
            (None, None) => Redirect::Nothing,
        }
    }

    /// True if `issuer` names the requested authority: `https://HOST/TENANT/v2.0`,
    /// `https://HOST/TENANT/` for v1, or `https://HOST/adfs`.
    fn is_issuer(&self, issuer: &str) -> bool {
        let asked = self.authority.login_url();
        let Ok(issuer) = EndpointUrl::parse(issuer, "") else { return false };
        let is_alias = ISSUERS.iter().any(|(logins, issuers)| {
            logins.contains(&&*asked.environment()) && issuers.contains(&&*issuer.environment())
        });
        let is_host = asked.environment() == issuer.environment() || is_alias;
        let path = issuer.path().trim_matches('/');
        let is_path = if self.authority.is_adfs() {
            ["adfs", "adfs/services/trust"].contains(&path)
        } else {
            self.is_tenant(path.strip_suffix("/v2.0").unwrap_or(path))
        };
        let is_own = is_host && is_path;
        issuer.is_encrypted() && (is_own || self.authority.has_other_issuer(&issuer))
    }

    /// True if `tenant` may answer for the requested one: the same tenant, or any GUID if the
    /// request names a domain or no tenant.
    fn is_tenant(&self, tenant: &str) -> bool {
        let asked = self.authority.tenant();
        let is_same = match (uuid::Uuid::try_parse(asked), uuid::Uuid::try_parse(tenant)) {
            (Ok(asked), Ok(tenant)) => asked == tenant,
            _ => asked.eq_ignore_ascii_case(tenant),
        };
        is_same || (!is_guid(asked) && is_guid(tenant))
    }

    fn foreign_issuer(&self, issuer: &str) -> Error {
        let asked = self.authority.login_url();
        Error::new(
            Kind::Refused,
            format!(
                "The sign-in response comes from '{}' and not from {asked}.",
                Sentence::new(issuer)
            ),
        )
        .remedy("The login endpoint of this cloud redirects to another one. Check `cloud show`, and do not sign in before you know why.")
    }

    /// Redeems `code` (RFC 6749 section 4.1.3, RFC 7636 section 4.5): one request.
    ///
    /// # Errors
    /// The error of Entra; [`Kind::Refused`] if the ID token belongs to another request.
    pub(crate) async fn redeem(
        &self,
        client: &TokenClient<'_>,
        scopes: &Scopes,
        code: &Secret,
    ) -> Result<TokenResponse> {
        let form = TokenClient::grant("authorization_code")
            .with("client_id", &client.client_id)
            .with("scope", &scopes.for_user())
            .with("redirect_uri", &self.redirect_uri)
            .with_secret("code", code)
            .with_secret("code_verifier", &self.code_verifier);
        let response = client.post_once(form, None).await?;
        // ADFS and Entra return the nonce (OpenID Connect Core section 3.1.3.7, item 11).
        let nonce = response.id_claims().and_then(|claims| claims.nonce);
        if nonce.as_deref() != Some(self.nonce.expose()) {
            return Err(Error::new(
                Kind::Refused,
                "The response belongs to another sign-in: its nonce differs.",
            )
            .remedy(
                "Sign in again. If this happens twice, another program may interfere with the browser.",
            ));
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Program;
    use crate::sys::System;

    fn request(mode: ResponseMode) -> AuthorizationRequest {
        let login_url = EndpointUrl::parse("https://login.example", "").unwrap();
        let system = System::real(Program::Azt);
        let client = TokenClient {
            system: &system,
            authority: Authority::new(&login_url, "organizations").unwrap(),
            client_id: "client".to_owned(),
            claims: Some(r#"{"a":1}"#.to_owned()),
        };
        let scopes = Scopes::of_resource("https://graph.example");
        AuthorizationRequest::new(&client, &scopes, "http://localhost:1", mode).unwrap()
    }

    fn parameter(request: &AuthorizationRequest, name: &str) -> String {
        let (_, query) = request.url.split_once('?').unwrap();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(it, _)| it == name).unwrap().1.into_owned()
    }

    #[test]
    fn the_address_has_entras_parameters_and_not_the_verifier() {
        let request = request(ResponseMode::FormPost);
        assert!(
            request.url.starts_with("https://login.example/organizations/oauth2/v2.0/authorize?")
        );
        for (name, value) in [
            ("response_type", "code"),
            ("response_mode", "form_post"),
            ("redirect_uri", "http://localhost:1"),
            ("code_challenge_method", "S256"),
            ("client_info", "1"),
            ("prompt", "select_account"),
            ("claims", r#"{"a":1}"#),
            ("scope", "https://graph.example/.default offline_access openid profile"),
        ] {
            assert_eq!(parameter(&request, name), value);
        }
        assert_eq!(parameter(&request, "code_challenge").len(), 43);
        assert!(!request.url.contains(request.code_verifier.expose()));
    }

    #[test]
    fn only_a_response_with_the_state_is_accepted() {
        let request = request(ResponseMode::Query);
        let state = parameter(&request, "state");
        let read = |text: String| request.read(text.as_bytes());
        assert!(
            matches!(read(format!("state={state}&code=c%2B")), Redirect::Code(code) if code.expose() == "c+")
        );
        assert!(matches!(read("state=x&code=c".to_owned()), Redirect::OtherState));
        assert!(matches!(read("code=c".to_owned()), Redirect::OtherState));
        assert!(matches!(read("error=access_denied".to_owned()), Redirect::OtherState));
        assert!(matches!(read(format!("state={state}")), Redirect::Nothing));
        assert!(matches!(read(format!("state={state}&code=")), Redirect::Nothing));
        for twice in ["code=d", "state=x", "iss=", "iss=x&iss=x"] {
            let redirect = read(format!("state={state}&code=c&{twice}&iss="));
            assert!(matches!(redirect, Redirect::Nothing), "{twice}: {redirect:?}");
        }
        let refused = read(format!(
            "state={state}&error=access_denied&error_description=AADSTS65004%3A+no&code=c"
        ));
        let Redirect::Refused(error) = refused else { panic!("{refused:?}") };
        assert_eq!(error.entra_detail().unwrap().codes, [65_004]);
    }

    const TENANT: &str = "c0000000-0000-4000-8000-00000000000a";
    const OTHER: &str = "f0000000-0000-4000-8000-00000000000b";

    #[test]
    fn an_issuer_must_be_the_requested_authority() {
        let entra = "https://login.microsoftonline.com";
        let adfs = "https://adfs.example/adfs";
        for (login, tenant, issuer, is_good) in [
            (entra, TENANT, format!("{entra}/{TENANT}/v2.0"), true),
            (entra, TENANT, format!("{entra}/{}/v2.0", TENANT.to_uppercase()), true),
            (entra, TENANT, format!("https://sts.windows.net/{TENANT}/"), true),
            (entra, "organizations", format!("{entra}/{OTHER}/v2.0"), true),
            (entra, "organizations", format!("{entra}/organizations/v2.0"), true),
            (entra, "contoso.com", format!("{entra}/contoso.com/v2.0"), true),
            (entra, "contoso.com", format!("{entra}/{TENANT}/v2.0"), true),
            (adfs, "adfs", adfs.to_owned(), true),
            (adfs, "adfs", format!("{adfs}/"), true),
            (adfs, "adfs", format!("{adfs}/services/trust"), true),
            ("https://evil.example", TENANT, format!("https://evil.example/{TENANT}/v2.0"), true),
            // A hostile authority that redirects the browser to the real one.
            ("https://evil.example", TENANT, format!("{entra}/{TENANT}/v2.0"), false),
            ("https://evil.example", TENANT, format!("https://sts.windows.net/{TENANT}/"), false),
            (entra, TENANT, format!("https://evil.example/{TENANT}/v2.0"), false),
            (entra, TENANT, format!("https://sts.chinacloudapi.cn/{TENANT}/"), false),
            (entra, TENANT, format!("{entra}/{OTHER}/v2.0"), false),
            (entra, TENANT, format!("{entra}/contoso.com/v2.0"), false),
            (entra, "contoso.com", format!("{entra}/evil.example/v2.0"), false),
            (entra, TENANT, format!("{entra}:444/{TENANT}/v2.0"), false),
            (entra, TENANT, format!("http://login.microsoftonline.com/{TENANT}/v2.0"), false),
            (entra, TENANT, format!("https://x@login.microsoftonline.com/{TENANT}/v2.0"), false),
            (
                entra,
                TENANT,
                format!("https://login.microsoftonline.com.evil.example/{TENANT}"),
                false,
            ),
            (entra, TENANT, format!("{entra}/{TENANT}/v2.0?x"), false),
            (entra, TENANT, format!("{entra}/{TENANT}/v2.0#x"), false),
            (entra, TENANT, format!("{entra}/{OTHER}/../{TENANT}/x"), false),
            (entra, TENANT, format!("{entra}/"), false),
            (entra, TENANT, String::new(), false),
            (adfs, "adfs", "https://adfs.example/".to_owned(), false),
            (adfs, "adfs", "https://adfs.example/adfs/other".to_owned(), false),
            (adfs, "adfs", format!("https://adfs.example/{TENANT}/v2.0"), false),
        ] {
            let authority =
                Authority::new(&EndpointUrl::parse(login, "").unwrap(), tenant).unwrap();
            let scopes = Scopes::of_resource("https://graph.example");
            let (back, mode) = ("http://localhost:1", ResponseMode::FormPost);
            let system = System::real(Program::Azt);
            let client = TokenClient::new(&system, authority, "client", None).unwrap();
            let request = AuthorizationRequest::new(&client, &scopes, back, mode).unwrap();
            let state = parameter(&request, "state");
            let form = form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("state", &*state), ("code", "c"), ("iss", &issuer)])
                .finish();
            let redirect = request.read(form.as_bytes());
            match &redirect {
                Redirect::Code(_) => assert!(is_good, "{login}: {issuer}"),
                Redirect::Refused(error) => assert!(
                    !is_good
                        && error.message().contains(&format!("'{issuer}'"))
                        && error.message().contains(login),
                    "{login}: {issuer}: {error}"
                ),
                redirect => panic!("{redirect:?}"),
            }
        }
    }
}
