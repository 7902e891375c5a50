//! Tests of the table of services.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_name_and_every_pattern_is_there_once() {
    let mut names = BTreeSet::new();
    for name in Service::names() {
        assert!(names.insert(name), "{name}");
        assert!(name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-'));
    }
    let mut patterns = BTreeSet::new();
    for hosts in SERVICES.iter().flat_map(|it| it.hosts) {
        for pattern in hosts.split(' ').filter(|it| !it.is_empty()) {
            assert!(patterns.insert(pattern), "{pattern}");
            let domain = pattern.strip_prefix("*.").unwrap_or(pattern);
            assert!(domain.contains('.') && !domain.contains('*'), "{pattern}");
            assert!(domain.bytes().all(|c| !c.is_ascii_uppercase()), "{pattern}");
        }
    }
}

#[test]
fn hosts_match_on_whole_labels() {
    for (pattern, host, is_its) in [
        ("*.vault.azure.net", "a.vault.azure.net", true),
        ("*.vault.azure.net", "a.b.vault.azure.net", true),
        ("*.vault.azure.net", "vault.azure.net", false),
        ("*.vault.azure.net", ".vault.azure.net", false),
        ("*.vault.azure.net", "a..vault.azure.net", false),
        ("*.vault.azure.net", "avault.azure.net", false),
        ("*.vault.azure.net", "a.vault.azure.net.evil.example", false),
        ("*.vault.azure.net", "evil.example", false),
        ("graph.microsoft.com", "graph.microsoft.com", true),
        ("graph.microsoft.com", "x.graph.microsoft.com", false),
        ("", "", false),
        ("", "x", false),
    ] {
        assert_eq!(matches(pattern, host), is_its, "{pattern} {host}");
    }
}

#[test]
fn a_url_leads_to_a_service_of_one_cloud() {
    for (url, cloud, name) in [
        ("https://MyVault.vault.azure.net/secrets/x", "AzureCloud", "vault"),
        ("https://myvault.vault.azure.cn:443/", "AzureChinaCloud", "vault"),
        ("https://db.postgres.database.azure.com", "AzureCloud", "postgres"),
        ("https://db.database.windows.net", "AzureCloud", "sql"),
        ("https://pkgs.dev.azure.com/org", "AzureCloud", "devops"),
        ("https://ws.dev.azuresynapse.net", "AzureCloud", "synapse"),
        ("https://management.usgovcloudapi.net/x", "AzureUSGovernment", "arm"),
    ] {
        let place = Place::of(&EndpointUrl::parse(url, "").unwrap()).unwrap();
        assert_eq!((place.cloud, place.service.names[0]), (cloud, name), "{url}");
    }
    for url in ["https://localhost/", "http://127.0.0.1/", "https://vault.azure.net.evil.example/"]
    {
        assert!(Place::of(&EndpointUrl::parse(url, "").unwrap()).is_none(), "{url}");
    }
}
