//! The functions of queries, as in jmespath.py.

use std::cmp::Ordering;

use super::QueryError;
use super::interpreter::{Outcome, as_float, order, python_equal};
use super::signature::{Argument, Arguments, Signature, Types, python_type, type_error};
use crate::foreign::is_python_space;
use crate::output::datum::{Datum, Text};
use crate::output::json;
use crate::output::python;
use crate::output::sink::Sink;

type Run = for<'a> fn(&Arguments<'_, 'a>) -> Outcome<'a>;

const ANY: Types = &[];
const ARRAY: Types = &["array"];
const EXPRESSION: Types = &["expref"];
const NUMBER: Types = &["number"];
const NUMBERS: Types = &["array-number"];
const NUMBERS_OR_STRINGS: Types = &["array-number", "array-string"];
const OBJECT: Types = &["object"];
const STRING: Types = &["string"];

const fn fixed(name: &'static str, arguments: &'static [Types]) -> Signature {
    Signature { name, arguments, variadic: false }
}

const fn variadic(name: &'static str, arguments: &'static [Types]) -> Signature {
    Signature { name, arguments, variadic: true }
}

const FUNCTIONS: [(Signature, Run); 26] = [
    (fixed("abs", &[NUMBER]), abs),
    (fixed("avg", &[NUMBERS]), avg),
    (fixed("ceil", &[NUMBER]), |arguments| whole(arguments, f64::ceil)),
    (fixed("contains", &[&["array", "string"], ANY]), contains),
    (fixed("ends_with", &[STRING, STRING]), |arguments| {
        Ok(Datum::Bool(arguments.text(0)?.ends_with(&*arguments.text(1)?)))
    }),
    (fixed("floor", &[NUMBER]), |arguments| whole(arguments, f64::floor)),
    (fixed("join", &[STRING, &["array-string"]]), join),
    (fixed("keys", &[OBJECT]), |arguments| {
        let entries = arguments.dict(0)?.entries();
        Ok(Datum::list(entries.into_iter().map(|(key, _)| Datum::Text(Text::Given(key))).collect()))
    }),
    (fixed("length", &[&["string", "array", "object"]]), length),
    (fixed("map", &[EXPRESSION, ARRAY]), |arguments| {
        let results = arguments
            .list(1)?
            .iter()
            .map(|item| arguments.evaluate(0, &item))
            .collect::<Result<_, _>>();
        results.map(Datum::list)
    }),
    (fixed("max", &[NUMBERS_OR_STRINGS]), |arguments| extreme(arguments, ">")),
    (fixed("max_by", &[ARRAY, EXPRESSION]), |arguments| extreme_by("max_by", arguments, ">")),
    (variadic("merge", &[OBJECT]), merge),
    (fixed("min", &[NUMBERS_OR_STRINGS]), |arguments| extreme(arguments, "<")),
    (fixed("min_by", &[ARRAY, EXPRESSION]), |arguments| extreme_by("min_by", arguments, "<")),
    (variadic("not_null", &[ANY]), not_null),
    (fixed("reverse", &[&["array", "string"]]), reverse),
    (fixed("sort", &[&["array-string", "array-number"]]), |arguments| {
        let items = arguments.list(0)?;
        Ok(sorted(items.iter().map(|item| (item.clone(), item)).collect()))
    }),
    (fixed("sort_by", &[ARRAY, EXPRESSION]), sort_by),
    (fixed("starts_with", &[STRING, STRING]), |arguments| {
        Ok(Datum::Bool(arguments.text(0)?.starts_with(&*arguments.text(1)?)))
    }),
    (fixed("sum", &[NUMBERS]), |arguments| Ok(sum(arguments.list(0)?.iter()))),
    (fixed("to_array", &[ANY]), |arguments| {
        let value = arguments.value(0)?;
        Ok(if matches!(value, Datum::List(_)) { value } else { Datum::list(vec![value]) })
    }),
    (fixed("to_number", &[ANY]), |arguments| Ok(to_number(&arguments.value(0)?))),
    (fixed("to_string", &[ANY]), |arguments| Ok(to_string(&arguments.value(0)?))),
    (fixed("type", &[ANY]), |arguments| {
        Ok(match arguments.0.first() {
            // jmespath.py has no name for expressions and returns null.
            None | Some(Argument::Expression(_)) => Datum::Null,
            Some(argument) => Datum::Text(Text::Given(argument.type_name())),
        })
    }),
    (fixed("values", &[OBJECT]), |arguments| {
        Ok(Datum::list(arguments.dict(0)?.entries().into_iter().map(|(_, value)| value).collect()))
    }),
];

/// Calls the function `name`.
pub(super) fn call<'a>(name: &str, arguments: &[Argument<'a>]) -> Outcome<'a> {
    let found = FUNCTIONS.iter().find(|(signature, _)| signature.name == name);
    let Some((signature, run)) = found else {
        return Err(QueryError::Evaluation(format!("Unknown function: {name}()")));
    };
    signature.check(arguments)?;
    run(&Arguments(arguments))
}

fn abs<'a>(arguments: &Arguments<'_, 'a>) -> Outcome<'a> {
    Ok(match arguments.value(0)? {
        Datum::Int(int) => Datum::Int(int.saturating_abs()),
        Datum::Float(float) => Datum::Float(float.abs()),
        other => other,
    })
}

fn avg<'a>(arguments: &Arguments<'_, 'a>) -> Outcome<'a> {
    let list = arguments.list(0)?;
    let length = as_float(&Datum::Int(i128::try_from(list.len()).unwrap_or_default()));
    Ok(match (as_float(&sum(list.iter())), length) {
        (Some(sum), Some(length)) if length > 0.0 => Datum::Float(sum / length),
        _ => Datum::Null,
    })
}

/// `ceil` and `floor`, which return an integer in Python.
#[expect(
    clippy::cast_possible_truncation,
    reason = "already rounded, and saturates beyond 128 bits"
)]
fn whole<'a>(arguments: &Arguments<'_, 'a>, round: fn(f64) -> f64) -> Outcome<'a> {
    match arguments.value(0)? {
        Datum::Float(float) if float.is_finite() => Ok(Datum::Int(round(float) as i128)),
        Datum::Float(float) => {
            let name = if float.is_nan() { "NaN" } else { "infinity" };
            Err(QueryError::Evaluation(format!("cannot convert float {name} to integer")))
        }
        int => Ok(int),
    }
}

fn contains<'a>(arguments: &Arguments<'_, 'a>) -> Outcome<'a> {
    let searched = arguments.value(1)?;
    match (arguments.value(0)?, &searched) {
        (Datum::Text(text), Datum::Text(searched)) => Ok(Datum::Bool(text.contains(&**searched))),
        (Datum::List(list), _) => {
            Ok(Datum::Bool(list.iter().any(|item| python_equal(&item, &searched))))
        }
        _ => {
            let found = python_type(&searched);
            let reason = format!("'in <string>' requires string as left operand, not {found}");
            Err(QueryError::Evaluation(reason))
        }
    }
}

fn join<'a>(arguments: &Arguments<'_, 'a>) -> Outcome<'a> {
    let separator = arguments.text(0)?;
    let mut sink = Sink::default();
    for (index, item) in arguments.list(1)?.iter().enumerate() {
        sink.push_str(if index == 0 { "" } else { &separator });
        sink.push_str(&python::text(&item));
    }
    Ok(sink.into())
}

fn length<'a>(arguments: &Arguments<'_, 'a>) -> Outcome<'a> {
    let length = match arguments.value(0)? {
        Datum::Text(text) => text.chars().count(),
        Datum::List(list) => list.len(),
        Datum::Dict(dict) => dict.len(),
        _ => 0,
    };
    Ok(Datum::Int(i128::try_from(length).unwrap_or_default()))
}

fn merge<'a>(arguments: &Arguments<'_, 'a>) -> Outcome<'a> {
    let mut entries = Vec::new();
    for argument in arguments.0 {
        match argument {
            Argument::Value(Datum::Dict(dict)) => entries.extend(dict.entries()),
            // The signature checks only the first argument. az fails with a Python error here; azt
            // reports the type.
            other => return Err(type_error("merge", other, OBJECT, other.type_name())),
        }
    }
    Ok(Datum::dict(entries, false))
}

fn not_null<'a>(arguments: &Arguments<'_, 'a>) -> Outcome<'a> {
    for index in 0..arguments.0.len() {
        let value = arguments.value(index)?;
        if !matches!(value, Datum::Null) {
            return Ok(value);
        }
    }
    Ok(Datum::Null)
}

fn reverse<'a>(arguments: &Arguments<'_, 'a>) -> Outcome<'a> {
    Ok(match arguments.value(0)? {
        Datum::Text(text) => {
            let mut sink = Sink::default();
            text.chars().rev().for_each(|character| sink.push(character));
            sink.into()
        }
        Datum::List(list) => {
            let mut items: Vec<_> = list.iter().collect();
            items.reverse();
            Datum::list(items)
        }
        other => other,
    })
}

fn sum<'a>(items: impl Iterator<Item = Datum<'a>>) -> Datum<'a> {
    items.fold(Datum::Int(0), |sum, item| match (&sum, &item) {
        (Datum::Int(sum), Datum::Int(item)) => Datum::Int(sum.saturating_add(*item)),
        _ => match (as_float(&sum), as_float(&item)) {
            (Some(sum), Some(item)) => Datum::Float(sum + item),
            _ => sum,
        },
    })
}

/// Python's `int()`, else its `float()`, else null.
fn to_number<'a>(value: &Datum<'a>) -> Datum<'a> {
    match value {
        Datum::Int(_) | Datum::Float(_) => value.clone(),
        Datum::Text(text) => {
            let text = text.trim_matches(is_python_space);
            let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
            let bytes = text.as_bytes();
            let grouped = |(index, _): (usize, &str)| {
                digit(index.checked_sub(1).and_then(|before| bytes.get(before)))
                    && digit(bytes.get(index + 1))
            };
            if !text.match_indices('_').all(grouped) {
                return Datum::Null;
            }
            let text = text.replace('_', "");
            let int = text.parse().map(Datum::Int);
            int.or_else(|_| text.parse().map(Datum::Float)).unwrap_or(Datum::Null)
        }
        _ => Datum::Null,
    }
}

fn to_string<'a>(value: &Datum<'a>) -> Datum<'a> {
    if matches!(value, Datum::Text(_)) {
        return value.clone();
    }
    let mut sink = Sink::default();
    json::write_compact(value, &mut sink);
    sink.into()
}

/// `max` and `min`. Of equal values the first counts.
fn extreme<'a>(arguments: &Arguments<'_, 'a>, sign: &str) -> Outcome<'a> {
    best(arguments.list(0)?.iter().map(|item| Ok((item.clone(), item))), sign)
}

/// `max_by` and `min_by`.
fn extreme_by<'a>(function: &str, arguments: &Arguments<'_, 'a>, sign: &str) -> Outcome<'a> {
    let list = arguments.list(0)?;
    best(
        list.iter().map(|item| Ok((key(function, arguments, &item, &["number", "string"])?, item))),
        sign,
    )
}

fn best<'a>(
    keyed: impl Iterator<Item = Result<(Datum<'a>, Datum<'a>), QueryError>>,
    sign: &str,
) -> Outcome<'a> {
    let wanted = if sign == ">" { Ordering::Greater } else { Ordering::Less };
    let mut best: Option<(Datum<'a>, Datum<'a>)> = None;
    for entry in keyed {
        let entry = entry?;
        let beaten = match &best {
            Some(best) => order(&entry.0, &best.0, sign)? == Some(wanted),
            None => true,
        };
        if beaten {
            best = Some(entry);
        }
    }
    Ok(best.map_or(Datum::Null, |best| best.1))
}

fn sort_by<'a>(arguments: &Arguments<'_, 'a>) -> Outcome<'a> {
    let list = arguments.list(0)?;
    let Some(first) = list.get(0) else { return arguments.value(0) };
    // All keys must have the type of the first element's key.
    let wanted = Argument::Value(arguments.evaluate(1, &first)?).type_name();
    if !["number", "string"].contains(&wanted) {
        return Err(type_error("sort_by", &Argument::Value(first), &["string", "number"], wanted));
    }
    let keyed = list.iter().map(|item| Ok((key("sort_by", arguments, &item, &[wanted])?, item)));
    Ok(sorted(keyed.collect::<Result<_, _>>()?))
}

/// Returns the key of `item` by the `&expression` in the second argument.
fn key<'a>(
    function: &str,
    arguments: &Arguments<'_, 'a>,
    item: &Datum<'a>,
    allowed: &[&str],
) -> Outcome<'a> {
    let key = Argument::Value(arguments.evaluate(1, item)?);
    let name = key.type_name();
    match key {
        Argument::Value(key) if allowed.contains(&name) => Ok(key),
        other => Err(type_error(function, &other, allowed, name)),
    }
}

/// Returns the items of the `(key, item)` pairs, sorted by key. Keys are all strings or all
/// numbers.
fn sorted<'a>(mut keyed: Vec<(Datum<'a>, Datum<'a>)>) -> Datum<'a> {
    keyed.sort_by(|left, right| {
        order(&left.0, &right.0, "<").ok().flatten().unwrap_or(Ordering::Equal)
    });
    Datum::list(keyed.into_iter().map(|(_, item)| item).collect())
}
