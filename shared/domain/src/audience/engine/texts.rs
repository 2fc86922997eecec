//! Searches the texts of a dictionary for substrings, prefixes and suffixes.

use crate::snapshot::Dictionary;

/// A prefix or suffix to search for. Its first or last eight bytes are compared as one number,
/// because most texts differ there.
struct Edge<'a> {
    part: &'a [u8],
    word: u64,
    mask: u64,
}

/// Prefixes and suffixes to search for in one pass.
#[derive(Default)]
pub(super) struct Edges<'a> {
    heads: Vec<(Edge<'a>, u16)>,
    tails: Vec<(Edge<'a>, u16)>,
}

impl<'a> Edges<'a> {
    pub(super) fn begin(&mut self, part: &'a str, bit: u16) {
        self.heads.push((Edge::head(part), bit));
    }

    pub(super) fn end(&mut self, part: &'a str, bit: u16) {
        self.tails.push((Edge::tail(part), bit));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.heads.is_empty() && self.tails.is_empty()
    }

    /// Sets the bits of every text with a matching prefix or suffix. The first signature is that of
    /// the missing value.
    pub(super) fn sign(&self, dictionary: &Dictionary, signatures: &mut [u16]) {
        let (text, ends) = dictionary.parts();
        let mut start = 0;
        for (signature, end) in signatures.iter_mut().skip(1).zip(ends) {
            let text = &text.as_bytes()[start..*end as usize];
            start = *end as usize;
            for (head, bit) in &self.heads {
                *signature |= if head.begins(text) { *bit } else { 0 };
            }
            for (tail, bit) in &self.tails {
                *signature |= if tail.ends(text) { *bit } else { 0 };
            }
        }
    }
}

impl<'a> Edge<'a> {
    fn head(part: &'a str) -> Self {
        let part = part.as_bytes();
        let mut word = [0; 8];
        let length = part.len().min(8);
        word[..length].copy_from_slice(&part[..length]);
        let mask = if length == 8 {
            u64::MAX
        } else {
            (1 << (8 * length)) - 1
        };
        Self {
            part,
            word: u64::from_le_bytes(word),
            mask,
        }
    }

    fn tail(part: &'a str) -> Self {
        let part = part.as_bytes();
        let mut word = [0; 8];
        let length = part.len().min(8);
        word[8 - length..].copy_from_slice(&part[part.len() - length..]);
        let mask = if length == 8 {
            u64::MAX
        } else {
            !(u64::MAX >> (8 * length))
        };
        Self {
            part,
            word: u64::from_le_bytes(word),
            mask,
        }
    }

    fn begins(&self, text: &[u8]) -> bool {
        match text.first_chunk::<8>() {
            Some(head) if u64::from_le_bytes(*head) & self.mask != self.word => false,
            _ => text.len() >= self.part.len() && alike(&text[..self.part.len()], self.part),
        }
    }

    fn ends(&self, text: &[u8]) -> bool {
        match text.last_chunk::<8>() {
            Some(tail) if u64::from_le_bytes(*tail) & self.mask != self.word => false,
            _ => {
                text.len() >= self.part.len()
                    && alike(&text[text.len() - self.part.len()..], self.part)
            }
        }
    }
}

/// Compares texts of the same length, eight bytes at a time. They are short, so a call to `memcmp`
/// would cost more than the comparison.
fn alike(a: &[u8], b: &[u8]) -> bool {
    let (a, b) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let words = a.0.iter().zip(b.0);
    words
        .into_iter()
        .all(|(a, b)| u64::from_le_bytes(*a) == u64::from_le_bytes(*b))
        && a.1.iter().zip(b.1).all(|(a, b)| a == b)
}

/// Calls `each` with the code of every text that contains `part`.
pub(super) fn containing(dictionary: &Dictionary, part: &str, mut each: impl FnMut(usize)) {
    dictionary.hits(part, |code, _, _| {
        each(code as usize);
        true
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dictionary(texts: &[String]) -> Dictionary {
        let mut all = Dictionary::default();
        for text in texts {
            all.push(text);
        }
        all
    }

    proptest! {
        #[test]
        fn a_part_is_found_in_each_text_that_has_it(
            texts in proptest::collection::vec("[abü]{1,5}", 0..20),
            part in "[abü]{1,3}",
        ) {
            let expected: Vec<usize> = (1..).zip(&texts).filter(|(_, text)| text.contains(&part)).map(|(code, _)| code).collect();
            let mut found = Vec::new();
            containing(&dictionary(&texts), &part, |code| found.push(code));
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn beginnings_and_ends_are_those_of_the_text(text in "[aü]{0,12}", part in "[aü]{1,10}") {
            prop_assert_eq!(Edge::head(&part).begins(text.as_bytes()), text.starts_with(&part));
            prop_assert_eq!(Edge::tail(&part).ends(text.as_bytes()), text.ends_with(&part));
            let (begun, ended) = (format!("{part}{text}"), format!("{text}{part}"));
            prop_assert!(Edge::head(&part).begins(begun.as_bytes()) && Edge::tail(&part).ends(ended.as_bytes()));
        }
    }
}
