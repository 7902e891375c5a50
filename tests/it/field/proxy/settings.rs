//! A table of settings, and the route that az, curl and azt take with each.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Bench;
use crate::support::LOGIN_APP;

/// The route of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Direct,
    /// Through the proxy, with this user name and password.
    Through(&'static str),
    /// The request failed without a connection.
    Refused,
}
use Way::{Direct, Refused, Through};

/// Variables (`PROXY` is the proxy's host and port, `PORT` the requested port), the requested
/// host, and azt's route; if az or curl takes another route, that one and why.
type Setting = (&'static [(&'static str, &'static str)], &'static str, Way, &'static [Other]);
type Other = (&'static str, Way, &'static str);

const L: &str = "localhost";
const IP: &str = "127.0.0.1";
const WITHOUT_USER: Way = Through("");
const A_USER: Way = Through("jo:pw");
const P: (&str, &str) = ("HTTPS_PROXY", "http://PROXY");

const SETTINGS: &[Setting] = &[
    // Precedence of variables.
    (&[], L, Direct, &[]),
    (&[("HTTPS_PROXY", "http://PROXY")], L, WITHOUT_USER, &[]),
    (&[("https_proxy", "http://PROXY")], L, WITHOUT_USER, &[]),
    (&[("ALL_PROXY", "http://PROXY")], L, WITHOUT_USER, &[]),
    (&[("all_proxy", "http://PROXY")], L, WITHOUT_USER, &[]),
    (&[("HTTP_PROXY", "http://PROXY"), ("http_proxy", "http://PROXY")], L, Direct, &[]),
    (
        &[("https_proxy", "http://PROXY"), ("HTTPS_PROXY", "http://127.0.0.1:1")],
        L,
        WITHOUT_USER,
        &[],
    ),
    (&[("HTTPS_PROXY", "http://PROXY"), ("ALL_PROXY", "http://127.0.0.1:1")], L, WITHOUT_USER, &[]),
    (&[("all_proxy", "http://PROXY"), ("ALL_PROXY", "http://127.0.0.1:1")], L, WITHOUT_USER, &[]),
    (&[P, ("https_proxy", "")], L, Direct, &[("curl", WITHOUT_USER, "an empty variable is none")]),
    (&[("HTTPS_PROXY", ""), ("ALL_PROXY", "http://PROXY")], L, WITHOUT_USER, &[]),
    (&[P, ("REQUEST_METHOD", "GET")], L, WITHOUT_USER, &[]),
    (
        &[("Https_Proxy", "http://PROXY")],
        L,
        WITHOUT_USER,
        &[("curl", Direct, "it knows two spellings")],
    ),
    // NO_PROXY.
    (&[P, ("NO_PROXY", "localhost")], L, Direct, &[]),
    (&[P, ("no_proxy", "localhost")], L, Direct, &[]),
    (&[P, ("no_proxy", "a.example"), ("NO_PROXY", "localhost")], L, WITHOUT_USER, &[]),
    (&[P, ("no_proxy", ""), ("NO_PROXY", "localhost")], L, Direct, &[]),
    (
        &[P, ("NO_PROXY", "localhost:PORT")],
        L,
        Direct,
        &[("curl", WITHOUT_USER, "it knows no ports")],
    ),
    (&[P, ("NO_PROXY", "localhost:1")], L, WITHOUT_USER, &[]),
    (&[P, ("NO_PROXY", "a.example, LOCALHOST ,b.example")], L, Direct, &[]),
    (
        &[P, ("NO_PROXY", "a.example,.localhost\r\n")],
        L,
        Direct,
        &[("curl", WITHOUT_USER, "the line's end is part of the name")],
    ),
    (&[P, ("NO_PROXY", "*")], L, Direct, &[]),
    (&[P, ("NO_PROXY", "a.example,*")], L, WITHOUT_USER, &[]),
    (&[P, ("NO_PROXY", "*host")], L, WITHOUT_USER, &[]),
    (&[P, ("NO_PROXY", "ocalhost")], L, WITHOUT_USER, &[]),
    (&[P, ("NO_PROXY", "127.0.0.1")], L, WITHOUT_USER, &[]),
    (&[P, ("NO_PROXY", "127.0.0.1")], IP, Direct, &[]),
    (&[P, ("NO_PROXY", "127.0.0.0/8")], IP, Direct, &[]),
    (&[P, ("NO_PROXY", "10.0.0.0/8")], IP, WITHOUT_USER, &[]),
    (
        &[P, ("NO_PROXY", "127.0.0.1:PORT")],
        IP,
        Direct,
        &[
            ("az", WITHOUT_USER, "no port beside an address"),
            ("curl", WITHOUT_USER, "it knows no ports"),
        ],
    ),
    // Forms of the address.
    (&[("HTTPS_PROXY", "PROXY")], L, WITHOUT_USER, &[]),
    (&[("HTTPS_PROXY", "HTTP://PROXY/")], L, WITHOUT_USER, &[]),
    (
        &[("HTTPS_PROXY", "http://PROXY\n")],
        L,
        WITHOUT_USER,
        &[("az", Refused, "a line's end"), ("curl", Refused, "a line's end")],
    ),
    (
        &[("HTTPS_PROXY", "http://PROXY\r")],
        L,
        WITHOUT_USER,
        &[("az", Refused, "a line's end"), ("curl", Refused, "a line's end")],
    ),
    (
        &[("HTTPS_PROXY", " http://PROXY ")],
        L,
        WITHOUT_USER,
        &[("az", Refused, "a blank"), ("curl", Refused, "a blank")],
    ),
    (&[("HTTPS_PROXY", "\"http://PROXY\"")], L, Refused, &[]),
    (&[("HTTPS_PROXY", "'http://PROXY'")], L, Refused, &[]),
    (&[("HTTPS_PROXY", "::::")], L, Refused, &[]),
    (&[("HTTPS_PROXY", " ")], L, Refused, &[]),
    (&[("HTTPS_PROXY", "http://")], L, Refused, &[]),
    (&[("HTTPS_PROXY", "http://a b")], L, Refused, &[]),
    (&[("HTTPS_PROXY", "ftp://PROXY")], L, Refused, &[]),
    (&[("HTTPS_PROXY", "socks://PROXY")], L, Refused, &[]),
    (&[("ALL_PROXY", "\"http://PROXY\"")], L, Refused, &[]),
    (&[("HTTPS_PROXY", "\"http://PROXY\""), ("NO_PROXY", "localhost")], L, Direct, &[]),
    // User names and passwords.
    (&[("HTTPS_PROXY", "http://jo:pw@PROXY")], L, A_USER, &[]),
    (&[("HTTPS_PROXY", "jo:pw@PROXY")], L, A_USER, &[("az", Refused, "jo is taken for a scheme")]),
    (
        &[("HTTPS_PROXY", "http://jo@PROXY")],
        L,
        Through("jo:"),
        &[("az", WITHOUT_USER, "a user has a password")],
    ),
    (
        &[("HTTPS_PROXY", "http://jo:p@ss@PROXY")],
        L,
        Through("jo:p@ss"),
        &[("curl", Refused, "a raw @; later ones take it")],
    ),
    (&[("HTTPS_PROXY", "http://jo:p%40s%2fs@PROXY")], L, Through("jo:p@s/s"), &[]),
    (
        &[("HTTPS_PROXY", "http://CORP\\jo:pw@PROXY")],
        L,
        Through("CORP\\\\jo:pw"),
        &[("az", Refused, "CORP is taken for the proxy's host")],
    ),
    (&[("HTTPS_PROXY", "http://jo:^p@PROXY")], L, Through("jo:^p"), &[]),
    (
        &[("HTTPS_PROXY", "http://jo:[{|\"<@PROXY")],
        L,
        Through("jo:[{|\\\"<"),
        &[("az", Refused, "a [ is taken for an address")],
    ),
    (
        &[("HTTPS_PROXY", "http://jo:a b@PROXY")],
        L,
        Through("jo:a b"),
        &[("curl", Refused, "a blank")],
    ),
    (&[("HTTPS_PROXY", "http://jo:50%@PROXY")], L, Through("jo:50%"), &[]),
    (
        &[("HTTPS_PROXY", "http://jo:ä@PROXY")],
        L,
        Through("jo:\\xc3\\xa4"),
        &[("az", Through("jo:\\xe4"), "Latin-1; curl and RFC 7617 have UTF-8")],
    ),
    (
        &[("HTTPS_PROXY", "http://jo:%e4@PROXY")],
        L,
        Through("jo:\\xe4"),
        &[("az", Refused, "it cannot be sent in Latin-1")],
    ),
    (&[("HTTPS_PROXY", "http://jo:a/b@PROXY")], L, Refused, &[]),
    (&[("HTTPS_PROXY", "http://jo:a?b@PROXY")], L, Refused, &[]),
    (&[("HTTPS_PROXY", "http://jo:a#b@PROXY")], L, Refused, &[]),
];

/// A program of the Python environment with the real az.
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn of_az(name: &str) -> Option<Command> {
    let venv = std::env::var_os("AZT_TEST_VENV")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("../venv"), PathBuf::from);
    let path = venv.join("bin").join(name);
    if !path.exists() {
        eprintln!("not compared with az: there is no {}; tests/run installs it", path.display());
    }
    path.exists().then(|| Command::new(path))
}

/// A request as az makes it: with Python's requests.
const REQUESTS: &str = "import requests, sys; requests.get(sys.argv[1], timeout=9)";

#[test]
fn each_setting_gives_the_same_route_as_az_and_curl() {
    let bench = Bench::new();
    let clouds = bench.sandbox.read("clouds.config");
    let ca = bench.sandbox.env()["REQUESTS_CA_BUNDLE"].clone();
    let mut wrong = Vec::new();
    for (vars, host, ours, others) in SETTINGS {
        bench.sandbox.write("clouds.config", clouds.replace(L, host));
        let url = format!("https://{host}:{}/tenants", bench.port());
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--max-time", "9", "--cacert", &ca, &url]).env_clear();
        let mut commands = vec![("azt", bench.sandbox.command(LOGIN_APP)), ("curl", curl)];
        commands.extend(of_az("python").map(|mut az| {
            az.args(["-c", REQUESTS, &url]).env_clear().env("REQUESTS_CA_BUNDLE", &ca);
            ("az", az)
        }));
        for (name, command) in commands {
            let (asked, arrived, run) = bench.way(command, vars);
            let expected = others.iter().find(|it| it.0 == name).map_or(*ours, |it| it.1);
            // The emulator under another name is another audience: any answer shows the route.
            let is_answered = arrived && (run.code == Some(0) || *host != L);
            let is_so = match expected {
                Direct => asked.is_none() && is_answered,
                Through(user) => asked.as_deref() == Some(user) && is_answered,
                Refused => asked.is_none() && !arrived && run.code != Some(0),
            };
            let is_named = expected != Refused || name != "azt" || {
                let (variable, value) = vars[0];
                run.code == Some(7)
                    && run.stderr.contains(&format!("ERROR: {variable} "))
                    && (value.len() < 8 || !run.stderr.contains(value))
            };
            if !is_so || !is_named {
                wrong.push(format!("{name} with {vars:?} to {host}: {expected:?}, but asked as {asked:?}, arrived: {arrived}, {run:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The real az is slow, so it tries only some of the settings.
#[test]
fn the_real_az_takes_the_same_route() {
    let bench = Bench::new();
    for (vars, user) in [
        (&[("https_proxy", "http://PROXY"), ("HTTPS_PROXY", "http://127.0.0.1:1")][..], Some("")),
        (&[("ALL_PROXY", "http://jo:pw@PROXY")], Some("jo:pw")),
        (&[P, ("NO_PROXY", "localhost:PORT")], None),
        (&[P, ("https_proxy", "")], None),
    ] {
        let Some(mut az) = of_az("az") else { return };
        az.args(LOGIN_APP).env_clear().envs(bench.sandbox.env()).current_dir(bench.sandbox.root());
        az.env("AZURE_CORE_INSTANCE_DISCOVERY", "false");
        az.env("AZURE_CORE_COLLECT_TELEMETRY", "false");
        for command in [az, bench.sandbox.command(LOGIN_APP)] {
            let (asked, arrived, run) = bench.way(command, vars);
            assert_eq!((asked.as_deref(), arrived), (user, true), "{vars:?}: {run:?}");
            drop(run.success());
        }
    }
}
