//! The cases of `tests/cases/ini/cases.json`: texts as Python's configparser parses them and as
//! az's edits change them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::Ini;

type Contents = BTreeMap<String, Vec<(String, Option<String>)>>;

#[derive(Deserialize)]
struct Case {
    name: String,
    text: String,
    /// Set when Python refuses the text: the first line at fault.
    error_line: Option<usize>,
    /// True when az wrote the text.
    #[serde(default)]
    az: bool,
    #[serde(default)]
    sections: Contents,
    #[serde(default)]
    edits: Vec<Edit>,
}

#[derive(Deserialize)]
struct Edit {
    /// `set section option value`, `unset section option` or `drop section`.
    edit: Vec<String>,
    /// `None` when az's edited file does not read back the requested value.
    result: Option<Edited>,
}

#[derive(Deserialize)]
struct Edited {
    text: String,
    sections: Contents,
}

/// Edits that az can make because it rewrites the whole file, and that azt refuses because they
/// would change unrelated lines.
const ENTANGLED: [(&str, &str); 3] = [
    ("deeper-header-after-empty-section", "set"),
    ("drop-would-swallow-neighbour", "drop"),
    ("drop-would-swallow-neighbour", "set"),
];

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../../../tests/cases/ini/cases.json")).unwrap()
}

fn contents(ini: &Ini) -> Contents {
    let section = |name: &str| {
        // `items` alone is not enough: it fails when a single value cannot be interpolated.
        let mut values: Vec<(String, Option<String>)> = Vec::new();
        for section in ["DEFAULT", name].iter().filter_map(|section| ini.section(section)) {
            for option in section.options.iter().map(|option| ini.text_of(&option.name)) {
                if !values.iter().any(|(known, _)| known == option) {
                    let value = ini.get(name, option).unwrap_or(None).map(Cow::into_owned);
                    values.push((option.to_owned(), value));
                }
            }
        }
        if let Ok(items) = ini.items(name) {
            let all: Vec<_> = items
                .unwrap()
                .into_iter()
                .map(|(name, v)| (name.to_owned(), Some(v.into_owned())))
                .collect();
            assert_eq!(all, values);
        }
        values
    };
    ini.sections().map(|name| (name.to_owned(), section(name))).collect()
}

fn apply(ini: &mut Ini, edit: &[String]) -> Result<(), super::IniError> {
    let edit: Vec<&str> = edit.iter().map(String::as_str).collect();
    match edit.as_slice() {
        ["set", section, option, value] => ini.set(section, option, value),
        ["unset", section, option] => ini.unset(section, option).map(drop),
        ["drop", section] => ini.remove_section(section).map(drop),
        other => panic!("unknown edit {other:?}"),
    }
}

#[test]
fn texts_read_as_python_reads_them() {
    let cases = cases();
    assert!(cases.len() >= 60);
    for case in cases {
        match (Ini::parse(case.text.clone()), case.error_line) {
            (Ok(ini), None) => {
                assert_eq!(contents(&ini), case.sections, "{}", case.name);
                assert_eq!(ini.text(), case.text, "{}", case.name);
            }
            (Err(error), Some(line)) => assert_eq!(error.line, Some(line), "{}", case.name),
            (Ok(_), Some(_)) => panic!("{}: Python refuses this", case.name),
            (Err(error), None) => panic!("{}: {error}", case.name),
        }
    }
}

#[test]
fn edits_leave_what_az_leaves() {
    for case in cases().iter().filter(|case| case.error_line.is_none()) {
        for Edit { edit, result } in &case.edits {
            let what = format!("{}: {edit:?}", case.name);
            let mut ini = Ini::parse(case.text.clone()).unwrap();
            let outcome = apply(&mut ini, edit);
            let entangled = ENTANGLED.contains(&(case.name.as_str(), edit[0].as_str()));
            let Some(expected) = result.as_ref().filter(|_| !entangled) else {
                assert!(outcome.is_err(), "{what}");
                assert_eq!(ini.text(), case.text, "{what}: a refused edit changes nothing");
                continue;
            };
            outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(contents(&ini), expected.sections, "{what}");
            if case.az {
                assert_eq!(ini.text(), expected.text, "{what}");
            }
        }
    }
}

#[test]
fn edits_keep_every_other_line() {
    let text =
        "\u{feff}# top\n[a]\n; about x\nx=1\n  2\n  # inside\n  3\n\n# about y\nY : 2\n\n\n[b]\n";
    let mut ini = Ini::parse(text.into()).unwrap();
    ini.set("a", "x", "9").unwrap();
    ini.set("a", "new", "n").unwrap();
    assert_eq!(
        ini.text(),
        "# top\n[a]\n; about x\nx = 9\n  # inside\n\n# about y\nY : 2\nnew = n\n\n\n[b]\n"
    );
    ini.unset("a", "x").unwrap();
    ini.set("c", "z", "1").unwrap();
    assert_eq!(
        ini.text(),
        "# top\n[a]\n; about x\n  # inside\n\n# about y\nY : 2\nnew = n\n\n\n[b]\n\n[c]\nz = 1\n\n"
    );
}

#[test]
fn windows_line_ends_stay() {
    let mut ini = Ini::parse("[a]\r\nx = 1\r\n\r\n".into()).unwrap();
    ini.set("a", "y", "2\n3").unwrap();
    ini.set("b", "z", "4").unwrap();
    assert_eq!(ini.text(), "[a]\r\nx = 1\r\ny = 2\r\n\t3\r\n\r\n[b]\r\nz = 4\r\n\r\n");
}
