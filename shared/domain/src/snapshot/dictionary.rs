//! The distinct texts of a column in one contiguous string, and the interner that collects them.

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
    /// Returns a dictionary of unchecked parts: all texts concatenated, and the end of each in
    /// bytes. `None` if the parts are inconsistent.
    pub fn from_parts(text: String, ends: Vec<u32>) -> Option<Self> {
        let complete = ends.last().map_or(0, |end| *end as usize) == text.len();
        let sound = complete
            && ends.is_sorted()
            && ends.iter().all(|end| text.is_char_boundary(*end as usize));
        sound.then_some(Self { text, ends })
    }

    /// Returns a dictionary of parts that are known to be consistent, without checking them again.
    pub(crate) fn of_parts(text: String, ends: Vec<u32>) -> Self {
        debug_assert!(ends.last().is_none_or(|end| *end as usize == text.len()));
        Self { text, ends }
    }

    /// Returns all texts concatenated, and the end of each in bytes.
    pub fn parts(&self) -> (&str, &[u32]) {
        (&self.text, &self.ends)
    }

    /// Returns the number of texts, which is also the highest code.
    pub fn len(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    /// Returns true if there are no texts.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns the text of a code; `None` for 0 and unknown codes.
    pub fn get(&self, code: u32) -> Option<&str> {
        let place = (code as usize).checked_sub(1)?;
        let end = *self.ends.get(place)? as usize;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]) as usize;
        self.text.get(start..end)
    }

    /// Returns all texts in the order of their codes.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| self.text.get(start as usize..*end as usize).unwrap_or(""))
    }

    /// Calls `each` with the code of every text that contains `part`, the text, and the position of
    /// the match in it, until `each` returns true for this text. Searches all texts at once;
    /// matches across the border of two texts are ignored. `part` must not be empty.
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

    /// Appends a text and returns its code. Beyond four billion bytes in all, a text is treated as
    /// missing.
    pub(crate) fn push(&mut self, text: &str) -> u32 {
        let Ok(end) = u32::try_from(self.text.len() + text.len()) else {
            return super::codes::MISSING;
        };
        self.text.push_str(text);
        self.ends.push(end);
        self.len()
    }
}

/// A dictionary under construction, with a hash table of the texts it contains.
#[derive(Debug, Clone, Default)]
pub struct Interner {
    dictionary: Dictionary,
    known: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Interner {
    /// Returns the code of a text in its display form (trimmed, NFC). Blank texts are missing, and
    /// so are new texts beyond four billion bytes in all.
    pub fn code(&mut self, text: &str) -> u32 {
        self.code_within(text, u32::MAX)
            .unwrap_or(super::codes::MISSING)
    }

    /// Returns the code of a text; `None` for a new text with which all texts together would exceed
    /// `limit` bytes.
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

    /// Returns the texts collected so far.
    pub fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// Returns the complete dictionary.
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
        let complete = |ends: &[u32]| Dictionary::from_parts("aüb".to_owned(), ends.to_vec());
        assert!(complete(&[1, 3, 4]).is_some());
        for wrong in [&[1, 2, 4][..], &[1, 3], &[3, 1, 4], &[1, 3, 4, 9], &[]] {
            assert!(complete(wrong).is_none(), "{wrong:?}");
        }
    }
}
