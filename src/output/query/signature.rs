//! The argument types of query functions, and jmespath.py's errors about wrong ones.

use super::QueryError;
use super::ast::Ast;
use super::interpreter::{evaluate, no_value};
use crate::output::datum::{Datum, Dict, List, Text};
use crate::output::python;
use crate::output::sink::Sink;

/// An argument of a function.
pub(super) enum Argument<'a> {
    Value(Datum<'a>),
    /// `&expression`.
    Expression(&'a Ast),
}

/// The allowed types of an argument, with jmespath.py's names: `array-string` is an array of
/// strings. An empty list allows any type.
pub(super) type Types = &'static [&'static str];

/// A function's name and the types of its arguments. If `variadic`, the last argument may be
/// repeated.
pub(super) struct Signature {
    pub(super) name: &'static str,
    pub(super) arguments: &'static [Types],
    pub(super) variadic: bool,
}

impl Signature {
    /// Checks the number and the types of `arguments`.
    pub(super) fn check(&self, arguments: &[Argument<'_>]) -> Result<(), QueryError> {
        let (expected, received) = (self.arguments.len(), arguments.len());
        let fits = if self.variadic { received >= expected } else { received == expected };
        if !fits {
            let at_least = if self.variadic { "at least " } else { "" };
            let plural = if expected == 1 { "" } else { "s" };
            return Err(QueryError::Evaluation(format!(
                "Expected {at_least}{expected} argument{plural} for function {}(), received {received}",
                self.name
            )));
        }
        self.arguments
            .iter()
            .zip(arguments)
            .try_for_each(|(types, argument)| self.check_one(types, argument))
    }

    fn check_one(&self, types: Types, argument: &Argument<'_>) -> Result<(), QueryError> {
        let received = argument.type_name();
        let main = |name: &str| name.split('-').next() == Some(received);
        if !types.is_empty() && !types.iter().any(|name| main(name)) {
            return Err(type_error(self.name, argument, types, received));
        }
        let Argument::Value(Datum::List(list)) = argument else { return Ok(()) };
        let mut subtypes: Vec<&str> = types
            .iter()
            .filter_map(|name| name.split_once('-').map(|(_, subtype)| subtype))
            .collect();
        // If several element types are allowed, the first element decides for all.
        if let (2.., Some(first)) = (subtypes.len(), list.get(0)) {
            let first = Argument::Value(first).type_name();
            subtypes.retain(|subtype| *subtype == first);
        }
        let checked = subtypes.len() < 2 && types.iter().any(|name| name.contains('-'));
        for element in list.iter().filter(|_| checked) {
            let python_type = python_type(&element);
            let element = Argument::Value(element);
            if !subtypes.contains(&element.type_name()) {
                return Err(type_error(self.name, &element, types, python_type));
            }
        }
        Ok(())
    }
}

/// The error about a value of a wrong type.
pub(super) fn type_error(
    function: &str,
    value: &Argument<'_>,
    expected: &[&str],
    received: &str,
) -> QueryError {
    let value = match value {
        Argument::Value(value) => python::text(value),
        Argument::Expression(_) => Text::Given("<jmespath.visitor._Expression object>"),
    };
    let mut types = Sink::default();
    for name in expected {
        types.push_str(if types.as_str().is_empty() { "[" } else { ", " });
        python::repr_str(name, &mut types);
    }
    QueryError::Evaluation(format!(
        "In function {function}(), invalid type for value: {}, expected one of: {}], received: \"{received}\"",
        &*value,
        types.as_str()
    ))
}

impl Argument<'_> {
    /// Returns JMESPath's name of the type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Expression(_) => "expref",
            Self::Value(Datum::Null) => "null",
            Self::Value(Datum::Bool(_)) => "boolean",
            Self::Value(Datum::Int(_) | Datum::Float(_)) => "number",
            Self::Value(Datum::Text(_)) => "string",
            Self::Value(Datum::List(_)) => "array",
            Self::Value(Datum::Dict(_)) => "object",
        }
    }
}

/// Returns Python's name of the type.
pub(super) fn python_type(value: &Datum<'_>) -> &'static str {
    match value {
        Datum::Null => "NoneType",
        Datum::Bool(_) => "bool",
        Datum::Int(_) => "int",
        Datum::Float(_) => "float",
        Datum::Text(_) => "str",
        Datum::List(_) => "list",
        Datum::Dict(dict) if dict.is_ordered() => "OrderedDict",
        Datum::Dict(_) => "dict",
    }
}

/// The checked arguments. A method returns an error if an argument has another type, which the
/// check excludes.
pub(super) struct Arguments<'s, 'a>(pub(super) &'s [Argument<'a>]);

impl<'a> Arguments<'_, 'a> {
    pub(super) fn value(&self, index: usize) -> Result<Datum<'a>, QueryError> {
        match self.0.get(index) {
            Some(Argument::Value(value)) => Ok(value.clone()),
            _ => Err(no_value()),
        }
    }

    pub(super) fn text(&self, index: usize) -> Result<Text<'a>, QueryError> {
        match self.value(index)? {
            Datum::Text(text) => Ok(text),
            _ => Err(no_value()),
        }
    }

    pub(super) fn list(&self, index: usize) -> Result<List<'a>, QueryError> {
        match self.value(index)? {
            Datum::List(list) => Ok(list),
            _ => Err(no_value()),
        }
    }

    pub(super) fn dict(&self, index: usize) -> Result<Dict<'a>, QueryError> {
        match self.value(index)? {
            Datum::Dict(dict) => Ok(dict),
            _ => Err(no_value()),
        }
    }

    /// Evaluates the `&expression` at `index` on `value`.
    pub(super) fn evaluate(
        &self,
        index: usize,
        value: &Datum<'a>,
    ) -> Result<Datum<'a>, QueryError> {
        match self.0.get(index) {
            Some(Argument::Expression(ast)) => evaluate(ast, value),
            _ => Err(no_value()),
        }
    }
}
