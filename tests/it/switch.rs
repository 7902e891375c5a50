//! `switch`, `account set` by a name alone or by the list, and near matches.

#[cfg(unix)]
use crate::screen::*;
use crate::support::*;

const BOB: &str = "bob@fabrikam.example";
const DEVELOPMENT: &str = "50000000-0000-4000-8000-000000000002";

/// Alice with Contoso Production as the default, and Bob's Fabrikam Shared.
fn two_people() -> Sandbox {
    let sandbox = Sandbox::new();
    for (name, tenant) in [(BOB, "fabrikam.example"), (ALICE, "contoso.example")] {
        sandbox.approve_as(name);
        sandbox.azt(["login", "--use-device-code", "--tenant", tenant]).success();
    }
    drop(sandbox.azt(["account", "set", "-s", PRODUCTION]).quiet());
    sandbox
}

fn default(sandbox: &Sandbox) -> String {
    sandbox.azt(["account", "show"]).quiet().text("name")
}

const NOW_DEVELOPMENT: &str = "Now: Contoso Development and Test · c0000000-0000-4000-8000-00000000000a (alice@contoso.example)\n";

#[test]
fn a_name_or_words_switch_and_a_dash_goes_back() {
    let sandbox = two_people();
    let before = sandbox.read("clouds.config");
    sandbox.azt(["switch", "TEST", "development"]).quiet().prints(NOW_DEVELOPMENT);
    assert_eq!(default(&sandbox), "Contoso Development and Test");
    assert_ne!(sandbox.read("clouds.config"), before, "for the next cloud set");
    sandbox.azt(["switch", "-"]).success();
    assert_eq!(default(&sandbox), "Contoso Production");
    sandbox.azt(["switch", "-"]).quiet().prints(NOW_DEVELOPMENT);
    // By id, by exact name in any case, by the user.
    for (name, found) in [
        (PRODUCTION, "Contoso Production"),
        ("contoso development AND test", "Contoso Development and Test"),
        (BOB, "Fabrikam Shared"),
    ] {
        drop(sandbox.azt(["switch", name]).quiet());
        assert_eq!(default(&sandbox), found);
    }
    // `account set` is remembered too, and so is the order.
    drop(sandbox.az(["account", "set", "-s", PRODUCTION]).quiet());
    sandbox.azt(["switch", "-"]).success();
    assert_eq!(default(&sandbox), "Fabrikam Shared");
}

#[test]
fn output_is_that_of_account_show() {
    let sandbox = two_people();
    let run = sandbox.azt(["switch", "development", "-o", "json"]).quiet();
    let shown = sandbox.azt(["account", "show"]).quiet();
    assert_eq!(run.json(), shown.json());
    sandbox
        .azt(["switch", "-", "--query", "name", "-o", "tsv"])
        .quiet()
        .prints("Contoso Production\n");
    let mut sandbox = sandbox;
    sandbox.set("AZURE_CORE_OUTPUT", "json");
    assert_eq!(sandbox.azt(["switch", "production"]).quiet().text("name"), "Contoso Production");
    assert_eq!(
        sandbox.azt(["whoami"]).quiet().json()["subscription"]["name"],
        "Contoso Production"
    );
}

#[test]
fn what_is_not_one_subscription_is_an_error_with_what_it_may_be() {
    let sandbox = two_people();
    let run = sandbox.azt(["switch", "contoso"]).exits(1);
    let run = run.says("ERROR: 'contoso' matches 3 subscriptions. Add a word, or use an id:\n");
    let run = run.says(&format!("{DEVELOPMENT}  Contoso Development and Test · "));
    drop(run.says(PRODUCTION));
    let run = sandbox.azt(["switch", "Contoso Prodction"]).exits(1);
    drop(run.says(
        "ERROR: No subscription matches 'Contoso Prodction'.\nSimilar: 'Contoso Production'",
    ));
    let run = sandbox.azt(["switch", "xyz"]).exits(1);
    drop(run.says("No subscription matches 'xyz'.\nAll subscriptions: azt account list\n"));
    sandbox.azt(["switch", ""]).exits(2).says("The name is empty.");
    sandbox
        .azt(["switch"])
        .exits(2)
        .says("There is no terminal to choose a subscription on.\nName it: azt switch NAME\n");
    assert_eq!(default(&sandbox), "Contoso Production", "nothing has changed");
    drop(Sandbox::new().azt(["switch", "x"]).exits(4).says("Please run 'azt login'"));
    let fresh = Sandbox::signed_in_as_alice();
    fresh
        .azt(["switch", "-"])
        .exits(1)
        .says("azt knows no other subscription that was the default");
}

#[test]
fn a_variable_that_overrides_the_default_is_said() {
    let mut sandbox = two_people();
    sandbox.set("AZT_SUBSCRIPTION", "Fabrikam Shared");
    let run = sandbox.azt(["switch", "development"]).exits(0);
    let run =
        run.says("WARNING: AZT_SUBSCRIPTION ('Fabrikam Shared') still decides in this shell.\n");
    assert_eq!(run.stdout, NOW_DEVELOPMENT);
    sandbox.set("AZT_SUBSCRIPTION", DEVELOPMENT);
    sandbox.azt(["switch", "-"]).success();
    drop(sandbox.azt(["switch", "-"]).quiet());
    sandbox.set("AZT_SUBSCRIPTION", "");
    sandbox.set("AZT_ACCOUNT", BOB);
    let says = "WARNING: AZT_ACCOUNT ('bob@fabrikam.example') still decides in this shell.\n";
    drop(sandbox.azt(["switch", "production"]).exits(0).says(says));
}

/// What a login or another cloud made the default is remembered as well, for each cloud.
#[test]
fn a_login_is_a_switch() {
    let sandbox = two_people();
    sandbox.approve_as(BOB);
    sandbox.azt(["login", "--use-device-code", "--tenant", "fabrikam.example"]).success();
    assert_eq!(default(&sandbox), "Fabrikam Shared");
    sandbox.azt(["switch", "-"]).success();
    assert_eq!(default(&sandbox), "Contoso Production");
    let recent: serde_json::Value = serde_json::from_str(&sandbox.read("azt/recent.json")).unwrap();
    assert_eq!(recent["Emulator"][0], PRODUCTION);
    // A damaged list is no error.
    sandbox.write("azt/recent.json", "{");
    drop(sandbox.azt(["switch", "development"]).quiet());
    sandbox.azt(["switch", "-"]).success();
    assert_eq!(default(&sandbox), "Contoso Production");
}

#[test]
fn account_set_takes_a_name_without_its_option() {
    let sandbox = two_people();
    sandbox.azt(["account", "set", "Contoso Development and Test"]).quiet().prints("");
    assert_eq!(default(&sandbox), "Contoso Development and Test");
    drop(sandbox.azt(["account", "set", "contoso", "production"]).quiet());
    assert_eq!(default(&sandbox), "Contoso Production");
    sandbox.azt(["account", "set", "X", "-s", "Y"]).exits(2).says("cannot be used with");
    sandbox.azt(["account", "set", "-s", ""]).exits(1).says("The subscription of '' doesn't exist");
    let missing = "the following arguments are required: --subscription/-s/--name/-n";
    sandbox.azt(["account", "set"]).exits(2).says(missing);
    // az has the option only.
    sandbox.az(["account", "set"]).exits(2).says(missing);
    sandbox.az(["account", "set", "X"]).exits(2).says(missing);
    sandbox.az(["account", "set", "X", "-s", "Y"]).exits(2).says("unrecognized arguments: X\n");
    sandbox.az(["account", "set", "-s", ""]).exits(1).says("The subscription of '' doesn't exist");
    let help = sandbox.az(["account", "set", "-h"]).quiet().stdout;
    assert!(help.contains("--subscription") && !help.contains("[SUBSCRIPTION]"), "{help}");
}

#[test]
fn an_unknown_subscription_brings_near_matches() {
    let mut sandbox = two_people();
    let all = "All subscriptions: azt account list\n";
    for (command, says) in [
        (["account", "set", "-s", "production"], "Similar: 'Contoso Production'.\n"),
        (["account", "get-access-token", "-s", "Fabrikam Shard"], "Similar: 'Fabrikam Shared'.\n"),
        (["account", "show", "-s", "contoso"], "Similar: 'Contoso Production', 'Contoso De"),
        (["account", "show", "-s", "xyz"], "Check the spelling and casing and try again.\nAll"),
    ] {
        drop(sandbox.azt(command).exits(1).says(says).says(all));
        let run = sandbox.az(command).exits(1);
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    }
    sandbox.set("AZT_SUBSCRIPTION", "Prodution");
    let run = sandbox.azt(["account", "get-access-token"]).exits(1);
    drop(run.says("ERROR: Subscription 'Prodution' not found. AZT_SUBSCRIPTION names it in this shell: correct the variable, or unset it.\n").says(all));
}

#[cfg(unix)]
#[test]
fn the_list_has_all_accounts_and_the_latest_first() {
    let mut sandbox = two_people();
    sandbox.set("AZURE_CORE_NO_COLOR", "true");
    for (command, name) in
        [(&["switch"][..], "Fabrikam Shared"), (&["account", "set"], "Production")]
    {
        let mut screen = Screen::run(&sandbox, command, (100, 12));
        screen.until(|screen| screen.shows("4 of 4"));
        let lines = screen.lines().join("\n");
        assert!(lines.contains("(default)") && lines.contains("4 of 4"), "{lines}");
        assert!(
            lines.contains("(alice@contoso.example)") && lines.contains("(bob@fabr"),
            "{lines}"
        );
        screen.search(name);
        screen.send(ENTER);
        let (rest, code) = screen.end();
        assert!(rest.contains(&format!("{name} · ")) && rest.contains("Now: "), "{rest}");
        assert_eq!(code, Some(0));
        assert!(default(&sandbox).ends_with(name));
    }
    // The one before is the second.
    let mut screen = Screen::run(&sandbox, &["switch"], (100, 12));
    screen.until(|screen| screen.option().is_some());
    assert!(screen.press(DOWN).starts_with("Fabrikam Shared"));
    screen.send(ESCAPE);
    let (rest, code) = screen.end();
    assert!(rest.contains("Kept: Contoso Production · ") && code == Some(0), "{rest}");
    let mut screen = Screen::run(&sandbox, &["switch"], (100, 12));
    screen.until(|screen| screen.option().is_some());
    screen.control_c();
    let (rest, code) = screen.end();
    assert!(rest.contains("Cancelled. Nothing was changed.") && code == Some(130), "{rest}");
}

#[cfg(unix)]
#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    let sandbox = two_people();
    let mut screen = Screen::run(&sandbox, &["switch"], (100, 12));
    screen.until(|screen| screen.option().is_some());
    let (rest, mode) = screen.terminate();
    assert!(rest.contains("\x1b[?1049l") && rest.contains("\x1b[?2004l"), "{rest:?}");
    assert!(mode.contains(" icanon") && mode.contains("\nopost"), "{mode}");
}

#[cfg(unix)]
#[test]
fn without_utf_8_the_list_is_ascii() {
    let mut sandbox = two_people();
    sandbox.set("LC_ALL", "C");
    let mut screen = Screen::run(&sandbox, &["switch"], (30, 12));
    screen.until(|screen| screen.shows("4 of 4"));
    assert!(screen.shows("..."), "{:#?}", screen.lines());
    screen.send(ESCAPE);
    let (rest, code) = screen.end();
    // Broken between words at the terminal's width.
    let said = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("Kept: Contoso Production - ") && code == Some(0), "{rest}");
    assert!(rest.is_ascii(), "{rest}");
    drop(sandbox.azt(["switch", "contoso"]).exits(1).says("  Contoso Production - "));
}

#[test]
fn a_default_that_is_disabled_is_marked() {
    let sandbox = two_people();
    let profile = sandbox.read("azureProfile.json");
    let (before, after) = profile.split_once("Contoso Development and Test").unwrap();
    let after = after.replacen("\"Enabled\"", "\"Disabled\"", 1);
    sandbox.write("azureProfile.json", [before, "Contoso Development and Test", &after].concat());
    let now = "Now: Contoso Development and Test (disabled) \u{b7} ";
    let run = sandbox.azt(["switch", "test", "development"]).quiet();
    assert!(run.stdout.starts_with(now), "{run:?}");
    #[cfg(unix)]
    {
        let mut screen = Screen::run(&sandbox, &["switch"], (100, 12));
        screen.until(|screen| screen.option().is_some());
        assert!(screen.shows("(default, disabled)"), "{:#?}", screen.lines());
        screen.control_c();
        drop(screen.end());
    }
}

/// Each key writes less than a screen, however many subscriptions there are.
#[cfg(unix)]
#[test]
fn a_key_draws_what_changed() {
    let mut sandbox = two_people();
    sandbox.set("AZURE_CORE_NO_COLOR", "true");
    let profile = sandbox.read("azureProfile.json");
    let text = profile.trim_start_matches('\u{feff}');
    let mut profile: serde_json::Value = serde_json::from_str(text).unwrap();
    let entries = profile["subscriptions"].as_array_mut().unwrap();
    let model = entries[0].clone();
    entries.extend((0..5000).map(|at| {
        let mut entry = model.clone();
        entry["id"] = format!("60000000-0000-4000-8000-{at:012}").into();
        entry["name"] = format!("Payments weu {at:04}").into();
        entry["isDefault"] = false.into();
        entry
    }));
    sandbox.write("azureProfile.json", profile.to_string());
    let mut screen = Screen::run(&sandbox, &["switch"], (100, 24));
    screen.until(|screen| screen.shows("5004 of 5004"));
    screen.search("pay");
    let before = screen.raw.len();
    for _ in 0..10 {
        screen.press(DOWN);
    }
    // Two rows of a hundred columns, and a few escape sequences.
    assert!((screen.raw.len() - before) / 10 < 400, "{}", screen.raw.len() - before);
    screen.search("ments 4321");
    screen.until(|screen| screen.shows("1 of 5004"));
    screen.send(ENTER);
    let (rest, _) = screen.end();
    assert!(rest.contains("Now: Payments weu 4321 · "), "{rest}");
}
