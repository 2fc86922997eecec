//! The pages as HTML: plain forms with labels, no external resources.

use super::flow::{Back, ConsentPage, SignInLink, SignInPage, Step};
use super::scopes;
use crate::call::Reply;

/// Groups related fields visually and highlights errors.
const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;\
    padding:0 1rem;color-scheme:light dark}\
    input[type=text]{width:100%;box-sizing:border-box}input,button{font:inherit;padding:.25rem .75rem}\
    [role=alert]{border-left:.25rem solid;padding-left:.75rem;overflow-wrap:anywhere}\
    footer{margin-top:2rem;border-top:1px solid;font-size:.875rem}";

/// Returns the response for a browser.
pub(super) fn render(link: &SignInLink<'_>, step: Step) -> Reply {
    match step {
        Step::SignIn(page) => Reply::html(200, sign_in(link, &page)),
        Step::Consent(page) => Reply::html(200, consent(link, &page)),
        Step::Refused(text, back) => Reply::html(403, refused(&text, &back)),
        Step::Broken(text) => {
            let body = format!("<p role=\"alert\">{}</p>", escape(&text));
            Reply::html(400, page("You cannot be signed in", &body))
        }
        Step::Back(back) if back.form_post => Reply::html(200, form_post(&back)),
        Step::Back(back) => Reply::redirect(back.location()),
    }
}

fn sign_in(link: &SignInLink<'_>, shown: &SignInPage) -> String {
    let notice = shown.notice.as_ref().map_or_else(String::new, |text| {
        format!("<p role=\"alert\" id=\"notice\">{}</p>\n", escape(text))
    });
    let described = if notice.is_empty() {
        ""
    } else {
        " aria-invalid=\"true\" aria-describedby=\"notice\""
    };
    let body = format!(
        "<p>to go on to {app}</p>\n{notice}\
         <form method=\"post\" action=\"{action}\">\n{request}\
         <p><label for=\"login\">Account</label><br>\n\
         <input id=\"login\" name=\"login\" type=\"text\" autocomplete=\"username\" \
         spellcheck=\"false\" required value=\"{login}\"{described}></p>\n\
         <p><button type=\"submit\">Sign in</button></p>\n</form>",
        app = escape(&shown.app),
        action = action(link, "signin"),
        request = hidden("request", link.raw),
        login = escape(&shown.login),
    );
    page("Sign in", &body)
}

fn consent(link: &SignInLink<'_>, shown: &ConsentPage) -> String {
    let item = |permission: &String| {
        let (words, name) = (escape(scopes::words(permission)), escape(permission));
        format!("<li>{words} <small>({name})</small></li>\n")
    };
    let items: Vec<String> = shown.permissions.iter().map(item).collect();
    let items = items.concat();
    let organisation = if shown.offers_organisation {
        "<p><input id=\"organisation\" name=\"organisation\" type=\"checkbox\" value=\"on\"> \
         <label for=\"organisation\">Consent on behalf of your organization</label></p>\n"
    } else {
        ""
    };
    let body = format!(
        "<p>{app} asks {login} of {place} to allow it to:</p>\n<ul>\n{items}</ul>\n\
         <form method=\"post\" action=\"{action}\">\n{request}{person}{organisation}\
         <p><button type=\"submit\" name=\"decision\" value=\"accept\">Accept</button>\n\
         <button type=\"submit\" name=\"decision\" value=\"cancel\">Cancel</button></p>\n</form>",
        app = escape(&shown.app),
        login = escape(&shown.login),
        place = escape(&shown.organisation),
        action = action(link, "consent"),
        request = hidden("request", link.raw),
        person = hidden("login", &shown.login),
    );
    page("Permissions requested", &body)
}

fn refused(text: &str, back: &Back) -> String {
    let body = format!(
        "<p role=\"alert\">{}</p>\n<p><a href=\"{}\">Return to the application without consent</a></p>",
        escape(text),
        escape(&back.location())
    );
    page("Approval needed", &body)
}

/// Returns a page that submits itself; without scripts the user presses the button.
fn form_post(back: &Back) -> String {
    let fields: String = back
        .fields
        .iter()
        .map(|(name, value)| hidden(name, value))
        .collect();
    let body = format!(
        "<form method=\"post\" action=\"{}\">\n{fields}\
         <p><button type=\"submit\">Continue</button></p>\n</form>\n\
         <script>document.forms[0].submit();</script>",
        escape(&back.uri)
    );
    page("Back to the application", &body)
}

fn action(link: &SignInLink<'_>, stage: &str) -> String {
    let (segment, path) = (escape(link.segment), link.flow.path());
    format!("/entra/{segment}/{path}/{stage}")
}

fn hidden(name: &str, value: &str) -> String {
    let (name, value) = (escape(name), escape(value));
    format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">\n")
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n{body}\n</main>\n\
         <footer>A simulation of Microsoft Entra ID. No password is needed.</footer>\n\
         </body>\n</html>\n"
    )
}

/// Escapes text for an element or a double-quoted attribute.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Payload;
    use crate::entra::flow::Flow;
    use crate::hub::Hub;

    fn html(step: Step, raw: &str) -> String {
        let hub = Hub::new(String::new());
        let link = SignInLink {
            hub: &hub,
            segment: "organizations",
            flow: Flow::Authorize,
            raw,
        };
        match render(&link, step).body {
            Payload::Html(page) => page,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_a_stranger_writes_becomes_markup() {
        let evil = "\"><script>x</script>'";
        let page = html(
            Step::SignIn(SignInPage {
                app: evil.to_owned(),
                login: evil.to_owned(),
                notice: Some(evil.to_owned()),
            }),
            evil,
        );
        assert!(!page.contains("<script"), "{page}");
        assert_eq!(page.matches("<h1>").count(), 1);
        let back = || Back {
            uri: evil.to_owned(),
            fields: vec![("state", evil.to_owned())],
            form_post: true,
        };
        let page = html(Step::Back(back()), "");
        assert_eq!(page.matches("<script").count(), 1, "{page}");
        let page = html(Step::Refused(evil.to_owned(), back()), "");
        assert!(!page.contains("<script"), "{page}");
    }

    #[test]
    fn the_consent_page_names_permissions_and_offers_the_organisation_to_some() {
        let shown = |offers_organisation| {
            let page = ConsentPage {
                app: "Rollcall".to_owned(),
                organisation: "Contoso".to_owned(),
                login: "ada@contoso.example".to_owned(),
                permissions: vec!["Mail.Send".to_owned(), "Odd.Thing".to_owned()],
                offers_organisation,
            };
            html(Step::Consent(page), "a=1&b=2")
        };
        let page = shown(true);
        for part in [
            "Send mail from your mailbox",
            "(Mail.Send)",
            "Odd.Thing",
            "value=\"a=1&amp;b=2\"",
            "<label for=\"organisation\">",
            "value=\"cancel\"",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert!(!shown(false).contains("organisation\""));
    }
}
