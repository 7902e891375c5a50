//! The Rust SDK's `AzureCliCredential`, which starts `az`: prints a token as JSON.
//!
//! ```sh
//! cargo run --example azure_identity -- https://management.azure.com/.default [TENANT] [SUBSCRIPTION]
//! ```

#![allow(clippy::print_stdout, reason = "that is what it is for")]

use azure_core::credentials::TokenCredential;
use azure_identity::{AzureCliCredential, AzureCliCredentialOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1).map(|arg| Some(arg).filter(|arg| !arg.is_empty()));
    let scope =
        args.next().flatten().ok_or("usage: azure_identity SCOPE [TENANT] [SUBSCRIPTION]")?;
    let (tenant_id, subscription) = (args.next().flatten(), args.next().flatten());
    let options = AzureCliCredentialOptions {
        tenant_id,
        subscription,
        ..AzureCliCredentialOptions::default()
    };
    let credential = AzureCliCredential::new(Some(options))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let shown = match runtime.block_on(credential.get_token(&[&scope], None)) {
        Ok(token) => serde_json::json!({
            "token": token.token.secret(),
            "expires": token.expires_on.unix_timestamp(),
        }),
        Err(error) => serde_json::json!({ "error": error.to_string() }),
    };
    println!("{shown}");
    Ok(())
}
