//! What people are told: kinds of notices, their words, their identity.
//!
//! A notice's id is derived from what it is about, so that the same thing found
//! twice (at refresh and again at maintenance) is told once.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use minijinja::{AutoEscape, Environment, context};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{ProfileId, TenantId};
use crate::plan::PlanHash;

/// What it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum NoticeKind {
    /// The first refresh succeeded (S4-104).
    #[serde(rename_all = "camelCase")]
    Ready {
        /// Learners read.
        people: u64,
        /// Courses read.
        courses: u64,
    },
    /// A refresh or maintenance run failed (S4-012).
    #[serde(rename_all = "camelCase")]
    Failure {
        /// `refresh`, `maintenance` or `membership`.
        job: String,
        /// The slot, as text.
        slot: String,
        /// What went wrong, one sentence each.
        errors: Vec<String>,
        /// What stays as it is because of that.
        consequence: String,
    },
    /// A change is held (S4-061).
    #[serde(rename_all = "camelCase")]
    Held {
        /// The profile.
        profile: ProfileId,
        /// Its title.
        title: String,
        /// The limit, in words.
        exceeded: String,
        /// How many would join.
        adds: usize,
        /// How many would leave.
        removes: usize,
        /// Which change.
        hash: PlanHash,
        /// Since when this very change is held: one that was settled and comes
        /// back is told again.
        since: DateTime<Utc>,
    },
    /// A field or course that rules use is gone (S4-120, C-17).
    #[serde(rename_all = "camelCase")]
    NeedsReview {
        /// The profile.
        profile: ProfileId,
        /// Its title.
        title: String,
        /// What is wrong, one sentence each.
        problems: Vec<String>,
        /// When the profile was last edited: mended and broken again is told again.
        edited: DateTime<Utc>,
    },
}

/// A notice on its way to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Notice {
    /// What it is about, as an identity: the same thing is told once.
    pub id: Uuid,
    /// Whose.
    pub tenant: TenantId,
    /// The tenant's name, for the greeting.
    pub tenant_name: String,
    /// Mail addresses.
    pub recipients: Vec<String>,
    /// What it is about.
    pub about: NoticeKind,
}

/// A notice in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML.
    pub html: String,
}

const NAMESPACE: Uuid = Uuid::from_u128(0x6f63_3d1c_77a4_4f0e_9a53_0d6f_3d7c_2b11);

impl Notice {
    /// A notice for these people.
    pub fn new(
        tenant: TenantId,
        tenant_name: &str,
        recipients: Vec<String>,
        about: NoticeKind,
    ) -> Self {
        let id = Uuid::new_v5(
            &NAMESPACE,
            format!("{tenant} {}", identity(&about)).as_bytes(),
        );
        Self {
            id,
            tenant,
            tenant_name: tenant_name.to_owned(),
            recipients,
            about,
        }
    }
}

/// What makes two notices the same.
fn identity(about: &NoticeKind) -> String {
    match about {
        NoticeKind::Ready { .. } => "ready".to_owned(),
        NoticeKind::Failure {
            job, slot, errors, ..
        } => format!("failure {job} {slot} {}", errors.join("|")),
        NoticeKind::Held {
            profile,
            hash,
            since,
            ..
        } => format!("held {profile} {hash} {since}"),
        NoticeKind::NeedsReview {
            profile,
            problems,
            edited,
            ..
        } => format!("review {profile} {edited} {}", problems.join("|")),
    }
}

/// The parts every mail has; the templates lay them out.
struct Parts {
    subject: String,
    lead: String,
    points: Vec<String>,
    after: Vec<String>,
}

fn parts(about: &NoticeKind) -> Parts {
    match about {
        NoticeKind::Ready { people, courses } => Parts {
            subject: "Rollcall is ready for use".to_owned(),
            lead: "The first data refresh has succeeded. Profiles can be created now.".to_owned(),
            points: vec![format!("{people} learners"), format!("{courses} courses")],
            after: Vec::new(),
        },
        NoticeKind::Failure { job, slot, errors, consequence } => Parts {
            subject: format!("The {job} run of {slot} needs attention"),
            lead: "Not everything could be done:".to_owned(),
            points: errors.clone(),
            after: vec![consequence.clone(), "The next scheduled run tries again by itself.".to_owned()],
        },
        NoticeKind::Held { title, exceeded, adds, removes, .. } => Parts {
            subject: format!("Held: {title} would change by {} members", adds + removes),
            lead: format!("The memberships of {title} were not updated: {exceeded}."),
            points: vec![format!("{adds} would join"), format!("{removes} would leave")],
            after: vec![
                "Nobody was added or removed. Approve or discard the change, or raise the limit.".to_owned(),
                "Until then every run holds it again; you are told again only if the change becomes another one.".to_owned(),
            ],
        },
        NoticeKind::NeedsReview { title, problems, .. } => Parts {
            subject: format!("Please review the profile {title}"),
            lead: format!("The rules of {title} use something that no longer exists, so its members are not updated any more:"),
            points: problems.clone(),
            after: vec!["The present members stay. Mend the rules and the next run goes on.".to_owned()],
        },
    }
}

const TEXT: &str = include_str!("notices/mail.txt");
const HTML: &str = include_str!("notices/mail.html");

static TEMPLATES: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_auto_escape_callback(|name| {
        if name == "mail.html" {
            AutoEscape::Html
        } else {
            AutoEscape::None
        }
    });
    templates.add_template("mail.txt", TEXT)?;
    templates.add_template("mail.html", HTML)?;
    Ok(templates)
});

/// Puts a notice into words. Texts that people wrote (titles) reach HTML
/// escaped and the subject as one line.
///
/// # Errors
/// Only if a template is broken, which the tests exclude.
pub fn words(notice: &Notice) -> Result<Words, String> {
    let templates = TEMPLATES.as_ref().map_err(ToString::to_string)?;
    let parts = parts(&notice.about);
    let parts = Parts {
        subject: one_line(&parts.subject).chars().take(200).collect(),
        lead: one_line(&parts.lead),
        points: parts.points.iter().map(|point| one_line(point)).collect(),
        after: parts.after.iter().map(|line| one_line(line)).collect(),
    };
    let render = |name: &str| {
        templates
            .get_template(name)
            .and_then(|template| {
                template.render(context! {
                    tenant => one_line(&notice.tenant_name),
                    subject => parts.subject.clone(),
                    lead => parts.lead.clone(),
                    points => parts.points.clone(),
                    after => parts.after.clone(),
                })
            })
            .map_err(|error| error.to_string())
    };
    Ok(Words {
        subject: parts.subject.clone(),
        text: render("mail.txt")?,
        html: render("mail.html")?,
    })
}

/// A line break in a title must not look like a new header or paragraph.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, profile_id};

    fn notice(about: NoticeKind) -> Notice {
        Notice::new(
            World::tenant(),
            "Contoso",
            vec!["lms@contoso.example".to_owned()],
            about,
        )
    }

    fn shown(about: NoticeKind) -> String {
        let words = words(&notice(about)).expect("renders");
        format!("{}\n---\n{}", words.subject, words.text)
    }

    fn held(hash: &str) -> NoticeKind {
        NoticeKind::Held {
            profile: profile_id("P"),
            title: "Field <staff>\r\nBcc: eve@evil.example".to_owned(),
            exceeded: "60 member changes exceed the limit of 50 members".to_owned(),
            adds: 50,
            removes: 10,
            hash: serde_json::from_value(hash.into()).expect("a hash"),
            since: crate::testing::slot(),
        }
    }

    /// Proves S4-104, S4-012, S4-061 and S4-120: the words people read.
    #[test]
    fn every_kind_says_what_happened_and_what_to_do() {
        let failure = NoticeKind::Failure {
            job: "refresh".to_owned(),
            slot: "2026-11-21T02:00Z".to_owned(),
            errors: vec!["Users: the second page answered 503".to_owned()],
            consequence: "The data of 2026-11-20T23:00Z stays in use.".to_owned(),
        };
        let review = NoticeKind::NeedsReview {
            profile: profile_id("P"),
            title: "New hires".to_owned(),
            problems: vec!["the field Hire Date no longer exists".to_owned()],
            edited: crate::testing::slot(),
        };
        let all = [
            NoticeKind::Ready {
                people: 120,
                courses: 7,
            },
            failure,
            held("abc"),
            review,
        ];
        insta::assert_snapshot!(all.map(shown).join("\n==========\n"));
    }

    #[test]
    fn what_people_wrote_cannot_become_markup_or_a_header() {
        let words = words(&notice(held("abc"))).expect("renders");
        assert!(!words.subject.contains(['\r', '\n']));
        assert!(words.html.contains("Field &lt;staff&gt;") && !words.html.contains("<staff>"));
    }

    /// Proves S4-061: the same held change is one notice, another change another.
    #[test]
    fn the_same_thing_is_told_once() {
        assert_eq!(notice(held("abc")).id, notice(held("abc")).id);
        assert_ne!(notice(held("abc")).id, notice(held("def")).id);
    }
}
