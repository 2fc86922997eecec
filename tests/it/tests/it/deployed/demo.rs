//! Tests of the demo and the import of CSV exports.

use super::*;

fn of<'a>(summary: &'a Summary, title: &str) -> &'a ProfileLine {
    summary
        .profiles
        .iter()
        .find(|line| line.title == title)
        .unwrap_or_else(|| panic!("{title}: {summary}"))
}

/// Proves S4-074, S4-081 and S4-086 through the deployed functions, compared with counts of the
/// simulated users; a second demo changes nothing.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story from start to end")]
async fn the_demo_is_right_and_again_changes_nothing() {
    let folder = tempfile::tempdir().expect("no folder created");
    let demo_options = DemoOptions {
        users: 400,
        profiles: 7,
        data: None,
        home: folder.path().to_path_buf(),
    };
    let stack = options(&folder, false).await;
    let first = demo(&demo_options, &stack, &quiet)
        .await
        .expect("the demo failed");
    let saved = folder.path().join("state/demo-400-7/outside.json");
    let outside: rollcall_simulators::TenantState =
        serde_json::from_slice(&std::fs::read(saved).expect("file not read"))
            .expect("invalid JSON");
    let world = &outside.world;
    assert_eq!(
        of(&first, "Customer Success in the West").members,
        count(world, |person| {
            let city = person
                .city
                .as_deref()
                .map(|city| city.trim().to_lowercase());
            let title = person
                .job_title
                .as_deref()
                .map(|title| title.trim().to_lowercase());
            matches!(city.as_deref(), Some("las vegas" | "san diego" | "denver"))
                && title.as_deref() == Some("customer success manager")
        })
    );
    let hire = world
        .fields
        .iter()
        .find(|field| field.title == "Hire Date" && field.kind == FieldKind::DateTime)
        .expect("no date field")
        .id;
    assert_eq!(
        of(&first, "Hired after 1 January 2023").members,
        count(world, |person| {
            person
                .custom
                .get(&hire)
                .is_some_and(|date| date.as_str() > "2023-01-01T00:00:00Z")
        })
    );
    let course = world
        .courses
        .iter()
        .find(|course| course.title == "Outlook - Japanese")
        .expect("no such course")
        .id;
    assert_eq!(
        of(&first, "Completed Outlook - Japanese").members,
        count(world, |person| {
            world.enrolments.iter().any(|row| {
                row.course_id == course
                    && Some(row.lms_user_id) == person.lms_id
                    && row.status == Progress::Completed
            })
        })
    );
    assert_eq!(of(&first, "Everyone else").status, "held");
    assert_eq!(of(&first, "Badge holders").status, "needs_review");
    assert_eq!(of(&first, "Speakers").status, "unmanaged");
    assert!(first.changed && !outside.user_deleted_by_mistake);
    let subjects: Vec<_> = first
        .mails
        .iter()
        .map(|mail| mail.subject.as_str())
        .collect();
    assert_eq!(subjects.len(), 3, "{subjects:?}");
    assert!(
        subjects
            .iter()
            .any(|subject| subject.starts_with("Held for approval: Everyone else")),
        "{subjects:?}"
    );
    let file = of(&first, "Customer Success in the West")
        .file
        .clone()
        .expect("no member list");
    assert!(
        std::fs::read(file)
            .expect("no local file")
            .starts_with(b"PK")
    );
    let second = demo(&demo_options, &stack, &quiet)
        .await
        .expect("the second demo failed");
    assert!(
        !second.changed && second.mails.is_empty() && second.graph.writes == 0,
        "{second}"
    );
    assert!(second.to_string().contains("Nothing changed"));
}

/// The sample folder of the repository is processed by the same functions; invalid rows are
/// reported.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_exports_is_taken_and_bad_rows_are_reported() {
    let folder = tempfile::tempdir().expect("no folder created");
    let data = folder.path().join("exports");
    std::fs::create_dir(&data).expect("no folder created");
    for file in ["users.csv", "courses.csv", "enrolments.csv"] {
        std::fs::copy(
            root()
                .expect("the repository was not found")
                .join("infra/local/sample")
                .join(file),
            data.join(file),
        )
        .expect("not copied");
    }
    let users = data.join("users.csv");
    let mut text = std::fs::read_to_string(&users).expect("not UTF-8");
    text.push_str("broken,row\n");
    std::fs::write(&users, text).expect("file not written");
    let demo_options = DemoOptions {
        users: 0,
        profiles: 0,
        data: Some(data),
        home: folder.path().to_path_buf(),
    };
    let summary = demo(&demo_options, &options(&folder, false).await, &quiet)
        .await
        .expect("the demo failed");
    assert!(summary.data["people"] > 200, "{summary}");
    assert!(
        summary
            .profiles
            .iter()
            .map(|line| line.added)
            .sum::<usize>()
            > 20,
        "{summary}"
    );
    assert!(
        summary
            .problems
            .iter()
            .any(|problem| problem.starts_with("users.csv, line ")),
        "{:?}",
        summary.problems
    );
}
