//! A tour of azt: `cargo run --example tour`.
//!
//! Starts the emulator in this process, then runs the real binary against it as a new user would,
//! in a temporary folder. Needs no network or account, and leaves nothing behind.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an example runs commands and talks to its reader"
)]

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use entra_emulator::EntraEmulator;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const PERSON: &str = "alice@contoso.example";
const FABRIKAM: &str = "f0000000-0000-4000-8000-00000000000b";
const CONTOSO: &str = "c0000000-0000-4000-8000-00000000000a";
const APP: &str = "a1000000-0000-4000-8000-000000000001";
const APP_SECRET: &str = "deployment-secret-1";

fn main() -> Result<()> {
    let tour = Tour::prepare()?;
    say(
        "An emulated Entra ID and Azure Resource Manager listen on this machine; azt calls them a cloud.",
    );
    let resource_manager = format!("{}/", tour.emulator.url());
    tour.run(&[
        "cloud",
        "register",
        "-n",
        "Tour",
        "--endpoint-resource-manager",
        &resource_manager,
    ])?;
    tour.run(&["cloud", "set", "-n", "Tour"])?;

    say("Sign in. Alice enters the code in her browser; here the tour does it for her.");
    tour.sign_in()?;
    tour.run(&["account", "show", "-o", "table"])?;

    say("Tokens: for Azure Resource Manager, for Microsoft Graph, and in a second tenant.");
    tour.run(&["account", "get-access-token"])?;
    tour.run(&["account", "get-access-token", "--resource", "https://graph.microsoft.com"])?;
    tour.run(&[
        "account",
        "get-access-token",
        "--tenant",
        FABRIKAM,
        "--query",
        "expiresOn",
        "-o",
        "tsv",
    ])?;

    say("The same again. The emulator counts requests:");
    tour.emulator.clear_requests();
    tour.run(&[
        "account",
        "get-access-token",
        "--resource",
        "https://graph.microsoft.com",
        "--query",
        "expiresOn",
        "-o",
        "tsv",
    ])?;
    println!("requests made: {}", tour.emulator.requests().len());

    say(
        "A service principal. Its secret is read from a file (@), so that no process list shows it.",
    );
    let secret = tour.root.path().join("secret.txt");
    fs::write(&secret, APP_SECRET)?;
    let from_file = format!("@{}", secret.display());
    tour.run(&[
        "login",
        "--service-principal",
        "-u",
        APP,
        "-p",
        &from_file,
        "--tenant",
        CONTOSO,
        "-o",
        "table",
    ])?;
    tour.run(&["account", "get-access-token", "--query", "[tenant, expiresOn]", "-o", "tsv"])?;

    say("What lies on disk: az's own files, and sealed records. No token can be read there.");
    tour.show_disk()?;

    say("A wrong secret: the error names the cause, the exit code the kind (6: refused).");
    tour.run(&["login", "--service-principal", "-u", APP, "-p", "wrong", "--tenant", CONTOSO])?;

    say("Sign out, and it is gone.");
    tour.run(&["account", "clear"])?;
    tour.run(&["account", "show"])?;
    println!("\nThat was the tour. Everything it made is removed.");
    Ok(())
}

struct Tour {
    emulator: EntraEmulator,
    azt: PathBuf,
    root: tempfile::TempDir,
}

impl Tour {
    fn prepare() -> Result<Self> {
        // Cargo builds an example without the package's binaries.
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--bin", "azt"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()?;
        if !built.success() {
            return Err("the binary cannot be built".into());
        }
        let example = std::env::current_exe()?;
        let profile = example.ancestors().nth(2).ok_or("no target folder")?;
        let azt = profile.join(format!("azt{}", std::env::consts::EXE_SUFFIX));

        let emulator = EntraEmulator::builder().start()?;
        emulator.settings_mut(|settings| settings.device_code_interval = 1);
        let root = tempfile::tempdir()?;
        emulator.write_ca(root.path().join("ca.pem"))?;
        Ok(Self { emulator, azt, root })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        println!("\n$ azt {}", arguments.join(" "));
        let mut command = Command::new(&self.azt);
        command
            .args(arguments)
            .env("AZURE_CONFIG_DIR", self.root.path().join("azure"))
            .env("REQUESTS_CA_BUNDLE", self.root.path().join("ca.pem"))
            // A keyring would keep the key after the tour.
            .env("AZURE_CORE_KEY_SOURCE", "file")
            .env_remove("AZURE_CORE_OUTPUT")
            .env_remove("AZURE_CLOUD_NAME")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<()> {
        let output = self.command(arguments).output()?;
        for stream in [&output.stdout, &output.stderr] {
            for line in String::from_utf8_lossy(stream).lines() {
                println!("{}", shortened(line));
            }
        }
        if !output.status.success() {
            println!("(exit code {})", output.status.code().unwrap_or(-1));
        }
        Ok(())
    }

    /// Runs `login` and enters the code that it shows.
    fn sign_in(&self) -> Result<()> {
        let mut child = self
            .command(&["login", "-o", "table"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let messages = child.stderr.take().ok_or("no standard error")?;
        for line in BufReader::new(messages).lines() {
            println!("{}", shortened(&line?));
            for code in self.emulator.pending_device_codes() {
                self.emulator.approve_device_code(&code.user_code, PERSON)?;
                println!("(Alice enters the code and approves)");
            }
        }
        let output = child.wait_with_output()?;
        print!("{}", String::from_utf8_lossy(&output.stdout));
        if output.status.success() { Ok(()) } else { Err("the sign-in failed".into()) }
    }

    fn show_disk(&self) -> Result<()> {
        let top = self.root.path().join("azure");
        let mut folders = vec![top.clone()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(path);
                }
            }
        }
        files.sort();
        for path in files {
            let content = fs::read(&path)?;
            let name = path.strip_prefix(&top)?.display().to_string();
            let start =
                if name.ends_with("vault.key") { "(the key)".into() } else { glimpse(&content) };
            println!("{} {:>6} bytes  {name:<52} {start}", mode(&path)?, content.len());
        }
        Ok(())
    }
}

fn say(text: &str) {
    println!("\n── {text}");
}

/// `line`, cut to the width of a screen: tokens are long.
fn shortened(line: &str) -> String {
    if line.chars().count() <= 150 {
        return line.to_owned();
    }
    line.chars().take(149).chain(['…']).collect()
}

fn glimpse(content: &[u8]) -> String {
    content.iter().take(24).map(|&byte| shown(byte)).collect()
}

fn shown(byte: u8) -> char {
    if byte == b' ' || byte.is_ascii_graphic() { char::from(byte) } else { '·' }
}

#[cfg(unix)]
fn mode(path: &Path) -> Result<String> {
    use std::os::unix::fs::PermissionsExt;
    Ok(format!("{:04o}", fs::metadata(path)?.permissions().mode() & 0o7777))
}

#[cfg(not(unix))]
fn mode(_path: &Path) -> Result<String> {
    Ok(String::from("-"))
}
