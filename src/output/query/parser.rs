//! Parses tokens by the binding powers of the JMESPath grammar. Like jmespath.py, it does not
//! require commas between the arguments of a function or between the pairs of a hash.

use super::ast::{Ast, Comparator, Step};
use super::lexer::Token;

/// Most tokens of an expression. Limits the depth of the tree, and so the recursion of the
/// evaluation.
const MOST_TOKENS: usize = 600;

/// Deepest nesting of expressions. Limits the recursion of the parser.
const DEEPEST: usize = 100;

/// A token with a lower binding power ends a projection.
const PROJECTION: u8 = 10;

/// Parses all `tokens`; `None` on an error.
pub(super) fn parse(tokens: Vec<Token>) -> Option<Ast> {
    if tokens.len() > MOST_TOKENS {
        return None;
    }
    let mut parser = Parser { tokens, next: 0, depth: 0 };
    let ast = parser.expression(0)?;
    (*parser.peek() == Token::End).then_some(ast)
}

fn binding_power(token: &Token) -> u8 {
    match token {
        Token::Pipe => 1,
        Token::Or => 2,
        Token::And => 3,
        Token::Flatten => 9,
        Token::Star => 20,
        Token::Filter => 21,
        Token::Dot => 40,
        Token::Not => 45,
        Token::LeftBrace => 50,
        Token::LeftBracket => 55,
        Token::LeftParenthesis => 60,
        _ => comparator(token).map_or(0, |_| 5),
    }
}

fn comparator(token: &Token) -> Option<Comparator> {
    Some(match token {
        Token::Equal => Comparator::Equal,
        Token::NotEqual => Comparator::NotEqual,
        Token::Less => Comparator::Less,
        Token::LessOrEqual => Comparator::LessOrEqual,
        Token::Greater => Comparator::Greater,
        Token::GreaterOrEqual => Comparator::GreaterOrEqual,
        _ => return None,
    })
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).unwrap_or(&Token::End)
    }

    fn advance(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn accept(&mut self, token: &Token) -> bool {
        let found = self.peek() == token;
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, token: &Token) -> Option<()> {
        self.accept(token).then_some(())
    }

    /// Parses an expression whose operators bind more tightly than `power`.
    fn expression(&mut self, power: u8) -> Option<Ast> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut left = self.start()?;
        while power < binding_power(self.peek()) {
            left = self.extend(left)?;
        }
        self.depth -= 1;
        Some(left)
    }

    /// Parses the start of an expression.
    fn start(&mut self) -> Option<Ast> {
        Some(match self.advance() {
            Token::Literal(literal) => Ast::Literal(literal),
            // A quoted name cannot name a function.
            Token::QuotedIdentifier(_) if *self.peek() == Token::LeftParenthesis => return None,
            Token::Identifier(name) | Token::QuotedIdentifier(name) => Ast::Field(name),
            Token::Current => Ast::Current,
            Token::Star if *self.peek() == Token::RightBracket => {
                Ast::ValueProjection(Box::new(Ast::Current), Box::new(Ast::Current))
            }
            Token::Star => {
                let then = self.projected(binding_power(&Token::Star))?;
                Ast::ValueProjection(Box::new(Ast::Current), then)
            }
            Token::Filter => self.filter(Ast::Current)?,
            Token::Flatten => self.flatten(Ast::Current)?,
            Token::LeftBrace => self.hash()?,
            Token::LeftParenthesis => {
                let inner = self.expression(0)?;
                self.expect(&Token::RightParenthesis)?;
                inner
            }
            Token::Not => Ast::Not(Box::new(self.expression(binding_power(&Token::Not))?)),
            Token::Expression => Ast::Expression(Box::new(self.expression(0)?)),
            Token::LeftBracket => self.bracket()?,
            _ => return None,
        })
    }

    /// Extends `left` by the next operator.
    fn extend(&mut self, left: Ast) -> Option<Ast> {
        let token = self.advance();
        let power = binding_power(&token);
        if let Some(comparator) = comparator(&token) {
            return Some(Ast::Comparison(
                comparator,
                Box::new(left),
                Box::new(self.expression(power)?),
            ));
        }
        Some(match token {
            Token::Dot if self.accept(&Token::Star) => {
                Ast::ValueProjection(Box::new(left), self.projected(power)?)
            }
            Token::Dot => Ast::Chain(Box::new(left), Box::new(self.after_dot(power)?)),
            Token::Pipe => Ast::Chain(Box::new(left), Box::new(self.expression(power)?)),
            Token::Or => Ast::Or(Box::new(left), Box::new(self.expression(power)?)),
            Token::And => Ast::And(Box::new(left), Box::new(self.expression(power)?)),
            Token::Filter => self.filter(left)?,
            Token::Flatten => self.flatten(left)?,
            Token::LeftParenthesis => match left {
                Ast::Field(name) => Ast::Function(name, self.arguments()?),
                _ => return None,
            },
            Token::LeftBracket if matches!(self.peek(), Token::Number(_) | Token::Colon) => {
                let step = self.step()?;
                match left {
                    Ast::Index { base, mut steps } => {
                        steps.push(step);
                        Ast::Index { base, steps }
                    }
                    base => self.indexed(base, step)?,
                }
            }
            Token::LeftBracket => {
                self.expect(&Token::Star)?;
                self.expect(&Token::RightBracket)?;
                Ast::Projection(Box::new(left), self.projected(binding_power(&Token::Star))?)
            }
            _ => return None,
        })
    }

    /// Parses the rest of an expression that begins with `[`.
    fn bracket(&mut self) -> Option<Ast> {
        if matches!(self.peek(), Token::Number(_) | Token::Colon) {
            let step = self.step()?;
            return self.indexed(Ast::Current, step);
        }
        if *self.peek() == Token::Star
            && self.tokens.get(self.next + 1) == Some(&Token::RightBracket)
        {
            self.next += 2;
            let then = self.projected(binding_power(&Token::Star))?;
            return Some(Ast::Projection(Box::new(Ast::Current), then));
        }
        self.list()
    }

    fn indexed(&mut self, base: Ast, step: Step) -> Option<Ast> {
        let slice = matches!(step, Step::Slice(_));
        let index = Ast::Index { base: Box::new(base), steps: vec![step] };
        if slice {
            return Some(Ast::Projection(
                Box::new(index),
                self.projected(binding_power(&Token::Star))?,
            ));
        }
        Some(index)
    }

    /// Parses `0]` or `1:2:3]`.
    fn step(&mut self) -> Option<Step> {
        let mut parts = [None; 3];
        let mut part = 0;
        loop {
            match self.advance() {
                Token::Number(number) => *parts.get_mut(part)? = Some(number),
                Token::Colon if part < 2 => part += 1,
                Token::RightBracket if part > 0 => return Some(Step::Slice(parts)),
                Token::RightBracket => return parts.first().copied().flatten().map(Step::At),
                _ => return None,
            }
            // `[1 2]` is an error. In `[1:2 3]` the last number counts.
            if part == 0 && !matches!(self.peek(), Token::Colon | Token::RightBracket) {
                return None;
            }
        }
    }

    fn flatten(&mut self, left: Ast) -> Option<Ast> {
        let then = self.projected(binding_power(&Token::Flatten))?;
        Some(Ast::Projection(Box::new(Ast::Flatten(Box::new(left))), then))
    }

    /// Parses the rest of a filter, after `[?`.
    fn filter(&mut self, left: Ast) -> Option<Ast> {
        let condition = Box::new(self.expression(0)?);
        self.expect(&Token::RightBracket)?;
        let then = self.projected(binding_power(&Token::Filter))?;
        Some(Ast::FilterProjection { base: Box::new(left), then, condition })
    }

    /// Parses the expression that a projection applies to each element.
    fn projected(&mut self, power: u8) -> Option<Box<Ast>> {
        let next = self.peek();
        Some(Box::new(match next {
            Token::LeftBracket | Token::Filter => self.expression(power)?,
            Token::Dot => {
                self.next += 1;
                self.after_dot(power)?
            }
            _ if binding_power(next) < PROJECTION => Ast::Current,
            _ => return None,
        }))
    }

    fn after_dot(&mut self, power: u8) -> Option<Ast> {
        match self.peek() {
            Token::Identifier(_) | Token::QuotedIdentifier(_) | Token::Star => {
                self.expression(power)
            }
            Token::LeftBracket => {
                self.next += 1;
                self.list()
            }
            Token::LeftBrace => {
                self.next += 1;
                self.hash()
            }
            _ => None,
        }
    }

    /// Parses `a, b]` with at least one item.
    fn list(&mut self) -> Option<Ast> {
        let mut items = vec![self.expression(0)?];
        while !self.accept(&Token::RightBracket) {
            self.expect(&Token::Comma)?;
            items.push(self.expression(0)?);
        }
        Some(Ast::List(items))
    }

    /// Parses `a: b, c: d}` with at least one pair.
    fn hash(&mut self) -> Option<Ast> {
        let mut pairs = Vec::new();
        loop {
            let (Token::Identifier(name) | Token::QuotedIdentifier(name)) = self.advance() else {
                return None;
            };
            self.expect(&Token::Colon)?;
            pairs.push((name, self.expression(0)?));
            if !self.accept(&Token::Comma) && self.accept(&Token::RightBrace) {
                return Some(Ast::Hash(pairs));
            }
        }
    }

    /// Parses `a, b)`.
    fn arguments(&mut self) -> Option<Vec<Ast>> {
        let mut arguments = Vec::new();
        while !self.accept(&Token::RightParenthesis) {
            arguments.push(self.expression(0)?);
            self.accept(&Token::Comma);
        }
        Some(arguments)
    }
}
