//! Valid exports and the imported world.

use super::*;

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
        panic!("not two users");
    };
    assert_eq!(ann.city.as_deref(), Some("Denver"));
    assert!(ann.account_enabled && ann.lms_id.is_some());
    assert!(!bea.account_enabled && bea.lms_id.is_none());
    assert_eq!((bea.city.as_deref(), bea.mail.as_deref()), (None, None));
    assert_eq!(world.tenant.domain, "contoso.example");
    assert_eq!(world.catalogs.len(), 1);
    let [security, first_aid] = world.courses.as_slice() else {
        panic!("not two courses");
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
    let read = |tenant| read_folder(folder.path(), tenant).expect("folder not imported");
    let first = read(TENANT);
    assert_eq!(first, read(TENANT));
    let [one, two] = first.world.enrolments.as_slice() else {
        panic!("equal rows were merged");
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
    assert!(person.lms_id.is_some(), "a guest is not a learner");
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
fn fifty_thousand_people_load_in_seconds() {
    const PEOPLE: usize = 50_000;
    let mut users = format!("{},custom:Hire Date:DateTime\n", ENTRA_COLUMNS.join(","));
    let blanks = ",".repeat(ENTRA_COLUMNS.len() - 6);
    for at in 0..PEOPLE {
        // One row in a thousand is invalid, with an unclosed quote.
        let name = if at % 1_000 == 999 { "\"Open" } else { "Ann" };
        writeln!(
            users,
            "u{at}@c.example,{name},A,,,{},{blanks}2024-01-02",
            Uuid::from_u128(at as u128 + 1)
        )
        .expect("text not written");
    }
    let mut enrolments = ENROLMENTS.to_owned();
    for at in 0..PEOPLE {
        writeln!(
            enrolments,
            "u{at}@c.example,Security 101,Completed,2026-01-02,2026-01-03,"
        )
        .expect("text not written");
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
    // The limit is for a slow machine without optimization; usually it takes two seconds.
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "{:?}",
        start.elapsed()
    );
}
