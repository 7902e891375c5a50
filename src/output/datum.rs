//! A value on its way to the formatters: borrowed from the command's answer wherever it can be, made by `--query`
//! where it must. Python tells apart things that JSON does not, and az's output shows it: an OrderedDict (made by
//! a multiselect hash) from a `dict`, an `int` from a `float`, and one object met twice from two that are equal.

use std::ops::Deref;
use std::rc::Rc;

use serde_json::{Map, Number, Value};
use zeroize::Zeroizing;

use super::sink::Sink;

/// One value. Cloning is cheap.
#[derive(Clone)]
pub(super) enum Datum<'a> {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Text<'a>),
    List(List<'a>),
    Dict(Dict<'a>),
}

/// A string, wiped when it was made here.
#[derive(Clone)]
pub(super) enum Text<'a> {
    Given(&'a str),
    Made(Rc<Zeroizing<String>>),
}

/// A list.
#[derive(Clone)]
pub(super) enum List<'a> {
    Given(&'a Vec<Value>),
    Made(Rc<Vec<Datum<'a>>>),
}

/// A dictionary in insertion order.
#[derive(Clone)]
pub(super) enum Dict<'a> {
    Given(&'a Map<String, Value>),
    Made(Rc<MadeDict<'a>>),
}

/// A dictionary made by `--query`.
pub(super) struct MadeDict<'a> {
    entries: Vec<(&'a str, Datum<'a>)>,
    ordered: bool,
}

impl<'a> From<&'a Value> for Datum<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => number.into(),
            Value::String(text) => Self::Text(Text::Given(text)),
            Value::Array(items) => Self::List(List::Given(items)),
            Value::Object(entries) => Self::Dict(Dict::Given(entries)),
        }
    }
}

impl From<&Number> for Datum<'_> {
    fn from(number: &Number) -> Self {
        let int = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
        int.map_or_else(|| Self::Float(number.as_f64().unwrap_or(f64::NAN)), Self::Int)
    }
}

impl From<Sink> for Datum<'_> {
    fn from(sink: Sink) -> Self {
        Self::Text(Text::Made(Rc::new(sink.finish())))
    }
}

impl<'a> Datum<'a> {
    /// A list made here.
    pub(super) fn list(items: Vec<Self>) -> Self {
        Self::List(List::Made(Rc::new(items)))
    }

    /// A dictionary made here; a later entry of the same key replaces the value and keeps the place, as in Python.
    pub(super) fn dict(entries: impl IntoIterator<Item = (&'a str, Self)>, ordered: bool) -> Self {
        let mut unique: Vec<(&'a str, Self)> = Vec::new();
        for (key, value) in entries {
            match unique.iter_mut().find(|entry| entry.0 == key) {
                Some(entry) => entry.1 = value,
                None => unique.push((key, value)),
            }
        }
        Self::Dict(Dict::Made(Rc::new(MadeDict { entries: unique, ordered })))
    }

    /// Whether this is, or anywhere inside holds, an OrderedDict.
    pub(super) fn holds_ordered_dict(&self) -> bool {
        match self {
            Self::List(list) => list.iter().any(|item| item.holds_ordered_dict()),
            Self::Dict(dict) => {
                dict.is_ordered()
                    || dict.entries().iter().any(|(_, value)| value.holds_ordered_dict())
            }
            _ => false,
        }
    }

    /// The address that Python's `id()` would stand for: equal for one container met twice. Scalars have none.
    pub(super) fn identity(&self) -> Option<*const ()> {
        match self {
            Self::List(List::Given(items)) => Some(std::ptr::from_ref(*items).cast()),
            Self::List(List::Made(items)) => Some(Rc::as_ptr(items).cast()),
            Self::Dict(Dict::Given(entries)) => Some(std::ptr::from_ref(*entries).cast()),
            Self::Dict(Dict::Made(made)) => Some(Rc::as_ptr(made).cast()),
            _ => None,
        }
    }
}

impl<'a> List<'a> {
    /// How many items.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Given(items) => items.len(),
            Self::Made(items) => items.len(),
        }
    }

    /// The item at `index`, from 0.
    pub(super) fn get(&self, index: usize) -> Option<Datum<'a>> {
        match self {
            Self::Given(items) => items.get(index).map(Datum::from),
            Self::Made(items) => items.get(index).cloned(),
        }
    }

    /// All items in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Datum<'a>> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

impl<'a> Dict<'a> {
    /// Whether this is an OrderedDict in az: one made by a multiselect hash.
    pub(super) fn is_ordered(&self) -> bool {
        matches!(self, Self::Made(made) if made.ordered)
    }

    /// All entries in insertion order.
    pub(super) fn entries(&self) -> Vec<(&'a str, Datum<'a>)> {
        match self {
            Self::Given(map) => {
                map.iter().map(|(key, value)| (key.as_str(), value.into())).collect()
            }
            Self::Made(made) => made.entries.clone(),
        }
    }

    /// All entries by key, in code point order (which is the order of UTF-8 bytes).
    pub(super) fn sorted(&self) -> Vec<(&'a str, Datum<'a>)> {
        let mut entries = self.entries();
        entries.sort_unstable_by_key(|entry| entry.0);
        entries
    }

    /// The value of `key`.
    pub(super) fn get(&self, key: &str) -> Option<Datum<'a>> {
        match self {
            Self::Given(map) => map.get(key).map(Datum::from),
            Self::Made(made) => {
                made.entries.iter().find(|entry| entry.0 == key).map(|entry| entry.1.clone())
            }
        }
    }

    /// How many entries.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Given(map) => map.len(),
            Self::Made(made) => made.entries.len(),
        }
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Given(text) => text,
            Self::Made(text) => text,
        }
    }
}
