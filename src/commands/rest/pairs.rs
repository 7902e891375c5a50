//! Headers and parameters: `KEY=VALUE`, JSON, or Python's notation of it.

use serde_json::Value;

use super::literal;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

/// `text` as JSON, or in Python's notation.
pub(super) fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().or_else(|| literal::parse(text))
}

/// The pairs of `words`, the values of `option`. Of two with one name, by `is_same`, the last counts.
///
/// # Errors
/// A word has no `=` and is no object.
pub(super) fn read<'w>(
    words: impl IntoIterator<Item = &'w str>,
    option: &str,
    is_same: fn(&str, &str) -> bool,
) -> Result<Vec<(String, Value)>> {
    let mut pairs: Vec<(String, Value)> = Vec::new();
    let mut set =
        |name: String, value: Value| match pairs.iter_mut().find(|(own, _)| is_same(own, &name)) {
            Some((_, old)) => *old = value,
            None => pairs.push((name, value)),
        };
    for word in words {
        match (json(word), word.split_once('=')) {
            (Some(Value::Object(members)), _) => {
                members.into_iter().for_each(|(name, value)| set(name, value));
            }
            (None, Some((name, value))) => set(name.to_owned(), value.into()),
            // The value may be a secret.
            (_, _) => {
                let text = format!("A value of {option} is neither KEY=VALUE nor a JSON object.");
                return Err(Error::new(Kind::Inapplicable, text));
            }
        }
    }
    Ok(pairs)
}

/// The headers of `words`. Null takes a header away.
///
/// # Errors
/// A header is no text.
pub(super) fn headers(words: &[Secret]) -> Result<Vec<(String, Secret)>> {
    let words = words.iter().map(Secret::expose);
    let pairs = read(words, "--headers", str::eq_ignore_ascii_case)?;
    let text = |(name, value): (String, Value)| match value {
        Value::Null => None,
        Value::String(text) => Some(Ok((name, Secret::new(text)))),
        _ => Some(Err(Error::new(Kind::Inapplicable, "A header of --headers is not a text."))),
    };
    pairs.into_iter().filter_map(text).collect()
}

/// The query of `words`, encoded; `None` if it is empty.
pub(super) fn query(words: &[String]) -> Result<Option<String>> {
    let pairs = read(words.iter().map(String::as_str), "--uri-parameters", |a, b| a == b)?;
    let mut query = String::new();
    for (name, value) in pairs {
        let values = match value {
            Value::Array(values) => values,
            value => vec![value],
        };
        for text in values.iter().filter_map(shown) {
            if !query.is_empty() {
                query.push('&');
            }
            query.push_str(&super::url::quoted_plus(&name));
            query.push('=');
            query.push_str(&super::url::quoted_plus(&text));
        }
    }
    Ok(Some(query).filter(|query| !query.is_empty()))
}

/// `value` as Python prints it.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(true) => Some("True".to_owned()),
        Value::Bool(false) => Some("False".to_owned()),
        Value::String(text) => Some(text.clone()),
        value => Some(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_a_query() {
        let query = |words: &[&str]| {
            super::query(&words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())
        };
        for (words, expected) in [
            (&["$top=3"][..], "%24top=3"),
            (&["a=b=c", "d="], "a=b%3Dc&d="),
            (&["a=1", "a=2"], "a=2"),
            (&[r#"{"a": [1, "x y"], "b": true, "c": null}"#], "a=1&a=x+y&b=True"),
            (&["{'$filter': \"name eq 'x'\"}"], "%24filter=name+eq+%27x%27"),
            (&["u=\u{fc}~*"], "u=%C3%BC~%2A"),
        ] {
            assert_eq!(query(words).unwrap().as_deref(), Some(expected), "{words:?}");
        }
        assert_eq!(query(&["{}"]).unwrap(), None);
        for word in ["a", "5", "[1]", "\"a=b\""] {
            assert_eq!(query(&[word]).unwrap_err().kind(), Kind::Inapplicable, "{word}");
        }
    }

    #[test]
    fn headers_have_no_case() {
        let headers = |words: &[&str]| {
            let words: Vec<Secret> = words.iter().map(|it| Secret::new(*it)).collect();
            let all = super::headers(&words).unwrap().into_iter();
            all.map(|(name, value)| format!("{name}: {}", value.expose())).collect::<Vec<_>>()
        };
        assert_eq!(headers(&["A=1", "a=2", "{'B': 'x', 'C': None}"]), ["A: 2", "B: x"]);
        assert!(super::headers(&[Secret::new("{\"a\": 1}")]).is_err());
    }
}
