//! A certificate authority and a certificate for loopback; each start makes new ones.

use crate::clock;
use crate::error::Error;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use std::sync::Arc;
use time::{Duration, OffsetDateTime};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// The configuration of the HTTPS server, and the certificate authority for its clients.
pub(crate) struct Tls {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) ca_pem: String,
    /// The server's certificate, as DER.
    pub(crate) certificate: Vec<u8>,
}

impl Tls {
    /// Makes new keys and certificates. P-256 keys take about a millisecond.
    pub(crate) fn new() -> Result<Self, Error> {
        Self::make().map_err(|error| Error::Certificate(error.to_string()))
    }

    fn make() -> Result<Self, Box<dyn std::error::Error>> {
        let today = OffsetDateTime::from_unix_timestamp(clock::machine_milliseconds() / 1000)?;
        let mut ca = CertificateParams::default();
        ca.distinguished_name.push(DnType::CommonName, "entra-emulator CA of one run");
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        ca.not_before = today - Duration::DAY;
        ca.not_after = today + Duration::days(365);
        let ca_key = KeyPair::generate()?;
        let ca_certificate = ca.self_signed(&ca_key)?;
        let issuer = Issuer::new(ca, ca_key);

        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let mut server = CertificateParams::new(names)?;
        server.distinguished_name.push(DnType::CommonName, "localhost");
        // Without it Python's ssl (VERIFY_X509_STRICT) refuses the certificate.
        server.use_authority_key_identifier_extension = true;
        server.is_ca = IsCa::ExplicitNoCa;
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        server.not_before = today - Duration::DAY;
        server.not_after = today + Duration::days(365);
        let server_key = KeyPair::generate()?;
        let certificate = server.signed_by(&server_key, &issuer)?;

        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(server_key.serialize_der()).into(),
            )?;
        Ok(Self {
            config: Arc::new(config),
            ca_pem: ca_certificate.pem(),
            certificate: certificate.der().to_vec(),
        })
    }
}
