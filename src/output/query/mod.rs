//! `--query`: JMESPath with the behaviour of jmespath.py 1.1, on which az's output and error texts depend.
//!
//! No crate keeps what az shows of the evaluation: the order of a multiselect hash (in table and tsv only), whether
//! two values are one object (anchors in YAML), Python's integers and its error texts; nor does one read the literals
//! that are not JSON, such as `` `foo` ``, of which az's documentation is full.

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

/// What az advises on any failure of a query.
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

    /// Runs the query on a command's answer.
    ///
    /// # Errors
    ///
    /// [`QueryError::Evaluation`], an ordinary error of az (exit code 1).
    pub(super) fn run<'a>(&'a self, answer: &'a Value) -> Result<Datum<'a>, QueryError> {
        interpreter::evaluate(&self.ast, &answer.into())
    }
}

/// Why a query has no result. Its text is the whole message after `ERROR: `.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryError {
    /// The text, given here as typed, is no JMESPath expression.
    Syntax(String),
    /// The expression does not fit the answer: an unknown function, a wrong argument. Holds jmespath.py's reason,
    /// which quotes the offending value. Where Python itself gives up (a slice of step 0, comparing a number with a
    /// string), az prints a traceback and this holds the last line of it.
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
