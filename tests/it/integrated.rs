//! Sign-ins with a Kerberos ticket: a real KDC, real tickets, a real acceptor.

use std::fs;

use entra_emulator::{Action, Fault, Federation};

use crate::kdc::Kdc;
use crate::support::*;

const LOGIN: [&str; 2] = ["login", "--integrated"];
const TOKEN: [&str; 2] = ["account", "get-access-token"];
const REALM: &str = "CONTOSO.EXAMPLE";

/// A machine in the realm of Contoso's domain, whose user Alice has no ticket yet.
fn joined() -> Option<(Kdc, Sandbox)> {
    let kdc = Kdc::start(REALM, &["alice", "bob"])?;
    let mut sandbox = Sandbox::new();
    kdc.join(&mut sandbox);
    Some((kdc, sandbox))
}

/// [`joined`], with Alice signed in by her ticket.
fn signed_in() -> Option<(Kdc, Sandbox)> {
    let (kdc, sandbox) = joined()?;
    kdc.kinit("alice", None);
    sandbox.azt(LOGIN).success();
    sandbox.emulator.clear_requests();
    Some((kdc, sandbox))
}

#[test]
fn a_ticket_signs_in_without_a_password() {
    let Some((kdc, sandbox)) = joined() else { return };
    kdc.kinit("alice", None);
    let run = sandbox.azt(LOGIN).success();
    assert_eq!(run.json()[0]["user"]["name"], ALICE);
    let requests = sandbox.requests();
    assert_eq!(requests[0], "GET /common/userrealm/alice%40contoso.example");
    assert_eq!(requests[1], "POST /contoso.example/winauth/trust/2005/windowstransport");
    assert_eq!(requests[2], "POST token saml1_1-bearer");
    sandbox.azt(TOKEN).quiet();
    // No ticket is needed while the refresh token lives.
    fs::remove_file(kdc.tickets()).unwrap();
    sandbox
        .azt(["account", "get-access-token", "--resource", "https://graph.microsoft.com"])
        .quiet();
    sandbox
        .azt(["login", "--integrated", "--username", ALICE])
        .exits(5)
        .says("There is no Kerberos ticket");
}

#[test]
fn a_federated_user_signs_in_with_a_ticket() {
    let Some(mut kdc) = Kdc::start("FEDERATED.EXAMPLE", &["carol", "dave"]) else { return };
    let mut sandbox = Sandbox::new();
    kdc.join(&mut sandbox);
    for trust13 in [true, false] {
        sandbox.emulator.settings_mut(|settings| settings.federation.trust13 = trust13);
        kdc.kinit("carol", None);
        sandbox.emulator.clear_requests();
        let run = sandbox.azt(LOGIN).success();
        assert_eq!(run.json()[0]["user"]["name"], "carol@federated.example");
        let requests = sandbox.requests();
        assert_eq!(requests[1], "GET /adfs/services/trust/mex");
        let version = if trust13 { "13" } else { "2005" };
        assert_eq!(requests[2], format!("POST /adfs/services/trust/{version}/windowstransport"));
        assert_eq!(requests[3], "POST token saml1_1-bearer");
    }
    // The sign-in renews itself in the same way.
    sandbox.emulator.revoke("carol@federated.example");
    sandbox
        .azt(["account", "get-access-token", "--resource", "https://graph.microsoft.com"])
        .quiet();
    kdc.kinit("dave", None);
    sandbox.emulator.revoke("carol@federated.example");
    let vault = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
    let run = sandbox.azt(vault);
    assert_ne!(run.code, Some(0), "Dave's ticket gives no token of Carol's: {run:?}");
    // Nothing speaks of a password, which was not asked for.
    let refused = |says: &str| {
        let run = sandbox.azt(LOGIN).exits(6).says(says);
        let run = run.says("Sign in with a browser or a code instead, without --integrated.");
        assert!(!run.stderr.contains("password"), "{run:?}");
    };
    sandbox.emulator.settings_mut(|settings| {
        settings.federation.trust13 = false;
        settings.federation.trust2005 = false;
    });
    refused("has no endpoint for Kerberos tickets");
    sandbox.emulator.settings_mut(|settings| settings.federation.active = false);
    refused("accepts Kerberos tickets at most on its own page");
    sandbox.emulator.settings_mut(|settings| settings.federation = Federation::default());
    kdc.stop_acceptor();
    sandbox.azt(LOGIN).exits(6).says("did not accept the Kerberos ticket (HTTP 401)");
}

#[test]
fn no_ticket_is_said_with_kinit() {
    let Some((_kdc, sandbox)) = joined() else { return };
    sandbox
        .azt(LOGIN)
        .exits(5)
        .says("ERROR: There is no Kerberos ticket: the ticket cache is missing or empty.\n")
        .says("Get a ticket, then try again:\nkinit\n");
    assert_eq!(sandbox.requests(), Vec::<String>::new());
}

#[test]
fn an_expired_ticket_is_said() {
    let Some((mut kdc, sandbox)) = joined() else { return };
    kdc.set_clock(Some("-1d"));
    kdc.kinit("alice", Some("-1d"));
    kdc.set_clock(None);
    sandbox.azt(LOGIN).exits(5).says("ERROR: The Kerberos ticket has expired.\n").says("\nkinit\n");
    sandbox
        .azt(["login", "--integrated", "-u", ALICE])
        .exits(5)
        .says("The Kerberos ticket has expired.");
}

#[test]
fn a_clock_that_is_ten_minutes_wrong_is_said() {
    let Some((mut kdc, sandbox)) = joined() else { return };
    kdc.kinit("alice", None);
    kdc.set_clock(Some("+10m"));
    sandbox
        .azt(LOGIN)
        .exits(1)
        .says("The clock of this machine differs too much")
        .says("KRB5KRB_AP_ERR_SKEW")
        .says("Set the clock");
}

#[test]
fn a_ticket_of_the_wrong_realm_is_said() {
    // The realm does not know the service: it has no trust with the one that does.
    let Some(kdc) = Kdc::start("OTHER.EXAMPLE", &["alice"]) else { return };
    let mut sandbox = Sandbox::new();
    kdc.join(&mut sandbox);
    let config = fs::read_to_string(&sandbox.env()["KRB5_CONFIG"]).unwrap();
    let config = config.replace("localhost = OTHER.EXAMPLE", "localhost = CONTOSO.EXAMPLE");
    fs::write(&sandbox.env()["KRB5_CONFIG"], config).unwrap();
    kdc.kinit("alice", None);
    sandbox
        .azt(["login", "--integrated", "-u", ALICE])
        .exits(6)
        .says("ERROR: The Kerberos realm of your ticket issued no ticket for the service HTTP/localhost: it knows no such service.\n")
        .says("kinit USER@REALM");
    // The principal's realm is no domain of Entra's.
    sandbox.azt(LOGIN).exits(6);
}

#[test]
fn a_silent_kdc_is_a_network_failure() {
    let Some((mut kdc, sandbox)) = joined() else { return };
    kdc.kinit("alice", None);
    kdc.stop();
    sandbox.azt(LOGIN).exits(7).says("No Kerberos server (KDC) answered").says("KRB5_CONFIG");
}

#[test]
fn a_damaged_ticket_cache_is_an_error() {
    let Some((kdc, sandbox)) = joined() else { return };
    for content in [&b"hello"[..], b"", &[5, 4, 255, 255, 255, 255], &[5; 1 << 16]] {
        fs::write(kdc.tickets(), content).unwrap();
        let run = sandbox.azt(LOGIN);
        assert!(matches!(run.code, Some(1 | 5)), "{run:?}");
        run.says("ERROR: ").says("kinit");
    }
}

#[test]
fn the_service_refuses_a_ticket_that_it_cannot_check() {
    let Some((mut kdc, sandbox)) = joined() else { return };
    kdc.kinit("alice", None);
    kdc.stop_acceptor();
    sandbox
        .azt(LOGIN)
        .exits(6)
        .says("did not accept the Kerberos ticket for contoso.example (HTTP 401)");
}

#[test]
fn a_user_that_entra_does_not_know_is_refused_by_name() {
    let Some((kdc, sandbox)) = joined() else { return };
    kdc.kinit("bob", None);
    let run = sandbox.azt(LOGIN);
    assert_ne!(run.code, Some(0));
    run.says("AADSTS50034").says("The tenant has no such user");
    // Bob's ticket does not sign Alice in.
    let run = sandbox.azt(["login", "--integrated", "-u", ALICE]);
    assert_ne!(run.code, Some(0));
    sandbox.azt(["account", "show"]).exits(4);
}

#[test]
fn a_ticket_of_another_account_is_refused() {
    let Some((kdc, sandbox)) = joined() else { return };
    kdc.kinit("alice", None);
    sandbox.azt(["login", "--integrated", "-u", "carol@contoso.example"]).exits(6).says(
        "The Kerberos ticket signs in alice@contoso.example, not carol@contoso.example; nothing was stored.",
    );
    sandbox.azt(["account", "show"]).exits(4);
}

#[test]
fn a_dead_sign_in_is_renewed_with_the_ticket() {
    let Some((kdc, sandbox)) = signed_in() else { return };
    sandbox.emulator.revoke(ALICE);
    let run =
        sandbox.azt(["account", "get-access-token", "--resource", "https://graph.microsoft.com"]);
    run.quiet();
    let requests = sandbox.requests();
    assert_eq!(requests[0], "POST token refresh_token");
    assert_eq!(requests.last().unwrap(), "POST token saml1_1-bearer");
    // The new refresh token is stored.
    sandbox.emulator.clear_requests();
    let vault = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
    sandbox.azt(vault).quiet();
    assert_eq!(sandbox.requests(), ["POST token refresh_token"]);
    // A list of subscriptions renews it too, and stores it.
    sandbox.emulator.revoke(ALICE);
    sandbox.emulator.clear_requests();
    let run = sandbox.azt(["account", "list", "--refresh"]).success();
    assert!(!run.stderr.contains("Refreshing for"), "{run:?}");
    assert!(sandbox.requests().contains(&"POST token saml1_1-bearer".to_owned()));
    sandbox.emulator.clear_requests();
    let database = ["account", "get-access-token", "--resource", "https://database.windows.net"];
    sandbox.azt(database).quiet();
    assert_eq!(sandbox.requests(), ["POST token refresh_token"]);
    // Without a ticket it says what to do.
    sandbox.emulator.revoke(ALICE);
    fs::remove_file(kdc.tickets()).unwrap();
    let storage = ["account", "get-access-token", "--resource", "https://storage.azure.com"];
    sandbox.azt(storage).exits(5).says("There is no Kerberos ticket").says("\nkinit\n");
}

#[test]
fn another_sign_in_is_not_renewed_with_the_ticket() {
    let Some((kdc, sandbox)) = joined() else { return };
    kdc.kinit("alice", None);
    sandbox.approve_as(ALICE);
    sandbox.azt(["login", "--use-device-code"]).success();
    sandbox.emulator.revoke(ALICE);
    sandbox.emulator.clear_requests();
    let graph = ["account", "get-access-token", "--resource", "https://graph.microsoft.com"];
    sandbox.azt(graph).exits(5).says("azt login");
    assert_eq!(sandbox.requests(), ["POST token refresh_token"]);
}

#[test]
fn answers_that_are_not_the_services_are_refused() {
    let Some((kdc, sandbox)) = joined() else { return };
    kdc.kinit("alice", None);
    let body = |inner: &str| {
        format!(
            "<S:Envelope xmlns:S=\"http://www.w3.org/2003/05/soap-envelope\"><S:Body>{inner}</S:Body></S:Envelope>"
        )
    };
    let bomb = "<!DOCTYPE a [<!ENTITY x \"xxxx\"><!ENTITY y \"&x;&x;\">]><a><DesktopSsoToken>&y;</DesktopSsoToken></a>";
    let external = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a><DesktopSsoToken>&x;</DesktopSsoToken></a>";
    for text in [
        bomb.to_owned(),
        external.to_owned(),
        body("<DesktopSsoToken/>"),
        body("<DesktopSsoToken>a&lt;/DesktopSsoToken&gt;b</DesktopSsoToken>"),
        body("<DesktopSsoToken>a b</DesktopSsoToken>"),
        body(&"<a>".repeat(100_000)),
        "<html><title>Portal</title></html>".to_owned(),
        String::new(),
        "{}".to_owned(),
    ] {
        let shown = text.chars().take(80).collect::<String>();
        sandbox.emulator.clear_requests();
        sandbox.emulator.faults().push(Fault::on("/windowstransport", answer(text)).times(1));
        let run = sandbox.azt(LOGIN);
        assert!(matches!(run.code, Some(6 | 7)), "{shown}: {run:?}");
        assert_eq!(sandbox.requests().len(), 2, "{shown}: nothing went to the token endpoint");
    }
    let busy = Action::Answer { status: 503, headers: Default::default(), body: String::new() };
    sandbox.emulator.faults().push(Fault::on("/windowstransport", busy).times(1));
    sandbox.azt(LOGIN).exits(8).says("did not check the Kerberos ticket (HTTP 503)");
}

#[test]
fn the_ticket_goes_to_the_service_only_and_into_no_message() {
    let Some((kdc, sandbox)) = joined() else { return };
    kdc.kinit("alice", None);
    let run = sandbox.azt(["login", "--integrated", "--debug"]).success();
    let logged = sandbox.emulator.requests();
    let with_ticket: Vec<_> = logged
        .iter()
        .filter(|it| it.headers.get("authorization").is_some_and(|it| it.starts_with("Negotiate ")))
        .collect();
    assert_eq!(with_ticket.len(), 1);
    let token = with_ticket[0].headers["authorization"].trim_start_matches("Negotiate ");
    assert!(!run.stderr.contains(&token[..40]), "{run:?}");
    assert!(!run.stderr.contains("DesktopSsoToken"), "{run:?}");
}

#[test]
fn other_ways_to_sign_in_do_not_combine_with_it() {
    let sandbox = Sandbox::new();
    for other in [
        &["--use-device-code"][..],
        &["--no-browser"],
        &["--identity"],
        &["--service-principal", "-u", APP, "-t", CONTOSO],
        &["-u", ALICE, "-p", "x"],
    ] {
        let args: Vec<_> = LOGIN.iter().chain(other).collect();
        sandbox.azt(args).exits(2).says("'--integrated' is not applicable");
    }
    sandbox
        .azt(["login", "--integrated", "-u", "alice"])
        .exits(1)
        .says("not a user name with a domain");
    assert_eq!(sandbox.requests(), Vec::<String>::new());
}
