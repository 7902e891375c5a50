//! For all tests: an emulator and a client that trusts it.
#![allow(dead_code, reason = "each test file uses its own part of it")]
#![allow(unreachable_pub, reason = "a module of each test")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_emulator::EntraEmulator;
use reqwest::{Certificate, Client, RequestBuilder, redirect};
use serde_json::Value;
use std::ops::Deref;

pub const CONTOSO: &str = "c0000000-0000-4000-8000-00000000000a";
pub const FABRIKAM: &str = "f0000000-0000-4000-8000-00000000000b";
pub const ALICE: &str = "alice@contoso.example";
pub const AZURE_CLI: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
pub const POWERSHELL: &str = "1950a258-227b-4e31-a9cf-717495945fc2";
pub const DEPLOYMENT: &str = "a1000000-0000-4000-8000-000000000001";
pub const NIGHTLY: &str = "a1000000-0000-4000-8000-000000000002";
pub const WORKFLOW: &str = "a1000000-0000-4000-8000-000000000003";
pub const PORTAL: &str = "a1000000-0000-4000-8000-000000000004";
pub const DESKTOP: &str = "a1000000-0000-4000-8000-000000000005";
pub const ARM_SCOPE: &str = "https://management.core.windows.net//.default";
pub const USER_SCOPE: &str =
    "https://management.core.windows.net//.default openid profile offline_access";
pub const DEVICE_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

pub struct Site {
    pub emulator: EntraEmulator,
    pub client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Deref for Site {
    type Target = EntraEmulator;
    fn deref(&self) -> &EntraEmulator {
        &self.emulator
    }
}

/// A response.
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

impl Reply {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of a successful response.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.json()
    }

    /// The `error` and AADSTS code of a failed response.
    #[track_caller]
    pub fn refusal(&self) -> (String, i64) {
        assert!(self.status >= 400, "{} {}", self.status, self.body);
        let body = self.json();
        let error = body["error"].as_str().unwrap().to_owned();
        (error, body["error_codes"][0].as_i64().unwrap())
    }
}

pub fn start() -> Site {
    Site::of(EntraEmulator::builder().start().unwrap())
}

impl Site {
    pub fn of(emulator: EntraEmulator) -> Self {
        // Every test calls this; only the first call of a process succeeds.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ca = Certificate::from_pem(emulator.ca_pem().as_bytes()).unwrap();
        Self {
            client: Client::builder()
                .tls_certs_only([ca])
                .redirect(redirect::Policy::none())
                .build()
                .unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            emulator,
        }
    }

    pub fn try_send(&self, request: RequestBuilder) -> Result<Reply, reqwest::Error> {
        self.runtime.block_on(async {
            let response = request.send().await?;
            Ok(Reply {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                body: response.text().await?,
            })
        })
    }

    pub fn send(&self, request: RequestBuilder) -> Reply {
        self.try_send(request).unwrap()
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send(self.client.get(format!("{}{path}", self.url())))
    }

    pub fn post(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        let request = self.client.post(format!("{}{path}", self.url()));
        self.send(request.form(form))
    }

    pub fn token(&self, tenant: &str, form: &[(&str, &str)]) -> Reply {
        self.post(&format!("/{tenant}/oauth2/v2.0/token"), form)
    }

    pub fn device_code(&self, tenant: &str) -> Value {
        let path = format!("/{tenant}/oauth2/v2.0/devicecode");
        let form = [("client_id", AZURE_CLI), ("scope", USER_SCOPE)];
        self.post(&path, &form).ok()
    }

    pub fn poll(&self, tenant: &str, device_code: &Value) -> Reply {
        let form = [
            ("grant_type", DEVICE_CODE_GRANT),
            ("client_id", AZURE_CLI),
            ("client_info", "1"),
            ("device_code", device_code["device_code"].as_str().unwrap()),
        ];
        self.token(tenant, &form)
    }

    /// Signs Alice in to Azure CLI with a device code; returns the token endpoint's response.
    pub fn sign_in(&self, tenant: &str) -> Value {
        let code = self.device_code(tenant);
        self.approve_device_code(code["user_code"].as_str().unwrap(), ALICE).unwrap();
        self.poll(tenant, &code).ok()
    }

    pub fn refresh(&self, tenant: &str, client_id: &str, token: &Value, scope: &str) -> Reply {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", client_id),
            ("refresh_token", token.as_str().unwrap()),
            ("scope", scope),
        ];
        self.token(tenant, &form)
    }

    pub fn arm(&self, path: &str, token: &Value) -> Reply {
        let url = if path.starts_with("https://") {
            path.to_owned()
        } else {
            format!("{}{path}", self.url())
        };
        self.send(self.client.get(url).bearer_auth(token.as_str().unwrap()))
    }
}

/// The unverified claims of a token.
pub fn claims(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}
