//! Invalid rows and the reported problems.

use super::*;

/// Returns the problems of the users file with these lines after [`ANN`].
fn users_problems(lines: &str) -> Vec<String> {
    let text = format!("{USERS}{ANN}{lines}");
    sentences(&import(
        text.as_bytes(),
        COURSES.as_bytes(),
        ENROLMENTS.as_bytes(),
    ))
}

/// Returns the problems of the courses file with these lines after [`SECURITY`].
fn courses_problems(lines: &str) -> Vec<String> {
    let text = format!("{COURSES}{SECURITY}{lines}");
    sentences(&import(
        USERS.as_bytes(),
        text.as_bytes(),
        ENROLMENTS.as_bytes(),
    ))
}

/// Returns the problems of an enrolments file with these lines, with [`ANN`], [`BEA`] and
/// [`SECURITY`].
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
fn names_every_missing_column_of_every_file() {
    let folder = folder_of(&[
        ("users.csv", b"displayName,city\n"),
        ("courses.csv", COURSES.as_bytes()),
        ("enrollments.csv", b""),
    ]);
    let error = read_folder(folder.path(), TENANT).expect_err("missing ids were accepted");
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
            "column 1 (User): \"zoe@contoso.example\" is not a userPrincipalName, mail or id in the users file",
        ),
        (
            "bea@contoso.example,Security 101,Completed,2026-01-02,,".to_owned(),
            "column 1 (User): \"bea@contoso.example\" is disabled in line 3 of the users file; \
             disabled accounts have no Learn365 user",
        ),
        (
            format!("{ann},Cooking,Completed,2026-01-02,,"),
            "column 2 (Course): \"Cooking\" is not a Title or Id in courses.csv",
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
            "column 6 (DueDate): must be a date such as 2023-02-01 or a time such as \
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
            "enrolments.csv, line 3, column 1 (User): \"e@c.example\" is in line 5 of the \
             users file, which was skipped",
            "enrolments.csv, line 3, column 2 (Course): \"Cooking\" is in line 5 of \
             courses.csv, which was skipped",
        ]
    );
    assert_eq!(imported.read.enrolments, 1);
}
