//! Times the reading of a profile with 5,000 subscriptions, as azt reads it and into a `Value`.
//!
//!     cargo bench --bench profile
//!
//! Both read the same file, alternately in one run.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and panics where it fails"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use azt::internals::settings::{ConfigDir, profile_length};
use serde_json::{Value, json};

const ENTRIES: usize = 5000;
const RUNS: usize = 101;

fn entry(number: usize) -> Value {
    json!({
        "id": format!("60000000-0000-4000-8000-{number:012}"),
        "name": format!("Subscription {number}"),
        "state": "Enabled",
        "user": {"name": format!("person{}@contoso.example", number % 500), "type": "user"},
        "isDefault": number == 0,
        "tenantId": "c0000000-0000-4000-8000-00000000000a",
        "environmentName": "AzureCloud",
        "homeTenantId": "c0000000-0000-4000-8000-00000000000a",
        "tenantDefaultDomain": "contoso.example",
        "tenantDisplayName": "Contoso",
        "managedByTenants": [],
    })
}

fn timed(read: impl FnOnce() -> usize) -> Duration {
    let start = Instant::now();
    assert_eq!(black_box(read()), ENTRIES);
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

fn main() {
    let root = tempfile::tempdir().unwrap();
    let dir = ConfigDir::at(root.path());
    let entries: Vec<Value> = (0..ENTRIES).map(entry).collect();
    let text = json!({"installationId": "x", "subscriptions": entries}).to_string();
    let file = root.path().join("azureProfile.json");
    std::fs::write(&file, format!("\u{feff}{text}")).unwrap();
    let (mut own, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        own.push(timed(|| profile_length(&dir).unwrap()));
        plain.push(timed(|| {
            let text = std::fs::read_to_string(&file).unwrap();
            let root: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
            root["subscriptions"].as_array().unwrap().len()
        }));
    }
    let (own, plain) = (median(own), median(plain));
    println!("{:.1} MB, {ENTRIES} subscriptions", text.len() as f64 / 1e6);
    println!("into a Value   {plain:6.2} ms");
    println!("by azt         {own:6.2} ms   {:.1} times faster", plain / own);
}
