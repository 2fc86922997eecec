//! Splits CSV bytes into records with line numbers, and continues after an unclosed quote.
//!
//! The `csv` crate accepts the same format (a test compares both), but it extends an unclosed quote
//! to the end of the file, and its line numbers are too low after CRLF and after blank lines. To
//! correct a file, users need the right line number, and the rows after the invalid one.

use std::borrow::Cow;

/// Longest quoted value, in bytes; in a longer one the closing quote is missing. Entra limits
/// attributes to 1,024 characters.
pub(super) const MAX_VALUE_BYTES: usize = 32 * 1024;

/// One value without its quotes, and the line in which it begins.
pub(super) struct Field<'a> {
    pub(super) line: u64,
    pub(super) bytes: Cow<'a, [u8]>,
}

/// One record with at least one field.
pub(super) struct Record<'a> {
    pub(super) line: u64,
    pub(super) fields: Vec<Field<'a>>,
}

/// A record with an invalid quote.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// The line of the invalid quote.
    pub(super) line: u64,
    /// The field's number, from 1.
    pub(super) field: usize,
    pub(super) fault: QuoteFault,
}

/// The fault of a quoted field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuoteFault {
    /// The closing quote is missing.
    Unclosed,
    /// The closing quote is followed by text in the same line.
    TextAfter,
}

impl QuoteFault {
    /// Returns the fault as a sentence for users.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Unclosed => "the value opens with a quote that is not closed",
            Self::TextAfter => {
                "text follows the closing quote; a quote inside a quoted value is written twice"
            }
        }
    }
}

/// An iterator over the records; blank lines are skipped.
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
    delimiter: u8,
}

impl<'a> Scanner<'a> {
    /// Creates a scanner. The delimiter is `;` if the first line contains more of them than `,`.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            line: 1,
            delimiter: delimiter(bytes),
        }
    }

    fn record(&mut self) -> Result<Record<'a>, Broken> {
        let line = self.line;
        let mut fields = Vec::new();
        loop {
            let opened = (self.at, self.line);
            let bytes = self.field().map_err(|fault| {
                self.resume_after(opened);
                Broken {
                    line: opened.1,
                    field: fields.len() + 1,
                    fault,
                }
            })?;
            fields.push(Field {
                line: opened.1,
                bytes,
            });
            if self.bytes.get(self.at) != Some(&self.delimiter) {
                self.line_end();
                return Ok(Record { line, fields });
            }
            self.at += 1;
        }
    }

    /// Reads a field up to the delimiter or the end of the line or file.
    fn field(&mut self) -> Result<Cow<'a, [u8]>, QuoteFault> {
        let rest = &self.bytes[self.at..];
        if rest.first() == Some(&b'"') {
            return self.quoted();
        }
        let ends = |byte: &u8| *byte == self.delimiter || is_line_end(*byte);
        let value = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
        self.at += value.len();
        Ok(Cow::Borrowed(value))
    }

    fn quoted(&mut self) -> Result<Cow<'a, [u8]>, QuoteFault> {
        let rest = &self.bytes[self.at + 1..];
        let end = closing_quote(rest).ok_or(QuoteFault::Unclosed)?;
        let value = &rest[..end];
        let lines = line_ends(value);
        match rest.get(end + 1) {
            None => {}
            Some(byte) if *byte == self.delimiter || is_line_end(*byte) => {}
            // A quote at the start of a later row does not close this value.
            Some(_) if lines > 0 => return Err(QuoteFault::Unclosed),
            Some(_) => return Err(QuoteFault::TextAfter),
        }
        self.at += end + 2;
        self.line += lines;
        Ok(unescaped(value))
    }

    /// Continues after the line in which the invalid value begins, because the rest of the value
    /// consists of other rows.
    fn resume_after(&mut self, (at, line): (usize, u64)) {
        let rest = &self.bytes[at..];
        let skipped = rest.iter().position(|byte| is_line_end(*byte));
        self.at = at + skipped.unwrap_or(rest.len());
        self.line = line;
        self.line_end();
    }

    /// Skips a line end at the current position.
    fn line_end(&mut self) {
        let length = match self.bytes[self.at..] {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => return,
        };
        self.at += length;
        self.line += 1;
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Result<Record<'a>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        while is_line_end(*self.bytes.get(self.at)?) {
            self.line_end();
        }
        Some(self.record())
    }
}

fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

/// Counts the line ends in the value; CRLF counts as one.
fn line_ends(value: &[u8]) -> u64 {
    let mut ends = 0;
    let mut before = 0;
    for byte in value {
        let second_half = before == b'\r' && *byte == b'\n';
        ends += u64::from(is_line_end(*byte) && !second_half);
        before = *byte;
    }
    ends
}

/// Returns the position of the closing quote, skipping doubled quotes.
fn closing_quote(rest: &[u8]) -> Option<usize> {
    let within = &rest[..rest.len().min(MAX_VALUE_BYTES + 1)];
    let mut at = 0;
    loop {
        at += within[at..].iter().position(|byte| *byte == b'"')?;
        if rest.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at = within.len().min(at + 2);
    }
}

fn unescaped(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.contains(&b'"') {
        return Cow::Borrowed(value);
    }
    let mut plain = Vec::with_capacity(value.len());
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        plain.push(*byte);
        if *byte == b'"' {
            // The second quote of a pair.
            bytes.next();
        }
    }
    Cow::Owned(plain)
}

fn delimiter(bytes: &[u8]) -> u8 {
    let (mut commas, mut semicolons, mut quoted) = (0, 0, false);
    for byte in bytes.iter().take_while(|byte| !is_line_end(**byte)) {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => commas += 1,
            b';' if !quoted => semicolons += 1,
            _ => {}
        }
    }
    if semicolons > commas { b';' } else { b',' }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Rows = Vec<Result<(u64, Vec<String>), Broken>>;

    fn scan(text: &str) -> Rows {
        let plain = |field: &Field<'_>| String::from_utf8_lossy(&field.bytes).into_owned();
        Scanner::new(text.as_bytes())
            .map(|row| row.map(|row| (row.line, row.fields.iter().map(plain).collect())))
            .collect()
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "stands beside broken rows in tables"
    )]
    fn row(line: u64, fields: &[&str]) -> Result<(u64, Vec<String>), Broken> {
        Ok((line, fields.iter().map(|it| (*it).to_owned()).collect()))
    }

    fn broken(line: u64, field: usize, fault: QuoteFault) -> Result<(u64, Vec<String>), Broken> {
        Err(Broken { line, field, fault })
    }

    #[test]
    fn counts_physical_lines() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["a,b", "", "\"x", "\"\"y\"\"", "\",c", "d,e"].join(end);
            let value = ["x", "\"y\"", ""].join(end);
            assert_eq!(
                scan(&text),
                [
                    row(1, &["a", "b"]),
                    row(3, &[&value, "c"]),
                    row(6, &["d", "e"])
                ],
                "{end:?}"
            );
        }
    }

    #[test]
    fn continues_after_a_broken_quote() {
        use QuoteFault::{TextAfter, Unclosed};
        let table: [(&str, Rows); 6] = [
            (
                "a,b\nc,\"d\ne,f",
                vec![
                    row(1, &["a", "b"]),
                    broken(2, 2, Unclosed),
                    row(3, &["e", "f"]),
                ],
            ),
            // Without the check, the quote of line 2 would end in line 3, before the x.
            (
                "a,b\nc,\"d\n\"x\",f\n",
                vec![
                    row(1, &["a", "b"]),
                    broken(2, 2, Unclosed),
                    row(3, &["x", "f"]),
                ],
            ),
            (
                "\"a\"b,c\nd,e",
                vec![broken(1, 1, TextAfter), row(2, &["d", "e"])],
            ),
            (
                "\"a\nb\",\"c\nd,e",
                vec![broken(2, 2, Unclosed), row(3, &["d", "e"])],
            ),
            ("a,\"", vec![broken(1, 2, Unclosed)]),
            (
                "a,\"\r\nb,c",
                vec![broken(1, 2, Unclosed), row(2, &["b", "c"])],
            ),
        ];
        for (text, rows) in table {
            assert_eq!(scan(text), rows, "{text:?}");
        }
    }

    #[test]
    fn a_value_has_a_longest_size() {
        let fits = "x".repeat(MAX_VALUE_BYTES);
        assert_eq!(
            scan(&format!("\"{fits}\"\na")),
            [row(1, &[&fits]), row(2, &["a"])]
        );
        assert_eq!(
            scan(&format!("\"{fits}x\"\na")),
            [broken(1, 1, QuoteFault::Unclosed), row(2, &["a"])]
        );
        // Doubled quotes on both sides of the limit.
        let quotes = "\"\"".repeat(MAX_VALUE_BYTES);
        assert_eq!(
            scan(&format!("\"{quotes}\"")),
            [broken(1, 1, QuoteFault::Unclosed)]
        );
    }

    #[test]
    fn the_header_line_reports_the_delimiter() {
        assert_eq!(scan("a;\"b,c,d\"\n1;2")[1], row(2, &["1", "2"]));
        assert_eq!(scan("a,\"b;c;d\"\n1,2;3")[1], row(2, &["1", "2;3"]));
        assert_eq!(scan("a\n1")[1], row(2, &["1"]));
    }

    #[test]
    fn agrees_with_the_csv_crate_on_every_short_sound_text() {
        const ALPHABET: [char; 5] = ['a', ',', '"', '\n', '\r'];
        let mut compared = 0;
        for length in 0..7_u32 {
            for number in 0..5_usize.pow(length) {
                let letter = |at| ALPHABET[number / 5_usize.pow(at) % 5];
                let text: String = (0..length).map(letter).collect();
                let Ok(ours) = scan(&text).into_iter().collect::<Result<Vec<_>, _>>() else {
                    continue;
                };
                let ours: Vec<Vec<String>> = ours.into_iter().map(|(_, row)| row).collect();
                let theirs: Vec<Vec<String>> = csv::ReaderBuilder::new()
                    .has_headers(false)
                    .flexible(true)
                    .buffer_capacity(64)
                    .from_reader(text.as_bytes())
                    .deserialize()
                    .collect::<Result<_, _>>()
                    .expect("not UTF-8");
                assert_eq!(ours, theirs, "{text:?}");
                compared += 1;
            }
        }
        assert!(compared > 10_000, "only {compared} valid texts");
    }
}
