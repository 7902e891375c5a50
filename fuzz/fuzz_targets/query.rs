//! `--query` and every format over a result: the query before the first NUL, the result's JSON after it.
#![no_main]

use azt::output::{Format, Query, Render};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let (query, result) = text.split_once('\0').unwrap_or((text, "{\"a\": [1, {\"b\": null}, \"c\"]}"));
    let Ok(result) = serde_json::from_str(result) else { return };
    let Ok(query) = Query::parse(query) else { return };
    for format in ["json", "jsonc", "yaml", "table", "tsv", "none"] {
        let format: Format = format.parse().unwrap();
        let _ = Render { format, query: Some(&query), ..Render::default() }.render(&result);
    }
});
