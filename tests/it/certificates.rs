//! Servers with invalid certificates: the error names what is wrong.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, ServerConnection, Stream};

use crate::support::*;

const CURE_OF_UNKNOWN: &str = "REQUESTS_CA_BUNDLE";

/// Starts a TLS server on loopback until the test ends.
fn serve(certificate: CertificateDer<'static>, key: &KeyPair) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let key = provider.key_provider.load_private_key(key).unwrap();
    // SingleCertAndKey skips rustls's checks of a server's own certificate.
    let certificate = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(certificate));
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let (mut connection, mut tls) =
                (connection, ServerConnection::new(Arc::clone(&config)).unwrap());
            let mut stream = Stream::new(&mut tls, &mut connection);
            if stream.read(&mut [0; 1024]).is_ok() {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
            }
        }
    });
    port
}

/// A certificate for `localhost`, changed by `change`, from a new authority.
struct Wrong {
    port: u16,
    authority: String,
}

impl Wrong {
    fn new(change: impl FnOnce(&mut CertificateParams)) -> Self {
        Self::with_bytes(change, |_| {})
    }

    fn with_bytes(
        change: impl FnOnce(&mut CertificateParams),
        change_bytes: impl FnOnce(&mut Vec<u8>),
    ) -> Self {
        let (key, authority_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, "Contoso CA");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(authority, authority_key);
        let mut server = CertificateParams::new(["localhost".to_owned()]).unwrap();
        change(&mut server);
        let mut certificate = server.signed_by(&key, &issuer).unwrap().der().to_vec();
        change_bytes(&mut certificate);
        Self { port: serve(certificate.into(), &key), authority: pem }
    }

    /// Signs in there with the authority trusted, and returns the error.
    fn says(&self, host: &str) -> String {
        self.with_bundle(host, Some(&self.authority))
    }

    fn with_bundle(&self, host: &str, bundle: Option<&str>) -> String {
        let mut sandbox = Sandbox::new();
        let clouds = sandbox.read("clouds.config");
        let url = sandbox.emulator.url().to_owned();
        let there = format!("https://{host}:{}", self.port);
        sandbox.write("clouds.config", clouds.replace(&url, &there));
        match bundle {
            Some(bundle) => {
                let path = sandbox.root().join("authority.pem");
                std::fs::write(&path, bundle).unwrap();
                sandbox.set("REQUESTS_CA_BUNDLE", path.to_str().unwrap());
            }
            None => sandbox.unset("REQUESTS_CA_BUNDLE"),
        }
        let run = sandbox.azt(LOGIN_APP).exits(7);
        for internal in ["peer certificate", "Other(", "Error", "DnsName", "Unix"] {
            assert!(!run.stderr.contains(internal), "{run:?}");
        }
        run.stderr.clone()
    }
}

#[test]
fn an_expired_certificate_names_its_dates_and_the_clock() {
    let expired = Wrong::new(|it| it.not_after = date_time_ymd(2020, 2, 3)).says("localhost");
    let future = Wrong::new(|it| it.not_before = date_time_ymd(3020, 2, 3)).says("localhost");
    for (text, what) in [
        (expired, "localhost expired at 2020-02-03 00:00:00 UTC; this machine's clock shows 20"),
        (future, "localhost is not valid before 3020-02-03 00:00:00 UTC; this machine's clock"),
    ] {
        assert!(text.contains(&format!("ERROR: The certificate of {what}")), "{text}");
        assert!(text.contains("\nSet this machine's clock if it is wrong; otherwise "), "{text}");
        assert!(!text.contains(CURE_OF_UNKNOWN), "{text}");
    }
}

#[test]
fn a_certificate_for_another_host_names_the_host() {
    let named = Wrong::new(|it| {
        let names = ["login.example", "10.0.0.1"].map(str::to_owned);
        it.subject_alt_names = CertificateParams::new(names).unwrap().subject_alt_names;
    });
    let nameless = Wrong::new(|it| it.subject_alt_names.clear());
    for (text, what) in [
        (
            named.says("localhost"),
            "localhost is not for that name but for login.example, 10.0.0.1.",
        ),
        (nameless.says("localhost"), "localhost is not for that name."),
        (Wrong::new(|_| {}).says("127.0.0.1"), "127.0.0.1 is not for that name but for localhost."),
    ] {
        assert!(text.contains(&format!("ERROR: The certificate of {what}\nCheck that ")), "{text}");
        assert!(!text.contains(CURE_OF_UNKNOWN), "{text}");
    }
}

#[test]
fn an_invalid_certificate_is_explained() {
    let authority = Wrong::new(|it| it.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let client =
        Wrong::new(|it| it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
    let old = Wrong::with_bytes(
        |_| {},
        |bytes| {
            // `version [0] INTEGER`, where 2 is version 3.
            let version = [0xa0, 3, 2, 1, 2];
            let at = bytes.windows(version.len()).position(|it| it == version).unwrap();
            bytes[at + 4] = 0;
        },
    );
    for (wrong, what) in [
        (old, "it is of an old version, not of X.509 version 3."),
        (authority, "it is an authority's own, not a server's."),
        (client, "it was not issued for servers."),
    ] {
        let text = wrong.says("localhost");
        let start =
            format!("ERROR: The certificate of localhost is not usable: {what}\nlocalhost needs");
        assert!(text.contains(&start), "{text}");
        assert!(!text.contains(CURE_OF_UNKNOWN), "{text}");
    }
}

/// Also for an authority with a trusted one's name and another key.
#[test]
fn only_an_unknown_authority_suggests_a_ca_bundle() {
    let (wrong, namesake) = (Wrong::new(|_| {}), Wrong::new(|_| {}));
    for bundle in [None, Some(namesake.authority.as_str())] {
        let text = wrong.with_bundle("localhost", bundle);
        let start = "ERROR: The certificate of localhost is not trusted: it was issued by CN=Contoso CA, which";
        assert!(text.contains(start), "{text}");
        assert!(text.contains(CURE_OF_UNKNOWN), "{text}");
    }
}
