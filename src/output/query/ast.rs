//! The tree of a JMESPath expression.

use serde_json::Value;

/// A node of the tree.
#[derive(Debug)]
pub(super) enum Ast {
    Current,
    Field(String),
    Literal(Literal),
    /// Indexes and slices applied one after another. A slice in here does not project.
    Index {
        base: Box<Ast>,
        steps: Vec<Step>,
    },
    /// The right side is evaluated on the result of the left one (`.` and `|`).
    Chain(Box<Ast>, Box<Ast>),
    /// The right side is evaluated on each element of the list on the left; nulls are dropped.
    Projection(Box<Ast>, Box<Ast>),
    /// A projection over the values of a dictionary.
    ValueProjection(Box<Ast>, Box<Ast>),
    /// A projection over the elements for which the condition is true.
    FilterProjection {
        base: Box<Ast>,
        then: Box<Ast>,
        condition: Box<Ast>,
    },
    Flatten(Box<Ast>),
    Comparison(Comparator, Box<Ast>, Box<Ast>),
    Or(Box<Ast>, Box<Ast>),
    And(Box<Ast>, Box<Ast>),
    Not(Box<Ast>),
    List(Vec<Ast>),
    Hash(Vec<(String, Ast)>),
    Function(String, Vec<Ast>),
    /// `&expression`, an argument for functions such as `sort_by`.
    Expression(Box<Ast>),
}

/// A constant. `Float` is for NaN and infinity, which Python reads but JSON does not have.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Value(Value),
    Float(f64),
}

/// `[0]` or `[1:2:3]`.
#[derive(Debug)]
pub(super) enum Step {
    At(i64),
    Slice([Option<i64>; 3]),
}

/// An operator between two values.
#[derive(Clone, Copy, Debug)]
pub(super) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}
