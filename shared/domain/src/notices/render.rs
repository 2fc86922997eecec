//! Renders notices as HTML and plain text.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, context};
use serde::{Deserialize, Serialize};

use super::notice::Notice;
use super::template_blocks::{Parts, one_line};

/// A rendered notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenderedNotice {
    /// Subject, one line.
    pub subject: String,
    /// Body as plain text.
    pub text: String,
    /// Body as HTML.
    pub html: String,
}

static LAYOUTS: LazyLock<Result<Environment<'static>, Error>> = LazyLock::new(|| {
    let mut layouts = Environment::new();
    layouts.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    layouts.set_auto_escape_callback(|name| {
        if name == "mail.html" {
            AutoEscape::Html
        } else {
            AutoEscape::None
        }
    });
    layouts.add_template("mail.txt", include_str!("mail.txt"))?;
    layouts.add_template("mail.html", include_str!("mail.html"))?;
    Ok(layouts)
});

/// Renders a notice in its language. Text entered by users (titles) is escaped in HTML and reduced
/// to one line in the subject.
///
/// # Errors
/// Returns an error only if a template is invalid, which the tests exclude.
pub fn render(notice: &Notice) -> Result<RenderedNotice, String> {
    let layouts = LAYOUTS.as_ref().map_err(ToString::to_string)?;
    let parts = Parts::of(&notice.about, notice.language)?;
    let render = |name: &str| {
        layouts
            .get_template(name)
            .and_then(|layout| {
                layout.render(context! {
                    lang => notice.language.code(),
                    colon => notice.language.colon(),
                    tenant => one_line(&notice.tenant_name),
                    parts => Serde(&parts),
                })
            })
            .map_err(|error| error.to_string())
    };
    Ok(RenderedNotice {
        text: render("mail.txt")?,
        html: render("mail.html")?,
        subject: parts.subject,
    })
}
