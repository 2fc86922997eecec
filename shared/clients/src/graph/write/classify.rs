//! Classifies Graph's response to a change of members by its status and message.
//!
//! Its error codes are too coarse (`Request_BadRequest` covers everything). An unknown error
//! is a failure.

use std::time::Duration;

use rollcall_domain::base::ids::ObjectId;

use crate::graph::batch::PartAnswer;

/// The change that a part requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MemberOperation {
    /// Add up to twenty members, all or none.
    AddMany(Vec<ObjectId>),
    /// Add one member.
    AddOne(ObjectId),
    /// Remove one member.
    Remove(ObjectId),
}

/// The meaning of its response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Classification {
    /// The change was made.
    Done,
    /// No change was necessary.
    Already,
    /// Nothing was changed because of one of several members: retry them one by one.
    Split,
    /// The group (`true`), or the group or a member (`false`), is not visible: a new group is
    /// not replicated yet, or an object does not exist.
    NotVisible(bool),
    /// A transient error; retry after the given time.
    Again(Option<Duration>),
    /// The token was rejected.
    Unauthorised,
    /// The change was rejected; the reason is a clause for the report.
    Failed(String),
}

/// Parts of error messages, in lower case, that concern the group or the app, so that
/// retrying each member alone would only repeat them.
const WHOLE_GROUP: &[&str] = &[
    "mail-enabled security group",
    "on-premises mastered",
    "insufficient privileges",
    "required roles claim",
    "maximum quota count",
    "identity of the calling application",
];

/// Classifies the response to a change of `group`.
pub(super) fn classify(
    change: &MemberOperation,
    answer: &PartAnswer,
    group: ObjectId,
) -> Classification {
    if answer.is_success() {
        return Classification::Done;
    }
    if answer.is_transient() {
        return Classification::Again(answer.retry_after);
    }
    if answer.status == 401 {
        return Classification::Unauthorised;
    }
    let (code, message) = answer.error();
    let text = message.to_lowercase();
    let verdict = match change {
        MemberOperation::Remove(_) => judge_remove(answer.status, &text, group),
        MemberOperation::AddMany(_) | MemberOperation::AddOne(_) => {
            judge_add(answer.status, &text, group)
        }
    };
    let alone = !matches!(change, MemberOperation::AddMany(_));
    match verdict {
        Some(Classification::Already) if !alone => Classification::Split,
        Some(verdict) => verdict,
        None if !alone && !WHOLE_GROUP.iter().any(|part| text.contains(part)) => {
            Classification::Split
        }
        None => Classification::Failed(refusal(answer.status, code.as_deref(), &message, &text)),
    }
}

fn judge_add(status: u16, text: &str, group: ObjectId) -> Option<Classification> {
    match status {
        400 if text.contains("already exist") => Some(Classification::Already),
        400 if text.contains("source resource object") => Some(Classification::NotVisible(false)),
        404 if text.contains(&group.to_string()) => Some(Classification::NotVisible(true)),
        _ => None,
    }
}

fn judge_remove(status: u16, text: &str, group: ObjectId) -> Option<Classification> {
    match status {
        400 if text.contains("removed object references do not exist") => {
            Some(Classification::Already)
        }
        400 if text.contains("source resource object") => Some(Classification::NotVisible(false)),
        // Graph returns the same error for a user who is not a member and for one who does
        // not exist.
        404 if !text.contains(&group.to_string()) => Some(Classification::Already),
        _ => None,
    }
}

/// Returns an error as a clause.
fn refusal(status: u16, code: Option<&str>, message: &str, text: &str) -> String {
    if text.contains("not allowed to join") {
        return "guests are not allowed to join this group".into();
    }
    if status == 404 {
        return format!("the user does not exist in Microsoft Entra (any more): {message}");
    }
    let code = code.unwrap_or("no code");
    format!("Microsoft Graph refused with status {status} ({code}): {message}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> ObjectId {
        ObjectId::new(Uuid::from_u128(n))
    }

    fn answer(status: u16, message: &str) -> PartAnswer {
        let body = json!({ "error": { "code": "Request_BadRequest", "message": message } });
        PartAnswer {
            status,
            retry_after: None,
            body,
        }
    }

    fn verdict(change: &MemberOperation, status: u16, message: &str) -> Classification {
        classify(change, &answer(status, message), id(1))
    }

    const EXISTS: &str = "One or more added object references already exist for the following modified properties: 'members'.";
    const NO_SOURCE: &str =
        "The source resource object or one of the objects being referenced don't exist.";
    const NOT_MEMBER: &str = "One or more removed object references do not exist for the following modified properties: 'members'.";

    #[test]
    fn someone_already_there_splits_twenty_and_settles_one() {
        assert_eq!(
            verdict(&MemberOperation::AddMany(vec![id(2)]), 400, EXISTS),
            Classification::Split
        );
        assert_eq!(
            verdict(&MemberOperation::AddOne(id(2)), 400, EXISTS),
            Classification::Already
        );
    }

    #[test]
    fn an_unseen_group_is_waited_for() {
        let many = MemberOperation::AddMany(vec![id(2)]);
        assert_eq!(
            verdict(&many, 400, NO_SOURCE),
            Classification::NotVisible(false)
        );
        let gone = format!(
            "Resource '{}' does not exist or one of its queried reference-property objects are not present.",
            id(1)
        );
        assert_eq!(verdict(&many, 404, &gone), Classification::NotVisible(true));
    }

    #[test]
    fn an_unknown_person_splits_twenty_and_fails_alone() {
        let unknown = format!(
            "Resource '{}' does not exist or one of its queried reference-property objects are not present.",
            id(2)
        );
        assert_eq!(
            verdict(&MemberOperation::AddMany(vec![id(2)]), 404, &unknown),
            Classification::Split
        );
        let Classification::Failed(reason) =
            verdict(&MemberOperation::AddOne(id(2)), 404, &unknown)
        else {
            panic!("not failed");
        };
        assert!(
            reason.starts_with("the user does not exist in Microsoft Entra"),
            "{reason}"
        );
    }

    #[test]
    fn removing_someone_who_is_not_there_is_no_failure() {
        let unknown = format!("Resource '{}' does not exist.", id(2));
        assert_eq!(
            verdict(&MemberOperation::Remove(id(2)), 404, &unknown),
            Classification::Already
        );
        assert_eq!(
            verdict(&MemberOperation::Remove(id(2)), 400, NOT_MEMBER),
            Classification::Already
        );
        let group_gone = format!("Resource '{}' does not exist.", id(1));
        assert!(matches!(
            verdict(&MemberOperation::Remove(id(2)), 404, &group_gone),
            Classification::Failed(_)
        ));
    }

    #[test]
    fn an_unknown_refusal_is_a_failure_with_its_text() {
        assert_eq!(
            verdict(&MemberOperation::AddOne(id(2)), 400, "Something new."),
            Classification::Failed(
                "Microsoft Graph refused with status 400 (Request_BadRequest): Something new."
                    .into()
            )
        );
        assert!(matches!(
            verdict(&MemberOperation::Remove(id(2)), 400, "Last owner."),
            Classification::Failed(_)
        ));
    }

    #[test]
    fn a_refusal_of_the_whole_group_is_not_repeated_for_each_member() {
        let many = MemberOperation::AddMany(vec![id(2), id(3)]);
        for text in [
            "Cannot Update a mail-enabled security groups and or distribution list.",
            "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.",
            "Insufficient privileges to complete the operation.",
        ] {
            assert!(
                matches!(verdict(&many, 403, text), Classification::Failed(_)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_guest_who_may_not_join_fails_alone() {
        let text = "Guests users are not allowed to join";
        assert_eq!(
            verdict(&MemberOperation::AddMany(vec![id(2)]), 403, text),
            Classification::Split
        );
        assert_eq!(
            verdict(&MemberOperation::AddOne(id(2)), 403, text),
            Classification::Failed("guests are not allowed to join this group".into())
        );
    }

    #[test]
    fn throttling_and_server_errors_come_again() {
        let mut throttled = answer(429, "");
        throttled.retry_after = Some(Duration::from_secs(3));
        let change = MemberOperation::Remove(id(2));
        assert_eq!(
            classify(&change, &throttled, id(1)),
            Classification::Again(throttled.retry_after)
        );
        assert_eq!(verdict(&change, 503, ""), Classification::Again(None));
        assert_eq!(verdict(&change, 401, ""), Classification::Unauthorised);
    }
}
