//! Evaluates an expression on a value.

use std::cmp::Ordering;

use super::QueryError;
use super::ast::{Ast, Comparator, Literal, Step};
use super::functions;
use super::signature::{Argument, python_type};
use crate::output::datum::{Datum, List};

/// The result of an evaluation.
pub(super) type Outcome<'a> = Result<Datum<'a>, QueryError>;

/// Evaluates `ast` on `value`.
///
/// This function recurses, so the code of each node is in its own function to keep the stack frame
/// small.
pub(super) fn evaluate<'a>(ast: &'a Ast, value: &Datum<'a>) -> Outcome<'a> {
    match ast {
        Ast::Current => Ok(value.clone()),
        Ast::Field(name) => Ok(field(name, value)),
        Ast::Literal(Literal::Value(literal)) => Ok(literal.into()),
        Ast::Literal(Literal::Float(float)) => Ok(Datum::Float(*float)),
        Ast::Index { base, steps } => index(base, steps, value),
        Ast::Chain(left, right) => chain(left, right, value),
        Ast::Projection(left, right) => projection(left, right, value),
        Ast::ValueProjection(left, right) => value_projection(left, right, value),
        Ast::FilterProjection { base, then, condition } => filter(base, then, condition, value),
        Ast::Flatten(node) => flatten(node, value),
        Ast::Comparison(comparator, left, right) => comparison(*comparator, left, right, value),
        Ast::Or(left, right) => either(left, right, false, value),
        Ast::And(left, right) => either(left, right, true, value),
        Ast::Not(node) => not(node, value),
        Ast::List(items) => list(items, value),
        Ast::Hash(pairs) => hash(pairs, value),
        Ast::Function(name, arguments) => function(name, arguments, value),
        Ast::Expression(_) => Err(no_value()),
    }
}

/// The error for an `&expression` in place of a value.
pub(super) fn no_value() -> QueryError {
    QueryError::Evaluation("Object of type _Expression is not JSON serializable".to_owned())
}

fn field<'a>(name: &str, value: &Datum<'a>) -> Datum<'a> {
    match value {
        Datum::Dict(dict) => dict.get(name).unwrap_or(Datum::Null),
        _ => Datum::Null,
    }
}

fn index<'a>(base: &'a Ast, steps: &[Step], value: &Datum<'a>) -> Outcome<'a> {
    let base = evaluate(base, value)?;
    steps.iter().try_fold(base, |value, step| self::step(step, &value))
}

fn chain<'a>(left: &'a Ast, right: &'a Ast, value: &Datum<'a>) -> Outcome<'a> {
    evaluate(right, &evaluate(left, value)?)
}

fn projection<'a>(left: &'a Ast, right: &'a Ast, value: &Datum<'a>) -> Outcome<'a> {
    match evaluate(left, value)? {
        Datum::List(list) => project(list.iter(), right),
        _ => Ok(Datum::Null),
    }
}

fn value_projection<'a>(left: &'a Ast, right: &'a Ast, value: &Datum<'a>) -> Outcome<'a> {
    match evaluate(left, value)? {
        Datum::Dict(dict) => project(dict.entries().into_iter().map(|entry| entry.1), right),
        _ => Ok(Datum::Null),
    }
}

fn project<'a>(items: impl Iterator<Item = Datum<'a>>, then: &'a Ast) -> Outcome<'a> {
    let mut collected = Vec::new();
    for item in items {
        push_unless_null(&mut collected, evaluate(then, &item)?);
    }
    Ok(Datum::list(collected))
}

fn filter<'a>(base: &'a Ast, then: &'a Ast, condition: &'a Ast, value: &Datum<'a>) -> Outcome<'a> {
    let Datum::List(list) = evaluate(base, value)? else { return Ok(Datum::Null) };
    let mut kept = Vec::new();
    for item in list.iter() {
        if is_true(&evaluate(condition, &item)?) {
            push_unless_null(&mut kept, evaluate(then, &item)?);
        }
    }
    Ok(Datum::list(kept))
}

fn flatten<'a>(node: &'a Ast, value: &Datum<'a>) -> Outcome<'a> {
    let Datum::List(list) = evaluate(node, value)? else { return Ok(Datum::Null) };
    let mut merged = Vec::new();
    for item in list.iter() {
        match item {
            Datum::List(inner) => merged.extend(inner.iter()),
            other => merged.push(other),
        }
    }
    Ok(Datum::list(merged))
}

fn comparison<'a>(
    comparator: Comparator,
    left: &'a Ast,
    right: &'a Ast,
    value: &Datum<'a>,
) -> Outcome<'a> {
    compare(comparator, &evaluate(left, value)?, &evaluate(right, value)?)
}

/// Returns `right` if the truth of `left` is `wanted`, otherwise `left`.
fn either<'a>(left: &'a Ast, right: &'a Ast, wanted: bool, value: &Datum<'a>) -> Outcome<'a> {
    let left = evaluate(left, value)?;
    if is_true(&left) == wanted { evaluate(right, value) } else { Ok(left) }
}

fn not<'a>(node: &'a Ast, value: &Datum<'a>) -> Outcome<'a> {
    Ok(Datum::Bool(!is_true(&evaluate(node, value)?)))
}

fn list<'a>(items: &'a [Ast], value: &Datum<'a>) -> Outcome<'a> {
    if matches!(value, Datum::Null) {
        return Ok(Datum::Null);
    }
    let items = items.iter().map(|item| evaluate(item, value));
    items.collect::<Result<_, _>>().map(Datum::list)
}

fn hash<'a>(pairs: &'a [(String, Ast)], value: &Datum<'a>) -> Outcome<'a> {
    if matches!(value, Datum::Null) {
        return Ok(Datum::Null);
    }
    let pairs = pairs.iter().map(|(key, ast)| Ok((key.as_str(), evaluate(ast, value)?)));
    Ok(Datum::dict(pairs.collect::<Result<Vec<_>, _>>()?, true))
}

fn function<'a>(name: &str, arguments: &'a [Ast], value: &Datum<'a>) -> Outcome<'a> {
    let arguments = arguments.iter().map(|argument| match argument {
        Ast::Expression(ast) => Ok(Argument::Expression(ast)),
        ast => evaluate(ast, value).map(Argument::Value),
    });
    functions::call(name, &arguments.collect::<Result<Vec<_>, _>>()?)
}

fn push_unless_null<'a>(items: &mut Vec<Datum<'a>>, item: Datum<'a>) {
    if !matches!(item, Datum::Null) {
        items.push(item);
    }
}

fn step<'a>(step: &Step, value: &Datum<'a>) -> Outcome<'a> {
    let Datum::List(list) = value else { return Ok(Datum::Null) };
    match step {
        Step::At(index) => {
            let from_end = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
            let index = if *index < 0 { list.len().checked_sub(from_end) } else { Some(from_end) };
            Ok(index.and_then(|index| list.get(index)).unwrap_or(Datum::Null))
        }
        Step::Slice(bounds) => slice(list, *bounds),
    }
}

/// A slice by Python's rules: negative bounds count from the end, and bounds are clipped.
fn slice<'a>(
    list: &List<'a>,
    [from, to, stride]: [Option<i64>; 3],
) -> Result<Datum<'a>, QueryError> {
    let stride = stride.unwrap_or(1);
    if stride == 0 {
        return Err(QueryError::Evaluation("slice step cannot be zero".to_owned()));
    }
    let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
    let (lowest, highest) = if stride > 0 { (0, length) } else { (-1, length - 1) };
    let clip = |bound: i64| {
        let bound = if bound < 0 { bound.saturating_add(length) } else { bound };
        bound.clamp(lowest, highest.max(lowest))
    };
    let mut index = from.map_or(if stride > 0 { lowest } else { highest }, clip);
    let end = to.map_or(if stride > 0 { highest } else { lowest }, clip);
    let mut items = Vec::new();
    while if stride > 0 { index < end } else { index > end } {
        items.extend(usize::try_from(index).ok().and_then(|index| list.get(index)));
        index = index.saturating_add(stride);
    }
    Ok(Datum::list(items))
}

/// JMESPath's truth: false for null, false and empty values; true for all others, including zero.
pub(super) fn is_true(value: &Datum<'_>) -> bool {
    match value {
        Datum::Null | Datum::Bool(false) => false,
        Datum::Text(text) => !text.is_empty(),
        Datum::List(list) => list.len() > 0,
        Datum::Dict(dict) => dict.len() > 0,
        Datum::Bool(true) | Datum::Int(_) | Datum::Float(_) => true,
    }
}

fn compare<'a>(
    comparator: Comparator,
    left: &Datum<'a>,
    right: &Datum<'a>,
) -> Result<Datum<'a>, QueryError> {
    let (sign, holds): (&str, fn(Ordering) -> bool) = match comparator {
        Comparator::Equal => return Ok(Datum::Bool(equal(left, right))),
        Comparator::NotEqual => return Ok(Datum::Bool(!equal(left, right))),
        Comparator::Less => ("<", Ordering::is_lt),
        Comparator::LessOrEqual => ("<=", Ordering::is_le),
        Comparator::Greater => (">", Ordering::is_gt),
        Comparator::GreaterOrEqual => (">=", Ordering::is_ge),
    };
    let comparable =
        |value: &Datum<'_>| matches!(value, Datum::Int(_) | Datum::Float(_) | Datum::Text(_));
    if !comparable(left) || !comparable(right) {
        return Ok(Datum::Null);
    }
    Ok(Datum::Bool(order(left, right, sign)?.is_some_and(holds)))
}

/// Compares numbers or strings as Python does; `None` if one is NaN. `sign` is the operator in the
/// error about comparing a number with a string.
pub(super) fn order(
    left: &Datum<'_>,
    right: &Datum<'_>,
    sign: &str,
) -> Result<Option<Ordering>, QueryError> {
    match (left, right) {
        (Datum::Text(left), Datum::Text(right)) => Ok(Some((**left).cmp(&**right))),
        (Datum::Int(left), Datum::Int(right)) => Ok(Some(left.cmp(right))),
        _ => {
            if let (Some(left), Some(right)) = (as_float(left), as_float(right)) {
                return Ok(left.partial_cmp(&right));
            }
            let (left, right) = (python_type(left), python_type(right));
            let reason =
                format!("'{sign}' not supported between instances of '{left}' and '{right}'");
            Err(QueryError::Evaluation(reason))
        }
    }
}

/// Converts a number to a float.
#[expect(clippy::cast_precision_loss, reason = "Python's own conversion rounds as well")]
pub(super) fn as_float(value: &Datum<'_>) -> Option<f64> {
    match value {
        Datum::Int(int) => Some(*int as f64),
        Datum::Float(float) => Some(*float),
        _ => None,
    }
}

/// `==` of a query: Python's, except that 0 and 1 do not equal false and true. Inside lists and
/// dictionaries they do.
fn equal(left: &Datum<'_>, right: &Datum<'_>) -> bool {
    let boolean = |value: &Datum<'_>| matches!(value, Datum::Bool(_));
    boolean(left) == boolean(right) && python_equal(left, right)
}

/// Python's `==`.
pub(super) fn python_equal(left: &Datum<'_>, right: &Datum<'_>) -> bool {
    match (left, right) {
        (Datum::Null, Datum::Null) => true,
        (Datum::Text(left), Datum::Text(right)) => **left == **right,
        (Datum::List(left), Datum::List(right)) => {
            left.len() == right.len()
                && left.iter().zip(right.iter()).all(|(left, right)| python_equal(&left, &right))
        }
        (Datum::Dict(left), Datum::Dict(right)) => {
            // Two OrderedDicts are equal only in the same order.
            let ordered = left.is_ordered() && right.is_ordered();
            let (left, right) = if ordered {
                (left.entries(), right.entries())
            } else {
                (left.sorted(), right.sorted())
            };
            left.len() == right.len()
                && left
                    .iter()
                    .zip(&right)
                    .all(|(left, right)| left.0 == right.0 && python_equal(&left.1, &right.1))
        }
        _ => match (number(left), number(right)) {
            (Some(Datum::Int(left)), Some(Datum::Int(right))) => left == right,
            (Some(left), Some(right)) => as_float(&left) == as_float(&right),
            _ => false,
        },
    }
}

/// Returns a number unchanged, and a boolean as 0 or 1, as in Python.
fn number<'a>(value: &Datum<'_>) -> Option<Datum<'a>> {
    match value {
        Datum::Bool(flag) => Some(Datum::Int(i128::from(*flag))),
        Datum::Int(int) => Some(Datum::Int(*int)),
        Datum::Float(float) => Some(Datum::Float(*float)),
        _ => None,
    }
}
