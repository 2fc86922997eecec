//! Values as messages show them.

/// A message shows at most this many characters of a value.
const MAX_SHOWN: usize = 40;

/// The value quoted for a message, shortened.
pub(super) fn quoted(text: &str) -> String {
    format!("{:?}", shortened(text))
}

/// The first characters of a text, with an ellipsis if there are more.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
