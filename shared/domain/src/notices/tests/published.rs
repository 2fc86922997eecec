//! Snapshots of every notice in every language.

use super::*;

fn everything() -> Vec<NoticeKind> {
    let all = every_kind().into_iter().chain(other_faces());
    all.chain(more_faces()).collect()
}

/// Returns cases that the samples lack: counts of one and zero, lists with several entries, missing
/// optional values.
fn more_faces() -> Vec<NoticeKind> {
    let mut all = vec![of("connectionLost"), of("accountConnected"), of("held")];
    for face in &mut all {
        match face {
            NoticeKind::ConnectionLost {
                account,
                code,
                held,
                ..
            } => (*account, *code, *held) = (None, None, 0),
            NoticeKind::AccountConnected { able, unable, .. } => {
                able.clear();
                unable.push("Calendar and rooms (the account has no mailbox)".to_owned());
            }
            NoticeKind::Held { adds, removes, .. } => (*adds, *removes) = (1, 0),
            _ => {}
        }
    }
    all.extend(more_jobs());
    all.extend(more_sessions());
    all
}

fn more_jobs() -> Vec<NoticeKind> {
    let mut all = vec![
        of("failure"),
        of("needsReview"),
        of("syncFailed"),
        of("syncComplete"),
    ];
    for face in &mut all {
        match face {
            NoticeKind::Failure { errors, .. } | NoticeKind::SyncFailed { errors, .. } => {
                errors.push("Courses: the platform answered 500".to_owned());
            }
            NoticeKind::NeedsReview { problems, .. } => {
                problems.push("the course Fire Safety no longer exists".to_owned());
            }
            NoticeKind::SyncComplete {
                deactivated,
                waiting,
                ..
            } => (*deactivated, *waiting) = (0, 1),
            _ => {}
        }
        if let NoticeKind::SyncFailed { trigger, .. } = face {
            "operator".clone_into(trigger);
        }
    }
    all
}

/// Sessions without a room, without a meeting, over midnight, on the first of a month, and in an
/// unknown zone.
fn more_sessions() -> Vec<NoticeKind> {
    let moment = |text: &str| text.parse().expect("time not parsed");
    let mut changed = of("sessionChanged");
    if let NoticeKind::SessionChanged {
        start,
        end,
        room,
        join_url,
        ..
    } = &mut changed
    {
        (*start, *end) = (
            moment("2027-03-01T22:30:00Z"),
            moment("2027-03-02T00:00:00Z"),
        );
        (*room, *join_url) = (None, None);
    }
    let mut scheduled = of("sessionScheduled");
    if let NoticeKind::SessionScheduled {
        start,
        end,
        time_zone,
        join_url,
        ..
    } = &mut scheduled
    {
        (*start, *end) = (
            moment("2027-07-04T08:05:00Z"),
            moment("2027-07-04T09:00:00Z"),
        );
        "Moon/Sea of Tranquility".clone_into(time_zone);
        *join_url = None;
    }
    vec![scheduled, changed]
}

/// Subject and text of every case of every kind.
#[test]
fn every_notice_in_every_language() {
    for language in Language::ALL {
        let told = everything().into_iter().map(|about| {
            let name = name(&about);
            let notice = notice(about).in_language(language);
            format!("########## {name}\n{}", shown(&notice))
        });
        let told: Vec<String> = told.collect();
        insta::assert_snapshot!(format!("texts_{}", language.code()), told.join("\n\n"));
    }
}

/// The HTML of the notice with the most parts (link, facts, points, paragraphs) in every language.
#[test]
fn the_html_in_every_language() {
    for language in Language::ALL {
        let told = notice(of("connectionLost")).in_language(language);
        let html = render(&told).expect("notice not rendered").html;
        insta::assert_snapshot!(format!("html_{}", language.code()), html);
    }
}

#[test]
fn the_html_of_every_kind() {
    let told = everything().into_iter().map(|about| {
        let name = name(&about);
        let words = render(&notice(about)).expect("notice not rendered");
        format!("<!-- {name} -->\n{}", words.html)
    });
    let told: Vec<String> = told.collect();
    insta::assert_snapshot!(told.join("\n\n"));
}

/// The default urgency of every kind.
#[test]
fn urgency_of_every_kind() {
    let told = every_kind().into_iter().map(|about| {
        let urgency = about.default_urgency();
        format!("{} {urgency:?}", name(&about))
    });
    let told: Vec<String> = told.collect();
    insta::assert_snapshot!(told.join("\n"));
}
