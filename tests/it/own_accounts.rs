//! Accounts of clients other than az's: told apart, named in messages, and what a server may not
//! answer for them.

use entra_emulator::Fault;
use serde_json::json;

use crate::own_client::{
    DESKTOP, GRAPH, LEDGER, OWN, OWN_TOKEN, TOKEN, authority_server, claims, signed_in_to_both,
};
use crate::support::*;

/// Of the same tenant as Alice.
const CAROL: &str = "carol@federated.example";
const SHOW: [&str; 4] = ["account", "show", "--client-id", DESKTOP];
const LOGOUT: [&str; 3] = ["logout", "--client-id", DESKTOP];

#[test]
fn accounts_of_one_name_are_told_apart_everywhere_in_the_same_way() {
    let sandbox = signed_in_to_both();
    let server = authority_server(&sandbox);
    let place = format!("{}/contoso.example", server.url());
    sandbox.azt([&OWN[..], &["--authority", &place, "--use-device-code"]].concat()).success();
    let ways = format!("{ALICE} (--authority {place}), {ALICE} (--tenant {CONTOSO})");
    for (command, account) in
        [(&OWN_TOKEN[..], "--account"), (&SHOW[..], "--account"), (&LOGOUT[..], "--username")]
    {
        for more in [&[][..], &[account, ALICE]] {
            let run = sandbox.azt([command, more].concat()).exits(1);
            let run = run.says(&format!("Choose one with {account}, --tenant or --authority: "));
            assert!(ways.split(", ").all(|way| run.stderr.contains(way)), "{run:#?}");
        }
    }
    let shown = |way: &[&str]| sandbox.azt([&SHOW[..], way].concat()).quiet().json();
    assert_eq!(shown(&["--tenant", CONTOSO])["user"]["authority"], json!(null));
    assert_eq!(shown(&["--authority", &place])["user"]["authority"], json!(place));
    let of_cloud = sandbox.azt([&OWN_TOKEN[..], &["--tenant", CONTOSO]].concat()).quiet();
    let there = sandbox.azt([&OWN_TOKEN[..], &["--authority", &place]].concat()).quiet();
    assert_ne!(of_cloud.text("accessToken"), there.text("accessToken"));

    let out = |way: &[&str]| sandbox.azt([&LOGOUT[..], way].concat());
    drop(out(&["--tenant", FABRIKAM]).exits(4).says("which --tenant does not name"));
    drop(out(&["--tenant", CONTOSO]).success());
    assert_eq!(shown(&[])["user"]["authority"], json!(place));
    drop(out(&["--tenant", CONTOSO]).exits(4).says("which --tenant does not name"));
    drop(out(&[]).success());
    drop(sandbox.azt(SHOW).exits(4).says("Nobody is signed in to the client"));
    let without = ["logout", "--username", ALICE, "--tenant", CONTOSO];
    drop(sandbox.azt(without).exits(2).says("which --client-id or AZT_CLIENT_ID must name"));
    drop(sandbox.azt(TOKEN).quiet());
}

/// As after an administrator has deleted a user and made one of the same name.
#[test]
fn accounts_of_one_name_and_place_are_told_apart_by_their_ids() {
    let sandbox = signed_in_to_both();
    let renumbered = "0a000000-0000-4000-8000-0000000000ff";
    let former = sandbox.emulator.directory_mut(|directory| {
        let alice = directory.users.iter_mut().find(|it| it.username == ALICE).unwrap();
        std::mem::replace(&mut alice.oid, renumbered.to_owned())
    });
    sandbox.azt([&OWN[..], &["--use-device-code"]].concat()).success();
    let id = |oid: &str| format!("{oid}.{CONTOSO}");
    let mut run = sandbox.azt(OWN_TOKEN).exits(1);
    for oid in [former.as_str(), renumbered] {
        run = run.says(&format!("{} ({ALICE}, --tenant {CONTOSO})", id(oid)));
    }
    drop(sandbox.azt([&LOGOUT[..], &["--username", &id(&former)]].concat()).success());
    let token = sandbox.azt([&OWN_TOKEN[..], &["--account", ALICE]].concat()).quiet();
    assert_eq!(claims(&token)["oid"], renumbered);
}

/// A refresh token must not turn one user into another, whatever the server sends.
#[test]
fn the_tokens_of_another_account_are_refused_and_not_stored() {
    let sandbox = signed_in_to_both();
    for start in [&TOKEN[..], &OWN_TOKEN] {
        let asked = [start, &GRAPH].concat();
        sandbox.emulator.settings_mut(|settings| settings.refresh_as = Some(CAROL.to_owned()));
        let run = sandbox.azt(&asked).exits(8).says("tokens of another account");
        assert_eq!(run.stdout, "");
        sandbox.emulator.settings_mut(|settings| settings.refresh_as = None);
        assert_eq!(claims(&sandbox.azt(&asked).quiet())["unique_name"], ALICE);
    }
}

#[test]
fn doctor_and_the_list_of_the_cache_name_client_and_authority() {
    let sandbox = signed_in_to_both();
    let server = authority_server(&sandbox);
    let place = format!("{}/contoso.example", server.url());
    sandbox.azt([&OWN[..], &["--authority", &place, "--use-device-code"]].concat()).success();
    let run = sandbox.azt(["doctor", "--offline"]);
    for place in [format!("tenant {CONTOSO}"), format!("authority {place}")] {
        let line = format!("{ALICE} (client {DESKTOP}, {place}): has its refresh token");
        assert!(run.stdout.contains(&line) || run.stderr.contains(&line), "{line}: {run:#?}");
    }
    let table = sandbox.azt(["cache", "list", "-o", "table"]).quiet().stdout;
    let place = place.strip_prefix("https://").unwrap();
    for kind in ["account", "accessToken"] {
        let is_its =
            |line: &&str| line.starts_with(kind) && line.contains(DESKTOP) && line.contains(place);
        assert_eq!(table.lines().filter(is_its).count(), 1, "{kind}: {table}");
    }
}

#[cfg(unix)]
#[test]
fn hints_and_remedies_of_a_sign_in_name_its_options() {
    use crate::browser::Waiting;
    let mut sandbox = Sandbox::new();
    let places = [
        ("--tenant", CONTOSO.to_owned()),
        ("--authority", format!("{}/x", authority_server(&sandbox).url())),
    ];
    for (option, place) in places {
        let login = format!("azt login --client-id {DESKTOP} {option} {place} --scope {LEDGER}");
        let options =
            [&OWN[1..], &[option, &place, "--redirect-uri", "http://localhost/in"]].concat();
        let mut waiting = Waiting::start(&mut sandbox, &options);
        waiting.child.kill().unwrap();
        let output = waiting.child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(&format!("`{login} --use-device-code`")), "{said}");
    }
    sandbox.unset("BROWSER");

    let login = format!("azt login --client-id {DESKTOP} --scope {LEDGER}");
    let by_code = [&OWN[..], &["--use-device-code"]].concat();
    for (code, says) in [
        (50_076, format!("with a browser: `{login}` without --use-device-code.")),
        (53_003, format!("with a browser: `{login}`, or `{login} --no-browser`")),
    ] {
        sandbox.approve_as(ALICE);
        sandbox.emulator.faults().clear();
        let action = refusal("interaction_required", code, "It is refused.");
        sandbox.emulator.faults().push(Fault::on("/token", action));
        drop(sandbox.azt(&by_code).says(&says));
    }
    sandbox.emulator.faults().clear();
    sandbox.set("CI", "true");
    drop(sandbox.azt(OWN).exits(5).says(&format!("elsewhere: {login} --use-device-code")));
}

/// az 2.91 knows neither option: "unrecognized arguments", exit code 2.
#[test]
fn az_knows_no_client_of_ones_own() {
    let sandbox = Sandbox::new();
    let place = "https://contoso.ciamlogin.com/contoso";
    for start in [&OWN[..], &["login"], &["login", "--identity"]] {
        let run = sandbox.az([start, &["--authority", place]].concat()).exits(2);
        drop(run.says(&format!(
            "ERROR: unrecognized arguments: --authority {place}\n\nhttps://aka.ms/cli_ref\n"
        )));
        let run = sandbox.az([start, &["--redirect-uri", "http://localhost"]].concat()).exits(2);
        drop(run.says("ERROR: unrecognized arguments: --redirect-uri http://localhost\n"));
    }
    assert_eq!(sandbox.requests(), Vec::<String>::new());
}

#[test]
fn a_redirect_uri_keeps_the_port_of_its_scheme() {
    let sandbox = Sandbox::new();
    let uri = ["--no-browser", "--redirect-uri", "http://localhost:80/in"];
    let run = sandbox.azt([&OWN[..], &uri].concat()).exits(5);
    drop(run.says("redirect_uri=http%3A%2F%2Flocalhost%3A80%2Fin"));
}

#[test]
fn an_account_of_a_client_is_no_default_and_is_named_where_az_has_none() {
    let sandbox = signed_in_to_both();
    let run = sandbox.azt(["account", "set", "-s", &format!("N/A(client {DESKTOP})")]).exits(2);
    drop(run.says(&format!(
        "is {ALICE} (client {DESKTOP}, tenant {CONTOSO}). Only a subscription of az's own client can be the default."
    )).says(&format!("azt account get-access-token --client-id {DESKTOP}")));
    drop(sandbox.azt(["account", "set", "-s", CONTOSO]).exits(2).says("can be the default"));
    drop(sandbox.az(["account", "set", "-s", CONTOSO]).exits(1));
    drop(sandbox.azt(["account", "set", "-s", "x"]).exits(1).says("'x'"));

    let only = Sandbox::new();
    only.approve_as(ALICE);
    only.azt([&OWN[..], &["--use-device-code"]].concat()).success();
    let says = format!(
        "{ALICE} (client {DESKTOP}, tenant {CONTOSO}) is signed in. To use it, add --client-id {DESKTOP}, or set AZT_CLIENT_ID."
    );
    for args in [&TOKEN[..], &["account", "show"], &["account", "set", "-s", "x"]] {
        drop(only.azt(args).exits(4).says("Please run 'azt login'").says(&says));
        let run = only.az(args).exits(1);
        assert!(!run.stderr.contains(DESKTOP), "{run:#?}");
    }
    drop(only.azt(["account", "set", "-s", CONTOSO]).exits(2).says("can be the default"));
}
