//! Tests of the command line.

use super::*;

/// The tests combine every two of these: all options with typical values, empty values,
/// repeated options, abbreviations, mistakes.
const PIECES: [&[&str]; 40] = [
    &[],
    &["-o", "json"],
    &["-ojson"],
    &["-o=tsv"],
    &["--output=table"],
    &["--output", "JSON"],
    &["--output", "nonsense"],
    &["-o"],
    &["--query", "accessToken"],
    &["--query=a.b"],
    &["--query", ""],
    &["--resource", "https://graph.microsoft.com/"],
    &["--resource", ""],
    &["--resource="],
    &["--resource"],
    &["--scope", "a/.default"],
    &["--scope", "a", "b", "c"],
    &["--scope=a"],
    &["--scope=a", "b"],
    &["--scope"],
    &["--scope", "a", ""],
    &["--tenant", "t"],
    &["-t", "t"],
    &["-t=t"],
    &["-tt"],
    &["--subscription", "My Sub"],
    &["-s", "x"],
    &["--name=x"],
    &["-n", "x"],
    &["--resource-type", "arm"],
    &["--account", "a@b"],
    &["--client-id", "c"],
    &["--authority=https://a"],
    &["--claims", "{\"a\":\"=b\"}"],
    &["--user-assertion", "e.y.j"],
    &["--identity-from-env"],
    &["--only-show-errors"],
    &["--debug", "--verbose"],
    &["extra"],
    &["--subscr", "x"],
];

fn words<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Word> {
    let word = |text: &str| Word { text: text.to_owned(), is_value: false };
    texts.into_iter().map(word).collect()
}

#[test]
fn the_fast_parser_agrees_with_clap() {
    let mut understood = 0;
    for (first, second) in PIECES.iter().flat_map(|a| PIECES.iter().map(move |b| (a, b))) {
        let line: Vec<&str> =
            ["account", "get-access-token"].iter().chain(*first).chain(*second).copied().collect();
        let words = words(line.iter().copied());
        if let Some(cli) = hot::parse(&words) {
            understood += 1;
            let root = tree(Program::Az, &line[..2]);
            let other = by_clap(Program::Az, &words, root).unwrap();
            assert_eq!(format!("{cli:?}"), format!("{other:?}"), "{line:?}");
        }
    }
    assert!(understood > 400, "the fast parser accepted only {understood}");
}

#[test]
fn the_fast_parser_agrees_with_clap_about_tokens() {
    const OF_TOKEN: [&[&str]; 12] = [
        &["graph"],
        &["https://a/?b=c"],
        &[""],
        &["--header"],
        &["--header=x"],
        &["--json"],
        &["--decode"],
        &["--min-lifetime", "20m"],
        &["--min-lifetime=20m"],
        &["--min-lifetime"],
        &["--force-refresh"],
        &["--forc"],
    ];
    let all = || OF_TOKEN.iter().chain(&PIECES);
    let mut understood = 0;
    for (first, second) in OF_TOKEN.iter().flat_map(|a| all().map(move |b| (a, b))) {
        for pair in [[first, second], [second, first]] {
            let line = ["token"].iter().chain(pair.into_iter().copied().flatten()).copied();
            let words = words(line);
            if let Some(cli) = hot::parse(&words) {
                understood += 1;
                let root = tree(Program::Azt, &["token"]);
                let other = by_clap(Program::Azt, &words, root).unwrap();
                assert_eq!(format!("{cli:?}"), format!("{other:?}"), "{pair:?}");
            }
        }
    }
    assert!(understood > 300, "the fast parser accepted only {understood}");
}

#[test]
fn a_habit_names_the_command_of_azt() {
    let error = |program, line: &str| match understood(program, words(line.split(' '))) {
        Ok(_) => panic!("{line} is a command"),
        Err(error) => error,
    };
    for (line, own) in [
        ("auth login", "azt login"),
        ("auth token", "azt token"),
        ("AUTH Status", "azt whoami"),
        ("get-access-token --resource x", "azt token"),
        ("account switch", "azt switch"),
        ("auth print-access-token", "azt token"),
    ] {
        let found = error(Program::Azt, line);
        assert_eq!(found.curing_command(), Some(own));
        assert!(found.message().ends_with(&format!("Run: {own}")), "{line}: {found}");
        assert_eq!(found.kind(), Kind::Usage);
    }
    // Programs may run it unseen.
    assert_eq!(error(Program::Azt, "auth logout").curing_command(), None);
    let found = error(Program::Azt, "account show --subscripton x");
    assert_eq!(found.remedy_lines()[0], "See 'azt account show --help'.");
    assert_eq!(found.remedy_lines()[1], "Did you mean --subscription?");
    for line in ["auth login", "token", "whoami", "status"] {
        let found = error(Program::Az, line);
        let word = line.split(' ').next().unwrap();
        let text = format!("'{word}' is misspelled or not recognized by the system.");
        assert_eq!(found.message(), text);
    }
}

#[test]
fn the_fast_parser_accepts_sdk_calls() {
    for line in [
        "account get-access-token",
        "account get-access-token --output json --resource https://management.azure.com",
        "account get-access-token -o json --scope https://storage.azure.com/.default --tenant t",
        "account get-access-token --scope https://management.azure.com/.default --subscription s -o=json",
        "account get-access-token --query accessToken -o tsv",
    ] {
        assert!(hot::parse(&words(line.split(' '))).is_some(), "{line}");
    }
}
