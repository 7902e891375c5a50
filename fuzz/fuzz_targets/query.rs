//! `--query` and every format: the input is the query, NUL, and the result as JSON.
//!
//! Long queries are only parsed: a query of n letters can produce a result of size 2^(n/6), as in az.
#![no_main]

use azt::internals::output::{Format, Query, Render};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let (query, result) = text.split_once('\0').unwrap_or((text, "{\"a\": [1, {\"b\": null}, \"c\"]}"));
    let Ok(result) = serde_json::from_str(result) else { return };
    let is_short = query.len() <= 96;
    let Ok(query) = Query::parse(query) else { return };
    if !is_short {
        return;
    }
    for format in ["json", "jsonc", "yaml", "table", "tsv", "none"] {
        let format: Format = format.parse().unwrap();
        let _ = Render { format, query: Some(&query), ..Render::default() }.render(&result);
    }
});
