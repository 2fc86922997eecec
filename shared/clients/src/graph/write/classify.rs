//! Classifies Graph's response to a change of members by its status and message.
//!
//! Its error codes are too coarse (`Request_BadRequest` covers everything). An unknown error
//! is a failure.

use std::time::Duration;

use rollcall_domain::base::ids::ObjectId;

use crate::graph::batch_part::PartAnswer;

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

impl MemberOperation {
    /// Returns the accounts that it concerns.
    pub(super) fn members(&self) -> Vec<ObjectId> {
        match self {
            Self::AddMany(members) => members.clone(),
            Self::AddOne(member) | Self::Remove(member) => vec![*member],
        }
    }
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
    /// Nothing was changed because this member does not exist, or is not visible yet.
    UnknownMember(ObjectId),
    /// Nothing was changed because the group or a member does not exist or is not visible yet;
    /// the response does not say which.
    UnknownObject,
    /// Nothing was removed: there is no such membership, or no such group. The response is the
    /// same for both.
    NothingToRemove,
    /// The app sends too many requests; retry after the given time.
    Throttled(Option<Duration>),
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

/// Classifies the response to a change of members.
pub(super) fn classify(change: &MemberOperation, answer: &PartAnswer) -> Classification {
    if answer.is_success() {
        return Classification::Done;
    }
    if answer.status == 429 {
        return Classification::Throttled(answer.retry_after);
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
        MemberOperation::Remove(_) => judge_remove(answer.status, &text),
        MemberOperation::AddMany(members) => judge_add(answer.status, &text, members),
        MemberOperation::AddOne(member) => judge_add(answer.status, &text, &[*member]),
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

fn judge_add(status: u16, text: &str, members: &[ObjectId]) -> Option<Classification> {
    match status {
        400 if text.contains("already exist") => Some(Classification::Already),
        400 if text.contains("source resource object") => Some(Classification::UnknownObject),
        404 => {
            let mut named = members.iter();
            let named = named.find(|member| text.contains(&member.to_string()));
            Some(named.map_or(Classification::UnknownObject, |member| {
                Classification::UnknownMember(*member)
            }))
        }
        _ => None,
    }
}

/// The id in a 404 is no evidence: public reports show the group's for somebody who is not a
/// member, and the documentation does not say which id it is.
fn judge_remove(status: u16, text: &str) -> Option<Classification> {
    match status {
        400 if text.contains("removed object references do not exist") => {
            Some(Classification::Already)
        }
        400 if text.contains("source resource object") => Some(Classification::NothingToRemove),
        404 => Some(Classification::NothingToRemove),
        _ => None,
    }
}

/// Returns an error as a clause.
fn refusal(status: u16, code: Option<&str>, message: &str, text: &str) -> String {
    if text.contains("not allowed to join") {
        return "guests are not allowed to join this group".into();
    }
    let code = code.unwrap_or("no code");
    format!("Microsoft Graph refused with status {status} ({code}): {message}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::graph::quota::ThrottleScope;

    fn id(n: u128) -> ObjectId {
        ObjectId::new(Uuid::from_u128(n))
    }

    fn answer(status: u16, message: &str) -> PartAnswer {
        let body = json!({ "error": { "code": "Request_BadRequest", "message": message } });
        PartAnswer {
            status,
            retry_after: None,
            scope: ThrottleScope::All,
            body,
        }
    }

    fn verdict(change: &MemberOperation, status: u16, message: &str) -> Classification {
        classify(change, &answer(status, message))
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

    /// The two documented texts for an object that does not exist, with either id.
    #[test]
    fn an_unknown_object_is_named_only_if_it_is_one_of_the_members() {
        let many = MemberOperation::AddMany(vec![id(2), id(3)]);
        let gone = |n| {
            format!(
                "Resource '{}' does not exist or one of its queried reference-property objects are not present.",
                id(n)
            )
        };
        assert_eq!(
            verdict(&many, 400, NO_SOURCE),
            Classification::UnknownObject
        );
        assert_eq!(verdict(&many, 404, &gone(1)), Classification::UnknownObject);
        assert_eq!(
            verdict(&many, 404, &gone(3)),
            Classification::UnknownMember(id(3))
        );
        assert_eq!(
            verdict(&MemberOperation::AddOne(id(2)), 404, &gone(2)),
            Classification::UnknownMember(id(2))
        );
    }

    /// F-6: Graph's 404 contains the group's id or the member's; neither says that the group is
    /// gone.
    #[test]
    fn a_removal_without_effect_is_the_same_for_every_text() {
        let remove = MemberOperation::Remove(id(2));
        for n in [1, 2] {
            let text = format!("Resource '{}' does not exist.", id(n));
            assert_eq!(
                verdict(&remove, 404, &text),
                Classification::NothingToRemove
            );
        }
        assert_eq!(
            verdict(&remove, 400, NO_SOURCE),
            Classification::NothingToRemove
        );
        assert_eq!(verdict(&remove, 400, NOT_MEMBER), Classification::Already);
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
            classify(&change, &throttled),
            Classification::Throttled(throttled.retry_after)
        );
        assert_eq!(verdict(&change, 503, ""), Classification::Again(None));
        assert_eq!(verdict(&change, 401, ""), Classification::Unauthorised);
    }
}
