//! A real Kerberos server (MIT, Debian's krb5-kdc) for one realm on loopback, with the service
//! `HTTP/localhost` and an acceptor for it. Nothing of it is outside its folder.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::Sandbox;

/// The password of every principal.
const PASSWORD: &str = "a-password";

/// Longest lifetime of a ticket, in the KDC's words.
const LIFETIME: &str = "10h";

pub struct Kdc {
    folder: TempDir,
    address: SocketAddr,
    server: Process,
    acceptor: Process,
    acceptor_port: u16,
}

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Kdc {
    /// A server for `realm` with these users. `None`, and a line that says so, where a program is
    /// missing.
    #[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub fn start(realm: &str, users: &[&str]) -> Option<Self> {
        let has_gssapi = Command::new("/usr/bin/python3").args(["-c", "import gssapi"]).output();
        let is_missing = ["/usr/sbin/krb5kdc", "/usr/sbin/kadmin.local", "/usr/bin/kinit"]
            .into_iter()
            .find(|program| !Path::new(program).exists())
            .or(faketime().is_none().then_some("libfaketime"))
            .or((!has_gssapi.is_ok_and(|it| it.status.success())).then_some("python3-gssapi"));
        if let Some(program) = is_missing {
            eprintln!("skipped: there is no {program} (tests/run installs it)");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let address = own_address();
        let path = folder.path().display();
        fs::write(
            folder.path().join("krb5.conf"),
            format!(
                "[libdefaults]\n default_realm = {realm}\n dns_lookup_kdc = false\n dns_lookup_realm = false\n \
                 dns_canonicalize_hostname = false\n rdns = false\n udp_preference_limit = 1\n\
                 [realms]\n {realm} = {{\n  kdc = {address}\n }}\n\
                 [domain_realm]\n localhost = {realm}\n"
            ),
        )
        .unwrap();
        fs::write(
            folder.path().join("kdc.conf"),
            format!(
                "[kdcdefaults]\n kdc_listen = {address}\n kdc_tcp_listen = {address}\n\
                 [realms]\n {realm} = {{\n  database_name = {path}/principal\n  key_stash_file = {path}/stash\n  \
                 max_life = {LIFETIME}\n }}\n[logging]\n kdc = FILE:{path}/kdc.log\n"
            ),
        )
        .unwrap();
        run(
            &mut in_folder(
                "/usr/sbin/kdb5_util",
                folder.path(),
                &["create", "-s", "-r", realm, "-P", PASSWORD],
            ),
            "",
        );
        let mut script = String::new();
        for user in users {
            script += &format!("addprinc -pw {PASSWORD} {user}\n");
        }
        script += &format!(
            "addprinc -randkey HTTP/localhost\nktadd -k {path}/http.keytab HTTP/localhost\n"
        );
        run(&mut in_folder("/usr/sbin/kadmin.local", folder.path(), &["-r", realm]), &script);
        let server = serve(folder.path(), address, None);
        let acceptor = in_folder("/usr/bin/python3", folder.path(), &[])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/spnego_acceptor.py"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut acceptor = Process(acceptor);
        let mut line = String::new();
        BufReader::new(acceptor.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let acceptor_port = line.trim().parse().unwrap();
        Some(Self { folder, address, server, acceptor, acceptor_port })
    }

    /// Gives the machine of `sandbox` this realm, and its emulator the acceptor.
    pub fn join(&self, sandbox: &mut Sandbox) {
        let text = |name: &str| self.folder.path().join(name).display().to_string();
        sandbox.set("KRB5_CONFIG", &text("krb5.conf"));
        sandbox.set("KRB5CCNAME", &format!("FILE:{}", text("tickets")));
        let port = self.acceptor_port;
        sandbox.emulator.settings_mut(|settings| settings.negotiate_acceptor = Some(port));
    }

    /// The ticket cache.
    pub fn tickets(&self) -> PathBuf {
        self.folder.path().join("tickets")
    }

    /// Gets a ticket for `user`. `at` is the clock of that moment, in faketime's words, such as
    /// `-1 day`; the server's must be the same.
    pub fn kinit(&self, user: &str, at: Option<&str>) {
        let mut kinit = timed("/usr/bin/kinit", at, self.folder.path());
        run(kinit.arg(user), &format!("{PASSWORD}\n"));
    }

    /// Restarts the server with this clock.
    pub fn set_clock(&mut self, at: Option<&str>) {
        // Its port must be free first.
        let _ = self.server.0.kill();
        let _ = self.server.0.wait();
        self.server = serve(self.folder.path(), self.address, at);
    }

    /// Stops the server.
    pub fn stop(&mut self) {
        let _ = self.server.0.kill();
        let _ = self.server.0.wait();
    }

    /// Stops the acceptor.
    pub fn stop_acceptor(&mut self) {
        let _ = self.acceptor.0.kill();
        let _ = self.acceptor.0.wait();
    }
}

/// A command with the settings of this folder alone.
fn in_folder(program: &str, folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).env_clear().current_dir(folder).env("PATH", "/usr/bin:/bin");
    let path = |name: &str| folder.join(name);
    command.env("KRB5_CONFIG", path("krb5.conf")).env("KRB5_KDC_PROFILE", path("kdc.conf"));
    command.env("KRB5CCNAME", path("tickets")).env("KRB5_KTNAME", path("http.keytab"));
    command.env("KRB5RCACHENAME", format!("file2:{}", path("replays").display()));
    command
}

/// Debian's libfaketime, which a preloaded program takes its clock from.
fn faketime() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").unwrap().flatten();
    let mut files = folders.map(|folder| folder.path().join("faketime/libfaketime.so.1"));
    files.find(|file| file.exists())
}

fn timed(program: &str, at: Option<&str>, folder: &Path) -> Command {
    match at {
        None => in_folder(program, folder, &[]),
        Some(at) => {
            // Not by the program faketime: killing that leaves its child.
            let mut command = in_folder(program, folder, &[]);
            command.env("LD_PRELOAD", faketime().unwrap()).env("FAKETIME", at);
            command
        }
    }
}

fn serve(folder: &Path, address: SocketAddr, at: Option<&str>) -> Process {
    let mut server = timed("/usr/sbin/krb5kdc", at, folder);
    server.arg("-n").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut server = Process(server.spawn().unwrap());
    let until = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(address).is_err() {
        let ended = server.0.try_wait().unwrap();
        assert!(ended.is_none() && Instant::now() < until, "krb5kdc does not listen: {ended:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
    server
}

fn run(command: &mut Command, input: &str) {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}

/// An address that no other test and no other process of this machine listens at, also while the
/// server is down: its host, of the network 127.0.0.0/8, is of this process and this call alone.
fn own_address() -> SocketAddr {
    static CALLS: AtomicU32 = AtomicU32::new(1);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    // Fewer than 64 servers in a process.
    let [_, a, b, c] = (std::process::id() * 64 + call).to_be_bytes();
    let host = Ipv4Addr::new(127, a | 0x80, b, c);
    TcpListener::bind((host, 0)).unwrap().local_addr().unwrap()
}
