//! `%` in values: `%%` is a percent sign, `%(name)s` is the value of another option.

use std::borrow::Cow;

/// Maximum depth of nested references (Python's `MAX_INTERPOLATION_DEPTH`).
const MAX_DEPTH: usize = 10;

/// Limit on the total expansion of a value, in bytes plus one for each reference: nested references
/// multiply.
const MOST: usize = 64 * 1024;

/// Expands `raw`; `lookup` returns the raw value of a lower-case name. An error is a phrase without
/// a full stop.
pub(super) fn interpolate<'a>(
    raw: &'a str,
    lookup: &dyn Fn(&str) -> Option<&'a str>,
) -> Result<Cow<'a, str>, String> {
    if memchr::memchr(b'%', raw.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(raw));
    }
    let (mut left, mut out) = (MOST, String::with_capacity(raw.len()));
    expand(raw, lookup, 1, &mut left, &mut out)?;
    Ok(Cow::Owned(out))
}

fn expand<'a>(
    raw: &'a str,
    lookup: &dyn Fn(&str) -> Option<&'a str>,
    depth: usize,
    left: &mut usize,
    out: &mut String,
) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("references are nested more than {MAX_DEPTH} deep"));
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
                return Err(format!("%({name})s refers to a missing option"));
            };
            let Some(rest_of_budget) = left.checked_sub(value.len() + 1) else {
                return Err(format!("its references expand to more than {} KiB", MOST / 1024));
            };
            *left = rest_of_budget;
            if value.contains('%') {
                expand(value, lookup, depth + 1, left, out)?;
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

/// Splits the text after a `%` into the name of `(name)s` and the rest.
fn reference(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('(')?.split_once(')')?;
    Some((name, after.strip_prefix('s')?)).filter(|(name, _)| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten references to ten references each, nine deep, to `leaf`.
    fn bomb(leaf: &str) -> Result<String, String> {
        let ten: Vec<String> = (0..=9).map(|at| format!("%(o{at})s").repeat(10)).collect();
        let lookup = |name: &str| match name.strip_prefix('o')?.parse::<usize>().ok()? {
            0 => Some(leaf),
            at => ten.get(at - 1).map(String::as_str),
        };
        interpolate(&ten[8], &lookup).map(Cow::into_owned)
    }

    #[test]
    fn the_expansion_of_references_is_limited() {
        for leaf in ["x", "", &"x".repeat(1000)] {
            assert_eq!(bomb(leaf).unwrap_err(), "its references expand to more than 64 KiB");
        }
        let long = "x".repeat(60_000);
        assert_eq!(interpolate("%(a)s", &|_| Some(&long)).unwrap(), long);
    }
}
