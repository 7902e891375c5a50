//! `entra-emulator`: the emulator as a program.

use clap::Parser;
use entra_emulator::{Directory, EntraEmulator, Error};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A local Entra ID, Azure Resource Manager and managed identity endpoint for tests and demos.
/// It runs until you interrupt it.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// HTTPS port of Entra ID and Azure Resource Manager; 0 for any free port
    #[arg(long, value_name = "N", default_value_t = 8443)]
    port: u16,
    /// HTTP port of managed identity; 0 for any free port
    #[arg(long, value_name = "N", default_value_t = 8444)]
    http_port: u16,
    /// JSON file with tenants, users and applications [default: the built-in directory]
    #[arg(long, value_name = "FILE")]
    directory: Option<PathBuf>,
    /// File to write the certificate authority to, which clients must trust
    #[arg(long, value_name = "FILE", default_value = "entra-emulator-ca.pem")]
    ca_file: PathBuf,
}

fn main() -> ExitCode {
    let result = start(&Arguments::parse());
    let shown = match &result {
        Ok((emulator, ca_file)) => writeln!(std::io::stdout(), "{}", greeting(emulator, ca_file)),
        Err(error) => writeln!(std::io::stderr(), "ERROR: {error}"),
    };
    if result.is_err() || shown.is_err() {
        return ExitCode::FAILURE;
    }
    loop {
        std::thread::park();
    }
}

fn start(arguments: &Arguments) -> Result<(EntraEmulator, PathBuf), Error> {
    let mut builder = EntraEmulator::builder().port(arguments.port).http_port(arguments.http_port);
    if let Some(file) = &arguments.directory {
        let text = std::fs::read_to_string(file).map_err(|source| Error::Io {
            what: format!("cannot read {}", file.display()),
            source,
        })?;
        builder = builder.directory(Directory::from_json(&text)?);
    }
    let emulator = builder.start()?;
    emulator.write_ca(&arguments.ca_file)?;
    let ca_file = std::path::absolute(&arguments.ca_file);
    Ok((emulator, ca_file.unwrap_or_else(|_| arguments.ca_file.clone())))
}

fn greeting(emulator: &EntraEmulator, ca_file: &Path) -> String {
    let (url, http_url) = (emulator.url(), emulator.http_url());
    let ca_file = ca_file.display();
    let directory = emulator.directory();
    let users: Vec<String> = directory
        .users
        .iter()
        .map(|user| format!("  {}  password {}", user.username, user.password))
        .collect();
    let users = users.join("\n");
    let applications: Vec<String> = directory
        .applications
        .iter()
        .filter_map(|application| {
            let secret = application.secrets.first()?;
            let tenant = application.tenants.first()?;
            Some(format!(
                "  {}  {}  secret {}  tenant {tenant}",
                application.name, application.client_id, secret.value
            ))
        })
        .collect();
    let applications = applications.join("\n");
    format!(
        "\
Entra ID and ARM   {url}
Managed identity   {http_url}
Trust this CA      {ca_file}

Users
{users}

Applications with a secret
{applications}

To use it with az, or with azt in its place:
  export REQUESTS_CA_BUNDLE='{ca_file}'
  export AZURE_CORE_INSTANCE_DISCOVERY=false
  az cloud register --name Emulator --endpoint-resource-manager {url}
  az cloud set --name Emulator
  az login --use-device-code

To use it as a virtual machine's managed identity:
  export AZURE_POD_IDENTITY_AUTHORITY_HOST={http_url}

Interrupt it (Ctrl-C) to stop."
    )
}
