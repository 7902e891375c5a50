//! A local Entra ID, Azure Resource Manager and managed identity endpoint, for tests and demos
//! that need no network and no account. It is an HTTPS server on loopback with its own certificate
//! authority. The real azure-cli, MSAL and azure-identity sign in to it.
//!
//! # In a test
//!
//! ```
//! use entra_emulator::{Action, EntraEmulator, Fault};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = EntraEmulator::builder().start()?;
//! // Point the program under test at it: authority `<url>/<tenant>`, resource manager `<url>`.
//! assert!(emulator.url().starts_with("https://localhost:"));
//! let ca = std::env::temp_dir().join("entra-emulator-doc.pem");
//! emulator.write_ca(&ca)?; // REQUESTS_CA_BUNDLE, SSL_CERT_FILE, NODE_EXTRA_CA_CERTS, …
//!
//! // Sign-ins need no browser.
//! emulator.settings_mut(|settings| settings.auto_approve = Some("alice@contoso.example".into()));
//! // The next refresh fails.
//! let action = Action::Answer { status: 503, headers: [].into(), body: String::new() };
//! emulator.faults().push(Fault::on("/token", action).grant_type("refresh_token").times(1));
//! // … run the program, then check its requests:
//! assert!(emulator.requests().is_empty());
//! # std::fs::remove_file(ca)?;
//! # Ok(())
//! # }
//! ```
//!
//! Each emulator has its own ports, TLS keys and state, starts in a few milliseconds and ends when
//! it is dropped. So every test can have one. Some clients ask Microsoft's servers about unknown
//! hosts; turn this off with `disable_instance_discovery=True` (azure-identity),
//! `instance_discovery=False` (MSAL) or `az config set core.instance_discovery=false` (az).
//!
//! # As a program
//!
//! `cargo run -p entra-emulator` listens at `https://localhost:8443` and prints the commands that
//! register it in az. Control it over HTTP on either port, with JSON bodies; this does what the
//! methods of [`EntraEmulator`] do:
//!
//! | request | does |
//! |---|---|
//! | `GET`, `DELETE /_emulator/requests` | shows or deletes the log of requests ([`RequestLogEntry`]) |
//! | `GET`, `POST`, `DELETE /_emulator/faults` | shows, adds or removes faults ([`Fault`]: `{"path": "/token", "times": 1, "action": {"answer": {"status": 503}}}`) |
//! | `GET`, `POST /_emulator/settings` | shows or changes [`Settings`] (omitted members stay as they are) |
//! | `GET`, `POST /_emulator/directory` | shows or replaces the [`Directory`] |
//! | `GET /_emulator/devicecode` | the device codes that wait for a user |
//! | `POST /_emulator/devicecode/{approve,decline,expire}` | `{"userCode": "…", "username": "…"}` |
//! | `POST /_emulator/revoke` | `{"username": "…"}`: [`EntraEmulator::revoke`] |
//! | `POST /_emulator/challenge` | [`EntraEmulator::challenge_access_tokens`] |
//! | `GET /_emulator/assertion?iss=…&sub=…` | `{"value": "<JWT>"}`; also works as `ACTIONS_ID_TOKEN_REQUEST_URL` |
//! | any method, `/echo…` | repeats the request as JSON, of `Authorization` only what its token says; the query can set `status`, `text` (the body) and `location` |
//!
//! # Users and applications
//!
//! The default directory has three tenants: Contoso (`contoso.example`), Fabrikam
//! (`fabrikam.example`) and Northwind (`northwind.example`, without subscriptions). It has:
//!
//! | user or application | signs in with |
//! |---|---|
//! | `alice@contoso.example`, guest in the other two | `Alice-password-1` |
//! | `bob@fabrikam.example` | `Bob-password-1` |
//! | `carol@federated.example`, of Contoso | `Carol-password-1`, at the federation server |
//! | Deployment `a1000000-0000-4000-8000-000000000001` | secret `deployment-secret-1` |
//! | Nightly build `…002` | certificate [`NIGHTLY_BUILD_CERTIFICATE`](directory::NIGHTLY_BUILD_CERTIFICATE) |
//! | GitHub workflow `…003` | a pipeline's federated token (below), or an [assertion](EntraEmulator::assertion) of `https://token.actions.githubusercontent.com` for `repo:contoso/app:ref:refs/heads/main` |
//! | Contoso portal `…004`, the API `api://contoso-portal`, which acts on behalf of its callers | secret `portal-secret-1` |
//! | Contoso desktop `…005`, the only client of the API `api://contoso-ledger` | nothing: a public client |
//! | a system-assigned managed identity and the user-assigned `e1000000-0000-4000-8000-000000000002` | a request from the host |
//!
//! Azure CLI, Azure PowerShell and Visual Studio Code have their real client ids.
//!
//! # Managed identity
//!
//! [`http_url`](EntraEmulator::http_url) is the endpoint of one host. For each kind of host, set:
//!
//! | host | variables of the client |
//! |---|---|
//! | virtual machine, AKS | `AZURE_POD_IDENTITY_AUTHORITY_HOST=<http_url>` |
//! | App Service, Functions, Container Apps | `IDENTITY_ENDPOINT=<http_url>/msi/token`, `IDENTITY_HEADER=emulator-identity-header` |
//! | Azure ML | `MSI_ENDPOINT=<http_url>/machinelearning/token`, `MSI_SECRET=emulator-identity-header` |
//! | Arc | `IDENTITY_ENDPOINT=<http_url>/arc/metadata/identity/oauth2/token`, `IMDS_ENDPOINT=<http_url>`, and [`Settings::arc_key_file`] |
//! | Service Fabric | `IDENTITY_ENDPOINT=<url>/servicefabric/token`, `IDENTITY_HEADER=emulator-identity-header`, `IDENTITY_SERVER_THUMBPRINT` ([`EntraEmulator::certificate_thumbprint`]) |
//! | Cloud Shell | `MSI_ENDPOINT=<http_url>/oauth2/token` |
//!
//! # Pipelines
//!
//! Both services require the job's own token, [`Settings::job_token`]. They make federated tokens
//! for application `…003`, which are valid for [`Settings::assertion_lifetime`]:
//!
//! | pipeline | variables of the job |
//! |---|---|
//! | GitHub Actions | `ACTIONS_ID_TOKEN_REQUEST_URL=<url>/pipeline/github?api-version=2.0`, `ACTIONS_ID_TOKEN_REQUEST_TOKEN=emulator-job-token` |
//! | Azure Pipelines | `SYSTEM_OIDCREQUESTURI=<url>/pipeline/azure`, `SYSTEM_ACCESSTOKEN=emulator-job-token`, service connection `5c000000-0000-4000-8000-000000000001` |
//!
//! # Federation server
//!
//! `federated.example` is a federated domain of Contoso: only the federation server at
//! `<url>/adfs/services/trust` checks its users' passwords. It has metadata (`…/mex`) and the
//! endpoints `…/13/usernamemixed` and `…/2005/usernamemixed`, which issue SAML assertions for the
//! token endpoint; see [`Federation`].
//!
//! # Kerberos
//!
//! The autologon service of seamless single sign-on is at
//! `<url>/{tenant}/winauth/trust/2005/windowstransport`; the service's principal is `HTTP/localhost`.
//! A program with its keytab must check the tokens: [`Settings::negotiate_acceptor`].
//!
//! # Limits
//!
//! - It is no security boundary: the key that signs tokens is in the source, and every user of the
//!   machine can control the emulator.
//! - Of External ID, B2C and AD FS it has only the paths: `/{tenant}`, `/{tenant}/B2C_1_{name}`, whose
//!   refresh tokens work only there, and `/adfs`, which is the first tenant.
//! - It has no policies beyond those of [`Directory`], no sign-in pages of federation servers and
//!   no sessions in the browser.
//! - The federation server's assertions have no XML signature: the token endpoint accepts those
//!   that the server issued, if they are unchanged.
//! - Codes and shape of its errors are Entra's, but the texts are its own.
//! - MSAL for Python requests a user's realm at the host without its port. So `az login -u … -p …`
//!   works only with the emulator on port 443.

mod arm;
mod authorize;
mod call;
mod clock;
mod control;
mod device;
mod device_page;
pub mod directory;
mod discovery;
mod echo;
mod emulator;
mod error;
mod fault;
mod federation;
mod identifier;
mod jwt;
mod log;
mod managed_identity;
mod metadata;
mod negotiate;
mod pages;
mod pipeline;
mod policy;
mod routes;
mod server;
mod settings;
mod tls;
mod token;
mod world;

pub use directory::Directory;
pub use emulator::{Builder, EntraEmulator, Faults, PendingDeviceCode};
pub use error::Error;
pub use fault::{Action, Encoding, Fault, Numbers};
pub use log::RequestLogEntry;
pub use settings::{Federation, Settings};
