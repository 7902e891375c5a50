//! `%` in values: `%%` is a percent sign, `%(name)s` the value of another option.

use std::borrow::Cow;

/// How deep references may refer to references (Python's `MAX_INTERPOLATION_DEPTH`).
const MAX_DEPTH: usize = 10;

/// What all references of a value may bring together: their bytes, and one for each. References to
/// references multiply.
const MOST: usize = 64 * 1024;

/// What `raw` stands for; `lookup` knows the raw values of lower-case names. An error is a phrase
/// without a full stop.
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
            let Some(rest_of_budget) = left.checked_sub(value.len() + 1) else {
                return Err(format!("its references make more than {} KiB of it", MOST / 1024));
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

/// Splits what follows a `%` into the name of `(name)s` and the rest.
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
    fn references_do_not_multiply_for_ever() {
        for leaf in ["x", "", &"x".repeat(1000)] {
            assert_eq!(bomb(leaf).unwrap_err(), "its references make more than 64 KiB of it");
        }
        let long = "x".repeat(60_000);
        assert_eq!(interpolate("%(a)s", &|_| Some(&long)).unwrap(), long);
    }
}
