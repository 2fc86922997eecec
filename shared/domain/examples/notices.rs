//! Writes every notice as an HTML file, and overview pages of them, into the folder given as
//! argument. docs/notices.md shows these pages.
#![expect(
    clippy::disallowed_methods,
    reason = "an example is a program: it reads its argument and writes files"
)]

use std::fmt::Write as _;
use std::path::PathBuf;

use rollcall_domain::notices::testing::{every_kind, other_faces};
use rollcall_domain::notices::{Language, Notice, NoticeKind, render};
use rollcall_domain::testing::World;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A notice on an overview page: its file, the window width in pixels, and whether it is dark.
type Shown = (String, u32, bool);

fn main() -> Outcome<()> {
    let folder: PathBuf = std::env::args_os()
        .nth(1)
        .ok_or("usage: notices FOLDER")?
        .into();
    std::fs::create_dir_all(&folder)?;
    for language in Language::ALL {
        for kind in every_kind() {
            let file = format!("{}.{}.html", name(&kind)?, language.code());
            std::fs::write(folder.join(file), html(kind, language)?)?;
        }
        for (index, kind) in other_faces().into_iter().enumerate() {
            let file = format!("{}-{index}.{}.html", name(&kind)?, language.code());
            std::fs::write(folder.join(file), html(kind, language)?)?;
        }
    }
    for (sheet, mails) in sheets() {
        let mut page = String::from(SHEET);
        for (file, width, dark) in mails {
            let mail = std::fs::read_to_string(folder.join(&file))?;
            let mail = mail.replace('&', "&amp;").replace('"', "&quot;");
            let scheme = if dark { "dark" } else { "light" };
            write!(
                page,
                r#"<iframe title="{file}" width="{width}" style="color-scheme:{scheme}" onload="fit(this)" srcdoc="{mail}"></iframe>"#
            )?;
        }
        std::fs::write(folder.join(format!("sheet-{sheet}.html")), page)?;
    }
    Ok(())
}

/// Page with frames side by side, each as high as its content.
const SHEET: &str = r#"<!doctype html>
<meta charset="utf-8">
<style>
body { margin: 0; background: #f3f5f8; display: flex; flex-wrap: wrap; align-items: flex-start }
iframe { border: 0 }
</style>
<script>
function fit(frame) { frame.height = frame.contentDocument.documentElement.scrollHeight }
</script>
"#;

fn sheets() -> Vec<(&'static str, Vec<Shown>)> {
    let english = |kinds: &[&str]| {
        kinds
            .iter()
            .map(|kind| (format!("{kind}.en.html"), 660, false))
            .collect()
    };
    let languages = Language::ALL.map(|language| {
        let file = format!("sessionScheduled.{}.html", language.code());
        (file, 660, false)
    });
    let phones = [
        ("connectionLost.en.html", false),
        ("connectionLost.en.html", true),
        ("sessionChanged.de.html", true),
    ];
    vec![
        (
            "jobs",
            english(&["ready", "failure", "held", "needsReview"]),
        ),
        (
            "connections",
            english(&[
                "connectionLost",
                "accountConnected",
                "connectionLost-1",
                "secretExpiring",
            ]),
        ),
        ("sync", english(&["syncFailed", "syncComplete"])),
        (
            "sessions",
            english(&[
                "sessionScheduled",
                "sessionChanged",
                "sessionCancelled",
                "roomDeclined",
            ]),
        ),
        ("languages", languages.into()),
        (
            "phones",
            phones
                .map(|(file, dark)| (file.to_owned(), 320, dark))
                .into(),
        ),
    ]
}

fn name(kind: &NoticeKind) -> Outcome<String> {
    let value = serde_json::to_value(kind)?;
    Ok(value["kind"].as_str().unwrap_or_default().to_owned())
}

fn html(kind: NoticeKind, language: Language) -> Outcome<String> {
    let to = vec!["ada@contoso.example".to_owned()];
    let notice = Notice::new(World::tenant(), "Contoso", to, kind).in_language(language);
    Ok(render(&notice)?.html)
}
