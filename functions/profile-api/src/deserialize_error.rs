//! Rewrites error messages of the deserializer for API clients.

const WHOLE_NUMBER: &str = "expected a whole number, 0 or more";

/// Returns the message without its line and column and without Rust type names, at most 300
/// characters.
pub(crate) fn plain(text: &str) -> String {
    let mut text = text
        .split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned();
    for (theirs, ours) in [
        ("expected u32", WHOLE_NUMBER),
        ("expected u64", WHOLE_NUMBER),
        ("expected f64", "expected a number"),
        ("expected a sequence", "expected a list"),
        ("UUID parsing failed", "expected a GUID"),
        ("unknown variant", "unknown value"),
        ("invalid digit found in string", WHOLE_NUMBER),
        (
            "provided string was not `true` or `false`",
            "expected true or false",
        ),
    ] {
        text = text.replace(theirs, ours);
    }
    if let Some(at) = text.find("expected struct ") {
        text.replace_range(at.., "expected an object");
    }
    text.chars().take(300).collect()
}
