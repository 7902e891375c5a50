//! `%` in values: `%%` is a percent sign, `%(name)s` the value of another option.

use std::borrow::Cow;

/// How deep references may refer to references (Python's `MAX_INTERPOLATION_DEPTH`).
const MAX_DEPTH: usize = 10;

/// What `raw` stands for; `lookup` knows the raw values of lower-case names. An error is a phrase
/// without a full stop.
pub(super) fn interpolate<'a>(
    raw: &'a str,
    lookup: &dyn Fn(&str) -> Option<&'a str>,
) -> Result<Cow<'a, str>, String> {
    if !raw.contains('%') {
        return Ok(Cow::Borrowed(raw));
    }
    let mut out = String::with_capacity(raw.len());
    expand(raw, lookup, 1, &mut out)?;
    Ok(Cow::Owned(out))
}

fn expand<'a>(
    raw: &'a str,
    lookup: &dyn Fn(&str) -> Option<&'a str>,
    depth: usize,
    out: &mut String,
) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("more than {MAX_DEPTH} references lead to each other"));
    }
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
        } else if let Some((name, after)) = reference(after) {
            let name = name.to_lowercase();
            let Some(value) = lookup(&name) else {
                return Err(format!("%({name})s refers to an option that is not there"));
            };
            if value.contains('%') {
                expand(value, lookup, depth + 1, out)?;
            } else {
                out.push_str(value);
            }
            rest = after;
        } else {
            return Err("a '%' must be written '%%'".into());
        }
    }
    out.push_str(rest);
    Ok(())
}

/// Splits what follows a `%` into the name of `(name)s` and the rest.
fn reference(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('(')?.split_once(')')?;
    Some((name, after.strip_prefix('s')?)).filter(|(name, _)| !name.is_empty())
}
