//! Changes the text of an online meeting without losing the part by which it is one.
//!
//! Graph keeps the way into a Teams meeting in the body of its event: a body
//! written without it makes the event an ordinary one again, and the link in
//! everyone's calendar dead. See "body property and online meetings" in
//! <https://learn.microsoft.com/graph/api/event-update>.

/// The line that Teams draws above its part: a row of at least so many underscores.
const LINE: &str = "____________________";

/// The whole new body: `html` with what Teams appended to the `current` body.
///
/// `None` when the way into the meeting is in there but where it begins cannot
/// be told: then the text had better stay as it is.
pub(super) fn with_meeting(current: &str, html: &str, join_url: &str) -> Option<String> {
    let link = [join_url.to_owned(), join_url.replace('&', "&amp;")]
        .iter()
        .find_map(|link| current.find(link.as_str()));
    // The line that is nearest above the link: our own text may hold one, too.
    let line = match link {
        Some(link) => row_before(current, link),
        None => current.find(LINE),
    };
    let Some(line) = line else {
        return link.is_none().then(|| html.to_owned());
    };
    let head_end = text_start(current);
    let above = &current[head_end..line];
    let start = above.rfind("<div").or_else(|| above.rfind('<'));
    let start = head_end + start.unwrap_or(above.len());
    Some(format!(
        "{}{html}{}",
        &current[..head_end],
        &current[start..]
    ))
}

/// Where the last row of underscores above `end` begins.
fn row_before(current: &str, end: usize) -> Option<usize> {
    let last = current[..end].rfind(LINE)?;
    let before = current[..last].trim_end_matches('_');
    Some(before.len())
}

/// Where the text begins: behind the `<body>` tag, if there is one.
fn text_start(current: &str) -> usize {
    let tag = current.find("<body");
    let end = tag.and_then(|tag| Some(tag + current[tag..].find('>')? + 1));
    end.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://teams.example/l/meetup-join/1?a=b&c=d";

    /// A body as Teams leaves it behind, around our text.
    fn body(text: &str) -> String {
        let line = "_".repeat(80);
        format!(
            "<html><head></head><body class=\"x\">{text}<br><div style=\"w\"><span>{line}</span></div><div><a href=\"https://teams.example/l/meetup-join/1?a=b&amp;c=d\">Join</a></div><div>{line}</div></body></html>"
        )
    }

    /// Proves S1-17: the meeting outlives a change of the text, however often.
    #[test]
    fn the_meeting_stays_below_the_new_text() {
        let once = with_meeting(&body("<p>Old</p>"), "<p>New</p>", URL).expect("a body");
        assert_eq!(once, body("<p>New</p>").replacen("<br>", "", 1));
        let ruled = format!("<p>{}</p>", "_".repeat(40));
        let twice = with_meeting(&once, &ruled, URL).expect("a body");
        let thrice = with_meeting(&twice, "<p>New</p>", URL).expect("a body");
        assert_eq!(thrice, once);
    }

    #[test]
    fn a_meeting_in_an_unknown_form_is_left_alone() {
        let strange = format!("<p>Old</p><a href='{URL}'>Join</a>");
        assert_eq!(with_meeting(&strange, "<p>New</p>", URL), None);
        let none = with_meeting("<p>Old</p>", "<p>New</p>", URL);
        assert_eq!(none.as_deref(), Some("<p>New</p>"));
    }
}
