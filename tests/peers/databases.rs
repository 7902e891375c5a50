//! A real PostgreSQL and a real Redis, whose clients take the token as their password.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine;
use entra_emulator::Fault;
use serde_json::json;

use crate::support::*;

const PG: &str = "db.postgres.database.azure.com";
const REDIS: &str = "cache.redis.cache.windows.net";
const OID: &str = "0a11ce00-0000-4000-8000-000000000001";

/// Makes the emulator's next token as long as one of a user in many groups.
fn long_token(sandbox: &Sandbox) -> String {
    let text = |value: serde_json::Value| {
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
    };
    let groups: Vec<String> = (0..60).map(|i| format!("9f000000-0000-4000-8000-{i:012}")).collect();
    let claims = json!({"upn": ALICE, "oid": OID, "groups": groups});
    let token = format!("{}.{}.c2lnbmF0dXJl", text(json!({"alg": "RS256"})), text(claims));
    assert!(token.len() > 3000, "{}", token.len());
    let body = json!({"token_type": "Bearer", "scope": "x/.default", "expires_in": 3599,
        "access_token": token});
    sandbox.emulator.faults().push(Fault::on("/token", answer(body.to_string())));
    token
}

/// A free port, for a server that takes no `0`.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A certificate for `host` and its key, in `folder`.
fn certificate(folder: &Path, host: &str) -> [PathBuf; 2] {
    let own = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
    let (certificate, key) = (folder.join("server.crt"), folder.join("server.key"));
    std::fs::write(&certificate, own.cert.pem()).unwrap();
    std::fs::write(&key, own.signing_key.serialize_pem()).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    [certificate, key]
}

/// A PostgreSQL of one test, on loopback, with TLS. It refuses to run as root.
struct Postgres {
    folder: tempfile::TempDir,
    port: u16,
}

impl Postgres {
    fn start() -> Self {
        let postgres = Self { folder: tempfile::tempdir_in("/tmp").unwrap(), port: free_port() };
        let folder = postgres.folder.path();
        certificate(folder, PG);
        if rustix::process::geteuid().is_root() {
            let run = Command::new("chown").args(["-R", "postgres:"]).arg(folder).status();
            assert!(run.unwrap().success());
        }
        let data = postgres.data();
        postgres.run("initdb", &["--auth-local=trust", "--username=postgres", "-D", &data]);
        let file = |name: &str| folder.join("data").join(name);
        // As Azure's: the token arrives in plain text, under TLS.
        std::fs::write(
            file("pg_hba.conf"),
            "local all all trust\nhostssl all all 127.0.0.1/32 password\n",
        )
        .unwrap();
        let folder = folder.display();
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{folder}'\n\
             ssl = on\nssl_cert_file = '{folder}/server.crt'\nssl_key_file = '{folder}/server.key'\n",
            postgres.port
        );
        std::fs::write(file("postgresql.conf"), settings).unwrap();
        let log = format!("{folder}/log");
        postgres.run("pg_ctl", &["-D", &data, "-l", &log, "--wait", "start"]);
        postgres
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// Runs a program of the server, as a user who may.
    fn run(&self, program: &str, words: &[&str]) {
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
            command.arg(bin(program));
            command
        } else {
            Command::new(bin(program))
        };
        command.args(words).current_dir(self.folder.path());
        // Not a pipe: the server would keep it open.
        let run = command.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap();
        assert!(run.success(), "{program}");
    }

    /// Gives `user` this password.
    fn add_user(&self, user: &str, password: &str) {
        let file = self.folder.path().join("user.sql");
        let text = format!("CREATE ROLE \"{user}\" LOGIN PASSWORD '{password}';");
        std::fs::write(&file, text).unwrap();
        let socket = self.folder.path().display().to_string();
        let port = self.port.to_string();
        let file = file.display().to_string();
        let words = ["-h", &socket, "-p", &port, "-d", "postgres", "-f", &file];
        self.run("psql", &[&["-v", "ON_ERROR_STOP=1", "-U", "postgres"], &words[..]].concat());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.run("pg_ctl", &["-D", &self.data(), "--mode=immediate", "stop"]);
    }
}

/// A program of the newest PostgreSQL that Debian has installed.
fn bin(program: &str) -> PathBuf {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("postgresql: run tests/run")
        .map(|entry| entry.unwrap().path().join("bin").join(program))
        .filter(|path| path.exists())
        .collect();
    versions.sort();
    versions.pop().expect("postgresql: run tests/run")
}

#[test]
fn psql_signs_in_with_a_long_token() {
    let sandbox = Sandbox::signed_in_as_alice();
    let token = long_token(&sandbox);
    let postgres = Postgres::start();
    postgres.add_user(ALICE, &token);
    // PGHOSTADDR is the address of the host that azt names.
    let ask = [
        "psql",
        "-d",
        "postgres",
        "-Atc",
        "select current_user, ssl from pg_stat_ssl where pid = pg_backend_pid()",
    ];
    let target = format!("postgres={PG}");
    for options in [&[][..], &["--no-endpoint"]] {
        let mut command =
            sandbox.command([&["exec", "--for", &target], options, &["--"], &ask].concat());
        command.env("PGHOSTADDR", "127.0.0.1").env("PGPORT", postgres.port.to_string());
        Run::of(&mut command).quiet().prints(&format!("{ALICE}|t\n"));
    }
    // A password file, as programs read it that take no variable.
    let script = format!(
        "umask 077; printf '%s:*:*:%s:%s\\n' {PG} {ALICE} \"$(azt token --for {target} --format password)\" >pgpass"
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).env_clear().envs(sandbox.env()).current_dir(sandbox.root());
    let built = Path::new(env!("CARGO_BIN_EXE_azt")).parent().unwrap();
    command.env("PATH", format!("{}:/usr/bin:/bin", built.display()));
    drop(Run::of(&mut command).quiet());
    let mut command = Command::new(ask[0]);
    command.args(&ask[1..]).env_clear().envs(sandbox.env());
    command.env("PGPASSFILE", sandbox.root().join("pgpass"));
    command.env("PGHOST", PG).env("PGUSER", ALICE).env("PGSSLMODE", "require");
    command.env("PGHOSTADDR", "127.0.0.1").env("PGPORT", postgres.port.to_string());
    Run::of(&mut command).quiet().prints(&format!("{ALICE}|t\n"));
    command.env("PGUSER", "postgres");
    assert_eq!(Run::of(&mut command).code, Some(2), "no password for another user");
}

/// A Redis of one test, with TLS and one user.
struct Redis(Child);

impl Redis {
    fn start(folder: &Path, port: u16, user: &str, password: &str) -> Self {
        let [certificate, key] = certificate(folder, REDIS);
        let acl = folder.join("users.acl");
        let text = format!("user default off\nuser {user} on >{password} ~* +@all\n");
        std::fs::write(&acl, text).unwrap();
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--tls-port", &port.to_string(), "--bind", "127.0.0.1"]);
        command.args(["--tls-auth-clients", "no", "--save", "", "--tls-cert-file"]);
        command.arg(&certificate).arg("--tls-key-file").arg(&key).arg("--tls-ca-cert-file");
        command.arg(&certificate).arg("--aclfile").arg(&acl).current_dir(folder);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("redis: run tests/run");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let ready = lines.by_ref().any(|line| line.contains("Ready to accept connections"));
        assert!(ready, "redis did not start");
        // Its pipe stays open and read.
        std::thread::spawn(move || lines.count());
        Self(child)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn redis_cli_signs_in_with_a_long_token() {
    let sandbox = Sandbox::signed_in_as_alice();
    let token = long_token(&sandbox);
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let port = free_port();
    let _redis = Redis::start(folder.path(), port, OID, &token);
    let mut hosts = std::fs::File::create(sandbox.root().join("hosts")).unwrap();
    writeln!(hosts, "127.0.0.1 localhost {REDIS}").unwrap();
    let azt = env!("CARGO_BIN_EXE_azt");
    let tls = format!(
        "-p {port} --tls --cacert {}/server.crt --no-auth-warning",
        folder.path().display()
    );
    // The host is in a file of this test alone, over the machine's own.
    let there = |script: &str| {
        sandbox.in_mount_namespace(&format!("mount --bind hosts /etc/hosts\n{script}"))
    };
    let run = there(&format!(
        "'{azt}' exec --for redis={REDIS} -- sh -c 'redis-cli -h $REDIS_HOST --user $REDIS_USER {tls} acl whoami'"
    ));
    run.quiet().prints(&format!("{OID}\n"));
    // On standard input.
    let run = there(&format!(
        "{{ '{azt}' token --for redis={REDIS} --format redis; echo; echo ping; }} | redis-cli -h {REDIS} {tls}"
    ));
    run.quiet().prints("OK\nPONG\n");
    let run = there(&format!("redis-cli -h {REDIS} {tls} ping"));
    assert!(run.stdout.contains("NOAUTH"), "{run:?}");
}
