//! Splits a JMESPath expression into tokens.

use serde_json::Value;

use super::ast::Literal;
use crate::foreign::is_python_space;

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Identifier(String),
    QuotedIdentifier(String),
    Literal(Literal),
    /// A number outside of backticks: an index or a slice bound, clipped to 64 bits.
    Number(i64),
    Dot,
    Star,
    /// `[]`
    Flatten,
    /// `[?`
    Filter,
    LeftBracket,
    RightBracket,
    LeftBrace,
    RightBrace,
    LeftParenthesis,
    RightParenthesis,
    Comma,
    Colon,
    /// `@`
    Current,
    Pipe,
    Or,
    And,
    /// `&`
    Expression,
    Not,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    End,
}

/// Returns the tokens of `text` and a final [`Token::End`]; `None` on an error.
pub(super) fn tokenize(text: &str) -> Option<Vec<Token>> {
    let mut lexer = Lexer { rest: text };
    let mut tokens = Vec::new();
    loop {
        lexer.rest = lexer.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        if lexer.rest.is_empty() {
            tokens.push(Token::End);
            return Some(tokens);
        }
        tokens.push(lexer.token()?);
    }
}

struct Lexer<'t> {
    rest: &'t str,
}

impl<'t> Lexer<'t> {
    fn token(&mut self) -> Option<Token> {
        let first = self.rest.chars().next()?;
        match first {
            'a'..='z' | 'A'..='Z' | '_' => {
                let name = self
                    .take_while(|character| character.is_ascii_alphanumeric() || character == '_');
                Some(Token::Identifier(name.to_owned()))
            }
            '-' | '0'..='9' => self.number(),
            '"' => {
                let json = format!("\"{}\"", self.quoted('"')?);
                serde_json::from_str(&json).ok().map(Token::QuotedIdentifier)
            }
            '\'' => {
                let text = self.quoted('\'')?.replace("\\'", "'");
                Some(Token::Literal(Literal::Value(Value::String(text))))
            }
            '`' => literal(&self.quoted('`')?.replace("\\`", "`")).map(Token::Literal),
            _ => self.symbol(),
        }
    }

    fn symbol(&mut self) -> Option<Token> {
        const SYMBOLS: [(&str, Token); 24] = [
            // Longer ones first.
            ("[]", Token::Flatten),
            ("[?", Token::Filter),
            ("||", Token::Or),
            ("&&", Token::And),
            ("==", Token::Equal),
            ("!=", Token::NotEqual),
            ("<=", Token::LessOrEqual),
            (">=", Token::GreaterOrEqual),
            (".", Token::Dot),
            ("*", Token::Star),
            ("[", Token::LeftBracket),
            ("]", Token::RightBracket),
            ("{", Token::LeftBrace),
            ("}", Token::RightBrace),
            ("(", Token::LeftParenthesis),
            (")", Token::RightParenthesis),
            (",", Token::Comma),
            (":", Token::Colon),
            ("@", Token::Current),
            ("|", Token::Pipe),
            ("&", Token::Expression),
            ("!", Token::Not),
            ("<", Token::Less),
            (">", Token::Greater),
        ];
        let (symbol, token) =
            SYMBOLS.into_iter().find(|(symbol, _)| self.rest.starts_with(symbol))?;
        self.rest = self.rest.strip_prefix(symbol)?;
        Some(token)
    }

    fn number(&mut self) -> Option<Token> {
        let negative = self.rest.starts_with('-');
        self.rest = self.rest.strip_prefix('-').unwrap_or(self.rest);
        let digits = self.take_while(|character| character.is_ascii_digit());
        if digits.is_empty() {
            return None;
        }
        let size = digits.parse().unwrap_or(i64::MAX);
        Some(Token::Number(if negative { -size } else { size }))
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|character| !belongs(character)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// Reads a quoted text, from the opening to the closing `delimiter`; returns the text in
    /// between. A delimiter after a backslash does not end it. Backslashes are kept.
    fn quoted(&mut self, delimiter: char) -> Option<&'t str> {
        let inside = self.rest.strip_prefix(delimiter)?;
        let mut escaped = false;
        for (index, character) in inside.char_indices() {
            if character == delimiter && !escaped {
                let (quoted, rest) = inside.split_at(index);
                self.rest = rest.strip_prefix(delimiter)?;
                return Some(quoted);
            }
            escaped = character == '\\' && !escaped;
        }
        None
    }
}

/// Parses the text between backticks: JSON, or else a string without quotes (allowed by JEP 12).
fn literal(text: &str) -> Option<Literal> {
    match text.trim_matches([' ', '\t', '\n', '\r']) {
        "NaN" => return Some(Literal::Float(f64::NAN)),
        "Infinity" => return Some(Literal::Float(f64::INFINITY)),
        "-Infinity" => return Some(Literal::Float(f64::NEG_INFINITY)),
        _ => {}
    }
    let value = serde_json::from_str(text).or_else(|_| {
        let bare = text.trim_start_matches(is_python_space);
        serde_json::from_str(&format!("\"{bare}\""))
    });
    value.ok().map(Literal::Value)
}
