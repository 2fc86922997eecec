//! Extracts the API key from an HTTP Basic header.

/// Returns the password of `Basic …`; like the vendor, ignores the user name.
pub(super) fn of_basic(header: &str) -> Option<String> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(decode(encoded.trim())?).ok()?;
    Some(pair.split_once(':')?.1.to_owned())
}

/// Decodes standard base64 with or without padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for letter in text.trim_end_matches('=').bytes() {
        let six = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_password_and_refuses_other_schemes() {
        assert_eq!(of_basic("Basic YXBpOmtleTox").as_deref(), Some("key:1"));
        assert_eq!(of_basic("basic Omtl").as_deref(), Some("ke"));
        assert_eq!(of_basic("Bearer YXBpOmtleTox"), None);
        assert_eq!(of_basic("Basic %%%"), None);
    }
}
