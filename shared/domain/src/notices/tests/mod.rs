//! The texts of every kind in every language.

use super::template_blocks::Parts;
use super::testing::{every_kind, held, other_faces};
use super::*;
use crate::testing::World;

mod identity;
mod published;

fn notice(about: NoticeKind) -> Notice {
    to(&["lms@contoso.example"], about)
}

fn to(recipients: &[&str], about: NoticeKind) -> Notice {
    let recipients = recipients.iter().map(|&one| one.to_owned()).collect();
    Notice::new(World::tenant(), "Contoso", recipients, about)
}

fn shown(notice: &Notice) -> String {
    let words = render(notice).expect("notice not rendered");
    format!("{}\n---\n{}", words.subject, words.text)
}

fn all_shown(kinds: Vec<NoticeKind>) -> String {
    let shown: Vec<_> = kinds.into_iter().map(|kind| shown(&notice(kind))).collect();
    shown.join("\n==========\n")
}

fn name(kind: &NoticeKind) -> String {
    let value = serde_json::to_value(kind).expect("notice not serialized");
    value["kind"].as_str().expect("kind has no name").to_owned()
}

fn of(kind_name: &str) -> NoticeKind {
    every_kind()
        .into_iter()
        .find(|kind| name(kind) == kind_name)
        .expect("no sample of this kind")
}

/// Proves S4-104, S4-012, S4-061, S4-120, S1-31, S1-33, S2-48 and S3-24: the texts that
/// users read.
#[test]
fn every_kind_says_what_happened_and_what_to_do() {
    insta::assert_snapshot!(all_shown(every_kind()));
}

#[test]
fn other_cases_of_the_same_kinds_are_reported_as_they_are() {
    insta::assert_snapshot!(all_shown(other_faces()));
}

/// Proves S2-19: notices are written in the chosen language.
#[test]
fn a_loss_and_a_session_are_reported_in_every_language() {
    let told = Language::ALL.map(|language| {
        ["connectionLost", "sessionScheduled"]
            .map(|kind| shown(&notice(of(kind)).in_language(language)))
            .join("\n==========\n")
    });
    insta::assert_snapshot!(told.join("\n==========\n"));
}

#[test]
fn the_html_of_a_loss() {
    let words = render(&notice(of("connectionLost"))).expect("notice not rendered");
    insta::assert_snapshot!(words.html);
}

#[test]
fn the_html_of_a_session_in_german() {
    let told = notice(of("sessionScheduled")).in_language(Language::German);
    insta::assert_snapshot!(render(&told).expect("notice not rendered").html);
}

/// Returns all texts of the template, without those written by users or jobs.
fn own_words(parts: &Parts) -> Vec<&str> {
    let labels = parts.facts.iter().map(|fact| &fact.label);
    let links = parts.links.iter().map(|link| &link.label);
    [&parts.subject, &parts.lead]
        .into_iter()
        .chain(&parts.footer)
        .chain(labels)
        .chain(links)
        .chain(&parts.after)
        .map(String::as_str)
        // The consequence of a failure comes from the job.
        .filter(|line| !line.starts_with("The data of "))
        .collect()
}

/// Proves S2-19: no language lacks a sentence or contains an English one.
#[test]
fn every_kind_is_complete_in_every_language() {
    for kind in every_kind().into_iter().chain(other_faces()) {
        let english = Parts::of(&kind, Language::English).expect("notice not rendered");
        for language in Language::ALL {
            let parts = Parts::of(&kind, language).expect("notice not rendered");
            let what = format!("{} in {language:?}", name(&kind));
            let counts = |parts: &Parts| {
                (
                    parts.facts.len(),
                    parts.points.len(),
                    parts.after.len(),
                    parts.links.len(),
                    parts.footer.len(),
                )
            };
            assert_eq!(counts(&parts), counts(&english), "{what}");
            let words =
                render(&notice(kind.clone()).in_language(language)).expect("notice not rendered");
            for text in [&words.subject, &words.text, &words.html] {
                for wrong in ["undefined", "none", "{{", "{%", "  \n"] {
                    let found = text.replace("text-decoration:none", "").contains(wrong);
                    assert!(!found, "{what}: {wrong:?} in {text}");
                }
            }
            if language == Language::English {
                continue;
            }
            for (said, in_english) in own_words(&parts).iter().zip(own_words(&english)) {
                assert_ne!(*said, in_english, "{what}");
            }
        }
    }
}

/// Plain text and HTML have the same content, and HTML names its language for screen readers.
#[test]
fn text_and_html_say_the_same() {
    let unescaped = |html: &str| {
        html.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#x27;", "'")
            .replace("&#x2f;", "/")
            .replace("&amp;", "&")
    };
    for kind in every_kind().into_iter().chain(other_faces()) {
        for language in Language::ALL {
            let parts = Parts::of(&kind, language).expect("notice not rendered");
            let words =
                render(&notice(kind.clone()).in_language(language)).expect("notice not rendered");
            let html = unescaped(&words.html);
            assert!(html.contains(&format!("<html lang=\"{}\"", language.code())));
            let facts = parts.facts.iter().flat_map(|one| [&one.label, &one.value]);
            let links = parts
                .links
                .iter()
                .flat_map(|one| [&one.label, &one.address]);
            let all = [&parts.subject, &parts.lead]
                .into_iter()
                .chain(facts)
                .chain(links)
                .chain(&parts.points)
                .chain(&parts.after)
                .chain(&parts.footer);
            for said in all {
                assert!(
                    words.text.contains(said.as_str()),
                    "{said} in {}",
                    words.text
                );
                assert!(html.contains(said.as_str()), "{said} in {html}");
            }
            for foreign in ["<img", "<script", "unsubscribe"] {
                assert!(!html.to_lowercase().contains(foreign), "{foreign}");
            }
        }
    }
}

#[test]
fn one_and_many_are_distinguished_in_every_language() {
    let points = |people| {
        Language::ALL.map(|language| {
            let kind = NoticeKind::Ready { people, courses: 2 };
            Parts::of(&kind, language)
                .expect("notice not rendered")
                .points[0]
                .clone()
        })
    };
    assert_eq!(
        points(1),
        [
            "1 learner",
            "1 lernende Person",
            "1 apprenant",
            "1 alumno",
            "1 cursist",
            "1 kursist"
        ]
    );
    assert_eq!(
        points(12_000),
        [
            "12,000 learners",
            "12.000 lernende Personen",
            "12\u{a0}000 apprenants",
            "12\u{a0}000 alumnos",
            "12.000 cursisten",
            "12.000 kursister"
        ]
    );
}

#[test]
fn what_people_wrote_cannot_become_markup_a_header_or_another_part() {
    let title = "Field <staff>\r\nBcc: eve@evil.example\n> Click | https://evil.example";
    for language in Language::ALL {
        let told = notice(held(title, "abc")).in_language(language);
        let words = render(&told).expect("notice not rendered");
        assert!(!words.subject.contains(['\r', '\n']));
        assert!(words.html.contains("Field &lt;staff&gt;") && !words.html.contains("<staff>"));
        assert!(!words.html.contains("<a "), "{}", words.html);
        assert!(!words.text.contains("\nBcc:"));
    }
}

/// Proves S1-33: an address becomes a link only if it is safe.
#[test]
fn links_lead_to_safe_places_only() {
    let lost = render(&notice(of("connectionLost"))).expect("notice not rendered");
    assert!(lost.html.contains(
        "href=\"https://rollcall.example/catalogs/academy/connection?from=mail&amp;step=1\""
    ));
    let session = other_faces().pop().expect("no other cases");
    let session = render(&notice(session)).expect("notice not rendered");
    assert!(session.html.contains("javascript:alert(1)") && !session.html.contains("href"));
}
