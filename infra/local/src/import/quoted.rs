//! Quoted values in messages.

/// Maximum number of characters of a value in a message.
const MAX_SHOWN: usize = 40;

/// Returns the value in quotes, shortened.
pub(super) fn quoted(text: &str) -> String {
    format!("{:?}", shortened(text))
}

/// Returns the beginning of a text, with an ellipsis if it is shortened.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
