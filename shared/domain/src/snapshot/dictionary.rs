//! The distinct texts of a column in one piece of memory, and how they are gathered.

use hashbrown::{DefaultHashBuilder, HashTable};
use memchr::memmem::Finder;
use std::hash::BuildHasher as _;

use crate::base::text::cleaned;

/// Distinct texts; the first has code 1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dictionary {
    text: String,
    ends: Vec<u32>,
}

impl Dictionary {
    /// Puts a dictionary together from its parts: all texts behind each other
    /// and where each ends. `None` when they do not fit each other.
    pub fn from_parts(text: String, ends: Vec<u32>) -> Option<Self> {
        let whole = ends.last().map_or(0, |end| *end as usize) == text.len();
        let sound = whole
            && ends.is_sorted()
            && ends.iter().all(|end| text.is_char_boundary(*end as usize));
        sound.then_some(Self { text, ends })
    }

    /// The same from parts that are known to fit: not checked again.
    pub(crate) fn of_parts(text: String, ends: Vec<u32>) -> Self {
        debug_assert!(ends.last().is_none_or(|end| *end as usize == text.len()));
        Self { text, ends }
    }

    /// All texts behind each other, and where each ends, in bytes.
    pub fn parts(&self) -> (&str, &[u32]) {
        (&self.text, &self.ends)
    }

    /// How many texts there are; also the highest code.
    pub fn len(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of a code; 0 and unknown codes have none.
    pub fn get(&self, code: u32) -> Option<&str> {
        let place = (code as usize).checked_sub(1)?;
        let end = *self.ends.get(place)? as usize;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]) as usize;
        self.text.get(start..end)
    }

    /// All texts in the order of their codes.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| self.text.get(start as usize..*end as usize).unwrap_or(""))
    }

    /// Calls `each` with the code of every text that contains a part, the text
    /// and where in it the part begins, until it answers that it has seen enough
    /// of this text: one search through all texts at once; what is found across
    /// the border of two is none. The part must not be empty.
    pub(crate) fn hits(&self, part: &str, mut each: impl FnMut(u32, &str, usize) -> bool) {
        let finder = Finder::new(part);
        let (mut at, mut place) = (0, 0usize);
        while let Some(hit) = self
            .text
            .as_bytes()
            .get(at..)
            .filter(|rest| !rest.is_empty())
            .and_then(|rest| finder.find(rest))
        {
            let hit = at + hit;
            while self.ends.get(place).is_some_and(|end| *end as usize <= hit) {
                place += 1;
            }
            let Some(end) = self.ends.get(place).map(|end| *end as usize) else {
                break;
            };
            let start = place.checked_sub(1).map_or(0, |before| self.ends[before]) as usize;
            let code = u32::try_from(place + 1).unwrap_or(u32::MAX);
            let inside = hit + part.len() <= end;
            let enough = inside && each(code, &self.text[start..end], hit - start);
            at = if enough { end } else { hit + 1 };
        }
    }

    /// Adds a text behind the others and answers its code. At four billion
    /// bytes no more fit, and the text counts as missing.
    pub(crate) fn push(&mut self, text: &str) -> u32 {
        let Ok(end) = u32::try_from(self.text.len() + text.len()) else {
            return super::codes::MISSING;
        };
        self.text.push_str(text);
        self.ends.push(end);
        self.len()
    }
}

/// A dictionary being gathered: knows the texts it has.
#[derive(Debug, Clone, Default)]
pub struct Interner {
    dictionary: Dictionary,
    known: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Interner {
    /// The code of a text as people should see it (trimmed, NFC); blanks are
    /// missing, and so is a new text beyond four billion bytes of them.
    pub fn code(&mut self, text: &str) -> u32 {
        self.code_within(text, u32::MAX)
            .unwrap_or(super::codes::MISSING)
    }

    /// The same; `None` for a new text with which all texts together would have
    /// more than `limit` bytes.
    pub(crate) fn code_within(&mut self, text: &str, limit: u32) -> Option<u32> {
        let Some(text) = cleaned(text) else {
            return Some(super::codes::MISSING);
        };
        let text: &str = &text;
        let hash = self.hasher.hash_one(text);
        let dictionary = &self.dictionary;
        let found = self
            .known
            .find(hash, |code| dictionary.get(*code) == Some(text));
        if let Some(code) = found {
            return Some(*code);
        }
        if self.dictionary.text.len() + text.len() > limit as usize {
            return None;
        }
        let code = self.dictionary.push(text);
        let (dictionary, hasher) = (&self.dictionary, &self.hasher);
        self.known.insert_unique(hash, code, |code| {
            hasher.hash_one(dictionary.get(*code).unwrap_or_default())
        });
        Some(code)
    }

    /// What was gathered so far.
    pub fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// What was gathered.
    pub fn finish(self) -> Dictionary {
        self.dictionary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_kept_once_and_blanks_are_missing() {
        let mut texts = Interner::default();
        let codes = ["Denver", " Oslo", "  ", "Denver ", "Zürich"].map(|text| texts.code(text));
        assert_eq!(codes, [1, 2, 0, 1, 3]);
        let dictionary = texts.finish();
        assert_eq!(
            dictionary.iter().collect::<Vec<_>>(),
            ["Denver", "Oslo", "Zürich"]
        );
        assert_eq!(dictionary.get(3), Some("Zürich"));
        assert_eq!((dictionary.get(0), dictionary.get(4)), (None, None));
    }

    #[test]
    fn a_new_text_beyond_the_limit_has_no_code_and_is_not_kept() {
        let mut texts = Interner::default();
        assert_eq!(texts.code_within("Oslo", 6), Some(1));
        assert_eq!(texts.code_within("Denver", 6), None);
        assert_eq!(texts.code_within(" Oslo ", 6), Some(1));
        assert_eq!(texts.code_within("  ", 6), Some(0));
        assert_eq!(texts.code_within("NY", 6), Some(2));
        assert_eq!(texts.finish().iter().collect::<Vec<_>>(), ["Oslo", "NY"]);
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let whole = |ends: &[u32]| Dictionary::from_parts("aüb".to_owned(), ends.to_vec());
        assert!(whole(&[1, 3, 4]).is_some());
        for wrong in [&[1, 2, 4][..], &[1, 3], &[3, 1, 4], &[1, 3, 4, 9], &[]] {
            assert!(whole(wrong).is_none(), "{wrong:?}");
        }
    }
}
