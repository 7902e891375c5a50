//! The values that are formatted. They are borrowed from the command's answer if possible;
//! `--query` makes new ones.
//!
//! az's output depends on distinctions of Python that JSON lacks: `OrderedDict` (from a multiselect
//! hash) or `dict`, `int` or `float`, the same object twice or two equal objects.

use std::ops::Deref;
use std::rc::Rc;

use serde_json::{Map, Number, Value};
use zeroize::Zeroizing;

use super::sink::Sink;

/// A value. Cloning is cheap.
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

/// A string. `Made` strings are wiped on drop.
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
    /// Makes a list.
    pub(super) fn list(items: Vec<Self>) -> Self {
        Self::List(List::Made(Rc::new(items)))
    }

    /// Makes a dictionary. A later entry with the same key replaces the value but keeps the
    /// position, as in Python.
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

    /// True if this is an OrderedDict or contains one at any depth.
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

    /// Returns an address that identifies a container, like Python's `id()`. `None` for scalars.
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
    /// Returns the number of items.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Given(items) => items.len(),
            Self::Made(items) => items.len(),
        }
    }

    /// Returns the item at `index`, from 0.
    pub(super) fn get(&self, index: usize) -> Option<Datum<'a>> {
        match self {
            Self::Given(items) => items.get(index).map(Datum::from),
            Self::Made(items) => items.get(index).cloned(),
        }
    }

    /// Iterates over the items in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Datum<'a>> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

impl<'a> Dict<'a> {
    /// True if az has an OrderedDict here, which a multiselect hash makes.
    pub(super) fn is_ordered(&self) -> bool {
        matches!(self, Self::Made(made) if made.ordered)
    }

    /// Returns the entries in insertion order.
    pub(super) fn entries(&self) -> Vec<(&'a str, Datum<'a>)> {
        match self {
            Self::Given(map) => {
                map.iter().map(|(key, value)| (key.as_str(), value.into())).collect()
            }
            Self::Made(made) => made.entries.clone(),
        }
    }

    /// Returns the entries sorted by key in code point order, which is the order of UTF-8 bytes.
    pub(super) fn sorted(&self) -> Vec<(&'a str, Datum<'a>)> {
        let mut entries = self.entries();
        entries.sort_unstable_by_key(|entry| entry.0);
        entries
    }

    /// Returns the value of `key`.
    pub(super) fn get(&self, key: &str) -> Option<Datum<'a>> {
        match self {
            Self::Given(map) => map.get(key).map(Datum::from),
            Self::Made(made) => {
                made.entries.iter().find(|entry| entry.0 == key).map(|entry| entry.1.clone())
            }
        }
    }

    /// Returns the number of entries.
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
