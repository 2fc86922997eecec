//! Dictionaries folded for comparison.

use super::dictionary::Dictionary;
use crate::base::text::fold;

/// Folds every text; if all are ASCII, in one pass.
pub(super) fn folded(dictionary: &Dictionary) -> Dictionary {
    let (text, ends) = dictionary.parts();
    if text.is_ascii() {
        return Dictionary::of_parts(text.to_ascii_lowercase(), ends.to_vec());
    }
    // Most texts are nevertheless ASCII: they are copied in long runs.
    let lower = text.to_ascii_lowercase();
    let (mut all, mut copied, mut start) = (String::with_capacity(text.len()), 0, 0);
    let mut folded = Vec::with_capacity(ends.len());
    for end in ends.iter().map(|end| *end as usize) {
        if !text.as_bytes()[start..end].is_ascii() {
            all.push_str(&lower[copied..start]);
            all.push_str(&fold(&text[start..end]).unwrap_or_default());
            copied = end;
        }
        // The end of this text: after the copied bytes and those not yet copied.
        folded.push(u32::try_from(all.len() + end - copied).unwrap_or(u32::MAX));
        start = end;
    }
    all.push_str(&lower[copied..]);
    Dictionary::of_parts(all, folded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_are_folded_as_one_by_one(texts in proptest::collection::vec("[aBÜß]{1,6}", 0..12)) {
            let mut dictionary = Dictionary::default();
            for text in &texts {
                dictionary.push(text);
            }
            let folded = folded(&dictionary);
            let one_by_one: Vec<String> = texts.iter().filter_map(|text| fold(text)).collect();
            prop_assert_eq!(folded.iter().collect::<Vec<_>>(), one_by_one);
        }
    }
}
