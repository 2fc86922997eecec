//! Whole folders, and a table of everything that can be wrong with a row.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use rollcall_simulators::world::{CourseType, CustomField, FieldKind, Progress, UserType};

use super::testing::{COURSES, ENROLMENTS, TENANT, USERS, folder_of, import, sentences};
use super::*;

const ANN: &str = "ann@contoso.example,Ann,00000000-0000-4000-8000-00000000000a,ann.a@contoso.example,True,Member,Denver\n";
const BEA: &str = "bea@contoso.example,Bea,00000000-0000-4000-8000-00000000000b,,False,Member,\n";
const SECURITY: &str =
    "00000000-0000-4000-8000-0000000000c1,Security 101,Compliance,ELearning,True\n";

/// Problems of the users file with these lines after [`ANN`].
fn users_problems(lines: &str) -> Vec<String> {
    let text = format!("{USERS}{ANN}{lines}");
    sentences(&import(
        text.as_bytes(),
        COURSES.as_bytes(),
        ENROLMENTS.as_bytes(),
    ))
}

/// Problems of the courses file with these lines after [`SECURITY`].
fn courses_problems(lines: &str) -> Vec<String> {
    let text = format!("{COURSES}{SECURITY}{lines}");
    sentences(&import(
        USERS.as_bytes(),
        text.as_bytes(),
        ENROLMENTS.as_bytes(),
    ))
}

/// Problems of an enrolments file with these lines, with [`ANN`], [`BEA`] and [`SECURITY`].
fn enrolments_problems(lines: &str) -> Vec<String> {
    let users = format!("{USERS}{ANN}{BEA}");
    let courses = format!("{COURSES}{SECURITY}");
    let text = format!("{ENROLMENTS}{lines}");
    sentences(&import(
        users.as_bytes(),
        courses.as_bytes(),
        text.as_bytes(),
    ))
}

#[test]
fn reads_the_three_exports_into_a_world() {
    let users = format!("{USERS}{ANN}{BEA}");
    let courses = format!("{COURSES}{SECURITY},First Aid,Compliance,Class room,\n");
    let enrolments = format!(
        "{ENROLMENTS}ANN@contoso.example,security 101,In progress,2026-01-02,,2026-02-01\n\
         ann.a@contoso.example,00000000-0000-4000-8000-0000000000C1,Completed,2025-01-02T08:00:00Z,2025-01-03,\n\
         00000000-0000-4000-8000-00000000000A,First Aid,NotStarted,2026-01-02,,\n"
    );
    let imported = import(users.as_bytes(), courses.as_bytes(), enrolments.as_bytes());
    assert_eq!(sentences(&imported), [""; 0]);
    let counts = Counts {
        people: 2,
        courses: 2,
        enrolments: 3,
    };
    assert_eq!(imported.read, counts);
    let world = &imported.world;
    let [ann, bea] = world.people.as_slice() else {
        panic!("two people");
    };
    assert_eq!(ann.city.as_deref(), Some("Denver"));
    assert!(ann.account_enabled && ann.lms_id.is_some());
    assert!(!bea.account_enabled && bea.lms_id.is_none());
    assert_eq!((bea.city.as_deref(), bea.mail.as_deref()), (None, None));
    assert_eq!(world.tenant.domain, "contoso.example");
    assert_eq!(world.catalogs.len(), 1);
    let [security, first_aid] = world.courses.as_slice() else {
        panic!("two courses");
    };
    assert_eq!(first_aid.course_type, CourseType::ClassRoom);
    assert!(first_aid.published);
    let rows: Vec<_> = world
        .enrolments
        .iter()
        .map(|it| (it.course_id, it.status))
        .collect();
    assert_eq!(
        rows,
        [
            (security.id, Progress::InProgress),
            (security.id, Progress::Completed),
            (first_aid.id, Progress::NotStarted),
        ]
    );
    assert!(
        world
            .enrolments
            .iter()
            .all(|it| Some(it.lms_user_id) == ann.lms_id)
    );
    assert!(
        world.apps[0]
            .roles
            .contains(&"Group.ReadWrite.All".to_owned())
    );
    assert_eq!(world.lms_keys[0].key, lms_key(TENANT));
}

#[test]
fn equal_files_give_equal_worlds_and_other_tenants_other_ids() {
    let users = format!("{USERS}{ANN}");
    let courses = format!("{COURSES},First Aid,Compliance,,\n");
    let row = "ann@contoso.example,First Aid,Completed,2026-01-02,,\n";
    let enrolments = format!("{ENROLMENTS}{row}{row}");
    let folder = folder_of(&[
        ("users.csv", users.as_bytes()),
        ("courses.csv", courses.as_bytes()),
        ("enrolments.csv", enrolments.as_bytes()),
    ]);
    let read = |tenant| read_folder(folder.path(), tenant).expect("usable files");
    let first = read(TENANT);
    assert_eq!(first, read(TENANT));
    let [one, two] = first.world.enrolments.as_slice() else {
        panic!("equal rows are rows of their own");
    };
    assert_ne!(one.id, two.id);
    let other = read(Uuid::from_u128(9));
    assert_ne!(other.world.courses[0].id, first.world.courses[0].id);
    assert_ne!(other.world.enrolments[0].id, one.id);
}

#[test]
fn reads_what_spreadsheets_make_of_a_file() {
    let plain = format!(
        "{USERS}{ANN}\"bea@contoso.example\",\"Bea \"\"B\"\"\",00000000-0000-4000-8000-00000000000b,,,,\"Las\nVegas\"\n"
    );
    let expected = import(plain.as_bytes(), COURSES.as_bytes(), ENROLMENTS.as_bytes());
    assert_eq!(expected.world.people[1].display_name, "Bea \"B\"");
    assert_eq!(expected.world.people[1].city.as_deref(), Some("Las\nVegas"));
    let variants = [
        format!("\u{feff}{plain}"),
        plain.replace(',', ";"),
        format!(
            "\u{feff}{}",
            plain
                .replace(',', ";")
                .replace("userPrincipalName", "\"UserPrincipalNAME\"")
        ),
        format!("{plain},,,,,,\n\n"),
        plain.trim_end().to_owned(),
    ];
    for variant in variants {
        let got = import(
            variant.as_bytes(),
            COURSES.as_bytes(),
            ENROLMENTS.as_bytes(),
        );
        assert_eq!(got, expected, "{variant:?}");
    }
    let crlf = plain.replace('\n', "\r\n");
    let got = import(crlf.as_bytes(), COURSES.as_bytes(), ENROLMENTS.as_bytes());
    assert_eq!(got.read, expected.read);
    assert_eq!(got.world.people[1].city.as_deref(), Some("Las\r\nVegas"));
}

#[test]
fn reads_the_whole_entra_export_with_custom_columns() {
    let mut header = ENTRA_COLUMNS.to_vec();
    header.reverse();
    header.extend([
        "custom:Hire Date:DateTime",
        "Custom:Cost Centre",
        "custom: Level: x : number",
    ]);
    let value = |column: &str| match column {
        "id" => "00000000-0000-4000-8000-00000000000a".to_owned(),
        "userPrincipalName" => "bob_partner.example#EXT#@contoso.example".to_owned(),
        "userType" => "Guest".to_owned(),
        "accountEnabled" => "TRUE".to_owned(),
        "custom:Hire Date:DateTime" => "2024-03-01".to_owned(),
        "custom: Level: x : number" => "3".to_owned(),
        other => format!("the {other}"),
    };
    let row: Vec<String> = header.iter().map(|column| value(column)).collect();
    let users = format!("{}\n{}\n", header.join(","), row.join(","));
    let imported = import(users.as_bytes(), COURSES.as_bytes(), ENROLMENTS.as_bytes());
    assert_eq!(sentences(&imported), [""; 0]);
    let (world, person) = (&imported.world, &imported.world.people[0]);
    let title = |it: &CustomField| (it.title.clone(), it.kind);
    assert_eq!(
        world.fields.iter().map(title).collect::<Vec<_>>(),
        [
            ("Hire Date".to_owned(), FieldKind::DateTime),
            ("Cost Centre".to_owned(), FieldKind::String),
            ("Level: x".to_owned(), FieldKind::Number),
        ]
    );
    let custom: Vec<&str> = world
        .fields
        .iter()
        .map(|it| person.custom[&it.id].as_str())
        .collect();
    assert_eq!(
        custom,
        ["2024-03-01T00:00:00Z", "the Custom:Cost Centre", "3"]
    );
    assert_eq!(person.user_type, UserType::Guest);
    assert!(person.lms_id.is_some(), "guests learn too");
    assert_eq!(person.office.as_deref(), Some("the officeLocation"));
    assert_eq!(person.company.as_deref(), Some("the companyName"));
    assert_eq!(person.job_title.as_deref(), Some("the jobTitle"));
    assert_eq!(person.surname.as_deref(), Some("the surname"));
}

#[test]
fn unusable_custom_columns_are_left_out() {
    let users = "userPrincipalName,displayName,id,custom:,custom:A:Datum,custom:B,custom:b:Number\n\
                 a@b.example,A,00000000-0000-4000-8000-00000000000a,1,2,3,4\n";
    let imported = import(users.as_bytes(), COURSES.as_bytes(), ENROLMENTS.as_bytes());
    assert_eq!(
        sentences(&imported),
        [
            "users.csv, line 1, column 4 (custom:): has no title (the column is left out)",
            "users.csv, line 1, column 5 (custom:A:Datum): has no type \"Datum\"; write String, \
             Number, Boolean or DateTime after the last colon (the column is left out)",
            "users.csv, line 1, column 7 (custom:b:Number): has the title of an earlier column \
             (the column is left out)",
        ]
    );
    assert_eq!(imported.read.people, 1);
    let values: Vec<&String> = imported.world.people[0].custom.values().collect();
    assert_eq!(values, ["3"]);
}

#[test]
fn names_every_missing_column_of_every_file() {
    let folder = folder_of(&[
        ("users.csv", b"displayName,city\n"),
        ("courses.csv", COURSES.as_bytes()),
        ("enrollments.csv", b""),
    ]);
    let error = read_folder(folder.path(), TENANT).expect_err("no ids");
    assert_eq!(
        error.to_string(),
        "users.csv lacks the columns userPrincipalName, id; its header line has: displayName, city\n\
         enrollments.csv lacks the columns User, Course, Status, RegistrationDate; the file is empty"
    );
}

#[test]
fn every_fault_of_a_user_is_named() {
    let id = "00000000-0000-4000-8000-0000000000f1";
    let table = [
        (
            format!(",B,{id},,,,"),
            "column 1 (userPrincipalName): is missing",
        ),
        (
            format!("b@c.example, ,{id},,,,"),
            "column 2 (displayName): is missing",
        ),
        ("b@c.example,B,,,,,".to_owned(), "column 3 (id): is missing"),
        (
            "b@c.example,B,17,,,,".to_owned(),
            "column 3 (id): must be a GUID such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301, not \"17\"",
        ),
        (
            format!("bob,B,{id},,,,"),
            "column 1 (userPrincipalName): must be a name@domain, not \"bob\"",
        ),
        (
            "b@c.example,B,00000000-0000-4000-8000-00000000000A,,,,".to_owned(),
            "column 3 (id): is the id in line 2 already",
        ),
        (
            format!("ANN@Contoso.example,B,{id},,,,"),
            "column 1 (userPrincipalName): is the userPrincipalName in line 2 already",
        ),
        (
            format!("b@c.example,B,{id},,maybe,,"),
            "column 5 (accountEnabled): must be true or false, not \"maybe\"",
        ),
        (
            format!("b@c.example,B,{id},,,Robot,"),
            "column 6 (userType): must be Member or Guest, not \"Robot\"",
        ),
        (
            format!("b@c.example,B,{id}"),
            "has 3 values where the header line has 7 columns",
        ),
        (
            format!("b@c.example,Bean, Bob,{id},,,,"),
            "has 8 values where the header line has 7 columns; a value that contains the \
             delimiter must be quoted",
        ),
        (
            format!("b@c.example,\"B,{id},,,,"),
            "column 2 (displayName): the value opens with a quote that is not closed",
        ),
    ];
    for (line, fault) in table {
        let joiner = if fault.starts_with("has") { ":" } else { "," };
        assert_eq!(
            users_problems(&format!("{line}\n{BEA}")),
            [format!("users.csv, line 3{joiner} {fault}")],
            "{line}"
        );
    }
}

#[test]
fn a_latin1_row_is_reported_and_the_rest_loads() {
    let mut users = format!("{USERS}{ANN}").into_bytes();
    users.extend(b"j@contoso.example,J\xf6rg,00000000-0000-4000-8000-0000000000f1,,,,\n");
    users.extend(BEA.as_bytes());
    let imported = import(&users, COURSES.as_bytes(), ENROLMENTS.as_bytes());
    assert_eq!(imported.read.people, 2);
    assert_eq!(
        sentences(&imported),
        [
            "users.csv, line 3, column 2 (displayName): is not UTF-8 text from byte 2 of the value \
          on; save the file as \"CSV UTF-8 (comma delimited)\""
        ]
    );
}

#[test]
fn a_refused_row_takes_no_ids_away() {
    let problems = users_problems(
        "b@c.example,B,00000000-0000-4000-8000-0000000000f1,,maybe,,\n\
         b@c.example,B,00000000-0000-4000-8000-0000000000f1,,,,\n",
    );
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[test]
fn every_fault_of_a_course_is_named() {
    let table = [
        (",,Compliance,,", "column 2 (Title): is missing"),
        (",First Aid,,,", "column 3 (Catalog): is missing"),
        (
            "7,First Aid,Compliance,,",
            "column 1 (Id): must be a GUID such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301, not \"7\"",
        ),
        (
            "00000000-0000-4000-8000-0000000000c1,First Aid,Compliance,,",
            "column 1 (Id): is the id in line 2 already",
        ),
        (
            ",First Aid,Compliance,Book,",
            "column 4 (CourseType): must be ELearning, ClassRoom, Webinar or TrainingPlan, not \"Book\"",
        ),
        (
            ",First Aid,Compliance,,1",
            "column 5 (IsPublished): must be true or false, not \"1\"",
        ),
    ];
    for (line, fault) in table {
        let found = courses_problems(&format!("{line}\n,Excel,Compliance,,\n"));
        assert_eq!(found, [format!("courses.csv, line 3, {fault}")]);
    }
    assert_eq!(
        courses_problems(",Excel,Compliance,,\n,Excel,Sales,,\n,excel,Compliance,,\n"),
        [
            "courses.csv, line 5, column 2 (Title): is the title of line 3 in the same catalog; two \
          such courses need an Id each"
        ]
    );
}

#[test]
fn every_fault_of_an_enrolment_is_named() {
    let ann = "ann@contoso.example";
    let table = [
        (
            ",Security 101,Completed,2026-01-02,,".to_owned(),
            "column 1 (User): is missing",
        ),
        (
            "zoe@contoso.example,Security 101,Completed,2026-01-02,,".to_owned(),
            "column 1 (User): \"zoe@contoso.example\" is no userPrincipalName, mail or id in the users file",
        ),
        (
            "bea@contoso.example,Security 101,Completed,2026-01-02,,".to_owned(),
            "column 1 (User): \"bea@contoso.example\" is disabled in line 3 of the users file; \
             disabled accounts do not learn",
        ),
        (
            format!("{ann},Cooking,Completed,2026-01-02,,"),
            "column 2 (Course): \"Cooking\" is no Title or Id in courses.csv",
        ),
        (
            format!("{ann},Security 101,,2026-01-02,,"),
            "column 3 (Status): is missing",
        ),
        (
            format!("{ann},Security 101,Done,2026-01-02,,"),
            "column 3 (Status): must be Completed, In progress or Not started, not \"Done\"",
        ),
        (
            format!("{ann},Security 101,Completed,,,"),
            "column 4 (RegistrationDate): is missing",
        ),
        (
            format!("{ann},Security 101,Completed,2026-01-02,01/02/2023,"),
            "column 5 (CompletionDate): \"01/02/2023\" is ambiguous, because some read the day \
             first and some the month; write year-month-day, such as 2023-02-01",
        ),
        (
            format!("{ann},Security 101,Completed,2026-01-02,,soon"),
            "column 6 (DueDate): must be a date such as 2023-02-01 or a moment such as \
             2023-02-01T09:00:00Z, not \"soon\"",
        ),
    ];
    for (line, fault) in table {
        assert_eq!(
            enrolments_problems(&format!(
                "{line}\n{ann},Security 101,NotStarted,2026-01-02,,\n"
            )),
            [format!("enrolments.csv, line 2, {fault}")]
        );
    }
}

#[test]
fn an_enrolment_says_why_its_user_or_course_is_not_there() {
    let users = format!(
        "{USERS}{ANN}c@c.example,C,00000000-0000-4000-8000-0000000000f1,team@c.example,,,\n\
         d@c.example,D,00000000-0000-4000-8000-0000000000f2,team@c.example,,,\n\
         e@c.example,E,00000000-0000-4000-8000-0000000000f3,,maybe,,\n"
    );
    let courses = format!("{COURSES}{SECURITY},Excel,Sales,,\n,EXCEL,Compliance,,\n,Cooking,,,\n");
    let enrolments = format!(
        "{ENROLMENTS}team@c.example,Excel,Completed,2026-01-02,,\n\
         e@c.example,Cooking,Completed,2026-01-02,,\n\
         d@c.example,Security 101,Completed,2026-01-02,,\n"
    );
    let imported = import(users.as_bytes(), courses.as_bytes(), enrolments.as_bytes());
    assert_eq!(
        sentences(&imported)[2..],
        [
            "enrolments.csv, line 2, column 1 (User): \"team@c.example\" is the mail of several \
             users, first in line 3; write the userPrincipalName or id",
            "enrolments.csv, line 2, column 2 (Course): \"Excel\" is the title of several courses, \
             first in line 3 of courses.csv; write the Id",
            "enrolments.csv, line 3, column 1 (User): \"e@c.example\" stands in line 5 of the \
             users file, which was refused",
            "enrolments.csv, line 3, column 2 (Course): \"Cooking\" stands in line 5 of \
             courses.csv, which was refused",
        ]
    );
    assert_eq!(imported.read.enrolments, 1);
}

#[test]
fn fifty_thousand_people_load_in_seconds() {
    const PEOPLE: usize = 50_000;
    let mut users = format!("{},custom:Hire Date:DateTime\n", ENTRA_COLUMNS.join(","));
    let blanks = ",".repeat(ENTRA_COLUMNS.len() - 6);
    for at in 0..PEOPLE {
        // The bad ones stand one in a thousand, some with a quote that swallows what follows.
        let name = if at % 1_000 == 999 { "\"Open" } else { "Ann" };
        writeln!(
            users,
            "u{at}@c.example,{name},A,,,{},{blanks}2024-01-02",
            Uuid::from_u128(at as u128 + 1)
        )
        .expect("memory");
    }
    let mut enrolments = ENROLMENTS.to_owned();
    for at in 0..PEOPLE {
        writeln!(
            enrolments,
            "u{at}@c.example,Security 101,Completed,2026-01-02,2026-01-03,"
        )
        .expect("memory");
    }
    let courses = format!("{COURSES}{SECURITY}");
    let start = Instant::now();
    let imported = import(users.as_bytes(), courses.as_bytes(), enrolments.as_bytes());
    let counts = Counts {
        people: PEOPLE - 50,
        courses: 1,
        enrolments: PEOPLE - 50,
    };
    assert_eq!(imported.read, counts);
    assert_eq!(imported.problems.len(), 100);
    // Without optimisation on a slow machine; two seconds are usual.
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "{:?}",
        start.elapsed()
    );
}
