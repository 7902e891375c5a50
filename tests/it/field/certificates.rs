//! Certificate bundles and applications' certificate files as other tools write them.

use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_emulator::directory::NIGHTLY_BUILD_CERTIFICATE;

use crate::support::*;

const NIGHTLY: &str = "a1000000-0000-4000-8000-000000000002";
/// Valid base64 that is no certificate.
const NO_DER: &str = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
/// Invalid base64.
const NO_BASE64: &str = "-----BEGIN CERTIFICATE-----\nMII!\n-----END CERTIFICATE-----\n";
/// No END line.
const CUT_OFF: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n";
/// Invalid base64 under an older label.
const OTHER_LABEL: &str =
    "-----BEGIN TRUSTED CERTIFICATE-----\n!\n-----END TRUSTED CERTIFICATE-----\n";

/// The output of an openssl command.
#[track_caller]
fn openssl(folder: &Path, command: &str) -> Vec<u8> {
    let output =
        Command::new("openssl").args(command.split(' ')).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn utf16(text: &str, mark: &[u8], unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    mark.iter().copied().chain(text.encode_utf16().flat_map(unit)).collect()
}

/// `pem` in the forms that programs, editors and scripts write.
fn spellings(pem: &str) -> Vec<(&'static str, Vec<u8>)> {
    let text = |change: &dyn Fn(&str) -> String| change(pem).into_bytes();
    let le = u16::to_le_bytes;
    let crlf = pem.replace('\n', "\r\n");
    vec![
        ("as it is", pem.into()),
        ("byte order mark", [b"\xef\xbb\xbf", pem.as_bytes()].concat()),
        ("byte order mark, CRLF", [b"\xef\xbb\xbf", crlf.as_bytes()].concat()),
        ("UTF-16", utf16(&crlf, b"\xff\xfe", le)),
        ("UTF-16, big end first", utf16(pem, b"\xfe\xff", u16::to_be_bytes)),
        ("UTF-16 without a mark", utf16(pem, b"", le)),
        ("CRLF", crlf.into()),
        ("CR", text(&|it| it.replace('\n', "\r"))),
        ("mixed ends", text(&|it| it.replacen('\n', "\r\n", 3))),
        ("leading blanks", text(&|it| it.lines().map(|line| format!("   {line}\n")).collect())),
        ("tabs", text(&|it| it.lines().map(|line| format!("\t{line}\t\n")).collect())),
        ("empty lines", text(&|it| it.replace('\n', "\n\n"))),
        ("no last line end", text(&|it| it.trim_end().to_owned())),
        ("text around", text(&|it| format!("subject=CN = x\n# mine\n{it}\nthe end: -----\n"))),
        ("Latin-1 before", [b"Soci\xe9t\xe9\n", pem.as_bytes()].concat()),
        ("one long line", text(&one_line)),
        ("X509 CERTIFICATE", text(&|it| it.replace(" CERTIFICATE", " X509 CERTIFICATE"))),
        (
            "headers",
            text(&|it| {
                it.replacen("CERTIFICATE-----\n", "CERTIFICATE-----\nBag: 1\nkey: 2\n\n", 1)
            }),
        ),
    ]
}

/// `pem` with the base64 of each block in one line.
fn one_line(pem: &str) -> String {
    let mut text = String::new();
    for line in pem.lines() {
        match line.starts_with("--") {
            true if text.is_empty() || text.ends_with('\n') => text += &format!("{line}\n"),
            true => text += &format!("\n{line}\n"),
            false => text += line,
        }
    }
    text
}

/// A machine where only `variable` names a bundle, `bundle.pem` with `content`.
fn with_bundle(variable: &str, content: &[u8]) -> Sandbox {
    let mut sandbox = Sandbox::new();
    let path = sandbox.root().join("bundle.pem");
    std::fs::write(&path, content).unwrap();
    sandbox.unset("REQUESTS_CA_BUNDLE");
    sandbox.set(variable, path.to_str().unwrap());
    sandbox
}

#[test]
fn a_bundle_is_read_as_openssl_reads_it() {
    let sandbox = with_bundle("REQUESTS_CA_BUNDLE", b"");
    let root = sandbox.root();
    let ca = sandbox.emulator.ca_pem();
    let mut all = spellings(ca);
    let trusted = openssl(root, "x509 -in ca.pem -trustout -addtrust serverAuth -setalias mine");
    assert!(trusted.starts_with(b"-----BEGIN TRUSTED CERTIFICATE"));
    let text = std::str::from_utf8(&trusted).unwrap();
    all.push(("TRUSTED CERTIFICATE, UTF-16", utf16(text, b"\xff\xfe", u16::to_le_bytes)));
    all.push(("TRUSTED CERTIFICATE", trusted));
    all.push(("openssl x509 -text", openssl(root, "x509 -in ca.pem -text")));
    all.push(("DER", openssl(root, "x509 -in ca.pem -outform DER")));
    all.push(("behind a key", [NIGHTLY_BUILD_CERTIFICATE.as_bytes(), ca.as_bytes()].concat()));
    all.push(("twice", [ca.as_bytes(), ca.as_bytes()].concat()));
    let failed = all.into_iter().filter_map(|(what, content)| {
        std::fs::write(root.join("bundle.pem"), content).unwrap();
        let run = sandbox.login_app();
        (run.code != Some(0) || run.stderr.contains("damaged")).then_some((what, run.stderr))
    });
    let failed: Vec<_> = failed.collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn every_ca_variable_accepts_the_same_forms() {
    for variable in ["CURL_CA_BUNDLE", "SSL_CERT_FILE"] {
        let sandbox = with_bundle(variable, b"");
        let ca = sandbox.emulator.ca_pem();
        for content in [format!("\u{feff}{ca}"), ca.replace(" CERTIFICATE", " X509 CERTIFICATE")] {
            std::fs::write(sandbox.root().join("bundle.pem"), content).unwrap();
            sandbox.login_app().success();
        }
    }
    for variable in ["REQUESTS_CA_BUNDLE", "SSL_CERT_DIR"] {
        let mut sandbox = Sandbox::new();
        let folder = sandbox.root().join("authorities");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("README"), "no certificate").unwrap();
        std::fs::write(folder.join("empty"), "").unwrap();
        let own = utf16(sandbox.emulator.ca_pem(), b"\xff\xfe", u16::to_le_bytes);
        std::fs::write(folder.join("own.cer"), own).unwrap();
        sandbox.unset("REQUESTS_CA_BUNDLE");
        sandbox.set(variable, folder.to_str().unwrap());
        let run = sandbox.login_app().success();
        assert!(!run.stderr.contains("README"), "{run:?}");
    }
}

#[test]
fn a_damaged_certificate_in_a_bundle_is_named_and_skipped() {
    for damaged in [NO_DER, NO_BASE64, CUT_OFF, OTHER_LABEL] {
        for is_first in [true, false] {
            let sandbox = with_bundle("REQUESTS_CA_BUNDLE", b"");
            let path = sandbox.root().join("bundle.pem");
            let good = sandbox.emulator.ca_pem();
            let (content, line) = if is_first {
                (format!("# mine\n{damaged}{good}"), 2)
            } else {
                (format!("{good}{damaged}"), good.lines().count() + 1)
            };
            std::fs::write(&path, content).unwrap();
            let said = format!(
                "WARNING: {} (REQUESTS_CA_BUNDLE) has damaged certificates, at line {line}; azt ignores them.\n",
                path.display()
            );
            let run = sandbox.login_app().success();
            assert_eq!(run.stderr.matches(&said).count(), 1, "{run:?}");
            // Under the name az nothing is said: callers take unknown text for a failure.
            let token =
                ["account", "get-access-token", "--resource", "https://graph.microsoft.com"];
            sandbox.az(token).quiet();
            let page = sandbox.azt(["doctor", "--offline"]);
            assert!(page.stdout.contains("!     authorities"), "{page:?}");
            assert!(page.stdout.contains(&format!("at line {line}")), "{page:?}");
        }
    }
}

#[test]
fn a_bundle_without_a_usable_certificate_is_named() {
    for (content, why) in [
        ("", "which holds no PEM certificate"),
        ("words", "which holds no PEM certificate"),
        (
            "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
            "which holds no PEM certificate",
        ),
        (NO_DER, "and the certificate in it, at line 1, is damaged"),
        (NO_BASE64, "and the certificate in it, at line 1, is damaged"),
        (CUT_OFF, "and the certificate in it, at line 1, is damaged"),
        (&format!("{NO_DER}{NO_BASE64}"), "and all certificates in it, at lines 1, 4, are damaged"),
    ] {
        for variable in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"] {
            let sandbox = with_bundle(variable, content.as_bytes());
            let path = sandbox.root().join("bundle.pem");
            let said = format!("{variable} names {}, {why}.", path.display());
            let run = sandbox.login_app().exits(7).says(&format!("ERROR: {said}\n"));
            assert!(!run.stderr.contains("TLS"), "{run:?}");
            let page = sandbox.azt(["doctor", "--offline"]);
            assert!(page.stdout.contains(&format!("WRONG authorities {said}")), "{page:?}");
        }
    }
}

fn login(sandbox: &Sandbox, file: &str, more: &[&str]) -> Run {
    let login = ["login", "--service-principal", "-u", NIGHTLY, "-t", CONTOSO, "--certificate"];
    sandbox.azt(login.iter().chain(&[file]).chain(more))
}

#[test]
fn an_applications_certificate_file_is_read_in_every_form() {
    let sandbox = Sandbox::new();
    let path = sandbox.root().join("app.pem");
    std::fs::write(&path, NIGHTLY_BUILD_CERTIFICATE).unwrap();
    let mut all = spellings(NIGHTLY_BUILD_CERTIFICATE);
    let key = openssl(sandbox.root(), "pkey -in app.pem");
    let pkcs1 = openssl(sandbox.root(), "rsa -in app.pem -traditional");
    assert!(pkcs1.starts_with(b"-----BEGIN RSA PRIVATE KEY"));
    let trusted = openssl(sandbox.root(), "x509 -in app.pem -trustout -addtrust clientAuth");
    all.push(("TRUSTED CERTIFICATE", [key, trusted.clone()].concat()));
    all.push(("certificate first, PKCS#1", [trusted, pkcs1].concat()));
    let failed = all.into_iter().filter_map(|(what, content)| {
        std::fs::write(&path, content).unwrap();
        let run = login(&sandbox, "app.pem", &[]);
        (run.code != Some(0)).then_some((what, run.stderr))
    });
    let failed: Vec<_> = failed.collect();
    assert!(failed.is_empty(), "{failed:#?}");
    // Encrypted keys too.
    let encrypted = openssl(sandbox.root(), "pkcs8 -topk8 -in app.pem -passout pass:open");
    let encrypted = String::from_utf8(encrypted).unwrap();
    let certificate = NIGHTLY_BUILD_CERTIFICATE.split_once("-----BEGIN CERT").unwrap().1;
    let both = format!("{encrypted}-----BEGIN CERT{certificate}");
    for content in [both.clone().into_bytes(), utf16(&both, b"\xff\xfe", u16::to_le_bytes)] {
        std::fs::write(&path, content).unwrap();
        login(&sandbox, "app.pem", &[]).exits(1).says("its private key is encrypted.");
        login(&sandbox, "app.pem", &["--certificate-password", "open"]).success();
    }
}

#[test]
fn damage_in_an_applications_certificate_file_is_located() {
    let sandbox = Sandbox::new();
    let (key, _) = NIGHTLY_BUILD_CERTIFICATE.split_once("-----BEGIN CERT").unwrap();
    let at = key.lines().count() + 1;
    for damaged in [NO_BASE64, CUT_OFF, OTHER_LABEL] {
        std::fs::write(sandbox.root().join("x.pem"), format!("{key}{damaged}")).unwrap();
        login(&sandbox, "x.pem", &[])
            .exits(1)
            .says(&format!("Invalid certificate file: the certificate at line {at} is damaged."));
    }
    let cut_key = format!("-----BEGIN PRIVATE KEY-----\nMIIE\n{}", sandbox.emulator.ca_pem());
    std::fs::write(sandbox.root().join("x.pem"), cut_key).unwrap();
    login(&sandbox, "x.pem", &[]).exits(1).says("the private key at line 1 is damaged.");
}

/// Makes a key and certificate with OpenSSL and these `options`.
fn make_key(folder: &Path, options: &str) {
    openssl(folder, &format!("genpkey {options} -out key.pem"));
    openssl(folder, "req -x509 -new -key key.pem -subj /CN=app -days 30 -out cert.pem");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    std::fs::write(folder.join("app.pem"), [read("key.pem"), read("cert.pem")].concat()).unwrap();
}

/// Verifies the last assertion's signature by `key.pem` with OpenSSL.
#[track_caller]
fn verify(sandbox: &Sandbox, what: &str) {
    let requests = sandbox.emulator.requests();
    let assertion = requests.iter().find_map(|it| it.form.get("client_assertion")).unwrap();
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let root = sandbox.root();
    std::fs::write(root.join("signed"), signed).unwrap();
    std::fs::write(root.join("signature"), URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let public = openssl(root, "pkey -in key.pem -pubout");
    std::fs::write(root.join("public.pem"), public).unwrap();
    let verdict = openssl(
        root,
        "dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -verify public.pem -signature signature signed",
    );
    assert_eq!(verdict, b"Verified OK\n", "{what}");
}

#[test]
fn an_rsa_key_of_any_size_signs() {
    let sandbox = Sandbox::new();
    let rsa =
        |bits: u32, rest: &str| format!("-algorithm RSA -pkeyopt rsa_keygen_bits:{bits}{rest}");
    let mut cases: Vec<String> =
        [2048, 2050, 2056, 2047 + 10, 3072, 4096, 4104, 5120].map(|bits| rsa(bits, "")).into();
    cases.push(rsa(2048, " -pkeyopt rsa_keygen_pubexp:3"));
    cases.push(rsa(2050, " -pkeyopt rsa_keygen_pubexp:17"));
    cases.push(rsa(3072, " -pkeyopt rsa_keygen_pubexp:4294967297"));
    for case in cases {
        make_key(sandbox.root(), &case);
        sandbox.emulator.clear_requests();
        // The emulator does not know it.
        login(&sandbox, "app.pem", &[]).exits(6).says("AADSTS700027");
        verify(&sandbox, &case);
    }
    // In PKCS#12 and with a password too.
    openssl(
        sandbox.root(),
        "pkcs12 -export -inkey key.pem -in cert.pem -passout pass: -out app.pfx",
    );
    sandbox.emulator.clear_requests();
    login(&sandbox, "app.pfx", &[]).exits(6);
    verify(&sandbox, "PKCS#12");
}

#[test]
fn an_rsa_key_of_8192_bits_signs() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.root().join("app.pem"), LARGE_KEY).unwrap();
    std::fs::write(sandbox.root().join("key.pem"), LARGE_KEY).unwrap();
    login(&sandbox, "app.pem", &[]).exits(6).says("AADSTS700027");
    verify(&sandbox, "8192 bits");
}

/// The key is a fixture, since making one is slow.
const LARGE_KEY: &str = include_str!("../../fixtures/rsa-8192.pem");

#[test]
fn an_unsupported_key_is_explained() {
    let sandbox = Sandbox::new();
    for (options, why) in [
        ("-algorithm RSA -pkeyopt rsa_keygen_bits:1024", "has 1024 bits, but needs at least 2048"),
        ("-algorithm RSA -pkeyopt rsa_keygen_bits:2040", "has 2040 bits, but needs at least 2048"),
        (
            "-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:8589934593",
            "has a public exponent of 2^33 or more, which is not supported",
        ),
        (
            "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
            "is an EC key, and Entra accepts only RSA keys",
        ),
        (
            "-algorithm EC -pkeyopt ec_paramgen_curve:secp521r1",
            "is an EC key, and Entra accepts only RSA keys",
        ),
        ("-algorithm ED25519", "is an Ed25519 key, and Entra accepts only RSA keys"),
        ("-algorithm ED448", "is an Ed448 key, and Entra accepts only RSA keys"),
    ] {
        make_key(sandbox.root(), options);
        login(&sandbox, "app.pem", &[])
            .exits(1)
            .says(&format!("ERROR: Invalid certificate file: its key {why}.\n"));
    }
    // The older form of an EC key has its own label.
    openssl(sandbox.root(), "ecparam -name prime256v1 -genkey -out ec.pem");
    login(&sandbox, "ec.pem", &[])
        .exits(1)
        .says("its key is an EC key, and Entra accepts only RSA keys.");
    for (label, why) in [
        ("DSA PRIVATE KEY", "its key is a DSA key, and Entra accepts only RSA keys."),
        (
            "OPENSSH PRIVATE KEY",
            "its private key is in the OpenSSH format.\nConvert it: ssh-keygen",
        ),
    ] {
        let text = format!("-----BEGIN {label}-----\nAA==\n-----END {label}-----\n");
        std::fs::write(sandbox.root().join("x.pem"), text).unwrap();
        login(&sandbox, "x.pem", &[]).exits(1).says(why);
    }
    assert_eq!(sandbox.requests(), Vec::<String>::new());
}
