//! Parses an OData `$filter`: first into tokens, then into clauses.

use super::super::error::GraphError;
use super::super::user_fields::Property;
use super::{Clause, Literal};

/// Properties that support `endswith`.
const ENDING: [Property; 2] = [Property::Mail, Property::UserPrincipalName];

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Open,
    Close,
    Comma,
}

struct Reader<'a> {
    filter: &'a str,
    tokens: Vec<(usize, Token)>,
    at: usize,
}

/// Parses a whole `$filter`.
pub(super) fn clause(filter: &str) -> Result<Clause, GraphError> {
    let mut reader = Reader {
        filter,
        tokens: tokens(filter)?,
        at: 0,
    };
    let clause = reader.either()?;
    if reader.at < reader.tokens.len() {
        return Err(reader.stuck());
    }
    Ok(clause)
}

fn tokens(filter: &str) -> Result<Vec<(usize, Token)>, GraphError> {
    let chars: Vec<char> = filter.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(first) = chars.get(at) {
        let start = at;
        at += 1;
        let token = match first {
            it if it.is_whitespace() => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '\'' => {
                let mut text = String::new();
                loop {
                    match (chars.get(at), chars.get(at + 1)) {
                        (Some('\''), Some('\'')) => {
                            text.push('\'');
                            at += 2;
                        }
                        (Some('\''), _) => break,
                        (Some(other), _) => {
                            text.push(*other);
                            at += 1;
                        }
                        (None, _) => {
                            let text = format!(
                                "Invalid filter clause: There is an unterminated string literal \
                                 at position {at} in '{filter}'."
                            );
                            return Err(GraphError::bad(text));
                        }
                    }
                }
                at += 1;
                Token::Text(text)
            }
            it if is_word(*it) => {
                while chars.get(at).is_some_and(|it| is_word(*it)) {
                    at += 1;
                }
                Token::Word(chars[start..at].iter().collect())
            }
            _ => return Err(syntax(start, filter)),
        };
        tokens.push((start, token));
    }
    Ok(tokens)
}

fn is_word(it: char) -> bool {
    it.is_alphanumeric() || matches!(it, '_' | '/' | '-' | '.' | ':' | '@')
}

fn syntax(position: usize, filter: &str) -> GraphError {
    GraphError::bad(format!(
        "Invalid filter clause: Syntax error at position {position} in '{filter}'."
    ))
}

fn unsupported(property: &str) -> GraphError {
    let text = format!(
        "Unsupported or invalid query filter clause specified for property '{property}' of \
         resource 'User'."
    );
    GraphError::new(400, "Request_UnsupportedQuery", text)
}

impl Reader<'_> {
    fn stuck(&self) -> GraphError {
        let end = self.filter.chars().count();
        let position = self.tokens.get(self.at).map_or(end, |(start, _)| *start);
        syntax(position, self.filter)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    /// Consumes the keyword if it comes next.
    fn word(&mut self, keyword: &str) -> bool {
        let fits =
            matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(fits);
        fits
    }

    fn expect(&mut self, token: &Token) -> Result<(), GraphError> {
        if self.peek() == Some(token) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.stuck())
        }
    }

    fn either(&mut self) -> Result<Clause, GraphError> {
        let mut left = self.both()?;
        while self.word("or") {
            left = Clause::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Clause, GraphError> {
        let mut left = self.one()?;
        while self.word("and") {
            left = Clause::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Clause, GraphError> {
        if self.word("not") {
            return Ok(Clause::Not(Box::new(self.one()?)));
        }
        if self.peek() == Some(&Token::Open) {
            self.at += 1;
            let inner = self.either()?;
            self.expect(&Token::Close)?;
            return Ok(inner);
        }
        let is_call = matches!(self.tokens.get(self.at + 1), Some((_, Token::Open)));
        if is_call && self.word("startswith") {
            let (property, text) = self.arguments()?;
            return Ok(Clause::Starts(property, text));
        }
        if is_call && self.word("endswith") {
            let (property, text) = self.arguments()?;
            if !ENDING.contains(&property) {
                return Err(unsupported(property.name()));
            }
            return Ok(Clause::Ends(property, text));
        }
        self.comparison()
    }

    fn arguments(&mut self) -> Result<(Property, String), GraphError> {
        self.expect(&Token::Open)?;
        let property = self.property()?;
        self.expect(&Token::Comma)?;
        let Some(Token::Text(text)) = self.peek() else {
            return Err(self.stuck());
        };
        let text = text.to_lowercase();
        self.at += 1;
        self.expect(&Token::Close)?;
        if property == Property::AccountEnabled {
            return Err(unsupported(property.name()));
        }
        Ok((property, text))
    }

    fn comparison(&mut self) -> Result<Clause, GraphError> {
        let property = self.property()?;
        if self.word("in") {
            self.expect(&Token::Open)?;
            let mut values = vec![self.literal(property)?];
            while self.peek() == Some(&Token::Comma) {
                self.at += 1;
                values.push(self.literal(property)?);
            }
            self.expect(&Token::Close)?;
            return Ok(Clause::In(property, values));
        }
        if self.word("eq") {
            return Ok(Clause::In(property, vec![self.literal(property)?]));
        }
        if self.word("ne") {
            return Ok(Clause::Ne(property, self.literal(property)?));
        }
        if ["gt", "ge", "lt", "le"].iter().any(|it| self.word(it)) {
            return Err(unsupported(property.name()));
        }
        Err(self.stuck())
    }

    fn property(&mut self) -> Result<Property, GraphError> {
        let Some(Token::Word(name)) = self.peek() else {
            return Err(self.stuck());
        };
        let property = Property::parse(name).filter(|it| it.is_filterable());
        let property = property.ok_or_else(|| unsupported(name))?;
        self.at += 1;
        Ok(property)
    }

    fn literal(&mut self, property: Property) -> Result<Literal, GraphError> {
        let literal = match self.peek() {
            Some(Token::Text(text)) => Literal::Text(text.to_lowercase()),
            Some(Token::Word(word)) => match word.as_str() {
                "null" => Literal::Null,
                "true" => Literal::Flag(true),
                "false" => Literal::Flag(false),
                _ => return Err(self.stuck()),
            },
            _ => return Err(self.stuck()),
        };
        let (is, wants) = match (&literal, property) {
            (Literal::Text(_), Property::AccountEnabled) => ("Edm.String", "Edm.Boolean"),
            (Literal::Flag(_), it) if it != Property::AccountEnabled => {
                ("Edm.Boolean", "Edm.String")
            }
            _ => {
                self.at += 1;
                return Ok(literal);
            }
        };
        Err(GraphError::bad(format!(
            "Invalid filter clause: A binary operator with incompatible types was detected. Found \
             operand types '{wants}' and '{is}' for operator kind 'Equal'."
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(it: &str) -> Literal {
        Literal::Text(it.to_owned())
    }

    #[test]
    fn and_binds_before_or_and_not_before_both() {
        let parsed = clause("not city eq 'A' and mail eq null or surname in ('O''B','c')")
            .expect("a valid filter");
        let city = Clause::In(Property::City, vec![text("a")]);
        let mail = Clause::In(Property::Mail, vec![Literal::Null]);
        let surname = Clause::In(Property::Surname, vec![text("o'b"), text("c")]);
        let left = Clause::And(Box::new(Clause::Not(Box::new(city))), Box::new(mail));
        assert_eq!(parsed, Clause::Or(Box::new(left), Box::new(surname)));
    }

    #[test]
    fn refusals_say_where_and_why() {
        let refusal = |filter: &str| format!("{:?}", clause(filter).expect_err(filter));
        assert!(refusal("city eq").contains("position 7 in 'city eq'"));
        assert!(refusal("(city eq 'a'").contains("position 12"));
        assert!(refusal("city eq 'a' 'b'").contains("position 12"));
        assert!(refusal("city = 'a'").contains("position 5"));
        assert!(refusal("city eq 'a").contains("unterminated"));
        assert!(refusal("shoeSize eq '9'").contains("property 'shoeSize' of resource 'User'"));
        assert!(refusal("accountEnabled eq 'x'").contains("incompatible types"));
        assert!(refusal("endswith(displayName,'x')").contains("property 'displayName'"));
    }
}
