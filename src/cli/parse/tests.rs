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
        let line: Vec<&str> = ["account", "get-access-token"]
            .iter()
            .chain(*first)
            .chain(*second)
            .copied()
            .collect();
        let words = words(line.iter().copied());
        if let Some(cli) = hot::parse(&words) {
            understood += 1;
            let other = by_clap(Program::Az, &words).unwrap();
            assert_eq!(format!("{cli:?}"), format!("{other:?}"), "{line:?}");
        }
    }
    assert!(understood > 400, "the fast parser accepted only {understood}");
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
