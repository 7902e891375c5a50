//! `--query`: JMESPath with the behaviour of jmespath.py 1.1, on which az's output and error texts
//! depend.
//!
//! No JMESPath crate preserves the details that az's output shows: the order of a multiselect hash
//! (table and tsv), the identity of objects (anchors in YAML), Python's integers and error texts.
//! None reads literals that are not JSON, such as `` `foo` ``, which az's documentation often uses.

mod ast;
mod functions;
mod interpreter;
mod lexer;
mod parser;
mod signature;

use std::fmt;

use serde_json::Value;

use super::datum::Datum;
use super::python;
use super::sink::Sink;
use crate::error::{Error, Kind};
use ast::Ast;

/// az's advice for every failed query.
pub(crate) const QUERY_REFERENCE: &str = "To learn more about --query, please visit: 'https://learn.microsoft.com/cli/azure/query-azure-cli'";

/// A parsed query.
#[derive(Debug)]
pub struct Query {
    ast: Ast,
}

impl Query {
    /// Parses a JMESPath expression.
    ///
    /// # Errors
    ///
    /// [`QueryError::Syntax`], which az reports as a usage error (exit code 2).
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let ast = lexer::tokenize(text).and_then(parser::parse);
        ast.map(|ast| Self { ast }).ok_or_else(|| QueryError::Syntax(text.to_owned()))
    }

    /// Evaluates the query on a command's answer.
    ///
    /// # Errors
    ///
    /// [`QueryError::Evaluation`], which az reports as an ordinary error (exit code 1).
    pub(super) fn run<'a>(&'a self, answer: &'a Value) -> Result<Datum<'a>, QueryError> {
        interpreter::evaluate(&self.ast, &answer.into())
    }
}

/// The error of a query. Its text is the whole message after `ERROR: `.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryError {
    /// The text is not a JMESPath expression. Holds the text.
    Syntax(String),
    /// The expression cannot be evaluated on the answer: an unknown function, a wrong argument.
    /// Holds jmespath.py's reason, which quotes the offending value. If Python itself raises an
    /// error (a slice of step 0, a comparison of a number with a string), az prints a traceback;
    /// this holds its last line.
    Evaluation(String),
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(query) => {
                let mut quoted = Sink::default();
                python::repr_str(query, &mut quoted);
                write!(f, "argument --query: invalid jmespath_type value: {}", quoted.as_str())
            }
            Self::Evaluation(reason) => {
                write!(f, "Invalid jmespath query supplied for `--query`: {reason}")
            }
        }
    }
}

impl std::error::Error for QueryError {}

impl From<QueryError> for Error {
    fn from(error: QueryError) -> Self {
        let kind = match error {
            QueryError::Syntax(_) => Kind::Usage,
            QueryError::Evaluation(_) => Kind::Failed,
        };
        Self::new(kind, error.to_string()).remedy(QUERY_REFERENCE)
    }
}
