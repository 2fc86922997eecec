//! Tests of rows that are incomplete, repeated or in an unusual form.

use super::*;

/// Returns a platform with `users` as the Users set, two fields, and empty other sets.
async fn with_users(users: &'static str) -> Stub {
    Stub::start(move |request| {
        let body = if request.contains("/odata/v2/Users?") {
            users
        } else if request.contains("/odata/v2/UserFields") {
            FIELDS
        } else {
            NOTHING
        };
        reply(200, "", body)
    })
    .await
}

const NOTHING: &str = r#"{"@odata.count":0,"value":[]}"#;
const FIELDS: &str = r#"{"@odata.count":2,"value":[
    {"Id":"00000000-0000-0000-0000-0000000000f1","Title":"Score","Type":"Number"},
    {"Id":"00000000-0000-0000-0000-0000000000f2","Title":"Team","Type":0}]}"#;

#[tokio::test]
async fn camel_case_blanks_and_unknown_fields_are_understood() {
    let stub = with_users(
        r#"{"@odata.count":2,"value":[
            {"id":"00000000-0000-0000-0000-000000000001","loginName":"i:0#.f|membership|a@b.c",
             "title":"A","city":"  ","jobTitle":" CSM \"1\" ","novelty":[1],
             "userFieldValues":[{"fieldId":"00000000-0000-0000-0000-0000000000f1","value":12.5},
                                {"fieldId":"00000000-0000-0000-0000-0000000000f2","value":null}]},
            {"Id":"00000000-0000-0000-0000-000000000002",
             "LoginName":"c:0o.c|federateddirectoryclaimprovider|00000000-0000-0000-0000-0000000000aa",
             "Title":"A group","DirectoryObjectId":"00000000-0000-0000-0000-0000000000aa"}]}"#,
    )
    .await;
    let snapshot = snapshot(stubbed(&stub).read_all().await.expect("users not read"));
    let people = &snapshot.people;
    assert_eq!(people.ids, [UserId::new(Uuid::from_u128(1))]);
    assert_eq!(people.property(Property::City, 0), None);
    assert_eq!(people.property(Property::JobTitle, 0), Some("CSM \"1\""));
    let custom = |field| people.text(&Source::Custom(FieldId::new(Uuid::from_u128(field))), 0);
    assert_eq!((custom(0xf1), custom(0xf2)), (Some("12.5"), None));
    assert_eq!(snapshot.groups.len(), 1);
}

#[tokio::test]
async fn a_row_without_a_usable_id_is_named() {
    let stub = with_users(
        r#"{"@odata.count":2,"value":[
            {"Id":"00000000-0000-0000-0000-000000000001","LoginName":"a"},{"Id":"7","LoginName":"b"}]}"#,
    )
    .await;
    let error = stubbed(&stub)
        .read_all()
        .await
        .expect_err("a bad row was accepted");
    assert_eq!(
        error.to_string(),
        "row 2 of Users cannot be read: Id is \"7\", not a GUID"
    );
}

#[tokio::test]
async fn a_row_seen_twice_counts_once_and_the_hole_it_leaves_is_an_error() {
    let stub = with_users(
        r#"{"@odata.count":2,"value":[
            {"Id":"00000000-0000-0000-0000-000000000001","LoginName":"a"},
            {"Id":"00000000-0000-0000-0000-000000000001","LoginName":"a"}]}"#,
    )
    .await;
    let error = stubbed(&stub).read_all().await;
    assert!(
        matches!(
            error,
            Err(ApiError::Incomplete {
                set: "Users",
                expected: 2,
                found: 1
            })
        ),
        "{error:?}"
    );
    let asked = stub
        .requests()
        .iter()
        .filter(|r| r.contains("/Users"))
        .count();
    assert_eq!(asked, 3, "the set was not read exactly three times");
}

#[tokio::test]
async fn a_set_without_a_count_cannot_be_trusted() {
    let stub =
        with_users(r#"{"value":[{"Id":"00000000-0000-0000-0000-000000000001","LoginName":"a"}]}"#)
            .await;
    let error = stubbed(&stub)
        .read_all()
        .await
        .expect_err("a missing count was accepted");
    assert!(error.to_string().contains("@odata.count"), "{error}");
}
