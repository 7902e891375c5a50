//! Every output format and `--query` against the output of az's own libraries: the files in `cases/output`, which
//! `generate.py` there writes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use azt::internals::error::{Error, Kind};
use azt::internals::output::{Format, Query, QueryError, Render};
use serde_json::{Map, Value};

thread_local! {
    /// The columns of the current case, for [`columns`].
    static COLUMNS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// A table transformer, as commands have one.
fn columns(answer: &Value) -> Value {
    let rows = answer.as_array().cloned().unwrap_or_else(|| vec![answer.clone()]);
    let row = |row: &Value| {
        let cell = |key: &String| Some((key.clone(), row.get(key)?.clone()));
        COLUMNS.with_borrow(|columns| {
            Value::Object(columns.iter().filter_map(cell).collect::<Map<_, _>>())
        })
    };
    Value::Array(rows.iter().map(row).collect())
}

fn print(answer: &Value, case: &Value) -> Result<String, QueryError> {
    let query = case["query"].as_str().map(Query::parse).transpose()?;
    let wanted: Option<Vec<String>> = serde_json::from_value(case["columns"].clone()).unwrap();
    let table = wanted.is_some().then_some(columns as fn(&Value) -> Value);
    COLUMNS.set(wanted.unwrap_or_default());
    let format: Format = case["format"].as_str().unwrap().parse().unwrap();
    let colour = case["colour"] == true;
    let render = Render { format, query: query.as_ref(), table, colour };
    render.render(answer).map(|text| text.to_string())
}

/// Expected and actual output.
fn failure(answer: &Value, case: &Value) -> Option<(String, String)> {
    let printed = print(answer, case);
    let expected = ["stdout", "usage", "error", "traceback"]
        .into_iter()
        .find(|kind| !case[kind].is_null())
        .unwrap();
    let (kind, text) = match &printed {
        Ok(text) => ("stdout", text.clone()),
        Err(error @ QueryError::Syntax(_)) => ("usage", error.to_string()),
        // Where az prints a traceback, azt says the same as an ordinary error.
        Err(QueryError::Evaluation(reason)) if expected == "traceback" => {
            ("traceback", reason.clone())
        }
        Err(error @ QueryError::Evaluation(_)) => ("error", error.to_string()),
    };
    let fits = kind == expected && case[expected] == text;
    (!fits).then(|| {
        (format!("{expected} {}", case[expected]), format!("{kind} {}", Value::String(text)))
    })
}

fn check(file: &Path) -> (usize, Vec<String>) {
    let groups: Vec<Value> = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let mut count = 0;
    let mut failures = Vec::new();
    for group in &groups {
        for case in group["cases"].as_array().unwrap() {
            count += 1;
            if let Some((expected, printed)) = failure(&group["value"], case) {
                let mut request = case.clone();
                for kind in ["stdout", "usage", "error", "traceback"] {
                    request.as_object_mut().unwrap().remove(kind);
                }
                failures.push(format!(
                    "{} of {}\n  az  {expected}\n  azt {printed}",
                    request, group["value"]
                ));
            }
        }
    }
    (count, failures)
}

#[test]
fn prints_what_az_prints() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/output");
    let mut count = 0;
    let mut failures = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_some_and(|extension| extension == "json") {
            let (cases, failed) = check(&file);
            count += cases;
            failures.extend(failed);
        }
    }
    assert!(count > 2000, "only {count} cases were found");
    assert!(
        failures.is_empty(),
        "{} of {count} cases differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn format_names_are_case_insensitive() {
    for format in Format::ALL {
        assert_eq!(format.name().to_uppercase().parse(), Ok(format));
    }
    assert_eq!(
        "xml".parse::<Format>().unwrap_err().to_string(),
        "Allowed values: json, jsonc, yaml, yamlc, table, tsv, none."
    );
}

#[test]
fn a_query_may_be_nested_up_to_a_limit() {
    let nested = |open: &str, close: &str, depth: usize| {
        format!("{}@{}", open.repeat(depth), close.repeat(depth))
    };
    let answer = serde_json::json!([[true]]);
    for query in [
        nested("!", "", 98),
        nested("[", "]", 98),
        nested("to_array(", ")", 98),
        nested("", "[]", 590),
        nested("", " | @", 290),
    ] {
        let query = Query::parse(&query).unwrap();
        let render = Render { query: Some(&query), ..Render::default() };
        assert!(!render.render(&answer).unwrap().is_empty());
    }
    for query in [nested("!", "", 100_000), nested("(", ")", 200), nested("", " | @", 50_000)] {
        assert!(matches!(Query::parse(&query), Err(QueryError::Syntax(_))));
    }
}

#[test]
fn a_failed_query_links_the_reference() {
    let syntax: Error = Query::parse("bad[").unwrap_err().into();
    assert_eq!(syntax.kind(), Kind::Usage);
    let query = Query::parse("nofunc()").unwrap();
    let render = Render { query: Some(&query), ..Render::default() };
    let evaluation: Error = render.render(&Value::Null).unwrap_err().into();
    assert_eq!(evaluation.kind(), Kind::Failed);
    for error in [syntax, evaluation] {
        let remedy = error.remedy_lines().join("\n");
        assert!(
            remedy.ends_with("'https://learn.microsoft.com/cli/azure/query-azure-cli'"),
            "{remedy}"
        );
    }
}
