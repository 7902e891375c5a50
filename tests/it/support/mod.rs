//! A sandbox: an empty home, the binary under both names, an emulated cloud.

mod buffer;
mod run;
#[cfg(target_os = "linux")]
pub mod service;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use azt::internals::program::Program;
use azt::internals::sys::{Clock, Env, Http, System, Terminal};
use entra_emulator::{Action, EntraEmulator, RequestLogEntry};
use serde_json::{Value, json};
use tempfile::TempDir;

use buffer::Buffer;
pub use run::Run;

pub const CONTOSO: &str = "c0000000-0000-4000-8000-00000000000a";
pub const FABRIKAM: &str = "f0000000-0000-4000-8000-00000000000b";
pub const NORTHWIND: &str = "d0000000-0000-4000-8000-00000000000c";
pub const ALICE: &str = "alice@contoso.example";
pub const APP: &str = "a1000000-0000-4000-8000-000000000001";
pub const APP_SECRET: &str = "deployment-secret-1";
/// Signs that application in, in Contoso.
pub const LOGIN_APP: [&str; 8] =
    ["login", "--service-principal", "-u", APP, "-p", APP_SECRET, "-t", CONTOSO];
pub const PRODUCTION: &str = "50000000-0000-4000-8000-000000000001";
pub const AZURE_CLI: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

/// One user's machine, removed at the end of a test.
pub struct Sandbox {
    pub emulator: EntraEmulator,
    root: TempDir,
    env: BTreeMap<String, String>,
}

impl Sandbox {
    /// The emulator is registered as the active cloud "Emulator", and the vault key is in a file, so
    /// that nothing outlives the test.
    pub fn new() -> Self {
        Self::at(EntraEmulator::builder().start().unwrap())
    }

    /// [`Sandbox::new`] with this emulator.
    pub fn at(emulator: EntraEmulator) -> Self {
        let sandbox = Self::without_cloud_at(emulator);
        let url = format!("{}/", sandbox.emulator.url());
        sandbox
            .azt(["cloud", "register", "-n", "Emulator", "--endpoint-resource-manager", &url])
            .success();
        sandbox.azt(["cloud", "set", "-n", "Emulator"]).success();
        sandbox.emulator.clear_requests();
        sandbox
    }

    /// No cloud is registered.
    pub fn without_cloud() -> Self {
        Self::without_cloud_at(EntraEmulator::builder().start().unwrap())
    }

    /// [`Sandbox::without_cloud`] with this emulator.
    pub fn without_cloud_at(emulator: EntraEmulator) -> Self {
        emulator.settings_mut(|settings| settings.device_code_interval = 1);
        let root = tempfile::tempdir().unwrap();
        for folder in ["home", "bin", "tmp"] {
            std::fs::create_dir(root.path().join(folder)).unwrap();
        }
        let ca = root.path().join("ca.pem");
        emulator.write_ca(&ca).unwrap();
        let az = root.path().join("bin/az");
        #[cfg(unix)]
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_azt"), &az).unwrap();
        #[cfg(not(unix))]
        std::fs::copy(env!("CARGO_BIN_EXE_azt"), &az).unwrap();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let env = BTreeMap::from([
            ("HOME".to_owned(), text(&root.path().join("home"))),
            ("TMPDIR".to_owned(), text(&root.path().join("tmp"))),
            ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
            ("REQUESTS_CA_BUNDLE".to_owned(), text(&ca)),
            ("AZURE_CORE_KEY_SOURCE".to_owned(), "file".to_owned()),
        ]);
        Self { emulator, root, env }
    }

    /// Signs in the service principal that the emulator knows, in Contoso.
    pub fn signed_in_as_app() -> Self {
        let sandbox = Self::new();
        sandbox.login_app().success();
        sandbox.emulator.clear_requests();
        sandbox
    }

    /// Signs Alice in with a device code that is approved at once.
    pub fn signed_in_as_alice() -> Self {
        let sandbox = Self::new();
        sandbox.approve_as(ALICE);
        sandbox.azt(["login", "--use-device-code"]).success();
        sandbox.emulator.clear_requests();
        sandbox
    }

    #[must_use = "assert how the run ended"]
    pub fn login_app(&self) -> Run {
        self.azt(LOGIN_APP)
    }

    /// Turns sharing with az on or off in the config file: a variable cannot turn it on.
    pub fn share_with_az(&self, is_on: bool) {
        let setting = format!("core.share_with_az={is_on}");
        drop(self.azt(["config", "set", &setting]).quiet());
    }

    /// Adds the application to the profile as an account of `cloud`.
    pub fn list_app_in(&self, cloud: &str) {
        let text = std::fs::read_to_string(self.file("azureProfile.json")).unwrap_or_default();
        let text = text.trim_start_matches('\u{feff}');
        let mut profile: Value = serde_json::from_str(text).unwrap_or_else(|_| json!({}));
        let entry = json!({"id": CONTOSO, "name": "N/A(tenant level account)", "state": "Enabled",
            "user": {"name": APP, "type": "servicePrincipal"}, "isDefault": false,
            "tenantId": CONTOSO, "environmentName": cloud});
        match profile["subscriptions"].as_array_mut() {
            Some(entries) => entries.push(entry),
            None => profile["subscriptions"] = json!([entry]),
        }
        self.write("azureProfile.json", profile.to_string());
    }

    /// `username` approves every later device code at once.
    pub fn approve_as(&self, username: &str) {
        self.emulator.settings_mut(|settings| settings.auto_approve = Some(username.to_owned()));
    }

    /// Sets a variable for all later runs.
    pub fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name.to_owned(), value.to_owned());
    }

    /// Unsets a variable for all later runs.
    pub fn unset(&mut self, name: &str) {
        self.env.remove(name);
    }

    pub fn env(&self) -> &BTreeMap<String, String> {
        &self.env
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// az's configuration folder.
    pub fn config_dir(&self) -> PathBuf {
        self.root.path().join("home/.azure")
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.config_dir().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::create_dir_all(self.config_dir()).unwrap();
        std::fs::write(self.file(name), content).unwrap();
    }

    /// All files below the home and temporary folders, with their contents.
    pub fn all_files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut folders = vec![self.root.path().join("home"), self.root.path().join("tmp")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let content = std::fs::read(&path).unwrap();
                    found.push((path, content));
                }
            }
        }
        found
    }

    /// A command of the program under its own name.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_azt"));
        command.args(args).env_clear().envs(&self.env).current_dir(self.root.path());
        command
    }

    /// A command of the program under the name `az`.
    pub fn az_command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(self.root.path().join("bin/az"));
        command.args(args).env_clear().envs(&self.env).current_dir(self.root.path());
        command
    }

    #[must_use = "assert how the run ended"]
    pub fn azt<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        Run::of(&mut self.command(args))
    }

    #[must_use = "assert how the run ended"]
    pub fn az<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        Run::of(&mut self.az_command(args))
    }

    /// Runs `script` in a mount namespace of its own, where it may mount over `$HOME`.
    #[cfg(target_os = "linux")]
    pub fn in_mount_namespace(&self, script: &str) -> Run {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--map-root-user", "/bin/sh", "-e", "-c", script]);
        command.env_clear().envs(&self.env).current_dir(self.root.path());
        let path =
            format!("{}:/usr/bin:/bin:/usr/sbin:/sbin", self.root.path().join("bin").display());
        Run::of(command.env("PATH", path))
    }

    /// Runs the program in this process, with a clock that is `seconds` ahead.
    #[must_use = "assert how the run ended"]
    pub fn azt_later<'a>(&self, seconds: i64, args: impl IntoIterator<Item = &'a str>) -> Run {
        let (out, err) = (Buffer::default(), Buffer::default());
        let now = Clock::System.now() + seconds;
        let system = System {
            program: Program::Azt,
            env: Env::fixed(self.env.clone()),
            clock: Clock::Fixed(Arc::new(AtomicI64::new(now))),
            terminal: Terminal::piped(Box::new(out.clone()), Box::new(err.clone())),
            http: Http::default(),
        };
        let argv = std::iter::once("azt").chain(args).map(OsString::from);
        let code = azt::run(argv, &system);
        Run { stdout: out.text(), stderr: err.text(), code: Some(i32::from(code)) }
    }

    /// The requests since they were last cleared, as `POST token refresh_token`, `GET /tenants`.
    pub fn requests(&self) -> Vec<String> {
        self.emulator.requests().iter().map(short).collect()
    }
}

fn short(request: &RequestLogEntry) -> String {
    let path =
        request.path.rsplit_once("/oauth2/v2.0/").map_or(request.path.as_str(), |(_, last)| last);
    match request.grant_type() {
        Some(grant) => {
            let grant = grant.rsplit(':').next().unwrap_or_default();
            format!("{} {path} {grant}", request.method)
        }
        None => format!("{} {path}", request.method),
    }
}

/// The claims of a token.
pub fn claims_of(token: &str) -> Value {
    use base64::Engine;
    let claims = token.split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

/// Status 200 with this body.
pub fn answer(body: impl Into<String>) -> Action {
    Action::Answer { status: 200, headers: Default::default(), body: body.into() }
}

/// Status 400 with an error of Entra's and its AADSTS code.
pub fn refusal(error: &str, code: u32, description: &str) -> Action {
    Action::EntraError {
        status: 400,
        error: error.to_owned(),
        code,
        description: description.to_owned(),
        suberror: None,
        claims: None,
    }
}
