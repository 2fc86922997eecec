//! The text of an invitation.

use minijinja::HtmlEscape;

use super::session::CourseSession;

/// Returns the text of a part's event as HTML: the escaped description and, in all parts except the
/// first, the meeting link, because only the first event has the meeting.
pub fn invitation(session: &CourseSession, part: u32) -> String {
    let mut html = String::new();
    for paragraph in session.description.split("\n\n") {
        let paragraph = paragraph.trim();
        if !paragraph.is_empty() {
            let lines: Vec<String> = paragraph
                .lines()
                .map(|line| HtmlEscape(line.trim()).to_string())
                .collect();
            html.push_str(&["<p>", &lines.join("<br>"), "</p>"].concat());
        }
    }
    let link = session
        .join_url
        .as_deref()
        .filter(|_| part > 0 && session.online);
    if let Some(url) =
        link.filter(|url| url.starts_with("https://") || url.starts_with("http://127.0.0.1"))
    {
        let url = HtmlEscape(url);
        let link = format!("<p><a href=\"{url}\">Microsoft Teams: {url}</a></p>");
        html.push_str(&link);
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course_session::tests::session;

    #[test]
    fn what_people_write_is_no_markup() {
        let mut it = session(0..3);
        it.description = "Bring <b>shoes</b>\nand water\n\nSee you".to_owned();
        it.online = true;
        it.join_url = Some("https://teams.example/a?b=c&d".to_owned());
        assert_eq!(
            invitation(&it, 0),
            "<p>Bring &lt;b&gt;shoes&lt;&#x2f;b&gt;<br>and water</p><p>See you</p>"
        );
        assert!(invitation(&it, 1).contains("b=c&amp;d"));
        it.join_url = Some("javascript:alert(1)".to_owned());
        assert!(!invitation(&it, 1).contains("javascript"));
    }
}
