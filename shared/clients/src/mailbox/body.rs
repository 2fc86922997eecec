//! Changes the text of an online meeting without losing its join information.
//!
//! Graph stores the join information of a Teams meeting in the body of its event: a body written
//! without it turns the event into an ordinary one and breaks the join link in all calendars. See
//! "body property and online meetings" in <https://learn.microsoft.com/graph/api/event-update>.

/// The separator that Teams inserts above its part: a row of at least this many underscores.
const LINE: &str = "____________________";

/// Returns the new body: `html` followed by the part of the `current` body added by Teams.
///
/// Returns `None` if the body contains the join link but the start of Teams' part cannot be
/// determined; the caller then leaves the text unchanged.
pub(super) fn with_meeting(current: &str, html: &str, join_url: &str) -> Option<String> {
    let link = [join_url.to_owned(), join_url.replace('&', "&amp;")]
        .iter()
        .find_map(|link| current.find(link.as_str()));
    // Uses the nearest separator above the link, because our own text may contain one, too.
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

/// Returns the start of the last row of underscores before `end`.
fn row_before(current: &str, end: usize) -> Option<usize> {
    let last = current[..end].rfind(LINE)?;
    let before = current[..last].trim_end_matches('_');
    Some(before.len())
}

/// Returns the start of the content: after the `<body>` tag if there is one.
fn text_start(current: &str) -> usize {
    let tag = current.find("<body");
    let end = tag.and_then(|tag| Some(tag + current[tag..].find('>')? + 1));
    end.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://teams.example/l/meetup-join/1?a=b&c=d";

    /// Returns a body as modified by Teams, with our text.
    fn body(text: &str) -> String {
        let line = "_".repeat(80);
        format!(
            "<html><head></head><body class=\"x\">{text}<br><div style=\"w\"><span>{line}</span></div><div><a href=\"https://teams.example/l/meetup-join/1?a=b&amp;c=d\">Join</a></div><div>{line}</div></body></html>"
        )
    }

    /// Proves S1-17: the meeting survives any number of changes of the text.
    #[test]
    fn the_meeting_stays_below_the_new_text() {
        let once = with_meeting(&body("<p>Old</p>"), "<p>New</p>", URL).expect("no body");
        assert_eq!(once, body("<p>New</p>").replacen("<br>", "", 1));
        let ruled = format!("<p>{}</p>", "_".repeat(40));
        let twice = with_meeting(&once, &ruled, URL).expect("no body");
        let thrice = with_meeting(&twice, "<p>New</p>", URL).expect("no body");
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
