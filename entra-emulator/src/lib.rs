//! A local stand-in for Entra ID, Azure Resource Manager and the managed identity endpoints, for
//! tests and demos that must not need the network or an account. It is a real HTTPS server on
//! loopback with a certificate authority of its own; the real azure-cli, MSAL and azure-identity
//! sign in to it.
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
//! // Nobody has to open a browser.
//! emulator.settings_mut(|settings| settings.auto_approve = Some("alice@contoso.example".into()));
//! // The next refresh fails.
//! let action = Action::Answer { status: 503, headers: [].into(), body: String::new() };
//! emulator.faults().push(Fault::on("/token", action).grant_type("refresh_token").times(1));
//! // … run the program, then look at what it asked for:
//! assert!(emulator.requests().is_empty());
//! # std::fs::remove_file(ca)?;
//! # Ok(())
//! # }
//! ```
//!
//! Each emulator has ports, keys for TLS and state of its own, starts in a few milliseconds and
//! ends when it is dropped, so every test can have one. Clients that ask Microsoft's servers about
//! unknown hosts have to be told not to: `disable_instance_discovery=True` (azure-identity),
//! `instance_discovery=False` (MSAL), `az config set core.instance_discovery=false` (az).
//!
//! # As a program
//!
//! `cargo run -p entra-emulator` serves at `https://localhost:8443` and prints how to register it
//! in az. What the methods of [`EntraEmulator`] do can then be done over HTTP, with JSON bodies,
//! on either port:
//!
//! | request | does |
//! |---|---|
//! | `GET`, `DELETE /_emulator/requests` | shows, forgets the requests so far ([`RequestLogEntry`]) |
//! | `GET`, `POST`, `DELETE /_emulator/faults` | shows, adds, clears faults ([`Fault`]: `{"path": "/token", "times": 1, "action": {"answer": {"status": 503}}}`) |
//! | `GET`, `POST /_emulator/settings` | shows, changes [`Settings`] (what is left out stays) |
//! | `GET`, `POST /_emulator/directory` | shows, replaces the [`Directory`] |
//! | `GET /_emulator/devicecode` | the device codes that wait |
//! | `POST /_emulator/devicecode/{approve,decline,expire}` | `{"userCode": "…", "username": "…"}` |
//! | `POST /_emulator/revoke` | `{"username": "…"}`: [`EntraEmulator::revoke`] |
//! | `POST /_emulator/challenge` | [`EntraEmulator::challenge_access_tokens`] |
//! | `GET /_emulator/assertion?iss=…&sub=…` | `{"value": "<JWT>"}`, also good as `ACTIONS_ID_TOKEN_REQUEST_URL` |
//!
//! # Who is there
//!
//! The default directory has three tenants: Contoso (`contoso.example`), Fabrikam
//! (`fabrikam.example`) and Northwind (`northwind.example`, without subscriptions). In it are:
//!
//! | who | signs in with |
//! |---|---|
//! | `alice@contoso.example`, guest in the other two | `Alice-password-1` |
//! | `bob@fabrikam.example` | `Bob-password-1` |
//! | Deployment `a1000000-0000-4000-8000-000000000001` | secret `deployment-secret-1` |
//! | Nightly build `…002` | certificate [`NIGHTLY_BUILD_CERTIFICATE`](directory::NIGHTLY_BUILD_CERTIFICATE) |
//! | GitHub workflow `…003` | a federated token of a pipeline (below), or an [assertion](EntraEmulator::assertion) of `https://token.actions.githubusercontent.com` for `repo:contoso/app:ref:refs/heads/main` |
//! | Contoso portal `…004`, an API `api://contoso-portal` that acts on behalf of its callers | secret `portal-secret-1` |
//! | Contoso desktop `…005` | nothing: a public client |
//! | a system-assigned managed identity and the user-assigned `e1000000-0000-4000-8000-000000000002` | being on the host |
//!
//! Azure CLI, Azure PowerShell and Visual Studio Code are there under their real client ids.
//!
//! # Managed identity
//!
//! On [`http_url`](EntraEmulator::http_url), which stands for one host:
//!
//! | host | environment of the client |
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
//! Both want the job's own token, [`Settings::job_token`], and make federated tokens for
//! application `…003` that live for [`Settings::assertion_lifetime`]:
//!
//! | pipeline | environment of the job |
//! |---|---|
//! | GitHub Actions | `ACTIONS_ID_TOKEN_REQUEST_URL=<url>/pipeline/github?api-version=2.0`, `ACTIONS_ID_TOKEN_REQUEST_TOKEN=emulator-job-token` |
//! | Azure Pipelines | `SYSTEM_OIDCREQUESTURI=<url>/pipeline/azure`, `SYSTEM_ACCESSTOKEN=emulator-job-token`, service connection `5c000000-0000-4000-8000-000000000001` |
//!
//! # What it is not
//!
//! No security boundary: tokens are signed with a key that is in the source, and anyone on the
//! machine can steer it. It knows no policies beyond what [`Directory`] has, no federation with
//! other sign-in pages, no sessions in the browser. The texts of its errors are its own; codes and
//! shape are Entra's. MSAL for Python looks for a user's realm at the host without its port, so
//! `az login -u … -p …` works only with the emulator on port 443.

mod arm;
mod authorize;
mod call;
mod clock;
mod control;
mod device;
mod device_page;
pub mod directory;
mod discovery;
mod emulator;
mod error;
mod fault;
mod identifier;
mod jwt;
mod log;
mod managed_identity;
mod metadata;
mod pages;
mod pipeline;
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
pub use settings::Settings;
