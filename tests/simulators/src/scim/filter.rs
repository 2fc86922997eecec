//! Parses SCIM filters, of whole resources and of the values of one attribute.

use chrono::{DateTime, Utc};

use super::attribute::{Attr, AttrPath, Named, Type, find};
use super::error::ScimError;
use super::schema::Kind;

/// A parsed filter.
#[derive(Debug)]
pub(super) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    /// The attribute has a value.
    Present(AttrPath),
    /// A value of the attribute matches the comparison.
    Compare(AttrPath, Op, Operand),
    /// A value of the attribute matches the inner filter.
    Any(AttrPath, Box<Filter>),
}

/// The comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Gt,
    Ge,
    Lt,
    Le,
}

/// The value to compare with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Null,
    Flag(bool),
    Text(String),
    Time(DateTime<Utc>),
}

/// The object whose attributes a filter may use.
#[derive(Clone, Copy)]
pub(super) enum Scope {
    Resource(Kind),
    /// The sub-attributes of one attribute.
    Values(&'static Attr),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Mark(char),
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
}

/// Parses a whole filter.
pub(super) fn parse(scope: Scope, text: &str) -> Result<Filter, ScimError> {
    let mut reader = Reader {
        tokens: tokens(text)?,
        at: 0,
    };
    let filter = reader.either(scope)?;
    if reader.at < reader.tokens.len() {
        return Err(invalid("The filter goes on after its end."));
    }
    Ok(filter)
}

fn invalid(detail: impl Into<String>) -> ScimError {
    ScimError::bad("invalidFilter", detail)
}

fn tokens(text: &str) -> Result<Vec<Token>, ScimError> {
    let (mut tokens, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' | '[' | ']' => {
                tokens.push(Token::Mark(first));
                1
            }
            '"' => {
                let end = end_of_text(rest).ok_or_else(|| invalid("A text does not end."))?;
                let inner = serde_json::from_str(&rest[..end]);
                tokens.push(Token::Text(
                    inner.map_err(|_| invalid("A text is malformed."))?,
                ));
                end
            }
            _ => {
                let ends = |it: char| it.is_whitespace() || "()[]\"".contains(it);
                let end = rest.find(ends).unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..end].to_owned()));
                end
            }
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// Returns the end of the quoted text at the beginning.
fn end_of_text(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, it) in text.char_indices().skip(1) {
        match it {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

impl Reader {
    fn word(&mut self, keyword: &str) -> bool {
        let next = self.tokens.get(self.at);
        let fits = matches!(next, Some(Token::Word(it)) if it.eq_ignore_ascii_case(keyword));
        self.at += usize::from(fits);
        fits
    }

    fn mark(&mut self, mark: char) -> bool {
        let fits = self.tokens.get(self.at) == Some(&Token::Mark(mark));
        self.at += usize::from(fits);
        fits
    }

    fn either(&mut self, scope: Scope) -> Result<Filter, ScimError> {
        let mut left = self.both(scope)?;
        while self.word("or") {
            left = Filter::Or(Box::new(left), Box::new(self.both(scope)?));
        }
        Ok(left)
    }

    fn both(&mut self, scope: Scope) -> Result<Filter, ScimError> {
        let mut left = self.one(scope)?;
        while self.word("and") {
            left = Filter::And(Box::new(left), Box::new(self.one(scope)?));
        }
        Ok(left)
    }

    fn one(&mut self, scope: Scope) -> Result<Filter, ScimError> {
        if self.word("not") {
            return Ok(Filter::Not(Box::new(self.bracketed(scope)?)));
        }
        if self.tokens.get(self.at) == Some(&Token::Mark('(')) {
            return self.bracketed(scope);
        }
        let Some(Token::Word(name)) = self.tokens.get(self.at) else {
            return Err(invalid("An attribute is missing."));
        };
        let path = scope
            .path(name)
            .ok_or_else(|| invalid(format!("There is no attribute '{name}'.")))?;
        self.at += 1;
        if self.mark('[') {
            if path.attr.sub.is_empty() || path.sub.is_some() {
                return Err(invalid(
                    "Only complex attributes have values to choose from.",
                ));
            }
            let inner = self.either(Scope::Values(path.attr))?;
            if !self.mark(']') {
                return Err(invalid("A bracket is not closed."));
            }
            return Ok(Filter::Any(path, Box::new(inner)));
        }
        if self.word("pr") {
            return Ok(Filter::Present(path));
        }
        self.comparison(path)
    }

    fn bracketed(&mut self, scope: Scope) -> Result<Filter, ScimError> {
        if !self.mark('(') {
            return Err(invalid("A bracket is missing."));
        }
        let inner = self.either(scope)?;
        if !self.mark(')') {
            return Err(invalid("A bracket is not closed."));
        }
        Ok(inner)
    }

    fn comparison(&mut self, path: AttrPath) -> Result<Filter, ScimError> {
        let ops = [
            ("eq", Op::Eq),
            ("ne", Op::Ne),
            ("co", Op::Co),
            ("sw", Op::Sw),
            ("ew", Op::Ew),
            ("gt", Op::Gt),
            ("ge", Op::Ge),
            ("lt", Op::Lt),
            ("le", Op::Le),
        ];
        let mut ops = ops.into_iter();
        let Some((_, op)) = ops.find(|(name, _)| self.word(name)) else {
            return Err(invalid("An operator is missing."));
        };
        let path = path.to_simple();
        let path = path.ok_or_else(|| invalid("A complex attribute cannot be compared."))?;
        let token = self.tokens.get(self.at);
        self.at += 1;
        let operand = match token {
            Some(Token::Text(text)) => Operand::Text(text.clone()),
            Some(Token::Word(word)) => match word.to_ascii_lowercase().as_str() {
                "true" => Operand::Flag(true),
                "false" => Operand::Flag(false),
                "null" => Operand::Null,
                _ => return Err(invalid(format!("'{word}' is no value."))),
            },
            _ => return Err(invalid("A value is missing.")),
        };
        let operand = fitting(&path, op, operand)?;
        Ok(Filter::Compare(path, op, operand))
    }
}

/// Returns the operand as a value of the attribute's type, if the operator supports the type.
fn fitting(path: &AttrPath, op: Op, operand: Operand) -> Result<Operand, ScimError> {
    let equality = matches!(op, Op::Eq | Op::Ne);
    let wrong = || invalid(format!("'{}' has no such values.", path.last().name));
    match (path.last().kind, operand) {
        (_, Operand::Null) if equality => Ok(Operand::Null),
        (Type::Flag, Operand::Flag(flag)) if equality => Ok(Operand::Flag(flag)),
        (Type::Time, Operand::Text(text)) => {
            let time = DateTime::parse_from_rfc3339(&text).map_err(|_| wrong())?;
            Ok(Operand::Time(time.to_utc()))
        }
        (Type::Text | Type::Reference, Operand::Text(text)) => {
            let exact = path.last().exact;
            Ok(Operand::Text(if exact {
                text
            } else {
                text.to_lowercase()
            }))
        }
        _ => Err(wrong()),
    }
}

impl Scope {
    fn path(self, name: &str) -> Option<AttrPath> {
        match self {
            Self::Resource(kind) => Named::parse(kind, name)?.attribute(),
            Self::Values(attr) => Some(AttrPath {
                extension: None,
                attr: find(attr.sub, name)?,
                sub: None,
            }),
        }
    }
}

impl AttrPath {
    /// Returns the last attribute of the path.
    pub(super) fn last(&self) -> &'static Attr {
        self.sub.unwrap_or(self.attr)
    }

    /// Returns the path, extended by `value` if it refers to a complex attribute.
    fn to_simple(self) -> Option<Self> {
        if self.last().kind != Type::Complex {
            return Some(self);
        }
        let sub = Some(find(self.attr.sub, "value")?);
        Some(Self { sub, ..self })
    }
}

impl Filter {
    /// Returns whether the filter uses this sub-attribute.
    pub(super) fn names(&self, attr: &str, part: &str) -> bool {
        let is = |it: &AttrPath| it.attr.name == attr && it.sub.is_some_and(|sub| sub.name == part);
        match self {
            Self::And(a, b) | Self::Or(a, b) => a.names(attr, part) || b.names(attr, part),
            Self::Not(inner) => inner.names(attr, part),
            Self::Present(path) | Self::Compare(path, ..) => is(path),
            Self::Any(..) => false,
        }
    }
}
